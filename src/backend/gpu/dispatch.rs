//! From a kernel call to dispatches: the shader, its constants, its operands and its grid.
//!
//! The shader text is fixed; a model supplies numbers only, as pipeline constants.

use super::convolution;
use super::device::Shaders;
use super::direct;
use super::normalization::{self, backward_input_constants, norm_constants, running_constants};
use crate::kernel::{
    Activation, ActivationBackward, ActivationForward, Adam, AddBackward, AddForward,
    AverageWeights, AvgPoolBackward, AvgPoolForward, BatchNormBackwardInput,
    BatchNormBackwardReduce, BatchNormNormalize, BatchNormRunning, BatchNormStatistics,
    CONTRIBUTION, ConcatBackward, ConcatForward, Conv2dBackwardInput, Conv2dBackwardWeight,
    Conv2dForward, Dropout, MaxPoolBackward, MaxPoolForward, Noise, PrepareBatch, Sgd, Softmax,
    SoftmaxCrossEntropy,
};
use crate::kernel::{Call, Extent, Kernel, Part, Pooling, TiledAdd, View};
use crate::shape::{Shape, Window};

/// Constants of a pipeline, by name.
pub(super) type Constants = Vec<(&'static str, f64)>;

/// Where an operand lies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Operand {
    /// A view of the plan's.
    View(View),
    /// That many numbers of the executor's own scratch buffer.
    Scratch(usize),
}

/// An operand and whether the shader may write it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Binding {
    pub operand: Operand,
    pub writable: bool,
}

pub(super) fn read(view: View) -> Binding {
    Binding { operand: Operand::View(view), writable: false }
}

pub(super) fn write(view: View) -> Binding {
    Binding { operand: Operand::View(view), writable: true }
}

pub(super) fn scratch(len: usize, writable: bool) -> Binding {
    Binding { operand: Operand::Scratch(len), writable }
}

/// How many workgroups run: `ceil(items / per_group) · repeats`, in each of `layers` layers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Grid {
    pub items: Extent,
    pub per_group: usize,
    pub repeats: usize,
    pub layers: usize,
}

impl Grid {
    /// A workgroup for every `per_group` items.
    pub fn of(items: Extent, per_group: usize) -> Self {
        Self { items, per_group, repeats: 1, layers: 1 }
    }

    /// Workgroups on the three axes; more than an axis may have go on along the second one.
    pub fn groups(&self, batch_size: usize, axis_limit: u32) -> [u32; 3] {
        let flat = self.items.len(batch_size).div_ceil(self.per_group) * self.repeats;
        let rows = flat.div_ceil(axis_limit as usize).max(1);
        [flat.div_ceil(rows) as u32, rows as u32, self.layers as u32]
    }
}

/// One dispatch of a shader's entry point.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Dispatch {
    pub shader: &'static str,
    pub entry: &'static str,
    pub constants: Constants,
    pub bindings: Vec<Binding>,
    pub grid: Grid,
    /// Rough cost in floating-point operations, for pacing.
    pub work: Work,
}

/// Arithmetic that a number moved through memory is worth.
pub(super) const WORK_PER_NUMBER: f64 = 16.0;

/// Items of a workgroup of the kernels without a tile.
const GROUP: usize = 64;

impl Dispatch {
    /// Its work at a batch size; never nothing, since the way to the device takes some time too.
    pub fn operations(&self, batch_size: usize) -> f64 {
        1.0 + self.work.operations(batch_size)
    }

    /// A dispatch with an invocation for every `width` of `items`.
    fn flat(
        call: &Call,
        constants: Constants,
        bindings: Vec<Binding>,
        items: Extent,
        width: usize,
    ) -> Self {
        Self {
            shader: call.kernel.name(),
            entry: "main",
            constants,
            bindings,
            grid: Grid::of(items, GROUP * width),
            work: Work::of(items, WORK_PER_NUMBER),
        }
    }
}

/// Floating-point operations, of which a page's 32 bits could not count a large batch's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Work {
    items: Extent,
    per_item: f64,
}

impl Work {
    pub fn of(items: Extent, per_item: f64) -> Self {
        Self { items, per_item }
    }

    /// At a batch size.
    pub fn operations(self, batch_size: usize) -> f64 {
        self.items.len(batch_size) as f64 * self.per_item
    }
}

