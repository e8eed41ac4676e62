//! The GPU's kernels against the reference, over shapes drawn by proptest, on whatever adapter there is, software included.
#![cfg(feature = "gpu")]

mod any_gpu;
mod kernel_cases;
mod reference;

use any_gpu::any_gpu;
use floret::backend::Backend;
use floret::gpu::GpuBackend;
use floret::kernel::{Call, Extent, Storage, View};
use floret::plan::Plan;
use kernel_cases::Case;
use std::cell::RefCell;

/// A plan of one call, every operand in a workspace buffer of its own.
fn plan_of(case: &Case) -> Plan {
    let lens: Vec<usize> = case.reads.iter().chain(&case.writes).map(Vec::len).collect();
    let views: Vec<View> = lens
        .iter()
        .enumerate()
        .map(|(number, &len)| View::new(Storage::Workspace(number as u32), Extent::Fixed(len)))
        .collect();
    let (reads, writes) = views.split_at(case.reads.len());
    let call = Call { kernel: case.kernel, reads: reads.to_vec(), writes: writes.to_vec() };
    Plan {
        batch_size: case.step.batch_size,
        calls: vec![call],
        forward: 0..1,
        backward: 1..1,
        update: 1..1,
        buffers: lens,
        input: views[0],
        logits: views[0],
        probabilities: views[0],
        kept: Vec::new(),
        shared: Vec::new(),
    }
}

/// What a case's written operands hold after the GPU has run it.
fn run(backend: &mut GpuBackend, case: &Case) -> floret::error::Result<Vec<Vec<f32>>> {
    pollster::block_on(async {
        let plan = plan_of(case);
        let id = backend.load(&plan).await?;
        for (number, numbers) in case.reads.iter().chain(&case.writes).enumerate() {
            let storage = Storage::Workspace(number as u32);
            backend.write(storage, 0, bytemuck::cast_slice(numbers))?;
        }
        backend.run(id, 0..1, &case.step)?;
        let mut written = Vec::new();
        for (index, numbers) in case.writes.iter().enumerate() {
            let storage = Storage::Workspace((case.reads.len() + index) as u32);
            written.push(backend.read(storage, 0, numbers.len()).await?);
        }
        backend.unload(id);
        Ok(written)
    })
}

/// Cases of a kernel; a software adapter compiles each one's shader for a good part of a second.
const CASES: u32 = 16;

#[test]
fn every_kernel_agrees_with_the_reference() {
    let Some(backend) = any_gpu() else { return };
    println!("on {}", backend.name());
    let backend = RefCell::new(backend);
    for family in kernel_cases::families() {
        kernel_cases::check(family.name, CASES, |case| {
            let written = run(&mut backend.borrow_mut(), case).map_err(|e| e.to_string())?;
            case.compare(&written, 1e-4)
        });
    }
}
