//! `cargo xtask demo`: the sandbox, the real binary, one of the examples, and a URL that answers.

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
    /// Show `examples/demo`, which uses all five databases, in place of `examples/hello`.
    #[arg(long)]
    all: bool,
    /// Take the demo away, whichever it is, and the sandbox with it.
    #[arg(long)]
    down: bool,
    /// Run it on this context of the present kubeconfig in place of the sandbox.
    #[arg(long)]
    context: Option<String>,
    /// With --context: an image of the example that the cluster can pull.
    #[arg(long, requires = "context")]
    image: Option<String>,
    /// With --context: domain whose hosts lead to the cluster's ingress controller.
    #[arg(long, requires = "context")]
    domain: Option<String>,
}

/// An example that is shown.
#[derive(Clone, Copy)]
pub struct Show {
    /// Its `projectId`.
    project: &'static str,
    config: &'static str,
    /// Image that the sandbox builds from it.
    image: &'static str,
    /// Path that answers 2xx when all of it works, and says what does not when it answers something else.
    ready: &'static str,
    databases: bool,
}

impl Show {
    fn namespace(&self) -> String {
        format!("{}-pr-{PR}", self.project)
    }
}

/// One service.
pub const HELLO: Show = Show {
    project: "hello",
    config: "examples/hello/k8s-ee.yaml",
    image: "registry.test/hello:1",
    ready: "/health",
    databases: false,
};

/// One service with all five databases.
pub const ALL: Show = Show {
    project: "demo",
    config: "examples/demo/k8s-ee.yaml",
    image: "registry.test/demo:1",
    ready: "/ready",
    databases: true,
};

/// Number of the pull request that the demo plays.
const PR: &str = "1";

/// Branch that the demo plays.
const BRANCH: &str = "demo";

/// Domain of the demo's URL.
const DOMAIN: &str = "preview.test";

/// Platform settings that put the sandbox's database images in place of the usual ones, which it does not have.
const DATABASE_IMAGES: &str = "\
databases:
  postgresql: {image: docker.io/library/postgres:15}
  mariadb: {image: docker.io/library/mariadb:10.11}
  redis: {image: docker.io/library/redis:7.0}
  minio: {image: docker.io/minio/minio:DEVELOPMENT.2026-02-12T20-18-48Z}
  mongodb: {image: registry.test/mongodb-stand-in:1}
";

impl DemoArgs {
    /// Brings the demo up, or takes it away.
    ///
    /// # Errors
    /// The sandbox does not start, or the environment does not come up.
    pub fn run(self) -> Result<ExitCode> {
        let show = if self.all { ALL } else { HELLO };
        match (&self.context, self.down) {
            (Some(context), down) => self.on_own_cluster(&show, context, down)?,
            (None, true) => {
                if sandbox::is_up() {
                    down(&HELLO)?;
                    down(&ALL)?;
                }
                sandbox::down()?;
                println!("the demo and the sandbox are gone");
            }
            (None, false) => drop(up(&show)?),
        }
        Ok(ExitCode::SUCCESS)
    }

    /// The same on a cluster that is there already; its settings, its images and its DNS are its owner's.
    fn on_own_cluster(&self, show: &Show, context: &str, down: bool) -> Result<()> {
        let mut verb = Command::new(build()?);
        verb.args([if down { "down" } else { "up" }, "--pr", PR])
            .args(["--config", show.config, "--context", context]);
        if !down {
            let (Some(image), Some(domain)) = (&self.image, &self.domain) else {
                bail!("with --context, name what the cluster has: --image REF and --domain DOMAIN");
            };
            verb.args(["--image", image, "--domain", domain]);
        }
        ensure!(verb.status()?.success(), "`k8s-ee` failed");
        if !down {
            let all = if self.all { " --all" } else { "" };
            println!("take it away: cargo xtask demo{all} --down --context {context}");
        }
        Ok(())
    }
}

