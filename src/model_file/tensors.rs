//! Named tensors and the arenas that hold them.

use super::calibration::KERNEL;
use crate::error::{Error, Result, Words};
use crate::kernel::Storage;
use crate::plan::parameters::Parameters;
use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};
use std::collections::{BTreeMap, BTreeSet};

/// The arenas that a file can hold, with the prefix of their tensors' names.
const ARENAS: [(Storage, &str); 6] = [
    (Storage::Weights, ""),
    (Storage::Statistics, ""),
    (Storage::AveragedWeights, "average."),
    (Storage::AveragedStatistics, "average."),
    (Storage::FirstMoment, "moment1."),
    (Storage::SecondMoment, "moment2."),
];

/// One tensor: its name, dimensions and place in its arena.
struct Place {
    name: String,
    shape: Vec<usize>,
    offset: usize,
    len: usize,
    /// Whether it holds squares: a negative number cannot be right.
    is_square: bool,
}

fn places(storage: Storage, prefix: &str, parameters: &Parameters) -> Vec<Place> {
    if matches!(storage, Storage::Statistics | Storage::AveragedStatistics) {
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
        return running.collect();
    }
    let trained = parameters.trained.iter().map(|parameter| Place {
        name: format!("{prefix}{}", parameter.name),
        shape: parameter.spec.shape.clone(),
        offset: parameter.offset,
        len: parameter.spec.len(),
        is_square: storage == Storage::SecondMoment,
    });
    trained.collect()
}

fn arena_len(storage: Storage, parameters: &Parameters) -> usize {
    match storage {
        Storage::Statistics | Storage::AveragedStatistics => parameters.statistics_len,
        _ => parameters.weights_len,
    }
}

/// The tensors of some arenas, by name.
///
/// # Errors
/// [`Error::Internal`] where an arena is not of the network's size; [`Error::ModelFile`] where it holds a number that
/// would be refused on reading.
pub(super) fn write<'a>(
    arenas: &BTreeMap<Storage, &'a [f32]>,
    parameters: &Parameters,
) -> Result<Vec<(String, TensorView<'a>)>> {
    let internal = |problem| Error::Internal { place: "model file".into(), problem };
    let mut views = Vec::new();
    for (storage, prefix) in ARENAS {
        let Some(arena) = arenas.get(&storage) else { continue };
        if arena.len() != arena_len(storage, parameters) {
            return Err(internal(format!("{storage:?} of {} numbers", arena.len())));
        }
        for place in places(storage, prefix, parameters) {
            let numbers = &arena[place.offset..][..place.len];
            if let Some(number) = numbers.iter().find(|number| !number.is_finite()) {
                return Err(Error::ModelFile {
                    problem: Words::of("problem.tensor_would_hold")
                        .with("name", place.name)
                        .with("value", *number),
                    remedy: Words::of("remedy.before_divergence"),
                });
            }
            // Every target is little-endian, as the format is.
            let view = TensorView::new(Dtype::F32, place.shape, bytemuck::cast_slice(numbers))
                .map_err(|error| internal(error.to_string()))?;
            views.push((place.name, view));
        }
    }
    Ok(views)
}

/// Reads every arena of which the file holds a tensor; weights and statistics must be there.
///
/// # Errors
/// [`Error::ModelFile`] for a tensor that is missing, foreign, of another type or shape, or with a number that cannot be
/// right.
pub(super) fn read(
    tensors: &SafeTensors,
    parameters: &Parameters,
) -> Result<BTreeMap<Storage, Vec<f32>>> {
    let mut foreign: BTreeSet<&str> = tensors.iter().map(|(name, _)| name).collect();
    let mut found = Vec::new();
    for (storage, prefix) in ARENAS {
        let is_there = prefix.is_empty() || foreign.iter().any(|name| name.starts_with(prefix));
        if !is_there {
            continue;
        }
        for place in places(storage, prefix, parameters) {
            let missing = |_| unfit(Words::of("problem.tensor_missing").with("name", &place.name));
            let view = tensors.tensor(&place.name).map_err(missing)?;
            if view.dtype() != Dtype::F32 || view.shape() != place.shape {
                return Err(unfit(
                    Words::of("problem.tensor_shape")
                        .with("name", &place.name)
                        .with("expected", format!("F32 {:?}", place.shape))
                        .with("found", format!("{:?} {:?}", view.dtype(), view.shape())),
                ));
            }
            foreign.remove(place.name.as_str());
            found.push((storage, place, view.data()));
        }
    }
    foreign.remove(KERNEL);
    if let Some(name) = foreign.first() {
        return Err(unfit(Words::of("problem.tensor_of_no_layer").with("name", *name)));
    }
    // Memory is taken only now that all tensors are known to be there: a text may promise more than its file holds.
    let mut arenas = BTreeMap::from([
        (Storage::Weights, vec![0.0; parameters.weights_len]),
        (Storage::Statistics, vec![0.0; parameters.statistics_len]),
    ]);
    for (storage, place, bytes) in found {
        let len = arena_len(storage, parameters);
        let arena = arenas.entry(storage).or_insert_with(|| vec![0.0; len]);
        for (number, bytes) in arena[place.offset..].iter_mut().zip(bytes.chunks_exact(4)) {
            *number = f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
            if !number.is_finite() || (place.is_square && *number < 0.0) {
                let problem = Words::of("problem.tensor_holds").with("name", &place.name);
                let problem = problem.with("value", *number);
                return Err(Error::ModelFile { problem, remedy: Words::of("remedy.earlier_save") });
            }
        }
    }
    Ok(arenas)
}

fn unfit(problem: Words) -> Error {
    Error::ModelFile { problem, remedy: Words::of("remedy.not_together") }
}
