//! How large the gradient is that reaches each layer: the measure of vanishing and exploding gradients (Glorot and
//! Bengio, 2010; He et al., 2016).

use crate::model::Model;
use serde::Serialize;

/// The gradient of the loss by a layer's kernel.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LayerGradient {
    /// Path of the layer.
    pub layer: String,
    /// Euclidean norm of the gradient of the batch's mean loss by all elements of the kernel.
    pub norm: f64,
}

/// Norms of every layer with a kernel, from the photo to the logits, taken from a gradient arena.
///
/// # Panics
/// Where the arena is not one of the model's.
pub fn gradient_norms(model: &Model, gradients: &[f32]) -> Vec<LayerGradient> {
    let kernels =
        model.parameters.trained.iter().filter(|parameter| parameter.spec.name == "kernel");
    kernels
        .map(|kernel| {
            let gradient = kernel.view(gradients);
            let squares: f64 = gradient.iter().map(|&value| f64::from(value).powi(2)).sum();
            let layer = model.network.graph.nodes[kernel.node].name.clone();
            LayerGradient { layer, norm: squares.sqrt() }
        })
        .collect()
}
