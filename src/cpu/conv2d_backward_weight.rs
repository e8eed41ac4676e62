//! Convolution backward to its parameters: `input, grad_output → grad_block`.
//!
//! `grad_kernel[k, n] = Σ_pixels window(pixel)[k] · grad_output[pixel, n]`. A task owns rows `k` of one window row, so
//! nothing is summed across threads.

use super::channel_sums::channel_sums;
use super::gather::{Located, Windows};
use super::simd::{Portable, Simd};
use super::workers::{Disjoint, Workers, grown};
use crate::kernel::{Convolution, StepInputs};
use std::ops::Range;

/// Window numbers of a tile.
const TILE: usize = 4;
/// Vectors across a tile.
const VECTORS: usize = 2;
/// Output channels of a tile.
const PANEL: usize = VECTORS * Portable::LANES;
/// Padded input at a time, in numbers: 8 MiB.
const MOST_PADDED: usize = 2 << 20;
/// Pixels that a tile sums before the next tile has its turn on them.
const PIXELS: usize = 128;
/// Window numbers of a task, a multiple of `TILE`.
const TASK: usize = 16;

pub(super) fn run(
    convolution: &Convolution,
    step: &StepInputs,
    reads: &[&[f32]],
    writes: &mut [&mut [f32]],
    workers: &mut Workers,
) {
    let (input, grad_output) = (reads[0], reads[1]);
    let block = &mut *writes[0];
    let channels = convolution.output.channels;
    let (kernel, rest) = block.split_at_mut(convolution.kernel_len());
    let (zeros, bias) = rest.split_at_mut(convolution.bias_offset() - convolution.kernel_len());
    zeros.fill(0.0);
    channel_sums(grad_output, channels, &mut bias[..channels], workers);

    let windows = Windows::of(convolution);
    let (sample_len, grad_len) = (convolution.input.len(), convolution.output.len());
    let padded_sample = windows.scratch_len(windows.count[0]).max(1);
    let samples_at_once = (MOST_PADDED / padded_sample).clamp(1, step.batch_size);
    let rows = samples_at_once * windows.count[0];
    let mut padded = std::mem::take(&mut workers.shared);
    let mut offsets = std::mem::take(&mut workers.offsets);
    let kernel = Disjoint::new(kernel);
    for first in (0..step.batch_size).step_by(samples_at_once) {
        let samples = samples_at_once.min(step.batch_size - first);
        let located = windows.locate(
            &input[first * sample_len..(first + samples) * sample_len],
            0..samples * windows.count[0],
            grown(&mut padded, windows.scratch_len(rows)),
            grown(&mut offsets, samples * convolution.output.pixels()),
        );
        let grad_output = &grad_output[first * grad_len..(first + samples) * grad_len];
        let sum = Sum { windows: &windows, channels, located, grad_output, add: first > 0 };
        let tasks_per_row = windows.row_len().div_ceil(TASK);
        workers.run(windows.size[0] * tasks_per_row, |task, _| {
            let first = task % tasks_per_row * TASK;
            let part = first..windows.row_len().min(first + TASK);
            sum.run(task / tasks_per_row, part, &kernel);
        });
    }
    workers.shared = padded;
    workers.offsets = offsets;
}

/// The sum over the pixels of some samples.
struct Sum<'a> {
    windows: &'a Windows,
    channels: usize,
    located: Located<'a>,
    grad_output: &'a [f32],
    /// Whether the kernel holds the sum over former samples.
    add: bool,
}

