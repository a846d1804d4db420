//! `k8s-ee.yaml`: read once, with positions; every mistake reported with its line; then handed on as typed data.
//!
//! [`Source`] is the text, [`Config::parse`] makes typed data of it or a list of [`problem::Problem`]s: first what is
//! no proper YAML, then what does not fit the [`schema`], then what no schema can say. What the platform allows is
//! checked later, by stages that know its settings; they make their problems with [`Config::problem`].

pub mod builds;
pub mod databases;
pub mod defaults;
pub(crate) mod document;
pub mod duration;
pub mod file;
pub mod injected;
mod keys;
pub mod lifecycle;
mod patterns;
mod pointer;
pub mod problem;
mod repair;
pub mod report;
mod rules;
pub mod salvage;
pub mod schema;
pub mod seed;
pub mod services;
mod shape;
mod source;
pub mod trigger;
mod words;

use std::{collections::BTreeMap, fmt};

use serde_json::Value;

pub use source::{MAX_BYTES, ReadError, Source};

pub(crate) use words::{list, nearest, shorten};

use document::Item;
use file::File;
use problem::{MOST, Place, Problem};

/// How many lines a file may have. A hundred times what real files need.
const MAX_LINES: usize = 20_000;

/// A valid configuration, and where in the file everything stands.
#[derive(Clone, Debug)]
pub struct Config {
    /// What the file says. Defaults are not filled in.
    pub file: File,
    source: Source,
    document: Item,
    /// What the files of seeds hold, by path, once they are read.
    contents: BTreeMap<String, seed::Content>,
}

/// A configuration with mistakes.
#[derive(Clone, Debug)]
pub struct Invalid {
    /// The text.
    pub source: Source,
    /// All mistakes in the order of the text; at least one.
    pub problems: Vec<Problem>,
}

// Not derived: `thiserror` would take `source` for the cause.
impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not valid", self.source.name())
    }
}

impl std::error::Error for Invalid {}

/// Checks a reference of an image from elsewhere, such as the platform settings.
///
/// # Errors
/// Why it is none.
pub fn check_image_reference(text: &str) -> Result<(), String> {
    rules::check_reference(text)
}

/// Reads a YAML document that is not a configuration, held to the same limits.
///
/// # Errors
/// Everything that makes it no proper YAML document.
pub(crate) fn read_document(source: &Source) -> Result<Item, Vec<Problem>> {
    if let Some(problem) = unreadable(source) {
        return Err(vec![problem]);
    }
    match document::compose(source) {
        (Some(document), problems) if problems.is_empty() => Ok(document),
        (_, problems) if problems.is_empty() => Err(vec![Problem {
            hint: None,
            ..empty(source)
        }]),
        (_, problems) => Err(problems),
    }
}

impl Config {
    /// Checks a configuration.
    ///
    /// # Errors
    /// Everything that is wrong with it. When the text is no YAML, or its keys do not fit the schema, mistakes that
    /// only show once that is put right are not among it.
    pub fn parse(source: Source) -> Result<Self, Invalid> {
        if let Some(problem) = unreadable(&source) {
            return Err(invalid(source, vec![problem]));
        }
        let (document, mut problems) = document::compose(&source);
        let Some(document) = document else {
            if problems.is_empty() {
                problems.push(empty(&source));
            }
            return Err(invalid(source, problems));
        };
        let json = document.to_json();
        if json.is_null() {
            problems.push(empty(&source));
            return Err(invalid(source, problems));
        }
        let misfits = shape::check(&source, &document, &json);
        let shape_is_right = misfits.is_empty();
        let json = without(json, &misfits);
        problems.extend(misfits);

        match serde_json::from_value::<File>(json) {
            Ok(file) => {
                let config = Self {
                    file,
                    source,
                    document,
                    contents: BTreeMap::new(),
                };
                problems.extend(rules::values(&config));
                if shape_is_right {
                    problems.extend(rules::relations(&config));
                }
                if problems.is_empty() {
                    Ok(config)
                } else {
                    Err(invalid(config.source, problems))
                }
            }
            Err(error) => {
                if shape_is_right {
                    // The schema is made from the types, so they agree; should they not, nothing may pass unnoticed.
                    problems.push(Problem {
                        pointer: String::new(),
                        place: source.place(0..0),
                        message: format!("the file cannot be used: {error}"),
                        hint: Some("this is a bug in k8s-ee; please report it".to_owned()),
                    });
                }
                Err(invalid(source, problems))
            }
        }
    }

    /// The text that the configuration was read from.
    #[must_use]
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// What the file says, as JSON; aliases expanded, defaults not filled in.
    #[must_use]
    pub fn json(&self) -> Value {
        self.document.to_json()
    }

