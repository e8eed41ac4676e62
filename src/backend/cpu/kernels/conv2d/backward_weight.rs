//! Convolution backward to its parameters.
//!
//! `grad_kernel[k, n] = Σ_pixels window(pixel)[k] · grad_output[pixel, n]`. A task owns rows `k` of one window row, so
//! nothing is summed across threads.

use crate::backend::cpu::context::Context;
use crate::backend::cpu::kernels::Run;
use crate::backend::cpu::matmul::windows::{Located, Windows};
use crate::backend::cpu::operands::{Operands, slice_of, slice_of_mut};
use crate::backend::cpu::reduce::channel_sums::channel_sums;
use crate::backend::cpu::scratch::{Scratch, grown};
use crate::backend::cpu::simd::{MOST_LANES, Simd, Vectorized};
use crate::backend::cpu::threads::Disjoint;
use crate::error::Result;
use crate::kernel::Conv2dBackwardWeight;

/// Padded input at a time, in elements: 8 MiB.
const MOST_PADDED: usize = 2 << 20;
/// Pixels that a tile sums before the next tile has its turn on them.
const PIXELS: usize = 128;
/// Window elements of a task in long window rows, a multiple of those of a tile.
const LONG_TASK: usize = 16;
/// Window elements of a task in short window rows.
const SHORT_TASK: usize = 8;

impl Run for Conv2dBackwardWeight {
    fn run(&self, mut operands: Operands, context: &mut Context) -> Result<()> {
        let (convolution, batch_size) = (&self.convolution, context.step.batch_size);
        let channels = convolution.output.channels;
        let input = slice_of(operands.batch(convolution.input)?);
        let grad_output = operands.pixels(convolution.output.pixels(), channels)?;
        let gradient = operands.convolution_mut(convolution)?;
        let Scratch { elements, offsets, .. } = &mut *context.scratch;
        channel_sums(grad_output, gradient.bias, elements, context.pool);

        let grad_output = slice_of(grad_output);
        let windows = Windows::of(convolution);
        let (sample_len, grad_len) = (convolution.input.len(), convolution.output.len());
        let padded_sample = windows.sample_scratch_len();
        let samples_at_once = (MOST_PADDED / padded_sample.max(1)).clamp(1, batch_size);
        let kernel = Disjoint::new(slice_of_mut(gradient.kernel));
        for first in (0..batch_size).step_by(samples_at_once) {
            let samples = samples_at_once.min(batch_size - first);
            let located = windows.locate_samples(
                &input[first * sample_len..(first + samples) * sample_len],
                samples,
                grown(elements, samples * padded_sample),
                grown(offsets, samples * convolution.output.pixels()),
                context.pool,
            );
            let grad_output = &grad_output[first * grad_len..(first + samples) * grad_len];
            let row_len = windows.row_len();
            let task_len = if row_len >= 2 * LONG_TASK { LONG_TASK } else { SHORT_TASK };
            let tasks_per_row = row_len.div_ceil(task_len);
            let instructions = context.pool.instructions;
            context.pool.run(windows.size[0] * tasks_per_row, |task, _| {
                let (row, before) = (task / tasks_per_row, task % tasks_per_row * task_len);
                let len = task_len.min(row_len - before);
                let start = (row * row_len + before) * channels;
                instructions.vectorize(Sum {
                    located,
                    at: row * located.row_stride + before,
                    before,
                    row_len,
                    grad_output,
                    channels,
                    // SAFETY: each task has rows of its own.
                    rows: unsafe { kernel.slice(start..start + len * channels) },
                    add: first > 0,
                });
            });
        }
        Ok(())
    }
}

/// The sum over the pixels of some samples, for the window elements from `at` on.
struct Sum<'a> {
    located: Located<'a>,
    at: usize,
    /// Window elements before `at` in the window's row.
    before: usize,
    /// Window elements in all of that row.
    row_len: usize,
    grad_output: &'a [f32],
    channels: usize,
    /// One row of the kernel a window element.
    rows: &'a mut [f32],
    /// Whether they hold the sum over former samples.
    add: bool,
}

