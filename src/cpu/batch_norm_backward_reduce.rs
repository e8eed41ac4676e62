//! Batch normalisation backward, sums: `input, grad_output, moments, (block) → sums`.

use super::batch_norm_normalize::Affine;
use super::channel_sums::{partial_sums, total};
use super::workers::Workers;
use crate::kernel::{Activation, BatchNorm, StepInputs, round_up_to_row};

pub(super) fn run(
    norm: &BatchNorm,
    step: &StepInputs,
    reads: &[&[f32]],
    writes: &mut [&mut [f32]],
    workers: &mut Workers,
) {
    let (input, grad_output, moments) = (reads[0], reads[1], reads[2]);
    let block = if norm.rescale { reads.get(3).copied() } else { None };
    let channels = norm.channels;
    let rows = step.batch_size * norm.pixels;
    partial_sums::<2>(rows, channels, workers, |rows, [products, gradients]| {
        let range = rows.start * channels..rows.end * channels;
        let pairs = input[range.clone()].chunks_exact(channels);
        for (input, gradient) in pairs.zip(grad_output[range].chunks_exact(channels)) {
            for channel in 0..channels {
                let affine = Affine::new(moments, block, channels, channel);
                let g = gradient[channel] * affine.slope(norm.activation, input[channel]);
                products[channel] += g * affine.normalised(input[channel]);
                gradients[channel] += g;
            }
        }
    });
    let (products, rest) = writes[0].split_at_mut(round_up_to_row(channels));
    let (products, zeros) = products.split_at_mut(channels);
    zeros.fill(0.0);
    total::<2>(channels, rows, workers, [products, &mut rest[..channels]]);
}

impl Affine {
    /// The input before scale and shift.
    #[inline(always)]
    pub(super) fn normalised(&self, input: f32) -> f32 {
        (input - self.mean) * self.inverse
    }

    /// Slope of the activation that follows.
    #[inline(always)]
    pub(super) fn slope(&self, activation: Activation, input: f32) -> f32 {
        match activation {
            Activation::None => 1.0,
            other => other.slope(other.apply(self.normalised(input) * self.scale + self.shift)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_where_the_activation_lets_the_gradient_through() {
        let norm = BatchNorm {
            pixels: 3,
            channels: 1,
            epsilon: 0.0,
            momentum: 0.1,
            rescale: false,
            activation: Activation::Relu,
        };
        let mut moments = [0.0; 65];
        (moments[0], moments[64]) = (1.0, 2.0);
        let mut sums = [9.0; 65];
        let step = crate::cpu::test_step(1);
        // Normalised: −2, 2, 4.
        let reads: [&[f32]; 3] = [&[0.0, 2.0, 3.0], &[1.0, 10.0, 100.0], &moments];
        run(&norm, &step, &reads, &mut [&mut sums], &mut Workers::new(1));
        assert_eq!([sums[0], sums[1], sums[64]], [420.0, 0.0, 110.0]);
    }
}
