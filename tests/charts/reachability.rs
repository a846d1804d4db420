//! `plan --reachability` against cyclonus, which reads the same policies by itself: for every pair of ends, with several
//! ports and protocols, both have to say the same.

use std::{env, ffi::OsStr, path::Path, process::Command};

use k8s_ee::render::yaml;
use serde_json::{Value, json};

use crate::tools;

/// Environments whose policies differ: with databases, scraped services and several public ones, by the simple form.
const FILES: [&str; 3] = [
    "projectId: shop\napp: {port: 3000}\n",
    "projectId: shop\nservices:\n  web: {image: web:1, port: 3000, public: true, dependsOn: [api]}\n  api:\n    image: api:1\n    port: 8080\n    metrics: {enabled: true}\n    dependsOn: [postgresql]\n  admin: {image: admin:1, port: 443, public: true}\ndatabases:\n  postgresql: {storage: 1Gi}\n",
    "projectId: shop\nservices:\n  web: {image: web:1, port: 53, public: true}\ndatabases:\n  redis: true\n  minio: true\n",
];

/// Platforms that open more, and less.
const SETTINGS: [&str; 2] = [
    "{}\n",
    "network:\n  internet: false\n  dns: {namespaceLabels: {kubernetes.io/metadata.name: kube-system}}\ningress:\n  controller:\n    namespaceLabels: {kubernetes.io/metadata.name: traefik}\n",
];

const PORTS: [(&str, u16); 8] = [
    ("TCP", 53),
    ("UDP", 53),
    ("TCP", 80),
    ("TCP", 443),
    ("TCP", 3000),
    ("UDP", 3000),
    ("TCP", 5432),
    ("TCP", 8080),
];

const NAMESPACE: &str = "shop-pr-7";

/// An end of a connection by its name in the report, as cyclonus takes it. Ends with several addresses are there once
/// for each.
fn ends(objects: &[Value], controller: &str) -> Vec<(String, Value)> {
    let pod = |namespace: &str, more: Value, labels: &Value| {
        let mut namespace_labels = json!({"kubernetes.io/metadata.name": namespace});
        for (key, value) in more.as_object().into_iter().flatten() {
            namespace_labels[key] = value.clone();
        }
        json!({"IP": "10.1.2.3", "Internal": {
            "Namespace": namespace, "NamespaceLabels": namespace_labels, "PodLabels": labels}})
    };
    let mut ends = Vec::new();
    for object in objects {
        let Some(labels) = object.pointer("/spec/template/metadata/labels") else {
            continue;
        };
        let component = labels["k8s-ee/component"].as_str().expect("a component");
        ends.push((component.to_owned(), pod(NAMESPACE, json!({}), labels)));
    }
    let outside = [
        (
            "ingress controller",
            controller,
            json!({"app.kubernetes.io/name": "traefik"}),
        ),
        (
            "observability",
            "observability",
            json!({"app.kubernetes.io/name": "prometheus"}),
        ),
        ("DNS", "kube-system", json!({"k8s-app": "kube-dns"})),
    ];
    for (name, namespace, labels) in outside {
        ends.push((name.to_owned(), pod(namespace, json!({}), &labels)));
    }
    let other = pod(
        "shop-pr-8",
        json!({"k8s-ee/type": "ephemeral"}),
        &json!({"k8s-ee/component": "web"}),
    );
    ends.push(("other namespaces".to_owned(), other));
    for (name, address) in [
        ("internet", "198.51.100.7"),
        ("internet", "2600::1"),
        ("private networks", "10.200.0.9"),
        ("private networks", "172.20.1.1"),
        ("private networks", "fd12::1"),
        ("cloud metadata", "169.254.169.254"),
        ("cloud metadata", "fd00:ec2::254"),
    ] {
        ends.push((name.to_owned(), json!({"IP": address})));
    }
    ends
}

