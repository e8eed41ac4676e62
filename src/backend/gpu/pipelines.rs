//! Keeps pipelines, which are compiled once for a shader, an entry point and its constants.

use super::device::Device;
use super::dispatch::Dispatch;
use super::shaders::Shader;
use crate::error::{Result, Words};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::rc::Rc;

#[derive(Debug, PartialEq, Eq, Hash)]
struct Key {
    shader: &'static str,
    entry: &'static str,
    constants: Vec<(&'static str, u64)>,
}

/// A compiled entry point and the layout of its bindings.
#[derive(Debug)]
pub(super) struct Pipeline {
    pub pipeline: wgpu::ComputePipeline,
    pub layout: wgpu::BindGroupLayout,
}

/// The pipelines compiled so far, with the modules and layouts that they share.
#[derive(Debug, Default)]
pub(super) struct Pipelines {
    modules: HashMap<&'static str, wgpu::ShaderModule>,
    layouts: HashMap<Vec<bool>, (wgpu::BindGroupLayout, wgpu::PipelineLayout)>,
    pipelines: HashMap<Key, Rc<Pipeline>>,
}

impl Pipelines {
    /// Compiles the pipelines of some dispatches and returns them in order. A browser compiles beside the page; the future
    /// ends when it has.
    pub async fn prepare(
        &mut self,
        device: &Device,
        dispatches: &[Dispatch],
    ) -> Result<Vec<Rc<Pipeline>>> {
        let scope = device.handle.push_error_scope(wgpu::ErrorFilter::Validation);
        let pipelines = dispatches.iter().map(|dispatch| self.pipeline(device, dispatch)).collect();
        let failure = scope.pop().await;
        device.check()?;
        match failure {
            Some(error) => {
                // What failed must not be found again.
                self.pipelines.clear();
                Err(device.error(Words::of("problem.shader_refused"), error))
            }
            None => pipelines,
        }
    }

    fn pipeline(&mut self, device: &Device, dispatch: &Dispatch) -> Result<Rc<Pipeline>> {
        let constants = dispatch.constants.as_slice();
        let key = Key {
            shader: dispatch.shader.name,
            entry: dispatch.entry,
            constants: constants.iter().map(|&(name, value)| (name, value.to_bits())).collect(),
        };
        if let Some(pipeline) = self.pipelines.get(&key) {
            return Ok(Rc::clone(pipeline));
        }
        let writable: Vec<bool> = dispatch.bindings.iter().map(|b| b.writable).collect();
        let (layout, pipeline_layout) =
            self.layouts.entry(writable).or_insert_with_key(|writable| layouts(device, writable));
        let module = match self.modules.entry(dispatch.shader.name) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(create_module(device, &dispatch.shader)?),
        };
        let pipeline = device.handle.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(dispatch.shader.name),
            layout: Some(pipeline_layout),
            module,
            entry_point: Some(dispatch.entry),
            compilation_options: wgpu::PipelineCompilationOptions {
                constants,
                // Every tile is written before it is read.
                zero_initialize_workgroup_memory: false,
            },
            cache: None,
        });
        let pipeline = Rc::new(Pipeline { pipeline, layout: layout.clone() });
        self.pipelines.insert(key, Rc::clone(&pipeline));
        Ok(pipeline)
    }
}

/// Compiles a shader and its imports as they stand, without the checks that wgpu would add natively; a browser adds its own.
fn create_module(device: &Device, shader: &Shader) -> Result<wgpu::ShaderModule> {
    let descriptor = wgpu::ShaderModuleDescriptor {
        label: Some(shader.name),
        source: wgpu::ShaderSource::Wgsl(shader.text()?.into()),
    };
    let checks = wgpu::ShaderRuntimeChecks {
        bounds_checks: false,
        force_loop_bounding: false,
        ..wgpu::ShaderRuntimeChecks::checked()
    };
    // SAFETY: the text is our own. Every loop counts up to a number known before it. Indices into workgroup memory follow from
    // an invocation's index and from constants, which `convolution::Tile` keeps within bounds (a test goes through all);
    // what is read of buffers is compared with their extent first.
    Ok(unsafe { device.handle.create_shader_module_trusted(descriptor, checks) })
}

/// Makes the layouts of a dispatch's bindings: 0 is what changes from step to step, and the operands follow.
fn layouts(device: &Device, writable: &[bool]) -> (wgpu::BindGroupLayout, wgpu::PipelineLayout) {
    let entry = |binding: usize, ty| wgpu::BindGroupLayoutEntry {
        binding: binding as u32,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer { ty, has_dynamic_offset: false, min_binding_size: None },
        count: None,
    };
    let mut entries = vec![entry(0, wgpu::BufferBindingType::Uniform)];
    for (index, &writable) in writable.iter().enumerate() {
        let ty = wgpu::BufferBindingType::Storage { read_only: !writable };
        entries.push(entry(index + 1, ty));
    }
    let layout = device.handle.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
        label: None,
        entries: &entries,
    });
    let pipeline_layout = device.handle.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: None,
        bind_group_layouts: &[Some(&layout)],
        immediate_size: 0,
    });
    (layout, pipeline_layout)
}
