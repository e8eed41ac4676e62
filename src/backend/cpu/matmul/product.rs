//! The product of windows by a weight matrix: `output[pixel, n] = Σ_k window(pixel)[k] · weights[k, n]`.
//!
//! Convolution forward is one such product, its gradient by the input one for each phase of the stride. Weights are
//! packed in panels of a few output channels; an inner loop keeps a tile of pixels × channels in registers, reads the
//! windows where they lie and never stores a patch.

use crate::backend::cpu::matmul::fused_moments::{Blocks, PanelMoments};
use crate::backend::cpu::matmul::microkernel::{MOST_SUMS, activate, finish, tile_sums};
use crate::backend::cpu::matmul::packing::Panels;
use crate::backend::cpu::matmul::windows::Windows;
use crate::backend::cpu::simd::{MOST_LANES, Simd, Vectorized, map_lanes};
use crate::backend::cpu::threads::{Disjoint, Workers, grown};
use crate::kernel::Activation;
use crate::shape::Shape;
use std::ops::Range;

/// Packed weights at a time, in numbers: 4 MiB.
const MOST_PACKED: usize = 1 << 20;

/// Where the results go: window `(i, j)` of a sample to pixel `start + (i, j) · step` of an output of shape `output`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Placement {
    /// Shape of an output sample.
    pub(crate) output: Shape,
    /// Pixel of the first window.
    pub(crate) start: [usize; 2],
    /// Pixels from one window to the next.
    pub(crate) step: [usize; 2],
}

/// What happens to a sum before it is stored.
#[derive(Clone, Copy)]
pub(crate) enum Epilogue<'a> {
    /// `activation(sum + bias)`, and what a normalisation wants of it.
    Forward { bias: &'a [f32], activation: Activation, norm: NextNorm<'a> },
    /// The sum times the slope of `activation` at `values`, laid out as the output; added to it where `accumulate`.
    Gradient { activation: Activation, values: &'a [f32], accumulate: bool },
}

/// What the normalisation after a convolution lets it do.
#[derive(Clone, Copy)]
pub(crate) enum NextNorm<'a> {
    /// Nothing, or there is none.
    Apart,
    /// Normalise: the statistics are known.
    Running(RunningNorm<'a>),
    /// Take the moments of the batch.
    Batch(&'a Blocks<'a>),
}

impl<'a> NextNorm<'a> {
    /// The normalisation that the convolution does itself.
    fn running(self) -> Option<RunningNorm<'a>> {
        match self {
            Self::Running(norm) => Some(norm),
            Self::Apart | Self::Batch(_) => None,
        }
    }
}

/// `activation(x · factor + offset)`, channel by channel.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RunningNorm<'a> {
    pub(crate) factors: &'a [f32],
    pub(crate) offsets: &'a [f32],
    pub(crate) activation: Activation,
}

/// A product to be done.
pub(crate) struct Product<'a> {
    pub(crate) batch_size: usize,
    pub(crate) windows: Windows,
    pub(crate) input: &'a [f32],
    pub(crate) placement: Placement,
    pub(crate) epilogue: Epilogue<'a>,
}

