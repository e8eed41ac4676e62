//! The kernel table: every kernel's name, configuration and operands.
//!
//! A kernel has one name and two spellings, one below `src/backend/cpu/kernels/` and one below `shaders/`. A [`Call`] is
//! a kernel with the views it reads and the views it writes, in the order that its struct states as `reads → writes`; `(…)`
//! is there only when named. Tensors are NHWC, convolution kernels HWIO. Reads and writes of one call never overlap, and
//! at most one written view lies in each storage.
//!
//! `accumulate` adds to what the written view holds instead of replacing it. `input_activation` multiplies the gradient
//! by the derivative of the activation that made `input`, so that the layer before need not.

mod activation;
mod shapes;
mod storage;

pub use activation::Activation;
pub use shapes::{BatchNorm, Convolution, GroupedConvolution, Part, Pooling, TiledAdd};
pub use storage::{CONTRIBUTION, Extent, METRICS, ROW, Storage, TRANSFORM, View, round_up_to_row};

use crate::shape::Shape;

/// Makes the enum of all kernels from their structs and file names.
macro_rules! kernel_table {
    ($($kernel:ident => $name:literal,)*) => {
        /// Any kernel with its configuration.
        #[derive(Debug, Clone, Copy, PartialEq)]
        #[expect(missing_docs, reason = "each variant holds the struct of its name, which explains itself")]
        pub enum Kernel {
            $($kernel($kernel),)*
        }

        impl Kernel {
            /// The file name of both spellings.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$kernel(_) => $name,)*
                }
            }
        }

        $(impl From<$kernel> for Kernel {
            fn from(kernel: $kernel) -> Self {
                Self::$kernel(kernel)
            }
        })*
    };
}

kernel_table! {
    PrepareBatch => "prepare_batch",
    Conv2dForward => "conv2d_forward",
    Conv2dBackwardInput => "conv2d_backward_input",
    Conv2dBackwardWeight => "conv2d_backward_weight",
    GroupedConv2dForward => "grouped_conv2d_forward",
    GroupedConv2dBackwardInput => "grouped_conv2d_backward_input",
    GroupedConv2dBackwardWeight => "grouped_conv2d_backward_weight",
    MaxPoolForward => "max_pool_forward",
    MaxPoolBackward => "max_pool_backward",
    AvgPoolForward => "avg_pool_forward",
    AvgPoolBackward => "avg_pool_backward",
    BatchNormStatistics => "batch_norm_statistics",
    BatchNormRunning => "batch_norm_running",
    BatchNormNormalize => "batch_norm_normalize",
    BatchNormBackwardReduce => "batch_norm_backward_reduce",
    BatchNormBackwardInput => "batch_norm_backward_input",
    ActivationForward => "activation_forward",
    ActivationBackward => "activation_backward",
    AddForward => "add_forward",
    AddBackward => "add_backward",
    ConcatForward => "concat_forward",
    ConcatBackward => "concat_backward",
    Dropout => "dropout",
    Noise => "noise",
    SoftmaxCrossEntropy => "softmax_cross_entropy",
    Softmax => "softmax",
    Adam => "adam",
    Sgd => "sgd",
    AverageWeights => "average_weights",
}

/// `photos page, transforms → input`: crops, flips, colours and normalises (`pixel / 127.5 − 1`) the photos of one
/// page into the batch, as [`CONTRIBUTION`] states. Page 0 sets every sample to the sum of its contributions from
/// that page (0 without one), a later page adds its own. A photo is `stored_size²` RGBA pixels, slot after slot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PrepareBatch {
    /// Page of [`Storage::Photos`].
    pub page: u32,
    /// Rows and columns of a stored photo.
    pub stored_size: usize,
    /// Shape of one sample of the batch.
    pub output: Shape,
}

/// `input, block, (running, if norm), (norm's block, if norm rescales) → output`: `activation(input ∗ kernel + bias)`,
/// then what [`BatchNormRunning`] and [`BatchNormNormalize`] make of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Conv2dForward {
    /// Shapes.
    pub convolution: Convolution,
    /// Applied to each element.
    pub activation: Activation,
    /// A normalisation by running statistics, applied last.
    pub norm: Option<BatchNorm>,
}

