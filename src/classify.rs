//! A model on an executor, answering: probabilities of photos, whether they show any of its classes at all, and the
//! report on labelled ones.

pub mod agreement;
mod calibrate;
pub mod others;

use crate::backend::Backend;
use crate::backend::resident::{LoadedPlan, Resident};
use crate::data::augment::SampleTransform;
use crate::data::library::Library;
use crate::data::resize::Preprocessing;
use crate::error::{Error, Result};
use crate::kernel::{CONTRIBUTION, StepInputs, Storage, TRANSFORM};
use crate::model::Model;
use crate::model::calibration::temperature::softmax;
use crate::model::calibration::{Outlier, Reading};
use crate::model::metrics::{Evaluation, Prediction, argmax};
use crate::plan::{PlanOptions, Source};
use ndarray::{ArrayView3, Axis};
use web_time::Instant;

/// Photos classified at once.
pub const EVALUATION_BATCH: usize = 32;

/// A photo that lies on the executor: its page and its slot there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Page of [`Storage::Photos`].
    pub page: u32,
    /// Photo of the page.
    pub slot: u32,
}

/// What a model says of a photo.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// One number a class.
    pub logits: Vec<f32>,
    /// Probability of each class, at the model's temperature.
    pub probabilities: Vec<f32>,
    /// Whether it shows any of them, where the model can tell.
    pub outlier: Option<Outlier>,
}

impl Answer {
    /// The answer to a photo (its number in the library) whose class is known.
    pub fn prediction(self, photo: usize, truth: usize) -> Prediction {
        Prediction {
            photo,
            truth,
            predicted: argmax(&self.probabilities).unwrap_or(0),
            uncalibrated: softmax(&self.logits, 1.0).into_iter().fold(0.0, f32::max),
            probabilities: self.probabilities,
            outlier: self.outlier,
        }
    }
}

/// A model with its executor and an evaluation plan.
pub struct Classifier {
    /// The executor, with the model's arrays.
    pub device: Resident,
    /// Network, classes and preprocessing.
    pub model: Model,
    /// Pages of photos that lie on the executor; one more page behind them is for photos that only pass through.
    pub resident_pages: u32,
    evaluation: LoadedPlan,
}

impl Classifier {
    /// Puts a model on an executor: weights, statistics and the passing page. Averaged weights are used where the model
    /// has them.
    ///
    /// # Errors
    /// [`Error::Memory`] where the evaluation plan needs more than `memory_limit` bytes; device errors.
    pub async fn new(backend: Box<dyn Backend>, model: Model, memory_limit: u64) -> Result<Self> {
        Self::beside(Resident::new(backend, memory_limit), model, 0).await
    }

