//! Additive normal noise: training only.

use super::Operation;
use crate::error::{Error, Result, Words};
use crate::kernel::{self, Kernel};
use crate::ops::lowering::NodeLowering;
use crate::shape::Shape;

/// Adds normal noise to a batch with probability `ratio`.
#[derive(Debug, Clone, PartialEq)]
pub struct Noise {
    /// Mean of the noise.
    pub mean: f32,
    /// Its standard deviation.
    pub std: f32,
    /// Probability that a batch gets it.
    pub ratio: f32,
}

impl Operation for Noise {
    fn kind(&self) -> &'static str {
        "noise"
    }

    fn output_shape(&self, inputs: &[Shape]) -> Result<Shape> {
        if !(self.mean.is_finite()
            && self.std >= 0.0
            && self.std.is_finite()
            && (0.0..=1.0).contains(&self.ratio))
        {
            return Err(Error::in_layer(
                Words::of("expected.noise"),
                Words::of("found.noise")
                    .with("mean", self.mean)
                    .with("std", self.std)
                    .with("ratio", self.ratio),
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
        let Self { mean, std, ratio } = *self;
        let input = node.input(0);
        let output = node.new_output();
        let kernel = Kernel::Noise(kernel::Noise {
            len: node.shape.len(),
            mean,
            std,
            ratio,
            layer: node.random_layer,
        });
        node.lowering.call(kernel, &[input], &[output]);
    }

    fn backward(&self, node: &mut NodeLowering) {
        node.pass_gradient_on();
    }
}
