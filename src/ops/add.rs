//! Sum of two values, the second one repeated along the channels: the skip connection (He et al., 2016).

use super::Operation;
use crate::error::{Error, Result, Words};
use crate::kernel::{Activation, AddBackward, AddForward, Kernel, TiledAdd};
use crate::ops::lowering::NodeLowering;
use crate::shape::Shape;

/// `activation(first + tiled second)`; the first input sets the shape.
#[derive(Debug, Clone, PartialEq)]
pub struct Add {
    /// Applied to the sum.
    pub activation: Activation,
}

fn tiled_add(node: &NodeLowering) -> TiledAdd {
    TiledAdd {
        pixels: node.shape.pixels(),
        channels: node.shape.channels,
        tile: node.inputs[1].shape.channels,
    }
}

impl Operation for Add {
    fn kind(&self) -> &'static str {
        "add"
    }

    fn output_shape(&self, inputs: &[Shape]) -> Result<Shape> {
        let [first, second] = [inputs[0], inputs[1]];
        let same_size = (first.height, first.width) == (second.height, second.width);
        if !same_size || second.channels == 0 || first.channels % second.channels != 0 {
            return Err(Error::in_layer(
                Words::of("expected.summand")
                    .with("height", first.height)
                    .with("width", first.width)
                    .with("channels", first.channels),
                Words::value(second.to_string()),
            ));
        }
        Ok(first)
    }

    fn fused_activation(&self) -> Activation {
        self.activation
    }

    fn forward(&self, node: &mut NodeLowering) {
        let kernel =
            Kernel::AddForward(AddForward { add: tiled_add(node), activation: self.activation });
        let (first, second) = (node.input(0), node.input(1));
        let output = node.new_output();
        node.lowering.call(kernel, &[first, second], &[output]);
    }

    fn backward(&self, node: &mut NodeLowering) {
        let add = tiled_add(node);
        let Some(gradient) = node.gradient_before(self.activation) else { return };
        for (index, tile) in [add.channels, add.tile].into_iter().enumerate() {
            if tile == add.channels && node.hand_gradient_on(index, gradient) {
                continue;
            }
            if let Some((grad_input, accumulate)) = node.gradient_of_input(index) {
                let kernel =
                    Kernel::AddBackward(AddBackward { add: TiledAdd { tile, ..add }, accumulate });
                node.lowering.call(kernel, &[gradient], &[grad_input]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shape_rule() {
        let add = Add { activation: Activation::None };
        let shape = |height, channels| Shape::new(height, 4, channels);
        assert_eq!(add.output_shape(&[shape(4, 32), shape(4, 16)]).unwrap(), shape(4, 32));
        assert!(add.output_shape(&[shape(4, 32), shape(4, 24)]).is_err());
        assert!(add.output_shape(&[shape(4, 16), shape(4, 32)]).is_err());
        assert!(add.output_shape(&[shape(4, 16), shape(5, 16)]).is_err());
    }
}
