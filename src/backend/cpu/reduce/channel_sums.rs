//! Sums over pixels, channel by channel, in a fixed order: runs of pixels within a chunk, then chunk after chunk.

use crate::backend::cpu::operands::slice_of;
use crate::backend::cpu::reduce::pixel_runs::run_pixels;
use crate::backend::cpu::scratch::grown;
use crate::backend::cpu::threads::Pool;
use ndarray::{ArrayView2, ArrayViewMut1, ArrayViewMut2};
use std::ops::Range;

/// Elements of a chunk, which are summed in f32.
const CHUNK: usize = 8192;

/// Returns the rows (pixels) of a chunk: whole runs.
pub(crate) fn chunk_rows(channels: usize) -> usize {
    let pixels = run_pixels(channels);
    pixels * (CHUNK / (pixels * channels)).max(1)
}

/// `sums[c] = Σ values[·, c]`.
pub(crate) fn channel_sums(
    values: ArrayView2<f32>,
    sums: ArrayViewMut1<f32>,
    scratch: &mut Vec<f32>,
    pool: &mut Pool,
) {
    let (rows, channels) = values.dim();
    let values = slice_of(values);
    let partials = partial_sums::<1>(rows, channels, scratch, pool, |rows, [partial]| {
        for run in values[rows.start * channels..rows.end * channels].chunks(partial.len()) {
            for (sum, value) in partial.iter_mut().zip(run) {
                *sum += value;
            }
        }
    });
    partials.total(0, sums);
}

/// What [`partial_sums`] leaves: for each chunk of rows as many runs as its work adds to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Partials<'a> {
    pub(crate) elements: &'a [f32],
    channels: usize,
    /// Runs of a chunk.
    runs: usize,
}

/// Gives `work` every chunk of rows and `COUNT` runs of zeros to add to; these lie in `scratch`, one chunk after the other.
pub(crate) fn partial_sums<'a, const COUNT: usize>(
    rows: usize,
    channels: usize,
    scratch: &'a mut Vec<f32>,
    pool: &mut Pool,
    work: impl Fn(Range<usize>, [&mut [f32]; COUNT]) + Sync,
) -> Partials<'a> {
    let run = run_pixels(channels) * channels;
    let chunk_rows = chunk_rows(channels);
    let chunks = rows.div_ceil(chunk_rows);
    let elements = grown(scratch, chunks * COUNT * run);
    if let Ok(partials) = ArrayViewMut2::from_shape([chunks, COUNT * run], &mut *elements) {
        pool.chunks([partials], 1, |chunk, [mut partial]| {
            let first = chunk.start * chunk_rows;
            partial.fill(0.0);
            let mut parts = partial.into_slice().unwrap_or_default().chunks_exact_mut(run);
            let runs = std::array::from_fn(|_| parts.next().unwrap_or_default());
            work(first..rows.min(first + chunk_rows), runs);
        });
    }
    Partials { elements, channels, runs: COUNT }
}

impl Partials<'_> {
    /// Adds up run number `part` of all chunks, in f64.
    pub(crate) fn total(&self, part: usize, mut sums: ArrayViewMut1<f32>) {
        let run = run_pixels(self.channels) * self.channels;
        for (channel, sum) in sums.iter_mut().enumerate() {
            let mut total = 0.0;
            for chunk in self.elements.chunks_exact(self.runs * run) {
                let run = &chunk[part * run..][..run];
                let column = run[channel..].iter().step_by(self.channels);
                total += column.map(|&value| f64::from(value)).sum::<f64>();
            }
            *sum = total as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_every_row_once() {
        for channels in [2, 3, 100] {
            let rows = 2 * chunk_rows(channels) + 3;
            let number = |index: usize| ((index / channels + index % channels) % 16) as f32;
            let values: Vec<f32> = (0..rows * channels).map(number).collect();
            let values = ArrayView2::from_shape([rows, channels], &values).unwrap();
            let mut sums = vec![9.0; channels];
            let sums_view = ArrayViewMut1::from(&mut sums);
            channel_sums(values, sums_view, &mut Vec::new(), &mut Pool::new(1));
            for (channel, &sum) in sums.iter().enumerate() {
                let expected: f32 = (0..rows).map(|row| ((row + channel) % 16) as f32).sum();
                assert_eq!(sum, expected);
            }
        }
    }
}
