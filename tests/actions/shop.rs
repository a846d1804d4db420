//! A repository with a pull request, on a GitHub with a memory, whose workflow is one of our starters.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
};

use github_fake::{
    GithubFake,
    world::{Comment, Pull, Reaction, Role, Token, World},
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    act::{self, Ran, Running},
    harness::{DOMAIN, eventually, http, kubectl, root},
};

pub(crate) const REPOSITORY: &str = "acme/shop";
pub(crate) const FORK: &str = "stranger/shop";
pub(crate) const BOT: &str = "github-actions[bot]";
/// The pull request.
pub(crate) const PR: u64 = 1;
/// A token that must never be seen.
pub(crate) const TOKEN: &str = "ghs_not-to-be-printed";
/// What another secret holds, which must be seen even less.
pub(crate) const SECRET: &str = "only-the-owners-know";
const MARKER: &str = "<!-- k8s-ee-pr-env -->";

/// What files say after their `projectId`.
pub(crate) const APP: &str = "app: {port: 8080}\n";
/// Two versions of the image that is "built".
pub(crate) const ONE: &str = "registry.test/hello:1";
pub(crate) const TWO: &str = "registry.test/hello:2";

/// The jobs of a deploy.
pub(crate) const DEPLOYED: [(&str, &str); 6] = [
    ("decide", "success"),
    ("validate", "success"),
    ("prepare", "success"),
    ("build", "success"),
    ("deploy", "success"),
    ("comment", "success"),
];

/// The jobs of a removal.
pub(crate) const DESTROYED: [(&str, &str); 3] = [
    ("decide", "success"),
    ("destroy", "success"),
    ("comment", "success"),
];

/// The repository: what is checked out, and what GitHub remembers.
pub(crate) struct Shop {
    /// `projectId`.
    pub(crate) id: String,
    pub(crate) github: GithubFake,
    checkout: TempDir,
    pub(crate) kubeconfig: String,
}

impl Shop {
    /// Its pull request has a workflow like this starter, this file (after `projectId`), and is built as this image.
    pub(crate) fn new(starter: &str, yaml: &str, image: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let random = jiff::Timestamp::now().subsec_nanosecond() as u32 ^ std::process::id();
        let count = NEXT.fetch_add(1, Ordering::Relaxed);
        let id = format!("a{:x}-{count}", random & 0xff_ffff);
        let mut world = World::default();
        world.tokens.insert(TOKEN.to_owned(), Token::writer());
        let repository = world.repository(REPOSITORY);
        repository.pulls.insert(PR, Pull::default());
        let role = |name: &str| Role {
            permission: name.to_owned(),
            name: name.to_owned(),
        };
        repository.collaborators = [("octocat", "write"), ("reader", "read")]
            .map(|(login, name)| (login.to_owned(), role(name)))
            .into();
        let shop = Self {
            id,
            github: GithubFake::start(world),
            checkout: TempDir::new().expect("a temporary directory"),
            kubeconfig: kubeconfig(),
        };
        let workflows = shop.checkout.path().join(".github/workflows");
        fs::create_dir_all(&workflows).expect("a folder");
        let starter = root().join("workflows").join(starter);
        fs::copy(starter, workflows.join("preview.yml")).expect("a starter of ours");
        shop.git(&["init", "--quiet"]);
        shop.git(&[
            "remote",
            "add",
            "origin",
            &format!("https://github.com/{REPOSITORY}"),
        ]);
        shop.push(yaml, image);
        shop
    }

    /// A commit on the branch of the pull request.
    pub(crate) fn push(&self, yaml: &str, image: &str) -> String {
        let text = format!("projectId: {}\n{yaml}", self.id);
        fs::write(self.checkout.path().join("k8s-ee.yaml"), &text).expect("it is written");
        fs::write(self.checkout.path().join("image"), image).expect("it is written");
        self.git(&["add", "--all"]);
        self.git(&[
            "commit",
            "--quiet",
            "--allow-empty",
            "--message",
            "a commit",
        ]);
        let sha = self.git(&["rev-parse", "HEAD"]).trim().to_owned();
        self.github.with(|world| {
            let repository = world.repository(REPOSITORY);
            let files = [("k8s-ee.yaml".to_owned(), text)];
            repository.files.insert(sha.clone(), files.into());
            let pull = repository.pulls.get_mut(&PR).expect("it is there");
            pull.sha.clone_from(&sha);
        });
        sha
    }

