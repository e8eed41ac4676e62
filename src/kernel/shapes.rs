//! The shapes that several kernels share.

use super::{Activation, round_up_to_row};
use crate::shape::{Shape, Window};

/// A convolution's shapes. Its parameter block is the kernel (HWIO), zeros up to a whole row, then the bias.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Convolution {
    /// Shape of one input sample.
    pub input: Shape,
    /// Shape of one output sample.
    pub output: Shape,
    /// The sliding window.
    pub window: Window,
}

impl Convolution {
    /// Length of the sum behind one output number: kernel height × width × input channels.
    pub const fn depth(&self) -> usize {
        self.window.area() * self.input.channels
    }

    /// Numbers in the kernel.
    pub const fn kernel_len(&self) -> usize {
        self.depth() * self.output.channels
    }

    /// Where the bias starts in the parameter block.
    pub const fn bias_offset(&self) -> usize {
        round_up_to_row(self.kernel_len())
    }

    /// Numbers in the parameter block up to the last bias.
    pub const fn block_len(&self) -> usize {
        self.bias_offset() + self.output.channels
    }

    /// Multiply-adds for one sample, padding counted.
    pub const fn multiply_adds(&self) -> u64 {
        self.output.pixels() as u64 * self.kernel_len() as u64
    }
}

/// A grouped convolution's shapes (Krizhevsky, Sutskever and Hinton, 2012): the channels of input and output are cut into
/// `groups` equal runs, and each run of output channels sees its own run of the input's. One input channel a group makes
/// it depthwise (Sifre, 2014). Its parameter block is laid out as a [`Convolution`]'s, the kernel
/// `[height, width, input channels / groups, output channels]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct GroupedConvolution {
    /// Shape of one input sample.
    pub input: Shape,
    /// Shape of one output sample.
    pub output: Shape,
    /// The sliding window.
    pub window: Window,
    /// Groups; divides the channels of input and output.
    pub groups: usize,
}

impl GroupedConvolution {
    /// Input channels that an output channel sees.
    pub const fn group_inputs(&self) -> usize {
        self.input.channels / self.groups
    }

    /// Output channels of a group.
    pub const fn group_outputs(&self) -> usize {
        self.output.channels / self.groups
    }

    /// Length of the sum behind one output element: kernel height × width × input channels of a group.
    pub const fn depth(&self) -> usize {
        self.window.area() * self.group_inputs()
    }

    /// Elements of the kernel.
    pub const fn kernel_len(&self) -> usize {
        self.depth() * self.output.channels
    }

    /// Where the bias starts in the parameter block.
    pub const fn bias_offset(&self) -> usize {
        round_up_to_row(self.kernel_len())
    }

    /// Multiply-adds for one sample, padding counted.
    pub const fn multiply_adds(&self) -> u64 {
        self.output.pixels() as u64 * self.kernel_len() as u64
    }
}

/// A pooling's shapes; input and output have the same channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pooling {
    /// Shape of one input sample.
    pub input: Shape,
    /// Shape of one output sample.
    pub output: Shape,
    /// The sliding window.
    pub window: Window,
}

/// Batch normalisation over all pixels of all samples, channel by channel (Ioffe and Szegedy, 2015).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BatchNorm {
    /// Pixels of one sample.
    pub pixels: usize,
    /// Channels.
    pub channels: usize,
    /// Added to the variance under the root.
    pub epsilon: f32,
    /// How far the running statistics move to the batch's in one step.
    pub momentum: f32,
    /// Whether a learned scale and shift follow; their block is scale, zeros up to a whole row, shift.
    pub rescale: bool,
    /// Applied last.
    pub activation: Activation,
}

/// Sum of two values, the second one repeated along the channels to the first one's count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TiledAdd {
    /// Pixels of one sample.
    pub pixels: usize,
    /// Channels of the first summand and the sum.
    pub channels: usize,
    /// Channels of the second summand; divides `channels`.
    pub tile: usize,
}

/// One part of a concatenation along the channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Part {
    /// Pixels of one sample.
    pub pixels: usize,
    /// Channels of the whole.
    pub channels: usize,
    /// First channel of the part.
    pub first: usize,
    /// Channels of the part.
    pub count: usize,
}
