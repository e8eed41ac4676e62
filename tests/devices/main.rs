//! The GPU executor: how it behaves as a device, and whether it computes what the CPU does. All of it runs in the browser too.
#![cfg(feature = "gpu")]

mod device;
mod parity;

#[path = "../support/any_gpu.rs"]
mod any_gpu;
#[path = "../support/block_photos.rs"]
mod block_photos;
#[path = "../support/kernel_cases/mod.rs"]
mod kernel_cases;
#[path = "../support/reference/mod.rs"]
mod reference;
