//! Ten training steps of each flower model give the losses that PyTorch gives (`tests/golden/losses.json`; the script
//! beside it made them, and `tests/golden/README.md` says what both sides agree on).

use crate::block_photos::{BLOCK, photos, targets};
use floret::backend::Backend;
use floret::backend::cpu::CpuBackend;
use floret::error::Result;
use floret::kernel::{METRICS, StepInputs, Storage};
use floret::network::Network;
use floret::network::presets::preset;
use floret::plan::parameters::{KernelInitialisation, Parameters};
use floret::plan::{Optimizer, Plan, PlanOptions, Source};
use pollster::block_on;
use serde::Deserialize;

const CLASSES: usize = 5;
/// Largest difference from PyTorch's loss, relative.
const TOLERANCE: f64 = 1e-3;

/// One training run of PyTorch's.
#[derive(Deserialize)]
struct Run {
    model: String,
    actions: String,
    seed: u64,
    losses: Vec<f64>,
}

/// The file of all runs.
#[derive(Deserialize)]
struct Golden {
    batch_size: usize,
    /// Side of the squares of equal pixels that photos are made of.
    block: usize,
    runs: Vec<Run>,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("../golden/losses.json")).expect("losses.json holds runs")
}

fn write(backend: &mut dyn Backend, storage: Storage, numbers: &[f32]) -> Result<()> {
    backend.write(storage, 0, bytemuck::cast_slice(numbers))
}

/// Mean losses of a run's training steps.
fn losses(golden: &Golden, run: &Run, backend: &mut dyn Backend) -> Result<Vec<f64>> {
    let preset = preset(&run.model)?;
    let graph = Network::new(&preset.text(&run.actions), preset.input, CLASSES)?.graph;
    let parameters = Parameters::new(&graph);
    let options = PlanOptions::training(golden.batch_size, Source::Tensor, Optimizer::ADAM);
    let plan = Plan::new(&graph, &parameters, &options)?;
    for &(storage, len) in &plan.shared {
        block_on(backend.allocate(storage, len))?;
    }
    write(
        backend,
        Storage::Weights,
        &parameters.initial_weights(run.seed, KernelInitialisation::He),
    )?;
    write(backend, Storage::ParameterFlags, &parameters.flags(0))?;
    if parameters.statistics_len > 0 {
        write(backend, Storage::Statistics, &parameters.initial_statistics())?;
    }
    let id = block_on(backend.load(&plan))?;
    let mut losses = Vec::new();
    for step in 0..run.losses.len() as u32 {
        let inputs = StepInputs {
            batch_size: golden.batch_size,
            step,
            seed: run.seed,
            learning_rate: 0.001,
            weight_decay: 0.0,
        };
        write(
            backend,
            plan.input.storage,
            &photos(golden.batch_size, graph.input(), run.seed, step),
        )?;
        write(backend, Storage::Targets, &targets(golden.batch_size, CLASSES, run.seed, step))?;
        write(backend, Storage::Metrics, &[0.0; METRICS])?;
        backend.run(id, 0..plan.calls.len(), &inputs)?;
        let metrics = block_on(backend.read(Storage::Metrics, 0, METRICS))?;
        losses.push(f64::from(metrics[0]) / f64::from(metrics[1]));
    }
    Ok(losses)
}

fn check(model: &str) {
    let golden = golden();
    assert_eq!(golden.block, BLOCK);
    let mut actions = Vec::new();
    for run in golden.runs.iter().filter(|run| run.model == model) {
        assert_eq!(run.losses.len(), 10);
        let losses = losses(&golden, run, &mut CpuBackend::new(2)).expect("the CPU can train it");
        for (step, (loss, expected)) in losses.iter().zip(&run.losses).enumerate() {
            let close = (loss - expected).abs() <= TOLERANCE * expected;
            let name = format!("{model} {}, step {step}", run.actions);
            assert!(close, "{name}: {losses:?}, PyTorch {:?}", run.losses);
        }
        actions.push(run.actions.as_str());
    }
    assert_eq!(actions, ["LA", "LAB"]);
}

#[test]
fn inception_flower() {
    check("inception_flower");
}

#[test]
fn plain_flower() {
    check("plain_flower");
}

#[test]
fn residual_flower() {
    check("residual_flower");
}

#[test]
fn bottleneck_flower() {
    check("bottleneck_flower");
}
