//! The kernel table: every kernel's name, numbers and operands.
//!
//! A kernel has one name and two spellings, `src/cpu/<name>.rs` and `shaders/<name>.wgsl`. A [`Call`] is a kernel with
//! the views it reads and the views it writes, in the order that its variant states. Tensors are NHWC, convolution
//! kernels HWIO. Reads and writes of one call never overlap, and at most one written view lies in each storage.

use crate::shape::{Shape, Window};
use serde::{Deserialize, Serialize};

/// Rows of a parameter arena start at multiples of this many numbers (256 bytes, the binding alignment of WebGPU).
pub const ROW: usize = 64;

/// Rounds up to whole rows of [`ROW`] numbers.
pub const fn round_up_to_row(len: usize) -> usize {
    len.div_ceil(ROW) * ROW
}

/// Numbers in one sample's record of [`Storage::Transforms`]: two [`CONTRIBUTION`]s, the photo and its mixup partner.
pub const TRANSFORM: usize = 2 * CONTRIBUTION;

/// Numbers that say how one photo enters a sample: page, slot in the page, weight, 6 of the matrix `m` from output to
/// stored pixels, 12 of the colour matrix (3 × 4, on normalised RGB), 4 of the cutout rectangle (left, top, right, bottom
/// in output pixels), 7 unused.
///
/// The value at output column `x`, row `y` is sampled linearly between the four stored pixels around column
/// `(x + ½)·m₀ + (y + ½)·m₁ + m₂ − ½`, row `(x + ½)·m₃ + (y + ½)·m₄ + m₅ − ½`, edges repeated; normalised; multiplied as
/// `[red, green, blue, 1]` by the colour matrix, not clamped; 0 where `left ≤ x < right` and `top ≤ y < bottom`; and
/// multiplied by the weight.
pub const CONTRIBUTION: usize = 32;

/// Numbers in [`Storage::Metrics`]: sum of weighted losses, sum of weights, correct answers, samples.
pub const METRICS: usize = 4;

/// The function after a linear map or a normalisation. Each one's slope can be had from its output alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// The identity.
    #[default]
    None,
    /// max(x, 0); NaN stays NaN.
    Relu,
    /// 1 / (1 + exp(−x)).
    Sigmoid,
    /// Hyperbolic tangent.
    Tanh,
}

impl Activation {
    /// Names in the notation.
    pub const NAMES: [&'static str; 4] = ["none", "relu", "sigmoid", "tanh"];

    /// The activation of that name in the notation.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "none" => Some(Self::None),
            "relu" => Some(Self::Relu),
            "sigmoid" => Some(Self::Sigmoid),
            "tanh" => Some(Self::Tanh),
            _ => None,
        }
    }

    /// The value at `x`.
    #[inline(always)]
    pub fn apply(self, x: f32) -> f32 {
        match self {
            Self::None => x,
            // Unlike `max`, this lets NaN through: a run that diverged must show.
            Self::Relu => {
                if x < 0.0 {
                    0.0
                } else {
                    x
                }
            }
            Self::Sigmoid => 1.0 / (1.0 + (-x).exp()),
            Self::Tanh => x.tanh(),
        }
    }

    /// The slope at the point whose value is `y`.
    #[inline(always)]
    pub fn slope(self, y: f32) -> f32 {
        match self {
            Self::None => 1.0,
            Self::Relu => f32::from(u8::from(y > 0.0)),
            Self::Sigmoid => y * (1.0 - y),
            Self::Tanh => 1.0 - y * y,
        }
    }
}

/// Where numbers live. Everything but the workspace lies outside plans, so that plans share it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Storage {
    /// A plan's own buffer of that number; reused as values die.
    Workspace(u32),
    /// Trained parameters.
    Weights,
    /// Their gradients, at the same offsets.
    Gradients,
    /// The optimizer's first moment (or momentum), at the same offsets.
    FirstMoment,
    /// The optimizer's second moment, at the same offsets.
    SecondMoment,
    /// Exponential moving average of the weights, at the same offsets.
    AveragedWeights,
    /// Two numbers a row of [`ROW`] parameters: learning-rate scale (0 = frozen) and weight-decay scale.
    ParameterFlags,
    /// Running mean and variance of batch normalisation.
    Statistics,
    /// Exponential moving average of the running statistics.
    AveragedStatistics,
    /// A page of stored photos: RGBA bytes, four to a number.
    Photos(u32),
    /// [`TRANSFORM`] numbers a sample.
    Transforms,
    /// Target distribution and weight: classes + 1 numbers a sample.
    Targets,
    /// [`METRICS`] sums, added to by every step until they are read and cleared.
    Metrics,
}

/// How many numbers a view spans.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Extent {
    /// That many for each sample of the running batch.
    PerSample(usize),
    /// That many whatever the batch.
    Fixed(usize),
}

