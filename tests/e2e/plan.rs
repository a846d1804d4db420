//! Plans, held against what the API server really does with them.

use serde_json::Value;

use crate::harness::{Project, TESTAPP, TESTAPP_2, apply, kubectl};

const FILE: &str = "app:\n  port: 8080\nenv: {COLOR: green}\n";

fn plan(project: &mut Project, image: &str, more: &[&str]) -> crate::harness::Ran {
    project.run(&[&["plan", "--pr", "1", "--image", image], more].concat())
}

#[test]
fn a_plan_says_what_up_does_and_then_nothing() {
    let mut project = Project::new(FILE);
    let first = plan(&mut project, TESTAPP, &["--exit-code", "-o", "json"])
        .exit(12)
        .json();
    assert_eq!(first["cost"]["now"]["requests.cpu"], "0", "{first:#}");
    assert_eq!(first["cost"]["then"]["requests.cpu"], "50m", "{first:#}");
    // What is not there yet cannot be tried in a namespace that is not there either.
    assert!(first["dryRun"].as_u64() >= Some(1), "{first:#}");

    project.up(&[]);
    let same = plan(&mut project, TESTAPP, &["--exit-code", "-o", "json"])
        .exit(0)
        .json();
    assert_eq!(same["changed"], false, "{same:#}");
    assert_eq!(same["cost"]["now"], same["cost"]["then"], "{same:#}");

    let next = plan(&mut project, TESTAPP_2, &["--exit-code", "-o", "json"])
        .exit(12)
        .json();
    let objects = next["waves"][0][0]["objects"].as_array().expect("a list");
    let deployment = objects
        .iter()
        .find(|o| o["object"]["kind"] == "Deployment")
        .expect("a Deployment");
    let fields = deployment["fields"].as_array().expect("a list");
    let image = fields
        .iter()
        .find(|f| f["path"].to_string().contains(".image\""))
        .expect("the image changes");
    assert_eq!(
        (&image["from"], &image["to"]),
        (&TESTAPP.into(), &TESTAPP_2.into()),
        "{fields:#?}"
    );
    assert_eq!(next["impact"][0]["kind"], "rollout", "{next:#}");
    // Nothing of it was done.
    let there = project.get("deployment/app");
    assert_eq!(
        there["spec"]["template"]["spec"]["containers"][0]["image"],
        TESTAPP
    );
}

/// What `up` leaves as it is would not change if it were applied: defaults and webhooks included.
#[test]
fn what_stays_would_not_change_if_it_were_applied() {
    let file = "services:\n  app: {port: 8080}\n  api: {port: 8080, image: \"registry.test/testapp:1\", replicas: 2, dependsOn: [app]}\n";
    let mut project = Project::new(file);
    project.up(&["--image", "app=registry.test/testapp:1"]);
    let objects = project.command(&[
        "render",
        "--pr",
        "1",
        "--image",
        "app=registry.test/testapp:1",
    ]);
    // `render` takes no context.
    let mut render = std::process::Command::new(objects.get_program());
    render.current_dir(project.path()).args([
        "render",
        "--pr",
        "1",
        "--image",
        "app=registry.test/testapp:1",
        "--platform",
        "platform.yaml",
    ]);
    let rendered = render.output().expect("the binary starts");
    assert!(rendered.status.success(), "{rendered:?}");
    let path = project.path().join("objects.yaml");
    // Priority classes are the platform's: `up` leaves those that are there as they are.
    let rendered = String::from_utf8_lossy(&rendered.stdout).into_owned();
    let documents = rendered.split("\n---\n");
    let ours: Vec<&str> = documents
        .filter(|document| !document.contains("kind: PriorityClass"))
        .collect();
    std::fs::write(&path, ours.join("\n---\n")).expect("written");
    let diff = kubectl(&[
        "diff",
        "--server-side",
        "--force-conflicts",
        "--field-manager=k8s-ee",
        "-f",
        &path.display().to_string(),
    ]);
    let text = String::from_utf8_lossy(&diff.stdout).into_owned();
    // Times of the namespace differ, and what needs the address of the API server; nothing else does.
    let changed: Vec<&str> = text
        .lines()
        .filter(|line| {
            line.starts_with(['+', '-']) && !line.starts_with("+++") && !line.starts_with("---")
        })
        .filter(|line| {
            ![
                "k8s-ee/created-at",
                "k8s-ee/last-updated",
                "k8s-ee/state",
                "generation:",
            ]
            .iter()
            .any(|known| line.contains(known))
        })
        .filter(|line| !line.contains("cidr") && !line.contains("except") && !line.contains("/32"))
        .collect();
    assert!(changed.is_empty(), "{text}");
}

#[test]
fn what_the_api_server_would_refuse_is_known_before() {
    let mut project = Project::new(FILE);
    project.up(&[]);
    let namespace = project.namespace(1);
    // A rule of the platform: no object of this namespace may have this variable.
    let rule = serde_json::json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": namespace},
        "spec": {"matchConstraints": {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
            "resourceRules": [{"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["deployments"]}]},
            "validations": [{"expression": "!object.spec.template.spec.containers.exists(c, c.image.endsWith(':2'))", "message": "version 2 is not allowed here"}]}});
    let binding = serde_json::json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": namespace}, "spec": {"policyName": namespace, "validationActions": ["Deny"]}});
    apply(&rule);
    apply(&binding);
    // The API server takes a moment to know the rule.
    let refused = crate::harness::eventually("the rule is enforced", || {
        let ran = plan(&mut project, TESTAPP_2, &["-o", "json"]);
        (ran.code == 6).then_some(ran)
    });
    for kind in [
        "validatingadmissionpolicybinding",
        "validatingadmissionpolicy",
    ] {
        kubectl(&["delete", kind, &namespace]);
    }
    let json: Value = refused.json();
    assert_eq!(json["causes"][0]["code"], "admission-refused", "{json:#}");
    assert!(
        json["causes"][0]
            .to_string()
            .contains("version 2 is not allowed here"),
        "{json:#}"
    );
    refused.says(&[&format!("`up` of {namespace} would fail")]);
}
