//! Sums over pixels, channel by channel, in a fixed order: runs of pixels within a chunk, then chunk after chunk.

use crate::backend::cpu::reduce::pixel_runs::run_pixels;
use crate::backend::cpu::threads::{Workers, grown};
use std::ops::Range;

/// Numbers of a chunk, which are summed in f32.
const CHUNK: usize = 8192;

/// Rows (pixels) of a chunk: whole runs.
pub(crate) fn chunk_rows(channels: usize) -> usize {
    let pixels = run_pixels(channels);
    pixels * (CHUNK / (pixels * channels)).max(1)
}

/// `sums[c] = Σ numbers[·, c]`.
pub(crate) fn channel_sums(
    numbers: &[f32],
    channels: usize,
    sums: &mut [f32],
    workers: &mut Workers,
) {
    let rows = numbers.len() / channels;
    partial_sums::<1>(rows, channels, workers, |rows, [partial]| {
        for run in numbers[rows.start * channels..rows.end * channels].chunks(partial.len()) {
            for (sum, number) in partial.iter_mut().zip(run) {
                *sum += number;
            }
        }
    });
    total(0, 1, channels, rows, workers, sums);
}

/// Gives `work` every chunk of rows and `COUNT` runs of zeros to add to; they lie one chunk after the other in the
/// shared scratch memory.
pub(crate) fn partial_sums<const COUNT: usize>(
    rows: usize,
    channels: usize,
    workers: &mut Workers,
    work: impl Fn(Range<usize>, [&mut [f32]; COUNT]) + Sync,
) {
    let run = run_pixels(channels) * channels;
    let chunk_rows = chunk_rows(channels);
    let mut shared = std::mem::take(&mut workers.shared);
    let partials = grown(&mut shared, rows.div_ceil(chunk_rows) * COUNT * run);
    workers.chunks(partials, COUNT * run, |range, partial| {
        let first = range.start / (COUNT * run) * chunk_rows;
        partial.fill(0.0);
        let mut parts = partial.chunks_exact_mut(run);
        let runs = std::array::from_fn(|_| parts.next().unwrap_or_default());
        work(first..rows.min(first + chunk_rows), runs);
    });
    workers.shared = shared;
}

/// Adds up, in f64, run number `part` of `count` that [`partial_sums`] left for each chunk.
pub(crate) fn total(
    part: usize,
    count: usize,
    channels: usize,
    rows: usize,
    workers: &Workers,
    sums: &mut [f32],
) {
    let run = run_pixels(channels) * channels;
    let chunks = rows.div_ceil(chunk_rows(channels));
    for (channel, sum) in sums.iter_mut().enumerate() {
        let mut total = 0.0;
        for chunk in 0..chunks {
            let run = &workers.shared[(chunk * count + part) * run..][..run];
            let column = run[channel..].iter().step_by(channels);
            total += column.map(|&number| f64::from(number)).sum::<f64>();
        }
        *sum = total as f32;
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
            let numbers: Vec<f32> = (0..rows * channels).map(number).collect();
            let mut sums = vec![9.0; channels];
            channel_sums(&numbers, channels, &mut sums, &mut Workers::new(1));
            for (channel, &sum) in sums.iter().enumerate() {
                let expected: f32 = (0..rows).map(|row| ((row + channel) % 16) as f32).sum();
                assert_eq!(sum, expected);
            }
        }
    }
}
