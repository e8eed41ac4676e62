//! The CPU executor: storages are vectors of f32, kernels see them as ndarray views, on one thread or on a pool of them.
//!
//! A call's operands become views whose shape is checked once (`operands.rs`); `kernels/` holds how each kernel runs, `matmul/`
//! the product that every convolution is, `reduce/` sums over pixels. Work is cut into tasks by shape alone, never by the number
//! of threads, and sums run in a fixed order: the same step gives the same bits on any number of threads.

mod context;
mod kernels;
mod matmul;
mod memory;
mod operands;
mod reduce;
mod scratch;
mod simd;
mod threads;

pub use context::Workers;

use crate::backend::{Backend, DeviceName, LocalFuture, PlanId};
use crate::error::{Error, Result};
use crate::kernel::{Call, Kernel, StepInputs, Storage};
use crate::plan::Plan;
use context::Context;
use kernels::Run;
use matmul::fused_moments::{BlockMoments, shared_moments};
use matmul::weight_cache::PackedWeights;
use memory::Storages;
use operands::Operands;
use std::ops::Range;

/// Runs a kernel on slices, in the order of operands that the kernel table states, which hold exactly what their extents
/// say at `step.batch_size`; only a page of photos may hold any number of them.
///
/// # Errors
/// [`Error::Internal`] where operands are missing or of another length.
pub fn run_kernel(
    kernel: &Kernel,
    step: &StepInputs,
    reads: &[&[f32]],
    writes: &mut [&mut [f32]],
    workers: &mut Workers,
) -> Result<()> {
    let operands = Operands::new(kernel.name(), step.batch_size, reads, writes);
    run(kernel, operands, &mut workers.context(step))
}

fn run(kernel: &Kernel, operands: Operands, context: &mut Context) -> Result<()> {
    match kernel {
        Kernel::PrepareBatch(kernel) => kernel.run(operands, context),
        Kernel::Conv2dForward(kernel) => kernel.run(operands, context),
        Kernel::Conv2dBackwardInput(kernel) => kernel.run(operands, context),
        Kernel::Conv2dBackwardWeight(kernel) => kernel.run(operands, context),
        Kernel::GroupedConv2dForward(kernel) => kernel.run(operands, context),
        Kernel::GroupedConv2dBackwardInput(kernel) => kernel.run(operands, context),
        Kernel::GroupedConv2dBackwardWeight(kernel) => kernel.run(operands, context),
        Kernel::MaxPoolForward(kernel) => kernel.run(operands, context),
        Kernel::MaxPoolBackward(kernel) => kernel.run(operands, context),
        Kernel::AvgPoolForward(kernel) => kernel.run(operands, context),
        Kernel::AvgPoolBackward(kernel) => kernel.run(operands, context),
        Kernel::BatchNormStatistics(kernel) => kernel.run(operands, context),
        Kernel::BatchNormRunning(kernel) => kernel.run(operands, context),
        Kernel::BatchNormNormalize(kernel) => kernel.run(operands, context),
        Kernel::BatchNormBackwardReduce(kernel) => kernel.run(operands, context),
        Kernel::BatchNormBackwardInput(kernel) => kernel.run(operands, context),
        Kernel::ActivationForward(kernel) => kernel.run(operands, context),
        Kernel::ActivationBackward(kernel) => kernel.run(operands, context),
        Kernel::AddForward(kernel) => kernel.run(operands, context),
        Kernel::AddBackward(kernel) => kernel.run(operands, context),
        Kernel::ConcatForward(kernel) => kernel.run(operands, context),
        Kernel::ConcatBackward(kernel) => kernel.run(operands, context),
        Kernel::Dropout(kernel) => kernel.run(operands, context),
        Kernel::Noise(kernel) => kernel.run(operands, context),
        Kernel::SoftmaxCrossEntropy(kernel) => kernel.run(operands, context),
        Kernel::Softmax(kernel) => kernel.run(operands, context),
        Kernel::Adam(kernel) => kernel.run(operands, context),
        Kernel::Sgd(kernel) => kernel.run(operands, context),
        Kernel::AverageWeights(kernel) => kernel.run(operands, context),
    }
}

/// Operands of one call at most.
const MOST_READS: usize = 5;
const MOST_WRITES: usize = 3;

struct LoadedPlan {
    batch_size: usize,
    calls: Vec<Call>,
    /// Which calls leave or find moments between them.
    shares_moments: Vec<bool>,
    packed: PackedWeights,
}

