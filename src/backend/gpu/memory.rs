//! Buffers on the device: one a storage, and the scratch buffer. Every allocation runs in an out-of-memory scope.

use super::device::Device;
use super::dispatch::Operand;
use crate::error::{Error, Result};
use crate::kernel::{ROW, Storage, View, round_up_to_row};
use std::collections::HashMap;
use std::num::NonZeroU64;

const BYTES: usize = size_of::<f32>();

/// A storage's buffer.
#[derive(Debug)]
pub(super) struct Held {
    pub buffer: wgpu::Buffer,
    /// Numbers in use; the buffer itself is a whole number of rows.
    pub len: usize,
}

/// All buffers of an executor.
#[derive(Debug, Default)]
pub(super) struct Memory {
    storages: HashMap<Storage, Held>,
    scratch: Option<Held>,
    /// Grows with every change of a buffer, so that bind groups know when they are stale.
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

    /// Makes a storage hold at least `len` numbers; what it held may be gone. Where that fails it has its old length, for
    /// those that it sufficed.
    pub async fn grow(&mut self, device: &Device, storage: Storage, len: usize) -> Result<()> {
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

    /// Makes the scratch buffer hold at least `len` numbers.
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

    /// Bytes held.
    pub fn bytes(&self) -> u64 {
        self.storages.values().chain(&self.scratch).map(|held| held.buffer.size()).sum()
    }

    /// Bytes held that no plan can do without, whatever its batch: all but the workspace and the scratch buffer.
    pub fn bytes_outside_plans(&self) -> u64 {
        let outside = |storage: &&Storage| !matches!(storage, Storage::Workspace(_));
        self.storages
            .keys()
            .filter(outside)
            .map(|storage| self.storages[storage].buffer.size())
            .sum()
    }

    /// The buffer of a storage, where a stretch of it that must exist lies.
    pub fn stretch(&self, storage: Storage, offset: usize, len: usize) -> Result<&wgpu::Buffer> {
        let held = self.storages.get(&storage).ok_or_else(|| missing(storage))?;
        if offset.checked_add(len).is_none_or(|end| end > held.len) {
            return Err(Error::Internal {
                place: format!("{storage:?} on the GPU"),
                problem: format!("{len} numbers at {offset} of {} asked for", held.len),
            });
        }
        Ok(&held.buffer)
    }

    /// The binding of an operand of a plan of at most `batch_size` samples.
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
                self.stretch(storage, offset, len)?;
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

/// A buffer, or [`Error::Memory`] with the bytes `held` already.
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
