//! The executor that a command runs on.

use clap::{Args, ValueEnum};
use floret::backend::Backend;
use floret::backend::cpu::CpuBackend;
use floret::error::Result;

/// Which executor runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Executor {
    /// The processor.
    Cpu,
    /// A graphics card, through Vulkan, Metal or DirectX 12.
    #[cfg(feature = "gpu")]
    Gpu,
}

/// Arguments that choose the executor.
#[derive(Args)]
pub struct DeviceArguments {
    /// Executor.
    #[arg(long, value_enum, default_value = "cpu")]
    pub backend: Executor,
    /// Threads of the processor; all cores when left out.
    #[arg(long)]
    pub threads: Option<usize>,
    /// Take a GPU adapter that is software: for tests, since it is far slower than the processor.
    #[cfg(feature = "gpu")]
    #[arg(long)]
    pub software_gpu: bool,
}

impl DeviceArguments {
    /// Opens the executor.
    pub fn open(&self) -> Result<Box<dyn Backend>> {
        match self.backend {
            Executor::Cpu => {
                let cores =
                    || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
                Ok(Box::new(CpuBackend::new(self.threads.unwrap_or_else(cores))))
            }
            #[cfg(feature = "gpu")]
            Executor::Gpu => {
                use floret::backend::gpu::{GpuBackend, GpuOptions};
                let allow_software = self.software_gpu;
                let options = GpuOptions { allow_software, ..GpuOptions::default() };
                Ok(Box::new(pollster::block_on(GpuBackend::new(options))?))
            }
        }
    }
}
