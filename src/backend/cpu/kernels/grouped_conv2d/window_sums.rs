//! Sums under the windows of a grouped convolution, vectors of channels at a time.
//!
//! Forward and the gradient of the input are one kind of sum: a target pixel sees source pixels of some rows, each
//! through one position of the window. In a depthwise convolution a vector of channels is multiplied by a vector of weights; else
//! every channel of a group that is seen goes, spread over a vector, to the group's channels that see it.

use crate::backend::cpu::matmul::epilogue::RunningNorm;
use crate::backend::cpu::matmul::microkernel::activate;
use crate::backend::cpu::simd::{Simd, Vectorized, map_lanes};
use crate::backend::cpu::threads::{Disjoint, Pool};
use crate::kernel::{Activation, GroupedConvolution};
use crate::shape::{Shape, Window};

/// Target pixels that are computed at once, so that a weight is loaded once for all of them.
const PIXELS: usize = 4;

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
pub(super) struct Geometry {
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
    pub(super) fn forward(convolution: &GroupedConvolution) -> Self {
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
    pub(super) fn backward(convolution: &GroupedConvolution) -> Self {
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
    pub(super) fn is_depthwise(&self) -> bool {
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

/// The destination of a sum.
#[derive(Clone, Copy)]
pub(super) enum Finish<'a> {
    /// Bias and activation, then a factor, an offset and another activation where there is a normalisation.
    Forward { bias: &'a [f32], activation: Activation, norm: Option<RunningNorm<'a>> },
    /// The derivative of the activation that made `values`, which lie as the target does; added to what is there where `accumulate`.
    Gradient { activation: Activation, values: &'a [f32], accumulate: bool },
}

/// Sums under windows for a whole batch.
pub(super) struct WindowSums<'a> {
    pub(super) geometry: &'a Geometry,
    pub(super) source: &'a [f32],
    /// `[kernel height, kernel width, source channels of a group, target channels]`.
    pub(super) weights: &'a [f32],
    pub(super) finish: Finish<'a>,
}

impl WindowSums<'_> {
    pub(super) fn run(&self, target: &mut [f32], pool: &mut Pool) {
        let geometry = self.geometry;
        let row_len = geometry.target.width * geometry.target.channels;
        let rows = target.len() / row_len;
        let instructions = pool.instructions;
        let target = Disjoint::new(target);
        pool.run(rows, |row, _| {
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
                            other => {
                                map_lanes::<S>(sum, values, |sum, y| sum * other.derivative(y))
                            }
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
