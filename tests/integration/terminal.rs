//! What people see on terminals of several widths and kinds, and what stands there when a run was stopped.

use std::{
    net::TcpListener,
    process::Command,
    sync::mpsc::{Receiver, channel},
    time::Duration,
};

use insta::assert_snapshot;
use serde_json::json;
use tempfile::TempDir;
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{method, path, path_regex},
};

use crate::{
    api::{kubeconfig, serve, two_environments},
    shared::{Left, Terminal},
};

/// `k8s-ee` in a directory of its own, with a server as its cluster.
struct Program {
    command: Command,
    _dir: TempDir,
}

fn k8s_ee(server: &str, args: &[&str]) -> Program {
    let dir = TempDir::new().expect("a temporary directory can be made");
    let write = |name: &str, text: &str| {
        std::fs::write(dir.path().join(name), text).expect("it can be written to");
    };
    write("kubeconfig", &kubeconfig(server));
    write("k8s-ee.yaml", "projectId: shop\napp:\n  port: 8080\n");
    let mut command = Command::new(env!("CARGO_BIN_EXE_k8s-ee"));
    command
        .args(args)
        .current_dir(dir.path())
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", dir.path())
        .env("KUBECONFIG", "kubeconfig");
    Program { command, _dir: dir }
}

fn shown(columns: u16, program: &Program) -> Left {
    Terminal::start(columns, &program.command).end()
}

/// A server that takes connections and says nothing.
fn silent() -> (String, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let address = listener.local_addr().expect("it is bound");
    (format!("http://{address}"), listener)
}

