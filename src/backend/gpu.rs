//! The GPU executor: the same plans as the CPU executor, as WGSL shaders through wgpu. WebGPU in the page; Vulkan, Metal or
//! DX12 natively.
//!
//! [`GpuBackend::new`] is async and may be called in a worker. A step is dispatches only: nothing is read and nothing
//! waited for until the caller reads.
//!
//! ```no_run
//! # async fn example() -> floret::error::Result<()> {
//! use floret::backend::gpu::{GpuBackend, GpuOptions};
//! let backend = GpuBackend::new(GpuOptions::default()).await?;
//! println!("training on {}", floret::backend::Backend::name(&backend));
//! # Ok(())
//! # }
//! ```

mod clock;
mod convolution;
mod device;
mod direct;
mod dispatch;
mod fusion;
mod memory;
mod normalization;
mod pace;
mod pipelines;
mod probe;
mod shaders;
mod uniforms;

pub use device::{AdapterSummary, GpuOptions, offered_adapter};

use crate::backend::{Backend, LocalFuture, PlanId};
use crate::error::{Error, Result};
use crate::kernel::{StepInputs, Storage};
use crate::plan::Plan;
use clock::Clock;
use device::Device;
use dispatch::{Dispatch, Operand};
use futures_channel::oneshot;
use memory::Memory;
use pace::Pace;
use pipelines::{Pipeline, Pipelines};
use std::ops::Range;
use std::rc::Rc;
use uniforms::StepUniform;

const BYTES: usize = size_of::<f32>();

/// A plan made ready.
#[derive(Debug)]
struct Loaded {
    batch_size: usize,
    dispatches: Vec<Dispatch>,
    pipelines: Vec<Rc<Pipeline>>,
    /// For each call, where its dispatches end.
    ends: Vec<usize>,
    betas: Option<[f32; 2]>,
    /// One a dispatch, made when first run and again when a buffer has changed.
    bind_groups: Vec<wgpu::BindGroup>,
    generation: Option<u64>,
}

/// An executor on a GPU.
#[derive(Debug)]
pub struct GpuBackend {
    device: Device,
    memory: Memory,
    pipelines: Pipelines,
    pace: Pace,
    uniform: wgpu::Buffer,
    plans: Vec<Option<Loaded>>,
}

impl GpuBackend {
    /// Opens a GPU.
    ///
    /// # Errors
    /// [`Error::Device`] where there is no adapter, or only a software one and the options do not allow that: its
    /// `problem` is the reason to show.
    pub async fn new(options: GpuOptions) -> Result<Self> {
        let device = Device::open(&options).await?;
        let usage = wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST;
        let size = size_of::<StepUniform>() as u64;
        let uniform = memory::create_buffer(&device, "step", size, usage, 0).await?;
        Ok(Self {
            device,
            memory: Memory::default(),
            pipelines: Pipelines::default(),
            pace: Pace::new(),
            uniform,
            plans: Vec::new(),
        })
    }

    /// The adapter in use.
    pub fn adapter(&self) -> &AdapterSummary {
        &self.device.adapter
    }

    /// Bytes held on the device.
    pub fn bytes(&self) -> u64 {
        self.memory.bytes()
    }

    /// Destroys the device when called, whoever owns the executor by then, as a driver's reset would: what comes after it
    /// fails with [`Error::DeviceLost`].
    pub fn destroyer(&self) -> impl Fn() + use<> {
        self.device.destroyer()
    }

    async fn load_plan(&mut self, plan: &Plan) -> Result<PlanId> {
        self.device.check()?;
        let mut dispatches = Vec::new();
        let mut ends = Vec::new();
        for of_call in fusion::dispatches(&plan.calls, plan.batch_size, self.device.shaders) {
            dispatches.extend(of_call);
            ends.push(dispatches.len());
        }
        let scratch = dispatches.iter().flat_map(|d| &d.bindings).map(|b| match b.operand {
            Operand::Scratch(len) => len,
            Operand::View(_) => 0,
        });
        let scratch = scratch.max().unwrap_or(0);
        self.grow(plan, scratch).await?;
        let pipelines = self.pipelines.prepare(&self.device, &dispatches).await?;
        self.plans.push(Some(Loaded {
            batch_size: plan.batch_size,
            dispatches,
            pipelines,
            ends,
            betas: plan.calls.iter().find_map(|call| uniforms::betas(&call.kernel)),
            bind_groups: Vec::new(),
            generation: None,
        }));
        Ok(PlanId(self.plans.len() - 1))
    }

