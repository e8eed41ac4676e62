//! Grouped convolution both ways: sums under windows, vectors of channels at a time.
//!
//! Forward and the gradient of the input are one kind of sum ([`WindowSums`]): a target pixel sees source pixels of some rows, each
//! through one position of the window. In a depthwise convolution a vector of channels is multiplied by a vector of weights; else
//! every channel of a group that is seen goes, spread over a vector, to the group's channels that see it.

use crate::backend::cpu::kernels::batch_norm::normalize::Affine;
use crate::backend::cpu::kernels::batch_norm::running::inverse_deviation;
use crate::backend::cpu::simd::{Simd, Vectorized, map_lanes};
use crate::backend::cpu::threads::{Disjoint, Workers};
use crate::kernel::{
    Activation, BatchNorm, GroupedConv2dBackwardInput, GroupedConv2dBackwardWeight,
    GroupedConv2dForward, GroupedConvolution, StepInputs, round_up_to_row,
};
use crate::shape::{Shape, Window};
use std::ops::Range;

/// Target pixels that are computed at once, so that a weight is loaded once for all of them.
const PIXELS: usize = 4;
/// Output channels whose weight gradients are one task: a whole number of vectors on any processor.
const TASK_CHANNELS: usize = 16;

/// The source pixels of one row that a target pixel sees: `count` neighbours from `source` on, the first one through column `tap` of
/// the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Column {
    target: usize,
    source: usize,
    tap: usize,
    count: usize,
}

/// Which source pixels a target pixel sees, on both axes.
struct Geometry {
    window: Window,
    source: Shape,
    target: Shape,
    /// Channels of a group in the source.
    source_group: usize,
    /// Channels of a group in the target.
    target_group: usize,
    /// Whether the targets are input pixels, which see the windows that hold them.
    is_backward: bool,
    /// Target columns in an order in which neighbours mostly see through the same columns of the window.
    columns: Vec<Column>,
}

impl Geometry {
    /// Output pixels see the input pixels under their windows.
    fn forward(convolution: &GroupedConvolution) -> Self {
        let GroupedConvolution { input, output, window, .. } = *convolution;
        let column = |target| {
            let seen = window.under(1, target, input.width);
            let tap = window.tap(1, target, seen.start);
            Column { target, source: seen.start, tap, count: seen.len() }
        };
        Self {
            window,
            source: input,
            target: output,
            source_group: convolution.group_inputs(),
            target_group: convolution.group_outputs(),
            is_backward: false,
            columns: (0..output.width).map(column).collect(),
        }
    }

    /// Input pixels see the output pixels whose windows hold them.
    fn backward(convolution: &GroupedConvolution) -> Self {
        let GroupedConvolution { input, output, window, .. } = *convolution;
        let stride = window.stride[1];
        let column = |target| {
            let seen = window.over(1, target, output.width);
            let tap = if seen.is_empty() { 0 } else { window.tap(1, seen.start, target) };
            Column { target, source: seen.start, tap, count: seen.len() }
        };
        let by_phase = (0..stride).flat_map(|phase| (phase..input.width).step_by(stride));
        Self {
            window,
            source: output,
            target: input,
            source_group: convolution.group_outputs(),
            target_group: convolution.group_inputs(),
            is_backward: true,
            columns: by_phase.map(column).collect(),
        }
    }

    /// Whether each channel sees one channel alone, its own.
    fn is_depthwise(&self) -> bool {
        self.source_group == 1 && self.target_group == 1
    }

    /// The source rows that a target row sees, each with its row of the window.
    fn rows(&self, target: usize) -> impl Iterator<Item = (usize, usize)> {
        let Self { window, is_backward, .. } = *self;
        let seen = if is_backward {
            window.over(0, target, self.source.height)
        } else {
            window.under(0, target, self.source.height)
        };
        seen.map(move |source| {
            let (number, at) = if is_backward { (source, target) } else { (target, source) };
            (source, window.tap(0, number, at))
        })
    }

    /// How much further the window's column is for the next source pixel.
    fn tap_step(&self) -> isize {
        if self.is_backward { -(self.window.stride[1] as isize) } else { 1 }
    }
}

