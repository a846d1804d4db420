//! The chart from a registry and from a directory gives the same objects as the built-in one.

use std::{path::Path, process::Command};

use serde_json::{Value, json};

use crate::{
    five::IMAGES,
    harness::{
        DOMAIN, Project, TESTAPP, apply, context, eventually, http, kubectl, kubectl_json, root,
    },
};

#[test]
fn the_chart_from_the_registry_is_the_built_in_one() {
    let registry = std::env::var("K8S_EE_E2E_REGISTRY")
        .expect("K8S_EE_E2E_REGISTRY names the registry that the tests may push to");
    let mut project = Project::new(
        "services:\n  app:\n    port: 8080\n    metrics: {enabled: true}\n  api: {}\n",
    );
    let built_in = project.render(&[]);
    let chart = root().join("charts/k8s-ee-app");
    assert_eq!(
        project.render(&["--chart", &chart.display().to_string()]),
        built_in
    );

    let version = env!("CARGO_PKG_VERSION");
    let package = project.path().join(format!("k8s-ee-app-{version}.tgz"));
    std::fs::write(&package, k8s_ee::render::chart::package()).expect("written");
    let digest = push(&package, &format!("oci://{registry}/charts"));
    let reference = format!("oci://{registry}/charts/k8s-ee-app");
    assert_eq!(project.render(&["--chart", &reference]), built_in);
    assert_eq!(
        project.render(&["--chart", &format!("{reference}:{version}")]),
        built_in
    );
    assert_eq!(
        project.render(&["--chart", &format!("{reference}@{digest}")]),
        built_in
    );

    // Another chart that calls itself the same.
    let folder = project.path().join("another/k8s-ee-app");
    copy(&chart, &folder);
    std::fs::write(folder.join("templates/more.yaml"), "# A comment.\n").expect("written");
    let to = project.path().display().to_string();
    helm(&[
        "package",
        &folder.display().to_string(),
        "--destination",
        &to,
    ]);
    let elsewhere = format!("oci://{registry}/{}", project.id);
    let digest = push(&package, &elsewhere);
    let other = format!("{elsewhere}/k8s-ee-app");
    let refused = project.run_offline(&["render", "--pr", "1", "--chart", &other]);
    refused.exit(10).says(&[
        &format!("the chart {other}:{version} is not the one of this version"),
        "hint: leave --chart out",
    ]);
    // Whoever means it says so.
    assert_eq!(
        project.render(&["--chart", &format!("{other}@{digest}")]),
        built_in
    );
    let missing = project.run_offline(&[
        "render",
        "--pr",
        "1",
        "--chart",
        &format!("{reference}:99.0.0"),
    ]);
    missing
        .exit(10)
        .says(&["helm could not render the chart", "hint:"]);
}

#[test]
fn the_chart_works_with_plain_helm() {
    for program in ["helm", "helm3"] {
        let project = Project::new("app: {}\n");
        let namespace = format!("{}-{program}", project.id);
        let host = format!("{namespace}.{DOMAIN}");
        apply(
            &json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace,
            "labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}),
        );
        let values = json!({
            "environment": {"projectId": project.id},
            "ingress": {"tls": {"enabled": false}},
            "services": {"app": {"image": TESTAPP, "port": 8080, "ingress": {"enabled": true, "host": host}}},
        });
        let file = project.path().join("values.json");
        std::fs::write(&file, values.to_string()).expect("written");
        let (chart, file) = (root().join("charts/k8s-ee-app"), file.display().to_string());
        let installed = Command::new(program)
            .args([
                "install",
                "app",
                &chart.display().to_string(),
                "--namespace",
                &namespace,
            ])
            .args([
                "--values",
                &file,
                "--wait",
                "--timeout",
                "120s",
                "--kube-context",
                &context(),
            ])
            .output()
            .expect("helm starts");
        let said = String::from_utf8_lossy(&installed.stderr);
        assert!(installed.status.success(), "{program}: {said}");
        eventually("the URL answers", || {
            (http(&host, "/health").ok()?.0 == 200).then_some(())
        });
        kubectl(&["delete", "namespace", &namespace, "--wait=false"]);
    }
}

