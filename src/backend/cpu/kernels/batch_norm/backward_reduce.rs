//! Batch normalisation backward, sums: the gradients of scale and shift.

use super::Affine;
use crate::backend::cpu::context::Context;
use crate::backend::cpu::kernels::Run;
use crate::backend::cpu::operands::{Operands, slice_of};
use crate::backend::cpu::reduce::channel_sums::partial_sums;
use crate::backend::cpu::reduce::pixel_runs::{repeat_channels, run_pixels};
use crate::backend::cpu::scratch::{Scratch, grown};
use crate::error::Result;
use crate::kernel::{Activation, BatchNorm, BatchNormBackwardReduce};

impl Run for BatchNormBackwardReduce {
    fn run(&self, mut operands: Operands, context: &mut Context) -> Result<()> {
        let BatchNorm { pixels, channels, rescale, activation, .. } = self.norm;
        let input = operands.pixels(pixels, channels)?;
        let grad_output = slice_of(operands.pixels(pixels, channels)?);
        let moments = operands.pair(channels)?;
        let block = rescale.then(|| operands.pair(channels)).transpose()?;
        let mut sums = operands.pair_mut(channels)?;
        let (rows, input) = (input.nrows(), slice_of(input));
        let Scratch { elements, coefficients, .. } = &mut *context.scratch;
        let runs = grown(coefficients, 3 * run_pixels(channels) * channels);
        let [means, factors, offsets] = repeat_channels(channels, runs, |channel| {
            let affine = Affine::new(&moments, block.as_ref(), channel);
            let [factor, offset] = affine.factor_and_offset();
            [affine.mean, factor, offset]
        });
        let add = |rows: std::ops::Range<usize>, [products, gradients]: [&mut [f32]; 2]| {
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
                        let g = g * activation.derivative(activation.apply(x * factor + offset));
                        *product += g * (x - mean);
                        *gradient += g;
                    }
                }
            }
        };
        let partials = partial_sums::<2>(rows, channels, elements, context.pool, add);
        partials.total(0, sums.first.view_mut());
        sums.first *= &moments.second;
        partials.total(1, sums.second);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::cpu::run_alone;

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
        // Normalised: −2, 2, 4.
        let reads: [&[f32]; 3] = [&[0.0, 2.0, 3.0], &[1.0, 10.0, 100.0], &moments];
        run_alone(BatchNormBackwardReduce { norm }, 1, &reads, &mut [&mut sums]);
        assert_eq!([sums[0], sums[1], sums[64]], [420.0, 0.0, 110.0]);
    }
}
