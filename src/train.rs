//! Training: steps within a time budget, epochs, validation, and a state that can always be continued.
//!
//! Everything random is a pure function of seed and position, so a run continued from [`Trainer::snapshot`] gives the
//! losses that an uninterrupted run gives.

mod batch;

use crate::backend::resident::{LoadedPlan, Resident};
use crate::backend::{Backend, DeviceName};
use crate::classify::{Classifier, Place};
use crate::data::batches::epoch_order;
use crate::data::library::Library;
use crate::data::mirror::Mirroring;
use crate::data::photo::Split;
use crate::error::{Error, Result, Words};
use crate::kernel::{METRICS, StepInputs, Storage};
use crate::model::metrics::Evaluation;
use crate::model::{Averaged, Model};
use crate::ops::lowering::Mode;
use crate::plan::{PlanOptions, Source};
use crate::recipe::Recipe;
use batch::BatchWriter;
use serde::{Deserialize, Serialize};
use web_time::Instant;

/// Sums over the steps of an unfinished epoch.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct EpochSums {
    /// Sum of weighted losses.
    pub loss: f64,
    /// Sum of weights.
    pub weight: f64,
    /// Right answers.
    pub correct: f64,
    /// Photos.
    pub samples: f64,
}

impl EpochSums {
    /// Mean loss so far, `None` before the first photo.
    pub fn mean_loss(&self) -> Option<f64> {
        (self.weight > 0.0).then(|| self.loss / self.weight)
    }

    /// Share of right answers so far.
    pub fn accuracy(&self) -> Option<f64> {
        (self.samples > 0.0).then(|| self.correct / self.samples)
    }
}

/// What one finished epoch gave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EpochReport {
    /// Number of the epoch, from 1.
    pub epoch: u32,
    /// Mean training loss ("cost" in the report).
    pub loss: f64,
    /// Training accuracy, on the augmented photos as they were seen.
    pub accuracy: f64,
    /// Validation loss, where there are validation photos.
    pub validation_loss: Option<f64>,
    /// Validation accuracy.
    pub validation_accuracy: Option<f64>,
    /// Learning rate at the end of the epoch.
    pub learning_rate: f32,
    /// Seconds of this epoch, validation included.
    pub seconds: f64,
    /// Seconds since the run began, pauses left out.
    pub total_seconds: f64,
}

/// Where a run stands; together with weights and moments it is a checkpoint.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Progress {
    /// Steps done.
    pub step: u64,
    /// Steps an epoch.
    pub steps_per_epoch: u64,
    /// The epoch under way, from 0.
    pub epoch: u32,
    /// Its sums so far.
    pub sums: EpochSums,
    /// Seconds spent in the epoch so far.
    pub epoch_seconds: f64,
    /// Finished epochs.
    pub history: Vec<EpochReport>,
    /// Whether the run is over.
    pub finished: bool,
    /// Whether it ended early because validation stopped improving.
    pub stopped_early: bool,
}

/// A run's whole state besides the photos: enough to continue as if nothing had happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// Weights, statistics and their averages.
    pub model: Model,
    /// The optimizer's first moment.
    pub first_moment: Vec<f32>,
    /// The optimizer's second moment; empty for SGD.
    pub second_moment: Vec<f32>,
    /// Settings.
    pub recipe: Recipe,
    /// Position.
    pub progress: Progress,
    /// Nodes below this number are frozen.
    pub train_from: usize,
}

/// How a training run starts.
#[derive(Debug, Clone, PartialEq)]
pub enum Start {
    /// From this model's weights, at step 0, with nodes below `train_from` frozen.
    Model {
        /// The model, fresh or taken over.
        model: Box<Model>,
        /// Settings.
        recipe: Recipe,
        /// 0 trains everything.
        train_from: usize,
    },
    /// Where a snapshot left off.
    Snapshot(Box<Snapshot>),
}

impl From<Start> for Snapshot {
    fn from(start: Start) -> Self {
        match start {
            Start::Snapshot(snapshot) => *snapshot,
            Start::Model { model, recipe, train_from } => Self {
                first_moment: vec![0.0; model.parameters.weights_len],
                second_moment: Vec::new(),
                model: *model,
                recipe,
                progress: Progress::default(),
                train_from,
            },
        }
    }
}

/// A photo that the run learns from or watches.
#[derive(Debug, Clone, Copy)]
struct TrainingPhoto {
    /// Index in the library.
    index: usize,
    place: Place,
    class: usize,
    split: Split,
}

/// A training run on an executor.
pub struct Trainer {
    classifier: Classifier,
    recipe: Recipe,
    train_from: usize,
    training: LoadedPlan,
    writer: BatchWriter,
    validation: Vec<TrainingPhoto>,
    order: Vec<usize>,
    progress: Progress,
}

