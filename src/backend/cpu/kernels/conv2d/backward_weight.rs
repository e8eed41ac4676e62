//! Convolution backward to its parameters: `input, grad_output → grad_block`.
//!
//! `grad_kernel[k, n] = Σ_pixels window(pixel)[k] · grad_output[pixel, n]`. A task owns rows `k` of one window row, so
//! nothing is summed across threads.

use crate::backend::cpu::matmul::windows::{Located, Windows};
use crate::backend::cpu::reduce::channel_sums::channel_sums;
use crate::backend::cpu::simd::{MOST_LANES, Simd, Vectorized};
use crate::backend::cpu::threads::{Disjoint, Workers, grown};
use crate::kernel::{Convolution, StepInputs};

/// Padded input at a time, in numbers: 8 MiB.
const MOST_PADDED: usize = 2 << 20;
/// Pixels that a tile sums before the next tile has its turn on them.
const PIXELS: usize = 128;
/// Window numbers of a task, in long and in short window rows; multiples of those of a tile.
const TASK: [usize; 2] = [16, 8];

pub(crate) fn run(
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
    let padded_sample = windows.sample_scratch_len();
    let samples_at_once = (MOST_PADDED / padded_sample.max(1)).clamp(1, step.batch_size);
    let mut padded = std::mem::take(&mut workers.shared);
    let mut offsets = std::mem::take(&mut workers.offsets);
    let kernel = Disjoint::new(kernel);
    for first in (0..step.batch_size).step_by(samples_at_once) {
        let samples = samples_at_once.min(step.batch_size - first);
        let located = windows.locate_samples(
            &input[first * sample_len..(first + samples) * sample_len],
            samples,
            grown(&mut padded, samples * padded_sample),
            grown(&mut offsets, samples * convolution.output.pixels()),
            workers,
        );
        let grad_output = &grad_output[first * grad_len..(first + samples) * grad_len];
        let task_len = if windows.row_len() >= 2 * TASK[0] { TASK[0] } else { TASK[1] };
        let tasks_per_row = windows.row_len().div_ceil(task_len);
        let instructions = workers.instructions;
        workers.run(windows.size[0] * tasks_per_row, |task, _| {
            let (row, k) = (task / tasks_per_row, task % tasks_per_row * task_len);
            let len = task_len.min(windows.row_len() - k);
            let start = (row * windows.row_len() + k) * channels;
            // SAFETY: each task has rows of its own.
            let rows = unsafe { kernel.slice(start..start + len * channels) };
            let at = row * located.row_stride + k;
            let add = first > 0;
            let row = [k, windows.row_len()];
            instructions.vectorize(Sum { located, at, row, grad_output, channels, rows, add });
        });
    }
    workers.shared = padded;
    workers.offsets = offsets;
}

/// The sum over the pixels of some samples, for the window numbers from `at` on.
struct Sum<'a> {
    located: Located<'a>,
    at: usize,
    /// Window numbers before `at` in the window's row, and in all of it.
    row: [usize; 2],
    grad_output: &'a [f32],
    channels: usize,
    /// One row of the kernel a window number.
    rows: &'a mut [f32],
    /// Whether they hold the sum over former samples.
    add: bool,
}

impl Vectorized for Sum<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(mut self) {
        // SAFETY: `S` is there by the caller's promise, and so are shorter vectors.
        unsafe {
            let [_, row_len] = self.row;
            if self.channels < S::LANES && row_len >= 2 * S::LANES {
                self.along_windows::<S>();
            } else if self.channels < S::LANES && row_len >= S::Half::LANES {
                self.along_windows::<S::Half>();
            } else if self.channels >= S::LANES {
                self.tiles::<S>();
            } else if self.channels >= S::Half::LANES {
                self.tiles::<S::Half>();
            } else {
                self.tiles::<<S::Half as Simd>::Half>();
            }
        }
    }
}

/// Numbers that [`Sum::along_windows`] sums: those of a task, for fewer channels than a vector has lanes.
const MOST_NARROW: usize = TASK[0] * MOST_LANES;

