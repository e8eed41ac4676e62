//! Whole runs: their losses, how they go on after a stop, and what is learnt of a model afterwards.

mod calibration;
mod explain;
mod golden;
mod recovery;

#[cfg(feature = "gpu")]
#[path = "../support/any_gpu.rs"]
mod any_gpu;
#[path = "../support/block_photos.rs"]
mod block_photos;