/// The dispatches of a call by itself, for a plan of at most `batch_size` samples.
pub(super) fn dispatches_of(call: &Call, batch_size: usize, shaders: Shaders) -> Vec<Dispatch> {
    use Extent::{Fixed, PerSample};
    let one = |constants, items, width| {
        vec![Dispatch::flat(call, constants, operands(call), items, width)]
    };
    match call.kernel {
        Kernel::PrepareBatch(PrepareBatch { page, stored_size, output }) => {
            debug_assert_eq!(CONTRIBUTION, 32, "prepare_batch.wgsl states the record");
            let constants = vec![
                ("PAGE", f64::from(page)),
                ("STORED_SIZE", stored_size as f64),
                ("HEIGHT", output.height as f64),
                ("WIDTH", output.width as f64),
                ("CHANNELS", output.channels as f64),
            ];
            one(constants, PerSample(output.pixels()), 1)
        }
        Kernel::Conv2dForward(Conv2dForward { convolution, activation, norm }) => match shaders {
            Shaders::Tiled => {
                let then = (activation, norm.as_ref());
                convolution::forward(call, &convolution, then, batch_size, false)
            }
            Shaders::Direct => direct::forward(call, &convolution, activation, norm.as_ref()),
        },
        Kernel::Conv2dBackwardInput(Conv2dBackwardInput {
            convolution,
            input_activation: slope,
            accumulate,
        }) => match shaders {
            Shaders::Tiled => {
                convolution::backward_input(call, &convolution, slope, accumulate, batch_size)
            }
            Shaders::Direct => direct::backward_input(call, &convolution, slope, accumulate),
        },
        Kernel::Conv2dBackwardWeight(Conv2dBackwardWeight { convolution }) => match shaders {
            Shaders::Tiled => convolution::backward_weight(call, &convolution, batch_size),
            Shaders::Direct => direct::backward_weight(call, &convolution, batch_size),
        },
        Kernel::MaxPoolForward(MaxPoolForward { pooling })
        | Kernel::AvgPoolForward(AvgPoolForward { pooling }) => {
            one(pooling_constants(&pooling), PerSample(pooling.output.len()), 1)
        }
        Kernel::MaxPoolBackward(MaxPoolBackward { pooling, accumulate })
        | Kernel::AvgPoolBackward(AvgPoolBackward { pooling, accumulate }) => {
            let mut constants = pooling_constants(&pooling);
            constants.push(("ACCUMULATE", flag(accumulate)));
            one(constants, PerSample(pooling.input.len()), 1)
        }
        Kernel::BatchNormStatistics(BatchNormStatistics { norm }) => {
            normalization::statistics(call, &norm, batch_size, shaders)
        }
        Kernel::BatchNormRunning(BatchNormRunning { norm }) => {
            one(running_constants(&norm), Fixed(norm.channels), 1)
        }
        Kernel::BatchNormNormalize(BatchNormNormalize { norm }) => {
            one(norm_constants(&norm), PerSample(norm.pixels * norm.channels), 4)
        }
        Kernel::BatchNormBackwardReduce(BatchNormBackwardReduce { norm }) => {
            normalization::backward_reduce(call, &norm, batch_size, shaders)
        }
        Kernel::BatchNormBackwardInput(BatchNormBackwardInput {
            norm,
            input_activation,
            accumulate,
        }) => {
            let constants = backward_input_constants(&norm, input_activation, accumulate);
            one(constants, PerSample(norm.pixels * norm.channels), 4)
        }
        Kernel::ActivationForward(ActivationForward { len, activation }) => {
            let constants =
                vec![("LEN", len as f64), ("ACTIVATION", activation_number(activation))];
            one(constants, PerSample(len), 4)
        }
        Kernel::ActivationBackward(ActivationBackward { len, activation, accumulate }) => {
            let constants = vec![
                ("LEN", len as f64),
                ("ACTIVATION", activation_number(activation)),
                ("ACCUMULATE", flag(accumulate)),
            ];
            one(constants, PerSample(len), 4)
        }
        Kernel::AddForward(AddForward { add, activation }) => {
            let mut constants = add_constants(&add);
            constants.push(("ACTIVATION", activation_number(activation)));
            one(constants, PerSample(add.pixels * add.channels), 1)
        }
        Kernel::AddBackward(AddBackward { add, accumulate }) => {
            let mut constants = add_constants(&add);
            constants.push(("ACCUMULATE", flag(accumulate)));
            one(constants, PerSample(add.pixels * add.tile), 1)
        }
        Kernel::ConcatForward(ConcatForward { part }) => {
            one(part_constants(&part), PerSample(part.pixels * part.count), 1)
        }
        Kernel::ConcatBackward(ConcatBackward { part, accumulate }) => {
            let mut constants = part_constants(&part);
            constants.push(("ACCUMULATE", flag(accumulate)));
            one(constants, PerSample(part.pixels * part.count), 1)
        }
        Kernel::Dropout(Dropout { len, keep_prob, layer, accumulate }) => {
            let constants = vec![
                ("LEN", len as f64),
                ("KEEP_PROB", f64::from(keep_prob)),
                ("LAYER", f64::from(layer)),
                ("ACCUMULATE", flag(accumulate)),
            ];
            one(constants, PerSample(len), 4)
        }
        Kernel::Noise(Noise { len, mean, std, ratio, layer }) => {
            let constants = vec![
                ("LEN", len as f64),
                ("MEAN", f64::from(mean)),
                ("STD", f64::from(std)),
                ("RATIO", f64::from(ratio)),
                ("LAYER", f64::from(layer)),
            ];
            one(constants, PerSample(len), 4)
        }
        Kernel::SoftmaxCrossEntropy(SoftmaxCrossEntropy { classes }) => {
            cross_entropy(call, classes, batch_size)
        }
        Kernel::Softmax(Softmax { classes }) => {
            let constants = vec![("CLASSES", classes as f64)];
            let dispatch = Dispatch::flat(call, constants, operands(call), PerSample(classes), 1);
            vec![Dispatch { grid: Grid::of(PerSample(1), 1), ..dispatch }]
        }
        Kernel::Adam(Adam { len, beta1, beta2, epsilon }) => {
            let constants = vec![
                ("LEN", len as f64),
                ("BETA1", f64::from(beta1)),
                ("BETA2", f64::from(beta2)),
                ("EPSILON", f64::from(epsilon)),
            ];
            one(constants, Fixed(len), 4)
        }
        Kernel::Sgd(Sgd { len, momentum }) => {
            let constants = vec![("LEN", len as f64), ("MOMENTUM", f64::from(momentum))];
            one(constants, Fixed(len), 4)
        }
        Kernel::AverageWeights(AverageWeights { len, decay }) => {
            let constants = vec![("LEN", len as f64), ("DECAY", f64::from(decay))];
            one(constants, Fixed(len), 4)
        }
    }
}

