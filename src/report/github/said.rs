//! What a comment of ours says, in a line that nobody sees: so that the next run knows what has changed, and that an older
//! one does not overwrite what a newer one says.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    escape,
    facts::{Facts, Part, RunId, Serves, State},
};

/// The line begins so.
const BEGIN: &str = "<!-- k8s-ee: ";
/// It ends so.
const END: &str = " -->";

/// Longest such line that is written and read, in bytes.
const MOST: usize = 16 * 1024;

/// What a comment says, version 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Said {
    /// Version of this shape.
    pub version: u32,
    /// How the environment is doing.
    pub state: State,
    /// The commit that it is about.
    pub commit: Option<String>,
    /// The run that said it.
    pub run: Option<RunId>,
    /// When, RFC 3339.
    pub at: String,
    /// Namespace of the environment.
    #[serde(default)]
    pub namespace: Option<String>,
    /// Its URL.
    #[serde(default)]
    pub url: Option<String>,
    /// The commit that answers there, if any does.
    #[serde(default)]
    pub serves: Option<String>,
    /// What was up last.
    #[serde(default)]
    pub last: Option<Last>,
}

/// A version that was up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Last {
    /// Its commit.
    pub commit: Option<String>,
    /// Its components by name.
    pub components: BTreeMap<String, Part>,
}

impl Said {
    /// Reads the line of a comment; none when it has none that we know, as those of the platform before us.
    #[must_use]
    pub fn read(body: &str) -> Option<Self> {
        // The marker comes first. Nothing that others write gets so far up.
        let line = body.trim_start().lines().nth(1)?.trim_end();
        let json = line.strip_prefix(BEGIN)?.strip_suffix(END)?;
        if json.len() > MOST {
            return None;
        }
        let said: Self = serde_json::from_str(json).ok()?;
        (said.version == 1).then_some(said)
    }

    /// The line.
    #[must_use]
    pub fn line(&self) -> String {
        let write = |said: &Self| {
            let json = serde_json::to_string(said).expect("it has string keys");
            escape::hidden(&json)
        };
        let mut json = write(self);
        if json.len() > MOST {
            // What has changed can be done without.
            json = write(&Self {
                last: None,
                ..self.clone()
            });
        }
        format!("{BEGIN}{json}{END}")
    }

    /// What is said from now on.
    #[must_use]
    pub fn of(facts: &Facts, state: State, before: Option<&Self>) -> Self {
        let serves = match &facts.serves {
            Serves::AsBefore => before.and_then(|said| said.serves.clone()),
            Serves::Nothing | Serves::Something => None,
            Serves::Commit(commit) => Some(commit.clone()),
        };
        let last = match state {
            State::Running => Some(Last {
                commit: facts.commit.clone(),
                components: facts.parts.clone(),
            }),
            State::Destroyed => None,
            _ => before.and_then(|said| said.last.clone()),
        };
        Self {
            version: 1,
            state,
            commit: facts.commit.clone(),
            run: facts.place.run,
            at: facts.now.clone(),
            namespace: facts
                .namespace
                .clone()
                .or_else(|| before?.namespace_for(state).map(str::to_owned)),
            url: facts.url.clone().or_else(|| before?.url.clone()),
            serves,
            last,
        }
    }

    /// The namespace that `next` is still about: what was removed leaves none to anything but its removal.
    #[must_use]
    pub fn namespace_for(&self, next: State) -> Option<&str> {
        let is_gone = self.state == State::Destroyed && !next.is_removal();
        self.namespace.as_deref().filter(|_| !is_gone)
    }

    /// Whether somebody with these facts may say something else. `head` is the newest commit of the pull request, as far
    /// as that is known.
    #[must_use]
    pub fn gives_way_to(&self, facts: &Facts, head: Option<&str>) -> bool {
        let (ours, theirs) = (facts.place.run, self.run);
        if let (Some(ours), Some(theirs)) = (ours, theirs)
            && ours.id == theirs.id
        {
            return ours.attempt >= theirs.attempt;
        }
        let is_head = |commit: &Option<String>| match (commit, head) {
            (Some(commit), Some(head)) => Some(same_commit(commit, head)),
            _ => None,
        };
        match (is_head(&facts.commit), is_head(&self.commit)) {
            // The commit decides: a run that was started again has a lower number than those that came after it.
            (Some(true), Some(false)) => true,
            (Some(false), Some(true)) => false,
            _ => match (ours, theirs) {
                (Some(ours), Some(theirs)) => ours.id > theirs.id || ours.attempt > 1,
                // Somebody who types knows what he does.
                _ => true,
            },
        }
    }

    /// Whether it says in the end what has become of a commit; `run` is the one that asks.
    #[must_use]
    pub fn settles(&self, commit: Option<&str>, run: Option<RunId>) -> bool {
        let about_it = match (commit, &self.commit) {
            (Some(commit), Some(said)) => same_commit(commit, said),
            _ => true,
        };
        // A try before this one has told of that try.
        let by_it = run.is_none() || self.run.is_none() || self.run == run;
        self.state.is_final() && about_it && by_it
    }
}

/// Whether two commits are the same, one of which may be short.
#[must_use]
pub fn same_commit(one: &str, other: &str) -> bool {
    one.len() >= 7 && other.len() >= 7 && (one.starts_with(other) || other.starts_with(one))
}
