//! The CPU executor: storages are vectors of f32, kernels run on one thread or on a pool of them.
//!
//! Every kernel has its file under `src/cpu/`, named as in the kernel table. Work is cut into tasks by shape alone, never
//! by the number of threads, and sums run in a fixed order: the same step gives the same bits on any number of threads.

mod kernels;
mod matmul;
mod memory;
mod reduce;
mod simd;
mod threads;

pub use threads::Workers;

use crate::backend::{Backend, LocalFuture, PlanId};
use crate::error::{Error, Result};
use crate::kernel::{
    ActivationBackward, ActivationForward, Adam, AddBackward, AddForward, AverageWeights,
    AvgPoolBackward, AvgPoolForward, BatchNormBackwardInput, BatchNormBackwardReduce,
    BatchNormNormalize, BatchNormRunning, BatchNormStatistics, Call, ConcatBackward, ConcatForward,
    Conv2dBackwardInput, Conv2dBackwardWeight, Conv2dForward, Dropout, Kernel, MaxPoolBackward,
    MaxPoolForward, Noise, PrepareBatch, Sgd, Softmax, SoftmaxCrossEntropy, StepInputs, Storage,
};
use crate::plan::Plan;
use kernels::*;
use kernels::{batch_norm, conv2d};
use matmul::fused_moments::BlockMoments;
use matmul::weight_cache::PackedWeights;
use memory::Storages;
use std::mem::swap;
use std::ops::Range;

/// Runs a kernel on slices, in the order of operands that the kernel table states. All but the photos page and the
/// arenas hold exactly what their extents say at `step.batch_size`.
///
/// # Panics
/// Where there are fewer operands than the kernel table states, or shorter ones.
pub fn run_kernel(
    kernel: &Kernel,
    step: &StepInputs,
    reads: &[&[f32]],
    writes: &mut [&mut [f32]],
    workers: &mut Workers,
) {
    match *kernel {
        Kernel::PrepareBatch(PrepareBatch { page, stored_size, output }) => {
            prepare_batch::run(page, stored_size, output, step, reads, writes, workers)
        }
        Kernel::Conv2dForward(Conv2dForward { convolution, activation, norm }) => {
            let finish = (activation, norm.as_ref());
            conv2d::forward::run(&convolution, finish, step, reads, writes, workers)
        }
        Kernel::Conv2dBackwardInput(Conv2dBackwardInput {
            convolution,
            input_activation,
            accumulate,
        }) => {
            let options = (input_activation, accumulate);
            conv2d::backward_input::run(&convolution, options, step, reads, writes, workers)
        }
        Kernel::Conv2dBackwardWeight(Conv2dBackwardWeight { convolution }) => {
            conv2d::backward_weight::run(&convolution, step, reads, writes, workers)
        }
        Kernel::GroupedConv2dForward(kernel) => {
            grouped_conv2d::forward(&kernel, step, reads, writes, workers)
        }
        Kernel::GroupedConv2dBackwardInput(kernel) => {
            grouped_conv2d::backward_input(&kernel, step, reads, writes, workers)
        }
        Kernel::GroupedConv2dBackwardWeight(kernel) => {
            grouped_conv2d::backward_weight(&kernel, step, reads, writes, workers)
        }
        Kernel::MaxPoolForward(MaxPoolForward { pooling }) => {
            max_pool_forward::run(&pooling, step, reads, writes, workers)
        }
        Kernel::MaxPoolBackward(MaxPoolBackward { pooling, accumulate }) => {
            max_pool_backward::run(&pooling, accumulate, step, reads, writes, workers)
        }
        Kernel::AvgPoolForward(AvgPoolForward { pooling }) => {
            avg_pool_forward::run(&pooling, step, reads, writes, workers)
        }
        Kernel::AvgPoolBackward(AvgPoolBackward { pooling, accumulate }) => {
            avg_pool_backward::run(&pooling, accumulate, step, reads, writes, workers)
        }
        Kernel::BatchNormStatistics(BatchNormStatistics { norm }) => {
            batch_norm::statistics::run(&norm, step, reads, writes, workers)
        }
        Kernel::BatchNormRunning(BatchNormRunning { norm }) => {
            batch_norm::running::run(&norm, reads, writes)
        }
        Kernel::BatchNormNormalize(BatchNormNormalize { norm }) => {
            batch_norm::normalize::run(&norm, step, reads, writes, workers)
        }
        Kernel::BatchNormBackwardReduce(BatchNormBackwardReduce { norm }) => {
            batch_norm::backward_reduce::run(&norm, step, reads, writes, workers)
        }
        Kernel::BatchNormBackwardInput(BatchNormBackwardInput {
            norm,
            input_activation,
            accumulate,
        }) => {
            let options = (input_activation, accumulate);
            batch_norm::backward_input::run(&norm, options, step, reads, writes, workers)
        }
        Kernel::ActivationForward(ActivationForward { len, activation }) => {
            activation_forward::run(len, activation, step, reads, writes, workers)
        }
        Kernel::ActivationBackward(ActivationBackward { len, activation, accumulate }) => {
            activation_backward::run(len, activation, accumulate, step, reads, writes, workers)
        }
        Kernel::AddForward(AddForward { add, activation }) => {
            add_forward::run(&add, activation, step, reads, writes, workers)
        }
        Kernel::AddBackward(AddBackward { add, accumulate }) => {
            add_backward::run(&add, accumulate, step, reads, writes, workers)
        }
        Kernel::ConcatForward(ConcatForward { part }) => {
            concat_forward::run(&part, step, reads, writes, workers)
        }
        Kernel::ConcatBackward(ConcatBackward { part, accumulate }) => {
            concat_backward::run(&part, accumulate, step, reads, writes, workers)
        }
        Kernel::Dropout(Dropout { len, keep_prob, layer, accumulate }) => {
            dropout::run((len, keep_prob, layer), accumulate, step, reads, writes, workers)
        }
        Kernel::Noise(Noise { len, mean, std, ratio, layer }) => {
            let noise = noise::NormalNoise { mean, std, ratio };
            noise::run(len, noise, layer, step, reads, writes, workers)
        }
        Kernel::SoftmaxCrossEntropy(SoftmaxCrossEntropy { classes }) => {
            softmax_cross_entropy::run(classes, step, reads, writes)
        }
        Kernel::Softmax(Softmax { classes }) => softmax::run(classes, step, reads, writes),
        Kernel::Adam(Adam { len, beta1, beta2, epsilon }) => {
            adam::run(len, adam::Decay { beta1, beta2, epsilon }, step, reads, writes, workers)
        }
        Kernel::Sgd(Sgd { len, momentum }) => sgd::run(len, momentum, step, reads, writes, workers),
        Kernel::AverageWeights(AverageWeights { len, decay }) => {
            average_weights::run(len, decay, step, reads, writes, workers)
        }
    }
}

