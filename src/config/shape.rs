//! Checks a document against the schema, and says what is wrong in words of our own.

use std::collections::HashSet;

use jsonschema::{
    JsonType, ValidationError,
    error::{TypeKind, ValidationErrorKind as Kind},
};
use serde_json::Value;

use super::{
    document::Item,
    keys, patterns, pointer,
    problem::{MOST, Problem},
    repair,
    schema::{COMPILED, sample},
    source::Source,
    words::{list, nearest, shorten},
};

/// What does not fit the schema, in no particular order.
pub(super) fn check(source: &Source, document: &Item, json: &Value) -> Vec<Problem> {
    let mut shape = Shape {
        source,
        document,
        problems: Vec::new(),
    };
    for error in COMPILED.validator.iter_errors(json) {
        shape.explain(&error);
        if shape.problems.len() > MOST {
            break;
        }
    }
    shape.problems
}

struct Shape<'a> {
    source: &'a Source,
    document: &'a Item,
    problems: Vec<Problem>,
}

impl Shape<'_> {
    fn explain(&mut self, error: &ValidationError<'_>) {
        let at = error.instance_path().as_str();
        let value = error.instance().as_ref();
        let schema = schema_of(error);
        match error.kind() {
            Kind::AdditionalProperties { unexpected } => {
                for key in unexpected.iter().take(MOST + 1) {
                    let (message, hint) = keys::unknown(at, key, schema);
                    self.key(at, key, message, hint);
                }
            }
            Kind::Required { property } => {
                let key = property.as_str().unwrap_or_default();
                self.missing_key(at, key, value, schema);
            }
            Kind::Type { kind } => self.wrong_type(at, value, &types(kind), schema),
            Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
                self.wrong_branch(at, value, context, schema);
            }
            Kind::PropertyNames { error: inner } => {
                let name = inner.instance().as_str().unwrap_or_default();
                let what = if at == "/services" {
                    "a service"
                } else if at.starts_with("/databases/") {
                    "a setting"
                } else {
                    "an environment variable"
                };
                let message = format!("`{}` cannot be the name of {what}", shorten(name));
                self.key(at, name, message, rule(name, schema_of(inner)));
            }
            Kind::Pattern { .. } | Kind::MinLength { .. } => {
                let text = value.as_str().unwrap_or_default();
                let message = match text {
                    "" => "cannot be empty".to_owned(),
                    _ => format!("cannot be `{}`", shorten(text)),
                };
                self.value(at, &message, rule(text, schema));
            }
            Kind::Enum { .. } if value.is_string() => {
                let text = value.as_str().unwrap_or_default();
                let message = format!("cannot be `{}`", shorten(text));
                self.value(at, &message, choice(text, schema));
            }
            Kind::Enum { .. } => {} // Its type is wrong, and that is told.
            Kind::Minimum { .. } | Kind::Maximum { .. } => {
                let message = format!("must be {}, not `{}`", range(schema), shorten(self.raw(at)));
                self.value(at, &message, None);
            }
            Kind::MinItems { .. } => {
                let hint = "add an item, or remove the key";
                self.value(at, "cannot be empty", Some(hint.to_owned()));
            }
            Kind::MinProperties { .. } => self.too_few_keys(at, schema),
            Kind::MaxProperties { .. } => {
                let message = format!("takes only one of {}", list(&keys::of(schema), "and"));
                let is_item = at.ends_with(|c: char| c.is_ascii_digit());
                let hint = if is_item {
                    "make two items of it"
                } else {
                    "remove one of the two"
                };
                self.value(at, &message, Some(hint.to_owned()));
            }
            Kind::UniqueItems => self.repeated_item(at, value),
            // No other keyword is in the schema. Should one come in, its own words are better than none.
            _ => self.value(at, &error.to_string(), None),
        }
    }

    fn missing_key(&mut self, parent: &str, key: &str, value: &Value, schema: &Value) {
        let misspelt = |written: &String| {
            schema["properties"].get(written).is_none() && nearest(written, [key]).is_some()
        };
        let written = value.as_object();
        if written.is_some_and(|members| members.keys().any(misspelt)) {
            return; // Told as an unknown key.
        }
        let at = pointer::child(parent, key);
        let example = &resolve(&schema["properties"][key])["examples"][0];
        let hint = match example {
            Value::String(text) => Some(format!("add `{key}: {text}`")),
            Value::Number(number) => Some(format!("add `{key}: {number}`")),
            _ => None,
        };
        let span = self.document.nearest(&at).head_span();
        self.problems.push(Problem {
            place: self.source.place(span),
            message: format!("`{}` is missing", pointer::path(&at)),
            pointer: at,
            hint,
        });
    }

    fn wrong_type(&mut self, at: &str, value: &Value, wanted: &[JsonType], schema: &Value) {
        if value.is_null() {
            let name = pointer::split(at).map(|(_, name)| name).unwrap_or_default();
            let hint = match at.strip_prefix("/services/") {
                Some(service) if !service.contains('/') => {
                    format!("write `{name}: {{}}` to take the defaults")
                }
                _ if wanted.contains(&JsonType::Boolean) => {
                    "write `true` or `false`, or remove the key".to_owned()
                }
                _ if schema["type"] == "string" && schema.get("pattern").is_none() => {
                    "give it one, `\"\"` if it shall be empty, or remove the key".to_owned()
                }
                _ => "give it one, or remove the key".to_owned(),
            };
            return self.value(at, "has no value", Some(hint));
        }
        let raw = self.raw(at);
        let hint = match schema.get("enum") {
            Some(_) => choice(raw, schema),
            None => repair::type_hint(at, value, raw, wanted, schema),
        };
        let message = format!("must be {}, not {}", kinds(wanted), found(value, raw));
        self.value(at, &message, hint);
    }

    /// A value that may take several forms: the form it has is the one that is explained.
    fn wrong_branch(
        &mut self,
        at: &str,
        value: &Value,
        branches: &[Vec<ValidationError<'static>>],
        schema: &Value,
    ) {
        let mut wanted = Vec::new();
        for branch in branches {
            let other_type = branch.iter().find_map(|error| match error.kind() {
                Kind::Type { kind } if error.instance_path().as_str() == at => Some(types(kind)),
                _ => None,
            });
            match other_type {
                Some(kinds) => wanted.extend(kinds),
                None => return branch.iter().for_each(|error| self.explain(error)),
            }
        }
        self.wrong_type(at, value, &wanted, schema);
    }

    fn too_few_keys(&mut self, at: &str, schema: &Value) {
        match keys::of(schema).as_slice() {
            [] => {
                let hint = "name at least one service, such as `api: {port: 3000}`";
                self.value(at, "cannot be empty", Some(hint.to_owned()));
            }
            known => self.value(at, &format!("needs one of {}", list(known, "and")), None),
        }
    }

    fn repeated_item(&mut self, at: &str, value: &Value) {
        let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
        let mut seen = HashSet::new();
        let Some(again) = items.iter().position(|item| !seen.insert(item.to_string())) else {
            return;
        };
        let shown = match &items[again] {
            Value::String(text) => shorten(text),
            other => shorten(&other.to_string()),
        };
        self.push(
            pointer::child(at, &again.to_string()),
            format!("`{}` names `{shown}` twice", pointer::path(at)),
            Some("keep one of the two".to_owned()),
        );
    }

    /// A problem with a value; the message goes on after its path.
    fn value(&mut self, at: &str, message: &str, hint: Option<String>) {
        let message = if at.is_empty() {
            format!("the file {message}")
        } else {
            format!("`{}` {message}", pointer::path(at))
        };
        self.push(at.to_owned(), message, hint);
    }

    fn push(&mut self, pointer: String, message: String, hint: Option<String>) {
        let span = self.document.nearest(&pointer).span(self.source.text());
        self.problems.push(Problem {
            place: self.source.place(span),
            pointer,
            message,
            hint,
        });
    }

    /// A problem with a key.
    fn key(&mut self, parent: &str, key: &str, message: String, hint: Option<String>) {
        let pointer = pointer::child(parent, key);
        let span = self.document.nearest(&pointer).head_span();
        self.problems.push(Problem {
            place: self.source.place(span),
            pointer,
            message,
            hint,
        });
    }

    /// A value as it is written.
    fn raw(&self, at: &str) -> &str {
        self.document.nearest(at).raw(self.source.text())
    }
}

