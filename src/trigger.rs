//! Whether a pull request is to have an environment: from what it is like now, not from what happened to it.
//!
//! Events come late, twice, and in any order, so that an event only says *when* to look. What is decided follows from the
//! pull request, the file at its head, what has been asked for in comments, and what our own comment says of the
//! environment; see `docs/adr/0023-decided-from-the-present.md`.

pub mod cause;
pub mod command;
pub mod known;
#[cfg(test)]
mod tests;

use serde::Serialize;

use crate::{
    config::trigger::{Rules, When},
    github::{Sha, access::Permission, comments::Reaction, pulls::PullRequest},
};
pub use cause::Cause;
use command::{Command, Keep, Misuse};
use known::Known;

/// What is to be done about the environment of a pull request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Make it: as far as is known there is none.
    Create,
    /// Bring it to the newest commit.
    Update,
    /// Remove it.
    Destroy,
    /// Keep it although the pull request is closed, or let go of it.
    Preserve,
    /// Leave it as it is.
    Nothing,
}

/// What is to be done, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What is to be done.
    pub action: Action,
    /// Why, on one line; names in it may be a stranger's.
    pub reason: String,
    /// How the comment that asked for it is answered.
    pub reaction: Option<Reaction>,
    /// How long it is kept, where that is what is to be done.
    pub keep: Option<Keep>,
    /// Whether it is removed also when it is preserved: a person asks for that.
    pub force: bool,
    /// Whether nothing is done because the newest commit, which is a fork's, is built and not approved.
    pub waits: bool,
}

/// What a decision is made from.
#[derive(Clone, Debug)]
pub struct Situation<'a> {
    /// The pull request as it is now.
    pub pull: &'a PullRequest,
    /// Why it is looked at.
    pub cause: &'a Cause,
    /// What the author of the comment may do, where one is the cause.
    pub permission: Permission,
    /// The newest command by somebody who may push, of those in the comments that the cause [heeds](Cause::heeds).
    pub newest: Option<Asked>,
    /// What is known of the environment.
    pub known: &'a Known,
    /// The rules of the file at the head; none when there is no file.
    pub rules: Option<&'a Rules>,
}

/// A command in a comment, by somebody who may push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Number of the comment.
    pub comment: u64,
    /// What it asks for.
    pub command: Command,
}

impl Action {
    /// Its name in outputs.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Destroy => "destroy",
            Self::Preserve => "preserve",
            Self::Nothing => "nothing",
        }
    }
}

impl Decision {
    fn new(action: Action, reason: impl Into<String>) -> Self {
        Self {
            action,
            reason: reason.into(),
            reaction: None,
            keep: None,
            force: false,
            waits: false,
        }
    }

    /// Nothing is to be done.
    #[must_use]
    pub fn nothing(reason: impl Into<String>) -> Self {
        Self::new(Action::Nothing, reason)
    }

    /// Nothing is to be done before somebody approves it.
    fn waiting(reason: String) -> Self {
        Self {
            waits: true,
            ..Self::nothing(reason)
        }
    }

    /// Done because a person asks for it, and answered so.
    fn asked(action: Action) -> Self {
        Self::new(action, "a comment asks for it").answered(Reaction::Eyes)
    }

    /// What a person asks for and does not get.
    fn refused(reason: impl Into<String>) -> Self {
        Self::nothing(reason).answered(Reaction::Confused)
    }

    fn answered(mut self, reaction: Reaction) -> Self {
        self.reaction = Some(reaction);
        self
    }
}

/// Decides what is to be done.
#[must_use]
pub fn decide(situation: &Situation<'_>) -> Decision {
    match situation.cause {
        Cause::Comment { id, command } => on_command(situation, *id, command),
        _ => on_change(situation),
    }
}

/// What a person asked for: done, or refused with the reason.
fn on_command(situation: &Situation<'_>, id: u64, command: &Result<Command, Misuse>) -> Decision {
    if situation.permission < Permission::Write {
        let reason = "whoever asks for an environment must be allowed to push to the repository";
        return Decision::nothing(reason).answered(Reaction::ThumbsDown);
    }
    let command = match command {
        Ok(command) => command,
        Err(misuse) => return Decision::refused(misuse.to_string()),
    };
    if situation
        .newest
        .as_ref()
        .is_some_and(|newest| newest.comment > id)
    {
        return Decision::nothing("a later comment asks for something else");
    }
    let named = match command {
        Command::Destroy => return remove(),
        Command::Preserve(keep) => return preserve(situation, *keep),
        Command::Deploy(named) => named.as_ref(),
    };
    let pull = situation.pull;
    let head = &pull.head.sha;
    if !pull.open {
        return Decision::refused("the pull request is closed");
    }
    let Some(rules) = situation.rules else {
        return Decision::refused(no_file(head));
    };
    if let Some(reason) = excluded(pull, rules) {
        return Decision::refused(reason);
    }
    if let Some(named) = named.filter(|named| !named.fits(head.as_str())) {
        let named = &named.as_str()[..7];
        return Decision::refused(format!(
            "{named} is not the newest commit; {}",
            to_paste(pull)
        ));
    }
    if pull.is_fork() && !named.is_some_and(command::Prefix::is_whole) {
        let reason = "the commit of a fork is approved by all of its 40 digits";
        return Decision::refused(format!("{reason}; {}", to_paste(pull)));
    }
    Decision::asked(create_or_update(situation))
}

