//! What `sweep` costs among all environments, beside the job that did it before: with nothing to remove, and with one in
//! twenty whose pull request is closed.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::{
    super::{
        http::Api,
        process,
        report::{Table, Verdict},
        stats::Sample,
    },
    Cost, Fleet, PROJECT, REPOSITORY,
    copies::Pattern,
    ensure_all_run,
};

/// Of so many environments, one pull request is closed.
const ONE_OF: usize = 20;

/// Pull requests of a page, of which GitHub gives no more.
const PAGE: usize = 100;

/// Environments that `sweep` removes at a time.
const AT_A_TIME: usize = 16;

/// Seconds in which a sweep is to know what is to be done, as `list` is to show what there is.
const LOOK: f64 = 2.0;

/// Seconds in which `down` is to remove one.
const DOWN: f64 = 6.0;

const TOKEN: &str = "bench";

/// What a sweep costs.
struct Swept {
    cost: Cost,
    /// Requests to GitHub.
    asked: usize,
}

/// Measures both.
///
/// # Errors
/// The fake GitHub does not start, or one of the two does not remove what it should, and only that.
pub(super) fn measure(
    fleet: &Fleet<'_>,
    pattern: &Pattern,
    environments: usize,
) -> Result<(Table, Vec<Verdict>)> {
    let github = Github::start(fleet, environments)?;
    let closed: Vec<usize> = (1..=environments).filter(|n| n % ONE_OF == 0).collect();
    let url = github.url.as_str();
    let ours = |more: &'static [&str]| {
        move |config: &Path| {
            let mut command = fleet.ours(config, &["sweep", "--comment", "off"]);
            command
                .args(["--platform", "platform.yaml"])
                .args(more)
                .env("GITHUB_TOKEN", TOKEN)
                .env("GITHUB_API_URL", url);
            command
        }
    };
    let rounds = fleet.bench.rounds;
    let config = fleet.plane.kubeconfig();

    let dry_run = ours(&["--dry-run"]);
    let mut idle =
        github.counted(|| fleet.counted("`sweep --dry-run`", &mut dry_run(&fleet.relayed)))?;
    for _ in 0..rounds {
        idle.cost.time(&mut dry_run(&config))?;
    }
    let idle_before = before(fleet, &github, "the job before, with nothing to do")?;

    github.close(&closed)?;
    let all = ours(&[]);
    let mut busy = github.counted(|| fleet.counted("`sweep`", &mut all(&fleet.relayed)))?;
    for _ in 0..rounds {
        make_again(fleet, pattern, environments, &closed)?;
        busy.cost.time(&mut all(&config))?;
    }
    make_again(fleet, pattern, environments, &closed)?;
    let busy_before = before(fleet, &github, "the job before")?;
    fleet.ensure_gone(environments, &closed)?;
    github.ensure_well_asked()?;

    let removed = closed.len();
    let verdicts = verdicts(&idle, &busy, environments, removed);
    let title = format!(
        "Sweeping {environments} environments: with nothing to remove, then with {removed} whose pull request is closed"
    );
    Ok((
        table(&title, [&idle, &idle_before, &busy, &busy_before]),
        verdicts,
    ))
}

/// Makes the environments again that were removed, and checks that no others were.
fn make_again(
    fleet: &Fleet<'_>,
    pattern: &Pattern,
    environments: usize,
    removed: &[usize],
) -> Result<()> {
    fleet.ensure_gone(environments, removed)?;
    pattern.make(&fleet.api, removed)
}

impl Fleet<'_> {
    /// Checks that these environments are gone, and no others.
    fn ensure_gone(&self, environments: usize, removed: &[usize]) -> Result<()> {
        for number in removed {
            let path = format!("/api/v1/namespaces/{PROJECT}-pr-{number}");
            let (code, _) = self.api.ask("GET", &path, "", "")?;
            ensure!(code == 404, "{PROJECT}-pr-{number} is still there");
        }
        let list = ["list", "-o", "json"];
        let seen = process::run(&mut self.ours(&self.plane.kubeconfig(), &list))?;
        ensure_all_run(&seen.stdout, environments - removed.len())
    }
}

