//! Dense layer: flattens its input (rows, columns, channels) and multiplies; a 1 × 1 convolution of one pixel.

use super::conv2d::{LinearMap, linear_backward, linear_forward, linear_parameters};
use super::{Operation, ParameterSpec, Reach};
use crate::error::{Error, Result, Words};
use crate::kernel::{Activation, Convolution};
use crate::ops::lowering::NodeLowering;
use crate::shape::{Padding, Shape, Window};

/// A fully connected layer.
#[derive(Debug, Clone, PartialEq)]
pub struct Dense {
    /// Outputs.
    pub width: usize,
    /// Applied after the bias.
    pub activation: Activation,
}

fn convolution(input: Shape, output: Shape) -> Convolution {
    Convolution {
        input: Shape::vector(input.len()),
        output,
        window: Window::new([1, 1], [1, 1], Padding::Same),
    }
}

fn linear_map(node: &NodeLowering) -> LinearMap {
    LinearMap::Convolution(convolution(node.inputs[0].shape, node.shape))
}

impl Operation for Dense {
    fn kind(&self) -> &'static str {
        "full"
    }

    fn output_shape(&self, _inputs: &[Shape]) -> Result<Shape> {
        if self.width == 0 {
            return Err(Error::in_layer(Words::of("expected.width"), Words::value(self.width)));
        }
        Ok(Shape::vector(self.width))
    }

    fn reach(&self) -> Reach {
        Reach::Everything
    }

    fn parameters(&self, inputs: &[Shape], output: Shape) -> Vec<ParameterSpec> {
        linear_parameters(vec![inputs[0].len(), output.channels])
    }

    fn multiply_adds(&self, inputs: &[Shape], output: Shape) -> u64 {
        convolution(inputs[0], output).multiply_adds()
    }

    fn fused_activation(&self) -> Activation {
        self.activation
    }

    fn masks_input(&self) -> bool {
        true
    }

    fn forward(&self, node: &mut NodeLowering) {
        linear_forward(linear_map(node), self.activation, node);
    }

    fn backward(&self, node: &mut NodeLowering) {
        linear_backward(linear_map(node), self.activation, node);
    }
}
