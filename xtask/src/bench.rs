//! `cargo xtask bench`: the kernels by criterion, and Floret beside other frameworks, in the page and natively.

mod batches;
mod native;
mod page;
mod table;

use crate::project::{cargo, run as run_command, say};
use anyhow::Result;
use clap::Args;

/// The thing to measure; without a choice, the CPU kernels.
#[derive(Args)]
pub struct Arguments {
    /// Floret's page beside onnxruntime-web, Burn, jax-js and TensorFlow.js, in turn in one headless Chromium.
    #[arg(long)]
    page: bool,
    /// With --page: the WebGPU executors instead of those on the processor.
    #[arg(long, requires = "page")]
    gpu: bool,
    /// `floret bench` beside PyTorch, eager and compiled, and ONNX Runtime, in turn.
    #[arg(long)]
    native: bool,
    /// Speed by batch size, and of all models with the memory that their plans state.
    #[arg(long)]
    batches: bool,
    /// Models to compare on.
    #[arg(long, value_delimiter = ',', default_values = ["residual_flower", "bottleneck_flower", "inception_flower"])]
    models: Vec<String>,
    /// Photos a step to compare at.
    #[arg(long, value_delimiter = ',', default_values_t = [10, 32])]
    sizes: Vec<usize>,
    /// With --page: only peers whose name holds one of these, such as `onnxruntime`.
    #[arg(long, value_delimiter = ',')]
    peers: Vec<String>,
    /// With --page: `train`, `infer` or `both`.
    #[arg(long, default_value = "both")]
    task: String,
    /// Turns that everyone gets; medians count.
    #[arg(long, default_value_t = 3)]
    passes: usize,
    /// Seconds of a peer's measurement in a turn.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// With --page: print every measurement as JSON rather than a table.
    #[arg(long)]
    json: bool,
    /// Passed on to criterion: names of kernels, or its own options.
    #[arg(last = true)]
    criterion: Vec<String>,
}

/// Runs what is asked for, one after the other: two measurements at a time would only measure each other.
pub fn run(arguments: &Arguments) -> Result<()> {
    if arguments.page {
        page::run(arguments)?;
    }
    if arguments.native {
        native::run(arguments)?;
    }
    if arguments.batches {
        batches::run(arguments)?;
    }
    if !(arguments.page || arguments.native || arguments.batches) {
        say("the CPU kernels");
        let mut bench = cargo();
        bench.args(["bench", "--package", "floret", "--bench", "kernels", "--bench", "products"]);
        run_command(bench.arg("--").args(&arguments.criterion))?;
    }
    Ok(())
}
