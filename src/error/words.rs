//! What an error says, as a key with values: the terminal words it from [`super::english`], the page from its catalogues.

use super::english;
use super::name::{Name, harmless};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

/// A phrase by its key, with the values that stand in it. Serialises as `{ key, values }`.
#[derive(Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Words(Box<Phrase>);

/// Lies in a box, so that a result that may be an error stays small.
#[derive(Clone, PartialEq, Serialize)]
struct Phrase {
    key: Cow<'static, str>,
    #[serde(serialize_with = "as_map")]
    values: Vec<Named>,
}

type Named = (Cow<'static, str>, Value);

/// A value of a phrase.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// A number, which each language writes in its own way.
    Number(f64),
    /// A name or a piece of notation, which is the same in every language.
    Text(String),
    /// A phrase within the phrase.
    Words(Words),
}

impl Words {
    /// The phrase of a key of the catalogues.
    #[cold]
    #[inline(never)]
    pub fn of(key: &'static str) -> Self {
        Self(Box::new(Phrase { key: key.into(), values: Vec::new() }))
    }

    /// The same phrase with a value in the place of `{name}`.
    pub fn with(self, name: &'static str, value: impl Into<Value>) -> Self {
        self.and(name, value.into())
    }

    #[cold]
    #[inline(never)]
    fn and(mut self, name: &'static str, value: Value) -> Self {
        self.0.values.push((name.into(), value));
        self
    }

    /// A value alone, where no words are needed.
    pub fn value(value: impl Into<Value>) -> Self {
        Self::of("words.value").with("value", value)
    }

    /// A piece of notation, in backticks.
    pub fn code(text: impl fmt::Display) -> Self {
        Self::of("words.code").with("code", text.to_string())
    }

    /// The key in the catalogues.
    pub fn key(&self) -> &str {
        &self.0.key
    }
}

/// Words the phrase in English.
impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in parts(english::template(self.key()).unwrap_or(self.key())) {
            match part {
                Part::Text(text) => f.write_str(text)?,
                Part::Value(name) => match self.0.values.iter().find(|(known, _)| known == name) {
                    Some((_, value)) => value.fmt(f)?,
                    None => write!(f, "{{{name}}}")?,
                },
            }
        }
        Ok(())
    }
}

/// A stretch of a phrase.
#[derive(Debug, PartialEq)]
pub(super) enum Part<'a> {
    /// Text as it stands, with the braces of notation in it.
    Text(&'a str),
    /// The place of a value: its name, of letters and underscores, stood in braces.
    Value(&'a str),
}

/// The parts of a phrase in order.
pub(super) fn parts(phrase: &str) -> impl Iterator<Item = Part<'_>> {
    let mut rest = phrase;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        if let Some((name, after)) = place_of_a_value(rest) {
            rest = after;
            return Some(Part::Value(name));
        }
        // The brace at the start, if it is one, belongs to the text.
        let next = rest.char_indices().skip(1).map(|(at, _)| at);
        let end = next.into_iter().find(|at| place_of_a_value(&rest[*at..]).is_some());
        let (text, after) = rest.split_at(end.unwrap_or(rest.len()));
        rest = after;
        Some(Part::Text(text))
    })
}

fn place_of_a_value(text: &str) -> Option<(&str, &str)> {
    let (name, after) = text.strip_prefix('{')?.split_once('}')?;
    let is_name = !name.is_empty() && name.bytes().all(|c| c.is_ascii_lowercase() || c == b'_');
    is_name.then_some((name, after))
}

/// Names key and values, without any language.
impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())?;
        f.debug_map().entries(self.0.values.iter().map(|(name, value)| (name, value))).finish()
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => f.write_str(text),
            Self::Words(words) => words.fmt(f),
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => text.fmt(f),
            Self::Words(words) => words.fmt(f),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(harmless(text))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<Name> for Value {
    fn from(name: Name) -> Self {
        Self::Text(name.to_string())
    }
}

impl From<char> for Value {
    fn from(c: char) -> Self {
        Self::from(c.to_string())
    }
}

impl From<Words> for Value {
    fn from(words: Words) -> Self {
        Self::Words(words)
    }
}

impl From<f64> for Value {
    /// Numbers that JSON does not have are text.
    fn from(number: f64) -> Self {
        if number.is_finite() { Self::Number(number) } else { Self::Text(number.to_string()) }
    }
}

impl From<f32> for Value {
    /// The shortest decimal that is this number: `0.1` rather than `0.10000000149011612`.
    fn from(number: f32) -> Self {
        Self::from(number.to_string().parse().unwrap_or(f64::from(number)))
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Self {
        Self::from(number as u64)
    }
}

impl From<u64> for Value {
    /// What a double cannot hold to the digit is text.
    fn from(number: u64) -> Self {
        if number < 1 << f64::MANTISSA_DIGITS {
            Self::Number(number as f64)
        } else {
            Self::Text(number.to_string())
        }
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(number as f64)
    }
}

fn as_map<S: Serializer>(values: &[Named], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(values.iter().map(|(name, value)| (name, value)))
}

/// The page hands back phrases that it was given, or some of its own; names in them are made harmless as any.
impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Written {
            key: String,
            #[serde(default)]
            values: BTreeMap<String, Value>,
        }
        let Written { key, values } = Written::deserialize(deserializer)?;
        let is_key = key.bytes().all(|c| c.is_ascii_lowercase() || matches!(c, b'_' | b'.'));
        if !is_key {
            return Err(D::Error::custom("a phrase has a key of letters, dots and underscores"));
        }
        let harmless = |value| if let Value::Text(text) = value { text.into() } else { value };
        let values = values.into_iter().map(|(name, value)| (name.into(), harmless(value)));
        Ok(Self(Box::new(Phrase { key: key.into(), values: values.collect() })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_in_their_places() {
        let words = Words::of("expected.option_range")
            .with("name", "std")
            .with("low", 0.1f32)
            .with("high", 3u32);
        assert_eq!(words.to_string(), "`std` from 0.1 to 3");
        let place = Words::of("place.line_column").with("line", 2u32).with("column", 7u32);
        let nested = Words::of("hint.see").with("place", place);
        assert_eq!(nested.to_string(), "see line 2, column 7");
        assert_eq!(Words::code("a{b}").to_string(), "`a{b}`");
    }

    #[test]
    fn the_braces_of_notation_stay() {
        let words = Words::of("hint.use_macro").with("name", "conv3");
        let call = "use the macro: ['custom', {'name': 'conv3', 'args': {'#act': 'LA'}}]";
        assert_eq!(words.to_string(), call);
        assert_eq!(Words::of("found.dictionary").to_string(), "a dictionary `{…}`");
        assert_eq!(
            parts("{{a}}{}").collect::<Vec<_>>(),
            [Part::Text("{"), Part::Value("a"), Part::Text("}{}")]
        );
    }

    #[test]
    fn names_cannot_turn_the_line() {
        assert_eq!(Words::code("\u{202e}gpj").to_string(), "`\u{fffd}gpj`");
    }

    #[test]
    fn the_page_gets_keys_and_values_and_can_hand_them_back() {
        let words = Words::of("reason.too_many_entries").with("n", 3usize);
        let json = serde_json::to_value(&words).unwrap();
        assert_eq!(
            json,
            serde_json::json!({ "key": "reason.too_many_entries", "values": { "n": 3.0 } })
        );
        assert_eq!(serde_json::from_value::<Words>(json).unwrap(), words);
        let foreign = serde_json::json!({ "key": "<b>anything</b>", "values": {} });
        assert!(serde_json::from_value::<Words>(foreign).is_err());
    }
}
