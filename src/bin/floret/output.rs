//! Results on stdout, as text or JSON; progress on stderr.

use floret::error::{Error, Result};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

/// Prints a value as one JSON document.
pub fn print_json(value: &impl Serialize) -> Result<()> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Error::Internal { place: "output".into(), problem: error.to_string() })?;
    println!("{text}");
    Ok(())
}

/// A bar on stderr that knows its length; silent where stderr is no terminal.
pub fn progress_bar(len: u64, what: &'static str) -> ProgressBar {
    let bar = ProgressBar::new(len);
    if let Ok(style) = ProgressStyle::with_template("{prefix} {wide_bar} {pos}/{len} {msg} {eta}") {
        bar.set_style(style);
    }
    bar.with_prefix(what)
}
