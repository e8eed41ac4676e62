//! Optimizers and the moving average of weights.

use floret::kernel::{ROW, StepInputs};

/// `weights −= rate · (direction + decay · weights)`, each parameter by its row's flags.
fn apply(step: &StepInputs, flags: &[f64], weights: &mut [f64], direction: &[f64]) {
    for (index, weight) in weights.iter_mut().enumerate() {
        let (rate_scale, decay_scale) = (flags[2 * (index / ROW)], flags[2 * (index / ROW) + 1]);
        let decay = f64::from(step.weight_decay) * decay_scale * *weight;
        *weight -= f64::from(step.learning_rate) * rate_scale * (direction[index] + decay);
    }
}

pub fn adam(
    [beta1, beta2, epsilon]: [f32; 3],
    step: &StepInputs,
    gradients: &[f64],
    flags: &[f64],
    writes: &mut [Vec<f64>],
) {
    let (beta1, beta2) = (f64::from(beta1), f64::from(beta2));
    let t = step.step as i32 + 1;
    let mut direction = Vec::new();
    for (index, g) in gradients.iter().enumerate() {
        writes[1][index] = beta1 * writes[1][index] + (1.0 - beta1) * g;
        writes[2][index] = beta2 * writes[2][index] + (1.0 - beta2) * g * g;
        let first = writes[1][index] / (1.0 - beta1.powi(t));
        let second = writes[2][index] / (1.0 - beta2.powi(t));
        direction.push(first / (second.sqrt() + f64::from(epsilon)));
    }
    apply(step, flags, &mut writes[0], &direction);
}

pub fn sgd(
    momentum: f32,
    step: &StepInputs,
    gradients: &[f64],
    flags: &[f64],
    writes: &mut [Vec<f64>],
) {
    for (moment, g) in writes[1].iter_mut().zip(gradients) {
        *moment = f64::from(momentum) * *moment + g;
    }
    let direction = writes[1].clone();
    apply(step, flags, &mut writes[0], &direction);
}

pub fn average(decay: f32, step: &StepInputs, weights: &[f64], averaged: &mut [f64]) {
    let early = (1.0 + f64::from(step.step)) / (10.0 + f64::from(step.step));
    let decay = f64::from(decay).min(early);
    for (averaged, weight) in averaged.iter_mut().zip(weights) {
        *averaged += (1.0 - decay) * (weight - *averaged);
    }
}
