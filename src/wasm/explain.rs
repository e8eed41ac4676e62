//! What a model does inside: what passes through its layers, and which parts of a photo speak for a class.

use super::{Engine, JsResult, ModelId, PLAN_LIMIT, classifier, cpu, given, no_model, thrown};
use crate::error::Result;
use crate::explain::grad_cam::{HeatMap, grad_cam};
use crate::explain::signals::{LayerSignal, labelled_pixels, layer_signals, probe_photos};
use crate::model::Model;
use crate::model::metrics::argmax;
use serde::Serialize;
use wasm_bindgen::prelude::*;

/// Training photos whose signals are measured.
const PHOTOS: usize = 10;

/// Bytes that measuring signals may take beside the run itself.
const SIGNALS_LIMIT: u64 = 1 << 29;

#[derive(Serialize)]
struct Attention<'a> {
    classes: &'a [String],
    probabilities: Vec<f32>,
    heat: HeatMap,
    size: usize,
    #[serde(with = "serde_wasm_bindgen::preserve")]
    pixels: js_sys::Uint8Array,
}

#[wasm_bindgen]
impl Engine {
    /// What passes through each layer of the run's network as it is now. On the processor, whatever the run is on.
    pub async fn layer_signals(&mut self) -> JsResult<JsValue> {
        given(&self.signals().await.map_err(thrown)?)
    }

    /// Where in a photo, given as RGBA, a model sees a class; the class that it takes the photo for if none is named.
    pub async fn attention(
        &mut self,
        model: ModelId,
        width: usize,
        height: usize,
        rgba: &[u8],
        class: Option<usize>,
    ) -> JsResult<JsValue> {
        let id = model;
        let model = self.model(id).await.map_err(thrown)?;
        let size = model.preprocessing.stored_size;
        let pixels = crate::data::resize::resize(rgba, width, height, size).map_err(thrown)?;
        let classifier = classifier(&mut self.run, &mut self.opened, id).map_err(thrown)?;
        let answers = classifier.classify(&[&pixels]).await.map_err(thrown)?;
        let probabilities =
            answers.into_iter().next().map(|answer| answer.probabilities).unwrap_or_default();
        let class = class.or_else(|| argmax(&probabilities)).unwrap_or(0);
        let classes = model.classes.clone();
        let heat =
            grad_cam(Box::new(cpu()), model, &pixels, class, PLAN_LIMIT).await.map_err(thrown)?;
        let pixels = js_sys::Uint8Array::from(pixels.as_slice());
        given(&Attention { classes: &classes, probabilities, heat, size, pixels })
    }
}

impl Engine {
    async fn signals(&mut self) -> Result<Vec<LayerSignal>> {
        let model = self.trainer()?.model().await?;
        let chosen = probe_photos(&self.library, PHOTOS);
        let photos = labelled_pixels(&model, &self.library, &chosen)?;
        layer_signals(Box::new(cpu()), &model, &photos, SIGNALS_LIMIT).await
    }

    /// A copy of a model: of the run's with the weights that it has now.
    pub(super) async fn model(&mut self, id: ModelId) -> Result<Model> {
        match id {
            ModelId::Run => self.trainer()?.model().await,
            ModelId::Opened => {
                let opened = self.opened.as_ref().ok_or_else(no_model)?;
                Ok(opened.classifier.model.clone())
            }
            _ => Err(no_model()),
        }
    }
}
