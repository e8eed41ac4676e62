//! The interface of an executor, which holds storages, runs the calls of a plan and reads values back.
//!
//! Nothing above this file knows which executor runs. Reads are async because a GPU's are.

pub mod cpu;
mod device_name;
#[cfg(feature = "gpu")]
pub mod gpu;
pub mod resident;

pub use device_name::DeviceName;

use crate::error::Result;
use crate::kernel::{StepInputs, Storage};
use crate::plan::Plan;
use std::future::Future;
use std::ops::Range;
use std::pin::Pin;

/// A future that stays on its thread, as everything in a page does.
pub type LocalFuture<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// A plan that an executor has made ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PlanId(pub usize);

/// An executor of plans.
pub trait Backend {
    /// The device that it runs on.
    fn name(&self) -> DeviceName;

    /// Makes `storage` hold `len` elements, all zero; what it held is gone.
    ///
    /// # Errors
    /// [`crate::error::Error::Memory`] or [`crate::error::Error::Device`].
    fn allocate(&mut self, storage: Storage, len: usize) -> LocalFuture<'_, Result<()>>;

    /// Makes a plan ready: compiles what it needs and grows the workspace, which all plans share, to what it needs.
    ///
    /// # Errors
    /// As [`Backend::allocate`].
    fn load<'a>(&'a mut self, plan: &'a Plan) -> LocalFuture<'a, Result<PlanId>>;

    /// Forgets a plan.
    fn unload(&mut self, plan: PlanId);

    /// Copies bytes into a storage, starting `offset` elements in. Later runs see them.
    ///
    /// # Errors
    /// [`crate::error::Error::Internal`] where the storage is too short; device errors.
    fn write(&mut self, storage: Storage, offset: usize, bytes: &[u8]) -> Result<()>;

    /// Reads `len` elements of a storage, starting `offset` in, after all runs so far.
    ///
    /// # Errors
    /// Device errors; a failed read is never zeros.
    fn read(
        &mut self,
        storage: Storage,
        offset: usize,
        len: usize,
    ) -> LocalFuture<'_, Result<Vec<f32>>>;

    /// Runs a range of a plan's calls. On a GPU it returns when they are submitted. Neighbouring calls of the range may be run as
    /// one, so a convolution and the statistics of its output round otherwise when a range parts them.
    ///
    /// # Errors
    /// Device errors.
    fn run(&mut self, plan: PlanId, calls: Range<usize>, step: &StepInputs) -> Result<()>;

    /// Waits until the work submitted so far is no more than a moment from done, so that a caller's time budget holds.
    ///
    /// # Errors
    /// Device errors.
    fn settle(&mut self) -> LocalFuture<'_, Result<()>>;

    /// Runs a range of a plan's calls, each alone, and tells the seconds that it takes by the device's own clock; `None`,
    /// without running anything, where there is no such clock and the caller's tells as much.
    ///
    /// # Errors
    /// Device errors.
    fn call_seconds<'a>(
        &'a mut self,
        _plan: PlanId,
        _calls: Range<usize>,
        _step: &'a StepInputs,
    ) -> LocalFuture<'a, Result<Option<Vec<f64>>>> {
        Box::pin(async { Ok(None) })
    }

    /// Floating-point operations a second that the device reaches at best, which kernels are measured against; `None` for an
    /// executor that does not measure it.
    ///
    /// # Errors
    /// Device errors.
    fn ceiling(&mut self) -> LocalFuture<'_, Result<Option<f64>>> {
        Box::pin(async { Ok(None) })
    }
}