    /// Grows the workspace and the scratch buffer; what one binding may span is checked first. A refusal names the batch
    /// that would fit.
    async fn grow(&mut self, plan: &Plan, scratch: usize) -> Result<()> {
        let bytes = |len: usize| (len * BYTES) as u64;
        let largest = bytes(plan.buffers.iter().copied().max().unwrap_or(0).max(scratch));
        let limit = self.device.limits.max_storage_buffer_binding_size;
        if largest > limit {
            let batch_that_fits = batch_that_fits(plan.batch_size, 0, largest, limit);
            return Err(Error::Memory { needed: largest, available: limit, batch_that_fits });
        }
        let grown = self.grow_buffers(plan, scratch).await;
        grown.map_err(|error| match error {
            Error::Memory { available, .. } => {
                let fixed = self.memory.bytes_outside_plans();
                let growing = bytes(plan.buffers.iter().sum::<usize>() + scratch);
                let batch_that_fits = batch_that_fits(plan.batch_size, fixed, growing, available);
                Error::Memory { needed: fixed + growing, available, batch_that_fits }
            }
            other => other,
        })
    }

    async fn grow_buffers(&mut self, plan: &Plan, scratch: usize) -> Result<()> {
        for (number, &len) in plan.buffers.iter().enumerate() {
            self.memory.grow(&self.device, Storage::Workspace(number as u32), len).await?;
        }
        if scratch > 0 {
            self.memory.grow_scratch(&self.device, scratch).await?;
        }
        Ok(())
    }

    /// Makes a plan's bind groups where a buffer has changed since.
    fn bind(&mut self, plan: PlanId) -> Result<()> {
        let Self { device, memory, uniform, plans, .. } = self;
        let loaded = loaded(plans, plan)?;
        if loaded.generation == Some(memory.generation) {
            return Ok(());
        }
        loaded.bind_groups.clear();
        for (dispatch, pipeline) in loaded.dispatches.iter().zip(&loaded.pipelines) {
            let batch_size = loaded.batch_size;
            let group = bind_group(device, memory, uniform, dispatch, pipeline, batch_size)?;
            loaded.bind_groups.push(group);
        }
        loaded.generation = Some(memory.generation);
        Ok(())
    }

    /// Makes a range of a plan's calls ready to run, the step's numbers on the device.
    fn make_ready(&mut self, plan: PlanId, calls: &Range<usize>, step: &StepInputs) -> Result<()> {
        self.device.check()?;
        self.bind(plan)?;
        let Self { device, uniform, plans, .. } = self;
        let loaded = loaded(plans, plan)?;
        if step.batch_size > loaded.batch_size || calls.end > loaded.ends.len() {
            return Err(Error::Internal {
                place: "the GPU executor".into(),
                problem: format!(
                    "a batch of {} and calls {calls:?} for a plan of {} and {}",
                    step.batch_size,
                    loaded.batch_size,
                    loaded.ends.len()
                ),
            });
        }
        let content = StepUniform::new(step, loaded.betas);
        device.queue.write_buffer(uniform, 0, bytemuck::bytes_of(&content));
        Ok(())
    }

    fn run_calls(&mut self, plan: PlanId, calls: Range<usize>, step: &StepInputs) -> Result<()> {
        self.make_ready(plan, &calls, step)?;
        let Self { device, pace, plans, .. } = self;
        let loaded = loaded(plans, plan)?;
        let Range { start: mut next, end: last } = loaded.dispatches_of(calls);
        while next < last {
            let mut encoder = device.handle.create_command_encoder(&Default::default());
            let mut pass = encoder.begin_compute_pass(&Default::default());
            let works = loaded.dispatches[next..last].iter().map(|d| d.operations(step.batch_size));
            let (count, work) = pace.next_buffer(works);
            for dispatch in next..next + count {
                loaded.encode(&mut pass, dispatch, step.batch_size, device);
            }
            next += count;
            drop(pass);
            pace.submit(device, encoder.finish(), work);
        }
        Ok(())
    }

