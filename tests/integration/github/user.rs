//! The user that the image runs as, and the files that a runner of GitHub's hands to a container: they belong to the runner's
//! user, and only that one may write to them.

use std::{
    fs::{self, Permissions},
    os::unix::{
        fs::{PermissionsExt as _, chown},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::Command,
};

use insta::assert_snapshot;
use serde_json::json;
use tempfile::TempDir;

use crate::common::{read, root};

/// Number of the user of GitHub's own runners, and of the image that GitHub has for runners of one's own.
const RUNNER: u32 = 1001;

/// Its group on GitHub's own runners, which the image does not have.
const GROUP: u32 = 121;

/// What a runner mounts into the container of an action, as it leaves it there.
struct Mounted {
    folder: TempDir,
}

/// How the binary ended in that container.
struct Ended {
    code: Option<i32>,
    stderr: String,
}

impl Mounted {
    /// With this configuration file; none where these tests cannot be another user.
    fn new(config: &str) -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            let why = "only root can run a program as another user";
            assert!(
                std::env::var_os("K8S_EE_REQUIRE_TOOLS").is_none_or(|value| value != "1"),
                "{why}"
            );
            eprintln!("skipped: {why}");
            return None;
        }
        let mounted = Self {
            folder: TempDir::new().expect("a temporary folder"),
        };
        let of_runner = |path: &str, mode: u32| {
            let path = mounted.path(path);
            fs::set_permissions(&path, Permissions::from_mode(mode)).expect("its mode is set");
            chown(&path, Some(RUNNER), Some(GROUP)).expect("root may give it away");
        };
        let side = json!({"sha": "6dcb09b5b57875f334f61aebed695e2e4193db5e", "ref": "topic", "repo": {"full_name": "acme/shop"}});
        let event = json!({
            "action": "opened",
            "pull_request": {"number": 7, "state": "open", "head": side, "base": side},
        });
        for folder in ["", "home", "workflow", "workspace", "file_commands"] {
            fs::create_dir_all(mounted.path(folder)).expect("a folder");
            of_runner(folder, 0o755);
        }
        for (file, text) in [
            ("workflow/event.json", event.to_string().as_str()),
            ("workspace/k8s-ee.yaml", config),
            ("file_commands/set_output_1", ""),
            ("file_commands/step_summary_1", ""),
        ] {
            fs::write(mounted.path(file), text).expect("a file");
            of_runner(file, 0o644);
        }
        // The folder that cargo builds into may be closed to others.
        fs::copy(env!("CARGO_BIN_EXE_k8s-ee"), mounted.path("k8s-ee")).expect("a copy");
        Some(mounted)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect("a text")
    }

    /// The binary as this user, with the variables of a container action.
    fn run(&self, (user, group): (u32, u32), args: &[&str]) -> Ended {
        let output = Command::new(self.path("k8s-ee"))
            .args(args)
            .uid(user)
            .gid(group)
            .current_dir(self.path("workspace"))
            .env_clear()
            .env("HOME", self.path("home"))
            .env("GITHUB_ACTIONS", "true")
            .env("GITHUB_EVENT_NAME", "pull_request")
            .env("GITHUB_EVENT_PATH", self.path("workflow/event.json"))
            .env("GITHUB_REPOSITORY", "acme/shop")
            .env("GITHUB_RUN_ID", "1")
            .env("GITHUB_API_URL", "http://127.0.0.1:9")
            .env("GITHUB_SERVER_URL", "https://github.com")
            .env("GITHUB_WORKSPACE", self.path("workspace"))
            .env("GITHUB_OUTPUT", self.path("file_commands/set_output_1"))
            .env(
                "GITHUB_STEP_SUMMARY",
                self.path("file_commands/step_summary_1"),
            )
            .output()
            .expect("it starts");
        let folder = self.folder.path().display().to_string();
        Ended {
            code: output.status.code(),
            stderr: String::from_utf8_lossy(&output.stderr).replace(&folder, "/github"),
        }
    }
}

/// `USER` of the image.
fn image() -> (u32, u32) {
    let dockerfile = read("Dockerfile");
    let users: Vec<&str> = dockerfile
        .lines()
        .filter_map(|line| line.strip_prefix("USER "))
        .collect();
    let [user] = users[..] else {
        panic!("one line `USER`: {users:?}");
    };
    let (user, group) = user.split_once(':').expect("a user and a group");
    let named = format!("k8s-ee:x:{user}:{group}:");
    assert!(dockerfile.contains(&named), "{named} is not in it");
    let number = |text: &str| text.parse().expect("a number, which Kubernetes can judge");
    (number(user), number(group))
}

#[test]
fn the_image_writes_to_the_files_of_the_runner() {
    assert_eq!(image().0, RUNNER);
    let Some(mounted) = Mounted::new("projectId: shop\n") else {
        return;
    };
    let ended = mounted.run(image(), &["validate"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let outputs = mounted.text("file_commands/set_output_1");
    assert!(outputs.contains("\nshop-pr-7\n"), "{outputs}");

    fs::write(mounted.path("workspace/k8s-ee.yaml"), "projectID: shop\n").expect("root writes");
    let ended = mounted.run(image(), &["validate"]);
    assert_eq!(ended.code, Some(3), "{}", ended.stderr);
    let summary = mounted.text("file_commands/step_summary_1");
    assert!(summary.contains("projectID"), "{summary}");
}

#[test]
fn another_user_is_told_whose_they_are_and_what_to_do() {
    let Some(mounted) = Mounted::new("projectId: shop\n") else {
        return;
    };
    let ended = mounted.run((65532, 65532), &["validate"]);
    // The file is valid all the same; what cannot be handed on is a warning.
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let warnings = ended.stderr.replace("%0A", "\n");
    assert_snapshot!(warnings, @"
    note: there is no token: no comment, deployment or status of the commit is written; set GITHUB_TOKEN: ${{ github.token }}
    k8s-ee.yaml is valid
    ::warning title=k8s-ee::cannot write output `valid` to /github/file_commands/set_output_1: it belongs to the user 1001, and this is the user 65532

    Caused by:
      Permission denied (os error 13)

    hint: run the container as the runner's user, `options: --user 1001` of the job's `container` or `docker run --user 1001`, or take the composite actions of koder-cat/k8s-ee, which run without a container
    ");
    assert_eq!(mounted.text("file_commands/set_output_1"), "");
}

/// What waits for databases runs in the pods of the chart, which name their user themselves: the same number.
#[test]
fn pods_run_the_image_as_the_user_that_it_names() {
    let template = Path::new("charts/k8s-ee-app/templates/deployment.yaml");
    let text = fs::read_to_string(root().join(template)).expect("a template of ours");
    let (user, group) = image();
    let named = format!("(dict \"uid\" {user} \"gid\" {group})");
    assert!(text.contains(&named), "{named} is not in {text}");
}
