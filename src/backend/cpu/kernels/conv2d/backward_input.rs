//! Convolution backward to its input.
//!
//! Input rows fall into as many phases as the stride has rows (columns alike). The pixels of one phase meet the same
//! kernel positions, so each phase is a stride-1 convolution of `grad_output` with those positions in reverse order.

use crate::backend::cpu::context::Context;
use crate::backend::cpu::kernels::Run;
use crate::backend::cpu::matmul::epilogue::Epilogue;
use crate::backend::cpu::matmul::product::{Packing, Placement, Product};
use crate::backend::cpu::matmul::windows::Windows;
use crate::backend::cpu::operands::{Operands, slice_of, slice_of_mut};
use crate::error::Result;
use crate::kernel::{Activation, Conv2dBackwardInput, Convolution};
use crate::shape::Shape;
use ndarray::ArrayViewMut1;

impl Run for Conv2dBackwardInput {
    fn run(&self, mut operands: Operands, context: &mut Context) -> Result<()> {
        let Self { convolution, input_activation: activation, accumulate } = *self;
        let (input, window) = (convolution.input, &convolution.window);
        let grad_output = slice_of(operands.batch(convolution.output)?);
        let block = operands.convolution(&convolution)?;
        let values = (activation != Activation::None).then(|| operands.batch(input)).transpose()?;
        let grad_input = slice_of_mut(operands.batch_mut(input)?);

        let values = values.map_or(&[][..], slice_of);
        let weights = slice_of(block.kernel);
        let axis = |axis| {
            let size = [input.height, input.width][axis];
            let (kernel, stride) = (window.kernel_size[axis], window.stride[axis]);
            (0..stride)
                .map(move |start| Phase::new(start, size, kernel, stride, window.offset[axis]))
        };
        let is_unreached = |phase: Phase| phase.taps == 0;
        if !accumulate && (axis(0).any(is_unreached) || axis(1).any(is_unreached)) {
            let grad_input = ArrayViewMut1::from(&mut *grad_input);
            context.pool.elementwise(grad_input, |_, mut part| part.fill(0.0));
        }
        let is_reached = |phase: &Phase| phase.taps > 0 && phase.count > 0;
        for down in axis(0).filter(is_reached) {
            for across in axis(1).filter(is_reached) {
                let product = Product {
                    batch_size: context.step.batch_size,
                    windows: Windows {
                        input: convolution.output,
                        count: [down.count, across.count],
                        start: [down.first_output, across.first_output],
                        stride: [1; 2],
                        size: [down.taps, across.taps],
                    },
                    input: grad_output,
                    placement: Placement {
                        output: input,
                        start: [down.start, across.start],
                        step: window.stride,
                    },
                    epilogue: Epilogue::Gradient { activation, values, accumulate },
                };
                let row = |k: usize, n: usize, row: &mut [f32]| {
                    weight_row(&convolution, weights, &down, &across, k, n, row);
                };
                let packing = Packing::EachRun(&mut context.scratch.elements);
                product.run(row, grad_input, packing, context.pool);
            }
        }
        Ok(())
    }
}

/// Fills row `k` (kernel position in reverse, then output channel) of the transposed weights, input channels from `n` on.
fn weight_row(
    convolution: &Convolution,
    weights: &[f32],
    down: &Phase,
    across: &Phase,
    k: usize,
    n: usize,
    row: &mut [f32],
) {
    let Shape { channels: outputs, .. } = convolution.output;
    let inputs = convolution.input.channels;
    let (tap, o) = (k / outputs, k % outputs);
    let y = down.kernel_position(tap / across.taps);
    let x = across.kernel_position(tap % across.taps);
    let first = (y * convolution.window.kernel_size[1] + x) * inputs + n;
    for (i, weight) in row.iter_mut().enumerate() {
        *weight = weights[(first + i) * outputs + o];
    }
}

