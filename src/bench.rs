//! How fast an executor trains and classifies: the same figures from the terminal and from the page.

use crate::backend::resident::{LoadedPlan, Resident};
use crate::error::{Error, Result, Words};
use crate::kernel::{
    Conv2dBackwardInput, Conv2dBackwardWeight, Conv2dForward, Kernel, METRICS, StepInputs, Storage,
};
use crate::network::Network;
use crate::network::presets::preset;
use crate::plan::parameters::{KernelInitialisation, Parameters};
use crate::plan::{Optimizer, PlanOptions, Source};
use crate::rng::{Random, Stream};
use serde::Serialize;

/// The measurement that is wanted.
#[derive(Debug, Clone, PartialEq)]
pub struct BenchOptions {
    /// Name of a preset.
    pub model: String,
    /// Samples of a step.
    pub batch_size: usize,
    /// Steps of a pass.
    pub steps: usize,
    /// Passes, of which the median counts.
    pub passes: usize,
}

/// The measurement. Rates are medians over passes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BenchReport {
    /// The preset.
    pub model: String,
    /// The executor in words.
    pub backend: String,
    /// Samples of a step.
    pub batch_size: usize,
    /// Photos trained on in a second.
    pub train_images_per_s: f64,
    /// Photos classified in a second, a batch at a time.
    pub infer_images_per_s: f64,
    /// Milliseconds to classify one photo alone.
    pub infer_ms_per_image: f64,
    /// Floating-point operations in a second of training, in thousand millions; only those of convolutions and dense
    /// layers count, a multiply-add as two.
    pub gflops: f64,
    /// Thousand million floating-point operations a second that the device reaches at best, in multiply-adds alone; on a GPU.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ceiling_gflops: Option<f64>,
    /// Bytes that the training plan takes, photos left out.
    pub train_bytes: u64,
    /// Kernels of a training step, the costliest first.
    pub kernels: Vec<KernelReport>,
}

/// A kernel's part in a training step, each call timed by itself, by the device's own clock where it has one.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct KernelReport {
    /// Name in the kernel table.
    pub name: &'static str,
    /// Calls in a step.
    pub calls: usize,
    /// Milliseconds in a step.
    pub ms: f64,
    /// Thousand million floating-point operations a second.
    pub gflops: f64,
    /// Share of the step's time.
    pub share: f64,
    /// Share of the device's ceiling that a kernel of multiply-adds reaches, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ceiling_share: Option<f64>,
}

/// Measures training and classification of a preset on random photos. `clock` tells milliseconds.
///
/// ```
/// use floret::bench::{BenchOptions, bench};
/// use floret::backend::cpu::CpuBackend;
/// use floret::backend::resident::Resident;
/// let options = BenchOptions { model: "plain_flower".into(), batch_size: 2, steps: 1, passes: 1 };
/// let start = std::time::Instant::now();
/// let clock = || start.elapsed().as_secs_f64() * 1e3;
/// let mut device = Resident::new(Box::new(CpuBackend::new(1)), u64::MAX);
/// let report = pollster::block_on(bench(&mut device, &options, &clock))?;
/// assert!(report.train_images_per_s > 0.0);
/// # Ok::<(), floret::error::Error>(())
/// ```
///
/// # Errors
/// [`Error::Unknown`] for a model that is none of the presets, [`Error::Setting`] for a batch, steps or passes of 0, and
/// the executor's own.
pub async fn bench(
    device: &mut Resident,
    options: &BenchOptions,
    clock: &dyn Fn() -> f64,
) -> Result<BenchReport> {
    for (name, value) in
        [(Words::of("name.steps"), options.steps), (Words::of("name.passes"), options.passes)]
    {
        if value == 0 {
            let expected = Words::of("expected.at_least").with("least", 1u32);
            return Err(Error::setting(name, expected, 0u32));
        }
    }
    let preset = preset(&options.model)?;
    let network = Network::new(&preset.text(preset.actions), preset.input, preset.classes)?;
    let parameters = Parameters::new(&network.graph);
    let batch_size = options.batch_size;
    let mut bench = Bench { device, clock, options };

    let loaded = bench.load_training(&network, &parameters).await?;
    let train_ms = bench.step_ms(&loaded).await?;
    let mut kernels = bench.kernels(&loaded).await?;
    let calls = &loaded.plan.calls;
    let flops: f64 = calls.iter().map(|call| flops(&call.kernel, batch_size)).sum();
    let train_bytes = loaded.plan.bytes();
    bench.device.unload(loaded);
    let mut evaluation_ms = [0.0; 2];
    for (ms, batch_size) in evaluation_ms.iter_mut().zip([batch_size, 1]) {
        let evaluation = PlanOptions::evaluation(batch_size, Source::Tensor);
        let loaded = bench.load(&network, &parameters, &evaluation).await?;
        *ms = bench.step_ms(&loaded).await?;
        bench.device.unload(loaded);
    }
    let [batch_ms, single_ms] = evaluation_ms;

    let ceiling_gflops = bench.device.backend().ceiling().await?.map(|rate| rate / 1e9);
    for kernel in kernels.iter_mut().filter(|kernel| kernel.gflops > 0.0) {
        kernel.ceiling_share = ceiling_gflops.map(|ceiling| kernel.gflops / ceiling);
    }

    Ok(BenchReport {
        model: options.model.clone(),
        backend: bench.device.device().to_string(),
        batch_size,
        train_images_per_s: batch_size as f64 / train_ms * 1e3,
        infer_images_per_s: batch_size as f64 / batch_ms * 1e3,
        infer_ms_per_image: single_ms,
        gflops: flops / train_ms / 1e6,
        ceiling_gflops,
        train_bytes,
        kernels,
    })
}

