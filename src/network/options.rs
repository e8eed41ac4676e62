//! Options of a layer, read with their types.

use super::value::{Data, Entry, Span, Value, shorten, suggest};
use crate::error::{Error, Result, Words, meant};
use crate::kernel::Activation;
use crate::shape::Padding;

/// Largest value of a size in the notation; far beyond use, and small enough that products of two fit everywhere.
const MAX_SIZE: i64 = 1 << 15;

/// The options of one layer.
pub struct Options<'a> {
    kind: &'a str,
    span: Span,
    entries: &'a [Entry],
}

/// One letter of `actions`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// `L`: convolution or matrix product, with bias.
    Linear,
    /// `A`: activation.
    Activation,
    /// `B`: batch normalisation.
    BatchNorm,
}

impl<'a> Options<'a> {
    /// The options of a layer of this kind, which stands at `span`, when all are among the `known`.
    ///
    /// # Errors
    /// [`Error::Syntax`] for an unknown option.
    pub fn new(kind: &'a str, span: Span, entries: &'a [Entry], known: &[&str]) -> Result<Self> {
        if let Some(entry) = entries.iter().find(|entry| !known.contains(&entry.key.as_str())) {
            let expected = match known {
                [] => Words::of("expected.no_options").with("kind", kind),
                _ => {
                    Words::of("expected.option").with("kind", kind).with("known", known.join(", "))
                }
            };
            let suggestion = suggest(&entry.key, known.iter().copied());
            return Err(entry.key_span.error(expected, Words::code(&entry.key), suggestion));
        }
        Ok(Self { kind, span, entries })
    }