/// Input positions `start, start + stride …` along one axis, and the kernel positions that reach them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Phase {
    /// First input position.
    start: usize,
    /// Input positions.
    count: usize,
    /// Kernel positions that reach them: `remainder`, `remainder + stride` …
    taps: usize,
    remainder: usize,
    stride: usize,
    /// Output position under the last of those kernel positions at `start`; the others follow.
    first_output: isize,
}

impl Phase {
    fn new(start: usize, size: usize, kernel: usize, stride: usize, offset: isize) -> Self {
        // Output i reaches input y through kernel position y + offset − i · stride.
        let position = start as isize + offset;
        let remainder = position.rem_euclid(stride as isize) as usize;
        let taps = kernel.saturating_sub(remainder).div_ceil(stride);
        Self {
            start,
            count: size.saturating_sub(start).div_ceil(stride),
            taps,
            remainder,
            stride,
            first_output: position.div_euclid(stride as isize) - (taps as isize - 1),
        }
    }

    fn kernel_position(&self, tap: usize) -> usize {
        self.remainder + self.stride * (self.taps - 1 - tap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::cpu::kernels::conv2d::cases::{Case, cases, inner_product};
    use crate::backend::cpu::run_on;
    use crate::kernel::Conv2dForward;

    fn grad_input(case: &Case, input_activation: Activation, accumulate: bool) -> Vec<f32> {
        let mut grad_input = vec![0.5; case.input.len()];
        let convolution = case.convolution;
        let kernel = Conv2dBackwardInput { convolution, input_activation, accumulate };
        let reads: [&[f32]; 3] = [&case.grad_output, &case.block, &case.input];
        let reads = if input_activation == Activation::None { &reads[..2] } else { &reads };
        run_on(2, kernel, case.batch_size, reads, &mut [&mut grad_input]);
        grad_input
    }

    /// Forward without bias is linear in the input, and this is its transpose: `⟨A x, g⟩ = ⟨x, Aᵀ g⟩`.
    #[test]
    fn is_the_transpose_of_forward() {
        for mut case in cases() {
            case.block[case.convolution.kernel_len()..].fill(0.0);
            let mut output = vec![0.0; case.grad_output.len()];
            let reads: [&[f32]; 2] = [&case.input, &case.block];
            let (convolution, activation) = (case.convolution, Activation::None);
            let forward = Conv2dForward { convolution, activation, norm: None };
            run_on(1, forward, case.batch_size, &reads, &mut [&mut output]);
            let expected = inner_product(&output, &case.grad_output);
            let found = grad_input(&case, Activation::None, false);
            let found = inner_product(&case.input, &found);
            let size = 1.0 + expected.abs();
            assert!((found - expected).abs() < 1e-4 * size, "{:?}", case.convolution);
        }
    }

    #[test]
    fn masks_and_accumulates() {
        for case in cases() {
            let plain = grad_input(&case, Activation::None, false);
            let both = grad_input(&case, Activation::Relu, true);
            for ((plain, both), input) in plain.iter().zip(&both).zip(&case.input) {
                let expected = 0.5 + plain * Activation::Relu.derivative(*input);
                assert!((both - expected).abs() < 1e-5, "{:?}", case.convolution);
            }
        }
    }

    #[test]
    fn phases_of_a_3_wide_kernel_at_stride_2() {
        // Output i covers inputs 2i − 1 … 2i + 1: even inputs meet the middle, odd ones both ends.
        let even = Phase::new(0, 8, 3, 2, 1);
        assert_eq!((even.count, even.taps, even.first_output), (4, 1, 0));
        assert_eq!(even.kernel_position(0), 1);
        let odd = Phase::new(1, 8, 3, 2, 1);
        assert_eq!((odd.count, odd.taps, odd.first_output), (4, 2, 0));
        assert_eq!([odd.kernel_position(0), odd.kernel_position(1)], [2, 0]);
    }
}
