//! A script of an action in a scrubbed environment, with programs that write down how they were called.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use tempfile::TempDir;

use crate::common::root;

/// What a script has around it.
pub(crate) struct Shell {
    folder: TempDir,
    variables: Vec<(String, String)>,
}

/// How a script ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    #[expect(dead_code, reason = "shown when a test fails")]
    stderr: String,
}

impl Shell {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().expect("a temporary directory");
        for name in ["bin", "temp", "tools", "work"] {
            fs::create_dir(folder.path().join(name)).expect("a folder");
        }
        for name in ["output", "path", "called"] {
            fs::write(folder.path().join(name), "").expect("a file");
        }
        Self {
            folder,
            variables: Vec::new(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A program that writes its arguments down, one call a line and each argument in brackets, and then does this. In one
    /// write: those of a pipe run at the same time.
    pub(crate) fn program(&self, name: &str, does: &str) -> &Self {
        let called = self.path("called");
        let text = format!(
            "#!/usr/bin/env bash\nprintf '%s\\n' \"{name}$(printf ' [%s]' \"$@\")\" >>'{}'\n{does}\n",
            called.display()
        );
        executable(&self.path("bin").join(name), &text);
        self
    }

    /// An input of the action.
    pub(crate) fn input(mut self, name: &str, value: &str) -> Self {
        let name = name.to_uppercase().replace('-', "_");
        self.variables
            .push((format!("K8S_EE_INPUT_{name}"), value.to_owned()));
        self
    }

    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Runs a script of ours, such as `build/build.sh`.
    pub(crate) fn run(&self, script: &str, args: &[&str]) -> Ended {
        let system = "/usr/local/bin:/usr/bin:/bin";
        let output = Command::new(root().join("action").join(script))
            .args(args)
            .current_dir(self.path("work"))
            .env_clear()
            .env("PATH", format!("{}:{system}", self.path("bin").display()))
            .env("HOME", self.folder.path())
            .env("RUNNER_TEMP", self.path("temp"))
            .env("RUNNER_TOOL_CACHE", self.path("tools"))
            .env("GITHUB_OUTPUT", self.path("output"))
            .env("GITHUB_PATH", self.path("path"))
            .env("GITHUB_REPOSITORY", "acme/shop")
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .output()
            .expect("the script starts");
        Ended {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The calls of programs, in their order.
    pub(crate) fn calls(&self) -> Vec<String> {
        let text = fs::read_to_string(self.path("called")).expect("a text");
        text.lines().map(str::to_owned).collect()
    }

    /// An output of the step.
    pub(crate) fn output(&self, name: &str) -> Option<String> {
        let text = fs::read_to_string(self.path("output")).expect("a text");
        let mut lines = text.lines();
        let mut value = None;
        while let Some(line) = lines.next() {
            let (found, delimiter) = line.split_once("<<").expect("the form with a delimiter");
            let within: Vec<&str> = lines
                .by_ref()
                .take_while(|line| *line != delimiter)
                .collect();
            if found == name {
                value = Some(within.join("\n"));
            }
        }
        value
    }
}

/// A program.
pub(crate) fn executable(path: &Path, text: &str) {
    fs::write(path, text).expect("it is written");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("its mode is set");
}

impl Ended {
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.code, 0, "{self:#?}");
        self
    }

    /// It ended as a wrong command line does, with this annotation and nothing else.
    #[track_caller]
    pub(crate) fn dies(self, message: &str) {
        assert_eq!(self.code, 2, "{self:#?}");
        assert_eq!(
            self.stdout,
            format!("::error title=k8s-ee::{message}\n"),
            "{self:#?}"
        );
    }
}

#[test]
fn inputs_are_checked_and_never_split() {
    let deploy = || {
        let shell = Shell::new()
            .input("config-path", "a b/k8s-ee.yaml")
            .input("profile", "default")
            .input("rollback", "true")
            .input("url-check", "true")
            .input("prune-data", "false");
        shell.program(
            "k8s-ee",
            "env | sort | grep -E 'INPUT_GITHUB|INPUT_KUBE|^GITHUB_TOKEN' >>called; exit 3",
        );
        shell
    };
    let shell = deploy()
        .input(
            "images",
            "\napp=ghcr.io/acme/shop:1 --no-rollback\n\nweb=$(touch pwned)\n",
        )
        .input("pr-number", "12")
        .input("branch-name", "--context=other")
        .input("github-token", "t0ken");
    let ended = shell.run("deploy/deploy.sh", &[]);
    assert_eq!(ended.code, 3, "the code is that of k8s-ee: {ended:#?}");
    assert_eq!(
        shell.calls(),
        [
            "k8s-ee [up] [--config=a b/k8s-ee.yaml] [--pr=12] [--branch=--context=other] [--profile=default] \
          [--image=app=ghcr.io/acme/shop:1 --no-rollback] [--image=web=$(touch pwned)]"
        ]
    );
    assert!(!shell.path("work/pwned").exists());
    let seen = fs::read_to_string(shell.path("work/called")).expect("a text");
    assert_eq!(seen, "GITHUB_TOKEN=t0ken\n");

    let run = |shell: Shell| shell.run("deploy/deploy.sh", &[]);
    run(Shell::new()).dies("the input `config-path` is missing");
    run(deploy().input("profile", "forks"))
        .dies("the input `profile` is `forks`; allowed: `default`, `fork`");
    run(deploy().input("rollback", "yes"))
        .dies("the input `rollback` is `yes`; allowed: `true`, `false`");
    run(deploy().input("pr-number", "0"))
        .dies("the input `pr-number` is `0`, which is not the number of a pull request");
    run(deploy().input("timeout", "5\n::warning::x")).dies(
        "the input `timeout` is `5%0A::warning::x`, which is not a time such as `90s` or `10m`",
    );
    run(deploy().input("timeout", "100%"))
        .dies("the input `timeout` is `100%25`, which is not a time such as `90s` or `10m`");
}

#[test]
fn how_long_it_is_kept_is_a_time_or_off() {
    for (duration, call) in [
        ("", "k8s-ee [preserve] [--pr=12]"),
        ("24h", "k8s-ee [preserve] [--pr=12] [--for=24h]"),
        ("off", "k8s-ee [preserve] [--pr=12] [--off]"),
    ] {
        let shell = Shell::new()
            .input("pr-number", "12")
            .input("duration", duration);
        shell.program("k8s-ee", "");
        shell.run("preserve/preserve.sh", &[]).ok();
        assert_eq!(shell.calls(), [call]);
    }
    for wrong in ["0h", "2d", "off --for=1h"] {
        let shell = Shell::new().input("duration", wrong);
        shell.program("k8s-ee", "");
        shell.run("preserve/preserve.sh", &[]).dies(&format!(
            "the input `duration` is `{wrong}`, which is not a time such as `24h`, or `off`"
        ));
        assert!(shell.calls().is_empty());
    }
}

#[test]
fn a_kubeconfig_is_a_file_of_ours_for_as_long_as_it_is_needed() {
    let shell = Shell::new()
        .input("wait", "true")
        .input("force", "false")
        .input("kubeconfig", "apiVersion: v1\nkind: Config");
    shell.program(
        "k8s-ee",
        "stat --format %a \"$KUBECONFIG\" >seen; cat \"$KUBECONFIG\" >>seen; env >>seen",
    );
    shell.run("destroy/destroy.sh", &[]).ok();
    assert_eq!(shell.calls(), ["k8s-ee [down] [--wait=true]"]);
    let seen = fs::read_to_string(shell.path("work/seen")).expect("a text");
    assert!(
        seen.starts_with("600\napiVersion: v1\nkind: Config\n"),
        "{seen}"
    );
    assert!(!seen.contains("K8S_EE_INPUT_KUBECONFIG"), "{seen}");
    let left: Vec<_> = fs::read_dir(shell.path("temp"))
        .expect("a folder")
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_sweep_is_of_the_repository_that_is_named_or_of_its_own() {
    let sweep = |repository: &str, dry_run: &str| {
        let shell = Shell::new()
            .input("repository", repository)
            .input("dry-run", dry_run)
            .input("comment", "auto");
        shell.program("k8s-ee", "true");
        shell.run("sweep/sweep.sh", &[]).ok();
        shell.calls()
    };
    assert_eq!(
        sweep("acme/shop", "false"),
        ["k8s-ee [sweep] [--repository=acme/shop] [--comment=auto]"]
    );
    assert_eq!(
        sweep("", "true"),
        ["k8s-ee [sweep] [--dry-run] [--comment=auto]"]
    );
    let wrong = Shell::new()
        .input("dry-run", "false")
        .input("comment", "new");
    wrong.program("k8s-ee", "true");
    wrong
        .run("sweep/sweep.sh", &[])
        .dies("the input `comment` is `new`; allowed: `auto`, `off`");
}
