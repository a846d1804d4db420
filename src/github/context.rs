//! What GitHub Actions tells a job: where it runs, for whom, and about what.

use super::{Event, Login, Repository, Sha, names::NameError, pulls::PullRequest};

/// What is known about this run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// The repository whose workflow runs: of a pull request the one that it would be merged into.
    pub repository: Repository,
    /// What started it.
    pub event: Event,
    /// The commit that was checked out. For a pull request that is a trial merge: see [`Context::head`].
    pub sha: Option<Sha>,
    /// What was checked out, such as `refs/pull/7/merge`.
    pub git_ref: Option<String>,
    /// Who caused it; none where the name is not one of GitHub's, as on a simulated runner.
    pub actor: Option<Login>,
    /// Number of the run.
    pub run_id: u64,
    /// Which try of it this is, from 1.
    pub run_attempt: u64,
    /// Where the API is, such as `https://api.github.com`.
    pub api_url: String,
    /// Where people look, such as `https://github.com`.
    pub server_url: String,
}

/// Why the run cannot be understood.
#[derive(Debug, thiserror::Error)]
pub enum ContextError {
    /// Actions sets it always; something took it away.
    #[error("GITHUB_ACTIONS is set, but {0} is not")]
    Missing(&'static str),
    /// A variable has a value that Actions does not give it.
    #[error("{variable} cannot be used")]
    Variable {
        /// Name of the variable.
        variable: &'static str,
        /// Why.
        #[source]
        source: NameError,
    },
    /// A variable that counts something does not.
    #[error("{variable} is not a number: `{value}`")]
    Number {
        /// Name of the variable.
        variable: &'static str,
        /// What it is.
        value: String,
    },
    /// The event's file cannot be read.
    #[error("cannot read the event, {path}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The event is not what GitHub documents.
    #[error("the event `{name}` is not as GitHub documents it")]
    Event {
        /// Name of the event.
        name: String,
        /// What is missing or wrong, and where.
        #[source]
        source: serde_json::Error,
    },
}

impl Context {
    /// Understands the run from its variables and the event, which is read from the file that they name; none outside of
    /// Actions.
    ///
    /// # Errors
    /// A variable or the event is missing, or not what GitHub documents.
    pub fn new(
        variable: impl Fn(&'static str) -> Option<String>,
        read: impl FnOnce(&str) -> std::io::Result<String>,
    ) -> Result<Option<Self>, ContextError> {
        if variable("GITHUB_ACTIONS").as_deref() != Some("true") {
            return Ok(None);
        }
        let present = |name| variable(name).filter(|text| !text.is_empty());
        let needed = |name| present(name).ok_or(ContextError::Missing(name));

        let name = needed("GITHUB_EVENT_NAME")?;
        let path = needed("GITHUB_EVENT_PATH")?;
        let text = read(&path).map_err(|source| ContextError::Unreadable { path, source })?;
        let event =
            Event::parse(&name, &text).map_err(|source| ContextError::Event { name, source })?;
        let sha = present("GITHUB_SHA").map(|sha| named("GITHUB_SHA", &sha));
        Ok(Some(Self {
            repository: named("GITHUB_REPOSITORY", &needed("GITHUB_REPOSITORY")?)?,
            event,
            sha: sha.transpose()?,
            git_ref: present("GITHUB_REF"),
            actor: present("GITHUB_ACTOR").and_then(|login| login.parse().ok()),
            run_id: number("GITHUB_RUN_ID", &needed("GITHUB_RUN_ID")?)?,
            run_attempt: match present("GITHUB_RUN_ATTEMPT") {
                Some(attempt) => number("GITHUB_RUN_ATTEMPT", &attempt)?,
                None => 1,
            },
            api_url: needed("GITHUB_API_URL")?,
            server_url: needed("GITHUB_SERVER_URL")?,
        }))
    }

    /// The same for the process that we are.
    ///
    /// # Errors
    /// A variable or the event is missing, or not what GitHub documents.
    pub fn of_process() -> Result<Option<Self>, ContextError> {
        Self::new(
            |name| std::env::var(name).ok(),
            |path| std::fs::read_to_string(path),
        )
    }

    /// The pull request as the event tells of it.
    #[must_use]
    pub fn pull_request(&self) -> Option<&PullRequest> {
        match &self.event {
            Event::PullRequest(event) => Some(&event.pull_request),
            _ => None,
        }
    }

    /// Number of the pull request that it is about, where the event tells of exactly one.
    #[must_use]
    pub fn number(&self) -> Option<u64> {
        match &self.event {
            Event::PullRequest(event) => Some(event.pull_request.number),
            Event::IssueComment(event) if event.on_pull_request => Some(event.number),
            Event::WorkflowRun(event) => match event.pull_requests.as_slice() {
                [only] => Some(*only),
                _ => None,
            },
            _ => None,
        }
    }

    /// The commit that it is about: of a pull request its head, never the trial merge that is checked out. None where
    /// only the API can tell, as after a comment.
    #[must_use]
    pub fn head(&self) -> Option<&Sha> {
        match &self.event {
            Event::PullRequest(event) => Some(&event.pull_request.head.sha),
            Event::WorkflowRun(event) => Some(&event.head.sha),
            Event::Push(event) => Some(&event.sha).filter(|sha| !sha.is_none()),
            Event::WorkflowDispatch(_) => self.sha.as_ref(),
            // A review, for one, runs on a trial merge too.
            Event::IssueComment(_) | Event::Other(_) => None,
        }
    }

    /// Whether it is about commits of another repository. None where only the API can tell.
    #[must_use]
    pub fn is_fork(&self) -> Option<bool> {
        match &self.event {
            Event::PullRequest(event) => Some(event.pull_request.is_fork()),
            Event::WorkflowRun(event) => {
                Some(event.head.repository.as_ref() != Some(&self.repository))
            }
            Event::Push(_) => Some(false),
            Event::IssueComment(_) | Event::WorkflowDispatch(_) | Event::Other(_) => None,
        }
    }

    /// The page of this run.
    #[must_use]
    pub fn run_url(&self) -> String {
        let server = self.server_url.trim_end_matches('/');
        format!("{server}/{}/actions/runs/{}", self.repository, self.run_id)
    }
}

impl ContextError {
    /// The next step.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Missing(_) | Self::Variable { .. } | Self::Number { .. } => Some(
                "hand the variables of the job on, or unset GITHUB_ACTIONS to run outside of it"
                    .to_owned(),
            ),
            Self::Unreadable { .. } => {
                Some("in a container, mount the folder of GITHUB_EVENT_PATH".to_owned())
            }
            Self::Event { .. } => None,
        }
    }
}

fn named<T: std::str::FromStr<Err = NameError>>(
    variable: &'static str,
    text: &str,
) -> Result<T, ContextError> {
    text.parse()
        .map_err(|source| ContextError::Variable { variable, source })
}

fn number(variable: &'static str, text: &str) -> Result<u64, ContextError> {
    text.parse().map_err(|_| ContextError::Number {
        variable,
        value: text.chars().filter(|c| !c.is_control()).take(80).collect(),
    })
}

#[cfg(test)]
mod tests;
