//! Convolutions as dispatches for a device whose workgroups run on a processor: no tiles and no barriers
//! (`shaders/shared/direct_product.wgsl`).
//!
//! This second set of shaders is kept because the parity, device and page tests run on software adapters, where a network
//! trains 2 (llvmpipe) to 13 times (SwiftShader) as fast with it as with the tiled shaders.

use super::constants::{Constants, folded_norm};
use super::convolution::{WeightSplits, phases, work};
use super::dispatch::{
    Dispatch, Grid, WORK_PER_ELEMENT, Work, read, read_or_stand_in, read_scratch, write,
    write_scratch,
};
use super::shaders::shader;
use crate::kernel::{Call, Conv2dBackwardInput, Conv2dBackwardWeight, Conv2dForward, Extent};

/// A workgroup has so many invocations.
const LANES: usize = 64;
/// An invocation computes so many rows.
const ROWS: usize = 8;
/// An invocation computes so many columns.
const COLUMNS: usize = 4;
/// So many workgroups keep all cores of a processor equally busy.
const BUSY: usize = 32;

/// Returns how many invocations of a workgroup lie side by side over columns; the others lie below each other.
fn column_lanes(columns: usize) -> usize {
    columns.div_ceil(COLUMNS).next_power_of_two().min(16)
}

/// Returns how many workgroups lie over a product's columns, and how many rows one has.
fn tile(columns: usize) -> (usize, usize) {
    let lanes = column_lanes(columns);
    (columns.div_ceil(COLUMNS * lanes), ROWS * LANES / lanes)
}

/// `input, block, (running), (norm's block) → output`.
pub(super) fn forward(call: &Call, kernel: &Conv2dForward) -> Vec<Dispatch> {
    let convolution = &kernel.convolution;
    let (pixels, channels) = (convolution.output.pixels(), convolution.output.channels);
    let (repeats, per_group) = tile(channels);
    let block = call.reads[1];
    vec![Dispatch {
        shader: shader!("direct/conv2d/forward"),
        entry: "main",
        constants: Constants::from(convolution)
            .and(folded_norm(kernel.norm.as_ref()))
            .with("COLUMN_LANES", column_lanes(channels))
            .with("BIAS_OFFSET", convolution.bias_offset())
            .with("ACTIVATION", kernel.activation),
        bindings: vec![
            read(call.reads[0]),
            read(block),
            read_or_stand_in(call.reads.get(2), block),
            read_or_stand_in(call.reads.get(3), block),
            write(call.writes[0]),
        ],
        grid: Grid { items: Extent::PerSample(pixels), per_group, repeats, layers: 1 },
        work: work(convolution),
    }]
}

/// `grad_output, block, (input) → grad_input`.
pub(super) fn backward_input(call: &Call, kernel: &Conv2dBackwardInput) -> Vec<Dispatch> {
    let convolution = &kernel.convolution;
    let channels = convolution.input.channels;
    let (phases, phase_pixels) = phases(convolution);
    let (repeats, per_group) = tile(channels);
    let kernel_len = convolution.kernel_len();
    let [grad_output, block] = [call.reads[0], call.reads[1]];
    let main = Dispatch {
        shader: shader!("direct/conv2d/backward_input"),
        entry: "main",
        constants: Constants::from(convolution)
            .with("COLUMN_LANES", column_lanes(channels))
            .with("INPUT_ACTIVATION", kernel.input_activation)
            .with("ACCUMULATE", kernel.accumulate),
        bindings: vec![
            read(grad_output),
            read_scratch(kernel_len),
            read_or_stand_in(call.reads.get(2), grad_output),
            write(call.writes[0]),
        ],
        grid: Grid { items: Extent::PerSample(phase_pixels), per_group, repeats, layers: phases },
        work: work(convolution),
    };
    let transpose = Dispatch {
        entry: "transpose",
        bindings: vec![read(block), write_scratch(kernel_len)],
        grid: Grid::of(Extent::Fixed(kernel_len), LANES),
        work: Work::of(Extent::Fixed(kernel_len), WORK_PER_ELEMENT),
        ..main.clone()
    };
    vec![transpose, main]
}

/// `input, grad_output → grad_block`.
pub(super) fn backward_weight(
    call: &Call,
    kernel: &Conv2dBackwardWeight,
    batch_size: usize,
) -> Vec<Dispatch> {
    let convolution = &kernel.convolution;
    let (depth, channels) = (convolution.depth(), convolution.output.channels);
    let (repeats, per_group) = tile(channels);
    let groups = depth.div_ceil(per_group) * repeats;
    let split_samples = batch_size.div_ceil(BUSY.div_ceil(groups));
    let splits = batch_size.div_ceil(split_samples);
    let [input, grad_output] = [call.reads[0], call.reads[1]];
    WeightSplits::new(convolution, splits).dispatches(
        Constants::from(convolution),
        write(call.writes[0]),
        |products, constants| Dispatch {
            shader: shader!("direct/conv2d/backward_weight"),
            entry: "main",
            constants: constants
                .with("COLUMN_LANES", column_lanes(channels))
                .with("SPLIT_SAMPLES", split_samples),
            bindings: vec![read(input), read(grad_output), products],
            grid: Grid { items: Extent::Fixed(depth), per_group, repeats, layers: splits },
            work: work(convolution),
        },
    )
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
