//! The product of windows by a weight matrix: `output[pixel, n] = Σ_k window(pixel)[k] · weights[k, n]`.
//!
//! Convolution forward is one such product, its gradient by the input one for each phase of the stride. Weights are
//! packed in panels of a few output channels; an inner loop keeps a tile of pixels × channels in registers, reads the
//! windows where they lie and never stores a patch.

use super::gather::{Windows, rows_per_block};
use super::panels::Panels;
use super::simd::{Simd, Vectorized};
use super::workers::{Disjoint, Workers, grown};
use crate::kernel::Activation;
use crate::shape::Shape;
use std::ops::Range;

/// Numbers of the largest tile.
const MOST_SUMS: usize = 8 * 32;
/// Packed weights at a time, in numbers: 4 MiB.
const MOST_PACKED: usize = 1 << 20;

/// Where the results go: window `(i, j)` of a sample to pixel `start + (i, j) · step` of an output of shape `output`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Placement {
    /// Shape of an output sample.
    pub(super) output: Shape,
    /// Pixel of the first window.
    pub(super) start: [usize; 2],
    /// Pixels from one window to the next.
    pub(super) step: [usize; 2],
}

/// What happens to a sum before it is stored.
#[derive(Debug, Clone, Copy)]
pub(super) enum Epilogue<'a> {
    /// `activation(sum + bias)`.
    Bias { bias: &'a [f32], activation: Activation },
    /// The sum times the slope of `activation` at `values`, laid out as the output; added to it where `accumulate`.
    Gradient { activation: Activation, values: &'a [f32], accumulate: bool },
}

/// A product to be done.
pub(super) struct Product<'a> {
    pub(super) batch_size: usize,
    pub(super) windows: Windows,
    pub(super) input: &'a [f32],
    pub(super) placement: Placement,
    pub(super) epilogue: Epilogue<'a>,
}

impl Product<'_> {
    /// Runs it; `weights(k, n, row)` fills `row` with row `k` of the weight matrix, columns from `n` on.
    pub(super) fn run(
        &self,
        weights: impl Fn(usize, usize, &mut [f32]) + Sync,
        output: &mut [f32],
        workers: &mut Workers,
    ) {
        let channels = self.placement.output.channels;
        let panels = Panels::new(channels, self.windows.depth(), workers.instructions.lanes());
        let at_once = (MOST_PACKED / panels.len(0).max(1)).clamp(1, panels.count());
        let mut packed = std::mem::take(&mut workers.shared);
        let output = Disjoint::new(output);
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
        let rows_per_block = rows_per_block(windows.count, self.batch_size);
        let blocks = rows.div_ceil(rows_per_block);
        // With few blocks the panels are shared out too.
        let parts = if blocks < 8 { group.len().min(8 / blocks) } else { 1 };
        let panels_per_part = group.len().div_ceil(parts);
        let instructions = workers.instructions;
        workers.run(blocks * parts, |task, scratch| {
            let (block, part) = (task / parts, task % parts);
            let first = group.start + part * panels_per_part;
            let rows = block * rows_per_block..rows.min((block + 1) * rows_per_block);
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
    output: &'a Disjoint<'a>,
}

impl Vectorized for PanelProduct<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        // SAFETY: `S` is there by the caller's promise, and so are shorter vectors.
        unsafe {
            if self.width == 2 * S::LANES {
                match (S::REGISTERS, S::LANES) {
                    (32, _) => self.tiles::<S, 8, 2>(),
                    (_, 8) => self.tiles::<S, 6, 2>(),
                    _ => self.tiles::<S, 4, 2>(),
                }
            } else if self.width == S::LANES {
                self.tiles::<S, 8, 1>();
            } else {
                self.tiles::<S::Half, 8, 1>();
            }
        }
    }
}

impl PanelProduct<'_> {
    /// # Safety
    /// As [`Simd`].
    #[inline(always)]
    unsafe fn tiles<S: Simd, const PIXELS: usize, const WIDTH: usize>(&self) {
        let width = WIDTH * S::LANES;
        let [rows, row_len, row_stride] = self.window;
        assert!(self.width == width && self.weights.len() == rows * row_len * width);
        // From a window's first number to the one past its last.
        let span = (rows - 1) * row_stride + row_len;
        let mut sums = [0.0; MOST_SUMS];
        let tiles = self.offsets.chunks(PIXELS).zip(self.targets.chunks(PIXELS));
        for (offsets, targets) in tiles {
            // A tile that is not full works on its last pixel again.
            let pixels: [*const f32; PIXELS] = std::array::from_fn(|i| {
                let offset = offsets[i.min(offsets.len() - 1)];
                self.numbers[offset..offset + span].as_ptr()
            });
            // SAFETY: windows are in bounds by the lines above, weights by the assertion; `sums` holds the largest tile.
            unsafe {
                let weights = self.weights.as_ptr();
                tile_sums::<S, PIXELS, WIDTH>(pixels, self.window, weights, sums.as_mut_ptr());
            }
            for (sums, &target) in sums.chunks_exact(width).zip(targets) {
                let start = target + self.channels.start;
                // SAFETY: each pixel belongs to one block, each channel to one panel.
                let output = unsafe { self.output.slice(start..start + self.channels.len()) };
                if output.len() == width {
                    // The same again with a length that the compiler knows.
                    self.epilogue.store(
                        &sums[..width],
                        self.channels.start,
                        start,
                        &mut output[..width],
                    );
                } else {
                    let sums = &sums[..output.len()];
                    self.epilogue.store(sums, self.channels.start, start, output);
                }
            }
        }
    }
}

