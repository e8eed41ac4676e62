//! Networks: text to expanded layers to a graph with shapes.

pub mod graph;
