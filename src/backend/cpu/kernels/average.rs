//! Average pooling both ways: weighted sums over rows, then over columns.

use crate::backend::cpu::simd::{Simd, Vectorized};
use crate::backend::cpu::threads::{Disjoint, Workers};
use crate::kernel::Pooling;
use crate::shape::{Shape, Window};
use std::ops::Range;

/// One axis of a pooling.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Axis {
    window: Window,
    axis: usize,
    size: usize,
    windows: usize,
}

impl Axis {
    /// Rows (axis 0) or columns (axis 1).
    pub(crate) fn new(pooling: &Pooling, axis: usize) -> Self {
        let sizes = |shape: &Shape| [shape.height, shape.width][axis];
        Self {
            window: pooling.window,
            axis,
            size: sizes(&pooling.input),
            windows: sizes(&pooling.output),
        }
    }

    /// Real positions under a window.
    pub(crate) fn under(&self, number: usize) -> Range<usize> {
        self.window.under(self.axis, number, self.size)
    }

    /// Windows over a position.
    pub(crate) fn over(&self, position: usize) -> Range<usize> {
        let Window { kernel_size, stride, offset } = self.window;
        let place = position as isize + offset[self.axis];
        let stride = stride[self.axis] as isize;
        let end = (place.div_euclid(stride) + 1).clamp(0, self.windows as isize);
        let start = (place - kernel_size[self.axis] as isize).div_euclid(stride) + 1;
        start.clamp(0, end) as usize..end as usize
    }

    /// The share of a real position in the mean under a window.
    pub(crate) fn share(&self, window: usize) -> f32 {
        1.0 / self.under(window).len() as f32
    }
}

/// Average pooling of each sample of `input` to `output`; where `backward`, of the gradient by the output to that by the
/// input, added where `accumulate`.
pub(crate) fn average(
    pooling: &Pooling,
    [backward, accumulate]: [bool; 2],
    input: &[f32],
    output: &mut [f32],
    workers: &mut Workers,
) {
    let axes = [0, 1].map(|axis| Axis::new(pooling, axis));
    let (mut source, mut target) = (pooling.input, pooling.output);
    if backward {
        (source, target) = (target, source);
    }
    let [source_row, target_row] = [source, target].map(|shape| shape.width * shape.channels);
    let rows = output.len() / target_row;
    let (output, instructions) = (Disjoint::new(output), workers.instructions);
    workers.run(rows, |row, scratch| {
        let (sample, i) = (row / target.height, row % target.height);
        let (scratch, _) = scratch.numbers_and_offsets(source_row + axes[1].windows, 0);
        let (sums, shares) = scratch.split_at_mut(source_row);
        instructions.vectorize(Row {
            axes,
            backward,
            accumulate,
            channels: target.channels,
            source: &input[sample * source.len()..(sample + 1) * source.len()],
            i,
            sums,
            shares,
            // SAFETY: each task has a row of its own.
            output: unsafe { output.slice(row * target_row..(row + 1) * target_row) },
        });
    });
}

/// A row of target pixels.
struct Row<'a> {
    axes: [Axis; 2],
    backward: bool,
    accumulate: bool,
    channels: usize,
    /// The sample.
    source: &'a [f32],
    i: usize,
    /// Holds the sum of the source's rows.
    sums: &'a mut [f32],
    /// Holds the share of a real column under each window.
    shares: &'a mut [f32],
    output: &'a mut [f32],
}

impl Vectorized for Row<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let [down, across] = self.axes;
        let rows = if self.backward { down.over(self.i) } else { down.under(self.i) };
        self.sums.fill(0.0);
        for row in rows {
            let share = down.share(if self.backward { row } else { self.i });
            let source = &self.source[row * self.sums.len()..][..self.sums.len()];
            self.sums.iter_mut().zip(source).for_each(|(sum, x)| *sum += share * x);
        }
        for (window, share) in self.shares.iter_mut().enumerate() {
            *share = across.share(window);
        }
        let channels = self.channels;
        for (j, output) in self.output.chunks_exact_mut(channels).enumerate() {
            let columns = if self.backward { across.over(j) } else { across.under(j) };
            let sums = &self.sums[columns.start * channels..columns.end * channels];
            for start in (0..channels).step_by(S::LANES) {
                let count = S::LANES.min(channels - start);
                // SAFETY: `S` is there by the caller's promise; `count` channels are left in every pixel.
                unsafe {
                    let to = output.as_mut_ptr().add(start);
                    let mut sum = S::splat(0.0);
                    if self.accumulate {
                        sum = S::load_up_to(to, count);
                    }
                    for (pixel, column) in sums.chunks_exact(channels).zip(columns.clone()) {
                        let share = self.shares[if self.backward { column } else { j }];
                        let numbers = S::load_up_to(pixel.as_ptr().add(start), count);
                        sum = S::mul_add(numbers, S::splat(share), sum);
                    }
                    S::store_up_to(to, sum, count);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::Padding;

    #[test]
    fn positions_and_windows_name_each_other() {
        for (size, windows, kernel_size, stride, padding) in [
            (5, 5, 3, 1, Padding::Same),
            (6, 3, 3, 2, Padding::Same),
            (7, 3, 1, 3, Padding::Same),
            (6, 2, 2, 3, Padding::Valid),
        ] {
            let pooling = Pooling {
                input: Shape::new(size, 1, 1),
                output: Shape::new(windows, 1, 1),
                window: Window::new([kernel_size, 1], [stride, 1], padding),
            };
            let axis = Axis::new(&pooling, 0);
            for position in 0..size {
                for window in 0..windows {
                    let over = axis.over(position).contains(&window);
                    assert_eq!(over, axis.under(window).contains(&position), "{axis:?}");
                }
            }
        }
    }
}
