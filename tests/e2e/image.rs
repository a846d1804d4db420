//! The project's own image: the binary and helm without a shell, as nobody, on a root that cannot be written to.

use std::process::Command;

use serde_json::{Value, json};

use crate::harness::{TESTAPP, apply, context, eventually, kubectl, kubectl_json, random_id, root};

/// As the sandbox builds it from what the Dockerfile says.
pub(crate) const IMAGE: &str = "registry.test/k8s-ee:dev";

/// A namespace of its own, which goes with it.
struct Place(String);

impl Place {
    fn new() -> Self {
        let name = random_id();
        apply(
            &json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name,
            "labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}),
        );
        Self(name)
    }

    /// Runs the image to its end with these arguments, beside a `k8s-ee.yaml`; gives what it printed.
    fn run(&self, args: &[&str]) -> String {
        let meta = |name: &str| json!({"name": name, "namespace": self.0});
        apply(
            &json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta("file"),
            "data": {"k8s-ee.yaml": "projectId: shop\nservices:\n  app: {port: 8080}\ndatabases: {redis: true}\n"}}),
        );
        apply(&json!({
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": meta("run"),
            "spec": {
                "restartPolicy": "Never",
                "automountServiceAccountToken": false,
                "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
                "containers": [{
                    "name": "k8s-ee",
                    "image": IMAGE,
                    "args": args,
                    "workingDir": "/work",
                    "securityContext": {
                        "allowPrivilegeEscalation": false,
                        "readOnlyRootFilesystem": true,
                        "capabilities": {"drop": ["ALL"]},
                    },
                    "volumeMounts": [
                        {"name": "file", "mountPath": "/work"},
                        {"name": "tmp", "mountPath": "/tmp"},
                    ],
                }],
                "volumes": [
                    {"name": "file", "configMap": {"name": "file"}},
                    {"name": "tmp", "emptyDir": {}},
                ],
            },
        }));
        let phase = eventually("the pod ends", || {
            let pod = kubectl_json(&["get", "-n", &self.0, "pod/run"]);
            let phase = pod["status"]["phase"].as_str()?.to_owned();
            ["Succeeded", "Failed"]
                .contains(&phase.as_str())
                .then_some(phase)
        });
        let logs = kubectl(&["logs", "-n", &self.0, "run"]);
        let said = String::from_utf8_lossy(&logs.stdout).into_owned();
        assert_eq!(phase, "Succeeded", "{said}");
        said
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        kubectl(&["delete", "namespace", &self.0, "--wait=false"]);
    }
}

#[test]
fn it_renders_with_the_helm_that_is_in_it() {
    let place = Place::new();
    let said = place.run(&["render", "--pr", "1", "--image", TESTAPP]);
    for line in [
        "kind: Deployment",
        "kind: StatefulSet",
        "kind: ResourceQuota",
    ] {
        assert!(said.lines().any(|one| one == line), "no {line} in {said}");
    }
}

#[test]
fn services_of_plain_helm_wait_with_it_for_their_databases() {
    let place = Place::new();
    let values: Value = json!({
        "environment": {"projectId": "shop"},
        "redis": {"enabled": true, "version": "7.0", "auth": {"password": "secret-of-the-test"}},
        "wait": {"enabled": true, "image": IMAGE},
        "services": {"app": {"image": TESTAPP, "port": 8080, "databases": ["redis"]}},
    });
    let folder = tempfile::TempDir::new().expect("a temporary directory");
    let file = folder.path().join("values.json");
    std::fs::write(&file, values.to_string()).expect("written");
    let installed = Command::new("helm")
        .arg("install")
        .arg("app")
        .arg(root().join("charts/k8s-ee-app"))
        .args(["--namespace", &place.0, "--kube-context", &context()])
        .args(["--wait", "--timeout", "300s", "--values"])
        .arg(&file)
        .output()
        .expect("helm starts");
    let said = String::from_utf8_lossy(&installed.stderr);
    assert!(installed.status.success(), "{said}");
    let pods = kubectl_json(&["get", "-n", &place.0, "pods", "-l", "k8s-ee/component=app"]);
    let waited = &pods["items"][0]["status"]["initContainerStatuses"][0];
    assert_eq!(waited["state"]["terminated"]["exitCode"], 0, "{waited}");
    assert_eq!(waited["image"], IMAGE, "{waited}");
}
