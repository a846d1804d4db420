//! A pull request's environment from its beginning to its end, as GitHub is told of it: real pods, and a GitHub with a
//! memory that GitHub's own description of its API judges.

use std::process::Command;

use github_fake::{
    GithubFake,
    world::{Pull, Token, World},
};
use serde_json::json;

use crate::{
    harness::{Project, Ran, TESTAPP, TESTAPP_2, eventually},
    platform::Platform,
};

const TOKEN: &str = "ghs_not-to-be-printed";
const FIRST: &str = "1111111111111111111111111111111111111111";
const SECOND: &str = "2222222222222222222222222222222222222222";
const THIRD: &str = "3333333333333333333333333333333333333333";

fn github() -> GithubFake {
    let mut world = World::default();
    world.tokens.insert(TOKEN.to_owned(), Token::writer());
    world
        .repository("acme/shop")
        .pulls
        .insert(1, Pull::default());
    GithubFake::start(world)
}

/// A step of a run for a commit, which is now the newest of pull request 1.
fn step(project: &Project, fake: &GithubFake, run: u64, sha: &str, args: &[&str]) -> Command {
    fake.with(|world| {
        let pulls = &mut world.repository("acme/shop").pulls;
        sha.clone_into(&mut pulls.get_mut(&1).expect("it is there").sha);
    });
    let side =
        |branch: &str| json!({"sha": sha, "ref": branch, "repo": {"full_name": "acme/shop"}});
    let event = json!({"action": "synchronize", "pull_request": {
        "number": 1, "state": "open", "user": {"login": "octocat"}, "head": side("topic"), "base": side("main"),
    }});
    std::fs::write(project.path().join("event.json"), event.to_string()).expect("it is written");
    for file in ["output", "summary"] {
        drop(std::fs::remove_file(project.path().join(file)));
    }
    let mut command = project.command(args);
    command.envs([
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_EVENT_NAME", "pull_request"),
        ("GITHUB_EVENT_PATH", "event.json"),
        ("GITHUB_REPOSITORY", "acme/shop"),
        ("GITHUB_RUN_ID", &run.to_string()),
        ("GITHUB_API_URL", fake.url()),
        ("GITHUB_SERVER_URL", "https://github.com"),
        ("GITHUB_TOKEN", TOKEN),
        ("GITHUB_OUTPUT", "output"),
        ("GITHUB_STEP_SUMMARY", "summary"),
    ]);
    command
}

fn ran(mut command: Command, args: &[&str]) -> Ran {
    Ran::of(command.output().expect("the binary starts"), args)
}

/// The one comment, by its text.
fn comment(fake: &GithubFake) -> String {
    let all: Vec<String> = fake.with(|world| {
        let comments = world.repository("acme/shop").comments.values();
        comments.map(|comment| comment.body.clone()).collect()
    });
    assert_eq!(all.len(), 1, "{all:#?}");
    all[0].clone()
}

/// Its first line that is seen, which begins with its sign.
fn state(fake: &GithubFake) -> String {
    let text = comment(fake);
    let line = text.lines().nth(2).unwrap_or_default();
    line.trim_start_matches("### ").to_owned()
}

/// The last state of each deployment by its commit, the oldest first.
fn deployments(fake: &GithubFake) -> Vec<(String, String)> {
    fake.with(|world| {
        let all = world.repository("acme/shop").deployments.values();
        let last = |deployment: &github_fake::world::Deployment| {
            let status = deployment.statuses.last();
            (
                deployment.sha.clone(),
                status.map(|s| s.state.clone()).unwrap_or_default(),
            )
        };
        all.map(last).collect()
    })
}

fn output(project: &Project, name: &str) -> String {
    let text = std::fs::read_to_string(project.path().join("output")).unwrap_or_default();
    let mut lines = text
        .lines()
        .skip_while(|line| !line.starts_with(&format!("{name}<<")));
    lines
        .nth(1)
        .unwrap_or_else(|| panic!("no output {name}: {text}"))
        .to_owned()
}

