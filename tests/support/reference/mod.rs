//! Every kernel once more, slow and obvious, in f64: the numbers that both executors are held to.
//!
//! Written from the kernel table alone. Operands are those of `floret::kernel::Kernel`, numbers widened to f64; a page of
//! photos holds each four bytes as the unsigned number that they are, little end first.
#![allow(dead_code, reason = "each suite uses its own part")]

mod elementwise;
pub mod executor;
mod groups;
mod loss;
mod normalization;
mod photos;
mod update;
mod windows;

use floret::kernel::{
    Activation, ActivationBackward, ActivationForward, Adam, AddBackward, AddForward,
    AverageWeights, AvgPoolBackward, AvgPoolForward, BatchNorm, BatchNormBackwardInput,
    BatchNormBackwardReduce, BatchNormNormalize, BatchNormRunning, BatchNormStatistics,
    ConcatBackward, ConcatForward, Conv2dBackwardInput, Conv2dBackwardWeight, Conv2dForward,
    Dropout, GroupedConv2dBackwardInput, GroupedConv2dBackwardWeight, GroupedConv2dForward, Kernel,
    MaxPoolBackward, MaxPoolForward, Noise, PrepareBatch, Sgd, Softmax, SoftmaxCrossEntropy,
    StepInputs,
};

/// Runs one kernel. `writes` come with their former numbers and leave with the new ones.
pub fn run(kernel: &Kernel, step: &StepInputs, reads: &[&[f64]], writes: &mut [Vec<f64>]) {
    match *kernel {
        Kernel::PrepareBatch(PrepareBatch { page, stored_size, output }) => {
            photos::prepare_batch(page, stored_size, output, reads[0], reads[1], &mut writes[0])
        }
        Kernel::Conv2dForward(Conv2dForward { convolution, activation, norm }) => {
            windows::conv2d_forward(&convolution, activation, reads[0], reads[1], &mut writes[0]);
            fold(norm.as_ref(), reads, &mut writes[0]);
        }
        Kernel::Conv2dBackwardInput(Conv2dBackwardInput {
            convolution,
            input_activation,
            accumulate,
        }) => {
            let mut result = windows::conv2d_backward_input(&convolution, reads[0], reads[1]);
            multiply_by_derivative(&mut result, input_activation, reads.get(2));
            store(&mut writes[0], &result, accumulate);
        }
        Kernel::Conv2dBackwardWeight(Conv2dBackwardWeight { convolution }) => {
            windows::conv2d_backward_weight(&convolution, reads[0], reads[1], &mut writes[0])
        }
        Kernel::GroupedConv2dForward(GroupedConv2dForward { convolution, activation, norm }) => {
            groups::forward(&convolution, activation, reads[0], reads[1], &mut writes[0]);
            fold(norm.as_ref(), reads, &mut writes[0]);
        }
        Kernel::GroupedConv2dBackwardInput(GroupedConv2dBackwardInput {
            convolution,
            input_activation,
            accumulate,
        }) => {
            let mut result = groups::backward_input(&convolution, reads[0], reads[1]);
            multiply_by_derivative(&mut result, input_activation, reads.get(2));
            store(&mut writes[0], &result, accumulate);
        }
        Kernel::GroupedConv2dBackwardWeight(GroupedConv2dBackwardWeight { convolution }) => {
            groups::backward_weight(&convolution, reads[0], reads[1], &mut writes[0])
        }
        Kernel::MaxPoolForward(MaxPoolForward { pooling }) => {
            windows::max_pool_forward(&pooling, reads[0], writes)
        }
        Kernel::MaxPoolBackward(MaxPoolBackward { pooling, accumulate }) => {
            let result = windows::max_pool_backward(&pooling, reads[0], reads[1]);
            store(&mut writes[0], &result, accumulate);
        }
        Kernel::AvgPoolForward(AvgPoolForward { pooling }) => {
            writes[0] = windows::avg_pool_forward(&pooling, reads[0])
        }
        Kernel::AvgPoolBackward(AvgPoolBackward { pooling, accumulate }) => {
            let result = windows::avg_pool_backward(&pooling, reads[0]);
            store(&mut writes[0], &result, accumulate);
        }
        Kernel::BatchNormStatistics(BatchNormStatistics { norm }) => {
            normalization::statistics(&norm, reads[0], writes)
        }
        Kernel::BatchNormRunning(BatchNormRunning { norm }) => {
            normalization::running(&norm, reads[0], &mut writes[0])
        }
        Kernel::BatchNormNormalize(BatchNormNormalize { norm }) => {
            writes[0] = normalization::normalize(&norm, reads[0], reads[1], reads.get(2).copied())
        }
        Kernel::BatchNormBackwardReduce(BatchNormBackwardReduce { norm }) => {
            let block = reads.get(3).copied();
            normalization::backward_reduce(
                &norm,
                reads[0],
                reads[1],
                reads[2],
                block,
                &mut writes[0],
            )
        }
        Kernel::BatchNormBackwardInput(BatchNormBackwardInput {
            norm,
            input_activation,
            accumulate,
        }) => {
            let block = reads.get(4).copied();
            let mut result =
                normalization::backward_input(&norm, reads[0], reads[1], reads[2], reads[3], block);
            multiply_by_derivative(&mut result, input_activation, reads.first());
            store(&mut writes[0], &result, accumulate);
        }
        Kernel::ActivationForward(ActivationForward { activation, .. }) => {
            writes[0] = reads[0].iter().map(|&x| apply(activation, x)).collect()
        }
        Kernel::ActivationBackward(ActivationBackward { activation, accumulate, .. }) => {
            let mut result = reads[1].to_vec();
            multiply_by_derivative(&mut result, activation, reads.first());
            store(&mut writes[0], &result, accumulate);
        }
        Kernel::AddForward(AddForward { add, activation }) => {
            writes[0] = elementwise::add_forward(&add, activation, reads[0], reads[1])
        }
        Kernel::AddBackward(AddBackward { add, accumulate }) => {
            store(&mut writes[0], &elementwise::add_backward(&add, reads[0]), accumulate)
        }
        Kernel::ConcatForward(ConcatForward { part }) => {
            elementwise::concat_forward(&part, reads[0], &mut writes[0])
        }
        Kernel::ConcatBackward(ConcatBackward { part, accumulate }) => {
            store(&mut writes[0], &elementwise::concat_backward(&part, reads[0]), accumulate)
        }
        Kernel::Dropout(Dropout { keep_prob, layer, accumulate, .. }) => {
            let result = elementwise::dropout(keep_prob, layer, step, reads[0]);
            store(&mut writes[0], &result, accumulate);
        }
        Kernel::Noise(Noise { mean, std, ratio, layer, .. }) => {
            writes[0] = elementwise::noise(mean, std, ratio, layer, step, reads[0])
        }
        Kernel::SoftmaxCrossEntropy(SoftmaxCrossEntropy { classes }) => {
            loss::softmax_cross_entropy(classes, step, reads[0], reads[1], writes)
        }
        Kernel::Softmax(Softmax { classes }) => {
            writes[0] = reads[0].chunks(classes).flat_map(loss::softmax).collect()
        }
        Kernel::Adam(Adam { beta1, beta2, epsilon, .. }) => {
            update::adam([beta1, beta2, epsilon], step, reads[0], reads[1], writes)
        }
        Kernel::Sgd(Sgd { momentum, .. }) => {
            update::sgd(momentum, step, reads[0], reads[1], writes)
        }
        Kernel::AverageWeights(AverageWeights { decay, .. }) => {
            update::average(decay, step, reads[0], &mut writes[0])
        }
    }
}

