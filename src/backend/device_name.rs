//! The name of a device, as data that each language words.

use crate::error::Name;
use serde::Serialize;

/// What an executor runs on. Serialises as `{ kind: 'cpu', threads }` or `{ kind: 'gpu', name }`; in English it reads
/// `CPU, 2 threads` or `WebGPU, NVIDIA …`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum DeviceName {
    /// The processor.
    Cpu {
        /// Threads that share the work.
        threads: usize,
    },
    /// A GPU, or a program that stands in for one.
    Gpu {
        /// Interface and adapter, as far as the browser or the driver tells.
        name: Name,
    },
}

impl std::fmt::Display for DeviceName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Cpu { threads: 1 } => f.write_str("CPU, 1 thread"),
            Self::Cpu { threads } => write!(f, "CPU, {threads} threads"),
            Self::Gpu { name } => f.write_str(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_gets_data_and_the_terminal_english() {
        let [one, two] = [1, 2].map(|threads| DeviceName::Cpu { threads });
        assert_eq!([one.to_string(), two.to_string()], ["CPU, 1 thread", "CPU, 2 threads"]);
        let json = serde_json::json!({ "kind": "cpu", "threads": 2 });
        assert_eq!(serde_json::to_value(two).unwrap(), json);
        let gpu = DeviceName::Gpu { name: "WebGPU, a card".into() };
        assert_eq!(gpu.to_string(), "WebGPU, a card");
        let json = serde_json::json!({ "kind": "gpu", "name": "WebGPU, a card" });
        assert_eq!(serde_json::to_value(gpu).unwrap(), json);
    }
}
