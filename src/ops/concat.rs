//! Concatenation along the channels: the inception module's joint (Szegedy et al., 2015).

use super::Operation;
use crate::error::{Error, Result, Words};
use crate::kernel::{ConcatBackward, ConcatForward, Kernel, Part};
use crate::ops::lowering::NodeLowering;
use crate::shape::Shape;

/// Concatenates its inputs along the channels.
#[derive(Debug, Clone, PartialEq)]
pub struct Concat;

fn parts(node: &NodeLowering) -> Vec<Part> {
    let mut first = 0;
    let counts = node.inputs.iter().map(|input| input.shape.channels);
    counts
        .map(|count| {
            let part =
                Part { pixels: node.shape.pixels(), channels: node.shape.channels, first, count };
            first += count;
            part
        })
        .collect()
}

impl Operation for Concat {
    fn kind(&self) -> &'static str {
        "parallel"
    }

    fn output_shape(&self, inputs: &[Shape]) -> Result<Shape> {
        let first = inputs[0];
        if let Some(other) =
            inputs.iter().find(|s| (s.height, s.width) != (first.height, first.width))
        {
            return Err(Error::in_layer(
                Words::of("expected.branches")
                    .with("height", first.height)
                    .with("width", first.width),
                Words::value(other.to_string()),
            ));
        }
        Ok(Shape { channels: inputs.iter().map(|shape| shape.channels).sum(), ..first })
    }

    fn forward(&self, node: &mut NodeLowering) {
        let output = node.new_output();
        for (index, part) in parts(node).into_iter().enumerate() {
            let input = node.input(index);
            node.lowering.call(Kernel::ConcatForward(ConcatForward { part }), &[input], &[output]);
        }
    }

    fn backward(&self, node: &mut NodeLowering) {
        let Some(gradient) = node.lowering.gradient(node.node) else { return };
        for (index, part) in parts(node).into_iter().enumerate() {
            if let Some((grad_input, accumulate)) = node.gradient_of_input(index) {
                node.lowering.call(
                    Kernel::ConcatBackward(ConcatBackward { part, accumulate }),
                    &[gradient],
                    &[grad_input],
                );
            }
        }
    }
}
