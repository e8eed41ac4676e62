//! The experiment of the report: inception, plain, residual and bottleneck on the same photos, split, seeds and recipe.

mod chart;
pub mod html;
pub mod markdown;
mod picture;
mod words;

use crate::backend::DeviceName;
use crate::data::library::Library;
use crate::data::photo::{PhotoId, Split};
use crate::data::resize::resize;
use crate::data::split::Ratios;
use crate::error::Result;
use crate::model::metrics::interval::Interval;
use crate::model::metrics::{Evaluation, Prediction};
use crate::recipe::Recipe;
use crate::train::{EpochReport, Trainer};
use serde::Serialize;
use std::collections::BTreeMap;

/// Test photos shown with every model's answer.
const SAMPLES: usize = 6;

/// Pixels a side of a shown photo.
const THUMBNAIL: usize = 96;

/// What the report measured with a model: 10 epochs, batch 10, 4,323 photos, NumPy on a CPU.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Reported {
    /// Ready-made network.
    pub model: &'static str,
    /// Test accuracy.
    pub accuracy: f64,
    /// Training time.
    pub seconds: f64,
}

/// The report's table, with actions LAB, in its order.
pub const REPORTED: [Reported; 4] = [
    Reported { model: "inception_flower", accuracy: 0.306, seconds: 2860.0 },
    Reported { model: "plain_flower", accuracy: 0.358, seconds: 1218.0 },
    Reported { model: "residual_flower", accuracy: 0.463, seconds: 1216.0 },
    Reported { model: "bottleneck_flower", accuracy: 0.420, seconds: 1403.0 },
];

/// One training run of the experiment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Run {
    /// Ready-made network.
    pub model: String,
    /// Seed of weights, order, augmentation and split.
    pub seed: u64,
    /// The textbook's parameter total.
    pub parameters: u64,
    /// Floating-point operations of one photo's forward pass, a multiply-add being two.
    pub flops: u64,
    /// Test accuracy; none where no photos were held back.
    pub accuracy: Option<f64>,
    /// Where it lies on other photos of the same kind, with 95% confidence.
    pub interval: Option<Interval>,
    /// Photos tested.
    pub tested: usize,
    /// Seconds of training, validation included.
    pub seconds: f64,
    /// Epoch by epoch.
    pub history: Vec<EpochReport>,
    /// Its answers on [`Experiment::samples`], in their order; empty where its seed tested other photos.
    pub answers: Vec<Prediction>,
}

/// A test photo that every model was asked about.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sample {
    /// Its identity.
    pub id: PhotoId,
    /// Its file's name.
    pub name: String,
    /// Its class.
    pub truth: usize,
    /// A small picture of it as a data URL.
    pub picture: String,
}

/// A whole experiment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Experiment {
    /// Name of the recipe.
    pub recipe_name: String,
    /// Its settings, the seed being each run's own.
    pub recipe: Recipe,
    /// The device that the last run was on; none before there is one.
    pub device: Option<DeviceName>,
    /// Photos in all.
    pub photos: usize,
    /// Class names.
    pub classes: Vec<String>,
    /// Test photos of the first run.
    pub samples: Vec<Sample>,
    /// Runs, in any order.
    pub runs: Vec<Run>,
    /// How the photos were split, by seed.
    #[serde(skip)]
    splits: BTreeMap<u64, BTreeMap<PhotoId, Split>>,
}

/// A model's line of the table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// Ready-made network.
    pub model: String,
    /// The textbook's parameter total.
    pub parameters: u64,
    /// Floating-point operations of one photo's forward pass.
    pub flops: u64,
    /// Test accuracy of each run.
    pub accuracies: Vec<Option<f64>>,
    /// Their mean; none where no photos were held back.
    pub accuracy: Option<f64>,
    /// Where the accuracy of the first run lies on other photos of the same kind, with 95% confidence.
    pub interval: Option<Interval>,
    /// Median training seconds.
    pub seconds: f64,
    /// The report's figures, for the four models that it trained.
    pub reported: Option<Reported>,
}

impl Experiment {
    /// An experiment without a run.
    pub fn new(recipe_name: &str, recipe: Recipe) -> Self {
        Self {
            recipe_name: recipe_name.into(),
            recipe,
            device: None,
            photos: 0,
            classes: Vec::new(),
            samples: Vec::new(),
            runs: Vec::new(),
            splits: BTreeMap::new(),
        }
    }

