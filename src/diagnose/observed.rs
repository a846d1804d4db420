//! What was seen of an environment, as data: a diagnosis asks nobody anything.
//!
//! All of it can be written as JSON and read back, so that a broken environment, once recorded, stays a test case.

use std::fmt;

use k8s_openapi::api::{
    apps::v1::{Deployment, ReplicaSet, StatefulSet},
    batch::v1::Job,
    core::v1::{Event, PersistentVolumeClaim, Pod, ResourceQuota},
};
use serde::{Deserialize, Serialize};

use crate::model::object::ObjectId;

/// The state of an environment at one moment. What is not known stays empty: a diagnosis then says less, not wrong
/// things.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Observed {
    /// Pods of the namespace, those of older revisions included.
    pub pods: Vec<Pod>,
    /// Events of the namespace.
    pub events: Vec<Event>,
    /// Deployments of the namespace.
    pub deployments: Vec<Deployment>,
    /// ReplicaSets of the namespace: they tell the pods of the newest revision from older ones.
    pub replica_sets: Vec<ReplicaSet>,
    /// StatefulSets of the namespace.
    pub stateful_sets: Vec<StatefulSet>,
    /// Jobs of the namespace.
    pub jobs: Vec<Job>,
    /// Volume claims of the namespace.
    pub claims: Vec<PersistentVolumeClaim>,
    /// What operators say of the databases that they run.
    pub operated: Vec<Operated>,
    /// Quotas of the namespace.
    pub quotas: Vec<ResourceQuota>,
    /// Ends of the logs of containers that are not ready.
    pub logs: Vec<LogTail>,
    /// Objects that the API server did not take.
    pub refusals: Vec<Refusal>,
    /// How the environment's URL answered, when it was tried.
    pub url_check: Option<UrlCheck>,
    /// Values that must not be printed. Never written with the rest.
    #[serde(skip)]
    pub secrets: Vec<Secret>,
}

/// The end of the log of one run of a container; its last 50 lines are plenty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LogTail {
    /// Name of the pod.
    pub pod: String,
    /// Name of the container.
    pub container: String,
    /// Whether it is the log of the run before the present one.
    #[serde(default)]
    pub previous: bool,
    /// Its lines, newest last.
    pub lines: Vec<String>,
}

/// A database that an operator runs, and what it says of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Operated {
    /// Name of the component.
    pub component: String,
    /// The custom resource.
    pub object: ObjectId,
    /// Its state, in the operator's words.
    pub state: String,
}

/// What the API server answered in place of taking an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Refusal {
    /// The object.
    pub object: ObjectId,
    /// The component it belongs to; none for guardrails.
    pub component: Option<String>,
    /// HTTP status.
    pub code: u16,
    /// Machine-readable reason of the answer, such as `Forbidden`.
    pub reason: String,
    /// Message of the answer.
    pub message: String,
}

/// How a URL of the environment answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UrlCheck {
    /// The URL that was asked, with its path.
    pub url: String,
    /// What came back.
    pub outcome: UrlOutcome,
}

/// What came back from a URL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum UrlOutcome {
    /// An HTTP status, 200 included.
    Status(u16),
    /// Nobody listens at the address.
    Refused,
    /// No answer in time.
    TimedOut,
    /// The host has no address: the resolver's message.
    Dns(String),
    /// No trusted connection: the message of the TLS library.
    Tls(String),
    /// Anything else.
    Other(String),
}

/// A value that must not be printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes the plain value.
    #[must_use]
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}
