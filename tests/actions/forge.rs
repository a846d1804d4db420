//! Gitea and its runner: a forge that keeps to what `act` ignores. GitHub's API is still the fake's; only runs are the forge's.

use std::{
    fs,
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    harness::eventually,
    published::{REF, published},
    shop::{PR, REPOSITORY, Shop, TOKEN},
};

const USER: &str = "acme";
const PASSWORD: &str = "only-for-tests";

/// A forge with a runner on this machine.
pub(crate) struct Forge {
    folder: TempDir,
    address: String,
    programs: Vec<Child>,
}

/// A run of a workflow.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) sha: String,
    pub(crate) conclusion: String,
    /// How each job ended. A called workflow is one.
    pub(crate) jobs: Vec<(String, String)>,
}

impl Forge {
    /// Starts it, with our repositories and the one of `shop`, whose first commit is what everything is merged into.
    pub(crate) fn new(shop: &Shop) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
        let port = port.expect("a free port").port();
        let mut forge = Self {
            folder: TempDir::new().expect("a temporary directory"),
            address: format!("127.0.0.1:{port}"),
            programs: Vec::new(),
        };
        forge.start_gitea(port);
        for owner in ["koder-cat", "actions"] {
            forge.ask("POST", "orgs", &json!({"username": owner}));
        }
        for repository in published() {
            forge.publish(repository.name, &repository.folder);
        }
        forge.ask(
            "POST",
            "user/repos",
            &json!({"name": "shop", "default_branch": "main"}),
        );
        shop.git(&["push", "--quiet", &forge.git_url(REPOSITORY), "HEAD:main"]);
        let secret = json!({"data": shop.kubeconfig});
        forge.ask(
            "PUT",
            &format!("repos/{REPOSITORY}/actions/secrets/KUBECONFIG"),
            &secret,
        );
        forge.start_runner(shop);
        forge
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn git_url(&self, repository: &str) -> String {
        format!("http://{USER}:{PASSWORD}@{}/{repository}", self.address)
    }

    fn start_gitea(&mut self, port: u16) {
        // The folders that it needs are kept beside its program.
        let program = which("gitea");
        let beside = program
            .parent()
            .and_then(Path::parent)
            .expect("it is in a folder");
        let url = format!("http://{}/", self.address);
        let settings = format!(
            "RUN_USER = root\nI_AM_BEING_UNSAFE_RUNNING_AS_ROOT = true\nWORK_PATH = {work}\n\
             [server]\nHTTP_ADDR = 127.0.0.1\nHTTP_PORT = {port}\nROOT_URL = {url}\nSTATIC_ROOT_PATH = {beside}\n\
             OFFLINE_MODE = true\nDISABLE_SSH = true\n\
             [database]\nDB_TYPE = sqlite3\n\
             [security]\nINSTALL_LOCK = true\nPASSWORD_HASH_ALGO = pbkdf2$1$10\nPASSWORD_COMPLEXITY = off\n\
             [actions]\nENABLED = true\nDEFAULT_ACTIONS_URL = self\n\
             [service]\nDISABLE_REGISTRATION = true\n[log]\nLEVEL = warn\n",
            work = self.path("gitea"),
            beside = beside.display(),
        );
        fs::create_dir(self.path("gitea")).expect("a folder");
        fs::write(self.path("app.ini"), settings).expect("it is written");
        self.gitea(&["migrate"]);
        self.gitea(&[
            "admin",
            "user",
            "create",
            "--admin",
            "--username",
            USER,
            "--password",
            PASSWORD,
            "--email",
            "acme@example.org",
            "--must-change-password=false",
        ]);
        let mut web = self.command(&program);
        web.args(["--config", &self.path("app.ini"), "web"]);
        self.keep(web, "gitea.log");
        let address = self.address.clone();
        eventually("the forge listens", || {
            std::net::TcpStream::connect(&address).ok()
        });
    }

