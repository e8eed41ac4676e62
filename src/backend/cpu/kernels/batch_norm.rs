//! Batch normalisation: statistics, normalisation and gradients.

pub(crate) mod backward_input;
pub(crate) mod backward_reduce;
pub(crate) mod normalize;
pub(crate) mod running;
pub(crate) mod statistics;
