//! Values of the notation, each with its place in the text, and the errors that point there.

use crate::error::{Error, Words, did_you_mean};

/// Nested lists, options and macro arguments go no deeper than this.
pub const MAX_DEPTH: usize = 64;

/// A place in the text: line and column, both from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
}

impl Span {
    /// An [`Error::Syntax`] at this place.
    pub fn error(self, expected: Words, found: Words, suggestion: Option<Words>) -> Error {
        Error::Syntax { line: self.line, column: self.column, expected, found, suggestion }
    }

    /// This place in words.
    pub fn words(self) -> Words {
        Words::of("place.line_column").with("line", self.line).with("column", self.column)
    }
}

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Value {
    /// What it is.
    pub data: Data,
    /// Its first character.
    pub span: Span,
}

/// What a value can be.
#[derive(Debug, Clone, PartialEq)]
pub enum Data {
    /// `None`, `null`.
    Null,
    /// `True`, `false` …
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// Any other number, finite.
    Float(f64),
    /// A string.
    Text(String),
    /// `[…]` or `(…)`.
    List(Vec<Value>),
    /// `{…}`, in the order written; no key twice.
    Dict(Vec<Entry>),
}

/// One `key: value` of a dictionary.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key stands.
    pub key_span: Span,
    /// The value.
    pub value: Value,
}

impl Value {
    /// The string, if it is one.
    pub fn text(&self) -> Option<&str> {
        match &self.data {
            Data::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The value in words, for "found …".
    pub fn describe(&self) -> Words {
        match &self.data {
            Data::Null => Words::code("None"),
            Data::Bool(true) => Words::code("True"),
            Data::Bool(false) => Words::code("False"),
            Data::Integer(number) => Words::code(number),
            Data::Float(number) => Words::code(number),
            Data::Text(text) => Words::code(format_args!("'{}'", shorten(text))),
            Data::List(items) if items.is_empty() => Words::of("found.empty_list"),
            Data::List(items) => Words::of("found.list").with("n", items.len()),
            Data::Dict(_) => Words::of("found.dictionary"),
        }
    }
}

/// A text short enough for one line of an error.
pub fn shorten(text: &str) -> String {
    let mut short: String = text.chars().take(24).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

/// The known name closest to `name`, as a suggestion; none for a name so long that it must be something else.
pub fn suggest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<Words> {
    if name.len() <= 64 { did_you_mean(name, known) } else { None }
}
