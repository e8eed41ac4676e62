//! Macros: named bodies whose `'#arg'` values are replaced by a caller's arguments.

use super::cell::MacroDefinition;
use super::parse::Reader;
use super::predefined;
use super::value::{Data, Entry, MAX_DEPTH, Span, Value, suggest};
use crate::error::{Error, Result, Words};
use std::rc::Rc;

/// Values that expanding one text may make: a text of nested macros can grow without bound.
const MAX_VALUES: usize = 1 << 20;

/// The macros that a text may use.
pub struct Macros {
    own: Vec<MacroDefinition>,
    values_left: usize,
}

/// A macro's call: its name and arguments, each with its place.
pub struct MacroCall<'a> {
    /// Name of the macro.
    pub name: &'a str,
    /// Where the name stands.
    pub span: Span,
    /// Arguments, keys with their `#`.
    pub arguments: &'a [Entry],
}

impl Macros {
    /// The predefined ones and the text's own, which come first.
    pub fn new(own: Vec<MacroDefinition>) -> Self {
        Self { own, values_left: MAX_VALUES }
    }

    /// Names of all macros.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let own = self.own.iter().map(|definition| definition.name.as_str());
        own.chain(predefined::MACROS.iter().map(|(name, _)| *name))
    }

    /// The body of a macro with every `'#arg'` replaced.
    ///
    /// # Errors
    /// [`Error::Syntax`] for an unknown macro, an argument that stays unresolved, or a body grown too large.
    pub fn body(&mut self, call: &MacroCall) -> Result<Value> {
        let own = self.own.iter().rev().find(|definition| definition.name == call.name);
        if let Some(definition) = own {
            let body = Rc::clone(&definition.body);
            return self.substitute(&body, Some(call), None);
        }
        let predefined = predefined::MACROS.iter().find(|(name, _)| *name == call.name);
        let Some((_, text)) = predefined else {
            let suggestion = suggest(call.name, self.names());
            let expected = Words::of("expected.macro_name");
            return Err(call.span.error(expected, Words::code(call.name), suggestion));
        };
        let body = Reader::new(text)?.value()?;
        // A predefined body has no place in the user's text: its values point to the call.
        self.substitute(&body, Some(call), Some(call.span))
    }

    /// The network itself, outside all macros: `'##x'` becomes `'#x'`, and `'#x'` is an error.
    ///
    /// # Errors
    /// As [`Macros::body`].
    pub fn outside(&mut self, network: &Value) -> Result<Value> {
        self.substitute(network, None, None)
    }

    fn substitute(
        &mut self,
        body: &Value,
        call: Option<&MacroCall>,
        stamp: Option<Span>,
    ) -> Result<Value> {
        Substitution { macros: self, body, call, stamp }.value(body, 0)
    }
}

/// One pass over a body.
struct Substitution<'a> {
    macros: &'a mut Macros,
    body: &'a Value,
    call: Option<&'a MacroCall<'a>>,
    stamp: Option<Span>,
}

impl Substitution<'_> {
    fn value(&mut self, value: &Value, depth: usize) -> Result<Value> {
        let span = self.stamp.unwrap_or(value.span);
        self.count(value, span, depth)?;
        let data = match &value.data {
            Data::Text(text) if text.starts_with("##") => Data::Text(text[1..].to_owned()),
            Data::Text(text) if text.starts_with('#') => return self.argument(text, span, depth),
            Data::List(items) => {
                let items = items.iter().map(|item| self.value(item, depth + 1));
                Data::List(items.collect::<Result<_>>()?)
            }
            Data::Dict(entries) => {
                let entries = entries.iter().map(|entry| {
                    Ok(Entry {
                        key: entry.key.clone(),
                        key_span: self.stamp.unwrap_or(entry.key_span),
                        value: self.value(&entry.value, depth + 1)?,
                    })
                });
                Data::Dict(entries.collect::<Result<_>>()?)
            }
            other => other.clone(),
        };
        Ok(Value { data, span })
    }

    fn count(&mut self, value: &Value, span: Span, depth: usize) -> Result<()> {
        if depth > MAX_DEPTH {
            let expected = Words::of("expected.macro_levels").with("n", MAX_DEPTH);
            return Err(span.error(expected, Words::of("found.one_more"), None));
        }
        // Long strings and keys count for what they take.
        let characters = match &value.data {
            Data::Text(text) => text.len(),
            Data::Dict(entries) => entries.iter().map(|entry| entry.key.len()).sum(),
            _ => 0,
        };
        let size = 1 + characters / 64;
        self.macros.values_left = match self.macros.values_left.checked_sub(size) {
            Some(left) => left,
            None => {
                let expected = Words::of("expected.macro_values").with("n", MAX_VALUES);
                return Err(span.error(expected, Words::of("found.more"), None));
            }
        };
        Ok(())
    }

    fn argument(&mut self, name: &str, span: Span, depth: usize) -> Result<Value> {
        let Some(call) = self.call else {
            let found = Words::of("found.outside_macro").with("name", name);
            let suggestion = Some(Words::of("hint.write_value_itself"));
            return Err(span.error(Words::of("expected.value"), found, suggestion));
        };
        match call.arguments.iter().find(|entry| entry.key == name) {
            Some(entry) => self.copy(&entry.value, depth),
            None => Err(self.unresolved(call, name, span)),
        }
    }

    /// Copies an argument as it is: it has been substituted where it was written.
    fn copy(&mut self, value: &Value, depth: usize) -> Result<Value> {
        self.count(value, value.span, depth)?;
        let data = match &value.data {
            Data::List(items) => {
                let items = items.iter().map(|item| self.copy(item, depth + 1));
                Data::List(items.collect::<Result<_>>()?)
            }
            Data::Dict(entries) => {
                let entries = entries.iter().map(|entry| {
                    let value = self.copy(&entry.value, depth + 1)?;
                    Ok(Entry { key: entry.key.clone(), key_span: entry.key_span, value })
                });
                Data::Dict(entries.collect::<Result<_>>()?)
            }
            other => other.clone(),
        };
        Ok(Value { data, span: value.span })
    }

    /// An argument that the body asks for and the call does not give. Where the call gives one of a similar name, that one
    /// is most likely the slip, and the error points to it.
    fn unresolved(&self, call: &MacroCall, name: &str, span: Span) -> Error {
        let given = call.arguments.iter().map(|entry| entry.key.as_str());
        let misspelt = call.arguments.iter().find(|entry| {
            suggest(&entry.key, [name]).is_some() && !mentions(self.body, &entry.key)
        });
        let found =
            |name: &str| Words::of("found.unresolved").with("name", name).with("macro", call.name);
        if let Some(entry) = misspelt.filter(|_| self.stamp.is_some()) {
            let expected = Words::of("expected.argument").with("name", name);
            return entry.key_span.error(expected, found(&entry.key), suggest(&entry.key, [name]));
        }
        let suggestion = suggest(name, given).unwrap_or_else(|| match self.stamp {
            Some(_) => Words::of("hint.add_to_args").with("name", name),
            None => {
                Words::of("hint.add_to_call").with("name", name).with("place", call.span.words())
            }
        });
        span.error(Words::of("expected.given_argument"), found(name), Some(suggestion))
    }
}

/// Whether a body asks for an argument.
fn mentions(body: &Value, argument: &str) -> bool {
    match &body.data {
        Data::Text(text) => text == argument,
        Data::List(items) => items.iter().any(|item| mentions(item, argument)),
        Data::Dict(entries) => entries.iter().any(|entry| mentions(&entry.value, argument)),
        _ => false,
    }
}
