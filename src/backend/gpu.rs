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
mod constants;
mod convolution;
mod device;
mod direct;
mod dispatch;
mod fusion;
mod grouped;
mod lower;
mod memory;
mod normalization;
mod pace;
mod pipelines;
mod plans;
mod probe;
mod shaders;
mod uniforms;

pub use device::{AdapterSummary, GpuOptions, offered_adapter};

use crate::backend::{Backend, DeviceName, LocalFuture, PlanId};
use crate::error::{Error, Result};
use crate::kernel::{StepInputs, Storage};
use crate::plan::Plan;
use clock::Clock;
use device::Device;
use memory::{BYTES, Memory, read_buffer};
use pace::Pace;
use pipelines::Pipelines;
use plans::{LoadedPlan, Plans};
use std::ops::Range;
use uniforms::StepUniform;

/// Runs plans on a GPU.
#[derive(Debug)]
pub struct GpuBackend {
    device: Device,
    memory: Memory,
    pipelines: Pipelines,
    pace: Pace,
    uniform: wgpu::Buffer,
    plans: Plans,
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
            plans: Plans::default(),
        })
    }

    /// Returns the adapter in use.
    pub fn adapter(&self) -> &AdapterSummary {
        &self.device.adapter
    }

    /// Returns how many bytes are held on the device.
    pub fn bytes(&self) -> u64 {
        self.memory.bytes()
    }

    /// Returns a function that destroys the device, whoever owns the executor by then, as a driver's reset would: what comes
    /// after it fails with [`Error::DeviceLost`].
    pub fn destroyer(&self) -> impl Fn() + use<> {
        self.device.destroyer()
    }

    async fn load_plan(&mut self, plan: &Plan) -> Result<PlanId> {
        self.device.check()?;
        let Self { device, memory, pipelines, .. } = self;
        let loaded = LoadedPlan::new(device, memory, pipelines, plan).await?;
        Ok(self.plans.insert(loaded))
    }

    /// Makes a range of a plan's calls ready to run: buffers are bound, and what is the step's is on the device.
    fn make_ready(&mut self, plan: PlanId, calls: &Range<usize>, step: &StepInputs) -> Result<()> {
        self.device.check()?;
        let Self { device, memory, uniform, plans, .. } = self;
        let loaded = plans.get_mut(plan)?;
        loaded.bind(device, memory, uniform)?;
        if step.batch_size > loaded.batch_size || calls.end > loaded.calls() {
            return Err(Error::Internal {
                place: "the GPU executor".into(),
                problem: format!(
                    "a batch of {} and calls {calls:?} for a plan of {} and {}",
                    step.batch_size,
                    loaded.batch_size,
                    loaded.calls()
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
        let loaded = plans.get_mut(plan)?;
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
        let loaded = plans.get_mut(plan)?;
        let calls: Vec<usize> = calls.collect();
        let mut seconds = Vec::with_capacity(calls.len());
        for calls in calls.chunks(clock::MOST_CALLS) {
            let mut encoder = device.handle.create_command_encoder(&Default::default());
            for (index, &call) in calls.iter().enumerate() {
                let timestamp_writes = Some(clock.writes(index));
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

    async fn read_elements(
        &mut self,
        storage: Storage,
        offset: usize,
        len: usize,
    ) -> Result<Vec<f32>> {
        self.device.check()?;
        let source = self.memory.range(storage, offset, len)?;
        if len == 0 {
            return Ok(Vec::new());
        }
        let (start, size) = ((offset * BYTES) as u64, (len * BYTES) as u64);
        read_buffer(&self.device, source, start, size, self.memory.bytes()).await
    }
}

impl Backend for GpuBackend {
    fn name(&self) -> DeviceName {
        DeviceName::Gpu { name: self.device.name() }
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
        self.plans.remove(plan);
    }

    fn write(&mut self, storage: Storage, offset: usize, bytes: &[u8]) -> Result<()> {
        self.device.check()?;
        let buffer = self.memory.range(storage, offset, bytes.len().div_ceil(BYTES))?;
        let start = (offset * BYTES) as u64;
        // A write is a whole number of elements; a last odd byte or three are filled up with zeros.
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
        Box::pin(self.read_elements(storage, offset, len))
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

    /// Measures multiply-adds that stay in registers; each counts as two operations.
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