    /// Changes the pull request.
    pub(crate) fn pull(&self, change: impl FnOnce(&mut Pull)) {
        self.github.with(|world| {
            let pulls = &mut world.repository(REPOSITORY).pulls;
            change(pulls.get_mut(&PR).expect("it is there"));
        });
    }

    /// Runs the workflow for something that happened to the pull request, to its end.
    pub(crate) fn run(&self, action: &str) -> Ran {
        self.start(action, false).wait()
    }

    /// The same, and leaves it running; `held` until its build is released.
    pub(crate) fn start(&self, action: &str, held: bool) -> Running {
        if action == "closed" {
            self.pull(|pull| pull.open = false);
        }
        let event = json!({
            "action": action,
            "number": PR,
            "pull_request": self.document(&format!("pulls/{PR}")),
            "repository": self.document(""),
            "sender": {"login": "octocat"},
        });
        self.start_on("pull_request", &event, held)
    }

    /// Runs it for a comment of somebody.
    pub(crate) fn comment(&self, author: &str, text: &str) -> Ran {
        let id = self
            .github
            .with(|world| world.comment(REPOSITORY, PR, author, text));
        let comments = self.document(&format!("issues/{PR}/comments?per_page=100"));
        let comments = comments.as_array().expect("a list");
        let comment = comments.iter().find(|comment| comment["id"] == id);
        let event = json!({
            "action": "created",
            "issue": {"number": PR, "pull_request": {"url": "https://api.github.com/pulls"}},
            "comment": comment.expect("it was just written"),
            "repository": self.document(""),
            "sender": {"login": author},
        });
        self.start_on("issue_comment", &event, false).wait()
    }

    /// Runs it after the run of another workflow for the pull request.
    pub(crate) fn run_after(&self, conclusion: &str) -> Ran {
        let pull = self.document(&format!("pulls/{PR}"));
        let event = json!({
            "action": "completed",
            "workflow_run": {
                "id": 99,
                "event": "pull_request",
                "conclusion": conclusion,
                "head_sha": pull["head"]["sha"],
                "head_branch": pull["head"]["ref"],
                "head_repository": pull["head"]["repo"],
                "pull_requests": [],
            },
            "repository": self.document(""),
            "sender": {"login": "stranger"},
        });
        self.start_on("workflow_run", &event, false).wait()
    }

    fn start_on(&self, name: &str, event: &Value, held: bool) -> Running {
        let secrets = [
            ("GITHUB_TOKEN", TOKEN),
            ("KUBECONFIG", &self.kubeconfig),
            ("OTHER", SECRET),
        ];
        act::start(
            self.checkout.path(),
            (name, event),
            self.github.url(),
            &secrets,
            held,
        )
    }

