//! Floret trains and runs flower classifiers inside a web page.
//!
//! The map, ground floor first; no file imports upward:
//!
//! | floor | modules |
//! | --- | --- |
//! | ground | [`error`], [`rng`], [`shape`], [`kernel`] (the kernel table) |
//! | ops | [`lowering`], [`ops`]: an op's configuration, shape rule, forward and backward |
//! | network | [`network`]: text to graph |
//! | plan | [`parameters`], [`plan`]: graph to kernel calls over numbered buffers |
//! | executors | [`backend`]: what an executor must do; [`cpu`]; `gpu` (feature `gpu`) |
//! | work | [`data`] |

pub mod agreement;
pub mod backend;
pub mod bench;
pub mod calibration;
pub mod card;
pub mod classify;
pub mod cpu;
pub mod data;
pub mod error;
pub mod experiment;
pub mod explain;
#[cfg(feature = "gpu")]
pub mod gpu;
pub mod kernel;
pub mod lowering;
pub mod metrics;
pub mod model;
pub mod network;
pub mod ops;
pub mod parameters;
pub mod plan;
pub mod recipe;
pub mod report;
pub mod rng;
pub mod shape;
pub mod storage;
pub mod train;
#[cfg(target_arch = "wasm32")]
pub mod wasm;
