//! What lies on an executor beside its workspace: the arrays that plans share, and the plans themselves.

use super::{Backend, DeviceName, PlanId};
use crate::error::Result;
use crate::kernel::{StepInputs, Storage, View};
use crate::network::graph::Graph;
use crate::plan::parameters::Parameters;
use crate::plan::{Plan, PlanOptions};
use crate::shape::Shape;
use ndarray::Array4;
use std::collections::HashMap;
use std::ops::Range;

/// An executor with what is resident on it. Whoever trains, answers, explains or measures puts a network there the same way:
/// plan within the limit, load the plan, hold weights and statistics.
///
/// ```
/// use floret::backend::cpu::CpuBackend;
/// use floret::backend::resident::Resident;
/// use floret::kernel::Storage;
/// let mut device = Resident::new(Box::new(CpuBackend::new(1)), 1 << 20);
/// pollster::block_on(async {
///     device.hold(Storage::Weights, &[1.0, 2.0]).await?;
///     assert_eq!(device.read(Storage::Weights, 0, 2).await?, [1.0, 2.0]);
///     Ok::<(), floret::error::Error>(())
/// })?;
/// # Ok::<(), floret::error::Error>(())
/// ```
pub struct Resident {
    backend: Box<dyn Backend>,
    memory_limit: u64,
    lens: HashMap<Storage, usize>,
}

/// A plan that an executor has made ready.
pub struct LoadedPlan {
    /// The plan.
    pub plan: Plan,
    id: PlanId,
}

impl Resident {
    /// Takes an executor; a plan on it may take `memory_limit` bytes.
    pub fn new(backend: Box<dyn Backend>, memory_limit: u64) -> Self {
        Self { backend, memory_limit, lens: HashMap::new() }
    }

    /// The device.
    pub fn device(&self) -> DeviceName {
        self.backend.name()
    }

    /// The executor itself, for measurements that are its own.
    pub fn backend(&mut self) -> &mut dyn Backend {
        self.backend.as_mut()
    }

    /// Gives the executor back.
    pub fn into_backend(self) -> Box<dyn Backend> {
        self.backend
    }

    /// Plans a graph within the limit, before anything is taken.
    ///
    /// # Errors
    /// As [`Plan::within`].
    pub fn plan(
        &self,
        graph: &Graph,
        parameters: &Parameters,
        options: &PlanOptions,
    ) -> Result<Plan> {
        Plan::within(graph, parameters, options, self.memory_limit)
    }

    /// Makes a plan ready, with room for what it shares with others.
    ///
    /// # Errors
    /// As [`Backend::load`].
    pub async fn load(&mut self, plan: Plan) -> Result<LoadedPlan> {
        for &(storage, len) in &plan.shared {
            self.reserve(storage, len).await?;
        }
        let id = self.backend.load(&plan).await?;
        Ok(LoadedPlan { plan, id })
    }

    /// Forgets a plan; what it shared stays.
    pub fn unload(&mut self, loaded: LoadedPlan) {
        self.backend.unload(loaded.id);
    }

    /// Makes a storage hold at least `len` elements. Where it has to grow it is all zero afterwards.
    ///
    /// # Errors
    /// As [`Backend::allocate`].
    pub async fn reserve(&mut self, storage: Storage, len: usize) -> Result<()> {
        if self.lens.get(&storage).is_none_or(|&held| held < len) {
            self.backend.allocate(storage, len).await?;
            self.lens.insert(storage, len);
        }
        Ok(())
    }

    /// Puts values at the beginning of a storage, which grows where it is too short.
    ///
    /// # Errors
    /// As [`Backend::allocate`] and [`Backend::write`].
    pub async fn hold(&mut self, storage: Storage, values: &[f32]) -> Result<()> {
        self.reserve(storage, values.len()).await?;
        self.write(storage, 0, bytemuck::cast_slice(values))
    }