impl Extent {
    /// Numbers spanned at a batch size.
    pub const fn len(self, batch_size: usize) -> usize {
        match self {
            Self::PerSample(len) => len * batch_size,
            Self::Fixed(len) => len,
        }
    }
}

/// A stretch of a storage: `offset` numbers in, a multiple of [`ROW`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct View {
    /// Where it lies.
    pub storage: Storage,
    /// Its first number.
    pub offset: usize,
    /// Its span.
    pub extent: Extent,
}

impl View {
    /// A whole storage from its start.
    pub const fn new(storage: Storage, extent: Extent) -> Self {
        Self { storage, offset: 0, extent }
    }
}

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

/// A kernel and its numbers. Each variant states its operands as `reads → writes`; `(…)` is there only when named.
///
/// `accumulate` adds to what the written view holds instead of replacing it. `input_activation` multiplies the gradient
/// by the slope of the activation that made `input`, so that the layer before need not.
#[expect(missing_docs, reason = "the variants name and explain their fields")]
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kernel {
    /// `photos page, transforms → input`: crops, flips, colours and normalises (`pixel / 127.5 − 1`) the photos of one
    /// page into the batch, as [`CONTRIBUTION`] states. Page 0 sets every sample to the sum of its contributions from
    /// that page (0 without one), a later page adds its own. A photo is `stored_size²` RGBA pixels, slot after slot.
    PrepareBatch { page: u32, stored_size: usize, output: Shape },
    /// `input, block, (running, if norm), (norm's block, if norm rescales) → output`: `activation(input ∗ kernel + bias)`,
    /// then what [`Kernel::BatchNormRunning`] and [`Kernel::BatchNormNormalize`] make of it.
    Conv2dForward { convolution: Convolution, activation: Activation, norm: Option<BatchNorm> },
    /// `grad_output, block, (input, if input_activation is one) → grad_input`.
    Conv2dBackwardInput { convolution: Convolution, input_activation: Activation, accumulate: bool },
    /// `input, grad_output → grad_block`: gradients of kernel and bias; the zeros between stay zero.
    Conv2dBackwardWeight { convolution: Convolution },
    /// `input → output, indices`: the largest real pixel under the window; `indices` holds its position
    /// `row · kernel width + column` in the window as a number, the first one among equals (−∞ among −∞ too: never a
    /// missing pixel).
    MaxPoolForward { pooling: Pooling },
    /// `grad_output, indices → grad_input`.
    MaxPoolBackward { pooling: Pooling, accumulate: bool },
    /// `input → output`: the mean of the real pixels under the window.
    AvgPoolForward { pooling: Pooling },
    /// `grad_output → grad_input`.
    AvgPoolBackward { pooling: Pooling, accumulate: bool },
    /// `input → moments, running`: `moments` is mean then 1 / sqrt(variance + epsilon) of the batch (biased variance),
    /// the second half at the next whole row; `running` (mean, then unbiased variance, laid out alike) moves by
    /// `momentum`. The unbiased variance of a single number is 0.
    BatchNormStatistics { norm: BatchNorm },
    /// `running → moments`: for evaluation.
    BatchNormRunning { norm: BatchNorm },
    /// `input, moments, (block, if rescale) → output`: `activation((input − mean) · inverse deviation · scale + shift)`.
    BatchNormNormalize { norm: BatchNorm },
    /// `input, grad_output, moments, (block, if rescale) → sums`: per channel `Σ g · normalised`, then `Σ g` at the next
    /// whole row, where `g` is `grad_output` times the slope of `activation`: the gradients of scale and shift.
    BatchNormBackwardReduce { norm: BatchNorm },
    /// `input, grad_output, moments, sums, (block, if rescale) → grad_input`.
    BatchNormBackwardInput { norm: BatchNorm, input_activation: Activation, accumulate: bool },
    /// `input → output`, `len` numbers a sample.
    ActivationForward { len: usize, activation: Activation },
    /// `output, grad_output → grad_input`.
    ActivationBackward { len: usize, activation: Activation, accumulate: bool },
    /// `first, second → output`: `activation(first + tiled second)`.
    AddForward { add: TiledAdd, activation: Activation },
    /// `grad_output → grad_second`: sums over the tiles; a copy when there is but one.
    AddBackward { add: TiledAdd, accumulate: bool },
    /// `part → whole`: writes the part's channels of the whole.
    ConcatForward { part: Part },
    /// `grad_whole → grad_part`.
    ConcatBackward { part: Part, accumulate: bool },
    /// `input → output`: keeps number `i` of the batch where uniform number `i` is below `keep_prob`, and divides it by
    /// that; the same for gradients. `layer` is the substream of [`crate::rng::Stream::Dropout`].
    Dropout { len: usize, keep_prob: f32, layer: u32, accumulate: bool },
    /// `input → output`: adds `mean + std · normal number i` to number `i` of the batch, from substream `layer` of
    /// [`crate::rng::Stream::Noise`], where uniform number 0 of substream `layer + 2¹⁶` is below `ratio`; else a copy.
    Noise { len: usize, mean: f32, std: f32, ratio: f32, layer: u32 },
    /// `logits, targets → grad_logits, probabilities, metrics`: a sample's loss is `−weight · Σ target · ln probability`,
    /// the gradient that of the batch's mean, `weight · (probabilities − target) / batch size` (targets sum to 1). An
    /// answer is correct where the largest logit and the largest target, the first ones among equals, are of one class.
    SoftmaxCrossEntropy { classes: usize },
    /// `logits → probabilities`.
    Softmax { classes: usize },
    /// `gradients, flags → weights, first moment, second moment` (Kingma and Ba, 2015, both moments corrected for their
    /// start at 0), with decoupled weight decay (Loshchilov and Hutter, 2019): the update is `learning_rate · rate scale ·
    /// (m̂ / (√v̂ + epsilon) + weight_decay · decay scale · weight)`. The moments move whatever the flags. `len` is a whole
    /// number of rows.
    Adam { len: usize, beta1: f32, beta2: f32, epsilon: f32 },
    /// `gradients, flags → weights, first moment`: the moment becomes `momentum · moment + gradient`, and takes the place of
    /// Adam's quotient in the update.
    Sgd { len: usize, momentum: f32 },
    /// `weights → averaged weights` (statistics alike): moves by `1 − decay`, where early steps use `(1 + step) / (10 + step)` if smaller.
    AverageWeights { len: usize, decay: f32 },
}

