//! Why an environment is not up, and what state it was left in.

use crate::{
    cluster::ClusterError,
    desired::ComposeError,
    diagnose::{Cause, CauseCode, LogTail},
    error::Failure,
    exit::Exit,
    model::operator::Operator,
};

use super::{
    lease::{Holder, Work},
    live::NotOurs,
};

/// Why an environment is not up.
#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    /// The cluster cannot be reached or refuses.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// There are no objects to deploy.
    #[error(transparent)]
    Compose(#[from] ComposeError),
    /// The namespace is somebody else's.
    #[error(transparent)]
    NotOurs(#[from] NotOurs),
    /// A database is to be run by an operator that is not there.
    #[error(
        "the cluster has no {} (no kind {}, {})",
        .operator.title(), .operator.resource().1, .operator.resource().0
    )]
    NoOperator {
        /// The operator.
        operator: Operator,
    },
    /// Something is broken; what was left is said.
    #[error("the environment did not come up")]
    Broken {
        /// Every cause, the first one first.
        causes: Vec<Cause>,
        /// What became of the version before.
        restored: Restored,
        /// The ends of the logs of what is not up, with secrets masked.
        logs: Vec<LogTail>,
    },
    /// Somebody else took over.
    #[error("{by} has taken over this environment")]
    Superseded {
        /// Who.
        by: Holder,
    },
    /// Somebody else is at work, who is not to be cut off half-way.
    #[error("{by} is changing this environment")]
    Busy {
        /// Who.
        by: Holder,
    },
    /// The namespace is being deleted for longer than we may wait.
    #[error("the namespace `{namespace}` is still being deleted")]
    StillTerminating {
        /// Namespace.
        namespace: String,
    },
    /// A signal stopped us before anything was written.
    #[error("stopped by {signal}")]
    Untouched {
        /// Which one.
        signal: &'static str,
    },
    /// A signal stopped us.
    #[error("stopped by {signal}")]
    Interrupted {
        /// Which one.
        signal: &'static str,
        /// What was being done.
        work: Work,
        /// To which environment.
        namespace: String,
        /// Components that were up by then.
        up: Vec<String>,
    },
}

/// What became of the version before.
#[derive(Debug)]
pub enum Restored {
    /// Nobody tried.
    NotTried,
    /// There was none.
    NothingBefore,
    /// What failed is what ran before.
    SameAsBefore,
    /// It runs again.
    Yes {
        /// Its commit.
        commit: Option<String>,
    },
    /// It did not come up either.
    Failed(Box<DeployError>),
}

impl Restored {
    /// In words for people.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::NotTried => "the environment is left as it is".to_owned(),
            Self::NothingBefore => {
                "there was no version before; the environment is left as it is".to_owned()
            }
            Self::SameAsBefore => {
                "the version before is the same one; the environment is left as it is".to_owned()
            }
            Self::Yes {
                commit: Some(commit),
            } => {
                format!("the version before (commit {commit}) is restored and runs")
            }
            Self::Yes { commit: None } => "the version before is restored and runs".to_owned(),
            Self::Failed(error) => format!("the version before could not be restored: {error}"),
        }
    }
}

impl DeployError {
    /// As a failure of the command; `key` is the flag that names the environment, such as `--pr 12`.
    #[must_use]
    pub fn into_failure(self, key: &str) -> Failure {
        match self {
            Self::Cluster(error) => error.into(),
            Self::Compose(error) => error.into(),
            Self::NotOurs(error) => {
                let hint = error.hint();
                Failure::new(Exit::Ownership, error.to_string()).hint(hint)
            }
            Self::NoOperator { operator } => {
                let kind = operator.database();
                Failure::new(Exit::Config, format!("{self}; nothing was changed")).hint(format!(
                    "set `databases.{kind}.mode: standalone`, or install it: {}",
                    operator.manual()
                ))
            }
            Self::Broken {
                causes, restored, ..
            } => {
                let only_timeout = causes.iter().all(|cause| cause.code == CauseCode::Timeout);
                let exit = if only_timeout {
                    Exit::Timeout
                } else {
                    Exit::Deploy
                };
                Failure::new(
                    exit,
                    format!("the environment did not come up; {}", restored.text()),
                )
                .hint(format!(
                    "look closer: k8s-ee status {key}, k8s-ee logs {key}"
                ))
            }
            Self::Superseded { by } => Failure::new(
                Exit::Superseded,
                format!("{by} has taken over this environment; nothing more was changed"),
            )
            .hint(format!("see how far it is: k8s-ee status {key}")),
            Self::Busy { .. } => {
                Failure::new(Exit::Superseded, format!("{self}; nothing was changed"))
                    .hint("wait until it is done and run this again")
            }
            Self::StillTerminating { namespace } => Failure::new(
                Exit::Timeout,
                format!("the namespace `{namespace}` is still being deleted; nothing was changed"),
            )
            .hint(format!("see what blocks it: k8s-ee down {key}")),
            Self::Untouched { signal } => Failure::new(
                Exit::Interrupted,
                format!("stopped by {signal}; nothing was changed"),
            ),
            Self::Interrupted {
                signal,
                work,
                namespace,
                up,
            } => {
                let so_far = if up.is_empty() {
                    "no component was up yet".to_owned()
                } else {
                    format!("up so far: {}", up.join(", "))
                };
                Failure::new(
                    Exit::Interrupted,
                    format!("stopped by {signal}; {namespace} is left half-done ({so_far})"),
                )
                .hint(format!(
                    "run `k8s-ee {} {key} …` again to finish it, or `k8s-ee down {key}` to remove it",
                    work.verb()
                ))
            }
        }
    }
}

impl From<ClusterError> for Failure {
    fn from(error: ClusterError) -> Self {
        let (exit, hint) = (error.exit(), error.hint());
        let text = error.to_string();
        let failure = Self::new(exit, text).maybe_hint(hint);
        match error {
            ClusterError::Unreachable { why, .. } | ClusterError::Untrusted { why, .. } => {
                failure.because(why)
            }
            ClusterError::Setup { source, .. } | ClusterError::Other { source, .. } => {
                failure.because(source)
            }
            ClusterError::BadKubeconfig { source, .. } => failure.because(source),
            _ => failure,
        }
    }
}

impl From<ComposeError> for Failure {
    fn from(error: ComposeError) -> Self {
        let hint = error.hint();
        Self::new(Exit::Render, "cannot work out the environment's objects")
            .because(error)
            .maybe_hint(hint)
    }
}