    pub(crate) fn namespace(&self) -> String {
        format!("{}-pr-{PR}", self.id)
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}.{DOMAIN}", self.namespace())
    }

    /// The page of the environment, which must come to be that of this version of the image.
    #[track_caller]
    pub(crate) fn shows_version(&self, version: u32) {
        let host = format!("{}.{DOMAIN}", self.namespace());
        let row = format!("<th>Version</th><td><code>{version}</code>");
        eventually(&format!("version {version} on the page"), || {
            let page = http(&host, "/").ok().filter(|(status, _)| *status == 200);
            page.is_some_and(|(_, page)| page.contains(&row))
                .then_some(())
        });
    }

    /// Whether the namespace is there.
    pub(crate) fn is_there(&self) -> bool {
        kubectl(&["get", "namespace", &self.namespace()])
            .status
            .success()
    }

    /// The reactions to comments of people, the oldest first.
    pub(crate) fn reactions(&self) -> Vec<Vec<String>> {
        self.github.with(|world| {
            let comments = world.repository(REPOSITORY).comments.values();
            let people = comments.filter(|comment| !comment.author.ends_with("[bot]"));
            let content = |reaction: &Reaction| reaction.content.clone();
            people
                .map(|comment| comment.reactions.iter().map(content).collect())
                .collect()
        })
    }

    /// Our comments under the pull request.
    pub(crate) fn comments(&self) -> Vec<(u64, Comment)> {
        self.github.with(|world| {
            let all = world.repository(REPOSITORY).comments.iter();
            let ours = all
                .filter(|(_, comment)| comment.author == BOT && comment.body.starts_with(MARKER));
            ours.map(|(id, comment)| (*id, comment.clone())).collect()
        })
    }

    /// The one comment, which says all of this.
    #[track_caller]
    pub(crate) fn comment_says(&self, texts: &[&str]) -> u64 {
        let comments = self.comments();
        assert_eq!(comments.len(), 1, "{comments:#?}");
        let (id, comment) = &comments[0];
        for text in texts {
            assert!(
                comment.body.contains(text),
                "`{text}` is not in\n{}",
                comment.body
            );
        }
        *id
    }

    /// What the API answers.
    fn document(&self, path: &str) -> Value {
        let address = self.github.url().trim_start_matches("http://");
        let path = format!("/repos/{REPOSITORY}/{path}");
        let path = path.trim_end_matches('/');
        let mut stream = TcpStream::connect(address).expect("the fake listens");
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nUser-Agent: tests\r\nAccept: application/vnd.github+json\r\n\
             X-GitHub-Api-Version: 2022-11-28\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
        )
        .expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        let (_, body) = answer.split_once("\r\n\r\n").expect("an answer of HTTP");
        serde_json::from_str(body).unwrap_or_else(|error| panic!("{path}: {error}: {answer}"))
    }

    /// Changes the workflow in the checkout.
    pub(crate) fn change_workflow(&self, change: impl FnOnce(String) -> String) {
        let path = self.checkout.path().join(".github/workflows/preview.yml");
        let text = fs::read_to_string(&path).expect("a text");
        fs::write(path, change(text)).expect("it is written");
    }

    /// Whether the build of the next commits never ends.
    pub(crate) fn hold(&self, hold: bool) {
        let path = self.checkout.path().join("hold");
        let done = if hold {
            fs::write(path, "")
        } else {
            fs::remove_file(path)
        };
        done.expect("it is there or not");
    }

    pub(crate) fn git(&self, args: &[&str]) -> String {
        git(self.checkout.path(), args)
    }
}

/// `git`, which must succeed.
#[track_caller]
pub(crate) fn git(folder: &Path, args: &[&str]) -> String {
    let output = Command::new("git")
        .current_dir(folder)
        .args([
            "-c",
            "user.name=octocat",
            "-c",
            "user.email=octocat@example.org",
        ])
        .args(args)
        .output()
        .expect("git starts");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {args:?}: {error}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

impl Drop for Shop {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for (id, comment) in self.comments() {
                eprintln!("--- comment {id}\n{}", comment.body);
            }
            let objects = kubectl(&["get", "-n", &self.namespace(), "pods,events", "-o", "wide"]);
            eprintln!(
                "--- {}\n{}",
                self.namespace(),
                String::from_utf8_lossy(&objects.stdout)
            );
            for violation in self.github.take_violations() {
                eprintln!("--- not as GitHub describes it: {violation}");
            }
            if std::env::var_os("K8S_EE_E2E_KEEP").is_some() {
                return;
            }
        }
        drop(kubectl(&[
            "delete",
            "namespace",
            &self.namespace(),
            "--ignore-not-found",
            "--wait=false",
        ]));
    }
}

/// The tests' kubeconfig, complete in itself and with the named context as its current one.
pub(crate) fn kubeconfig() -> String {
    let context = crate::harness::context();
    let output = Command::new("kubectl")
        .args([
            "config",
            "view",
            "--flatten",
            "--minify",
            "--output=json",
            "--context",
            &context,
        ])
        .output()
        .expect("kubectl starts");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    // On one line: it is an argument of act.
    let config: Value = serde_json::from_slice(&output.stdout).expect("kubectl prints JSON");
    config.to_string()
}
