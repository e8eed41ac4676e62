//! Convolution with bias, and the activation that follows it.

use super::{Initialisation, Operation, ParameterSpec, Reach};
use crate::error::{Error, Result, Words};
use crate::kernel::{
    Activation, Conv2dBackwardInput, Conv2dBackwardWeight, Conv2dForward, Convolution,
    GroupedConv2dBackwardInput, GroupedConv2dBackwardWeight, GroupedConv2dForward,
    GroupedConvolution, Kernel, round_up_to_row,
};
use crate::ops::lowering::NodeLowering;
use crate::shape::{Padding, Shape, Window, output_size};

/// A 2-D convolution: NHWC input, HWIO kernel, `I` being the input channels of a group.
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
    /// Runs that the channels of input and output are cut into, each run of outputs over its own run of inputs; 1 lets
    /// every output channel see all input channels.
    pub groups: usize,
    /// Applied after the bias.
    pub activation: Activation,
}

impl Conv2d {
    fn window(&self) -> Window {
        Window::new(self.kernel_size, self.stride, self.padding)
    }

    fn linear_map(&self, input: Shape, output: Shape) -> LinearMap {
        let (window, groups) = (self.window(), self.groups);
        if groups == 1 {
            LinearMap::Convolution(Convolution { input, output, window })
        } else {
            LinearMap::Grouped(GroupedConvolution { input, output, window, groups })
        }
    }
}

/// A linear map by the kernels that compute it.
#[derive(Debug, Clone, Copy)]
pub(super) enum LinearMap {
    /// Every output channel sees all input channels.
    Convolution(Convolution),
    /// Every output channel sees those of its group.
    Grouped(GroupedConvolution),
}

impl LinearMap {
    fn forward(self, activation: Activation) -> Kernel {
        match self {
            Self::Convolution(convolution) => {
                Conv2dForward { convolution, activation, norm: None }.into()
            }
            Self::Grouped(convolution) => {
                GroupedConv2dForward { convolution, activation, norm: None }.into()
            }
        }
    }

    fn backward_input(self, input_activation: Activation, accumulate: bool) -> Kernel {
        match self {
            Self::Convolution(convolution) => {
                Conv2dBackwardInput { convolution, input_activation, accumulate }.into()
            }
            Self::Grouped(convolution) => {
                GroupedConv2dBackwardInput { convolution, input_activation, accumulate }.into()
            }
        }
    }