    /// Splits photos for a run of that seed: as for the seed's first run, though the photos be kept at another size now.
    ///
    /// # Errors
    /// As [`Library::assign_splits`].
    pub fn split(&mut self, library: &mut Library, seed: u64) -> Result<()> {
        let known = self.splits.entry(seed).or_default();
        library.restore_splits(known);
        library.assign_splits(seed, &Ratios::default())?;
        *known = library.splits();
        Ok(())
    }

    /// Judges a model that has been trained on the photos, and adds its run. The first run chooses the samples.
    ///
    /// # Errors
    /// As [`crate::classify::Classifier::evaluate`].
    pub async fn record(
        &mut self,
        model: &str,
        trainer: &mut Trainer,
        library: &Library,
    ) -> Result<Evaluation> {
        let tested = library.indices(Split::Test);
        let test = trainer.classifier().evaluate(library, &tested, &mut |_| true).await?;
        self.device = Some(trainer.device());
        self.photos = library.all_indices().len();
        self.classes.clone_from(&test.classes);
        if self.runs.is_empty() {
            self.samples = samples(library, &test)?;
        }
        let answer = |sample: &Sample| {
            let photos = library.photos();
            test.predictions.iter().find(|p| photos[p.photo].id == sample.id).cloned()
        };
        let answers: Option<Vec<Prediction>> = self.samples.iter().map(answer).collect();
        let structure = &trainer.classifier().model.network.structure;
        let (parameters, flops) = (structure.parameters, structure.flops);
        let history = trainer.progress().history.clone();
        self.runs.push(Run {
            model: model.into(),
            seed: trainer.recipe().seed,
            parameters,
            flops,
            accuracy: test.accuracy,
            interval: test.interval,
            tested: test.n,
            seconds: history.last().map_or(0.0, |report| report.total_seconds),
            history,
            answers: answers.unwrap_or_default(),
        });
        Ok(test)
    }

    /// The first run of each model.
    fn first_runs(&self) -> Vec<&Run> {
        let lines = self.table();
        let first = |line: &Line| self.runs.iter().find(|run| run.model == line.model);
        lines.iter().filter_map(first).collect()
    }

    /// One line a model, in the order of their first runs.
    pub fn table(&self) -> Vec<Line> {
        let mut lines: Vec<Line> = Vec::new();
        for run in &self.runs {
            if lines.iter().any(|line| line.model == run.model) {
                continue;
            }
            let runs: Vec<&Run> =
                self.runs.iter().filter(|other| other.model == run.model).collect();
            let accuracies: Vec<Option<f64>> = runs.iter().map(|run| run.accuracy).collect();
            let measured: Vec<f64> = accuracies.iter().flatten().copied().collect();
            let mut seconds: Vec<f64> = runs.iter().map(|run| run.seconds).collect();
            seconds.sort_by(f64::total_cmp);
            lines.push(Line {
                model: run.model.clone(),
                parameters: run.parameters,
                flops: run.flops,
                accuracy: (!measured.is_empty())
                    .then(|| measured.iter().sum::<f64>() / measured.len() as f64),
                accuracies,
                interval: run.interval,
                seconds: seconds[seconds.len() / 2],
                reported: REPORTED.into_iter().find(|reported| reported.model == run.model),
            });
        }
        lines
    }
}

