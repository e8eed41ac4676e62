//! Edits of the page's photos: made, undone, made again, kept as text, and the photos that they choose from.

use super::photos::unknown_photo;
use super::{Engine, JsResult, thrown};
use crate::data::edits::{Edit, EditedPhoto, Edits, named};
use crate::error::Result;
use serde::Deserialize;
use wasm_bindgen::prelude::*;

/// An edit as the page asks for it: photos by their index in the library.
#[derive(Deserialize)]
#[serde(tag = "edit", rename_all = "snake_case")]
enum Asked {
    Label { photos: Vec<usize>, class: String },
    Remove { photos: Vec<usize> },
    Restore { photos: Vec<usize> },
    Rename { from: String, to: String },
}

#[wasm_bindgen]
impl Engine {
    /// Makes an edit, and sums the photos up anew.
    pub fn edit(&mut self, asked: JsValue) -> JsResult<JsValue> {
        let asked: Asked = serde_wasm_bindgen::from_value(asked)?;
        let edit = self.edit_of(asked).map_err(thrown)?;
        self.edits.make(edit).map_err(thrown)?;
        self.sum_up_photos()
    }

    /// Takes the last edit back, and sums the photos up anew.
    pub fn undo_edit(&mut self) -> JsResult<JsValue> {
        self.edits.undo();
        self.sum_up_photos()
    }

    /// Makes the edit again that was taken back last, and sums the photos up anew.
    pub fn redo_edit(&mut self) -> JsResult<JsValue> {
        self.edits.redo();
        self.sum_up_photos()
    }

    /// All edits as a text for a file.
    pub fn edits_text(&self) -> String {
        self.edits.to_json()
    }

    /// Takes the edits of a text over those that there were; they are made when the photos are summed up next.
    pub fn set_edits(&mut self, name: &str, text: &str) -> JsResult<()> {
        self.edits = Edits::from_json(name, text).map_err(thrown)?;
        Ok(())
    }

    /// The photos of a class, by index, in the order of their names; without a class, those that were left out by hand.
    pub fn photos_of_class(&self, class: Option<String>) -> Vec<u32> {
        let photos = self.library.photos();
        let mut indices: Vec<usize> = match &class {
            Some(class) => self.library.of_class(class).collect(),
            None => self.library.removed().collect(),
        };
        indices.sort_by(|&one, &other| photos[one].name.cmp(&photos[other].name));
        indices.into_iter().map(|index| index as u32).collect()
    }
}

impl Engine {
    fn edit_of(&self, asked: Asked) -> Result<Edit> {
        Ok(match asked {
            Asked::Label { photos, class } => Edit::Label { photos: self.named(&photos)?, class },
            Asked::Remove { photos } => Edit::Remove { photos: self.named(&photos)? },
            Asked::Restore { photos } => Edit::Restore { photos: self.named(&photos)? },
            Asked::Rename { from, to } => Edit::Rename { from, to },
        })
    }

    fn named(&self, photos: &[usize]) -> Result<Vec<EditedPhoto>> {
        let known = |&index: &usize| match index < self.library.photos().len() {
            true => Ok(named(&self.library, index)),
            false => Err(unknown_photo(index)),
        };
        photos.iter().map(known).collect()
    }
}
