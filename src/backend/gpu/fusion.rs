//! Neighbouring calls that run as one dispatch, or hand numbers on that the next would read again.
//!
//! Each call keeps its own dispatches, if none; a caller runs whole phases of a plan, never a part of such a group.

use super::convolution;
use super::device::Shaders;
use super::dispatch::{Dispatch, dispatches_of};
use super::normalization;
use crate::kernel::{
    BatchNormBackwardInput, BatchNormBackwardReduce, BatchNormNormalize, BatchNormStatistics, Call,
    Conv2dForward, Kernel,
};

/// The dispatches of each call, for a plan of at most `batch_size` samples.
pub(super) fn dispatches(
    calls: &[Call],
    batch_size: usize,
    shaders: Shaders,
) -> Vec<Vec<Dispatch>> {
    if shaders == Shaders::Direct {
        return calls.iter().map(|call| dispatches_of(call, batch_size, shaders)).collect();
    }
    let mut dispatches = Vec::with_capacity(calls.len());
    while dispatches.len() < calls.len() {
        let rest = &calls[dispatches.len()..];
        let group = convolution_with_statistics(rest, batch_size)
            .or_else(|| whole_backward_norm(rest, batch_size))
            .unwrap_or_else(|| vec![dispatches_of(&rest[0], batch_size, shaders)]);
        dispatches.extend(group);
    }
    dispatches
}

/// A convolution whose output is normalised takes the statistics while it has the numbers at hand.
fn convolution_with_statistics(calls: &[Call], batch_size: usize) -> Option<Vec<Vec<Dispatch>>> {
    let [conv, statistics, rest @ ..] = calls else { return None };
    let Kernel::Conv2dForward(Conv2dForward { convolution, activation, norm: None }) = conv.kernel
    else {
        return None;
    };
    let Kernel::BatchNormStatistics(BatchNormStatistics { norm }) = statistics.kernel else {
        return None;
    };
    if statistics.reads[0] != conv.writes[0] || !norm.channels.is_multiple_of(4) {
        return None;
    }
    let chunk_rows = convolution::forward_tile_rows(&convolution, batch_size)?;
    let first = convolution::forward(conv, &convolution, (activation, None), batch_size, true);
    if let [normalize, ..] = rest
        && let Kernel::BatchNormNormalize(BatchNormNormalize { norm }) = normalize.kernel
        && normalize.reads[..2] == [conv.writes[0], statistics.writes[0]]
        && normalization::is_small(&norm, batch_size)
    {
        let whole = normalization::statistics_and_normalize(
            statistics, normalize, &norm, chunk_rows, batch_size,
        );
        return Some(vec![first, Vec::new(), vec![whole]]);
    }
    let finish = normalization::statistics_of_tiles(statistics, &norm, chunk_rows, batch_size);
    Some(vec![first, vec![finish]])
}

/// The sums of a normalisation's backward pass, and the gradient that they are for.
fn whole_backward_norm(calls: &[Call], batch_size: usize) -> Option<Vec<Vec<Dispatch>>> {
    let [reduce, input, ..] = calls else { return None };
    let Kernel::BatchNormBackwardReduce(BatchNormBackwardReduce { norm }) = reduce.kernel else {
        return None;
    };
    let Kernel::BatchNormBackwardInput(BatchNormBackwardInput {
        norm: same,
        input_activation,
        accumulate,
    }) = input.kernel
    else {
        return None;
    };
    let is_one = norm == same
        && input.reads[..3] == reduce.reads[..3]
        && input.reads[3] == reduce.writes[0]
        && normalization::is_small(&norm, batch_size);
    if !is_one {
        return None;
    }
    let constants = normalization::backward_input_constants(&norm, input_activation, accumulate);
    Some(vec![Vec::new(), vec![normalization::backward_whole(&norm, constants, input)]])
}
