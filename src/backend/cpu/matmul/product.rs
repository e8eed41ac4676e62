//! The product of windows by a weight matrix: `output[pixel, n] = Σ_k window(pixel)[k] · weights[k, n]`.
//!
//! Convolution forward is one such product, its gradient by the input one for each phase of the stride. Weights are
//! packed in panels of a few output channels; an inner loop keeps a tile of pixels × channels in registers, reads the
//! windows where they lie and never stores a patch.

use crate::backend::cpu::matmul::epilogue::{Epilogue, Finish};
use crate::backend::cpu::matmul::fused_moments::PanelMoments;
use crate::backend::cpu::matmul::microkernel::{MOST_SUMS, WindowRows, tile_sums};
use crate::backend::cpu::matmul::packing::Panels;
use crate::backend::cpu::matmul::weight_cache::Packed;
use crate::backend::cpu::matmul::windows::Windows;
use crate::backend::cpu::scratch::grown;
use crate::backend::cpu::simd::{Simd, Vectorized};
use crate::backend::cpu::threads::{Disjoint, Pool};
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

/// Where packed weights lie.
pub(crate) enum Packing<'a> {
    /// They are kept from run to run.
    Kept(&'a mut Packed),
    /// They are packed in every run, in this buffer.
    EachRun(&'a mut Vec<f32>),
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
    /// Runs the product; `weights(k, n, row)` fills `row` with row `k` of the weight matrix, columns from `n` on.
    pub(crate) fn run(
        &self,
        weights: impl Fn(usize, usize, &mut [f32]) + Sync,
        output: &mut [f32],
        packing: Packing,
        pool: &mut Pool,
    ) {
        let channels = self.placement.output.channels;
        let panels = Panels::new(channels, self.windows.depth(), pool.instructions.lanes());
        let output = Disjoint::new(output);
        let scratch = match packing {
            Packing::Kept(kept) => {
                let all = 0..panels.count();
                let packed = grown(&mut kept.elements, panels.span(&all));
                if !kept.current {
                    panels.pack(&all, &weights, packed, pool);
                    kept.current = true;
                }
                return self.run_panels(&panels, &all, packed, &output, pool);
            }
            Packing::EachRun(scratch) => scratch,
        };
        let at_once = (MOST_PACKED / panels.len(0).max(1)).clamp(1, panels.count());
        for first in (0..panels.count()).step_by(at_once) {
            let group = first..panels.count().min(first + at_once);
            let packed = grown(scratch, panels.span(&group));
            panels.pack(&group, &weights, packed, pool);
            self.run_panels(&panels, &group, packed, &output, pool);
        }
    }

    fn run_panels(
        &self,
        panels: &Panels,
        group: &Range<usize>,
        packed: &[f32],
        output: &Disjoint,
        pool: &mut Pool,
    ) {
        let windows = &self.windows;
        let rows = self.batch_size * windows.count[0];
        let blocks = windows.blocks(self.batch_size);
        // With few blocks the panels are shared out too.
        let parts = if blocks.count < 8 { group.len().min(8 / blocks.count) } else { 1 };
        let panels_per_part = group.len().div_ceil(parts);
        let instructions = pool.instructions;
        pool.run(blocks.count * parts, |task, scratch| {
            let (block, part) = (task / parts, task % parts);
            let first = group.start + part * panels_per_part;
            let rows = block * blocks.rows..rows.min((block + 1) * blocks.rows);
            let pixels = rows.len() * windows.count[1];
            let (elements, offsets) =
                scratch.elements_and_offsets(windows.scratch_len(rows.len()), 2 * pixels);
            let (offsets, targets) = offsets.split_at_mut(pixels);
            self.placement.locate(windows.count, rows.clone(), targets);
            let located = windows.locate(self.input, rows, elements, offsets);
            for panel in first..group.end.min(first + panels_per_part) {
                let start = panels.span(&(group.start..panel));
                instructions.vectorize(PanelProduct {
                    rows: WindowRows {
                        count: windows.size[0],
                        len: windows.row_len(),
                        stride: located.row_stride,
                    },
                    elements: located.elements,
                    offsets: located.offsets,
                    targets,
                    weights: &packed[start..start + panels.len(panel)],
                    width: panels.width(panel),
                    block,
                    finish: Finish::new(&self.epilogue, panels.channels(panel), output),
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
    rows: WindowRows,
    elements: &'a [f32],
    /// First element of each window.
    offsets: &'a [usize],
    /// First element of each output pixel.
    targets: &'a [usize],
    weights: &'a [f32],
    /// Channels of the panel, those counted that the output lacks.
    width: usize,
    /// Number of the block.
    block: usize,
    finish: Finish<'a>,
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
        let rows = self.rows;
        assert!(self.width == width && self.weights.len() == rows.count * rows.len * width);
        // From a window's first number to the one past its last.
        let span = (rows.count - 1) * rows.stride + rows.len;
        let end = self.offsets.iter().max().map_or(0, |offset| offset + span);
        assert!(end <= self.elements.len());
        let mut sums = [0.0; MOST_SUMS];
        let mut moments = PanelMoments::new();
        let tiles = self.offsets.chunks(PIXELS).zip(self.targets.chunks(PIXELS));
        for (offsets, targets) in tiles {
            // SAFETY: windows are in bounds by the assertions, weights too; `sums` holds the largest tile.
            unsafe {
                // A tile that is not full works on its last pixel again.
                let pixels: [*const f32; PIXELS] = std::array::from_fn(|i| {
                    self.elements.as_ptr().add(offsets[i.min(offsets.len() - 1)])
                });
                let weights = self.weights.as_ptr();
                tile_sums::<S, PIXELS, WIDTH>(pixels, rows, weights, sums.as_mut_ptr());
                self.finish.run::<S, WIDTH>(&mut sums, targets, &mut moments);
            }
        }
        // SAFETY: a panel of a block is one task's.
        unsafe { self.finish.store_moments(self.block, &moments) };
    }
}
