//! What surrounds the components of an environment: its namespace, quota and limits, network policies and accounts, as
//! typed objects. Nothing here depends on what is already in the cluster, save what the caller says in
//! [`ClusterFacts`].

pub mod access;
mod addresses;
mod network;
pub mod reachability;
mod resources;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, net::SocketAddr};

use k8s_openapi::{
    api::{core::v1::Namespace, scheduling::v1::PriorityClass},
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};

pub use self::network::needs_kubernetes_api;
use crate::{
    model::{
        Environment, EnvironmentKey, cidr::Cidr, labels, object::Object, settings::PlatformSettings,
    },
    quota::Quota,
};

/// Name of the ResourceQuota.
pub const QUOTA: &str = "pr-quota";
/// Name of the LimitRange.
pub const LIMITS: &str = "pr-limits";

/// What is asked of the cluster, because it cannot be known beforehand. Without facts the objects are those of a plan
/// made offline.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClusterFacts {
    /// Where the Kubernetes API is reached: its cluster IP and the endpoints behind that, each with its port. Network
    /// plugins differ in which of the two they see.
    pub api_server: Vec<SocketAddr>,
    /// Networks of the cluster's pods, services and nodes. They stay closed to pods that may reach the internet, even
    /// where they are made of public addresses.
    pub networks: Vec<Cidr>,
}

/// The namespace of an environment. `created_at` and `last_updated` are RFC 3339 in UTC; of a namespace that exists
/// the caller passes the `k8s-ee/created-at` that it has.
#[must_use]
pub fn namespace(env: &Environment, created_at: &str, last_updated: &str) -> Object {
    let identity = &env.identity;
    let mut labels: BTreeMap<String, String> = owned([
        (labels::MANAGED_BY, labels::MANAGED_BY_NAMESPACE),
        (labels::TYPE, labels::TYPE_ENVIRONMENT),
        (labels::PROJECT_ID, &identity.project_id),
    ]);
    let (key, value) = match &identity.key {
        EnvironmentKey::Pr(number) => (labels::PR_NUMBER, number.to_string()),
        EnvironmentKey::Name(name) => (labels::NAME, name.clone()),
    };
    labels.insert(key.to_owned(), value);
    if let Some(branch) = &identity.branch {
        labels.insert(labels::BRANCH.to_owned(), labels::branch(branch));
    }
    let commit = identity.commit.as_ref();
    if let Some(commit) = commit.filter(|commit| labels::is_label_value(commit)) {
        labels.insert(labels::COMMIT_SHA.to_owned(), commit.clone());
    }
    if !identity.profile.is_default() {
        let profile = identity.profile.name().to_owned();
        labels.insert(labels::PROFILE.to_owned(), profile);
    }
    for mode in ["enforce", "audit", "warn"] {
        let key = format!("pod-security.kubernetes.io/{mode}");
        labels.insert(format!("{key}-version"), "latest".to_owned());
        labels.insert(key, "restricted".to_owned());
    }
    let mut annotations = owned([
        (labels::CREATED_AT, created_at),
        (labels::LAST_UPDATED, last_updated),
        (labels::CREATED_BY, labels::CREATED_BY_WORKFLOW),
    ]);
    if let Some(repository) = &identity.repository {
        annotations.insert(labels::REPOSITORY.to_owned(), repository.clone());
    }
    if let Some(ttl) = env.ttl {
        annotations.insert(labels::TTL.to_owned(), ttl.to_string());
    }
    Object::typed(&Namespace {
        metadata: ObjectMeta {
            name: Some(identity.namespace.clone()),
            labels: Some(labels),
            annotations: Some(annotations),
            ..ObjectMeta::default()
        },
        ..Namespace::default()
    })
}

/// Everything that surrounds the components, the namespace aside, in the order in which it is applied: the bounds
/// first, so that no pod starts without them. `objects` are the rendered ones.
///
/// Network policies add up, so those in the namespace that carry `k8s-ee/type=network-policy` and are not among these
/// have to be removed.
#[must_use]
pub fn build(
    env: &Environment,
    objects: &[Object],
    quota: &Quota,
    settings: &PlatformSettings,
    facts: &ClusterFacts,
) -> Vec<Object> {
    let namespace = &env.identity.namespace;
    let mut guardrails = vec![
        resources::limit_range(namespace, &settings.limits),
        resources::resource_quota(namespace, quota),
        access::service_account(namespace),
    ];
    guardrails.extend(access::viewers(namespace, &settings.access));
    let project = &env.identity.project_id;
    guardrails.extend(access::deployers(namespace, project, &settings.access));
    guardrails.extend(network::policies(env, objects, settings, facts));
    guardrails
}

/// The PriorityClasses that environments and the platform's own parts use. They belong to the cluster: the caller
/// creates those that are absent and leaves the others as they are.
#[must_use]
pub fn priority_classes() -> Vec<Object> {
    let class = |name: &str, value: i32, description: &str| {
        Object::typed(&PriorityClass {
            metadata: ObjectMeta {
                name: Some(name.to_owned()),
                labels: Some(owned([(labels::MANAGED_BY, labels::MANAGED_BY_OBJECT)])),
                ..ObjectMeta::default()
            },
            value,
            preemption_policy: Some("PreemptLowerPriority".to_owned()),
            description: Some(description.to_owned()),
            ..PriorityClass::default()
        })
    };
    vec![
        class(
            "platform-critical",
            1_000_000,
            "Parts that all preview environments depend on.",
        ),
        class("default-app", 100, "Pods of preview environments."),
    ]
}

/// Metadata of a guardrail in the namespace.
fn metadata(namespace: &str, name: &str) -> ObjectMeta {
    ObjectMeta {
        name: Some(name.to_owned()),
        namespace: Some(namespace.to_owned()),
        labels: Some(owned([(labels::MANAGED_BY, labels::MANAGED_BY_OBJECT)])),
        ..ObjectMeta::default()
    }
}

fn owned<const N: usize>(pairs: [(&str, &str); N]) -> BTreeMap<String, String> {
    pairs
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
}
