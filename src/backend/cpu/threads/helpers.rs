//! Threads that do the tasks of one job after another.
//!
//! To wake a sleeping thread takes longer than many a kernel. So a helper stays awake for a moment after a job and takes
//! tasks of the next one as soon as it is posted; without one it goes back to rayon's pool, where it sleeps until it is
//! called again. The thread that posts a job does tasks too, and waits only for those that a helper has begun: a helper
//! that comes late, or never, costs nothing but its help. One that another program keeps from its processor in the middle
//! of a task costs more than it helps: after that, jobs are done without helpers for a while, by how long it took.

use crate::backend::cpu::scratch::ThreadScratch;
use std::hint::spin_loop;
use std::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use web_time::Instant;

/// How long a helper waits for the next job.
const SPIN_TIMEOUT: Duration = Duration::from_micros(100);
/// Looks at the board between two looks at the clock.
const SPINS: usize = 256;
/// A helper that keeps a job waiting for longer, and for twice as long as the caller worked on it, is held up.
const LATE: Duration = Duration::from_micros(300);
/// How many times as long as a helper was waited for the caller then works alone: little enough that a helper which is held up
/// now and then, as in a browser, is still worth its delays. One whose processor another program keeps busy costs a third
/// of the speed (docs/performance.md).
const BACK_OFF: u32 = 4;

type Work<'a> = dyn Fn(usize, &mut ThreadScratch) + Sync + 'a;

/// The calling thread and its helpers.
pub(crate) struct Helpers {
    board: Arc<JobBoard>,
    count: usize,
    /// Until when jobs are done without helpers.
    back_off_until: Option<Instant>,
    /// Natively a pool of the helpers's own; in wasm the helpers come from the pool that the page has started.
    #[cfg(not(target_family = "wasm"))]
    pool: rayon::ThreadPool,
}

/// Where a job is posted.
#[derive(Default)]
struct JobBoard {
    /// Number of the job in the upper half, tasks that nobody has taken in the lower half.
    open: AtomicU64,
    /// The job: a `&Work` that lives until all of its tasks are done.
    work: AtomicPtr<()>,
    /// Its tasks, and those of them that are not done.
    tasks: AtomicUsize,
    unfinished: AtomicUsize,
    /// Helpers that look at the board or have been called to it.
    present: AtomicUsize,
    /// Scratch memory of helpers that are away.
    scratches: Mutex<Vec<ThreadScratch>>,
}

impl Helpers {
    /// `threads` threads, the calling one among them; none where the system gives no more than that one.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn new(threads: usize) -> Option<Self> {
        let helpers = threads.checked_sub(1).filter(|&helpers| helpers > 0)?;
        let pool = rayon::ThreadPoolBuilder::new().num_threads(helpers).build().ok()?;
        Some(Self { board: Arc::default(), count: helpers, back_off_until: None, pool })
    }

    /// As natively; the page's pool must have been started.
    #[cfg(target_family = "wasm")]
    pub(crate) fn new(threads: usize) -> Option<Self> {
        let helpers = threads.checked_sub(1).filter(|&helpers| helpers > 0)?;
        Some(Self { board: Arc::default(), count: helpers, back_off_until: None })
    }

    /// How many threads there are, the calling one among them.
    pub(crate) fn threads(&self) -> usize {
        self.count + 1
    }

    /// Does tasks `0..tasks`, each once, in any order and on any thread.
    pub(crate) fn run(&mut self, scratch: &mut ThreadScratch, tasks: usize, work: &Work) {
        let began = Instant::now();
        if self.back_off_until.is_some_and(|end| began < end) {
            (0..tasks).for_each(|task| work(task, scratch));
            return;
        }
        let board = &*self.board;
        board.work.store((&raw const work).cast_mut().cast(), Ordering::Relaxed);
        board.tasks.store(tasks, Ordering::Relaxed);
        board.unfinished.store(tasks, Ordering::Relaxed);
        let job = (board.open.load(Ordering::Relaxed) >> 32).wrapping_add(1) << 32;
        // Also when a task panics, `work` is gone only after the last helper is done with it.
        let whole = UntilDone(board);
        board.open.store(job | tasks as u64, Ordering::Release);
        let missing = self.count.min(tasks - 1);
        while board.present.load(Ordering::Relaxed) < missing {
            board.present.fetch_add(1, Ordering::Relaxed);
            self.call_helper();
        }
        while let Some(task) = board.take_task() {
            // Counted as done before a panic of its own leaves it undone.
            let _done = Done(board);
            work(task, scratch);
        }
        let patience = LATE + 2 * began.elapsed();
        let waited = board.wait();
        drop(whole);
        self.back_off_until = (waited > patience).then(|| Instant::now() + BACK_OFF * waited);
    }

    fn call_helper(&self) {
        let board = Arc::clone(&self.board);
        #[cfg(not(target_family = "wasm"))]
        self.pool.spawn(move || board.help());
        #[cfg(target_family = "wasm")]
        rayon::spawn(move || board.help());
    }
}

