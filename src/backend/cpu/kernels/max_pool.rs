//! Max pooling both ways: the forward pass keeps which pixel under a window was the largest, and the gradient goes there.

use super::Run;
use crate::backend::cpu::context::Context;
use crate::backend::cpu::operands::{Operands, slice_of, slice_of_mut};
use crate::backend::cpu::simd::{Simd, Vectorized};
use crate::error::Result;
use crate::kernel::{MaxPoolBackward, MaxPoolForward, Pooling};
use crate::shape::{Shape, Window};
use ndarray::{Axis, s};
use std::ops::Range;

impl Run for MaxPoolForward {
    fn run(&self, mut operands: Operands, context: &mut Context) -> Result<()> {
        let pooling = &self.pooling;
        let input = operands.batch(pooling.input)?;
        let height = pooling.output.height;
        let row_len = pooling.output.width * pooling.output.channels;
        // `[sample · row, column · channel]`: a task is a row of pixels.
        let output = operands.pixels_mut(height, row_len)?;
        let indices = operands.pixels_mut(height, row_len)?;
        let instructions = context.pool.instructions;
        context.pool.chunks([output, indices], 1, |rows, [output, indices]| {
            let input = slice_of(input.index_axis(Axis(0), rows.start / height));
            let [output, indices] = [output, indices].map(slice_of_mut);
            let i = rows.start % height;
            instructions.vectorize(Row { pooling, input, i, output, indices });
        });
        Ok(())
    }
}

impl Run for MaxPoolBackward {
    fn run(&self, mut operands: Operands, context: &mut Context) -> Result<()> {
        let Pooling { input, output, window } = self.pooling;
        let grad_output = operands.batch(output)?;
        let indices = operands.batch(output)?;
        let grad_input = operands.batch_mut(input)?;
        let columns = window.kernel_size[1];
        context.pool.chunks([grad_input], 1, |samples, [mut grad_input]| {
            if !self.accumulate {
                grad_input.fill(0.0);
            }
            let grad_input = slice_of_mut(grad_input);
            let gradients = slice_of(grad_output.slice(s![samples.clone(), .., .., ..]));
            let indices = slice_of(indices.slice(s![samples, .., .., ..]));
            let pixels = gradients.chunks_exact(output.channels);
            for (pixel, (gradients, indices)) in
                pixels.zip(indices.chunks_exact(output.channels)).enumerate()
            {
                let top = window.start(0, pixel / output.width);
                let left = window.start(1, pixel % output.width);
                for (channel, (gradient, index)) in gradients.iter().zip(indices).enumerate() {
                    let position = *index as usize;
                    let y = top + (position / columns) as isize;
                    let x = left + (position % columns) as isize;
                    let pixel = y * input.width as isize + x;
                    grad_input[pixel as usize * input.channels + channel] += gradient;
                }
            }
        });
        Ok(())
    }
}

/// A row of output pixels.
struct Row<'a> {
    pooling: &'a Pooling,
    /// The sample.
    input: &'a [f32],
    i: usize,
    output: &'a mut [f32],
    indices: &'a mut [f32],
}

impl Vectorized for Row<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        // SAFETY: `S` is there by the caller's promise, and so are shorter vectors.
        unsafe {
            if self.pooling.input.channels >= S::LANES {
                self.pixels::<S>();
            } else {
                self.pixels::<S::Half>();
            }
        }
    }
}

impl Row<'_> {
    /// # Safety
    /// As [`Simd`].
    #[inline(always)]
    unsafe fn pixels<S: Simd>(self) {
        let (channels, window) = (self.pooling.input.channels, &self.pooling.window);
        let rows =
            self.output.chunks_exact_mut(channels).zip(self.indices.chunks_exact_mut(channels));
        for (j, (output, indices)) in rows.enumerate() {
            let reach = Reach::new(&self.pooling.input, window, self.i, j);
            for start in (0..channels).step_by(S::LANES) {
                let count = S::LANES.min(channels - start);
                // SAFETY: `count` channels are left in the input's pixels, in `output` and in `indices`.
                unsafe {
                    let mut best = S::splat(f32::NEG_INFINITY);
                    let mut index = S::splat(reach.first_position() as f32);
                    reach.for_each(|position, pixel| {
                        let pixel = &self.input[pixel * channels..(pixel + 1) * channels];
                        let values = S::load_up_to(pixel.as_ptr().add(start), count);
                        let position = S::splat(position as f32);
                        [best, index] = S::larger([values, position], [best, index]);
                    });
                    S::store_up_to(output.as_mut_ptr().add(start), best, count);
                    S::store_up_to(indices.as_mut_ptr().add(start), index, count);
                }
            }
        }
    }
}

/// The real pixels under one window.
#[derive(Debug, Clone)]
pub(crate) struct Reach {
    rows: Range<usize>,
    columns: Range<usize>,
    /// Window position of the first real pixel.
    first: [usize; 2],
    kernel_width: usize,
    width: usize,
}

impl Reach {
    /// Under window `(i, j)` over `input`.
    pub(crate) fn new(input: &Shape, window: &Window, i: usize, j: usize) -> Self {
        let axis = |axis: usize, number: usize, size: usize| {
            let real = window.under(axis, number, size);
            let first = real.start as isize - window.start(axis, number);
            (real, first as usize)
        };
        let (rows, first_row) = axis(0, i, input.height);
        let (columns, first_column) = axis(1, j, input.width);
        Self {
            rows,
            columns,
            first: [first_row, first_column],
            kernel_width: window.kernel_size[1],
            width: input.width,
        }
    }

    /// Window position of the first one.
    pub(crate) fn first_position(&self) -> usize {
        self.first[0] * self.kernel_width + self.first[1]
    }

    /// Gives window position and pixel number of each.
    #[inline(always)]
    pub(crate) fn for_each(&self, mut visit: impl FnMut(usize, usize)) {
        for (row, y) in self.rows.clone().enumerate() {
            let position = (self.first[0] + row) * self.kernel_width + self.first[1];
            for (column, x) in self.columns.clone().enumerate() {
                visit(position + column, y * self.width + x);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::cpu::run_alone;
    use crate::shape::Padding;

    /// Windows start at −1 and 1; position 0 of the first window is missing.
    fn pooling() -> Pooling {
        Pooling {
            input: Shape::new(1, 4, 1),
            output: Shape::new(1, 2, 1),
            window: Window::new([1, 3], [1, 2], Padding::Same),
        }
    }

    #[test]
    fn first_among_equals_and_no_pixel_outside() {
        let (mut output, mut indices) = ([0.0; 2], [0.0; 2]);
        let kernel = MaxPoolForward { pooling: pooling() };
        run_alone(kernel, 1, &[&[-5.0, -5.0, 2.0, 2.0]], &mut [&mut output, &mut indices]);
        assert_eq!((output, indices), ([-5.0, 2.0], [1.0, 1.0]));
    }

    #[test]
    fn gradients_go_where_the_largest_were() {
        for (accumulate, expected) in [(false, [0., 30., 0., 0.]), (true, [1., 31., 1., 1.])] {
            let mut grad_input = [1.0; 4];
            let kernel = MaxPoolBackward { pooling: pooling(), accumulate };
            run_alone(kernel, 1, &[&[10.0, 20.0], &[2.0, 0.0]], &mut [&mut grad_input]);
            assert_eq!(grad_input, expected);
        }
    }
}
