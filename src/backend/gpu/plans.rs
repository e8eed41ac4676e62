//! Plans made ready: their dispatches with pipelines and bind groups.

use super::device::Device;
use super::dispatch::{Dispatch, Operand};
use super::memory::Memory;
use super::pipelines::{Pipeline, Pipelines};
use super::{fusion, uniforms};
use crate::backend::PlanId;
use crate::error::{Error, Result};
use crate::plan::Plan;
use std::ops::Range;
use std::rc::Rc;

/// A plan that is ready to run.
#[derive(Debug)]
pub(super) struct LoadedPlan {
    pub batch_size: usize,
    pub dispatches: Vec<Dispatch>,
    /// The decays of the plan's optimizer, if that is Adam.
    pub betas: Option<[f32; 2]>,
    pipelines: Vec<Rc<Pipeline>>,
    /// Where the dispatches of each call end.
    ends: Vec<usize>,
    /// One for each dispatch, made when first run and again when a buffer has changed.
    bind_groups: Vec<wgpu::BindGroup>,
    /// The generation of memory that the bind groups were made for.
    generation: Option<u64>,
}

impl LoadedPlan {
    /// Lowers a plan, grows the memory that it needs and compiles its pipelines.
    pub async fn new(
        device: &Device,
        memory: &mut Memory,
        pipelines: &mut Pipelines,
        plan: &Plan,
    ) -> Result<Self> {
        let mut dispatches = Vec::new();
        let mut ends = Vec::new();
        for of_call in fusion::dispatches(&plan.calls, plan.batch_size, device.shaders) {
            dispatches.extend(of_call);
            ends.push(dispatches.len());
        }
        let scratch = dispatches.iter().flat_map(|d| &d.bindings).map(|b| match b.operand {
            Operand::Scratch(len) => len,
            Operand::View(_) => 0,
        });
        memory.grow_for(device, plan, scratch.max().unwrap_or(0)).await?;
        let pipelines = pipelines.prepare(device, &dispatches).await?;
        Ok(Self {
            batch_size: plan.batch_size,
            dispatches,
            betas: plan.calls.iter().find_map(|call| uniforms::betas(&call.kernel)),
            pipelines,
            ends,
            bind_groups: Vec::new(),
            generation: None,
        })
    }

    /// Returns how many calls the plan has.
    pub fn calls(&self) -> usize {
        self.ends.len()
    }

    /// Returns the dispatches of a range of calls.
    pub fn dispatches_of(&self, calls: Range<usize>) -> Range<usize> {
        let end_of = |call: usize| if call == 0 { 0 } else { self.ends[call - 1] };
        end_of(calls.start)..end_of(calls.end.max(calls.start))
    }

    /// Makes the bind groups where a buffer has changed since.
    pub fn bind(&mut self, device: &Device, memory: &Memory, uniform: &wgpu::Buffer) -> Result<()> {
        if self.generation == Some(memory.generation) {
            return Ok(());
        }
        self.bind_groups.clear();
        for (dispatch, pipeline) in self.dispatches.iter().zip(&self.pipelines) {
            let group = bind_group(device, memory, uniform, dispatch, pipeline, self.batch_size)?;
            self.bind_groups.push(group);
        }
        self.generation = Some(memory.generation);
        Ok(())
    }

    /// Writes a dispatch into a pass.
    pub fn encode(
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

/// Binds the operands of a dispatch, behind what changes from step to step.
pub(super) fn bind_group(
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
        label: Some(dispatch.shader.name),
        layout: &pipeline.layout,
        entries: &entries,
    }))
}

/// The plans of an executor, by their numbers; the number of a forgotten plan is given to the next one.
#[derive(Debug, Default)]
pub(super) struct Plans {
    slots: Vec<Option<LoadedPlan>>,
}

impl Plans {
    /// Takes a plan in.
    pub fn insert(&mut self, plan: LoadedPlan) -> PlanId {
        let free = self.slots.iter().position(Option::is_none);
        let slot = free.unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() - 1
        });
        self.slots[slot] = Some(plan);
        PlanId(slot)
    }

    /// Forgets a plan.
    pub fn remove(&mut self, plan: PlanId) {
        if let Some(slot) = self.slots.get_mut(plan.0) {
            *slot = None;
        }
    }

    /// Returns the plan of that number.
    pub fn get_mut(&mut self, plan: PlanId) -> Result<&mut LoadedPlan> {
        self.slots.get_mut(plan.0).and_then(Option::as_mut).ok_or_else(|| Error::Internal {
            place: "the GPU executor".into(),
            problem: format!("plan {} was not loaded", plan.0),
        })
    }
}