fn k8s_ee(folder: &Path, args: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_k8s-ee"))
        .current_dir(folder)
        .env_clear()
        .env("PATH", env::var_os("PATH").unwrap_or_default())
        .env("HOME", folder)
        .args(args)
        .args(["--pr", "7", "--platform", "platform.yaml"])
        .output()
        .expect("the binary starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "k8s-ee {args:?}: {stderr}");
    String::from_utf8(output.stdout).expect("it prints UTF-8")
}

/// Whether a port is among those of a connection, such as `TCP 3000` or `UDP 1-9`.
fn is_among(ports: &Value, protocol: &str, port: u16) -> bool {
    let is_in = |range: &Value| {
        let range = range.as_str().unwrap_or_default();
        let (of, numbers) = range.split_once(' ').unwrap_or((range, "1-65535"));
        let (first, last) = numbers.split_once('-').unwrap_or((numbers, numbers));
        let number = |text: &str| text.parse::<u16>().expect("a port");
        of == protocol && (number(first)..=number(last)).contains(&port)
    };
    *ports == "all" || ports.as_array().into_iter().flatten().any(is_in)
}

#[test]
fn an_independent_reader_of_policies_says_the_same() {
    let (Some(cyclonus), Some(_)) = (tools::find("cyclonus"), tools::find("helm")) else {
        return;
    };
    let (mut open, mut closed) = (0, 0);
    for (file, settings) in FILES
        .iter()
        .flat_map(|file| SETTINGS.iter().map(move |settings| (file, settings)))
    {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let write = |name: &str, text: &str| {
            std::fs::write(folder.path().join(name), text).expect("the folder is ours");
        };
        write("k8s-ee.yaml", file);
        write("platform.yaml", settings);
        let objects = yaml::read_stream(&k8s_ee(folder.path(), &["render"])).expect("YAML");
        let policies: Vec<&Value> = objects
            .iter()
            .filter(|object| object["kind"] == "NetworkPolicy")
            .collect();
        write(
            "policies.json",
            &json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicyList", "items": policies}).to_string(),
        );
        let args = ["plan", "--offline", "--reachability", "-o", "json"];
        let ours: Value = serde_json::from_str(&k8s_ee(folder.path(), &args)).expect("JSON");

        let controller = if settings.contains("traefik") {
            "traefik"
        } else {
            "kube-system"
        };
        let ends = ends(&objects, controller);
        let is_component = |name: &str| {
            objects
                .iter()
                .any(|o| o["metadata"]["labels"]["k8s-ee/component"] == name)
        };
        let mut asked = Vec::new();
        let mut traffic = Vec::new();
        for (from, source) in &ends {
            for (to, destination) in &ends {
                if from == to || !(is_component(from) || is_component(to)) {
                    continue;
                }
                for (protocol, port) in PORTS {
                    traffic.push(json!({"Source": source, "Destination": destination,
                        "Protocol": protocol, "ResolvedPort": port, "ResolvedPortName": ""}));
                    asked.push((from, to, protocol, port));
                }
            }
        }
        write("traffic.json", &json!(traffic).to_string());
        let path = |name: &str| folder.path().join(name);
        let (policies, traffic) = (path("policies.json"), path("traffic.json"));
        let args = ["analyze", "--mode", "query-traffic", "--policy-path"].map(OsStr::new);
        let said = cyclonus.succeed(args.into_iter().chain([
            policies.as_os_str(),
            OsStr::new("--traffic-path"),
            traffic.as_os_str(),
        ]));
        let answers: Vec<bool> = said
            .lines()
            .filter(|line| line.contains("IS ALLOWED?"))
            .map(|line| line.contains("TRUE"))
            .collect();
        assert_eq!(answers.len(), asked.len(), "an answer for each question");

        let connections = ours["connections"].as_array().expect("a list");
        for ((from, to, protocol, port), theirs) in asked.iter().zip(answers) {
            let is_open = connections.iter().any(|c| {
                c["from"] == **from && c["to"] == **to && is_among(&c["ports"], protocol, *port)
            });
            *(if is_open { &mut open } else { &mut closed }) += 1;
            assert_eq!(
                is_open, theirs,
                "{from} → {to} {protocol} {port}: cyclonus says {theirs}\n{file}{settings}"
            );
        }
    }
    assert!(open > 100 && closed > 100, "{open} open, {closed} closed");
}
