//! Batch normalisation's moments: of the batch, or from the running statistics.
//!
//! A convolution just before has taken the moments of each block of its output. Else each chunk of rows, which the cache
//! holds, is read twice: for its mean, and for the deviations from that, which keep the variance exact for values far from
//! zero (Chan, Golub and LeVeque, 1979). Chunks are combined in f64.

use super::inverse_deviation;
use crate::backend::cpu::context::Context;
use crate::backend::cpu::kernels::Run;
use crate::backend::cpu::operands::{Operands, slice_of};
use crate::backend::cpu::reduce::channel_sums::{Partials, chunk_rows, partial_sums};
use crate::backend::cpu::reduce::pixel_runs::run_pixels;
use crate::backend::cpu::threads::Pool;
use crate::error::Result;
use crate::kernel::{BatchNorm, BatchNormRunning, BatchNormStatistics};
use ndarray::{ArrayView2, Zip};

impl Run for BatchNormStatistics {
    fn run(&self, mut operands: Operands, context: &mut Context) -> Result<()> {
        let BatchNorm { pixels, channels, epsilon, momentum, .. } = self.norm;
        let input = operands.pixels(pixels, channels)?;
        let mut moments = operands.pair_mut(channels)?;
        let mut running = operands.pair_mut(channels)?;
        let rows = input.nrows();
        let chunks = match &context.moments {
            Some(found) => {
                Chunks { elements: found.elements(), rows: found.block_pixels(), stride: channels }
            }
            None => {
                let scratch = &mut context.scratch.elements;
                let partials = moments_of_chunks(input, scratch, context.pool);
                let stride = run_pixels(channels) * channels;
                Chunks { elements: partials.elements, rows: chunk_rows(channels), stride }
            }
        };
        context.pool.instructions.enable(|| {
            for first in (0..channels).step_by(LANES) {
                let [means, variances] = chunks.combine(rows, first);
                for (lane, channel) in (first..channels.min(first + LANES)).enumerate() {
                    let (mean, variance) = (means[lane], variances[lane]);
                    moments.first[channel] = mean as f32;
                    moments.second[channel] = (1.0 / (variance + f64::from(epsilon)).sqrt()) as f32;
                    let unbiased = variance * rows as f64 / rows.saturating_sub(1).max(1) as f64;
                    let step = |average: &mut f32, value: f64| {
                        *average += momentum * (value as f32 - *average);
                    };
                    step(&mut running.first[channel], mean);
                    step(&mut running.second[channel], unbiased);
                }
            }
        });
        Ok(())
    }
}

impl Run for BatchNormRunning {
    fn run(&self, mut operands: Operands, _context: &mut Context) -> Result<()> {
        let running = operands.pair(self.norm.channels)?;
        let mut moments = operands.pair_mut(self.norm.channels)?;
        moments.first.assign(&running.first);
        Zip::from(moments.second).and(running.second).for_each(|inverse, &variance| {
            *inverse = inverse_deviation(&self.norm, variance);
        });
        Ok(())
    }
}

/// Returns for each chunk of rows, as [`Chunks`] has them, means, sums of the deviations from them, and of their squares.
fn moments_of_chunks<'a>(
    input: ArrayView2<f32>,
    scratch: &'a mut Vec<f32>,
    pool: &mut Pool,
) -> Partials<'a> {
    let (rows, channels) = input.dim();
    let input = slice_of(input);
    partial_sums::<3>(rows, channels, scratch, pool, |rows, [means, sums, squares]| {
        let input = &input[rows.start * channels..rows.end * channels];
        chunk_means(input, channels, means, sums);
        for run in input.chunks(means.len()) {
            let parts = sums.iter_mut().zip(&mut *squares).zip(&*means);
            for (((sum, square), &mean), &x) in parts.zip(run) {
                let deviation = x - mean;
                *sum += deviation;
                *square += deviation * deviation;
            }
        }
        fold(sums, channels);
        fold(squares, channels);
    })
}

/// Fills `means`, a run, with the means of a chunk, counted from its first row; `spare` is a run of zeros, and is again.
fn chunk_means(input: &[f32], channels: usize, means: &mut [f32], spare: &mut [f32]) {
    let first = &input[..channels];
    for repeated in spare.chunks_exact_mut(channels) {
        repeated.copy_from_slice(first);
    }
    for run in input.chunks(means.len()) {
        for ((mean, &x), &first) in means.iter_mut().zip(run).zip(&*spare) {
            *mean += x - first;
        }
    }
    spare.fill(0.0);
    let rows = (input.len() / channels) as f32;
    for (channel, &first) in first.iter().enumerate() {
        let sum: f32 = means.iter().skip(channel).step_by(channels).sum();
        for mean in means.iter_mut().skip(channel).step_by(channels) {
            *mean = first + sum / rows;
        }
    }
}

