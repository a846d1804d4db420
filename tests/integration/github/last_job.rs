//! `k8s-ee comment`: what the last job of a workflow makes of what the others have left.

use github_fake::{
    GithubFake,
    world::{Pull, World},
};
use serde_json::Value;

use super::{
    count,
    step::{INVALID, OLD, Step, command, comment, ours, pull_request, state},
    world,
};

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
