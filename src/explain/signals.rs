//! One batch forward and backward: how widely each layer's outputs spread, and how large a gradient comes back to it.

use super::gradients::gradient_norms;
use super::{Probe, check_class};
use crate::backend::Backend;
use crate::data::library::Library;
use crate::data::photo::Split;
use crate::error::Result;
use crate::kernel::Storage;
use crate::model::Model;
use serde::Serialize;
use std::collections::BTreeMap;

/// What passes through a layer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LayerSignal {
    /// Number of the layer in the structure listing, from 1.
    pub index: usize,
    /// Its path.
    pub layer: String,
    /// `conv`, `max` …
    pub kind: String,
    /// Its outputs over all pixels and channels of the batch.
    pub outputs: Spread,
    /// Euclidean norm of the gradient by its kernel; none without a kernel.
    pub gradient_norm: Option<f64>,
}

/// How values spread.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation.
    pub deviation: f64,
    /// Share of them that is exactly 0: what ReLU has cut off.
    pub zeros: f64,
}

impl Spread {
    /// The spread of these values; all 0 without one.
    pub fn of<'a>(values: impl IntoIterator<Item = &'a f32, IntoIter: Clone>) -> Self {
        let values = values.into_iter();
        let count = values.clone().count().max(1) as f64;
        let mean = values.clone().map(|&value| f64::from(value)).sum::<f64>() / count;
        let squares: f64 = values.clone().map(|&value| (f64::from(value) - mean).powi(2)).sum();
        let zeros = values.filter(|&&value| value == 0.0).count();
        Self { mean, deviation: (squares / count).sqrt(), zeros: zeros as f64 / count }
    }
}

/// Up to `count` training photos to look with, by number: the classes in turn.
pub fn probe_photos(library: &Library, count: usize) -> Vec<usize> {
    let mut by_class: BTreeMap<Option<&str>, Vec<usize>> = BTreeMap::new();
    for index in library.indices(Split::Train) {
        by_class.entry(library.photos()[index].label.as_deref()).or_default().push(index);
    }
    let rounds = by_class.values().map(Vec::len).max().unwrap_or(0);
    let in_turn =
        (0..rounds).flat_map(|round| by_class.values().filter_map(move |class| class.get(round)));
    in_turn.copied().take(count.max(1)).collect()
}

/// Stored pixels and class of these photos, as [`layer_signals`] takes them.
///
/// # Errors
/// [`crate::error::Error::Unknown`] where the model has no class of a photo's label.
pub fn labelled_pixels<'a>(
    model: &Model,
    library: &'a Library,
    photos: &[usize],
) -> Result<Vec<(&'a [u8], usize)>> {
    let pixels = photos.iter().filter_map(|&photo| Some((photo, library.photo_pixels(photo)?)));
    pixels.map(|(photo, pixels)| Ok((pixels, model.class_of(library, photo)?))).collect()
}