/// Normalises a convolution's outputs by running statistics, where it is to.
fn fold(norm: Option<&BatchNorm>, reads: &[&[f64]], output: &mut Vec<f64>) {
    let Some(norm) = norm else { return };
    let mut moments = reads[2].to_vec();
    normalization::running(norm, reads[2], &mut moments);
    *output = normalization::normalize(norm, output, &moments, reads.get(3).copied());
}

fn store(target: &mut [f64], result: &[f64], accumulate: bool) {
    assert_eq!(target.len(), result.len());
    for (target, &result) in target.iter_mut().zip(result) {
        *target = if accumulate { *target + result } else { result };
    }
}

/// Multiplies by the derivative of the activation whose values are `outputs`.
fn multiply_by_derivative(gradient: &mut [f64], activation: Activation, outputs: Option<&&[f64]>) {
    if activation == Activation::None {
        return;
    }
    let outputs = outputs.expect("an activation's derivative needs its output");
    for (gradient, &output) in gradient.iter_mut().zip(*outputs) {
        *gradient *= derivative(activation, output);
    }
}

/// The activation's value.
pub fn apply(activation: Activation, x: f64) -> f64 {
    match activation {
        Activation::None => x,
        Activation::Relu if x < 0.0 => 0.0,
        Activation::Relu => x,
        Activation::Sigmoid => 1.0 / (1.0 + (-x).exp()),
        Activation::Tanh => x.tanh(),
    }
}

/// The derivative of an activation where its value is `y`.
pub fn derivative(activation: Activation, y: f64) -> f64 {
    match activation {
        Activation::None => 1.0,
        Activation::Relu if y > 0.0 => 1.0,
        Activation::Relu => 0.0,
        Activation::Sigmoid => y * (1.0 - y),
        Activation::Tanh => 1.0 - y * y,
    }
}