/// The part of the schema whose keyword failed.
fn schema_of<'s>(error: &ValidationError<'_>) -> &'s Value {
    let keyword = error.schema_path().as_str();
    let part = keyword.rsplit_once('/').map_or("", |(part, _)| part);
    COMPILED.schema.pointer(part).unwrap_or(&Value::Null)
}

/// Follows `$ref`, which stands alone or in `allOf`.
pub(super) fn resolve(schema: &Value) -> &Value {
    let target = schema
        .get("$ref")
        .or_else(|| schema["allOf"][0].get("$ref"))
        .and_then(Value::as_str);
    match target.and_then(|target| COMPILED.schema.pointer(target.trim_start_matches('#'))) {
        Some(found) => resolve(found),
        None => schema,
    }
}

/// What a text must look like, with a sample that is near to what was written.
fn rule(text: &str, schema: &Value) -> Option<String> {
    let pattern = schema["pattern"].as_str();
    let words = pattern.and_then(patterns::in_words);
    let near = pattern.and_then(|pattern| repair::fitting(text, pattern));
    match (words, near.as_deref().or_else(|| sample(schema))) {
        (Some(words), Some(sample)) => Some(format!("write {words}, such as `{sample}`")),
        (Some(words), None) => Some(format!("write {words}")),
        (None, sample) => sample.map(|sample| format!("for example `{sample}`")),
    }
}

/// Which words may be chosen.
fn choice(text: &str, schema: &Value) -> Option<String> {
    let options = schema["enum"].as_array()?;
    let options: Vec<&str> = options.iter().filter_map(Value::as_str).collect();
    Some(match nearest(text, options.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("choose {}", list(&options, "or")),
    })
}

fn range(schema: &Value) -> String {
    match (&schema["minimum"], &schema["maximum"]) {
        (min, Value::Null) => format!("at least {min}"),
        (Value::Null, max) => format!("at most {max}"),
        (min, max) => format!("from {min} to {max}"),
    }
}

fn types(kind: &TypeKind) -> Vec<JsonType> {
    match kind {
        TypeKind::Single(kind) => vec![*kind],
        TypeKind::Multiple(kinds) => kinds.iter().collect(),
    }
}

fn kinds(wanted: &[JsonType]) -> String {
    let words: Vec<&str> = wanted
        .iter()
        .flat_map(|kind| match kind {
            JsonType::String => &["text"][..],
            JsonType::Integer => &["a whole number"],
            JsonType::Number => &["a number"],
            JsonType::Boolean => &["`true`", "`false`"],
            JsonType::Array => &["a list"],
            JsonType::Object => &["a map of keys"],
            JsonType::Null => &["nothing"],
        })
        .copied()
        .collect();
    match words.as_slice() {
        [rest @ .., last] if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => words.concat(),
    }
}

fn found(value: &Value, raw: &str) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(_) => format!("`{}`", shorten(raw)),
        Value::Number(_) => format!("the number `{}`", shorten(raw)),
        Value::String(text) => format!("the text `{}`", shorten(text)),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a map of keys".to_owned(),
    }
}