    async fn time_calls(
        &mut self,
        plan: PlanId,
        calls: Range<usize>,
        step: &StepInputs,
    ) -> Result<Option<Vec<f64>>> {
        let Some(clock) = Clock::new(&self.device).await? else { return Ok(None) };
        self.make_ready(plan, &calls, step)?;
        let Self { device, plans, memory, .. } = self;
        let loaded = loaded(plans, plan)?;
        let calls: Vec<usize> = calls.collect();
        let mut seconds = Vec::with_capacity(calls.len());
        for calls in calls.chunks(clock::MOST_CALLS) {
            let mut encoder = device.handle.create_command_encoder(&Default::default());
            for (number, &call) in calls.iter().enumerate() {
                let timestamp_writes = Some(clock.writes(number));
                let descriptor = wgpu::ComputePassDescriptor { label: None, timestamp_writes };
                let mut pass = encoder.begin_compute_pass(&descriptor);
                for dispatch in loaded.dispatches_of(call..call + 1) {
                    loaded.encode(&mut pass, dispatch, step.batch_size, device);
                }
            }
            let (buffer, bytes) = clock.resolve(&mut encoder, calls.len());
            device.queue.submit([encoder.finish()]);
            let stamps = read_buffer(device, buffer, 0, bytes, memory.bytes()).await?;
            seconds.extend(clock::seconds(device, &stamps));
        }
        Ok(Some(seconds))
    }

    async fn read_numbers(
        &mut self,
        storage: Storage,
        offset: usize,
        len: usize,
    ) -> Result<Vec<f32>> {
        self.device.check()?;
        let source = self.memory.stretch(storage, offset, len)?;
        if len == 0 {
            return Ok(Vec::new());
        }
        let (start, size) = ((offset * BYTES) as u64, (len * BYTES) as u64);
        read_buffer(&self.device, source, start, size, self.memory.bytes()).await
    }
}

impl Loaded {
    /// The dispatches of a range of calls.
    fn dispatches_of(&self, calls: Range<usize>) -> Range<usize> {
        let end_of = |call: usize| if call == 0 { 0 } else { self.ends[call - 1] };
        end_of(calls.start)..end_of(calls.end.max(calls.start))
    }

    fn encode(
        &self,
        pass: &mut wgpu::ComputePass<'_>,
        dispatch: usize,
        batch_size: usize,
        device: &Device,
    ) {
        let axis_limit = device.limits.max_compute_workgroups_per_dimension;
        let [x, y, z] = self.dispatches[dispatch].grid.groups(batch_size, axis_limit);
        pass.set_pipeline(&self.pipelines[dispatch].pipeline);
        pass.set_bind_group(0, &self.bind_groups[dispatch], &[]);
        pass.dispatch_workgroups(x, y, z);
    }
}

/// Numbers of a buffer, after all that was submitted; `held` bytes are in use already.
async fn read_buffer<T: bytemuck::Pod>(
    device: &Device,
    source: &wgpu::Buffer,
    start: u64,
    size: u64,
    held: u64,
) -> Result<Vec<T>> {
    let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
    let staging = memory::create_buffer(device, "read", size, usage, held).await?;
    let mut encoder = device.handle.create_command_encoder(&Default::default());
    encoder.copy_buffer_to_buffer(source, start, &staging, 0, size);
    let submission = device.queue.submit([encoder.finish()]);
    let (tell, mapped) = oneshot::channel();
    staging.slice(..).map_async(wgpu::MapMode::Read, move |outcome| {
        // Nobody listens any more where the read was given up.
        let _ = tell.send(outcome);
    });
    device.wait_for(submission)?;
    let outcome = mapped.await;
    device.check()?;
    match outcome {
        Ok(Ok(())) => {}
        Ok(Err(error)) => return Err(device.lost(format!("a read failed: {error}"))),
        Err(_) => return Err(device.lost("a read was given up".into())),
    }
    let view = staging
        .slice(..)
        .get_mapped_range()
        .map_err(|error| device.error(format!("a read failed: {error}")))?;
    let numbers = bytemuck::pod_collect_to_vec::<u8, T>(&view);
    drop(view);
    staging.unmap();
    Ok(numbers)
}

impl Backend for GpuBackend {
    fn name(&self) -> String {
        self.device.adapter.to_string()
    }

