//! Average pooling both ways: weighted sums over rows, then over columns.

use super::Run;
use crate::backend::cpu::context::Context;
use crate::backend::cpu::operands::{Operands, slice_of, slice_of_mut};
use crate::backend::cpu::simd::{Simd, Vectorized};
use crate::backend::cpu::threads::{Disjoint, Pool};
use crate::error::Result;
use crate::kernel::{AvgPoolBackward, AvgPoolForward, Pooling};
use crate::shape::{Shape, Window};
use ndarray::{ArrayView4, ArrayViewMut4, Axis as ArrayAxis};
use std::ops::Range;

impl Run for AvgPoolForward {
    fn run(&self, mut operands: Operands, context: &mut Context) -> Result<()> {
        let input = operands.batch(self.pooling.input)?;
        let output = operands.batch_mut(self.pooling.output)?;
        average(&self.pooling, Direction::Forward, input, output, false, context.pool);
        Ok(())
    }
}

impl Run for AvgPoolBackward {
    fn run(&self, mut operands: Operands, context: &mut Context) -> Result<()> {
        let gradient = operands.batch(self.pooling.output)?;
        let target = operands.batch_mut(self.pooling.input)?;
        let backward = Direction::Backward;
        average(&self.pooling, backward, gradient, target, self.accumulate, context.pool);
        Ok(())
    }
}

/// Whether pixels are averaged, or a gradient is shared out among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Forward,
    Backward,
}

/// Both axes of a pooling.
#[derive(Debug, Clone, Copy)]
struct Axes {
    down: Axis,
    across: Axis,
}

/// One axis of a pooling.
#[derive(Debug, Clone, Copy)]
struct Axis {
    window: Window,
    axis: usize,
    size: usize,
    windows: usize,
}

impl Axis {
    /// Rows (axis 0) or columns (axis 1).
    fn new(pooling: &Pooling, axis: usize) -> Self {
        let sizes = |shape: &Shape| [shape.height, shape.width][axis];
        Self {
            window: pooling.window,
            axis,
            size: sizes(&pooling.input),
            windows: sizes(&pooling.output),
        }
    }

    /// Real positions under a window.
    fn under(&self, number: usize) -> Range<usize> {
        self.window.under(self.axis, number, self.size)
    }

    /// Windows over a position.
    fn over(&self, position: usize) -> Range<usize> {
        self.window.over(self.axis, position, self.windows)
    }

    /// The share of a real position in the mean under a window.
    fn share(&self, window: usize) -> f32 {
        1.0 / self.under(window).len() as f32
    }
}

/// Averages each sample of `source` to `target`, or shares its gradient out to `target`, added where `accumulate`.
fn average(
    pooling: &Pooling,
    direction: Direction,
    source: ArrayView4<f32>,
    target: ArrayViewMut4<f32>,
    accumulate: bool,
    pool: &mut Pool,
) {
    let axes = Axes { down: Axis::new(pooling, 0), across: Axis::new(pooling, 1) };
    let (_, height, width, channels) = target.dim();
    let (_, _, source_width, _) = source.dim();
    let (source_row, target_row) = (source_width * channels, width * channels);
    let rows = target.len() / target_row;
    let (target, instructions) = (Disjoint::new(slice_of_mut(target)), pool.instructions);
    pool.run(rows, |row, scratch| {
        let (elements, _) = scratch.elements_and_offsets(source_row + axes.across.windows, 0);
        let (sums, shares) = elements.split_at_mut(source_row);
        instructions.vectorize(Row {
            axes,
            direction,
            accumulate,
            channels,
            source: slice_of(source.index_axis(ArrayAxis(0), row / height)),
            i: row % height,
            sums,
            shares,
            // SAFETY: each task has a row of its own.
            output: unsafe { target.slice(row * target_row..(row + 1) * target_row) },
        });
    });
}

/// A row of target pixels.
struct Row<'a> {
    axes: Axes,
    direction: Direction,
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
        let Axes { down, across } = self.axes;
        let is_backward = self.direction == Direction::Backward;
        let rows = if is_backward { down.over(self.i) } else { down.under(self.i) };
        self.sums.fill(0.0);
        for row in rows {
            let share = down.share(if is_backward { row } else { self.i });
            let source = &self.source[row * self.sums.len()..][..self.sums.len()];
            self.sums.iter_mut().zip(source).for_each(|(sum, x)| *sum += share * x);
        }
        for (window, share) in self.shares.iter_mut().enumerate() {
            *share = across.share(window);
        }
        let channels = self.channels;
        for (j, output) in self.output.chunks_exact_mut(channels).enumerate() {
            let columns = if is_backward { across.over(j) } else { across.under(j) };
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
                        let share = self.shares[if is_backward { column } else { j }];
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
    use crate::backend::cpu::run_alone;
    use crate::shape::Padding;

    fn pooling() -> Pooling {
        Pooling {
            input: Shape::new(1, 4, 1),
            output: Shape::new(1, 2, 1),
            window: Window::new([1, 3], [1, 2], Padding::Same),
        }
    }

    #[test]
    fn divides_by_the_real_pixels() {
        let mut output = [9.0; 2];
        let kernel = AvgPoolForward { pooling: pooling() };
        run_alone(kernel, 1, &[&[1.0, 2.0, 3.0, 7.0]], &mut [&mut output]);
        assert_eq!(output, [1.5, 4.0]);
    }

    #[test]
    fn shares_gradients_among_the_real_pixels() {
        for (accumulate, expected) in [(false, [5., 9., 4., 4.]), (true, [6., 10., 5., 5.])] {
            let mut grad_input = [1.0; 4];
            let kernel = AvgPoolBackward { pooling: pooling(), accumulate };
            run_alone(kernel, 1, &[&[10.0, 12.0]], &mut [&mut grad_input]);
            assert_eq!(grad_input, expected);
        }
    }
}
