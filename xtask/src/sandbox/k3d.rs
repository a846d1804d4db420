//! The sandbox where a Docker engine answers: k3d does what `cluster.rs` does elsewhere, from `sandbox/k3d.yaml`.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    process::{Command, Stdio},
};

use anyhow::{Context, Result};

use super::{
    images::{self, Built},
    paths, process,
    run::{self, Kind, Run},
    settings::{INGRESS_IP, NODE, fill},
};

/// Where the registry of `sandbox/k3d.yaml` listens on this machine.
pub(super) const REGISTRY: &str = "127.0.0.1:5000";

/// With a Docker engine, Traefik is its own image: the version of `sandbox/parts.toml`, nothing left out.
const TRAEFIK: &str = "docker.io/library/traefik:v3.7.13";

/// Is there a Docker engine that answers, and k3d?
pub(super) fn is_available() -> bool {
    succeeds(Command::new("docker").arg("info")) && succeeds(Command::new("k3d").arg("version"))
}

/// Starts a cluster where none is.
///
/// # Errors
/// k3d or `kubectl` fail.
pub(super) fn up(images: &[Built]) -> Result<()> {
    let run = Run {
        cluster: Kind::K3d,
        ready: false,
    };
    run.save()?;
    let config = paths::sources().join("k3d.yaml");
    let mut create = Command::new("k3d");
    create.args(["cluster", "create", "--config"]).arg(config);
    process::output(&mut create)?;

    let kubeconfig = run::kubeconfig();
    let text = process::output(Command::new("k3d").args(["kubeconfig", "get", NODE]))?;
    fs::write(&kubeconfig, text)
        .and_then(|()| fs::set_permissions(&kubeconfig, fs::Permissions::from_mode(0o600)))
        .with_context(|| format!("cannot write {}", kubeconfig.display()))?;
    let context = format!("k3d-{NODE}");
    process::output(kubectl().args(["config", "rename-context", &context, NODE]))?;

    push(images)?;
    process::output(
        kubectl()
            .args(["apply", "--server-side", "--filename"])
            .arg(paths::sources().join("manifests/priorities.yaml")),
    )?;
    let traefik = fs::read_to_string(paths::sources().join("manifests/traefik.yaml"))?;
    let manifest = paths::state().join("traefik.yaml");
    fs::write(
        &manifest,
        fill(
            &traefik,
            &[("ingress_ip", INGRESS_IP), ("traefik", TRAEFIK)],
        ),
    )?;
    process::output(
        kubectl()
            .args(["apply", "--server-side", "--filename"])
            .arg(&manifest),
    )?;
    let rollout = [
        "--namespace",
        "traefik",
        "rollout",
        "status",
        "deployment/traefik",
        "--timeout=180s",
    ];
    process::output(kubectl().args(rollout))?;
    Run { ready: true, ..run }.save()
}

/// Deletes the cluster with its registry.
///
/// # Errors
/// k3d fails.
pub(super) fn down() -> Result<()> {
    process::output(Command::new("k3d").args(["cluster", "delete", NODE]))?;
    run::remove(&run::kubeconfig())?;
    run::remove(&paths::state().join("traefik.yaml"))?;
    run::remove(&pushed())?;
    Run::forget()
}

/// Puts images into the cluster's registry.
///
/// # Errors
/// The registry does not take one.
pub(super) fn push(images: &[Built]) -> Result<usize> {
    images::push(images, &pushed(), REGISTRY, |command| command)
}

fn pushed() -> std::path::PathBuf {
    paths::state().join("pushed.json")
}

fn kubectl() -> Command {
    let mut command = Command::new(paths::bin_dir().join("kubectl"));
    command.arg("--kubeconfig").arg(run::kubeconfig());
    command
}

fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
