//! Reading a compose file: members as texts, with variables replaced, and notes with their line.

use std::cell::RefCell;

use serde_json::Value;

use crate::{
    config::{Source, document::Found, shorten},
    init::note::{Kind, Notes},
};

use super::interpolate::interpolate;

/// A compose file that is read, and what is said about it.
pub(super) struct Reader<'a> {
    source: &'a Source,
    notes: RefCell<&'a mut Notes>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(source: &'a Source, notes: &'a mut Notes) -> Self {
        Self {
            source,
            notes: RefCell::new(notes),
        }
    }

    /// File and line of a member.
    pub(super) fn place(&self, at: Found<'_>) -> String {
        let line = self.source.line_at(at.head_span().start);
        format!("{}:{line}", self.source.name())
    }

    /// Directory of the file in the repository; the root is the empty path.
    pub(super) fn directory(&self) -> &str {
        let path = self.source.name().rsplit_once('/');
        path.map_or("", |(directory, _)| directory)
    }

    pub(super) fn note(&self, kind: Kind, at: Found<'_>, text: impl Into<String>) {
        let place = Some(self.place(at));
        self.notes.borrow_mut().add(kind, place, text);
    }

    /// A note that is about no line.
    pub(super) fn remark(&self, kind: Kind, text: impl Into<String>) {
        self.notes.borrow_mut().add(kind, None, text);
    }

    /// The text of a scalar as it is written, variables replaced; none of anything else, of null, and where a variable
    /// has no default, which is told.
    pub(super) fn text(&self, at: Found<'_>) -> Option<String> {
        let text = match at.scalar()? {
            Value::Null => return None,
            Value::String(text) => text.clone(),
            _ => at.raw(self.source.text()).to_owned(),
        };
        let found = interpolate(&text);
        if let Some(name) = found.missing.first() {
            self.note(
                Kind::Left,
                at,
                format!(
                    "`${{{}}}` has no default here; write the value by hand",
                    shorten(name)
                ),
            );
            return None;
        }
        Some(found.text)
    }

    /// The same, where nothing is said about what is missing, because nobody needs it.
    pub(super) fn quiet_text(&self, at: Found<'_>) -> Option<String> {
        let text = match at.scalar()? {
            Value::Null => return None,
            Value::String(text) => text.as_str(),
            _ => at.raw(self.source.text()),
        };
        let found = interpolate(text);
        found.missing.is_empty().then_some(found.text)
    }

    /// The text of a member of a map.
    pub(super) fn member(&self, at: Found<'_>, key: &str) -> Option<String> {
        self.text(at.child(key)?)
    }

    /// A list of texts, or one text for a list of one.
    pub(super) fn texts(&self, at: Found<'_>) -> Vec<String> {
        if at.scalar().is_some() {
            return self.text(at).into_iter().collect();
        }
        at.items()
            .into_iter()
            .filter_map(|item| self.text(item))
            .collect()
    }

    /// A program with its arguments: a list, or one text that is cut as a shell does.
    pub(super) fn words(&self, at: Found<'_>) -> Vec<String> {
        let words = match at.scalar() {
            Some(_) => {
                let Some(text) = self.text(at) else {
                    return Vec::new();
                };
                shlex::split(&text).unwrap_or_else(|| vec![text])
            }
            None => self.texts(at),
        };
        // Kubernetes would put a variable in place of `$(NAME)`.
        words
            .into_iter()
            .map(|word| word.replace("$(", "$$("))
            .collect()
    }
}
