//! The doctor, on the sandbox and on environments in it.

use std::{
    io::{BufRead as _, BufReader},
    process::Child,
};

use serde_json::{Value, json};

use crate::{
    corpus::interrupt,
    harness::{Project, Ran, TESTAPP, apply, eventually, kubectl, kubectl_json, kubectl_with},
};

fn findings(json: &Value, check: &str) -> Vec<(String, String)> {
    let all = json["findings"].as_array().expect("a list");
    let of = all.iter().filter(|finding| finding["check"] == check);
    of.map(|f| {
        let text = |key: &str| f[key].as_str().unwrap_or_default().to_owned();
        (text("status"), text("summary"))
    })
    .collect()
}

#[test]
fn the_cluster_is_well() {
    let mut project = Project::new("app:\n  port: 8080\n");
    let ran = project.run(&["doctor", "-o", "json"]);
    let json = ran.json();
    for check in [
        "cluster",
        "rights",
        "ingress",
        "ingress-controller",
        "dns",
        "network-policies",
        "storage",
        "settings",
    ] {
        let found = findings(&json, check);
        assert!(!found.is_empty(), "nothing about {check}: {json:#}");
        assert!(
            found.iter().all(|(status, _)| status != "broken"),
            "{check}: {found:?}"
        );
    }
    assert!(
        findings(&json, "network-policies")[0].1.contains("Cilium"),
        "{json:#}"
    );
}

const PROBE: [&str; 6] = [
    "doctor",
    "--probe",
    "--probe-image",
    "busybox:1.35",
    "-o",
    "json",
];

/// Starts the probe, and returns the namespace that it says it makes.
fn probe(project: &mut Project) -> (Child, String) {
    let mut child = project.start(&PROBE);
    let stderr = child.stderr.as_mut().expect("it is piped");
    let mut line = String::new();
    BufReader::new(stderr)
        .read_line(&mut line)
        .expect("it says what it does");
    let namespace = line
        .split([' ', ';'])
        .find(|word| word.starts_with("k8s-ee-doctor-"));
    let namespace = namespace.unwrap_or_else(|| panic!("no namespace in {line}"));
    (child, namespace.to_owned())
}

fn is_gone(namespace: &str) {
    eventually(&format!("the namespace {namespace} is gone"), || {
        let there = kubectl(&["get", "namespace", namespace]);
        (!there.status.success()).then_some(())
    });
}

#[test]
fn what_its_liveness_probe_ends_again_and_again_is_told_though_it_is_up() {
    let mut project = Project::new("app:\n  port: 8080\n  livenessPath: /status/500\n");
    project.up(&[]);
    let found = eventually("it was ended and is up again", || {
        let ran = project.run(&["doctor", "--pr", "1", "-o", "json"]);
        let found = findings(&ran.json(), "restarts");
        found.into_iter().next()
    });
    assert_eq!(found.0, "warning");
    assert!(
        found.1.contains("app is up, but was restarted")
            && found
                .1
                .contains("its liveness probe failed (HTTP probe failed with statuscode: 500)"),
        "{found:?}"
    );
}

#[test]
fn policies_are_tried_and_the_namespace_is_gone_afterwards() {
    let mut project = Project::new("app:\n  port: 8080\n");
    let (child, namespace) = probe(&mut project);
    let ran = Ran::of(child.wait_with_output().expect("it ends"), &PROBE);
    let json = ran.json();
    let found = findings(&json, "network-policies");
    assert_eq!(found[0].0, "ok", "{json:#}");
    assert!(
        found[0].1.contains("network policies are enforced"),
        "{found:?}"
    );
    is_gone(&namespace);
}

/// Where another policy lets everybody in, closing the door makes no difference: as it makes none where policies are not
/// enforced at all.
#[test]
fn policies_without_effect_are_told() {
    let mut project = Project::new("app:\n  port: 8080\n");
    let (child, namespace) = probe(&mut project);
    let open = json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
        "metadata": {"name": "open", "namespace": namespace},
        "spec": {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{}]}});
    eventually("the namespace takes a policy", || {
        let made = kubectl_with(&["create", "-f", "-"], &open.to_string());
        made.status.success().then_some(())
    });
    let ran = Ran::of(child.wait_with_output().expect("it ends"), &PROBE).exit(13);
    let json = ran.json();
    let found = findings(&json, "network-policies");
    assert_eq!(found[0].0, "broken", "{json:#}");
    assert!(found[0].1.contains("not enforced"), "{found:?}");
    is_gone(&namespace);
}

