//! Windows over NHWC samples as rows of elements: what a convolution reads for each output pixel.
//!
//! In memory a window's row, `kernel width × channels`, is one stretch of elements. So a window is its first element's
//! offset and the distance from one of its rows to the next, and no patch matrix (im2col) is ever built. Where windows
//! reach over the edge, a block's rows are first copied with zeros around them.

use crate::backend::cpu::threads::{Disjoint, Pool};
use crate::kernel::Convolution;
use crate::shape::Shape;
use std::ops::Range;

/// Windows over each sample of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Windows {
    /// Shape of a sample.
    pub(crate) input: Shape,
    /// Windows down and across.
    pub(crate) count: [usize; 2],
    /// First row and column of the first window; negative before the edge.
    pub(crate) start: [isize; 2],
    /// Rows and columns from one window to the next.
    pub(crate) stride: [usize; 2],
    /// Rows and columns of a window.
    pub(crate) size: [usize; 2],
}

/// Where the windows of a block lie in a slice: the distance between a window's rows; first elements are in a table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Located<'a> {
    /// The unit of the offsets.
    pub(crate) elements: &'a [f32],
    /// First element of each window.
    pub(crate) offsets: &'a [usize],
    /// From one row of a window to its next.
    pub(crate) row_stride: usize,
}

impl Windows {
    /// The windows of a convolution.
    pub(crate) fn of(convolution: &Convolution) -> Self {
        let window = &convolution.window;
        Self {
            input: convolution.input,
            count: [convolution.output.height, convolution.output.width],
            start: window.offset.map(|offset| -offset),
            stride: window.stride,
            size: window.kernel_size,
        }
    }

    /// Numbers in one row of a window.
    pub(crate) fn row_len(&self) -> usize {
        self.size[1] * self.input.channels
    }

    /// Numbers in a window.
    pub(crate) fn depth(&self) -> usize {
        self.size[0] * self.row_len()
    }

    /// Blocks of some 128 windows, fewer where there would be too few blocks to share among threads, and whole samples where
    /// samples are small.
    pub(crate) fn blocks(&self, batch_size: usize) -> Blocks {
        let [down, across] = self.count;
        let rows = ((batch_size * down * across / 8).clamp(16, 128) / across).max(1);
        let rows = if rows > down { rows - rows % down } else { rows };
        let rows = rows.min(batch_size * down);
        Blocks { rows, count: (batch_size * down).div_ceil(rows) }
    }

    fn inside(&self) -> bool {
        let sizes = [self.input.height, self.input.width];
        (0..2).all(|axis| {
            let last = self.count[axis].saturating_sub(1) * self.stride[axis] + self.size[axis];
            self.start[axis] >= 0 && self.start[axis] as usize + last <= sizes[axis]
        })
    }

    /// Numbers across the padded copy of a row.
    fn padded_row_len(&self) -> usize {
        ((self.count[1] - 1) * self.stride[1] + self.size[1]) * self.input.channels
    }

    fn padded_rows(&self, windows: usize) -> usize {
        (windows - 1) * self.stride[0] + self.size[0]
    }

    /// Scratch elements that [`Windows::locate`] needs for blocks of `rows` rows of windows.
    pub(crate) fn scratch_len(&self, rows: usize) -> usize {
        if self.inside() {
            return 0;
        }
        // A block may begin and end within samples; each piece has its own margin.
        let pieces = rows.div_ceil(self.count[0]) + 1;
        (rows * self.stride[0] + pieces * self.size[0]) * self.padded_row_len()
    }

