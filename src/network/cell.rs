//! A pasted cell: macros, assignments, the model line and the run after it, or the bare nested list.

use super::parse::{Reader, is_name};
use super::value::{Data, Span, Value, shorten, suggest};
use crate::error::{Result, Words};
use serde::Serialize;
use std::rc::Rc;

/// What a text says, statement by statement.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// Macros in the order defined; a later one of the same name wins.
    pub macros: Vec<MacroDefinition>,
    /// The network: of the last model line, else the bare list, else the last list assigned.
    pub network: Rc<Value>,
    /// What the cell asks of the run.
    pub run: RunSettings,
}

/// `CnnExtModel.set_macro(name, body)`.
#[derive(Debug, Clone, PartialEq)]
pub struct MacroDefinition {
    /// Its name.
    pub name: String,
    /// Its body.
    pub body: Rc<Value>,
}

/// What a pasted cell says of the run; the page may take it as a default.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct RunSettings {
    /// Name in the model line.
    pub model: Option<String>,
    /// `epoch_count` of `exec_all` or `train`.
    pub epoch_count: Option<u64>,
    /// `report`: epochs from one report to the next.
    pub report: Option<u64>,
}

/// One argument of a call.
struct Argument {
    keyword: Option<String>,
    span: Span,
    value: Expression,
}

/// A value, or something that the network does not depend on.
enum Expression {
    Value(Rc<Value>),
    Name(String, Span),
    Ignored,
}

struct Statements<'a> {
    reader: Reader<'a>,
    variables: Vec<(String, Rc<Value>)>,
    macros: Vec<MacroDefinition>,
    model: Option<Rc<Value>>,
    bare: Option<Rc<Value>>,
    run: RunSettings,
}

/// Reads a whole text.
///
/// # Errors
/// [`crate::error::Error::Syntax`] with line, column and, where one comes to mind, a remedy;
/// [`crate::error::Error::Setting`] for a text longer than `MAX_TEXT` of the parser.
pub fn read(text: &str) -> Result<Cell> {
    let mut statements = Statements {
        reader: Reader::new(text)?,
        variables: Vec::new(),
        macros: Vec::new(),
        model: None,
        bare: None,
        run: RunSettings::default(),
    };
    while statements.statement()? {}
    statements.finish()
}

