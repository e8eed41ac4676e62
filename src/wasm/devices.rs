//! The executors that a browser has.

use super::PLAN_LIMIT;
use crate::backend::cpu::CpuBackend;
use crate::backend::resident::Resident;
use crate::backend::{Backend, DeviceName};
use crate::bench::training_rate;
use crate::error::Result;
use crate::network::Network;
use serde::Serialize;
use web_time::Instant;

/// Steps that an executor is tried for; what comes before them is not counted.
const TRIAL_STEPS: usize = 3;

/// Starts the pool of helping threads; the page calls it once, before anything else.
#[cfg(feature = "threads")]
pub use wasm_bindgen_rayon::init_thread_pool;

/// An executor that the page can offer.
#[derive(Serialize)]
pub(super) struct Device {
    id: &'static str,
    name: DeviceName,
    /// Whether `auto` may take it: a software GPU is slower than the processor.
    hardware: bool,
}

/// The executors that this browser has.
pub(super) async fn devices() -> Vec<Device> {
    let mut devices = vec![Device { id: "cpu", name: cpu().name(), hardware: true }];
    #[cfg(feature = "gpu")]
    if let Some(adapter) = crate::backend::gpu::offered_adapter().await {
        devices.push(Device {
            id: "gpu",
            name: DeviceName::Gpu { name: adapter.to_string().into() },
            hardware: !adapter.software,
        });
    }
    devices
}

/// An executor with what led to its choice.
pub(super) struct Chosen {
    pub backend: Box<dyn Backend>,
    /// The executors that were tried; none where the choice was clear.
    pub tried: Vec<Tried>,
}

/// An executor that was tried on the network to be trained.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Tried {
    device: DeviceName,
    images_per_s: f64,
}

/// The executor of that id. `auto` is the processor where there is no GPU or only one in software, which `software` lets in;
/// otherwise both train `network` for a few steps, and the quicker one is taken.
pub(super) async fn chosen(
    device: &str,
    software: bool,
    network: &Network,
    batch_size: usize,
) -> Result<Chosen> {
    let only = |backend| Ok(Chosen { backend, tried: Vec::new() });
    match device {
        "cpu" => return only(Box::new(cpu())),
        "gpu" => return only(gpu(true).await?),
        _ => {}
    }
    let Ok(gpu) = gpu(software).await else { return only(Box::new(cpu())) };
    let mut gpu = Resident::new(gpu, PLAN_LIMIT);
    // A GPU that fails here, for want of memory or otherwise, is not the quicker one.
    let Ok(on_gpu) = try_out(&mut gpu, network, batch_size).await else {
        return only(Box::new(cpu()));
    };
    let mut cpu = Resident::new(Box::new(cpu()), PLAN_LIMIT);
    let on_cpu = try_out(&mut cpu, network, batch_size).await?;
    let quicker = if on_gpu.images_per_s > on_cpu.images_per_s { gpu } else { cpu };
    Ok(Chosen { backend: quicker.into_backend(), tried: vec![on_gpu, on_cpu] })
}

async fn try_out(device: &mut Resident, network: &Network, batch_size: usize) -> Result<Tried> {
    let start = Instant::now();
    let clock = || start.elapsed().as_secs_f64() * 1e3;
    let images_per_s = training_rate(device, network, batch_size, TRIAL_STEPS, &clock).await?;
    Ok(Tried { device: device.device(), images_per_s })
}

/// The GPU, a software one only where `software` lets it in.
#[cfg(feature = "gpu")]
pub(super) async fn gpu(software: bool) -> Result<Box<dyn Backend>> {
    use crate::backend::gpu::{GpuBackend, GpuOptions};
    let options = GpuOptions { allow_software: software, ..GpuOptions::default() };
    Ok(Box::new(GpuBackend::new(options).await?))
}

/// A build without the GPU executor has none.
#[cfg(not(feature = "gpu"))]
pub(super) async fn gpu(_software: bool) -> Result<Box<dyn Backend>> {
    use crate::error::{Error, Words};
    Err(Error::Unknown { what: Words::of("what.device"), name: "gpu".into(), suggestion: None })
}

/// The CPU executor, on this thread and those that the page has started.
pub(super) fn cpu() -> CpuBackend {
    #[cfg(feature = "threads")]
    let threads = 1 + rayon::current_num_threads();
    #[cfg(not(feature = "threads"))]
    let threads = 1;
    CpuBackend::new(threads)
}
