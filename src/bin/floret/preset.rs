//! Ready-made networks by name.

use floret::error::Result;
use floret::network::presets::preset;
use floret::shape::Shape;

/// Text and input of a ready-made network, with these actions or its own.
pub fn network_text(name: &str, actions: Option<&str>) -> Result<(String, Shape)> {
    let preset = preset(name)?;
    Ok((preset.text(actions.unwrap_or(preset.actions)), preset.input))
}
