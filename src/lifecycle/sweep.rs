//! What `sweep` does about an environment, by what its namespace says and what is known of its pull request. Pure: no
//! clock, no network. What is not known keeps an environment.

pub mod pulls;
#[cfg(test)]
mod tests;

use jiff::Timestamp;
use serde_json::json;

use super::{preserve::Preserved, summary::age};
use crate::{
    deploy::live,
    desired::rfc3339,
    github::Repository,
    model::{
        labels,
        object::Object,
        settings::{LifecycleSettings, Span},
    },
};

/// Which pull request an environment is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Of {
    /// This one.
    Pull(Repository, u64),
    /// None: it has a name.
    Nobody,
    /// One that its namespace does not tell.
    Untold(String),
}

/// What is known of the pull request that an environment is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pull {
    /// It is open.
    Open,
    /// It is closed, since then.
    Closed(Timestamp),
    /// There is none, said by somebody who sees those of its repository.
    NoSuch,
    /// Nothing, for this reason.
    Unknown(String),
    /// The environment is of none.
    None,
}

/// What is to be done about an environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    Keep,
    /// Nothing, as it is not known whether anybody still wants it.
    Unknown,
    /// Nothing, as it is being deleted since then.
    Going(Option<Timestamp>),
    /// To say under its pull request that its preservation ends then.
    Warn(Timestamp),
    /// To say on its namespace when its preservation ends.
    GiveEnd(Timestamp),
    /// To remove it.
    Remove,
}

/// What is to be done about an environment, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Whether its preservation is over: that is taken off its namespace first, and does not count in the rest.
    pub preservation_ends: bool,
    /// What is done.
    pub action: Action,
    /// Why, as a sentence without its full stop.
    pub why: String,
    /// What its namespace says that cannot be read, and does not count.
    pub notes: Vec<String>,
}

/// Reads which pull request an environment is of.
#[must_use]
pub fn of(namespace: &Object) -> Of {
    let Some(number) = namespace.label(labels::PR_NUMBER) else {
        return Of::Nobody;
    };
    let Ok(number) = number.parse() else {
        return Of::Untold(format!("`{number}` is no number of a pull request"));
    };
    let repository = namespace.annotation(labels::REPOSITORY).unwrap_or_default();
    match repository.parse() {
        Ok(repository) => Of::Pull(repository, number),
        Err(_) if repository.is_empty() => Of::Untold(format!(
            "it does not say of which repository its pull request {number} is"
        )),
        Err(error) => Of::Untold(error.to_string()),
    }
}

/// Decides about an environment.
#[must_use]
pub fn judge(
    namespace: &Object,
    pull: &Pull,
    settings: &LifecycleSettings,
    now: Timestamp,
) -> Verdict {
    let says = |action, why: &str| Verdict {
        preservation_ends: false,
        action,
        why: why.to_owned(),
        notes: Vec::new(),
    };
    if !live::is_environment(namespace) {
        return says(Action::Keep, "it is no preview environment");
    }
    if live::is_terminating(namespace) {
        let since = namespace.str("/metadata/deletionTimestamp");
        let since = since.and_then(|time| time.parse().ok());
        return says(Action::Going(since), "it is being deleted");
    }
    match Preserved::of(namespace) {
        Some(preserved) if !preserved.has_ended(now) => {
            let (action, why) = keep_preserved(namespace, &preserved, settings, now);
            says(action, &why)
        }
        over => Verdict {
            preservation_ends: over.is_some(),
            ..judge_unpreserved(namespace, pull, settings, now)
        },
    }
}

fn keep_preserved(
    namespace: &Object,
    preserved: &Preserved,
    settings: &LifecycleSettings,
    now: Timestamp,
) -> (Action, String) {
    let Some(until) = preserved.until else {
        let longest = settings.preserve.longest;
        let until = longest.after(now);
        let why = format!("it is {preserved}, nobody said until when, and {longest} are allowed");
        return (Action::GiveEnd(until), why);
    };
    let why = format!("it is {preserved}");
    let soon = settings.preserve.warning.after(now) >= until;
    let action = match of(namespace) {
        Of::Pull(..) if soon && !preserved.warned => Action::Warn(until),
        _ => Action::Keep,
    };
    (action, why)
}

