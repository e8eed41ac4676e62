//! Photos to try a model on that nobody has to bring: held-back ones, and drawn flowers.

use super::{Engine, JsResult, given, thrown};
use crate::data::photo::Split;
use crate::draw;
use crate::error::{Error, Result, Words};
use serde::Serialize;
use wasm_bindgen::prelude::*;

/// Pixels a side of a drawn flower.
const DRAWN: usize = 256;

/// Seed of the flowers drawn here; photos to learn from are drawn with others.
const SEED: u64 = 0x7269_616c;

#[derive(Serialize)]
struct Sample<'a> {
    name: &'a str,
    class: Option<&'a str>,
    size: usize,
    #[serde(with = "serde_wasm_bindgen::preserve")]
    pixels: js_sys::Uint8Array,
}

#[wasm_bindgen]
impl Engine {
    /// One of the photos that are held back for the test, as it is stored: the one of that number, counted round.
    pub fn held_back_photo(&self, number: u32) -> JsResult<JsValue> {
        let index = self.held_back(number).map_err(thrown)?;
        let (photo, stored) = (&self.library.photos()[index], self.library.photo_pixels(index));
        given(&Sample {
            name: &photo.name,
            class: photo.label.as_deref(),
            size: self.library.stored_size(),
            pixels: js_sys::Uint8Array::from(stored.unwrap_or_default()),
        })
    }

    /// Draws the flower of that number, classes taking turns.
    pub fn drawn_flower(&self, number: u32) -> JsResult<JsValue> {
        let (class, index) = draw::numbered(number);
        let pixels = draw::draw(SEED, class, index, DRAWN).map_err(thrown)?;
        given(&Sample {
            name: &draw::photo(SEED, class, index, DRAWN).name,
            class: Some(class),
            size: DRAWN,
            pixels: js_sys::Uint8Array::from(pixels.as_slice()),
        })
    }
}

impl Engine {
    fn held_back(&self, number: u32) -> Result<usize> {
        let indices = self.library.indices(Split::Test);
        match indices.len() {
            0 => Err(Error::Data {
                problem: Words::of("problem.no_test_photos"),
                remedy: Words::of("remedy.load_photos"),
            }),
            count => Ok(indices[number as usize % count]),
        }
    }
}
