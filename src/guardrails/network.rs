//! The network policies of an environment: closed both ways, then opened for what is needed and nothing else.

use std::collections::BTreeMap;

use k8s_openapi::{
    api::networking::v1::{
        NetworkPolicy, NetworkPolicyEgressRule, NetworkPolicyIngressRule, NetworkPolicyPeer,
        NetworkPolicyPort, NetworkPolicySpec,
    },
    apimachinery::pkg::{apis::meta::v1::LabelSelector, util::intstr::IntOrString},
};

use super::{
    ClusterFacts,
    addresses::{block, internet},
    metadata, owned,
};
use crate::model::{
    Environment, labels,
    object::Object,
    operator::Operator,
    settings::{NetworkSettings, PlatformSettings, PodPeer},
};

/// Whether anything in the environment may reach the Kubernetes API, so that its address has to be asked for.
#[must_use]
pub fn needs_kubernetes_api(objects: &[Object], network: &NetworkSettings) -> bool {
    network.kubernetes_api || objects.iter().any(|object| Operator::of(object).is_some())
}

/// All policies. Those that would open nothing, because the settings name nobody, are left out.
pub(super) fn policies(
    env: &Environment,
    objects: &[Object],
    settings: &PlatformSettings,
    facts: &ClusterFacts,
) -> Vec<Object> {
    let network = &settings.network;
    let mut policies = vec![
        Policy::new("default-deny").ingress(vec![]).egress(vec![]),
        Policy::new("allow-same-namespace")
            .ingress(vec![from(vec![same_namespace()], None)])
            .egress(vec![to(vec![same_namespace()], vec![])]),
    ];

    let dns = peers(&network.dns);
    if !dns.is_empty() {
        let ports = vec![port("UDP", 53), port("TCP", 53)];
        policies.push(Policy::new("allow-dns").egress(vec![to(dns, ports)]));
    }
    if network.internet {
        let internet = internet(&network.blocked_cidrs, facts);
        if !internet.is_empty() {
            policies.push(Policy::new("allow-internet").egress(vec![to(internet, vec![])]));
        }
    }
    if network.kubernetes_api && !facts.api_server.is_empty() {
        policies.push(Policy::new("allow-kubernetes-api").egress(kubernetes_api(facts)));
    }
    for object in objects {
        policies.extend(of_operator(object, network, facts));
    }

    let outside = [
        ("ingress", peers(&settings.ingress.controller)),
        ("metrics", peers(&network.observability)),
    ];
    for (what, peers) in outside {
        for service in &env.services {
            let open = match what {
                "ingress" => service.ingress.is_some(),
                _ => service.metrics.is_some(),
            };
            if open && !peers.is_empty() {
                let port = port("TCP", service.port);
                policies.push(
                    Policy::new(&format!("allow-{what}-{}", service.name))
                        .of_pods(labels::COMPONENT, &service.name)
                        .ingress(vec![from(peers.clone(), Some(port))]),
                );
            }
        }
    }
    let namespace = &env.identity.namespace;
    policies
        .into_iter()
        .map(|policy| policy.build(namespace))
        .collect()
}

/// What the pods of an operator's object need: their operator calls on them, and they call on the Kubernetes API.
fn of_operator(object: &Object, network: &NetworkSettings, facts: &ClusterFacts) -> Option<Policy> {
    let operator = Operator::of(object)?;
    let (key, value) = operator.pod_label(object.name());
    let operators: Vec<_> = network.operators.iter().flat_map(peers).collect();
    let mut policy = Policy::new(&format!("allow-operator-{}", object.name())).of_pods(key, &value);
    if !operators.is_empty() {
        policy = policy.ingress(vec![from(operators, None)]);
    }
    if !facts.api_server.is_empty() {
        policy = policy.egress(kubernetes_api(facts));
    }
    (policy.ingress.is_some() || policy.egress.is_some()).then_some(policy)
}

fn kubernetes_api(facts: &ClusterFacts) -> Vec<NetworkPolicyEgressRule> {
    let address = |address: &std::net::SocketAddr| {
        let peer = block(address.ip().into(), Vec::new());
        to(vec![peer], vec![port("TCP", address.port())])
    };
    facts.api_server.iter().map(address).collect()
}

