//! A weight matrix cut into panels of a few columns, each stored row after row.

use super::workers::{Disjoint, Workers};
use std::ops::Range;

/// The panels of a matrix of `depth` rows and `channels` columns; the last one may be half as wide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Panels {
    depth: usize,
    channels: usize,
    width: usize,
    last_width: usize,
}

impl Panels {
    /// Two vectors wide, one where that holds all channels; never under half a vector or 4 channels.
    pub(super) fn new(channels: usize, depth: usize, lanes: usize) -> Self {
        let half = (lanes / 2).max(4);
        let width = [half, lanes].into_iter().find(|&width| channels <= width);
        let width = width.unwrap_or(2 * lanes);
        let rest = channels % width;
        let halved = rest > 0 && rest <= width / 2 && width / 2 >= half;
        Self { depth, channels, width, last_width: if halved { width / 2 } else { width } }
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.channels.div_ceil(self.width)
    }

    /// Columns of a panel, zeros counted.
    pub(super) fn width(&self, panel: usize) -> usize {
        if panel + 1 == self.count() { self.last_width } else { self.width }
    }

    /// Columns of the matrix in a panel.
    pub(super) fn channels(&self, panel: usize) -> Range<usize> {
        panel * self.width..self.channels.min((panel + 1) * self.width)
    }

    /// Numbers in a panel.
    pub(super) fn len(&self, panel: usize) -> usize {
        self.depth * self.width(panel)
    }

    /// Numbers in some panels that follow each other.
    pub(super) fn span(&self, panels: &Range<usize>) -> usize {
        panels.clone().map(|panel| self.len(panel)).sum()
    }

    /// Packs panels `group`: for each row the panel's columns, zeros beyond the last.
    pub(super) fn pack(
        &self,
        group: &Range<usize>,
        weights: &(impl Fn(usize, usize, &mut [f32]) + Sync),
        packed: &mut [f32],
        workers: &mut Workers,
    ) {
        // Some 4096 numbers make a task of some microseconds.
        let rows_per_task = (4096 / self.width).max(1);
        let tasks_per_panel = self.depth.div_ceil(rows_per_task);
        let packed = Disjoint::new(packed);
        workers.run(group.len() * tasks_per_panel, |task, _| {
            let panel = group.start + task / tasks_per_panel;
            let first = task % tasks_per_panel * rows_per_task;
            let rows = first..self.depth.min(first + rows_per_task);
            let (width, channels) = (self.width(panel), self.channels(panel));
            let start = self.span(&(group.start..panel));
            let range = start + rows.start * width..start + rows.end * width;
            // SAFETY: each task has rows of its own.
            let part = unsafe { packed.slice(range) };
            for (k, row) in rows.zip(part.chunks_exact_mut(width)) {
                let (row, zeros) = row.split_at_mut(channels.len());
                weights(k, channels.start, row);
                zeros.fill(0.0);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_waste_little() {
        let widths = |channels, lanes| {
            let panels = Panels::new(channels, 1, lanes);
            (0..panels.count()).map(|panel| panels.width(panel)).collect::<Vec<_>>()
        };
        assert_eq!(widths(12, 4), [8, 4]);
        assert_eq!(widths(5, 4), [8]);
        assert_eq!(widths(3, 4), [4]);
        assert_eq!(widths(12, 16), [16]);
        assert_eq!(widths(6, 16), [8]);
        assert_eq!(widths(48, 16), [32, 16]);
        assert_eq!(widths(20, 8), [16, 8]);
    }

    #[test]
    fn packs_column_by_column_with_zeros() {
        let panels = Panels::new(9, 2, 4);
        let mut packed = vec![7.0; panels.span(&(0..2))];
        let weights = |k: usize, n: usize, row: &mut [f32]| {
            row.iter_mut().enumerate().for_each(|(i, x)| *x = (10 * k + n + i) as f32);
        };
        panels.pack(&(0..2), &weights, &mut packed, &mut Workers::new(1));
        assert_eq!(packed[..8], [0., 1., 2., 3., 4., 5., 6., 7.]);
        assert_eq!(packed[16..], [8., 0., 0., 0., 18., 0., 0., 0.]);
    }
}