/// Sends photos (square RGBA of the stored size, each with its class) through a model as in training: batch statistics,
/// dropout, no augmentation. One entry a layer of the structure listing, from the photo to the logits.
///
/// # Errors
/// [`Data`](crate::error::Error::Data) without a photo, [`Shape`](crate::error::Error::Shape) for a photo of another
/// size, [`Setting`](crate::error::Error::Setting) for a class that the model does not have,
/// [`Memory`](crate::error::Error::Memory), device errors.
pub async fn layer_signals(
    backend: Box<dyn Backend>,
    model: &Model,
    photos: &[(&[u8], usize)],
    memory_limit: u64,
) -> Result<Vec<LayerSignal>> {
    let classes = model.classes.len();
    let mut targets = vec![0.0f32; photos.len() * (classes + 1)];
    for (target, &(_, class)) in targets.chunks_mut(classes + 1).zip(photos) {
        check_class(model, class)?;
        target[class] = 1.0;
        target[classes] = 1.0;
    }
    let rows = || model.network.structure.rows.iter().filter(|row| row.index.is_some());
    let keep: Vec<usize> = rows().map(|row| row.node).collect();
    let pixels: Vec<&[u8]> = photos.iter().map(|(pixels, _)| *pixels).collect();
    let mut probe = Probe::new(backend, model, &pixels, keep, 0, memory_limit).await?;
    probe.device.hold(Storage::Targets, &targets).await?;
    probe.run(0..probe.loaded.plan.backward.end)?;

    let arena = probe.device.read(Storage::Gradients, 0, model.parameters.weights_len).await?;
    let gradients = gradient_norms(model, &arena);
    let mut signals = Vec::new();
    for (row, kept) in rows().zip(probe.loaded.plan.kept.clone()) {
        let shape = model.network.graph.nodes[kept.node].shape;
        let outputs = probe.device.value(kept.output, photos.len(), shape).await?;
        let gradient = gradients.iter().find(|gradient| gradient.layer == row.path);
        signals.push(LayerSignal {
            index: row.index.unwrap_or_default(),
            layer: row.path.clone(),
            kind: row.kind.clone(),
            outputs: Spread::of(&outputs),
            gradient_norm: gradient.map(|gradient| gradient.norm),
        });
    }
    Ok(signals)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{model, photo};
    use super::*;
    use crate::backend::cpu::CpuBackend;
    use crate::error::Error;
    use pollster::block_on;

    fn signals(model: &Model, photos: &[(&[u8], usize)]) -> Vec<LayerSignal> {
        block_on(layer_signals(Box::new(CpuBackend::new(1)), model, photos, 1 << 30)).unwrap()
    }

    #[test]
    fn spread_by_hand() {
        let spread = Spread::of(&[0.0, 0.0, 2.0, -2.0, 5.0]);
        assert_eq!((spread.mean, spread.zeros), (1.0, 0.4));
        assert!((spread.deviation - (28.0f64 / 5.0).sqrt()).abs() < 1e-12);
        assert_eq!(Spread::of(&[] as &[f32]), Spread { mean: 0.0, deviation: 0.0, zeros: 0.0 });
    }

    /// Without activations and for one photo, the gradient by a layer is an outer product, whose norm is a product of
    /// norms: ‖∂L/∂W₂‖ = ‖W₁x‖ ‖p − t‖ and ‖∂L/∂W₁‖ = ‖x‖ ‖W₂ᵀ(p − t)‖.
    #[test]
    fn norms_of_a_linear_network_in_closed_form() {
        let model = model(
            "['serial', ['avg', {'stride': 8}], ['full', {'width': 4, 'actfunc': 'none'}]]",
            3,
        );
        // A photo of one colour stays that colour through resizing and averaging.
        let colour = [204u8, 51, 0];
        let x = colour.map(|byte| f64::from(byte) / 127.5 - 1.0);
        let pixels = photo(&model, |_, _| colour);
        let kernel = |name: &str, row: usize, column: usize| {
            let kernel = model.parameters.trained.iter().find(|p| p.name == name).unwrap();
            f64::from(model.weights[kernel.offset + row * kernel.spec.shape[1] + column])
        };
        let hidden: Vec<f64> = (0..4)
            .map(|column| (0..3).map(|row| x[row] * kernel("1.full.kernel", row, column)).sum())
            .collect();
        let exponentials: Vec<f64> = (0..3)
            .map(|class| {
                (0..4).map(|row| hidden[row] * kernel("head.kernel", row, class)).sum::<f64>().exp()
            })
            .collect();
        let sum: f64 = exponentials.iter().sum();
        let slope: Vec<f64> = (0..3)
            .map(|class| exponentials[class] / sum - f64::from(u8::from(class == 1)))
            .collect();
        let back: Vec<f64> = (0..4)
            .map(|row| (0..3).map(|class| slope[class] * kernel("head.kernel", row, class)).sum())
            .collect();
        let norm =
            |numbers: &[f64]| numbers.iter().map(|number| number * number).sum::<f64>().sqrt();
        let expected = [norm(&x) * norm(&back), norm(&hidden) * norm(&slope)];

        let signals = signals(&model, &[(&pixels, 1)]);
        let found: Vec<f64> = signals.iter().filter_map(|signal| signal.gradient_norm).collect();
        assert_eq!(
            signals.iter().map(|signal| signal.kind.as_str()).collect::<Vec<_>>(),
            ["avg", "full", "full"]
        );
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-4 * expected, "{found} instead of {expected}");
        }
        let hidden_spread = Spread::of(&hidden.iter().map(|&h| h as f32).collect::<Vec<_>>());
        assert!((signals[1].outputs.deviation - hidden_spread.deviation).abs() < 1e-4);
    }

    #[test]
    fn outputs_are_read_after_all_actions() {
        let with = |actions: &str| {
            let text = format!(
                "['serial', ['conv', {{'ksize': 3, 'chn': 8, 'actions': '{actions}'}}], ['avg', {{'stride': 8}}]]"
            );
            let model = model(&text, 2);
            let pixels = photo(&model, |x, y| [(40 * x) as u8, (20 * y) as u8, 90]);
            signals(&model, &[(&pixels, 0), (&pixels, 1)]).remove(0).outputs
        };
        let (relu, normalised) = (with("LA"), with("LAB"));
        assert!(relu.zeros > 0.1 && relu.mean > 0.0);
        assert!(normalised.mean.abs() < 1e-3 && normalised.zeros < relu.zeros);
    }

    #[test]
    fn the_photos_to_look_with_take_the_classes_in_turn() {
        let mut library = Library::new(16, 1 << 20).unwrap();
        crate::draw::fill(&mut library, 1, 8).unwrap();
        library.assign_splits(1, &crate::data::split::Ratios::default()).unwrap();
        let label = |photo: &usize| library.photos()[*photo].label.clone().unwrap();
        let chosen: Vec<String> = probe_photos(&library, 7).iter().map(label).collect();
        let classes = library.classes();
        assert_eq!(chosen[..5], classes);
        assert_eq!(chosen[5..], classes[..2]);
    }

    #[test]
    fn classes_and_photos_that_do_not_fit_are_refused() {
        let model = model("['avg', {'stride': 8}]", 2);
        let pixels = photo(&model, |_, _| [0, 0, 0]);
        let refused = |photos: &[(&[u8], usize)]| {
            block_on(layer_signals(Box::new(CpuBackend::new(1)), &model, photos, 1 << 30))
                .unwrap_err()
        };
        assert!(matches!(refused(&[(&pixels, 2)]), Error::Setting { .. }));
        assert!(matches!(refused(&[(&pixels[4..], 0)]), Error::Shape { .. }));
        assert!(matches!(refused(&[]), Error::Data { .. }));
    }
}
