//! Who can reach whom.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::guardrails::reachability::{
    Connection, Party, Ports, Reachability, reachability, report,
};

fn connections(
    env: &Environment,
    objects: &[Object],
    settings: &PlatformSettings,
    facts: &ClusterFacts,
) -> Vec<Connection> {
    reach(env, objects, settings, facts).connections
}

fn reach(
    env: &Environment,
    objects: &[Object],
    settings: &PlatformSettings,
    facts: &ClusterFacts,
) -> Reachability {
    let policies = built(env, objects, settings, facts);
    reachability(objects, &policies, settings, facts).expect("valid policies")
}

fn policy_names(all: &[Object]) -> Vec<&str> {
    let policies = all.iter().filter(|object| object.kind() == "NetworkPolicy");
    policies.map(Object::name).collect()
}

#[test]
fn only_what_is_needed_is_open() {
    let env = environment();
    let found = reach(
        &env,
        &rendered(&env),
        &PlatformSettings::default(),
        &facts(),
    );
    insta::assert_snapshot!(report::human(&found, None), @r#"
    TO                PORTS           FROM
    api               TCP 8080        observability
    api               all ports       redis, web
    redis             all ports       api, web
    web               TCP 3000        ingress controller
    web               all ports       api, redis
    DNS               TCP 53, UDP 53  api, redis, web
    other namespaces  -               nobody
    Kubernetes API    -               nobody
    internet          all ports       api, redis, web
    private networks  -               nobody
    cloud metadata    -               nobody
    "#);
}

#[test]
fn operators_reach_their_databases_and_those_the_kubernetes_api() {
    let env = environment();
    let mut objects = rendered(&env);
    objects.extend(operated());
    let settings = PlatformSettings::default();
    assert!(!needs_kubernetes_api(&rendered(&env), &settings.network));
    assert!(needs_kubernetes_api(&objects, &settings.network));

    let found = connections(&env, &objects, &settings, &facts());
    let callers: Vec<&Party> = found
        .iter()
        .filter(|connection| connection.to == Party::KubernetesApi)
        .map(|connection| &connection.from)
        .collect();
    let component = |name: &str| Party::Component(name.to_owned());
    assert_eq!(
        callers,
        [
            &component("minio"),
            &component("mongodb"),
            &component("postgresql")
        ]
    );

    let policies = built(&env, &objects, &settings, &facts());
    let of_postgresql = policies
        .iter()
        .find(|policy| policy.name() == "allow-operator-app-postgresql");
    let spec = of_postgresql.expect("there is one").as_value()["spec"].clone();
    insta::assert_snapshot!(serde_json::to_string_pretty(&spec).expect("JSON"), @r#"
    {
      "egress": [
        {
          "ports": [
            {
              "port": 443,
              "protocol": "TCP"
            }
          ],
          "to": [
            {
              "ipBlock": {
                "cidr": "10.96.0.1/32"
              }
            }
          ]
        },
        {
          "ports": [
            {
              "port": 6443,
              "protocol": "TCP"
            }
          ],
          "to": [
            {
              "ipBlock": {
                "cidr": "2001:db8::6443/128"
              }
            }
          ]
        }
      ],
      "ingress": [
        {
          "from": [
            {
              "namespaceSelector": {
                "matchLabels": {
                  "kubernetes.io/metadata.name": "cnpg-system"
                }
              }
            },
            {
              "namespaceSelector": {
                "matchLabels": {
                  "kubernetes.io/metadata.name": "mongodb-system"
                }
              }
            },
            {
              "namespaceSelector": {
                "matchLabels": {
                  "kubernetes.io/metadata.name": "minio-operator"
                }
              }
            }
          ]
        }
      ],
      "podSelector": {
        "matchLabels": {
          "cnpg.io/cluster": "app-postgresql"
        }
      },
      "policyTypes": [
        "Ingress",
        "Egress"
      ]
    }
    "#);

    // Nobody to let in and no address to let out to: no policy, rather than one that opens everything.
    let mut nobody = settings;
    nobody.network.operators = Vec::new();
    let policies = built(&env, &objects, &nobody, &ClusterFacts::default());
    assert!(
        policy_names(&policies)
            .iter()
            .all(|name| !name.contains("operator"))
    );
}

#[test]
fn the_kubernetes_api_is_open_to_all_pods_only_when_the_platform_says_so() {
    let env = environment();
    let objects = rendered(&env);
    let mut settings = PlatformSettings::default();
    let to_api = |settings: &PlatformSettings, facts: &ClusterFacts| {
        let found = connections(&env, &objects, settings, facts);
        let to_api = found
            .into_iter()
            .filter(|connection| connection.to == Party::KubernetesApi);
        to_api.count()
    };
    assert_eq!(to_api(&settings, &facts()), 0);
    settings.network.kubernetes_api = true;
    assert!(needs_kubernetes_api(&objects, &settings.network));
    assert_eq!(to_api(&settings, &facts()), 3);
    let offline = built(&env, &objects, &settings, &ClusterFacts::default());
    assert!(!policy_names(&offline).contains(&"allow-kubernetes-api"));
}

/// From the rendered objects alone: which container port of which pods a request for an Ingress arrives at.
fn routes(objects: &[Object]) -> BTreeSet<(String, String)> {
    let of_kind = |kind: &'static str| objects.iter().filter(move |object| object.kind() == kind);
    let list = |value: Option<&Value>| value.and_then(Value::as_array).cloned().unwrap_or_default();
    let mut routes = BTreeSet::new();
    for ingress in of_kind("Ingress") {
        for rule in list(ingress.get("/spec/rules")) {
            for path in list(rule.pointer("/http/paths")) {
                let backend = &path["backend"]["service"];
                let service = of_kind("Service")
                    .find(|service| Some(service.name()) == backend["name"].as_str())
                    .expect("the Ingress names a Service");
                let ports = list(service.get("/spec/ports"));
                let port = ports
                    .iter()
                    .find(|port| port["name"] == backend["port"]["name"]);
                let target = &port.expect("the Service has the port")["targetPort"];
                let pods = of_kind("Deployment")
                    .find(|d| d.get("/spec/selector/matchLabels") == service.get("/spec/selector"))
                    .expect("the Service selects a Deployment");
                let ports = list(pods.get("/spec/template/spec/containers/0/ports"));
                let container = ports.iter().find(|port| port["name"] == *target);
                let number = &container.expect("the container has the port")["containerPort"];
                let component = pods.component().expect("it belongs to one").to_owned();
                routes.insert((component, format!("TCP {number}")));
            }
        }
    }
    routes
}

proptest! {
    #[test]
    fn the_ingress_controller_reaches_exactly_what_ingresses_lead_to(
        services in prop::collection::vec((1_u16.., any::<bool>(), any::<bool>()), 1..5),
    ) {
        let mut env = environment();
        env.services = services
            .iter()
            .enumerate()
            .map(|(i, (port, public, scraped))| service(&format!("s{i}"), *port, *public, *scraped))
            .collect();
        let objects = rendered(&env);
        let found = connections(&env, &objects, &PlatformSettings::default(), &facts());
        let reached = |party: Party| -> BTreeSet<(String, String)> {
            found
                .iter()
                .filter(|connection| connection.from == party)
                .map(|connection| (connection.to.to_string(), connection.ports.to_string()))
                .collect()
        };
        prop_assert_eq!(reached(Party::IngressController), routes(&objects));
        let scraped = env.services.iter().filter(|service| service.metrics.is_some());
        let scraped = scraped.map(|service| (service.name.clone(), format!("TCP {}", service.port)));
        prop_assert_eq!(reached(Party::Observability), scraped.collect());
        prop_assert!(reached(Party::OtherNamespaces).is_empty());
    }

    #[test]
    fn the_api_server_takes_every_exception(
        blocked in prop::collection::vec((any::<std::net::IpAddr>(), 0_u8..=128), 0..8),
    ) {
        let mut settings = PlatformSettings::default();
        let ranges = blocked.iter().filter_map(|(address, prefix)| Cidr::new(*address, *prefix));
        settings.network.blocked_cidrs = ranges.collect();
        let policies = built(&environment(), &[], &settings, &facts());
        for policy in policies.iter().filter(|policy| policy.name() == "allow-internet") {
            let peers = policy.get("/spec/egress/0/to").and_then(Value::as_array).expect("peers");
            prop_assert!(!peers.is_empty());
            for peer in peers {
                let range: Cidr = peer["ipBlock"]["cidr"].as_str().expect("a range").parse()?;
                for except in peer["ipBlock"]["except"].as_array().expect("exceptions") {
                    let except: Cidr = except.as_str().expect("a range").parse()?;
                    prop_assert!(range.contains(except) && range != except, "{} in {}", except, range);
                }
            }
        }
    }
}

/// Whether pods may reach the address, seen from the policies.
fn is_open(settings: &PlatformSettings, facts: &ClusterFacts, address: &str) -> bool {
    let policies = built(&environment(), &[], settings, facts);
    let policies = policies
        .iter()
        .filter(|policy| policy.name() == "allow-internet");
    let address: Cidr = address.parse().expect("an address");
    let within = |range: &Value| {
        let range: Cidr = range.as_str().expect("a range").parse().expect("a range");
        range.contains(address)
    };
    let peers = policies.filter_map(|policy| policy.get("/spec/egress/0/to")?.as_array());
    peers.flatten().any(|peer| {
        let block = &peer["ipBlock"];
        within(&block["cidr"])
            && !block["except"]
                .as_array()
                .expect("a list")
                .iter()
                .any(within)
    })
}

#[test]
fn the_internet_is_open_and_what_is_not_the_internet_is_closed() {
    let mut settings = PlatformSettings::default();
    let nothing_known = ClusterFacts::default();
    for open in [
        "1.1.1.1",
        "9.255.255.255",
        "11.0.0.0",
        "172.32.0.1",
        "192.0.1.1",
        "203.0.113.10",
        "223.255.255.255",
        "2606:4700::1111",
        "2001:db8::1",
    ] {
        assert!(is_open(&settings, &nothing_known, open), "{open} is closed");
    }
    for closed in [
        "0.0.0.0",
        "10.96.0.1",
        "100.100.100.200",
        "127.0.0.1",
        "169.254.169.254",
        "168.63.129.16",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.192",
        "192.168.1.1",
        "198.19.255.255",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "64:ff9b::a9fe:a9fe",
        "fc00::1",
        "fd00:ec2::254",
        "fd20:ce::254",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "2002:a9fe:a9fe::1",
        "2001:0:a9fe:a9fe::1",
    ] {
        assert!(
            !is_open(&settings, &nothing_known, closed),
            "{closed} is open"
        );
    }

    // What is known of the cluster closes more: its networks, and its API server even at a public address.
    assert!(!is_open(&settings, &facts(), "203.0.113.1"));
    assert!(is_open(&settings, &facts(), "203.0.113.200"));
    assert!(!is_open(&settings, &facts(), "2001:db8::6443"));

    settings.network.blocked_cidrs = vec!["1.0.0.0/8".parse().expect("a range")];
    assert!(!is_open(&settings, &nothing_known, "1.1.1.1"));
    settings.network.blocked_cidrs = vec![Cidr::IPV4];
    assert!(!is_open(&settings, &nothing_known, "9.9.9.9"));
    assert!(is_open(&settings, &nothing_known, "2606:4700::1111"));
    settings
        .network
        .blocked_cidrs
        .push("::/0".parse().expect("a range"));
    let all = built(&environment(), &[], &settings, &nothing_known);
    assert!(!policy_names(&all).contains(&"allow-internet"));
    settings = PlatformSettings::default();
    settings.network.internet = false;
    assert!(!is_open(&settings, &nothing_known, "1.1.1.1"));
}

#[test]
fn peers_that_name_nobody_open_nothing() {
    let mut settings = PlatformSettings::default();
    settings.ingress.controller.namespace_labels.clear();
    settings.network.observability = Default::default();
    settings.network.dns = Default::default();
    let env = environment();
    let all = built(&env, &rendered(&env), &settings, &facts());
    assert_eq!(
        policy_names(&all),
        ["default-deny", "allow-same-namespace", "allow-internet"]
    );
}

#[test]
fn a_controller_in_the_network_of_the_nodes_is_let_in_by_address() {
    let mut settings = PlatformSettings::default();
    settings.ingress.controller.addresses = vec!["10.200.0.0/24".parse().expect("a range")];
    let env = environment();
    let all = built(&env, &rendered(&env), &settings, &facts());
    let policy = all
        .iter()
        .find(|policy| policy.name() == "allow-ingress-web");
    let peers = policy.and_then(|policy| policy.get("/spec/ingress/0/from"));
    assert_eq!(
        peers.and_then(|peers| peers.get(1)),
        Some(&json!({"ipBlock": {"cidr": "10.200.0.0/24"}}))
    );
}

#[test]
fn policies_can_be_found_by_their_label() {
    let env = environment();
    let all = built(
        &env,
        &rendered(&env),
        &PlatformSettings::default(),
        &facts(),
    );
    for object in all {
        let expected = (object.kind() == "NetworkPolicy").then_some("network-policy");
        assert_eq!(object.label(labels::TYPE), expected, "{}", object.id());
    }
}

/// A policy of the environment's namespace that opens ingress to `web` in one way.
fn one_policy(rule: Value) -> Vec<Object> {
    vec![object(json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "x"},
        "spec": {
            "podSelector": {"matchExpressions": [{"key": "k8s-ee/component", "operator": "In", "values": ["web"]}]},
            "policyTypes": ["Ingress"],
            "ingress": [rule],
        },
    }))]
}

