//! Why a pull request is looked at: what an event tells, as far as it matters.

use super::command::{Command, Misuse};
use crate::{
    config::trigger::Rules,
    github::{
        Event, Sha,
        event::{PullRequestAction, PullRequestEvent},
    },
};

/// Why a pull request is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Something about it changed.
    Change(PullRequestAction),
    /// Somebody wrote a command under it.
    Comment {
        /// Number of the comment.
        id: u64,
        /// The command.
        command: Result<Command, Misuse>,
    },
    /// Another workflow has run for one of its commits.
    Run {
        /// The commit.
        head: Sha,
        /// Whether it ended well.
        ended_well: bool,
    },
    /// Somebody started the workflow by hand.
    ByHand,
    /// Something else: the time of the day, or a program of somebody's own.
    Other,
}

impl Cause {
    /// What an event tells; none outside of Actions.
    ///
    /// # Errors
    /// Nothing has to be done whatever the pull request is like; the reason is told.
    pub fn of_event(event: Option<&Event>) -> Result<Self, &'static str> {
        Ok(match event {
            Some(Event::PullRequest(event)) => {
                let PullRequestEvent { action, .. } = event.as_ref();
                Self::Change(action.clone())
            }
            Some(Event::IssueComment(event)) => {
                if !event.on_pull_request {
                    return Err("the comment is on an issue, not on a pull request");
                }
                if event.action != "created" {
                    return Err("only new comments count, not those that were changed or deleted");
                }
                if event.author().is_none_or(crate::github::Login::is_bot) {
                    return Err("comments of bots, and of accounts that are gone, do not count");
                }
                let command = match Command::of_comment(&event.comment.body) {
                    Ok(None) => return Err("the comment is no command"),
                    Ok(Some(command)) => Ok(command),
                    Err(misuse) => Err(misuse),
                };
                Self::Comment {
                    id: event.comment.id,
                    command,
                }
            }
            Some(Event::WorkflowRun(event)) => Self::Run {
                head: event.head.sha.clone(),
                ended_well: event.conclusion.as_deref() == Some("success"),
            },
            Some(Event::WorkflowDispatch(_)) => Self::ByHand,
            Some(Event::Push(_) | Event::Other(_)) | None => Self::Other,
        })
    }

    /// Whether a command under the pull request has a say in what follows from it: one about keeping an environment never has
    /// in what is deployed, nor the other way round.
    #[must_use]
    pub fn heeds(&self, command: &Command) -> bool {
        match self {
            Self::Comment {
                command: Ok(Command::Preserve(_)),
                ..
            } => !matches!(command, Command::Deploy(_)),
            _ => !matches!(command, Command::Preserve(_)),
        }
    }

    /// Whether somebody started the workflow by hand, which is asking for an environment.
    pub(super) fn is_by_hand(&self) -> bool {
        *self == Self::ByHand
    }

    /// Whether it means that an environment which was removed is wanted again, at the same commit. Whatever else arrives
    /// then is late, or about something else.
    pub(super) fn asks_anew(&self, rules: &Rules) -> bool {
        let is_named = |label: &String| {
            let mut named = rules.labels.iter().chain(&rules.except_labels);
            named.any(|known| known.to_lowercase() == label.to_lowercase())
        };
        match self {
            // After it was closed it is open now, so it was opened again.
            Self::Change(PullRequestAction::Reopened | PullRequestAction::Closed) => true,
            Self::Change(PullRequestAction::ReadyForReview) => !rules.drafts,
            Self::Change(
                PullRequestAction::Labeled(label) | PullRequestAction::Unlabeled(label),
            ) => is_named(label),
            Self::ByHand => true,
            Self::Change(_) | Self::Comment { .. } | Self::Run { .. } | Self::Other => false,
        }
    }
}
