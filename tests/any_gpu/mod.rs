//! An executor on whatever adapter this machine has, software included.

use floret::gpu::{GpuBackend, GpuOptions};

/// `None`, said aloud, where there is no adapter. CI has one, so there that is a failure.
pub fn any_gpu() -> Option<GpuBackend> {
    match pollster::block_on(GpuBackend::new(GpuOptions { allow_software: true })) {
        Ok(backend) => Some(backend),
        Err(error) if std::env::var("CI").is_ok_and(|ci| ci == "true") => panic!("{error}"),
        Err(error) => {
            println!("skipped: no GPU adapter ({error})");
            None
        }
    }
}