    /// Where a member stands that a JSON pointer names, such as `/services/api/port`; when it is not in the file, where
    /// its nearest ancestor stands that is.
    #[must_use]
    pub fn place(&self, pointer: &str) -> Place {
        let text = self.source.text();
        self.source.place(self.document.nearest(pointer).span(text))
    }

    /// Where a member stands, for people: `k8s-ee.yaml:14`.
    #[must_use]
    pub fn locate(&self, pointer: &str) -> String {
        format!("{}:{}", self.source.name(), self.place(pointer).line)
    }

    /// A problem with a member, for checks that know more than the file.
    pub fn problem(
        &self,
        pointer: &str,
        message: impl Into<String>,
        hint: Option<String>,
    ) -> Problem {
        Problem {
            pointer: pointer.to_owned(),
            place: self.place(pointer),
            message: message.into(),
            hint,
        }
    }

    /// Whether a member is in the file.
    fn has(&self, pointer: &str) -> bool {
        self.document.get(pointer).is_some()
    }

    /// The keys of a map, in the order of the file.
    fn keys(&self, pointer: &str) -> Vec<String> {
        self.document
            .get(pointer)
            .map(Item::keys)
            .unwrap_or_default()
    }

    /// As [`Self::problem`], but at the member's key rather than its value.
    fn key_problem(&self, pointer: &str, message: String, hint: Option<String>) -> Problem {
        let span = self.document.nearest(pointer).head_span();
        Problem {
            pointer: pointer.to_owned(),
            place: self.source.place(span),
            message,
            hint,
        }
    }
}

/// Sorts the problems, keeps the first of those that are about the same member at the same place, and cuts off a list
/// that nobody reads to its end.
fn invalid(source: Source, mut problems: Vec<Problem>) -> Invalid {
    problems.sort_by(|a, b| {
        let start = |p: &Problem| p.place.span.start;
        start(a)
            .cmp(&start(b))
            .then_with(|| a.pointer.cmp(&b.pointer))
    });
    problems.dedup_by(|again, first| {
        again.pointer == first.pointer && again.place.span.start == first.place.span.start
    });
    if let Some(next) = problems.get(MOST) {
        let rest = Problem {
            pointer: String::new(),
            place: next.place.clone(),
            message: "more mistakes follow".to_owned(),
            hint: Some("put these right first".to_owned()),
        };
        problems.truncate(MOST);
        problems.push(rest);
    }
    Invalid { source, problems }
}

fn unreadable(source: &Source) -> Option<Problem> {
    let text = source.text();
    let problem = |at: usize, message: &str, hint: &str| Problem {
        pointer: String::new(),
        place: source.place(at..at),
        message: message.to_owned(),
        hint: Some(hint.to_owned()),
    };
    if text.len() > MAX_BYTES {
        return Some(problem(
            0,
            "the file is larger than 1 MiB",
            "a configuration takes a few kilobytes; is this the file you meant?",
        ));
    }
    if source.lines() > MAX_LINES {
        return Some(problem(
            0,
            &format!("the file has more than {MAX_LINES} lines"),
            "a configuration takes a few hundred; is this the file you meant?",
        ));
    }
    let nul = text.find('\0')?;
    Some(problem(
        nul,
        "there is a NUL byte here",
        "save the file as plain text in the encoding UTF-8",
    ))
}

fn empty(source: &Source) -> Problem {
    Problem {
        pointer: String::new(),
        place: source.place(0..0),
        message: "the file is empty".to_owned(),
        hint: Some("begin with the name of the project: `projectId: shop`".to_owned()),
    }
}

/// The document without the members that do not fit the schema, so that the values of the others can be checked.
fn without(mut json: Value, misfits: &[Problem]) -> Value {
    for misfit in misfits {
        remove(&mut json, &misfit.pointer);
    }
    if let (Value::Object(root), false) = (&mut json, misfits.is_empty()) {
        // The only key that must be there; no rule about values looks at it.
        root.entry("projectId").or_insert_with(|| "missing".into());
    }
    json
}

/// Removes a member. Out of a list nothing is taken, because the other items would change their index: the whole list
/// goes. A member that is missing takes the map with it that it is missing from, and a map that is left empty goes too.
fn remove(json: &mut Value, wanted: &str) {
    let mut target = String::new();
    let mut here = &*json;
    for token in pointer::tokens(wanted) {
        match here
            .as_object()
            .and_then(|members| members.get(token.as_ref()))
        {
            Some(next) => here = next,
            None => break,
        }
        target = pointer::child(&target, &token);
    }
    while let Some((parent, key)) = pointer::split(&target) {
        let Some(Value::Object(members)) = json.pointer_mut(parent) else {
            return;
        };
        members.shift_remove(key.as_ref());
        if !members.is_empty() {
            return;
        }
        target = parent.to_owned();
    }
}
