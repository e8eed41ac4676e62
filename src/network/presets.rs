//! The nine models of the textbook's chapter, with the input and actions that its report runs them with.

use super::predefined;
use crate::error::{Error, Result, did_you_mean};
use crate::shape::Shape;
use serde::Serialize;

/// A model ready to build.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Preset {
    /// Its name, which is also that of its macro.
    pub name: &'static str,
    /// Shape of a photo.
    pub input: Shape,
    /// Classes that it was made for.
    pub classes: usize,
    /// Actions that the report runs it with.
    pub actions: &'static str,
    /// Kernels and biases with that many classes.
    pub parameters: u64,
}

/// All of them, the flower models first.
pub const PRESETS: [Preset; 9] = [
    preset_of("inception_flower", 96, 5, "LAB", 43_885),
    preset_of("plain_flower", 64, 5, "LAB", 173_637),
    preset_of("residual_flower", 64, 5, "LAB", 173_637),
    preset_of("bottleneck_flower", 64, 5, "LAB", 189_925),
    preset_of("inception_v3", 299, 200, "LA", 32_401_768),
    preset_of("vgg_19", 224, 1000, "LA", 143_667_240),
    preset_of("plain_34", 224, 1000, "LA", 21_616_232),
    preset_of("residual_34", 224, 1000, "LA", 21_616_232),
    preset_of("bottleneck_152", 224, 1000, "LAB", 57_344_360),
];

const fn preset_of(
    name: &'static str,
    size: usize,
    classes: usize,
    actions: &'static str,
    parameters: u64,
) -> Preset {
    Preset { name, input: Shape::new(size, size, 3), classes, actions, parameters }
}

/// The preset of that name.
///
/// # Errors
/// [`Error::Unknown`] with the closest name.
pub fn preset(name: &str) -> Result<&'static Preset> {
    PRESETS.iter().find(|preset| preset.name == name).ok_or_else(|| Error::Unknown {
        what: "model".into(),
        name: name.into(),
        suggestion: did_you_mean(name, PRESETS.iter().map(|preset| preset.name)),
    })
}

impl Preset {
    /// The network text, its macro spelt out, with these actions in every convolution.
    pub fn text(&self, actions: &str) -> String {
        let body = predefined::MACROS.iter().find(|(name, _)| *name == self.name);
        // Keys keep their `#act`: what follows a colon is a value.
        body.map_or("", |(_, body)| body).replace(": '#act'", &format!(": '{actions}'"))
    }
}
