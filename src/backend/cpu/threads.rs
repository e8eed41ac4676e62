//! The threads that kernels run on, and the scratch memory that each one keeps.

#[cfg(feature = "threads")]
mod pool;

use crate::backend::cpu::matmul::fused_moments::BlockMoments;
use crate::backend::cpu::matmul::weight_cache::Packed;
use crate::backend::cpu::simd::Instructions;
#[cfg(feature = "threads")]
use pool::Team;
use std::marker::PhantomData;
use std::ops::Range;

/// Scratch memory of one thread; it grows to what the largest kernel needs and stays.
#[derive(Debug, Default)]
pub struct Scratch {
    numbers: Vec<f32>,
    offsets: Vec<usize>,
}

impl Scratch {
    /// `len` numbers and `count` offsets, of any value.
    pub(crate) fn numbers_and_offsets(
        &mut self,
        len: usize,
        count: usize,
    ) -> (&mut [f32], &mut [usize]) {
        (grown(&mut self.numbers, len), grown(&mut self.offsets, count))
    }
}

/// The first `len` items of a buffer that grows when it must.
pub(crate) fn grown<T: Copy + Default>(buffer: &mut Vec<T>, len: usize) -> &mut [T] {
    if buffer.len() < len {
        buffer.resize(len, T::default());
    }
    &mut buffer[..len]
}

/// The threads that kernels run on, and memory that they share.
pub struct Workers {
    /// What the inner loops are compiled for.
    pub(crate) instructions: Instructions,
    /// Of the calling thread.
    scratch: Scratch,
    /// Packed weights of the call at hand, where they are kept from run to run.
    pub(crate) packed: Option<Packed>,
    /// What a convolution counts for the normalisation after it.
    pub(crate) moments: BlockMoments,
    /// Scratch memory that all threads read: packed weights, padded batches, partial sums.
    pub(crate) shared: Vec<f32>,
    /// Per-channel numbers that all threads read.
    pub(crate) coefficients: Vec<f32>,
    /// Window offsets that all threads read.
    pub(crate) offsets: Vec<usize>,
    #[cfg(feature = "threads")]
    team: Option<Team>,
}

impl Workers {
    /// `threads` threads, the calling one among them; that one alone where the build has no threads or the system gives
    /// none.
    pub fn new(threads: usize) -> Self {
        #[cfg(not(feature = "threads"))]
        let _ = threads;
        Self {
            instructions: Instructions::detect(),
            scratch: Scratch::default(),
            packed: None,
            moments: BlockMoments::default(),
            shared: Vec::new(),
            coefficients: Vec::new(),
            offsets: Vec::new(),
            #[cfg(feature = "threads")]
            team: Team::new(threads),
        }
    }

    /// How many threads there are.
    pub fn threads(&self) -> usize {
        #[cfg(feature = "threads")]
        return self.team.as_ref().map_or(1, Team::threads);
        #[cfg(not(feature = "threads"))]
        1
    }

    /// Does tasks `0..tasks`, each once, in any order and on any thread.
    pub(crate) fn run(&mut self, tasks: usize, work: impl Fn(usize, &mut Scratch) + Sync) {
        #[cfg(feature = "threads")]
        if let (Some(team), true) = (&mut self.team, tasks > 1) {
            return team.run(&mut self.scratch, tasks, &work);
        }
        for task in 0..tasks {
            work(task, &mut self.scratch);
        }
    }

    /// Cuts `output` into chunks of `chunk` numbers and gives each its range and its numbers.
    pub(crate) fn chunks(
        &mut self,
        output: &mut [f32],
        chunk: usize,
        work: impl Fn(Range<usize>, &mut [f32]) + Sync,
    ) {
        let (len, chunk) = (output.len(), chunk.max(1));
        let (output, instructions) = (Disjoint::new(output), self.instructions);
        self.run(len.div_ceil(chunk), |task, _| {
            let range = task * chunk..len.min((task + 1) * chunk);
            // SAFETY: tasks have ranges of their own.
            let part = unsafe { output.slice(range.clone()) };
            instructions.enable(|| work(range, part));
        });
    }

    /// As [`Workers::chunks`], in chunks that are worth a task for work of a few operations a number.
    pub(crate) fn elementwise(
        &mut self,
        output: &mut [f32],
        work: impl Fn(Range<usize>, &mut [f32]) + Sync,
    ) {
        self.chunks(output, ELEMENTWISE_CHUNK, work);
    }
}

/// 64 KiB of numbers: some microseconds of work, and small enough for the second-level cache.
pub(crate) const ELEMENTWISE_CHUNK: usize = 1 << 14;

/// A slice that tasks write in parts, each part by one task only.
pub(crate) struct Disjoint<'a, T = f32> {
    start: *mut T,
    len: usize,
    lifetime: PhantomData<&'a mut [T]>,
}

// SAFETY: a borrowed slice of numbers may be used from any thread; who uses which part is the caller's promise to `slice`.
unsafe impl<T: Send> Sync for Disjoint<'_, T> {}

impl<'a, T> Disjoint<'a, T> {
    pub(crate) fn new(numbers: &'a mut [T]) -> Self {
        Self { start: numbers.as_mut_ptr(), len: numbers.len(), lifetime: PhantomData }
    }

    /// Part of the slice.
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

    #[test]
    fn every_number_is_written_once_on_any_number_of_threads() {
        for threads in [1, 3] {
            let mut numbers = vec![0.0; 1000];
            Workers::new(threads).chunks(&mut numbers, 7, |range, part| {
                for (number, index) in part.iter_mut().zip(range) {
                    *number += index as f32;
                }
            });
            assert!(numbers.iter().enumerate().all(|(index, &number)| number == index as f32));
        }
    }
}
