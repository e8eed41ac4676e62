//! Grad-CAM (Selvaraju et al., 2017): which part of a photo speaks for a class.
//!
//! The feature maps of the last layer that still has rows and columns are summed, each weighed by the mean derivative of
//! the class's logit by its pixels; what speaks against the class is cut off.

use super::{Probe, check_class};
use crate::backend::Backend;
use crate::error::{Error, Result, Words};
use crate::model::Model;
use crate::network::graph::Graph;
use ndarray::{ArrayView1, ArrayView3, Axis};
use serde::Serialize;

/// How strongly each part of a photo speaks for a class.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HeatMap {
    /// Class asked about.
    pub class: usize,
    /// Path of the layer whose feature maps were weighed.
    pub layer: String,
    /// Rows of the map; it covers the whole photo.
    pub height: usize,
    /// Columns of the map.
    pub width: usize,
    /// Row by row, 0 to 1; all 0 where nothing speaks for the class.
    pub values: Vec<f32>,
}

/// The node whose outputs are weighed: the last one with more than a pixel.
fn feature_node(graph: &Graph) -> Option<usize> {
    (1..graph.nodes.len()).rev().find(|&node| graph.nodes[node].shape.pixels() > 1)
}

/// The heat map of a class on a photo (square RGBA of the model's stored size), by the weights that answer: the averaged
/// ones where the model has them. The model behaves as in evaluation.
///
/// # Errors
/// [`Error::Setting`] for a class that the model does not have, [`Error::Data`] for a network without feature maps before
/// its last layers, or with batch normalisation behind them; [`Error::Shape`] for a photo of another size,
/// [`Error::Memory`], device errors.
pub async fn grad_cam(
    backend: Box<dyn Backend>,
    mut model: Model,
    photo: &[u8],
    class: usize,
    memory_limit: u64,
) -> Result<HeatMap> {
    model.settle_on_average();
    check_class(&model, class)?;
    let graph = &model.network.graph;
    let unmapped =
        |problem| Error::Data { problem, remedy: Words::of("remedy.network_for_heat_map") };
    let node = feature_node(graph).ok_or_else(|| unmapped(Words::of("problem.no_rows_left")))?;
    let keep = vec![node, graph.output()];
    let mut probe =
        Probe::new(backend, &model, &[photo], keep, graph.nodes.len(), memory_limit).await?;
    let plan = &probe.loaded.plan;
    let [features, logits] = [plan.kept[0], plan.kept[1]];
    let (Some(grad_features), Some(grad_logits)) = (features.gradient, logits.gradient) else {
        return Err(unmapped(Words::of("problem.norm_behind_maps")));
    };
    let (forward, backward) = (plan.forward.clone(), plan.backward.clone());
    probe.run(forward)?;
    // The derivative wanted is the logit's own, not the loss's.
    let mut one_hot = vec![0.0f32; model.classes.len()];
    one_hot[class] = 1.0;
    probe.device.write(grad_logits.storage, grad_logits.offset, bytemuck::cast_slice(&one_hot))?;
    probe.run(backward)?;

    let shape = graph.nodes[node].shape;
    let features = probe.device.value(features.output, 1, shape).await?;
    let derivatives = probe.device.value(grad_features, 1, shape).await?;
    Ok(HeatMap {
        class,
        layer: graph.nodes[node].name.clone(),
        height: shape.height,
        width: shape.width,
        values: weigh(features.index_axis(Axis(0), 0), derivatives.index_axis(Axis(0), 0)),
    })
}

