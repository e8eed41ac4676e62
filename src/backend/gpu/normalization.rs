//! Batch normalisation as dispatches: sums over the rows in two stages, and all in one where a batch is small.

use super::constants::Constants;
use super::device::Shaders;
use super::dispatch::{
    Binding, Dispatch, Grid, WORK_PER_ELEMENT, Work, read, read_or_stand_in, read_scratch, write,
    write_scratch,
};
use super::shaders::shader;
use crate::kernel::{BatchNorm, BatchNormBackwardInput, BatchNormNormalize, Call, Extent};

/// A workgroup that sums over rows has so many invocations.
const SUM_LANES: usize = 128;
/// There are at most so many chunks of rows.
const MOST_CHUNKS: usize = 128;

/// How workgroups share a sum over rows.
#[derive(Debug, Clone, Copy)]
struct Share {
    /// How many channels lie side by side in a workgroup.
    channel_lanes: usize,
    /// How many rows lie below each other in a workgroup.
    row_lanes: usize,
    /// How many rows a workgroup sums.
    chunk_rows: usize,
    /// How many invocations a workgroup has that adds up the chunks.
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

    fn constants(self) -> Constants {
        Constants::default()
            .with("CHANNEL_LANES", self.channel_lanes)
            .with("ROW_LANES", self.row_lanes)
            .with("CHUNK_ROWS", self.chunk_rows)
            .with("FINISH_LANES", self.finish_lanes)
    }

    /// Returns how many chunks of rows a batch has.
    fn chunks(self, norm: &BatchNorm, batch_size: usize) -> usize {
        (norm.pixels * batch_size).div_ceil(self.chunk_rows)
    }

    /// Returns the length of scratch for two sums a channel and chunk.
    fn scratch_len(self, norm: &BatchNorm, batch_size: usize) -> usize {
        2 * self.chunks(norm, batch_size) * norm.channels
    }
}

/// Makes the first stage of a sum over rows, which sums chunks of them into scratch, a channel a lane.
fn channel_sums(
    finish: &Dispatch,
    norm: &BatchNorm,
    bindings: Vec<Binding>,
    batch_size: usize,
    share: Share,
) -> Dispatch {
    Dispatch {
        entry: "main",
        bindings,
        grid: Grid {
            items: Extent::Fixed(share.chunks(norm, batch_size)),
            per_group: 1,
            repeats: norm.channels.div_ceil(share.channel_lanes),
            layers: 1,
        },
        work: Work::of(Extent::PerSample(norm.pixels * norm.channels), WORK_PER_ELEMENT),
        ..finish.clone()
    }
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
    let chunk_moments = write_scratch(share.scratch_len(norm, batch_size));
    let bindings = vec![chunk_moments, read(call.reads[0])];
    vec![channel_sums(&finish, norm, bindings, batch_size, share), finish]
}

/// Makes the second stage of the statistics, from the moments of a convolution's tiles of `chunk_rows`.
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
    Dispatch {
        shader: shader!("batch_norm/statistics"),
        entry: "finish",
        constants: Constants::from(norm)
            .and(share.constants())
            .with("EPSILON", norm.epsilon)
            .with("MOMENTUM", norm.momentum),
        bindings: vec![
            write_scratch(share.scratch_len(norm, batch_size)),
            write(call.writes[0]),
            write(call.writes[1]),
        ],
        grid: Grid::of(Extent::Fixed(norm.channels), 1),
        work: Work::of(
            Extent::Fixed(share.chunks(norm, batch_size) * norm.channels),
            WORK_PER_ELEMENT,
        ),
    }
}

/// `input, moments, (block) → output`.
pub(super) fn normalize(call: &Call, kernel: &BatchNormNormalize) -> Vec<Dispatch> {
    let [input, moments] = [call.reads[0], call.reads[1]];
    let items = Extent::PerSample(kernel.norm.pixels * kernel.norm.channels);
    vec![Dispatch {
        shader: shader!("batch_norm/normalize"),
        entry: "main",
        constants: kernel.into(),
        bindings: vec![
            read(input),
            read(moments),
            read_or_stand_in(call.reads.get(2), input),
            write(call.writes[0]),
        ],
        grid: Grid::of(items, 4 * 64),
        work: Work::of(items, WORK_PER_ELEMENT),
    }]
}

