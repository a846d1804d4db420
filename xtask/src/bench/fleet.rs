//! What the verbs cost beside a thousand other environments: on a control plane of its own whose nodes and pods are played
//! by kwok, where there are no containers to wait for.

mod copies;
mod meter;
mod sweep;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::json;

use self::{
    copies::{Pattern, as_written},
    meter::{Audit, Relay},
};
use super::{
    Bench,
    http::Api,
    objects::{from_yaml, path_of},
    process,
    report::{Measured, Table, Verdict},
    stats::Sample,
};
use crate::sandbox::{self, ControlPlane};

/// A service beside a cache: nothing that needs a volume, of which there are none.
const FILE: &str = "projectId: fleet\napp: {port: 8080}\ndatabases: {redis: true}\n";

const IMAGE: &str = "registry.test/testapp:1";

const PROJECT: &str = "fleet";

/// Whose pull requests the environments are of.
const REPOSITORY: &str = "acme/fleet";

/// The environment that the verbs are about; all others are copies of it.
const OWN: usize = 1;

/// As many pods as one node gets, about.
const ENVIRONMENTS_OF_A_NODE: usize = 50;

/// `doctor` ends with 13 here, for there is no network plugin: that is as good as 0.
const DOCTOR: &str =
    "\"$0\" doctor --platform platform.yaml; case $? in 0 | 13) ;; *) exit 1 ;; esac";

/// Measures the verbs, alone and beside many.
///
/// # Errors
/// The control plane does not start, or a verb does not do what it is measured at.
pub(super) fn run(bench: &Bench) -> Result<Measured> {
    let environments = if bench.quick { 100 } else { 1000 };
    sandbox::ensure_debian(&["curl"])?;
    bench.say("starting a control plane without containers");
    let plane = ControlPlane::start(environments / ENVIRONMENTS_OF_A_NODE + 1)?;
    let fleet = Fleet::new(bench, &plane)?;
    process::run(&mut fleet.up(&plane.kubeconfig(), OWN))?;
    bench.say("measuring one environment");
    let alone = fleet.measure(1)?;
    let pattern = fleet.pattern()?;
    bench.say(&format!(
        "writing {} environments of {} objects",
        environments - 1,
        pattern.len()
    ));
    let begun = Instant::now();
    let others: Vec<usize> = (OWN + 1..=environments).collect();
    pattern.make(&fleet.api, &others)?;
    bench.say(&format!(
        "all up after {:.0} s; measuring",
        begun.elapsed().as_secs_f64()
    ));
    let beside = fleet.measure(environments)?;
    bench.say("sweeping");
    let (swept, more) = sweep::measure(&fleet, &pattern, environments)?;
    drop(fleet);
    plane.stop()?;
    let mut verdicts = verdicts(&alone[0], &beside[0], environments);
    verdicts.extend(more);
    Ok(Measured {
        verdicts,
        tables: vec![table(&alone, &beside, environments), swept],
        ..Measured::default()
    })
}

/// Whether `list` keeps to what it promises.
fn verdicts(alone: &Cost, beside: &Cost, environments: usize) -> Vec<Verdict> {
    let what = format!("`list` of {environments}");
    let memory = beside.mebibytes();
    let more = beside.calls.saturating_sub(alone.calls);
    vec![
        Verdict::at_most(&what, 2.0, beside.took.median()),
        Verdict {
            what: format!("{what}, memory"),
            goal: "≤ 64 MiB".to_owned(),
            measured: format!("{memory:.0} MiB"),
            holds: memory <= 64.0,
        },
        Verdict::none(&format!("{what}, calls more than of one"), more as u64),
    ]
}

struct Fleet<'a> {
    bench: &'a Bench,
    plane: &'a ControlPlane,
    api: Api,
    relay: Relay,
    audit: Audit,
    /// As the plane's own, through the relay.
    relayed: PathBuf,
    /// The repository of the environments.
    folder: PathBuf,
}

/// What a command costs.
struct Cost {
    what: &'static str,
    took: Sample,
    /// Time of processors.
    cpu: Sample,
    memory: u64,
    calls: usize,
    answered: u64,
}

impl<'a> Fleet<'a> {
    fn new(bench: &'a Bench, plane: &'a ControlPlane) -> Result<Self> {
        let folder = plane.folder().join("repository");
        fs::create_dir(&folder)?;
        fs::write(folder.join("k8s-ee.yaml"), FILE)?;
        // Nobody asks the URLs, for nothing answers there. JSON is YAML too.
        let platform = json!({
            "domain": bench.domain,
            "ingress": {"tls": false, "address": "127.0.0.1"},
            "access": {"repositories": [REPOSITORY]},
            "lifecycle": {"closedGrace": "0s"},
        });
        fs::write(folder.join("platform.yaml"), platform.to_string())?;
        let relay = Relay::start(plane.port())?;
        let relayed = plane.folder().join("relayed.kubeconfig");
        let config = fs::read_to_string(plane.kubeconfig())?;
        let through = config.replace(
            &format!("127.0.0.1:{}", plane.port()),
            &format!("127.0.0.1:{}", relay.port),
        );
        fs::write(&relayed, through)?;
        Ok(Self {
            bench,
            plane,
            api: Api::new(plane.plain_address()),
            relay,
            audit: Audit {
                log: plane.audit_log(),
            },
            relayed,
            folder,
        })
    }

