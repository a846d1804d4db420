//! What GitHub is told about an environment: facts in, Markdown out. Pure: no clock, no network.

pub mod escape;
pub mod facts;
pub mod preserve;
pub mod said;
pub mod template;
#[cfg(test)]
mod tests;
mod view;
mod words;

use crate::github::ENVIRONMENT_MARKER;
use facts::{Facts, State};
use said::Said;
use template::{Template, TemplateError};
use view::{Room, view};

/// Most characters of a comment that GitHub takes.
const MOST: usize = 65_536;

/// The comment: the marker, the hidden line, what people read.
///
/// # Errors
/// The template cannot be rendered.
pub fn comment(
    facts: &Facts,
    state: State,
    before: Option<&Said>,
    template: &Template,
) -> Result<String, TemplateError> {
    let head = format!(
        "{ENVIRONMENT_MARKER}\n{}\n",
        Said::of(facts, state, before).line()
    );
    let text = markdown(facts, state, before, template, MOST - head.chars().count())?;
    Ok(head + &text)
}

/// What people read, in no more than so many characters.
///
/// # Errors
/// The template cannot be rendered.
pub fn markdown(
    facts: &Facts,
    state: State,
    before: Option<&Said>,
    template: &Template,
    most: usize,
) -> Result<String, TemplateError> {
    let mut text = String::new();
    for room in Room::STEPS {
        text = tidy(&template.render(&view(facts, state, before, room))?);
        if length(&text) <= most {
            return Ok(text);
        }
    }
    // Only a template of somebody's own comes so far.
    let mut cut = String::new();
    let mut left = most.saturating_sub(20);
    for c in text.chars() {
        left = match left.checked_sub(c.len_utf16()) {
            Some(left) => left,
            None => break,
        };
        cut.push(c);
    }
    Ok(cut + "\n\n… cut here\n")
}

/// One sentence about how it is doing, for the deployment and the status of the commit.
#[must_use]
pub fn sentence(facts: &Facts, state: State, before: Option<&Said>) -> String {
    let serves = before.and_then(|said| said.serves.as_deref());
    let title = words::of(state, words::is_served(&facts.serves, serves)).title;
    let why = facts
        .causes
        .first()
        .map(|located| located.cause.summary.as_str())
        .or_else(|| {
            facts
                .problems
                .first()
                .map(|problem| problem.message.as_str())
        });
    match why.filter(|_| state.is_bad()) {
        Some(why) => format!("{title}: {why}"),
        None => title.to_owned(),
    }
}

/// Characters as GitHub may count them.
fn length(text: &str) -> usize {
    text.encode_utf16().count()
}

/// Without spaces at the ends of lines, and without empty lines at its ends or several one after another; blocks of code
/// stay as they are.
fn tidy(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut fence: Option<&str> = None;
    let mut empty = true;
    for line in text.lines() {
        let line = line.trim_end();
        let ticks = &line[..line.len() - line.trim_start_matches('`').len()];
        match fence {
            Some(open) if line == open => fence = None,
            None if ticks.len() >= 3 => fence = Some(ticks),
            _ => {}
        }
        if line.is_empty() && empty && fence.is_none() {
            continue;
        }
        empty = line.is_empty();
        out.push_str(line);
        out.push('\n');
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}