impl Trainer {
    /// Loads photos, weights and plans on an executor.
    ///
    /// # Errors
    /// [`Error::Setting`] for a recipe out of range, [`Error::Data`] for a library that cannot be trained on,
    /// [`Error::Memory`] where it would take more than `memory_limit` bytes (with the batch that fits), device errors.
    pub async fn new(
        backend: Box<dyn Backend>,
        library: &Library,
        start: Start,
        memory_limit: u64,
    ) -> Result<Self> {
        let mut start = start;
        if let Start::Model { model, recipe, .. } = &mut start {
            if recipe.mirror == Mirroring::Auto {
                recipe.settle_mirroring(&library.mirror()?);
            }
            model.mirror = recipe.mirror == Mirroring::Yes;
        }
        let Snapshot { model, first_moment, second_moment, recipe, mut progress, train_from } =
            start.into();
        recipe.check()?;
        let photos = training_photos(library, &model)?;
        let of = |split| photos.iter().copied().filter(move |photo| photo.split == split);
        let learned: Vec<TrainingPhoto> = of(Split::Train).collect();
        if learned.is_empty() {
            return Err(Error::Data {
                problem: Words::of("problem.no_training_photos"),
                remedy: Words::of("remedy.add_labelled_photos"),
            });
        }
        let pages = library.pages().len() as u32;
        let options = PlanOptions {
            mode: Mode::Training,
            weight_average: recipe.weight_average,
            train_from,
            optimizer: recipe.optimizer,
            ..PlanOptions::evaluation(
                recipe.batch_size,
                Source::Photos { pages, stored_size: model.preprocessing.stored_size },
            )
        };
        let mut device = Resident::new(backend, memory_limit);
        let plan = device.plan(&model.network.graph, &model.parameters, &options)?;
        for (page, bytes) in (0..).zip(library.pages()) {
            device.hold_page(page, bytes).await?;
        }
        let mut classifier = Classifier::beside(device, model, pages).await?;
        let (model, device) = (&classifier.model, &mut classifier.device);
        device.hold(Storage::ParameterFlags, &model.parameters.flags(train_from)).await?;
        device.hold(Storage::FirstMoment, &first_moment).await?;
        let training = device.load(plan).await?;
        if training.plan.shares(Storage::SecondMoment) {
            device.write(Storage::SecondMoment, 0, bytemuck::cast_slice(&second_moment))?;
        }

        progress.steps_per_epoch = learned.len().div_ceil(recipe.batch_size) as u64;
        let order = shuffled(&recipe, progress.epoch, learned.len());
        let validation = of(Split::Validation).collect();
        let learned = learned.iter().map(|photo| (photo.place, photo.class)).collect();
        let writer = BatchWriter::new(learned, model, &recipe);
        Ok(Self { classifier, recipe, train_from, training, writer, validation, order, progress })
    }

    /// Where the run stands.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// The run's settings.
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// The device that it trains on.
    pub fn device(&self) -> DeviceName {
        self.classifier.device.device()
    }

    /// Bytes taken on the executor, photos included.
    pub fn bytes(&self, library: &Library) -> u64 {
        let photos: usize = library.pages().iter().map(Vec::len).sum();
        self.training.plan.bytes() + photos as u64
    }

    /// The classifier with the weights as they are now.
    pub fn classifier(&mut self) -> &mut Classifier {
        &mut self.classifier
    }

    /// Trains until about `budget_ms` milliseconds have passed, the epoch has ended or the run is over; at least a step.
    ///
    /// # Errors
    /// [`Error::Diverged`] where the loss is no longer a number; device errors.
    pub async fn advance(&mut self, budget_ms: f64) -> Result<&Progress> {
        if self.progress.finished {
            return Ok(&self.progress);
        }
        let started = Instant::now();
        let epoch_ended = loop {
            self.step()?;
            let epoch_ended = self.progress.step.is_multiple_of(self.progress.steps_per_epoch);
            if epoch_ended || started.elapsed().as_secs_f64() * 1e3 >= budget_ms {
                break epoch_ended;
            }
            self.classifier.device.settle().await?;
        };
        self.gather_metrics().await?;
        let validation = if epoch_ended { self.validate().await? } else { None };
        self.progress.epoch_seconds += started.elapsed().as_secs_f64();
        if epoch_ended {
            self.end_epoch(validation);
        }
        Ok(&self.progress)
    }

    fn step(&mut self) -> Result<()> {
        // It was fitted to the weights that are about to change.
        self.classifier.model.calibration = None;
        let position =
            (self.progress.step % self.progress.steps_per_epoch) as usize * self.recipe.batch_size;
        let end = (position + self.recipe.batch_size).min(self.order.len());
        let device = &mut self.classifier.device;
        self.writer.write(device, self.progress.epoch, &self.order, position..end)?;
        let steps = self.progress.steps_per_epoch * u64::from(self.recipe.epochs);
        let inputs = StepInputs {
            batch_size: end - position,
            step: self.progress.step as u32,
            seed: self.recipe.seed,
            learning_rate: self.recipe.learning_rate_at(self.progress.step, steps),
            weight_decay: self.recipe.weight_decay,
        };
        device.run(&self.training, 0..self.training.plan.update.end, &inputs)?;
        self.progress.step += 1;
        Ok(())
    }

