//! Convolution forward.

use crate::backend::cpu::context::Context;
use crate::backend::cpu::kernels::Run;
use crate::backend::cpu::kernels::batch_norm::Affine;
use crate::backend::cpu::matmul::epilogue::{Epilogue, NextNorm, RunningNorm};
use crate::backend::cpu::matmul::product::{Packing, Placement, Product};
use crate::backend::cpu::matmul::windows::Windows;
use crate::backend::cpu::operands::{Operands, Pair, slice_of, slice_of_mut};
use crate::backend::cpu::scratch::{Scratch, grown};
use crate::error::Result;
use crate::kernel::{BatchNorm, Conv2dForward};

impl Run for Conv2dForward {
    fn run(&self, mut operands: Operands, context: &mut Context) -> Result<()> {
        let &Self { convolution, activation, norm } = self;
        let channels = convolution.output.channels;
        let input = operands.batch(convolution.input)?;
        let block = operands.convolution(&convolution)?;
        let norm = norm.map(|norm| FoldedNorm::take(norm, &mut operands)).transpose()?;
        let output = operands.batch_mut(convolution.output)?;

        let Context { step, pool, scratch, packed, moments } = context;
        let Scratch { elements, coefficients, .. } = &mut **scratch;
        let windows = Windows::of(&convolution);
        let blocks;
        let norm = match (&norm, moments) {
            (Some(norm), _) => {
                NextNorm::Running(norm.coefficients(grown(coefficients, 2 * channels)))
            }
            (None, Some(moments)) => {
                let cut = windows.blocks(step.batch_size);
                blocks = moments.start(cut.count, cut.rows * windows.count[1], channels);
                NextNorm::Batch(&blocks)
            }
            (None, None) => NextNorm::Apart,
        };
        let product = Product {
            batch_size: step.batch_size,
            windows,
            input: slice_of(input),
            placement: Placement { output: convolution.output, start: [0; 2], step: [1; 2] },
            epilogue: Epilogue::Forward { bias: slice_of(block.bias), activation, norm },
        };
        // The kernel, HWIO, is the weight matrix as it stands.
        let weights = slice_of(block.kernel);
        let row = |k: usize, n: usize, row: &mut [f32]| {
            row.copy_from_slice(&weights[k * channels + n..][..row.len()]);
        };
        let packing = match packed {
            Some(kept) => Packing::Kept(kept),
            None => Packing::EachRun(elements),
        };
        product.run(row, slice_of_mut(output), packing, pool);
        Ok(())
    }
}

/// A normalisation by running statistics that a convolution does as it stores.
pub(in crate::backend::cpu::kernels) struct FoldedNorm<'a> {
    norm: BatchNorm,
    running: Pair<'a>,
    block: Option<Pair<'a>>,
}

impl<'a> FoldedNorm<'a> {
    /// Takes the running statistics, and scale and shift where there are any.
    pub(in crate::backend::cpu::kernels) fn take(
        norm: BatchNorm,
        operands: &mut Operands<'a, '_>,
    ) -> Result<Self> {
        let running = operands.pair(norm.channels)?;
        let block = norm.rescale.then(|| operands.pair(norm.channels)).transpose()?;
        Ok(Self { norm, running, block })
    }

    /// Writes each channel's factor and offset to a buffer for twice as many elements.
    pub(in crate::backend::cpu::kernels) fn coefficients<'b>(
        &self,
        buffer: &'b mut [f32],
    ) -> RunningNorm<'b> {
        let (factors, offsets) = buffer.split_at_mut(self.norm.channels);
        for (channel, (factor, offset)) in factors.iter_mut().zip(offsets.iter_mut()).enumerate() {
            let affine =
                Affine::of_running(&self.norm, &self.running, self.block.as_ref(), channel);
            [*factor, *offset] = affine.factor_and_offset();
        }
        RunningNorm { factors, offsets, activation: self.norm.activation }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::cpu::kernels::conv2d::cases::{Case, cases};
    use crate::backend::cpu::run_on;
    use crate::kernel::{Activation, Convolution};

    /// The definition, one number at a time.
    fn by_definition(case: &Case, activation: Activation) -> Vec<f32> {
        let Convolution { input, output, window } = case.convolution;
        let mut numbers = Vec::new();
        for pixel in 0..case.batch_size * output.pixels() {
            let (sample, pixel) = (pixel / output.pixels(), pixel % output.pixels());
            for n in 0..output.channels {
                let mut sum = case.block[case.convolution.bias_offset() + n];
                for k in 0..case.convolution.depth() {
                    let (tap, channel) = (k / input.channels, k % input.channels);
                    let position = [tap / window.kernel_size[1], tap % window.kernel_size[1]];
                    let at = [pixel / output.width, pixel % output.width];
                    let [y, x] = [0, 1].map(|axis| {
                        (at[axis] * window.stride[axis] + position[axis]) as isize
                            - window.offset[axis]
                    });
                    let inside = (0..input.height as isize).contains(&y)
                        && (0..input.width as isize).contains(&x);
                    if inside {
                        let pixel = sample * input.pixels() + y as usize * input.width + x as usize;
                        sum += case.input[pixel * input.channels + channel]
                            * case.block[k * output.channels + n];
                    }
                }
                numbers.push(activation.apply(sum));
            }
        }
        numbers
    }

    #[test]
    fn equals_the_definition_on_any_number_of_threads() {
        for case in cases() {
            let expected = by_definition(&case, Activation::Relu);
            for threads in [1, 2] {
                let mut output = vec![9.0; expected.len()];
                let kernel = Conv2dForward {
                    convolution: case.convolution,
                    activation: Activation::Relu,
                    norm: None,
                };
                let reads: [&[f32]; 2] = [&case.input, &case.block];
                run_on(threads, kernel, case.batch_size, &reads, &mut [&mut output]);
                for (found, expected) in output.iter().zip(&expected) {
                    assert!((found - expected).abs() < 1e-4, "{:?}", case.convolution);
                }
            }
        }
    }
}
