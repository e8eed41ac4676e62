//! Nested lists to layers: macros replaced by their bodies, loops unrolled, every layer given its path.

use super::layers::{GROUPS, LEAVES, Layer, LayerKind, leaf};
use super::macros::{MacroCall, Macros};
use super::options::Options;
use super::value::{Data, Entry, MAX_DEPTH, Span, Value, suggest};
use crate::error::{Error, Result, Words};

/// Layers that a network may have.
const MAX_LAYERS: usize = 10_000;

/// Expands a network.
///
/// # Errors
/// [`Error::Syntax`] for unknown kinds, options and macros, wrong types, unresolved arguments, macros that use themselves,
/// and networks too deep or too long.
pub fn expand(network: &Value, macros: &mut Macros) -> Result<Layer> {
    let network = macros.outside(network)?;
    let mut expander = Expander { macros, active: Vec::new(), depth: 0, layers: 0 };
    expander.layer(&network, "", None)
}

struct Expander<'a> {
    macros: &'a mut Macros,
    active: Vec<String>,
    depth: usize,
    layers: usize,
}

/// A layer's list taken apart.
struct Parts<'a> {
    kind: &'a str,
    span: Span,
    entries: &'a [Entry],
    children: &'a [Value],
}

impl Expander<'_> {
    /// The layer of a list. `place` is its path without its name, empty for the network itself; `label` is the name of the
    /// macro whose body it is.
    fn layer(&mut self, value: &Value, place: &str, label: Option<&str>) -> Result<Layer> {
        self.layers += 1;
        if self.layers > MAX_LAYERS {
            let expected = Words::of("expected.layers").with("n", MAX_LAYERS);
            return Err(value.span.error(expected, Words::of("found.more_with_loops"), None));
        }
        if self.depth >= MAX_DEPTH {
            let expected = Words::of("expected.layers_deep").with("n", MAX_DEPTH);
            return Err(value.span.error(expected, Words::of("found.one_more"), None));
        }
        self.depth += 1;
        let layer = self.layer_within_limits(value, place, label);
        self.depth -= 1;
        layer
    }

    fn layer_within_limits(
        &mut self,
        value: &Value,
        place: &str,
        label: Option<&str>,
    ) -> Result<Layer> {
        // A list of lists is a series without the word.
        if let Data::List(items) = &value.data
            && matches!(items.first(), Some(Value { data: Data::List(_), .. }))
        {
            return self.series(items, value.span, place, label.unwrap_or("serial"), label);
        }
        let parts = take_apart(value)?;
        if let Some(kind) = leaf(parts.kind, parts.span, parts.entries)? {
            if let Some(child) = parts.children.first() {
                let expected = Words::of("expected.no_layers_inside").with("kind", parts.kind);
                return Err(child.span.error(expected, child.describe(), None));
            }
            let label = label.unwrap_or(parts.kind);
            return Ok(Layer {
                kind,
                label: label.into(),
                path: named(place, label),
                span: parts.span,
            });
        }
        let Some((_, known)) = GROUPS.iter().find(|(name, _)| *name == parts.kind) else {
            return Err(self.unknown_kind(&parts, value));
        };
        let options = Options::new(parts.kind, parts.span, parts.entries, known)?;
        if parts.kind == "custom" {
            return self.custom(&parts, &options, place, label);
        }
        let Some(first) = parts.children.first() else {
            let expected = Words::of("expected.layer_inside").with("kind", parts.kind);
            return Err(value.span.error(expected, Words::of("found.none"), None));
        };
        let name = label.unwrap_or(parts.kind);
        match parts.kind {
            "serial" => self.series(parts.children, parts.span, place, name, label),
            "loop" => {
                if let Some(second) = parts.children.get(1) {
                    return Err(second.span.error(
                        Words::of("expected.one_layer_in_loop"),
                        Words::of("found.another"),
                        Some(Words::of("hint.put_into_serial")),
                    ));
                }
                let repeat = options.count("repeat", 0, Some(1))?;
                self.series(std::iter::repeat_n(first, repeat), parts.span, place, name, label)
            }
            kind => {
                let path = named(place, name);
                let children = self.children(parts.children, &path)?;
                let kind = if kind == "parallel" {
                    LayerKind::Parallel(children)
                } else {
                    LayerKind::Add {
                        children,
                        x: options.flag("x", true)?,
                        actions: options.actions("", "AB")?,
                        activation: options.activation()?,
                    }
                };
                Ok(Layer { kind, label: name.into(), path, span: parts.span })
            }
        }
    }

    /// Children one after another. A series adds no name to its children's paths, only their number; a macro's adds its own.
    fn series<'v>(
        &mut self,
        children: impl IntoIterator<Item = &'v Value>,
        span: Span,
        place: &str,
        name: &str,
        label: Option<&str>,
    ) -> Result<Layer> {
        let path = match label {
            Some(label) if !place.is_empty() => named(place, label),
            _ => place.to_owned(),
        };
        let children = self.children(children, &path)?;
        Ok(Layer { kind: LayerKind::Series(children), label: name.into(), path, span })
    }

    fn children<'v>(
        &mut self,
        children: impl IntoIterator<Item = &'v Value>,
        path: &str,
    ) -> Result<Vec<Layer>> {
        let numbered = children.into_iter().enumerate();
        numbered
            .map(|(number, child)| {
                let place = match path {
                    "" => number.to_string(),
                    _ => format!("{path}.{number}"),
                };
                self.layer(child, &place, None)
            })
            .collect()
    }

    fn custom(
        &mut self,
        parts: &Parts,
        options: &Options,
        place: &str,
        label: Option<&str>,
    ) -> Result<Layer> {
        if let Some(child) = parts.children.first() {
            let expected = Words::of("expected.no_layers_inside").with("kind", "custom");
            return Err(child.span.error(expected, child.describe(), None));
        }
        let value = options.required("name")?;
        let Some(name) = value.text() else {
            let expected = Words::of("expected.macro_name");
            return Err(value.span.error(expected, value.describe(), None));
        };
        let arguments = match options.get("args") {
            None => &[],
            Some(Value { data: Data::Dict(entries), .. }) => entries.as_slice(),
            Some(other) => {
                let expected = Words::of("expected.args");
                return Err(other.span.error(expected, other.describe(), None));
            }
        };
        if let Some(entry) = arguments.iter().find(|entry| !entry.key.starts_with('#')) {
            let suggestion = Words::of("hint.write").with("code", format!("'#{}'", entry.key));
            return Err(entry.key_span.error(
                Words::of("expected.hash_argument"),
                Words::code(&entry.key),
                Some(suggestion),
            ));
        }
        if self.active.iter().any(|active| active == name) {
            let chain = Words::value(format!("{} → {name}", self.active.join(" → ")));
            return Err(value.span.error(Words::of("expected.no_recursion"), chain, None));
        }
        let body = self.macros.body(&MacroCall { name, span: value.span, arguments })?;
        self.active.push(name.to_owned());
        let layer = self.layer(&body, place, Some(label.unwrap_or(name)));
        self.active.pop();
        layer
    }

    fn unknown_kind(&self, parts: &Parts, value: &Value) -> Error {
        let kinds = LEAVES.iter().chain(&GROUPS).map(|(name, _)| *name);
        let suggestion = if self.macros.names().any(|name| name == parts.kind) {
            Some(Words::of("hint.call_macro").with("name", parts.kind))
        } else {
            suggest(parts.kind, kinds.clone())
        };
        let span = match &value.data {
            Data::List(items) => items.first().map_or(value.span, |kind| kind.span),
            _ => value.span,
        };
        let kinds = kinds.collect::<Vec<_>>().join(", ");
        let expected = Words::of("expected.kind").with("kinds", kinds);
        span.error(expected, Words::code(super::value::shorten(parts.kind)), suggestion)
    }
}

/// `[kind, {options}, child…]`, options left out or not.
fn take_apart(value: &Value) -> Result<Parts<'_>> {
    let wrong = |value: &Value, suggestion: Option<Words>| {
        value.span.error(Words::of("expected.layer"), value.describe(), suggestion)
    };
    let items = match &value.data {
        Data::List(items) => items,
        Data::Text(kind) => {
            let code = format!("['{}']", super::value::shorten(kind));
            return Err(wrong(value, Some(Words::of("hint.write").with("code", code))));
        }
        _ => return Err(wrong(value, None)),
    };
    let Some((first, rest)) = items.split_first() else { return Err(wrong(value, None)) };
    let Some(kind) = first.text() else {
        return Err(first.span.error(Words::of("expected.quoted_kind"), first.describe(), None));
    };
    let (entries, children) = match rest.split_first() {
        Some((Value { data: Data::Dict(entries), .. }, children)) => (entries.as_slice(), children),
        _ => (&[][..], rest),
    };
    Ok(Parts { kind, span: value.span, entries, children })
}

/// The path of a named layer; the network itself counts as its own child 0.
fn named(place: &str, name: &str) -> String {
    let place = if place.is_empty() { "0" } else { place };
    format!("{place}.{name}")
}