impl Statements<'_> {
    /// Reads a statement; `false` at the end.
    fn statement(&mut self) -> Result<bool> {
        self.skip_between();
        if self.at_report() {
            return Ok(false);
        }
        match self.reader.peek() {
            None => Ok(false),
            Some('[') => {
                let span = self.reader.span();
                let value = self.reader.value()?;
                if self.bare.is_some() {
                    return Err(span.error(
                        Words::of("expected.one_network"),
                        Words::of("found.another_list"),
                        Some(Words::of("hint.put_into_serial")),
                    ));
                }
                self.bare = Some(Rc::new(value));
                Ok(true)
            }
            Some(c) if is_name(c) => self.named_statement().map(|()| true),
            Some(c @ (']' | ')' | '}')) => Err(self.reader.error_here(
                Words::of("expected.statement"),
                Some(Words::of("hint.one_too_many").with("code", c)),
            )),
            Some(_) => Err(self.reader.error_here(Words::of("expected.list_or_cell"), None)),
        }
    }

    /// Skips blanks, semicolons, import lines and the tags of a saved page.
    fn skip_between(&mut self) {
        loop {
            self.reader.skip_blanks();
            let rest = self.reader.rest();
            if rest.starts_with("<pre>") || rest.starts_with("<p>") {
                self.reader.take_while(|c| c != '>');
                self.reader.advance();
            } else if ["import ", "from ", "%", "!"].iter().any(|start| rest.starts_with(start)) {
                self.reader.take_while(|c| c != '\n');
            } else if !self.reader.take(';') {
                return;
            }
        }
    }

    /// Whether the printed report of a run begins here: what follows is no longer the cell.
    fn at_report(&self) -> bool {
        const REPORT: [&str; 4] = ["</pre>", "Total parameter count", "Model ", "Epoch "];
        REPORT.iter().any(|start| self.reader.rest().starts_with(start))
    }

    /// `name = …`, `name(…)` or `name.method(…)`.
    fn named_statement(&mut self) -> Result<()> {
        let span = self.reader.span();
        let name = self.reader.take_while(is_name).to_owned();
        self.reader.skip_blanks();
        match self.reader.peek() {
            Some('=') => {
                self.reader.advance();
                match self.expression()? {
                    Expression::Value(value) => self.variables.push((name, value)),
                    Expression::Name(from, at) => {
                        let value = self.variable(&from, at)?;
                        self.variables.push((name, value));
                    }
                    Expression::Ignored => {}
                }
                Ok(())
            }
            Some('(' | '.') => self.call(name, span),
            _ => Err(self.reader.error_here(
                Words::of("expected.after_name").with("name", &name),
                suggest(&name, ["CnnExtModel"]),
            )),
        }
    }

    /// The right side of an assignment, or an argument.
    fn expression(&mut self) -> Result<Expression> {
        self.reader.skip_blanks();
        let span = self.reader.span();
        let word = self.reader.rest().split(|c| !is_name(c)).next().unwrap_or_default();
        let is_literal = matches!(word, "True" | "False" | "None" | "true" | "false" | "null");
        if word.is_empty() || is_literal || word.starts_with(|c: char| c.is_numeric()) {
            return self.reader.value().map(|value| Expression::Value(Rc::new(value)));
        }
        let name = self.reader.take_while(is_name).to_owned();
        if matches!(self.reader.peek(), Some('(' | '.')) {
            self.call(name, span)?;
            return Ok(Expression::Ignored);
        }
        Ok(Expression::Name(name, span))
    }

    /// From the bracket or dot after a name on: `(…)` or `.method(…)`.
    fn call(&mut self, name: String, span: Span) -> Result<()> {
        let mut function = name;
        while self.reader.take('.') {
            function.push('.');
            function.push_str(self.reader.take_while(is_name));
        }
        if self.reader.peek() != Some('(') {
            return Err(self
                .reader
                .error_here(Words::of("expected.call").with("name", function), None));
        }
        let mut arguments = Vec::new();
        self.reader.open()?;
        let mut done = self.reader.close();
        while !done {
            arguments.push(self.argument()?);
            done = self.reader.close_or_comma()?;
        }
        let method = function.rsplit('.').next().unwrap_or_default();
        if method == "set_macro" {
            self.define_macro(arguments, span)
        } else if function.starts_with("Cnn") || function.starts_with("Mlp") {
            self.set_model(arguments, span)
        } else {
            self.read_run(method, &arguments);
            Ok(())
        }
    }

    fn argument(&mut self) -> Result<Argument> {
        self.reader.skip_blanks();
        let span = self.reader.span();
        match self.expression()? {
            Expression::Name(name, at) => {
                self.reader.skip_blanks();
                if self.reader.take('=') {
                    let value = self.expression()?;
                    return Ok(Argument { keyword: Some(name), span, value });
                }
                Ok(Argument { keyword: None, span, value: Expression::Name(name, at) })
            }
            value => Ok(Argument { keyword: None, span, value }),
        }
    }

    fn define_macro(&mut self, arguments: Vec<Argument>, span: Span) -> Result<()> {
        let count = arguments.len();
        let mut values = arguments.into_iter();
        let (Some(name), Some(body), None) = (values.next(), values.next(), values.next()) else {
            let expected = Words::value("set_macro('name', [body])");
            return Err(span.error(expected, Words::of("found.arguments").with("n", count), None));
        };
        let name_span = name.span;
        let name = match &name.value {
            Expression::Value(value) if value.text().is_some() => value.text().unwrap_or_default(),
            _ => {
                let expected = Words::of("expected.quoted_macro_name");
                return Err(name_span.error(expected, Words::of("found.something_else"), None));
            }
        };
        if name.is_empty() || !name.chars().all(|c| is_name(c) || c == '-') {
            let expected = Words::of("expected.macro_name_letters");
            return Err(name_span.error(expected, Words::code(shorten(name)), None));
        }
        let body = self.network_of(body)?;
        self.macros.push(MacroDefinition { name: name.to_owned(), body });
        Ok(())
    }

    /// `CnnExtModel(name, data set, network, dump_structure=…)`.
    fn set_model(&mut self, arguments: Vec<Argument>, span: Span) -> Result<()> {
        let mut positional = arguments.into_iter().filter(|argument| argument.keyword.is_none());
        let (name, _, network) = (positional.next(), positional.next(), positional.next());
        if let Some(Argument { value: Expression::Value(value), .. }) = name {
            self.run.model = value.text().map(str::to_owned);
        }
        let Some(network) = network else {
            let expected = Words::value("CnnExtModel('name', data, [network])");
            return Err(span.error(expected, Words::of("found.fewer_than_three"), None));
        };
        self.model = Some(self.network_of(network)?);
        Ok(())
    }

    fn network_of(&self, argument: Argument) -> Result<Rc<Value>> {
        match argument.value {
            Expression::Value(value) => Ok(value),
            Expression::Name(name, span) => self.variable(&name, span),
            Expression::Ignored => {
                let expected = Words::of("expected.list_or_name");
                Err(argument.span.error(expected, Words::of("found.call"), None))
            }
        }
    }

    fn variable(&self, name: &str, span: Span) -> Result<Rc<Value>> {
        let found = self.variables.iter().rev().find(|(variable, _)| variable == name);
        found.map(|(_, value)| Rc::clone(value)).ok_or_else(|| {
            let known = self.variables.iter().map(|(variable, _)| variable.as_str());
            let suggestion = suggest(name, known);
            span.error(Words::of("expected.list_or_name_set"), Words::code(name), suggestion)
        })
    }

    fn read_run(&mut self, method: &str, arguments: &[Argument]) {
        if !matches!(method, "exec_all" | "train") {
            return;
        }
        for argument in arguments {
            let Expression::Value(value) = &argument.value else { continue };
            let Data::Integer(number) = value.data else { continue };
            match argument.keyword.as_deref() {
                Some("epoch_count") => self.run.epoch_count = u64::try_from(number).ok(),
                Some("report") => self.run.report = u64::try_from(number).ok(),
                _ => {}
            }
        }
    }

    fn finish(self) -> Result<Cell> {
        let assigned = self.variables.into_iter().rev().map(|(_, value)| value);
        let list = assigned.into_iter().find(|value| matches!(value.data, Data::List(_)));
        match self.model.or(self.bare).or(list) {
            Some(network) => Ok(Cell { macros: self.macros, network, run: self.run }),
            None => {
                let suggestion = self
                    .macros
                    .last()
                    .map(|definition| Words::of("hint.use_macro").with("name", &definition.name));
                Err(self.reader.error_here(Words::of("expected.network"), suggestion))
            }
        }
    }
}
