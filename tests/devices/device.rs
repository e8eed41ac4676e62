//! How the GPU executor chooses an adapter, holds memory and plans, and reports the loss of its device.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

use crate::any_gpu::{device_tests, open_any_gpu};
use floret::backend::Backend;
use floret::backend::gpu::{GpuBackend, GpuOptions};
use floret::error::Error;
use floret::kernel::Storage;
#[cfg(not(target_arch = "wasm32"))]
use floret::{
    kernel::StepInputs,
    network::{Network, presets::preset},
    plan::parameters::Parameters,
    plan::{Plan, PlanOptions, Source},
    shape::Shape,
};

async fn a_software_adapter_is_never_taken_unasked() {
    let Some(backend) = open_any_gpu().await else { return };
    let chosen = GpuBackend::new(GpuOptions::default()).await;
    if backend.adapter().software {
        let error = chosen.expect_err("the software adapter is refused");
        assert!(
            matches!(&error, Error::Device { problem, .. } if problem.key() == "problem.software_adapter")
        );
    } else {
        assert!(!chosen.expect("a hardware adapter is taken").adapter().software);
    }
}

async fn storages_hold_what_was_written_and_start_at_zero() {
    let Some(mut backend) = open_any_gpu().await else { return };
    backend.allocate(Storage::Weights, 130).await.unwrap();
    backend.write(Storage::Weights, 64, bytemuck::cast_slice(&[1.0_f32, 2.0])).unwrap();
    // Bytes need not fill the last number.
    backend.write(Storage::Weights, 128, &[0, 0, 128, 63, 7]).unwrap();
    let numbers = backend.read(Storage::Weights, 62, 68).await.unwrap();
    assert_eq!(numbers[..4], [0.0, 0.0, 1.0, 2.0]);
    assert_eq!(numbers[66], 1.0);
    assert_eq!(numbers[67].to_bits(), 7);
    backend.allocate(Storage::Weights, 130).await.unwrap();
    assert_eq!(backend.read(Storage::Weights, 64, 2).await.unwrap(), [0.0, 0.0]);
    assert!(matches!(backend.write(Storage::Weights, 129, &[0; 8]), Err(Error::Internal { .. })));
    assert!(matches!(backend.read(Storage::Gradients, 0, 1).await, Err(Error::Internal { .. })));
}

#[cfg(not(target_arch = "wasm32"))]
async fn too_much_memory_is_a_refusal_that_names_the_need() {
    let Some(mut backend) = open_any_gpu().await else { return };
    let len = (1_u64 << 44) as usize;
    match backend.allocate(Storage::Gradients, len).await {
        Err(Error::Memory { needed, available, .. }) => {
            assert_eq!(needed, 4 * len as u64);
            assert!(available < needed);
        }
        other => panic!("{other:?}"),
    }
    // The device goes on.
    backend.allocate(Storage::Gradients, 64).await.unwrap();
}

/// Far more samples than one binding spans: refused with a batch that is then taken.
#[cfg(not(target_arch = "wasm32"))]
async fn a_batch_over_the_binding_limit_is_refused_with_one_that_fits() {
    let Some(mut backend) = open_any_gpu().await else { return };
    let preset = preset("plain_flower").unwrap();
    let network = Network::new(&preset.text(preset.actions), preset.input, 5).unwrap();
    let parameters = Parameters::new(&network.graph);
    let plan = |batch_size| {
        let options = PlanOptions::evaluation(batch_size, Source::Tensor);
        Plan::new(&network.graph, &parameters, &options).unwrap()
    };
    let most = 1 << 17;
    let too_large = plan(most);
    let Err(Error::Memory { needed, available, batch_that_fits }) = backend.load(&too_large).await
    else {
        panic!("a buffer over the binding limit must be refused");
    };
    assert!(needed > available);
    let batch = batch_that_fits.expect("a smaller batch fits");
    assert!((1..most).contains(&batch));
    // An eighth of it, for the sake of the machine's memory, which is not what is tested.
    backend.load(&plan((batch / 8).max(1))).await.unwrap();
}

#[cfg(not(target_arch = "wasm32"))]
async fn the_number_of_an_unloaded_plan_is_given_to_the_next_one() {
    let Some(mut backend) = open_any_gpu().await else { return };
    let network = Network::new("['full', {'width': 4}]", Shape::new(2, 2, 1), 3).unwrap();
    let parameters = Parameters::new(&network.graph);
    let options = PlanOptions::evaluation(2, Source::Tensor);
    let plan = Plan::new(&network.graph, &parameters, &options).unwrap();
    let first = backend.load(&plan).await.unwrap();
    let second = backend.load(&plan).await.unwrap();
    assert_ne!(first, second);
    backend.unload(first);
    let step = StepInputs::without_update(2);
    assert!(matches!(backend.run(first, 0..1, &step), Err(Error::Internal { .. })));
    assert_eq!(backend.load(&plan).await.unwrap(), first);
    assert_ne!(backend.load(&plan).await.unwrap(), second);
}

async fn a_destroyed_device_is_an_error_everywhere_and_never_zeros() {
    let Some(mut backend) = open_any_gpu().await else { return };
    backend.allocate(Storage::Weights, 64).await.unwrap();
    backend.destroyer()();
    let lost = |error: &Error| matches!(error, Error::DeviceLost { .. });
    assert!(lost(&backend.read(Storage::Weights, 0, 64).await.unwrap_err()));
    assert!(lost(&backend.write(Storage::Weights, 0, &[0; 4]).unwrap_err()));
    assert!(lost(&backend.allocate(Storage::Weights, 64).await.unwrap_err()));
    assert!(lost(&backend.settle().await.unwrap_err()));
}

#[cfg(not(target_arch = "wasm32"))]
async fn the_ceiling_is_measured() {
    let Some(mut backend) = open_any_gpu().await else { return };
    let rate = backend.ceiling().await.unwrap().expect("a GPU has one");
    println!("{}: {rate:.3e} operations a second", backend.name());
    assert!((1e6..1e16).contains(&rate));
}

device_tests!(
    a_software_adapter_is_never_taken_unasked,
    storages_hold_what_was_written_and_start_at_zero,
    a_destroyed_device_is_an_error_everywhere_and_never_zeros,
);

/// Tests that ask for more than a page's 32 bits can, or that would take its software adapter minutes.
#[cfg(not(target_arch = "wasm32"))]
mod native_only {
    #[test]
    fn too_much_memory_is_a_refusal_that_names_the_need() {
        pollster::block_on(super::too_much_memory_is_a_refusal_that_names_the_need());
    }

    #[test]
    fn a_batch_over_the_binding_limit_is_refused_with_one_that_fits() {
        pollster::block_on(super::a_batch_over_the_binding_limit_is_refused_with_one_that_fits());
    }

    #[test]
    fn the_number_of_an_unloaded_plan_is_given_to_the_next_one() {
        pollster::block_on(super::the_number_of_an_unloaded_plan_is_given_to_the_next_one());
    }

    #[test]
    fn the_ceiling_is_measured() {
        pollster::block_on(super::the_ceiling_is_measured());
    }
}