    async fn gather_metrics(&mut self) -> Result<()> {
        let device = &mut self.classifier.device;
        let metrics = device.read(Storage::Metrics, 0, METRICS).await?;
        device.write(Storage::Metrics, 0, &[0; 4 * METRICS])?;
        let sums = &mut self.progress.sums;
        sums.loss += f64::from(metrics[0]);
        sums.weight += f64::from(metrics[1]);
        sums.correct += f64::from(metrics[2]);
        sums.samples += f64::from(metrics[3]);
        if !metrics[0].is_finite() {
            return Err(Error::Diverged { step: self.progress.step, loss: metrics[0].to_string() });
        }
        Ok(())
    }

    async fn validate(&mut self) -> Result<Option<Evaluation>> {
        if self.validation.is_empty() {
            return Ok(None);
        }
        let started = Instant::now();
        let places: Vec<Place> = self.validation.iter().map(|photo| photo.place).collect();
        let answers = self.classifier.answers(&places).await?;
        let predictions = self
            .validation
            .iter()
            .zip(answers)
            .map(|(photo, answer)| answer.prediction(photo.index, photo.class));
        let classes = &self.classifier.model.classes;
        Ok(Some(Evaluation::new(classes, predictions.collect(), started.elapsed().as_secs_f64())))
    }

    fn end_epoch(&mut self, validation: Option<Evaluation>) {
        let progress = &mut self.progress;
        let steps = progress.steps_per_epoch * u64::from(self.recipe.epochs);
        let before: f64 = progress.history.last().map_or(0.0, |report| report.total_seconds);
        progress.history.push(EpochReport {
            epoch: progress.epoch + 1,
            loss: progress.sums.mean_loss().unwrap_or(0.0),
            accuracy: progress.sums.accuracy().unwrap_or(0.0),
            validation_loss: validation.as_ref().and_then(|evaluation| evaluation.loss),
            validation_accuracy: validation.as_ref().and_then(|evaluation| evaluation.accuracy),
            learning_rate: self.recipe.learning_rate_at(progress.step - 1, steps),
            seconds: progress.epoch_seconds,
            total_seconds: before + progress.epoch_seconds,
        });
        progress.sums = EpochSums::default();
        progress.epoch_seconds = 0.0;
        progress.epoch += 1;
        progress.stopped_early =
            self.recipe.patience.is_some_and(|patience| is_stale(&progress.history, patience));
        progress.finished = progress.epoch >= self.recipe.epochs || progress.stopped_early;
        self.order = shuffled(&self.recipe, progress.epoch, self.order.len());
    }

    /// The model as it is now, read back from the executor.
    ///
    /// # Errors
    /// Device errors.
    pub async fn model(&mut self) -> Result<Model> {
        let mut model = self.classifier.model.clone();
        let (weights_len, statistics_len) =
            (model.parameters.weights_len, model.parameters.statistics_len);
        let device = &mut self.classifier.device;
        model.weights = device.read(Storage::Weights, 0, weights_len).await?;
        model.statistics = device.read(Storage::Statistics, 0, statistics_len).await?;
        if model.averaged.is_some() {
            model.averaged = Some(Averaged {
                weights: device.read(Storage::AveragedWeights, 0, weights_len).await?,
                statistics: device.read(Storage::AveragedStatistics, 0, statistics_len).await?,
            });
        }
        Ok(model)
    }

    /// Reads the whole state back from the executor.
    ///
    /// # Errors
    /// Device errors.
    pub async fn snapshot(&mut self) -> Result<Snapshot> {
        let model = self.model().await?;
        let weights_len = model.parameters.weights_len;
        let device = &mut self.classifier.device;
        let first_moment = device.read(Storage::FirstMoment, 0, weights_len).await?;
        let second_moment = if self.training.plan.shares(Storage::SecondMoment) {
            device.read(Storage::SecondMoment, 0, weights_len).await?
        } else {
            Vec::new()
        };
        let (recipe, progress) = (self.recipe.clone(), self.progress.clone());
        Ok(Snapshot {
            model,
            first_moment,
            second_moment,
            recipe,
            progress,
            train_from: self.train_from,
        })
    }
}

/// The order of an epoch, as positions in the list of training photos.
fn shuffled(recipe: &Recipe, epoch: u32, photos: usize) -> Vec<usize> {
    epoch_order(&(0..photos).collect::<Vec<_>>(), recipe.seed, epoch)
}

fn is_stale(history: &[EpochReport], patience: u32) -> bool {
    let losses: Vec<f64> = history.iter().filter_map(|report| report.validation_loss).collect();
    let best = (0..losses.len())
        .reduce(|best, epoch| if losses[epoch] < losses[best] { epoch } else { best });
    best.is_some_and(|best| losses.len() - 1 - best >= patience as usize)
}

/// Every labelled photo that has a split.
fn training_photos(library: &Library, model: &Model) -> Result<Vec<TrainingPhoto>> {
    let mut photos = Vec::new();
    for (index, photo) in library.photos().iter().enumerate() {
        if let (Some(split), Some(_)) = (photo.split, &photo.label) {
            let (page, slot) = library.place(index);
            let place = Place { page: page as u32, slot: slot as u32 };
            let class = model.class_of(library, index)?;
            photos.push(TrainingPhoto { index, place, class, split });
        }
    }
    Ok(photos)
}