/// Decides about an environment that is not preserved, or not any more.
fn judge_unpreserved(
    namespace: &Object,
    pull: &Pull,
    settings: &LifecycleSettings,
    now: Timestamp,
) -> Verdict {
    let (ttl, notes) = ttl(namespace, settings);
    let number = namespace.label(labels::PR_NUMBER).unwrap_or_default();
    let changed = changed_at(namespace);
    let since = |time: Timestamp| age(now.duration_since(time).as_secs());
    let by_ttl = ttl.zip(changed).filter(|(ttl, at)| ttl.after(*at) <= now);
    let (action, why) = match (pull, by_ttl) {
        (Pull::NoSuch, _) => (
            Action::Remove,
            format!(
                "{} has no pull request {number}",
                namespace.annotation(labels::REPOSITORY).unwrap_or_default()
            ),
        ),
        (Pull::Closed(at), _) if settings.closed_grace.after(*at) <= now => (
            Action::Remove,
            format!("pull request {number} was closed {} ago", since(*at)),
        ),
        // Whoever brings it up is still at it: the time begins when that has ended.
        (Pull::Open, Some(_)) if is_at_work(namespace) => (
            Action::Keep,
            "its time is over, and it is being brought up".to_owned(),
        ),
        (Pull::Unknown(why), Some(_)) if is_at_work(namespace) => (Action::Unknown, why.clone()),
        (_, Some((ttl, at))) => (
            Action::Remove,
            format!(
                "it was last changed {} ago and may stay for {ttl}",
                since(at)
            ),
        ),
        (Pull::Open, None) => (Action::Keep, format!("pull request {number} is open")),
        (Pull::Closed(at), None) => (
            Action::Keep,
            format!(
                "pull request {number} was closed {} ago, and its workflow has {} to remove it",
                since(*at),
                settings.closed_grace
            ),
        ),
        (Pull::None, None) => (Action::Keep, "it is of no pull request".to_owned()),
        (Pull::Unknown(why), None) => (Action::Unknown, why.clone()),
    };
    Verdict {
        preservation_ends: false,
        action,
        why,
        notes,
    }
}

/// The pull request that GitHub has to be asked about before an environment can be judged; none where the verdict is the
/// same whatever it says.
#[must_use]
pub fn depends_on(
    namespace: &Object,
    settings: &LifecycleSettings,
    now: Timestamp,
) -> Option<(Repository, u64)> {
    let unasked = judge(namespace, &Pull::Unknown(String::new()), settings, now);
    match (unasked.action, of(namespace)) {
        (Action::Unknown, Of::Pull(repository, number)) => Some((repository, number)),
        _ => None,
    }
}

/// How long an environment may stay: what it says itself and what the platform says, the lesser of the two.
fn ttl(namespace: &Object, settings: &LifecycleSettings) -> (Option<Span>, Vec<String>) {
    let Some(text) = namespace.annotation(labels::TTL) else {
        return (settings.ttl, Vec::new());
    };
    match Span::try_from(text.to_owned()) {
        Ok(own) => (
            Some(settings.ttl.map_or(own, |ttl| ttl.min(own))),
            Vec::new(),
        ),
        Err(error) => (
            settings.ttl,
            vec![format!(
                "the annotation {} does not count: {error}",
                labels::TTL
            )],
        ),
    }
}

/// When an environment was last changed, as well as that can be told.
fn changed_at(namespace: &Object) -> Option<Timestamp> {
    let said = [
        namespace.annotation(labels::LAST_UPDATED),
        namespace.annotation(labels::CREATED_AT),
        namespace.str("/metadata/creationTimestamp"),
    ];
    let mut times = said
        .into_iter()
        .flatten()
        .filter_map(|time| time.trim().parse().ok());
    times.next()
}

/// Whether an `up` or a `prepare` is at work, or was when it was ended.
fn is_at_work(namespace: &Object) -> bool {
    let state = namespace.annotation(labels::STATE);
    [labels::STATE_STARTING, labels::STATE_PREPARING]
        .map(Some)
        .contains(&state)
}

/// The change to a namespace that says when its preservation ends; what was announced before does not count any more.
#[must_use]
pub fn give_end(until: Timestamp) -> serde_json::Value {
    json!({"metadata": {"annotations": {
        labels::PRESERVE_UNTIL: rfc3339(until),
        labels::PRESERVE_WARNING_SENT: "false",
    }}})
}
