//! What works, what does not, and what to do: of a cluster with its platform, and of one environment.
//!
//! Pure: facts come in, findings go out. Each file looks at one part; what a fact is missing for is said as such rather
//! than guessed.

pub mod environment;
pub mod facts;
mod github;
pub mod network;
pub mod parts;
pub mod report;
mod restarts;
pub mod rights;
mod storage;
#[cfg(test)]
mod tests;

use serde::Serialize;

use crate::model::settings::PlatformSettings;
use facts::Facts;

/// What was found out about one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What it is about, such as `ingress`: part of the interface.
    pub check: &'static str,
    /// How it is.
    pub status: Status,
    /// One sentence without a full stop that names the object.
    pub summary: String,
    /// The lines that prove it.
    pub evidence: Vec<String>,
    /// What to do about it, best a command.
    pub hint: Option<String>,
}

/// How something is. The order is that of the exit code: the last one decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It works.
    Ok,
    /// It cannot be told from here.
    Unknown,
    /// It works, but not all that is wanted of it, or not for long.
    Warning,
    /// It does not work.
    Broken,
}

impl Finding {
    fn new(check: &'static str, status: Status, summary: impl Into<String>) -> Self {
        Self {
            check,
            status,
            summary: summary.into(),
            evidence: Vec::new(),
            hint: None,
        }
    }

    fn ok(check: &'static str, summary: impl Into<String>) -> Self {
        Self::new(check, Status::Ok, summary)
    }

    fn unknown(check: &'static str, summary: impl Into<String>) -> Self {
        Self::new(check, Status::Unknown, summary)
    }

    fn warning(check: &'static str, summary: impl Into<String>) -> Self {
        Self::new(check, Status::Warning, summary)
    }

    fn broken(check: &'static str, summary: impl Into<String>) -> Self {
        Self::new(check, Status::Broken, summary)
    }

    fn because(mut self, evidence: impl IntoIterator<Item = String>) -> Self {
        self.evidence.extend(evidence);
        self
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Everything that can be said of a cluster, in the order in which an environment needs it.
#[must_use]
pub fn examine(facts: &Facts, settings: &PlatformSettings) -> Vec<Finding> {
    let mut found = parts::server(facts);
    found.extend(parts::nodes(facts));
    found.extend(rights::findings(&facts.rights));
    found.push(parts::settings(facts, settings));
    found.extend(network::ingress(facts, settings));
    found.push(network::dns(facts, settings));
    found.push(network::policies(facts));
    found.extend(storage::findings(facts, settings));
    found.push(parts::pod_security(facts));
    found.push(parts::pull_secrets(settings));
    found.extend(parts::kinds(facts, settings));
    found.extend(github::finding(facts.github.as_ref()));
    found
}

/// The worst of what was found; fine when nothing was.
#[must_use]
pub fn worst(findings: &[Finding]) -> Status {
    let all = findings.iter().map(|finding| finding.status);
    all.max().unwrap_or(Status::Ok)
}