#[test]
fn a_probe_that_is_stopped_or_fails_leaves_nothing() {
    let mut project = Project::new("app:\n  port: 8080\n");
    let (child, namespace) = probe(&mut project);
    eventually("a pod is there", || {
        let pods = kubectl(&["get", "pods", "-n", &namespace, "-o", "name"]);
        (!pods.stdout.is_empty()).then_some(())
    });
    interrupt(child.id());
    let ran = Ran::of(child.wait_with_output().expect("it ends"), &PROBE).exit(130);
    assert!(
        ran.stderr.contains("the namespace of the probe is removed"),
        "{ran:?}"
    );
    is_gone(&namespace);

    let mut args = PROBE;
    args[3] = "registry.test/nothing:1";
    let ran = project.run(&args);
    let json = ran.json();
    let found = findings(&json, "network-policies");
    assert_eq!(found[0].0, "unknown", "{json:#}");
    assert!(
        json.to_string()
            .contains("the pod server does not run: ImagePullBackOff"),
        "{json:#}"
    );
    let words = ran.stderr.split([' ', ';']);
    let namespace = words
        .into_iter()
        .find(|word| word.starts_with("k8s-ee-doctor-"));
    is_gone(namespace.expect("it says what it does"));
}

#[test]
fn an_account_without_rights_is_told_what_it_lacks() {
    let mut project = Project::new("app:\n  port: 8080\n");
    // A service account that is bound to nothing.
    let namespace = project.namespace(9);
    apply(&json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}));
    apply(
        &json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "nobody", "namespace": namespace}}),
    );
    let token = kubectl(&["create", "token", "nobody", "-n", &namespace]);
    let token = String::from_utf8_lossy(&token.stdout).trim().to_owned();
    let context = crate::harness::context();
    let config = kubectl_json(&["config", "view", "--raw", "--minify"]);
    let mut config = config;
    config["users"][0]["user"] = json!({"token": token});
    config["contexts"][0]["name"] = context.clone().into();
    config["current-context"] = context.into();
    let path = project.path().join("nobody.json");
    std::fs::write(&path, config.to_string()).expect("written");
    let ran = project.run(&["doctor", "-o", "json", "--kubeconfig", "nobody.json"]);
    kubectl(&["delete", "namespace", &namespace, "--wait=false"]);
    let ran = ran.exit(13);
    let json = ran.json();
    let rights = findings(&json, "rights");
    assert!(
        rights.iter().all(|(status, _)| status == "broken"),
        "{rights:?}"
    );
    assert!(
        json.to_string()
            .contains("create, patch, delete, watch deployments.apps"),
        "{json:#}"
    );
    // What may not be looked at is unknown, and not called broken.
    assert_eq!(findings(&json, "nodes")[0].0, "unknown", "{json:#}");
    assert_eq!(findings(&json, "storage")[0].0, "unknown", "{json:#}");
}

#[test]
fn an_environment_is_well_and_then_is_not() {
    let mut project = Project::new("app:\n  port: 8080\n");
    project.up(&["--image", TESTAPP]);
    let well = project
        .run(&["doctor", "--pr", "1", "-o", "json"])
        .exit(0)
        .json();
    assert_eq!(well["causes"], json!([]), "{well:#}");
    assert_eq!(findings(&well, "url")[0].0, "ok", "{well:#}");
    assert_eq!(findings(&well, "network-policies")[0].0, "ok", "{well:#}");

    // Without the file, the record says what it should be.
    std::fs::rename(
        project.path().join("k8s-ee.yaml"),
        project.path().join("moved.yaml"),
    )
    .expect("moved");
    let id = project.id.clone();
    let well = project
        .run(&["doctor", "--pr", "1", "--project", &id, "-o", "json"])
        .exit(0)
        .json();
    assert_eq!(findings(&well, "components")[0].0, "ok", "{well:#}");

    let namespace = project.namespace(1);
    let gone = kubectl(&[
        "delete",
        "networkpolicy",
        "allow-ingress-app",
        "-n",
        &namespace,
    ]);
    assert!(gone.status.success(), "{gone:?}");
    let stuck = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim",
        "metadata": {"name": "stuck", "namespace": namespace, "finalizers": ["example.com/keep"]},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "100Mi"}}}});
    apply(&stuck);
    let broken = eventually("the URL does not answer any more", || {
        let ran = project.run(&["doctor", "--pr", "1", "--project", &id, "-o", "json"]);
        (ran.code == 13).then(|| ran.json())
    });
    let policies = findings(&broken, "network-policies");
    assert_eq!(policies[0].0, "broken", "{broken:#}");
    assert!(
        policies[0]
            .1
            .contains("keep the ingress controller from app on port 8080"),
        "{policies:?}"
    );
    let patch = r#"{"metadata":{"finalizers":null}}"#;
    kubectl(&[
        "patch",
        "pvc",
        "stuck",
        "-n",
        &namespace,
        "--type=merge",
        "-p",
        patch,
    ]);
}