    /// As [`Self::hold`], for bytes of photos.
    ///
    /// # Errors
    /// As [`Self::hold`].
    pub async fn hold_page(&mut self, page: u32, bytes: &[u8]) -> Result<()> {
        self.reserve(Storage::Photos(page), bytes.len().div_ceil(4)).await?;
        self.write(Storage::Photos(page), 0, bytes)
    }

    /// Copies bytes into a storage, starting `offset` elements in.
    ///
    /// # Errors
    /// As [`Backend::write`].
    pub fn write(&mut self, storage: Storage, offset: usize, bytes: &[u8]) -> Result<()> {
        // Nothing to write may have nowhere to go: a network without statistics has no storage of them.
        if bytes.is_empty() { Ok(()) } else { self.backend.write(storage, offset, bytes) }
    }

    /// Runs a range of a plan's calls.
    ///
    /// # Errors
    /// As [`Backend::run`].
    pub fn run(
        &mut self,
        loaded: &LoadedPlan,
        calls: Range<usize>,
        step: &StepInputs,
    ) -> Result<()> {
        self.backend.run(loaded.id, calls, step)
    }

    /// As [`Backend::call_seconds`].
    ///
    /// # Errors
    /// Device errors.
    pub async fn call_seconds(
        &mut self,
        loaded: &LoadedPlan,
        calls: Range<usize>,
        step: &StepInputs,
    ) -> Result<Option<Vec<f64>>> {
        self.backend.call_seconds(loaded.id, calls, step).await
    }

    /// Waits until the work submitted so far is no more than a moment from done.
    ///
    /// # Errors
    /// Device errors.
    pub async fn settle(&mut self) -> Result<()> {
        self.backend.settle().await
    }

    /// Reads `len` elements of a storage, starting `offset` in.
    ///
    /// # Errors
    /// Device errors.
    pub async fn read(&mut self, storage: Storage, offset: usize, len: usize) -> Result<Vec<f32>> {
        self.backend.read(storage, offset, len).await
    }

    /// Reads a value of a plan that has run with a batch of `batch_size`, `[batch_size, height, width, channels]`.
    ///
    /// # Errors
    /// [`crate::error::Error::Internal`] where the view is no value of that shape; device errors.
    pub async fn value(
        &mut self,
        view: View,
        batch_size: usize,
        shape: Shape,
    ) -> Result<Array4<f32>> {
        let values = self.read(view.storage, view.offset, view.extent.len(batch_size)).await?;
        let Shape { height, width, channels } = shape;
        let found = values.len();
        Array4::from_shape_vec((batch_size, height, width, channels), values).map_err(|_| {
            crate::error::Error::Internal {
                place: "reading a value".into(),
                problem: format!("{found} elements are not {batch_size} of {shape}"),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::cpu::CpuBackend;
    use crate::kernel::Extent;
    use pollster::block_on;

    #[test]
    fn a_storage_grows_and_never_shrinks() {
        let mut device = Resident::new(Box::new(CpuBackend::new(1)), 1 << 20);
        block_on(async {
            device.hold(Storage::Weights, &[1.0, 2.0, 3.0]).await?;
            device.reserve(Storage::Weights, 2).await?;
            assert_eq!(device.read(Storage::Weights, 0, 3).await?, [1.0, 2.0, 3.0]);
            device.reserve(Storage::Weights, 4).await?;
            assert_eq!(device.read(Storage::Weights, 0, 4).await?, [0.0; 4]);
            device.hold(Storage::Statistics, &[]).await
        })
        .unwrap();
    }

    #[test]
    fn a_value_has_the_shape_of_its_node() {
        let mut device = Resident::new(Box::new(CpuBackend::new(1)), 1 << 20);
        let elements: Vec<f32> = (0..24).map(|element| element as f32).collect();
        block_on(device.hold(Storage::Targets, &elements)).unwrap();
        let view = View::new(Storage::Targets, Extent::PerSample(12));
        let value = block_on(device.value(view, 2, Shape::new(2, 3, 2))).unwrap();
        assert_eq!(value[[1, 1, 2, 0]], 22.0);
        assert!(block_on(device.value(view, 2, Shape::new(2, 3, 3))).is_err());
    }
}
