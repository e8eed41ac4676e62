//! Max pooling: `input → output, indices`.

use crate::backend::cpu::simd::{Simd, Vectorized};
use crate::backend::cpu::threads::{Disjoint, Workers};
use crate::kernel::{Pooling, StepInputs};
use crate::shape::{Shape, Window};
use std::ops::Range;

pub(crate) fn run(
    pooling: &Pooling,
    step: &StepInputs,
    reads: &[&[f32]],
    writes: &mut [&mut [f32]],
    workers: &mut Workers,
) {
    let input = reads[0];
    let [output, indices] = writes else { return };
    let (sample_len, len) = (pooling.input.len(), pooling.output.len());
    let channels = pooling.output.channels;
    let row_len = pooling.output.width * channels;
    let indices = Disjoint::new(indices);
    let instructions = workers.instructions;
    workers.chunks(&mut output[..len * step.batch_size], row_len, |range, output| {
        // SAFETY: chunks do not overlap.
        let indices = unsafe { indices.slice(range.clone()) };
        let row = range.start / row_len;
        let (sample, i) = (row / pooling.output.height, row % pooling.output.height);
        let input = &input[sample * sample_len..(sample + 1) * sample_len];
        instructions.vectorize(Row { pooling, input, i, output, indices });
    });
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
    use crate::shape::Padding;

    #[test]
    fn first_among_equals_and_no_pixel_outside() {
        // Windows start at −1 and 1; position 0 of the first window is missing.
        let pooling = Pooling {
            input: Shape::new(1, 4, 1),
            output: Shape::new(1, 2, 1),
            window: Window::new([1, 3], [1, 2], Padding::Same),
        };
        let (mut output, mut indices) = ([0.0; 2], [0.0; 2]);
        let step = crate::backend::cpu::test_step(1);
        let reads: [&[f32]; 1] = [&[-5.0, -5.0, 2.0, 2.0]];
        run(&pooling, &step, &reads, &mut [&mut output, &mut indices], &mut Workers::new(1));
        assert_eq!((output, indices), ([-5.0, 2.0], [1.0, 1.0]));
    }
}
