//! Max and average pooling.

use super::conv2d::windowed_shape;
use super::{Operation, Reach};
use crate::error::Result;
use crate::kernel::{
    AvgPoolBackward, AvgPoolForward, Extent, Kernel, MaxPoolBackward, MaxPoolForward, Pooling,
};
use crate::ops::lowering::NodeLowering;
use crate::shape::{Padding, Shape, Window};

/// The reduction of the pixels under a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PoolKind {
    /// The largest real pixel.
    Max,
    /// The mean of the real pixels.
    Average,
}

/// A pooling layer, channel by channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Pool2d {
    /// Max or average.
    pub kind: PoolKind,
    /// Window height and width.
    pub kernel_size: [usize; 2],
    /// Stride over rows and columns.
    pub stride: [usize; 2],
    /// Edge rule.
    pub padding: Padding,
}

impl Pool2d {
    fn pooling(&self, node: &NodeLowering) -> Pooling {
        let window = Window::new(self.kernel_size, self.stride, self.padding);
        Pooling { input: node.inputs[0].shape, output: node.shape, window }
    }
}

impl Operation for Pool2d {
    fn kind(&self) -> &'static str {
        match self.kind {
            PoolKind::Max => "max",
            PoolKind::Average => "avg",
        }
    }

    fn reach(&self) -> Reach {
        Reach::Window { kernel_size: self.kernel_size, stride: self.stride }
    }

    fn output_shape(&self, inputs: &[Shape]) -> Result<Shape> {
        windowed_shape(inputs[0], self.kernel_size, self.stride, self.padding, inputs[0].channels)
    }

    fn forward(&self, node: &mut NodeLowering) {
        let (pooling, input) = (self.pooling(node), node.input(0));
        let output = node.new_output();
        match self.kind {
            PoolKind::Max => {
                let indices = node.lowering.value(Extent::PerSample(node.shape.len()));
                node.save(indices);
                node.lowering.call(
                    Kernel::MaxPoolForward(MaxPoolForward { pooling }),
                    &[input],
                    &[output, indices],
                );
            }
            PoolKind::Average => node.lowering.call(
                Kernel::AvgPoolForward(AvgPoolForward { pooling }),
                &[input],
                &[output],
            ),
        }
    }

    fn backward(&self, node: &mut NodeLowering) {
        let pooling = self.pooling(node);
        let Some(gradient) = node.lowering.gradient(node.node) else { return };
        let Some((grad_input, accumulate)) = node.gradient_of_input(0) else { return };
        match self.kind {
            PoolKind::Max => {
                let indices = node.saved();
                node.lowering.call(
                    Kernel::MaxPoolBackward(MaxPoolBackward { pooling, accumulate }),
                    &[gradient, indices],
                    &[grad_input],
                );
            }
            PoolKind::Average => {
                node.lowering.call(
                    Kernel::AvgPoolBackward(AvgPoolBackward { pooling, accumulate }),
                    &[gradient],
                    &[grad_input],
                );
            }
        }
    }
}
