//! Who can reach whom, computed from the policies themselves rather than from what they were made of: the answer that a
//! network plugin would give, without a cluster.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    net::IpAddr,
};

use k8s_openapi::{
    api::networking::v1::{IPBlock, NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort},
    apimachinery::pkg::{apis::meta::v1::LabelSelector, util::intstr::IntOrString},
};
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::ClusterFacts;
use crate::model::{
    cidr::Cidr,
    object::{Object, ObjectId},
    operator::Operator,
    settings::{PlatformSettings, PodPeer},
};

/// An end of a connection.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Party {
    /// Pods of a component of the environment.
    Component(String),
    /// The ingress controller.
    IngressController,
    /// What scrapes metrics.
    Observability,
    /// What answers DNS.
    Dns,
    /// Pods of any other namespace.
    OtherNamespaces,
    /// The Kubernetes API server.
    KubernetesApi,
    /// Public addresses.
    Internet,
    /// Private addresses: nodes, and what else is in their network.
    PrivateNetworks,
    /// The metadata of the machine in its cloud.
    CloudMetadata,
}

/// Ports that connections may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ports {
    /// All of them.
    All,
    /// These, such as `TCP 3000`; none when empty.
    Only(BTreeSet<String>),
}

/// One end may connect to the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Connection {
    /// Who connects.
    pub from: Party,
    /// To whom.
    pub to: Party,
    /// On which ports.
    pub ports: Ports,
}

/// A NetworkPolicy that Kubernetes would not take.
#[derive(Debug, thiserror::Error)]
#[error("{object} is not a valid network policy")]
pub struct InvalidPolicy {
    /// The policy.
    pub object: ObjectId,
    source: serde_json::Error,
}

/// What stands at an end of a connection, as policies see it.
#[derive(Clone, Debug)]
enum Place {
    /// A pod, by the labels of its namespace and its own; without those of a namespace, one of the environment.
    Pod(Option<BTreeMap<String, String>>, BTreeMap<String, String>),
    Address(IpAddr),
}

/// Computes all connections that the policies allow between the components and from and to the outside. `objects` are
/// the rendered ones, `policies` those that [`build`](super::build) made or the cluster has.
///
/// # Errors
/// When a policy is not valid.
pub fn reachability(
    objects: &[Object],
    policies: &[Object],
    settings: &PlatformSettings,
    facts: &ClusterFacts,
) -> Result<Vec<Connection>, InvalidPolicy> {
    let policies: Vec<NetworkPolicy> = policies
        .iter()
        .filter(|object| object.kind() == "NetworkPolicy")
        .map(|object| {
            serde_json::from_value(object.as_value()).map_err(|source| InvalidPolicy {
                object: object.id(),
                source,
            })
        })
        .collect::<Result<_, _>>()?;
    let inside = components(objects);
    let outside = outside(settings, facts);
    let all: Vec<&(Party, Place)> = inside.iter().chain(&outside).collect();

    let mut found: BTreeMap<(&Party, &Party), Ports> = BTreeMap::new();
    for (from, source) in &all {
        for (to, destination) in &all {
            let outside_both = !is_inside(source) && !is_inside(destination);
            if outside_both || (from == to && is_inside(source)) {
                continue;
            }
            let out = allowed(&policies, Direction::Egress, source, destination);
            let ports = out.and(allowed(&policies, Direction::Ingress, destination, source));
            let known = found.entry((from, to)).or_insert(Ports::none());
            *known = known.clone().or(ports);
        }
    }
    let open = found
        .into_iter()
        .filter(|(_, ports)| *ports != Ports::none());
    Ok(open
        .map(|((from, to), ports)| Connection {
            from: from.clone(),
            to: to.clone(),
            ports,
        })
        .collect())
}

fn is_inside(place: &Place) -> bool {
    matches!(place, Place::Pod(None, _))
}

