//! The values of a shader's `override`s: shapes and settings that a pipeline is compiled for.

use crate::kernel::{
    Activation, ActivationBackward, ActivationForward, Adam, AddBackward, AddForward,
    AverageWeights, AvgPoolBackward, BatchNorm, BatchNormBackwardInput, BatchNormNormalize,
    BatchNormRunning, ConcatBackward, Convolution, Dropout, GroupedConvolution, MaxPoolBackward,
    Noise, Part, Pooling, PrepareBatch, Sgd, Softmax, SoftmaxCrossEntropy, TiledAdd,
    round_up_to_row,
};
use crate::shape::{Shape, Window};

/// Holds values by the names of the `override`s that they are for.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Constants(Vec<(&'static str, f64)>);

/// A value that an `override` can have.
pub(super) trait Constant {
    /// Returns the value as WebGPU takes it, which converts it to the type that the shader declares.
    fn value(self) -> f64;
}

impl Constant for usize {
    fn value(self) -> f64 {
        self as f64
    }
}

impl Constant for isize {
    fn value(self) -> f64 {
        self as f64
    }
}

impl Constant for u32 {
    fn value(self) -> f64 {
        self.into()
    }
}

impl Constant for f32 {
    fn value(self) -> f64 {
        self.into()
    }
}

impl Constant for bool {
    fn value(self) -> f64 {
        u8::from(self).into()
    }
}

/// `shaders/shared/activation.wgsl` knows activations by these numbers.
impl Constant for Activation {
    fn value(self) -> f64 {
        match self {
            Self::None => 0.0,
            Self::Relu => 1.0,
            Self::Sigmoid => 2.0,
            Self::Tanh => 3.0,
        }
    }
}

impl Constants {
    /// Adds a value.
    pub fn with(mut self, name: &'static str, value: impl Constant) -> Self {
        self.0.push((name, value.value()));
        self
    }

    /// Adds all values of others.
    pub fn and(mut self, others: impl Into<Self>) -> Self {
        self.0.extend(others.into().0);
        self
    }

