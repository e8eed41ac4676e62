//! The executor's storages, found by index.

use crate::backend::cpu::internal;
use crate::error::{Error, Result};
use crate::kernel::Storage;
use std::mem::take;

/// Storages that exist once.
const SINGLES: usize = 11;

/// All storages; one that was never allocated is empty.
#[derive(Default)]
pub(crate) struct Storages {
    workspace: Vec<Vec<f32>>,
    photos: Vec<Vec<f32>>,
    singles: [Vec<f32>; SINGLES],
    weight_changes: u64,
}

impl Storages {
    fn get(&self, storage: Storage) -> Option<&Vec<f32>> {
        match storage {
            Storage::Workspace(index) => self.workspace.get(index as usize),
            Storage::Photos(page) => self.photos.get(page as usize),
            single => self.singles.get(single_index(single)),
        }
    }

    fn get_mut(&mut self, storage: Storage) -> &mut Vec<f32> {
        let weights = matches!(storage, Storage::Weights | Storage::AveragedWeights);
        self.weight_changes += u64::from(weights);
        let (list, index) = match storage {
            Storage::Workspace(index) => (&mut self.workspace, index as usize),
            Storage::Photos(page) => (&mut self.photos, page as usize),
            single => return &mut self.singles[single_index(single)],
        };
        if list.len() <= index {
            list.resize_with(index + 1, Vec::new);
        }
        &mut list[index]
    }

    /// How often weights, or their averages, may have changed.
    pub(crate) fn weight_changes(&self) -> u64 {
        self.weight_changes
    }

    /// Makes a storage hold `len` zeros.
    pub(crate) fn allocate(&mut self, storage: Storage, len: usize) -> Result<()> {
        let buffer = self.get_mut(storage);
        *buffer = Vec::new();
        grow(buffer, len)
    }

    /// Makes each workspace buffer hold at least that many elements.
    pub(crate) fn grow_workspace(&mut self, lens: &[usize]) -> Result<()> {
        for (index, &len) in lens.iter().enumerate() {
            let buffer = self.get_mut(Storage::Workspace(index as u32));
            if buffer.len() < len {
                // What a workspace holds between runs is of no use to another plan.
                *buffer = Vec::new();
                grow(buffer, len)?;
            }
        }
        Ok(())
    }

    /// Numbers `offset .. offset + len` of a storage.
    pub(crate) fn slice(&self, storage: Storage, offset: usize, len: usize) -> Result<&[f32]> {
        let held = self.whole(storage);
        let range = offset..offset.saturating_add(len);
        held.get(range.clone()).ok_or_else(|| {
            internal(format!("elements {range:?} of {storage:?}, which holds {}", held.len()))
        })
    }

    /// All elements of a storage.
    pub(crate) fn whole(&self, storage: Storage) -> &[f32] {
        self.get(storage).map_or(&[], Vec::as_slice)
    }

    /// Copies bytes into a storage from element `offset` on.
    pub(crate) fn write(&mut self, storage: Storage, offset: usize, bytes: &[u8]) -> Result<()> {
        let held: &mut [u8] = bytemuck::cast_slice_mut(self.get_mut(storage).as_mut_slice());
        let (start, len) = (offset.saturating_mul(4), held.len());
        match held.get_mut(start..start.saturating_add(bytes.len())) {
            Some(target) => {
                target.copy_from_slice(bytes);
                Ok(())
            }
            None => Err(internal(format!(
                "{} bytes written at byte {start} of {storage:?}, which holds {len}",
                bytes.len()
            ))),
        }
    }

    /// Takes a storage out of the table.
    pub(crate) fn take(&mut self, storage: Storage) -> Vec<f32> {
        take(self.get_mut(storage))
    }

    /// Puts a storage that was taken out back into the table.
    pub(crate) fn put_back(&mut self, storage: Storage, buffer: Vec<f32>) {
        *self.get_mut(storage) = buffer;
    }
}

fn single_index(storage: Storage) -> usize {
    match storage {
        Storage::Weights => 0,
        Storage::Gradients => 1,
        Storage::FirstMoment => 2,
        Storage::SecondMoment => 3,
        Storage::AveragedWeights => 4,
        Storage::ParameterFlags => 5,
        Storage::Statistics => 6,
        Storage::AveragedStatistics => 7,
        Storage::Transforms => 8,
        Storage::Targets => 9,
        Storage::Metrics => 10,
        Storage::Workspace(_) | Storage::Photos(_) => unreachable!("these come in lists"),
    }
}

fn grow(buffer: &mut Vec<f32>, len: usize) -> Result<()> {
    let missing = Error::Memory { needed: 4 * len as u64, available: 0, batch_that_fits: None };
    buffer.try_reserve_exact(len).map_err(|_| missing)?;
    buffer.resize(len, 0.0);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_what_was_written_and_refuses_the_rest() {
        let mut storages = Storages::default();
        storages.allocate(Storage::Photos(1), 3).unwrap();
        storages.write(Storage::Photos(1), 1, bytemuck::cast_slice(&[1.5f32, -2.0])).unwrap();
        assert_eq!(storages.slice(Storage::Photos(1), 0, 3).unwrap(), [0.0, 1.5, -2.0]);
        assert!(storages.slice(Storage::Photos(1), 1, 3).is_err());
        assert!(storages.write(Storage::Photos(1), 2, &[0; 8]).is_err());
        assert!(storages.slice(Storage::Weights, 0, 1).is_err());
        assert!(storages.allocate(Storage::Weights, usize::MAX / 8).is_err());
    }
}
