//! Convolution forward, and backward to its input and to its parameters.

mod backward_input;
mod backward_weight;
#[cfg(test)]
pub(crate) mod cases;
pub(super) mod forward;