    fn start_runner(&mut self, shop: &Shop) {
        let token = self.gitea(&["actions", "generate-runner-token"]);
        let token = token.split_whitespace().last().expect("a token").to_owned();
        let config = json!({
            "runner": {
                "file": self.path("runner"),
                "capacity": 4,
                "fetch_interval": "100ms",
                "fetch_interval_max": "500ms",
                "state_report_interval": "200ms",
                "envs": {"K8S_EE_PLAIN_HTTP": "1"},
                "labels": ["ubuntu-24.04:host"],
            },
            "cache": {"enabled": false},
            "host": {"workdir_parent": self.path("work")},
        });
        fs::write(self.path("runner.yaml"), config.to_string()).expect("it is written");
        // The runner sets where GitHub's API is to the forge's own, which is another one.
        fs::create_dir(self.path("bin")).expect("a folder");
        let text = format!(
            "#!/bin/sh\nGITHUB_API_URL={} GITHUB_TOKEN={TOKEN} exec {} \"$@\"\n",
            shop.github.url(),
            env!("CARGO_BIN_EXE_k8s-ee")
        );
        let program = self.path("bin/k8s-ee");
        fs::write(&program, text).expect("it is written");
        let mode = Command::new("chmod").args(["755", &program]).status();
        assert!(mode.expect("chmod starts").success());

        let runner = which("gitea-runner");
        let url = format!("http://{}", self.address);
        let config = self.path("runner.yaml");
        let mut register = self.command(&runner);
        register.args([
            "register",
            "--no-interactive",
            "--config",
            &config,
            "--instance",
            &url,
        ]);
        let registered = register
            .args(["--token", &token, "--name", "tests"])
            .output();
        let registered = registered.expect("the runner starts");
        assert!(registered.status.success(), "{registered:?}");
        let mut daemon = self.command(&runner);
        daemon.args(["daemon", "--config", &config]);
        self.keep(daemon, "runner.log");
    }

    fn command(&self, program: &Path) -> Command {
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new(program);
        command
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", format!("{}:{path}", self.path("bin")))
            .env("HOME", self.folder.path())
            .env("GITEA_WORK_DIR", self.path("gitea"))
            .stdin(Stdio::null());
        command
    }

    fn gitea(&self, args: &[&str]) -> String {
        let mut command = self.command(&which("gitea"));
        let output = command
            .args(["--config", &self.path("app.ini")])
            .args(args)
            .output();
        let output = output.expect("gitea starts");
        assert!(output.status.success(), "gitea {args:?}: {output:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn keep(&mut self, mut command: Command, log: &str) {
        let log = fs::File::create(self.path(log)).expect("a log");
        command
            .stdout(log.try_clone().expect("a handle"))
            .stderr(log);
        self.programs.push(command.spawn().expect("it starts"));
    }

    fn publish(&self, name: &str, folder: &Path) {
        let (owner, repository) = name.split_once('/').expect("an owner and a name");
        self.ask(
            "POST",
            &format!("orgs/{owner}/repos"),
            &json!({"name": repository, "default_branch": "main"}),
        );
        let copy = self.path(&name.replace('/', "-"));
        let copied = Command::new("cp")
            .args(["-r"])
            .arg(folder)
            .arg(&copy)
            .status();
        assert!(copied.expect("cp starts").success());
        let git = |args: &[&str]| crate::shop::git(Path::new(&copy), args);
        git(&["init", "--quiet", "--initial-branch=main"]);
        git(&["add", "--all"]);
        git(&["commit", "--quiet", "--message", "a release"]);
        git(&["tag", REF]);
        git(&["push", "--quiet", &self.git_url(name), "main", REF]);
    }

    /// Pushes what is checked out to the branch of the pull request, which is opened with the first push.
    pub(crate) fn push(&self, shop: &Shop, first: bool) {
        shop.git(&[
            "push",
            "--quiet",
            &self.git_url(REPOSITORY),
            "HEAD:new-topic",
        ]);
        if first {
            let pull = json!({"head": "new-topic", "base": "main", "title": "A change"});
            // It takes the forge a moment to know a branch that was pushed.
            let made = eventually("the pull request is open", || {
                let made = self.try_ask("POST", &format!("repos/{REPOSITORY}/pulls"), &pull);
                made.ok()
            });
            assert_eq!(made["number"], PR);
        }
    }

    /// All runs, when there are so many and all have ended; the oldest first.
    pub(crate) fn runs(&self, count: usize) -> Vec<Run> {
        let list = format!("repos/{REPOSITORY}/actions/runs");
        eventually(&format!("{count} runs have ended"), || {
            let answer = self.ask("GET", &list, &Value::Null);
            let runs = answer["workflow_runs"].as_array().expect("a list");
            // A run with a job that failed is called completed, while others of its jobs go on.
            let runs: Option<Vec<Run>> = runs.iter().map(|run| self.run(run)).collect();
            let Some(mut runs) = runs.filter(|runs| runs.len() >= count) else {
                std::thread::sleep(Duration::from_millis(200));
                return None;
            };
            runs.reverse();
            Some(runs)
        })
    }

    /// A run, once all its jobs have ended.
    fn run(&self, run: &Value) -> Option<Run> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let path = format!("repos/{REPOSITORY}/actions/runs/{}/jobs", run["id"]);
        let jobs = self.ask("GET", &path, &Value::Null);
        let jobs = jobs["jobs"].as_array().expect("a list");
        let ended = |document: &Value| document["status"] == "completed";
        (ended(run) && jobs.iter().all(ended)).then(|| Run {
            sha: text(&run["head_sha"]),
            conclusion: text(&run["conclusion"]),
            jobs: jobs
                .iter()
                .map(|job| (text(&job["name"]), text(&job["conclusion"])))
                .collect(),
        })
    }

