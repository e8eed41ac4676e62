//! Convolution forward: `input, block, (running), (norm's block) → output`.

use crate::backend::cpu::kernels::batch_norm::normalize::Affine;
use crate::backend::cpu::kernels::batch_norm::running::inverse_deviation;
use crate::backend::cpu::matmul::product::{Epilogue, NextNorm, Placement, Product, RunningNorm};
use crate::backend::cpu::matmul::windows::Windows;
use crate::backend::cpu::threads::{Workers, grown};
use crate::kernel::{Activation, BatchNorm, Convolution, StepInputs, round_up_to_row};

pub(crate) fn run(
    convolution: &Convolution,
    (activation, norm): (Activation, Option<&BatchNorm>),
    step: &StepInputs,
    reads: &[&[f32]],
    writes: &mut [&mut [f32]],
    workers: &mut Workers,
) {
    let (input, block) = (reads[0], reads[1]);
    let channels = convolution.output.channels;
    let bias = &block[convolution.bias_offset()..][..channels];
    let windows = Windows::of(convolution);
    let mut coefficients = std::mem::take(&mut workers.coefficients);
    let mut moments = std::mem::take(&mut workers.moments);
    let blocks;
    let norm = match norm {
        Some(norm) => {
            let affine = grown(&mut coefficients, 2 * channels);
            let (factors, offsets) = affine.split_at_mut(channels);
            let block = reads.get(3).copied();
            NextNorm::Running(running_norm(norm, reads[2], block, factors, offsets))
        }
        None if moments.shared => {
            let cut = windows.blocks(step.batch_size);
            blocks = moments.start(cut.count, cut.rows * windows.count[1], channels);
            NextNorm::Batch(&blocks)
        }
        None => NextNorm::Apart,
    };
    let product = Product {
        batch_size: step.batch_size,
        windows,
        input,
        placement: Placement { output: convolution.output, start: [0; 2], step: [1; 2] },
        epilogue: Epilogue::Forward { bias, activation, norm },
    };
    // The kernel, HWIO, is the weight matrix as it stands.
    let row = |k: usize, n: usize, row: &mut [f32]| {
        row.copy_from_slice(&block[k * channels + n..][..row.len()]);
    };
    product.run(row, writes[0], workers);
    workers.coefficients = coefficients;
    workers.moments = moments;
}

/// What a normalisation by `running` statistics does to each channel.
fn running_norm<'a>(
    norm: &BatchNorm,
    running: &[f32],
    block: Option<&[f32]>,
    factors: &'a mut [f32],
    offsets: &'a mut [f32],
) -> RunningNorm<'a> {
    let second = round_up_to_row(norm.channels);
    for (channel, (factor, offset)) in factors.iter_mut().zip(offsets.iter_mut()).enumerate() {
        let affine = Affine {
            mean: running[channel],
            inverse: inverse_deviation(norm, running[second + channel]),
            scale: block.map_or(1.0, |block| block[channel]),
            shift: block.map_or(0.0, |block| block[second + channel]),
        };
        [*factor, *offset] = affine.factor_and_offset();
    }
    RunningNorm { factors, offsets, activation: norm.activation }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::cpu::kernels::conv2d::cases::{Case, cases};

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
                let step = crate::backend::cpu::test_step(case.batch_size);
                run(
                    &case.convolution,
                    (Activation::Relu, None),
                    &step,
                    &[&case.input, &case.block],
                    &mut [&mut output],
                    &mut Workers::new(threads),
                );
                for (found, expected) in output.iter().zip(&expected) {
                    assert!((found - expected).abs() < 1e-4, "{:?}", case.convolution);
                }
            }
        }
    }
}
