//! The CPU kernels at the edges of f32: channels that hardly vary, logits far apart, long sums, infinities and NaN.

use floret::backend::cpu::{Workers, run_kernel};
use floret::kernel::{
    Activation, ActivationBackward, ActivationForward, Adam, AddForward, BatchNorm,
    BatchNormNormalize, BatchNormStatistics, Conv2dBackwardWeight, Conv2dForward, Convolution,
    Kernel, MaxPoolBackward, MaxPoolForward, Pooling, SoftmaxCrossEntropy, StepInputs, TiledAdd,
};
use floret::rng::{Random, Stream};
use floret::shape::{Padding, Shape, Window};

fn run(kernel: Kernel, batch_size: usize, reads: &[&[f32]], writes: &mut [&mut [f32]]) {
    let step = StepInputs { batch_size, step: 0, seed: 1, learning_rate: 0.1, weight_decay: 0.0 };
    run_kernel(&kernel, &step, reads, writes, &mut Workers::new(2))
        .expect("operands fit the kernel");
}

fn assert_close(found: f32, expected: f64, tolerance: f64) {
    let close = (f64::from(found) - expected).abs() <= tolerance * expected.abs();
    assert!(close, "{found}, expected {expected}");
}

/// Mean and variance of one channel, by the kernel and in f64.
fn moments(input: &[f32]) -> [(f32, f64); 2] {
    let norm = BatchNorm {
        pixels: input.len(),
        channels: 1,
        epsilon: f32::MIN_POSITIVE,
        momentum: 1.0,
        rescale: false,
        activation: Activation::None,
    };
    let (mut moments, mut running) = ([0.0; 65], [0.0; 65]);
    run(
        Kernel::BatchNormStatistics(BatchNormStatistics { norm }),
        1,
        &[input],
        &mut [&mut moments, &mut running],
    );
    let n = input.len() as f64;
    let mean = input.iter().map(|&x| f64::from(x)).sum::<f64>() / n;
    let squares: f64 = input.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum();
    [(running[0], mean), (running[64], squares / (n - 1.0))]
}

fn noise(index: u32) -> f32 {
    Random::new(1, Stream::Test, 0, 0).uniform(index) - 0.5
}

#[test]
fn moments_of_channels_that_hardly_vary() {
    let far = |index: u32| 1000.0 + noise(index);
    // ReLU leaves channels that are 0 but for a few pixels, the first one perhaps among them.
    let outlier = |index: u32| if index == 0 { 1000.0 } else { noise(index) };
    let outlier_every_chunk =
        |index: u32| if index.is_multiple_of(256) { 50.0 } else { noise(index) };
    let inputs: [&dyn Fn(u32) -> f32; 4] = [&noise, &far, &outlier, &outlier_every_chunk];
    for (number, input) in inputs.into_iter().enumerate() {
        for len in [2, 255, 256, 10_000] {
            let numbers: Vec<f32> = (0..len).map(input).collect();
            let [mean, variance] = moments(&numbers);
            let off = (f64::from(mean.0) - mean.1).abs() / (mean.1.abs() + variance.1.sqrt());
            assert!(off <= 1e-6, "input {number}, {len} numbers: mean {mean:?}");
            let off = (f64::from(variance.0) / variance.1 - 1.0).abs();
            assert!(off <= 1e-4, "input {number}, {len} numbers: variance {variance:?}");
        }
    }
    let [mean, variance] = moments(&[3.25; 5000]);
    assert_eq!((mean.0, variance.0), (3.25, 0.0));
}

#[test]
fn nan_shows_in_the_moments() {
    let mut numbers = vec![1.0; 600];
    for wrong in [f32::NAN, f32::INFINITY] {
        numbers[300] = wrong;
        let [mean, variance] = moments(&numbers);
        assert!(!mean.0.is_finite() && !variance.0.is_finite(), "{mean:?}, {variance:?}");
    }
}

#[test]
fn relu_keeps_nan() {
    let activation = Activation::Relu;
    let input = [-1.0, f32::NAN, 2.0, -0.0];
    let check = |kernel: Kernel, reads: &[&[f32]]| {
        let mut output = [9.0; 4];
        run(kernel, 1, reads, &mut [&mut output]);
        assert_eq!((output[0], output[2], output[3]), (0.0, 2.0, 0.0), "{kernel:?}");
        assert!(output[1].is_nan(), "{kernel:?} hides a NaN");
    };
    check(Kernel::ActivationForward(ActivationForward { len: 4, activation }), &[&input]);
    let add = TiledAdd { pixels: 4, channels: 1, tile: 1 };
    check(Kernel::AddForward(AddForward { add, activation }), &[&input, &[0.0; 4]]);
    let convolution = Convolution {
        input: Shape::new(2, 2, 1),
        output: Shape::new(2, 2, 1),
        window: Window::new([1, 1], [1, 1], Padding::Same),
    };
    let mut block = [0.0; 65];
    block[0] = 1.0;
    let norm = BatchNorm {
        pixels: 4,
        channels: 1,
        epsilon: 0.0,
        momentum: 0.1,
        rescale: false,
        activation,
    };
    let mut moments = [0.0; 65];
    moments[64] = 1.0;
    for (activation, norm) in [(activation, None), (Activation::None, Some(norm))] {
        let kernel = Kernel::Conv2dForward(Conv2dForward { convolution, activation, norm });
        check(kernel, &[&input, &block, &moments]);
    }
    check(Kernel::BatchNormNormalize(BatchNormNormalize { norm }), &[&input, &moments]);
}

