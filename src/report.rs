//! Reports of models and runs: cards, the report's experiment, and the lines that both share.

pub mod card;
pub mod experiment;
pub mod lines;