/// A person asks for the removal, which goes before what was preserved.
fn remove() -> Decision {
    Decision {
        force: true,
        ..Decision::asked(Action::Destroy)
    }
}

/// A person asks to keep what is there, whether the pull request is open or closed, or to let go of it.
fn preserve(situation: &Situation<'_>, keep: Keep) -> Decision {
    if situation.known.is_gone() {
        return Decision::refused("its environment is gone");
    }
    // Nothing else would take it away.
    if keep == Keep::Off && !situation.pull.open {
        return remove();
    }
    Decision {
        keep: Some(keep),
        ..Decision::asked(Action::Preserve)
    }
}

/// What follows from how things are.
fn on_change(situation: &Situation<'_>) -> Decision {
    let (pull, known) = (situation.pull, situation.known);
    let head = &pull.head.sha;
    if !pull.open {
        let merged = if pull.merged { "merged" } else { "closed" };
        return if known.is_gone() {
            Decision::nothing(format!(
                "the pull request is {merged}, and its environment is gone"
            ))
        } else {
            Decision::new(Action::Destroy, format!("the pull request is {merged}"))
        };
    }
    if let Cause::Run {
        head: built,
        ended_well,
    } = situation.cause
    {
        if built != head {
            return Decision::nothing(format!(
                "the run was for {}; the newest commit is {}, which has a run of its own",
                built.short(),
                head.short()
            ));
        }
        if !ended_well {
            return Decision::nothing(format!("the run for {} did not end well", head.short()));
        }
    }
    let Some(rules) = situation.rules else {
        return Decision::nothing(no_file(head));
    };
    if let Some(reason) = excluded(pull, rules) {
        return if known.is_there() {
            Decision::new(Action::Destroy, reason)
        } else {
            Decision::nothing(reason)
        };
    }
    if pull.is_fork() {
        return on_fork(situation);
    }
    if known.is_gone() && known.commit() == Some(head) && !situation.cause.asks_anew(rules) {
        let reason = format!("the environment of {} was removed", head.short());
        return Decision::nothing(format!("{reason}; {}", to_paste(pull)));
    }
    match rules.on {
        When::Automatic => deploy(situation, "every pull request has an environment"),
        When::OnDemand if situation.cause.is_by_hand() => {
            deploy(situation, "the workflow was started by hand")
        }
        When::OnDemand if was_asked_for(situation) => deploy(situation, "it was asked for before"),
        When::OnDemand => Decision::nothing(format!(
            "this project makes environments on demand; {}",
            to_paste(pull)
        )),
    }
}

/// Whether somebody has asked for an environment that was not removed since.
fn was_asked_for(situation: &Situation<'_>) -> bool {
    let newest = situation.newest.as_ref().map(|asked| &asked.command);
    let asked = matches!(newest, Some(Command::Deploy(_)));
    situation.known.is_there() || (asked && *situation.known == Known::Nothing)
}

/// Commits of a fork need somebody's word, each of them.
fn on_fork(situation: &Situation<'_>) -> Decision {
    let pull = situation.pull;
    let head = pull.head.sha.as_str();
    let approved = |named: &command::Prefix| named.is_whole() && named.fits(head);
    match situation.newest.as_ref().map(|asked| &asked.command) {
        Some(Command::Deploy(Some(named))) if approved(named) => {
            deploy(situation, "this commit of a fork is approved")
        }
        Some(Command::Deploy(_)) => Decision::waiting(format!(
            "an approval is for one commit of a fork, and this is another; {}",
            to_paste(pull)
        )),
        Some(Command::Destroy | Command::Preserve(_)) | None => Decision::waiting(format!(
            "a commit of a fork needs the approval of somebody who may push; {}",
            to_paste(pull)
        )),
    }
}

fn deploy(situation: &Situation<'_>, reason: &str) -> Decision {
    Decision::new(create_or_update(situation), reason)
}

fn create_or_update(situation: &Situation<'_>) -> Action {
    if situation.known.is_there() {
        Action::Update
    } else {
        Action::Create
    }
}

/// Why the file wants no environment for this pull request, if it does not.
fn excluded(pull: &PullRequest, rules: &Rules) -> Option<String> {
    if pull.draft && !rules.drafts {
        return Some("it is a draft, and `trigger.drafts` is false".to_owned());
    }
    if let Some(label) = rules
        .except_labels
        .iter()
        .find(|label| pull.has_label(label))
    {
        return Some(format!(
            "it has the label {label}, which is in `trigger.exceptLabels`"
        ));
    }
    let wanted = &rules.labels;
    let has = wanted.iter().any(|label| pull.has_label(label));
    (!wanted.is_empty() && !has)
        .then(|| format!("it has no label of `trigger.labels`: {}", wanted.join(", ")))
}

fn no_file(head: &Sha) -> String {
    format!("the commit {} has no configuration file", head.short())
}

/// The command to have the newest commit deployed.
fn to_paste(pull: &PullRequest) -> String {
    let command = if pull.is_fork() {
        format!("/deploy-preview {}", pull.head.sha)
    } else {
        "/deploy-preview".to_owned()
    };
    format!("to have it deployed, comment: {command}")
}