    /// As [`Self::new`], on an executor that holds `resident_pages` pages of photos already.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub async fn beside(mut device: Resident, model: Model, resident_pages: u32) -> Result<Self> {
        let stored_size = model.preprocessing.stored_size;
        let source = Source::Photos { pages: resident_pages + 1, stored_size };
        let options = PlanOptions {
            averaged: model.averaged.is_some(),
            keep: vec![model.network.graph.features().0],
            ..PlanOptions::evaluation(EVALUATION_BATCH, source)
        };
        let plan = device.plan(&model.network.graph, &model.parameters, &options)?;
        let page = Storage::Photos(resident_pages);
        device.reserve(page, EVALUATION_BATCH * stored_size.pow(2)).await?;
        device.hold(Storage::Weights, &model.weights).await?;
        device.hold(Storage::Statistics, &model.statistics).await?;
        if let Some(averaged) = &model.averaged {
            device.hold(Storage::AveragedWeights, &averaged.weights).await?;
            device.hold(Storage::AveragedStatistics, &averaged.statistics).await?;
        }
        let evaluation = device.load(plan).await?;
        Ok(Self { device, model, resident_pages, evaluation })
    }

    /// Answers to photos that lie on the executor, in order.
    ///
    /// # Errors
    /// Device errors.
    pub async fn answers(&mut self, places: &[Place]) -> Result<Vec<Answer>> {
        let readings = self.readings(places).await?;
        let calibration = self.model.calibration.as_ref();
        let temperature = calibration.map_or(1.0, |calibration| calibration.temperature);
        let answer = |reading: Reading| Answer {
            probabilities: softmax(&reading.logits, temperature),
            outlier: calibration.map(|calibration| calibration.outliers.judge(&reading)),
            logits: reading.logits,
        };
        Ok(readings.into_iter().map(answer).collect())
    }

    /// What the network makes of photos that lie on the executor: the mean over all that the model looks at.
    async fn readings(&mut self, places: &[Place]) -> Result<Vec<Reading>> {
        let mut all = Vec::with_capacity(places.len());
        for batch in places.chunks(self.evaluation.plan.batch_size) {
            let mut views = Vec::new();
            for transform in self.views() {
                views.push(self.run(batch, &transform).await?.into_iter());
            }
            all.extend((0..batch.len()).map(|_| {
                let of_photo: Vec<_> = views.iter_mut().filter_map(Iterator::next).collect();
                Reading::mean(of_photo)
            }));
        }
        Ok(all)
    }

    /// The views of a photo that an answer is the mean over.
    fn views(&self) -> Vec<SampleTransform> {
        let Preprocessing { stored_size, input_size, .. } = self.model.preprocessing;
        let mut sides = vec![SampleTransform::plain(stored_size, input_size)];
        if self.model.mirror {
            sides.push(SampleTransform::mirrored(stored_size, input_size));
        }
        let middles = |&part: &f32| sides.iter().map(move |side| side.middle(part, stored_size));
        self.model.looks.iter().flat_map(middles).collect()
    }

    async fn run(&mut self, places: &[Place], transform: &SampleTransform) -> Result<Vec<Reading>> {
        let records = transform_records(places, transform);
        self.device.write(Storage::Transforms, 0, bytemuck::cast_slice(&records))?;
        let step = StepInputs::without_update(places.len());
        let Self { device, evaluation, .. } = self;
        device.run(evaluation, evaluation.plan.forward.clone(), &step)?;
        let graph = &self.model.network.graph;
        let (logits, kept) = (evaluation.plan.logits, &evaluation.plan.kept[0]);
        let logits = device.value(logits, places.len(), graph.nodes[graph.output()].shape).await?;
        let maps = device.value(kept.output, places.len(), graph.nodes[kept.node].shape).await?;
        let readings = logits.outer_iter().zip(maps.outer_iter()).map(|(logits, map)| Reading {
            logits: logits.iter().copied().collect(),
            features: mean_pixel(map),
        });
        Ok(readings.collect())
    }

    /// Answers to stored photos (square RGBA of the model's stored size), in order.
    ///
    /// # Errors
    /// [`Error::Shape`] for a photo of another size; device errors.
    pub async fn classify(&mut self, photos: &[&[u8]]) -> Result<Vec<Answer>> {
        let mut all = Vec::with_capacity(photos.len());
        for batch in photos.chunks(EVALUATION_BATCH) {
            let places = self.pass_in(batch)?;
            all.extend(self.answers(&places).await?);
        }
        Ok(all)
    }

    /// Writes a batch of stored photos to the passing page.
    fn pass_in(&mut self, batch: &[impl AsRef<[u8]>]) -> Result<Vec<Place>> {
        let pixels = self.model.preprocessing.stored_size.pow(2);
        let page = self.resident_pages;
        for (slot, photo) in batch.iter().enumerate() {
            let photo = photo.as_ref();
            self.model.preprocessing.check_stored(photo)?;
            self.device.write(Storage::Photos(page), slot * pixels, photo)?;
        }
        Ok((0..batch.len() as u32).map(|slot| Place { page, slot }).collect())
    }

    /// The model's class of each of these photos.
    fn truths(&self, library: &Library, photos: &[usize]) -> Result<Vec<usize>> {
        photos.iter().map(|&photo| self.model.class_of(library, photo)).collect()
    }

    /// The report on photos of a library, matched to the model's classes by name; `progress` hears the photos done and
    /// may say `false` to stop.
    ///
    /// # Errors
    /// [`Error::Unknown`] for a photo whose label the model does not know, [`Error::Cancelled`], device errors.
    pub async fn evaluate(
        &mut self,
        library: &Library,
        photos: &[usize],
        progress: &mut dyn FnMut(usize) -> bool,
    ) -> Result<Evaluation> {
        let started = Instant::now();
        let truths = self.truths(library, photos)?;
        let mut predictions = Vec::with_capacity(photos.len());
        for (photos, truths) in photos.chunks(EVALUATION_BATCH).zip(truths.chunks(EVALUATION_BATCH))
        {
            let pixels: Vec<&[u8]> =
                photos.iter().filter_map(|&photo| library.photo_pixels(photo)).collect();
            let answers = self.classify(&pixels).await?;
            for ((&photo, &truth), answer) in photos.iter().zip(truths).zip(answers) {
                predictions.push(answer.prediction(photo, truth));
            }
            if !progress(predictions.len()) {
                return Err(Error::Cancelled);
            }
        }
        Ok(Evaluation::new(&self.model.classes, predictions, started.elapsed().as_secs_f64()))
    }
}

/// The mean over the pixels of a map, `[height, width, channels]`.
fn mean_pixel(map: ArrayView3<f32>) -> Vec<f32> {
    let pixels = (map.len_of(Axis(0)) * map.len_of(Axis(1))).max(1) as f32;
    let mut sums = vec![0.0; map.len_of(Axis(2))];
    for pixel in map.rows() {
        sums.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += value);
    }
    sums.iter_mut().for_each(|sum| *sum /= pixels);
    sums
}

/// A batch of [`Storage::Transforms`] records: each photo alone, all under the same transform.
pub(crate) fn transform_records(places: &[Place], transform: &SampleTransform) -> Vec<f32> {
    let mut records = vec![0.0; places.len() * TRANSFORM];
    for (record, &place) in records.chunks_mut(TRANSFORM).zip(places) {
        write_contribution(&mut record[..CONTRIBUTION], place, 1.0, transform);
    }
    records
}

/// Fills one contribution of a [`Storage::Transforms`] record.
pub(crate) fn write_contribution(
    record: &mut [f32],
    place: Place,
    weight: f32,
    transform: &SampleTransform,
) {
    record[0] = place.page as f32;
    record[1] = place.slot as f32;
    record[2] = weight;
    record[3..9].copy_from_slice(&transform.matrix);
    record[9..21].copy_from_slice(&transform.colour);
    record[21..25].copy_from_slice(&transform.cutout);
}
