//! A commit of a fork that waits for its approval, as the two jobs of the trusted half tell of it: `pr`, and then `comment`.

use std::collections::BTreeMap;

use github_fake::{
    GithubFake,
    world::{Pull, Role},
};
use serde_json::{Value, json};

use super::{
    count,
    step::{Step, comment, ours, state, statuses},
    world,
};

const FIRST: &str = "6dcb09b5b57875f334f61aebed695e2e4193db5e";
const NEXT: &str = "cccccccccccccccccccccccccccccccccccccccc";

/// Pull request 7 comes from a fork; `dev-1` may push.
fn forked() -> GithubFake {
    let mut world = world();
    let shop = world.repository("acme/shop");
    let role = Role {
        permission: "write".to_owned(),
        name: "write".to_owned(),
    };
    shop.collaborators.insert("dev-1".to_owned(), role);
    let pull = Pull {
        head_repository: Some("stranger/shop".to_owned()),
        author: "stranger".to_owned(),
        ..Pull::default()
    };
    shop.pulls.insert(7, pull);
    let fake = GithubFake::start(world);
    push(&fake, FIRST);
    fake
}

fn push(fake: &GithubFake, sha: &str) {
    fake.with(|world| {
        let shop = world.repository("acme/shop");
        let pull = shop.pulls.get_mut(&7).expect("it is there");
        sha.clone_into(&mut pull.sha);
        let file = ("k8s-ee.yaml".to_owned(), "projectId: shop\n".to_owned());
        shop.files.insert(sha.to_owned(), BTreeMap::from([file]));
    });
}

/// The end of the untrusted half for this commit.
fn built(sha: &str, conclusion: &str) -> Value {
    json!({
        "action": "completed",
        "workflow_run": {
            "id": 1, "event": "pull_request", "conclusion": conclusion, "head_sha": sha, "head_branch": "new-topic",
            "head_repository": {"full_name": "stranger/shop"}, "pull_requests": [],
        },
    })
}

/// The trusted half after that, as far as it goes without a deploy. Returns what was decided.
fn decide_and_tell(fake: &GithubFake, run: u64, event: &Value) -> String {
    let step = || Step::new(fake.url(), run, "workflow_run", event);
    let decided = step().exits(0, &["pr"]);
    let output = |name: &str| decided.output(name).to_owned();
    if output("action") != "nothing" || output("waits-for-approval") == "true" {
        let waits = output("waits-for-approval") == "true";
        let flags = [
            format!("--pr={}", output("pr-number")),
            format!("--commit={}", output("head-sha")),
            format!("--state={}", if waits { "waiting" } else { "running" }),
        ];
        let args: Vec<&str> = ["comment"]
            .into_iter()
            .chain(flags.iter().map(String::as_str))
            .collect();
        step().exits(0, &args);
    }
    output("action")
}

#[test]
fn the_comment_says_what_to_type_for_exactly_this_commit() {
    let fake = forked();
    let ran = decide_and_tell(&fake, 1, &built(FIRST, "success"));
    assert_eq!(ran, "nothing");
    let said = comment(&fake);
    assert_eq!(state(&fake), "### 🟣 Preview waits for approval");
    let to_paste = format!("```text\n/deploy-preview {FIRST}\n```");
    assert!(said.contains(&to_paste), "{said}");
    // Without an environment there is nothing to remove.
    assert!(!said.contains("/destroy-preview"), "{said}");
    let pending = [("k8s-ee".to_owned(), "pending".to_owned())];
    assert_eq!(statuses(&fake), pending);

    // Said once: the same again changes nothing.
    decide_and_tell(&fake, 2, &built(FIRST, "success"));
    assert_eq!(comment(&fake), said);
    let written = (count(&fake, "POST", "/comments"), count(&fake, "PATCH", ""));
    assert_eq!((written, statuses(&fake).len()), ((1, 0), 1));
}

#[test]
fn a_push_after_the_approval_waits_again_and_says_what_is_still_up() {
    let fake = forked();
    let tell = |run, sha: &str| decide_and_tell(&fake, run, &built(sha, "success"));
    tell(1, FIRST);
    fake.with(|world| {
        world.comment("acme/shop", 7, "dev-1", &format!("/deploy-preview {FIRST}"));
    });
    assert_eq!(tell(2, FIRST), "create");
    assert_eq!(state(&fake), "### 🟢 Preview is running");
    // What can be typed names the commit here too: without it nothing is approved.
    let again = format!("/deploy-preview {FIRST}");
    assert!(comment(&fake).contains(&again), "{}", comment(&fake));

    push(&fake, NEXT);
    assert_eq!(tell(3, NEXT), "nothing");
    assert_eq!(
        state(&fake),
        "### 🟣 An update waits for approval, the version before is still up"
    );
    let said = comment(&fake);
    assert!(said.contains(&format!("/deploy-preview {NEXT}")), "{said}");
    assert!(!said.contains(&again), "{said}");
    assert!(
        said.contains("still up: [`6dcb09b`]") && said.contains("/destroy-preview"),
        "{said}"
    );
    // The run of the commit before ends late: the newest one has the word.
    assert_eq!(tell(4, FIRST), "nothing");
    assert_eq!(comment(&fake), said);
}

#[test]
fn what_was_not_built_waits_for_nothing() {
    let fake = forked();
    decide_and_tell(&fake, 1, &built(FIRST, "failure"));
    assert!(ours(&fake).is_empty());
}