/// One database after the other would be waited for anyway by those who use it; here nothing of ours is there to do that.
#[test]
fn pods_of_plain_helm_wait_for_all_five_databases() {
    let project = Project::new("app: {}\n");
    let namespace = format!("{}-wait", project.id);
    let host = format!("{namespace}.{DOMAIN}");
    apply(
        &json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace,
        "labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}),
    );
    let mut values = json!({
        "environment": {"projectId": project.id},
        "ingress": {"tls": {"enabled": false}},
        "wait": {"enabled": true, "image": "registry.test/k8s-ee:dev"},
        "services": {"app": {
            "image": "registry.test/demo:1", "port": 8080, "ingress": {"enabled": true, "host": host},
            "databases": ["postgresql", "mongodb", "redis", "minio", "mariadb"],
        }},
    });
    let images: Value = serde_saphyr::from_str(IMAGES).expect("the images are YAML");
    for (name, database) in images["databases"].as_object().expect("a map") {
        let auth = json!({"password": "only-for-tests"});
        values[name] = json!({"enabled": true, "image": database["image"], "auth": auth});
    }
    let file = project.path().join("values.json");
    std::fs::write(&file, values.to_string()).expect("written");
    helm(&[
        "install",
        "app",
        &root().join("charts/k8s-ee-app").display().to_string(),
        "--namespace",
        &namespace,
        "--values",
        &file.display().to_string(),
        "--wait",
        "--timeout",
        "300s",
        "--kube-context",
        &context(),
    ]);
    eventually("the URL answers", || {
        (http(&host, "/health").ok()?.0 == 200).then_some(())
    });
    let (status, answer) = http(&host, "/ready").expect("an answer");
    assert_eq!((status, answer.as_str()), (200, "ready\n"));

    // The container before the application has seen them all, and did not have to be started again for it.
    let pods = kubectl_json(&[
        "get",
        "pods",
        "-n",
        &namespace,
        "-l",
        "k8s-ee/component=app",
    ]);
    let waited = &pods["items"][0]["status"]["initContainerStatuses"][0];
    assert_eq!(waited["state"]["terminated"]["exitCode"], 0, "{waited:#}");
    let pod = pods["items"][0]["metadata"]["name"]
        .as_str()
        .expect("a name");
    let log = kubectl(&["logs", "-n", &namespace, pod, "-c", "app-wait"]);
    let log = String::from_utf8_lossy(&log.stdout).into_owned();
    for name in ["postgresql", "mongodb", "redis", "minio", "mariadb"] {
        assert!(log.contains(name), "{name} was not waited for: {log}");
    }
    kubectl(&["delete", "namespace", &namespace, "--wait=false"]);
}

/// Pushes a package to the tests' registry; returns its digest there.
fn push(package: &Path, to: &str) -> String {
    let said = helm(&["push", &package.display().to_string(), to, "--plain-http"]);
    let digest = said
        .split_whitespace()
        .find(|word| word.starts_with("sha256:"));
    digest
        .unwrap_or_else(|| panic!("helm push says no digest: {said}"))
        .to_owned()
}

/// Copies a chart, with what its links lead to.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("made");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let (name, place) = {
            let entry = entry.expect("readable");
            (entry.file_name(), entry.path())
        };
        if std::fs::metadata(&place)
            .expect("it leads somewhere")
            .is_dir()
        {
            copy(&place, &to.join(name));
        } else {
            std::fs::copy(&place, to.join(name)).expect("copied");
        }
    }
}

fn helm(args: &[&str]) -> String {
    let output = Command::new("helm")
        .args(args)
        .output()
        .expect("helm starts");
    let text = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "helm {args:?}: {text}");
    text
}

impl Project {
    fn render(&mut self, more: &[&str]) -> String {
        let ran = self
            .run_offline(&[&["render", "--pr", "1"], more].concat())
            .ok();
        // The times of the namespace are those of the run.
        let stable = |line: &&str| {
            !line.contains("k8s-ee/created-at") && !line.contains("k8s-ee/last-updated")
        };
        ran.stdout
            .lines()
            .filter(stable)
            .collect::<Vec<_>>()
            .join("\n")
    }
}