#[tokio::test]
async fn tables_fit_the_terminal() {
    let server = two_environments().await;
    let list = k8s_ee(&server.uri(), &["list"]);
    assert_snapshot!(shown(80, &list).lines.join("\n"), @r"
    ENVIRONMENT  STATE    AGE  CPU  MEMORY  URL
    shop-pr-7    running  3h   28%  32%     https://shop-pr-7.preview.example.com
    shop-pr-12   running  3h   -    -       -
    ");
    let narrow = shown(60, &list).lines.join("\n");
    assert_snapshot!(narrow, @r"
    shop-pr-7
      STATE   running
      AGE     3h
      CPU     28%
      MEMORY  32%
      URL     https://shop-pr-7.preview.example.com
    shop-pr-12
      STATE   running
      AGE     3h
      CPU     -
      MEMORY  -
      URL     -
    ");
    // Below that only the URL is too long, and the terminal breaks it.
    assert_eq!(shown(40, &list).lines.join("\n"), narrow);
    assert_eq!(shown(20, &list).lines.join("\n"), narrow);

    // What another program reads is the same whatever the terminal is.
    let line = format!("{} list | cat", env!("CARGO_BIN_EXE_k8s-ee"));
    let piped = Terminal::start_line(20, &line, &list.command).end();
    assert!(
        piped.bytes.contains("ENVIRONMENT  STATE"),
        "{}",
        piped.bytes
    );
}

#[test]
fn amounts_fit_the_terminal() {
    let quota = k8s_ee("http://127.0.0.1:1", &["quota", "--pr", "7"]);
    assert_snapshot!(shown(80, &quota).lines.join("\n"), @r"
               requests  limits  requests  limits  requests
    component       cpu     cpu    memory  memory   storage  pods
    app            100m    400m     256Mi   768Mi         0     2
    room           100m    290m     256Mi   410Mi       1Gi     3
    quota          200m    690m     512Mi  1178Mi       1Gi     5

    app limits.cpu: 2 × 200m, 1 for the rollout
    app limits.memory: 2 × 384Mi, 1 for the rollout
    ");
    for columns in [100, 70, 60, 40] {
        let left = shown(columns, &quota);
        assert_eq!(left.code, Some(0), "{}", left.bytes);
        let table = left.lines.iter().take_while(|line| !line.is_empty());
        for line in table {
            assert!(line.chars().count() <= columns.into(), "{columns}: {line}");
        }
    }
}

#[test]
fn help_is_wrapped_between_words() {
    let help = k8s_ee("http://127.0.0.1:1", &["--help"]);
    for columns in [120, 80, 60, 40] {
        let left = shown(columns, &help);
        assert_eq!(left.code, Some(0));
        let text = left.lines.join("\n");
        let words: Vec<&str> = text.split_whitespace().collect();
        // A word that the terminal had to break would not be there whole.
        for word in [
            "environment's",
            "completions",
            "docs/reference/exit-codes.md",
        ] {
            assert!(words.contains(&word), "{columns}: no `{word}` in\n{text}");
        }
    }
}

#[test]
fn colours_are_for_those_who_want_them() {
    let wrong = |variable: (&str, &str)| {
        let mut program = k8s_ee("http://127.0.0.1:1", &["list", "--context", "fak"]);
        program.command.env(variable.0, variable.1);
        let left = shown(80, &program);
        assert_eq!(left.code, Some(4));
        assert_eq!(
            left.lines,
            [
                "error: the kubeconfig kubeconfig has no context `fak`",
                "",
                "hint: did you mean `fake`? the contexts are fake"
            ]
        );
        left.bytes
    };
    assert!(wrong(("LANG", "C")).contains("\u{1b}[1;31merror:\u{1b}[0m"));
    assert!(!wrong(("NO_COLOR", "1")).contains('\u{1b}'));
    assert!(!wrong(("TERM", "dumb")).contains('\u{1b}'));
}

/// `k8s-ee wait` for a Redis that takes connections and says nothing.
fn waiting(variable: (&str, &str)) -> (Program, TcpListener) {
    let (address, listener) = silent();
    let port = address.rsplit(':').next().expect("it has a port");
    let mut program = k8s_ee("http://127.0.0.1:1", &["wait", "redis", "--timeout", "90s"]);
    program
        .command
        .env("REDIS_HOST", "127.0.0.1")
        .env("REDIS_PORT", port)
        .env(variable.0, variable.1);
    (program, listener)
}

#[test]
fn lines_that_are_redrawn_leave_nothing_behind() {
    for columns in [200, 80, 40, 20] {
        let (program, _listener) = waiting(("LANG", "C"));
        let mut terminal = Terminal::start(columns, &program.command);
        // Drawn, and drawn again.
        for _ in 0..3 {
            terminal.wait_for("redis");
        }
        let lines = terminal.lines();
        assert_eq!(lines.len(), 1, "{columns}: {lines:?}");
        terminal.press("\u{3}");
        let left = terminal.end();
        assert_eq!(left.code, Some(130));
        let text = left.lines.concat();
        let text = text.trim_start();
        assert!(
            text.starts_with("error: stopped by Ctrl-C"),
            "{columns}: {:?}",
            left.lines
        );
        assert!(!text.contains("^C"), "{columns}: {:?}", left.lines);
    }
}

#[test]
fn nothing_is_redrawn_on_terminals_that_cannot() {
    let (program, _listener) = waiting(("TERM", "dumb"));
    let mut terminal = Terminal::start(80, &program.command);
    terminal.wait_for("redis: ");
    terminal.press("\u{3}");
    let left = terminal.end();
    assert_eq!(left.code, Some(130));
    assert!(!left.bytes.contains('\u{1b}'), "{:?}", left.bytes);
}

#[test]
fn stopped_before_anything_was_written_it_says_so() {
    for args in [
        &["list"][..],
        &["plan", "--pr", "7"],
        &["up", "--pr", "7", "--image", "a:1"],
    ] {
        let (server, _listener) = silent();
        let program = k8s_ee(&server, args);
        let mut terminal = Terminal::start(80, &program.command);
        let waits = format!("waiting for the API server {server} to answer");
        terminal.wait_for(&format!("{waits}\r\n"));
        terminal.press("\u{3}");
        let left = terminal.end();
        assert_eq!(left.code, Some(130), "{}", left.bytes);
        let said = [
            &waits,
            "^C",
            "error: stopped by Ctrl-C; nothing was changed",
        ];
        assert_eq!(left.lines, said, "{args:?}");
    }
}

/// A cluster with one environment, in which nothing that is to be deleted goes; whoever tries is told of.
async fn stuck() -> (MockServer, Receiver<()>) {
    let server = MockServer::start().await;
    let (sender, tried) = channel();
    Mock::given(method("GET"))
        .and(path("/api/v1/namespaces/shop-pr-7"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({
            "apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": "shop-pr-7", "labels": {
                "app.kubernetes.io/managed-by": "github-actions", "k8s-ee/type": "ephemeral", "k8s-ee/project-id": "shop",
            }},
        })))
        .mount(&server)
        .await;
    for kind in [
        "pods",
        "services",
        "configmaps",
        "secrets",
        "persistentvolumeclaims",
    ] {
        serve(
            &server,
            &format!("/api/v1/namespaces/shop-pr-7/{kind}"),
            json!([]),
        )
        .await;
    }
    Mock::given(method("DELETE"))
        .and(path_regex("/api/v1/namespaces/shop-pr-7"))
        .respond_with(move |_: &wiremock::Request| {
            sender.send(()).ok();
            ResponseTemplate::new(200).set_delay(Duration::from_secs(3600))
        })
        .mount(&server)
        .await;
    (server, tried)
}

#[tokio::test]
async fn a_second_interrupt_ends_it_at_once() {
    let (server, tried) = stuck().await;
    let program = k8s_ee(&server.uri(), &["down", "--pr", "7"]);
    let mut terminal = Terminal::start(80, &program.command);
    tried
        .recv_timeout(Duration::from_secs(60))
        .expect("it deletes the namespace");
    terminal.press("\u{3}");
    // The first one is for whoever is at work, and does not end it here: the answer that is waited for never comes.
    terminal.wait_for("stopping; a second Ctrl-C ends it at once");
    terminal.press("\u{3}");
    let left = terminal.end();
    assert_eq!(left.code, Some(130), "{}", left.bytes);
    let text = left.lines.join("\n");
    assert!(
        text.contains(
            "error: stopped at once by a second Ctrl-C; what was begun is left half-done"
        ),
        "{text}"
    );
    assert!(
        text.contains("hint: run the same command again to finish it"),
        "{text}"
    );
}
