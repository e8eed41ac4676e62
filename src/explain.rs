//! Looking into a network: what its layers pass forward, what comes back through them, and where an answer comes from.
//!
//! Nothing here changes a model: it is copied to an executor of its own, and plans run without their update calls.

pub mod grad_cam;
pub mod gradients;
pub mod signals;

use crate::backend::Backend;
use crate::backend::resident::{LoadedPlan, Resident};
use crate::classify::{Place, transform_records};
use crate::data::augment::SampleTransform;
use crate::error::{Error, Result, Words};
use crate::kernel::{StepInputs, Storage};
use crate::model::Model;
use crate::plan::{Optimizer, PlanOptions, Source};
use std::ops::Range;

/// A copy of a model on an executor, with one page of photos and a training plan whose update calls never run.
struct Probe {
    device: Resident,
    loaded: LoadedPlan,
    photos: usize,
}

impl Probe {
    /// Puts the model and these photos (square RGBA of its stored size) on the executor. Nodes of `keep` stay readable,
    /// nodes below `train_from` behave as in evaluation.
    ///
    /// # Errors
    /// [`Error::Data`] without a photo, [`Error::Shape`] for a photo of another size, [`Error::Memory`] where it would
    /// take more than `memory_limit` bytes, device errors.
    async fn new(
        backend: Box<dyn Backend>,
        model: &Model,
        photos: &[&[u8]],
        keep: Vec<usize>,
        train_from: usize,
        memory_limit: u64,
    ) -> Result<Self> {
        let stored_size = model.preprocessing.stored_size;
        if photos.is_empty() {
            return Err(Error::Data {
                problem: Words::of("problem.no_photo_to_look_at"),
                remedy: Words::of("remedy.add_labelled_photo"),
            });
        }
        photos.iter().try_for_each(|photo| model.preprocessing.check_stored(photo))?;
        let source = Source::Photos { pages: 1, stored_size };
        let options = PlanOptions {
            keep,
            train_from,
            ..PlanOptions::training(photos.len(), source, Optimizer::ADAM)
        };
        let mut device = Resident::new(backend, memory_limit);
        let plan = device.plan(&model.network.graph, &model.parameters, &options)?;
        device.hold_page(0, &photos.concat()).await?;
        device.hold(Storage::Weights, &model.weights).await?;
        device.hold(Storage::Statistics, &model.statistics).await?;
        let transform = SampleTransform::plain(stored_size, model.preprocessing.input_size);
        let places: Vec<Place> =
            (0..photos.len() as u32).map(|slot| Place { page: 0, slot }).collect();
        device.hold(Storage::Transforms, &transform_records(&places, &transform)).await?;
        let loaded = device.load(plan).await?;
        Ok(Self { device, loaded, photos: photos.len() })
    }

    fn run(&mut self, calls: Range<usize>) -> Result<()> {
        self.device.run(&self.loaded, calls, &StepInputs::without_update(self.photos))
    }
}

/// Checks that a model has a class.
fn check_class(model: &Model, class: usize) -> Result<()> {
    let classes = model.classes.len();
    if class < classes {
        return Ok(());
    }
    let expected = Words::of("expected.class_number").with("high", classes.saturating_sub(1));
    Err(Error::setting(Words::of("name.class"), expected, class))
}

#[cfg(test)]
mod tests {
    use crate::model::Model;
    use crate::network::Network;
    use crate::recipe::Recipe;
    use crate::shape::Shape;

    /// An untrained model for 8 × 8 photos.
    pub(super) fn model(text: &str, classes: usize) -> Model {
        model_of(text, Shape::new(8, 8, 3), classes)
    }

    pub(super) fn model_of(text: &str, input: Shape, classes: usize) -> Model {
        let network = Network::new(text, input, classes).unwrap();
        let names = (0..classes).map(|class| format!("class {class}")).collect();
        Model::fresh(network, names, &Recipe::textbook()).unwrap()
    }

    /// A stored photo for a model, its colours by column and row.
    pub(super) fn photo(model: &Model, colour: impl Fn(usize, usize) -> [u8; 3]) -> Vec<u8> {
        let size = model.preprocessing.stored_size;
        let pixels = (0..size * size).map(|pixel| colour(pixel % size, pixel / size));
        pixels.flat_map(|[red, green, blue]| [red, green, blue, 255]).collect()
    }
}