/// Photos that an executor trains on in a second, from `steps` steps of a network on random photos: short enough to choose
/// an executor by. `clock` tells milliseconds.
///
/// # Errors
/// [`Error::Setting`] for a batch of 0, [`Error::Memory`] where the plan takes more than the device's limit, and the
/// executor's own.
pub async fn training_rate(
    device: &mut Resident,
    network: &Network,
    batch_size: usize,
    steps: usize,
    clock: &dyn Fn() -> f64,
) -> Result<f64> {
    let parameters = Parameters::new(&network.graph);
    let options = BenchOptions { model: String::new(), batch_size, steps, passes: 1 };
    let mut bench = Bench { device, clock, options: &options };
    let loaded = bench.load_training(network, &parameters).await?;
    let ms = bench.step_ms(&loaded).await?;
    bench.device.unload(loaded);
    Ok(batch_size as f64 / ms * 1e3)
}

struct Bench<'a> {
    device: &'a mut Resident,
    clock: &'a dyn Fn() -> f64,
    options: &'a BenchOptions,
}

impl Bench<'_> {
    /// Loads a plan, with random photos as its input.
    async fn load(
        &mut self,
        network: &Network,
        parameters: &Parameters,
        options: &PlanOptions,
    ) -> Result<LoadedPlan> {
        let plan = self.device.plan(&network.graph, parameters, options)?;
        let loaded = self.device.load(plan).await?;
        let input = loaded.plan.input;
        let random = Random::new(1, Stream::Test, 0, 0);
        let len = input.extent.len(loaded.plan.batch_size) as u32;
        let photos: Vec<f32> = (0..len).map(|index| 2.0 * random.uniform(index) - 1.0).collect();
        self.device.write(input.storage, input.offset, bytemuck::cast_slice(&photos))?;
        Ok(loaded)
    }

    /// As [`Self::load`], with fresh weights and the first class as every photo's target.
    async fn load_training(
        &mut self,
        network: &Network,
        parameters: &Parameters,
    ) -> Result<LoadedPlan> {
        let (batch_size, source) = (self.options.batch_size, Source::Tensor);
        let training = PlanOptions::training(batch_size, source, Optimizer::ADAM);
        let loaded = self.load(network, parameters, &training).await?;
        for &(storage, len) in &loaded.plan.shared {
            let values = match storage {
                Storage::Weights => parameters.initial_weights(1, KernelInitialisation::He),
                Storage::Statistics => parameters.initial_statistics(),
                Storage::ParameterFlags => parameters.flags(0),
                Storage::Targets => {
                    let mut targets = vec![0.0; len];
                    for target in targets.chunks_exact_mut(len / batch_size) {
                        target[0] = 1.0;
                        target[len / batch_size - 1] = 1.0;
                    }
                    targets
                }
                _ => continue,
            };
            self.device.hold(storage, &values).await?;
        }
        Ok(loaded)
    }

    /// Median milliseconds of a step.
    async fn step_ms(&mut self, loaded: &LoadedPlan) -> Result<f64> {
        // The first step pays for caches, scratch memory and compiled pipelines.
        self.pass(loaded, 1).await?;
        let mut passes = Vec::new();
        for _ in 0..self.options.passes {
            passes.push(self.pass(loaded, self.options.steps).await?);
        }
        Ok(median(passes))
    }

    async fn pass(&mut self, loaded: &LoadedPlan, steps: usize) -> Result<f64> {
        let (calls, batch_size) = (0..loaded.plan.calls.len(), loaded.plan.batch_size);
        let start = (self.clock)();
        for step in 0..steps {
            self.device.run(loaded, calls.clone(), &inputs(batch_size, step))?;
            self.device.settle().await?;
        }
        self.wait(loaded).await?;
        Ok(((self.clock)() - start) / steps as f64)
    }

    /// A read comes after all that was submitted.
    async fn wait(&mut self, LoadedPlan { plan, .. }: &LoadedPlan) -> Result<()> {
        let training = !plan.update.is_empty();
        let (storage, offset, len) = if training {
            (Storage::Metrics, 0, METRICS)
        } else {
            (plan.probabilities.storage, plan.probabilities.offset, 1)
        };
        self.device.read(storage, offset, len).await.map(|_| ())
    }

    /// Times each call of a training step, median over passes, and adds them up by kernel. On the processor each call runs
    /// alone: what a convolution takes of its batch's moments is counted as a pass of the statistics.
    async fn kernels(&mut self, loaded: &LoadedPlan) -> Result<Vec<KernelReport>> {
        let (plan, batch_size) = (&loaded.plan, self.options.batch_size);
        let mut times = vec![Vec::new(); plan.calls.len()];
        for step in 0..self.options.passes {
            let inputs = inputs(batch_size, step);
            let calls = 0..plan.calls.len();
            if let Some(seconds) = self.device.call_seconds(loaded, calls, &inputs).await? {
                times.iter_mut().zip(seconds).for_each(|(times, s)| times.push(1e3 * s));
                continue;
            }
            for (call, times) in times.iter_mut().enumerate() {
                let start = (self.clock)();
                self.device.run(loaded, call..call + 1, &inputs)?;
                self.wait(loaded).await?;
                times.push((self.clock)() - start);
            }
        }
        let mut reports: Vec<KernelReport> = Vec::new();
        let mut totals: Vec<f64> = Vec::new();
        for (call, times) in plan.calls.iter().zip(times) {
            let name = call.kernel.name();
            let found = reports.iter().position(|report| report.name == name);
            let index = found.unwrap_or_else(|| {
                reports.push(KernelReport { name, ..KernelReport::default() });
                totals.push(0.0);
                reports.len() - 1
            });
            reports[index].calls += 1;
            reports[index].ms += median(times);
            totals[index] += flops(&call.kernel, batch_size);
        }
        let all: f64 = reports.iter().map(|report| report.ms).sum();
        for (report, flops) in reports.iter_mut().zip(totals) {
            report.gflops = if report.ms > 0.0 { flops / report.ms / 1e6 } else { 0.0 };
            report.share = if all > 0.0 { report.ms / all } else { 0.0 };
        }
        reports.sort_by(|a, b| b.ms.total_cmp(&a.ms));
        Ok(reports)
    }
}

fn inputs(batch_size: usize, step: usize) -> StepInputs {
    // A small rate: the values stay ordinary however long the measurement lasts.
    StepInputs { batch_size, step: step as u32, seed: 1, learning_rate: 1e-4, weight_decay: 0.0 }
}

/// Operations of the kernels that the textbook counts; 0 for the others.
fn flops(kernel: &Kernel, batch_size: usize) -> f64 {
    match kernel {
        Kernel::Conv2dForward(Conv2dForward { convolution, .. })
        | Kernel::Conv2dBackwardInput(Conv2dBackwardInput { convolution, .. })
        | Kernel::Conv2dBackwardWeight(Conv2dBackwardWeight { convolution }) => {
            2.0 * convolution.multiply_adds() as f64 * batch_size as f64
        }
        _ => 0.0,
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}