/// What becomes of a sum.
#[derive(Clone, Copy)]
enum Finish<'a> {
    /// Bias and activation, then a factor, an offset and another activation where there is a normalisation.
    Forward { bias: &'a [f32], activation: Activation, norm: Option<Folded<'a>> },
    /// The derivative of the activation that made `values`, which lie as the target does; added to what is there where `accumulate`.
    Gradient { activation: Activation, values: &'a [f32], accumulate: bool },
}

/// A normalisation by running statistics: `x · factor + offset`, channel by channel, then the activation.
#[derive(Clone, Copy)]
struct Folded<'a> {
    factors: &'a [f32],
    offsets: &'a [f32],
    activation: Activation,
}

/// Sums under windows for a whole batch.
struct WindowSums<'a> {
    geometry: &'a Geometry,
    source: &'a [f32],
    /// `[kernel height, kernel width, source channels of a group, target channels]`.
    weights: &'a [f32],
    finish: Finish<'a>,
}

impl WindowSums<'_> {
    fn run(&self, target: &mut [f32], workers: &mut Workers) {
        let geometry = self.geometry;
        let row_len = geometry.target.width * geometry.target.channels;
        let rows = target.len() / row_len;
        let instructions = workers.instructions;
        let target = Disjoint::new(target);
        workers.run(rows, |row, _| {
            // SAFETY: each task has a row of its own.
            let target = unsafe { target.slice(row * row_len..(row + 1) * row_len) };
            instructions.vectorize(TargetRow { sums: self, row, target });
        });
    }
}

/// One row of target pixels, counted over the whole batch.
struct TargetRow<'a> {
    sums: &'a WindowSums<'a>,
    row: usize,
    target: &'a mut [f32],
}

impl Vectorized for TargetRow<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(mut self) {
        let geometry = self.sums.geometry;
        let mut columns = geometry.columns.as_slice();
        while let Some(first) = columns.first() {
            let alike = columns.iter().take(PIXELS);
            let alike = alike.take_while(|c| (c.tap, c.count) == (first.tap, first.count)).count();
            let (tile, rest) = columns.split_at(if alike == PIXELS { PIXELS } else { 1 });
            // SAFETY: `S` is there by the caller's promise.
            unsafe {
                match (tile.len(), geometry.is_depthwise()) {
                    (1, true) => self.tile::<S, 1, true>(tile),
                    (1, false) => self.tile::<S, 1, false>(tile),
                    (_, true) => self.tile::<S, PIXELS, true>(tile),
                    (_, false) => self.tile::<S, PIXELS, false>(tile),
                }
            }
            columns = rest;
        }
    }
}