/// The number of an activation in `shaders/shared/activation.wgsl`.
pub(super) fn activation_number(activation: Activation) -> f64 {
    match activation {
        Activation::None => 0.0,
        Activation::Relu => 1.0,
        Activation::Sigmoid => 2.0,
        Activation::Tanh => 3.0,
    }
}

pub(super) fn flag(value: bool) -> f64 {
    f64::from(u8::from(value))
}

/// Reads, then writes. A shader binds its last optional read always, so where the call has none the first read stands in.
pub(super) fn operands(call: &Call) -> Vec<Binding> {
    let mut reads = call.reads.clone();
    if let Kernel::BatchNormNormalize(BatchNormNormalize { norm })
    | Kernel::BatchNormBackwardReduce(BatchNormBackwardReduce { norm })
    | Kernel::BatchNormBackwardInput(BatchNormBackwardInput { norm, .. }) = call.kernel
        && !norm.rescale
    {
        reads.push(call.reads[0]);
    }
    reads.into_iter().map(read).chain(call.writes.iter().copied().map(write)).collect()
}

fn add_constants(add: &TiledAdd) -> Constants {
    vec![
        ("PIXELS", add.pixels as f64),
        ("CHANNELS", add.channels as f64),
        ("TILE", add.tile as f64),
    ]
}

fn part_constants(part: &Part) -> Constants {
    vec![
        ("PIXELS", part.pixels as f64),
        ("CHANNELS", part.channels as f64),
        ("FIRST", part.first as f64),
        ("COUNT", part.count as f64),
    ]
}

fn pooling_constants(pooling: &Pooling) -> Constants {
    let Pooling { input, output, window } = pooling;
    let mut constants = window_constants(input, output, window);
    constants.push(("CHANNELS", input.channels as f64));
    constants
}

/// Sizes of both sides of a sliding window, and the window.
pub(super) fn window_constants(input: &Shape, output: &Shape, window: &Window) -> Constants {
    vec![
        ("INPUT_HEIGHT", input.height as f64),
        ("INPUT_WIDTH", input.width as f64),
        ("OUTPUT_HEIGHT", output.height as f64),
        ("OUTPUT_WIDTH", output.width as f64),
        ("KERNEL_HEIGHT", window.kernel_size[0] as f64),
        ("KERNEL_WIDTH", window.kernel_size[1] as f64),
        ("STRIDE_Y", window.stride[0] as f64),
        ("STRIDE_X", window.stride[1] as f64),
        ("OFFSET_Y", window.offset[0] as f64),
        ("OFFSET_X", window.offset[1] as f64),
    ]
}

fn cross_entropy(call: &Call, classes: usize, batch_size: usize) -> Vec<Dispatch> {
    let mut bindings = vec![scratch(4 * batch_size, true)];
    bindings.extend(operands(call));
    let main = Dispatch {
        shader: call.kernel.name(),
        entry: "main",
        constants: vec![("CLASSES", classes as f64)],
        bindings,
        grid: Grid::of(Extent::PerSample(1), 1),
        work: Work::of(Extent::PerSample(classes), WORK_PER_NUMBER),
    };
    let finish = Dispatch {
        entry: "finish",
        grid: Grid::of(Extent::Fixed(1), 1),
        work: Work::of(Extent::PerSample(4), WORK_PER_NUMBER),
        ..main.clone()
    };
    vec![main, finish]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_beyond_the_axis_limit_folds() {
        let grid = Grid { layers: 2, ..Grid::of(Extent::PerSample(1000), 64) };
        assert_eq!(grid.groups(2, 65535), [32, 1, 2]);
        let [x, y, _] = grid.groups(10_000, 65535);
        assert!(x <= 65535 && x * y >= 156_250 && x * (y - 1) < 156_250, "{x} × {y}");
    }
}
