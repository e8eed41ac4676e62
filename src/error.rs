//! One error for the whole crate: what was expected, what was found, where, and what to do.
//!
//! Every variant is a code with values (see the serde form), phrases included, so that the page can word it in the reader's
//! language; `Display` words it in English for the terminal.

mod english;
mod name;
mod words;

pub use name::{Name, harmless};
pub use words::{Value, Words};

use serde::Serialize;
use thiserror::Error;

/// Shorthand used by every fallible function of the crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Everything that can go wrong, in words for the person who has to mend it. What a person is to read is [`Words`] or a
/// [`Name`]; `detail`, `place` and `problem` of a fault of ours are for a console or a report, and stay as they come.
#[expect(missing_docs, reason = "the variants name and explain their fields")]
#[derive(Debug, Clone, PartialEq, Error, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Error {
    /// The network text cannot be read at this place.
    #[error("line {line}, column {column}: expected {expected}, found {found}{}", hint(.suggestion))]
    Syntax { line: usize, column: usize, expected: Words, found: Words, suggestion: Option<Words> },

    /// The text reads well, but a layer of it makes no sense; `layer` is its path, such as `2.rhalf.0.conv`.
    #[error("layer {layer}: expected {expected}, found {found}{}", hint(.suggestion))]
    Layer { layer: Name, expected: Words, found: Words, suggestion: Option<Words> },

    /// A name (model, class, option, split …) that nobody defined.
    #[error("unknown {what} `{name}`{}", hint(.suggestion))]
    Unknown { what: Words, name: Name, suggestion: Option<Words> },

    /// Tensors that should fit together do not.
    #[error("{place}: expected shape {expected}, found {found}")]
    Shape { place: Words, expected: Words, found: Words },

    /// A setting outside its range.
    #[error("{name}: expected {expected}, found {found}")]
    Setting { name: Words, expected: Words, found: Words },

    /// The plan needs more memory than there is; `batch_that_fits` is the largest batch that would work, if any.
    #[error("needs {} MiB, {} MiB allowed{}", mib(*.needed), mib(*.available), fits(.batch_that_fits))]
    Memory { needed: u64, available: u64, batch_that_fits: Option<usize> },

    /// The data set needs more memory than there is; bytes, and how many photos would fit.
    #[error(
        "the photos need {} MiB, {} MiB allowed; {photos_that_fit} photos would fit",
        mib(*.needed), mib(*.available)
    )]
    PhotoMemory { needed: u64, available: u64, photos_that_fit: usize },

    /// A photo that cannot be used; it is listed and skipped.
    #[error("photo {name}: {reason}")]
    Photo { name: Name, reason: Words },

    /// An archive or folder that cannot be read.
    #[error("archive {name}: {reason}")]
    Archive { name: Name, reason: Words },

    /// The data set does not allow what was asked (no photos, one class only, an empty split …).
    #[error("data: {problem}; {remedy}")]
    Data { problem: Words, remedy: Words },

    /// A model file that is not one of ours, is damaged, or does not fit its own network.
    #[error("model file: {problem}; {remedy}")]
    ModelFile { problem: Words, remedy: Words },

    /// A file of the terminal program that cannot be read or written.
    #[error("{path}: {reason}")]
    File { path: Name, reason: Words },

    /// The loss stopped being a number.
    #[error("training diverged at step {step}: the loss is {loss}; a lower learning rate may help")]
    Diverged { step: u64, loss: String },

    /// The compute device refused or failed; `detail` is what its driver says, for the console.
    #[error("device {device}: {problem}; {remedy}")]
    Device { device: Name, problem: Words, remedy: Words, detail: String },

    /// The compute device is gone; its buffers are lost and the run goes on from its last state. `detail` is what its
    /// driver says, for the console.
    #[error("device {device} was lost: {reason}")]
    DeviceLost { device: Name, reason: Words, detail: String },

    /// The user stopped the work.
    #[error("cancelled")]
    Cancelled,

    /// A fault of ours; please report it. `place` and `problem` are for the report.
    #[error("internal error in {place}: {problem}; please report it")]
    Internal { place: String, problem: String },
}

impl Error {
    /// An [`Error::Layer`] of a layer whose path is still to be filled in.
    pub(crate) fn in_layer(expected: Words, found: Words) -> Self {
        Self::Layer { layer: Name::default(), expected, found, suggestion: None }
    }

