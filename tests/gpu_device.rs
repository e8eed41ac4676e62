//! The GPU executor's manners: choice of adapter, memory, loss of the device.
#![cfg(feature = "gpu")]

mod any_gpu;

use any_gpu::any_gpu;
use floret::backend::Backend;
use floret::error::Error;
use floret::gpu::{GpuBackend, GpuOptions};
use floret::kernel::Storage;
use pollster::block_on;

#[test]
fn a_software_adapter_is_never_taken_unasked() {
    let Some(backend) = any_gpu() else { return };
    let chosen = block_on(GpuBackend::new(GpuOptions::default()));
    if backend.adapter().software {
        let error = chosen.expect_err("the software adapter is refused");
        assert!(matches!(&error, Error::Device { problem, .. } if problem.contains("software")));
    } else {
        assert!(!chosen.expect("a hardware adapter is taken").adapter().software);
    }
}

#[test]
fn storages_hold_what_was_written_and_start_at_zero() {
    let Some(mut backend) = any_gpu() else { return };
    block_on(async {
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
        assert!(matches!(
            backend.write(Storage::Weights, 129, &[0; 8]),
            Err(Error::Internal { .. })
        ));
        assert!(matches!(
            backend.read(Storage::Gradients, 0, 1).await,
            Err(Error::Internal { .. })
        ));
    });
}

#[test]
fn too_much_memory_is_a_refusal_that_names_the_need() {
    let Some(mut backend) = any_gpu() else { return };
    let len = 1_usize << 44;
    match block_on(backend.allocate(Storage::Gradients, len)) {
        Err(Error::Memory { needed, available, .. }) => {
            assert_eq!(needed, 4 * len as u64);
            assert!(available < needed);
        }
        other => panic!("{other:?}"),
    }
    // The device goes on.
    block_on(backend.allocate(Storage::Gradients, 64)).unwrap();
}

#[test]
fn a_destroyed_device_is_an_error_everywhere_and_never_zeros() {
    let Some(mut backend) = any_gpu() else { return };
    block_on(async {
        backend.allocate(Storage::Weights, 64).await.unwrap();
        backend.destroyer()();
        let lost = |error: &Error| matches!(error, Error::DeviceLost { .. });
        assert!(lost(&backend.read(Storage::Weights, 0, 64).await.unwrap_err()));
        assert!(lost(&backend.write(Storage::Weights, 0, &[0; 4]).unwrap_err()));
        assert!(lost(&backend.allocate(Storage::Weights, 64).await.unwrap_err()));
        assert!(lost(&backend.settle().await.unwrap_err()));
    });
}

#[test]
fn the_ceiling_is_measured() {
    let Some(mut backend) = any_gpu() else { return };
    let rate = block_on(backend.multiply_add_rate()).unwrap();
    println!("{}: {rate:.3e} operations a second", backend.name());
    assert!((1e6..1e16).contains(&rate));
}