#[test]
fn reachability_reads_policies_as_kubernetes_does() {
    let env = environment();
    let objects = rendered(&env);
    let settings = PlatformSettings::default();
    let into_web = |policies: &[Object]| -> Vec<String> {
        let found = reachability(&objects, policies, &settings, &facts()).expect("valid");
        let web = Party::Component("web".to_owned());
        let into_web = found
            .connections
            .iter()
            .filter(|connection| connection.to == web);
        into_web
            .map(|connection| format!("{}: {}", connection.from, connection.ports))
            .collect()
    };
    let without_policies = into_web(&[]);
    assert!(without_policies.contains(&"cloud metadata: all ports".to_owned()));
    assert!(without_policies.contains(&"other namespaces: all ports".to_owned()));
    for (rule, expected) in [
        (
            json!({"from": [{"podSelector": {}}]}),
            vec!["api: all ports", "redis: all ports"],
        ),
        (
            json!({
                "from": [{"podSelector": {"matchExpressions": [{"key": "k8s-ee/component", "operator": "NotIn", "values": ["api"]}]}}],
                "ports": [{"port": 3000}, {"protocol": "UDP", "port": 1, "endPort": 9}, {"port": "http"}],
            }),
            vec!["redis: TCP 3000, UDP 1-9"],
        ),
        (
            json!({"from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}]}),
            vec!["ingress controller: all ports", "DNS: all ports"],
        ),
        (
            json!({"from": [{"namespaceSelector": {}, "podSelector": {"matchExpressions": [{"key": "k8s-app", "operator": "Exists"}]}}]}),
            vec!["DNS: all ports"],
        ),
        (
            json!({"from": [{"namespaceSelector": {}, "podSelector": {"matchExpressions": [{"key": "k8s-ee/component", "operator": "DoesNotExist"}, {"key": "k8s-app", "operator": "DoesNotExist"}]}}]}),
            vec![
                "ingress controller: all ports",
                "observability: all ports",
                "other namespaces: all ports",
            ],
        ),
        (
            json!({"from": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "203.0.113.0/24"]}}]}),
            vec!["DNS: all ports", "cloud metadata: all ports"],
        ),
    ] {
        assert_eq!(into_web(&one_policy(rule.clone())), expected, "{rule}");
    }
    assert_eq!(into_web(&one_policy(json!({}))), without_policies);
    let mut broken = one_policy(json!({}));
    broken[0]
        .as_map_mut()
        .insert("spec".to_owned(), json!("everything"));
    let error = reachability(&objects, &broken, &settings, &facts()).expect_err("refused");
    assert_eq!(
        error.to_string(),
        "NetworkPolicy x is not a valid network policy"
    );
    assert_eq!(
        serde_json::to_value(Ports::All).expect("JSON"),
        json!("all")
    );
}