/// Operands of one call at most.
const MOST_READS: usize = 5;
const MOST_WRITES: usize = 3;

struct LoadedPlan {
    batch_size: usize,
    calls: Vec<Call>,
    packed: PackedWeights,
}

/// Runs plans on the processor.
///
/// ```
/// use floret::backend::{Backend, cpu::CpuBackend};
/// assert_eq!(CpuBackend::new(1).name(), "CPU, 1 thread");
/// ```
pub struct CpuBackend {
    storages: Storages,
    plans: Vec<Option<LoadedPlan>>,
    workers: Workers,
}

impl CpuBackend {
    /// An executor on `threads` threads; without the feature `threads` it is always one. In a page the threads are those
    /// of the pool that the page has started.
    pub fn new(threads: usize) -> Self {
        Self { storages: Storages::default(), plans: Vec::new(), workers: Workers::new(threads) }
    }

    /// Threads that kernels run on.
    pub fn threads(&self) -> usize {
        self.workers.threads()
    }
}

impl Backend for CpuBackend {
    fn name(&self) -> String {
        match self.threads() {
            1 => "CPU, 1 thread".into(),
            threads => format!("CPU, {threads} threads"),
        }
    }

    fn allocate(&mut self, storage: Storage, len: usize) -> LocalFuture<'_, Result<()>> {
        let result = self.storages.allocate(storage, len);
        Box::pin(std::future::ready(result))
    }

    fn load<'a>(&'a mut self, plan: &'a Plan) -> LocalFuture<'a, Result<PlanId>> {
        let result = check(plan).and_then(|()| self.storages.grow_workspace(&plan.buffers));
        let result = result.map(|()| {
            let (batch_size, calls) = (plan.batch_size, plan.calls.clone());
            let loaded = LoadedPlan { batch_size, calls, packed: PackedWeights::of(plan) };
            let free = self.plans.iter().position(Option::is_none);
            let slot = free.unwrap_or_else(|| {
                self.plans.push(None);
                self.plans.len() - 1
            });
            self.plans[slot] = Some(loaded);
            PlanId(slot)
        });
        Box::pin(std::future::ready(result))
    }

    fn unload(&mut self, plan: PlanId) {
        if let Some(slot) = self.plans.get_mut(plan.0) {
            *slot = None;
        }
    }

    fn write(&mut self, storage: Storage, offset: usize, bytes: &[u8]) -> Result<()> {
        self.storages.write(storage, offset, bytes)
    }

    fn read(
        &mut self,
        storage: Storage,
        offset: usize,
        len: usize,
    ) -> LocalFuture<'_, Result<Vec<f32>>> {
        let result = self.storages.slice(storage, offset, len).map(<[f32]>::to_vec);
        Box::pin(std::future::ready(result))
    }

    fn run(&mut self, plan: PlanId, calls: Range<usize>, step: &StepInputs) -> Result<()> {
        let Some(loaded) = self.plans.get_mut(plan.0).and_then(Option::as_mut) else {
            return Err(internal(format!("plan {} is not loaded", plan.0)));
        };
        if step.batch_size == 0 || step.batch_size > loaded.batch_size {
            let problem =
                format!("{} samples in a plan for {}", step.batch_size, loaded.batch_size);
            return Err(internal(problem));
        }
        let Some(part) = loaded.calls.get(calls.clone()) else {
            return Err(internal(format!("calls {calls:?} of {}", loaded.calls.len())));
        };
        loaded.packed.forget_before(self.storages.weight_changes());
        for (position, call) in part.iter().enumerate() {
            self.workers.moments.shared = BlockMoments::are_shared(part, position);
            let packed = loaded.packed.of_call(calls.start + position);
            swap(packed, &mut self.workers.packed);
            let result = run_call(call, step, &mut self.storages, &mut self.workers);
            swap(packed, &mut self.workers.packed);
            result?;
        }
        Ok(())
    }

    fn settle(&mut self) -> LocalFuture<'_, Result<()>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

