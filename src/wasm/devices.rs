//! The executors that a browser has.

use crate::backend::Backend;
use crate::cpu::CpuBackend;
use crate::error::Result;
use serde::Serialize;

/// Starts the pool of helping threads; the page calls it once, before anything else.
#[cfg(feature = "threads")]
pub use wasm_bindgen_rayon::init_thread_pool;

/// An executor that the page can offer.
#[derive(Serialize)]
pub(super) struct Device {
    id: &'static str,
    name: String,
    /// Whether `auto` may take it: a software GPU is slower than the processor.
    hardware: bool,
}

/// The executors that this browser has.
pub(super) async fn devices() -> Vec<Device> {
    let mut devices = vec![Device { id: "cpu", name: cpu().name(), hardware: true }];
    #[cfg(feature = "gpu")]
    if let Some(adapter) = crate::gpu::offered_adapter().await {
        devices.push(Device { id: "gpu", name: adapter.to_string(), hardware: !adapter.software });
    }
    devices
}

/// The executor of that id; `auto` is a hardware GPU where there is one.
pub(super) async fn backend(device: &str) -> Result<Box<dyn Backend>> {
    #[cfg(feature = "gpu")]
    if device != "cpu" {
        use crate::gpu::{GpuBackend, GpuOptions};
        match GpuBackend::new(GpuOptions { allow_software: device == "gpu" }).await {
            Ok(gpu) => return Ok(Box::new(gpu)),
            Err(error) if device == "gpu" => return Err(error),
            Err(_) => {}
        }
    }
    #[cfg(not(feature = "gpu"))]
    if device == "gpu" {
        return Err(crate::error::Error::Unknown {
            what: "device".into(),
            name: device.into(),
            suggestion: None,
        });
    }
    Ok(Box::new(cpu()))
}

/// The CPU executor, on this thread and those that the page has started.
pub(super) fn cpu() -> CpuBackend {
    #[cfg(feature = "threads")]
    let threads = 1 + rayon::current_num_threads();
    #[cfg(not(feature = "threads"))]
    let threads = 1;
    CpuBackend::new(threads)
}
