//! `act`: it runs workflows on this machine.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::published::{REF, published};

/// Number of the next run: `act` gives all of them the same.
static NEXT_RUN: AtomicU32 = AtomicU32::new(1);

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
        .args(["--env", "K8S_EE_PLAIN_HTTP=1"])
        .args([
            "--env",
            &format!("GITHUB_RUN_ID={}", NEXT_RUN.fetch_add(1, Ordering::Relaxed)),
        ]);
    for (name, value) in secrets {
        act.args(["--secret", &format!("{name}={value}")]);
    }
    for repository in published() {
        let (name, folder) = (repository.name, repository.folder.display());
        act.arg("--local-repository")
            .arg(format!("{name}@{REF}={folder}"));
    }
    act.arg("--env").arg(format!(
        "K8S_EE_TEST_CHECKOUT=file://{}",
        checkout.display()
    ));
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
