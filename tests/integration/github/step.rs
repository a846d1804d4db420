//! A step of a run of Actions: the real binary with the variables and files that a runner gives it, and what it leaves.

use std::{
    fs,
    process::{Child, Command, Stdio},
    sync::Arc,
};

use github_fake::{
    GithubFake,
    world::{Comment, Pull},
};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::TOKEN;
use crate::common::Printed;

pub(crate) const BOT: &str = "github-actions[bot]";
pub(crate) const OLD: &str = "1111111111111111111111111111111111111111";

/// A step of a run of Actions.
pub(crate) struct Step {
    pub(crate) dir: Arc<TempDir>,
    env: Vec<(&'static str, String)>,
}

/// What it ended with.
pub(crate) struct Ended {
    pub(crate) printed: Printed,
    outputs: Vec<(String, String)>,
    pub(crate) summary: String,
}

impl Ended {
    pub(crate) fn output(&self, name: &str) -> &str {
        let found = self.outputs.iter().find(|(known, _)| known == name);
        let found = found.unwrap_or_else(|| panic!("no output {name}\n{}", self.printed.both()));
        &found.1
    }
}

/// Pull request 7 as an event has it.
pub(crate) fn pull_request(action: &str, sha: &str) -> Value {
    let side = |sha: &str, branch: &str| json!({"sha": sha, "ref": branch, "repo": {"full_name": "acme/shop"}});
    json!({
        "action": action,
        "pull_request": {
            "number": 7, "title": "`x` @everyone", "state": "open", "user": {"login": "octocat"},
            "head": side(sha, "new-topic"), "base": side(OLD, "main"),
        },
    })
}

/// A comment with a command under it.
pub(crate) fn command(id: u64, text: &str) -> Value {
    json!({
        "action": "created",
        "issue": {"number": 7, "pull_request": {}},
        "comment": {"id": id, "body": text, "user": {"login": "octocat"}},
    })
}

impl Step {
    pub(crate) fn new(fake: &str, run: u64, event: &str, payload: &Value) -> Self {
        let dir = Arc::new(TempDir::new().expect("a temporary folder"));
        let path = |name: &str| dir.path().join(name).display().to_string();
        fs::write(dir.path().join("event.json"), payload.to_string()).expect("it is written");
        let env = vec![
            ("GITHUB_ACTIONS", "true".to_owned()),
            ("GITHUB_EVENT_NAME", event.to_owned()),
            ("GITHUB_EVENT_PATH", path("event.json")),
            ("GITHUB_REPOSITORY", "acme/shop".to_owned()),
            ("GITHUB_RUN_ID", run.to_string()),
            ("GITHUB_API_URL", fake.to_owned()),
            ("GITHUB_SERVER_URL", "https://github.com".to_owned()),
            ("GITHUB_TOKEN", TOKEN.to_owned()),
            ("GITHUB_OUTPUT", path("output")),
            ("GITHUB_STEP_SUMMARY", path("summary")),
            ("GITHUB_WORKSPACE", dir.path().display().to_string()),
        ];
        let step = Self { dir, env };
        step.file("k8s-ee.yaml", "projectId: shop\napp:\n  port: 8080\n")
    }

    /// One for the newest commit.
    pub(crate) fn of_push(fake: &GithubFake, run: u64) -> Self {
        let payload = pull_request("synchronize", &Pull::default().sha);
        Self::new(fake.url(), run, "pull_request", &payload)
    }

    pub(crate) fn file(self, name: &str, text: &str) -> Self {
        fs::write(self.dir.path().join(name), text).expect("it is written");
        self
    }

    pub(crate) fn env(mut self, name: &'static str, value: &str) -> Self {
        self.env.retain(|(known, _)| *known != name);
        self.env.push((name, value.to_owned()));
        self
    }

    pub(crate) fn start(&self, args: &[&str]) -> Child {
        Command::new(env!("CARGO_BIN_EXE_k8s-ee"))
            .args(args)
            .current_dir(self.dir.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.dir.path())
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary that cargo has built can be started")
    }

    pub(crate) fn exits(&self, code: i32, args: &[&str]) -> Ended {
        self.end(self.start(args), code)
    }

    pub(crate) fn end(&self, child: Child, code: i32) -> Ended {
        let output = child.wait_with_output().expect("it ends");
        let text = |bytes| String::from_utf8(bytes).expect("k8s-ee prints UTF-8");
        let printed = Printed {
            stdout: text(output.stdout),
            stderr: text(output.stderr),
            dir: Arc::clone(&self.dir),
        };
        assert_eq!(output.status.code(), Some(code), "{}", printed.both());
        assert!(!printed.both().contains(TOKEN), "{}", printed.both());
        let read = |name: &str| fs::read_to_string(self.dir.path().join(name)).unwrap_or_default();
        let outputs = read("output");
        let mut lines = outputs.lines();
        let mut parsed = Vec::new();
        while let Some(head) = lines.next() {
            let (name, delimiter) = head.split_once("<<").expect("a heredoc");
            let value: Vec<&str> = lines
                .by_ref()
                .take_while(|line| *line != delimiter)
                .collect();
            parsed.push((name.to_owned(), value.join("\n")));
        }
        Ended {
            printed,
            outputs: parsed,
            summary: read("summary"),
        }
    }
}

/// Our comments under pull request 7, the oldest first.
pub(crate) fn ours(fake: &GithubFake) -> Vec<Comment> {
    fake.with(|world| {
        let comments = world.repository("acme/shop").comments.values();
        comments
            .filter(|comment| comment.author == BOT)
            .cloned()
            .collect()
    })
}

/// The one comment.
pub(crate) fn comment(fake: &GithubFake) -> String {
    let ours = ours(fake);
    assert_eq!(ours.len(), 1, "{ours:#?}");
    ours[0].body.clone()
}

/// Its first line that is seen.
pub(crate) fn state(fake: &GithubFake) -> String {
    comment(fake).lines().nth(2).unwrap_or_default().to_owned()
}

/// States of the commit, the oldest first.
pub(crate) fn statuses(fake: &GithubFake) -> Vec<(String, String)> {
    fake.with(|world| {
        let all = &world.repository("acme/shop").statuses;
        all.iter()
            .map(|status| (status.context.clone(), status.state.clone()))
            .collect()
    })
}

/// A file with a mistake in it.
pub(crate) const INVALID: &str = "projectId: shop\napp:\n  prot: 8080\n";

/// The kubeconfig of a cluster at this address.
pub(crate) fn kubeconfig(server: &str) -> String {
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "fake",
        "contexts": [{"name": "fake", "context": {"cluster": "fake", "user": "deployer"}}],
        "clusters": [{"name": "fake", "cluster": {"server": server}}],
        "users": [{"name": "deployer", "user": {}}],
    })
    .to_string()
}