impl TargetRow<'_> {
    /// Computes `COUNT` pixels, all of whose channels see through the same columns of the window.
    ///
    /// # Safety
    /// As [`Simd`].
    #[inline(always)]
    unsafe fn tile<S: Simd, const COUNT: usize, const DEPTHWISE: bool>(&mut self, tile: &[Column]) {
        let geometry = self.sums.geometry;
        let channels = geometry.target.channels;
        let span = if DEPTHWISE { channels } else { geometry.target_group };
        for first in (0..channels).step_by(span) {
            let seen = first / span * geometry.source_group;
            for start in (first..first + span).step_by(S::LANES) {
                let count = S::LANES.min(first + span - start);
                // SAFETY: `count` channels are left in the group, of weights as of targets.
                unsafe {
                    let sums = self.sums::<S, COUNT, DEPTHWISE>(tile, seen, start, count);
                    for (column, sum) in tile.iter().zip(sums) {
                        self.store::<S>(column.target * channels + start, start, count, sum);
                    }
                }
            }
        }
    }

    /// The sums of `count` target channels from `start` on; where they see several channels each, those from `seen` on.
    ///
    /// # Safety
    /// As [`Simd`]; so many channels are left in the pixel's group.
    #[inline(always)]
    unsafe fn sums<S: Simd, const COUNT: usize, const DEPTHWISE: bool>(
        &self,
        tile: &[Column],
        seen: usize,
        start: usize,
        count: usize,
    ) -> [S::Vector; COUNT] {
        let Geometry { source, target, window, .. } = *self.sums.geometry;
        let tap_step = self.sums.geometry.tap_step();
        let sample = self.row / target.height * source.len();
        let group = if DEPTHWISE { 1 } else { self.sums.geometry.source_group };
        // SAFETY: the geometry names pixels of the source and positions of the window only; the rest is the caller's promise.
        unsafe {
            let mut sums = [S::splat(0.0); COUNT];
            for (row, tap_row) in self.sums.geometry.rows(self.row % target.height) {
                let line =
                    self.sums.source[sample + row * source.width * source.channels..].as_ptr();
                for step in 0..tile[0].count {
                    let tap = tile[0].tap.wrapping_add_signed(step as isize * tap_step);
                    let position = tap_row * window.kernel_size[1] + tap;
                    for channel in 0..group {
                        let weight = (position * group + channel) * target.channels + start;
                        let weight = S::load_up_to(self.sums.weights[weight..].as_ptr(), count);
                        for (sum, column) in sums.iter_mut().zip(tile) {
                            let pixel = line.add((column.source + step) * source.channels);
                            let x = if DEPTHWISE {
                                S::load_up_to(pixel.add(start), count)
                            } else {
                                S::splat(*pixel.add(seen + channel))
                            };
                            *sum = S::mul_add(x, weight, *sum);
                        }
                    }
                }
            }
            sums
        }
    }

    /// Stores what becomes of the sums of `count` channels from `channel` on, at `at` in the row.
    ///
    /// # Safety
    /// As [`Simd`].
    #[inline(always)]
    unsafe fn store<S: Simd>(&mut self, at: usize, channel: usize, count: usize, sum: S::Vector) {
        let of = |numbers: &[f32]| numbers[channel..channel + count].as_ptr();
        // SAFETY: slices are checked to hold `count` elements.
        unsafe {
            let finished = match self.sums.finish {
                Finish::Forward { bias, activation, norm } => {
                    let biased = S::add(sum, S::load_up_to(of(bias), count));
                    let active = activate::<S>(activation, biased);
                    norm.map_or(active, |norm| {
                        let [factor, offset] =
                            [norm.factors, norm.offsets].map(|all| S::load_up_to(of(all), count));
                        activate::<S>(norm.activation, S::mul_add(active, factor, offset))
                    })
                }
                Finish::Gradient { activation, values, accumulate } => {
                    let mut gradient = sum;
                    if activation != Activation::None {
                        let values = &values[self.row * self.target.len() + at..][..count];
                        let values = S::load_up_to(values.as_ptr(), count);
                        gradient = match activation {
                            Activation::Relu => S::where_positive(values, sum),
                            other => map_lanes::<S>(sum, values, |sum, y| sum * other.slope(y)),
                        };
                    }
                    if accumulate {
                        let before = self.target[at..at + count].as_ptr();
                        gradient = S::add(gradient, S::load_up_to(before, count));
                    }
                    gradient
                }
            };
            S::store_up_to(self.target[at..at + count].as_mut_ptr(), finished, count);
        }
    }
}

/// # Safety
/// As [`Simd`].
#[inline(always)]
unsafe fn activate<S: Simd>(activation: Activation, x: S::Vector) -> S::Vector {
    // SAFETY: by the caller's promise.
    unsafe {
        match activation {
            Activation::None => x,
            Activation::Relu => S::relu(x),
            other => map_lanes::<S>(x, x, |x, _| other.apply(x)),
        }
    }
}

/// Computes `input, block, (running), (norm's block) → output`.
pub(crate) fn forward(
    kernel: &GroupedConv2dForward,
    step: &StepInputs,
    reads: &[&[f32]],
    writes: &mut [&mut [f32]],
    workers: &mut Workers,
) {
    let convolution = &kernel.convolution;
    let (channels, block) = (convolution.output.channels, reads[1]);
    let (mut factors, mut offsets) = (Vec::new(), Vec::new());
    if let Some(norm) = &kernel.norm {
        (factors, offsets) = running_affine(norm, reads[2], reads.get(3).copied());
    }
    let folded = |norm: BatchNorm| Folded {
        factors: &factors,
        offsets: &offsets,
        activation: norm.activation,
    };
    WindowSums {
        geometry: &Geometry::forward(convolution),
        source: reads[0],
        weights: &block[..convolution.kernel_len()],
        finish: Finish::Forward {
            bias: &block[convolution.bias_offset()..][..channels],
            activation: kernel.activation,
            norm: kernel.norm.map(folded),
        },
    }
    .run(&mut writes[0][..step.batch_size * convolution.output.len()], workers);
}

