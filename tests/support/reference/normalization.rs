//! Batch normalisation (Ioffe and Szegedy, 2015): the chain rule written out, channel by channel.

use super::{apply, derivative};
use floret::kernel::{BatchNorm, round_up_to_row};

/// A vector pair laid out as the kernel table says: the second one at the next whole row.
fn pair(norm: &BatchNorm, numbers: &[f64], channel: usize) -> (f64, f64) {
    (numbers[channel], numbers[round_up_to_row(norm.channels) + channel])
}

fn set_pair(norm: &BatchNorm, numbers: &mut [f64], channel: usize, values: (f64, f64)) {
    numbers[channel] = values.0;
    numbers[round_up_to_row(norm.channels) + channel] = values.1;
}

/// All numbers of a channel.
fn column(norm: &BatchNorm, numbers: &[f64], channel: usize) -> Vec<f64> {
    numbers.iter().skip(channel).step_by(norm.channels).copied().collect()
}

fn inverse_deviation(norm: &BatchNorm, variance: f64) -> f64 {
    1.0 / (variance + f64::from(norm.epsilon)).sqrt()
}

pub fn statistics(norm: &BatchNorm, input: &[f64], writes: &mut [Vec<f64>]) {
    for channel in 0..norm.channels {
        let values = column(norm, input, channel);
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|x| (x - mean).powi(2)).sum();
        set_pair(norm, &mut writes[0], channel, (mean, inverse_deviation(norm, squares / n)));
        let unbiased = if values.len() > 1 { squares / (n - 1.0) } else { 0.0 };
        let (old_mean, old_variance) = pair(norm, &writes[1], channel);
        let moved = |old: f64, new: f64| old + f64::from(norm.momentum) * (new - old);
        let new = (moved(old_mean, mean), moved(old_variance, unbiased));
        set_pair(norm, &mut writes[1], channel, new);
    }
}

pub fn running(norm: &BatchNorm, running: &[f64], moments: &mut [f64]) {
    for channel in 0..norm.channels {
        let (mean, variance) = pair(norm, running, channel);
        set_pair(norm, moments, channel, (mean, inverse_deviation(norm, variance)));
    }
}

/// A number normalised, and what the scale, shift and activation make of it.
fn normalized(
    norm: &BatchNorm,
    x: f64,
    moments: &[f64],
    block: Option<&[f64]>,
    channel: usize,
) -> (f64, f64) {
    let (mean, inverse) = pair(norm, moments, channel);
    let (scale, shift) = block.map_or((1.0, 0.0), |block| pair(norm, block, channel));
    let normalized = (x - mean) * inverse;
    (normalized, apply(norm.activation, normalized * scale + shift))
}

pub fn normalize(
    norm: &BatchNorm,
    input: &[f64],
    moments: &[f64],
    block: Option<&[f64]>,
) -> Vec<f64> {
    let value =
        |(index, &x): (usize, &f64)| normalized(norm, x, moments, block, index % norm.channels).1;
    input.iter().enumerate().map(value).collect()
}

/// The gradient before the activation.
fn before_activation(
    norm: &BatchNorm,
    input: &[f64],
    grad_output: &[f64],
    moments: &[f64],
    block: Option<&[f64]>,
) -> Vec<f64> {
    let outputs = normalize(norm, input, moments, block);
    grad_output.iter().zip(&outputs).map(|(g, &y)| g * derivative(norm.activation, y)).collect()
}

pub fn backward_reduce(
    norm: &BatchNorm,
    input: &[f64],
    grad_output: &[f64],
    moments: &[f64],
    block: Option<&[f64]>,
    sums: &mut [f64],
) {
    let gradient = before_activation(norm, input, grad_output, moments, block);
    for channel in 0..norm.channels {
        let mut both = (0.0, 0.0);
        for (&x, &g) in column(norm, input, channel).iter().zip(&column(norm, &gradient, channel)) {
            both.0 += g * normalized(norm, x, moments, block, channel).0;
            both.1 += g;
        }
        set_pair(norm, sums, channel, both);
    }
}

pub fn backward_input(
    norm: &BatchNorm,
    input: &[f64],
    grad_output: &[f64],
    moments: &[f64],
    sums: &[f64],
    block: Option<&[f64]>,
) -> Vec<f64> {
    let gradient = before_activation(norm, input, grad_output, moments, block);
    let n = (input.len() / norm.channels) as f64;
    let result = |(index, (&x, &g)): (usize, (&f64, &f64))| {
        let channel = index % norm.channels;
        let (_, inverse) = pair(norm, moments, channel);
        let scale = block.map_or(1.0, |block| block[channel]);
        let (with_normalized, alone) = pair(norm, sums, channel);
        let normalized = normalized(norm, x, moments, block, channel).0;
        scale * inverse * (g - alone / n - normalized * with_normalized / n)
    };
    input.iter().zip(&gradient).enumerate().map(result).collect()
}
