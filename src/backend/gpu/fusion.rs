//! Finds neighbouring calls that run as one dispatch, or of which one hands on what the next would read again.
//!
//! Each call has its own list of dispatches, if an empty one; a caller runs whole phases of a plan, never a part of such a group.

use super::device::Shaders;
use super::dispatch::Dispatch;
use super::lower::dispatches_of;
use super::{convolution, normalization};
use crate::kernel::{BatchNormStatistics, Call, Kernel};

/// Returns the dispatches of each call, for a plan of at most `batch_size` samples.
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
            .or_else(|| backward_norm(rest, batch_size))
            .unwrap_or_else(|| vec![dispatches_of(&rest[0], batch_size, shaders)]);
        dispatches.extend(group);
    }
    dispatches
}

/// Lets a convolution whose output is normalised take the statistics while it has its sums in registers.
fn convolution_with_statistics(calls: &[Call], batch_size: usize) -> Option<Vec<Vec<Dispatch>>> {
    let [conv, statistics, rest @ ..] = calls else { return None };
    let Kernel::Conv2dForward(kernel) = &conv.kernel else { return None };
    let Kernel::BatchNormStatistics(BatchNormStatistics { norm }) = &statistics.kernel else {
        return None;
    };
    let follows = statistics.reads[0] == conv.writes[0];
    if kernel.norm.is_some() || !follows || !norm.channels.is_multiple_of(4) {
        return None;
    }
    let chunk_rows = convolution::forward_tile_rows(&kernel.convolution, batch_size)?;
    let first = convolution::forward(conv, kernel, batch_size, true);
    if let [normalize, ..] = rest
        && let Kernel::BatchNormNormalize(kernel) = &normalize.kernel
        && normalize.reads[..2] == [conv.writes[0], statistics.writes[0]]
        && normalization::is_small(&kernel.norm, batch_size)
    {
        let both = normalization::statistics_and_normalize(
            statistics, normalize, kernel, chunk_rows, batch_size,
        );
        return Some(vec![first, Vec::new(), vec![both]]);
    }
    let finish = normalization::statistics_of_tiles(statistics, norm, chunk_rows, batch_size);
    Some(vec![first, vec![finish]])
}

/// Runs the sums of a normalisation's backward pass and the gradient that they are for as one.
fn backward_norm(calls: &[Call], batch_size: usize) -> Option<Vec<Vec<Dispatch>>> {
    let [reduce, input, ..] = calls else { return None };
    let Kernel::BatchNormBackwardReduce(sums) = &reduce.kernel else { return None };
    let Kernel::BatchNormBackwardInput(gradient) = &input.kernel else { return None };
    let is_one = sums.norm == gradient.norm
        && input.reads[..3] == reduce.reads[..3]
        && input.reads[3] == reduce.writes[0]
        && normalization::is_small(&sums.norm, batch_size);
    is_one
        .then(|| vec![Vec::new(), vec![normalization::reduce_and_backward_input(input, gradient)]])
}