    /// Waits until a run is in the middle of its build.
    pub(crate) fn builds(&self, sha: &str) {
        eventually("it builds", || {
            let running = self.ask(
                "GET",
                &format!("repos/{REPOSITORY}/actions/runs"),
                &Value::Null,
            );
            let running = running["workflow_runs"]
                .as_array()
                .expect("a list")
                .iter()
                .any(|run| {
                    run["head_sha"] == sha
                        && run["status"] != "queued"
                        && run["status"] != "waiting"
                });
            running.then_some(())
        });
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        self.try_ask(method, path, body)
            .unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    fn try_ask(&self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        let url = format!("http://{}/api/v1/{path}", self.address);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.expect("a runtime").block_on(async {
            let method = method.parse().expect("a method of HTTP");
            let mut request = reqwest::Client::new()
                .request(method, url)
                .basic_auth(USER, Some(PASSWORD));
            if !body.is_null() {
                request = request
                    .header("content-type", "application/json")
                    .body(body.to_string());
            }
            let answer = request.send().await.map_err(|error| error.to_string())?;
            let status = answer.status();
            let text = answer.text().await.map_err(|error| error.to_string())?;
            if !status.is_success() {
                return Err(format!("{status}: {text}"));
            }
            Ok(serde_json::from_str(&text).unwrap_or_default())
        })
    }
}

impl Drop for Forge {
    fn drop(&mut self) {
        for program in self.programs.iter_mut().rev() {
            drop(program.kill());
            drop(program.wait());
        }
        if std::thread::panicking() {
            for log in ["gitea.log", "runner.log"] {
                let text = fs::read_to_string(self.path(log)).unwrap_or_default();
                eprintln!("--- {log}\n{text}");
            }
        }
    }
}

/// A program of PATH, with no link on the way.
fn which(name: &str) -> std::path::PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found =
        std::env::split_paths(&path).find_map(|folder| folder.join(name).canonicalize().ok());
    found.unwrap_or_else(|| panic!("no {name}: `cargo xtask test actions` builds it"))
}

mod tests {
    use super::Forge;
    use crate::shop::{APP, ONE, Shop, TWO};

    #[test]
    fn a_callers_last_job_runs_and_the_newest_push_ends_the_older_run() {
        let shop = Shop::new("minimal.yml", APP, ONE);
        shop.change_workflow(|text| {
            let text = text.replace(
                "    uses: koder-cat",
                "    concurrency: {group: \"preview-${{ github.event.number }}\", cancel-in-progress: true}\n    uses: koder-cat",
            );
            text + "  after:\n    needs: preview\n    if: always()\n    runs-on: ubuntu-24.04\n    steps:\n      - run: echo after\n"
        });
        let forge = Forge::new(&shop);

        shop.push("app: {prot: 8080}\n", ONE);
        forge.push(&shop, true);
        let runs = forge.runs(1);
        assert_eq!(runs[0].conclusion, "failure", "{runs:#?}");
        let after = ("after".to_owned(), "success".to_owned());
        assert!(runs[0].jobs.contains(&after), "{runs:#?}");
        shop.comment_says(&["The configuration is not valid", "k8s-ee.yaml"]);

        shop.hold(true);
        let older = shop.push(APP, ONE);
        forge.push(&shop, false);
        forge.builds(&older);
        shop.hold(false);
        let newer = shop.push(APP, TWO);
        forge.push(&shop, false);
        let runs = forge.runs(3);
        assert_eq!(
            (runs[1].sha.as_str(), runs[1].conclusion.as_str()),
            (older.as_str(), "cancelled"),
            "{runs:#?}"
        );
        assert_eq!(
            (runs[2].sha.as_str(), runs[2].conclusion.as_str()),
            (newer.as_str(), "success"),
            "{runs:#?}"
        );
        shop.comment_says(&["Preview is running", &newer[..7]]);
        shop.shows_version(2);
    }
}
