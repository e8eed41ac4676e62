//! One error for the whole crate: what was expected, what was found, where, and what to do.
//!
//! Every variant is a code with values (see the serde form), so that the page can word it in the reader's language;
//! `Display` words it in English for the terminal.

use serde::Serialize;
use thiserror::Error;

/// Shorthand used by every fallible function of the crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Everything that can go wrong, in words for the person who has to mend it.
#[expect(missing_docs, reason = "the variants name and explain their fields")]
#[derive(Debug, Clone, PartialEq, Error, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Error {
    /// The network text cannot be read at this place.
    #[error("line {line}, column {column}: expected {expected}, found {found}{}", hint(.suggestion))]
    Syntax {
        line: usize,
        column: usize,
        expected: String,
        found: String,
        suggestion: Option<String>,
    },

    /// The text reads well, but a layer of it makes no sense; `layer` is its path, such as `2.rhalf.0.conv`.
    #[error("layer {layer}: expected {expected}, found {found}{}", hint(.suggestion))]
    Layer { layer: String, expected: String, found: String, suggestion: Option<String> },

    /// A name (model, class, option, split …) that nobody defined.
    #[error("unknown {what} `{name}`{}", hint(.suggestion))]
    Unknown { what: String, name: String, suggestion: Option<String> },

    /// Tensors that should fit together do not.
    #[error("{place}: expected shape {expected}, found {found}")]
    Shape { place: String, expected: String, found: String },

    /// A setting outside its range.
    #[error("{name}: expected {expected}, found {found}")]
    Setting { name: String, expected: String, found: String },

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
    Photo { name: String, reason: String },

    /// An archive or folder that cannot be read.
    #[error("archive {name}: {reason}")]
    Archive { name: String, reason: String },

    /// The data set does not allow what was asked (no photos, one class only, an empty split …).
    #[error("data: {problem}; {remedy}")]
    Data { problem: String, remedy: String },

    /// A model file that is not one of ours, is damaged, or does not fit its own network.
    #[error("model file: {problem}; {remedy}")]
    ModelFile { problem: String, remedy: String },

    /// A file of the terminal program that cannot be read or written.
    #[error("{path}: {reason}")]
    File { path: String, reason: String },

    /// The loss stopped being a number.
    #[error("training diverged at step {step}: the loss is {loss}; a lower learning rate may help")]
    Diverged { step: u64, loss: String },

    /// The compute device refused or failed.
    #[error("device {device}: {problem}; {remedy}")]
    Device { device: String, problem: String, remedy: String },

    /// The compute device is gone; its buffers are lost and the run goes on from its last state.
    #[error("device {device} was lost: {reason}")]
    DeviceLost { device: String, reason: String },

    /// The user stopped the work.
    #[error("cancelled")]
    Cancelled,

    /// A fault of ours; please report it.
    #[error("internal error in {place}: {problem}; please report it")]
    Internal { place: String, problem: String },
}

fn hint(suggestion: &Option<String>) -> String {
    suggestion.as_ref().map_or(String::new(), |text| format!("; {text}"))
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
pub fn did_you_mean<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    known
        .into_iter()
        .map(|candidate| (edit_distance(name, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.chars().count() / 3)
        .min()
        .map(|(_, candidate)| format!("did you mean `{candidate}`?"))
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
        assert_eq!(did_you_mean("#cnt", ["#cnt1", "#n"]), Some("did you mean `#cnt1`?".into()));
        assert_eq!(did_you_mean("rellu", ["none", "relu"]), Some("did you mean `relu`?".into()));
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
}
