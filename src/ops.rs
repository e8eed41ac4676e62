//! The ops: each one's file holds its configuration, its shape rule, how it lowers to kernels both ways, and its tests.
//!
//! Adding an op: one file here, its variant and its line in [`Op::operation`], its kernels in [`crate::kernel`].

pub mod activation;
pub mod add;
pub mod batch_norm;
pub mod concat;
pub mod conv2d;
pub mod dense;
pub mod dropout;
pub mod lowering;
pub mod noise;
pub mod pool2d;

use crate::error::Result;
use crate::kernel::Activation;
use crate::ops::lowering::NodeLowering;
use crate::shape::Shape;
use serde::Serialize;

/// How a parameter starts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Initialisation {
    /// Normal numbers, by [`crate::plan::parameters::KernelInitialisation`].
    Kernel {
        /// Inputs of one output number.
        fan_in: usize,
    },
    /// All zeros.
    Zeros,
    /// All ones.
    Ones,
}

/// A trained tensor of an op.
#[derive(Debug, Clone, PartialEq)]
pub struct ParameterSpec {
    /// `kernel`, `bias`, `scale` or `shift`.
    pub name: &'static str,
    /// Dimensions; HWIO for kernels.
    pub shape: Vec<usize>,
    /// How it starts.
    pub initialisation: Initialisation,
    /// Where it lies in the op's block.
    pub offset: usize,
    /// Whether weight decay applies: kernels only.
    pub decays: bool,
    /// Whether the textbook's parameter total counts it: convolution and dense only.
    pub counted: bool,
}

impl ParameterSpec {
    /// Elements of the tensor; the largest number there is where no number holds them.
    pub fn len(&self) -> usize {
        self.shape.iter().fold(1, |len: usize, &size| len.saturating_mul(size))
    }

    /// Whether it holds no element.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The part of its input that an op reads for one pixel of its output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// The pixel at the same place.
    Pixel,
    /// A window; both as rows, columns.
    Window {
        /// Its size.
        kernel_size: [usize; 2],
        /// The distance between windows of neighbouring output pixels.
        stride: [usize; 2],
    },
    /// All pixels.
    Everything,
}

/// The interface of every op: its description and its lowering.
pub trait Operation {
    /// Name of the op, as in the notation.
    fn kind(&self) -> &'static str;

    /// Shape of the output for these inputs. Errors are of kind [`crate::error::Error::Layer`] with an empty path, which
    /// the graph fills in.
    fn output_shape(&self, inputs: &[Shape]) -> Result<Shape>;

    /// The part of the input that one output pixel comes from: receptive fields and pictures follow it.
    fn reach(&self) -> Reach {
        Reach::Pixel
    }

    /// Whether a picture of the network shows the op as part of the one before it.
    fn is_drawn_with_input(&self) -> bool {
        false
    }

    /// Trained tensors, in order.
    fn parameters(&self, _inputs: &[Shape], _output: Shape) -> Vec<ParameterSpec> {
        Vec::new()
    }

    /// Channels with running mean and variance.
    fn statistics_channels(&self, _output: Shape) -> usize {
        0
    }

    /// Multiply-adds of a forward pass of one sample.
    fn multiply_adds(&self, _inputs: &[Shape], _output: Shape) -> u64 {
        0
    }

    /// The activation fused into the op, last.
    fn fused_activation(&self) -> Activation {
        Activation::None
    }

    /// Whether the backward kernels can multiply by the derivative of the activation that made the (only) input.
    fn masks_input(&self) -> bool {
        false
    }

    /// Whether the op draws random numbers, and so takes a number of its own.
    fn is_random(&self) -> bool {
        false
    }

    /// Appends the forward calls.
    fn forward(&self, node: &mut NodeLowering);

    /// Appends the backward calls: from the gradient of the output to those of inputs and parameters.
    fn backward(&self, node: &mut NodeLowering);
}

/// One op of a graph.
#[derive(Debug, Clone, PartialEq)]
pub enum Op {
    /// The batch.
    Input,
    /// Convolution, bias and activation.
    Conv2d(conv2d::Conv2d),
    /// Dense layer.
    Dense(dense::Dense),
    /// Max or average pooling.
    Pool2d(pool2d::Pool2d),
    /// Batch normalisation.
    BatchNorm(batch_norm::BatchNorm),
    /// An activation on its own.
    Activation(activation::ActivationOp),
    /// Sum of two values.
    Add(add::Add),
    /// Concatenation along the channels.
    Concat(concat::Concat),
    /// Dropout.
    Dropout(dropout::Dropout),
    /// Additive noise.
    Noise(noise::Noise),
}

impl Op {
    /// The op behind the variant; `None` for the input.
    pub fn operation(&self) -> Option<&dyn Operation> {
        match self {
            Self::Input => None,
            Self::Conv2d(op) => Some(op),
            Self::Dense(op) => Some(op),
            Self::Pool2d(op) => Some(op),
            Self::BatchNorm(op) => Some(op),
            Self::Activation(op) => Some(op),
            Self::Add(op) => Some(op),
            Self::Concat(op) => Some(op),
            Self::Dropout(op) => Some(op),
            Self::Noise(op) => Some(op),
        }
    }
}