/// Factor and offset of each channel, by running statistics.
fn running_affine(
    norm: &BatchNorm,
    running: &[f32],
    block: Option<&[f32]>,
) -> (Vec<f32>, Vec<f32>) {
    let second = round_up_to_row(norm.channels);
    let pairs = (0..norm.channels).map(|channel| {
        let affine = Affine {
            mean: running[channel],
            inverse: inverse_deviation(norm, running[second + channel]),
            scale: block.map_or(1.0, |block| block[channel]),
            shift: block.map_or(0.0, |block| block[second + channel]),
        };
        affine.factor_and_offset().into()
    });
    pairs.unzip()
}

/// Computes `grad_output, block, (input) → grad_input`.
pub(crate) fn backward_input(
    kernel: &GroupedConv2dBackwardInput,
    step: &StepInputs,
    reads: &[&[f32]],
    writes: &mut [&mut [f32]],
    workers: &mut Workers,
) {
    let convolution = &kernel.convolution;
    let weights = &reads[1][..convolution.kernel_len()];
    let geometry = Geometry::backward(convolution);
    let transposed;
    WindowSums {
        source: reads[0],
        weights: if geometry.is_depthwise() {
            weights
        } else {
            transposed = transposed_weights(convolution, weights);
            &transposed
        },
        geometry: &geometry,
        finish: Finish::Gradient {
            activation: kernel.input_activation,
            values: reads.get(2).copied().unwrap_or_default(),
            accumulate: kernel.accumulate,
        },
    }
    .run(&mut writes[0][..step.batch_size * convolution.input.len()], workers);
}

/// The kernel with its last two axes exchanged in each group: `[height, width, output channels of a group, input channels]`.
fn transposed_weights(convolution: &GroupedConvolution, weights: &[f32]) -> Vec<f32> {
    let (ins, outs) = (convolution.group_inputs(), convolution.group_outputs());
    let (all_ins, all_outs) = (convolution.input.channels, convolution.output.channels);
    let mut transposed = vec![0.0; convolution.window.area() * outs * all_ins];
    for (index, &weight) in weights.iter().enumerate() {
        let (position, from) = (index / all_outs / ins, index / all_outs % ins);
        let (group, to) = (index % all_outs / outs, index % all_outs % outs);
        transposed[(position * outs + to) * all_ins + group * ins + from] = weight;
    }
    transposed
}

/// Computes `input, grad_output → grad_block`.
pub(crate) fn backward_weight(
    kernel: &GroupedConv2dBackwardWeight,
    step: &StepInputs,
    reads: &[&[f32]],
    writes: &mut [&mut [f32]],
    workers: &mut Workers,
) {
    let convolution = &kernel.convolution;
    let channels = convolution.output.channels;
    let (grad_kernel, grad_bias) = writes[0].split_at_mut(convolution.bias_offset());
    grad_kernel.fill(0.0);
    let kernel = Disjoint::new(&mut grad_kernel[..convolution.kernel_len()]);
    let bias = Disjoint::new(&mut grad_bias[..channels]);
    let instructions = workers.instructions;
    workers.run(channels.div_ceil(TASK_CHANNELS), |task, _| {
        let first = task * TASK_CHANNELS;
        instructions.vectorize(WeightGradient {
            convolution,
            batch_size: step.batch_size,
            input: reads[0],
            grad_output: reads[1],
            channels: first..channels.min(first + TASK_CHANNELS),
            kernel: &kernel,
            bias: &bias,
        });
    });
}

/// The gradient of the weights of some output channels.
struct WeightGradient<'a> {
    convolution: &'a GroupedConvolution,
    batch_size: usize,
    input: &'a [f32],
    grad_output: &'a [f32],
    channels: Range<usize>,
    kernel: &'a Disjoint<'a>,
    bias: &'a Disjoint<'a>,
}