impl Sum<'_> {
    /// Few channels: vectors of window numbers, each times one number of the gradient.
    ///
    /// # Safety
    /// As [`Simd`]; a window's row holds a vector.
    #[inline(always)]
    unsafe fn along_windows<S: Simd>(&mut self) {
        let (channels, len) = (self.channels, self.rows.len() / self.channels);
        let [before, row_len] = self.row;
        let row = self.at - before;
        let last = self.located.offsets.iter().max().map_or(0, |offset| offset + row + row_len);
        assert!(last <= self.located.numbers.len() && row_len >= S::LANES);
        assert!(self.located.offsets.len() * channels <= self.grad_output.len());
        // The last vector may begin among numbers of the one before, and of the task before; those are left out at the end.
        let vectors = len.div_ceil(S::LANES);
        let start = |v: usize| (before + v * S::LANES).min(row_len - S::LANES);
        let mut sums = [0.0; MOST_NARROW];
        assert!(vectors * S::LANES * channels <= MOST_NARROW);
        for (block, offsets) in self.located.offsets.chunks(PIXELS).enumerate() {
            let gradients = &self.grad_output[block * PIXELS * channels..];
            for (v, sums) in sums.chunks_mut(S::LANES * channels).take(vectors).enumerate() {
                let numbers = &self.located.numbers[row + start(v)..];
                let narrow = Narrow { numbers, offsets, gradients, channels };
                let mut channel = 0;
                while channel < channels {
                    // SAFETY: windows and gradients are in bounds by the assertions, and `sums` holds all channels.
                    channel += unsafe {
                        match channels - channel {
                            8.. => narrow.sums::<S, 8>(channel, sums),
                            6.. => narrow.sums::<S, 6>(channel, sums),
                            4.. => narrow.sums::<S, 4>(channel, sums),
                            2.. => narrow.sums::<S, 2>(channel, sums),
                            _ => narrow.sums::<S, 1>(channel, sums),
                        }
                    };
                }
            }
        }
        for (k, row) in self.rows.chunks_exact_mut(channels).enumerate() {
            let v = k / S::LANES;
            let lane = before + k - start(v);
            for (channel, number) in row.iter_mut().enumerate() {
                let sum = sums[(v * channels + channel) * S::LANES + lane];
                *number = if self.add { *number + sum } else { sum };
            }
        }
    }

    /// Tiles of as many window numbers as the registers hold, and of less at the end.
    ///
    /// # Safety
    /// As [`Simd`].
    #[inline(always)]
    unsafe fn tiles<S: Simd>(&mut self) {
        let (channels, len) = (self.channels, self.rows.len() / self.channels);
        let last = self.located.offsets.iter().max().map_or(0, |offset| offset + self.at + len);
        assert!(last <= self.located.numbers.len());
        assert!(self.located.offsets.len() * channels <= self.grad_output.len());
        for (block, offsets) in self.located.offsets.chunks(PIXELS).enumerate() {
            let add = self.add || block > 0;
            let gradients = &self.grad_output[block * PIXELS * channels..];
            let mut k = 0;
            // SAFETY: windows and gradients are in bounds by the assertions, rows by the conditions.
            unsafe {
                while k < len {
                    k += match len - k {
                        8.. if S::TILE == 8 => self.across::<S, 8>(offsets, gradients, k, add),
                        6.. if S::TILE == 6 => self.across::<S, 6>(offsets, gradients, k, add),
                        4.. => self.across::<S, 4>(offsets, gradients, k, add),
                        2.. => self.across::<S, 2>(offsets, gradients, k, add),
                        _ => self.across::<S, 1>(offsets, gradients, k, add),
                    };
                }
            }
        }
    }

    /// All channels of `ROWS` window numbers from `k` on; returns `ROWS`.
    ///
    /// # Safety
    /// As [`Simd`]; window numbers up to `k + ROWS`, and the gradients of all `offsets`, are in bounds.
    #[inline(always)]
    unsafe fn across<S: Simd, const ROWS: usize>(
        &mut self,
        offsets: &[usize],
        gradients: &[f32],
        k: usize,
        add: bool,
    ) -> usize {
        let channels = self.channels;
        let rows = &mut self.rows[k * channels..(k + ROWS) * channels];
        if channels < S::LANES {
            // Fewer channels than the shortest vector has lanes.
            for (i, row) in rows.chunks_exact_mut(channels).enumerate() {
                for (channel, number) in row.iter_mut().enumerate() {
                    let products = offsets.iter().enumerate().map(|(pixel, &offset)| {
                        self.located.numbers[offset + self.at + k + i]
                            * gradients[pixel * channels + channel]
                    });
                    *number = if add { *number } else { 0.0 } + products.sum::<f32>();
                }
            }
            return ROWS;
        }
        // SAFETY: windows by the caller's promise; all vectors end within `channels`.
        unsafe {
            let numbers = self.located.numbers.as_ptr().add(self.at + k);
            let (gradients, rows) = (gradients.as_ptr(), rows.as_mut_ptr());
            let tile = Tile { numbers, offsets, gradients, channels, rows, add };
            // A rest shorter than a vector is taken by one that overlaps the last whole vector, in the same tile.
            let rest = channels % S::LANES;
            let whole = channels / S::LANES - usize::from(rest > 0);
            let mut v = 0;
            while v + 2 <= whole {
                tile.sums::<S, ROWS, 2>(v * S::LANES, S::LANES);
                v += 2;
            }
            if v < whole {
                tile.sums::<S, ROWS, 1>(v * S::LANES, S::LANES);
            }
            if rest > 0 {
                tile.sums::<S, ROWS, 2>(whole * S::LANES, channels - (whole + 1) * S::LANES);
            }
        }
        ROWS
    }
}