impl JobBoard {
    /// Takes a task of the posted job, if one is left. The job then lives until that task is counted as done.
    fn take_task(&self) -> Option<usize> {
        let mut open = self.open.load(Ordering::Acquire);
        loop {
            let left = open as u32 as usize;
            if left == 0 {
                return None;
            }
            let task = self.tasks.load(Ordering::Relaxed).wrapping_sub(left);
            // Where this succeeds the job was not done in between, so `task` is one of it.
            match self.open.compare_exchange_weak(
                open,
                open - 1,
                Ordering::Acquire,
                Ordering::Acquire,
            ) {
                Ok(_) => return Some(task),
                Err(now) => open = now,
            }
        }
    }

    /// The loop that a helper thread runs until it is dismissed.
    fn help(&self) {
        let mut scratch = self.with_scratches(Vec::pop).unwrap_or_default();
        let mut idle_since: Option<Instant> = None;
        loop {
            if let Some(task) = (0..SPINS).find_map(|_| {
                spin_loop();
                self.take_task()
            }) {
                let work = self.work.load(Ordering::Relaxed).cast_const().cast::<&Work>();
                // SAFETY: the job lives until the task is counted as done.
                unsafe { (*work)(task, &mut scratch) };
                self.unfinished.fetch_sub(1, Ordering::Release);
                idle_since = None;
            } else if idle_since.get_or_insert_with(Instant::now).elapsed() > SPIN_TIMEOUT {
                break;
            }
        }
        self.with_scratches(|scratches| scratches.push(scratch));
        self.present.fetch_sub(1, Ordering::Relaxed);
    }

    /// Waits until all tasks are done, and says for how long.
    fn wait(&self) -> Duration {
        let mut since: Option<Instant> = None;
        loop {
            for _ in 0..SPINS {
                if self.unfinished.load(Ordering::Acquire) == 0 {
                    return since.map_or(Duration::ZERO, |since| since.elapsed());
                }
                spin_loop();
            }
            since.get_or_insert_with(Instant::now);
            // The helper may need this very processor.
            std::thread::yield_now();
        }
    }

    fn with_scratches<T>(&self, access: impl FnOnce(&mut Vec<ThreadScratch>) -> T) -> T {
        access(&mut self.scratches.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Counts a task as done.
struct Done<'a>(&'a JobBoard);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.unfinished.fetch_sub(1, Ordering::Release);
    }
}

/// Waits for the tasks that have begun, and takes the others away.
struct UntilDone<'a>(&'a JobBoard);

impl Drop for UntilDone<'_> {
    fn drop(&mut self) {
        while self.0.take_task().is_some() {
            self.0.unfinished.fetch_sub(1, Ordering::Relaxed);
        }
        self.0.wait();
    }
}