#[test]
fn from_the_first_push_to_the_end() {
    let _platform = Platform::installed();
    let mut project = Project::new("app:\n  port: 8080\ndatabases:\n  redis: {version: \"7.0\"}\n");
    project.platform("dashboards: https://grafana.example.com/?var-namespace={namespace}\n");
    project.remembers(1);
    let fake = github();
    let namespace = project.namespace(1);
    let url = format!("http://{}", project.host(1));

    let prepare = ["prepare"];
    ran(step(&project, &fake, 1, FIRST, &prepare), &prepare).ok();
    assert_eq!(
        state(&fake),
        "🟡 Preview is prepared and waits for its image"
    );
    assert_eq!(
        (output(&project, "state"), output(&project, "namespace")),
        ("prepared".to_owned(), namespace.clone())
    );
    assert!(comment(&fake).contains("waits for its image"));

    let first = ["up", "--image", TESTAPP];
    ran(step(&project, &fake, 1, FIRST, &first), &first).ok();
    let said = comment(&fake);
    assert_eq!(state(&fake), "🟢 Preview is running");
    for text in [
        &format!("**[{url}]({url})**"),
        &format!("var-namespace={namespace}"),
        "| `redis` | 🟢 up |",
        "| `app` | 🟢 up |",
        "Quota: CPU",
        &format!("k8s-ee logs --pr 1 --project {}", project.id),
    ] {
        assert!(said.contains(text), "{text}: {said}");
    }
    assert_eq!(output(&project, "preview-url"), url);
    assert_eq!(
        (output(&project, "state"), output(&project, "changed")),
        ("running".to_owned(), "true".to_owned())
    );
    assert_eq!(
        deployments(&fake),
        [(FIRST.to_owned(), "success".to_owned())]
    );

    // A new version that does not come up: the cause, and that the old one is there.
    let broken = ["up", "--image", "registry.test/nothing:1"];
    ran(step(&project, &fake, 2, SECOND, &broken), &broken).exit(6);
    let said = comment(&fake);
    assert_eq!(
        state(&fake),
        "🟠 The update failed, the version before is still up",
        "{said}"
    );
    for text in [
        "registry.test/nothing:1",
        "still up: [`1111111`]",
        "**Changed** since",
        "`app` (image)",
        "💡",
    ] {
        assert!(said.contains(text), "{text}: {said}");
    }
    assert_eq!(output(&project, "release-status"), "failed");
    project.answers("APP_VERSION", "1");

    let mended = ["up", "--image", TESTAPP_2];
    ran(step(&project, &fake, 3, THIRD, &mended), &mended).ok();
    let said = comment(&fake);
    assert_eq!(state(&fake), "🟢 Preview is running", "{said}");
    assert!(
        said.contains("compare/1111111111111111111111111111111111111111...3333333"),
        "{said}"
    );
    let states: Vec<String> = deployments(&fake)
        .into_iter()
        .map(|(_, state)| state)
        .collect();
    assert_eq!(states, ["inactive", "inactive", "success"]);

    let down = ["down"];
    ran(step(&project, &fake, 4, THIRD, &down), &down).ok();
    let said = comment(&fake);
    assert_eq!(state(&fake), "⚫ Preview is gone", "{said}");
    assert!(
        said.contains("1 Deployment,") && said.contains("1 StatefulSet"),
        "{said}"
    );
    assert_eq!(
        (output(&project, "state"), output(&project, "deleted")),
        ("gone".to_owned(), "true".to_owned())
    );
    assert!(
        deployments(&fake)
            .iter()
            .all(|(_, state)| state == "inactive")
    );
    fake.with(|world| {
        let statuses = &world.repository("acme/shop").statuses;
        let of = |sha: &str| -> Vec<&str> {
            statuses
                .iter()
                .filter(|status| status.sha == sha)
                .map(|status| status.state.as_str())
                .collect()
        };
        assert_eq!(of(FIRST), ["pending", "pending", "pending", "success"]);
        assert_eq!(of(SECOND), ["pending", "failure"]);
    });
}

#[test]
fn a_run_that_is_cancelled_in_the_middle_says_so_and_the_next_one_finishes_it() {
    let _platform = Platform::installed();
    // It never becomes ready.
    let mut project = Project::new("app:\n  port: 8080\n  healthPath: /status/503\n");
    project.remembers(1);
    let fake = github();
    let args = ["up", "--image", TESTAPP];
    let child = step(&project, &fake, 1, FIRST, &args)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the binary starts");
    eventually("it says that it starts", || {
        let started = fake.with(|world| {
            let comments = &world.repository("acme/shop").comments;
            comments
                .values()
                .any(|comment| comment.body.contains("Preview is starting"))
        });
        started.then_some(())
    });
    let stopped = Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status();
    assert!(stopped.expect("kill can be started").success());
    let ended = Ran::of(child.wait_with_output().expect("it ends"), &args);
    ended.exit(130);
    assert_eq!(
        state(&fake),
        "⚪ The run was cancelled before the preview was up"
    );

    project.write("app:\n  port: 8080\n");
    ran(step(&project, &fake, 2, SECOND, &args), &args).ok();
    assert_eq!(state(&fake), "🟢 Preview is running");
}
