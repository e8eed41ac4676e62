//! The threads that kernels run on, and the scratch memory that each one keeps.

use super::simd::Instructions;
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
    pub(super) fn numbers_and_offsets(
        &mut self,
        len: usize,
        count: usize,
    ) -> (&mut [f32], &mut [usize]) {
        (grown(&mut self.numbers, len), grown(&mut self.offsets, count))
    }
}

/// The first `len` items of a buffer that grows when it must.
pub(super) fn grown<T: Copy + Default>(buffer: &mut Vec<T>, len: usize) -> &mut [T] {
    if buffer.len() < len {
        buffer.resize(len, T::default());
    }
    &mut buffer[..len]
}

/// One thread or a pool of them.
pub struct Workers {
    /// What the inner loops are compiled for.
    pub(super) instructions: Instructions,
    scratches: Vec<Scratch>,
    /// Scratch memory that all threads read: packed weights, padded batches, partial sums.
    pub(super) shared: Vec<f32>,
    /// Per-channel numbers that all threads read.
    pub(super) coefficients: Vec<f32>,
    /// Window offsets that all threads read.
    pub(super) offsets: Vec<usize>,
    #[cfg(feature = "threads")]
    pool: Option<pool::Pool>,
}

impl Workers {
    /// `threads` threads, or one where the build has no threads or the system gives none.
    #[cfg(feature = "threads")]
    pub fn new(threads: usize) -> Self {
        let pool = (threads > 1).then(|| pool::Pool::new(threads)).flatten();
        let threads = pool.as_ref().map_or(1, pool::Pool::threads);
        let scratches = (0..threads).map(|_| Scratch::default()).collect();
        let instructions = Instructions::detect();
        Self {
            instructions,
            scratches,
            shared: Vec::new(),
            coefficients: Vec::new(),
            offsets: Vec::new(),
            pool,
        }
    }

    /// One thread, whatever is asked for.
    #[cfg(not(feature = "threads"))]
    pub fn new(_threads: usize) -> Self {
        Self {
            instructions: Instructions::detect(),
            scratches: vec![Scratch::default()],
            shared: Vec::new(),
            coefficients: Vec::new(),
            offsets: Vec::new(),
        }
    }

    /// How many threads there are.
    pub fn threads(&self) -> usize {
        self.scratches.len()
    }

    /// Does tasks `0..tasks`, each once, in any order and on any thread.
    pub(super) fn run(&mut self, tasks: usize, work: impl Fn(usize, &mut Scratch) + Sync) {
        #[cfg(feature = "threads")]
        if let (Some(pool), true) = (&self.pool, tasks > 1) {
            return pool.run(&mut self.scratches, tasks, work);
        }
        for task in 0..tasks {
            work(task, &mut self.scratches[0]);
        }
    }

    /// Cuts `output` into chunks of `chunk` numbers and gives each its range and its numbers.
    pub(super) fn chunks(
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
    pub(super) fn elementwise(
        &mut self,
        output: &mut [f32],
        work: impl Fn(Range<usize>, &mut [f32]) + Sync,
    ) {
        self.chunks(output, ELEMENTWISE_CHUNK, work);
    }
}

/// 64 KiB of numbers: some microseconds of work, and small enough for the second-level cache.
pub(super) const ELEMENTWISE_CHUNK: usize = 1 << 14;

/// A slice that tasks write in parts, each part by one task only.
pub(super) struct Disjoint<'a> {
    start: *mut f32,
    len: usize,
    lifetime: PhantomData<&'a mut [f32]>,
}

// SAFETY: a borrowed slice of numbers may be used from any thread; who uses which part is the caller's promise to `slice`.
unsafe impl Sync for Disjoint<'_> {}

impl<'a> Disjoint<'a> {
    pub(super) fn new(numbers: &'a mut [f32]) -> Self {
        Self { start: numbers.as_mut_ptr(), len: numbers.len(), lifetime: PhantomData }
    }

    /// Part of the slice.
    ///
    /// # Safety
    /// No two live parts overlap.
    #[expect(clippy::mut_from_ref, reason = "the parts do not overlap, as the caller promises")]
    pub(super) unsafe fn slice(&self, range: Range<usize>) -> &mut [f32] {
        assert!(range.start <= range.end && range.end <= self.len, "{range:?} of {}", self.len);
        // SAFETY: in bounds by the line above; alone by the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(range.start), range.len()) }
    }
}

#[cfg(feature = "threads")]
mod pool {
    use super::Scratch;
    use rayon::prelude::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// A pool of our own natively; the page's pool, which JavaScript starts, in wasm.
    pub(super) struct Pool {
        #[cfg(not(target_family = "wasm"))]
        own: rayon::ThreadPool,
    }

    impl Pool {
        #[cfg(not(target_family = "wasm"))]
        pub(super) fn new(threads: usize) -> Option<Self> {
            let own = rayon::ThreadPoolBuilder::new().num_threads(threads).build().ok()?;
            Some(Self { own })
        }

        #[cfg(target_family = "wasm")]
        pub(super) fn new(_threads: usize) -> Option<Self> {
            (rayon::current_num_threads() > 1).then_some(Self {})
        }

        pub(super) fn threads(&self) -> usize {
            #[cfg(not(target_family = "wasm"))]
            return self.own.current_num_threads();
            #[cfg(target_family = "wasm")]
            return rayon::current_num_threads();
        }

        pub(super) fn run(
            &self,
            scratches: &mut [Scratch],
            tasks: usize,
            work: impl Fn(usize, &mut Scratch) + Sync,
        ) {
            let (next, work) = (&AtomicUsize::new(0), &work);
            let workers = scratches.len().min(tasks);
            let scratches = scratches[..workers].par_iter_mut().with_max_len(1);
            let all = move || {
                scratches.for_each(|scratch| {
                    loop {
                        let task = next.fetch_add(1, Ordering::Relaxed);
                        if task >= tasks {
                            break;
                        }
                        work(task, scratch);
                    }
                });
            };
            #[cfg(not(target_family = "wasm"))]
            self.own.install(all);
            #[cfg(target_family = "wasm")]
            all();
        }
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
