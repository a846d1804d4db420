//! Who can reach whom, computed from the policies themselves rather than from what they were made of: the answer that a
//! network plugin would give, without a cluster.

mod ports;
pub mod report;
mod svg;

use std::{collections::BTreeMap, fmt, net::IpAddr};

use k8s_openapi::{
    api::networking::v1::{IPBlock, NetworkPolicy, NetworkPolicyPeer},
    apimachinery::pkg::apis::meta::v1::LabelSelector,
};
use serde::Serialize;
use serde_json::Value;

use super::ClusterFacts;
use crate::model::{
    cidr::Cidr,
    labels,
    object::{Object, ObjectId},
    operator::Operator,
    settings::{PlatformSettings, PodPeer},
};
use ports::NamedPorts;
pub use ports::{PortRange, Ports};

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

/// Who was looked at, and who may connect to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reachability {
    /// Everybody who was looked at, components first.
    pub parties: Vec<Party>,
    /// What is open; what is not named is closed.
    pub connections: Vec<Connection>,
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
    /// Pods of the environment.
    Own {
        labels: Labels,
        ports: NamedPorts,
    },
    /// Pods elsewhere, by the labels of their namespace and their own.
    Pod {
        namespace: Labels,
        labels: Labels,
    },
    Address(IpAddr),
}

type Labels = BTreeMap<String, String>;

/// What the policies say, and where they say it.
struct Policies {
    all: Vec<NetworkPolicy>,
    /// Labels of the environment's namespace, as far as they are known.
    namespace: Option<Labels>,
}

/// Computes all connections that the policies allow between the components and from and to the outside. `objects` are
/// the rendered ones, `policies` those that [`build`](super::build) made or the cluster has; where the Namespace is among
/// them, its labels are known to their selectors.
///
/// # Errors
/// When a policy is not valid.
pub fn reachability(
    objects: &[Object],
    policies: &[Object],
    settings: &PlatformSettings,
    facts: &ClusterFacts,
) -> Result<Reachability, InvalidPolicy> {
    let policies = Policies::of(policies)?;
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
            let out = policies.allowed(Direction::Egress, source, destination);
            let ports = out.and(policies.allowed(Direction::Ingress, source, destination));
            let known = found.entry((from, to)).or_insert(Ports::none());
            *known = known.clone().or(ports);
        }
    }
    let open = found.into_iter().filter(|(_, ports)| !ports.is_none());
    let connections = open.map(|((from, to), ports)| Connection {
        from: from.clone(),
        to: to.clone(),
        ports,
    });
    let mut parties: Vec<Party> = all.iter().map(|(party, _)| party.clone()).collect();
    parties.sort();
    parties.dedup();
    Ok(Reachability {
        connections: connections.collect(),
        parties,
    })
}

fn is_inside(place: &Place) -> bool {
    matches!(place, Place::Own { .. })
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
            let ports = NamedPorts::of(object, &templates);
            found.push((Party::Component(name), Place::Own { labels, ports }));
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
    // Pods by their labels, and where the same thing runs in the network of the nodes.
    let of = |party: Party, peer: &PodPeer| -> Vec<(Party, Place)> {
        let pods = Place::Pod {
            namespace: peer.namespace_labels.clone(),
            labels: peer.pod_labels.clone(),
        };
        let addresses = peer
            .addresses
            .iter()
            .map(|range| Place::Address(range.address()));
        std::iter::once(pods)
            .chain(addresses)
            .map(|place| (party.clone(), place))
            .collect()
    };
    let other = PodPeer {
        namespace_labels: BTreeMap::from([(
            labels::TYPE.to_owned(),
            labels::TYPE_ENVIRONMENT.to_owned(),
        )]),
        ..PodPeer::default()
    };
    let mut places: Vec<(Party, Place)> = Vec::new();
    places.extend(of(Party::IngressController, &settings.ingress.controller));
    places.extend(of(Party::Observability, &settings.network.observability));
    places.extend(of(Party::Dns, &settings.network.dns));
    places.extend(of(Party::OtherNamespaces, &other));
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

impl Policies {
    fn of(objects: &[Object]) -> Result<Self, InvalidPolicy> {
        let policies = objects
            .iter()
            .filter(|object| object.kind() == "NetworkPolicy");
        let all = policies.map(|object| {
            serde_json::from_value(object.as_value()).map_err(|source| InvalidPolicy {
                object: object.id(),
                source,
            })
        });
        let namespace = objects.iter().find(|object| object.kind() == "Namespace");
        Ok(Self {
            all: all.collect::<Result<_, _>>()?,
            namespace: namespace.map(|namespace| {
                let mut labels = labels_at(namespace, "/metadata/labels");
                let name = namespace.name().to_owned();
                labels.insert("kubernetes.io/metadata.name".to_owned(), name);
                labels
            }),
        })
    }

    /// The ports on which the source may connect to the destination, by what the policies say of one of the two.
    /// They say nothing about ends outside of the environment; a pod that none of them selects is open.
    fn allowed(&self, direction: Direction, source: &Place, destination: &Place) -> Ports {
        let (subject, peer, name) = match direction {
            Direction::Ingress => (destination, source, "Ingress"),
            Direction::Egress => (source, destination, "Egress"),
        };
        let Place::Own { labels, .. } = subject else {
            return Ports::All;
        };
        let unnamed = NamedPorts::default();
        let named = match destination {
            Place::Own { ports, .. } => ports,
            _ => &unnamed,
        };
        let selecting = self
            .all
            .iter()
            .filter_map(|policy| policy.spec.as_ref())
            .filter(|spec| {
                let mut types = spec.policy_types.iter().flatten();
                let selector = spec.pod_selector.as_ref();
                types.any(|t| t == name) && selector.is_none_or(|s| selects(s, labels))
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
                let peers = peers.as_deref().unwrap_or_default();
                if peers.is_empty() || peers.iter().any(|allowed| self.is_meant(allowed, peer)) {
                    open = open.or(Ports::of(ports.as_deref().unwrap_or_default(), named));
                }
            }
        }
        if isolated { open } else { Ports::All }
    }

    fn is_meant(&self, allowed: &NetworkPolicyPeer, peer: &Place) -> bool {
        let by_labels = |labels| {
            let selector = allowed.pod_selector.as_ref();
            allowed.ip_block.is_none() && selector.is_none_or(|s| selects(s, labels))
        };
        match (peer, &allowed.namespace_selector) {
            (Place::Address(address), _) => {
                let block = allowed.ip_block.as_ref();
                block.is_some_and(|block| is_in(block, *address))
            }
            (Place::Own { labels, .. }, None) => by_labels(labels),
            (Place::Own { labels, .. }, Some(selector)) => {
                // Without labels, only a selector without conditions is known to select the environment's own namespace.
                let namespace = match &self.namespace {
                    Some(namespace) => selects(selector, namespace),
                    None => *selector == LabelSelector::default(),
                };
                namespace && by_labels(labels)
            }
            (Place::Pod { .. }, None) => false,
            (Place::Pod { namespace, labels }, Some(selector)) => {
                selects(selector, namespace) && by_labels(labels)
            }
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

impl Party {
    fn is_component(&self) -> bool {
        matches!(self, Self::Component(_))
    }

    /// Whether it is outside and would connect to components if it could.
    fn calls(&self) -> bool {
        self.only_calls() || *self == Self::OtherNamespaces
    }

    /// Whether it is outside and nobody has reason to connect to it.
    fn only_calls(&self) -> bool {
        matches!(self, Self::IngressController | Self::Observability)
    }
}
