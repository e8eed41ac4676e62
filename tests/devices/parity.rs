//! Both executors side by side, on whatever adapter there is, software included: each kernel over shapes drawn by
//! proptest, and each flower model through its first steps.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

use crate::any_gpu::{device_tests, open_with_each_shaders};
use crate::block_photos::{photos, targets};
use crate::kernel_cases::{self, Case};
use floret::backend::Backend;
use floret::backend::cpu::{CpuBackend, Workers, run_kernel};
use floret::backend::gpu::GpuBackend;
use floret::error::Result;
use floret::kernel::{Call, Extent, METRICS, StepInputs, Storage, View};
use floret::network::{Network, presets::preset};
use floret::plan::parameters::{KernelInitialisation, Parameters};
use floret::plan::{Optimizer, Plan, PlanOptions, Source};
use floret::shape::Shape;

/// A plan of one call, every operand in a workspace buffer of its own.
fn plan_of(case: &Case) -> Plan {
    let lens: Vec<usize> = case.reads.iter().chain(&case.writes).map(Vec::len).collect();
    let views: Vec<View> = lens
        .iter()
        .enumerate()
        .map(|(number, &len)| View::new(Storage::Workspace(number as u32), Extent::Fixed(len)))
        .collect();
    let (reads, writes) = views.split_at(case.reads.len());
    let call = Call { kernel: case.kernel, reads: reads.to_vec(), writes: writes.to_vec() };
    Plan {
        batch_size: case.step.batch_size,
        calls: vec![call],
        forward: 0..1,
        backward: 1..1,
        update: 1..1,
        buffers: lens,
        input: views[0],
        logits: views[0],
        probabilities: views[0],
        kept: Vec::new(),
        shared: Vec::new(),
    }
}

/// Runs a case on the GPU and reads its written operands.
async fn run(backend: &mut GpuBackend, case: &Case) -> Result<Vec<Vec<f32>>> {
    let plan = plan_of(case);
    let id = backend.load(&plan).await?;
    for (number, numbers) in case.reads.iter().chain(&case.writes).enumerate() {
        let storage = Storage::Workspace(number as u32);
        backend.write(storage, 0, bytemuck::cast_slice(numbers))?;
    }
    backend.run(id, 0..1, &case.step)?;
    let mut written = Vec::new();
    for (index, numbers) in case.writes.iter().enumerate() {
        let storage = Storage::Workspace((case.reads.len() + index) as u32);
        written.push(backend.read(storage, 0, numbers.len()).await?);
    }
    backend.unload(id);
    Ok(written)
}

/// Runs a case on the CPU and reads its written operands.
fn run_on_cpu(case: &Case) -> Vec<Vec<f32>> {
    let reads: Vec<&[f32]> = case.reads.iter().map(Vec::as_slice).collect();
    let mut written = case.writes.clone();
    let mut writes: Vec<&mut [f32]> = written.iter_mut().map(Vec::as_mut_slice).collect();
    run_kernel(&case.kernel, &case.step, &reads, &mut writes, &mut Workers::new(1)).unwrap();
    written
}

/// Root mean square.
fn typical(numbers: &[f32]) -> f32 {
    let squares: f64 = numbers.iter().map(|&x| f64::from(x).powi(2)).sum();
    (squares / numbers.len().max(1) as f64).sqrt() as f32
}

/// Where two tensors differ by more than `tolerance` times a number's size plus its tensor's root mean square.
fn difference(cpu: &[f32], gpu: &[f32], tolerance: f32) -> Option<String> {
    let typical = typical(cpu);
    let differs = |(c, g): (&f32, &f32)| {
        let close = (c - g).abs() <= tolerance * (c.abs() + typical);
        !close
    };
    let index = cpu.iter().zip(gpu).position(differs)?;
    Some(format!("number {index} is {} on the CPU, {} on the GPU", cpu[index], gpu[index]))
}

/// Cases of a kernel; a software adapter compiles each one's shader for a good part of a second, a browser's for longer.
const CASES: u32 = if cfg!(target_arch = "wasm32") { 3 } else { 12 };

/// Largest difference, relative. Noise goes through a logarithm, a root and a cosine, which a browser's software adapter
/// does less exactly.
fn tolerance(kernel: &str) -> f32 {
    if kernel == "noise" && cfg!(target_arch = "wasm32") { 1e-3 } else { 1e-4 }
}