/// Runs plans on the processor.
///
/// ```
/// use floret::backend::{Backend, cpu::CpuBackend};
/// assert_eq!(CpuBackend::new(1).name().to_string(), "CPU, 1 thread");
/// ```
pub struct CpuBackend {
    storages: Storages,
    plans: Vec<Option<LoadedPlan>>,
    workers: Workers,
    /// The partial statistics that a convolution has left of its output.
    moments: BlockMoments,
}

impl CpuBackend {
    /// An executor on `threads` threads; without the feature `threads` it is always one. In a page the threads are those
    /// of the pool that the page has started.
    pub fn new(threads: usize) -> Self {
        Self {
            storages: Storages::default(),
            plans: Vec::new(),
            workers: Workers::new(threads),
            moments: BlockMoments::default(),
        }
    }

    /// Threads that kernels run on.
    pub fn threads(&self) -> usize {
        self.workers.threads()
    }
}

impl Backend for CpuBackend {
    fn name(&self) -> DeviceName {
        DeviceName::Cpu { threads: self.threads() }
    }

    fn allocate(&mut self, storage: Storage, len: usize) -> LocalFuture<'_, Result<()>> {
        let result = self.storages.allocate(storage, len);
        Box::pin(std::future::ready(result))
    }

    fn load<'a>(&'a mut self, plan: &'a Plan) -> LocalFuture<'a, Result<PlanId>> {
        let result = check(plan).and_then(|()| self.storages.grow_workspace(&plan.buffers));
        let result = result.map(|()| {
            let loaded = LoadedPlan {
                batch_size: plan.batch_size,
                calls: plan.calls.clone(),
                shares_moments: shared_moments(&plan.calls),
                packed: PackedWeights::of(plan),
            };
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
        for (call, index) in part.iter().zip(calls) {
            let mut context = self.workers.context(step);
            context.packed = loaded.packed.of_call(index);
            context.moments = loaded.shares_moments[index].then_some(&mut self.moments);
            run_call(call, &mut self.storages, &mut context)?;
        }
        Ok(())
    }

    fn settle(&mut self) -> LocalFuture<'_, Result<()>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

/// Runs a call. Written storages are taken out of the table for its length, so that reads borrow the rest.
fn run_call(call: &Call, storages: &mut Storages, context: &mut Context) -> Result<()> {
    let mut taken: [Vec<f32>; MOST_WRITES] = Default::default();
    for (buffer, view) in taken.iter_mut().zip(&call.writes) {
        *buffer = storages.take(view.storage);
    }
    let result = run_taken(call, storages, &mut taken, context);
    for (buffer, view) in taken.into_iter().zip(&call.writes) {
        storages.put_back(view.storage, buffer);
    }
    result
}

fn run_taken(
    call: &Call,
    storages: &Storages,
    taken: &mut [Vec<f32>; MOST_WRITES],
    context: &mut Context,
) -> Result<()> {
    let batch_size = context.step.batch_size;
    let mut reads: [&[f32]; MOST_READS] = [&[]; MOST_READS];
    for (slice, view) in reads.iter_mut().zip(&call.reads) {
        *slice = match view.storage {
            // The plan does not know how many photos a page holds.
            Storage::Photos(_) => storages.whole(view.storage),
            storage => storages.slice(storage, view.offset, view.extent.len(batch_size))?,
        };
    }
    let mut writes: [&mut [f32]; MOST_WRITES] = Default::default();
    for ((slice, buffer), view) in writes.iter_mut().zip(taken.iter_mut()).zip(&call.writes) {
        let range = view.offset..view.offset + view.extent.len(batch_size);
        let held = buffer.len();
        *slice = buffer.get_mut(range).ok_or_else(|| {
            internal(format!("{view:?} written by {} in {held} elements", call.kernel.name()))
        })?;
    }
    let (reads, writes) = (&reads[..call.reads.len()], &mut writes[..call.writes.len()]);
    run(&call.kernel, Operands::new(call.kernel.name(), batch_size, reads, writes), context)
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

/// Runs a kernel in a test, on two threads.
#[cfg(test)]
fn run_alone(
    kernel: impl Into<Kernel>,
    batch_size: usize,
    reads: &[&[f32]],
    writes: &mut [&mut [f32]],
) {
    run_on(2, kernel, batch_size, reads, writes);
}

/// Runs a kernel in a test, on that many threads.
#[cfg(test)]
fn run_on(
    threads: usize,
    kernel: impl Into<Kernel>,
    batch_size: usize,
    reads: &[&[f32]],
    writes: &mut [&mut [f32]],
) {
    let step = test_step(batch_size);
    run_kernel(&kernel.into(), &step, reads, writes, &mut Workers::new(threads)).unwrap();
}
