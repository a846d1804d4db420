//! What the environment is, once the file, the request and the platform's rules have been brought together.
//!
//! Everything after this stage works on [`Environment`]; nothing reads the file again.

pub mod build;
pub mod cidr;
pub mod connection;
pub mod credentials;
mod databases;
pub mod graph;
pub mod labels;
pub mod object;
pub mod operator;
pub mod profile;
pub mod seed;
pub mod settings;

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

pub use crate::config::databases::{DatabaseKind, Mode};
use crate::{
    config::file::{CountOrPercent, EnvSource},
    quantity::Quantity,
};

/// Name of the Helm release that templates are rendered for; databases are named after it, as `app-postgresql`.
pub const RELEASE: &str = "app";

pub use profile::Profile;
pub use seed::Seed;
pub use settings::Span;

/// A whole environment: who it is, its services, its databases, and what is put into them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Environment {
    /// Who it is.
    pub identity: Identity,
    /// Its services, in the order of the file.
    pub services: Vec<Service>,
    /// Its databases.
    pub databases: Vec<Database>,
    /// What is put into it once, in the order of the file.
    #[serde(default)]
    pub seeds: Vec<Seed>,
    /// Longest that it stays after it was last changed, by its file; the platform may have less.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl: Option<Span>,
}

/// What tells this environment from others, and what it was made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    /// `projectId` of the file.
    pub project_id: String,
    /// Which environment of the project it is.
    pub key: EnvironmentKey,
    /// Namespace, `{projectId}-pr-{number}` or `{projectId}-{name}`.
    pub namespace: String,
    /// Host of the main URL; absent when no domain is known.
    pub host: Option<String>,
    /// `https` or `http`.
    pub scheme: String,
    /// `owner/repo` on GitHub.
    pub repository: Option<String>,
    /// Branch, as given.
    pub branch: Option<String>,
    /// Commit, 7 to 40 hexadecimal digits.
    pub commit: Option<String>,
    /// How far it is trusted.
    #[serde(default, skip_serializing_if = "Profile::is_default")]
    pub profile: Profile,
}

impl Identity {
    /// URL of the environment; absent when no domain is known.
    #[must_use]
    pub fn url(&self) -> Option<String> {
        Some(format!("{}://{}", self.scheme, self.host.as_ref()?))
    }
}

impl Environment {
    /// URL that people open; absent when no service is public or no domain is known.
    #[must_use]
    pub fn public_url(&self) -> Option<String> {
        let is_public = self
            .services
            .iter()
            .any(|service| service.ingress.is_some());
        let host = self.identity.host.as_deref()?;
        let is_known = !host.ends_with(build::PLACEHOLDER_DOMAIN);
        self.identity.url().filter(|_| is_public && is_known)
    }

    /// The service behind that URL, else the first one.
    #[must_use]
    pub fn main_service(&self) -> Option<&Service> {
        let is_main = |service: &&Service| {
            let ingress = service.ingress.as_ref();
            ingress.is_some_and(|ingress| Some(&ingress.host) == self.identity.host.as_ref())
        };
        self.services.iter().find(is_main).or(self.services.first())
    }
}

/// Which environment of a project: that of a pull request, or one with a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum EnvironmentKey {
    /// Of the pull request with this number.
    Pr(u64),
    /// Made by hand under this name.
    Name(String),
}

impl EnvironmentKey {
    /// Namespace of this environment of `project`.
    #[must_use]
    pub fn namespace(&self, project: &str) -> String {
        match self {
            Self::Pr(number) => format!("{project}-pr-{number}"),
            Self::Name(name) => format!("{project}-{name}"),
        }
    }

    /// The flag that names it on the command line, such as `--pr 12`.
    #[must_use]
    pub fn flag(&self) -> String {
        match self {
            Self::Pr(number) => format!("--pr {number}"),
            Self::Name(name) => format!("--name {name}"),
        }
    }
}

