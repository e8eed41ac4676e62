//! Inverted dropout (Srivastava et al., 2014): training only.

use super::Operation;
use crate::error::{Error, Result, Words};
use crate::kernel::{self, Kernel};
use crate::ops::lowering::NodeLowering;
use crate::shape::Shape;

/// Keeps each number with probability `keep_prob` and divides it by that.
#[derive(Debug, Clone, PartialEq)]
pub struct Dropout {
    /// Probability of keeping a number, in (0, 1].
    pub keep_prob: f32,
}

impl Operation for Dropout {
    fn kind(&self) -> &'static str {
        "dropout"
    }

    fn output_shape(&self, inputs: &[Shape]) -> Result<Shape> {
        if !(self.keep_prob > 0.0 && self.keep_prob <= 1.0) {
            return Err(Error::in_layer(
                Words::of("expected.keep_prob"),
                Words::value(self.keep_prob),
            ));
        }
        Ok(inputs[0])
    }

    fn is_random(&self) -> bool {
        true
    }

    fn forward(&self, node: &mut NodeLowering) {
        if !node.training() {
            return node.output_is_input();
        }
        let input = node.input(0);
        let output = node.new_output();
        node.lowering.call(self.kernel(node, false), &[input], &[output]);
    }

    fn backward(&self, node: &mut NodeLowering) {
        if !node.training() {
            return node.pass_gradient_on();
        }
        let Some(gradient) = node.lowering.gradient(node.node) else { return };
        if let Some((grad_input, accumulate)) = node.gradient_of_input(0) {
            node.lowering.call(self.kernel(node, accumulate), &[gradient], &[grad_input]);
        }
    }
}

impl Dropout {
    fn kernel(&self, node: &NodeLowering, accumulate: bool) -> Kernel {
        Kernel::Dropout(kernel::Dropout {
            len: node.shape.len(),
            keep_prob: self.keep_prob,
            layer: node.random_layer,
            accumulate,
        })
    }
}
