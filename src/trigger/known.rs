//! What is known of an environment without a look at any cluster: what our own comment says of it.

use serde::Deserialize;

use crate::github::Sha;

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

/// What the hidden line of our comment says, as far as it matters here.
#[derive(Deserialize)]
struct Said {
    state: String,
    commit: Option<String>,
}

impl Known {
    /// Reads our comment. One without such a line is of an earlier version: its environment counts as there.
    #[must_use]
    pub fn of_comment(body: &str) -> Self {
        let mut lines = body.trim_start().lines().skip(1).map(str::trim);
        let said: Option<Said> = lines.find_map(|line| {
            let inner = line.strip_prefix("<!--")?.strip_suffix("-->")?;
            serde_json::from_str(&inner[inner.find('{')?..]).ok()
        });
        let Some(said) = said else {
            return Self::There(None);
        };
        let commit = said.commit.and_then(|commit| commit.parse().ok());
        match said.state.as_str() {
            "destroyed" => Self::Gone(commit),
            "destroying" | "blocked" => Self::Going(commit),
            _ => Self::There(commit),
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
