//! Batch normalisation backward to its input:
//! `grad_input = scale · inverse · (g − mean(g) − normalised · mean(g · normalised))`.

use super::Affine;
use crate::backend::cpu::context::Context;
use crate::backend::cpu::kernels::Run;
use crate::backend::cpu::operands::{Operands, slice_of, slice_of_mut};
use crate::backend::cpu::reduce::channel_sums::chunk_rows;
use crate::backend::cpu::reduce::pixel_runs::{repeat_channels, run_pixels};
use crate::backend::cpu::scratch::grown;
use crate::backend::cpu::simd::{Simd, Vectorized, map_lanes};
use crate::error::Result;
use crate::kernel::{Activation, BatchNorm, BatchNormBackwardInput};
use ndarray::s;

impl Run for BatchNormBackwardInput {
    fn run(&self, mut operands: Operands, context: &mut Context) -> Result<()> {
        let &Self { norm, input_activation, accumulate } = self;
        let BatchNorm { pixels, channels, rescale, activation, .. } = norm;
        let input = operands.pixels(pixels, channels)?;
        let grad_output = operands.pixels(pixels, channels)?;
        let moments = operands.pair(channels)?;
        let sums = operands.pair(channels)?;
        let block = rescale.then(|| operands.pair(channels)).transpose()?;
        let grad_input = operands.pixels_mut(pixels, channels)?;
        let share = 1.0 / input.nrows() as f32;
        let runs = grown(&mut context.scratch.coefficients, 5 * run_pixels(channels) * channels);
        let coefficients = repeat_channels(channels, runs, |channel| {
            let affine = Affine::new(&moments, block.as_ref(), channel);
            let [factor, offset] = affine.factor_and_offset();
            let [mean_product, mean_gradient] =
                [sums.first[channel], sums.second[channel]].map(|sum| sum * share);
            let pull = factor * affine.inverse * mean_product;
            [factor, offset, -mean_gradient, -pull, -affine.mean]
        });
        let instructions = context.pool.instructions;
        context.pool.chunks([grad_input], chunk_rows(channels), |rows, [grad_input]| {
            instructions.vectorize(Chunk {
                activation,
                input_activation,
                accumulate,
                coefficients,
                input: slice_of(input.slice(s![rows.clone(), ..])),
                grad_output: slice_of(grad_output.slice(s![rows, ..])),
                output: slice_of_mut(grad_input),
            });
        });
        Ok(())
    }
}

/// Runs of pixels that follow each other.
struct Chunk<'a> {
    activation: Activation,
    input_activation: Activation,
    accumulate: bool,
    /// Factor and offset of the normalisation, then minus: mean gradient, what pulls back to the mean, the mean.
    coefficients: [&'a [f32]; 5],
    input: &'a [f32],
    grad_output: &'a [f32],
    output: &'a mut [f32],
}

impl Vectorized for Chunk<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        // SAFETY: `S` is there by the caller's promise.
        unsafe {
            match (self.activation, self.input_activation) {
                (Activation::None, Activation::None) => self.each_vector::<S>(|g, _| g, |g, _| g),
                (Activation::None, Activation::Relu) => {
                    self.each_vector::<S>(|g, _| g, |g, x| S::where_positive(x, g))
                }
                (activation, input_activation) => self.each_vector::<S>(
                    |g, z| {
                        map_lanes::<S>(g, z, |g, z| g * activation.derivative(activation.apply(z)))
                    },
                    |g, x| map_lanes::<S>(g, x, |g, x| g * input_activation.derivative(x)),
                ),
            }
        }
    }
}

impl Chunk<'_> {
    /// `before(g, z)` is the gradient before the normalisation's own activation of `z`, `after(g, x)` the one before the
    /// activation that made `x`.
    ///
    /// # Safety
    /// As [`Simd`].
    #[inline(always)]
    unsafe fn each_vector<S: Simd>(
        self,
        before: impl Fn(S::Vector, S::Vector) -> S::Vector,
        after: impl Fn(S::Vector, S::Vector) -> S::Vector,
    ) {
        let run = self.coefficients[0].len();
        assert!(self.coefficients.iter().all(|coefficients| coefficients.len() == run));
        assert!(self.input.len() == self.output.len());
        assert!(self.grad_output.len() == self.output.len());
        let output = self.output.as_mut_ptr();
        for start in (0..self.output.len()).step_by(run) {
            let len = run.min(self.output.len() - start);
            for i in (0..len).step_by(S::LANES) {
                let (at, count) = (start + i, S::LANES.min(len - i));
                // SAFETY: vectors end within the run by `count`, and so within all slices by the assertions.
                unsafe {
                    let [factor, offset, gradient, pull, mean] =
                        self.coefficients.map(|all| S::load_up_to(all.as_ptr().add(i), count));
                    let x = S::load_up_to(self.input.as_ptr().add(at), count);
                    let g = S::load_up_to(self.grad_output.as_ptr().add(at), count);
                    let g = before(g, S::mul_add(x, factor, offset));
                    // factor · (g − mean(g)) − pull · (x − mean)
                    let g = S::mul_add(S::add(g, gradient), factor, S::splat(0.0));
                    let mut g = after(S::mul_add(S::add(x, mean), pull, g), x);
                    let to = output.add(at);
                    if self.accumulate {
                        g = S::add(g, S::load_up_to(to, count));
                    }
                    S::store_up_to(to, g, count);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::cpu::run_alone;

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
        let reads: [&[f32]; 4] = [&[-1.0, 3.0], &[1.0, 4.0], &moments, &sums];
        let input_activation = Activation::None;
        let kernel = BatchNormBackwardInput { norm, input_activation, accumulate: true };
        run_alone(kernel, 1, &reads, &mut [&mut output]);
        // Two numbers have no freedom left once mean and variance are fixed.
        assert_eq!(output, [1.0, 1.0]);
    }
}
