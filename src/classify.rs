//! A model on an executor, answering: probabilities of photos, whether they show any of its classes at all, and the
//! report on labelled ones.

pub mod agreement;
mod calibrate;
pub mod others;

use crate::backend::{Backend, PlanId};
use crate::data::augment::SampleTransform;
use crate::data::library::Library;
use crate::data::resize::Preprocessing;
use crate::error::{Error, Result};
use crate::kernel::{CONTRIBUTION, StepInputs, Storage, TRANSFORM, View};
use crate::model::Model;
use crate::model::calibration::temperature::softmax;
use crate::model::calibration::{Outlier, Reading};
use crate::model::metrics::{Evaluation, Prediction, argmax};
use crate::plan::{Plan, PlanOptions, Source};
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
    /// The executor.
    pub backend: Box<dyn Backend>,
    /// Network, classes and preprocessing.
    pub model: Model,
    /// Pages of photos that lie on the executor; one more page behind them is for photos that only pass through.
    pub resident_pages: u32,
    plan: Plan,
    plan_id: PlanId,
}

impl Classifier {
    /// Puts a model on an executor: weights, statistics and the passing page. Averaged weights are used where the model
    /// has them.
    ///
    /// # Errors
    /// [`Error::Memory`] where the evaluation plan needs more than `memory_limit` bytes; device errors.
    pub async fn new(
        mut backend: Box<dyn Backend>,
        model: Model,
        resident_pages: u32,
        memory_limit: u64,
    ) -> Result<Self> {
        let source = Source::Photos {
            pages: resident_pages + 1,
            stored_size: model.preprocessing.stored_size,
        };
        let mut options = PlanOptions::evaluation(EVALUATION_BATCH, source);
        options.averaged = model.averaged.is_some();
        options.keep = vec![model.network.graph.features().0];
        let plan = Plan::within(&model.network.graph, &model.parameters, &options, memory_limit)?;

        let page_len = EVALUATION_BATCH * model.preprocessing.stored_size.pow(2);
        backend.allocate(Storage::Photos(resident_pages), page_len).await?;
        backend.allocate(Storage::Transforms, EVALUATION_BATCH * TRANSFORM).await?;
        let mut arenas =
            vec![(Storage::Weights, &model.weights), (Storage::Statistics, &model.statistics)];
        if let Some(averaged) = &model.averaged {
            arenas.push((Storage::AveragedWeights, &averaged.weights));
            arenas.push((Storage::AveragedStatistics, &averaged.statistics));
        }
        for (storage, numbers) in arenas {
            backend.allocate(storage, numbers.len()).await?;
            backend.write(storage, 0, bytemuck::cast_slice(numbers))?;
        }
        let plan_id = backend.load(&plan).await?;
        Ok(Self { backend, model, resident_pages, plan, plan_id })
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
        for batch in places.chunks(self.plan.batch_size) {
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
        self.backend.write(Storage::Transforms, 0, bytemuck::cast_slice(&records))?;
        let step = StepInputs::without_update(places.len());
        self.backend.run(self.plan_id, self.plan.forward.clone(), &step)?;
        let logits = self.read_view(self.plan.logits, places.len()).await?;
        let channels = self.model.network.graph.features().1;
        let maps = self.read_view(self.plan.kept[0].output, places.len()).await?;
        let readings = logits
            .chunks(self.model.classes.len())
            .zip(maps.chunks(maps.len() / places.len()))
            .map(|(logits, map)| Reading {
                logits: logits.to_vec(),
                features: mean_pixel(map, channels),
            });
        Ok(readings.collect())
    }

    async fn read_view(&mut self, view: View, photos: usize) -> Result<Vec<f32>> {
        self.backend.read(view.storage, view.offset, view.extent.len(photos)).await
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
            self.backend.write(Storage::Photos(page), slot * pixels, photo)?;
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

/// The mean over the pixels of a map `[pixels, channels]`.
fn mean_pixel(map: &[f32], channels: usize) -> Vec<f32> {
    let mut sums = vec![0.0; channels];
    for pixel in map.chunks_exact(channels) {
        sums.iter_mut().zip(pixel).for_each(|(sum, number)| *sum += number);
    }
    let pixels = (map.len() / channels.max(1)).max(1) as f32;
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
