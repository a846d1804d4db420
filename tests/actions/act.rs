//! `act`, and what our repository is to it: the actions and workflows as they are, but for what `README.md` says.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
};

use serde_json::Value;
use tempfile::TempDir;

use crate::harness::root;

/// How a caller names us.
const OURS: &str = "koder-cat/k8s-ee";

/// Actions of others, by the commit that we name, and what stands in for them.
const OTHERS: [(&str, &str); 2] = [
    ("actions/upload-artifact", "artifact"),
    ("actions/download-artifact", "artifact"),
];

/// A run that has ended.
#[derive(Debug)]
pub(crate) struct Ran {
    /// How each job ended, by its id in the reusable workflow. Skipped ones are not there.
    pub(crate) jobs: BTreeMap<String, String>,
    /// Everything that steps printed, and what `act` says of them.
    pub(crate) log: String,
}

impl Ran {
    fn of(text: &str) -> Self {
        let mut ran = Self {
            jobs: BTreeMap::new(),
            log: String::new(),
        };
        for line in text.lines() {
            let Ok(entry) = serde_json::from_str::<Value>(line) else {
                ran.log.push_str(&format!("{line}\n"));
                continue;
            };
            let job = entry["jobID"].as_str().unwrap_or_default();
            if let Some(result) = entry["jobResult"].as_str() {
                ran.jobs.insert(job.to_owned(), result.to_owned());
            }
            let message = entry["msg"].as_str().unwrap_or_default().trim_end();
            ran.log.push_str(&format!("{job}: {message}\n"));
        }
        ran
    }

    /// Exactly these jobs ran, and ended so.
    #[track_caller]
    pub(crate) fn jobs(self, expected: &[(&str, &str)]) -> Self {
        let found: Vec<(&str, &str)> = self
            .jobs
            .iter()
            .filter(|(job, _)| *job != "preview")
            .map(|(job, result)| (job.as_str(), result.as_str()))
            .collect();
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(found, expected, "{}", self.log);
        self
    }

    /// It is in the log.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.log.contains(text), "`{text}` is not in\n{}", self.log);
        self
    }
}

/// A run that goes on.
pub(crate) struct Running {
    child: Child,
    log: PathBuf,
    // Removed when it has ended.
    folder: TempDir,
}

impl Running {
    /// Waits for its end.
    pub(crate) fn wait(mut self) -> Ran {
        self.child.wait().expect("act ends");
        Ran::of(&self.text())
    }

    /// What it printed so far.
    pub(crate) fn text(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Lets a build that is held go on.
    pub(crate) fn release(&self) {
        fs::remove_file(self.folder.path().join("hold")).expect("it was held");
    }

    /// Has it cancelled, as a person does in the browser: what runs gets the signal, and a moment to end.
    pub(crate) fn cancel(&self) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-INT", &pid]).status();
        assert!(sent.expect("kill starts").success());
    }
}

