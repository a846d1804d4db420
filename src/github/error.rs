//! What can go wrong with GitHub, in words that say who must do what.

use jiff::Timestamp;

use super::limits::LimitKind;
use crate::{error::Failure, exit::Exit};

/// What was tried: a verb and its object, such as "read pull request acme/shop#7".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doing {
    /// The verb.
    pub verb: &'static str,
    /// Its object, by name.
    pub what: String,
}

/// Why GitHub did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum GithubError {
    /// The URL of the API is not one.
    #[error("`{url}` cannot be the URL of GitHub's API")]
    BadUrl {
        /// What was given.
        url: String,
    },
    /// The client could not be set up.
    #[error("the connection to GitHub cannot be set up")]
    Setup(#[source] reqwest::Error),
    /// There was no answer.
    #[error("cannot {doing}: no answer from {server}")]
    Unreachable {
        /// What was tried.
        doing: Doing,
        /// URL of the API.
        server: String,
        /// Whether it may have been done all the same.
        uncertain: bool,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// The token is wrong, or expired.
    #[error("cannot {doing}: {server} does not accept the token")]
    Unauthorized {
        /// What was tried.
        doing: Doing,
        /// URL of the API.
        server: String,
    },
    /// The token may not do that.
    #[error("not allowed to {doing}: {message}")]
    Forbidden {
        /// What was tried.
        doing: Doing,
        /// What GitHub says.
        message: String,
        /// The permission that it takes, as in a workflow: `pull-requests: write`.
        needs: Option<String>,
        /// Where to let the token into the organization, if that is what it lacks.
        sign_on: Option<String>,
    },
    /// There is no such thing, or the token may not know of it.
    #[error("cannot {doing}: GitHub has no such thing, or does not show it to this token")]
    NotFound {
        /// What was tried.
        doing: Doing,
        /// The permission that it takes.
        needs: Option<String>,
    },
    /// We asked too much, and it would take too long to wait.
    #[error("cannot {doing} before {until}: {}", limit(*.kind))]
    RateLimited {
        /// What was tried.
        doing: Doing,
        /// Which limit it is.
        kind: LimitKind,
        /// When it is lifted.
        until: Timestamp,
    },
    /// GitHub refuses it for a reason of its own.
    #[error("cannot {doing}: GitHub refuses it ({status}): {message}")]
    Refused {
        /// What was tried.
        doing: Doing,
        /// Its status.
        status: u16,
        /// What GitHub says.
        message: String,
    },
    /// GitHub has trouble of its own.
    #[error("cannot {doing}: GitHub failed ({status}){}", times(*.tries))]
    Failed {
        /// What was tried.
        doing: Doing,
        /// Its last status.
        status: u16,
        /// How often it was tried.
        tries: u32,
        /// Whether it may have been done all the same.
        uncertain: bool,
    },
    /// The answer is not what GitHub documents.
    #[error("cannot {doing}: the answer is not what GitHub documents")]
    Unexpected {
        /// What was tried.
        doing: Doing,
        /// What is missing or wrong.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It is there, but not what it has to be.
    #[error("cannot {doing}: {why}")]
    Unusable {
        /// What was tried.
        doing: Doing,
        /// What it is instead.
        why: String,
    },
    /// Somebody else changed it every time that we looked.
    #[error("cannot settle {what}: it changes every time it is looked at")]
    Unsettled {
        /// What.
        what: String,
    },
    /// There is more than can be right.
    #[error("cannot {doing}: there are more than {most} of them")]
    TooMany {
        /// What was tried.
        doing: Doing,
        /// How many we read at most.
        most: usize,
    },
}

impl GithubError {
    /// Whether there is no such thing, or none that the token may know of: that alone does not prove that it is gone.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }

    /// Whether there was no answer in time.
    #[must_use]
    pub fn has_hung(&self) -> bool {
        matches!(self, Self::Unreachable { source, .. } if source.is_timeout())
    }

    /// Whether what was tried may have been done all the same: look before it is tried again.
    #[must_use]
    pub fn may_have_happened(&self) -> bool {
        match self {
            Self::Unreachable { uncertain, .. } | Self::Failed { uncertain, .. } => *uncertain,
            // It was done, and then the answer could not be read.
            Self::Unexpected { .. } => true,
            _ => false,
        }
    }

    /// The next step.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::BadUrl { .. } => {
                "GITHUB_API_URL is such as https://api.github.com, or https://HOST/api/v3 of a server of one's own"
                    .to_owned()
            }
            Self::Setup(_) => "in a container, install the certificates of the authorities: ca-certificates".to_owned(),
            Self::Unexpected { .. } | Self::TooMany { .. } | Self::Unsettled { .. } | Self::Unusable { .. } => return None,
            Self::Unreachable { server, .. } => {
                format!("check that it can be reached from here, by a proxy in HTTPS_PROXY if there is one: curl -sS {server}/zen")
            }
            Self::Unauthorized { .. } => {
                "the token may have expired or been withdrawn; one of Actions ends with its job".to_owned()
            }
            Self::Forbidden { message, needs, sign_on, .. } => return forbidden(message, needs.as_deref(), sign_on.as_deref()),
            Self::NotFound { needs, .. } => {
                let needs = needs.as_deref().unwrap_or("contents: read");
                format!("of a private repository the token sees nothing without a permission: in Actions `{needs}`")
            }
            Self::RateLimited { kind: LimitKind::Primary, until, .. } => {
                format!("try again after {until}; a token of a GitHub App has a limit of its own")
            }
            Self::RateLimited { until, .. } => format!("try again after {until}"),
            Self::Refused { .. } => return None,
            Self::Failed { .. } => {
                "try again later; whether GitHub knows of it: https://www.githubstatus.com".to_owned()
            }
        })
    }
}

fn forbidden(message: &str, needs: Option<&str>, sign_on: Option<&str>) -> Option<String> {
    if let Some(url) = sign_on {
        return Some(format!("let the token into the organization: {url}"));
    }
    if message.contains("locked") {
        return Some("unlock the conversation of the pull request".to_owned());
    }
    let needs = needs?;
    Some(if message.contains("by personal access token") {
        format!("give the token the permission `{needs}`: https://github.com/settings/tokens")
    } else {
        format!(
            "give the job that permission: `permissions: {{ {needs} }}`; on a `pull_request` from a fork the token can \
             only read whatever the workflow says, write from a `workflow_run` job there"
        )
    })
}

fn limit(kind: LimitKind) -> &'static str {
    match kind {
        LimitKind::Primary => "the requests of this hour are used up",
        LimitKind::Secondary => "GitHub asks for a pause",
    }
}

fn times(tries: u32) -> String {
    match tries {
        0 | 1 => String::new(),
        more => format!(", {more} times"),
    }
}

impl std::fmt::Display for Doing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.verb, self.what)
    }
}

impl From<GithubError> for Failure {
    fn from(error: GithubError) -> Self {
        let hint = error.hint();
        let message = error.to_string();
        let failure = Self::new(Exit::Failure, message).maybe_hint(hint);
        match error {
            GithubError::Setup(source) | GithubError::Unreachable { source, .. } => {
                failure.because(source)
            }
            GithubError::Unexpected { source, .. } => failure.because(source),
            _ => failure,
        }
    }
}
