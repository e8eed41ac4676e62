//! Buffers on the device, one a storage and the scratch buffer, and reading them back. Every allocation runs in an
//! out-of-memory scope.

use super::device::Device;
use super::dispatch::Operand;
use crate::error::{Error, Result, Words};
use crate::kernel::{ROW, Storage, View, round_up_to_row};
use crate::plan::Plan;
use futures_channel::oneshot;
use std::collections::HashMap;
use std::num::NonZeroU64;

/// An element has so many bytes.
pub(super) const BYTES: usize = size_of::<f32>();

/// A storage's buffer.
#[derive(Debug)]
pub(super) struct Held {
    pub buffer: wgpu::Buffer,
    /// How many elements are in use; the buffer itself is a whole number of rows.
    pub len: usize,
}

/// All buffers of an executor.
#[derive(Debug, Default)]
pub(super) struct Memory {
    storages: HashMap<Storage, Held>,
    scratch: Option<Held>,
    /// Counts the changes of buffers, so that bind groups know when they are stale.
    pub generation: u64,
}

impl Memory {
    /// Makes a storage hold `len` zeros.
    pub async fn allocate(&mut self, device: &Device, storage: Storage, len: usize) -> Result<()> {
        if let Some(held) = self.storages.get_mut(&storage)
            && round_up_to_row(held.len.max(1)) == round_up_to_row(len.max(1))
        {
            held.len = len;
            let mut encoder = device.handle.create_command_encoder(&Default::default());
            encoder.clear_buffer(&held.buffer, 0, None);
            device.queue.submit([encoder.finish()]);
            return Ok(());
        }
        // The old buffer goes first: two would not always fit.
        self.storages.remove(&storage);
        self.generation += 1;
        let held = self.create(device, &format!("{storage:?}"), len).await?;
        self.storages.insert(storage, held);
        Ok(())
    }

    /// Makes a storage hold at least `len` elements; what it held may be gone. Where that fails it keeps its old length, for
    /// the plans that it was enough for.
    async fn grow(&mut self, device: &Device, storage: Storage, len: usize) -> Result<()> {
        let before = self.storages.get(&storage).map(|held| held.len);
        if before.is_some_and(|before| before >= len) {
            return Ok(());
        }
        let grown = self.allocate(device, storage, len).await;
        if grown.is_err()
            && let Some(before) = before
        {
            self.allocate(device, storage, before).await?;
        }
        grown
    }

    /// Makes the scratch buffer hold at least `len` elements.
    pub async fn grow_scratch(&mut self, device: &Device, len: usize) -> Result<()> {
        let before = self.scratch.as_ref().map(|held| held.len);
        if before.is_some_and(|before| before >= len) {
            return Ok(());
        }
        self.scratch = None;
        self.generation += 1;
        let grown = self.create(device, "scratch", len).await;
        if let (Err(_), Some(before)) = (&grown, before) {
            self.scratch = Some(self.create(device, "scratch", before).await?);
        }
        self.scratch = Some(grown?);
        Ok(())
    }

    /// Grows the workspace and the scratch buffer to what a plan needs; what one binding may span is checked first. A refusal
    /// names the batch that would fit.
    pub async fn grow_for(&mut self, device: &Device, plan: &Plan, scratch: usize) -> Result<()> {
        let bytes = |len: usize| (len * BYTES) as u64;
        let largest = bytes(plan.buffers.iter().copied().max().unwrap_or(0).max(scratch));
        let limit = device.limits.max_storage_buffer_binding_size;
        if largest > limit {
            let batch_that_fits = batch_that_fits(plan.batch_size, 0, largest, limit);
            return Err(Error::Memory { needed: largest, available: limit, batch_that_fits });
        }
        let grown = self.grow_buffers(device, plan, scratch).await;
        grown.map_err(|error| match error {
            Error::Memory { available, .. } => {
                let fixed = self.bytes_outside_plans();
                let growing = bytes(plan.buffers.iter().sum::<usize>() + scratch);
                let batch_that_fits = batch_that_fits(plan.batch_size, fixed, growing, available);
                Error::Memory { needed: fixed + growing, available, batch_that_fits }
            }
            other => other,
        })
    }

    async fn grow_buffers(&mut self, device: &Device, plan: &Plan, scratch: usize) -> Result<()> {
        for (index, &len) in plan.buffers.iter().enumerate() {
            self.grow(device, Storage::Workspace(index as u32), len).await?;
        }
        if scratch > 0 {
            self.grow_scratch(device, scratch).await?;
        }
        Ok(())
    }

    async fn create(&self, device: &Device, label: &str, len: usize) -> Result<Held> {
        let bytes = (round_up_to_row(len.max(1)) * BYTES) as u64;
        let limit = device.limits.max_buffer_size;
        if bytes > limit {
            return Err(Error::Memory { needed: bytes, available: limit, batch_that_fits: None });
        }
        let usage = wgpu::BufferUsages::STORAGE
            | wgpu::BufferUsages::COPY_SRC
            | wgpu::BufferUsages::COPY_DST;
        let buffer = create_buffer(device, label, bytes, usage, self.bytes()).await?;
        Ok(Held { buffer, len })
    }

    /// Returns how many bytes are held.
    pub fn bytes(&self) -> u64 {
        self.storages.values().chain(&self.scratch).map(|held| held.buffer.size()).sum()
    }

    /// Returns how many bytes are held whatever a plan's batch: all but the workspace and the scratch buffer.
    fn bytes_outside_plans(&self) -> u64 {
        let outside = |storage: &&Storage| !matches!(storage, Storage::Workspace(_));
        self.storages
            .keys()
            .filter(outside)
            .map(|storage| self.storages[storage].buffer.size())
            .sum()
    }

