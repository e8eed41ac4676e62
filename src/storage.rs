//! Files: models and checkpoints as safetensors.

pub mod model_file;
mod tensors;
