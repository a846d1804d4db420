//! What is said about a proposal, for people.

use std::fmt;

use crate::config::shorten;

/// How many notes are kept; who gets more reads none.
const MOST: usize = 200;

/// What a note is about. In this order they are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// It stands in the repository.
    Found,
    /// It may be wrong.
    Guessed,
    /// It was changed, because it works in another way here.
    Changed,
    /// It could not be taken over.
    Left,
    /// It is to be done or looked at.
    Next,
}

impl Kind {
    /// The word before the note.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Found => "found",
            Self::Guessed => "guessed",
            Self::Changed => "changed",
            Self::Left => "left out",
            Self::Next => "next",
        }
    }
}

/// Something that is said about a proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What it is about.
    pub kind: Kind,
    /// File and line, where it is about one.
    pub place: Option<String>,
    /// What is said.
    pub text: String,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:8} ", self.kind.word())?;
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        f.write_str(&self.text)
    }
}

/// Notes while they are collected.
#[derive(Debug, Default)]
pub(super) struct Notes {
    all: Vec<Note>,
    more: usize,
}

impl Notes {
    pub(super) fn add(&mut self, kind: Kind, place: Option<String>, text: impl Into<String>) {
        let note = Note {
            kind,
            place: place.map(|place| shorten(&place)),
            text: text.into(),
        };
        if self.all.len() >= MOST {
            self.more += 1;
        } else if !self.all.contains(&note) {
            self.all.push(note);
        }
    }

    /// Kind by kind, each in the order in which they came.
    pub(super) fn sorted(mut self) -> Vec<Note> {
        self.all.sort_by_key(|note| note.kind);
        if self.more > 0 {
            self.all.push(Note {
                kind: Kind::Next,
                place: None,
                text: format!("{} more notes are not shown", self.more),
            });
        }
        self.all
    }
}
