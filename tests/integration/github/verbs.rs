//! The verbs in a run of Actions: what they find out, and what GitHub is told of them, whatever happens to it.

use std::{
    fs,
    process::{Child, Command, Stdio},
    sync::Arc,
};

use github_fake::{
    Fault, GithubFake, Trouble,
    world::{Access, Comment, Pull, Token as Holder, World},
};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{TOKEN, count, world};
use crate::common::Printed;

const BOT: &str = "github-actions[bot]";
const OLD: &str = "1111111111111111111111111111111111111111";

/// A step of a run of Actions.
struct Step {
    dir: Arc<TempDir>,
    env: Vec<(&'static str, String)>,
}

/// What it ended with.
struct Ended {
    printed: Printed,
    outputs: Vec<(String, String)>,
    summary: String,
}

impl Ended {
    fn output(&self, name: &str) -> &str {
        let found = self.outputs.iter().find(|(known, _)| known == name);
        let found = found.unwrap_or_else(|| panic!("no output {name}\n{}", self.printed.both()));
        &found.1
    }
}

/// Pull request 7 as an event has it.
fn pull_request(action: &str, sha: &str) -> Value {
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
fn command(id: u64, text: &str) -> Value {
    json!({
        "action": "created",
        "issue": {"number": 7, "pull_request": {}},
        "comment": {"id": id, "body": text, "user": {"login": "octocat"}},
    })
}

impl Step {
    fn new(fake: &str, run: u64, event: &str, payload: &Value) -> Self {
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
    fn of_push(fake: &GithubFake, run: u64) -> Self {
        let payload = pull_request("synchronize", &Pull::default().sha);
        Self::new(fake.url(), run, "pull_request", &payload)
    }

    fn file(self, name: &str, text: &str) -> Self {
        fs::write(self.dir.path().join(name), text).expect("it is written");
        self
    }

    fn env(mut self, name: &'static str, value: &str) -> Self {
        self.env.retain(|(known, _)| *known != name);
        self.env.push((name, value.to_owned()));
        self
    }

    fn start(&self, args: &[&str]) -> Child {
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

    fn exits(&self, code: i32, args: &[&str]) -> Ended {
        self.end(self.start(args), code)
    }

    fn end(&self, child: Child, code: i32) -> Ended {
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
fn ours(fake: &GithubFake) -> Vec<Comment> {
    fake.with(|world| {
        let comments = world.repository("acme/shop").comments.values();
        comments
            .filter(|comment| comment.author == BOT)
            .cloned()
            .collect()
    })
}

/// The one comment.
fn comment(fake: &GithubFake) -> String {
    let ours = ours(fake);
    assert_eq!(ours.len(), 1, "{ours:#?}");
    ours[0].body.clone()
}

/// Its first line that is seen.
fn state(fake: &GithubFake) -> String {
    comment(fake).lines().nth(2).unwrap_or_default().to_owned()
}

/// States of the commit, the oldest first.
fn statuses(fake: &GithubFake) -> Vec<(String, String)> {
    fake.with(|world| {
        let all = &world.repository("acme/shop").statuses;
        all.iter()
            .map(|status| (status.context.clone(), status.state.clone()))
            .collect()
    })
}

const INVALID: &str = "projectId: shop\napp:\n  prot: 8080\n";

#[test]
fn a_valid_file_tells_later_jobs_what_they_need() {
    let fake = GithubFake::start(world());
    let step = Step::of_push(&fake, 1).file(
        "k8s-ee.yaml",
        "projectId: shop\napp: {port: 8080}\nimage: {context: web}\ndatabases: {redis: true, minio: {enabled: false}}\n",
    );
    let ended = step.exits(
        0,
        &["validate", "--domain", "preview.example.com", "-o", "json"],
    );
    let config = json!({
        "projectId": "shop", "app": {"port": 8080}, "image": {"context": "web"},
        "databases": {"redis": true, "minio": {"enabled": false}},
    });
    let builds = json!([{
        "service": "app", "context": "web", "dockerfile": "Dockerfile", "image": "ghcr.io/acme/shop/shop",
    }]);
    for (name, value) in [
        ("valid", "true"),
        ("project-id", "shop"),
        ("namespace", "shop-pr-7"),
        ("preview-url", "https://shop-pr-7.preview.example.com"),
        ("app-port", "8080"),
        ("health-path", "/health"),
        ("image-context", "web"),
        ("image-dockerfile", "Dockerfile"),
        ("config-json", &config.to_string()),
        ("builds", &builds.to_string()),
        ("postgresql-enabled", "false"),
        ("mongodb-enabled", "false"),
        ("redis-enabled", "true"),
        ("minio-enabled", "false"),
        ("mariadb-enabled", "false"),
    ] {
        assert_eq!(ended.output(name), value, "{name}");
    }
    let json = ended.printed.json();
    assert_eq!(json["namespace"], "shop-pr-7");
    assert_eq!(json["builds"], builds);
    // There is nothing to say about it yet.
    assert!(ours(&fake).is_empty() && statuses(&fake).is_empty());
}

#[test]
fn mistakes_are_told_with_their_lines_in_the_one_comment() {
    let fake = GithubFake::start(world());
    fake.with(|world| {
        for number in 0..249 {
            world.comment("acme/shop", 7, "octocat", &format!("comment {number}"));
        }
    });
    for run in [1, 2] {
        let ended = Step::of_push(&fake, run)
            .file("k8s-ee.yaml", INVALID)
            .exits(3, &["validate"]);
        assert_eq!(ended.output("valid"), "false");
        assert!(
            ended
                .printed
                .stderr
                .contains("::error file=k8s-ee.yaml,line=3"),
            "{}",
            ended.printed.both()
        );
        assert!(
            ended.summary.contains("unknown key `prot`"),
            "{}",
            ended.summary
        );
    }
    let said = comment(&fake);
    assert!(
        said.contains("### 🔴 The configuration is not valid"),
        "{said}"
    );
    let sha = Pull::default().sha;
    let place =
        format!("[`k8s-ee.yaml:3`](https://github.com/acme/shop/blob/{sha}/k8s-ee.yaml#L3)");
    assert!(
        said.contains(&place) && said.contains("did you mean `port`?"),
        "{said}"
    );
    assert_eq!(
        statuses(&fake),
        vec![("k8s-ee".to_owned(), "failure".to_owned()); 2]
    );
}

#[test]
fn two_runs_at_once_leave_one_comment() {
    let fake = GithubFake::start(world());
    let steps: Vec<Step> = (1..=3)
        .map(|run| Step::of_push(&fake, run).file("k8s-ee.yaml", INVALID))
        .collect();
    let running: Vec<Child> = steps.iter().map(|step| step.start(&["validate"])).collect();
    for (step, child) in steps.iter().zip(running) {
        step.end(child, 3);
    }
    // Of comments that were written at the same moment the next run leaves one, if they did not themselves.
    Step::of_push(&fake, 4)
        .file("k8s-ee.yaml", INVALID)
        .exits(3, &["validate"]);
    comment(&fake);
}

#[test]
fn an_older_run_that_ends_later_changes_nothing() {
    let fake = GithubFake::start(world());
    let settle = |run, sha: &str, args: &[&str]| {
        let step = Step::new(
            fake.url(),
            run,
            "pull_request",
            &pull_request("synchronize", sha),
        );
        step.exits(
            0,
            &[
                &["comment", "--preview-url", "https://shop-pr-7.example.org"],
                args,
            ]
            .concat(),
        )
    };
    let ended = settle(
        5,
        &Pull::default().sha,
        &["--job", "deploy=success", "--state", "running"],
    );
    assert_eq!(ended.output("state"), "running");
    assert!(ended.output("comment-url").contains("#issuecomment-"));
    let before = comment(&fake);
    assert!(before.contains("### 🟢 Preview is running"), "{before}");
    // Its commit is not the head any more, even if its number is higher, as after "run again".
    for run in [4, 9] {
        let ended = settle(
            run,
            OLD,
            &["--job", "build=failure", "--job", "deploy=skipped"],
        );
        assert!(
            ended.printed.stderr.contains("it is of a newer run"),
            "{}",
            ended.printed.both()
        );
        assert_eq!(ended.output("comment-id"), "");
    }
    assert_eq!(comment(&fake), before);
}

#[test]
fn the_last_job_tells_what_no_other_could() {
    for (jobs, expected) in [
        (
            &["validate=success", "build=failure", "deploy=skipped"][..],
            "### 🔴 Preview did not come up",
        ),
        (
            &["validate=success", "build=cancelled", "deploy=skipped"],
            "### ⚪ The run was cancelled before the preview was up",
        ),
        (
            &["validate=failure", "build=skipped"],
            "### 🔴 The configuration is not valid",
        ),
        (
            &["validate=success", "deploy=success"],
            "### 🟢 Preview is running",
        ),
        (&["destroy=success"], "### ⚫ Preview is gone"),
        (&["destroy=failure"], "### 🔴 Preview could not be removed"),
    ] {
        let fake = GithubFake::start(world());
        let mut args = vec!["comment"];
        for job in jobs {
            args.extend(["--job", *job]);
        }
        Step::of_push(&fake, 1).exits(0, &args);
        assert_eq!(state(&fake), expected, "{jobs:?}");
        // Once more it says the same.
        let writes = count(&fake, "PATCH", "");
        Step::of_push(&fake, 1).exits(0, &args);
        assert_eq!(count(&fake, "PATCH", ""), writes, "{jobs:?}");
    }
    // When nothing happened, nothing is said.
    let fake = GithubFake::start(world());
    Step::of_push(&fake, 1).exits(
        0,
        &[
            "comment",
            "--job",
            "validate=success",
            "--job",
            "deploy=skipped",
        ],
    );
    assert!(ours(&fake).is_empty());
}

#[test]
fn a_run_that_was_cancelled_is_put_right_by_the_next() {
    let fake = GithubFake::start(world());
    let settle = |run, args: &[&str]| {
        Step::of_push(&fake, run).exits(0, &[&["comment"], args].concat());
        state(&fake)
    };
    assert_eq!(
        settle(1, &["--job", "deploy=cancelled"]),
        "### ⚪ The run was cancelled before the preview was up"
    );
    assert_eq!(
        settle(2, &["--job", "deploy=success", "--state", "running"]),
        "### 🟢 Preview is running"
    );
    // A person deletes it; the next run writes it anew.
    fake.with(|world| world.repository("acme/shop").comments.clear());
    assert_eq!(
        settle(2, &["--job", "deploy=success", "--state", "running"]),
        "### 🟢 Preview is running"
    );
    // Cancelled again, it says that something is still there.
    assert_eq!(
        settle(3, &["--job", "deploy=cancelled"]),
        "### 🟠 The update was cancelled, it may be half-done"
    );
    assert_eq!(
        settle(4, &["--job", "destroy=success", "--state", "gone"]),
        "### ⚫ Preview is gone"
    );
}

#[test]
fn trouble_that_passes_is_not_noticed() {
    for trouble in [
        Trouble::Primary(1),
        Trouble::Secondary(1),
        Trouble::Status(500),
        Trouble::Status(502),
        Trouble::Close,
    ] {
        let fake = GithubFake::start(world());
        fake.trouble(Fault::new(trouble).on("GET", "/comments"));
        fake.trouble(Fault::new(trouble).on("POST", "/statuses/"));
        let ended = Step::of_push(&fake, 1)
            .file("k8s-ee.yaml", INVALID)
            .exits(3, &["validate"]);
        assert!(
            !ended.printed.stderr.contains("::warning"),
            "{trouble:?}: {}",
            ended.printed.both()
        );
        assert!(comment(&fake).contains("not valid"), "{trouble:?}");
        assert_eq!(statuses(&fake).len(), 1, "{trouble:?}");
    }
}

#[test]
fn github_that_is_down_is_told_and_changes_nothing() {
    let fake = GithubFake::start(world());
    fake.trouble(Fault::new(Trouble::Primary(3600)).times(99));
    let ended = Step::of_push(&fake, 1)
        .file("k8s-ee.yaml", INVALID)
        .exits(3, &["validate"]);
    let stderr = &ended.printed.stderr;
    assert!(
        stderr.contains("the requests of this hour are used up"),
        "{stderr}"
    );
    assert!(stderr.contains("::warning title=k8s-ee::"), "{stderr}");
    assert!(stderr.contains("nothing else depends on it"), "{stderr}");
    assert_eq!(ended.output("valid"), "false");
    assert!(ours(&fake).is_empty());
    // What only writes the comment says that it did not.
    let ended = Step::of_push(&fake, 1).exits(1, &["comment", "--job", "build=failure"]);
    assert!(
        ended.printed.stderr.starts_with("error: cannot"),
        "{}",
        ended.printed.both()
    );
}

#[test]
fn the_permission_that_is_missing_is_named() {
    let mut world = world();
    let reader = Holder::actions(&[("contents", Access::Read), ("pull_requests", Access::Read)]);
    world.tokens.insert(TOKEN.to_owned(), reader);
    let fake = GithubFake::start(world);
    let ended = Step::of_push(&fake, 1)
        .file("k8s-ee.yaml", INVALID)
        .exits(3, &["validate"]);
    let stderr = &ended.printed.stderr;
    assert!(
        stderr.contains("`permissions: { pull-requests: write }`"),
        "{stderr}"
    );
    assert!(
        stderr.contains("`permissions: { statuses: write }`"),
        "{stderr}"
    );
}

#[test]
fn a_run_for_a_fork_does_not_try() {
    let fake = GithubFake::start(world());
    let mut payload = pull_request("synchronize", &Pull::default().sha);
    payload["pull_request"]["head"]["repo"]["full_name"] = "mallory/shop".into();
    let step = Step::new(fake.url(), 1, "pull_request", &payload).file("k8s-ee.yaml", INVALID);
    let ended = step.exits(3, &["validate"]);
    assert!(
        ended.printed.stderr.contains("from a fork may only read"),
        "{}",
        ended.printed.both()
    );
    step.exits(0, &["comment", "--job", "validate=failure"]);
    assert!(fake.requests().iter().all(|asked| asked.method == "GET"));
}

#[test]
fn without_a_token_the_rest_works() {
    let fake = GithubFake::start(world());
    let step = Step::of_push(&fake, 1)
        .file("k8s-ee.yaml", INVALID)
        .env("GITHUB_TOKEN", "");
    let ended = step.exits(3, &["validate"]);
    assert!(
        ended.printed.stderr.contains("there is no token"),
        "{}",
        ended.printed.both()
    );
    assert_eq!(ended.output("valid"), "false");
    assert!(ended.summary.contains("prot"), "{}", ended.summary);
    assert!(fake.requests().is_empty());
}

#[test]
fn after_a_command_github_is_asked_for_the_commit_and_the_command_gets_its_answer() {
    let mut world: World = world();
    let id = world.comment("acme/shop", 7, "octocat", "/destroy-preview");
    let fake = GithubFake::start(world);
    let step = Step::new(
        fake.url(),
        1,
        "issue_comment",
        &command(id, "/destroy-preview"),
    );
    step.exits(
        0,
        &["comment", "--job", "destroy=success", "--state", "gone"],
    );
    let said = comment(&fake);
    assert!(said.contains(&Pull::default().sha[..7]), "{said}");
    let reactions = fake.with(|world| {
        world.repository("acme/shop").comments[&id]
            .reactions
            .clone()
    });
    let reactions: Vec<&str> = reactions
        .iter()
        .map(|reaction| reaction.content.as_str())
        .collect();
    assert_eq!(reactions, ["rocket"]);
}

#[test]
fn a_cluster_that_cannot_be_reached_is_the_reason_that_is_told() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let address = listener.local_addr().expect("it has an address");
    drop(listener);
    let fake = GithubFake::start(world());
    let ended = Step::of_push(&fake, 1)
        .file("kubeconfig", &kubeconfig(&format!("http://{address}")))
        .env("KUBECONFIG", "kubeconfig")
        .exits(
            4,
            &["up", "--image", "shop:1", "--domain", "preview.example.com"],
        );
    let said = comment(&fake);
    assert!(said.contains("### 🔴 Preview did not come up"), "{said}");
    assert!(
        said.contains("cannot reach the API server") && said.contains("💡"),
        "{said}"
    );
    for (name, value) in [
        ("state", "failed"),
        ("release-status", "failed"),
        ("changed", "false"),
    ] {
        assert_eq!(ended.output(name), value, "{name}");
    }
    assert!(
        ended.summary.contains("cannot reach the API server"),
        "{}",
        ended.summary
    );
}

#[test]
fn a_run_that_is_told_to_stop_says_so_before_it_goes() {
    // An API server that never answers.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let address = listener.local_addr().expect("it has an address");
    let fake = GithubFake::start(world());
    let step = Step::of_push(&fake, 1)
        .file("kubeconfig", &kubeconfig(&format!("http://{address}")))
        .env("KUBECONFIG", "kubeconfig");
    let child = step.start(&["up", "--image", "shop:1", "--domain", "preview.example.com"]);
    // It is at work once it has asked.
    let asked = listener.accept().expect("it asks");
    let stopped = Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status();
    assert!(stopped.expect("kill can be started").success());
    let begun = std::time::Instant::now();
    let ended = step.end(child, 130);
    // A runner kills it after 10 seconds.
    assert!(begun.elapsed().as_secs_f64() < 9.0, "{:?}", begun.elapsed());
    drop(asked);
    assert_eq!(
        state(&fake),
        "### ⚪ The run was cancelled before the preview was up"
    );
    assert_eq!(ended.output("state"), "failed");
}

#[test]
fn a_broken_template_is_told_with_its_line_and_another_is_used() {
    let fake = GithubFake::start(world());
    let step = Step::of_push(&fake, 1).file("k8s-ee.yaml", INVALID);
    for (text, place) in [
        ("{{ state }}\n{% if %}", "mine.j2:2"),
        ("\n\n{{ nothing }}", "mine.j2:3"),
    ] {
        let step_args = ["validate", "--comment-template", "mine.j2"];
        fs::write(step.dir.path().join("mine.j2"), text).expect("it is written");
        let ended = step.exits(3, &step_args);
        assert!(
            ended
                .printed
                .stderr
                .contains(&format!("the template {place} cannot be used")),
            "{}",
            ended.printed.both()
        );
        assert!(comment(&fake).contains("### 🔴 The configuration is not valid"));
    }
    fs::write(step.dir.path().join("mine.j2"), "It is {{ state|code }}.").expect("it is written");
    step.exits(3, &["validate", "--comment-template", "mine.j2"]);
    assert_eq!(state(&fake), "It is `invalid`.");
}

#[test]
fn a_comment_for_each_commit_where_that_is_wanted() {
    let fake = GithubFake::start(world());
    let tell = |run, sha: &str, job: &str| {
        fake.with(|world| {
            sha.clone_into(
                &mut world
                    .repository("acme/shop")
                    .pulls
                    .get_mut(&7)
                    .expect("it is there")
                    .sha,
            )
        });
        let step = Step::new(
            fake.url(),
            run,
            "pull_request",
            &pull_request("synchronize", sha),
        );
        step.env("K8S_EE_COMMENT", "new")
            .exits(0, &["comment", "--job", job]);
    };
    let new = Pull::default().sha;
    tell(1, OLD, "build=failure");
    tell(1, OLD, "build=failure");
    tell(2, &new, "build=failure");
    tell(3, &new, "deploy=success");
    let ours = ours(&fake);
    let shown: Vec<(bool, bool)> = ours
        .iter()
        .map(|comment| (comment.hidden, comment.body.contains("Preview is running")))
        .collect();
    assert_eq!(shown, [(true, false), (false, true)]);

    let step = Step::of_push(&fake, 4).file("k8s-ee.yaml", INVALID);
    let before = fake.requests().len();
    step.exits(3, &["validate", "--comment", "off"]);
    assert!(
        fake.requests()[before..]
            .iter()
            .all(|asked| !asked.path.ends_with("/comments"))
    );
}

#[test]
fn by_hand_it_takes_a_token_and_the_flags() {
    let fake = GithubFake::start(world());
    let step = Step::of_push(&fake, 1)
        .env("GITHUB_ACTIONS", "false")
        .env("GITHUB_TOKEN", super::PERSONAL);
    let args = [
        "comment",
        "--repository",
        "acme/shop",
        "--pr",
        "7",
        "--job",
        "deploy=success",
        "-o",
        "json",
    ];
    let ended = step.exits(0, &args);
    crate::pages::assert_documented("comment", &documented(ended.printed.json()));
    let refused = step.env("GITHUB_TOKEN", "").exits(1, &args);
    assert!(
        refused.printed.stderr.contains("hint: set GITHUB_TOKEN"),
        "{}",
        refused.printed.both()
    );
}

fn documented(mut json: Value) -> Value {
    assert!(json["commentId"].is_u64());
    json["commentId"] = 4711.into();
    json["commentUrl"] = "https://github.com/acme/shop/pull/7#issuecomment-4711".into();
    json
}

fn kubeconfig(server: &str) -> String {
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "fake",
        "contexts": [{"name": "fake", "context": {"cluster": "fake", "user": "deployer"}}],
        "clusters": [{"name": "fake", "cluster": {"server": server}}],
        "users": [{"name": "deployer", "user": {}}],
    })
    .to_string()
}
