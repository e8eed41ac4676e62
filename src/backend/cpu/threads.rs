//! The threads that kernels run on.

#[cfg(feature = "threads")]
mod helpers;

use crate::backend::cpu::operands::slice_of_mut;
use crate::backend::cpu::scratch::ThreadScratch;
use crate::backend::cpu::simd::Instructions;
#[cfg(feature = "threads")]
use helpers::Helpers;
use ndarray::{ArrayViewMut, ArrayViewMut1, Axis, RemoveAxis};
use std::marker::PhantomData;
use std::ops::Range;

/// The calling thread and its helpers.
pub(crate) struct Pool {
    /// The instruction set that inner loops are compiled for.
    pub(crate) instructions: Instructions,
    /// The scratch memory of the calling thread.
    scratch: ThreadScratch,
    #[cfg(feature = "threads")]
    helpers: Option<Helpers>,
}

impl Pool {
    /// Makes a pool of `threads` threads, the calling one among them; of that one alone where the build has no threads or the
    /// system gives none.
    pub(crate) fn new(threads: usize) -> Self {
        #[cfg(not(feature = "threads"))]
        let _ = threads;
        Self {
            instructions: Instructions::detect(),
            scratch: ThreadScratch::default(),
            #[cfg(feature = "threads")]
            helpers: Helpers::new(threads),
        }
    }

    /// Returns how many threads there are.
    pub(crate) fn threads(&self) -> usize {
        #[cfg(feature = "threads")]
        return self.helpers.as_ref().map_or(1, Helpers::threads);
        #[cfg(not(feature = "threads"))]
        1
    }

    /// Does tasks `0..tasks`, each once, in any order and on any thread.
    pub(crate) fn run(&mut self, tasks: usize, work: impl Fn(usize, &mut ThreadScratch) + Sync) {
        #[cfg(feature = "threads")]
        if let (Some(helpers), true) = (&mut self.helpers, tasks > 1) {
            return helpers.run(&mut self.scratch, tasks, &work);
        }
        for task in 0..tasks {
            work(task, &mut self.scratch);
        }
    }

    /// Cuts arrays of equally long first axes into chunks of `rows` along these, and gives `work` each chunk's rows with its
    /// part of every array.
    pub(crate) fn chunks<D: RemoveAxis, const COUNT: usize>(
        &mut self,
        arrays: [ArrayViewMut<f32, D>; COUNT],
        rows: usize,
        work: impl Fn(Range<usize>, [ArrayViewMut<f32, D>; COUNT]) + Sync,
    ) {
        let shapes = arrays.each_ref().map(ArrayViewMut::raw_dim);
        let len = arrays.iter().map(|array| array.len_of(Axis(0))).min().unwrap_or_default();
        let row_lens = arrays.each_ref().map(|array| array.len() / len.max(1));
        let arrays = arrays.map(|array| Disjoint::new(slice_of_mut(array)));
        let (rows, instructions) = (rows.max(1), self.instructions);
        self.run(len.div_ceil(rows), |task, _| {
            let range = task * rows..len.min((task + 1) * rows);
            let parts = std::array::from_fn(|i| {
                // SAFETY: tasks have rows of their own.
                let part =
                    unsafe { arrays[i].slice(range.start * row_lens[i]..range.end * row_lens[i]) };
                let mut shape = shapes[i].clone();
                shape[0] = range.len();
                ArrayViewMut::from_shape(shape, part).expect("so many rows")
            });
            instructions.enable(|| work(range, parts));
        });
    }

    /// Cuts an array as [`Pool::chunks`] does, in chunks that are worth a task for work of a few operations an element.
    pub(crate) fn elementwise(
        &mut self,
        array: ArrayViewMut1<f32>,
        work: impl Fn(Range<usize>, ArrayViewMut1<f32>) + Sync,
    ) {
        self.chunks([array], ELEMENTWISE_CHUNK, |range, [part]| work(range, part));
    }
}

/// 64 KiB of elements: some microseconds of work, and small enough for the second-level cache.
pub(crate) const ELEMENTWISE_CHUNK: usize = 1 << 14;

/// Returns how many rows of `len` elements make a chunk for work of a few operations an element.
pub(crate) fn elementwise_rows(len: usize) -> usize {
    (ELEMENTWISE_CHUNK / len).max(1)
}

/// A slice that tasks write in parts, each part by one task only.
pub(crate) struct Disjoint<'a, T = f32> {
    start: *mut T,
    len: usize,
    lifetime: PhantomData<&'a mut [T]>,
}

// SAFETY: a borrowed slice may be used from any thread; who uses which part is the caller's promise to `slice`.
unsafe impl<T: Send> Sync for Disjoint<'_, T> {}

impl<'a, T> Disjoint<'a, T> {
    pub(crate) fn new(elements: &'a mut [T]) -> Self {
        Self { start: elements.as_mut_ptr(), len: elements.len(), lifetime: PhantomData }
    }

    /// Returns part of the slice.
    ///
    /// # Safety
    /// No two live parts overlap.
    #[expect(clippy::mut_from_ref, reason = "the parts do not overlap, as the caller promises")]
    pub(crate) unsafe fn slice(&self, range: Range<usize>) -> &mut [T] {
        assert!(range.start <= range.end && range.end <= self.len, "{range:?} of {}", self.len);
        // SAFETY: in bounds by the line above; alone by the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(range.start), range.len()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array1, Array2};

    #[test]
    fn every_row_is_written_once_on_any_number_of_threads() {
        for threads in [1, 3] {
            let (mut wide, mut narrow) = (Array2::zeros([1000, 3]), Array2::zeros([1000, 1]));
            let arrays = [wide.view_mut(), narrow.view_mut()];
            Pool::new(threads).chunks(arrays, 7, |range, [mut wide, mut narrow]| {
                wide.rows_mut()
                    .into_iter()
                    .zip(range)
                    .for_each(|(mut row, index)| row += index as f32);
                narrow += 1.0;
            });
            assert!(wide.indexed_iter().all(|((row, _), &x)| x == row as f32));
            assert!(narrow.iter().all(|&x| x == 1.0));
            let mut empty = Array1::zeros(0);
            Pool::new(threads).elementwise(empty.view_mut(), |_, _| panic!("there is no chunk"));
        }
    }
}
