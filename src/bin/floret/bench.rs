//! `floret bench`: how fast this machine trains and classifies.

use crate::device::DeviceArguments;
use crate::output::{print_json, say};
use clap::Args;
use floret::backend::resident::Resident;
use floret::bench::{BenchOptions, bench};
use floret::error::Result;
use std::time::Instant;

/// Arguments of `floret bench`.
#[derive(Args)]
pub struct BenchArguments {
    /// Ready-made network.
    #[arg(long, default_value = "residual_flower")]
    model: String,
    /// Photos a step.
    #[arg(long, default_value_t = 10)]
    batch: usize,
    /// Steps of a pass.
    #[arg(long, default_value_t = 20)]
    steps: usize,
    /// Passes, of which the median counts.
    #[arg(long, default_value_t = 5)]
    passes: usize,
    #[command(flatten)]
    device: DeviceArguments,
    /// Print the result as JSON on stdout.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(arguments: &BenchArguments) -> Result<()> {
    let options = BenchOptions {
        model: arguments.model.clone(),
        batch_size: arguments.batch,
        steps: arguments.steps,
        passes: arguments.passes,
    };
    let start = Instant::now();
    let clock = || start.elapsed().as_secs_f64() * 1e3;
    let mut device = Resident::new(arguments.device.open()?, u64::MAX);
    let report = pollster::block_on(bench(&mut device, &options, &clock))?;
    if arguments.json {
        return print_json(&report);
    }
    say!("{} on {}, batch {}", report.model, report.backend, report.batch_size);
    say!("training     {:>9.1} photos/s, {:.1} GFLOP/s", report.train_images_per_s, report.gflops);
    say!(
        "classifying  {:>9.1} photos/s, one photo in {:.2} ms",
        report.infer_images_per_s,
        report.infer_ms_per_image
    );
    if let Some(ceiling) = report.ceiling_gflops {
        say!("ceiling      {ceiling:>9.1} GFLOP/s in multiply-adds alone");
    }
    say!(
        "{:<28}{:>6}{:>9}{:>10}{:>8}  of the ceiling",
        "kernel",
        "calls",
        "ms",
        "GFLOP/s",
        "share"
    );
    for kernel in &report.kernels {
        let share = 100.0 * kernel.share;
        let of_ceiling = kernel.ceiling_share.map(|share| format!("{:>6.1}%", 100.0 * share));
        let of_ceiling = of_ceiling.unwrap_or_default();
        say!(
            "{:<28}{:>6}{:>9.3}{:>10.1}{share:>7.1}%  {of_ceiling}",
            kernel.name,
            kernel.calls,
            kernel.ms,
            kernel.gflops
        );
    }
    Ok(())
}
