//! `k8s-ee pr` as a workflow runs it: events in, outputs out, reactions left.

mod by_hand;
mod preserve;

use std::collections::{BTreeMap, BTreeSet};

use github_fake::{
    Fault, GithubFake, Trouble,
    world::{Pull, Role, Token as Holder, World},
};
use insta::assert_snapshot;
use serde_json::{Value, json};

use super::{TOKEN, world};
use crate::common::{Printed, Run, k8s_ee};

const HEAD: &str = "6dcb09b5b57875f334f61aebed695e2e4193db5e";
const FORKED: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
const BOT: &str = "github-actions[bot]";

/// Pull request 7 of the repository itself and 8 of a fork, with a file in each; `dev-1` may push, `reader` may not.
fn shop(file: &str) -> World {
    let mut world = world();
    let shop = world.repository("acme/shop");
    for sha in [HEAD, FORKED] {
        let files = BTreeMap::from([("k8s-ee.yaml".to_owned(), file.to_owned())]);
        shop.files.insert(sha.to_owned(), files);
    }
    for (login, role) in [("dev-1", "write"), ("reader", "read")] {
        let role = Role {
            permission: role.to_owned(),
            name: role.to_owned(),
        };
        shop.collaborators.insert(login.to_owned(), role);
    }
    let fork = Pull {
        sha: FORKED.to_owned(),
        branch: "patch-1".to_owned(),
        head_repository: Some("stranger/shop".to_owned()),
        author: "stranger".to_owned(),
        ..Pull::default()
    };
    shop.pulls.insert(8, fork);
    world
}

fn side(sha: &str, repository: &str) -> Value {
    json!({"sha": sha, "ref": "topic", "repo": {"full_name": repository}})
}

/// A pull request as an event of long ago tells of it: open, at a commit of long ago.
fn pull_request(action: &str, number: u64) -> Value {
    let long_ago = "0".repeat(39) + "1";
    json!({
        "action": action,
        "pull_request": {
            "number": number, "title": "::set-output name=action::destroy", "state": "open", "labels": [],
            "head": side(&long_ago, "acme/shop"), "base": side(&long_ago, "acme/shop"),
        },
    })
}

fn comment(id: u64, number: u64, author: &str, body: &str) -> Value {
    json!({
        "action": "created",
        "issue": {"number": number, "pull_request": {}},
        "comment": {"id": id, "user": {"login": author}, "body": body},
    })
}

/// `k8s-ee pr` in a run of that event.
fn in_actions(fake: &GithubFake, name: &str, event: &Value) -> Run {
    in_actions_with(fake, name, event, &["pr"])
}

fn in_actions_with(fake: &GithubFake, name: &str, event: &Value, args: &[&str]) -> Run {
    k8s_ee(args)
        .file("event.json", &event.to_string())
        .file("outputs", "")
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_EVENT_NAME", name)
        .env("GITHUB_EVENT_PATH", "event.json")
        .env("GITHUB_OUTPUT", "outputs")
        .env("GITHUB_REPOSITORY", "acme/shop")
        .env("GITHUB_RUN_ID", "99")
        .env("GITHUB_API_URL", fake.url())
        .env("GITHUB_SERVER_URL", "https://github.com")
        .env("GITHUB_TOKEN", TOKEN)
        .replace(fake.url(), "[API]")
}

/// The outputs, as the runner reads them.
fn outputs(printed: &Printed) -> BTreeMap<String, String> {
    let text = printed.file("outputs");
    let mut lines = text.split('\n');
    let mut outputs = BTreeMap::new();
    while let Some(head) = lines.next().filter(|line| !line.is_empty()) {
        let (name, delimiter) = head.split_once("<<").expect("a delimiter");
        let value: Vec<&str> = lines
            .by_ref()
            .take_while(|line| *line != delimiter)
            .collect();
        outputs.insert(name.to_owned(), value.join("\n"));
    }
    outputs
}

/// The action and the reason.
fn decided(printed: &Printed) -> (String, String) {
    let outputs = outputs(printed);
    assert_eq!(
        printed.stdout.trim(),
        outputs["action"],
        "{}",
        printed.both()
    );
    (outputs["action"].clone(), outputs["reason"].clone())
}

fn action(run: Run) -> String {
    decided(&run.exits(0)).0
}

/// Who reacted to a comment, and how.
fn reactions(fake: &GithubFake, id: u64) -> Vec<String> {
    fake.with(|world| {
        let comments = &world.repository("acme/shop").comments;
        let reactions = comments[&id].reactions.iter();
        reactions.map(|reaction| reaction.content.clone()).collect()
    })
}