/// A few test photos, evenly spaced over the answers.
fn samples(library: &Library, test: &Evaluation) -> Result<Vec<Sample>> {
    let size = library.stored_size();
    let chosen = test.predictions.iter().step_by((test.n / SAMPLES).max(1)).take(SAMPLES);
    chosen
        .map(|prediction| {
            let photo = &library.photos()[prediction.photo];
            let stored = library.photo_pixels(prediction.photo).unwrap_or_default();
            let pixels = resize(stored, size, size, THUMBNAIL.min(size))?;
            Ok(Sample {
                id: photo.id,
                name: photo.name.clone(),
                truth: prediction.truth,
                picture: picture::data_url(&pixels, THUMBNAIL.min(size)),
            })
        })
        .collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn example() -> Experiment {
        let report = |epoch: u32| EpochReport {
            epoch,
            loss: 1.5 / f64::from(epoch),
            accuracy: 0.3 + 0.1 * f64::from(epoch),
            validation_loss: Some(1.4 / f64::from(epoch)),
            validation_accuracy: Some(0.25 + 0.1 * f64::from(epoch)),
            learning_rate: 0.001,
            seconds: 3.0,
            total_seconds: 3.0 * f64::from(epoch),
        };
        let answer = |predicted| Prediction {
            photo: 0,
            truth: 1,
            predicted,
            probabilities: if predicted == 1 { vec![0.2, 0.8] } else { vec![0.97, 0.03] },
            uncalibrated: 0.9,
            outlier: None,
        };
        let run = |model: &str, seed, accuracy| Run {
            model: model.into(),
            seed,
            parameters: 173_637,
            flops: 35_600_000,
            accuracy: Some(accuracy),
            interval: Interval::wilson((550.0 * accuracy) as u32, 550),
            tested: 550,
            seconds: 30.0 + seed as f64,
            history: (1..=4).map(report).collect(),
            answers: if seed == 1 {
                vec![answer(usize::from(model == "residual_flower"))]
            } else {
                Vec::new()
            },
        };
        Experiment {
            device: Some(DeviceName::Cpu { threads: 2 }),
            photos: 3668,
            classes: vec!["<rose>".into(), "tulip".into()],
            samples: vec![Sample {
                id: PhotoId::of(b"a"),
                name: "a|b.jpg".into(),
                truth: 1,
                picture: picture::data_url(&[255; 16], 2),
            }],
            runs: vec![
                run("residual_flower", 1, 0.70),
                run("plain_flower", 1, 0.60),
                run("residual_flower", 2, 0.74),
                run("residual_flower", 3, 0.72),
            ],
            ..Experiment::new("modern", Recipe::modern())
        }
    }

    #[test]
    fn runs_share_split_and_samples_though_photos_change_size() {
        use crate::{
            backend::cpu::CpuBackend, draw, model::Model, network::Network, shape::Shape,
            train::Start,
        };
        use pollster::block_on;

        let recipe = Recipe { epochs: 1, batch_size: 8, ..Recipe::textbook() };
        let mut experiment = Experiment::new("textbook", recipe.clone());
        let mut tested = Vec::new();
        for size in [16, 24] {
            let mut library =
                Library::new(crate::data::resize::stored_size(size), 1 << 24).unwrap();
            draw::fill(&mut library, 1, 12).unwrap();
            experiment.split(&mut library, 1).unwrap();
            let text = format!("['avg', {{'stride': {size}}}]");
            let network = Network::new(&text, Shape::new(size, size, 3), 5).unwrap();
            let model = Box::new(Model::fresh(network, library.classes(), &recipe).unwrap());
            let start = Start::Model { model, recipe: recipe.clone(), train_from: 0 };
            let backend = Box::new(CpuBackend::new(1));
            let mut trainer = block_on(Trainer::new(backend, &library, start, 1 << 28)).unwrap();
            while !block_on(trainer.advance(1e9)).unwrap().finished {}
            let name = format!("model {size}");
            let test = block_on(experiment.record(&name, &mut trainer, &library)).unwrap();
            let mut ids: Vec<PhotoId> =
                test.predictions.iter().map(|p| library.photos()[p.photo].id).collect();
            ids.sort();
            tested.push(ids);
        }
        assert_eq!(tested[0], tested[1]);
        assert_eq!(experiment.samples.len(), SAMPLES);
        for run in &experiment.runs {
            let truths: Vec<usize> = run.answers.iter().map(|answer| answer.truth).collect();
            let expected: Vec<usize> =
                experiment.samples.iter().map(|sample| sample.truth).collect();
            assert_eq!(truths, expected, "{}", run.model);
            assert_eq!((run.parameters, run.tested), (20, tested[0].len()));
        }
    }

    #[test]
    fn runs_without_test_photos_have_no_accuracy() {
        let mut experiment = example();
        for run in &mut experiment.runs {
            (run.accuracy, run.interval, run.tested) = (None, None, 0);
        }
        assert_eq!(experiment.table()[0].accuracy, None);
        let text = markdown::document(&experiment, crate::report::lines::Language::En);
        assert!(text.contains("| residual\\_flower | – |") && !text.contains("0.0%"), "{text}");
        experiment.runs[0].accuracy = Some(0.5);
        experiment.runs[0].interval = Interval::wilson(1, 2);
        let text = markdown::document(&experiment, crate::report::lines::Language::En);
        assert!(text.contains("50.0% (9–91%)"), "{text}");
    }

    #[test]
    fn table_takes_means_and_medians_by_model() {
        let table = example().table();
        assert_eq!(table.len(), 2);
        assert_eq!(table[0].model, "residual_flower");
        assert!((table[0].accuracy.unwrap() - 0.72).abs() < 1e-12);
        assert_eq!(table[0].seconds, 32.0);
        assert_eq!(table[0].reported.unwrap().accuracy, 0.463);
    }
}
