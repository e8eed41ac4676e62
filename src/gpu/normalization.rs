//! Batch normalisation as dispatches: sums over the rows in two stages, and all in one where a batch is small.

use super::dispatch::{
    Binding, Constants, Dispatch, Grid, Operand, WORK_PER_NUMBER, Work, activation_number, flag,
    operands, read, scratch, write,
};
use crate::kernel::{Activation, BatchNorm, Call, Extent, round_up_to_row};

/// Place of the second vector of a pair.
fn second(norm: &BatchNorm) -> f64 {
    round_up_to_row(norm.channels) as f64
}

pub(super) fn norm_constants(norm: &BatchNorm) -> Constants {
    vec![
        ("PIXELS", norm.pixels as f64),
        ("CHANNELS", norm.channels as f64),
        ("SECOND", second(norm)),
        ("RESCALE", flag(norm.rescale)),
        ("ACTIVATION", activation_number(norm.activation)),
    ]
}

pub(super) fn running_constants(norm: &BatchNorm) -> Constants {
    vec![
        ("CHANNELS", norm.channels as f64),
        ("SECOND", second(norm)),
        ("EPSILON", f64::from(norm.epsilon)),
    ]
}

pub(super) fn backward_input_constants(
    norm: &BatchNorm,
    input_activation: Activation,
    accumulate: bool,
) -> Constants {
    let mut constants = norm_constants(norm);
    constants.push(("INPUT_ACTIVATION", activation_number(input_activation)));
    constants.push(("ACCUMULATE", flag(accumulate)));
    constants
}

/// Invocations of a workgroup that sums over rows.
const SUM_LANES: usize = 128;
/// Chunks of rows at most.
const MOST_CHUNKS: usize = 128;

/// Channels side by side in a workgroup that sums over rows, rows below each other, and rows in a chunk.
fn chunks_of(norm: &BatchNorm, batch_size: usize) -> [usize; 3] {
    let channel_lanes = norm.channels.next_power_of_two().min(32);
    let row_lanes = SUM_LANES / channel_lanes;
    let rows = norm.pixels * batch_size;
    let chunks = rows.div_ceil(8 * row_lanes).clamp(1, MOST_CHUNKS);
    [channel_lanes, row_lanes, rows.div_ceil(chunks).max(1)]
}

/// Sums over rows, a channel a lane, in two stages: chunks of rows into scratch, then the chunks.
fn channel_sums(
    call: &Call,
    norm: &BatchNorm,
    constants: Constants,
    bindings: Vec<Binding>,
    batch_size: usize,
) -> Dispatch {
    let [channel_lanes, _, chunk_rows] = chunks_of(norm, batch_size);
    let chunks = (norm.pixels * batch_size).div_ceil(chunk_rows);
    Dispatch {
        shader: call.kernel.name(),
        entry: "main",
        constants,
        bindings,
        grid: Grid {
            items: Extent::Fixed(chunks),
            per_group: 1,
            repeats: norm.channels.div_ceil(channel_lanes),
            layers: 1,
        },
        work: Work::of(Extent::PerSample(norm.pixels * norm.channels), WORK_PER_NUMBER),
    }
}

fn chunk_constants(norm: &BatchNorm, batch_size: usize) -> Constants {
    let [channel_lanes, row_lanes, chunk_rows] = chunks_of(norm, batch_size);
    vec![
        ("PIXELS", norm.pixels as f64),
        ("CHANNELS", norm.channels as f64),
        ("SECOND", second(norm)),
        ("CHANNEL_LANES", channel_lanes as f64),
        ("ROW_LANES", row_lanes as f64),
        ("CHUNK_ROWS", chunk_rows as f64),
    ]
}

/// Numbers of scratch for two sums a channel and chunk.
fn chunk_scratch(norm: &BatchNorm, chunk_rows: usize, batch_size: usize) -> Binding {
    scratch(2 * (norm.pixels * batch_size).div_ceil(chunk_rows) * norm.channels, true)
}

/// `input → moments, running`.
pub(super) fn statistics(call: &Call, norm: &BatchNorm, batch_size: usize) -> Vec<Dispatch> {
    let [_, _, chunk_rows] = chunks_of(norm, batch_size);
    let finish = statistics_finish(call, norm, chunk_rows, batch_size);
    let bindings = vec![chunk_scratch(norm, chunk_rows, batch_size), read(call.reads[0])];
    vec![channel_sums(call, norm, finish.constants.clone(), bindings, batch_size), finish]
}

