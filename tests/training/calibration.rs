//! Calibration from end to end: a trained model learns how far to trust itself, keeps it in its file, and loses it with the
//! next training step.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

use floret::backend::cpu::CpuBackend;
use floret::classify::Classifier;
use floret::data::library::Library;
use floret::data::photo::Split;
use floret::data::split::Ratios;
use floret::draw;
use floret::error::Error;
use floret::model::Model;
use floret::model_file::ModelFile;
use floret::network::Network;
use floret::recipe::Recipe;
use floret::shape::Shape;
use floret::train::{Start, Trainer};
use pollster::block_on;

const TEXT: &str = "['serial', ['conv', {'ksize': 3, 'chn': 8, 'stride': 2, 'actions': 'LAB'}],
    ['conv', {'ksize': 3, 'chn': 16, 'stride': 2, 'actions': 'LAB'}], ['avg', {'stride': 4}]]";
const SIZE: usize = 16;
const MEMORY: u64 = 1 << 30;

fn trainer(per_class: u32) -> (Library, Trainer) {
    let network = Network::new(TEXT, Shape::new(SIZE, SIZE, 3), draw::CLASSES.len()).unwrap();
    let recipe = Recipe { epochs: 4, ..Recipe::textbook() };
    let model = Model::fresh(network, draw::CLASSES.map(String::from).to_vec(), &recipe).unwrap();
    let mut library = Library::new(model.preprocessing.stored_size, MEMORY).unwrap();
    draw::fill(&mut library, 1, per_class).unwrap();
    library.assign_splits(1, &Ratios::default()).unwrap();
    let start = Start::Model { model: Box::new(model), recipe, train_from: 0 };
    let trainer =
        block_on(Trainer::new(Box::new(CpuBackend::new(2)), &library, start, MEMORY)).unwrap();
    (library, trainer)
}

#[test]
fn a_trained_model_is_calibrated_until_it_learns_more() {
    let (library, mut trainer) = trainer(100);
    while trainer.progress().epoch < 3 {
        block_on(trainer.advance(0.0)).unwrap();
    }
    let mut heard = Vec::new();
    let mut progress = |done, total| {
        heard.push((done, total));
        true
    };
    block_on(trainer.classifier().calibrate(&library, &mut progress)).unwrap();
    assert!(heard.is_sorted() && heard.last().is_some_and(|(done, total)| done == total));

    let validation = library.indices(Split::Validation);
    let judged = block_on(trainer.classifier().evaluate(&library, &validation, &mut |_| true));
    // One of the 25 is above the threshold: nineteen of twenty are kept.
    assert_eq!(judged.unwrap().none_of_these, Some(1.0 / 25.0));
    let others = block_on(trainer.classifier().judge_others(2, 4)).unwrap();
    assert!(others.kinds.iter().any(|kind| kind.held_out));

    let test = library.indices(Split::Test);
    let before = block_on(trainer.classifier().evaluate(&library, &test, &mut |_| true)).unwrap();
    assert_ne!(before.reliability, before.uncalibrated);
    let mut snapshot = block_on(trainer.snapshot()).unwrap();
    snapshot.model.settle_on_average();
    let file = ModelFile { snapshot, continuable: false, splits: library.splits() };
    let model = ModelFile::from_bytes(&file.to_bytes().unwrap()).unwrap().snapshot.model;
    let mut opened =
        block_on(Classifier::new(Box::new(CpuBackend::new(1)), model, MEMORY)).unwrap();
    let after = block_on(opened.evaluate(&library, &test, &mut |_| true)).unwrap();
    assert_eq!(after.predictions, before.predictions);

    block_on(trainer.advance(0.0)).unwrap();
    assert_eq!(trainer.classifier().model.calibration, None);
}

#[test]
fn too_few_photos_are_refused_in_words() {
    let (library, mut trainer) = trainer(10);
    let error = block_on(trainer.classifier().calibrate(&library, &mut |_, _| true)).unwrap_err();
    assert!(
        error.to_string().contains("5 validation and 35 training photos are too few"),
        "{error}"
    );
    let error = block_on(trainer.classifier().judge_others(2, 1)).unwrap_err();
    assert!(matches!(error, Error::Data { .. }));
}

#[test]
fn calibrating_stops_when_asked() {
    let (library, mut trainer) = trainer(100);
    let stopped = block_on(trainer.classifier().calibrate(&library, &mut |_, _| false));
    assert_eq!(stopped, Err(Error::Cancelled));
    assert_eq!(trainer.classifier().model.calibration, None);
}
