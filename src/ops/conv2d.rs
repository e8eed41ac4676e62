//! Convolution with bias, and the activation that follows it.

use super::{Initialisation, Operation, ParameterSpec};
use crate::error::{Error, Result};
use crate::kernel::{
    Activation, Conv2dBackwardInput, Conv2dBackwardWeight, Conv2dForward, Convolution, Kernel,
};
use crate::ops::lowering::NodeLowering;
use crate::shape::{Padding, Shape, Window, output_size};

/// A 2-D convolution: NHWC input, HWIO kernel.
#[derive(Debug, Clone, PartialEq)]
pub struct Conv2d {
    /// Kernel height and width.
    pub kernel_size: [usize; 2],
    /// Stride over rows and columns.
    pub stride: [usize; 2],
    /// Edge rule.
    pub padding: Padding,
    /// Output channels.
    pub out_channels: usize,
    /// Applied after the bias.
    pub activation: Activation,
}

impl Conv2d {
    fn convolution(&self, input: Shape, output: Shape) -> Convolution {
        Convolution {
            input,
            output,
            window: Window::new(self.kernel_size, self.stride, self.padding),
        }
    }
}

/// The windowed output shape, or a layer error that says what does not fit.
pub(super) fn windowed_shape(
    input: Shape,
    kernel_size: [usize; 2],
    stride: [usize; 2],
    padding: Padding,
    channels: usize,
) -> Result<Shape> {
    let error = |expected: &str, found: String| Error::Layer {
        layer: String::new(),
        expected: expected.into(),
        found,
        suggestion: None,
    };
    if kernel_size.contains(&0) || stride.contains(&0) || channels == 0 {
        let found = format!("kernel size {kernel_size:?}, stride {stride:?}, {channels} channels");
        return Err(error("kernel size, stride and channels of at least 1", found));
    }
    let [height, width] = output_size(&input, kernel_size, stride, padding);
    if height == 0 || width == 0 {
        let found = format!("input {input} under kernel size {kernel_size:?}, stride {stride:?}");
        return Err(error("at least one output pixel", found));
    }
    Ok(Shape::new(height, width, channels))
}

/// Kernel and bias of a linear map, laid out as [`Convolution`] states.
pub(super) fn linear_parameters(
    convolution: &Convolution,
    kernel_shape: Vec<usize>,
) -> Vec<ParameterSpec> {
    vec![
        ParameterSpec {
            name: "kernel",
            shape: kernel_shape,
            initialisation: Initialisation::Kernel { fan_in: convolution.depth() },
            offset: 0,
            decays: true,
            counted: true,
        },
        ParameterSpec {
            name: "bias",
            shape: vec![convolution.output.channels],
            initialisation: Initialisation::Zeros,
            offset: convolution.bias_offset(),
            decays: false,
            counted: true,
        },
    ]
}

/// Forward calls of a linear map.
pub(super) fn linear_forward(
    convolution: Convolution,
    activation: Activation,
    node: &mut NodeLowering,
) {
    let (input, block) = (node.input(0), node.parameters());
    let output = node.new_output();
    node.lowering.call(
        Kernel::Conv2dForward(Conv2dForward { convolution, activation, norm: None }),
        &[input, block],
        &[output],
    );
}

/// Backward calls of a linear map.
pub(super) fn linear_backward(
    convolution: Convolution,
    activation: Activation,
    node: &mut NodeLowering,
) {
    let Some(gradient) = node.gradient_before(activation) else { return };
    let (input, block) = (node.input(0), node.parameters());
    if !node.frozen {
        let grad_block = node.parameter_gradients();
        node.lowering.call(
            Kernel::Conv2dBackwardWeight(Conv2dBackwardWeight { convolution }),
            &[input, gradient],
            &[grad_block],
        );
    }
    let input_activation = node.inputs[0].activation;
    if let Some((grad_input, accumulate)) = node.gradient_of_input(0) {
        let mut reads = vec![gradient, block];
        if input_activation != Activation::None {
            reads.push(input);
        }
        let kernel = Kernel::Conv2dBackwardInput(Conv2dBackwardInput {
            convolution,
            input_activation,
            accumulate,
        });
        node.lowering.call(kernel, &reads, &[grad_input]);
    }
}

impl Operation for Conv2d {
    fn kind(&self) -> &'static str {
        "conv"
    }

    fn output_shape(&self, inputs: &[Shape]) -> Result<Shape> {
        windowed_shape(inputs[0], self.kernel_size, self.stride, self.padding, self.out_channels)
    }

    fn parameters(&self, inputs: &[Shape], output: Shape) -> Vec<ParameterSpec> {
        let convolution = self.convolution(inputs[0], output);
        let shape =
            vec![self.kernel_size[0], self.kernel_size[1], inputs[0].channels, output.channels];
        linear_parameters(&convolution, shape)
    }

    fn multiply_adds(&self, inputs: &[Shape], output: Shape) -> u64 {
        self.convolution(inputs[0], output).multiply_adds()
    }

    fn fused_activation(&self) -> Activation {
        self.activation
    }

    fn masks_input(&self) -> bool {
        true
    }

    fn forward(&self, node: &mut NodeLowering) {
        linear_forward(self.convolution(node.inputs[0].shape, node.shape), self.activation, node);
    }

    fn backward(&self, node: &mut NodeLowering) {
        linear_backward(self.convolution(node.inputs[0].shape, node.shape), self.activation, node);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conv(kernel_size: [usize; 2], stride: usize, padding: Padding) -> Conv2d {
        Conv2d {
            kernel_size,
            stride: [stride; 2],
            padding,
            out_channels: 8,
            activation: Activation::Relu,
        }
    }

    #[test]
    fn shape_rule() {
        let input = [Shape::new(17, 16, 3)];
        assert_eq!(
            conv([3, 3], 2, Padding::Same).output_shape(&input).unwrap(),
            Shape::new(8, 8, 8)
        );
        assert_eq!(
            conv([3, 1], 2, Padding::Valid).output_shape(&input).unwrap(),
            Shape::new(7, 8, 8)
        );
        assert!(conv([3, 3], 18, Padding::Same).output_shape(&input).is_err());
        assert!(conv([3, 3], 0, Padding::Same).output_shape(&input).is_err());
    }

    #[test]
    fn parameters_count_kernel_and_bias() {
        let op = conv([3, 3], 1, Padding::Same);
        let specs = op.parameters(&[Shape::new(8, 8, 16)], Shape::new(8, 8, 8));
        assert_eq!(specs.iter().map(ParameterSpec::len).sum::<usize>(), 3 * 3 * 16 * 8 + 8);
        assert_eq!(specs[1].offset, 1152);
    }
}
