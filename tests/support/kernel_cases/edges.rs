//! Cases at the edges of f32: NaN, infinities, numbers far from zero.

use super::{Case, pair, pair_target};
use floret::kernel::{
    Activation, ActivationForward, BatchNorm, BatchNormStatistics, Kernel, MaxPoolForward, Pooling,
    Softmax, SoftmaxCrossEntropy, StepInputs,
};
use floret::shape::{Padding, Shape, Window};

const NAN: f32 = f32::NAN;
const INFINITY: f32 = f32::INFINITY;

fn step(batch_size: usize) -> StepInputs {
    StepInputs { batch_size, step: 0, seed: 1, learning_rate: 0.1, weight_decay: 0.0 }
}

/// Cases whose answers hold NaN or an infinity, which both executors must put in the same places.
pub fn not_finite() -> Vec<Case> {
    let numbers = vec![NAN, -NAN, INFINITY, -INFINITY, 0.0, -1.5, 1e30, -1e30];
    let activations = [Activation::None, Activation::Relu, Activation::Sigmoid, Activation::Tanh];
    let forward = activations.map(|activation| Case {
        kernel: Kernel::ActivationForward(ActivationForward { len: numbers.len(), activation }),
        step: step(1),
        reads: vec![numbers.clone()],
        writes: vec![vec![0.0; numbers.len()]],
    });
    let pooling = Pooling {
        input: Shape::new(3, 4, 2),
        output: Shape::new(3, 4, 2),
        window: Window::new([3, 3], [1, 1], Padding::Same),
    };
    let pool = |input: Vec<f32>| Case {
        kernel: Kernel::MaxPoolForward(MaxPoolForward { pooling }),
        step: step(1),
        reads: vec![input],
        writes: vec![vec![0.0; 24], vec![0.0; 24]],
    };
    let mut with_nan: Vec<f32> = (0..24).map(|i| (i * 7 % 24) as f32).collect();
    with_nan[10] = NAN;
    with_nan[3] = -INFINITY;
    let logits = [
        vec![0.5, -INFINITY, 1.0],
        vec![NAN, 0.0, 1.0],
        vec![INFINITY, 0.0, 1.0],
        vec![-INFINITY; 3],
        vec![-200.0, 0.0, 200.0],
    ];
    let softmax = logits.clone().map(|logits| Case {
        kernel: Kernel::Softmax(Softmax { classes: 3 }),
        step: step(1),
        reads: vec![logits],
        writes: vec![vec![0.0; 3]],
    });
    let loss = logits.map(|logits| Case {
        kernel: Kernel::SoftmaxCrossEntropy(SoftmaxCrossEntropy { classes: 3 }),
        step: step(1),
        reads: vec![logits, vec![0.0, 0.0, 1.0, 1.0]],
        writes: vec![vec![0.0; 3], vec![0.0; 3], vec![0.0; 4]],
    });
    let pools = [pool(with_nan), pool(vec![-INFINITY; 24]), pool(vec![NAN; 24])];
    forward.into_iter().chain(pools).chain(softmax).chain(loss).collect()
}

/// Numbers whose spread is small beside their distance from zero, where a difference of squares would leave nothing.
pub fn far_from_zero() -> Vec<Case> {
    let norm = |pixels, channels| BatchNorm {
        pixels,
        channels,
        epsilon: 1e-5,
        momentum: 0.1,
        rescale: false,
        activation: Activation::None,
    };
    let case = |pixels: usize, channels: usize, distance: f32| {
        let wave = |i: usize| ((i / channels * 37 + i % channels * 11) % 64) as f32 / 64.0;
        Case {
            kernel: Kernel::BatchNormStatistics(BatchNormStatistics {
                norm: norm(pixels, channels),
            }),
            step: step(3),
            reads: vec![(0..3 * pixels * channels).map(|i| distance + wave(i)).collect()],
            writes: vec![pair_target(channels), pair(vec![0.0; channels], vec![1.0; channels])],
        }
    };
    vec![case(900, 4, 1000.0), case(70, 33, -4000.0), case(5000, 8, 2e4), case(1, 5, 100.0)]
}
