//! The nine models of the textbook's chapter, with the input and actions that its report runs them with.

use super::predefined;
use crate::error::{Error, Result, Words};
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

/// Orders of linear part, activation and batch normalisation that the ready-made networks are offered in, and are known by
/// again; `BAL` is the pre-activation of He et al., 2016.
pub const ACTIONS: [&str; 5] = ["LA", "LAB", "LBA", "BAL", "BLA"];

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
    PRESETS.iter().find(|preset| preset.name == name).ok_or_else(|| {
        Error::unknown(Words::of("what.model"), name, PRESETS.iter().map(|preset| preset.name))
    })
}

impl Preset {
    /// The network text, its macro spelt out, with these actions in every convolution.
    pub fn text(&self, actions: &str) -> String {
        let body = predefined::MACROS.iter().find(|(name, _)| *name == self.name);
        // Keys keep their `#act`: what follows a colon is a value.
        body.map_or("", |(_, body)| body).replace(": '#act'", &format!(": '{actions}'"))
    }

    /// The same for `size × size` photos: its last average pooling shrinks or grows with them, so that it still leaves
    /// one pixel.
    ///
    /// # Errors
    /// [`Error::Setting`] for a size that leaves no whole window, or a network without such a pooling.
    pub fn text_for(&self, actions: &str, size: usize) -> Result<String> {
        let text = self.text(actions);
        if size == self.input.height {
            return Ok(text);
        }
        let refused = |expected: Words| {
            let name = Words::of("name.input_of").with("model", self.name);
            Error::setting(name, expected, size)
        };
        let fixed = || refused(Words::value(self.input.height));
        let (before, pooling) = text.rsplit_once(LAST_POOLING).ok_or_else(fixed)?;
        let (window, after) = pooling.split_once('}').ok_or_else(fixed)?;
        let shrunk = self.input.height / window.parse::<usize>().map_err(|_| fixed())?.max(1);
        if size == 0 || !size.is_multiple_of(shrunk) {
            return Err(refused(Words::of("expected.multiple").with("of", shrunk)));
        }
        Ok(format!("{before}{LAST_POOLING}{}}}{after}", size / shrunk))
    }
}

/// How the average pooling before a network's head is spelt.
const LAST_POOLING: &str = "['avg', {'stride': ";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Network;

    #[test]
    fn a_preset_fits_photos_of_another_size() {
        let cases = [("plain_34", 64), ("residual_34", 96), ("residual_flower", 128)];
        for (name, size) in cases.into_iter().chain([("inception_flower", 48)]) {
            let preset = preset(name).unwrap();
            let text = preset.text_for("LAB", size).unwrap();
            let network = Network::new(&text, Shape::new(size, size, 3), preset.classes).unwrap();
            assert_eq!(network.structure.parameters, preset.parameters, "{name}");
        }
        let refused = |name: &str, size| preset(name).unwrap().text_for("LA", size).unwrap_err();
        assert!(refused("plain_34", 100).to_string().contains("a multiple of 32"));
        assert!(refused("vgg_19", 64).to_string().contains("224"));
    }
}
