//! A GPU whose memory really gives out in the middle of training: typed errors, and the run goes on as if nothing had been.
//!
//! A software adapter's memory is the process's own, which a limit on its address space makes scarce. So this is a suite of
//! one test: others would share the limit.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]
#![cfg(all(feature = "gpu", target_os = "linux"))]

#[path = "support/any_gpu.rs"]
mod any_gpu;

use any_gpu::any_gpu;
use floret::backend::gpu::GpuBackend;
use floret::backend::{Backend, PlanId};
use floret::error::Error;
use floret::kernel::{METRICS, StepInputs, Storage};
use floret::network::{Network, presets::preset};
use floret::plan::parameters::{KernelInitialisation, Parameters};
use floret::plan::{Optimizer, Plan, PlanOptions, Source};
use pollster::block_on;
use std::process::Command;

const BATCH: usize = 2;
/// More than is left under the limit, and no more than one binding may span.
const PAGE: usize = (64 << 20) / 4;

/// Bytes of this process's address space.
fn address_space() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmSize:")).unwrap();
    1024 * line.trim().trim_end_matches(" kB").parse::<u64>().unwrap()
}

/// Bounds the address space, or lifts the bound.
fn limit(bytes: &str) -> bool {
    let process = std::process::id().to_string();
    let status =
        Command::new("prlimit").args(["--pid", &process, &format!("--as={bytes}:")]).status();
    status.is_ok_and(|status| status.success())
}

struct Training {
    backend: GpuBackend,
    plan: Plan,
    id: PlanId,
    step: u32,
}

impl Training {
    fn start(mut backend: GpuBackend, network: &Network, parameters: &Parameters) -> Self {
        let options = PlanOptions::training(BATCH, Source::Tensor, Optimizer::ADAM);
        let plan = Plan::new(&network.graph, parameters, &options).unwrap();
        for &(storage, len) in &plan.shared {
            block_on(backend.allocate(storage, len)).unwrap();
        }
        let weights = parameters.initial_weights(1, KernelInitialisation::He);
        backend.write(Storage::Weights, 0, bytemuck::cast_slice(&weights)).unwrap();
        backend
            .write(Storage::ParameterFlags, 0, bytemuck::cast_slice(&parameters.flags(0)))
            .unwrap();
        let targets = [1.0_f32, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0];
        backend.write(Storage::Targets, 0, bytemuck::cast_slice(&targets)).unwrap();
        let id = block_on(backend.load(&plan)).unwrap();
        Self { backend, plan, id, step: 0 }
    }

    /// The sums of the loss so far, to the bit, after another step.
    fn step(&mut self) -> Vec<u32> {
        let input = self.plan.input;
        let photos: Vec<f32> = (0..input.extent.len(BATCH)).map(|i| (i % 7) as f32 / 7.0).collect();
        self.backend.write(input.storage, input.offset, bytemuck::cast_slice(&photos)).unwrap();
        let step = StepInputs {
            batch_size: BATCH,
            step: self.step,
            seed: 1,
            learning_rate: 0.001,
            weight_decay: 0.0,
        };
        self.step += 1;
        self.backend.run(self.id, 0..self.plan.calls.len(), &step).unwrap();
        let metrics = block_on(self.backend.read(Storage::Metrics, 0, METRICS)).unwrap();
        metrics.into_iter().map(f32::to_bits).collect()
    }
}

#[test]
fn memory_that_gives_out_in_the_middle_costs_nothing() {
    let (Some(first), Some(second)) = (any_gpu(), any_gpu()) else { return };
    if !first.adapter().software {
        println!(
            "skipped: {} has memory of its own, which a test cannot make scarce",
            first.name()
        );
        return;
    }
    let preset = preset("plain_flower").unwrap();
    let network = Network::new(&preset.text(preset.actions), preset.input, 5).unwrap();
    let parameters = Parameters::new(&network.graph);
    let mut undisturbed = Training::start(first, &network, &parameters);
    let mut training = Training::start(second, &network, &parameters);
    assert_eq!(training.step(), undisturbed.step());

    // A plan with a buffer of nearly as many bytes as a page.
    let large = |batch| {
        let options = PlanOptions::evaluation(batch, Source::Tensor);
        Plan::new(&network.graph, &parameters, &options).unwrap()
    };
    let per_sample = large(1).buffers.into_iter().max().unwrap();
    let large = large(PAGE / per_sample);

    if !limit(&(address_space() + (32 << 20)).to_string()) {
        println!("skipped: prlimit cannot bound this process's memory");
        return;
    }
    // What the driver has set aside is filled first.
    let held = training.backend.bytes();
    let pages = (0..64).map(Storage::Photos);
    let refused =
        pages.map(|page| block_on(training.backend.allocate(page, PAGE))).find_map(Result::err);
    let growth = block_on(training.backend.load(&large)).err();
    assert!(limit("unlimited"));

    match refused {
        Some(Error::Memory { needed, available, .. }) => {
            assert!(needed >= available + 4 * PAGE as u64 && available >= held);
        }
        other => panic!("a page beyond memory must be refused, found {other:?}"),
    }
    match growth {
        Some(Error::Memory { needed, available, batch_that_fits }) => {
            assert!(needed > available);
            assert!(batch_that_fits.is_none_or(|batch| batch < large.batch_size));
        }
        other => panic!("a plan beyond memory must be refused, found {other:?}"),
    }
    for _ in 0..3 {
        assert_eq!(training.step(), undisturbed.step());
    }
}
