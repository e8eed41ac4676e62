//! The types of a dispatch, which is a shader's entry point with its constants, its operands and its grid.

use super::constants::Constants;
use super::shaders::Shader;
use crate::kernel::{Call, Extent, View};

/// Where an operand lies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Operand {
    /// It is a view of the plan's.
    View(View),
    /// It is that many elements of the executor's own scratch buffer.
    Scratch(usize),
}

/// An operand and whether the shader may write it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Binding {
    pub operand: Operand,
    pub writable: bool,
}

/// Binds a view to be read.
pub(super) fn read(view: View) -> Binding {
    Binding { operand: Operand::View(view), writable: false }
}

/// Binds an operand that is bound already once more, for a shader that reads it in vectors of four too: WGSL gives a
/// binding one type.
pub(super) fn as_vec4(operand: Binding) -> Binding {
    operand
}

/// Binds an operand that the call may lack. A constant keeps the shader from reading it then; but WebGPU wants a buffer for
/// every binding that an entry point mentions, so `stand_in`, which the dispatch reads anyway, is bound once more.
pub(super) fn read_or_stand_in(view: Option<&View>, stand_in: View) -> Binding {
    read(view.copied().unwrap_or(stand_in))
}

/// Binds a view to be written, and to be read where the shader adds to it.
pub(super) fn write(view: View) -> Binding {
    Binding { operand: Operand::View(view), writable: true }
}

/// Binds `len` elements of scratch to be read.
pub(super) fn read_scratch(len: usize) -> Binding {
    Binding { operand: Operand::Scratch(len), writable: false }
}

/// Binds `len` elements of scratch to be written.
pub(super) fn write_scratch(len: usize) -> Binding {
    Binding { operand: Operand::Scratch(len), writable: true }
}

/// Binds a call's reads, then its writes.
pub(super) fn operands(call: &Call) -> Vec<Binding> {
    let reads = call.reads.iter().copied().map(read);
    reads.chain(call.writes.iter().copied().map(write)).collect()
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
    /// Makes a grid with a workgroup for every `per_group` items.
    pub fn of(items: Extent, per_group: usize) -> Self {
        Self { items, per_group, repeats: 1, layers: 1 }
    }

    /// Returns the workgroups on the three axes; more than an axis may have go on along the second one.
    pub fn groups(&self, batch_size: usize, axis_limit: u32) -> [u32; 3] {
        let flat = self.items.len(batch_size).div_ceil(self.per_group) * self.repeats;
        let rows = flat.div_ceil(axis_limit as usize).max(1);
        [flat.div_ceil(rows) as u32, rows as u32, self.layers as u32]
    }
}

/// A shader's entry point, run once over a grid.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Dispatch {
    pub shader: Shader,
    pub entry: &'static str,
    pub constants: Constants,
    pub bindings: Vec<Binding>,
    pub grid: Grid,
    /// The rough cost in floating-point operations, for pacing.
    pub work: Work,
}

impl Dispatch {
    /// Returns the work at a batch size; it is never nothing, since the way to the device takes some time too.
    pub fn operations(&self, batch_size: usize) -> f64 {
        1.0 + self.work.operations(batch_size)
    }
}

/// Moving an element through memory is counted as so much arithmetic.
pub(super) const WORK_PER_ELEMENT: f64 = 16.0;

/// A number of floating-point operations, kept as a product since a page's 32 bits could not count a large batch's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Work {
    items: Extent,
    per_item: f64,
}

impl Work {
    /// Counts `per_item` operations an item.
    pub fn of(items: Extent, per_item: f64) -> Self {
        Self { items, per_item }
    }

    /// Returns the operations that a batch of that size takes.
    pub fn operations(self, batch_size: usize) -> f64 {
        self.items.len(batch_size) as f64 * self.per_item
    }
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