/// Our comment, as it is left when an environment is this far.
fn tell_state(fake: &GithubFake, number: u64, state: &str, commit: &str) {
    let line = json!({
        "version": 1, "state": state, "commit": commit, "at": "2026-11-21T12:00:00Z", "namespace": "shop-pr-7",
    });
    let body = format!("<!-- k8s-ee-pr-env -->\n<!-- k8s-ee: {line} -->\n## Preview");
    fake.with(|world| world.comment("acme/shop", number, BOT, &body));
}

#[test]
fn what_is_true_now_counts_not_what_the_event_says() {
    let fake = GithubFake::start(shop("projectId: shop\n"));
    let opened = || in_actions(&fake, "pull_request", &pull_request("opened", 7));
    let printed = opened().exits(0);
    assert_snapshot!(printed.both(), @"
    --- stdout
    create
    --- stderr
    #7: every pull request has an environment
    ");
    let outputs: Vec<String> = outputs(&printed)
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    assert_snapshot!(outputs.join("\n"), @"
    action=create
    force=false
    head-ref=new-topic
    head-repository=acme/shop
    head-sha=6dcb09b5b57875f334f61aebed695e2e4193db5e
    is-fork=false
    namespace=shop-pr-7
    pr-number=7
    preserve-for=
    profile=default
    project-id=shop
    reason=every pull request has an environment
    waits-for-approval=false
    ");

    tell_state(&fake, 7, "running", HEAD);
    assert_eq!(action(opened()), "update");
    let closed = |fake: &GithubFake| {
        fake.with(|world| {
            let pull = world.repository("acme/shop").pulls.get_mut(&7);
            pull.expect("it is there").open = false;
        });
    };
    closed(&fake);
    for late in ["opened", "synchronize", "labeled", "closed"] {
        assert_eq!(
            action(in_actions(&fake, "pull_request", &pull_request(late, 7))),
            "destroy"
        );
    }
    tell_state(&fake, 7, "destroyed", HEAD);
    assert_eq!(action(opened()), "nothing");
}

#[test]
fn a_broken_file_neither_keeps_nor_ends_an_environment() {
    let fake = GithubFake::start(shop("projectId: shop\napp: [\n"));
    let printed = in_actions(&fake, "pull_request", &pull_request("opened", 7)).exits(0);
    assert_eq!(
        decided(&printed).0,
        "create",
        "the step that follows says what is wrong with it"
    );
    assert!(
        printed.stderr.contains("k8s-ee.yaml is not valid"),
        "{}",
        printed.both()
    );
    assert_eq!(outputs(&printed)["namespace"], "shop-pr-7");

    // Nor does a file that is not there, or cannot be read, keep one from being removed.
    fake.with(|world| {
        let shop = world.repository("acme/shop");
        shop.files.get_mut(HEAD).expect("files").clear();
        shop.files
            .get_mut(HEAD)
            .expect("files")
            .insert("other".to_owned(), String::new());
    });
    let gone = in_actions(&fake, "pull_request", &pull_request("opened", 7)).exits(0);
    assert_eq!(
        decided(&gone),
        (
            "nothing".to_owned(),
            "the commit 6dcb09b has no configuration file".to_owned()
        )
    );
    fake.with(|world| {
        let pull = world.repository("acme/shop").pulls.get_mut(&7);
        pull.expect("it is there").open = false;
    });
    assert_eq!(
        action(in_actions(
            &fake,
            "pull_request",
            &pull_request("closed", 7)
        )),
        "destroy"
    );
    for trouble in ["contents", "comments"] {
        fake.trouble(Fault::new(Trouble::Status(403)).on("GET", trouble));
        let printed = in_actions(&fake, "pull_request", &pull_request("closed", 7)).exits(0);
        assert_eq!(decided(&printed).0, "destroy", "{}", printed.both());
        assert!(
            printed.stderr.contains("known: not allowed"),
            "{}",
            printed.both()
        );
    }
}

#[test]
fn a_comment_brings_up_takes_away_and_is_answered() {
    let fake = GithubFake::start(shop("projectId: shop\ntrigger: on-demand\n"));
    let opened = in_actions(&fake, "pull_request", &pull_request("opened", 7)).exits(0);
    assert_eq!(
        decided(&opened),
        (
            "nothing".to_owned(),
            "this project makes environments on demand; to have it deployed, comment: /deploy-preview".to_owned()
        )
    );
    let write = |author: &str, body: &str| {
        let id = fake.with(|world| world.comment("acme/shop", 7, author, body));
        (
            id,
            in_actions(&fake, "issue_comment", &comment(id, 7, author, body)),
        )
    };
    let (id, run) = write("dev-1", "/deploy-preview\r\nplease");
    assert_eq!(action(run), "create");
    assert_eq!(reactions(&fake, id), ["eyes"]);

    let (id, run) = write("reader", "/destroy-preview");
    let (refused, reason) = decided(&run.exits(0));
    assert_eq!(refused, "nothing");
    assert!(reason.contains("allowed to push"), "{reason}");
    assert_eq!(reactions(&fake, id), ["-1"]);

    let (id, run) = write(
        "dev-1",
        "/deploy-preview $(curl evil) ::set-output name=action::destroy",
    );
    let (refused, reason) = decided(&run.exits(0));
    assert_eq!(refused, "nothing");
    assert!(
        reason.starts_with("after `/deploy-preview` there may be a commit"),
        "{reason}"
    );
    assert_eq!(reactions(&fake, id), ["confused"]);

    tell_state(&fake, 7, "running", HEAD);
    assert_eq!(
        action(in_actions(
            &fake,
            "pull_request",
            &pull_request("synchronize", 7)
        )),
        "update"
    );
    let (late, _) = write("dev-1", "/deploy-preview");
    let (id, run) = write("dev-1", "/destroy-preview");
    assert_eq!(action(run), "destroy");
    assert_eq!(reactions(&fake, id), ["eyes"]);
    let late = comment(late, 7, "dev-1", "/deploy-preview");
    assert_eq!(
        action(in_actions(&fake, "issue_comment", &late)),
        "nothing",
        "it was taken back"
    );
}

/// What is no command costs no request.
#[test]
fn comments_about_other_things_are_left_alone() {
    let fake = GithubFake::start(shop("projectId: shop\n"));
    let with = |change: &dyn Fn(&mut Value)| {
        let mut event = comment(1, 7, "dev-1", "/deploy-preview");
        change(&mut event);
        event
    };
    for event in [
        with(&|event| event["comment"]["body"] = json!("looks good\n/deploy-preview")),
        with(&|event| event["action"] = json!("edited")),
        with(&|event| event["action"] = json!("deleted")),
        with(&|event| event["issue"] = json!({"number": 7})),
        with(&|event| event["comment"]["user"]["login"] = json!("dependabot[bot]")),
        with(&|event| event["comment"]["user"] = Value::Null),
    ] {
        assert_eq!(
            action(in_actions(&fake, "issue_comment", &event)),
            "nothing",
            "{event}"
        );
    }
    assert!(fake.requests().is_empty());
}

#[test]
fn a_fork_is_approved_commit_by_commit() {
    let fake = GithubFake::start(shop("projectId: shop\n"));
    let built = |sha: &str| {
        json!({"workflow_run": {
            "id": 1, "event": "pull_request", "conclusion": "success", "head_sha": sha, "head_branch": "patch-1",
            "head_repository": {"full_name": "stranger/shop"}, "pull_requests": [],
        }})
    };
    let run = |sha: &str| in_actions(&fake, "workflow_run", &built(sha));
    let printed = run(FORKED).exits(0);
    assert_eq!(
        decided(&printed),
        (
            "nothing".to_owned(),
            format!(
                "a commit of a fork needs the approval of somebody who may push; to have it deployed, comment: /deploy-preview {FORKED}"
            )
        )
    );
    let outputs = outputs(&printed);
    for (name, value) in [
        ("pr-number", "8"),
        ("is-fork", "true"),
        ("profile", "fork"),
        ("head-repository", "stranger/shop"),
        ("waits-for-approval", "true"),
    ] {
        assert_eq!(outputs[name], value);
    }
    let write = |author: &str, body: &str| {
        let id = fake.with(|world| world.comment("acme/shop", 8, author, body));
        (
            id,
            in_actions(&fake, "issue_comment", &comment(id, 8, author, body)),
        )
    };
    // Not by the stranger, not without the commit, not by the digits that somebody can make another commit begin with.
    let approval = format!("/deploy-preview {FORKED}");
    let (id, stranger) = write("stranger", &approval);
    assert_eq!(action(stranger), "nothing");
    assert_eq!(reactions(&fake, id), ["-1"]);
    for short in ["/deploy-preview", "/deploy-preview bbbbbbb"] {
        let (id, short) = write("dev-1", short);
        let (refused, reason) = decided(&short.exits(0));
        assert_eq!(refused, "nothing");
        assert!(reason.ends_with(&approval), "{reason}");
        assert_eq!(reactions(&fake, id), ["confused"]);
    }
    assert_eq!(action(run(FORKED)), "nothing");
    let (_, approved) = write("dev-1", &approval);
    assert_eq!(action(approved), "create");
    assert_eq!(
        action(run(FORKED)),
        "create",
        "the build may end before or after the approval"
    );

    let next = "c".repeat(40);
    fake.with(|world| {
        let shop = world.repository("acme/shop");
        shop.pulls
            .get_mut(&8)
            .expect("it is there")
            .sha
            .clone_from(&next);
        let files = shop.files[FORKED].clone();
        shop.files.insert(next.clone(), files);
    });
    let (void, reason) = decided(&run(&next).exits(0));
    assert_eq!(void, "nothing");
    assert!(
        reason.starts_with("an approval is for one commit") && reason.ends_with(&next),
        "{reason}"
    );
    let (late, reason) = decided(&run(FORKED).exits(0));
    assert_eq!(late, "nothing");
    assert!(reason.contains("the newest commit is ccccccc"), "{reason}");
}

#[test]
fn conditions_of_the_file_are_asked_of_the_pull_request() {
    for (file, change, wanted) in [
        (
            "trigger: on-demand",
            &(|_: &mut Pull| {}) as &dyn Fn(&mut Pull),
            "nothing",
        ),
        ("trigger: {on: on-demand}", &|_| {}, "nothing"),
        ("trigger: {on: automatic}", &|_| {}, "create"),
        (
            "trigger: {drafts: false}",
            &|pull| pull.draft = true,
            "nothing",
        ),
        (
            "trigger: {drafts: true}",
            &|pull| pull.draft = true,
            "create",
        ),
        ("trigger: {labels: [preview]}", &|_| {}, "nothing"),
        (
            "trigger: {labels: [a, preview]}",
            &|pull| pull.labels = vec!["Preview".to_owned()],
            "create",
        ),
        (
            "trigger: {exceptLabels: [hold]}",
            &|pull| pull.labels = vec!["hold".to_owned()],
            "nothing",
        ),
        ("trigger: {exceptLabels: [hold]}", &|_| {}, "create"),
    ] {
        let fake = GithubFake::start(shop(&format!("projectId: shop\n{file}\n")));
        fake.with(|world| {
            change(
                world
                    .repository("acme/shop")
                    .pulls
                    .get_mut(&7)
                    .expect("it is there"),
            )
        });
        let run = in_actions(&fake, "pull_request", &pull_request("opened", 7));
        assert_eq!(action(run), wanted, "{file}");
    }
}

/// What `tests/integration/keys.rs` asks of the other keys.
#[test]
fn every_key_of_trigger_is_tried_here() {
    let schema = k8s_ee::config::schema::schema();
    let conditions = schema["definitions"]["Conditions"]["properties"].as_object();
    let keys: BTreeSet<&str> = conditions
        .expect("its keys")
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        keys,
        BTreeSet::from(["on", "drafts", "labels", "exceptLabels"])
    );
}

#[test]
fn strangers_texts_stay_texts() {
    let file = "projectId: shop\ntrigger:\n  labels: [\"a\\n::set-output name=action::destroy\\n\\e[2J**b**\"]\n";
    let mut world = shop(file);
    let pull = world.repository("acme/shop").pulls.get_mut(&7);
    let pull = pull.expect("it is there");
    pull.branch = "x$(id)`id`'\";${{github.token}}<!--%0A::error::".to_owned();
    pull.title = "::add-mask::a\n::error::b".to_owned();
    let fake = GithubFake::start(world);
    let printed = in_actions(&fake, "pull_request", &pull_request("opened", 7)).exits(0);
    let (action, reason) = decided(&printed);
    assert_eq!(action, "nothing");
    assert!(!reason.contains(['\n', '\u{1b}']), "{reason:?}");
    assert_eq!(outputs(&printed).len(), 13);
    assert_eq!(
        outputs(&printed)["head-ref"],
        "x$(id)`id`'\";${{github.token}}<!--%0A::error::"
    );
    for line in printed.both().lines() {
        assert!(!line.trim_start().starts_with("::"), "{line}");
    }
}

#[test]
fn without_the_right_to_answer_it_still_decides() {
    let mut world = shop("projectId: shop\n");
    world.tokens.insert(TOKEN.to_owned(), Holder::reader());
    let id = world.comment("acme/shop", 7, "dev-1", "/deploy-preview");
    let fake = GithubFake::start(world);
    let event = comment(id, 7, "dev-1", "/deploy-preview");
    let printed = in_actions(&fake, "issue_comment", &event).exits(0);
    assert_eq!(decided(&printed).0, "create");
    assert!(
        printed
            .stderr
            .contains("note: the comment was not answered: not allowed"),
        "{}",
        printed.both()
    );
}
