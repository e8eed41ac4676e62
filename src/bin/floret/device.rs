//! The executor that a command runs on.

use floret::backend::Backend;
use floret::cpu::CpuBackend;

/// The CPU on that many threads, on every core when none is said.
pub fn cpu(threads: Option<usize>) -> Box<dyn Backend> {
    let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    Box::new(CpuBackend::new(threads.unwrap_or_else(cores)))
}
