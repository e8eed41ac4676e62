//! Model files: a trained network, and a run that can be continued, in one open format.

pub mod model_file;
mod tensors;