/// Brings an example up and returns its page.
///
/// # Errors
/// The sandbox does not start, the environment does not come up, or its URL does not answer.
pub fn up(show: &Show) -> Result<String> {
    if sandbox::is_up() {
        println!("the sandbox is up already");
    } else {
        println!("starting the sandbox: a Kubernetes cluster on this machine alone");
        sandbox::ensure_up()?;
    }
    if show.databases {
        println!("building the images of the databases (some minutes the first time)");
        sandbox::ensure_all_images()?;
    } else {
        sandbox::ensure_images()?;
    }
    let (ingress, _) = sandbox::endpoints()?;
    let settings = tempfile::Builder::new()
        .prefix("k8s-ee-demo-")
        .suffix(".yaml")
        .tempfile()?;
    std::fs::write(settings.path(), platform_settings(&ingress, show))?;

    let binary = build()?;
    let commit = Command::new("git").args(["rev-parse", "HEAD"]).output()?;
    let commit = String::from_utf8_lossy(&commit.stdout).trim().to_owned();
    let mut args = vec!["up", "--pr", PR, "--config", show.config];
    args.extend(["--image", show.image, "--branch", BRANCH]);
    args.extend(["--commit", &commit]);
    println!("\n$ k8s-ee {}", args.join(" "));
    let mut command = Command::new(&binary);
    command
        .args(args)
        .args(["--context", sandbox::CONTEXT])
        .arg("--platform")
        .arg(settings.path());
    let mut inside = sandbox::enter(command)?;
    inside.stdout(Stdio::piped());
    let output = inside.spawn()?.wait_with_output()?;
    ensure!(output.status.success(), "`k8s-ee up` failed");
    let url = String::from_utf8_lossy(&output.stdout).trim().to_owned();

    let visitor = Visitor::new(&url, &ingress);
    if show.databases {
        visitor.ask("POST", "/api/visit")?;
    }
    visitor.ask("GET", show.ready)?;
    let page = visitor.ask("GET", "/")?;
    println!("\nthe environment is up:  {url}");
    println!("open it:                {}", visitor.command("/"));
    if show.databases {
        let status = visitor.command("/api/status");
        println!("ask for its databases:  {status}");
    }
    println!(
        "look around:            cargo xtask sandbox enter kubectl get all -n {}",
        show.namespace()
    );
    println!("take it away:           cargo xtask demo --down");
    Ok(page)
}

/// Takes the environment of an example away, if there is one; the sandbox stays.
///
/// # Errors
/// It does not go.
pub fn down(show: &Show) -> Result<()> {
    let mut kubectl = Command::new("kubectl");
    kubectl
        .args(["get", "namespace", "--ignore-not-found", "--output=name"])
        .arg(show.namespace());
    let found = sandbox::enter(kubectl)?
        .stderr(Stdio::inherit())
        .output()
        .context("cannot run kubectl")?;
    ensure!(found.status.success(), "`kubectl get namespace` failed");
    if found.stdout.is_empty() {
        return Ok(());
    }
    let mut command = Command::new(build()?);
    command.args(["down", "--pr", PR, "--context", sandbox::CONTEXT]);
    command.args(["--config", show.config]);
    let status = sandbox::enter(command)?.status()?;
    ensure!(status.success(), "`k8s-ee down` failed");
    Ok(())
}

/// Platform settings that suit the sandbox.
pub(crate) fn platform_settings(ingress: &str, show: &Show) -> String {
    let mut text = format!(
        "domain: {DOMAIN}\n\
         ingress:\n  \
           tls: false\n  \
           address: {ingress}\n  \
           controller:\n    \
             namespaceLabels: {{kubernetes.io/metadata.name: traefik}}\n    \
             podLabels: {{app.kubernetes.io/name: traefik}}\n"
    );
    if show.databases {
        text.push_str(DATABASE_IMAGES);
    }
    text
}

/// Somebody who opens the URL, and knows where the ingress controller is.
struct Visitor {
    /// What curl needs in place of DNS.
    resolve: String,
    /// The URL with its port.
    base: String,
}

impl Visitor {
    fn new(url: &str, ingress: &str) -> Self {
        let host = url.trim_start_matches("http://");
        let (address, port) = ingress.split_once(':').unwrap_or((ingress, "80"));
        Self {
            resolve: format!("{host}:{port}:{address}"),
            base: format!("http://{host}:{port}"),
        }
    }

    /// What is answered at a path; anything but 2xx is an error that shows the answer.
    fn ask(&self, method: &str, path: &str) -> Result<String> {
        let url = format!("{}{path}", self.base);
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--fail-with-body"])
            .args(["--max-time", "10", "--request", method])
            .args(["--resolve", &self.resolve, &url]);
        let output = sandbox::enter(curl)?.output().context("cannot run curl")?;
        let answer = String::from_utf8_lossy(&output.stdout).into_owned();
        if !output.status.success() {
            let why = String::from_utf8_lossy(&output.stderr);
            bail!("{method} {url} failed: {}\n{}", why.trim(), answer.trim());
        }
        Ok(answer)
    }

    /// The same for a person to type.
    fn command(&self, path: &str) -> String {
        let Self { resolve, base } = self;
        format!("cargo xtask sandbox enter curl --resolve {resolve} {base}{path}")
    }
}

/// The binary, built when it is not up to date.
pub(crate) fn build() -> Result<PathBuf> {
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