/// The second stage of the statistics, from the moments of chunks of so many rows.
pub(super) fn statistics_finish(
    call: &Call,
    norm: &BatchNorm,
    chunk_rows: usize,
    batch_size: usize,
) -> Dispatch {
    let mut constants = chunk_constants(norm, batch_size);
    constants.retain(|&(name, _)| name != "CHUNK_ROWS");
    constants.extend([
        ("CHUNK_ROWS", chunk_rows as f64),
        ("EPSILON", f64::from(norm.epsilon)),
        ("MOMENTUM", f64::from(norm.momentum)),
    ]);
    let chunks = (norm.pixels * batch_size).div_ceil(chunk_rows);
    Dispatch {
        shader: call.kernel.name(),
        entry: "finish",
        constants,
        bindings: vec![
            chunk_scratch(norm, chunk_rows, batch_size),
            write(call.writes[0]),
            write(call.writes[1]),
        ],
        grid: Grid::of(Extent::Fixed(norm.channels), 1),
        work: Work::of(Extent::Fixed(chunks * norm.channels), WORK_PER_NUMBER),
    }
}

/// `input, grad_output, moments, (block) → sums`.
pub(super) fn backward_reduce(call: &Call, norm: &BatchNorm, batch_size: usize) -> Vec<Dispatch> {
    let mut constants = chunk_constants(norm, batch_size);
    constants.extend([
        ("RESCALE", flag(norm.rescale)),
        ("ACTIVATION", activation_number(norm.activation)),
    ]);
    let [_, _, chunk_rows] = chunks_of(norm, batch_size);
    let partial = chunk_scratch(norm, chunk_rows, batch_size);
    let mut bindings = vec![partial];
    bindings.extend(operands(call));
    bindings.retain(|binding| binding.operand != Operand::View(call.writes[0]));
    let main = channel_sums(call, norm, constants, bindings, batch_size);
    let finish = Dispatch {
        entry: "finish",
        bindings: vec![partial, write(call.writes[0])],
        grid: Grid::of(Extent::Fixed(norm.channels), 1),
        work: Work::of(Extent::Fixed(norm.channels * MOST_CHUNKS), WORK_PER_NUMBER),
        ..main.clone()
    };
    vec![main, finish]
}

/// Rows up to which one workgroup does four channels, and whole vectors of four there must be.
const FEW_ROWS: usize = 4096;

/// Whether statistics and what is done with them run as one dispatch.
pub(super) fn is_small(norm: &BatchNorm, batch_size: usize) -> bool {
    norm.pixels * batch_size <= FEW_ROWS && norm.channels.is_multiple_of(4)
}

/// The statistics from a convolution's tiles of `chunk_rows`, and the normalisation, as one.
pub(super) fn statistics_and_normalize(
    statistics: &Call,
    normalize: &Call,
    norm: &BatchNorm,
    chunk_rows: usize,
    batch_size: usize,
) -> Dispatch {
    let mut constants = norm_constants(norm);
    constants.extend([
        ("CHUNK_ROWS", chunk_rows as f64),
        ("EPSILON", f64::from(norm.epsilon)),
        ("MOMENTUM", f64::from(norm.momentum)),
    ]);
    let input = normalize.reads[0];
    let chunks = Binding { writable: false, ..chunk_scratch(norm, chunk_rows, batch_size) };
    Dispatch {
        shader: normalize.kernel.name(),
        entry: "whole",
        constants,
        bindings: vec![
            read(input),
            write(statistics.writes[0]),
            read(normalize.reads.get(2).copied().unwrap_or(input)),
            write(normalize.writes[0]),
            write(statistics.writes[1]),
            chunks,
        ],
        grid: Grid::of(Extent::Fixed(norm.channels), 4),
        work: Work::of(Extent::PerSample(norm.pixels * norm.channels), 2.0 * WORK_PER_NUMBER),
    }
}

/// The backward pass's sums and what they are for, as one: the dispatch of `backward_input`, which writes the sums too.
pub(super) fn backward_whole(
    norm: &BatchNorm,
    constants: Constants,
    backward_input: &Call,
) -> Dispatch {
    let mut bindings = operands(backward_input);
    bindings[3].writable = true;
    Dispatch {
        shader: backward_input.kernel.name(),
        entry: "whole",
        constants,
        bindings,
        grid: Grid::of(Extent::Fixed(norm.channels), 4),
        work: Work::of(Extent::PerSample(norm.pixels * norm.channels), 2.0 * WORK_PER_NUMBER),
    }
}
