//! An activation that could not be fused into the op before it.

use super::Operation;
use crate::error::Result;
use crate::kernel::{Activation, ActivationBackward, ActivationForward, Kernel};
use crate::ops::lowering::NodeLowering;
use crate::shape::Shape;

/// Applies a function to every number.
#[derive(Debug, Clone, PartialEq)]
pub struct ActivationOp {
    /// The function.
    pub activation: Activation,
}

impl Operation for ActivationOp {
    fn kind(&self) -> &'static str {
        "activation"
    }

    fn is_drawn_with_input(&self) -> bool {
        true
    }

    fn output_shape(&self, inputs: &[Shape]) -> Result<Shape> {
        Ok(inputs[0])
    }

    fn forward(&self, node: &mut NodeLowering) {
        let kernel = Kernel::ActivationForward(ActivationForward {
            len: node.shape.len(),
            activation: self.activation,
        });
        let input = node.input(0);
        let output = node.new_output();
        node.lowering.call(kernel, &[input], &[output]);
    }

    fn backward(&self, node: &mut NodeLowering) {
        let Some(gradient) = node.lowering.gradient(node.node) else { return };
        let output = node.output();
        if let Some((grad_input, accumulate)) = node.gradient_of_input(0) {
            let len = node.shape.len();
            let kernel = Kernel::ActivationBackward(ActivationBackward {
                len,
                activation: self.activation,
                accumulate,
            });
            node.lowering.call(kernel, &[output, gradient], &[grad_input]);
        }
    }
}
