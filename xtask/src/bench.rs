//! `cargo xtask bench`: the real binary on the sandbox beside the ways that it replaces, and beside the floor, in one run.
//!
//! Each scenario is a function that takes the [`Bench`] and gives tables; `SCENARIOS` lists them. It runs itself once more
//! inside the cluster's network, where the API server and the ingress controller are reached as by any other client.

mod fleet;
mod http;
mod life;
mod machine;
mod many;
mod objects;
mod offline;
mod old_way;
mod process;
mod report;
mod sizes;
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

use crate::{release, sandbox};
use http::Api;
use old_way::OldWay;
use report::{Chapter, Measured};

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
    /// Whether environments are deployed, for which images must be there.
    deploys: bool,
    run: fn(&Bench) -> Result<Measured>,
}

const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "offline",
        title: "Without a cluster",
        about: "Whole processes, from their start to their end.",
        deploys: false,
        run: offline::run,
    },
    Scenario {
        name: "life",
        title: "The life of an environment",
        about: "First deploy, the same again, the next version while it is asked every few milliseconds, and the end. Images \
                are on the node already.",
        deploys: true,
        run: life::run,
    },
    Scenario {
        name: "many",
        title: "Many at once",
        about: "Each environment has a process of its own, and all of them start at the same moment.",
        deploys: true,
        run: many::run,
    },
    Scenario {
        name: "sizes",
        title: "What is handed out",
        about: "The binary is the one that was measured. An image holds little else than these two programs.",
        deploys: false,
        run: sizes::run,
    },
    Scenario {
        name: "fleet",
        title: "A thousand environments",
        about: "On a control plane of its own, whose nodes and pods are played by kwok: nothing but the API. Memory is the most \
                that was held at once, by `k8s-ee` or by the helm that it runs; calls are counted by the API server, what it \
                answers as it comes over the wire. GitHub is played by the fake of the tests, on loopback: each request costs \
                some hundred milliseconds more in life. The job before was measured once.",
        deploys: false,
        run: fleet::run,
    },
];

/// What every scenario needs.
struct Bench {
    /// The repository.
    root: PathBuf,
    /// The binary as it is handed out.
    binary: PathBuf,
    /// The program that reads a YAML file and does nothing else.
    parser: PathBuf,
    /// The program that plays GitHub.
    github: PathBuf,
    /// The application's chart.
    chart: PathBuf,
    context: &'static str,
    /// `host:port` of the ingress controller.
    ingress: String,
    /// Domain of the environments' hosts.
    domain: &'static str,
    api: Api,
    /// Folder of the programs of the sandbox.
    bin: PathBuf,
    rounds: u32,
    quick: bool,
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

    /// The scenarios that are asked for.
    fn wanted(&self) -> Result<Vec<&'static Scenario>> {
        let Some(name) = &self.scenario else {
            return Ok(SCENARIOS.iter().collect());
        };
        let wanted: Vec<_> = SCENARIOS.iter().filter(|one| one.name == name).collect();
        let names: Vec<&str> = SCENARIOS.iter().map(|one| one.name).collect();
        ensure!(
            !wanted.is_empty(),
            "there is no scenario {name}; there is {}",
            names.join(", ")
        );
        Ok(wanted)
    }

    /// Makes everything ready and runs this program once more inside.
    fn enter(&self) -> Result<ExitCode> {
        let wanted = self.wanted()?;
        let target = release::target()?;
        release::build(&["--bin=k8s-ee", "--package=k8s-ee"], &target)?;
        release::build(
            &["--package=bench-parser", "--package=github-fake"],
            &target,
        )?;
        OldWay::ensure()?;
        sandbox::ensure_tools(&["helm", "helm3", "kubectl"])?;
        sandbox::ensure_up()?;
        if wanted.iter().any(|one| one.deploys) {
            sandbox::ensure_all_images()?;
        }
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
        let built = root.join("target").join(release::target()?).join("release");
        let bench = Bench {
            root: root.to_owned(),
            binary: built.join("k8s-ee"),
            parser: built.join("bench-parser"),
            github: built.join("github-fake"),
            chart: root.join("charts/k8s-ee-app"),
            context: sandbox::CONTEXT,
            ingress,
            domain: "preview.test",
            api: Api::new(address),
            bin: sandbox::bin_dir(),
            rounds: if self.quick { 2 } else { self.rounds },
            quick: self.quick,
        };
        let measured: Result<Vec<Chapter>> = self
            .wanted()?
            .into_iter()
            .map(|one| {
                let before = machine::load();
                let measured = (one.run)(&bench)?;
                for table in &measured.tables {
                    println!("{}", table.markdown());
                }
                Ok(Chapter {
                    title: one.title,
                    about: one.about,
                    load: (before, machine::load()),
                    measured,
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