/// `grad_output, block, (input, if input_activation is one) → grad_input`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Conv2dBackwardInput {
    /// Shapes.
    pub convolution: Convolution,
    /// The activation whose derivative the gradient is multiplied by.
    pub input_activation: Activation,
    /// Whether to add to what the written view holds.
    pub accumulate: bool,
}

/// `input, grad_output → grad_block`: gradients of kernel and bias; the zeros between stay zero.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Conv2dBackwardWeight {
    /// Shapes.
    pub convolution: Convolution,
}

/// As [`Conv2dForward`], each output channel over the input channels of its group.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GroupedConv2dForward {
    /// Shapes.
    pub convolution: GroupedConvolution,
    /// Applied to each element.
    pub activation: Activation,
    /// A normalisation by running statistics, applied last.
    pub norm: Option<BatchNorm>,
}

/// As [`Conv2dBackwardInput`]: `grad_output, block, (input, if input_activation is one) → grad_input`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GroupedConv2dBackwardInput {
    /// Shapes.
    pub convolution: GroupedConvolution,
    /// The activation whose derivative the gradient is multiplied by.
    pub input_activation: Activation,
    /// Whether to add to what the written view holds.
    pub accumulate: bool,
}

/// As [`Conv2dBackwardWeight`]: `input, grad_output → grad_block`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GroupedConv2dBackwardWeight {
    /// Shapes.
    pub convolution: GroupedConvolution,
}

/// `input → output, indices`: the largest real pixel under the window; `indices` holds its position
/// `row · kernel width + column` in the window as a number, the first one among equals (−∞ among −∞ too: never a
/// missing pixel).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MaxPoolForward {
    /// Shapes.
    pub pooling: Pooling,
}

/// `grad_output, indices → grad_input`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MaxPoolBackward {
    /// Shapes.
    pub pooling: Pooling,
    /// Whether to add to what the written view holds.
    pub accumulate: bool,
}

/// `input → output`: the mean of the real pixels under the window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AvgPoolForward {
    /// Shapes.
    pub pooling: Pooling,
}

/// `grad_output → grad_input`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AvgPoolBackward {
    /// Shapes.
    pub pooling: Pooling,
    /// Whether to add to what the written view holds.
    pub accumulate: bool,
}

/// `input → moments, running`: `moments` is mean then 1 / sqrt(variance + epsilon) of the batch (biased variance),
/// the second half at the next whole row; `running` (mean, then unbiased variance, laid out alike) moves by
/// `momentum`. The unbiased variance of a single element is 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BatchNormStatistics {
    /// The normalisation.
    pub norm: BatchNorm,
}

/// `running → moments`: for evaluation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BatchNormRunning {
    /// The normalisation.
    pub norm: BatchNorm,
}

/// `input, moments, (block, if rescale) → output`: `activation((input − mean) · inverse deviation · scale + shift)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BatchNormNormalize {
    /// The normalisation.
    pub norm: BatchNorm,
}

/// `input, grad_output, moments, (block, if rescale) → sums`: per channel `Σ g · normalised`, then `Σ g` at the next
/// whole row, where `g` is `grad_output` times the derivative of `activation`: the gradients of scale and shift.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BatchNormBackwardReduce {
    /// The normalisation.
    pub norm: BatchNorm,
}

/// `input, grad_output, moments, sums, (block, if rescale) → grad_input`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BatchNormBackwardInput {
    /// The normalisation.
    pub norm: BatchNorm,
    /// The activation whose derivative the gradient is multiplied by.
    pub input_activation: Activation,
    /// Whether to add to what the written view holds.
    pub accumulate: bool,
}

/// `input → output`, `len` elements a sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ActivationForward {
    /// Numbers in one sample.
    pub len: usize,
    /// Applied to each element.
    pub activation: Activation,
}

/// `output, grad_output → grad_input`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ActivationBackward {
    /// Numbers in one sample.
    pub len: usize,
    /// The activation whose derivative it is.
    pub activation: Activation,
    /// Whether to add to what the written view holds.
    pub accumulate: bool,
}

/// `first, second → output`: `activation(first + tiled second)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AddForward {
    /// Shapes.
    pub add: TiledAdd,
    /// Applied to each element.
    pub activation: Activation,
}

