//! Problems for people, for programs, and for annotations on GitHub.

use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet};
use serde_json::{Value, json};

use super::{Source, problem::Problem};
use crate::github::workflow::{self, Annotation};

/// Longest line that is shown, in bytes. A longer one would fill the screen, and keep the renderer busy.
const LONG_LINE: usize = 2000;

/// For the terminal: each problem with its line, a caret under it, and the hint.
///
/// Ends with a line break; empty when there is no problem.
#[must_use]
pub fn human(source: &Source, problems: &[Problem], color: bool) -> String {
    let renderer = if color {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let mut text = String::new();
    for problem in problems {
        let title = Level::ERROR.primary_title(problem.message.as_str());
        let (start, line) = source.line(problem.place.line);
        let mut group = if line.len() <= LONG_LINE {
            let within = |at: usize| at.saturating_sub(start).min(line.len());
            let span = within(problem.place.span.start)..within(problem.place.span.end);
            // The line alone: the renderer need not look through the whole file for each problem.
            let snippet = Snippet::source(line)
                .line_start(problem.place.line)
                .path(source.name())
                .annotation(AnnotationKind::Primary.span(span));
            title.element(snippet)
        } else {
            let origin = Origin::path(source.name())
                .line(problem.place.line)
                .char_column(problem.place.column);
            title.element(origin)
        };
        if let Some(hint) = &problem.hint {
            group = group.element(Level::HELP.with_name("hint").message(hint.as_str()));
        }
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&renderer.render(&[group]));
        text.push('\n');
    }
    text
}

/// For programs, version 1. `file` is null where no file could be read.
#[must_use]
pub fn json(source: Option<&Source>, problems: &[Problem]) -> Value {
    let errors: Vec<Value> = problems
        .iter()
        .map(|problem| {
            json!({
                "pointer": problem.pointer,
                "line": problem.place.line,
                "column": problem.place.column,
                "message": problem.message,
                "hint": problem.hint,
            })
        })
        .collect();
    json!({
        "version": 1,
        "valid": problems.is_empty(),
        "file": source.map(Source::name),
        "errors": errors,
    })
}

/// For GitHub Actions: one workflow command per problem, which puts an annotation on its line.
///
/// `name` is the path of the file from the root of the repository.
#[must_use]
pub fn github(name: &str, problems: &[Problem]) -> String {
    problems
        .iter()
        .map(|problem| {
            let message = match &problem.hint {
                Some(hint) => format!("{}\nhint: {hint}", problem.message),
                None => problem.message.clone(),
            };
            let annotation = Annotation {
                level: workflow::Level::Error,
                file: Some(name),
                line: Some(problem.place.line),
                column: Some(problem.place.column),
                title: "Invalid configuration",
                message: &message,
            };
            format!("{annotation}\n")
        })
        .collect()
}
