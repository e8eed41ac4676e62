//! The batch of a training step: which photos, how each one is transformed, and the targets.

use crate::backend::resident::Resident;
use crate::classify::{Place, write_contribution};
use crate::data::augment::{Augmentation, Draw};
use crate::error::Result;
use crate::kernel::{CONTRIBUTION, Storage, TRANSFORM};
use crate::model::Model;
use crate::recipe::Recipe;
use std::ops::Range;

/// Writes transforms and targets of batches; keeps its buffers from step to step.
pub(super) struct BatchWriter {
    photos: Vec<(Place, usize)>,
    class_weights: Vec<f32>,
    augmentation: Augmentation,
    label_smoothing: f32,
    seed: u64,
    stored_size: usize,
    input_size: usize,
    records: Vec<f32>,
    targets: Vec<f32>,
}

impl BatchWriter {
    /// For training photos, each with its place and class.
    pub(super) fn new(photos: Vec<(Place, usize)>, model: &Model, recipe: &Recipe) -> Self {
        let classes = model.classes.len();
        let class_weights =
            if recipe.class_weights { balanced(&photos, classes) } else { vec![1.0; classes] };
        Self {
            photos,
            class_weights,
            augmentation: recipe.augmentation,
            label_smoothing: recipe.label_smoothing,
            seed: recipe.seed,
            stored_size: model.preprocessing.stored_size,
            input_size: model.preprocessing.input_size,
            records: Vec::new(),
            targets: Vec::new(),
        }
    }

    /// Writes the batch of these positions of an epoch's order.
    pub(super) fn write(
        &mut self,
        device: &mut Resident,
        epoch: u32,
        order: &[usize],
        positions: Range<usize>,
    ) -> Result<()> {
        let classes = self.class_weights.len();
        self.records.clear();
        self.records.resize(positions.len() * TRANSFORM, 0.0);
        self.targets.clear();
        self.targets.resize(positions.len() * (classes + 1), 0.0);
        for (sample, position) in positions.enumerate() {
            let record = &mut self.records[sample * TRANSFORM..][..TRANSFORM];
            let target = &mut self.targets[sample * (classes + 1)..][..classes + 1];
            let mix = self.augmentation.mix(self.seed, epoch, position, order.len());
            let weight = 1.0 - mix.map_or(0.0, |mix| mix.weight);
            let views = [
                Some((position, weight, Draw::photo(self.seed, epoch, position))),
                mix.map(|mix| (mix.partner, mix.weight, Draw::partner(self.seed, epoch, position))),
            ];
            for (contribution, view) in record.chunks_mut(CONTRIBUTION).zip(views) {
                let Some((position, weight, draw)) = view else { continue };
                let (place, class) = self.photos[order[position]];
                let transform = self.augmentation.view(&draw, self.stored_size, self.input_size);
                write_contribution(contribution, place, weight, &transform);
                target[class] += weight * (1.0 - self.label_smoothing);
                target[classes] += weight * self.class_weights[class];
            }
            for probability in &mut target[..classes] {
                *probability += self.label_smoothing / classes as f32;
            }
        }
        device.write(Storage::Transforms, 0, bytemuck::cast_slice(&self.records))?;
        device.write(Storage::Targets, 0, bytemuck::cast_slice(&self.targets))
    }
}

/// Weights that give every class the same sum, with a mean of 1 over the photos.
fn balanced(photos: &[(Place, usize)], classes: usize) -> Vec<f32> {
    let mut counts = vec![0usize; classes];
    for &(_, class) in photos {
        counts[class] += 1;
    }
    let present = counts.iter().filter(|&&count| count > 0).count().max(1);
    let weight = |count: usize| {
        if count == 0 { 0.0 } else { photos.len() as f32 / (present * count) as f32 }
    };
    counts.into_iter().map(weight).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn balanced_weights_have_mean_1_and_equal_sums() {
        let place = Place { page: 0, slot: 0 };
        let photos = [(place, 0), (place, 0), (place, 0), (place, 2)];
        let weights = balanced(&photos, 3);
        assert_eq!(weights[1], 0.0);
        assert!((3.0 * weights[0] - weights[2]).abs() < 1e-6);
        assert!((photos.iter().map(|&(_, class)| weights[class]).sum::<f32>() - 4.0).abs() < 1e-5);
    }
}
