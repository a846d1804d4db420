//! Sets of ports, as the rules of policies name them: by number, as a range, or by the name that a container gives one.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use k8s_openapi::{
    api::networking::v1::NetworkPolicyPort, apimachinery::pkg::util::intstr::IntOrString,
};
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::model::object::Object;

/// Ports that connections may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ports {
    /// All of them, with every protocol.
    All,
    /// These; none when empty. Ranges of one protocol neither meet nor overlap.
    Only(BTreeSet<PortRange>),
}

/// Ports of a protocol, from the first to the last.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PortRange {
    /// `TCP`, `UDP` or `SCTP`.
    pub protocol: String,
    /// First port.
    pub first: u16,
    /// Last port, which may be the first.
    pub last: u16,
}

/// The ports of a pod by the names that its containers give them: protocol and number.
#[derive(Clone, Debug, Default)]
pub(super) struct NamedPorts(BTreeMap<String, (String, u16)>);

impl NamedPorts {
    /// Those of the pods of an object, whose template is at one of these pointers.
    pub(super) fn of(object: &Object, templates: &[&str]) -> Self {
        let lists = templates.iter().filter_map(|template| {
            object
                .get(&format!("{template}/spec/containers"))?
                .as_array()
        });
        let containers = lists.flatten();
        let ports = containers.flat_map(|c| c["ports"].as_array().into_iter().flatten());
        let named = ports.filter_map(|port| {
            let protocol = port["protocol"].as_str().unwrap_or("TCP").to_owned();
            let number = port["containerPort"]
                .as_u64()
                .and_then(|n| n.try_into().ok());
            Some((port["name"].as_str()?.to_owned(), (protocol, number?)))
        });
        Self(named.collect())
    }
}

impl Ports {
    pub(super) fn none() -> Self {
        Self::Only(BTreeSet::new())
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_none(&self) -> bool {
        matches!(self, Self::Only(ranges) if ranges.is_empty())
    }

    /// Whether a port is among them.
    #[must_use]
    pub fn contains(&self, protocol: &str, port: u16) -> bool {
        match self {
            Self::All => true,
            Self::Only(ranges) => ranges
                .iter()
                .any(|r| r.protocol == protocol && (r.first..=r.last).contains(&port)),
        }
    }

    /// The ports of a rule to a pod with these names: all when it lists none. A name that the pod does not have opens
    /// nothing.
    pub(super) fn of(ports: &[NetworkPolicyPort], named: &NamedPorts) -> Self {
        if ports.is_empty() {
            return Self::All;
        }
        let range = |port: &NetworkPolicyPort| {
            let protocol = port.protocol.as_deref().unwrap_or("TCP");
            let number = |number: i32| u16::try_from(number).ok();
            let (first, last) = match (&port.port, port.end_port) {
                (None, _) => (1, u16::MAX),
                (Some(IntOrString::Int(first)), None) => (number(*first)?, number(*first)?),
                (Some(IntOrString::Int(first)), Some(last)) => (number(*first)?, number(last)?),
                (Some(IntOrString::String(name)), _) => {
                    let (of, port) = named.0.get(name)?;
                    (of == protocol).then_some((*port, *port))?
                }
            };
            let protocol = protocol.to_owned();
            Some(PortRange {
                protocol,
                first,
                last,
            })
        };
        Self::Only(joined(ports.iter().filter_map(range).collect()))
    }

    pub(super) fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Only(mut a), Self::Only(b)) => {
                a.extend(b);
                Self::Only(joined(a))
            }
            _ => Self::All,
        }
    }

    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::All, ports) | (ports, Self::All) => ports,
            (Self::Only(a), Self::Only(b)) => {
                let pairs = a.iter().flat_map(|x| b.iter().map(move |y| (x, y)));
                let common = pairs.filter_map(|(x, y)| {
                    let (first, last) = (x.first.max(y.first), x.last.min(y.last));
                    (x.protocol == y.protocol && first <= last).then(|| PortRange {
                        protocol: x.protocol.clone(),
                        first,
                        last,
                    })
                });
                Self::Only(joined(common.collect()))
            }
        }
    }
}

/// Ranges that meet or overlap become one.
fn joined(ranges: BTreeSet<PortRange>) -> BTreeSet<PortRange> {
    let mut joined: Vec<PortRange> = Vec::new();
    for range in ranges {
        match joined.last_mut() {
            Some(before)
                if before.protocol == range.protocol
                    && u32::from(range.first) <= u32::from(before.last) + 1 =>
            {
                before.last = before.last.max(range.last);
            }
            _ => joined.push(range),
        }
    }
    joined.into_iter().collect()
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            protocol,
            first,
            last,
        } = self;
        match (first, last) {
            (1, &u16::MAX) => f.write_str(protocol),
            _ if first == last => write!(f, "{protocol} {first}"),
            _ => write!(f, "{protocol} {first}-{last}"),
        }
    }
}

impl fmt::Display for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all ports"),
            Self::Only(ranges) => {
                let ranges: Vec<String> = ranges.iter().map(ToString::to_string).collect();
                f.write_str(&ranges.join(", "))
            }
        }
    }
}

impl Serialize for Ports {
    /// `"all"`, or the list of ranges such as `TCP 3000`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::All => serializer.serialize_str("all"),
            Self::Only(ranges) => {
                serializer.collect_seq(ranges.iter().map(|range| Value::from(range.to_string())))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rule(ports: Value) -> Ports {
        let object = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [
            {"name": "c", "ports": [{"name": "http", "containerPort": 8080}]}]}});
        let object = Object::new(object).expect("an object");
        let ports: Vec<NetworkPolicyPort> = serde_json::from_value(ports).expect("ports");
        Ports::of(&ports, &NamedPorts::of(&object, &[""]))
    }

    #[test]
    fn ranges_and_names_meet_as_numbers_do() {
        let some = rule(json!([{"port": 8000, "endPort": 8100}, {"port": 53, "protocol": "UDP"}]));
        let named = rule(json!([{"port": "http"}]));
        assert_eq!(named.to_string(), "TCP 8080");
        assert_eq!(some.clone().and(named.clone()), named);
        assert_eq!(
            rule(json!([{}])).and(some.clone()).to_string(),
            "TCP 8000-8100"
        );
        assert!(rule(json!([{"port": "grpc"}])).is_none());
        assert!(rule(json!([{"port": "http", "protocol": "UDP"}])).is_none());
        assert_eq!(Ports::All.and(some.clone()), some);
        assert_eq!(rule(json!([])), Ports::All);
        assert!(some.contains("UDP", 53) && !some.contains("TCP", 53));
    }

    #[test]
    fn ranges_that_meet_are_one() {
        let all = rule(
            json!([{"port": 1, "endPort": 10}, {"port": 11}, {"port": 5, "endPort": 8}, {"port": 20}]),
        );
        assert_eq!(all.to_string(), "TCP 1-11, TCP 20");
    }
}
