//! The recipe that a command trains by.

use crate::read_file;
use floret::data::mirror::Mirroring;
use floret::error::{Error, Result, Words};
use floret::recipe::Recipe;
use std::path::Path;

/// Whether photos may be mirrored, as an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Mirror {
    /// The photos decide.
    Auto,
    /// They may: left and right do not matter.
    Yes,
    /// They may not: a mirrored photo may show something else.
    No,
}

impl From<Mirror> for Mirroring {
    fn from(mirror: Mirror) -> Self {
        match mirror {
            Mirror::Auto => Self::Auto,
            Mirror::Yes => Self::Yes,
            Mirror::No => Self::No,
        }
    }
}

/// The recipe of that name, or that a .json file holds.
pub fn named_or_read(name: &str) -> Result<Recipe> {
    let path = Path::new(name);
    if path.extension().is_some_and(|extension| extension == "json") {
        let mut recipe: Recipe = serde_json::from_slice(&read_file(path)?).map_err(|error| {
            let key = if error.is_data() {
                Words::of("reason.no_recipe")
            } else {
                Words::of("reason.no_json")
            };
            let reason = key.with("line", error.line()).with("column", error.column());
            Error::File { path: path.into(), reason }
        })?;
        if recipe.mirror == Mirroring::No {
            recipe.set_mirroring(Mirroring::No);
        }
        Ok(recipe)
    } else {
        Recipe::named(name)
    }
}