impl Product<'_> {
    /// Runs it; `weights(k, n, row)` fills `row` with row `k` of the weight matrix, columns from `n` on.
    pub(crate) fn run(
        &self,
        weights: impl Fn(usize, usize, &mut [f32]) + Sync,
        output: &mut [f32],
        workers: &mut Workers,
    ) {
        let channels = self.placement.output.channels;
        let panels = Panels::new(channels, self.windows.depth(), workers.instructions.lanes());
        let output = Disjoint::new(output);
        if let Some(mut kept) = workers.packed.take() {
            let all = 0..panels.count();
            let packed = grown(&mut kept.numbers, panels.span(&all));
            if !kept.current {
                panels.pack(&all, &weights, packed, workers);
                kept.current = true;
            }
            self.run_panels(&panels, &all, packed, &output, workers);
            workers.packed = Some(kept);
            return;
        }
        let at_once = (MOST_PACKED / panels.len(0).max(1)).clamp(1, panels.count());
        let mut packed = std::mem::take(&mut workers.shared);
        for first in (0..panels.count()).step_by(at_once) {
            let group = first..panels.count().min(first + at_once);
            let packed = grown(&mut packed, panels.span(&group));
            panels.pack(&group, &weights, packed, workers);
            self.run_panels(&panels, &group, packed, &output, workers);
        }
        workers.shared = packed;
    }

    fn run_panels(
        &self,
        panels: &Panels,
        group: &Range<usize>,
        packed: &[f32],
        output: &Disjoint,
        workers: &mut Workers,
    ) {
        let windows = &self.windows;
        let rows = self.batch_size * windows.count[0];
        let blocks = windows.blocks(self.batch_size);
        // With few blocks the panels are shared out too.
        let parts = if blocks.count < 8 { group.len().min(8 / blocks.count) } else { 1 };
        let panels_per_part = group.len().div_ceil(parts);
        let instructions = workers.instructions;
        workers.run(blocks.count * parts, |task, scratch| {
            let (block, part) = (task / parts, task % parts);
            let first = group.start + part * panels_per_part;
            let rows = block * blocks.rows..rows.min((block + 1) * blocks.rows);
            let pixels = rows.len() * windows.count[1];
            let (numbers, offsets) =
                scratch.numbers_and_offsets(windows.scratch_len(rows.len()), 2 * pixels);
            let (offsets, targets) = offsets.split_at_mut(pixels);
            self.placement.locate(windows.count, rows.clone(), targets);
            let located = windows.locate(self.input, rows, numbers, offsets);
            for panel in first..group.end.min(first + panels_per_part) {
                let start = panels.span(&(group.start..panel));
                instructions.vectorize(PanelProduct {
                    window: [windows.size[0], windows.row_len(), located.row_stride],
                    numbers: located.numbers,
                    offsets: located.offsets,
                    targets,
                    weights: &packed[start..start + panels.len(panel)],
                    width: panels.width(panel),
                    channels: panels.channels(panel),
                    epilogue: &self.epilogue,
                    block,
                    output,
                });
            }
        });
    }
}

impl Placement {
    /// First number of the output pixel of every window in rows `rows`, counted through all samples.
    fn locate(&self, count: [usize; 2], rows: Range<usize>, targets: &mut [usize]) {
        let step = self.step[1] * self.output.channels;
        for (row, targets) in rows.zip(targets.chunks_exact_mut(count[1])) {
            let (sample, i) = (row / count[0], row % count[0]);
            let pixel = (self.start[0] + i * self.step[0]) * self.output.width + self.start[1];
            let first = sample * self.output.len() + pixel * self.output.channels;
            for (j, target) in targets.iter_mut().enumerate() {
                *target = first + j * step;
            }
        }
    }
}

/// The windows of a block by one panel.
struct PanelProduct<'a> {
    /// Rows of a window, numbers in one, distance from one to the next.
    window: [usize; 3],
    numbers: &'a [f32],
    /// First number of each window.
    offsets: &'a [usize],
    /// First number of each output pixel.
    targets: &'a [usize],
    weights: &'a [f32],
    /// Channels of the panel, and those that the output has.
    width: usize,
    channels: Range<usize>,
    epilogue: &'a Epilogue<'a>,
    /// Number of the block.
    block: usize,
    output: &'a Disjoint<'a>,
}

impl Vectorized for PanelProduct<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        // SAFETY: `S` is there by the caller's promise, and so are shorter vectors.
        unsafe {
            if self.width == 2 * S::LANES {
                match S::TILE {
                    8 => self.tiles::<S, 8, 2>(),
                    6 => self.tiles::<S, 6, 2>(),
                    _ => self.tiles::<S, 4, 2>(),
                }
            } else if S::LANES == 4 && self.width == 3 * S::LANES {
                match S::TILE {
                    8 => self.tiles::<S, 8, 3>(),
                    _ => self.tiles::<S, 3, 3>(),
                }
            } else if self.width == S::LANES {
                self.narrow_tiles::<S>();
            } else {
                self.narrow_tiles::<S::Half>();
            }
        }
    }
}