async fn every_kernel_agrees_with_the_cpu_and_the_reference() {
    for mut backend in open_with_each_shaders().await {
        println!("on {}", backend.name());
        for family in kernel_cases::families() {
            for case in kernel_cases::draw_cases(&family, CASES) {
                let gpu = run(&mut backend, &case).await.unwrap();
                let tolerance = tolerance(family.name);
                case.compare(&gpu, f64::from(tolerance)).unwrap();
                for (cpu, gpu) in run_on_cpu(&case).iter().zip(&gpu) {
                    if let Some(difference) = difference(cpu, gpu, tolerance) {
                        panic!("{case:?}: {difference}");
                    }
                }
            }
        }
    }
}

/// Too much for a browser's software adapter, and for suites that run no GPU beside.
#[cfg(not(target_arch = "wasm32"))]
async fn long_sums_agree_with_the_reference() {
    for mut backend in open_with_each_shaders().await {
        for case in kernel_cases::windows::with_long_sums() {
            let gpu = run(&mut backend, &case).await.unwrap();
            case.compare(&gpu, 1e-4).unwrap();
        }
    }
}

async fn not_a_number_and_infinities_are_where_the_cpu_has_them() {
    for mut backend in open_with_each_shaders().await {
        for case in kernel_cases::edges::not_finite() {
            let gpu = run(&mut backend, &case).await.unwrap();
            for (cpu, gpu) in run_on_cpu(&case).iter().zip(&gpu) {
                let agree = |(&c, &g): (&f32, &f32)| {
                    c.is_nan() && g.is_nan() || c == g || (c - g).abs() <= 1e-5 * c.abs().max(1e-6)
                };
                let same = cpu.iter().zip(gpu).all(agree);
                assert!(
                    same,
                    "{case:?} of {:?}: {cpu:?} on the CPU, {gpu:?} on the GPU",
                    case.reads
                );
            }
        }
    }
}

async fn statistics_far_from_zero_agree_with_the_reference() {
    for mut backend in open_with_each_shaders().await {
        for case in kernel_cases::edges::far_from_zero() {
            let expected = case.expected();
            for actual in [run_on_cpu(&case), run(&mut backend, &case).await.unwrap()] {
                // Number by number: beside the means, the deviations are small.
                for (actual, expected) in actual.iter().flatten().zip(expected.iter().flatten()) {
                    let close = (f64::from(*actual) - expected).abs() <= 1e-3 * expected.abs();
                    assert!(close, "{case:?}: {actual}, the reference has {expected}");
                }
            }
        }
    }
}

/// A flower model's training plan over random numbers, and what it starts from.
struct Training {
    plan: Plan,
    parameters: Parameters,
    input: Shape,
    classes: usize,
    seed: u64,
}

/// Samples of a training batch: few, for a software adapter's sake.
const BATCH: usize = 4;
const STEPS: u32 = if cfg!(target_arch = "wasm32") { 2 } else { 10 };

impl Training {
    fn new(name: &str, actions: &str, seed: u64) -> Self {
        let preset = preset(name).unwrap();
        let network = Network::new(&preset.text(actions), preset.input, preset.classes).unwrap();
        let parameters = Parameters::new(&network.graph);
        let options = PlanOptions::training(BATCH, Source::Tensor, Optimizer::ADAM);
        let plan = Plan::new(&network.graph, &parameters, &options).unwrap();
        Self { plan, parameters, input: preset.input, classes: preset.classes, seed }
    }