/// What the platform before ran every six hours: each environment's pull request is asked for, and those that are closed are
/// deleted, all of it one after the other. That job was a script around `kubectl`; what the script itself needed is left away.
fn before(fleet: &Fleet<'_>, github: &Github, what: &'static str) -> Result<Swept> {
    fleet.bench.say(&format!("  {what}"));
    let position = fleet.audit.position()?;
    let answered = fleet.relay.answered();
    let (mut cpu, mut memory) = (Duration::ZERO, 0);
    let mut kubectl = |args: &[&str]| -> Result<String> {
        let mut command = Command::new("kubectl");
        command.env("KUBECONFIG", &fleet.relayed).args(args);
        let ran = process::run(&mut command)?;
        cpu += ran.cpu;
        memory = memory.max(ran.memory);
        Ok(ran.stdout)
    };
    let asked = github.asked()?;
    let begun = Instant::now();
    let label = "--selector=k8s-ee/type=ephemeral";
    let list = kubectl(&["get", "namespaces", label, "--output=json"])?;
    for (namespace, number) in pull_requests(&list)? {
        let pull = github.get(&format!("/repos/{REPOSITORY}/pulls/{number}"))?;
        if pull["state"] != "closed" {
            continue;
        }
        // Their finalizers would be taken off; there are none here.
        kubectl(&[
            "get",
            "persistentvolumeclaims",
            "--namespace",
            &namespace,
            "--output=json",
        ])?;
        kubectl(&[
            "delete",
            "namespace",
            &namespace,
            "--wait",
            "--timeout=240s",
        ])?;
    }
    let mut took = Sample::default();
    took.push(begun.elapsed());
    let asked = github.asked()? - asked;
    let mut of_kubectl = Sample::default();
    of_kubectl.push(cpu);
    Ok(Swept {
        cost: Cost {
            what,
            took,
            cpu: of_kubectl,
            memory,
            calls: fleet.audit.calls_since(position)?,
            answered: fleet.relay.answered() - answered,
        },
        asked,
    })
}

/// Names of namespaces with the numbers of their pull requests.
fn pull_requests(list: &str) -> Result<Vec<(String, String)>> {
    let list: Value = serde_json::from_str(list)?;
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let one = |namespace: &Value| {
        let metadata = &namespace["metadata"];
        Some((
            text(&metadata["name"])?,
            text(&metadata["labels"]["k8s-ee/pr-number"])?,
        ))
    };
    let all = list["items"].as_array().context("no list")?;
    Ok(all.iter().filter_map(one).collect())
}

/// A GitHub that knows a pull request for each environment: the one of the tests, on loopback.
struct Github {
    program: Child,
    url: String,
    api: Api,
}

