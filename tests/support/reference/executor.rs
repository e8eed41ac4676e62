//! Whole plans in f64, for batches that are written as tensors.

use super::run;
use floret::kernel::{Kernel, StepInputs, Storage, View};
use floret::plan::Plan;
use floret::plan::parameters::Parameters;
use std::collections::BTreeMap;
use std::ops::Range;

/// Storages full of f64, and the calls of a plan carried out on them.
pub struct ReferenceExecutor {
    storages: BTreeMap<Storage, Vec<f64>>,
}

impl ReferenceExecutor {
    /// Room for all plans, zeros everywhere; running statistics as they start.
    pub fn new(parameters: &Parameters, plans: &[&Plan]) -> Self {
        let mut executor = Self { storages: BTreeMap::new() };
        for plan in plans {
            for (number, &len) in plan.buffers.iter().enumerate() {
                executor.grow(Storage::Workspace(number as u32), len);
            }
            for &(storage, len) in &plan.shared {
                executor.grow(storage, len);
            }
        }
        let statistics: Vec<f64> =
            parameters.initial_statistics().into_iter().map(f64::from).collect();
        for storage in [Storage::Statistics, Storage::AveragedStatistics] {
            if executor.storages.contains_key(&storage) {
                executor.write(storage, 0, &statistics);
            }
        }
        executor
    }

    fn grow(&mut self, storage: Storage, len: usize) {
        let numbers = self.storages.entry(storage).or_default();
        numbers.resize(len.max(numbers.len()), 0.0);
    }

    /// Numbers from `offset` on are replaced.
    pub fn write(&mut self, storage: Storage, offset: usize, numbers: &[f64]) {
        let target = self.storages.get_mut(&storage).expect("a plan uses the storage");
        target[offset..][..numbers.len()].copy_from_slice(numbers);
    }

    /// A whole storage.
    pub fn storage(&self, storage: Storage) -> &[f64] {
        &self.storages[&storage]
    }

    /// The elements that a view spans at a batch size.
    pub fn read(&self, view: View, batch_size: usize) -> &[f64] {
        &self.storages[&view.storage][view.offset..][..view.extent.len(batch_size)]
    }

    /// Runs a range of a plan's calls.
    pub fn run(&mut self, plan: &Plan, calls: Range<usize>, step: &StepInputs) {
        for call in &plan.calls[calls] {
            let mut writes: Vec<Vec<f64>> =
                call.writes.iter().map(|&view| self.read(view, step.batch_size).to_vec()).collect();
            for (view, numbers) in call.writes.iter().zip(&mut writes) {
                // What a dead value left behind must not matter.
                if matches!(view.storage, Storage::Workspace(_)) && !accumulates(&call.kernel) {
                    numbers.fill(f64::NAN);
                }
            }
            let reads: Vec<&[f64]> =
                call.reads.iter().map(|&view| self.read(view, step.batch_size)).collect();
            run(&call.kernel, step, &reads, &mut writes);
            for (view, numbers) in call.writes.iter().zip(&writes) {
                self.write(view.storage, view.offset, numbers);
            }
        }
    }

    /// Sum of weighted losses since the last call, which also clears it.
    pub fn take_loss(&mut self) -> f64 {
        let metrics = self.storages.get_mut(&Storage::Metrics).expect("a training plan");
        let loss = metrics[0];
        metrics.fill(0.0);
        loss
    }
}

/// Whether the first written view must hold its former numbers when the kernel starts; a kernel that forgets to write
/// shows by the NaN that others' views are filled with.
fn accumulates(kernel: &Kernel) -> bool {
    match kernel {
        Kernel::Conv2dBackwardInput(kernel) => kernel.accumulate,
        Kernel::MaxPoolBackward(kernel) => kernel.accumulate,
        Kernel::AvgPoolBackward(kernel) => kernel.accumulate,
        Kernel::BatchNormBackwardInput(kernel) => kernel.accumulate,
        Kernel::ActivationBackward(kernel) => kernel.accumulate,
        Kernel::AddBackward(kernel) => kernel.accumulate,
        Kernel::ConcatBackward(kernel) => kernel.accumulate,
        Kernel::Dropout(kernel) => kernel.accumulate,
        Kernel::PrepareBatch(kernel) => kernel.page > 0,
        Kernel::ConcatForward(kernel) => kernel.part.first > 0,
        Kernel::Adam(_) | Kernel::Sgd(_) | Kernel::AverageWeights(_) => true,
        _ => false,
    }
}
