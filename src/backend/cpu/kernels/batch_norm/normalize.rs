//! Batch normalisation, once mean and deviation are known.

use super::Affine;
use crate::backend::cpu::context::Context;
use crate::backend::cpu::kernels::{Run, activation::activate};
use crate::backend::cpu::operands::{Operands, slice_of, slice_of_mut};
use crate::backend::cpu::reduce::channel_sums::chunk_rows;
use crate::backend::cpu::reduce::pixel_runs::{repeat_channels, run_pixels};
use crate::backend::cpu::scratch::grown;
use crate::error::Result;
use crate::kernel::{BatchNorm, BatchNormNormalize};
use ndarray::{ArrayViewMut1, s};

impl Run for BatchNormNormalize {
    fn run(&self, mut operands: Operands, context: &mut Context) -> Result<()> {
        let BatchNorm { pixels, channels, rescale, activation, .. } = self.norm;
        let input = operands.pixels(pixels, channels)?;
        let moments = operands.pair(channels)?;
        let block = rescale.then(|| operands.pair(channels)).transpose()?;
        let output = operands.pixels_mut(pixels, channels)?;
        let runs = grown(&mut context.scratch.coefficients, 2 * run_pixels(channels) * channels);
        let [factors, offsets] = repeat_channels(channels, runs, |channel| {
            Affine::new(&moments, block.as_ref(), channel).factor_and_offset()
        });
        context.pool.chunks([output], chunk_rows(channels), |rows, [output]| {
            let input = slice_of(input.slice(s![rows, ..])).chunks(factors.len());
            let runs = slice_of_mut(output).chunks_mut(factors.len()).zip(input);
            for (output, input) in runs {
                let affine = factors.iter().zip(offsets);
                for ((y, &x), (&factor, &offset)) in output.iter_mut().zip(input).zip(affine) {
                    *y = x * factor + offset;
                }
                activate(activation, ArrayViewMut1::from(output));
            }
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::cpu::run_alone;
    use crate::kernel::Activation;

    #[test]
    fn scales_shifts_and_activates() {
        let norm = BatchNorm {
            pixels: 2,
            channels: 2,
            epsilon: 0.0,
            momentum: 0.1,
            rescale: true,
            activation: Activation::Relu,
        };
        let (mut moments, mut block) = ([0.0; 66], [0.0; 66]);
        (moments[0], moments[64], block[0], block[64]) = (1.0, 0.5, 4.0, 1.0);
        (moments[1], moments[65], block[1], block[65]) = (0.0, 1.0, -1.0, 0.0);
        let mut output = [0.0; 4];
        let reads: [&[f32]; 3] = [&[2.0, 3.0, 0.0, -3.0], &moments, &block];
        run_alone(BatchNormNormalize { norm }, 1, &reads, &mut [&mut output]);
        assert_eq!(output, [3.0, 0.0, 0.0, 3.0]);
    }
}
