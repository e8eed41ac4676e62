//! Convolutions of every kind of geometry, with random numbers, for the tests of the three kernels.

use crate::kernel::Convolution;
use crate::rng::{Random, Stream};
use crate::shape::{Padding, Shape, Window, output_size};

/// A convolution with numbers.
pub(crate) struct Case {
    pub(crate) convolution: Convolution,
    pub(crate) batch_size: usize,
    pub(crate) input: Vec<f32>,
    /// Kernel, zeros, bias.
    pub(crate) block: Vec<f32>,
    pub(crate) grad_output: Vec<f32>,
}

fn numbers(len: usize, stream: u32) -> Vec<f32> {
    let random = Random::new(3, Stream::Test, stream, 0);
    (0..len as u32).map(|index| random.normal(index)).collect()
}

impl Case {
    fn new(
        input: [usize; 3],
        kernel_size: [usize; 2],
        stride: [usize; 2],
        padding: Padding,
        channels: usize,
        batch_size: usize,
    ) -> Self {
        let input = Shape::new(input[0], input[1], input[2]);
        let [height, width] = output_size(&input, kernel_size, stride, padding);
        let output = Shape::new(height, width, channels);
        let convolution =
            Convolution { input, output, window: Window::new(kernel_size, stride, padding) };
        let mut block = numbers(convolution.block_len(), 1);
        block[convolution.kernel_len()..convolution.bias_offset()].fill(0.0);
        Self {
            convolution,
            batch_size,
            input: numbers(batch_size * input.len(), 0),
            block,
            grad_output: numbers(batch_size * output.len(), 2),
        }
    }
}

/// Square and long kernels, strides, both paddings, odd sizes, channels that fill vectors and that do not.
pub(crate) fn cases() -> Vec<Case> {
    use Padding::{Same, Valid};
    vec![
        Case::new([6, 7, 3], [3, 3], [1, 1], Same, 8, 2),
        Case::new([16, 16, 16], [3, 3], [1, 1], Same, 16, 3),
        Case::new([9, 8, 3], [7, 7], [2, 2], Same, 16, 2),
        Case::new([7, 7, 5], [3, 3], [2, 2], Valid, 6, 2),
        Case::new([8, 8, 4], [1, 7], [1, 1], Same, 12, 2),
        Case::new([8, 8, 6], [7, 1], [1, 1], Same, 33, 1),
        Case::new([9, 9, 4], [1, 1], [2, 2], Same, 5, 2),
        Case::new([7, 7, 3], [1, 1], [3, 3], Same, 4, 1),
        Case::new([4, 4, 64], [3, 3], [1, 1], Same, 64, 5),
        Case::new([1, 1, 40], [1, 1], [1, 1], Same, 5, 7),
        Case::new([5, 6, 8], [1, 1], [1, 1], Same, 24, 3),
        Case::new([8, 6, 2], [2, 2], [1, 2], Same, 3, 2),
        Case::new([2, 2, 3], [5, 5], [1, 1], Same, 9, 2),
    ]
}

/// Weights for two groups of panels.
pub(crate) fn more_weights_than_are_packed_at_once() -> Case {
    Case::new([2, 2, 512], [3, 3], [1, 1], Padding::Same, 256, 1)
}

/// Σ a · b in f64.
pub(crate) fn inner_product(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
}