    /// Losses of the first steps, and the gradients of the first one.
    async fn run(&self, backend: &mut dyn Backend) -> Result<(Vec<f32>, Vec<f32>)> {
        for &(storage, len) in &self.plan.shared {
            backend.allocate(storage, len).await?;
        }
        let numbers = [
            (
                Storage::Weights,
                self.parameters.initial_weights(self.seed, KernelInitialisation::He),
            ),
            (Storage::ParameterFlags, self.parameters.flags(0)),
        ];
        for (storage, numbers) in numbers {
            backend.write(storage, 0, bytemuck::cast_slice(&numbers))?;
        }
        if self.parameters.statistics_len > 0 {
            let statistics = self.parameters.initial_statistics();
            backend.write(Storage::Statistics, 0, bytemuck::cast_slice(&statistics))?;
        }
        let id = backend.load(&self.plan).await?;
        let (mut losses, mut gradients) = (Vec::new(), Vec::new());
        for step in 0..STEPS {
            let input = self.plan.input;
            let batch = photos(BATCH, self.input, self.seed, step);
            backend.write(input.storage, input.offset, bytemuck::cast_slice(&batch))?;
            let targets = targets(BATCH, self.classes, self.seed, step);
            backend.write(Storage::Targets, 0, bytemuck::cast_slice(&targets))?;
            let step = StepInputs {
                batch_size: BATCH,
                step,
                seed: self.seed,
                learning_rate: 0.001,
                weight_decay: 0.0,
            };
            backend.run(id, 0..self.plan.calls.len(), &step)?;
            let metrics = backend.read(Storage::Metrics, 0, METRICS).await?;
            losses.push(metrics[0] / metrics[1]);
            backend.write(Storage::Metrics, 0, &[0; 4 * METRICS])?;
            if gradients.is_empty() {
                let len = self.parameters.weights_len;
                gradients = backend.read(Storage::Gradients, 0, len).await?;
            }
        }
        Ok((losses, gradients))
    }

    /// Panics where losses or gradients differ.
    fn compare(&self, cpu: &(Vec<f32>, Vec<f32>), gpu: &(Vec<f32>, Vec<f32>), what: &str) {
        let ((cpu_losses, cpu_gradients), (gpu_losses, gpu_gradients)) = (cpu, gpu);
        for parameter in &self.parameters.trained {
            let gradient =
                |arena| parameter.view(arena).to_slice().expect("a parameter lies in one piece");
            let (cpu, gpu) = (gradient(cpu_gradients), gradient(gpu_gradients));
            // Rounding alone is left where a bias's gradient cancels, ahead of a batch normalisation.
            if typical(cpu) < 1e-6 {
                assert!(typical(gpu) < 1e-5, "{what}, {}", parameter.name);
            } else if let Some(difference) = difference(cpu, gpu, 1e-2) {
                panic!("{what}, gradient of {}: {difference}", parameter.name);
            }
        }
        for (step, (cpu, gpu)) in cpu_losses.iter().zip(gpu_losses).enumerate() {
            let close = (cpu - gpu).abs() <= 1e-3 * cpu.abs();
            assert!(close, "{what}, loss of step {step}: {cpu} on the CPU, {gpu} on the GPU");
        }
    }
}

/// Gradients agree tensor by tensor, losses step by step. The seed is one whose run is not tipped by a ReLU input next to
/// zero: for `bottleneck_flower` that is about one seed in four.
async fn model_agrees(name: &str, actions: &str, seed: u64) {
    let training = Training::new(name, actions, seed);
    let on_cpu = training.run(&mut CpuBackend::new(1)).await.unwrap();
    for mut gpu in open_with_each_shaders().await {
        let on_gpu = training.run(&mut gpu).await.unwrap();
        training.compare(&on_cpu, &on_gpu, &format!("{name} {actions}"));
    }
}

async fn residual_flower_agrees() {
    model_agrees("residual_flower", "LAB", 2).await;
}

#[cfg(not(target_arch = "wasm32"))]
async fn plain_flower_agrees() {
    model_agrees("plain_flower", "LAB", 11).await;
}

#[cfg(not(target_arch = "wasm32"))]
async fn bottleneck_flower_agrees() {
    model_agrees("bottleneck_flower", "LAB", 14).await;
}

#[cfg(not(target_arch = "wasm32"))]
async fn inception_flower_agrees() {
    model_agrees("inception_flower", "LAB", 8).await;
}

// A browser's software adapter would take minutes over every model.
#[cfg(target_arch = "wasm32")]
device_tests!(
    every_kernel_agrees_with_the_cpu_and_the_reference,
    not_a_number_and_infinities_are_where_the_cpu_has_them,
    statistics_far_from_zero_agree_with_the_reference,
    residual_flower_agrees,
);

#[cfg(not(target_arch = "wasm32"))]
device_tests!(
    every_kernel_agrees_with_the_cpu_and_the_reference,
    not_a_number_and_infinities_are_where_the_cpu_has_them,
    statistics_far_from_zero_agree_with_the_reference,
    long_sums_agree_with_the_reference,
    residual_flower_agrees,
    plain_flower_agrees,
    bottleneck_flower_agrees,
    inception_flower_agrees,
);
