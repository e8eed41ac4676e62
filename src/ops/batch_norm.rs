//! Batch normalisation (Ioffe and Szegedy, 2015), with the full backward pass through mean and variance.

use super::{Initialisation, Operation, ParameterSpec};
use crate::error::Result;
use crate::kernel::{
    self, Activation, BatchNormBackwardInput, BatchNormBackwardReduce, BatchNormNormalize,
    BatchNormRunning, BatchNormStatistics, Extent, Kernel, round_up_to_row,
};
use crate::ops::lowering::NodeLowering;
use crate::shape::Shape;

/// Normalises each channel over the pixels of the batch.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchNorm {
    /// Whether a learned scale and shift follow.
    pub rescale: bool,
    /// Added to the variance.
    pub epsilon: f32,
    /// How far the running averages move in a step.
    pub momentum: f32,
    /// Applied last.
    pub activation: Activation,
}

impl BatchNorm {
    /// The project's settings: epsilon 1e-5, running averages move by 0.1 a step.
    pub fn new(rescale: bool, activation: Activation) -> Self {
        Self { rescale, epsilon: 1e-5, momentum: 0.1, activation }
    }

    fn norm(&self, shape: Shape) -> kernel::BatchNorm {
        kernel::BatchNorm {
            pixels: shape.pixels(),
            channels: shape.channels,
            epsilon: self.epsilon,
            momentum: self.momentum,
            rescale: self.rescale,
            activation: self.activation,
        }
    }
}

/// Numbers in a pair of vectors of `channels`, the second one at the next whole row.
pub(crate) fn pair_len(channels: usize) -> usize {
    round_up_to_row(channels) + channels
}

impl Operation for BatchNorm {
    fn kind(&self) -> &'static str {
        "batch_normal"
    }

    fn is_drawn_with_input(&self) -> bool {
        true
    }

    fn output_shape(&self, inputs: &[Shape]) -> Result<Shape> {
        Ok(inputs[0])
    }

    fn parameters(&self, _inputs: &[Shape], output: Shape) -> Vec<ParameterSpec> {
        if !self.rescale {
            return Vec::new();
        }
        let spec = |name, initialisation, offset| ParameterSpec {
            name,
            shape: vec![output.channels],
            initialisation,
            offset,
            decays: false,
            counted: false,
        };
        vec![
            spec("scale", Initialisation::Ones, 0),
            spec("shift", Initialisation::Zeros, round_up_to_row(output.channels)),
        ]
    }

    fn statistics_channels(&self, output: Shape) -> usize {
        output.channels
    }

    fn fused_activation(&self) -> Activation {
        self.activation
    }

    fn masks_input(&self) -> bool {
        true
    }

    fn forward(&self, node: &mut NodeLowering) {
        let norm = self.norm(node.shape);
        if !node.training() && node.normalize_in_convolution(norm) {
            return;
        }
        let (input, running) = (node.input(0), node.running_statistics());
        let moments = node.lowering.value(Extent::Fixed(pair_len(norm.channels)));
        if node.training() {
            node.save(moments);
            node.lowering.call(
                Kernel::BatchNormStatistics(BatchNormStatistics { norm }),
                &[input],
                &[moments, running],
            );
        } else {
            node.lowering.call(
                Kernel::BatchNormRunning(BatchNormRunning { norm }),
                &[running],
                &[moments],
            );
        }
        let mut reads = vec![input, moments];
        if self.rescale {
            reads.push(node.parameters());
        }
        let output = node.new_output();
        node.lowering.call(
            Kernel::BatchNormNormalize(BatchNormNormalize { norm }),
            &reads,
            &[output],
        );
    }

    fn backward(&self, node: &mut NodeLowering) {
        let norm = self.norm(node.shape);
        let trains_block = self.rescale && !node.frozen;
        if !trains_block && !node.inputs[0].needs_gradient {
            return;
        }
        let Some(gradient) = node.lowering.gradient(node.node) else { return };
        // Where the consumer has multiplied by our activation's derivative, there is nothing left to multiply.
        let norm = if node.gradient_is_masked {
            kernel::BatchNorm { activation: Activation::None, ..norm }
        } else {
            norm
        };
        let (input, moments) = (node.input(0), node.saved());
        let sums = if trains_block {
            node.parameter_gradients()
        } else {
            node.lowering.value(Extent::Fixed(pair_len(norm.channels)))
        };
        let mut reads = vec![input, gradient, moments];
        if self.rescale {
            reads.push(node.parameters());
        }
        node.lowering.call(
            Kernel::BatchNormBackwardReduce(BatchNormBackwardReduce { norm }),
            &reads,
            &[sums],
        );
        let input_activation = node.inputs[0].activation;
        if let Some((grad_input, accumulate)) = node.gradient_of_input(0) {
            reads.insert(3, sums);
            let kernel = Kernel::BatchNormBackwardInput(BatchNormBackwardInput {
                norm,
                input_activation,
                accumulate,
            });
            node.lowering.call(kernel, &reads, &[grad_input]);
        }
    }
}