    /// An [`Error::Unknown`]; the closest of the `known` names is suggested.
    pub(crate) fn unknown<'a>(
        what: Words,
        name: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        Self::Unknown { what, name: name.into(), suggestion: did_you_mean(name, known) }
    }

    /// An [`Error::Setting`].
    pub(crate) fn setting(name: Words, expected: Words, found: impl Into<Value>) -> Self {
        Self::Setting { name, expected, found: Words::value(found) }
    }

    /// An [`Error::File`]: what the system says of a file, in our words.
    pub fn file(path: &std::path::Path, error: &std::io::Error) -> Self {
        Self::File { path: path.into(), reason: unreadable(error) }
    }

    /// What a driver or a system says beside our own words, if anything: for a console, not for a person.
    pub fn detail(&self) -> Option<&str> {
        match self {
            Self::Device { detail, .. } | Self::DeviceLost { detail, .. } if !detail.is_empty() => {
                Some(detail)
            }
            _ => None,
        }
    }
}

/// Why a file cannot be read or written, in our words rather than the system's.
pub(crate) fn unreadable(error: &std::io::Error) -> Words {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::NotFound => Words::of("reason.no_such_file"),
        ErrorKind::PermissionDenied => Words::of("reason.not_permitted"),
        ErrorKind::AlreadyExists => Words::of("reason.exists_already"),
        ErrorKind::IsADirectory => Words::of("reason.is_a_folder"),
        ErrorKind::NotADirectory => Words::of("reason.no_such_folder"),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Words::of("reason.disk_full"),
        ErrorKind::ReadOnlyFilesystem => Words::of("reason.read_only"),
        ErrorKind::UnexpectedEof => Words::of("reason.cut_short"),
        _ => Words::of("reason.unreadable"),
    }
}

fn hint(suggestion: &Option<Words>) -> String {
    suggestion.as_ref().map_or(String::new(), |words| format!("; {words}"))
}

fn mib(bytes: u64) -> u64 {
    bytes.div_ceil(1 << 20)
}

fn fits(batch: &Option<usize>) -> String {
    match batch {
        Some(batch) => format!("; a batch of {batch} would fit"),
        None => "; not even a batch of 1 fits".into(),
    }
}

/// The known name closest to `name`, as a suggestion: ``did you mean `relu`?``
pub(crate) fn did_you_mean<'a>(
    name: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<Words> {
    known
        .into_iter()
        .map(|candidate| (edit_distance(name, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.chars().count() / 3)
        .min()
        .map(|(_, candidate)| meant(candidate))
}

/// The suggestion of a name.
pub(crate) fn meant(name: &str) -> Words {
    Words::of("hint.did_you_mean").with("name", name)
}

/// Levenshtein distance in characters.
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_the_closest_name() {
        assert_eq!(did_you_mean("#cnt", ["#cnt1", "#n"]), Some(meant("#cnt1")));
        assert_eq!(did_you_mean("rellu", ["none", "relu"]), Some(meant("relu")));
        assert_eq!(meant("relu").to_string(), "did you mean `relu`?");
        assert_eq!(did_you_mean("zebra", ["none", "relu"]), None);
    }

    #[test]
    fn carries_code_and_values() {
        let error = Error::Memory { needed: 3 << 20, available: 1 << 20, batch_that_fits: Some(4) };
        let json = serde_json::to_value(&error).unwrap();
        assert_eq!(json["code"], "memory");
        assert_eq!(json["batch_that_fits"], 4);
        assert_eq!(error.to_string(), "needs 3 MiB, 1 MiB allowed; a batch of 4 would fit");
    }

    #[test]
    fn a_hostile_name_moves_no_terminal_and_stays_whole_for_the_page() {
        let hostile = "roses/\u{1b}[2J\u{202e}gpj.\r\n\u{9b}31m{reason}.jpg";
        let shown = "roses/\u{fffd}[2J\u{fffd}gpj.\u{fffd}\u{fffd}\u{fffd}31m{reason}.jpg";
        let error = Error::Photo { name: hostile.into(), reason: Words::of("reason.no_image") };
        assert_eq!(error.to_string(), format!("photo {shown}: not an image"));
        assert_eq!(serde_json::to_value(&error).unwrap()["name"], shown);
        assert!(!format!("{error:?}").contains(['\u{1b}', '\u{202e}', '\n']));
        // The same in a phrase, deep in another, and in the suggestion.
        let place = Words::of("place.photo").with("name", hostile);
        let found = Words::of("hint.see").with("place", place);
        let error = Error::Layer {
            layer: hostile.into(),
            expected: Words::code(hostile),
            found,
            suggestion: did_you_mean(hostile, [hostile]),
        };
        let words = format!(
            "layer {shown}: expected `{shown}`, found see photo {shown}; did you mean `{shown}`?"
        );
        assert_eq!(error.to_string(), words);
        let from_page = serde_json::json!({ "key": "place.photo", "values": { "name": hostile } });
        let words: Words = serde_json::from_value(from_page).unwrap();
        assert_eq!(words.to_string(), format!("photo {shown}"));
    }
}