impl Epilogue<'_> {
    #[inline(always)]
    fn store(&self, sums: &[f32], first_channel: usize, start: usize, output: &mut [f32]) {
        match *self {
            Self::Bias { bias, activation } => {
                let bias = &bias[first_channel..][..sums.len()];
                let values = sums.iter().zip(bias).map(|(sum, bias)| sum + bias);
                match activation {
                    Activation::None => fill(output, values),
                    Activation::Relu => fill(output, values.map(|x| Activation::Relu.apply(x))),
                    other => fill(output, values.map(|x| other.apply(x))),
                }
            }
            Self::Gradient { activation: Activation::None, accumulate, .. } => {
                add_or_fill(output, sums.iter().copied(), accumulate);
            }
            Self::Gradient { activation, values, accumulate } => {
                let pairs = sums.iter().zip(&values[start..][..sums.len()]);
                match activation {
                    Activation::Relu => {
                        let gradients = pairs.map(|(sum, &y)| if y > 0.0 { *sum } else { 0.0 });
                        add_or_fill(output, gradients, accumulate);
                    }
                    other => {
                        let gradients = pairs.map(|(sum, &y)| sum * other.slope(y));
                        add_or_fill(output, gradients, accumulate);
                    }
                }
            }
        }
    }
}

#[inline(always)]
fn fill(output: &mut [f32], values: impl Iterator<Item = f32>) {
    output.iter_mut().zip(values).for_each(|(output, value)| *output = value);
}

#[inline(always)]
fn add_or_fill(output: &mut [f32], values: impl Iterator<Item = f32>, accumulate: bool) {
    if accumulate {
        output.iter_mut().zip(values).for_each(|(output, value)| *output += value);
    } else {
        fill(output, values);
    }
}

/// Sums of a tile: `pixels` are first numbers of windows of `[rows, numbers a row, distance of rows]`.
///
/// # Safety
/// As [`Simd`]; windows and `weights` (window numbers × panel) are readable, `sums` (pixels × panel) is writable.
#[inline(always)]
unsafe fn tile_sums<S: Simd, const PIXELS: usize, const WIDTH: usize>(
    pixels: [*const f32; PIXELS],
    [rows, row_len, row_stride]: [usize; 3],
    weights: *const f32,
    sums: *mut f32,
) {
    // SAFETY: by the caller's promise.
    unsafe {
        let mut acc = [[S::splat(0.0); WIDTH]; PIXELS];
        let mut weights = weights;
        for row in 0..rows {
            let pixels = pixels.map(|pixel| pixel.add(row * row_stride));
            let mut k = 0;
            while k + 4 <= row_len {
                for unrolled in 0..4 {
                    step::<S, PIXELS, WIDTH>(&mut acc, pixels, k + unrolled, weights);
                    weights = weights.add(WIDTH * S::LANES);
                }
                k += 4;
            }
            while k < row_len {
                step::<S, PIXELS, WIDTH>(&mut acc, pixels, k, weights);
                weights = weights.add(WIDTH * S::LANES);
                k += 1;
            }
        }
        for (i, acc) in acc.iter().enumerate() {
            for (v, &vector) in acc.iter().enumerate() {
                S::store(sums.add((i * WIDTH + v) * S::LANES), vector);
            }
        }
    }
}

/// Adds number `k` of each window times one row of weights.
///
/// # Safety
/// As [`tile_sums`].
#[inline(always)]
unsafe fn step<S: Simd, const PIXELS: usize, const WIDTH: usize>(
    acc: &mut [[S::Vector; WIDTH]; PIXELS],
    pixels: [*const f32; PIXELS],
    k: usize,
    weights: *const f32,
) {
    // SAFETY: by the caller's promise.
    unsafe {
        let mut columns = [S::splat(0.0); WIDTH];
        for (v, column) in columns.iter_mut().enumerate() {
            *column = S::load(weights.add(v * S::LANES));
        }
        for (acc, pixel) in acc.iter_mut().zip(pixels) {
            let x = S::splat(*pixel.add(k));
            for (acc, column) in acc.iter_mut().zip(columns) {
                *acc = S::mul_add(x, column, *acc);
            }
        }
    }
}
