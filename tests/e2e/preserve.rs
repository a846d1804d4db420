//! Environments that are preserved.

use serde_json::Value;

use crate::harness::{Project, kubectl, kubectl_json};

const FILE: &str = "app: {port: 8080}\n";

fn annotations(project: &Project) -> (Value, Value) {
    let namespace = kubectl_json(&["get", "namespace", &project.namespace(1)]);
    let metadata = &namespace["metadata"];
    (metadata["labels"].clone(), metadata["annotations"].clone())
}

#[test]
fn it_is_kept_for_a_while_through_new_versions_and_let_go_again() {
    let mut project = Project::new(FILE);
    project.up(&[]).ok();
    let ran = project.run(&["preserve", "--pr", "1", "--for", "90m"]).ok();
    let until = ran.stdout.trim().to_owned();
    let ends: jiff::Timestamp = until.parse().expect("stdout is the time");
    let left = ends.duration_since(jiff::Timestamp::now()).as_secs();
    assert!((5100..=5400).contains(&left), "{left}");
    let by = annotations(&project).1["k8s-ee/preserved-by"].clone();
    let by = by.as_str().filter(|by| !by.is_empty() && *by != "unknown");
    ran.says(&[
        "is preserved until",
        &format!("by {}", by.expect("the cluster knows who asks")),
    ]);

    // Neither a new version nor an unchanged one takes it away.
    let commit = "0123456789abcdef0123456789abcdef01234567";
    project.up(&["--commit", commit]).ok();
    let (labels, notes) = annotations(&project);
    assert_eq!(labels["preserve"], "true");
    assert_eq!(labels["k8s-ee/commit-sha"], commit);
    assert_eq!(notes["k8s-ee/preserve-until"], until);
    assert_eq!(notes["k8s-ee/preserve-warning-sent"], "false");
    let status = project.run(&["status", "--pr", "1"]).ok();
    assert!(
        status.stdout.contains("preserved until"),
        "{}",
        status.stdout
    );
    let status = project
        .run(&["status", "--pr", "1", "-o", "json"])
        .ok()
        .json();
    assert_eq!(
        (&status["preserved"], &status["preserveUntil"]),
        (&true.into(), &until.as_str().into())
    );
    let id = project.id.clone();
    let list = project.run(&["list", "--project", &id]).ok();
    assert!(
        list.stdout.contains("running, preserved"),
        "{}",
        list.stdout
    );

    // Asked for again, it counts from then; and what was announced is forgotten.
    let name = project.namespace(1);
    let warned = kubectl(&[
        "annotate",
        "--overwrite",
        "namespace",
        &name,
        "k8s-ee/preserve-warning-sent=true",
    ]);
    assert!(warned.status.success());
    let again = project.run(&["preserve", "--pr", "1"]).ok();
    assert!(
        again.stdout.trim() > until.as_str(),
        "{} after {until}",
        again.stdout
    );
    assert_eq!(
        annotations(&project).1["k8s-ee/preserve-warning-sent"],
        "false"
    );

    project
        .run(&["preserve", "--pr", "1", "--off"])
        .ok()
        .says(&["is not preserved"]);
    let (labels, notes) = annotations(&project);
    assert_eq!(labels["preserve"], Value::Null);
    assert_eq!(notes["k8s-ee/preserve-until"], Value::Null);
    assert_eq!(notes["k8s-ee/preserved-by"], Value::Null);
}
