//! Looking into the model at hand: what passes through its layers, and where in a photo it looks.

use super::{Engine, PLAN_LIMIT, cpu, given, no_model, thrown};
use crate::error::Result;
use crate::explain::grad_cam::{HeatMap, grad_cam};
use crate::explain::signals::{LayerSignal, labelled_pixels, layer_signals, probe_photos};
use crate::model::Model;
use crate::model::metrics::argmax;
use serde::Serialize;
use wasm_bindgen::prelude::*;

/// Training photos that a look sends through the network.
const PHOTOS: usize = 10;

/// Bytes that a look may take beside the run itself.
const LOOK_LIMIT: u64 = 1 << 29;

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
    pub async fn look(&mut self) -> std::result::Result<JsValue, JsValue> {
        given(&self.signals().await.map_err(thrown)?)
    }

    /// Where in a photo, given as RGBA, the run or the model that was `opened` sees a class; the class that it takes the
    /// photo for if none is named.
    pub async fn attention(
        &mut self,
        opened: bool,
        width: usize,
        height: usize,
        rgba: &[u8],
        class: Option<usize>,
    ) -> std::result::Result<JsValue, JsValue> {
        let model = self.model(opened).await.map_err(thrown)?;
        let size = model.preprocessing.stored_size;
        let pixels = crate::data::resize::resize(rgba, width, height, size).map_err(thrown)?;
        let classifier =
            super::classifier(&mut self.run, &mut self.opened, opened).map_err(thrown)?;
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
        layer_signals(Box::new(cpu()), &model, &photos, LOOK_LIMIT).await
    }

    /// The run's model with the weights that it has now, or the one that was opened.
    async fn model(&mut self, opened: bool) -> Result<Model> {
        if opened {
            let opened = self.opened.as_ref().ok_or_else(no_model)?;
            return Ok(opened.classifier.model.clone());
        }
        self.trainer()?.model().await
    }
}