    /// Locates the windows of the rows `rows`, counted through all samples of `input`, one table entry a window.
    pub(crate) fn locate<'a>(
        &self,
        input: &'a [f32],
        rows: Range<usize>,
        scratch: &'a mut [f32],
        offsets: &'a mut [usize],
    ) -> Located<'a> {
        let mut entry = offsets.iter_mut();
        let sample_len = self.input.len();
        if self.inside() {
            let row_stride = self.input.width * self.input.channels;
            let step = self.stride[1] * self.input.channels;
            let [top, left] = self.start.map(|start| start as usize);
            for row in rows {
                let (sample, i) = (row / self.count[0], row % self.count[0]);
                let first = sample * sample_len
                    + (top + i * self.stride[0]) * row_stride
                    + left * self.input.channels;
                for (j, entry) in entry.by_ref().take(self.count[1]).enumerate() {
                    *entry = first + j * step;
                }
            }
            return Located { elements: input, offsets, row_stride };
        }
        let row_stride = self.padded_row_len();
        let step = self.stride[1] * self.input.channels;
        let (mut row, mut used) = (rows.start, 0);
        while row < rows.end {
            let (sample, first) = (row / self.count[0], row % self.count[0]);
            let last = self.count[0].min(first + rows.end - row);
            let padded = self.padded_rows(last - first) * row_stride;
            let source = &input[sample * sample_len..(sample + 1) * sample_len];
            self.copy_rows(source, first, &mut scratch[used..used + padded]);
            for i in 0..last - first {
                let offset = used + i * self.stride[0] * row_stride;
                for (j, entry) in entry.by_ref().take(self.count[1]).enumerate() {
                    *entry = offset + j * step;
                }
            }
            used += padded;
            row += last - first;
        }
        Located { elements: scratch, offsets, row_stride }
    }

    /// Scratch elements that [`Windows::locate_samples`] needs for a sample.
    pub(crate) fn sample_scratch_len(&self) -> usize {
        self.scratch_len(self.count[0])
    }

    /// As [`Windows::locate`] for all windows of `samples` samples, each of them a task.
    pub(crate) fn locate_samples<'a>(
        &self,
        input: &'a [f32],
        samples: usize,
        scratch: &'a mut [f32],
        offsets: &'a mut [usize],
        pool: &mut Pool,
    ) -> Located<'a> {
        let (rows, windows) = (self.count[0], self.count[0] * self.count[1]);
        let len = self.sample_scratch_len();
        if len == 0 {
            return self.locate(input, 0..samples * rows, scratch, offsets);
        }
        let (numbers, entries) = (Disjoint::new(scratch), Disjoint::new(offsets));
        pool.run(samples, |sample, _| {
            let first = sample * len;
            // SAFETY: each sample has elements and offsets of its own.
            let (numbers, entries) = unsafe {
                let entries = entries.slice(sample * windows..(sample + 1) * windows);
                (numbers.slice(first..first + len), entries)
            };
            self.locate(input, sample * rows..(sample + 1) * rows, numbers, entries);
            entries.iter_mut().for_each(|entry| *entry += first);
        });
        Located { elements: scratch, offsets, row_stride: self.padded_row_len() }
    }

    /// Copies what the windows from row `first` on see of a sample, zeros outside it.
    fn copy_rows(&self, sample: &[f32], first: usize, padded: &mut [f32]) {
        let channels = self.input.channels;
        let top = self.start[0] + (first * self.stride[0]) as isize;
        let columns = (self.padded_row_len() / channels) as isize;
        // Columns of the copy that lie in the sample.
        let begin = (-self.start[1]).clamp(0, columns);
        let end = (self.input.width as isize - self.start[1]).clamp(begin, columns);
        let source_begin = (begin + self.start[1]).max(0) as usize * channels;
        let (begin, end) = (begin as usize * channels, end as usize * channels);
        for (i, row) in padded.chunks_exact_mut(self.padded_row_len()).enumerate() {
            let y = top + i as isize;
            if y < 0 || y >= self.input.height as isize || begin == end {
                row.fill(0.0);
                continue;
            }
            let source = &sample[y as usize * self.input.width * channels + source_begin..];
            row[..begin].fill(0.0);
            row[begin..end].copy_from_slice(&source[..end - begin]);
            row[end..].fill(0.0);
        }
    }
}

/// A batch's rows of windows, cut into blocks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Blocks {
    /// Rows of every block but the last.
    pub(crate) rows: usize,
    /// How many there are.
    pub(crate) count: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn windows(start: isize, count: usize) -> Windows {
        Windows {
            input: Shape::new(3, 3, 1),
            count: [count; 2],
            start: [start; 2],
            stride: [1; 2],
            size: [3; 2],
        }
    }

    /// Reads a window as the inner loops do.
    fn read(located: &Located, windows: &Windows, window: usize) -> Vec<f32> {
        let row = |row| {
            let first = located.offsets[window] + row * located.row_stride;
            located.elements[first..first + windows.row_len()].to_vec()
        };
        (0..windows.size[0]).flat_map(row).collect()
    }

    #[test]
    fn pads_with_zeros_across_samples() {
        let input: Vec<f32> = (1..=18).map(|x| x as f32).collect();
        let windows = windows(-1, 3);
        let (mut scratch, mut offsets) = (vec![9.0; windows.scratch_len(4)], vec![0; 12]);
        // The last row of the first sample and all of the second.
        let located = windows.locate(&input, 2..6, &mut scratch, &mut offsets);
        assert_eq!(read(&located, &windows, 0), [0., 4., 5., 0., 7., 8., 0., 0., 0.]);
        assert_eq!(read(&located, &windows, 3), [0., 0., 0., 0., 10., 11., 0., 13., 14.]);
        assert_eq!(read(&located, &windows, 11), [14., 15., 0., 17., 18., 0., 0., 0., 0.]);
    }

    #[test]
    fn samples_at_a_time_are_located_alike() {
        let input: Vec<f32> = (1..=27).map(|x| x as f32).collect();
        for windows in [windows(-1, 3), windows(0, 1)] {
            let count = 3 * windows.count[0] * windows.count[1];
            let (mut scratch, mut offsets) = (vec![9.0; windows.scratch_len(9)], vec![0; count]);
            let expected =
                windows.locate(&input, 0..3 * windows.count[0], &mut scratch, &mut offsets);
            let expected: Vec<_> = (0..count).map(|i| read(&expected, &windows, i)).collect();
            let (mut scratch, mut offsets) =
                (vec![9.0; 3 * windows.sample_scratch_len()], vec![0; count]);
            let mut pool = Pool::new(2);
            let found = windows.locate_samples(&input, 3, &mut scratch, &mut offsets, &mut pool);
            let found: Vec<_> = (0..count).map(|i| read(&found, &windows, i)).collect();
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn reads_in_place_where_nothing_is_missing() {
        let input: Vec<f32> = (1..=18).map(|x| x as f32).collect();
        let windows = windows(0, 1);
        assert_eq!(windows.scratch_len(2), 0);
        let mut offsets = vec![0; 2];
        let located = windows.locate(&input, 0..2, &mut [], &mut offsets);
        assert_eq!(read(&located, &windows, 1), (10..=18).map(|x| x as f32).collect::<Vec<_>>());
    }
}
