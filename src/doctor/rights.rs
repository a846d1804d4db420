//! What each verb of ours has to be allowed to do on the cluster.

use std::collections::BTreeMap;

use super::{Finding, Status};

/// Something that may be allowed or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Right {
    /// Our verbs that need it.
    pub needed_by: Need,
    /// Verb of the Kubernetes API.
    pub verb: &'static str,
    /// API group; empty for the core group.
    pub group: &'static str,
    /// Resource, with its subresource after a slash.
    pub resource: &'static str,
    /// Whether it is asked for in the namespace of an environment; for the whole cluster otherwise.
    pub namespaced: bool,
}

/// Our verbs, by what they need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// Finding environments.
    List,
    /// Looking at one.
    Status,
    /// Reading logs.
    Logs,
    /// Making and changing one.
    Up,
    /// Removing one.
    Down,
}

impl Need {
    const fn verbs(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Status => "status, plan",
            Self::Logs => "logs",
            Self::Up => "up, prepare",
            Self::Down => "down",
        }
    }
}

/// Kinds that an environment is made of: group, resource, and whether `up` writes them.
const KINDS: &[(&str, &str, bool)] = &[
    ("", "configmaps", true),
    ("", "events", false),
    ("", "limitranges", true),
    ("", "persistentvolumeclaims", false),
    ("", "pods", false),
    ("", "resourcequotas", true),
    ("", "secrets", true),
    ("", "serviceaccounts", true),
    ("", "services", true),
    ("apps", "deployments", true),
    ("apps", "replicasets", false),
    ("apps", "statefulsets", true),
    ("autoscaling", "horizontalpodautoscalers", true),
    ("batch", "jobs", true),
    ("coordination.k8s.io", "leases", true),
    ("networking.k8s.io", "ingresses", true),
    ("networking.k8s.io", "networkpolicies", true),
    ("policy", "poddisruptionbudgets", true),
];

/// Everything that is asked about.
#[must_use]
pub fn all() -> Vec<Right> {
    let namespaces = |needed_by, verb| Right {
        needed_by,
        verb,
        group: "",
        resource: "namespaces",
        namespaced: false,
    };
    let mut rights = vec![
        namespaces(Need::List, "list"),
        namespaces(Need::Status, "get"),
        namespaces(Need::Up, "create"),
        namespaces(Need::Up, "patch"),
        namespaces(Need::Up, "watch"),
        namespaces(Need::Down, "delete"),
        namespaces(Need::Down, "watch"),
    ];
    let inside = |needed_by, verb, group, resource| Right {
        needed_by,
        verb,
        group,
        resource,
        namespaced: true,
    };
    rights.push(inside(Need::Logs, "get", "", "pods/log"));
    rights.push(inside(Need::Logs, "watch", "", "pods"));
    for &(group, resource, is_written) in KINDS {
        rights.push(inside(Need::Status, "list", group, resource));
        if is_written {
            for verb in ["create", "patch", "delete"] {
                rights.push(inside(Need::Up, verb, group, resource));
            }
        }
    }
    for (group, resource) in [
        ("", "events"),
        ("", "pods"),
        ("apps", "deployments"),
        ("apps", "statefulsets"),
        ("coordination.k8s.io", "leases"),
    ] {
        rights.push(inside(Need::Up, "watch", group, resource));
    }
    for (group, resource) in [
        ("", "persistentvolumeclaims"),
        ("", "pods"),
        ("apps", "deployments"),
        ("apps", "statefulsets"),
    ] {
        rights.push(inside(Need::Down, "deletecollection", group, resource));
    }
    rights
}

/// A finding for each of our verbs.
pub(super) fn findings(asked: &[(Right, Option<bool>)]) -> Vec<Finding> {
    let mut by_need: BTreeMap<Need, Vec<&(Right, Option<bool>)>> = BTreeMap::new();
    for one in asked {
        by_need.entry(one.0.needed_by).or_default().push(one);
    }
    by_need
        .into_iter()
        .map(|(need, asked)| {
            let verbs = need.verbs();
            let missing: Vec<&Right> = asked
                .iter()
                .filter(|(_, allowed)| *allowed == Some(false))
                .map(|(right, _)| right)
                .collect();
            if !missing.is_empty() {
                return Finding::new(
                    "rights",
                    Status::Broken,
                    format!("{verbs}: lacks {} of the {} rights that it needs", missing.len(), asked.len()),
                )
                .because(lines(&missing))
                .hint("have whoever runs the cluster name the account under `deployers` of the chart k8s-ee-platform, which grants them");
            }
            if asked.iter().any(|(_, allowed)| allowed.is_none()) {
                return Finding::unknown("rights", format!("{verbs}: the API server does not say what is allowed"));
            }
            Finding::ok("rights", format!("{verbs}: everything it needs is allowed"))
        })
        .collect()
}

/// A line for each resource, with the verbs that are missing.
fn lines(missing: &[&Right]) -> Vec<String> {
    let mut by_resource: BTreeMap<(&str, &str, bool), Vec<&str>> = BTreeMap::new();
    for right in missing {
        let resource = (right.group, right.resource, right.namespaced);
        by_resource.entry(resource).or_default().push(right.verb);
    }
    let line = |((group, resource, namespaced), verbs): ((&str, &str, bool), Vec<&str>)| {
        let name = match group {
            "" => resource.to_owned(),
            group => format!("{resource}.{group}"),
        };
        let place = if namespaced {
            "in the namespaces of environments"
        } else {
            "in the whole cluster"
        };
        format!("{} {name} {place}", verbs.join(", "))
    };
    by_resource.into_iter().map(line).collect()
}
