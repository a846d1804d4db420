//! What was seen of a cluster, as data. What could not be looked at is absent.

use std::{collections::BTreeMap, net::IpAddr};

use super::rights::Right;
use crate::model::object::Object;

/// What was seen of a cluster.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Context of the kubeconfig.
    pub context: String,
    /// URL of the API server.
    pub server: String,
    /// Version of the API server, such as `v1.35.4`.
    pub version: Option<String>,
    /// Who asks, as the API server knows it.
    pub user: Option<String>,
    /// What was asked about, and whether it is allowed; absent where the API server does not say.
    pub rights: Vec<(Right, Option<bool>)>,
    /// Where the platform settings come from.
    pub settings: SettingsOrigin,
    /// Nodes.
    pub nodes: Option<Vec<Object>>,
    /// Ingress classes.
    pub ingress_classes: Option<Vec<Object>>,
    /// Pods of the ingress controller, as the platform settings select them.
    pub controllers: Option<Vec<Object>>,
    /// Storage classes.
    pub storage_classes: Option<Vec<Object>>,
    /// Pods of network plugins that are known.
    pub network_pods: Option<Vec<Object>>,
    /// Kinds that not every cluster has: whether this one has them, by version and kind.
    pub kinds: BTreeMap<(String, String), bool>,
    /// What DNS says of a host below the platform's domain, or why it does not; absent without a domain, and where the
    /// settings name an address to use in its place.
    pub dns: Option<(String, Result<Vec<IpAddr>, String>)>,
    /// What came of trying whether policies are enforced; absent when it was not tried.
    pub probe: Option<Result<Enforcement, String>>,
    /// What GitHub says of the token; absent without one.
    pub github: Option<Github>,
}

/// What a real connection between two pods showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enforcement {
    /// It worked before a policy closed it, and not after.
    Enforced,
    /// A policy that closed it made no difference.
    Ignored,
}

/// Where the platform settings come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SettingsOrigin {
    /// The cluster has none, so the built-in ones count.
    #[default]
    BuiltIn,
    /// This file, or the ConfigMap of the cluster.
    Named(String),
    /// They may not be read, by what the API server says.
    Closed(String),
    /// They are there and cannot be used.
    Invalid {
        /// What is wrong, in one line.
        what: String,
        /// Why.
        why: Vec<String>,
        /// The next step.
        hint: Option<String>,
    },
}

/// What GitHub says of the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Github {
    /// Whose it is, or why that is not known.
    pub login: Result<String, String>,
    /// The repository that was asked about, and what the token's owner may do there, or why it is not seen.
    pub repository: Option<(String, Result<Access, String>)>,
}

/// What the owner of a token may do in a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// See it; what an app's token may do beyond that, GitHub does not tell.
    Sees,
    /// Read it.
    Reads,
    /// Write to it.
    Writes,
}