/// `grad_output → grad_second`: sums over the tiles; a copy when there is but one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AddBackward {
    /// Shapes.
    pub add: TiledAdd,
    /// Whether to add to what the written view holds.
    pub accumulate: bool,
}

/// `part → whole`: writes the part's channels of the whole.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ConcatForward {
    /// Which channels of the whole.
    pub part: Part,
}

/// `grad_whole → grad_part`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ConcatBackward {
    /// Which channels of the whole.
    pub part: Part,
    /// Whether to add to what the written view holds.
    pub accumulate: bool,
}

/// `input → output`: keeps element `i` of the batch where uniform number `i` is below `keep_prob`, and divides it by
/// that; the same for gradients. `layer` is the substream of [`crate::rng::Stream::Dropout`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dropout {
    /// Numbers in one sample.
    pub len: usize,
    /// Share of elements that stay.
    pub keep_prob: f32,
    /// Substream of the random numbers.
    pub layer: u32,
    /// Whether to add to what the written view holds.
    pub accumulate: bool,
}

/// `input → output`: adds `mean + std · normal number i` to element `i` of the batch, from substream `layer` of
/// [`crate::rng::Stream::Noise`], where uniform number 0 of substream `layer + 2¹⁶` is below `ratio`; else a copy.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Noise {
    /// Numbers in one sample.
    pub len: usize,
    /// Mean of the noise.
    pub mean: f32,
    /// Standard deviation of the noise.
    pub std: f32,
    /// Probability that a batch gets noise.
    pub ratio: f32,
    /// Substream of the random numbers.
    pub layer: u32,
}

/// `logits, targets → grad_logits, probabilities, metrics`: a sample's loss is `−weight · Σ target · ln probability`,
/// the gradient that of the batch's mean, `weight · (probabilities − target) / batch size` (targets sum to 1). An
/// answer is correct where the largest logit and the largest target, the first ones among equals, are of one class.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SoftmaxCrossEntropy {
    /// Classes.
    pub classes: usize,
}

/// `logits → probabilities`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Softmax {
    /// Classes.
    pub classes: usize,
}

/// `gradients, flags → weights, first moment, second moment` (Kingma and Ba, 2015, both moments corrected for their
/// start at 0), with decoupled weight decay (Loshchilov and Hutter, 2019): the update is `learning_rate · rate scale ·
/// (m̂ / (√v̂ + epsilon) + weight_decay · decay scale · weight)`. The moments move whatever the flags. `len` is a whole
/// number of rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adam {
    /// Numbers in the arena, in whole rows.
    pub len: usize,
    /// Decay of the first moment.
    pub beta1: f32,
    /// Decay of the second moment.
    pub beta2: f32,
    /// Keeps the root from zero.
    pub epsilon: f32,
}

/// `gradients, flags → weights, first moment`: the moment becomes `momentum · moment + gradient`, and takes the place of
/// Adam's quotient in the update.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sgd {
    /// Numbers in the arena, in whole rows.
    pub len: usize,
    /// Decay of the moment.
    pub momentum: f32,
}

/// `weights → averaged weights` (statistics alike): moves by `1 − decay`, where early steps use `(1 + step) / (10 + step)` if smaller.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AverageWeights {
    /// Numbers in the arena, in whole rows.
    pub len: usize,
    /// Decay of the average.
    pub decay: f32,
}

/// The values that change from step to step; the rest of a call is fixed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepInputs {
    /// Samples in this batch, at most the plan's.
    pub batch_size: usize,
    /// Training steps done before this one.
    pub step: u32,
    /// Seed of all random numbers.
    pub seed: u64,
    /// Learning rate of this step.
    pub learning_rate: f32,
    /// Weight decay of this step.
    pub weight_decay: f32,
}

impl StepInputs {
    /// A step whose update calls do not run.
    pub fn without_update(batch_size: usize) -> Self {
        Self { batch_size, step: 0, seed: 0, learning_rate: 0.0, weight_decay: 0.0 }
    }
}

/// A kernel with its operands.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The kernel that runs.
    pub kernel: Kernel,
    /// Views read, in the order stated at the kernel.
    pub reads: Vec<View>,
    /// Views written.
    pub writes: Vec<View>,
}
