//! Values mapped to buffers by lifetime: a buffer is free again after the last call that touches its value.

use crate::kernel::{Call, Extent, Storage, View};
use crate::ops::lowering::Lowering;

/// Which buffer each value lies in, and how long each is. Lengths are of 64 bits on every machine: a plan that a page's
/// 32 bits cannot address has to be refused, not counted round.
pub(super) struct Buffers {
    of_value: Vec<u32>,
    lens: Vec<u64>,
}

impl Buffers {
    /// Gives every value a buffer; those of `live_to_the_end` keep theirs.
    pub(super) fn assign(lowering: &Lowering, live_to_the_end: &[View], batch_size: usize) -> Self {
        let mut last_use = vec![0; lowering.values.len()];
        for (position, call) in lowering.calls.iter().enumerate() {
            for value in call.reads.iter().chain(&call.writes).filter_map(value_of) {
                last_use[value] = position;
            }
        }
        for value in live_to_the_end.iter().filter_map(value_of) {
            last_use[value] = usize::MAX;
        }
        let mut buffers =
            Self { of_value: vec![u32::MAX; lowering.values.len()], lens: Vec::new() };
        let mut free: Vec<usize> = Vec::new();
        let len = |value: usize| elements(lowering.values[value], batch_size);
        for value in live_to_the_end.iter().filter_map(value_of) {
            // The input is written from outside, before the first call.
            buffers.place(value, len(value), &mut free);
        }
        for (position, call) in lowering.calls.iter().enumerate() {
            for value in call.writes.iter().filter_map(value_of) {
                buffers.place(value, len(value), &mut free);
            }
            let mut ended: Vec<usize> = call
                .reads
                .iter()
                .chain(&call.writes)
                .filter_map(value_of)
                .filter(|&v| last_use[v] == position)
                .collect();
            ended.sort_unstable();
            ended.dedup();
            free.extend(ended.into_iter().map(|value| buffers.of_value[value] as usize));
        }
        buffers
    }

    /// Takes the smallest free buffer that is large enough, else grows the largest free one, else makes one.
    fn place(&mut self, value: usize, len: u64, free: &mut Vec<usize>) {
        if self.of_value[value] != u32::MAX {
            return;
        }
        let fitting = (0..free.len())
            .filter(|&i| self.lens[free[i]] >= len)
            .min_by_key(|&i| self.lens[free[i]]);
        let chosen = fitting.or_else(|| (0..free.len()).max_by_key(|&i| self.lens[free[i]]));
        let buffer = match chosen {
            Some(position) => free.swap_remove(position),
            None => {
                self.lens.push(0);
                self.lens.len() - 1
            }
        };
        self.lens[buffer] = self.lens[buffer].max(len);
        self.of_value[value] = buffer as u32;
    }

    /// Bytes of all of them.
    pub(super) fn bytes(&self) -> u64 {
        self.lens.iter().fold(0, |bytes: u64, len| bytes.saturating_add(len.saturating_mul(4)))
    }

    /// Numbers in each, of buffers that can be addressed.
    pub(super) fn lens(&self) -> Vec<usize> {
        self.lens.iter().map(|&len| len as usize).collect()
    }

    /// A view of a value as a view of its buffer.
    pub(super) fn view(&self, view: View) -> View {
        match value_of(&view) {
            Some(value) => View { storage: Storage::Workspace(self.of_value[value]), ..view },
            None => view,
        }
    }

    /// A call on values as one on buffers.
    pub(super) fn call(&self, call: &Call) -> Call {
        let views = |views: &[View]| views.iter().map(|&view| self.view(view)).collect();
        Call { kernel: call.kernel, reads: views(&call.reads), writes: views(&call.writes) }
    }
}

fn value_of(view: &View) -> Option<usize> {
    match view.storage {
        Storage::Workspace(value) => Some(value as usize),
        _ => None,
    }
}

fn elements(extent: Extent, batch_size: usize) -> u64 {
    match extent {
        Extent::PerSample(len) => (len as u64).saturating_mul(batch_size as u64),
        Extent::Fixed(len) => len as u64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::lowering::Mode;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn bytes_are_not_counted_round_at_32_bits() {
        let mut lowering = Lowering::new(Mode::Evaluation, false, 0);
        let values = [lowering.value(Extent::PerSample(1 << 28)), lowering.value(Extent::Fixed(3))];
        let buffers = Buffers::assign(&lowering, &values, 16);
        assert_eq!(buffers.bytes(), 4 * ((1 << 32) + 3));
        assert!(Buffers::assign(&lowering, &values, usize::MAX).bytes() > 1 << 60);
    }
}
