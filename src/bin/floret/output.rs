//! Results on stdout, as text or JSON; progress on stderr.

use floret::error::{Error, Result};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use std::io::{ErrorKind, Write};

/// `println!` for results, which does not panic where nobody reads on.
macro_rules! say {
    ($($part:tt)*) => { crate::output::line(format_args!($($part)*)) };
}
pub(crate) use say;

/// Writes a line on stdout. Ends the program where that is closed: quietly where a reader such as `head` has enough.
pub fn line(text: std::fmt::Arguments<'_>) {
    let Err(error) = writeln!(std::io::stdout().lock(), "{text}") else { return };
    if error.kind() == ErrorKind::BrokenPipe {
        std::process::exit(0);
    }
    eprintln!("floret: cannot write the result: {error}");
    std::process::exit(1);
}

/// Prints a value as one JSON document.
pub fn print_json(value: &impl Serialize) -> Result<()> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Error::Internal { place: "output".into(), problem: error.to_string() })?;
    say!("{text}");
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
