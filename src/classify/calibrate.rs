//! A model calibrated on the photos that it was trained with: its temperature, and what tells photos of none of its classes.

use super::{Classifier, EVALUATION_BATCH};
use crate::data::library::Library;
use crate::data::photo::Split;
use crate::draw::{LEARNED_OTHERS, draw_other};
use crate::error::{Error, Result, Words};
use crate::model::calibration::outliers::LEAST_PHOTOS;
use crate::model::calibration::{Calibration, OutlierDetector, Reading, temperature};
use crate::rng::{Random, Stream};

/// Most training photos that the outlier score learns from, taken evenly from the classes.
const KNOWN_PHOTOS: usize = 1000;

/// Most of them that are cut into tiles and shuffled: the colours and edges of a photo, and no flower.
const SHUFFLED_PHOTOS: usize = 400;

/// Tiles a side of a shuffled photo.
const TILES: usize = 8;

/// Drawn pictures of each kind.
const DRAWN_PER_KIND: u32 = 25;

/// Seed of drawings and shuffles.
const SEED: u64 = 1;

/// The shuffles' own number among the drawings, behind those of the kinds.
const SHUFFLES: u32 = 2000;

impl Classifier {
    /// Fits temperature and outlier score. The score learns from training photos, from shuffled ones and from drawn
    /// pictures; temperature and threshold are fitted on validation photos. The model has them from then on.
    /// `progress` hears the pictures done, of how many, and may say `false` to stop.
    ///
    /// # Errors
    /// [`Error::Data`] with fewer than [`LEAST_PHOTOS`] validation photos or without a training photo,
    /// [`Error::Unknown`] for a photo whose label the model does not know, [`Error::Cancelled`], device errors.
    pub async fn calibrate(
        &mut self,
        library: &Library,
        progress: &mut dyn FnMut(usize, usize) -> bool,
    ) -> Result<()> {
        let validation = library.indices(Split::Validation);
        let truths = self.truths(library, &validation)?;
        let training = library.indices(Split::Train);
        let known = evenly(&training, &self.truths(library, &training)?, self.model.classes.len());
        if validation.len() < LEAST_PHOTOS || known.is_empty() {
            return Err(Error::Data {
                problem: Words::of("problem.too_few_to_calibrate")
                    .with("validation", validation.len())
                    .with("training", training.len()),
                remedy: Words::of("remedy.photos_to_calibrate").with("least", LEAST_PHOTOS),
            });
        }
        let size = self.model.preprocessing.stored_size;
        let photo = |&index: &usize| Ok(library.photo_pixels(index).unwrap_or_default().to_vec());
        let stride = known.len().div_ceil(SHUFFLED_PHOTOS);
        let torn: Vec<usize> = known.iter().copied().step_by(stride).collect();
        let drawings = LEARNED_OTHERS.len() * DRAWN_PER_KIND as usize;
        let total = validation.len() + known.len() + torn.len() + drawings;
        let mut done = 0;
        let mut count = |pictures: usize| {
            done += pictures;
            progress(done, total)
        };
        let validation = self.read_each(validation.iter().map(photo), &mut count).await?;
        let known = self.read_each(known.iter().map(photo), &mut count).await?;
        let shuffles = torn.iter().map(|index| {
            Ok(shuffled(library.photo_pixels(*index).unwrap_or_default(), size, *index as u32))
        });
        let drawings = LEARNED_OTHERS.iter().flat_map(|kind| {
            (0..DRAWN_PER_KIND).map(move |index| draw_other(SEED, kind, index, size))
        });
        let mut others = self.read_each(shuffles, &mut count).await?;
        others.extend(self.read_each(drawings, &mut count).await?);

        let samples: Vec<(&[f32], usize)> = validation
            .iter()
            .zip(truths)
            .map(|(reading, truth)| (reading.logits.as_slice(), truth))
            .collect();
        self.model.calibration = Some(Calibration {
            temperature: temperature::fit(&samples),
            outliers: OutlierDetector::fit(&known, &others, &validation),
        });
        Ok(())
    }

    /// Reads pictures batch by batch, so that few of them are in memory at once.
    async fn read_each(
        &mut self,
        pictures: impl Iterator<Item = Result<Vec<u8>>>,
        count: &mut dyn FnMut(usize) -> bool,
    ) -> Result<Vec<Reading>> {
        let mut pictures = pictures.peekable();
        let mut readings = Vec::new();
        while pictures.peek().is_some() {
            let batch = pictures.by_ref().take(EVALUATION_BATCH).collect::<Result<Vec<_>>>()?;
            let places = self.pass_in(&batch)?;
            readings.extend(self.readings(&places).await?);
            if !count(batch.len()) {
                return Err(Error::Cancelled);
            }
        }
        Ok(readings)
    }
}

/// At most [`KNOWN_PHOTOS`] of these photos, as many of each class as there are.
fn evenly(photos: &[usize], truths: &[usize], classes: usize) -> Vec<usize> {
    let share = (KNOWN_PHOTOS / classes.max(1)).max(1);
    let mut taken = vec![0; classes];
    let mut chosen = Vec::new();
    for (&photo, &truth) in photos.iter().zip(truths) {
        if taken[truth] < share && chosen.len() < KNOWN_PHOTOS {
            taken[truth] += 1;
            chosen.push(photo);
        }
    }
    chosen
}

/// A stored photo (`[size, size, 4]` bytes) with its tiles in random order; what is left over at the edges stays.
fn shuffled(photo: &[u8], size: usize, number: u32) -> Vec<u8> {
    let random = Random::new(SEED, Stream::Drawing, SHUFFLES, number);
    let mut order: Vec<usize> = (0..TILES * TILES).collect();
    for last in (1..order.len()).rev() {
        order.swap(last, random.below(last as u32, last as u32 + 1) as usize);
    }
    let (side, mut result) = (size / TILES, photo.to_vec());
    for (to, from) in order.into_iter().enumerate() {
        for row in 0..side {
            let start =
                |tile: usize| 4 * ((tile / TILES * side + row) * size + tile % TILES * side);
            result[start(to)..][..4 * side].copy_from_slice(&photo[start(from)..][..4 * side]);
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_as_many_of_each_class() {
        let truths: Vec<usize> =
            (0..4000).map(|photo| if photo < 3000 { 0 } else { 1 + photo % 3 }).collect();
        let photos: Vec<usize> = (5000..9000).collect();
        let known = evenly(&photos, &truths, 4);
        let of = |class| known.iter().filter(|&&photo| truths[photo - 5000] == class).count();
        assert_eq!([of(0), of(1), of(2), of(3)], [250; 4]);
        assert_eq!(evenly(&photos[..3], &truths[..3], 4), [5000, 5001, 5002]);
    }

    #[test]
    fn shuffling_moves_whole_tiles() {
        let size = 2 * TILES;
        let photo: Vec<u8> = (0..size * size)
            .flat_map(|pixel| [(pixel % size / 2 * TILES + pixel / size / 2) as u8; 4])
            .collect();
        let result = shuffled(&photo, size, 0);
        assert_ne!(result, photo);
        let tile = |x: usize, y: usize| result[4 * (2 * y * size + 2 * x)];
        let mut tiles: Vec<u8> =
            (0..TILES * TILES).map(|number| tile(number % TILES, number / TILES)).collect();
        tiles.sort_unstable();
        assert_eq!(tiles, (0..64).collect::<Vec<u8>>());
        assert_eq!(result[..4], result[4..8]);
    }
}
