//! A run can always be continued: stopped anywhere, saved, opened and resumed, it gives the numbers of a run that never
//! stopped.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

use floret::backend::Backend;
use floret::backend::cpu::CpuBackend;
use floret::data::library::Library;
use floret::data::photo::{Photo, PhotoId, Split};
use floret::error::Error;
use floret::model::Model;
use floret::model_file::ModelFile;
use floret::network::Network;
use floret::recipe::Recipe;
use floret::rng::{Random, Stream};
use floret::shape::Shape;
use floret::train::{Start, Trainer};
use std::collections::BTreeMap;

const INPUT: usize = 16;
const MEMORY: u64 = 1 << 30;
const NETWORK: &str = "['serial', ['conv', {'ksize': 3, 'stride': 2, 'chn': 8, 'actions': 'LAB'}], ['max', {'stride': 2}],
    ['dropout', {'keep_prob': 0.8}], ['noise', {'std': 0.1, 'ratio': 0.5}]]";

/// Photos of two classes, reddish and greenish noise.
fn library() -> Library {
    let stored_size = floret::data::resize::stored_size(INPUT);
    let mut library = Library::new(stored_size, MEMORY).unwrap();
    for number in 0..37u32 {
        let random = Random::new(9, Stream::Test, number, 0);
        let strong = (number % 2) as usize;
        let pixels: Vec<u8> = (0..stored_size * stored_size)
            .flat_map(|pixel| {
                let mut rgb = [0, 1, 2]
                    .map(|channel| (90.0 * random.uniform(3 * pixel as u32 + channel)) as u8);
                rgb[strong] += 70;
                [rgb[0], rgb[1], rgb[2], 255]
            })
            .collect();
        let photo = Photo {
            id: PhotoId::of(&pixels),
            name: format!("{number}.png"),
            label: Some(["rose", "tulip"][strong].into()),
            split: Some(if number < 30 { Split::Train } else { Split::Validation }),
            group: None,
            width: stored_size,
            height: stored_size,
        };
        library.add(photo, &pixels).unwrap();
    }
    library
}

fn recipe() -> Recipe {
    Recipe { epochs: 3, batch_size: 7, ..Recipe::modern() }
}

fn start(library: &Library, recipe: Recipe) -> Start {
    let network = Network::new(NETWORK, Shape::new(INPUT, INPUT, 3), 2).unwrap();
    let model = Box::new(Model::fresh(network, library.classes(), &recipe).unwrap());
    Start::Model { model, recipe, train_from: 0 }
}

fn trainer(library: &Library, start: Start) -> Trainer {
    trainer_on(Box::new(CpuBackend::new(1)), library, start)
}

fn trainer_on(backend: Box<dyn Backend>, library: &Library, start: Start) -> Trainer {
    pollster::block_on(Trainer::new(backend, library, start, MEMORY)).unwrap()
}

/// Losses and accuracies of the finished epochs, to the bit.
fn numbers(trainer: &Trainer) -> Vec<(f64, f64, Option<f64>)> {
    trainer
        .progress()
        .history
        .iter()
        .map(|report| (report.loss, report.accuracy, report.validation_loss))
        .collect()
}

fn finish(trainer: &mut Trainer) {
    while !trainer.progress().finished {
        pollster::block_on(trainer.advance(0.0)).unwrap();
    }
}

#[test]
fn continues_as_if_never_stopped() {
    let library = library();
    let mut whole = trainer(&library, start(&library, recipe()));
    finish(&mut whole);
    assert_eq!(whole.progress().history.len(), 3);
    assert!(
        numbers(&whole)[2].0 < numbers(&whole)[0].0,
        "it does not learn: {:?}",
        numbers(&whole)
    );

    // Steps 1 to 14: in the middle of an epoch, and at the end of one.
    for steps in [1, 5, 8, 12] {
        let mut stopped = trainer(&library, start(&library, recipe()));
        for _ in 0..steps {
            pollster::block_on(stopped.advance(0.0)).unwrap();
        }
        let snapshot = pollster::block_on(stopped.snapshot()).unwrap();
        let file = ModelFile { snapshot, continuable: true, splits: BTreeMap::new() };
        let opened = ModelFile::from_bytes(&file.to_bytes().unwrap()).unwrap();
        assert!(opened == file, "what was opened is not what was saved");
        let mut resumed = trainer(&library, Start::Snapshot(Box::new(opened.snapshot)));
        finish(&mut resumed);
        assert_eq!(numbers(&resumed), numbers(&whole), "stopped after {steps} steps");
    }
}

