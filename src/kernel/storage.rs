//! Where the operands of kernels lie: storages, and views of them.

/// Rows of a parameter arena start at multiples of this many elements (256 bytes, the binding alignment of WebGPU).
pub const ROW: usize = 64;

/// Rounds up to whole rows of [`ROW`] elements, as far as there are numbers for it.
pub const fn round_up_to_row(len: usize) -> usize {
    len.div_ceil(ROW).saturating_mul(ROW)
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

/// Where elements live. Everything but the workspace lies outside plans, so that plans share it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Storage {
    /// A plan's own buffer of that index; reused as values die.
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
    /// Two elements a row of [`ROW`] parameters: learning-rate scale (0 = frozen) and weight-decay scale.
    ParameterFlags,
    /// Running mean and variance of batch normalisation.
    Statistics,
    /// Exponential moving average of the running statistics.
    AveragedStatistics,
    /// A page of stored photos: RGBA bytes, four to an element.
    Photos(u32),
    /// [`TRANSFORM`] elements a sample.
    Transforms,
    /// Target distribution and weight: classes + 1 elements a sample.
    Targets,
    /// [`METRICS`] sums, added to by every step until they are read and cleared.
    Metrics,
}

/// The elements that a view spans.
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

/// A stretch of a storage: `offset` elements in, a multiple of [`ROW`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct View {
    /// Where it lies.
    pub storage: Storage,
    /// Its first element.
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
