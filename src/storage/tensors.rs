//! Named tensors and the arenas that hold them.
//!
//! A parameter is named by its path (`0.conv.kernel`, HWIO; dense kernels in × out), running statistics by their node
//! (`0.conv.batch_norm.running_mean`, `.running_var`, the unbiased variance). Copies of the whole carry a prefix:
//! `average.`, `moment1.`, `moment2.`.

use crate::error::{Error, Result};
use crate::kernel::Storage;
use crate::parameters::Parameters;
use safetensors::{Dtype, SafeTensors};
use std::collections::{BTreeMap, BTreeSet};

/// What a file may hold a copy of: the arena, its prefix in tensor names, and whether negative numbers can be right.
const GROUPS: [(Storage, &str); 6] = [
    (Storage::Weights, ""),
    (Storage::Statistics, ""),
    (Storage::AveragedWeights, "average."),
    (Storage::AveragedStatistics, "average."),
    (Storage::FirstMoment, "moment1."),
    (Storage::SecondMoment, "moment2."),
];

/// A tensor's place in its arena.
pub(super) struct Place {
    /// Its name in the file.
    pub name: String,
    /// Its dimensions.
    pub shape: Vec<usize>,
    /// Its first number in the arena.
    pub offset: usize,
    /// Its numbers.
    pub len: usize,
    /// Whether it can hold no negative number.
    is_square: bool,
}

/// The arenas of a file, as an executor takes them.
pub type Arenas = BTreeMap<Storage, Vec<f32>>;

/// The tensors of an arena, in graph order.
pub(super) fn places(storage: Storage, parameters: &Parameters) -> Vec<Place> {
    let prefix =
        GROUPS.iter().find(|(group, _)| *group == storage).map_or("", |(_, prefix)| prefix);
    match storage {
        Storage::Statistics | Storage::AveragedStatistics => {
            let running = parameters.running.iter().flat_map(|running| {
                let place = |suffix, offset, is_square| Place {
                    name: format!("{prefix}{}.{suffix}", running.name),
                    shape: vec![running.channels],
                    offset,
                    len: running.channels,
                    is_square,
                };
                [
                    place("running_mean", running.offset, false),
                    place("running_var", running.variance_offset(), true),
                ]
            });
            running.collect()
        }
        _ => {
            let trained = parameters.trained.iter().map(|parameter| Place {
                name: format!("{prefix}{}", parameter.name),
                shape: parameter.spec.shape.clone(),
                offset: parameter.offset,
                len: parameter.spec.len(),
                is_square: storage == Storage::SecondMoment,
            });
            trained.collect()
        }
    }
}

/// Numbers in an arena.
pub(super) fn arena_len(storage: Storage, parameters: &Parameters) -> usize {
    match storage {
        Storage::Statistics | Storage::AveragedStatistics => parameters.statistics_len,
        _ => parameters.weights_len,
    }
}

/// Reads every arena that the file holds; weights and statistics must be there.
///
/// # Errors
/// [`Error::ModelFile`] for a tensor that is missing, not the network's, of another type or shape, or holds
/// a number that cannot be right.
pub(super) fn read(tensors: &SafeTensors, parameters: &Parameters) -> Result<Arenas> {
    let mut names: BTreeSet<&str> = tensors.iter().map(|(name, _)| name).collect();
    let mut found = Vec::new();
    for (storage, prefix) in GROUPS {
        let is_there = prefix.is_empty() || names.iter().any(|name| name.starts_with(prefix));
        if !is_there {
            continue;
        }
        // All tensors are checked before an arena is made: a small file asks for no large memory.
        let mut views = Vec::new();
        for place in places(storage, parameters) {
            let Ok(view) = tensors.tensor(&place.name) else {
                return Err(damaged(format!("tensor `{}` is missing", place.name)));
            };
            if view.dtype() != Dtype::F32 {
                let problem = format!("tensor `{}` is {:?}, not F32", place.name, view.dtype());
                return Err(damaged(problem));
            }
            if view.shape() != place.shape {
                return Err(damaged(format!(
                    "tensor `{}` is {:?}, its network needs {:?}",
                    place.name,
                    view.shape(),
                    place.shape
                )));
            }
            names.remove(place.name.as_str());
            views.push((place, view.data()));
        }
        found.push((storage, views));
    }
    if let Some(name) = names.first() {
        return Err(damaged(format!("tensor `{name}` is not of its network")));
    }
    let mut arenas = Arenas::new();
    for (storage, views) in found {
        let mut arena = vec![0.0; arena_len(storage, parameters)];
        for (place, bytes) in views {
            copy(&place, bytes, &mut arena[place.offset..][..place.len])?;
        }
        arenas.insert(storage, arena);
    }
    Ok(arenas)
}

fn copy(place: &Place, bytes: &[u8], numbers: &mut [f32]) -> Result<()> {
    for (number, bytes) in numbers.iter_mut().zip(bytes.chunks_exact(4)) {
        *number = f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        if !number.is_finite() || (place.is_square && *number < 0.0) {
            return Err(damaged(format!("tensor `{}` holds {number}", place.name)));
        }
    }
    Ok(())
}

/// A file that contradicts itself.
pub(super) fn damaged(problem: String) -> Error {
    let remedy = "the file is damaged or was changed by another program; take another copy".into();
    Error::ModelFile { problem, remedy }
}
