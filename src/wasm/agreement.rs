//! The page's parity check: both executors asked about the same photos.

use super::devices::{cpu, gpu};
use super::{Engine, JsResult, ModelId, PLAN_LIMIT, given, thrown};
use crate::backend::Backend;
use crate::classify::agreement::compare;
use crate::data::resize::resize;
use crate::draw;
use crate::error::Result;
use wasm_bindgen::prelude::*;

/// Photos that both executors are asked about: enough to tell, few enough for a GPU that is only a program.
const PHOTOS: usize = 16;

/// Seed of the flowers that are drawn where there are no photos.
const DRAWN_SEED: u32 = 1;

#[wasm_bindgen]
impl Engine {
    /// The largest difference between a model's answers on the processor and on the GPU, about the page's photos, or drawn
    /// ones where there are none.
    pub async fn agreement(&mut self, model: ModelId) -> JsResult<JsValue> {
        let model = self.model(model).await.map_err(thrown)?;
        let photos = self.sample(model.preprocessing.stored_size).map_err(thrown)?;
        let photos: Vec<&[u8]> = photos.iter().map(Vec::as_slice).collect();
        let gpu = gpu(true).await.map_err(thrown)?;
        let backends: [Box<dyn Backend>; 2] = [Box::new(cpu()), gpu];
        given(&compare(backends, &model, &photos, PLAN_LIMIT).await.map_err(thrown)?)
    }
}

impl Engine {
    /// Photos spread over the library, or drawn ones.
    fn sample(&self, size: usize) -> Result<Vec<Vec<u8>>> {
        let (count, stored) = (self.library.photos().len(), self.library.stored_size());
        if count == 0 {
            let class = |index: usize| draw::CLASSES[index % draw::CLASSES.len()];
            return (0..PHOTOS)
                .map(|index| draw::draw(DRAWN_SEED.into(), class(index), index as u32, size))
                .collect();
        }
        let taken = count.min(PHOTOS);
        (0..taken)
            .filter_map(|index| self.library.photo_pixels(index * count / taken))
            .map(|pixels| resize(pixels, stored, stored, size))
            .collect()
    }
}
