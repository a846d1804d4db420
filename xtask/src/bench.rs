//! `cargo xtask bench`: the real binary on the sandbox beside the ways that it replaces, and beside the floor, in one run.
//!
//! Each scenario is a function that takes the [`Bench`] and gives tables; `SCENARIOS` lists them. It runs itself once more
//! inside the cluster's network, where the API server and the ingress controller are reached as by any other client.

mod fleet;
mod http;
mod life;
mod machine;
mod process;
mod report;
mod stats;
mod subject;
mod trial;

use std::{
    env, fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, ExitCode, Stdio},
};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;

use crate::sandbox;
use http::Api;
use report::{Chapter, Table};

/// `cargo xtask bench …`
#[derive(Args)]
pub struct BenchArgs {
    /// Measure everything twice only: to see that it works.
    #[arg(long)]
    quick: bool,
    /// How often everything is measured.
    #[arg(long, default_value_t = 5, conflicts_with = "quick")]
    rounds: u32,
    /// Only this scenario.
    #[arg(long)]
    scenario: Option<String>,
    /// Where the report goes.
    #[arg(long, default_value = "docs/bench/report.md")]
    report: PathBuf,
    /// Set when it runs inside the cluster's network: `host:port` of the ingress controller.
    #[arg(long, hide = true)]
    inside: Option<String>,
}

/// Something that is measured.
struct Scenario {
    name: &'static str,
    title: &'static str,
    about: &'static str,
    run: fn(&Bench) -> Result<Vec<Table>>,
}

const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "life",
        title: "The life of an environment",
        about: "First deploy, the same again, the next version while it is asked every few milliseconds, and the end. Images \
                are on the node already.",
        run: life::run,
    },
    Scenario {
        name: "fleet",
        title: "A thousand environments",
        about: "On a control plane of its own, whose nodes and pods are played by kwok: nothing but the API. Memory is the most \
                that was held at once, by `k8s-ee` or by the helm that it runs; calls are counted by the API server, what it \
                answers as it comes over the wire.",
        run: fleet::run,
    },
];

/// What every scenario needs.
struct Bench {
    /// The binary as it is handed out.
    binary: PathBuf,
    /// The application's chart.
    chart: PathBuf,
    context: &'static str,
    /// `host:port` of the ingress controller.
    ingress: String,
    /// Domain of the environments' hosts.
    domain: &'static str,
    api: Api,
    rounds: u32,
}

impl Bench {
    /// Says what is going on.
    fn say(&self, text: &str) {
        eprintln!("{text}");
    }
}

impl BenchArgs {
    /// Measures, and writes the report.
    ///
    /// # Errors
    /// The sandbox does not start, or a side does not do what it is measured at.
    pub fn run(self) -> Result<ExitCode> {
        match &self.inside {
            Some(ingress) => self.measure(ingress.clone()),
            None => self.enter(),
        }
    }

    /// Makes everything ready and runs this program once more inside.
    fn enter(&self) -> Result<ExitCode> {
        if let Some(name) = &self.scenario {
            let names: Vec<&str> = SCENARIOS.iter().map(|one| one.name).collect();
            ensure!(
                names.contains(&name.as_str()),
                "there is no scenario {name}; there is {}",
                names.join(", ")
            );
        }
        println!("building the binary as it is handed out (some minutes the first time)");
        let built = Command::new("cargo")
            .args(["build", "--quiet", "--release", "--bin", "k8s-ee"])
            .status()?;
        ensure!(built.success(), "`cargo build` failed");
        sandbox::ensure_tools(&["helm", "kubectl"])?;
        sandbox::ensure_up()?;
        sandbox::ensure_all_images()?;
        let (ingress, _) = sandbox::endpoints()?;
        let mut again = Command::new(env::current_exe()?);
        again
            .args(env::args_os().skip(1))
            .args(["--inside", &ingress]);
        let status = sandbox::enter(again)?.status()?;
        ensure!(status.success(), "the measurement ended with {status}");
        Ok(ExitCode::SUCCESS)
    }

    fn measure(&self, ingress: String) -> Result<ExitCode> {
        let (mut proxy, address) = proxy()?;
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .context("xtask lies in the repository")?;
        let bench = Bench {
            binary: root.join("target/release/k8s-ee"),
            chart: root.join("charts/k8s-ee-app"),
            context: sandbox::CONTEXT,
            ingress,
            domain: "preview.test",
            api: Api::new(address),
            rounds: if self.quick { 2 } else { self.rounds },
        };
        let wanted = SCENARIOS
            .iter()
            .filter(|one| self.scenario.as_deref().is_none_or(|name| name == one.name));
        let measured: Result<Vec<Chapter>> = wanted
            .map(|one| {
                let before = machine::load();
                let tables = (one.run)(&bench)?;
                for table in &tables {
                    println!("{}", table.markdown());
                }
                Ok(Chapter {
                    title: one.title,
                    about: one.about,
                    load: (before, machine::load()),
                    tables,
                })
            })
            .collect();
        proxy.kill().and_then(|()| proxy.wait())?;
        let text = report::write(&machine::describe(&bench.binary), bench.rounds, &measured?);
        fs::write(&self.report, text)
            .with_context(|| format!("cannot write {}", self.report.display()))?;
        println!("written to {}", self.report.display());
        Ok(ExitCode::SUCCESS)
    }
}

/// Starts `kubectl proxy`, which spares the floor the encryption; returns it with its address.
fn proxy() -> Result<(Child, String)> {
    let mut proxy = Command::new("kubectl")
        .args(["--context", sandbox::CONTEXT, "proxy", "--port=0"])
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot run kubectl")?;
    let stdout = proxy.stdout.take().context("it is piped")?;
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line)?;
    // `Starting to serve on 127.0.0.1:40001`
    match line.trim().rsplit_once(' ') {
        Some((_, address)) if address.contains(':') => Ok((proxy, address.to_owned())),
        _ => bail!("`kubectl proxy` said `{}`", line.trim()),
    }
}
