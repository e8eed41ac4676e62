//! Add, concatenation, dropout and noise.

use super::apply;
use floret::kernel::{Activation, Part, StepInputs, TiledAdd};
use floret::rng::{Random, Stream};

pub fn add_forward(
    add: &TiledAdd,
    activation: Activation,
    first: &[f64],
    second: &[f64],
) -> Vec<f64> {
    let sum = |(index, &x): (usize, &f64)| {
        let (pixel, channel) = (index / add.channels, index % add.channels);
        apply(activation, x + second[pixel * add.tile + channel % add.tile])
    };
    first.iter().enumerate().map(sum).collect()
}

pub fn add_backward(add: &TiledAdd, grad_output: &[f64]) -> Vec<f64> {
    let mut grad_second = vec![0.0; grad_output.len() / add.channels * add.tile];
    for (index, gradient) in grad_output.iter().enumerate() {
        let (pixel, channel) = (index / add.channels, index % add.channels);
        grad_second[pixel * add.tile + channel % add.tile] += gradient;
    }
    grad_second
}

pub fn concat_forward(part: &Part, input: &[f64], whole: &mut [f64]) {
    for (index, &x) in input.iter().enumerate() {
        let (pixel, channel) = (index / part.count, index % part.count);
        whole[pixel * part.channels + part.first + channel] = x;
    }
}

pub fn concat_backward(part: &Part, grad_whole: &[f64]) -> Vec<f64> {
    let pixels = grad_whole.chunks(part.channels);
    pixels.flat_map(|pixel| pixel[part.first..part.first + part.count].to_vec()).collect()
}

pub fn dropout(keep_prob: f32, layer: u32, step: &StepInputs, input: &[f64]) -> Vec<f64> {
    let random = Random::new(step.seed, Stream::Dropout, layer, step.step);
    let kept = |(index, &x): (usize, &f64)| {
        if random.uniform(index as u32) < keep_prob { x / f64::from(keep_prob) } else { 0.0 }
    };
    input.iter().enumerate().map(kept).collect()
}

pub fn noise(
    mean: f32,
    std: f32,
    ratio: f32,
    layer: u32,
    step: &StepInputs,
    input: &[f64],
) -> Vec<f64> {
    let sequence = |substream| Random::new(step.seed, Stream::Noise, substream, step.step);
    if sequence(layer + 65_536).uniform(0) >= ratio {
        return input.to_vec();
    }
    let random = sequence(layer);
    let noisy = |(index, &x): (usize, &f64)| {
        x + f64::from(mean) + f64::from(std) * normal(&random, index as u32)
    };
    input.iter().enumerate().map(noisy).collect()
}

/// Box and Muller in f64, from the words that `Random::normal` takes.
fn normal(random: &Random, index: u32) -> f64 {
    let [u, v] = [2 * index, 2 * index + 1].map(|index| f64::from(random.uniform(index)));
    (-2.0 * (1.0 - u).ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}