    fn backward_weight(self) -> Kernel {
        match self {
            Self::Convolution(convolution) => Conv2dBackwardWeight { convolution }.into(),
            Self::Grouped(convolution) => GroupedConv2dBackwardWeight { convolution }.into(),
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
    if kernel_size.contains(&0) || stride.contains(&0) || channels == 0 {
        let found = Words::of("found.window")
            .with("kernel_size", format!("{kernel_size:?}"))
            .with("stride", format!("{stride:?}"))
            .with("n", channels);
        return Err(Error::in_layer(Words::of("expected.window"), found));
    }
    let [height, width] = output_size(&input, kernel_size, stride, padding);
    if height == 0 || width == 0 {
        let found = Words::of("found.input_under_window")
            .with("input", input.to_string())
            .with("kernel_size", format!("{kernel_size:?}"))
            .with("stride", format!("{stride:?}"));
        return Err(Error::in_layer(Words::of("expected.output_pixel"), found));
    }
    Ok(Shape::new(height, width, channels))
}

/// Kernel and bias of a linear map, laid out as [`Convolution`] states. The kernel's last axis is the outputs, which the
/// others add up to.
pub(super) fn linear_parameters(kernel_shape: Vec<usize>) -> Vec<ParameterSpec> {
    // A network too large for any memory is refused by its sizes, which must not overflow before.
    let elements =
        |shape: &[usize]| shape.iter().fold(1, |len: usize, &size| len.saturating_mul(size));
    let (outputs, inputs) =
        kernel_shape.split_last().map_or((0, &[][..]), |(last, rest)| (*last, rest));
    let (kernel_len, fan_in) = (elements(&kernel_shape), elements(inputs));
    vec![
        ParameterSpec {
            name: "kernel",
            shape: kernel_shape,
            initialisation: Initialisation::Kernel { fan_in },
            offset: 0,
            decays: true,
            counted: true,
        },
        ParameterSpec {
            name: "bias",
            shape: vec![outputs],
            initialisation: Initialisation::Zeros,
            offset: round_up_to_row(kernel_len),
            decays: false,
            counted: true,
        },
    ]
}

/// Forward calls of a linear map.
pub(super) fn linear_forward(map: LinearMap, activation: Activation, node: &mut NodeLowering) {
    let (input, block) = (node.input(0), node.parameters());
    let output = node.new_output();
    node.lowering.call(map.forward(activation), &[input, block], &[output]);
}

/// Backward calls of a linear map.
pub(super) fn linear_backward(map: LinearMap, activation: Activation, node: &mut NodeLowering) {
    let Some(gradient) = node.gradient_before(activation) else { return };
    let (input, block) = (node.input(0), node.parameters());
    if !node.frozen {
        let grad_block = node.parameter_gradients();
        node.lowering.call(map.backward_weight(), &[input, gradient], &[grad_block]);
    }
    let input_activation = node.inputs[0].activation;
    if let Some((grad_input, accumulate)) = node.gradient_of_input(0) {
        let mut reads = vec![gradient, block];
        if input_activation != Activation::None {
            reads.push(input);
        }
        let kernel = map.backward_input(input_activation, accumulate);
        node.lowering.call(kernel, &reads, &[grad_input]);
    }
}

impl Operation for Conv2d {
    fn kind(&self) -> &'static str {
        "conv"
    }

    fn output_shape(&self, inputs: &[Shape]) -> Result<Shape> {
        let (from, to, groups) = (inputs[0].channels, self.out_channels, self.groups);
        if groups == 0 || !from.is_multiple_of(groups) || !to.is_multiple_of(groups) {
            return Err(Error::in_layer(
                Words::of("expected.groups"),
                Words::of("found.groups")
                    .with("groups", groups)
                    .with("inputs", from)
                    .with("outputs", to),
            ));
        }
        windowed_shape(inputs[0], self.kernel_size, self.stride, self.padding, self.out_channels)
    }

    fn reach(&self) -> Reach {
        Reach::Window { kernel_size: self.kernel_size, stride: self.stride }
    }

    fn parameters(&self, inputs: &[Shape], output: Shape) -> Vec<ParameterSpec> {
        let [height, width] = self.kernel_size;
        linear_parameters(vec![height, width, inputs[0].channels / self.groups, output.channels])
    }

    fn multiply_adds(&self, inputs: &[Shape], output: Shape) -> u64 {
        match self.linear_map(inputs[0], output) {
            LinearMap::Convolution(convolution) => convolution.multiply_adds(),
            LinearMap::Grouped(convolution) => convolution.multiply_adds(),
        }
    }

    fn fused_activation(&self) -> Activation {
        self.activation
    }

    fn masks_input(&self) -> bool {
        true
    }

    fn forward(&self, node: &mut NodeLowering) {
        linear_forward(self.linear_map(node.inputs[0].shape, node.shape), self.activation, node);
    }

    fn backward(&self, node: &mut NodeLowering) {
        linear_backward(self.linear_map(node.inputs[0].shape, node.shape), self.activation, node);
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
            groups: 1,
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

    #[test]
    fn groups_divide_the_channels_and_the_parameters() {
        let input = [Shape::new(8, 8, 16)];
        let op = |groups| Conv2d { groups, ..conv([3, 3], 1, Padding::Same) };
        for (groups, group_inputs) in [(1, 16), (2, 8), (8, 2)] {
            let output = op(groups).output_shape(&input).unwrap();
            let specs = op(groups).parameters(&input, output);
            assert_eq!(specs[0].shape, [3, 3, group_inputs, 8]);
            assert_eq!(op(groups).multiply_adds(&input, output), 64 * 9 * group_inputs as u64 * 8);
        }
        for groups in [0, 3, 16] {
            let error = op(groups).output_shape(&input).unwrap_err().to_string();
            assert!(error.contains(&format!("{groups} groups")), "{error}");
        }
    }
}