impl Vectorized for WeightGradient<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let (ins, outs) = (self.convolution.group_inputs(), self.convolution.group_outputs());
        let is_depthwise = ins == 1 && outs == 1;
        let mut start = self.channels.start;
        while start < self.channels.end {
            // A vector of channels that see the same ones, unless each sees its own.
            let group_end = if is_depthwise { usize::MAX } else { (start / outs + 1) * outs };
            let end = self.channels.end.min(start + S::LANES).min(group_end);
            // SAFETY: `S` is there by the caller's promise; the channels are this task's.
            unsafe {
                self.sum_bias::<S>(start..end);
                for row in 0..self.batch_size * self.convolution.output.height {
                    if is_depthwise {
                        self.add_row::<S, true>(row, start..end);
                    } else {
                        self.add_row::<S, false>(row, start..end);
                    }
                }
            }
            start = end;
        }
    }
}

impl WeightGradient<'_> {
    /// Sums the gradient over all pixels, for at most a vector of channels.
    ///
    /// # Safety
    /// As [`Simd`].
    #[inline(always)]
    unsafe fn sum_bias<S: Simd>(&self, channels: Range<usize>) {
        let pixels = self.grad_output.chunks_exact(self.convolution.output.channels);
        let pixels = pixels.take(self.batch_size * self.convolution.output.pixels());
        // SAFETY: slices are checked to hold the channels, which are this task's.
        unsafe {
            let mut sum = S::splat(0.0);
            for pixel in pixels {
                let gradient = &pixel[channels.clone()];
                sum = S::add(sum, S::load_up_to(gradient.as_ptr(), gradient.len()));
            }
            let bias = self.bias.slice(channels);
            S::store_up_to(bias.as_mut_ptr(), sum, bias.len());
        }
    }

    /// Adds what one row of output pixels, counted over the batch, gives to the weights of at most a vector of channels.
    ///
    /// # Safety
    /// As [`Simd`].
    #[inline(always)]
    unsafe fn add_row<S: Simd, const DEPTHWISE: bool>(&self, row: usize, channels: Range<usize>) {
        let GroupedConvolution { input, output, window, .. } = *self.convolution;
        let ins = self.convolution.group_inputs();
        let (sample, y) = (row / output.height, row % output.height);
        let gradients = &self.grad_output[row * output.width * output.channels..];
        let gradients = &gradients[..output.width * output.channels];
        let lines = &self.input[sample * input.len()..][..input.len()];
        let [start, count] = [channels.start, channels.len()];
        let first_seen =
            if DEPTHWISE { start } else { start / self.convolution.group_outputs() * ins };
        for line in window.under(0, y, input.height) {
            let tap_row = window.tap(0, y, line);
            let line =
                &lines[line * input.width * input.channels..][..input.width * input.channels];
            for tap in 0..window.kernel_size[1] {
                let across = window.reaching(1, tap, input.width, output.width);
                let position = tap_row * window.kernel_size[1] + tap;
                for channel in 0..ins {
                    let weight = (position * ins + channel) * output.channels + start;
                    // SAFETY: the windows reach real pixels of the line; slices are checked; the weights are this task's.
                    unsafe {
                        let add = |x: usize, sum: S::Vector| {
                            let column = (window.start(1, x) + tap as isize) as usize;
                            let at = column * input.channels + first_seen + channel;
                            debug_assert!(at < line.len());
                            let pixel = line.as_ptr().add(at);
                            let seen = if DEPTHWISE {
                                S::load_up_to(pixel, count)
                            } else {
                                S::splat(*pixel)
                            };
                            let gradient = gradients.as_ptr().add(x * output.channels + start);
                            S::mul_add(seen, S::load_up_to(gradient, count), sum)
                        };
                        // Four sums, since each addition waits for the one before.
                        let mut sums = [S::splat(0.0); 4];
                        let mut x = across.start;
                        while x + sums.len() <= across.end {
                            for (next, sum) in sums.iter_mut().enumerate() {
                                *sum = add(x + next, *sum);
                            }
                            x += sums.len();
                        }
                        for x in x..across.end {
                            sums[0] = add(x, sums[0]);
                        }
                        let [a, b, c, d] = sums;
                        let sum = S::add(S::add(a, b), S::add(c, d));
                        let weight = self.kernel.slice(weight..weight + count);
                        let before = S::load_up_to(weight.as_ptr(), count);
                        S::store_up_to(weight.as_mut_ptr(), S::add(before, sum), count);
                    }
                }
            }
        }
    }
}