#[test]
fn max_pooling_of_infinities_and_nan_points_at_real_pixels() {
    // Windows reach over every edge.
    let pooling = Pooling {
        input: Shape::new(4, 4, 1),
        output: Shape::new(2, 2, 1),
        window: Window::new([3, 3], [2, 2], Padding::Same),
    };
    for value in [f32::NEG_INFINITY, f32::NAN, f32::INFINITY] {
        let (mut output, mut indices) = ([0.0; 4], [0.0; 4]);
        let kernel = Kernel::MaxPoolForward(MaxPoolForward { pooling });
        run(kernel, 1, &[&[value; 16]], &mut [&mut output, &mut indices]);
        assert!(output.iter().all(|x| x.to_bits() == value.to_bits()), "{output:?}");
        let mut grad_input = [0.0; 16];
        let kernel = Kernel::MaxPoolBackward(MaxPoolBackward { pooling, accumulate: false });
        run(kernel, 1, &[&[1.0; 4], &indices], &mut [&mut grad_input]);
        assert_eq!(grad_input.iter().sum::<f32>(), 4.0);
    }
}

/// Loss and gradients of one sample of the first class.
fn loss(logits: &[f32]) -> (f32, Vec<f32>) {
    let classes = logits.len();
    let mut targets = vec![0.0; classes + 1];
    (targets[0], targets[classes]) = (1.0, 1.0);
    let (mut gradients, mut probabilities) = (vec![0.0; classes], vec![0.0; classes]);
    let mut metrics = [0.0; 4];
    let kernel = Kernel::SoftmaxCrossEntropy(SoftmaxCrossEntropy { classes });
    let writes: &mut [&mut [f32]] = &mut [&mut gradients, &mut probabilities, &mut metrics];
    run(kernel, 1, &[logits, &targets], writes);
    (metrics[0], gradients)
}

#[test]
fn loss_of_logits_far_from_zero_and_far_apart() {
    // A shift changes nothing, and a small loss keeps its digits.
    let expected = (-5.0f64).exp().ln_1p();
    for shift in [0.0, 1000.0, -1000.0] {
        assert_close(loss(&[5.0 + shift, shift]).0, expected, 1e-4);
    }
    let (wrong, gradients) = loss(&[-3e4, 3e4, 0.0]);
    assert_eq!((wrong, gradients), (6e4, vec![-1.0, 1.0, 0.0]));
    let (right, gradients) = loss(&[3e38, -3e38]);
    assert_eq!((right, gradients), (0.0, vec![0.0, 0.0]));
    assert!(loss(&[1.0, f32::NAN]).0.is_nan());
    assert!(loss(&[f32::INFINITY, 0.0]).0.is_nan());
}

#[test]
fn long_sums_of_weight_gradients() {
    // As many pixels as a stem sees in a batch of 32; equal signs, so that the sum outgrows its terms.
    let side = 448;
    let convolution = Convolution {
        input: Shape::new(side, side, 1),
        output: Shape::new(side, side, 3),
        window: Window::new([1, 1], [1, 1], Padding::Same),
    };
    let pixels = side * side;
    let input: Vec<f32> = (0..2 * pixels as u32).map(|i| 1.0 + noise(i)).collect();
    let gradients: Vec<f32> = (0..6 * pixels as u32).map(|i| 0.6 + noise(i)).collect();
    let mut block = [0.0; 67];
    run(
        Kernel::Conv2dBackwardWeight(Conv2dBackwardWeight { convolution }),
        2,
        &[&input, &gradients],
        &mut [&mut block],
    );
    for channel in 0..3 {
        let column = gradients.iter().skip(channel).step_by(3);
        let products = input.iter().zip(column).map(|(&x, &g)| f64::from(x) * f64::from(g));
        assert_close(block[channel], products.sum(), 1e-5);
        let column = gradients.iter().skip(channel).step_by(3);
        assert_close(block[64 + channel], column.map(|&g| f64::from(g)).sum(), 1e-5);
    }
}

#[test]
fn sigmoid_and_tanh_saturate() {
    for (activation, lowest) in [(Activation::Sigmoid, 0.0), (Activation::Tanh, -1.0)] {
        let mut output = [9.0; 4];
        let input = [-1e30, 1e30, f32::NEG_INFINITY, f32::INFINITY];
        run(
            Kernel::ActivationForward(ActivationForward { len: 4, activation }),
            1,
            &[&input],
            &mut [&mut output],
        );
        assert_eq!(output, [lowest, 1.0, lowest, 1.0]);
        let mut gradient = [9.0; 4];
        let kernel = Kernel::ActivationBackward(ActivationBackward {
            len: 4,
            activation,
            accumulate: false,
        });
        run(kernel, 1, &[&output, &[1.0; 4]], &mut [&mut gradient]);
        assert_eq!(gradient, [0.0; 4]);
    }
}

#[test]
fn adam_with_tiny_and_huge_gradients() {
    let mut gradients = [0.0; 64];
    (gradients[0], gradients[1], gradients[2], gradients[3]) = (1e-30, 1e15, f32::NAN, -1e-4);
    let (mut weights, mut first, mut second) = ([1.0; 64], [0.0; 64], [0.0; 64]);
    let kernel = Kernel::Adam(Adam { len: 64, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 });
    let writes: &mut [&mut [f32]] = &mut [&mut weights, &mut first, &mut second];
    run(kernel, 1, &[&gradients, &[1.0, 1.0]], writes);
    assert_eq!(weights[0], 1.0);
    assert_close(weights[1], 0.9, 1e-6);
    assert!(weights[2].is_nan());
    assert_close(weights[3], 1.1, 1e-4);
    assert_eq!(weights[4..], [1.0; 60]);
}