/// Starts a workflow of the repository in `checkout`. The build of one that is `held` waits for [`Running::release`].
pub(crate) fn start(
    checkout: &Path,
    event: (&str, &Value),
    api: &str,
    secrets: &[(&str, &str)],
    held: bool,
) -> Running {
    let folder = TempDir::new().expect("a temporary directory");
    let path = |name: &str| folder.path().join(name);
    fs::write(path("event.json"), event.1.to_string()).expect("the event is written");
    let log = path("log");
    let output = fs::File::create(&log).expect("the log is made");
    let binaries = Path::new(env!("CARGO_BIN_EXE_k8s-ee"))
        .parent()
        .expect("it is in a folder");
    let inherited = std::env::var_os("PATH").unwrap_or_default();
    let folders = [binaries.to_owned()]
        .into_iter()
        .chain(std::env::split_paths(&inherited));
    let mut act = Command::new("act");
    act.env_clear()
        .env("PATH", std::env::join_paths(folders).expect("a PATH"))
        .env("HOME", path("home"))
        .current_dir(checkout)
        .args([event.0, "--json", "--no-cache-server", "--actor", "octocat"])
        .args(["--platform", "ubuntu-24.04=-self-hosted"])
        .args(["--concurrent-jobs", "4"])
        .arg("--workflows")
        .arg(".github/workflows/preview.yml")
        .arg("--eventpath")
        .arg(path("event.json"))
        .arg("--action-cache-path")
        .arg(path("cache"))
        .args(["--env", &format!("GITHUB_API_URL={api}")])
        .args(["--env", &format!("GITHUB_GRAPHQL_URL={api}/graphql")])
        .args(["--env", "K8S_EE_PLAIN_HTTP=1"]);
    for (name, value) in secrets {
        act.args(["--secret", &format!("{name}={value}")]);
    }
    let published = published();
    act.arg("--local-repository")
        .arg(format!("{OURS}@v0={}", published.join("k8s-ee").display()));
    for (name, stand_in) in OTHERS {
        for commit in commits_of(name) {
            let folder = published.join(stand_in);
            act.arg("--local-repository")
                .arg(format!("{name}@{commit}={}", folder.display()));
        }
    }
    act.arg("--env")
        .arg(format!("K8S_EE_TEST_HOLD={}", path("hold").display()));
    if held {
        fs::write(path("hold"), "").expect("it is written");
    }
    fs::create_dir(path("home")).expect("a home");
    let child = act
        .stdin(Stdio::null())
        .stdout(output.try_clone().expect("a handle"))
        .stderr(output)
        .spawn()
        .expect("act starts: `cargo xtask test actions` builds it");
    Running { child, log, folder }
}

/// Our repository as callers get it, for this run of the tests.
fn published() -> &'static Path {
    static PUBLISHED: OnceLock<TempDir> = OnceLock::new();
    let folder = PUBLISHED.get_or_init(|| {
        let folder = TempDir::new().expect("a temporary directory");
        publish(folder.path());
        folder
    });
    folder.path()
}

fn publish(folder: &Path) {
    let ours = folder.join("k8s-ee");
    for part in ["action", ".github/workflows"] {
        copy(&root().join(part), &ours.join(part));
    }
    let stand_ins = root().join("tests/actions/standins");
    fs::copy(
        stand_ins.join("build.yml"),
        ours.join("action/build/action.yml"),
    )
    .expect("a copy");
    fs::create_dir(folder.join("artifact")).expect("a folder");
    fs::copy(
        stand_ins.join("artifact.yml"),
        folder.join("artifact/action.yml"),
    )
    .expect("a copy");
}

/// Copies a folder. `act` does not know `$/`, the repository that a workflow itself is in: it becomes its name.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder of ours") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("it has a name"));
        if path.is_dir() {
            copy(&path, &target);
        } else if path.extension().is_some_and(|extension| extension == "yml") {
            let text = fs::read_to_string(&path).expect("a text");
            fs::write(target, by_name(&text)).expect("it is written");
        } else {
            // With its mode.
            fs::copy(&path, target).expect("a copy");
        }
    }
}

fn by_name(text: &str) -> String {
    let lines = text.lines().map(|line| match line.split_once("uses: $/") {
        Some((before, path)) => format!("{before}uses: {OURS}/{path}@v0\n"),
        None => format!("{line}\n"),
    });
    lines.collect()
}

/// The commits of an action that our files name.
fn commits_of(action: &str) -> Vec<String> {
    let mut commits = Vec::new();
    let mut folders = vec![root().join("action"), root().join(".github/workflows")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder of ours") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(text) = fs::read_to_string(&path) {
                let named = text.split(&format!("uses: {action}@")).skip(1);
                commits.extend(named.map(|rest| rest.chars().take(40).collect::<String>()));
            }
        }
    }
    commits.sort();
    commits.dedup();
    commits
}