/// `input, grad_output, moments, (block) → sums`.
pub(super) fn backward_reduce(
    call: &Call,
    norm: &BatchNorm,
    batch_size: usize,
    shaders: Shaders,
) -> Vec<Dispatch> {
    let share = Share::of(norm, batch_size, shaders);
    let chunk_sums = write_scratch(share.scratch_len(norm, batch_size));
    let finish = Dispatch {
        shader: shader!("batch_norm/backward_reduce"),
        entry: "finish",
        constants: Constants::from(norm)
            .and(share.constants())
            .with("RESCALE", norm.rescale)
            .with("ACTIVATION", norm.activation),
        bindings: vec![chunk_sums, write(call.writes[0])],
        grid: Grid::of(Extent::Fixed(norm.channels), 1),
        work: Work::of(Extent::Fixed(norm.channels * MOST_CHUNKS), WORK_PER_ELEMENT),
    };
    let [input, grad_output, moments] = [call.reads[0], call.reads[1], call.reads[2]];
    let bindings = vec![
        chunk_sums,
        read(input),
        read(grad_output),
        read(moments),
        read_or_stand_in(call.reads.get(3), input),
    ];
    vec![channel_sums(&finish, norm, bindings, batch_size, share), finish]
}

/// `input, grad_output, moments, sums, (block) → grad_input`.
pub(super) fn backward_input(call: &Call, kernel: &BatchNormBackwardInput) -> Vec<Dispatch> {
    let [input, grad_output, moments] = [call.reads[0], call.reads[1], call.reads[2]];
    let items = Extent::PerSample(kernel.norm.pixels * kernel.norm.channels);
    vec![Dispatch {
        shader: shader!("batch_norm/backward_input"),
        entry: "main",
        constants: kernel.into(),
        bindings: vec![
            read(input),
            read(grad_output),
            read(moments),
            read(call.reads[3]),
            read_or_stand_in(call.reads.get(4), input),
            write(call.writes[0]),
        ],
        grid: Grid::of(items, 4 * 64),
        work: Work::of(items, WORK_PER_ELEMENT),
    }]
}

/// Up to so many rows, one workgroup does all of four channels.
const FEW_ROWS: usize = 4096;

/// Tells whether statistics and what is done with them run as one dispatch; that wants whole vectors of four channels.
pub(super) fn is_small(norm: &BatchNorm, batch_size: usize) -> bool {
    norm.pixels * batch_size <= FEW_ROWS && norm.channels.is_multiple_of(4)
}

/// Merges the statistics of a convolution's tiles of `chunk_rows` and normalises, as one.
pub(super) fn statistics_and_normalize(
    statistics: &Call,
    normalize: &Call,
    kernel: &BatchNormNormalize,
    chunk_rows: usize,
    batch_size: usize,
) -> Dispatch {
    let norm = &kernel.norm;
    let chunks = (norm.pixels * batch_size).div_ceil(chunk_rows);
    let input = normalize.reads[0];
    Dispatch {
        shader: shader!("batch_norm/normalize"),
        entry: "statistics_and_normalize",
        constants: Constants::from(kernel)
            .with("CHUNK_ROWS", chunk_rows)
            .with("EPSILON", norm.epsilon)
            .with("MOMENTUM", norm.momentum),
        bindings: vec![
            read(input),
            write(statistics.writes[0]),
            read_or_stand_in(normalize.reads.get(2), input),
            write(normalize.writes[0]),
            write(statistics.writes[1]),
            read_scratch(2 * chunks * norm.channels),
        ],
        grid: Grid::of(Extent::Fixed(norm.channels), 4),
        work: Work::of(Extent::PerSample(norm.pixels * norm.channels), 2.0 * WORK_PER_ELEMENT),
    }
}

/// Runs the sums of the backward pass and the gradient that they are for as one: it is the dispatch of `backward_input`,
/// which writes the sums too.
pub(super) fn reduce_and_backward_input(call: &Call, kernel: &BatchNormBackwardInput) -> Dispatch {
    let norm = &kernel.norm;
    let [input, grad_output, moments] = [call.reads[0], call.reads[1], call.reads[2]];
    Dispatch {
        shader: shader!("batch_norm/backward_input"),
        entry: "reduce_and_backward_input",
        constants: kernel.into(),
        bindings: vec![
            read(input),
            read(grad_output),
            read(moments),
            write(call.reads[3]),
            read_or_stand_in(call.reads.get(4), input),
            write(call.writes[0]),
        ],
        grid: Grid::of(Extent::Fixed(norm.channels), 4),
        work: Work::of(Extent::PerSample(norm.pixels * norm.channels), 2.0 * WORK_PER_ELEMENT),
    }
}