    /// Returns the values as a pipeline takes them.
    pub fn as_slice(&self) -> &[(&'static str, f64)] {
        &self.0
    }
}

/// Lists the sizes of both sides of a sliding window, and the window.
fn window(input: &Shape, output: &Shape, window: &Window) -> Constants {
    Constants::default()
        .with("INPUT_HEIGHT", input.height)
        .with("INPUT_WIDTH", input.width)
        .with("OUTPUT_HEIGHT", output.height)
        .with("OUTPUT_WIDTH", output.width)
        .with("KERNEL_HEIGHT", window.kernel_size[0])
        .with("KERNEL_WIDTH", window.kernel_size[1])
        .with("STRIDE_Y", window.stride[0])
        .with("STRIDE_X", window.stride[1])
        .with("OFFSET_Y", window.offset[0])
        .with("OFFSET_X", window.offset[1])
}

/// These are the shapes of `shaders/shared/convolution.wgsl`.
impl From<&Convolution> for Constants {
    fn from(convolution: &Convolution) -> Self {
        window(&convolution.input, &convolution.output, &convolution.window)
            .with("IN_CHANNELS", convolution.input.channels)
            .with("OUT_CHANNELS", convolution.output.channels)
    }
}

/// These are the shapes of `shaders/shared/grouped_convolution.wgsl`.
impl From<&GroupedConvolution> for Constants {
    fn from(convolution: &GroupedConvolution) -> Self {
        window(&convolution.input, &convolution.output, &convolution.window)
            .with("IN_CHANNELS", convolution.input.channels)
            .with("OUT_CHANNELS", convolution.output.channels)
            .with("GROUP_INPUTS", convolution.group_inputs())
            .with("GROUP_OUTPUTS", convolution.group_outputs())
    }
}

/// These are the shapes of `shaders/shared/pooling.wgsl`.
impl From<&Pooling> for Constants {
    fn from(pooling: &Pooling) -> Self {
        window(&pooling.input, &pooling.output, &pooling.window)
            .with("CHANNELS", pooling.input.channels)
    }
}

/// These are the shape of a batch normalisation, and the offset of the second vector of a pair.
impl From<&BatchNorm> for Constants {
    fn from(norm: &BatchNorm) -> Self {
        Self::default()
            .with("PIXELS", norm.pixels)
            .with("CHANNELS", norm.channels)
            .with("SECOND", round_up_to_row(norm.channels))
    }
}

/// Lists the settings of `shaders/shared/normalize.wgsl`, for a convolution that normalises what it stores or does not.
pub(super) fn folded_norm(norm: Option<&BatchNorm>) -> Constants {
    let constants = Constants::default().with("NORM", norm.is_some());
    norm.map_or(constants.clone(), |norm| {
        constants
            .with("EPSILON", norm.epsilon)
            .with("RESCALE", norm.rescale)
            .with("NORM_ACTIVATION", norm.activation)
    })
}

impl From<&TiledAdd> for Constants {
    fn from(add: &TiledAdd) -> Self {
        Self::default()
            .with("PIXELS", add.pixels)
            .with("CHANNELS", add.channels)
            .with("TILE", add.tile)
    }
}

impl From<&Part> for Constants {
    fn from(part: &Part) -> Self {
        Self::default()
            .with("PIXELS", part.pixels)
            .with("CHANNELS", part.channels)
            .with("FIRST", part.first)
            .with("COUNT", part.count)
    }
}

impl From<&PrepareBatch> for Constants {
    fn from(kernel: &PrepareBatch) -> Self {
        Self::default()
            .with("PAGE", kernel.page)
            .with("STORED_SIZE", kernel.stored_size)
            .with("HEIGHT", kernel.output.height)
            .with("WIDTH", kernel.output.width)
            .with("CHANNELS", kernel.output.channels)
    }
}

impl From<&MaxPoolBackward> for Constants {
    fn from(kernel: &MaxPoolBackward) -> Self {
        Self::from(&kernel.pooling).with("ACCUMULATE", kernel.accumulate)
    }
}

impl From<&AvgPoolBackward> for Constants {
    fn from(kernel: &AvgPoolBackward) -> Self {
        Self::from(&kernel.pooling).with("ACCUMULATE", kernel.accumulate)
    }
}

impl From<&BatchNormRunning> for Constants {
    fn from(kernel: &BatchNormRunning) -> Self {
        Self::default()
            .with("CHANNELS", kernel.norm.channels)
            .with("SECOND", round_up_to_row(kernel.norm.channels))
            .with("EPSILON", kernel.norm.epsilon)
    }
}

impl From<&BatchNormNormalize> for Constants {
    fn from(kernel: &BatchNormNormalize) -> Self {
        Self::from(&kernel.norm)
            .with("RESCALE", kernel.norm.rescale)
            .with("ACTIVATION", kernel.norm.activation)
    }
}

impl From<&BatchNormBackwardInput> for Constants {
    fn from(kernel: &BatchNormBackwardInput) -> Self {
        Self::from(&kernel.norm)
            .with("RESCALE", kernel.norm.rescale)
            .with("ACTIVATION", kernel.norm.activation)
            .with("INPUT_ACTIVATION", kernel.input_activation)
            .with("ACCUMULATE", kernel.accumulate)
    }
}

impl From<&ActivationForward> for Constants {
    fn from(kernel: &ActivationForward) -> Self {
        Self::default().with("LEN", kernel.len).with("ACTIVATION", kernel.activation)
    }
}

impl From<&ActivationBackward> for Constants {
    fn from(kernel: &ActivationBackward) -> Self {
        Self::default()
            .with("LEN", kernel.len)
            .with("ACTIVATION", kernel.activation)
            .with("ACCUMULATE", kernel.accumulate)
    }
}

impl From<&AddForward> for Constants {
    fn from(kernel: &AddForward) -> Self {
        Self::from(&kernel.add).with("ACTIVATION", kernel.activation)
    }
}

impl From<&AddBackward> for Constants {
    fn from(kernel: &AddBackward) -> Self {
        Self::from(&kernel.add).with("ACCUMULATE", kernel.accumulate)
    }
}

impl From<&ConcatBackward> for Constants {
    fn from(kernel: &ConcatBackward) -> Self {
        Self::from(&kernel.part).with("ACCUMULATE", kernel.accumulate)
    }
}

impl From<&Dropout> for Constants {
    fn from(kernel: &Dropout) -> Self {
        Self::default()
            .with("LEN", kernel.len)
            .with("KEEP_PROB", kernel.keep_prob)
            .with("LAYER", kernel.layer)
            .with("ACCUMULATE", kernel.accumulate)
    }
}

impl From<&Noise> for Constants {
    fn from(kernel: &Noise) -> Self {
        Self::default()
            .with("LEN", kernel.len)
            .with("MEAN", kernel.mean)
            .with("STD", kernel.std)
            .with("RATIO", kernel.ratio)
            .with("LAYER", kernel.layer)
    }
}

impl From<&SoftmaxCrossEntropy> for Constants {
    fn from(kernel: &SoftmaxCrossEntropy) -> Self {
        Self::default().with("CLASSES", kernel.classes)
    }
}

impl From<&Softmax> for Constants {
    fn from(kernel: &Softmax) -> Self {
        Self::default().with("CLASSES", kernel.classes)
    }
}

impl From<&Adam> for Constants {
    fn from(kernel: &Adam) -> Self {
        Self::default()
            .with("LEN", kernel.len)
            .with("BETA1", kernel.beta1)
            .with("BETA2", kernel.beta2)
            .with("EPSILON", kernel.epsilon)
    }
}

impl From<&Sgd> for Constants {
    fn from(kernel: &Sgd) -> Self {
        Self::default().with("LEN", kernel.len).with("MOMENTUM", kernel.momentum)
    }
}

impl From<&AverageWeights> for Constants {
    fn from(kernel: &AverageWeights) -> Self {
        Self::default().with("LEN", kernel.len).with("DECAY", kernel.decay)
    }
}
