//! A weight matrix cut into panels of a few columns, each stored row after row.

use crate::backend::cpu::threads::{Disjoint, Pool};
use std::ops::Range;

/// The panels of a matrix of `depth` rows and `channels` columns; the last one may be half as wide, or half as wide again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Panels {
    depth: usize,
    channels: usize,
    count: usize,
    width: usize,
    last_width: usize,
}

impl Panels {
    /// Two vectors wide, one where that holds all channels; never under half a vector or 4 channels. In vectors of 4, what
    /// would be left for a panel of one is taken along by the last of two: 3 vectors of sums read less than 2 and 1.
    pub(crate) fn new(channels: usize, depth: usize, lanes: usize) -> Self {
        let half = (lanes / 2).max(4);
        let width = [half, lanes].into_iter().find(|&width| channels <= width);
        let width = width.unwrap_or(2 * lanes);
        let rest = channels % width;
        let count = channels.div_ceil(width);
        let halved = rest > 0 && rest <= width / 2 && width / 2 >= half;
        let (count, last_width) = match halved {
            true if lanes == 4 && count > 1 => (count - 1, width + width / 2),
            true => (count, width / 2),
            false => (count, width),
        };
        Self { depth, channels, count, width, last_width }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Columns of a panel, zeros counted.
    pub(crate) fn width(&self, panel: usize) -> usize {
        if panel + 1 == self.count() { self.last_width } else { self.width }
    }

    /// Columns of the matrix in a panel.
    pub(crate) fn channels(&self, panel: usize) -> Range<usize> {
        let start = panel * self.width;
        start..self.channels.min(start + self.width(panel))
    }

    /// Numbers in a panel.
    pub(crate) fn len(&self, panel: usize) -> usize {
        self.depth * self.width(panel)
    }

    /// Numbers in some panels that follow each other.
    pub(crate) fn span(&self, panels: &Range<usize>) -> usize {
        panels.clone().map(|panel| self.len(panel)).sum()
    }

    /// Packs panels `group`: for each row the panel's columns, zeros beyond the last.
    pub(crate) fn pack(
        &self,
        group: &Range<usize>,
        weights: &(impl Fn(usize, usize, &mut [f32]) + Sync),
        packed: &mut [f32],
        pool: &mut Pool,
    ) {
        // Some 4096 numbers make a task of some microseconds.
        let rows_per_task = (4096 / self.width).max(1);
        let tasks_per_panel = self.depth.div_ceil(rows_per_task);
        let packed = Disjoint::new(packed);
        pool.run(group.len() * tasks_per_panel, |task, _| {
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
        assert_eq!(widths(12, 4), [12]);
        assert_eq!(widths(20, 4), [8, 12]);
        assert_eq!(widths(16, 4), [8, 8]);
        assert_eq!(widths(5, 4), [8]);
        assert_eq!(widths(3, 4), [4]);
        assert_eq!(widths(12, 16), [16]);
        assert_eq!(widths(6, 16), [8]);
        assert_eq!(widths(48, 16), [32, 16]);
        assert_eq!(widths(20, 8), [16, 8]);
    }

    #[test]
    fn packs_column_by_column_with_zeros() {
        let pack = |lanes| {
            let panels = Panels::new(17, 2, lanes);
            let mut packed = vec![7.0; panels.span(&(0..2))];
            let weights = |k: usize, n: usize, row: &mut [f32]| {
                row.iter_mut().enumerate().for_each(|(i, x)| *x = (20 * k + n + i) as f32);
            };
            panels.pack(&(0..2), &weights, &mut packed, &mut Pool::new(1));
            packed
        };
        let narrow_last = pack(8);
        assert_eq!(narrow_last[16..32], (20..36).map(|x| x as f32).collect::<Vec<_>>());
        let zeros = [0.0; 7].as_slice();
        assert_eq!(narrow_last[32..], [&[16.0], zeros, &[36.0], zeros].concat());
        let wide_last = pack(4);
        assert_eq!(wide_last[8..16], [20., 21., 22., 23., 24., 25., 26., 27.]);
        assert_eq!(wide_last[16..28], [8., 9., 10., 11., 12., 13., 14., 15., 16., 0., 0., 0.]);
    }
}