#[cfg(test)]
#[cfg(not(target_family = "wasm"))]
mod tests {
    use super::*;

    #[test]
    fn every_task_is_done_once_job_after_job() {
        let mut helpers = Helpers::new(3).unwrap();
        let mut scratch = ThreadScratch::default();
        for tasks in (2..40).cycle().take(2000) {
            let counts: Vec<_> = (0..tasks).map(|_| AtomicUsize::new(0)).collect();
            helpers.run(&mut scratch, tasks, &|task, _| {
                counts[task].fetch_add(1, Ordering::Relaxed);
            });
            assert!(counts.iter().all(|count| count.load(Ordering::Relaxed) == 1));
        }
    }

    #[test]
    fn helpers_leave_when_there_is_nothing_to_do_and_come_again() {
        let mut helpers = Helpers::new(2).unwrap();
        for _ in 0..3 {
            // Other tests may have held it up.
            helpers.back_off_until = None;
            let helped = AtomicUsize::new(0);
            let here = std::thread::current().id();
            // The caller keeps its task until the helper has come.
            helpers.run(&mut ThreadScratch::default(), 2, &|_, _| {
                if std::thread::current().id() == here {
                    while helped.load(Ordering::Relaxed) == 0 {
                        std::thread::yield_now();
                    }
                } else {
                    helped.fetch_add(1, Ordering::Relaxed);
                }
            });
            assert_eq!(helped.load(Ordering::Relaxed), 1);
            while helpers.board.present.load(Ordering::Relaxed) > 0 {
                std::thread::yield_now();
            }
            assert_eq!(helpers.board.with_scratches(|scratches| scratches.len()), 1);
        }
    }

    #[test]
    fn a_helper_that_is_held_up_is_done_without_for_a_while() {
        let mut helpers = Helpers::new(2).unwrap();
        let here = std::thread::current().id();
        let away = AtomicUsize::new(0);
        let job = |_, _: &mut ThreadScratch| {
            if std::thread::current().id() == here {
                // Leaves a task to the helper.
                while away.load(Ordering::Relaxed) == 0 {
                    std::thread::yield_now();
                }
            } else {
                away.fetch_add(1, Ordering::Relaxed);
                let asleep = Instant::now();
                while asleep.elapsed() < Duration::from_millis(2) {
                    std::thread::sleep(Duration::from_millis(1));
                }
            }
        };
        // Calling the helper may take longer than its nap, as seen from here.
        while helpers.back_off_until.is_none() {
            away.store(0, Ordering::Relaxed);
            helpers.run(&mut ThreadScratch::default(), 2, &job);
        }
        let hour = Duration::from_secs(3600);
        helpers.back_off_until = helpers.back_off_until.map(|end| end + hour);
        for _ in 0..100 {
            helpers.run(&mut ThreadScratch::default(), 2, &|_, _| {
                assert_eq!(std::thread::current().id(), here);
            });
        }
        // That time is over: helpers are called again.
        helpers.back_off_until = Some(Instant::now());
        away.store(0, Ordering::Relaxed);
        helpers.run(&mut ThreadScratch::default(), 2, &job);
        assert_eq!(away.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn a_panic_of_the_caller_ends_the_job() {
        let mut helpers = Helpers::new(2).unwrap();
        let here = std::thread::current().id();
        let panics = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            helpers.run(&mut ThreadScratch::default(), 100, &|_, _| {
                assert!(std::thread::current().id() != here, "a task that fails");
            });
        }));
        assert!(panics.is_err());
        assert_eq!(helpers.board.unfinished.load(Ordering::Relaxed), 0);
        let done = AtomicUsize::new(0);
        helpers.run(&mut ThreadScratch::default(), 5, &|_, _| {
            done.fetch_add(1, Ordering::Relaxed);
        });
        assert_eq!(done.load(Ordering::Relaxed), 5);
    }
}
