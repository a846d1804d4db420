//! The doctor, on the sandbox and on environments in it.

use serde_json::{Value, json};

use crate::harness::{Project, TESTAPP, apply, eventually, kubectl, kubectl_json};

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

#[test]
fn policies_are_tried_and_the_namespace_is_gone_afterwards() {
    let mut project = Project::new("app:\n  port: 8080\n");
    let ran = project.run(&[
        "doctor",
        "--probe",
        "--probe-image",
        "busybox:1.35",
        "-o",
        "json",
    ]);
    let json = ran.json();
    let found = findings(&json, "network-policies");
    assert_eq!(found[0].0, "ok", "{json:#}");
    assert!(found[0].1.contains("until a policy closed it"), "{found:?}");
    eventually("the namespaces of the probe are gone", || {
        let all = kubectl_json(&["get", "namespaces"]);
        (!all.to_string().contains("\"k8s-ee-doctor-")).then_some(())
    });
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
