//! Convolution backward to its input: `grad_output, block, (input) → grad_input`.
//!
//! Input rows fall into as many phases as the stride has rows (columns alike). The pixels of one phase meet the same
//! kernel positions, so each phase is a stride-1 convolution of `grad_output` with those positions in reverse order.

use crate::backend::cpu::matmul::product::{Epilogue, Placement, Product};
use crate::backend::cpu::matmul::windows::Windows;
use crate::backend::cpu::threads::Workers;
use crate::kernel::{Activation, Convolution, StepInputs};
use crate::shape::Shape;

pub(crate) fn run(
    convolution: &Convolution,
    (input_activation, accumulate): (Activation, bool),
    step: &StepInputs,
    reads: &[&[f32]],
    writes: &mut [&mut [f32]],
    workers: &mut Workers,
) {
    let (grad_output, block) = (reads[0], reads[1]);
    let values = reads.get(2).copied().unwrap_or(&[]);
    let epilogue = Epilogue::Gradient { activation: input_activation, values, accumulate };
    let (input, window) = (convolution.input, &convolution.window);
    let grad_input = &mut *writes[0];
    let axis = |axis| {
        let size = [input.height, input.width][axis];
        let (kernel, stride) = (window.kernel_size[axis], window.stride[axis]);
        (0..stride).map(move |start| Phase::new(start, size, kernel, stride, window.offset[axis]))
    };
    let unreached = |phase: &Phase| phase.taps == 0;
    if !accumulate && (axis(0).any(|phase| unreached(&phase)) || axis(1).any(|p| unreached(&p))) {
        workers.elementwise(grad_input, |_, part| part.fill(0.0));
    }
    for down in axis(0).filter(|phase| phase.taps > 0 && phase.count > 0) {
        for across in axis(1).filter(|phase| phase.taps > 0 && phase.count > 0) {
            let product = Product {
                batch_size: step.batch_size,
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
                epilogue,
            };
            let row = |k: usize, n: usize, row: &mut [f32]| {
                weight_row(convolution, block, [&down, &across], k, n, row);
            };
            product.run(row, grad_input, workers);
        }
    }
}

/// Row `k` (kernel position in reverse, then output channel) of the transposed weights, input channels from `n` on.
fn weight_row(
    convolution: &Convolution,
    block: &[f32],
    [down, across]: [&Phase; 2],
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
    for (i, number) in row.iter_mut().enumerate() {
        *number = block[(first + i) * outputs + o];
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
    use crate::backend::cpu::kernels::conv2d::forward;

    fn grad_input(case: &Case, options: (Activation, bool), threads: usize) -> Vec<f32> {
        let mut grad_input = vec![0.5; case.input.len()];
        let step = crate::backend::cpu::test_step(case.batch_size);
        let reads: [&[f32]; 3] = [&case.grad_output, &case.block, &case.input];
        let (writes, mut workers) = (&mut [grad_input.as_mut_slice()], Workers::new(threads));
        run(&case.convolution, options, &step, &reads, writes, &mut workers);
        grad_input
    }

    /// Forward without bias is linear in the input, and this is its transpose: `⟨A x, g⟩ = ⟨x, Aᵀ g⟩`.
    #[test]
    fn is_the_transpose_of_forward() {
        for mut case in cases() {
            case.block[case.convolution.kernel_len()..].fill(0.0);
            let mut output = vec![0.0; case.grad_output.len()];
            let step = crate::backend::cpu::test_step(case.batch_size);
            let reads: [&[f32]; 2] = [&case.input, &case.block];
            let (writes, mut workers) = (&mut [output.as_mut_slice()], Workers::new(1));
            let plain = (Activation::None, None);
            forward::run(&case.convolution, plain, &step, &reads, writes, &mut workers);
            let expected = inner_product(&output, &case.grad_output);
            let found =
                inner_product(&case.input, &grad_input(&case, (Activation::None, false), 2));
            let size = 1.0 + expected.abs();
            assert!((found - expected).abs() < 1e-4 * size, "{:?}", case.convolution);
        }
    }

    #[test]
    fn masks_and_accumulates() {
        for case in cases() {
            let plain = grad_input(&case, (Activation::None, false), 1);
            let both = grad_input(&case, (Activation::Relu, true), 1);
            for ((plain, both), input) in plain.iter().zip(&both).zip(&case.input) {
                let expected = 0.5 + plain * Activation::Relu.slope(*input);
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
