//! Batch normalisation, moments of the batch: `input → moments, running`.
//!
//! Each chunk of rows, which the cache holds, is read twice: for its mean, and for the deviations from that, which keep
//! the variance exact for values far from zero; chunks are combined in f64 (Chan, Golub and LeVeque, 1979).

use super::channel_sums::{chunk_rows, partial_sums};
use super::pixel_runs::run_pixels;
use super::workers::Workers;
use crate::kernel::{BatchNorm, StepInputs, round_up_to_row};

pub(super) fn run(
    norm: &BatchNorm,
    step: &StepInputs,
    reads: &[&[f32]],
    writes: &mut [&mut [f32]],
    workers: &mut Workers,
) {
    let channels = norm.channels;
    let rows = step.batch_size * norm.pixels;
    let input = &reads[0][..rows * channels];
    partial_sums::<3>(rows, channels, workers, |rows, [means, sums, squares]| {
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
    });
    let [moments, running] = writes else { return };
    let second = round_up_to_row(channels);
    for channel in 0..channels {
        let (mean, variance) = combine(rows, &workers.shared, channels, channel);
        moments[channel] = mean as f32;
        moments[second + channel] = (1.0 / (variance + f64::from(norm.epsilon)).sqrt()) as f32;
        let unbiased = variance * rows as f64 / rows.saturating_sub(1).max(1) as f64;
        for (index, value) in [(channel, mean), (second + channel, unbiased)] {
            running[index] += norm.momentum * (value as f32 - running[index]);
        }
    }
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

/// Mean and biased variance of one channel from the partial sums of all chunks.
fn combine(rows: usize, partials: &[f32], channels: usize, channel: usize) -> (f64, f64) {
    let run = run_pixels(channels) * channels;
    let chunk_rows = chunk_rows(channels);
    let (mut mean, mut squares, mut seen) = (0.0, 0.0, 0.0);
    let chunks = partials.chunks_exact(3 * run).take(rows.div_ceil(chunk_rows));
    for (chunk, partial) in chunks.enumerate() {
        let folded = |part: usize| {
            let column = partial[part * run..(part + 1) * run][channel..].iter().step_by(channels);
            column.map(|&number| f64::from(number)).sum::<f64>()
        };
        let count = chunk_rows.min(rows - chunk * chunk_rows) as f64;
        let (chunk_mean, sum, square) = (f64::from(partial[channel]), folded(1), folded(2));
        // `sum` is what rounding left of the deviations from the mean.
        let difference = chunk_mean + sum / count - mean;
        squares +=
            square - sum * sum / count + difference * difference * seen * count / (seen + count);
        seen += count;
        mean += difference * count / seen;
    }
    // Not `max`, which would make a variance of 0 out of NaN.
    let squares = if squares < 0.0 { 0.0 } else { squares };
    (mean, squares / seen)
}

#[cfg(test)]
mod tests {
    use super::*;
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
        let step = crate::cpu::test_step(2);
        let (mut moments, mut running) = ([0.0; 65], [0.0; 65]);
        run(
            &norm,
            &step,
            &[&[1.0, 3.0, 5.0, 7.0]],
            &mut [&mut moments, &mut running],
            &mut Workers::new(1),
        );
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
        let step = crate::cpu::test_step(1);
        let (mut moments, mut running) = ([0.0; 65], [0.0; 65]);
        run(&norm, &step, &[&input], &mut [&mut moments, &mut running], &mut Workers::new(2));
        assert!((moments[0] - 10_000.5).abs() < 1e-3, "{}", moments[0]);
        assert!((moments[64] - 2.0).abs() < 1e-4, "{}", moments[64]);
    }
}
