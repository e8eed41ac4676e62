//! The product of windows by a weight matrix, which every convolution is.

pub(crate) mod epilogue;
pub(crate) mod fused_moments;
pub(crate) mod microkernel;
pub(crate) mod packing;
pub(crate) mod product;
pub(crate) mod weight_cache;
pub(crate) mod windows;
