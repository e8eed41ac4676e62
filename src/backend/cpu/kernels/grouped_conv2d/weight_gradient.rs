//! The gradient of a grouped convolution's weights, vectors of output channels at a time.

use crate::backend::cpu::simd::{Simd, Vectorized};
use crate::backend::cpu::threads::Disjoint;
use crate::kernel::GroupedConvolution;
use std::ops::Range;

/// The gradient of the weights of some output channels.
pub(super) struct WeightGradient<'a> {
    pub(super) convolution: &'a GroupedConvolution,
    pub(super) batch_size: usize,
    pub(super) input: &'a [f32],
    pub(super) grad_output: &'a [f32],
    pub(super) channels: Range<usize>,
    pub(super) kernel: &'a Disjoint<'a>,
    pub(super) bias: &'a Disjoint<'a>,
}

impl Vectorized for WeightGradient<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let (ins, outs) = (self.convolution.group_inputs(), self.convolution.group_outputs());
        let is_depthwise = ins == 1 && outs == 1;
        let mut start = self.channels.start;
        while start < self.channels.end {
            // A vector of channels that see the same ones, unless each sees its own.
            let group_end = if is_depthwise { usize::MAX } else { (start / outs + 1) * outs };
            let end = self.channels.end.min(start + S::LANES).min(group_end);
            // SAFETY: `S` is there by the caller's promise; the channels are this task's.
            unsafe {
                self.sum_bias::<S>(start..end);
                for row in 0..self.batch_size * self.convolution.output.height {
                    if is_depthwise {
                        self.add_row::<S, true>(row, start..end);
                    } else {
                        self.add_row::<S, false>(row, start..end);
                    }
                }
            }
            start = end;
        }
    }
}

impl WeightGradient<'_> {
    /// Sums the gradient over all pixels, for at most a vector of channels.
    ///
    /// # Safety
    /// As [`Simd`].
    #[inline(always)]
    unsafe fn sum_bias<S: Simd>(&self, channels: Range<usize>) {
        let pixels = self.grad_output.chunks_exact(self.convolution.output.channels);
        let pixels = pixels.take(self.batch_size * self.convolution.output.pixels());
        // SAFETY: slices are checked to hold the channels, which are this task's.
        unsafe {
            let mut sum = S::splat(0.0);
            for pixel in pixels {
                let gradient = &pixel[channels.clone()];
                sum = S::add(sum, S::load_up_to(gradient.as_ptr(), gradient.len()));
            }
            let bias = self.bias.slice(channels);
            S::store_up_to(bias.as_mut_ptr(), sum, bias.len());
        }
    }

    /// Adds what one row of output pixels, counted over the batch, gives to the weights of at most a vector of channels.
    ///
    /// # Safety
    /// As [`Simd`].
    #[inline(always)]
    unsafe fn add_row<S: Simd, const DEPTHWISE: bool>(&self, row: usize, channels: Range<usize>) {
        let GroupedConvolution { input, output, window, .. } = *self.convolution;
        let ins = self.convolution.group_inputs();
        let (sample, y) = (row / output.height, row % output.height);
        let gradients = &self.grad_output[row * output.width * output.channels..];
        let gradients = &gradients[..output.width * output.channels];
        let lines = &self.input[sample * input.len()..][..input.len()];
        let [start, count] = [channels.start, channels.len()];
        let first_seen =
            if DEPTHWISE { start } else { start / self.convolution.group_outputs() * ins };
        for line in window.under(0, y, input.height) {
            let tap_row = window.tap(0, y, line);
            let line =
                &lines[line * input.width * input.channels..][..input.width * input.channels];
            for tap in 0..window.kernel_size[1] {
                let across = window.reaching(1, tap, input.width, output.width);
                let position = tap_row * window.kernel_size[1] + tap;
                for channel in 0..ins {
                    let weight = (position * ins + channel) * output.channels + start;
                    // SAFETY: the windows reach real pixels of the line; slices are checked; the weights are this task's.
                    unsafe {
                        let add = |x: usize, sum: S::Vector| {
                            let column = (window.start(1, x) + tap as isize) as usize;
                            let at = column * input.channels + first_seen + channel;
                            debug_assert!(at < line.len());
                            let pixel = line.as_ptr().add(at);
                            let seen = if DEPTHWISE {
                                S::load_up_to(pixel, count)
                            } else {
                                S::splat(*pixel)
                            };
                            let gradient = gradients.as_ptr().add(x * output.channels + start);
                            S::mul_add(seen, S::load_up_to(gradient, count), sum)
                        };
                        // Four sums, since each addition waits for the one before.
                        let mut sums = [S::splat(0.0); 4];
                        let mut x = across.start;
                        while x + sums.len() <= across.end {
                            for (next, sum) in sums.iter_mut().enumerate() {
                                *sum = add(x + next, *sum);
                            }
                            x += sums.len();
                        }
                        for x in x..across.end {
                            sums[0] = add(x, sums[0]);
                        }
                        let [a, b, c, d] = sums;
                        let sum = S::add(S::add(a, b), S::add(c, d));
                        let weight = self.kernel.slice(weight..weight + count);
                        let before = S::load_up_to(weight.as_ptr(), count);
                        S::store_up_to(weight.as_mut_ptr(), S::add(before, sum), count);
                    }
                }
            }
        }
    }
}
