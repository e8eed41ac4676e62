//! Whether executors agree: the same model asked about the same photos on each.

use crate::backend::{Backend, DeviceName};
use crate::classify::Classifier;
use crate::error::Result;
use crate::model::Model;
use serde::Serialize;

/// The result of comparing two executors.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Agreement {
    /// The executors, in words.
    pub devices: [DeviceName; 2],
    /// How many photos both were asked about.
    pub photos: usize,
    /// The largest difference between their probabilities, anywhere; infinite where one is no number.
    pub largest_difference: f32,
}

/// Asks a model on two executors about stored photos (square RGBA of the model's stored size).
///
/// # Errors
/// As [`Classifier::new`] and [`Classifier::classify`].
pub async fn compare(
    backends: [Box<dyn Backend>; 2],
    model: &Model,
    photos: &[&[u8]],
    memory_limit: u64,
) -> Result<Agreement> {
    let mut answers = Vec::with_capacity(backends.len());
    let devices = backends.each_ref().map(|backend| backend.name());
    for backend in backends {
        let mut classifier = Classifier::new(backend, model.clone(), memory_limit).await?;
        let found = classifier.classify(photos).await?;
        answers.push(found.into_iter().flat_map(|answer| answer.probabilities).collect::<Vec<_>>());
    }
    let largest_difference = largest_difference(&answers[0], &answers[1]);
    Ok(Agreement { devices, photos: photos.len(), largest_difference })
}

fn largest_difference(one: &[f32], other: &[f32]) -> f32 {
    let differences = one.iter().zip(other).map(|(a, b)| (a - b).abs());
    // `max` would pass over what is no number.
    differences.map(|d| if d.is_nan() { f32::INFINITY } else { d }).fold(0.0, f32::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::cpu::CpuBackend;
    use crate::draw;
    use crate::network::Network;
    use crate::recipe::Recipe;
    use crate::shape::Shape;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn the_largest_difference_is_found_wherever_it_is() {
        assert_eq!(largest_difference(&[0.5, 0.25, 0.25], &[0.5, 0.5, 0.125]), 0.25);
        assert_eq!(largest_difference(&[0.5, f32::NAN], &[0.5, 0.5]), f32::INFINITY);
        assert_eq!(largest_difference(&[], &[]), 0.0);
    }

    #[test]
    fn threads_make_no_difference() {
        let text = "['serial', ['conv', {'ksize': 3, 'chn': 4}], ['avg', {'stride': 4}]]";
        let network = Network::new(text, Shape::new(16, 16, 3), draw::CLASSES.len()).unwrap();
        let classes = draw::CLASSES.map(String::from).to_vec();
        let model = Model::fresh(network, classes, &Recipe::modern()).unwrap();
        let size = model.preprocessing.stored_size;
        let drawn: Vec<Vec<u8>> =
            (0..5).map(|index| draw::draw(1, draw::CLASSES[index], 0, size).unwrap()).collect();
        let photos: Vec<&[u8]> = drawn.iter().map(Vec::as_slice).collect();
        let backends: [Box<dyn Backend>; 2] =
            [Box::new(CpuBackend::new(1)), Box::new(CpuBackend::new(2))];
        let comparing = compare(backends, &model, &photos, 1 << 30);
        // The CPU executor never waits.
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let std::task::Poll::Ready(agreement) = Box::pin(comparing).as_mut().poll(&mut context)
        else {
            panic!("the CPU executor waited")
        };
        let agreement = agreement.unwrap();
        assert_eq!((agreement.photos, agreement.largest_difference), (5, 0.0));
    }
}
