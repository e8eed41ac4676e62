//! Batch normalisation backward to its input: `input, grad_output, moments, sums, (block) → grad_input`.
//!
//! `grad_input = scale · inverse · (g − mean(g) − normalised · mean(g · normalised))`.

use super::batch_norm_normalize::{Affine, ROWS};
use super::workers::Workers;
use crate::kernel::{Activation, BatchNorm, StepInputs, round_up_to_row};

pub(super) fn run(
    norm: &BatchNorm,
    (input_activation, accumulate): (Activation, bool),
    step: &StepInputs,
    reads: &[&[f32]],
    writes: &mut [&mut [f32]],
    workers: &mut Workers,
) {
    let (input, grad_output, moments, sums) = (reads[0], reads[1], reads[2], reads[3]);
    let block = if norm.rescale { reads.get(4).copied() } else { None };
    let channels = norm.channels;
    let rows = step.batch_size * norm.pixels;
    let second = round_up_to_row(channels);
    let share = 1.0 / rows as f32;
    workers.chunks(&mut writes[0][..rows * channels], ROWS * channels, |range, output| {
        let pairs = input[range.clone()].chunks_exact(channels);
        let pairs = pairs.zip(grad_output[range].chunks_exact(channels));
        for (output, (input, gradient)) in output.chunks_exact_mut(channels).zip(pairs) {
            for channel in 0..channels {
                let affine = Affine::new(moments, block, channels, channel);
                let x = input[channel];
                let g = gradient[channel] * affine.slope(norm.activation, x);
                let mean_product = sums[channel] * share;
                let mean_gradient = sums[second + channel] * share;
                let centred = g - mean_gradient - affine.normalised(x) * mean_product;
                let gradient = affine.scale * affine.inverse * centred * input_activation.slope(x);
                output[channel] = if accumulate { output[channel] + gradient } else { gradient };
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subtracts_what_moves_mean_and_variance() {
        let norm = BatchNorm {
            pixels: 2,
            channels: 1,
            epsilon: 0.0,
            momentum: 0.1,
            rescale: false,
            activation: Activation::None,
        };
        let (mut moments, mut sums) = ([0.0; 65], [0.0; 65]);
        // Inputs −1 and 3: mean 1, deviation 2, normalised −1 and 1; gradients 1 and 4.
        (moments[0], moments[64]) = (1.0, 0.5);
        (sums[0], sums[64]) = (3.0, 5.0);
        let mut output = [1.0; 2];
        let step = crate::cpu::test_step(1);
        let reads: [&[f32]; 4] = [&[-1.0, 3.0], &[1.0, 4.0], &moments, &sums];
        let options = (Activation::None, true);
        run(&norm, options, &step, &reads, &mut [&mut output], &mut Workers::new(1));
        // Two numbers have no freedom left once mean and variance are fixed.
        assert_eq!(output, [1.0, 1.0]);
    }
}
