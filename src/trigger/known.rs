//! What is known of an environment without a look at any cluster: what our own comment says of it.

use crate::{
    github::Sha,
    report::github::{facts::State, said::Said},
};

/// What is known of an environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Known {
    /// Nothing: there is no comment of ours, so as far as we know it was never made.
    #[default]
    Nothing,
    /// It is there, or was begun.
    There(Option<Sha>),
    /// Its removal was begun, and is not known to have ended.
    Going(Option<Sha>),
    /// It was removed.
    Gone(Option<Sha>),
}

impl Known {
    /// Reads our comment. One without a hidden line is of an earlier version: its environment counts as there.
    #[must_use]
    pub fn of_comment(body: &str) -> Self {
        let Some(said) = Said::read(body) else {
            return Self::There(None);
        };
        let commit = said.commit.and_then(|commit| commit.parse().ok());
        match said.state {
            State::Destroyed => Self::Gone(commit),
            State::Destroying | State::Blocked => Self::Going(commit),
            _ if said.namespace.is_some() || said.serves.is_some() => Self::There(commit),
            // A job failed before there was anything.
            _ => Self::Nothing,
        }
    }

    /// Whether there is something to update.
    #[must_use]
    pub fn is_there(&self) -> bool {
        matches!(self, Self::There(_))
    }

    /// Whether it was removed, and that is sure.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        matches!(self, Self::Gone(_))
    }

    /// The commit that it is, or was last, made of.
    #[must_use]
    pub fn commit(&self) -> Option<&Sha> {
        match self {
            Self::There(commit) | Self::Going(commit) | Self::Gone(commit) => commit.as_ref(),
            Self::Nothing => None,
        }
    }
}
