//! `cargo xtask demo`: the sandbox, the real binary, `examples/hello`, and a URL that answers.

use std::{
    path::PathBuf,
    process::{Command, ExitCode, Stdio},
};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;

use crate::sandbox;

/// `cargo xtask demo …`
#[derive(Args)]
pub struct DemoArgs {
    /// Take the demo away, and the sandbox with it.
    #[arg(long)]
    down: bool,
    /// Run it on this context of the present kubeconfig in place of the sandbox.
    #[arg(long)]
    context: Option<String>,
    /// With --context: an image of `examples/hello/app` that the cluster can pull.
    #[arg(long, requires = "context")]
    image: Option<String>,
    /// With --context: domain whose hosts lead to the cluster's ingress controller.
    #[arg(long, requires = "context")]
    domain: Option<String>,
}

/// Number of the pull request that the demo plays.
const PR: &str = "1";

/// Image that the sandbox builds from `examples/hello/app`.
const IMAGE: &str = "registry.test/hello:1";

/// Domain of the demo's URL.
const DOMAIN: &str = "preview.test";

impl DemoArgs {
    /// Brings the demo up, or takes it away.
    ///
    /// # Errors
    /// The sandbox does not start, or the environment does not come up.
    pub fn run(self) -> Result<ExitCode> {
        match (&self.context, self.down) {
            (Some(context), down) => self.on_own_cluster(context, down)?,
            (None, true) => {
                down()?;
                sandbox::down()?;
                println!("the demo and the sandbox are gone");
            }
            (None, false) => drop(up()?),
        }
        Ok(ExitCode::SUCCESS)
    }

    /// The same on a cluster that is there already; its settings, its images and its DNS are its owner's.
    fn on_own_cluster(&self, context: &str, down: bool) -> Result<()> {
        let mut verb = Command::new(build()?);
        verb.args([if down { "down" } else { "up" }, "--pr", PR])
            .args([
                "--config",
                "examples/hello/k8s-ee.yaml",
                "--context",
                context,
            ]);
        if !down {
            let (Some(image), Some(domain)) = (&self.image, &self.domain) else {
                bail!("with --context, name what the cluster has: --image REF and --domain DOMAIN");
            };
            verb.args(["--image", image, "--domain", domain]);
        }
        ensure!(verb.status()?.success(), "`k8s-ee` failed");
        if !down {
            println!("take it away: cargo xtask demo --down --context {context}");
        }
        Ok(())
    }
}

/// Brings the demo up and returns its page.
///
/// # Errors
/// The sandbox does not start, the environment does not come up, or its URL does not answer.
pub fn up() -> Result<String> {
    if sandbox::is_up() {
        println!("the sandbox is up already");
    } else {
        println!("starting the sandbox: a Kubernetes cluster on this machine alone");
        sandbox::ensure_up()?;
    }
    sandbox::ensure_images()?;
    let (ingress, _) = sandbox::endpoints()?;
    let settings = tempfile::Builder::new()
        .prefix("k8s-ee-demo-")
        .suffix(".yaml")
        .tempfile()?;
    let text = format!(
        "domain: {DOMAIN}\n\
         ingress:\n  \
           tls: false\n  \
           address: {ingress}\n  \
           controller:\n    \
             namespaceLabels: {{kubernetes.io/metadata.name: traefik}}\n    \
             podLabels: {{app.kubernetes.io/name: traefik}}\n"
    );
    std::fs::write(settings.path(), text)?;

    let binary = build()?;
    let commit = Command::new("git").args(["rev-parse", "HEAD"]).output()?;
    let commit = String::from_utf8_lossy(&commit.stdout).trim().to_owned();
    println!("\n$ k8s-ee up --pr {PR} --image {IMAGE} --commit {commit}");
    let mut command = Command::new(&binary);
    command
        .args([
            "up",
            "--pr",
            PR,
            "--image",
            IMAGE,
            "--context",
            sandbox::CONTEXT,
        ])
        .args([
            "--config",
            "examples/hello/k8s-ee.yaml",
            "--commit",
            &commit,
        ])
        .arg("--platform")
        .arg(settings.path());
    let mut inside = sandbox::enter(command)?;
    inside.stdout(Stdio::piped());
    let output = inside.spawn()?.wait_with_output()?;
    ensure!(output.status.success(), "`k8s-ee up` failed");
    let url = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let host = url.trim_start_matches("http://");

    let address = ingress.split(':').next().unwrap_or_default();
    let port = ingress.split(':').nth(1).unwrap_or("80");
    let resolve = format!("{host}:{port}:{address}");
    let opened = format!("http://{host}:{port}/");
    let mut curl = Command::new("curl");
    curl.args([
        "--silent",
        "--show-error",
        "--fail",
        "--resolve",
        &resolve,
        &opened,
    ]);
    let page = sandbox::enter(curl)?.output().context("cannot run curl")?;
    if !page.status.success() {
        bail!(
            "{url} does not answer: {}",
            String::from_utf8_lossy(&page.stderr).trim()
        );
    }
    println!("\nthe environment is up:  {url}");
    println!("open it:                cargo xtask sandbox enter curl --resolve {resolve} {opened}");
    println!("look around:            cargo xtask sandbox enter kubectl get all -n hello-pr-{PR}");
    println!("take it away:           cargo xtask demo --down");
    Ok(String::from_utf8_lossy(&page.stdout).into_owned())
}

/// Takes the environment of the demo away; the sandbox stays.
///
/// # Errors
/// It does not go.
pub fn down() -> Result<()> {
    if !sandbox::is_up() {
        println!("the sandbox is down, and the demo with it");
        return Ok(());
    }
    let mut command = Command::new(build()?);
    command.args(["down", "--pr", PR, "--context", sandbox::CONTEXT]);
    command.args(["--config", "examples/hello/k8s-ee.yaml"]);
    let status = sandbox::enter(command)?.status()?;
    ensure!(status.success(), "`k8s-ee down` failed");
    Ok(())
}

/// The binary, built when it is not up to date.
fn build() -> Result<PathBuf> {
    println!("building k8s-ee (a few minutes the first time)");
    let mut cargo = Command::new("cargo");
    cargo.args([
        "build",
        "--quiet",
        "--bin",
        "k8s-ee",
        "--message-format",
        "json",
    ]);
    let output = cargo
        .stderr(Stdio::inherit())
        .output()
        .context("cannot run cargo")?;
    ensure!(output.status.success(), "`cargo build` failed");
    let messages = String::from_utf8_lossy(&output.stdout).into_owned();
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .find_map(|message| Some(PathBuf::from(message["executable"].as_str()?)))
        .context("cargo does not say where the binary is")
}