/// Some pixels' windows and gradients, for [`Sum::along_windows`].
struct Narrow<'a> {
    numbers: &'a [f32],
    offsets: &'a [usize],
    gradients: &'a [f32],
    channels: usize,
}

impl Narrow<'_> {
    /// Adds to `sums`, a vector a channel, those of `COUNT` channels from `channel` on; returns `COUNT`.
    ///
    /// # Safety
    /// As [`Simd`]; at every offset there is a vector, for every pixel there are gradients, `sums` holds the vectors.
    #[inline(always)]
    unsafe fn sums<S: Simd, const COUNT: usize>(&self, channel: usize, sums: &mut [f32]) -> usize {
        // SAFETY: by the caller's promise.
        unsafe {
            let sums = sums.as_mut_ptr().add(channel * S::LANES);
            let mut acc: [S::Vector; COUNT] =
                std::array::from_fn(|n| S::load(sums.add(n * S::LANES)));
            let mut gradient = self.gradients.as_ptr().add(channel);
            for &offset in self.offsets {
                let x = S::load(self.numbers.as_ptr().add(offset));
                for (n, acc) in acc.iter_mut().enumerate() {
                    *acc = S::mul_add(S::splat(*gradient.add(n)), x, *acc);
                }
                gradient = gradient.add(self.channels);
            }
            for (n, &acc) in acc.iter().enumerate() {
                S::store(sums.add(n * S::LANES), acc);
            }
        }
        COUNT
    }
}

/// A tile: numbers of each window × vectors of channels, summed over pixels.
#[derive(Clone, Copy)]
struct Tile<'a> {
    numbers: *const f32,
    offsets: &'a [usize],
    gradients: *const f32,
    channels: usize,
    rows: *mut f32,
    add: bool,
}

impl Tile<'_> {
    /// `ROWS` window numbers × vectors from channel `first` on, each `distance` channels after the one before; where that
    /// is known when this is compiled, it becomes part of the loads.
    ///
    /// # Safety
    /// As [`Simd`]; all windows and gradients are readable, `rows` (`ROWS` × `channels`) is writable.
    #[inline(always)]
    unsafe fn sums<S: Simd, const ROWS: usize, const WIDTH: usize>(
        &self,
        first: usize,
        distance: usize,
    ) {
        // SAFETY: by the caller's promise.
        unsafe {
            let rows = self.rows.add(first);
            let mut acc = [[S::splat(0.0); WIDTH]; ROWS];
            if self.add {
                for (i, acc) in acc.iter_mut().enumerate() {
                    for (v, acc) in acc.iter_mut().enumerate() {
                        *acc = S::load(rows.add(i * self.channels + v * distance));
                    }
                }
            }
            let mut gradient = self.gradients.add(first);
            for &offset in self.offsets {
                let window = self.numbers.add(offset);
                let mut columns = [S::splat(0.0); WIDTH];
                for (v, column) in columns.iter_mut().enumerate() {
                    *column = S::load(gradient.add(v * distance));
                }
                for (i, acc) in acc.iter_mut().enumerate() {
                    let x = S::splat(*window.add(i));
                    for (acc, column) in acc.iter_mut().zip(columns) {
                        *acc = S::mul_add(x, column, *acc);
                    }
                }
                gradient = gradient.add(self.channels);
            }
            for (i, acc) in acc.iter().enumerate() {
                for (v, &vector) in acc.iter().enumerate() {
                    S::store(rows.add(i * self.channels + v * distance), vector);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::cpu::kernels::conv2d::cases::{cases, inner_product};
    use crate::backend::cpu::kernels::conv2d::forward;
    use crate::kernel::Activation;

    /// Forward is linear in kernel and bias, and this is its transpose.
    #[test]
    fn is_the_transpose_of_forward() {
        for case in cases() {
            let mut output = vec![0.0; case.grad_output.len()];
            let step = crate::backend::cpu::test_step(case.batch_size);
            let mut workers = Workers::new(2);
            let reads: [&[f32]; 2] = [&case.input, &case.block];
            let writes = &mut [output.as_mut_slice()];
            let none = (Activation::None, None);
            forward::run(&case.convolution, none, &step, &reads, writes, &mut workers);
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
