//! Measures the rate of multiply-adds that a device reaches at best.

use super::constants::Constants;
use super::device::Device;
use super::dispatch::{Dispatch, Grid, Work, write_scratch};
use super::memory::Memory;
use super::pipelines::Pipelines;
use super::plans::bind_group;
use super::shaders::shader;
use super::uniforms::StepUniform;
use crate::error::{Error, Result};
use crate::kernel::{Extent, StepInputs};
use futures_channel::oneshot;
use web_time::Instant;

/// So many invocations are far more than run at once on any device, so that none of it is idle.
const INVOCATIONS: usize = 1 << 20;
const ROUNDS: usize = 128;
/// A round of an invocation has so many operations: 8 chains of 4 multiply-adds.
const ROUND: usize = 8 * 4 * 2;
/// A measurement of so many seconds is not all start-up.
const LONG_ENOUGH: f64 = 0.1;
const MOST_REPEATS: usize = 1 << 12;

/// Measures operations a second, with more and more dispatches until they take long enough.
pub(super) async fn multiply_add_rate(
    device: &Device,
    memory: &mut Memory,
    pipelines: &mut Pipelines,
    uniform: &wgpu::Buffer,
) -> Result<f64> {
    device.check()?;
    memory.grow_scratch(device, 4 * INVOCATIONS).await?;
    let dispatch = Dispatch {
        shader: shader!("probe/multiply_add"),
        entry: "main",
        constants: Constants::default().with("ROUNDS", ROUNDS),
        bindings: vec![write_scratch(4 * INVOCATIONS)],
        grid: Grid::of(Extent::Fixed(INVOCATIONS), 64),
        work: Work::of(Extent::Fixed(INVOCATIONS), (ROUNDS * ROUND) as f64),
    };
    let step = StepInputs::without_update(1);
    device.queue.write_buffer(uniform, 0, bytemuck::bytes_of(&StepUniform::new(&step, None)));
    let dispatches = [dispatch];
    let prepared = pipelines.prepare(device, &dispatches).await?;
    let ([dispatch], [pipeline]) = (&dispatches, prepared.as_slice()) else {
        let place = "the GPU's probe".into();
        return Err(Error::Internal { place, problem: "one pipeline was expected".into() });
    };
    let group = bind_group(device, memory, uniform, dispatch, pipeline, 1)?;
    let axis_limit = device.limits.max_compute_workgroups_per_dimension;
    let [x, y, z] = dispatch.grid.groups(1, axis_limit);
    let mut repeats = 1;
    loop {
        let mut encoder = device.handle.create_command_encoder(&Default::default());
        let mut pass = encoder.begin_compute_pass(&Default::default());
        pass.set_pipeline(&pipeline.pipeline);
        pass.set_bind_group(0, &group, &[]);
        for _ in 0..repeats {
            pass.dispatch_workgroups(x, y, z);
        }
        drop(pass);
        let (tell, done) = oneshot::channel();
        let start = Instant::now();
        let submission = device.queue.submit([encoder.finish()]);
        device.queue.on_submitted_work_done(move || {
            // Nobody listens any more where the measurement was given up.
            let _ = tell.send(());
        });
        device.wait_for(submission)?;
        // A cancelled callback is a lost device, which the check tells.
        let _ = done.await;
        device.check()?;
        let seconds = start.elapsed().as_secs_f64();
        // The first one pays for start-up, whatever it took.
        if repeats > 1 && (seconds >= LONG_ENOUGH || repeats >= MOST_REPEATS) {
            let operations = repeats as f64 * dispatch.work.operations(1);
            return Ok(operations / seconds.max(1e-9));
        }
        repeats *= 2;
    }
}
