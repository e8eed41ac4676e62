//! Batch normalisation backward, sums: `input, grad_output, moments, (block) → sums`.

use crate::backend::cpu::kernels::batch_norm::normalize::Affine;
use crate::backend::cpu::reduce::channel_sums::{partial_sums, total};
use crate::backend::cpu::reduce::pixel_runs::{repeat_channels, run_pixels};
use crate::backend::cpu::threads::{Workers, grown};
use crate::kernel::{Activation, BatchNorm, StepInputs, round_up_to_row};

pub(crate) fn run(
    norm: &BatchNorm,
    step: &StepInputs,
    reads: &[&[f32]],
    writes: &mut [&mut [f32]],
    workers: &mut Workers,
) {
    let (input, grad_output, moments) = (reads[0], reads[1], reads[2]);
    let block = if norm.rescale { reads.get(3).copied() } else { None };
    let (channels, activation) = (norm.channels, norm.activation);
    let rows = step.batch_size * norm.pixels;
    let mut coefficients = std::mem::take(&mut workers.coefficients);
    let runs = grown(&mut coefficients, 3 * run_pixels(channels) * channels);
    let [means, factors, offsets] = repeat_channels(channels, runs, |channel| {
        let affine = Affine::new(moments, block, channels, channel);
        let [factor, offset] = affine.factor_and_offset();
        [affine.mean, factor, offset]
    });
    partial_sums::<2>(rows, channels, workers, |rows, [products, gradients]| {
        let range = rows.start * channels..rows.end * channels;
        let runs = input[range.clone()].chunks(means.len());
        for (x, g) in runs.zip(grad_output[range].chunks(means.len())) {
            let sums = products.iter_mut().zip(&mut *gradients).zip(means);
            if activation == Activation::None {
                for (((product, gradient), mean), (x, g)) in sums.zip(x.iter().zip(g)) {
                    *product += g * (x - mean);
                    *gradient += g;
                }
            } else {
                let affine = factors.iter().zip(offsets);
                for ((((product, gradient), mean), (x, g)), (factor, offset)) in
                    sums.zip(x.iter().zip(g)).zip(affine)
                {
                    let g = g * activation.slope(activation.apply(x * factor + offset));
                    *product += g * (x - mean);
                    *gradient += g;
                }
            }
        }
    });
    workers.coefficients = coefficients;
    let second = round_up_to_row(channels);
    let (products, gradients) = writes[0].split_at_mut(second);
    let (products, zeros) = products.split_at_mut(channels);
    zeros.fill(0.0);
    total(0, 2, channels, rows, workers, products);
    for (product, inverse) in products.iter_mut().zip(&moments[second..]) {
        *product *= inverse;
    }
    total(1, 2, channels, rows, workers, &mut gradients[..channels]);
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
        let step = crate::backend::cpu::test_step(1);
        // Normalised: −2, 2, 4.
        let reads: [&[f32]; 3] = [&[0.0, 2.0, 3.0], &[1.0, 10.0, 100.0], &moments];
        run(&norm, &step, &reads, &mut [&mut sums], &mut Workers::new(1));
        assert_eq!([sums[0], sums[1], sums[64]], [420.0, 0.0, 110.0]);
    }
}