#[test]
fn the_same_seed_gives_the_same_numbers_and_another_seed_others() {
    let library = library();
    let run = |seed| {
        let mut trainer = trainer(&library, start(&library, Recipe { seed, ..recipe() }));
        finish(&mut trainer);
        numbers(&trainer)
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}

#[test]
fn a_saved_model_answers_alike() {
    let library = library();
    let mut trained = trainer(&library, start(&library, recipe()));
    finish(&mut trained);
    let photos: Vec<usize> = (0..10).collect();
    let before =
        pollster::block_on(trained.classifier().evaluate(&library, &photos, &mut |_| true))
            .unwrap();
    let snapshot = pollster::block_on(trained.snapshot()).unwrap();
    let bytes =
        ModelFile { snapshot, continuable: false, splits: BTreeMap::new() }.to_bytes().unwrap();
    let model = ModelFile::from_bytes(&bytes).unwrap().snapshot.model;
    let classifier = floret::classify::Classifier::new(Box::new(CpuBackend::new(1)), model, MEMORY);
    let mut classifier = pollster::block_on(classifier).unwrap();
    let after = pollster::block_on(classifier.evaluate(&library, &photos, &mut |_| true)).unwrap();
    assert_eq!(before.predictions, after.predictions);
}

#[test]
fn too_little_memory_is_refused_with_the_batch_that_fits() {
    let library = library();
    let start = start(&library, Recipe { batch_size: 4096, ..recipe() });
    let refused =
        pollster::block_on(Trainer::new(Box::new(CpuBackend::new(1)), &library, start, 8 << 20));
    match refused.err() {
        Some(Error::Memory { needed, available, batch_that_fits: Some(batch) }) => {
            assert!(needed > available && batch > 0 && batch < 4096);
        }
        other => panic!("expected a memory error with a batch that fits, found {other:?}"),
    }
}

#[test]
fn files_that_are_damaged_are_refused() {
    let library = library();
    let mut trained = trainer(&library, start(&library, recipe()));
    let snapshot = pollster::block_on(trained.snapshot()).unwrap();
    let bytes =
        ModelFile { snapshot, continuable: true, splits: BTreeMap::new() }.to_bytes().unwrap();
    for cut in [0, 7, 100, bytes.len() / 2, bytes.len() - 1] {
        assert!(
            matches!(ModelFile::from_bytes(&bytes[..cut]), Err(Error::ModelFile { .. })),
            "cut at {cut}"
        );
    }
    let replace = |from: &str, to: &str| {
        let position =
            bytes.windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
        let mut edited = bytes.clone();
        edited[position..position + from.len()].copy_from_slice(to.as_bytes());
        ModelFile::from_bytes(&edited).unwrap_err().to_string()
    };
    assert!(replace("'chn': 8", "'chn': 9").contains("do not belong together"));
    assert!(replace("\"floret\"", "\"flower\"").contains("not written by Floret"));
    let mut not_finite = bytes.clone();
    let end = not_finite.len();
    not_finite[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    assert!(ModelFile::from_bytes(&not_finite).unwrap_err().to_string().contains("holds NaN"));
}

#[cfg(feature = "gpu")]
#[test]
fn a_lost_gpu_costs_nothing_but_the_steps_since_the_last_state() {
    let Some(gpu) = crate::any_gpu::any_gpu() else { return };
    let library = library();
    let mut whole = trainer_on(Box::new(gpu), &library, start(&library, recipe()));
    finish(&mut whole);

    let Some(gpu) = crate::any_gpu::any_gpu() else { return };
    let destroy = gpu.destroyer();
    let mut broken = trainer_on(Box::new(gpu), &library, start(&library, recipe()));
    for _ in 0..6 {
        pollster::block_on(broken.advance(0.0)).unwrap();
    }
    let snapshot = pollster::block_on(broken.snapshot()).unwrap();
    pollster::block_on(broken.advance(0.0)).unwrap();
    destroy();
    let error = pollster::block_on(broken.advance(0.0)).expect_err("the device is gone");
    assert!(matches!(error, Error::DeviceLost { .. }), "{error}");
    drop(broken);

    // On the same adapter: the same numbers to the bit.
    let Some(gpu) = crate::any_gpu::any_gpu() else { return };
    let again = Start::Snapshot(Box::new(snapshot.clone()));
    let mut resumed = trainer_on(Box::new(gpu), &library, again);
    finish(&mut resumed);
    assert_eq!(numbers(&resumed), numbers(&whole));

    // On the CPU, where the GPU stays away: the same run but for rounding.
    let mut rescued = trainer(&library, Start::Snapshot(Box::new(snapshot)));
    finish(&mut rescued);
    for (ours, theirs) in numbers(&rescued).iter().zip(numbers(&whole)) {
        assert!((ours.0 - theirs.0).abs() < 0.05, "{ours:?} on the CPU, {theirs:?} on the GPU");
    }
}
