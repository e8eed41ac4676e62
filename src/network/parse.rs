//! Nested lists from JSON and from Python literals, each value with its place in the text.
//!
//! Lists, tuples, dictionaries, strings in either quote, `True`/`true`, `None`/`null`, whole and broken numbers, trailing
//! commas and `#` comments all read alike.

use super::value::{Data, Entry, MAX_DEPTH, Span, Value, shorten, suggest};
use crate::error::{Error, Result, Words, meant};

/// Longest text that is read, in bytes.
pub const MAX_TEXT: usize = 1 << 18;

/// The text and how far it has been read.
pub struct Reader<'a> {
    rest: &'a str,
    span: Span,
    opened: Vec<(char, Span)>,
}

impl<'a> Reader<'a> {
    /// Starts at the beginning.
    ///
    /// # Errors
    /// [`Error::Setting`] where the text is longer than [`MAX_TEXT`].
    pub fn new(text: &'a str) -> Result<Self> {
        if text.len() > MAX_TEXT {
            return Err(Error::Setting {
                name: Words::of("name.network_text"),
                expected: Words::of("expected.at_most_kb").with("n", MAX_TEXT >> 10),
                found: Words::of("words.kb").with("n", text.len().div_ceil(1 << 10)),
            });
        }
        Ok(Self { rest: text, span: Span { line: 1, column: 1 }, opened: Vec::new() })
    }

    /// Where the next character stands.
    pub fn span(&self) -> Span {
        self.span
    }