/// Written storages are taken out of the table for the length of the call, so that reads borrow the rest.
fn run_call(
    call: &Call,
    step: &StepInputs,
    storages: &mut Storages,
    workers: &mut Workers,
) -> Result<()> {
    let mut taken: [Vec<f32>; MOST_WRITES] = Default::default();
    for (buffer, view) in taken.iter_mut().zip(&call.writes) {
        *buffer = storages.take(view.storage);
    }
    let result = run_taken(call, step, storages, &mut taken, workers);
    for (buffer, view) in taken.into_iter().zip(&call.writes) {
        storages.put_back(view.storage, buffer);
    }
    result
}

fn run_taken(
    call: &Call,
    step: &StepInputs,
    storages: &Storages,
    taken: &mut [Vec<f32>; MOST_WRITES],
    workers: &mut Workers,
) -> Result<()> {
    let mut reads: [&[f32]; MOST_READS] = [&[]; MOST_READS];
    for (slice, view) in reads.iter_mut().zip(&call.reads) {
        *slice = match view.storage {
            // The plan does not know how many photos a page holds.
            Storage::Photos(_) => storages.whole(view.storage),
            storage => storages.slice(storage, view.offset, view.extent.len(step.batch_size))?,
        };
    }
    let mut writes: [&mut [f32]; MOST_WRITES] = Default::default();
    for ((slice, buffer), view) in writes.iter_mut().zip(taken.iter_mut()).zip(&call.writes) {
        let range = view.offset..view.offset + view.extent.len(step.batch_size);
        let held = buffer.len();
        *slice = buffer.get_mut(range).ok_or_else(|| {
            internal(format!("{view:?} written by {} in {held} numbers", call.kernel.name()))
        })?;
    }
    let (reads, writes) = (&reads[..call.reads.len()], &mut writes[..call.writes.len()]);
    run_kernel(&call.kernel, step, reads, writes, workers);
    Ok(())
}

/// Refuses a plan that this executor could not run call by call.
fn check(plan: &Plan) -> Result<()> {
    for call in &plan.calls {
        let storages = call.writes.iter().map(|view| view.storage);
        let overlap = call.reads.iter().any(|view| storages.clone().any(|s| s == view.storage));
        let counts = call.reads.len() <= MOST_READS && call.writes.len() <= MOST_WRITES;
        if overlap || !counts {
            return Err(internal(format!("operands of {call:?}")));
        }
    }
    Ok(())
}

fn internal(problem: String) -> Error {
    Error::Internal { place: "CPU executor".into(), problem }
}

/// A step for kernel tests.
#[cfg(test)]
fn test_step(batch_size: usize) -> StepInputs {
    StepInputs { batch_size, step: 0, seed: 1, learning_rate: 0.0, weight_decay: 0.0 }
}