    /// Every verb, while there are so many environments.
    fn measure(&self, environments: usize) -> Result<Vec<Cost>> {
        let list = ["list", "-o", "json"];
        let seen = process::run(&mut self.ours(&self.plane.kubeconfig(), &list))?;
        ensure_all_run(&seen.stdout, environments)?;
        let status = ["status", "--pr", "1"];
        let mut costs = vec![
            self.cost("`list`", |config| self.ours(config, &["list"]))?,
            self.cost("`list -o json`", |config| self.ours(config, &list))?,
            self.cost("floor of `list`: curl asks the same", |config| {
                self.curl(config)
            })?,
            self.cost("kubectl get the same", |config| self.kubectl(config))?,
            self.cost("`status --pr`", |config| self.ours(config, &status))?,
            self.cost("`status --pr` outside of a repository", |config| {
                let mut command = self.ours(config, &status);
                command.current_dir(self.plane.folder());
                command
            })?,
            self.cost("`doctor`", |config| self.doctor(config))?,
            self.cost("`plan`", |config| self.deploying("plan", config, OWN))?,
            self.cost("`up`, unchanged", |config| self.up(config, OWN))?,
        ];
        costs.extend(self.lives(environments)?);
        Ok(costs)
    }

    /// What a command costs that changes nothing.
    fn cost(&self, what: &'static str, command: impl Fn(&Path) -> Command) -> Result<Cost> {
        let mut cost = self.counted(what, &mut command(&self.relayed))?;
        for _ in 0..self.bench.rounds {
            cost.time(&mut command(&self.plane.kubeconfig()))?;
        }
        Ok(cost)
    }

    /// What the first `up` and the `down` of one more environment cost.
    fn lives(&self, environments: usize) -> Result<[Cost; 2]> {
        let number = environments + 1;
        let down = |config: &Path| {
            let number = number.to_string();
            self.ours(config, &["down", "--pr", &number])
        };
        let mut costs = [
            self.counted("`up`, the first", &mut self.up(&self.relayed, number))?,
            self.counted("`down`", &mut down(&self.relayed))?,
        ];
        for _ in 0..self.bench.rounds {
            let config = self.plane.kubeconfig();
            costs[0].time(&mut self.up(&config, number))?;
            costs[1].time(&mut down(&config))?;
        }
        Ok(costs)
    }

    /// Runs a command that goes through the relay, for its calls and what they are answered.
    fn counted(&self, what: &'static str, command: &mut Command) -> Result<Cost> {
        self.bench.say(&format!("  {what}"));
        let (position, answered) = (self.audit.position()?, self.relay.answered());
        process::run(command)?;
        let answered = self.relay.answered() - answered;
        Ok(Cost {
            what,
            took: Sample::default(),
            cpu: Sample::default(),
            memory: 0,
            calls: self.audit.calls_since(position)?,
            answered,
        })
    }

    /// The objects of our own environment: as they are rendered, and those that only the cluster has.
    fn pattern(&self) -> Result<Pattern> {
        let mut render = self.deploying("render", &self.plane.kubeconfig(), OWN);
        let yaml = process::run(&mut render)?.stdout;
        let file = self.folder.join("objects.yaml");
        fs::write(&file, yaml)?;
        let mut kubectl = Command::new("kubectl");
        kubectl.env("KUBECONFIG", self.plane.unseen_kubeconfig());
        let namespace = format!("{PROJECT}-pr-{OWN}");
        let mut objects = Vec::new();
        for object in from_yaml(kubectl, &file)? {
            match object["kind"].as_str() {
                // With what `up` says of it.
                Some("Namespace") => objects.push(as_written(&self.api, &path_of(&object)?)?),
                Some("PriorityClass") => {}
                _ => objects.push(object),
            }
        }
        let core = format!("/api/v1/namespaces/{namespace}");
        let record = format!("{core}/configmaps/k8s-ee-environment");
        objects.push(as_written(&self.api, &record)?);
        let (_, secrets) = self.api.ask("GET", &format!("{core}/secrets"), "", "")?;
        for secret in secrets["items"].as_array().into_iter().flatten() {
            let name = secret["metadata"]["name"].as_str().context("no name")?;
            objects.push(as_written(&self.api, &format!("{core}/secrets/{name}"))?);
        }
        Ok(Pattern::new(PROJECT, OWN, &objects))
    }