/// The pods of the environment, by component: from pod templates, and from what operators put on theirs.
fn components(objects: &[Object]) -> Vec<(Party, Place)> {
    let templates = ["/spec/template", "/spec/jobTemplate/spec/template", ""];
    let mut found: Vec<(Party, Place)> = Vec::new();
    for object in objects {
        let labels = match Operator::of(object) {
            Some(operator) => {
                let (key, value) = operator.pod_label(object.name());
                Some(BTreeMap::from([(key.to_owned(), value)]))
            }
            None => templates
                .iter()
                .find(|template| object.get(&format!("{template}/spec/containers")).is_some())
                .map(|template| labels_at(object, &format!("{template}/metadata/labels"))),
        };
        if let Some(labels) = labels {
            let name = object.component().unwrap_or(object.name()).to_owned();
            found.push((Party::Component(name), Place::Pod(None, labels)));
        }
    }
    found
}

fn labels_at(object: &Object, pointer: &str) -> BTreeMap<String, String> {
    let map = object.get(pointer).and_then(Value::as_object);
    map.into_iter()
        .flatten()
        .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
        .collect()
}

/// What stands outside; what has several addresses is there several times.
fn outside(settings: &PlatformSettings, facts: &ClusterFacts) -> Vec<(Party, Place)> {
    let pod = |party, peer: &PodPeer| {
        let place = Place::Pod(Some(peer.namespace_labels.clone()), peer.pod_labels.clone());
        (party, place)
    };
    let other = PodPeer {
        namespace_labels: BTreeMap::from([("k8s-ee/type".to_owned(), "ephemeral".to_owned())]),
        ..PodPeer::default()
    };
    let mut places = vec![
        pod(Party::IngressController, &settings.ingress.controller),
        pod(Party::Observability, &settings.network.observability),
        pod(Party::Dns, &settings.network.dns),
        pod(Party::OtherNamespaces, &other),
    ];
    let api_server = facts.api_server.iter().map(|address| address.ip());
    places.extend(api_server.map(|address| (Party::KubernetesApi, Place::Address(address))));
    // Documentation addresses stand for the internet: public ranges, and nobody's.
    let samples = [
        (Party::Internet, ["203.0.113.1", "2001:db8::1"]),
        (Party::PrivateNetworks, ["10.0.0.1", "fd00::1"]),
        (Party::PrivateNetworks, ["172.16.0.1", "fe80::1"]),
        (Party::PrivateNetworks, ["192.168.0.1", "100.64.0.1"]),
        (Party::CloudMetadata, ["169.254.169.254", "fd00:ec2::254"]),
    ];
    for (party, addresses) in samples {
        for address in addresses {
            let address = address
                .parse()
                .expect("the addresses above are written out");
            places.push((party.clone(), Place::Address(address)));
        }
    }
    places
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Ingress,
    Egress,
}

/// The ports on which policies let `peer` connect to `subject`, or the other way round. Policies say nothing about ends
/// outside of the environment; a pod that none of them selects is open.
fn allowed(
    policies: &[NetworkPolicy],
    direction: Direction,
    subject: &Place,
    peer: &Place,
) -> Ports {
    let Place::Pod(None, labels) = subject else {
        return Ports::All;
    };
    let name = match direction {
        Direction::Ingress => "Ingress",
        Direction::Egress => "Egress",
    };
    let selecting = policies
        .iter()
        .filter_map(|policy| policy.spec.as_ref())
        .filter(|spec| {
            let types = spec.policy_types.iter().flatten();
            types.into_iter().any(|t| t == name)
                && spec
                    .pod_selector
                    .as_ref()
                    .is_none_or(|s| selects(s, labels))
        });
    let mut isolated = false;
    let mut open = Ports::none();
    for spec in selecting {
        isolated = true;
        let rules: Vec<_> = match direction {
            Direction::Ingress => spec
                .ingress
                .iter()
                .flatten()
                .map(|rule| (&rule.from, &rule.ports))
                .collect(),
            Direction::Egress => spec
                .egress
                .iter()
                .flatten()
                .map(|rule| (&rule.to, &rule.ports))
                .collect(),
        };
        for (peers, ports) in rules {
            // A rule without peers is for everybody.
            let everybody = peers.as_ref().is_none_or(Vec::is_empty);
            if everybody
                || peers
                    .iter()
                    .flatten()
                    .any(|allowed| is_meant(allowed, peer))
            {
                open = open.or(Ports::of(ports.as_deref().unwrap_or_default()));
            }
        }
    }
    if isolated { open } else { Ports::All }
}

