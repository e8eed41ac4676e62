//! The product of windows by a weight matrix: `output[pixel, n] = Σ_k window(pixel)[k] · weights[k, n]`.
//!
//! Convolution forward is one such product, its gradient by the input one for each phase of the stride. Weights are
//! packed in panels of a few output channels; an inner loop keeps a tile of pixels × channels in registers, reads the
//! windows where they lie and never stores a patch.

use super::gather::{Located, Windows, rows_per_block};
use super::simd::{Portable, Simd};
use super::workers::{Disjoint, Workers, grown};
use crate::kernel::Activation;
use crate::shape::Shape;
use std::ops::Range;

/// Pixels of a tile.
const TILE: usize = 4;
/// Vectors across a panel.
const VECTORS: usize = 2;
/// Output channels of a panel.
pub(super) const PANEL: usize = VECTORS * Portable::LANES;
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
    /// Runs it; `weight(k, n)` copies row `k` of the weight matrix, columns from `n` on, into the slice it is given.
    pub(super) fn run(
        &self,
        weights: impl Fn(usize, usize, &mut [f32]) + Sync,
        output: &mut [f32],
        workers: &mut Workers,
    ) {
        let (depth, channels) = (self.windows.depth(), self.placement.output.channels);
        let panels = channels.div_ceil(PANEL);
        let panel_len = depth * PANEL;
        let panels_at_once = (MOST_PACKED / panel_len.max(1)).clamp(1, panels);
        let mut packed = std::mem::take(&mut workers.shared);
        let output = Disjoint::new(output);
        for first in (0..panels).step_by(panels_at_once) {
            let group = first..panels.min(first + panels_at_once);
            let packed = grown(&mut packed, group.len() * panel_len);
            pack(depth, channels, &group, &weights, packed, workers);
            self.run_panels(&group, packed, &output, workers);
        }
        workers.shared = packed;
    }

    fn run_panels(
        &self,
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
        let panel_len = windows.depth() * PANEL;
        workers.run(blocks * parts, |task, scratch| {
            let (block, part) = (task / parts, task % parts);
            let first = group.start + part * panels_per_part;
            let panels = first..group.end.min(first + panels_per_part);
            let rows = block * rows_per_block..rows.min((block + 1) * rows_per_block);
            let pixels = rows.len() * windows.count[1];
            let (numbers, offsets) =
                scratch.numbers_and_offsets(windows.scratch_len(rows.len()), pixels);
            let located = windows.locate(self.input, rows.clone(), numbers, offsets);
            for panel in panels {
                let packed = &packed[(panel - group.start) * panel_len..][..panel_len];
                self.run_panel(panel * PANEL, packed, &located, &rows, output);
            }
        });
    }

    fn run_panel(
        &self,
        first_channel: usize,
        packed: &[f32],
        located: &Located,
        rows: &Range<usize>,
        output: &Disjoint,
    ) {
        let windows = &self.windows;
        let width = windows.count[1];
        let channels = self.placement.output.channels;
        let count = PANEL.min(channels - first_channel);
        let mut sums = [0.0; TILE * PANEL];
        for (tile, offsets) in located.offsets.chunks(TILE).enumerate() {
            // A tile that is not full works on its last pixel again.
            let pixels: [*const f32; TILE] = std::array::from_fn(|i| {
                located.numbers[offsets[i.min(offsets.len() - 1)]..].as_ptr()
            });
            // SAFETY: every window lies in `numbers`, as `Windows::locate` says; `packed` holds depth × PANEL numbers,
            // `sums` a tile.
            unsafe {
                tile_sums::<Portable, TILE, VECTORS>(
                    pixels,
                    [windows.size[0], windows.row_len(), located.row_stride],
                    packed.as_ptr(),
                    sums.as_mut_ptr(),
                );
            }
            for (i, sums) in sums.chunks_exact(PANEL).take(offsets.len()).enumerate() {
                let pixel = rows.start * width + tile * TILE + i;
                let start = self.placement.offset(&windows.count, pixel) + first_channel;
                // SAFETY: each pixel belongs to one block, each channel to one panel.
                let output = unsafe { output.slice(start..start + count) };
                self.epilogue.store(&sums[..count], first_channel, start, output);
            }
        }
    }
}

impl Placement {
    /// First number of the output pixel of a window, counted through all samples.
    fn offset(&self, count: &[usize; 2], window: usize) -> usize {
        let (row, j) = (window / count[1], window % count[1]);
        let (sample, i) = (row / count[0], row % count[0]);
        let y = self.start[0] + i * self.step[0];
        let x = self.start[1] + j * self.step[1];
        sample * self.output.len() + (y * self.output.width + x) * self.output.channels
    }
}

impl Epilogue<'_> {
    #[inline(always)]
    fn store(&self, sums: &[f32], first_channel: usize, start: usize, output: &mut [f32]) {
        match *self {
            Self::Bias { bias, activation } => {
                let bias = &bias[first_channel..][..sums.len()];
                for ((output, sum), bias) in output.iter_mut().zip(sums).zip(bias) {
                    *output = activation.apply(sum + bias);
                }
            }
            Self::Gradient { activation: Activation::None, accumulate, .. } => {
                for (output, sum) in output.iter_mut().zip(sums) {
                    *output = if accumulate { *output + sum } else { *sum };
                }
            }
            Self::Gradient { activation, values, accumulate } => {
                let values = &values[start..][..sums.len()];
                for ((output, sum), &value) in output.iter_mut().zip(sums).zip(values) {
                    let gradient = sum * activation.slope(value);
                    *output = if accumulate { *output + gradient } else { gradient };
                }
            }
        }
    }
}

/// Packs panels `group`: for each `k` the panel's channels, zeros beyond the last.
fn pack(
    depth: usize,
    channels: usize,
    group: &Range<usize>,
    weights: &(impl Fn(usize, usize, &mut [f32]) + Sync),
    packed: &mut [f32],
    workers: &mut Workers,
) {
    // Rows of 256 make a task of some microseconds.
    let rows_per_task = 256;
    workers.chunks(packed, rows_per_task * PANEL, |range, part| {
        for (i, row) in part.chunks_exact_mut(PANEL).enumerate() {
            let row_number = range.start / PANEL + i;
            let (panel, k) = (group.start + row_number / depth, row_number % depth);
            let first = panel * PANEL;
            let count = PANEL.min(channels - first);
            weights(k, first, &mut row[..count]);
            row[count..].fill(0.0);
        }
    });
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
            for k in 0..row_len {
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
                weights = weights.add(WIDTH * S::LANES);
            }
        }
        for (i, acc) in acc.iter().enumerate() {
            for (v, &vector) in acc.iter().enumerate() {
                S::store(sums.add((i * WIDTH + v) * S::LANES), vector);
            }
        }
    }
}