/// What changes from step to step; the rest of a call is fixed.
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
    /// What runs.
    pub kernel: Kernel,
    /// Views read, in the order stated at the kernel.
    pub reads: Vec<View>,
    /// Views written.
    pub writes: Vec<View>,
}

impl Kernel {
    /// The file name of both spellings.
    pub fn name(&self) -> &'static str {
        match self {
            Self::PrepareBatch { .. } => "prepare_batch",
            Self::Conv2dForward { .. } => "conv2d_forward",
            Self::Conv2dBackwardInput { .. } => "conv2d_backward_input",
            Self::Conv2dBackwardWeight { .. } => "conv2d_backward_weight",
            Self::MaxPoolForward { .. } => "max_pool_forward",
            Self::MaxPoolBackward { .. } => "max_pool_backward",
            Self::AvgPoolForward { .. } => "avg_pool_forward",
            Self::AvgPoolBackward { .. } => "avg_pool_backward",
            Self::BatchNormStatistics { .. } => "batch_norm_statistics",
            Self::BatchNormRunning { .. } => "batch_norm_running",
            Self::BatchNormNormalize { .. } => "batch_norm_normalize",
            Self::BatchNormBackwardReduce { .. } => "batch_norm_backward_reduce",
            Self::BatchNormBackwardInput { .. } => "batch_norm_backward_input",
            Self::ActivationForward { .. } => "activation_forward",
            Self::ActivationBackward { .. } => "activation_backward",
            Self::AddForward { .. } => "add_forward",
            Self::AddBackward { .. } => "add_backward",
            Self::ConcatForward { .. } => "concat_forward",
            Self::ConcatBackward { .. } => "concat_backward",
            Self::Dropout { .. } => "dropout",
            Self::Noise { .. } => "noise",
            Self::SoftmaxCrossEntropy { .. } => "softmax_cross_entropy",
            Self::Softmax { .. } => "softmax",
            Self::Adam { .. } => "adam",
            Self::Sgd { .. } => "sgd",
            Self::AverageWeights { .. } => "average_weights",
        }
    }

    /// Whether the first written view must hold its former numbers when the kernel starts.
    pub fn accumulates(&self) -> bool {
        match *self {
            Self::Conv2dBackwardInput { accumulate, .. }
            | Self::MaxPoolBackward { accumulate, .. }
            | Self::AvgPoolBackward { accumulate, .. }
            | Self::BatchNormBackwardInput { accumulate, .. }
            | Self::ActivationBackward { accumulate, .. }
            | Self::AddBackward { accumulate, .. }
            | Self::ConcatBackward { accumulate, .. }
            | Self::Dropout { accumulate, .. } => accumulate,
            Self::PrepareBatch { page, .. } => page > 0,
            Self::ConcatForward { part } => part.first > 0,
            Self::Adam { .. } | Self::Sgd { .. } | Self::AverageWeights { .. } => true,
            Self::Conv2dForward { .. }
            | Self::Conv2dBackwardWeight { .. }
            | Self::MaxPoolForward { .. }
            | Self::AvgPoolForward { .. }
            | Self::BatchNormStatistics { .. }
            | Self::BatchNormRunning { .. }
            | Self::BatchNormNormalize { .. }
            | Self::BatchNormBackwardReduce { .. }
            | Self::ActivationForward { .. }
            | Self::AddForward { .. }
            | Self::Noise { .. }
            | Self::SoftmaxCrossEntropy { .. }
            | Self::Softmax { .. } => false,
        }
    }
}