/// The pods and addresses that the settings mean. A selector without labels would mean every namespace of the cluster,
/// so that a peer without them means no pods.
fn peers(peer: &PodPeer) -> Vec<NetworkPolicyPeer> {
    let pods = (!peer.namespace_labels.is_empty()).then(|| NetworkPolicyPeer {
        namespace_selector: Some(selector(&peer.namespace_labels)),
        pod_selector: (!peer.pod_labels.is_empty()).then(|| selector(&peer.pod_labels)),
        ip_block: None,
    });
    let addresses = peer.addresses.iter().map(|range| block(*range, Vec::new()));
    pods.into_iter().chain(addresses).collect()
}

fn same_namespace() -> NetworkPolicyPeer {
    NetworkPolicyPeer {
        pod_selector: Some(selector(&BTreeMap::new())),
        ..NetworkPolicyPeer::default()
    }
}

/// Everything when there are no labels.
fn selector(labels: &BTreeMap<String, String>) -> LabelSelector {
    LabelSelector {
        match_labels: (!labels.is_empty()).then(|| labels.clone()),
        ..LabelSelector::default()
    }
}

fn port(protocol: &str, port: u16) -> NetworkPolicyPort {
    NetworkPolicyPort {
        protocol: Some(protocol.to_owned()),
        port: Some(IntOrString::Int(port.into())),
        end_port: None,
    }
}

/// A rule for connections from the peers; on all ports when none is named.
fn from(
    peers: Vec<NetworkPolicyPeer>,
    port: Option<NetworkPolicyPort>,
) -> NetworkPolicyIngressRule {
    NetworkPolicyIngressRule {
        from: Some(peers),
        ports: port.map(|port| vec![port]),
    }
}

/// A rule for connections to the peers; on all ports when none is named.
fn to(peers: Vec<NetworkPolicyPeer>, ports: Vec<NetworkPolicyPort>) -> NetworkPolicyEgressRule {
    NetworkPolicyEgressRule {
        to: Some(peers),
        ports: (!ports.is_empty()).then_some(ports),
    }
}

/// A policy being put together. A direction that is not mentioned is none of its business; one without rules is closed.
struct Policy {
    name: String,
    pods: BTreeMap<String, String>,
    ingress: Option<Vec<NetworkPolicyIngressRule>>,
    egress: Option<Vec<NetworkPolicyEgressRule>>,
}

impl Policy {
    /// A policy of all pods of the namespace.
    fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            pods: BTreeMap::new(),
            ingress: None,
            egress: None,
        }
    }

    fn of_pods(mut self, key: &str, value: &str) -> Self {
        self.pods = owned([(key, value)]);
        self
    }

    fn ingress(mut self, rules: Vec<NetworkPolicyIngressRule>) -> Self {
        self.ingress = Some(rules);
        self
    }

    fn egress(mut self, rules: Vec<NetworkPolicyEgressRule>) -> Self {
        self.egress = Some(rules);
        self
    }

    fn build(self, namespace: &str) -> Object {
        let mut metadata = metadata(namespace, &self.name);
        let own = metadata.labels.get_or_insert_default();
        own.insert(
            labels::TYPE.to_owned(),
            labels::TYPE_NETWORK_POLICY.to_owned(),
        );
        let types = [
            ("Ingress", self.ingress.is_some()),
            ("Egress", self.egress.is_some()),
        ];
        let types = types.into_iter().filter(|(_, mentioned)| *mentioned);
        // The API server drops empty lists, and what it has must be equal to what is wanted.
        let ingress = self.ingress.filter(|rules| !rules.is_empty());
        let egress = self.egress.filter(|rules| !rules.is_empty());
        Object::typed(&NetworkPolicy {
            metadata,
            spec: Some(NetworkPolicySpec {
                pod_selector: Some(selector(&self.pods)),
                policy_types: Some(types.map(|(name, _)| name.to_owned()).collect()),
                ingress,
                egress,
            }),
        })
    }
}