    fn allocate(&mut self, storage: Storage, len: usize) -> LocalFuture<'_, Result<()>> {
        Box::pin(async move {
            self.device.check()?;
            self.memory.allocate(&self.device, storage, len).await
        })
    }

    fn load<'a>(&'a mut self, plan: &'a Plan) -> LocalFuture<'a, Result<PlanId>> {
        Box::pin(self.load_plan(plan))
    }

    fn unload(&mut self, plan: PlanId) {
        if let Some(slot) = self.plans.get_mut(plan.0) {
            *slot = None;
        }
    }

    fn write(&mut self, storage: Storage, offset: usize, bytes: &[u8]) -> Result<()> {
        self.device.check()?;
        let buffer = self.memory.stretch(storage, offset, bytes.len().div_ceil(BYTES))?;
        let start = (offset * BYTES) as u64;
        // A write is a whole number of numbers; a last odd byte or three are filled up with zeros.
        let (whole, rest) = bytes.split_at(bytes.len() / BYTES * BYTES);
        self.device.queue.write_buffer(buffer, start, whole);
        if !rest.is_empty() {
            let mut last = [0; BYTES];
            last[..rest.len()].copy_from_slice(rest);
            self.device.queue.write_buffer(buffer, start + whole.len() as u64, &last);
        }
        Ok(())
    }

    fn read(
        &mut self,
        storage: Storage,
        offset: usize,
        len: usize,
    ) -> LocalFuture<'_, Result<Vec<f32>>> {
        Box::pin(self.read_numbers(storage, offset, len))
    }

    fn run(&mut self, plan: PlanId, calls: Range<usize>, step: &StepInputs) -> Result<()> {
        self.run_calls(plan, calls, step)
    }

    fn call_seconds<'a>(
        &'a mut self,
        plan: PlanId,
        calls: Range<usize>,
        step: &'a StepInputs,
    ) -> LocalFuture<'a, Result<Option<Vec<f64>>>> {
        Box::pin(self.time_calls(plan, calls, step))
    }

    /// In multiply-adds alone, which stay in registers; each counts as two.
    fn ceiling(&mut self) -> LocalFuture<'_, Result<Option<f64>>> {
        let Self { device, memory, pipelines, uniform, .. } = self;
        Box::pin(async move {
            probe::multiply_add_rate(device, memory, pipelines, uniform).await.map(Some)
        })
    }

    fn settle(&mut self) -> LocalFuture<'_, Result<()>> {
        Box::pin(self.pace.settle(&self.device))
    }
}

/// The operands of a dispatch, behind the step's numbers.
fn bind_group(
    device: &Device,
    memory: &Memory,
    uniform: &wgpu::Buffer,
    dispatch: &Dispatch,
    pipeline: &Pipeline,
    batch_size: usize,
) -> Result<wgpu::BindGroup> {
    let mut entries =
        vec![wgpu::BindGroupEntry { binding: 0, resource: uniform.as_entire_binding() }];
    for (index, binding) in dispatch.bindings.iter().enumerate() {
        let buffer = memory.binding(device, binding.operand, batch_size)?;
        let resource = wgpu::BindingResource::Buffer(buffer);
        entries.push(wgpu::BindGroupEntry { binding: index as u32 + 1, resource });
    }
    Ok(device.handle.create_bind_group(&wgpu::BindGroupDescriptor {
        label: Some(dispatch.shader),
        layout: &pipeline.layout,
        entries: &entries,
    }))
}

fn loaded(plans: &mut [Option<Loaded>], plan: PlanId) -> Result<&mut Loaded> {
    plans.get_mut(plan.0).and_then(Option::as_mut).ok_or_else(|| Error::Internal {
        place: "the GPU executor".into(),
        problem: format!("plan {} was not loaded", plan.0),
    })
}

/// The largest batch, halved as often as it takes, whose bytes are available, where `fixed` bytes are needed whatever the
/// batch and `growing` bytes at `batch_size`.
fn batch_that_fits(batch_size: usize, fixed: u64, growing: u64, available: u64) -> Option<usize> {
    let bytes = |batch: usize| fixed as f64 + growing as f64 * batch as f64 / batch_size as f64;
    let halves = std::iter::successors(Some(batch_size / 2), |&batch| Some(batch / 2));
    halves.take_while(|&batch| batch > 0).find(|&batch| bytes(batch) <= available as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_batch_that_fits_is_found_by_halving() {
        assert_eq!(batch_that_fits(32, 100, 3200, 1000), Some(8));
        assert_eq!(batch_that_fits(32, 100, 3200, 200), Some(1));
        assert_eq!(batch_that_fits(32, 100, 3200, 150), None);
        assert_eq!(batch_that_fits(1, 0, 100, 10), None);
    }
}