    fn ours(&self, kubeconfig: &Path, args: &[&str]) -> Command {
        let mut command = Command::new(&self.bench.binary);
        command
            .current_dir(&self.folder)
            .env("KUBECONFIG", kubeconfig)
            .args(args);
        command
    }

    fn doctor(&self, kubeconfig: &Path) -> Command {
        let mut command = Command::new("sh");
        command
            .current_dir(&self.folder)
            .env("KUBECONFIG", kubeconfig)
            .args(["-c", DOCTOR])
            .arg(&self.bench.binary);
        command
    }

    /// A verb that takes what `up` takes.
    fn deploying(&self, verb: &str, kubeconfig: &Path, number: usize) -> Command {
        let mut command = self.ours(kubeconfig, &[verb, "--image", IMAGE]);
        command
            .args([
                "--platform",
                "platform.yaml",
                "--repository",
                REPOSITORY,
                "--pr",
            ])
            .arg(number.to_string());
        command
    }

    fn up(&self, kubeconfig: &Path, number: usize) -> Command {
        let mut command = self.deploying("up", kubeconfig, number);
        command.arg("--no-url-check");
        command
    }

    fn kubectl(&self, kubeconfig: &Path) -> Command {
        let mut command = Command::new("kubectl");
        command.env("KUBECONFIG", kubeconfig).args([
            "get",
            "namespaces,ingresses,resourcequotas",
            "--all-namespaces",
        ]);
        command
    }

    /// What `list` asks for, with nothing made of it.
    fn curl(&self, kubeconfig: &Path) -> Command {
        let port = match kubeconfig == self.relayed {
            true => self.relay.port,
            false => self.plane.port(),
        };
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--fail", "--parallel", "--parallel-immediate"]);
        // The API server writes more beautifully for curl.
        curl.args(["--user-agent", "floor"]);
        for (option, file) in [
            ("--cacert", "ca.crt"),
            ("--cert", "admin.crt"),
            ("--key", "admin.key"),
        ] {
            curl.arg(option).arg(self.plane.pki(file));
        }
        for path in [
            "/api/v1/namespaces?labelSelector=k8s-ee%2Ftype%3Dephemeral",
            "/apis/networking.k8s.io/v1/ingresses",
            "/api/v1/resourcequotas",
        ] {
            curl.args(["--output", "/dev/null"])
                .arg(format!("https://127.0.0.1:{port}{path}"));
        }
        curl
    }
}

impl Cost {
    fn time(&mut self, command: &mut Command) -> Result<()> {
        let ran = process::run(command)?;
        self.took.push(ran.took);
        self.cpu.push(ran.cpu);
        self.memory = self.memory.max(ran.memory);
        Ok(())
    }

    fn mebibytes(&self) -> f64 {
        self.memory as f64 / f64::from(1 << 20)
    }
}

/// What `list -o json` says, as far as it is checked. All of it would make this program larger than those that it measures,
/// and the kernel counts what a program was before it became another.
#[derive(Deserialize)]
struct Listed {
    environments: Vec<One>,
}

#[derive(Deserialize)]
struct One {
    state: String,
    url: Option<String>,
}

/// Checks that `list` shows all of them, and that each of them is up.
fn ensure_all_run(list: &str, environments: usize) -> Result<()> {
    let all = serde_json::from_str::<Listed>(list)?.environments;
    let running = all
        .iter()
        .filter(|one| one.state == "running" && one.url.is_some())
        .count();
    ensure!(
        (all.len(), running) == (environments, environments),
        "`list` shows {} environments, {running} of them running, and there are {environments}",
        all.len()
    );
    Ok(())
}

fn table(alone: &[Cost], beside: &[Cost], environments: usize) -> Table {
    let title = format!("App + Redis, alone and beside {} others", environments - 1);
    let mut table = Table::new(
        &title,
        &[
            "",
            "alone, s",
            "beside, s",
            "processor, s",
            "beside",
            "MiB",
            "beside",
            "calls",
            "beside",
            "KiB answered",
            "beside",
        ],
    );
    for (one, other) in alone.iter().zip(beside) {
        let mut row = vec![one.what.to_owned()];
        let mut both = |cell: fn(&Cost) -> String| row.extend([cell(one), cell(other)]);
        both(|cost| cost.took.to_string());
        both(|cost| format!("{:.2}", cost.cpu.median()));
        both(|cost| format!("{:.0}", cost.mebibytes()));
        both(|cost| cost.calls.to_string());
        both(|cost| (cost.answered >> 10).to_string());
        table.row(row);
    }
    table
}
