//! What the probes say agrees with what training does, and from executor to executor.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

use floret::backend::Backend;
use floret::backend::cpu::CpuBackend;
use floret::data::library::Library;
use floret::data::photo::Split;
use floret::data::split::Ratios;
use floret::draw;
#[cfg(feature = "gpu")]
use floret::explain::grad_cam::grad_cam;
use floret::explain::gradients::{LayerGradient, gradient_norms};
use floret::explain::signals::{LayerSignal, layer_signals};
use floret::kernel::Storage;
use floret::model::Model;
use floret::network::Network;
use floret::network::presets::preset;
use floret::recipe::Recipe;
use floret::train::{Start, Trainer};
use pollster::block_on;

const MEMORY: u64 = 1 << 30;

fn library() -> Library {
    let mut library = Library::new(floret::data::resize::stored_size(64), MEMORY).unwrap();
    draw::fill(&mut library, 3, 3).unwrap();
    library.assign_splits(1, &Ratios::default()).unwrap();
    library
}

fn model(library: &Library, recipe: &Recipe) -> Model {
    let preset = preset("residual_flower").unwrap();
    let network = Network::new(&preset.text("LAB"), preset.input, 5).unwrap();
    Model::fresh(network, library.classes(), recipe).unwrap()
}

fn signals(backend: Box<dyn Backend>, model: &Model, library: &Library) -> Vec<LayerSignal> {
    let photos: Vec<(&[u8], usize)> = library
        .indices(Split::Train)
        .into_iter()
        .map(|photo| {
            (library.photo_pixels(photo).unwrap(), model.class_of(library, photo).unwrap())
        })
        .collect();
    block_on(layer_signals(backend, model, &photos, MEMORY)).unwrap()
}

/// Norms of the gradient of the last step's batch, layer by layer; all 0 before the first.
fn norms(trainer: &mut Trainer) -> Vec<LayerGradient> {
    let classifier = trainer.classifier();
    let len = classifier.model.parameters.weights_len;
    let arena = block_on(classifier.device.read(Storage::Gradients, 0, len)).unwrap();
    gradient_norms(&classifier.model, &arena)
}

fn assert_close(found: f64, expected: f64, what: &str) {
    assert!(
        (found - expected).abs() <= 1e-3 * expected.abs().max(1e-6),
        "{what}: {found}, {expected}"
    );
}

#[test]
fn a_probe_sees_the_gradient_that_the_first_step_uses() {
    let library = library();
    // One step shows all training photos, so their order does not matter.
    let batch_size = library.indices(Split::Train).len();
    let recipe = Recipe { batch_size, ..Recipe::textbook() };
    let model = model(&library, &recipe);
    let probed = signals(Box::new(CpuBackend::new(2)), &model, &library);

    let start = Start::Model { model: Box::new(model), recipe, train_from: 0 };
    let mut trainer =
        block_on(Trainer::new(Box::new(CpuBackend::new(2)), &library, start, MEMORY)).unwrap();
    assert!(norms(&mut trainer).iter().all(|layer| layer.norm == 0.0));
    block_on(trainer.advance(0.0)).unwrap();
    let trained = norms(&mut trainer);

    let probed: Vec<&LayerSignal> =
        probed.iter().filter(|signal| signal.gradient_norm.is_some()).collect();
    assert_eq!(probed.len(), trained.len());
    for (probed, trained) in probed.into_iter().zip(trained) {
        assert_eq!(probed.layer, trained.layer);
        assert!(trained.norm > 0.0);
        assert_close(trained.norm, probed.gradient_norm.unwrap(), &trained.layer);
    }
}

#[cfg(feature = "gpu")]
#[test]
fn both_executors_see_the_same() {
    let Some(gpu) = crate::any_gpu::any_gpu() else { return };
    let library = library();
    let model = model(&library, &Recipe::textbook());
    let on_gpu = signals(Box::new(gpu), &model, &library);
    for (found, expected) in
        on_gpu.iter().zip(signals(Box::new(CpuBackend::new(2)), &model, &library))
    {
        let what = &expected.layer;
        assert_close(found.outputs.deviation, expected.outputs.deviation, what);
        assert_close(
            found.gradient_norm.unwrap_or(0.0),
            expected.gradient_norm.unwrap_or(0.0),
            what,
        );
    }
    let Some(gpu) = crate::any_gpu::any_gpu() else { return };
    let photo = library.photo_pixels(0).unwrap();
    let heat = |backend| block_on(grad_cam(backend, model.clone(), photo, 1, MEMORY)).unwrap();
    let (found, expected) = (heat(Box::new(gpu)), heat(Box::new(CpuBackend::new(2))));
    for (found, expected) in found.values.iter().zip(expected.values) {
        assert!((found - expected).abs() < 1e-3, "{found} instead of {expected}");
    }
}
