//! What there is to say about an environment, before any words are found for it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{config::problem::Problem, diagnose::Cause};

/// How an environment is doing, as far as its pull request is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// The namespace and the databases are being made; the image is still being built.
    Preparing,
    /// They are there; the image is still being built.
    Prepared,
    /// It is being brought up.
    Starting,
    /// It is up.
    Running,
    /// It did not come up.
    Failed,
    /// The file is invalid, or asks for more than the platform grants.
    Invalid,
    /// A newer run took it over.
    Superseded,
    /// Somebody stopped the run, or the runner did.
    Cancelled,
    /// Somebody has to allow it first: it is from a fork.
    Waiting,
    /// It was to be removed, and stays: it is preserved.
    Preserved,
    /// It is being removed.
    Destroying,
    /// It is gone.
    Destroyed,
    /// It is to be gone, and something holds it.
    Blocked,
}

impl State {
    /// Its name, as it stands in outputs and in the hidden line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Preparing => "preparing",
            Self::Prepared => "prepared",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Failed => "failed",
            Self::Invalid => "invalid",
            Self::Superseded => "superseded",
            Self::Cancelled => "cancelled",
            Self::Waiting => "waiting",
            Self::Preserved => "preserved",
            Self::Destroying => "destroying",
            Self::Destroyed => "destroyed",
            Self::Blocked => "blocked",
        }
    }

    /// Whether nothing more is to come from the run that said it.
    #[must_use]
    pub const fn is_final(self) -> bool {
        !matches!(
            self,
            Self::Preparing | Self::Prepared | Self::Starting | Self::Destroying
        )
    }

    /// Whether it says that something has to be done by somebody.
    #[must_use]
    pub const fn is_bad(self) -> bool {
        matches!(self, Self::Failed | Self::Invalid | Self::Blocked)
    }

    /// Whether it is about removing.
    #[must_use]
    pub const fn is_removal(self) -> bool {
        matches!(self, Self::Destroying | Self::Destroyed | Self::Blocked)
    }
}

/// All that is known.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// How it is doing; none while nothing is to be said.
    pub state: Option<State>,
    /// Where it is told.
    pub place: Place,
    /// The commit that it is about, 7 to 40 hexadecimal digits.
    pub commit: Option<String>,
    /// Its branch; any text.
    pub branch: Option<String>,
    /// Whether it is from a fork, whose commits are each allowed by all their digits.
    pub is_fork: bool,
    /// `projectId` of the file.
    pub project: Option<String>,
    /// Namespace.
    pub namespace: Option<String>,
    /// URL.
    pub url: Option<String>,
    /// Which commit answers at the URL.
    pub serves: Serves,
    /// Its components, in the order in which they start.
    pub components: Vec<Component>,
    /// What tells the components of this version from those of another, by name.
    pub parts: BTreeMap<String, Part>,
    /// What is used of the quota.
    pub quota: Vec<Share>,
    /// Until when it is kept, RFC 3339.
    pub expires: Option<String>,
    /// Page with its dashboards.
    pub dashboards: Option<String>,
    /// What went wrong.
    pub failure: Option<Trouble>,
    /// Why it did not come up, root causes first.
    pub causes: Vec<Located>,
    /// Mistakes in the file.
    pub problems: Vec<Problem>,
    /// The ends of the logs of what did not come up, masked.
    pub logs: Vec<Log>,
    /// What holds an environment that is to be gone, in words.
    pub left: Vec<String>,
    /// How many objects of each kind were removed.
    pub removed: BTreeMap<String, usize>,
    /// Volumes that the cluster keeps.
    pub kept_volumes: Vec<String>,
    /// How the jobs of the run ended, where that is the reason.
    pub jobs: Vec<(String, String)>,
    /// What is good to know, in words.
    pub notes: Vec<String>,
    /// How long it took, in seconds.
    pub seconds: Option<f64>,
    /// When this is said, RFC 3339.
    pub now: String,
}

/// Where something is told.
#[derive(Clone, Debug, Default)]
pub struct Place {
    /// Where people look, such as `https://github.com`.
    pub server: String,
    /// `owner/repo`.
    pub repository: String,
    /// Number of the pull request.
    pub number: Option<u64>,
    /// The run that says it.
    pub run: Option<RunId>,
    /// Path of the configuration file from the root of the repository.
    pub file: String,
}

/// A run of Actions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunId {
    /// Its number; later ones have higher numbers.
    pub id: u64,
    /// Which try of it.
    pub attempt: u64,
}

/// Which commit answers at the URL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Serves {
    /// The one that did before, if any.
    #[default]
    AsBefore,
    /// None.
    Nothing,
    /// This one.
    Commit(String),
    /// One that is not known.
    Something,
}

/// A component.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Component {
    /// Its name.
    pub name: String,
    /// What it is, such as `service`.
    pub kind: &'static str,
    /// How it is doing, in words; empty when that is not known yet.
    pub state: String,
    /// Whether it is up.
    pub up: bool,
    /// When it was up since the start, in seconds.
    pub seconds: Option<f64>,
    /// Its image.
    pub image: String,
}

/// What tells a component from another version of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Part {
    /// Its image.
    pub image: String,
    /// Tells its configuration from another one.
    #[serde(default)]
    pub config: String,
}

/// What is used of a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// Its name, such as `limits.cpu`.
    pub resource: String,
    /// In use.
    pub used: String,
    /// Granted.
    pub granted: String,
    /// In percent.
    pub percent: Option<u32>,
}

/// What went wrong, as a person reads it in the terminal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trouble {
    /// What failed.
    pub message: String,
    /// Why.
    pub because: Vec<String>,
    /// The next steps.
    pub hints: Vec<String>,
}

/// A cause, and the line of the file that could mend it.
#[derive(Clone, Debug, PartialEq)]
pub struct Located {
    /// The cause.
    pub cause: Cause,
    /// Line of the file, from 1.
    pub line: Option<usize>,
}

/// The end of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// Whose.
    pub title: String,
    /// Its lines, the newest last.
    pub lines: Vec<String>,
}
