//! Convolutions as dispatches for a device whose workgroups a processor plays: no tiles, no barriers
//! (`shaders/shared/direct.wgsl`).

use super::convolution::{phases, shape_constants, weight_parts, work};
use super::dispatch::{
    Constants, Dispatch, Grid, WORK_PER_NUMBER, Work, activation_number, flag, read, scratch, write,
};
use super::normalization::folded_constants;
use crate::kernel::{Activation, BatchNorm, Call, Convolution, Extent};

/// Invocations of a workgroup.
const LANES: usize = 64;
/// Rows of an invocation.
const ROWS: usize = 8;
/// Columns of an invocation.
const COLUMNS: usize = 4;
/// Workgroups that keep a processor's cores busy alike.
const BUSY: usize = 32;

/// Invocations of a workgroup side by side over columns; the others lie below each other.
fn column_lanes(columns: usize) -> usize {
    columns.div_ceil(COLUMNS).next_power_of_two().min(16)
}

/// Workgroups over a product's columns, and the rows of one.
fn tile(columns: usize) -> (usize, usize) {
    let lanes = column_lanes(columns);
    (columns.div_ceil(COLUMNS * lanes), ROWS * LANES / lanes)
}

fn constants(convolution: &Convolution, columns: usize) -> Constants {
    let mut constants = shape_constants(convolution);
    constants.push(("COLUMN_LANES", column_lanes(columns) as f64));
    constants
}

/// `input, block, (running), (norm's block) → output`.
pub(super) fn forward(
    call: &Call,
    convolution: &Convolution,
    activation: Activation,
    norm: Option<&BatchNorm>,
) -> Vec<Dispatch> {
    let (pixels, channels) = (convolution.output.pixels(), convolution.output.channels);
    let (repeats, per_group) = tile(channels);
    let mut constants = constants(convolution, channels);
    constants.push(("ACTIVATION", activation_number(activation)));
    constants.extend(folded_constants(norm));
    let block = call.reads[1];
    let or_block = |operand: usize| read(call.reads.get(operand).copied().unwrap_or(block));
    vec![Dispatch {
        shader: "direct/conv2d_forward",
        entry: "main",
        constants,
        bindings: vec![
            read(call.reads[0]),
            read(block),
            or_block(2),
            or_block(3),
            write(call.writes[0]),
        ],
        grid: Grid { items: Extent::PerSample(pixels), per_group, repeats, layers: 1 },
        work: work(convolution),
    }]
}

/// `grad_output, block, (input) → grad_input`.
pub(super) fn backward_input(
    call: &Call,
    convolution: &Convolution,
    input_activation: Activation,
    accumulate: bool,
) -> Vec<Dispatch> {
    let channels = convolution.input.channels;
    let (phases, phase_pixels) = phases(convolution);
    let (repeats, per_group) = tile(channels);
    let mut constants = constants(convolution, channels);
    constants.push(("INPUT_ACTIVATION", activation_number(input_activation)));
    constants.push(("ACCUMULATE", flag(accumulate)));
    let kernel_len = convolution.kernel_len();
    let [grad_output, block] = [call.reads[0], call.reads[1]];
    let stored_input = call.reads.get(2).copied().unwrap_or(grad_output);
    let main = Dispatch {
        shader: "direct/conv2d_backward_input",
        entry: "main",
        constants,
        bindings: vec![
            read(grad_output),
            scratch(kernel_len, false),
            read(stored_input),
            write(call.writes[0]),
        ],
        grid: Grid { items: Extent::PerSample(phase_pixels), per_group, repeats, layers: phases },
        work: work(convolution),
    };
    let transpose = Dispatch {
        entry: "transpose",
        bindings: vec![read(block), scratch(kernel_len, true)],
        grid: Grid::of(Extent::Fixed(kernel_len), LANES),
        work: Work::of(Extent::Fixed(kernel_len), WORK_PER_NUMBER),
        ..main.clone()
    };
    vec![transpose, main]
}

/// `input, grad_output → grad_block`.
pub(super) fn backward_weight(
    call: &Call,
    convolution: &Convolution,
    batch_size: usize,
) -> Vec<Dispatch> {
    let (depth, channels) = (convolution.depth(), convolution.output.channels);
    let (repeats, per_group) = tile(channels);
    let groups = depth.div_ceil(per_group) * repeats;
    let split_samples = batch_size.div_ceil(BUSY.div_ceil(groups));
    let splits = batch_size.div_ceil(split_samples);
    let mut constants = constants(convolution, channels);
    constants.push(("SPLIT_SAMPLES", split_samples as f64));
    let [input, grad_output] = [call.reads[0], call.reads[1]];
    weight_parts(convolution, splits, write(call.writes[0]), |products, parts| Dispatch {
        shader: "direct/conv2d_backward_weight",
        entry: "main",
        constants: constants.into_iter().chain(parts).collect(),
        bindings: vec![read(input), read(grad_output), products],
        grid: Grid { items: Extent::Fixed(depth), per_group, repeats, layers: splits },
        work: work(convolution),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invocations_cover_the_columns() {
        for columns in [1, 4, 5, 16, 17, 64, 65, 300] {
            let (tiles, rows) = tile(columns);
            let covered = tiles * COLUMNS * column_lanes(columns);
            assert!((columns..columns + 64).contains(&covered), "{columns}: {covered}");
            assert_eq!(rows * column_lanes(columns), ROWS * LANES, "{columns}");
        }
    }
}
