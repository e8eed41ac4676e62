//! The recipe that a command trains by.

use crate::read_file;
use floret::error::{Error, Result, Words};
use floret::recipe::Recipe;
use std::path::Path;

/// The recipe of that name, or that a .json file holds.
pub fn named_or_read(name: &str) -> Result<Recipe> {
    let path = Path::new(name);
    if path.extension().is_some_and(|extension| extension == "json") {
        serde_json::from_slice(&read_file(path)?).map_err(|error| {
            let key = if error.is_data() {
                Words::of("reason.no_recipe")
            } else {
                Words::of("reason.no_json")
            };
            let reason = key.with("line", error.line()).with("column", error.column());
            Error::File { path: path.into(), reason }
        })
    } else {
        Recipe::named(name)
    }
}
