//! Grouped convolutions as dispatches: an element of what is written for each invocation.

use super::constants::{Constants, folded_norm};
use super::convolution::WeightSplits;
use super::device::Shaders;
use super::dispatch::{Dispatch, Grid, Work, read, read_or_stand_in, write};
use super::shaders::shader;
use crate::kernel::{
    Call, Extent, GroupedConv2dBackwardInput, GroupedConv2dBackwardWeight, GroupedConv2dForward,
    GroupedConvolution,
};

/// A workgroup has so many invocations.
const GROUP: usize = 64;
/// So many invocations keep a GPU busy with sums over a batch.
const BUSY: usize = 1 << 16;
/// So many keep all cores of a processor busy.
const BUSY_PROCESSOR: usize = 1 << 11;

/// Counts the multiplications and additions.
fn work(convolution: &GroupedConvolution) -> Work {
    let operations = 2.0 * convolution.depth() as f64;
    Work::of(Extent::PerSample(convolution.output.len()), operations)
}

/// `input, block, (running), (norm's block) → output`.
pub(super) fn forward(call: &Call, kernel: &GroupedConv2dForward) -> Vec<Dispatch> {
    let convolution = &kernel.convolution;
    let block = call.reads[1];
    vec![Dispatch {
        shader: shader!("grouped_conv2d/forward"),
        entry: "main",
        constants: Constants::from(convolution)
            .and(folded_norm(kernel.norm.as_ref()))
            .with("BIAS_OFFSET", convolution.bias_offset())
            .with("ACTIVATION", kernel.activation),
        bindings: vec![
            read(call.reads[0]),
            read(block),
            read_or_stand_in(call.reads.get(2), block),
            read_or_stand_in(call.reads.get(3), block),
            write(call.writes[0]),
        ],
        grid: Grid::of(Extent::PerSample(convolution.output.len()), GROUP),
        work: work(convolution),
    }]
}

/// `grad_output, block, (input) → grad_input`.
pub(super) fn backward_input(call: &Call, kernel: &GroupedConv2dBackwardInput) -> Vec<Dispatch> {
    let convolution = &kernel.convolution;
    let [grad_output, block] = [call.reads[0], call.reads[1]];
    vec![Dispatch {
        shader: shader!("grouped_conv2d/backward_input"),
        entry: "main",
        constants: Constants::from(convolution)
            .with("INPUT_ACTIVATION", kernel.input_activation)
            .with("ACCUMULATE", kernel.accumulate),
        bindings: vec![
            read(grad_output),
            read(block),
            read_or_stand_in(call.reads.get(2), grad_output),
            write(call.writes[0]),
        ],
        grid: Grid::of(Extent::PerSample(convolution.input.len()), GROUP),
        work: work(convolution),
    }]
}

/// `input, grad_output → grad_block`.
pub(super) fn backward_weight(
    call: &Call,
    kernel: &GroupedConv2dBackwardWeight,
    batch_size: usize,
    shaders: Shaders,
) -> Vec<Dispatch> {
    let convolution = &kernel.convolution;
    let channels = convolution.output.channels;
    let elements = (convolution.depth() + 1) * channels;
    let busy = if shaders == Shaders::Direct { BUSY_PROCESSOR } else { BUSY };
    let rows = batch_size * convolution.output.height;
    let split_rows = rows.div_ceil(busy.div_ceil(elements));
    let splits = rows.div_ceil(split_rows);
    let [input, grad_output] = [call.reads[0], call.reads[1]];
    let [kernel_len, bias_offset] = [convolution.kernel_len(), convolution.bias_offset()];
    let splits_of_weights = WeightSplits { splits, kernel_len, bias_offset, channels };
    let main = |products, constants: Constants| Dispatch {
        shader: shader!("grouped_conv2d/backward_weight"),
        entry: "main",
        constants: constants.with("SPLIT_ROWS", split_rows),
        bindings: vec![read(input), read(grad_output), products],
        grid: Grid { layers: splits, ..Grid::of(Extent::Fixed(elements), GROUP) },
        work: work(convolution),
    };
    splits_of_weights.dispatches(Constants::from(convolution), write(call.writes[0]), main)
}