impl Github {
    fn start(fleet: &Fleet<'_>, environments: usize) -> Result<Self> {
        let pulls: BTreeMap<usize, Value> = (1..=environments)
            .map(|number| (number, json!({"open": true})))
            .collect();
        let world = json!({
            "tokens": {TOKEN: {"login": "octocat", "permissions": {"metadata": "read", "pull_requests": "read"}}},
            "repositories": {REPOSITORY: {"pulls": pulls}},
        });
        let file = fleet.plane.folder().join("github.json");
        fs::write(&file, world.to_string())?;
        let mut program = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "--"])
            .arg(&fleet.bench.github)
            .arg("--world")
            .arg(file)
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot run github-fake")?;
        let mut url = String::new();
        let stdout = program.stdout.take().context("it is piped")?;
        BufReader::new(stdout).read_line(&mut url)?;
        let url = url.trim().to_owned();
        let address = url.strip_prefix("http://");
        let address = address.with_context(|| format!("github-fake said `{url}`"))?;
        let api = Api::with_headers(
            address.to_owned(),
            &[
                ("Accept", "application/vnd.github+json"),
                ("Authorization", &format!("Bearer {TOKEN}")),
                ("User-Agent", "bench"),
                ("X-GitHub-Api-Version", "2022-11-28"),
            ],
        );
        Ok(Self { program, url, api })
    }

    fn get(&self, path: &str) -> Result<Value> {
        let (code, answer) = self.api.ask("GET", path, "", "")?;
        ensure!(code == 200, "GET {path}: {code} {answer}");
        Ok(answer)
    }

    /// Closes pull requests.
    fn close(&self, numbers: &[usize]) -> Result<()> {
        let pulls: BTreeMap<usize, Value> = numbers
            .iter()
            .map(|number| (*number, json!({"open": false})))
            .collect();
        let patch = json!({"repositories": {REPOSITORY: {"pulls": pulls}}});
        let path = "/_fake/world";
        let kind = "application/json";
        let (code, answer) = self.api.ask("PATCH", path, kind, &patch.to_string())?;
        ensure!(code == 204, "PATCH {path}: {code} {answer}");
        Ok(())
    }

    /// How much it was asked so far.
    fn asked(&self) -> Result<usize> {
        let requests = self.get("/_fake/requests")?;
        Ok(requests.as_array().context("no list")?.len())
    }

    /// What is measured, with what it asks.
    fn counted(&self, measured: impl FnOnce() -> Result<Cost>) -> Result<Swept> {
        let asked = self.asked()?;
        let cost = measured()?;
        let asked = self.asked()? - asked;
        Ok(Swept { cost, asked })
    }

    /// Checks that nothing was asked but what GitHub describes.
    fn ensure_well_asked(&self) -> Result<()> {
        let wrong = self.get("/_fake/violations")?;
        ensure!(wrong == json!([]), "not as GitHub describes it: {wrong}");
        Ok(())
    }
}

impl Drop for Github {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

/// Whether `sweep` keeps to what it promises.
fn verdicts(idle: &Swept, busy: &Swept, environments: usize, removed: usize) -> Vec<Verdict> {
    let look = format!("`sweep --dry-run` of {environments}");
    let removing = format!("`sweep`, {removed} of {environments} to remove");
    let asked = |what: &str, swept: &Swept, open: usize, closed: usize| {
        let most = open.div_ceil(PAGE) + closed;
        Verdict {
            what: format!("{what}, requests to GitHub"),
            goal: format!("≤ {most}"),
            measured: swept.asked.to_string(),
            holds: swept.asked <= most,
        }
    };
    let memory = idle.cost.mebibytes().max(busy.cost.mebibytes());
    let turns = removed.div_ceil(AT_A_TIME) as f64;
    vec![
        Verdict::at_most(&look, LOOK, idle.cost.took.median()),
        asked(&look, idle, environments, 0),
        Verdict::at_most(&removing, LOOK + turns * DOWN, busy.cost.took.median()),
        asked(&removing, busy, environments - removed, removed),
        Verdict {
            what: format!("{removing}, memory"),
            goal: "≤ 64 MiB".to_owned(),
            measured: format!("{memory:.0} MiB"),
            holds: memory <= 64.0,
        },
    ]
}

fn table(title: &str, all: [&Swept; 4]) -> Table {
    let mut table = Table::new(
        title,
        &[
            "",
            "s",
            "processor, s",
            "MiB",
            "calls",
            "KiB answered",
            "requests to GitHub",
        ],
    );
    for Swept { cost, asked } in all {
        table.row(vec![
            cost.what.to_owned(),
            cost.took.to_string(),
            format!("{:.2}", cost.cpu.median()),
            format!("{:.0}", cost.mebibytes()),
            cost.calls.to_string(),
            (cost.answered >> 10).to_string(),
            asked.to_string(),
        ]);
    }
    table
}
