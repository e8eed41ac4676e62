//! How much work goes into a command buffer, and how much may be on its way to the device.

use super::device::Device;
use futures_channel::oneshot;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use web_time::Instant;

/// Seconds of work in a command buffer at most: watchdogs stop longer ones, and the page's own frames wait for them.
const SECONDS_IN_A_BUFFER: f64 = 0.25;
/// Seconds of work that may be on its way when a caller settles.
const SECONDS_ON_THE_WAY: f64 = 0.1;
/// Floating-point operations a second, before anything was measured: a slow integrated GPU's.
const FIRST_GUESS: f64 = 2e10;

/// The device's speed as measured so far.
#[derive(Debug)]
struct Speed {
    per_second: f64,
    last_done: Instant,
}

/// Work submitted and not yet known to be done.
#[derive(Debug)]
struct Submission {
    work: f64,
    done: oneshot::Receiver<()>,
}

/// Keeps count of the work on its way.
#[derive(Debug)]
pub(super) struct Pace {
    speed: Arc<Mutex<Speed>>,
    on_the_way: VecDeque<Submission>,
}

impl Pace {
    /// Nothing measured yet.
    pub fn new() -> Self {
        let speed = Speed { per_second: FIRST_GUESS, last_done: Instant::now() };
        Self { speed: Arc::new(Mutex::new(speed)), on_the_way: VecDeque::new() }
    }

    /// Operations that a command buffer may hold.
    pub fn work_in_a_buffer(&self) -> f64 {
        self.per_second() * SECONDS_IN_A_BUFFER
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
        device.queue.submit([commands]);
        device.queue.on_submitted_work_done(move || {
            let now = Instant::now();
            let mut speed = speed.lock().unwrap_or_else(PoisonError::into_inner);
            let seconds = (now - start.max(speed.last_done)).as_secs_f64();
            // Short work says more of the way to the device than of the device.
            if seconds > 0.005 {
                let measured = (work / seconds).clamp(1e8, 1e14);
                speed.per_second += 0.5 * (measured - speed.per_second);
            }
            speed.last_done = now;
            // Nobody listens any more where the executor is gone.
            let _ = tell.send(());
        });
        self.on_the_way.push_back(Submission { work, done });
    }

    /// Waits until what is on its way takes but a moment.
    pub async fn settle(&mut self, device: &Device) -> crate::error::Result<()> {
        device.poll(false)?;
        let mut seconds = self.seconds_on_the_way();
        while seconds > SECONDS_ON_THE_WAY {
            device.poll(true)?;
            let Some(oldest) = self.on_the_way.pop_front() else { break };
            // A cancelled callback is a lost device, which the check tells.
            let _ = oldest.done.await;
            device.check()?;
            seconds = self.seconds_on_the_way();
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
