//! Convolution forward, and backward to its input and to its parameters.

pub(crate) mod backward_input;
pub(crate) mod backward_weight;
#[cfg(test)]
pub(crate) mod cases;
pub(crate) mod forward;
