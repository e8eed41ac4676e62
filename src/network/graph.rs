//! The graph: ops in topological order, each with the shape of its output.

use crate::error::{Error, Result};
use crate::ops::{Op, Operation};
use crate::shape::Shape;

/// One op with its place in the graph.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Path in the network text, such as `2.rhalf.0.conv`; parameters are named by it.
    pub name: String,
    /// What it computes.
    pub op: Op,
    /// Numbers of the nodes it reads, all smaller than its own.
    pub inputs: Vec<usize>,
    /// Shape of its output.
    pub shape: Shape,
}

/// A network with shapes. Node 0 is the input; the last node's output are the logits.
#[derive(Debug, Clone, PartialEq)]
pub struct Graph {
    /// Nodes in topological order.
    pub nodes: Vec<Node>,
}

impl Graph {
    /// A graph that is only its input.
    pub fn new(input: Shape) -> Self {
        Self {
            nodes: vec![Node {
                name: "input".into(),
                op: Op::Input,
                inputs: Vec::new(),
                shape: input,
            }],
        }
    }

    /// Appends an op that reads `inputs` and returns its number.
    ///
    /// # Errors
    /// [`Error::Layer`] with `name` as its path where the op's shape rule refuses.
    pub fn add(&mut self, name: impl Into<String>, op: Op, inputs: Vec<usize>) -> Result<usize> {
        let name = name.into();
        let shapes: Vec<Shape> = inputs.iter().map(|&node| self.nodes[node].shape).collect();
        let shape = match op.operation() {
            Some(operation) => {
                operation.output_shape(&shapes).map_err(|error| at_layer(error, &name))?
            }
            None => return Err(Error::Internal { place: name, problem: "a second input".into() }),
        };
        self.nodes.push(Node { name, op, inputs, shape });
        Ok(self.nodes.len() - 1)
    }

    /// Shape of a photo.
    pub fn input(&self) -> Shape {
        self.nodes[0].shape
    }

    /// Number of the last node.
    pub fn output(&self) -> usize {
        self.nodes.len() - 1
    }

    /// Number of classes: outputs of the last node.
    pub fn classes(&self) -> usize {
        self.nodes[self.output()].shape.len()
    }

    /// What the classifying head reads: the node before it, and that node's channels.
    pub fn features(&self) -> (usize, usize) {
        let node = self.nodes[self.output()].inputs.first().copied().unwrap_or(0);
        (node, self.nodes[node].shape.channels)
    }

    /// Nodes with their operations, the input left out.
    pub fn operations(&self) -> impl DoubleEndedIterator<Item = (usize, &Node, &dyn Operation)> {
        self.nodes
            .iter()
            .enumerate()
            .filter_map(|(number, node)| Some((number, node, node.op.operation()?)))
    }

    /// Shapes of a node's inputs.
    pub fn input_shapes(&self, node: &Node) -> Vec<Shape> {
        node.inputs.iter().map(|&input| self.nodes[input].shape).collect()
    }
}

fn at_layer(error: Error, path: &str) -> Error {
    match error {
        Error::Layer { expected, found, suggestion, .. } => {
            Error::Layer { layer: path.into(), expected, found, suggestion }
        }
        other => other,
    }
}
