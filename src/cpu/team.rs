//! Threads that do the tasks of one job after another.
//!
//! To wake a sleeping thread takes longer than many a kernel. So a helper stays awake for a moment after a job and takes
//! tasks of the next one as soon as it is posted; without one it goes back to rayon's pool, where it sleeps until it is
//! called again. The thread that posts a job does tasks too, and waits only for those that a helper has begun: a helper
//! that comes late, or never, costs nothing but its help.

use super::workers::Scratch;
use std::hint::spin_loop;
use std::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use web_time::Instant;

/// How long a helper waits for the next job.
const PATIENCE: Duration = Duration::from_micros(100);
/// Looks at the board between two looks at the clock.
const LOOKS: usize = 256;

type Work<'a> = dyn Fn(usize, &mut Scratch) + Sync + 'a;

/// The calling thread and its helpers.
pub(super) struct Team {
    board: Arc<Board>,
    helpers: usize,
    /// Natively a pool of the team's own; in wasm the helpers come from the pool that the page has started.
    #[cfg(not(target_family = "wasm"))]
    pool: rayon::ThreadPool,
}

/// Where a job is posted.
#[derive(Default)]
struct Board {
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
    scratches: Mutex<Vec<Scratch>>,
}

impl Team {
    /// `threads` threads, the calling one among them; none where the system gives no more than that one.
    #[cfg(not(target_family = "wasm"))]
    pub(super) fn new(threads: usize) -> Option<Self> {
        let helpers = threads.checked_sub(1).filter(|&helpers| helpers > 0)?;
        let pool = rayon::ThreadPoolBuilder::new().num_threads(helpers).build().ok()?;
        Some(Self { board: Arc::default(), helpers, pool })
    }

    /// As natively; the page's pool must have been started.
    #[cfg(target_family = "wasm")]
    pub(super) fn new(threads: usize) -> Option<Self> {
        let helpers = threads.checked_sub(1).filter(|&helpers| helpers > 0)?;
        Some(Self { board: Arc::default(), helpers })
    }

    /// How many threads there are, the calling one among them.
    pub(super) fn threads(&self) -> usize {
        self.helpers + 1
    }

    /// Does tasks `0..tasks`, each once, in any order and on any thread.
    pub(super) fn run(&mut self, scratch: &mut Scratch, tasks: usize, work: &Work) {
        let board = &*self.board;
        board.work.store((&raw const work).cast_mut().cast(), Ordering::Relaxed);
        board.tasks.store(tasks, Ordering::Relaxed);
        board.unfinished.store(tasks, Ordering::Relaxed);
        let job = (board.open.load(Ordering::Relaxed) >> 32).wrapping_add(1) << 32;
        // Also when a task panics, `work` is gone only after the last helper is done with it.
        let _whole = UntilDone(board);
        board.open.store(job | tasks as u64, Ordering::Release);
        let missing = self.helpers.min(tasks - 1);
        while board.present.load(Ordering::Relaxed) < missing {
            board.present.fetch_add(1, Ordering::Relaxed);
            self.call_helper();
        }
        while let Some(task) = board.take_task() {
            // Counted as done before a panic of its own leaves it undone.
            let _done = Done(board);
            work(task, scratch);
        }
    }

    fn call_helper(&self) {
        let board = Arc::clone(&self.board);
        #[cfg(not(target_family = "wasm"))]
        self.pool.spawn(move || board.help());
        #[cfg(target_family = "wasm")]
        rayon::spawn(move || board.help());
    }
}

impl Board {
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

    /// What a helper does from call to departure.
    fn help(&self) {
        let mut scratch = self.with_scratches(Vec::pop).unwrap_or_default();
        let mut idle_since: Option<Instant> = None;
        loop {
            if let Some(task) = (0..LOOKS).find_map(|_| {
                spin_loop();
                self.take_task()
            }) {
                let work = self.work.load(Ordering::Relaxed).cast_const().cast::<&Work>();
                // SAFETY: the job lives until the task is counted as done.
                unsafe { (*work)(task, &mut scratch) };
                self.unfinished.fetch_sub(1, Ordering::Release);
                idle_since = None;
            } else if idle_since.get_or_insert_with(Instant::now).elapsed() > PATIENCE {
                break;
            }
        }
        self.with_scratches(|scratches| scratches.push(scratch));
        self.present.fetch_sub(1, Ordering::Relaxed);
    }

    fn with_scratches<T>(&self, access: impl FnOnce(&mut Vec<Scratch>) -> T) -> T {
        access(&mut self.scratches.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Counts a task as done.
struct Done<'a>(&'a Board);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.unfinished.fetch_sub(1, Ordering::Release);
    }
}

/// Waits for the tasks that have begun, and takes the others away.
struct UntilDone<'a>(&'a Board);

impl Drop for UntilDone<'_> {
    fn drop(&mut self) {
        while self.0.take_task().is_some() {
            self.0.unfinished.fetch_sub(1, Ordering::Relaxed);
        }
        let mut looks = 0;
        while self.0.unfinished.load(Ordering::Acquire) > 0 {
            spin_loop();
            looks += 1;
            if looks % LOOKS == 0 {
                // The helper may need this very processor.
                std::thread::yield_now();
            }
        }
    }
}

#[cfg(test)]
#[cfg(not(target_family = "wasm"))]
mod tests {
    use super::*;

    #[test]
    fn every_task_is_done_once_job_after_job() {
        let mut team = Team::new(3).unwrap();
        let mut scratch = Scratch::default();
        for tasks in (2..40).cycle().take(2000) {
            let counts: Vec<_> = (0..tasks).map(|_| AtomicUsize::new(0)).collect();
            team.run(&mut scratch, tasks, &|task, _| {
                counts[task].fetch_add(1, Ordering::Relaxed);
            });
            assert!(counts.iter().all(|count| count.load(Ordering::Relaxed) == 1));
        }
    }

    #[test]
    fn helpers_leave_when_there_is_nothing_to_do_and_come_again() {
        let mut team = Team::new(2).unwrap();
        for _ in 0..3 {
            let helped = AtomicUsize::new(0);
            let here = std::thread::current().id();
            // The caller keeps its task until the helper has come.
            team.run(&mut Scratch::default(), 2, &|_, _| {
                if std::thread::current().id() == here {
                    while helped.load(Ordering::Relaxed) == 0 {
                        std::thread::yield_now();
                    }
                } else {
                    helped.fetch_add(1, Ordering::Relaxed);
                }
            });
            assert_eq!(helped.load(Ordering::Relaxed), 1);
            while team.board.present.load(Ordering::Relaxed) > 0 {
                std::thread::yield_now();
            }
            assert_eq!(team.board.with_scratches(|scratches| scratches.len()), 1);
        }
    }

    #[test]
    fn a_panic_of_the_caller_ends_the_job() {
        let mut team = Team::new(2).unwrap();
        let here = std::thread::current().id();
        let panics = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            team.run(&mut Scratch::default(), 100, &|_, _| {
                assert!(std::thread::current().id() != here, "a task that fails");
            });
        }));
        assert!(panics.is_err());
        assert_eq!(team.board.unfinished.load(Ordering::Relaxed), 0);
        let done = AtomicUsize::new(0);
        team.run(&mut Scratch::default(), 5, &|_, _| {
            done.fetch_add(1, Ordering::Relaxed);
        });
        assert_eq!(done.load(Ordering::Relaxed), 5);
    }
}