    /// What is still to be read.
    pub fn rest(&self) -> &'a str {
        self.rest
    }

    /// The next character.
    pub fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    /// Takes the next character.
    pub fn advance(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.rest = &self.rest[next.len_utf8()..];
        if next == '\n' {
            self.span = Span { line: self.span.line + 1, column: 1 };
        } else {
            self.span.column += 1;
        }
        Some(next)
    }

    /// Takes the next character if it is `wanted`.
    pub fn take(&mut self, wanted: char) -> bool {
        let there = self.peek() == Some(wanted);
        if there {
            self.advance();
        }
        there
    }

    /// Takes characters for as long as `wanted` holds.
    pub fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let start = self.rest;
        while self.peek().is_some_and(&wanted) {
            self.advance();
        }
        &start[..start.len() - self.rest.len()]
    }

    /// Skips blanks, line ends and comments.
    pub fn skip_blanks(&mut self) {
        loop {
            self.take_while(|c| c.is_whitespace() || c == '\u{feff}');
            if self.peek() != Some('#') {
                return;
            }
            self.take_while(|c| c != '\n');
        }
    }

    /// The next word or sign, in words.
    pub fn describe_next(&self) -> Words {
        let Some(next) = self.peek() else { return Words::of("found.end_of_text") };
        if next == '\'' || next == '"' {
            let inside = self.rest[1..].split([next, '\n']).next().unwrap_or_default();
            return Words::code(format_args!("{next}{}{next}", shorten(inside)));
        }
        let word = self.rest.split(|c: char| !is_name(c)).next().unwrap_or_default();
        if word.is_empty() { Words::code(next) } else { Words::code(shorten(word)) }
    }

    /// An error at the next character.
    pub fn error_here(&self, expected: Words, suggestion: Option<Words>) -> Error {
        self.span.error(expected, self.describe_next(), suggestion)
    }

    /// Takes an opening bracket, which the caller has seen.
    ///
    /// # Errors
    /// [`Error::Syntax`] where brackets nest deeper than [`MAX_DEPTH`].
    pub fn open(&mut self) -> Result<()> {
        if self.opened.len() >= MAX_DEPTH {
            let expected = Words::of("expected.brackets_deep").with("n", MAX_DEPTH);
            return Err(self.span.error(expected, Words::of("found.one_more"), None));
        }
        let span = self.span;
        if let Some(bracket) = self.advance() {
            self.opened.push((bracket, span));
        }
        Ok(())
    }

    /// After an item of a bracket: takes a comma and returns `false`, or takes the closing bracket and returns `true`.
    ///
    /// # Errors
    /// [`Error::Syntax`] where neither stands there.
    pub fn close_or_comma(&mut self) -> Result<bool> {
        self.skip_blanks();
        if self.take(',') {
            return Ok(self.close());
        }
        if self.close() {
            return Ok(true);
        }
        Err(self.bracket_error())
    }

    /// Takes the closing bracket of the innermost open one, if it stands here.
    pub fn close(&mut self) -> bool {
        self.skip_blanks();
        let Some(&(bracket, _)) = self.opened.last() else { return false };
        let closed = self.take(closing(bracket));
        if closed {
            self.opened.pop();
        }
        closed
    }

    /// What is wrong where a comma or a closing bracket should stand.
    fn bracket_error(&self) -> Error {
        let Some(&(bracket, opened)) = self.opened.last() else {
            return self.error_here(Words::of("expected.comma"), None);
        };
        let close = closing(bracket);
        let expected = Words::of("expected.comma_or_close")
            .with("close", close)
            .with("open", bracket)
            .with("place", opened.words());
        let next = self.peek();
        let suggestion = match next {
            None => Some(Words::of("hint.add_missing").with("code", close)),
            Some(next @ (']' | '}' | ')')) => {
                let outer = self.opened.iter().rev().skip(1).any(|&(b, _)| closing(b) == next);
                Some(if outer {
                    Words::of("hint.add_missing_before").with("code", close)
                } else {
                    Words::of("hint.one_too_many").with("code", next)
                })
            }
            Some('=') => Some(Words::of("hint.colon_between")),
            Some(next) if is_value_start(next) && self.starts_statement() => {
                Some(Words::of("hint.add_missing_before").with("code", close))
            }
            Some(next) if is_value_start(next) => Some(Words::of("hint.add_comma_before")),
            Some(_) => None,
        };
        self.error_here(expected, suggestion)
    }

    /// Whether a new statement of a pasted cell seems to begin here: a name, then `=`, `.` or `(`.
    fn starts_statement(&self) -> bool {
        let after_name = self.rest.trim_start_matches(is_name);
        after_name.len() < self.rest.len()
            && !self.rest.starts_with(|c: char| c.is_numeric())
            && after_name.trim_start_matches(' ').starts_with(['=', '.', '('])
    }

    /// Reads one value.
    ///
    /// # Errors
    /// [`Error::Syntax`].
    pub fn value(&mut self) -> Result<Value> {
        self.skip_blanks();
        let span = self.span;
        let data = match self.peek() {
            Some('[') => self.list()?,
            Some('(') => self.tuple()?,
            Some('{') => self.dict()?,
            Some('\'' | '"') => Data::Text(self.string()?),
            Some(c) if c.is_ascii_digit() || matches!(c, '-' | '+' | '.') => self.number()?,
            Some(c) if is_name(c) => self.keyword()?,
            _ => return Err(self.value_error()),
        };
        Ok(Value { data, span })
    }

    fn value_error(&self) -> Error {
        let suggestion = match self.peek() {
            Some('‘' | '’' | '“' | '”' | '`' | '´') => {
                Some(Words::of("hint.straight_quotes"))
            }
            Some(',') => Some(Words::of("hint.comma_too_many")),
            _ => None,
        };
        self.error_here(Words::of("expected.any_value"), suggestion)
    }

    fn list(&mut self) -> Result<Data> {
        self.open()?;
        let mut items = Vec::new();
        let mut done = self.close();
        while !done {
            items.push(self.value()?);
            done = self.close_or_comma()?;
        }
        Ok(Data::List(items))
    }

    /// `(a, b)` is a list; `(a)` is `a` itself.
    fn tuple(&mut self) -> Result<Data> {
        self.open()?;
        let mut items = Vec::new();
        let mut done = self.close();
        let mut comma = done;
        while !done {
            items.push(self.value()?);
            self.skip_blanks();
            comma |= self.peek() == Some(',');
            done = self.close_or_comma()?;
        }
        match items.pop() {
            Some(only) if items.is_empty() && !comma => Ok(only.data),
            last => {
                items.extend(last);
                Ok(Data::List(items))
            }
        }
    }

    fn dict(&mut self) -> Result<Data> {
        self.open()?;
        let mut entries: Vec<Entry> = Vec::new();
        let mut done = self.close();
        while !done {
            let key_span = self.span;
            let key = self.key()?;
            if entries.iter().any(|entry| entry.key == key) {
                let found = Words::of("found.key_again").with("key", key);
                return Err(key_span.error(Words::of("expected.each_key_once"), found, None));
            }
            self.skip_blanks();
            if !self.take(':') {
                return Err(self.colon_error(&key));
            }
            let value = self.value()?;
            entries.push(Entry { key, key_span, value });
            done = self.close_or_comma()?;
        }
        Ok(Data::Dict(entries))
    }

    fn key(&mut self) -> Result<String> {
        self.skip_blanks();
        match self.peek() {
            Some('\'' | '"') => self.string(),
            Some(c) if is_name(c) => {
                let name = self.rest.split(|c: char| !is_name(c)).next().unwrap_or_default();
                let suggestion = Words::of("hint.write").with("code", quoted(name));
                Err(self.error_here(Words::of("expected.quoted_key"), Some(suggestion)))
            }
            _ => Err(self.error_here(Words::of("expected.quoted_key"), None)),
        }
    }

    fn colon_error(&self, key: &str) -> Error {
        let suggestion = match self.peek() {
            Some('=') => Some(Words::of("hint.colon_for_equals")),
            Some(c) if is_name(c) => {
                let tail = self.rest.split(|c: char| !is_name(c)).next().unwrap_or_default();
                Some(meant(&quoted(&format!("{key}{tail}"))))
            }
            _ => None,
        };
        self.error_here(Words::of("expected.colon_after_key").with("key", shorten(key)), suggestion)
    }

    fn string(&mut self) -> Result<String> {
        let span = self.span;
        let Some(quote) = self.advance() else { return Ok(String::new()) };
        let unclosed = || {
            let suggestion = Some(Words::of("hint.add_missing").with("code", quote));
            let expected = Words::of("expected.closed_string").with("quote", quote);
            span.error(expected, Words::of("found.end_of_line"), suggestion)
        };
        let mut text = String::new();
        loop {
            match self.peek() {
                None | Some('\n') => return Err(unclosed()),
                Some('\\') => text.push(self.escape()?),
                Some(c) => {
                    self.advance();
                    if c == quote {
                        return Ok(text);
                    }
                    text.push(c);
                }
            }
        }
    }

    fn escape(&mut self) -> Result<char> {
        let span = self.span;
        self.advance();
        let unknown = |found: Words| span.error(Words::of("expected.escape"), found, None);
        match self.advance() {
            Some(c @ ('\'' | '"' | '\\' | '/')) => Ok(c),
            Some('n') => Ok('\n'),
            Some('t') => Ok('\t'),
            Some('r') => Ok('\r'),
            Some('u') => {
                let digits: String = self.rest.chars().take(4).collect();
                for _ in digits.chars() {
                    self.advance();
                }
                u32::from_str_radix(&digits, 16)
                    .ok()
                    .and_then(char::from_u32)
                    .ok_or_else(|| unknown(Words::code(format_args!("\\u{}", shorten(&digits)))))
            }
            Some(c) => Err(unknown(Words::code(format_args!("\\{c}")))),
            None => Err(unknown(Words::of("found.end_of_text"))),
        }
    }

    fn number(&mut self) -> Result<Data> {
        let span = self.span;
        let mut exponent = false;
        let mut previous = ' ';
        let start = self.rest;
        while let Some(c) = self.peek() {
            let sign = matches!(c, '+' | '-') && matches!(previous, ' ' | 'e' | 'E');
            if !(is_name(c) || c == '.' || sign) {
                break;
            }
            exponent |= matches!(c, '.' | 'e' | 'E');
            previous = c;
            self.advance();
        }
        let text = &start[..start.len() - self.rest.len()];
        let bad = || span.error(Words::of("expected.number"), Words::code(shorten(text)), None);
        if exponent {
            let number: f64 = text.parse().map_err(|_| bad())?;
            return if number.is_finite() { Ok(Data::Float(number)) } else { Err(bad()) };
        }
        text.parse().map(Data::Integer).map_err(|_| bad())
    }

    fn keyword(&mut self) -> Result<Data> {
        const KEYWORDS: [&str; 6] = ["True", "False", "None", "true", "false", "null"];
        let word = self.rest.split(|c: char| !is_name(c)).next().unwrap_or_default();
        let data = match word {
            "True" | "true" => Data::Bool(true),
            "False" | "false" => Data::Bool(false),
            "None" | "null" => Data::Null,
            _ => {
                let suggestion = suggest(word, KEYWORDS).unwrap_or_else(|| {
                    Words::of("hint.string_in_quotes").with("code", quoted(word))
                });
                return Err(self.error_here(Words::of("expected.value"), Some(suggestion)));
            }
        };
        self.take_while(is_name);
        Ok(data)
    }
}

/// A string of the notation, short enough for an error.
fn quoted(text: &str) -> String {
    format!("'{}'", shorten(text))
}

/// Whether a character can stand in a name.
pub fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn is_value_start(c: char) -> bool {
    is_name(c) || matches!(c, '[' | '{' | '(' | '\'' | '"' | '-' | '.')
}

fn closing(bracket: char) -> char {
    match bracket {
        '[' => ']',
        '{' => '}',
        _ => ')',
    }
}
