//! The shaders: WGSL files below `shaders/`, each of which begins with what it imports.
//!
//! `#import windows` on one of a file's first lines puts `shaders/shared/windows.wgsl`, and what that imports, in front of
//! the file; however often a file is imported, its text is there once.

use crate::error::{Error, Result};

/// A file below `shaders/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shader {
    /// The path without its ending, such as `conv2d/forward`.
    pub name: &'static str,
    /// The text of the file alone.
    pub source: &'static str,
}

/// Takes the shader at a path below `shaders/` into the program; a path without a file does not compile.
macro_rules! shader {
    ($name:literal) => {
        $crate::backend::gpu::shaders::Shader {
            name: $name,
            source: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/shaders/", $name, ".wgsl")),
        }
    };
}
pub(super) use shader;

/// Files may import these, by the name behind `shared/`.
static SHARED: [Shader; 21] = [
    shader!("shared/activation"),
    shader!("shared/convolution"),
    shader!("shared/coordinates"),
    shader!("shared/direct_convolution"),
    shader!("shared/direct_product"),
    shader!("shared/grouped_convolution"),
    shader!("shared/moments"),
    shader!("shared/nan"),
    shader!("shared/normalize"),
    shader!("shared/patch_elements"),
    shader!("shared/phases"),
    shader!("shared/pooling"),
    shader!("shared/random"),
    shader!("shared/softmax"),
    shader!("shared/split_sums"),
    shader!("shared/splits"),
    shader!("shared/step"),
    shader!("shared/tiled_product"),
    shader!("shared/weight_splits"),
    shader!("shared/window_origin"),
    shader!("shared/windows"),
];

const IMPORT: &str = "#import ";

impl Shader {
    /// Returns the whole text for a device, behind what it imports.
    ///
    /// # Errors
    /// [`Error::Internal`] where a file imports one that does not exist, or imports itself by way of others.
    pub fn text(&self) -> Result<String> {
        resolve(self, &SHARED)
    }

    /// Returns the names that the file imports, and its text behind them.
    fn imports(&self) -> (Vec<&'static str>, &'static str) {
        let (mut imports, mut rest) = (Vec::new(), self.source);
        while let Some((line, behind)) = rest.split_once('\n')
            && let Some(name) = line.strip_prefix(IMPORT)
        {
            imports.push(name.trim());
            rest = behind;
        }
        (imports, rest)
    }
}

/// Returns the text of a file behind all that it imports of `shared`.
fn resolve(file: &Shader, shared: &[Shader]) -> Result<String> {
    let mut text = String::new();
    append(file, shared, &mut Vec::new(), &mut Vec::new(), &mut text)?;
    Ok(text)
}

/// Appends a file behind its imports, unless `done` has it; `open` are the files whose imports are being appended.
fn append(
    file: &Shader,
    shared: &[Shader],
    open: &mut Vec<&'static str>,
    done: &mut Vec<&'static str>,
    text: &mut String,
) -> Result<()> {
    let error = |problem| Error::Internal { place: format!("shaders/{}.wgsl", file.name), problem };
    if done.contains(&file.name) {
        return Ok(());
    }
    if open.contains(&file.name) {
        return Err(error(format!("it imports itself: {} → {}", open.join(" → "), file.name)));
    }
    open.push(file.name);
    let (imports, body) = file.imports();
    for name in imports {
        let imported = shared.iter().find(|s| s.name.strip_prefix("shared/") == Some(name));
        let imported = imported.ok_or_else(|| {
            error(format!("it imports `{name}`, and there is no shaders/shared/{name}.wgsl"))
        })?;
        append(imported, shared, open, done, text)?;
    }
    open.pop();
    done.push(file.name);
    text.push_str(body);
    text.push('\n');
    Ok(())
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests;
