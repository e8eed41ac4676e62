//! Ready-made networks by name.

use floret::error::Result;
use floret::network::presets::preset;
use floret::shape::Shape;

/// Text and input of a ready-made network with these actions, for photos of `size` pixels a side or as many as it was made for.
pub fn network_text_for(name: &str, actions: &str, size: Option<usize>) -> Result<(String, Shape)> {
    let preset = preset(name)?;
    let size = size.unwrap_or(preset.input.height);
    Ok((preset.text_for(actions, size)?, Shape::new(size, size, preset.input.channels)))
}

/// Text and input of a ready-made network, with these actions or its own.
pub fn network_text(name: &str, actions: Option<&str>) -> Result<(String, Shape)> {
    let preset = preset(name)?;
    Ok((preset.text(actions.unwrap_or(preset.actions)), preset.input))
}
