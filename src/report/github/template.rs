//! Templates of the comment: minijinja, in which everything that is printed is Markdown-safe unless a filter has made it
//! so. Only the filters of this file make markup of data.

use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior, Value,
    syntax::SyntaxConfig,
    value::{Serde, ValueKind},
};

use super::escape;

/// The built-in template.
const BUILT_IN: &str = include_str!("comment.md.j2");

/// Steps that a template may take; the built-in one takes a few thousand.
const FUEL: u64 = 2_000_000;

/// Largest template that is read, in bytes.
pub const MOST_TEMPLATE: usize = 64 * 1024;

/// A template that can be rendered.
#[derive(Debug)]
pub struct Template {
    environment: Environment<'static>,
    name: String,
    text: String,
}

/// What is wrong with a template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the template {place} cannot be used: {message}")]
pub struct TemplateError {
    /// Which one, with the line if that is known: `comment.j2:12`.
    pub place: String,
    /// What is wrong with it.
    pub message: String,
    /// The line, from 1.
    pub line: Option<usize>,
}

impl Template {
    /// The built-in one.
    #[must_use]
    pub fn built_in() -> Self {
        Self::new("built-in", BUILT_IN.to_owned())
            .expect("the built-in template is one: a test renders it")
    }

    /// One from elsewhere; `name` is for messages.
    ///
    /// # Errors
    /// It is not one.
    pub fn new(name: &str, text: String) -> Result<Self, TemplateError> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| AutoEscape::Custom("markdown".into()));
        environment.set_formatter(print);
        let syntax = SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .build();
        environment.set_syntax(syntax.expect("the delimiters are those of Jinja"));
        environment.set_fuel(Some(FUEL));
        for unsafe_here in ["safe", "escape", "e", "join", "indent"] {
            environment.remove_filter(unsafe_here);
        }
        let filter = |f: fn(&str) -> String| move |value: &Value| made(value, f);
        environment.add_filter("code", filter(escape::code));
        environment.add_filter("prose", filter(escape::prose));
        environment.add_filter("html", filter(escape::html));
        environment.add_filter("cell", filter(escape::cell));
        environment.add_filter("block", |value: &Value, language: Option<&str>| {
            made(value, |text| {
                escape::block(text, language.unwrap_or_default())
            })
        });
        environment.add_filter("link", |value: &Value, address: &Value| {
            made(value, |text| {
                escape::link(text, address.as_str().unwrap_or_default())
            })
        });
        environment.add_filter("code_link", |value: &Value, address: &Value| {
            made(value, |text| {
                escape::code_link(text, address.as_str().unwrap_or_default())
            })
        });
        let of = |error: Error| TemplateError::new(name, &text, &error);
        if text.len() > MOST_TEMPLATE {
            return Err(TemplateError {
                place: name.to_owned(),
                message: format!("it has more than {MOST_TEMPLATE} bytes"),
                line: None,
            });
        }
        environment
            .add_template_owned("comment", text.clone())
            .map_err(of)?;
        Ok(Self {
            environment,
            name: name.to_owned(),
            text,
        })
    }

    /// The text for these variables, without empty lines at its ends, or several after another.
    ///
    /// # Errors
    /// It asks for a variable that there is not, or does not end.
    pub fn render(&self, view: &serde_json::Value) -> Result<String, TemplateError> {
        let template = self
            .environment
            .get_template("comment")
            .expect("it was added when it was made");
        let text = template
            .render(Value::from(Serde(view)))
            .map_err(|error| TemplateError::new(&self.name, &self.text, &error))?;
        if text.trim().is_empty() {
            return Err(TemplateError {
                place: self.name.clone(),
                message: "it prints nothing".to_owned(),
                line: None,
            });
        }
        Ok(text)
    }
}

impl TemplateError {
    fn new(name: &str, text: &str, error: &Error) -> Self {
        let line = error.line();
        let mut message = match error.detail() {
            Some(detail) => format!("{}: {detail}", error.kind()),
            None => error.kind().to_string(),
        };
        // It does not say which value is undefined; the line does.
        if let Some(shown) = line.and_then(|line| text.lines().nth(line.checked_sub(1)?)) {
            let shown: String = shown.trim().chars().take(120).collect();
            message = format!("{message}, in `{shown}`");
        }
        Self {
            place: line.map_or_else(|| name.to_owned(), |line| format!("{name}:{line}")),
            message,
            line,
        }
    }
}

/// Prints a value: text without markup, numbers as they are.
fn print(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    if value.is_safe() {
        return Ok(out.write_str(value.as_str().unwrap_or_default())?);
    }
    if value.is_undefined() {
        // That says which one.
        return minijinja::escape_formatter(out, state, value);
    }
    if value.is_none() {
        return Ok(());
    }
    Ok(out.write_str(&escape::text(&value.to_string()))?)
}

/// Markup that one of our filters makes of data.
fn made(value: &Value, make: impl Fn(&str) -> String) -> Result<Value, Error> {
    if value.is_undefined() {
        return Err(Error::new(
            ErrorKind::UndefinedError,
            "the value is undefined",
        ));
    }
    if value.is_none() {
        return Ok(Value::from(""));
    }
    let text = match value.kind() {
        // A list is its items, line by line.
        ValueKind::Seq => {
            let items: Vec<String> = value.try_iter()?.map(|item| item.to_string()).collect();
            items.join("\n")
        }
        _ => value.to_string(),
    };
    Ok(Value::from_safe_string(make(&text)))
}
