//! Cases of batch normalisation.

use super::{Case, Draw, Family, activation, channels, draw, family, pair, pair_target};
use floret::kernel::{
    Activation, BatchNorm, BatchNormBackwardInput, BatchNormBackwardReduce, BatchNormNormalize,
    BatchNormRunning, BatchNormStatistics, Kernel, round_up_to_row,
};
use proptest::prelude::*;

pub(super) fn norm() -> impl Strategy<Value = BatchNorm> {
    let epsilon = prop::sample::select(vec![1e-5_f32, 1e-3]);
    (1..=80_usize, channels(), epsilon, 0.0..1.0_f32, any::<bool>(), activation()).prop_map(
        |(pixels, channels, epsilon, momentum, rescale, activation)| BatchNorm {
            pixels,
            channels,
            epsilon,
            momentum,
            rescale,
            activation,
        },
    )
}

fn len(norm: &BatchNorm, draw: &Draw) -> usize {
    draw.batch_size() * norm.pixels * norm.channels
}

/// Means and positive seconds: variances or inverse deviations.
pub(super) fn moments(norm: &BatchNorm, draw: &Draw, operand: u32) -> Vec<f32> {
    let means = draw.numbers(operand, norm.channels);
    pair(means, draw.between(operand + 1, norm.channels, 0.5, 2.0))
}

pub(super) fn block(norm: &BatchNorm, draw: &Draw) -> Option<Vec<f32>> {
    norm.rescale
        .then(|| pair(draw.between(20, norm.channels, 0.5, 1.5), draw.numbers(21, norm.channels)))
}

fn statistics() -> impl Strategy<Value = Case> {
    (norm(), draw()).prop_map(|(norm, draw)| {
        // A mean of several deviations, so that a careless variance loses digits.
        let input = draw.between(0, len(&norm, &draw), 3.0, 5.0);
        Case {
            kernel: Kernel::BatchNormStatistics(BatchNormStatistics { norm }),
            step: draw.step,
            reads: vec![input],
            writes: vec![pair_target(norm.channels), moments(&norm, &draw, 1)],
        }
    })
}

fn running() -> impl Strategy<Value = Case> {
    (norm(), draw()).prop_map(|(norm, draw)| Case {
        kernel: Kernel::BatchNormRunning(BatchNormRunning { norm }),
        step: draw.step,
        reads: vec![moments(&norm, &draw, 0)],
        writes: vec![pair_target(norm.channels)],
    })
}

fn normalize() -> impl Strategy<Value = Case> {
    (norm(), draw()).prop_map(|(norm, draw)| {
        let mut reads = vec![draw.numbers(0, len(&norm, &draw)), moments(&norm, &draw, 1)];
        reads.extend(block(&norm, &draw));
        Case {
            kernel: Kernel::BatchNormNormalize(BatchNormNormalize { norm }),
            step: draw.step,
            reads,
            writes: vec![draw.target(4, len(&norm, &draw), false)],
        }
    })
}

/// `input, grad_output, moments` and the block, if any; no gradient where f32 could take the other side of ReLU's kink.
fn backward_reads(norm: &BatchNorm, input_activation: Activation, draw: &Draw) -> Vec<Vec<f32>> {
    let input = draw.outputs(0, len(norm, draw), input_activation);
    let mut gradient = draw.numbers(1, input.len());
    let (moments, block) = (moments(norm, draw, 2), block(norm, draw));
    if norm.activation == Activation::Relu {
        let second = round_up_to_row(norm.channels);
        for (index, gradient) in gradient.iter_mut().enumerate() {
            let channel = index % norm.channels;
            let normalized = (input[index] - moments[channel]) * moments[second + channel];
            let before = block
                .as_ref()
                .map_or(normalized, |block| normalized * block[channel] + block[second + channel]);
            if before.abs() < 1e-4 {
                *gradient = 0.0;
            }
        }
    }
    let mut reads = vec![input, gradient, moments];
    reads.extend(block);
    reads
}

fn backward_reduce() -> impl Strategy<Value = Case> {
    (norm(), draw()).prop_map(|(norm, draw)| Case {
        kernel: Kernel::BatchNormBackwardReduce(BatchNormBackwardReduce { norm }),
        step: draw.step,
        reads: backward_reads(&norm, Activation::None, &draw),
        writes: vec![pair_target(norm.channels)],
    })
}

fn backward_input() -> impl Strategy<Value = Case> {
    (norm(), activation(), any::<bool>(), draw()).prop_map(
        |(norm, input_activation, accumulate, draw)| {
            let mut reads = backward_reads(&norm, input_activation, &draw);
            // Sums of so many gradients, more or less.
            let size = ((draw.batch_size() * norm.pixels) as f32).sqrt();
            let sums = [5, 6].map(|operand| draw.between(operand, norm.channels, -size, size));
            let [with_normalized, alone] = sums;
            reads.insert(3, pair(with_normalized, alone));
            Case {
                kernel: Kernel::BatchNormBackwardInput(BatchNormBackwardInput {
                    norm,
                    input_activation,
                    accumulate,
                }),
                step: draw.step,
                reads,
                writes: vec![draw.target(7, len(&norm, &draw), accumulate)],
            }
        },
    )
}

pub fn families() -> Vec<Family> {
    vec![
        family("batch_norm_statistics", statistics()),
        family("batch_norm_running", running()),
        family("batch_norm_normalize", normalize()),
        family("batch_norm_backward_reduce", backward_reduce()),
        family("batch_norm_backward_input", backward_input()),
    ]
}
