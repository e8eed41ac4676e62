//! Turns a kernel call into dispatches. The shader text is fixed; a model supplies values only, as pipeline constants.

use super::constants::Constants;
use super::device::Shaders;
use super::dispatch::{Dispatch, Grid, WORK_PER_ELEMENT, Work, operands, write_scratch};
use super::shaders::{Shader, shader};
use super::{convolution, direct, grouped, normalization};
use crate::kernel::Extent::{Fixed, PerSample};
use crate::kernel::{CONTRIBUTION, Call, Extent, Kernel, Softmax, SoftmaxCrossEntropy};

/// A workgroup of a kernel without tiles has so many invocations.
const GROUP: usize = 64;

/// Returns the dispatches of a call by itself, for a plan of at most `batch_size` samples.
pub(super) fn dispatches_of(call: &Call, batch_size: usize, shaders: Shaders) -> Vec<Dispatch> {
    let is_direct = shaders == Shaders::Direct;
    match &call.kernel {
        Kernel::PrepareBatch(k) => {
            const { assert!(CONTRIBUTION == 32, "prepare_batch.wgsl states the record") };
            elements(call, shader!("prepare_batch"), k, k.output.pixels())
        }
        Kernel::Conv2dForward(k) if is_direct => direct::forward(call, k),
        Kernel::Conv2dForward(k) => convolution::forward(call, k, batch_size, false),
        Kernel::Conv2dBackwardInput(k) if is_direct => direct::backward_input(call, k),
        Kernel::Conv2dBackwardInput(k) => convolution::backward_input(call, k, batch_size),
        Kernel::Conv2dBackwardWeight(k) if is_direct => {
            direct::backward_weight(call, k, batch_size)
        }
        Kernel::Conv2dBackwardWeight(k) => convolution::backward_weight(call, k, batch_size),
        Kernel::GroupedConv2dForward(k) => grouped::forward(call, k),
        Kernel::GroupedConv2dBackwardInput(k) => grouped::backward_input(call, k),
        Kernel::GroupedConv2dBackwardWeight(k) => {
            grouped::backward_weight(call, k, batch_size, shaders)
        }
        Kernel::MaxPoolForward(k) => {
            elements(call, shader!("pool/max_pool_forward"), &k.pooling, k.pooling.output.len())
        }
        Kernel::MaxPoolBackward(k) => {
            elements(call, shader!("pool/max_pool_backward"), k, k.pooling.input.len())
        }
        Kernel::AvgPoolForward(k) => {
            elements(call, shader!("pool/avg_pool_forward"), &k.pooling, k.pooling.output.len())
        }
        Kernel::AvgPoolBackward(k) => {
            elements(call, shader!("pool/avg_pool_backward"), k, k.pooling.input.len())
        }
        Kernel::BatchNormStatistics(k) => {
            normalization::statistics(call, &k.norm, batch_size, shaders)
        }
        Kernel::BatchNormRunning(k) => {
            flat(call, shader!("batch_norm/running"), k, Fixed(k.norm.channels), 1)
        }
        Kernel::BatchNormNormalize(k) => normalization::normalize(call, k),
        Kernel::BatchNormBackwardReduce(k) => {
            normalization::backward_reduce(call, &k.norm, batch_size, shaders)
        }
        Kernel::BatchNormBackwardInput(k) => normalization::backward_input(call, k),
        Kernel::ActivationForward(k) => {
            vectors(call, shader!("elementwise/activation_forward"), k, k.len)
        }
        Kernel::ActivationBackward(k) => {
            vectors(call, shader!("elementwise/activation_backward"), k, k.len)
        }
        Kernel::AddForward(k) => {
            elements(call, shader!("elementwise/add_forward"), k, k.add.pixels * k.add.channels)
        }
        Kernel::AddBackward(k) => {
            elements(call, shader!("elementwise/add_backward"), k, k.add.pixels * k.add.tile)
        }
        Kernel::ConcatForward(k) => elements(
            call,
            shader!("elementwise/concat_forward"),
            &k.part,
            k.part.pixels * k.part.count,
        ),
        Kernel::ConcatBackward(k) => {
            elements(call, shader!("elementwise/concat_backward"), k, k.part.pixels * k.part.count)
        }
        Kernel::Dropout(k) => vectors(call, shader!("elementwise/dropout"), k, k.len),
        Kernel::Noise(k) => vectors(call, shader!("elementwise/noise"), k, k.len),
        Kernel::SoftmaxCrossEntropy(k) => softmax_cross_entropy(call, k, batch_size),
        Kernel::Softmax(k) => softmax(call, k),
        Kernel::Adam(k) => arena(call, shader!("update/adam"), k, k.len),
        Kernel::Sgd(k) => arena(call, shader!("update/sgd"), k, k.len),
        Kernel::AverageWeights(k) => arena(call, shader!("update/average_weights"), k, k.len),
    }
}

/// Makes a dispatch with an invocation for each of `len` elements a sample.
fn elements(call: &Call, shader: Shader, k: impl Into<Constants>, len: usize) -> Vec<Dispatch> {
    flat(call, shader, k, PerSample(len), 1)
}

/// Makes a dispatch with an invocation for every four of `len` elements a sample.
fn vectors(call: &Call, shader: Shader, k: impl Into<Constants>, len: usize) -> Vec<Dispatch> {
    flat(call, shader, k, PerSample(len), 4)
}

/// Makes a dispatch with an invocation for every four of the `len` elements of an arena.
fn arena(call: &Call, shader: Shader, k: impl Into<Constants>, len: usize) -> Vec<Dispatch> {
    flat(call, shader, k, Fixed(len), 4)
}

/// Makes a dispatch of `main` over the call's operands, with an invocation for every `width` of `items`.
fn flat(
    call: &Call,
    shader: Shader,
    constants: impl Into<Constants>,
    items: Extent,
    width: usize,
) -> Vec<Dispatch> {
    vec![Dispatch {
        shader,
        entry: "main",
        constants: constants.into(),
        bindings: operands(call),
        grid: Grid::of(items, GROUP * width),
        work: Work::of(items, WORK_PER_ELEMENT),
    }]
}

/// `logits → probabilities`, a workgroup a sample.
fn softmax(call: &Call, kernel: &Softmax) -> Vec<Dispatch> {
    vec![Dispatch {
        shader: shader!("loss/softmax"),
        entry: "main",
        constants: kernel.into(),
        bindings: operands(call),
        grid: Grid::of(PerSample(1), 1),
        work: Work::of(PerSample(kernel.classes), WORK_PER_ELEMENT),
    }]
}

/// `logits, targets → grad_logits, probabilities, metrics`: a workgroup a sample, then the sums over the samples.
fn softmax_cross_entropy(
    call: &Call,
    kernel: &SoftmaxCrossEntropy,
    batch_size: usize,
) -> Vec<Dispatch> {
    let mut bindings = vec![write_scratch(4 * batch_size)];
    bindings.extend(operands(call));
    let main = Dispatch {
        shader: shader!("loss/softmax_cross_entropy"),
        entry: "main",
        constants: kernel.into(),
        bindings,
        grid: Grid::of(PerSample(1), 1),
        work: Work::of(PerSample(kernel.classes), WORK_PER_ELEMENT),
    };
    let finish = Dispatch {
        entry: "finish",
        grid: Grid::of(Fixed(1), 1),
        work: Work::of(PerSample(4), WORK_PER_ELEMENT),
        ..main.clone()
    };
    vec![main, finish]
}