impl Sum<'_> {
    /// Numbers `part` of window row `row`.
    fn run(&self, row: usize, part: Range<usize>, kernel: &Disjoint) {
        let channels = self.channels;
        let first = (row * self.windows.row_len() + part.start) * channels;
        // SAFETY: each task has rows of its own.
        let kernel = unsafe { kernel.slice(first..first + part.len() * channels) };
        for (block, offsets) in self.located.offsets.chunks(PIXELS).enumerate() {
            let gradients = &self.grad_output[block * PIXELS * channels..];
            let add = self.add || block > 0;
            for k in (0..part.len()).step_by(TILE) {
                let at = row * self.located.row_stride + part.start + k;
                let rows = &mut kernel[k * channels..part.len().min(k + TILE) * channels];
                if rows.len() == TILE * channels {
                    self.tile_row::<TILE>(offsets, at, gradients, rows, add);
                } else {
                    for (i, row) in rows.chunks_exact_mut(channels).enumerate() {
                        self.tile_row::<1>(offsets, at + i, gradients, row, add);
                    }
                }
            }
        }
    }

    /// `ROWS` window numbers from `at` on, all channels.
    fn tile_row<const ROWS: usize>(
        &self,
        offsets: &[usize],
        at: usize,
        gradients: &[f32],
        rows: &mut [f32],
        add: bool,
    ) {
        let channels = self.channels;
        // The first number past the last window number read.
        let end = offsets.iter().max().map_or(0, |last| last + at + ROWS);
        assert!(end <= self.located.numbers.len() && offsets.len() * channels <= gradients.len());
        let mut channel = 0;
        while channel + PANEL <= channels {
            // SAFETY: windows and gradients are in bounds by the assertion; `rows` holds ROWS × channels numbers.
            unsafe {
                tile_sums::<Portable, ROWS, VECTORS>(
                    (self.located.numbers.as_ptr().add(at), offsets),
                    gradients.as_ptr().add(channel),
                    channels,
                    rows.as_mut_ptr().add(channel),
                    add,
                );
            }
            channel += PANEL;
        }
        for channel in channel..channels {
            for i in 0..ROWS {
                let products = offsets.iter().enumerate().map(|(pixel, &offset)| {
                    self.located.numbers[offset + at + i] * gradients[pixel * channels + channel]
                });
                let sum = products.sum::<f32>();
                let number = &mut rows[i * channels + channel];
                *number = if add { *number + sum } else { sum };
            }
        }
    }
}

/// Sums of a tile over pixels: `ROWS` numbers of each window × `WIDTH` vectors of channels.
///
/// # Safety
/// As [`Simd`]; all windows and gradients are readable, `rows` (`ROWS` × `channels`) is writable.
#[inline(always)]
unsafe fn tile_sums<S: Simd, const ROWS: usize, const WIDTH: usize>(
    (numbers, offsets): (*const f32, &[usize]),
    gradients: *const f32,
    channels: usize,
    rows: *mut f32,
    add: bool,
) {
    // SAFETY: by the caller's promise.
    unsafe {
        let mut acc = [[S::splat(0.0); WIDTH]; ROWS];
        if add {
            for (i, acc) in acc.iter_mut().enumerate() {
                for (v, acc) in acc.iter_mut().enumerate() {
                    *acc = S::load(rows.add(i * channels + v * S::LANES));
                }
            }
        }
        let mut gradient = gradients;
        for &offset in offsets {
            let window = numbers.add(offset);
            let mut columns = [S::splat(0.0); WIDTH];
            for (v, column) in columns.iter_mut().enumerate() {
                *column = S::load(gradient.add(v * S::LANES));
            }
            for (i, acc) in acc.iter_mut().enumerate() {
                let x = S::splat(*window.add(i));
                for (acc, column) in acc.iter_mut().zip(columns) {
                    *acc = S::mul_add(x, column, *acc);
                }
            }
            gradient = gradient.add(channels);
        }
        for (i, acc) in acc.iter().enumerate() {
            for (v, &vector) in acc.iter().enumerate() {
                S::store(rows.add(i * channels + v * S::LANES), vector);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::conv2d_cases::{cases, inner_product};
    use crate::cpu::conv2d_forward;
    use crate::kernel::Activation;

    /// Forward is linear in kernel and bias, and this is its transpose.
    #[test]
    fn is_the_transpose_of_forward() {
        for case in cases() {
            let mut output = vec![0.0; case.grad_output.len()];
            let step = crate::cpu::test_step(case.batch_size);
            let mut workers = Workers::new(2);
            let reads: [&[f32]; 2] = [&case.input, &case.block];
            let writes = &mut [output.as_mut_slice()];
            let none = Activation::None;
            conv2d_forward::run(&case.convolution, none, &step, &reads, writes, &mut workers);
            let mut gradients = vec![9.0; case.block.len()];
            let reads: [&[f32]; 2] = [&case.input, &case.grad_output];
            let writes = &mut [gradients.as_mut_slice()];
            run(&case.convolution, &step, &reads, writes, &mut workers);
            let expected = inner_product(&output, &case.grad_output);
            let found = inner_product(&gradients, &case.block);
            let size = 1.0 + expected.abs();
            assert!((found - expected).abs() < 1e-4 * size, "{:?}", case.convolution);
            let zeros = case.convolution.kernel_len()..case.convolution.bias_offset();
            assert!(gradients[zeros].iter().all(|&x| x == 0.0));
        }
    }
}
