//! The memory that a command may take.

use clap::Args;

/// The argument that limits memory.
#[derive(Args)]
pub struct MemoryArguments {
    /// Memory that it may take, in MiB.
    #[arg(long, default_value_t = 8192)]
    memory: u64,
}

impl MemoryArguments {
    /// The limit in bytes.
    pub fn bytes(&self) -> u64 {
        self.memory << 20
    }
}
