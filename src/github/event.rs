//! What started a run, from the file that Actions writes about it.
//!
//! A stranger writes most of it: titles, branches, comments. It says which pull request is meant; what that pull request
//! is like now is to be asked of the API.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{
    Login, Repository, Sha,
    comments::Comment,
    pulls::{PullRequest, Side},
};

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Something about a pull request.
    PullRequest(Box<PullRequestEvent>),
    /// A comment on an issue or a pull request.
    IssueComment(Box<IssueCommentEvent>),
    /// Another workflow ran.
    WorkflowRun(Box<WorkflowRunEvent>),
    /// Somebody started the workflow by hand, with these inputs.
    WorkflowDispatch(BTreeMap<String, String>),
    /// Commits came, or a branch went.
    Push(PushEvent),
    /// Something else, by its name.
    Other(String),
}

/// Something about a pull request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullRequestEvent {
    /// Whether the run is that of `pull_request_target`: with the workflow of the base, and its secrets.
    pub target: bool,
    /// What.
    pub action: PullRequestAction,
    /// The pull request at that time.
    pub pull_request: PullRequest,
}

/// What happened to a pull request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PullRequestAction {
    /// It was opened.
    Opened,
    /// It was opened again.
    Reopened,
    /// Its head has new commits.
    Synchronize,
    /// It was closed, merged or not.
    Closed,
    /// It got a label.
    Labeled(String),
    /// It lost a label.
    Unlabeled(String),
    /// It is a draft no longer.
    ReadyForReview,
    /// It became a draft.
    ConvertedToDraft,
    /// Something else, by its name.
    Other(String),
}

/// A comment on an issue or a pull request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssueCommentEvent {
    /// What happened to it: `created`, `edited` or `deleted`.
    pub action: String,
    /// Number of the issue or pull request.
    pub number: u64,
    /// Whether that is a pull request.
    pub on_pull_request: bool,
    /// The comment.
    pub comment: Comment,
}

/// Another workflow's run.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "RawRun")]
pub struct WorkflowRunEvent {
    /// The run.
    pub id: u64,
    /// What had started it, such as `pull_request`.
    pub event: String,
    /// How it ended, such as `success`; none while it runs.
    pub conclusion: Option<String>,
    /// What it ran on.
    pub head: Side,
    /// Numbers of the pull requests of that commit; of those from forks GitHub says none.
    pub pull_requests: Vec<u64>,
}

/// A push.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct PushEvent {
    /// What was pushed to, such as `refs/heads/main`.
    #[serde(rename = "ref")]
    pub git_ref: String,
    /// Its new commit.
    #[serde(rename = "after")]
    pub sha: Sha,
}

impl Event {
    /// Reads an event by its name and the text of its file.
    ///
    /// # Errors
    /// The text is not what GitHub documents for that event; the error says where.
    pub fn parse(name: &str, text: &str) -> Result<Self, serde_json::Error> {
        Ok(match name {
            "pull_request" | "pull_request_target" => {
                let raw: RawPullRequestEvent = serde_json::from_str(text)?;
                Self::PullRequest(Box::new(PullRequestEvent {
                    target: name == "pull_request_target",
                    action: PullRequestAction::new(raw.action, raw.label),
                    pull_request: raw.pull_request,
                }))
            }
            "issue_comment" => {
                let raw: RawIssueCommentEvent = serde_json::from_str(text)?;
                Self::IssueComment(Box::new(IssueCommentEvent {
                    action: raw.action,
                    number: raw.issue.number,
                    on_pull_request: raw.issue.pull_request.is_some(),
                    comment: raw.comment,
                }))
            }
            "workflow_run" => {
                let raw: RawWorkflowRunEvent = serde_json::from_str(text)?;
                Self::WorkflowRun(Box::new(raw.workflow_run))
            }
            "workflow_dispatch" => {
                let raw: RawDispatch = serde_json::from_str(text)?;
                let inputs = raw.inputs.unwrap_or_default().into_iter();
                let text = |value| match value {
                    Value::String(text) => text,
                    Value::Null => String::new(),
                    other => other.to_string(),
                };
                Self::WorkflowDispatch(inputs.map(|(key, value)| (key, text(value))).collect())
            }
            "push" => Self::Push(serde_json::from_str(text)?),
            other => Self::Other(other.to_owned()),
        })
    }
}

impl PullRequestAction {
    fn new(action: String, label: Option<Named>) -> Self {
        match (action.as_str(), label) {
            ("opened", _) => Self::Opened,
            ("reopened", _) => Self::Reopened,
            ("synchronize", _) => Self::Synchronize,
            ("closed", _) => Self::Closed,
            ("labeled", Some(label)) => Self::Labeled(label.name),
            ("unlabeled", Some(label)) => Self::Unlabeled(label.name),
            ("ready_for_review", _) => Self::ReadyForReview,
            ("converted_to_draft", _) => Self::ConvertedToDraft,
            _ => Self::Other(action),
        }
    }
}

#[derive(Deserialize)]
struct RawPullRequestEvent {
    action: String,
    pull_request: PullRequest,
    label: Option<Named>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Deserialize)]
struct RawIssueCommentEvent {
    action: String,
    issue: RawIssue,
    comment: Comment,
}

#[derive(Deserialize)]
struct RawIssue {
    number: u64,
    /// Only there when the issue is a pull request.
    pull_request: Option<Value>,
}

#[derive(Deserialize)]
struct RawWorkflowRunEvent {
    workflow_run: WorkflowRunEvent,
}

#[derive(Deserialize)]
struct RawRun {
    id: u64,
    event: String,
    conclusion: Option<String>,
    head_sha: Sha,
    head_branch: Option<String>,
    head_repository: Option<RawRepository>,
    #[serde(default)]
    pull_requests: Vec<RawNumber>,
}

#[derive(Deserialize)]
struct RawRepository {
    full_name: Repository,
}

#[derive(Deserialize)]
struct RawNumber {
    number: u64,
}

#[derive(Deserialize)]
struct RawDispatch {
    inputs: Option<BTreeMap<String, Value>>,
}

impl From<RawRun> for WorkflowRunEvent {
    fn from(raw: RawRun) -> Self {
        Self {
            id: raw.id,
            event: raw.event,
            conclusion: raw.conclusion,
            head: Side {
                sha: raw.head_sha,
                branch: raw.head_branch.unwrap_or_default(),
                repository: raw.head_repository.map(|r| r.full_name),
            },
            pull_requests: raw.pull_requests.iter().map(|pull| pull.number).collect(),
        }
    }
}

impl IssueCommentEvent {
    /// Who wrote the comment; none when that account is gone.
    #[must_use]
    pub fn author(&self) -> Option<&Login> {
        self.comment.author.as_ref()
    }
}