impl Vectorized for Sum<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(mut self) {
        // SAFETY: `S` is there by the caller's promise, and so are shorter vectors.
        unsafe {
            let row_len = self.row_len;
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
const MOST_NARROW: usize = LONG_TASK * MOST_LANES;

impl Sum<'_> {
    /// Few channels: vectors of window elements, each times one element of the gradient.
    ///
    /// # Safety
    /// As [`Simd`]; a window's row holds a vector.
    #[inline(always)]
    unsafe fn along_windows<S: Simd>(&mut self) {
        let (channels, len) = (self.channels, self.rows.len() / self.channels);
        let (before, row_len) = (self.before, self.row_len);
        let row = self.at - before;
        let last = self.located.offsets.iter().max().map_or(0, |offset| offset + row + row_len);
        assert!(last <= self.located.elements.len() && row_len >= S::LANES);
        assert!(self.located.offsets.len() * channels <= self.grad_output.len());
        // The last vector may begin among elements of the one before, and of the task before; those are left out at the end.
        let vectors = len.div_ceil(S::LANES);
        let start = |v: usize| (before + v * S::LANES).min(row_len - S::LANES);
        let mut sums = [0.0; MOST_NARROW];
        assert!(vectors * S::LANES * channels <= MOST_NARROW);
        for (block, offsets) in self.located.offsets.chunks(PIXELS).enumerate() {
            let gradients = &self.grad_output[block * PIXELS * channels..];
            for (v, sums) in sums.chunks_mut(S::LANES * channels).take(vectors).enumerate() {
                let elements = &self.located.elements[row + start(v)..];
                let narrow = Narrow { elements, offsets, gradients, channels };
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
            for (channel, weight) in row.iter_mut().enumerate() {
                let sum = sums[(v * channels + channel) * S::LANES + lane];
                *weight = if self.add { *weight + sum } else { sum };
            }
        }
    }

    /// Tiles of as many window elements as the registers hold, and of less at the end.
    ///
    /// # Safety
    /// As [`Simd`].
    #[inline(always)]
    unsafe fn tiles<S: Simd>(&mut self) {
        let (channels, len) = (self.channels, self.rows.len() / self.channels);
        let last = self.located.offsets.iter().max().map_or(0, |offset| offset + self.at + len);
        assert!(last <= self.located.elements.len());
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

    /// All channels of `ROWS` window elements from `k` on; returns `ROWS`.
    ///
    /// # Safety
    /// As [`Simd`]; window elements up to `k + ROWS`, and the gradients of all `offsets`, are in bounds.
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
                for (channel, weight) in row.iter_mut().enumerate() {
                    let products = offsets.iter().enumerate().map(|(pixel, &offset)| {
                        self.located.elements[offset + self.at + k + i]
                            * gradients[pixel * channels + channel]
                    });
                    *weight = if add { *weight } else { 0.0 } + products.sum::<f32>();
                }
            }
            return ROWS;
        }
        // SAFETY: windows by the caller's promise; all vectors end within `channels`.
        unsafe {
            let elements = self.located.elements.as_ptr().add(self.at + k);
            let (gradients, rows) = (gradients.as_ptr(), rows.as_mut_ptr());
            let tile = Tile { elements, offsets, gradients, channels, rows, add };
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
    elements: &'a [f32],
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
                let x = S::load(self.elements.as_ptr().add(offset));
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

/// A tile: elements of each window × vectors of channels, summed over pixels.
#[derive(Clone, Copy)]
struct Tile<'a> {
    elements: *const f32,
    offsets: &'a [usize],
    gradients: *const f32,
    channels: usize,
    rows: *mut f32,
    add: bool,
}

impl Tile<'_> {
    /// `ROWS` window elements × vectors from channel `first` on, each `distance` channels after the one before; where that
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
                let window = self.elements.add(offset);
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
    use crate::backend::cpu::run_on;
    use crate::kernel::{Activation, Conv2dForward};

    /// Forward is linear in kernel and bias, and this is its transpose.
    #[test]
    fn is_the_transpose_of_forward() {
        for case in cases() {
            let mut output = vec![0.0; case.grad_output.len()];
            let (convolution, activation) = (case.convolution, Activation::None);
            let forward = Conv2dForward { convolution, activation, norm: None };
            let reads: [&[f32]; 2] = [&case.input, &case.block];
            run_on(2, forward, case.batch_size, &reads, &mut [&mut output]);
            let mut gradients = vec![9.0; case.block.len()];
            let reads: [&[f32]; 2] = [&case.input, &case.grad_output];
            let backward = Conv2dBackwardWeight { convolution };
            run_on(2, backward, case.batch_size, &reads, &mut [&mut gradients]);
            let expected = inner_product(&output, &case.grad_output);
            let found = inner_product(&gradients, &case.block);
            let size = 1.0 + expected.abs();
            assert!((found - expected).abs() < 1e-4 * size, "{:?}", case.convolution);
            let zeros = case.convolution.kernel_len()..case.convolution.bias_offset();
            assert!(gradients[zeros].iter().all(|&x| x == 0.0));
        }
    }
}
