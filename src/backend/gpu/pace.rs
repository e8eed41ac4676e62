//! Decides how much work goes into a command buffer, and how much may be on its way to the device.

use super::device::Device;
use futures_channel::oneshot;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use web_time::Instant;

/// A command buffer holds so many seconds of work at most: watchdogs stop longer ones, and the page's own frames wait for them.
const SECONDS_IN_A_BUFFER: f64 = 0.25;
/// So many seconds of work may be on their way when a caller settles. It is well over the 100 ms after which Firefox tells that work
/// is done: with less on its way, that wait would be taken for the device's speed, and keep it from being found.
const SECONDS_ON_THE_WAY: f64 = 0.25;
/// Before anything was measured, a device is taken to make so many floating-point operations a second, as a slow integrated
/// GPU does.
const FIRST_GUESS: f64 = 2e10;
/// Speed is measured over so many seconds at least; shorter ones say more of the way to the device.
const SHORTEST_MEASUREMENT: f64 = 0.02;
/// A measurement starts anew after so many seconds without work.
const PAUSE: f64 = 0.05;

/// The device's speed as measured so far.
#[derive(Debug)]
struct Speed {
    per_second: f64,
    last_done: Instant,
    measured_from: Instant,
    work_since: f64,
}

impl Speed {
    fn new(now: Instant) -> Self {
        Self { per_second: FIRST_GUESS, last_done: now, measured_from: now, work_since: 0.0 }
    }

    /// Takes note of work, submitted at one time and done at another.
    fn note(&mut self, work: f64, submitted: Instant, done: Instant) {
        if submitted.saturating_duration_since(self.last_done).as_secs_f64() > PAUSE {
            self.measured_from = submitted;
            self.work_since = 0.0;
        }
        self.last_done = done;
        self.work_since += work;
        let seconds = done.saturating_duration_since(self.measured_from).as_secs_f64();
        if seconds >= SHORTEST_MEASUREMENT {
            let measured = (self.work_since / seconds).clamp(1e8, 1e14);
            self.per_second += 0.5 * (measured - self.per_second);
            self.measured_from = done;
            self.work_since = 0.0;
        }
    }
}

/// Work submitted and not yet known to be done.
#[derive(Debug)]
struct Submission {
    work: f64,
    index: wgpu::SubmissionIndex,
    done: oneshot::Receiver<()>,
}

/// Keeps count of the work on its way.
#[derive(Debug)]
pub(super) struct Pace {
    speed: Arc<Mutex<Speed>>,
    on_the_way: VecDeque<Submission>,
}

impl Pace {
    /// Starts with a guess, before anything was measured.
    pub fn new() -> Self {
        let speed = Speed::new(Instant::now());
        Self { speed: Arc::new(Mutex::new(speed)), on_the_way: VecDeque::new() }
    }

    /// Returns how many of the next dispatches, of so much work each, fill a command buffer, and their work together: as
    /// many as stay within what it may hold, and one at least.
    pub fn next_buffer(&self, works: impl IntoIterator<Item = f64>) -> (usize, f64) {
        let most = self.per_second() * SECONDS_IN_A_BUFFER;
        let (mut count, mut sum) = (0, 0.0);
        for work in works {
            if count > 0 && sum + work > most {
                break;
            }
            count += 1;
            sum += work;
        }
        (count, sum)
    }

    fn per_second(&self) -> f64 {
        self.speed.lock().unwrap_or_else(PoisonError::into_inner).per_second
    }

    /// Submits a command buffer and measures the time that it takes.
    pub fn submit(&mut self, device: &Device, commands: wgpu::CommandBuffer, work: f64) {
        while self.on_the_way.front_mut().is_some_and(|first| finished(&mut first.done)) {
            self.on_the_way.pop_front();
        }
        let (tell, done) = oneshot::channel();
        let speed = Arc::clone(&self.speed);
        let start = Instant::now();
        let index = device.queue.submit([commands]);
        device.queue.on_submitted_work_done(move || {
            let mut speed = speed.lock().unwrap_or_else(PoisonError::into_inner);
            speed.note(work, start, Instant::now());
            // Nobody listens any more where the executor is gone.
            let _ = tell.send(());
        });
        self.on_the_way.push_back(Submission { work, index, done });
    }

    /// Waits until what is on its way takes but a moment.
    pub async fn settle(&mut self, device: &Device) -> crate::error::Result<()> {
        device.poll()?;
        while self.seconds_on_the_way() > SECONDS_ON_THE_WAY {
            let Some(oldest) = self.on_the_way.pop_front() else { break };
            device.wait_for(oldest.index)?;
            // A cancelled callback is a lost device, which the check tells.
            let _ = oldest.done.await;
            device.check()?;
        }
        Ok(())
    }

    fn seconds_on_the_way(&mut self) -> f64 {
        self.on_the_way.retain_mut(|submission| !finished(&mut submission.done));
        self.on_the_way.iter().map(|submission| submission.work).sum::<f64>() / self.per_second()
    }
}

fn finished(done: &mut oneshot::Receiver<()>) -> bool {
    !matches!(done.try_recv(), Ok(None))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::gpu::{device::Shaders, dispatch::Dispatch, fusion};
    use crate::network::{Network, presets::preset};
    use crate::plan::parameters::Parameters;
    use crate::plan::{Optimizer, Plan, PlanOptions, Source};
    use std::time::Duration;

    #[test]
    fn command_buffers_are_bounded_in_work() {
        let preset = preset("residual_34").unwrap();
        let network = Network::new(&preset.text(preset.actions), preset.input, 5).unwrap();
        let parameters = Parameters::new(&network.graph);
        let options = PlanOptions::training(8, Source::Tensor, Optimizer::ADAM);
        let plan = Plan::new(&network.graph, &parameters, &options).unwrap();
        let dispatches: Vec<Dispatch> =
            fusion::dispatches(&plan.calls, 8, Shaders::Tiled).into_iter().flatten().collect();
        let works: Vec<f64> = dispatches.iter().map(|d| d.operations(8)).collect();

        let pace = Pace::new();
        let most = FIRST_GUESS * SECONDS_IN_A_BUFFER;
        let (mut next, mut buffers) = (0, 0);
        while next < works.len() {
            let (count, work) = pace.next_buffer(works[next..].iter().copied());
            assert!(work <= most || count == 1, "{count} dispatches of {work:e} together");
            next += count;
            // No buffer is cut short without need.
            assert!(next == works.len() || work + works[next] > most);
            buffers += 1;
        }
        let all: f64 = works.iter().sum();
        assert!(f64::from(buffers) >= all / most && buffers > 10, "{buffers} for {all:e}");
    }

    #[test]
    fn speed_is_found_though_news_of_work_come_late() {
        // A device of 1e12 operations a second whose news come every 100 ms, kept as busy as the pace allows.
        let start = Instant::now();
        let mut speed = Speed::new(start);
        for tick in 0..40 {
            let at = |tick: u64| start + Duration::from_millis(100 * tick);
            let allowed = (speed.per_second * SECONDS_ON_THE_WAY).min(1e12 * 0.1);
            for _ in 0..10 {
                speed.note(allowed / 10.0, at(tick), at(tick + 1));
            }
        }
        assert!((0.8e12..1.2e12).contains(&speed.per_second), "{:e}", speed.per_second);
    }
}
