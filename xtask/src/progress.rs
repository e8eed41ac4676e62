//! Progress of a long command: its step, the share that is done and the time left.

use std::io::{IsTerminal, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Between two lines where a line stays: in a file, or in the log of a CI run.
const BETWEEN_LINES: Duration = Duration::from_secs(10);
/// Between two states of the one line of a terminal.
const BETWEEN_STATES: Duration = Duration::from_millis(250);
/// Below this share of the work nothing is said of the time left: too little has been seen.
const TOO_EARLY: f64 = 0.04;

/// Several pieces of work side by side. Prints until it is dropped.
pub struct Progress {
    shared: Arc<Shared>,
    printer: Option<std::thread::JoinHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
    ended: Condvar,
    started: Instant,
    is_terminal: bool,
}

#[derive(Default)]
struct State {
    works: Vec<Work>,
    ended: bool,
}

/// A piece of work, which knows its usual share of the whole.
struct Work {
    name: String,
    usual_seconds: f64,
    /// How much of it is done, from 0 to 1.
    done: f64,
    /// Where a single long step is under way: since when, its end as a share, and how long it should take.
    long_step: Option<(Instant, f64, f64)>,
    /// How far it is, in words.
    note: String,
}

impl Work {
    fn done(&self) -> f64 {
        match self.long_step {
            // A step that takes longer than it should never seems to have ended.
            Some((since, end, seconds)) => {
                let share = (since.elapsed().as_secs_f64() / seconds).min(0.95);
                self.done + (end - self.done) * share
            }
            None => self.done,
        }
    }
}

/// Tells how far one piece of work is.
#[derive(Clone)]
pub struct Task {
    shared: Arc<Shared>,
    index: usize,
}

impl Progress {
    /// Begins to say how far the work is that is added to it.
    pub fn start() -> Progress {
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            ended: Condvar::new(),
            started: Instant::now(),
            is_terminal: std::io::stderr().is_terminal(),
        });
        let printer = std::thread::spawn({
            let shared = shared.clone();
            move || shared.print()
        });
        Progress { shared, printer: Some(printer) }
    }

    /// Adds a piece of work that usually takes one processor so many seconds.
    pub fn add(&self, name: impl Into<String>, usual_seconds: f64) -> Task {
        let mut state = self.shared.lock();
        state.works.push(Work {
            name: name.into(),
            usual_seconds,
            done: 0.0,
            long_step: None,
            note: String::new(),
        });
        Task { shared: self.shared.clone(), index: state.works.len() - 1 }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.shared.lock().ended = true;
        self.shared.ended.notify_all();
        if let Some(printer) = self.printer.take() {
            let _ = printer.join();
        }
    }
}

impl Task {
    /// It is done by this share, from 0 to 1; `note` says it in words.
    pub fn reach(&self, done: f64, note: impl Into<String>) {
        self.update(|work| (work.done, work.long_step, work.note) = (done, None, note.into()));
    }

    /// A single step is under way that ends at this share and should take so many seconds.
    pub fn long_step(&self, end: f64, seconds: f64, note: impl Into<String>) {
        self.update(|work| {
            work.long_step = Some((Instant::now(), end, seconds.max(1.0)));
            work.note = note.into();
        });
    }

    /// It is done.
    pub fn finish(&self) {
        self.reach(1.0, "");
    }

    /// Prints a line, such as a warning, without breaking the line of progress.
    pub fn line(&self, line: &str) {
        let _state = self.shared.lock();
        self.shared.clear();
        eprintln!("{line}");
    }

    fn update(&self, change: impl FnOnce(&mut Work)) {
        change(&mut self.shared.lock().works[self.index]);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn print(&self) {
        let wait = if self.is_terminal { BETWEEN_STATES } else { BETWEEN_LINES };
        let mut state = self.lock();
        while !state.ended {
            let waited = self.ended.wait_timeout(state, wait);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            if state.ended {
                break;
            }
            if let Some(line) = line(&state.works, self.started.elapsed()) {
                self.clear();
                if self.is_terminal {
                    eprint!("{}", line.chars().take(terminal_columns()).collect::<String>());
                    let _ = std::io::stderr().flush();
                } else {
                    eprintln!("{line}");
                }
            }
        }
        self.clear();
    }

    fn clear(&self) {
        if self.is_terminal {
            eprint!("\r\x1b[2K");
        }
    }
}

/// Columns that a line may take without wrapping, which a return would not take back.
fn terminal_columns() -> usize {
    std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()).unwrap_or(100)
}

/// The line: steps done of how many, what is under way, time passed and time left. Nothing once all is done.
fn line(works: &[Work], elapsed: Duration) -> Option<String> {
    let is_done = |work: &&Work| work.done >= 1.0;
    let under_way: Vec<String> = works
        .iter()
        .filter(|work| !is_done(work))
        .map(|work| match work.note.as_str() {
            "" => work.name.clone(),
            note => format!("{} ({note})", work.name),
        })
        .collect();
    if under_way.is_empty() {
        return None;
    }
    let usual: f64 = works.iter().map(|work| work.usual_seconds).sum();
    let done: f64 = works.iter().map(|work| work.usual_seconds * work.done()).sum();
    let share = done / usual.max(1e-9);
    let left = if share < TOO_EARLY {
        String::new()
    } else {
        let seconds = elapsed.as_secs_f64() * (1.0 - share) / share;
        format!(", about {} left", clock(Duration::from_secs_f64(seconds)))
    };
    let finished = works.iter().filter(is_done).count();
    let steps = format!("{finished} of {} steps done", works.len());
    Some(format!("   {}{left}: {steps}; {}", clock(elapsed), under_way.join(", ")))
}

/// A duration as minutes and seconds.
pub fn clock(duration: Duration) -> String {
    let seconds = duration.as_secs_f64().round() as u64;
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn work(name: &str, usual_seconds: f64, done: f64, note: &str) -> Work {
        Work { name: name.into(), usual_seconds, done, long_step: None, note: note.into() }
    }

    #[test]
    fn the_line_says_what_is_left_at_the_speed_seen_so_far() {
        let works = [work("one", 30.0, 1.0, ""), work("two", 90.0, 1.0 / 3.0, "4 of 12")];
        // Half of the work took 90 s, so the other half takes as long.
        let said = line(&works, Duration::from_secs(90)).unwrap();
        assert_eq!(said, "   1:30, about 1:30 left: 1 of 2 steps done; two (4 of 12)");
    }

    #[test]
    fn nothing_is_foretold_at_the_start_and_nothing_said_at_the_end() {
        let said = line(&[work("one", 30.0, 0.01, "")], Duration::from_secs(1)).unwrap();
        assert_eq!(said, "   0:01: 0 of 1 steps done; one");
        assert_eq!(line(&[work("one", 30.0, 1.0, "")], Duration::from_secs(1)), None);
    }

    #[test]
    fn a_long_step_moves_with_time_and_stops_short_of_its_end() {
        let mut one = work("one", 30.0, 0.5, "");
        one.long_step = Some((Instant::now(), 1.0, 1e6));
        assert!((0.5..0.51).contains(&one.done()));
        one.long_step = Some((Instant::now() - Duration::from_secs(5), 1.0, 1.0));
        assert!((one.done() - 0.975).abs() < 1e-9);
    }
}
