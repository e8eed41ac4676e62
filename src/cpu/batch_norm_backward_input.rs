//! Batch normalisation backward to its input: `input, grad_output, moments, sums, (block) → grad_input`.
//!
//! `grad_input = scale · inverse · (g − mean(g) − normalised · mean(g · normalised))`.

use super::batch_norm_normalize::Affine;
use super::blocks::{BLOCK, block, load, store};
use super::channel_sums::chunk_rows;
use super::pixel_runs::{repeat_channels, run_pixels};
use super::workers::{Workers, grown};
use crate::kernel::{Activation, BatchNorm, StepInputs, round_up_to_row};

pub(super) fn run(
    norm: &BatchNorm,
    (input_activation, accumulate): (Activation, bool),
    step: &StepInputs,
    reads: &[&[f32]],
    writes: &mut [&mut [f32]],
    workers: &mut Workers,
) {
    let (input, grad_output, moments, sums) = (reads[0], reads[1], reads[2], reads[3]);
    let parameters = if norm.rescale { reads.get(4).copied() } else { None };
    let channels = norm.channels;
    let rows = step.batch_size * norm.pixels;
    let second = round_up_to_row(channels);
    let share = 1.0 / rows as f32;
    let mut coefficients = std::mem::take(&mut workers.coefficients);
    let runs = grown(&mut coefficients, 5 * run_pixels(channels) * channels);
    let runs = repeat_channels(channels, runs, |channel| {
        let affine = Affine::new(moments, parameters, channels, channel);
        let [factor, offset] = affine.factor_and_offset();
        let (mean_product, mean_gradient) = (sums[channel] * share, sums[second + channel] * share);
        [affine.mean, mean_gradient, factor, factor * affine.inverse * mean_product, offset]
    });
    let [means, mean_gradients, factors, pulls, offsets] = runs;
    workers.chunks(
        &mut writes[0][..rows * channels],
        chunk_rows(channels) * channels,
        |range, output| {
            let pairs = input[range.clone()].chunks(means.len());
            let pairs = pairs.zip(grad_output[range].chunks(means.len()));
            for (output, (x, g)) in output.chunks_mut(means.len()).zip(pairs) {
                for start in (0..output.len()).step_by(BLOCK) {
                    let x = load(x, start);
                    let mut g = load(g, start);
                    let factors = load(factors, start);
                    if norm.activation != Activation::None {
                        let offsets = load(offsets, start);
                        let y = block(|i| norm.activation.apply(x[i] * factors[i] + offsets[i]));
                        g = block(|i| g[i] * norm.activation.slope(y[i]));
                    }
                    let (means, mean_gradients) = (load(means, start), load(mean_gradients, start));
                    let pulls = load(pulls, start);
                    // scale · inverse · (g − mean(g)) − pull · (input − mean)
                    let mut gradient = block(|i| {
                        (g[i] - mean_gradients[i]) * factors[i] - pulls[i] * (x[i] - means[i])
                    });
                    match input_activation {
                        Activation::None => {}
                        Activation::Relu => {
                            gradient = block(|i| if x[i] > 0.0 { gradient[i] } else { 0.0 });
                        }
                        other => gradient = block(|i| gradient[i] * other.slope(x[i])),
                    }
                    if accumulate {
                        let before = load(output, start);
                        gradient = block(|i| before[i] + gradient[i]);
                    }
                    store(output, start, &gradient);
                }
            }
        },
    );
    workers.coefficients = coefficients;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subtracts_what_moves_mean_and_variance() {
        let norm = BatchNorm {
            pixels: 2,
            channels: 1,
            epsilon: 0.0,
            momentum: 0.1,
            rescale: false,
            activation: Activation::None,
        };
        let (mut moments, mut sums) = ([0.0; 65], [0.0; 65]);
        // Inputs −1 and 3: mean 1, deviation 2, normalised −1 and 1; gradients 1 and 4.
        (moments[0], moments[64]) = (1.0, 0.5);
        (sums[0], sums[64]) = (3.0, 5.0);
        let mut output = [1.0; 2];
        let step = crate::cpu::test_step(1);
        let reads: [&[f32]; 4] = [&[-1.0, 3.0], &[1.0, 4.0], &moments, &sums];
        let options = (Activation::None, true);
        run(&norm, options, &step, &reads, &mut [&mut output], &mut Workers::new(1));
        // Two numbers have no freedom left once mean and variance are fixed.
        assert_eq!(output, [1.0, 1.0]);
    }
}