/// A container image that runs, replicated if wanted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Service {
    /// Name: of its Deployment, its Service, and so its host inside the environment.
    pub name: String,
    /// Where the file describes it, to point at from errors.
    pub origin: Origin,
    /// Full image reference.
    pub image: String,
    /// Replaces the entry point when not empty.
    pub command: Vec<String>,
    /// Replaces the arguments when not empty.
    pub args: Vec<String>,
    /// TCP port the container listens on.
    pub port: u16,
    /// Path of the start-up probe, and of the others where they have none of their own.
    pub health_path: String,
    /// Path of the liveness probe.
    pub liveness_path: Option<String>,
    /// Path of the readiness probe.
    pub readiness_path: Option<String>,
    /// CPU and memory set aside for each copy.
    pub requests: Compute,
    /// CPU and memory each copy may use at most.
    pub limits: Compute,
    /// The user's environment variables.
    pub env: BTreeMap<String, String>,
    /// Secrets and ConfigMaps whose keys become environment variables.
    pub env_from: Vec<EnvSource>,
    /// Directories it may write to, beside `/tmp`.
    pub writable_dirs: Vec<String>,
    /// Components that must be up first.
    pub depends_on: Vec<String>,
    /// Databases whose variables it is given.
    pub databases: Vec<DatabaseKind>,
    /// Copies; with autoscaling, to start with.
    pub replicas: u32,
    /// Host and annotations of its Ingress, when it is public.
    pub ingress: Option<ServiceIngress>,
    /// Path and interval of the scrapes, when it is scraped.
    pub metrics: Option<ServiceMetrics>,
    /// Bounds and targets of the autoscaler.
    pub autoscaling: Option<ServiceAutoscaling>,
    /// How many copies stay up while nodes are drained.
    pub disruption_budget: Option<crate::config::file::DisruptionBudget>,
}

/// CPU and memory as the user wrote them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compute {
    /// Cores.
    pub cpu: Quantity,
    /// Bytes.
    pub memory: Quantity,
}

/// How a public service is reached.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceIngress {
    /// Host; empty when no domain is known, as when rendering offline.
    pub host: String,
    /// The user's annotations.
    pub annotations: BTreeMap<String, String>,
}

/// How a service is scraped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceMetrics {
    /// Path.
    pub path: String,
    /// Prometheus duration, such as `30s`.
    pub interval: String,
}

/// Bounds and targets of an autoscaler.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceAutoscaling {
    /// Fewest copies.
    pub min_replicas: u32,
    /// Most copies.
    pub max_replicas: u32,
    /// Target CPU use in percent of the request.
    pub cpu_percent: Option<u32>,
    /// Target memory use in percent of the request.
    pub memory_percent: Option<u32>,
}

/// Which form of the file a service was written in; turns its keys into JSON pointers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Origin {
    /// `app`, `resources`, … at the root.
    Short,
    /// `services.<name>`.
    General,
}

impl Service {
    /// JSON pointer in `k8s-ee.yaml` of a key of this service, such as `resources/limits/memory`.
    #[must_use]
    pub fn pointer(&self, key: &str) -> String {
        match self.origin {
            Origin::General => format!("/services/{}/{key}", self.name),
            Origin::Short => match key {
                "port" | "healthPath" | "livenessPath" | "readinessPath" | "metricsPath" => {
                    format!("/app/{key}")
                }
                _ => format!("/{key}"),
            },
        }
    }

    /// Path of the readiness probe, whichever key it came from, with that key.
    #[must_use]
    pub fn readiness(&self) -> (&str, &'static str) {
        match &self.readiness_path {
            Some(path) => (path, "readinessPath"),
            None => (&self.health_path, "healthPath"),
        }
    }
}

/// A database of the environment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Database {
    /// Which one.
    pub kind: DatabaseKind,
    /// Who runs it; records of versions that had no operators do not say.
    #[serde(default)]
    pub mode: Mode,
    /// Its options, as the chart takes them.
    pub options: serde_json::Value,
}

impl fmt::Display for CountOrPercent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => write!(f, "{count}"),
            Self::Percent(percent) => f.write_str(percent),
        }
    }
}