    /// Returns the buffer of a storage, which must have that range.
    pub fn range(&self, storage: Storage, offset: usize, len: usize) -> Result<&wgpu::Buffer> {
        let held = self.storages.get(&storage).ok_or_else(|| missing(storage))?;
        if offset.checked_add(len).is_none_or(|end| end > held.len) {
            return Err(Error::Internal {
                place: format!("{storage:?} on the GPU"),
                problem: format!("{len} elements at {offset} of {} asked for", held.len),
            });
        }
        Ok(&held.buffer)
    }

    /// Returns the binding of an operand of a plan of at most `batch_size` samples.
    pub fn binding<'a>(
        &'a self,
        device: &Device,
        operand: Operand,
        batch_size: usize,
    ) -> Result<wgpu::BufferBinding<'a>> {
        let (held, offset, len) = match operand {
            Operand::Scratch(len) => {
                let held = self.scratch.as_ref().ok_or_else(|| Error::Internal {
                    place: "the GPU's scratch buffer".into(),
                    problem: "it was never made".into(),
                })?;
                (held, 0, len)
            }
            Operand::View(View { storage, offset, extent }) => {
                let held = self.storages.get(&storage).ok_or_else(|| missing(storage))?;
                // A page of photos has no extent of its own: it is bound whole.
                let len = match extent.len(batch_size) {
                    0 => held.len,
                    len => len,
                };
                self.range(storage, offset, len)?;
                (held, offset, len)
            }
        };
        let bytes = (round_up_to_row(len) * BYTES) as u64;
        let limit = device.limits.max_storage_buffer_binding_size;
        if bytes > limit {
            return Err(Error::Memory { needed: bytes, available: limit, batch_that_fits: None });
        }
        if !offset.is_multiple_of(ROW) {
            return Err(Error::Internal {
                place: "a view on the GPU".into(),
                problem: format!("offset {offset} is not a multiple of {ROW}"),
            });
        }
        let start = (offset * BYTES) as u64;
        let size = NonZeroU64::new(bytes.min(held.buffer.size() - start));
        Ok(wgpu::BufferBinding { buffer: &held.buffer, offset: start, size })
    }
}

fn missing(storage: Storage) -> Error {
    Error::Internal {
        place: format!("{storage:?} on the GPU"),
        problem: "it was never allocated".into(),
    }
}

/// Makes a buffer; the error is [`Error::Memory`], where `held` bytes are in use already.
pub(super) async fn create_buffer(
    device: &Device,
    label: &str,
    size: u64,
    usage: wgpu::BufferUsages,
    held: u64,
) -> Result<wgpu::Buffer> {
    let scope = device.handle.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
    let descriptor =
        wgpu::BufferDescriptor { label: Some(label), size, usage, mapped_at_creation: false };
    let buffer = device.handle.create_buffer(&descriptor);
    let failure = scope.pop().await;
    device.check()?;
    match failure {
        Some(_) => {
            Err(Error::Memory { needed: held + size, available: held, batch_that_fits: None })
        }
        None => Ok(buffer),
    }
}

/// Reads `size` bytes of a buffer from `start`, after all that was submitted; `held` bytes are in use already.
pub(super) async fn read_buffer<T: bytemuck::Pod>(
    device: &Device,
    source: &wgpu::Buffer,
    start: u64,
    size: u64,
    held: u64,
) -> Result<Vec<T>> {
    let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
    let staging = create_buffer(device, "read", size, usage, held).await?;
    let mut encoder = device.handle.create_command_encoder(&Default::default());
    encoder.copy_buffer_to_buffer(source, start, &staging, 0, size);
    let submission = device.queue.submit([encoder.finish()]);
    let (tell, mapped) = oneshot::channel();
    staging.slice(..).map_async(wgpu::MapMode::Read, move |outcome| {
        // Nobody listens any more where the read was given up.
        let _ = tell.send(outcome);
    });
    device.wait_for(submission)?;
    let outcome = mapped.await;
    device.check()?;
    match outcome {
        Ok(Ok(())) => {}
        Ok(Err(error)) => return Err(device.lost(format!("a read failed: {error}"))),
        Err(_) => return Err(device.lost("a read was given up".into())),
    }
    let view = staging
        .slice(..)
        .get_mapped_range()
        .map_err(|error| device.error(Words::of("problem.read_failed"), error))?;
    let elements = bytemuck::pod_collect_to_vec::<u8, T>(&view);
    drop(view);
    staging.unmap();
    Ok(elements)
}

/// Halves the batch until its bytes are available, where `fixed` bytes are needed whatever the batch and `growing` bytes at
/// `batch_size`.
fn batch_that_fits(batch_size: usize, fixed: u64, growing: u64, available: u64) -> Option<usize> {
    let bytes = |batch: usize| fixed as f64 + growing as f64 * batch as f64 / batch_size as f64;
    let halves = std::iter::successors(Some(batch_size / 2), |&batch| Some(batch / 2));
    halves.take_while(|&batch| batch > 0).find(|&batch| bytes(batch) <= available as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_batch_that_fits_is_found_by_halving() {
        assert_eq!(batch_that_fits(32, 100, 3200, 1000), Some(8));
        assert_eq!(batch_that_fits(32, 100, 3200, 200), Some(1));
        assert_eq!(batch_that_fits(32, 100, 3200, 150), None);
        assert_eq!(batch_that_fits(1, 0, 100, 10), None);
    }
}
