//! `sweep`: of real environments the right ones go, and nothing of them is left.

use std::process::Command;

use github_fake::{
    GithubFake,
    world::{Pull, Token, World},
};

use crate::harness::{Project, Ran, TESTAPP, eventually, hold, kubectl, kubectl_json, let_go};

const TOKEN: &str = "ghs_not-to-be-printed";
const FILE: &str = "app: {port: 8080}\n";

/// A GitHub on which these pull requests are open, and the others up to 5 closed.
fn github(open: &[u64]) -> GithubFake {
    let mut world = World::default();
    world.tokens.insert(TOKEN.to_owned(), Token::writer());
    let pulls = &mut world.repository("acme/shop").pulls;
    for number in 1..=5 {
        let pull = Pull {
            open: open.contains(&number),
            ..Pull::default()
        };
        pulls.insert(number, pull);
    }
    GithubFake::start(world)
}

/// A sweep of this project only: others share the cluster.
fn sweep(project: &Project, github: &GithubFake, more: &[&str]) -> Command {
    let args = [
        &[
            "sweep",
            "--project",
            &project.id,
            "--platform",
            "platform.yaml",
        ],
        more,
    ]
    .concat();
    let mut command = project.command(&args);
    command.envs([("GITHUB_API_URL", github.url()), ("GITHUB_TOKEN", TOKEN)]);
    command
}

fn swept(project: &Project, github: &GithubFake, more: &[&str]) -> Ran {
    let mut command = sweep(project, github, more);
    Ran::of(command.output().expect("the binary starts"), &["sweep"])
}

fn up(project: &mut Project, numbers: &[&str]) {
    let started: Vec<_> = numbers
        .iter()
        .map(|pr| {
            let image = ["--image", TESTAPP, "--repository", "acme/shop"];
            project.start(&[&["up", "--pr", pr][..], &image].concat())
        })
        .collect();
    for child in started {
        let ended = child.wait_with_output().expect("it ends");
        Ran::of(ended, &["up"]).ok();
    }
}

#[track_caller]
fn annotate(namespace: &str, annotation: &str) {
    let args = [
        "annotate",
        "--overwrite",
        "namespace",
        namespace,
        annotation,
    ];
    assert!(kubectl(&args).status.success());
}

fn exists(namespace: &str) -> bool {
    kubectl(&["get", "namespace", namespace]).status.success()
}

/// The claims that volumes of the cluster are for, as `namespace/name`.
fn claims() -> Vec<String> {
    let volumes = kubectl_json(&["get", "persistentvolumes"]);
    let all = volumes["items"].as_array().expect("a list");
    all.iter()
        .map(|volume| {
            let claim = &volume["spec"]["claimRef"];
            let text = |key: &str| claim[key].as_str().unwrap_or_default().to_owned();
            format!("{}/{}", text("namespace"), text("name"))
        })
        .collect()
}

#[test]
fn the_right_ones_go_and_nothing_of_them_is_left() {
    let redis = "databases: {redis: {version: \"7.0\", storage: 1Gi}}\n";
    let mut project = Project::new(&format!("{FILE}{redis}"));
    up(&mut project, &["1"]);
    project.write(FILE);
    up(&mut project, &["2", "3", "4", "5"]);
    let names: Vec<String> = (1..=5).map(|pr| project.namespace(pr)).collect();
    let of_first = format!("{}/", names[0]);
    assert!(claims().iter().any(|claim| claim.starts_with(&of_first)));
    for pr in ["3", "4"] {
        project.run(&["preserve", "--pr", pr, "--for", "2h"]).ok();
    }
    annotate(&names[3], "k8s-ee/preserve-until=2026-01-01T00:00:00Z");
    annotate(&names[4], "k8s-ee/ttl=1s");
    // The second is open, the third is closed and preserved, the fourth is not preserved any more, and the time of the
    // fifth is over although it is open.
    let github = github(&[2, 5]);

    swept(&project, &github, &["--dry-run"]).ok();
    assert!(names.iter().all(|name| exists(name)));
    assert!(github.requests().iter().all(|asked| asked.method == "GET"));

    let ran = swept(&project, &github, &["-o", "json"]).ok();
    let there: Vec<&String> = names.iter().filter(|name| exists(name)).collect();
    assert_eq!(there, [&names[1], &names[2]], "{}", ran.stderr);
    assert!(!claims().iter().any(|claim| claim.starts_with(&of_first)));
    let first = &ran.json()["environments"][0];
    assert_eq!(first["receipt"]["removed"]["PersistentVolumeClaim"], 1);
    assert_eq!(
        first["receipt"]["volumes"].as_array().map(Vec::len),
        Some(1)
    );
    let told: Vec<(u64, String)> = github.with(|world| {
        let comments = world.repository("acme/shop").comments.values();
        let gone = comments.filter(|comment| comment.body.contains("Preview is gone"));
        gone.map(|comment| (comment.issue, comment.body.clone()))
            .collect()
    });
    let mut numbers: Vec<u64> = told.iter().map(|(number, _)| *number).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 4, 5]);
    let fifth = told
        .iter()
        .find(|(number, _)| *number == 5)
        .expect("it is told");
    assert!(fifth.1.contains("may stay for 1s"), "{}", fifth.1);
    assert!(fifth.1.contains("Comment `/deploy-preview`"), "{}", fifth.1);

    // Once more, and there is nothing to do.
    let versions = || -> Vec<String> {
        let version = |name: &&String| {
            let namespace = kubectl_json(&["get", "namespace", name]);
            namespace["metadata"]["resourceVersion"].to_string()
        };
        there.iter().map(version).collect()
    };
    let before = versions();
    let again = swept(&project, &github, &[]).ok();
    assert_eq!(again.stdout, "2 environments: 2 kept\n");
    assert_eq!(versions(), before);
}

#[test]
fn what_holds_an_environment_is_named() {
    let mut project = Project::new(FILE);
    up(&mut project, &["1"]);
    let namespace = project.namespace(1);
    hold(&namespace);
    let github = github(&[]);
    let ran = swept(&project, &github, &["--timeout", "12s"]).exit(7);
    let held = "ConfigMap stuck is held by the finalizer example.com/hold";
    assert!(ran.stdout.contains(held), "{}", ran.stdout);
    ran.says(&["1 held", "hint:"]);
    let_go(&namespace);
    eventually("the namespace is gone", || {
        (!exists(&namespace)).then_some(())
    });
}

#[test]
fn told_to_stop_it_says_what_goes_on() {
    let mut project = Project::new(FILE);
    up(&mut project, &["1"]);
    let namespace = project.namespace(1);
    hold(&namespace);
    let github = github(&[]);
    let child = sweep(&project, &github, &[])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the binary starts");
    eventually("the namespace is being deleted", || {
        let there = kubectl_json(&["get", "namespace", &namespace]);
        there["metadata"]["deletionTimestamp"]
            .is_string()
            .then_some(())
    });
    let pid = child.id().to_string();
    let sent = Command::new("kill").args(["-TERM", &pid]).status();
    assert!(sent.expect("kill runs").success());
    let ended = child.wait_with_output().expect("it ends");
    let ran = Ran::of(ended, &["sweep"]).exit(130);
    assert!(
        ran.stdout.contains("it goes on without us"),
        "{}",
        ran.stdout
    );
    ran.says(&["stopped by SIGTERM", "hint:"]);
    let_go(&namespace);
    eventually("the namespace is gone", || {
        (!exists(&namespace)).then_some(())
    });
}
