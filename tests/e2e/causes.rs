//! What `up` itself says of environments that do not come up: at once where waiting cannot help, else when the time is
//! over. All the ways in which they break are in `corpus.rs`.

use serde_json::{Value, json};

use crate::harness::{Project, TESTAPP, kubectl};

/// Brings a broken environment up and returns its first cause.
fn cause_of(project: &mut Project, more: &[&str]) -> Value {
    let mut args = vec!["up", "--pr", "1", "-o", "json"];
    if !more.contains(&"--timeout") {
        args.extend(["--timeout", "60s"]);
    }
    if !more.contains(&"--image") {
        args.extend(["--image", TESTAPP]);
    }
    args.extend(more);
    let ran = project.run(&args);
    assert!(ran.code == 6 || ran.code == 7, "{ran:?}");
    let json = ran.json();
    let causes = json["causes"].as_array().cloned().unwrap_or_default();
    assert!(!causes.is_empty(), "no cause: {json:#}");
    causes[0].clone()
}

/// One broken environment: the file, and what must be said about it.
#[track_caller]
fn broken(file: &str, more: &[&str], code: &str, summary: &[&str], fix: &[&str]) -> Value {
    let mut project = Project::new(file);
    let cause = cause_of(&mut project, more);
    assert_eq!(cause["code"], code, "{cause:#}");
    let said = cause["summary"].as_str().unwrap_or_default().to_owned();
    for text in summary {
        assert!(said.contains(text), "`{text}` is not in: {said}");
    }
    let mended = cause["fix"].to_string();
    for text in fix {
        assert!(mended.contains(text), "`{text}` is not in: {mended}");
    }
    cause
}

/// For what shows at once but might still heal, so that it is waited for until the time is up.
const BRIEFLY: [&str; 2] = ["--timeout", "20s"];

fn with_env(env: &str) -> String {
    format!("app:\n  port: 8080\nenv:\n{env}")
}

#[test]
fn image_not_found() {
    let more = ["--image", "registry.test/nothing:1"];
    broken(
        "app:\n  port: 8080\n",
        &more,
        "image-not-found",
        &["registry.test/nothing:1"],
        &[],
    );
}

#[test]
fn out_of_memory() {
    let file = with_env("  MODE: oom\n");
    broken(&file, &[], "out-of-memory", &["384Mi"], &["768Mi"]);
}

#[test]
fn nobody_listens_on_the_port() {
    let cause = broken(
        &with_env("  MODE: wrong-port\n"),
        &BRIEFLY,
        "port-closed",
        &["8080"],
        &[],
    );
    assert!(
        cause.to_string().contains("8081"),
        "the port that it does listen on is not proposed: {cause:#}"
    );
}

#[test]
fn missing_secret() {
    let file = "app:\n  port: 8080\nenvFrom:\n  - secretRef: {name: absent}\n";
    broken(file, &[], "missing-secret", &["absent"], &[]);
}

#[test]
fn a_volume_that_is_not_provisioned() {
    let mut project = Project::new("app:\n  port: 8080\n");
    let chart = own_chart(&project, str::to_owned);
    let claim = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data", "labels": {"k8s-ee/component": "app"}},
        "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "no-such-class", "resources": {"requests": {"storage": "100Mi"}}}});
    std::fs::write(format!("{chart}/templates/claim.yaml"), claim.to_string()).expect("written");
    let deployment = format!("{chart}/templates/deployment.yaml");
    let text = std::fs::read_to_string(&deployment).expect("the chart's Deployment");
    assert!(
        text.contains("      volumes:"),
        "the chart's Deployment has no volumes"
    );
    let text = text.replace(
        "      volumes:",
        "      volumes:\n        - {name: data, persistentVolumeClaim: {claimName: data}}",
    );
    let text = text.replace(
        "          volumeMounts:",
        "          volumeMounts:\n            - {name: data, mountPath: /var/data}",
    );
    std::fs::write(&deployment, text).expect("written");
    let cause = cause_of(&mut project, &["--chart", &chart, "--timeout", "15s"]);
    assert_eq!(cause["code"], "volume-pending", "{cause:#}");
    assert!(cause.to_string().contains("no-such-class"), "{cause:#}");
}

#[test]
fn a_version_of_a_database_that_does_not_exist() {
    for (name, version) in [
        ("postgresql", "99"),
        ("mongodb", "99.0"),
        ("redis", "99.0"),
        ("minio", "RELEASE.2001-01-01T00-00-00Z"),
        ("mariadb", "99.9"),
    ] {
        let file =
            format!("app: {{port: 8080}}\ndatabases:\n  {name}:\n    version: \"{version}\"\n");
        let mut project = Project::new(&file);
        let ran = project.run(&["prepare", "--pr", "1", "--timeout", "60s", "-o", "json"]);
        let json = ran.exit(6).json();
        let causes = json["causes"].as_array().expect("a list");
        assert_eq!(causes.len(), 1, "{json:#}");
        let cause = &causes[0];
        assert_eq!(
            (&cause["code"], &cause["component"]),
            (&json!("image-not-found"), &json!(name)),
            "{json:#}"
        );
        assert!(cause["summary"].to_string().contains(version), "{cause:#}");
        let location = &cause["fix"]["location"];
        assert_eq!(location, "k8s-ee.yaml:5", "{cause:#}");
    }
}

#[test]
fn a_wrong_file_changes_nothing() {
    let mut project = Project::new("app:\n  prot: 8080\n");
    let ran = project
        .run(&["up", "--pr", "1", "--image", TESTAPP])
        .exit(3);
    ran.says(&["prot", "port", "k8s-ee.yaml:3"]);
    assert!(
        !kubectl(&["get", "namespace", &project.namespace(1)])
            .status
            .success()
    );
}

/// A copy of the chart in the project's directory, with its templates changed.
pub(crate) fn own_chart(project: &Project, change: impl Fn(&str) -> String) -> String {
    let target = project.path().join("chart");
    copy(
        &crate::harness::root().join("charts"),
        &project.path().join("charts"),
    );
    std::fs::rename(project.path().join("charts/k8s-ee-app"), &target).expect("moved");
    for folder in ["templates", "charts/common/templates"] {
        for entry in std::fs::read_dir(target.join(folder)).expect("templates") {
            let path = entry.expect("readable").path();
            if path.is_file() {
                let text = std::fs::read_to_string(&path).expect("text");
                std::fs::write(&path, change(&text)).expect("written");
            }
        }
    }
    target.display().to_string()
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).expect("made");
    for entry in std::fs::read_dir(from).expect("a directory") {
        let path = entry.expect("readable").path();
        let target = to.join(path.file_name().expect("a name"));
        // Links are followed: what was shared in the repository is a copy here.
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).expect("copied");
        }
    }
}
