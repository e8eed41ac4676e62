//! The recipe that a command trains by.

use crate::{file_error, read_file};
use floret::error::Result;
use floret::recipe::Recipe;
use std::path::Path;

/// The recipe of that name, or that a .json file holds.
pub fn named_or_read(name: &str) -> Result<Recipe> {
    let path = Path::new(name);
    if path.extension().is_some_and(|extension| extension == "json") {
        serde_json::from_slice(&read_file(path)?).map_err(|error| file_error(path, error))
    } else {
        Recipe::named(name)
    }
}
