//! Floret trains and runs flower classifiers inside a web page.
//!
//! The map, ground floor first; no file imports upward:
//!
//! | floor | modules |
//! | --- | --- |
//! | ground | [`error`], [`rng`], [`shape`], [`kernel`] (the kernel table) |
//! | ops | [`ops`]: an op's configuration, shape rule, forward and backward |
//! | network | [`network`]: text to graph |
//! | plan | [`plan`]: graph to kernel calls over numbered buffers |
//! | executors | [`backend`]: what an executor must do; [`backend::cpu`]; `backend::gpu` (feature `gpu`) |
//! | photos | [`data`], [`draw`] |
//! | work | [`recipe`], [`model`], [`classify`], [`explain`], [`train`], [`model_file`], [`report`], [`mod@bench`] |
//! | top | `wasm`: the boundary to the page; `bin/floret`: the terminal |

pub mod backend;
pub mod bench;
pub mod classify;
pub mod data;
pub mod draw;
pub mod error;
pub mod explain;
pub mod kernel;
pub mod model;
pub mod model_file;
pub mod network;
pub mod ops;
pub mod plan;
pub mod recipe;
pub mod report;
pub mod rng;
pub mod shape;
pub mod train;
#[cfg(target_arch = "wasm32")]
pub mod wasm;
