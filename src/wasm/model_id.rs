//! How the page names one of the engine's models.
// What the macro adds to an enum of strings has no comments.
#![allow(missing_docs)]

use wasm_bindgen::prelude::*;

/// Which of the engine's models is meant.
#[wasm_bindgen]
#[derive(Debug, Clone, Copy)]
pub enum ModelId {
    /// The model that the run trains.
    Run = "run",
    /// The model that was opened last.
    Opened = "opened",
}