/// The map of features and of the logit's derivatives by them, both `[height, width, channels]`, row by row and scaled to
/// a largest value of 1.
fn weigh(features: ArrayView3<f32>, derivatives: ArrayView3<f32>) -> Vec<f32> {
    let pixels = (derivatives.len_of(Axis(0)) * derivatives.len_of(Axis(1))) as f32;
    let mut weights = vec![0.0; derivatives.len_of(Axis(2))];
    for pixel in derivatives.rows() {
        for (weight, derivative) in weights.iter_mut().zip(pixel) {
            *weight += derivative / pixels;
        }
    }
    let heat = |pixel: ArrayView1<f32>| {
        pixel.iter().zip(&weights).map(|(a, w)| a * w).sum::<f32>().max(0.0)
    };
    let heat: Vec<f32> = features.rows().into_iter().map(heat).collect();
    let largest = heat.iter().copied().fold(0.0, f32::max);
    if largest > 0.0 { heat.into_iter().map(|value| value / largest).collect() } else { heat }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{model, photo};
    use super::*;
    use crate::backend::cpu::CpuBackend;
    use ndarray::arr3;
    use pollster::block_on;

    fn heat(model: &Model, photo: &[u8], class: usize) -> Result<HeatMap> {
        block_on(grad_cam(Box::new(CpuBackend::new(1)), model.clone(), photo, class, 1 << 30))
    }

    #[test]
    fn weighs_maps_by_their_mean_derivative() {
        // Two pixels, two channels: mean derivatives 1 and −2.
        let features = arr3(&[[[4.0, 1.0], [1.0, 2.0]]]);
        let derivatives = arr3(&[[[0.0, -1.0], [2.0, -3.0]]]);
        assert_eq!(weigh(features.view(), derivatives.view()), [1.0, 0.0]);
        let (features, derivatives) = (arr3(&[[[1.0], [1.0]]]), arr3(&[[[-1.0], [-1.0]]]));
        assert_eq!(weigh(features.view(), derivatives.view()), [0.0, 0.0]);
    }

    /// Where average pooling and the head follow, Grad-CAM is CAM (Zhou et al., 2016): feature maps weighed by the head.
    #[test]
    fn equals_class_activation_mapping_where_that_is_defined() {
        let text = "['serial', ['conv', {'ksize': 1, 'chn': 6}], ['avg', {'stride': 8}], ['dropout', {'keep_prob': 0.5}]]";
        let model = model(text, 3);
        let colours =
            |x: usize, y: usize| [(31 * x % 256) as u8, (67 * y % 256) as u8, (x * y) as u8];
        let pixels = photo(&model, colours);
        let size = model.preprocessing.stored_size;
        let scale = size as f32 / 8.0;
        let number = |name: &str, index: usize| {
            let parameter = model.parameters.trained.iter().find(|p| p.name == name).unwrap();
            parameter.view(&model.weights).iter().copied().nth(index).unwrap()
        };
        // Linear sampling between the four stored pixels around each input pixel's centre.
        let input = |x: usize, y: usize, channel: usize| {
            let at = |position: usize| {
                ((position as f32 + 0.5) * scale - 0.5).clamp(0.0, size as f32 - 1.0)
            };
            let (across, down) = (at(x), at(y));
            let (left, top) = (across.floor() as usize, down.floor() as usize);
            let stored = |x: usize, y: usize| {
                f32::from(colours(x.min(size - 1), y.min(size - 1))[channel]) / 127.5 - 1.0
            };
            let (right, low) = (across - left as f32, down - top as f32);
            (1.0 - low) * ((1.0 - right) * stored(left, top) + right * stored(left + 1, top))
                + low * ((1.0 - right) * stored(left, top + 1) + right * stored(left + 1, top + 1))
        };
        for class in 0..3 {
            let map = |x: usize, y: usize| {
                let feature = |channel: usize| {
                    (0..3)
                        .map(|c| input(x, y, c) * number("0.conv.kernel", c * 6 + channel))
                        .sum::<f32>()
                        .max(0.0)
                };
                (0..6)
                    .map(|k| feature(k) * number("head.kernel", k * 3 + class))
                    .sum::<f32>()
                    .max(0.0)
            };
            let expected: Vec<f32> = (0..64).map(|pixel| map(pixel % 8, pixel / 8)).collect();
            let largest = expected.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
            let found = heat(&model, &pixels, class).unwrap();
            assert_eq!((found.height, found.width, found.layer.as_str()), (8, 8, "0.conv"));
            for (found, expected) in found.values.iter().zip(expected) {
                assert!(
                    (found - expected / largest).abs() < 1e-4,
                    "class {class}: {found} for {expected}"
                );
            }
        }
    }

    #[test]
    fn every_flower_model_has_a_map() {
        for preset in crate::network::presets::PRESETS.iter().take(4) {
            let model = super::super::tests::model_of(&preset.text("LAB"), preset.input, 5);
            let pixels = photo(&model, |x, y| [x as u8, y as u8, 7]);
            let map = heat(&model, &pixels, 2).unwrap();
            assert!(
                map.height > 1 && map.values.len() == map.height * map.width,
                "{}",
                preset.name
            );
            assert!(map.values.iter().all(|value| (0.0..=1.0).contains(value)), "{}", preset.name);
        }
    }

    #[test]
    fn networks_without_a_map_say_so() {
        let normalised = model(
            "['serial', ['avg', {'stride': 4}], ['full', {'width': 4, 'actions': 'LAB'}]]",
            2,
        );
        let pixels = photo(&normalised, |_, _| [1, 2, 3]);
        let problem = heat(&normalised, &pixels, 0).unwrap_err().to_string();
        assert!(problem.contains("batch normalisation follows"), "{problem}");
        let flat = model("['avg', {'stride': 8}]", 2);
        assert!(heat(&flat, &pixels, 0).unwrap_err().to_string().contains("rows and columns"));
        assert!(matches!(heat(&flat, &pixels, 2), Err(Error::Setting { .. })));
    }
}