impl PanelProduct<'_> {
    /// # Safety
    /// As [`Simd`].
    #[inline(always)]
    unsafe fn narrow_tiles<S: Simd>(&self) {
        // SAFETY: by the caller's promise.
        unsafe {
            match S::NARROW_TILE {
                6 => self.tiles::<S, 6, 1>(),
                _ => self.tiles::<S, 8, 1>(),
            }
        }
    }

    /// # Safety
    /// As [`Simd`].
    #[inline(always)]
    unsafe fn tiles<S: Simd, const PIXELS: usize, const WIDTH: usize>(&self) {
        let width = WIDTH * S::LANES;
        let [rows, row_len, row_stride] = self.window;
        assert!(self.width == width && self.weights.len() == rows * row_len * width);
        // From a window's first number to the one past its last.
        let span = (rows - 1) * row_stride + row_len;
        let end = self.offsets.iter().max().map_or(0, |offset| offset + span);
        assert!(end <= self.numbers.len());
        let mut sums = [0.0; MOST_SUMS];
        let coefficients = self.coefficients();
        let mut moments = PanelMoments::new();
        let tiles = self.offsets.chunks(PIXELS).zip(self.targets.chunks(PIXELS));
        for (offsets, targets) in tiles {
            // SAFETY: windows are in bounds by the assertions, weights too; `sums` holds the largest tile.
            unsafe {
                // A tile that is not full works on its last pixel again.
                let pixels: [*const f32; PIXELS] = std::array::from_fn(|i| {
                    self.numbers.as_ptr().add(offsets[i.min(offsets.len() - 1)])
                });
                let weights = self.weights.as_ptr();
                tile_sums::<S, PIXELS, WIDTH>(pixels, self.window, weights, sums.as_mut_ptr());
                if let Epilogue::Forward { activation, norm: NextNorm::Batch(_), .. } =
                    *self.epilogue
                {
                    let pixels = targets.len();
                    finish::<S, WIDTH>(&mut sums, pixels, coefficients[0].as_ptr(), activation);
                    moments.add::<S, WIDTH>(sums.as_ptr(), pixels);
                }
                self.store::<S, WIDTH>(&sums, targets, &coefficients);
            }
        }
        if let Epilogue::Forward { norm: NextNorm::Batch(blocks), .. } = *self.epilogue {
            // SAFETY: a panel of a block is one task's.
            unsafe { blocks.store(self.block, self.channels.clone(), &moments) };
        }
    }

    /// Bias, factors and offsets of the panel's channels, zeros beyond them.
    fn coefficients(&self) -> [[f32; 2 * MOST_LANES]; 3] {
        let mut coefficients = [[0.0; 2 * MOST_LANES]; 3];
        if let Epilogue::Forward { bias, norm, .. } = *self.epilogue {
            let [factors, offsets] =
                norm.running().map_or([[].as_slice(); 2], |norm| [norm.factors, norm.offsets]);
            for (numbers, all) in coefficients.iter_mut().zip([bias, factors, offsets]) {
                let own = all.get(self.channels.clone()).unwrap_or_default();
                numbers[..own.len()].copy_from_slice(own);
            }
        }
        coefficients
    }

    /// Stores the sums of some pixels, of [`PanelProduct::width`] channels each.
    ///
    /// # Safety
    /// As [`Simd`].
    #[inline(always)]
    unsafe fn store<S: Simd, const WIDTH: usize>(
        &self,
        sums: &[f32],
        targets: &[usize],
        coefficients: &[[f32; 2 * MOST_LANES]; 3],
    ) {
        let [bias, factors, offsets] = coefficients.each_ref().map(|numbers| numbers.as_ptr());
        // SAFETY: by the caller's promise; `each_vector` gives places of at least `count` numbers.
        unsafe {
            match *self.epilogue {
                Epilogue::Forward { norm: NextNorm::Batch(_), .. } => {
                    self.each_vector::<S, WIDTH>(sums, targets, |finished, _, _| finished);
                }
                Epilogue::Forward { activation, norm, .. } => {
                    let biased = |sum, at: At| S::add(sum, S::load(bias.add(at.channel)));
                    let normalized = |x, at: At| {
                        let factor = S::load(factors.add(at.channel));
                        S::mul_add(x, factor, S::load(offsets.add(at.channel)))
                    };
                    match (activation, norm.running().map(|norm| norm.activation)) {
                        (Activation::None, None) => {
                            self.each_vector::<S, WIDTH>(sums, targets, |sum, at, _| {
                                biased(sum, at)
                            });
                        }
                        (Activation::Relu, None) => {
                            self.each_vector::<S, WIDTH>(sums, targets, |sum, at, _| {
                                S::relu(biased(sum, at))
                            });
                        }
                        (Activation::Relu, Some(Activation::None)) => {
                            self.each_vector::<S, WIDTH>(sums, targets, |sum, at, _| {
                                normalized(S::relu(biased(sum, at)), at)
                            });
                        }
                        (Activation::None, Some(Activation::Relu)) => {
                            self.each_vector::<S, WIDTH>(sums, targets, |sum, at, _| {
                                S::relu(normalized(biased(sum, at), at))
                            });
                        }
                        (activation, last) => {
                            self.each_vector::<S, WIDTH>(sums, targets, |sum, at, _| {
                                let x = activate::<S>(activation, biased(sum, at));
                                match last {
                                    None => x,
                                    Some(last) => activate::<S>(last, normalized(x, at)),
                                }
                            });
                        }
                    }
                }
                Epilogue::Gradient { activation: Activation::None, accumulate: false, .. } => {
                    self.each_vector::<S, WIDTH>(sums, targets, |sum, _, _| sum);
                }
                Epilogue::Gradient { activation: Activation::None, .. } => {
                    self.each_vector::<S, WIDTH>(sums, targets, |sum, at, before| {
                        S::add(sum, S::load_up_to(before, at.count))
                    });
                }
                Epilogue::Gradient { activation, values, accumulate } => {
                    self.each_vector::<S, WIDTH>(sums, targets, |sum, at, before| {
                        let values = values[at.number..at.number + at.count].as_ptr();
                        let values = S::load_up_to(values, at.count);
                        let gradient = match activation {
                            Activation::Relu => S::where_positive(values, sum),
                            other => map_lanes::<S>(sum, values, |sum, y| sum * other.slope(y)),
                        };
                        if accumulate {
                            S::add(gradient, S::load_up_to(before, at.count))
                        } else {
                            gradient
                        }
                    });
                }
            }
        }
    }

    /// Stores what `finish` makes of each vector of sums; it is told where the vector goes.
    ///
    /// # Safety
    /// As [`Simd`].
    #[inline(always)]
    unsafe fn each_vector<S: Simd, const WIDTH: usize>(
        &self,
        sums: &[f32],
        targets: &[usize],
        finish: impl Fn(S::Vector, At, *const f32) -> S::Vector,
    ) {
        let channels = self.channels.len();
        let adds = matches!(self.epilogue, Epilogue::Gradient { accumulate: true, .. });
        // Where the next pixel follows at once, whole vectors may reach into it: it is stored later.
        let in_a_row = !adds && targets.windows(2).all(|pair| pair[1] - pair[0] == channels);
        let last = targets.last().map_or(0, |last| last + self.channels.end);
        for (sums, &target) in sums.chunks_exact(WIDTH * S::LANES).zip(targets) {
            let start = target + self.channels.start;
            let end = if in_a_row { last } else { start + channels };
            // SAFETY: each pixel belongs to one block, each channel to one panel; vectors end with the sums and the output.
            unsafe {
                let output = self.output.slice(start..end).as_mut_ptr();
                for channel in (0..channels).step_by(S::LANES) {
                    let count = S::LANES.min(channels - channel);
                    let at = At { channel, number: start + channel, count };
                    let to = output.add(channel);
                    let result = finish(S::load(sums.as_ptr().add(channel)), at, to);
                    S::store_up_to(to, result, S::LANES.min(end - start - channel));
                }
            }
        }
    }
}

/// Where a vector of sums goes.
#[derive(Clone, Copy)]
struct At {
    /// Its first channel, counted from the panel's first.
    channel: usize,
    /// Its first number in the output.
    number: usize,
    /// Channels that the output has of it.
    count: usize,
}