    /// The value of an option, if it is there.
    pub fn get(&self, name: &str) -> Option<&'a Value> {
        self.entries.iter().find(|entry| entry.key == name).map(|entry| &entry.value)
    }

    /// The value of an option that must be there.
    ///
    /// # Errors
    /// [`Error::Syntax`] where it is not.
    pub fn required(&self, name: &str) -> Result<&'a Value> {
        self.get(name).ok_or_else(|| {
            let expected = Words::of("expected.required_option").with("name", name);
            self.span.error(expected.with("kind", self.kind), Words::of("found.none"), None)
        })
    }

    /// A count from `least` up.
    ///
    /// # Errors
    /// [`Error::Syntax`] for anything else.
    pub fn count(&self, name: &str, least: i64, default: Option<usize>) -> Result<usize> {
        match (self.get(name), default) {
            (None, Some(default)) => Ok(default),
            _ => read_count(self.required(name)?, name, least),
        }
    }

    /// One size for both axes, or `[height, width]`.
    ///
    /// # Errors
    /// [`Error::Syntax`] for anything else.
    pub fn pair(&self, name: &str, default: Option<[usize; 2]>) -> Result<[usize; 2]> {
        let value = match (self.get(name), default) {
            (None, Some(default)) => return Ok(default),
            _ => self.required(name)?,
        };
        match &value.data {
            Data::List(items) => match items.as_slice() {
                [height, width] => Ok([read_count(height, name, 1)?, read_count(width, name, 1)?]),
                _ => Err(wrong(value, Words::of("expected.option_pair").with("name", name))),
            },
            _ => read_count(value, name, 1).map(|size| [size, size]),
        }
    }

    /// A number within a range.
    ///
    /// # Errors
    /// [`Error::Syntax`] for anything else.
    pub fn number(&self, name: &str, default: f32, range: (f32, f32)) -> Result<f32> {
        let Some(value) = self.get(name) else { return Ok(default) };
        let number = match value.data {
            Data::Integer(number) => number as f32,
            Data::Float(number) => number as f32,
            _ => return Err(wrong(value, Words::of("expected.option_number").with("name", name))),
        };
        let (low, high) = range;
        if !(low..=high).contains(&number) {
            let expected = Words::of("expected.option_range").with("name", name);
            let expected = expected.with("low", low).with("high", high);
            return Err(value.span.error(expected, value.describe(), None));
        }
        Ok(number)
    }

    /// `True` or `False`.
    ///
    /// # Errors
    /// [`Error::Syntax`] for anything else.
    pub fn flag(&self, name: &str, default: bool) -> Result<bool> {
        let Some(value) = self.get(name) else { return Ok(default) };
        match value.data {
            Data::Bool(flag) => Ok(flag),
            Data::Integer(number @ (0 | 1)) => Ok(number == 1),
            _ => Err(wrong(value, Words::of("expected.option_flag").with("name", name))),
        }
    }

    /// `SAME` (the default) or `VALID`.
    ///
    /// # Errors
    /// [`Error::Syntax`] for anything else.
    pub fn padding(&self) -> Result<Padding> {
        match self.choice("padding", "SAME", &["SAME", "VALID"])? {
            "VALID" => Ok(Padding::Valid),
            _ => Ok(Padding::Same),
        }
    }

    /// The activation behind `A`, ReLU by default.
    ///
    /// # Errors
    /// [`Error::Syntax`] for an unknown one.
    pub fn activation(&self) -> Result<Activation> {
        if self.get("actfunc").is_some_and(|value| value.data == Data::Null) {
            return Ok(Activation::None);
        }
        let name = self.choice("actfunc", "relu", &Activation::NAMES)?;
        Ok(Activation::from_name(name).unwrap_or_default())
    }

    /// One of a few words.
    ///
    /// # Errors
    /// [`Error::Syntax`] for anything else.
    pub fn choice(&self, name: &str, default: &'a str, known: &[&str]) -> Result<&'a str> {
        let Some(value) = self.get(name) else { return Ok(default) };
        match value.text() {
            Some(text) if known.contains(&text) => Ok(text),
            text => {
                let suggestion = text.and_then(|text| {
                    let same = known.iter().find(|known| known.eq_ignore_ascii_case(text));
                    let spelt = same.map(|known| meant(known));
                    spelt.or_else(|| suggest(text, known.iter().copied()))
                });
                let expected = Words::of("expected.option_choice").with("name", name);
                let expected = expected.with("known", known.join(", "));
                Err(value.span.error(expected, value.describe(), suggestion))
            }
        }
    }

    /// The letters of `actions`, each one of `known`.
    ///
    /// # Errors
    /// [`Error::Syntax`] for other letters or another type.
    pub fn actions(&self, default: &str, known: &str) -> Result<Vec<Action>> {
        let value = self.get("actions");
        if value.is_some_and(|value| value.data == Data::Null) && !known.contains('L') {
            return Ok(Vec::new());
        }
        let text = match value {
            None => default,
            Some(value) => match value.text() {
                Some(text) => text,
                None => return Err(wrong(value, Words::of("expected.option_actions"))),
            },
        };
        let error = |expected: Words, suggestion: Option<Words>| {
            let span = value.map_or(self.span, |value| value.span);
            span.error(expected, Words::code(shorten(text)), suggestion)
        };
        if text.len() > 16 {
            return Err(error(Words::of("expected.actions_length"), None));
        }
        if let Some(other) = text.chars().find(|&letter| !known.contains(letter)) {
            let letters: Vec<String> = known.chars().map(|letter| format!("`{letter}`")).collect();
            let upper = text.to_ascii_uppercase();
            let suggestion = if upper.chars().all(|letter| known.contains(letter)) {
                Words::of("hint.write").with("code", format!("'{upper}'"))
            } else {
                Words::of("hint.remove").with("code", other)
            };
            let expected = Words::of("expected.actions_of").with("letters", letters.join(", "));
            return Err(error(expected, Some(suggestion)));
        }
        if known.contains('L') && text.matches('L').count() != 1 {
            return Err(error(
                Words::of("expected.one_l"),
                Some(Words::of("hint.such_as").with("code", "'LAB'")),
            ));
        }
        Ok(text
            .chars()
            .map(|letter| match letter {
                'L' => Action::Linear,
                'A' => Action::Activation,
                _ => Action::BatchNorm,
            })
            .collect())
    }
}

fn read_count(value: &Value, name: &str, least: i64) -> Result<usize> {
    match value.data {
        Data::Integer(number) if (least..=MAX_SIZE).contains(&number) => Ok(number as usize),
        _ => {
            let expected = Words::of("expected.option_count").with("name", name);
            let expected = expected.with("low", least).with("high", MAX_SIZE);
            Err(value.span.error(expected, value.describe(), None))
        }
    }
}

fn wrong(value: &Value, expected: Words) -> Error {
    value.span.error(expected, value.describe(), None)
}