fn is_meant(allowed: &NetworkPolicyPeer, peer: &Place) -> bool {
    match peer {
        Place::Address(address) => allowed
            .ip_block
            .as_ref()
            .is_some_and(|block| is_in(block, *address)),
        Place::Pod(namespace, labels) => {
            let by_namespace = match (&allowed.namespace_selector, namespace) {
                (None, None) => true,
                (Some(selector), Some(namespace)) => selects(selector, namespace),
                // Only a selector without conditions is known to select the environment's own namespace.
                (Some(selector), None) => *selector == LabelSelector::default(),
                (None, Some(_)) => false,
            };
            allowed.ip_block.is_none()
                && by_namespace
                && allowed
                    .pod_selector
                    .as_ref()
                    .is_none_or(|s| selects(s, labels))
        }
    }
}

fn is_in(block: &IPBlock, address: IpAddr) -> bool {
    let address = Cidr::from(address);
    let holds = |range: &String| {
        range
            .parse::<Cidr>()
            .is_ok_and(|range| range.contains(address))
    };
    holds(&block.cidr) && !block.except.iter().flatten().any(holds)
}

fn selects(selector: &LabelSelector, labels: &BTreeMap<String, String>) -> bool {
    let equal = selector
        .match_labels
        .iter()
        .flatten()
        .all(|(key, value)| labels.get(key) == Some(value));
    equal
        && selector
            .match_expressions
            .iter()
            .flatten()
            .all(|expression| {
                let value = labels.get(&expression.key);
                let listed = || {
                    let mut values = expression.values.iter().flatten();
                    value.is_some_and(|value| values.any(|one| one == value))
                };
                match expression.operator.as_str() {
                    "In" => listed(),
                    "NotIn" => !listed(),
                    "Exists" => value.is_some(),
                    _ => value.is_none(),
                }
            })
}

impl Ports {
    fn none() -> Self {
        Self::Only(BTreeSet::new())
    }

    /// The ports of a rule: all when it lists none.
    fn of(ports: &[NetworkPolicyPort]) -> Self {
        if ports.is_empty() {
            return Self::All;
        }
        let name = |port: &NetworkPolicyPort| {
            let protocol = port.protocol.as_deref().unwrap_or("TCP");
            match (&port.port, port.end_port) {
                (None, _) => protocol.to_owned(),
                (Some(IntOrString::Int(first)), Some(last)) => format!("{protocol} {first}-{last}"),
                (Some(IntOrString::Int(number)), None) => format!("{protocol} {number}"),
                (Some(IntOrString::String(name)), _) => format!("{protocol} {name}"),
            }
        };
        Self::Only(ports.iter().map(name).collect())
    }

    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Only(mut a), Self::Only(b)) => {
                a.extend(b);
                Self::Only(a)
            }
            _ => Self::All,
        }
    }

    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::All, ports) | (ports, Self::All) => ports,
            (Self::Only(a), Self::Only(b)) => Self::Only(a.intersection(&b).cloned().collect()),
        }
    }
}

impl fmt::Display for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all ports"),
            Self::Only(ports) => {
                let ports: Vec<&str> = ports.iter().map(String::as_str).collect();
                f.write_str(&ports.join(", "))
            }
        }
    }
}

impl Serialize for Ports {
    /// `"all"`, or the list.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::All => serializer.serialize_str("all"),
            Self::Only(ports) => ports.serialize(serializer),
        }
    }
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Component(name) => name,
            Self::IngressController => "ingress controller",
            Self::Observability => "observability",
            Self::Dns => "DNS",
            Self::OtherNamespaces => "other namespaces",
            Self::KubernetesApi => "Kubernetes API",
            Self::Internet => "internet",
            Self::PrivateNetworks => "private networks",
            Self::CloudMetadata => "cloud metadata",
        })
    }
}

/// One line for each end and set of ports, with all that may connect to it, for people.
#[must_use]
pub fn human(connections: &[Connection]) -> String {
    let mut lines: BTreeMap<(&Party, String), Vec<String>> = BTreeMap::new();
    for Connection { from, to, ports } in connections {
        let callers = lines.entry((to, ports.to_string())).or_default();
        callers.push(from.to_string());
    }
    lines
        .into_iter()
        .map(|((to, ports), callers)| format!("{} → {to}: {ports}\n", callers.join(", ")))
        .collect()
}
