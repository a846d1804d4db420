//! The platform's settings, put into a cluster for tests whose programs read them from there.

use std::{
    io::Write as _,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use serde_json::json;

const NAMESPACE: &str = "k8s-ee-system";
const NAME: &str = "k8s-ee-platform";

/// What the settings are, with the address of the ingress controller.
const SETTINGS: &str = include_str!("../../tests/actions/settings.yaml");

/// Puts the settings into the cluster. `enter` makes a command one that reaches it, with the kubeconfig set.
///
/// # Errors
/// The cluster refuses, or somebody else's settings are there.
pub fn apply(enter: &dyn Fn(Command) -> Result<Command>, ingress: &str) -> Result<()> {
    let settings = SETTINGS.replace("{ingress}", ingress);
    let list = json!({
        "apiVersion": "v1",
        "kind": "List",
        "items": [
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": NAME, "namespace": NAMESPACE},
                "data": {"settings.yaml": settings},
            },
        ],
    });
    let mut kubectl = Command::new("kubectl");
    // Without force: a conflict means that they are somebody else's.
    kubectl.args([
        "apply",
        "--server-side",
        "--field-manager=k8s-ee-tests",
        "--filename=-",
    ]);
    let mut child = enter(kubectl)?
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .context("cannot run kubectl")?;
    let mut stdin = child.stdin.take().context("kubectl reads nothing")?;
    stdin.write_all(list.to_string().as_bytes())?;
    drop(stdin);
    ensure!(
        child.wait()?.success(),
        "the cluster does not take the settings"
    );
    Ok(())
}

/// Takes the settings away.
///
/// # Errors
/// The cluster refuses.
pub fn remove(enter: &dyn Fn(Command) -> Result<Command>) -> Result<()> {
    let mut kubectl = Command::new("kubectl");
    kubectl.args([
        "delete",
        "configmap",
        NAME,
        "--namespace",
        NAMESPACE,
        "--ignore-not-found",
    ]);
    ensure!(
        enter(kubectl)?.stdout(Stdio::null()).status()?.success(),
        "the settings do not go away"
    );
    Ok(())
}
