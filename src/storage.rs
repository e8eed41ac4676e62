//! Files: models and checkpoints as safetensors.

mod calibration;
pub mod model_file;
mod tensors;