/// Adds the pixels of a run up into its first.
fn fold(run: &mut [f32], channels: usize) {
    let (first, others) = run.split_at_mut(channels);
    for pixel in others.chunks_exact(channels) {
        first.iter_mut().zip(pixel).for_each(|(sum, x)| *sum += x);
    }
}

/// Channels whose moments are combined at a time.
const LANES: usize = 8;

/// Moments of all chunks of rows, one chunk after the other.
struct Chunks<'a> {
    /// For each chunk the channels' pivots, sums of the deviations from them, and sums of those deviations' squares.
    elements: &'a [f32],
    /// Rows of every chunk but the last.
    rows: usize,
    /// From the pivots to the sums, and on to the squares.
    stride: usize,
}

impl Chunks<'_> {
    /// Means and biased variances over `rows` rows of the channels from `first` on: the means first, then what deviations
    /// from the pivots say of those from the means.
    #[inline(always)]
    fn combine(&self, rows: usize, first: usize) -> [[f64; LANES]; 2] {
        let chunks = rows.div_ceil(self.rows);
        let part = |chunk: usize, part: usize| self.lanes((3 * chunk + part) * self.stride + first);
        let count = |chunk: usize| self.rows.min(rows - chunk * self.rows) as f64;
        let [mut means, mut variances] = [[0.0; LANES]; 2];
        for chunk in 0..chunks {
            let (count, pivots, sums) = (count(chunk), part(chunk, 0), part(chunk, 1));
            for lane in 0..LANES {
                means[lane] += pivots[lane] * count + sums[lane];
            }
        }
        let rows = rows as f64;
        means = means.map(|sum| sum / rows);
        for chunk in 0..chunks {
            let [pivots, sums, squares] = [0, 1, 2].map(|index| part(chunk, index));
            let count = count(chunk);
            for lane in 0..LANES {
                let shift = pivots[lane] - means[lane];
                variances[lane] += squares[lane] + shift * (2.0 * sums[lane] + shift * count);
            }
        }
        // Not `max`, which would make a variance of 0 out of NaN.
        let variances = variances.map(|squares| if squares < 0.0 { 0.0 } else { squares / rows });
        [means, variances]
    }

    /// Returns elements from `start` on, zeros where there are no more.
    #[inline(always)]
    fn lanes(&self, start: usize) -> [f64; LANES] {
        let rest = &self.elements[start..];
        match rest.first_chunk::<LANES>() {
            Some(lanes) => lanes.map(f64::from),
            None => std::array::from_fn(|lane| rest.get(lane).map_or(0.0, |&x| f64::from(x))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::cpu::run_alone;
    use crate::kernel::Activation;

    #[test]
    fn moments_and_running_statistics() {
        let norm = BatchNorm {
            pixels: 2,
            channels: 1,
            epsilon: 0.0,
            momentum: 0.5,
            rescale: false,
            activation: Activation::None,
        };
        let (mut moments, mut running) = ([0.0; 65], [0.0; 65]);
        let writes: &mut [&mut [f32]] = &mut [&mut moments, &mut running];
        run_alone(BatchNormStatistics { norm }, 2, &[&[1.0, 3.0, 5.0, 7.0]], writes);
        assert_eq!([moments[0], moments[64]], [4.0, 1.0 / 5.0f32.sqrt()]);
        // Unbiased: 20 / 3.
        assert_eq!([running[0], running[64]], [2.0, 10.0 / 3.0]);
    }

    #[test]
    fn far_from_zero_across_chunks() {
        let rows = 3 * chunk_rows(1) + 17;
        let input: Vec<f32> = (0..rows).map(|i| 10_000.0 + (i % 2) as f32).collect();
        let norm = BatchNorm {
            pixels: rows,
            channels: 1,
            epsilon: 0.0,
            momentum: 1.0,
            rescale: false,
            activation: Activation::None,
        };
        let (mut moments, mut running) = ([0.0; 65], [0.0; 65]);
        let writes: &mut [&mut [f32]] = &mut [&mut moments, &mut running];
        run_alone(BatchNormStatistics { norm }, 1, &[&input], writes);
        assert!((moments[0] - 10_000.5).abs() < 1e-3, "{}", moments[0]);
        assert!((moments[64] - 2.0).abs() < 1e-4, "{}", moments[64]);
    }

    #[test]
    fn inverse_deviation_of_the_running_variance() {
        let norm = BatchNorm {
            pixels: 1,
            channels: 1,
            epsilon: 1.0,
            momentum: 0.1,
            rescale: false,
            activation: Activation::None,
        };
        let (mut running, mut moments) = ([0.0; 65], [0.0; 65]);
        (running[0], running[64]) = (2.0, 3.0);
        run_alone(BatchNormRunning { norm }, 1, &[&running], &mut [&mut moments]);
        assert_eq!([moments[0], moments[64]], [2.0, 0.5]);
    }
}
