//! Batch normalisation as dispatches: sums over the rows in two stages, and all in one where a batch is small.

use super::device::Shaders;
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

/// Of a convolution that normalises what it stores, where it does (`shaders/shared/normalize.wgsl`).
pub(super) fn folded_constants(norm: Option<&BatchNorm>) -> Constants {
    let mut constants = vec![("NORM", flag(norm.is_some()))];
    if let Some(norm) = norm {
        constants.extend([
            ("EPSILON", f64::from(norm.epsilon)),
            ("RESCALE", flag(norm.rescale)),
            ("NORM_ACTIVATION", activation_number(norm.activation)),
        ]);
    }
    constants
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

/// How workgroups share a sum over rows.
#[derive(Debug, Clone, Copy)]
struct Share {
    /// Channels side by side in a workgroup.
    channel_lanes: usize,
    /// Rows below each other.
    row_lanes: usize,
    /// Rows of a workgroup, one after another.
    chunk_rows: usize,
    /// Invocations of a workgroup that adds up the chunks.
    finish_lanes: usize,
}

impl Share {
    fn of(norm: &BatchNorm, batch_size: usize, shaders: Shaders) -> Self {
        let rows = norm.pixels * batch_size;
        let channels = norm.channels.next_power_of_two();
        let (channel_lanes, row_lanes, chunks, finish_lanes) = match shaders {
            Shaders::Tiled => {
                let channel_lanes = channels.min(32);
                let row_lanes = SUM_LANES / channel_lanes;
                (channel_lanes, row_lanes, rows.div_ceil(8 * row_lanes), 64)
            }
            // Nothing is shared, so that a barrier holds up as few invocations as can be.
            Shaders::Direct => (channels.min(64), 1, rows.div_ceil(64).min(32), 1),
        };
        let chunk_rows = rows.div_ceil(chunks.clamp(1, MOST_CHUNKS)).max(1);
        Self { channel_lanes, row_lanes, chunk_rows, finish_lanes }
    }
}

/// Sums over rows, a channel a lane, in two stages: chunks of rows into scratch, then the chunks.
fn channel_sums(
    call: &Call,
    norm: &BatchNorm,
    constants: Constants,
    bindings: Vec<Binding>,
    batch_size: usize,
    Share { channel_lanes, chunk_rows, .. }: Share,
) -> Dispatch {
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

fn share_constants(norm: &BatchNorm, share: Share) -> Constants {
    vec![
        ("PIXELS", norm.pixels as f64),
        ("CHANNELS", norm.channels as f64),
        ("SECOND", second(norm)),
        ("CHANNEL_LANES", share.channel_lanes as f64),
        ("ROW_LANES", share.row_lanes as f64),
        ("CHUNK_ROWS", share.chunk_rows as f64),
        ("FINISH_LANES", share.finish_lanes as f64),
    ]
}

/// Numbers of scratch for two sums a channel and chunk.
fn chunk_scratch(norm: &BatchNorm, chunk_rows: usize, batch_size: usize) -> Binding {
    scratch(2 * (norm.pixels * batch_size).div_ceil(chunk_rows) * norm.channels, true)
}

/// `input → moments, running`.
pub(super) fn statistics(
    call: &Call,
    norm: &BatchNorm,
    batch_size: usize,
    shaders: Shaders,
) -> Vec<Dispatch> {
    let share = Share::of(norm, batch_size, shaders);
    let finish = finish_of_statistics(call, norm, batch_size, share);
    let bindings = vec![chunk_scratch(norm, share.chunk_rows, batch_size), read(call.reads[0])];
    vec![channel_sums(call, norm, finish.constants.clone(), bindings, batch_size, share), finish]
}

/// The second stage of the statistics, from the moments of a convolution's tiles of `chunk_rows`.
pub(super) fn statistics_of_tiles(
    call: &Call,
    norm: &BatchNorm,
    chunk_rows: usize,
    batch_size: usize,
) -> Dispatch {
    let share = Share { chunk_rows, ..Share::of(norm, batch_size, Shaders::Tiled) };
    finish_of_statistics(call, norm, batch_size, share)
}

fn finish_of_statistics(
    call: &Call,
    norm: &BatchNorm,
    batch_size: usize,
    share: Share,
) -> Dispatch {
    let mut constants = share_constants(norm, share);
    constants
        .extend([("EPSILON", f64::from(norm.epsilon)), ("MOMENTUM", f64::from(norm.momentum))]);
    let chunks = (norm.pixels * batch_size).div_ceil(share.chunk_rows);
    Dispatch {
        shader: call.kernel.name(),
        entry: "finish",
        constants,
        bindings: vec![
            chunk_scratch(norm, share.chunk_rows, batch_size),
            write(call.writes[0]),
            write(call.writes[1]),
        ],
        grid: Grid::of(Extent::Fixed(norm.channels), 1),
        work: Work::of(Extent::Fixed(chunks * norm.channels), WORK_PER_NUMBER),
    }
}

/// `input, grad_output, moments, (block) → sums`.
pub(super) fn backward_reduce(
    call: &Call,
    norm: &BatchNorm,
    batch_size: usize,
    shaders: Shaders,
) -> Vec<Dispatch> {
    let share = Share::of(norm, batch_size, shaders);
    let mut constants = share_constants(norm, share);
    constants.extend([
        ("RESCALE", flag(norm.rescale)),
        ("ACTIVATION", activation_number(norm.activation)),
    ]);
    let partial = chunk_scratch(norm, share.chunk_rows, batch_size);
    let mut bindings = vec![partial];
    bindings.extend(operands(call));
    bindings.retain(|binding| binding.operand != Operand::View(call.writes[0]));
    let main = channel_sums(call, norm, constants, bindings, batch_size, share);
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
