//! Every key, seen from inside the running pod.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::harness::{Project, apply, encode, http};

/// Values that break naive templates and shells.
fn nasty() -> BTreeMap<&'static str, String> {
    BTreeMap::from([
        ("QUOTES", r#"a "double" and 'single' and `back`"#.to_owned()),
        ("NEWLINES", "first\nsecond\n\n  indented\n".to_owned()),
        ("DOLLAR", "$HOME ${PATH} $(PORT) $$(PORT) $$".to_owned()),
        (
            "BRACES",
            "{{ .Values.x }} {% raw %} ${{ github.token }}".to_owned(),
        ),
        ("UNICODE", "grüße 你好 🚀 \u{200b}".to_owned()),
        ("YAML", "- a: &b [1, 2]\n#no comment: *b".to_owned()),
        ("BACKSLASH", r"C:\new\table \u0041".to_owned()),
        ("BLANKS", "  both ends  ".to_owned()),
        ("EMPTY", String::new()),
        ("NUMBER", "007".to_owned()),
        ("TAB", "a\tb".to_owned()),
        (
            "LINE_ENDS",
            "a\u{85}b\u{2028}c\u{2029}d\r\ne\u{feff}".to_owned(),
        ),
        ("CONTROL", "\u{1}\u{1b}[0m\u{7f}\u{9f}".to_owned()),
    ])
}

#[test]
fn what_the_file_says_is_what_the_container_sees() {
    let env = nasty();
    let file = json!({
        "services": {
            "app": {
                "port": 8080,
                "healthPath": "/health",
                "livenessPath": "/status/204",
                "readinessPath": "/status/200",
                "command": ["/testapp"],
                "args": ["--first", "second one", "$(PORT)"],
                "resources": {"requests": {"cpu": "60m", "memory": "64Mi"}, "limits": {"cpu": "300m", "memory": "96Mi"}},
                "env": env,
                "envFrom": [{"configMapRef": {"name": "shared"}}, {"secretRef": {"name": "keys"}}],
                "writableDirs": ["/data", "/var/cache/app"],
                "replicas": 2,
                "disruptionBudget": {"minAvailable": 1},
                "ingress": {"annotations": {"example.com/note": "kept"}},
            },
            "admin": {"port": 8080, "image": "registry.test/testapp:2", "public": true, "dependsOn": ["app"]},
            "hidden": {"port": 8080, "image": "registry.test/testapp:1"},
        }
    });
    let mut yaml = String::new();
    let services = k8s_ee::render::yaml::as_json(&file["services"]);
    yaml.push_str(&format!("services: {services}\n"));
    let mut project = Project::new(&yaml);
    let namespace = project.namespace(1);
    // The namespace exists beforehand, with what `envFrom` names.
    apply(
        &json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": {
        "app.kubernetes.io/managed-by": "github-actions", "k8s-ee/type": "ephemeral", "k8s-ee/project-id": project.id, "k8s-ee/pr-number": "1"}}}),
    );
    apply(
        &json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "shared", "namespace": namespace},
        "data": {"FROM_CONFIG_MAP": "yes", "NUMBER": "of the ConfigMap"}}),
    );
    apply(
        &json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys", "namespace": namespace},
        "stringData": {"FROM_SECRET": "s3cret"}}),
    );
    project
        .run(&[
            "up",
            "--pr",
            "1",
            "--image",
            "app=registry.test/testapp:1",
            "--commit",
            "0123456789abcdef0123456789abcdef01234567",
            "--branch",
            "feature/ü",
        ])
        .ok();

    let seen = project.page_json("/env");
    for (key, value) in &env {
        assert_eq!(seen[*key], Value::from(value.clone()), "{key}");
    }
    assert_eq!(seen["FROM_CONFIG_MAP"], "yes");
    assert_eq!(seen["FROM_SECRET"], "s3cret");
    assert_eq!(seen["PORT"], "8080");
    assert_eq!(seen["PR_NUMBER"], "1");
    assert_eq!(
        seen["COMMIT_SHA"],
        "0123456789abcdef0123456789abcdef01234567"
    );
    assert_eq!(seen["APP_VERSION"], "1");
    assert_eq!(seen["PREVIEW_URL"], format!("http://{}", project.host(1)));
    assert_eq!(
        project.page_json("/args"),
        json!(["--first", "second one", "8080"])
    );
    let id = project.page_json("/uid").to_string();
    assert!(id.contains("1001"), "{id}");
    for (path, writable) in [
        ("/data/x", true),
        ("/var/cache/app/x", true),
        ("/tmp/x", true),
        ("/etc/x", false),
        ("/x", false),
    ] {
        let wrote = project.page_json(&format!("/write?path={}", encode(path)));
        assert_eq!(wrote["ok"], writable, "{path}: {wrote}");
    }
    let deployment = project.get("deployment/app");
    let pod = &deployment["spec"]["template"]["spec"];
    let container = &pod["containers"][0];
    assert_eq!(
        container["resources"]["limits"],
        json!({"cpu": "300m", "memory": "96Mi"})
    );
    assert_eq!(container["livenessProbe"]["httpGet"]["path"], "/status/204");
    assert_eq!(
        container["readinessProbe"]["httpGet"]["path"],
        "/status/200"
    );
    assert_eq!(deployment["status"]["readyReplicas"], 2);
    assert_eq!(project.get("pdb/app")["spec"]["minAvailable"], 1);
    assert_eq!(
        project.get("ingress/app")["metadata"]["annotations"]["example.com/note"],
        "kept"
    );
    // A second public service has a host of its own; one that is not public has none.
    let admin = format!("{namespace}-admin.preview.test");
    assert_eq!(http(&admin, "/health").expect("an answer").0, 200);
    assert_eq!(
        http(&format!("{namespace}-hidden.preview.test"), "/health")
            .expect("an answer")
            .0,
        404
    );
}
