//! Runs as GitHub documents them, and as they could be made to mislead.

use std::{collections::BTreeMap, io};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::github::{
    event::{PullRequestAction, PullRequestEvent},
    pulls::Association,
};

const PULL_REQUEST: &str = include_str!("../../../tests/fixtures/github/pull_request.labeled.json");
const COMMENT: &str = include_str!("../../../tests/fixtures/github/issue_comment.created.json");
const WORKFLOW_RUN: &str =
    include_str!("../../../tests/fixtures/github/workflow_run.completed.json");
const DISPATCH: &str = include_str!("../../../tests/fixtures/github/workflow_dispatch.json");
const PUSH: &str = include_str!("../../../tests/fixtures/github/push.json");

/// The trial merge that Actions checks out for a pull request.
const MERGE: &str = "1111111111111111111111111111111111111111";
const HEAD: &str = "ec26c3e57ca3a959ca5aad62de7213c562f8c821";

fn variables(event: &str) -> BTreeMap<&'static str, String> {
    BTreeMap::from([
        ("GITHUB_ACTIONS", "true".to_owned()),
        ("GITHUB_ACTOR", "Codertocat".to_owned()),
        ("GITHUB_API_URL", "https://api.github.com".to_owned()),
        ("GITHUB_EVENT_NAME", event.to_owned()),
        ("GITHUB_EVENT_PATH", "/event.json".to_owned()),
        ("GITHUB_REF", "refs/pull/2/merge".to_owned()),
        ("GITHUB_REPOSITORY", "Codertocat/Hello-World".to_owned()),
        ("GITHUB_RUN_ATTEMPT", "3".to_owned()),
        ("GITHUB_RUN_ID", "1658821493".to_owned()),
        ("GITHUB_SERVER_URL", "https://github.com/".to_owned()),
        ("GITHUB_SHA", MERGE.to_owned()),
    ])
}

fn context(
    variables: &BTreeMap<&'static str, String>,
    event: &str,
) -> Result<Option<Context>, ContextError> {
    Context::new(
        |name| variables.get(name).cloned(),
        |path| {
            assert_eq!(path, "/event.json");
            Ok(event.to_owned())
        },
    )
}

fn run(name: &str, event: &str) -> Context {
    context(&variables(name), event)
        .expect("a run that is understood")
        .expect("a run of Actions")
}

/// The event with some of its fields changed.
fn changed(event: &str, change: impl FnOnce(&mut Value)) -> String {
    let mut value = serde_json::from_str(event).expect("an event");
    change(&mut value);
    value.to_string()
}

fn pull_request(context: &Context) -> &PullRequestEvent {
    match &context.event {
        Event::PullRequest(event) => event,
        other => panic!("not of a pull request: {other:?}"),
    }
}

#[test]
fn a_pull_request() {
    let context = run("pull_request", PULL_REQUEST);
    assert_eq!(context.repository.to_string(), "Codertocat/Hello-World");
    assert_eq!(context.number(), Some(2));
    assert_eq!(context.is_fork(), Some(false));
    assert_eq!(context.actor, Some("codertocat".parse().expect("a login")));
    assert_eq!((context.run_id, context.run_attempt), (1_658_821_493, 3));
    assert_eq!(
        context.run_url(),
        "https://github.com/Codertocat/Hello-World/actions/runs/1658821493"
    );
    // Never the trial merge, which is what is checked out.
    assert_eq!(context.head().map(Sha::as_str), Some(HEAD));
    assert_eq!(context.sha.as_ref().map(Sha::as_str), Some(MERGE));

    let event = pull_request(&context);
    assert!(!event.target);
    assert_eq!(event.action, PullRequestAction::Labeled("bug".to_owned()));
    let pull = &event.pull_request;
    assert_eq!(Some(pull), context.pull_request());
    assert!(pull.open && !pull.merged && !pull.draft && pull.has_label("Bug"));
    assert_eq!(pull.head.branch, "changes");
    assert_eq!(pull.base.branch, "master");
    assert_eq!(pull.association, Association::Owner);
    assert_eq!(pull.author, Some("Codertocat".parse().expect("a login")));
}

#[test]
fn each_action() {
    let of = |action: &str| {
        let event = changed(PULL_REQUEST, |event| event["action"] = action.into());
        pull_request(&run("pull_request_target", &event)).clone()
    };
    assert!(of("opened").target);
    assert_eq!(of("opened").action, PullRequestAction::Opened);
    assert_eq!(of("reopened").action, PullRequestAction::Reopened);
    assert_eq!(of("synchronize").action, PullRequestAction::Synchronize);
    assert_eq!(of("closed").action, PullRequestAction::Closed);
    assert_eq!(
        of("unlabeled").action,
        PullRequestAction::Unlabeled("bug".to_owned())
    );
    assert_eq!(
        of("ready_for_review").action,
        PullRequestAction::ReadyForReview
    );
    assert_eq!(
        of("converted_to_draft").action,
        PullRequestAction::ConvertedToDraft
    );
    assert_eq!(
        of("locked").action,
        PullRequestAction::Other("locked".to_owned())
    );
}

#[test]
fn a_fork_is_one_by_its_repository() {
    let fork = |repository: Value| {
        let event = changed(PULL_REQUEST, |event| {
            event["pull_request"]["head"]["repo"] = repository;
        });
        run("pull_request", &event).is_fork()
    };
    assert_eq!(
        fork(json!({"full_name": "stranger/Hello-World"})),
        Some(true)
    );
    assert_eq!(
        fork(json!({"full_name": "codertocat/hello-world"})),
        Some(false)
    );
    // A fork that was deleted while its pull request is open.
    assert_eq!(fork(Value::Null), Some(true));
}

#[test]
fn a_comment_on_a_pull_request_and_one_on_an_issue() {
    let issue = run("issue_comment", COMMENT);
    assert_eq!(issue.number(), None);
    let on_pull = changed(COMMENT, |event| {
        event["issue"]["pull_request"] =
            json!({"url": "https://api.github.com/repos/Codertocat/Hello-World/pulls/1"});
        event["comment"]["body"] = "/preserve 24h".into();
    });
    let context = run("issue_comment", &on_pull);
    assert_eq!(context.number(), Some(1));
    // The event does not have it; GITHUB_SHA is the default branch's.
    assert_eq!(context.head(), None);
    assert_eq!(context.is_fork(), None);
    let Event::IssueComment(event) = &context.event else {
        panic!("not a comment: {:?}", context.event);
    };
    assert_eq!(
        (event.action.as_str(), event.comment.id),
        ("created", 492_700_400)
    );
    assert_eq!(event.comment.body, "/preserve 24h");
    assert_eq!(event.comment.association, Association::Owner);
    assert_eq!(event.author().map(Login::as_str), Some("Codertocat"));

    let by_nobody = changed(&on_pull, |event| event["comment"]["user"] = Value::Null);
    let Event::IssueComment(event) = run("issue_comment", &by_nobody).event else {
        panic!("not a comment");
    };
    assert_eq!(event.author(), None);
}

#[test]
fn another_workflow_ran() {
    let mut environment = variables("workflow_run");
    environment.insert("GITHUB_REPOSITORY", "octo-org/octo-repo".to_owned());
    let run = |event: &str| {
        context(&environment, event)
            .expect("a run that is understood")
            .expect("a run of Actions")
    };
    let own = run(WORKFLOW_RUN);
    assert_eq!(own.number(), Some(2));
    assert_eq!(own.is_fork(), Some(false));
    let Event::WorkflowRun(event) = &own.event else {
        panic!("not a run: {:?}", own.event);
    };
    assert_eq!(event.conclusion.as_deref(), Some("success"));
    assert_eq!(own.head(), Some(&event.head.sha));
    assert_ne!(own.head(), own.sha.as_ref());

    let fork = changed(WORKFLOW_RUN, |event| {
        event["workflow_run"]["head_repository"]["full_name"] = "stranger/octo-repo".into();
        event["workflow_run"]["pull_requests"] = json!([]);
    });
    let fork = run(&fork);
    assert_eq!((fork.number(), fork.is_fork()), (None, Some(true)));
}

#[test]
fn by_hand_and_by_push() {
    let event = changed(DISPATCH, |event| {
        event["inputs"] = json!({"pr": "7", "keep": true, "note": null});
    });
    let context = run("workflow_dispatch", &event);
    let Event::WorkflowDispatch(inputs) = &context.event else {
        panic!("not by hand: {:?}", context.event);
    };
    assert_eq!(inputs["pr"], "7");
    assert_eq!(inputs["keep"], "true");
    assert_eq!(inputs["note"], "");
    assert_eq!(context.head(), context.sha.as_ref());
    let none = changed(DISPATCH, |event| event["inputs"] = Value::Null);
    assert_eq!(
        run("workflow_dispatch", &none).event,
        Event::WorkflowDispatch(BTreeMap::new())
    );

    let pushed = run("push", PUSH);
    assert_eq!(
        pushed.head().map(Sha::as_str),
        Some("6113728f27ae82c7b1a177c8d03f9e96e0adf246")
    );
    assert_eq!((pushed.number(), pushed.is_fork()), (None, Some(false)));
    let deleted = changed(PUSH, |event| event["after"] = "0".repeat(40).into());
    assert_eq!(run("push", &deleted).head(), None);
}

#[test]
fn other_events_tell_nothing_of_commits() {
    // A review runs on a trial merge as well.
    let review = run("pull_request_review", PULL_REQUEST);
    assert_eq!(review.event, Event::Other("pull_request_review".to_owned()));
    assert_eq!(
        (review.head(), review.number(), review.is_fork()),
        (None, None, None)
    );
}

#[test]
fn outside_of_actions_there_is_no_context() {
    let mut variables = variables("push");
    variables.insert("GITHUB_ACTIONS", "false".to_owned());
    assert_eq!(
        context(&variables, "not read").expect("nothing to refuse"),
        None
    );
    variables.remove("GITHUB_ACTIONS");
    assert_eq!(
        context(&variables, "not read").expect("nothing to refuse"),
        None
    );
}

#[test]
fn what_is_missing_or_wrong_is_named() {
    let with = |name: &'static str, value: Option<&str>| {
        let mut variables = variables("push");
        match value {
            Some(value) => variables.insert(name, value.to_owned()),
            None => variables.remove(name),
        };
        let error = context(&variables, PUSH).expect_err("a run that cannot be understood");
        let because = std::error::Error::source(&error);
        because.map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
    };
    insta::assert_snapshot!(with("GITHUB_EVENT_NAME", None), @"GITHUB_ACTIONS is set, but GITHUB_EVENT_NAME is not");
    insta::assert_snapshot!(with("GITHUB_API_URL", Some("")), @"GITHUB_ACTIONS is set, but GITHUB_API_URL is not");
    insta::assert_snapshot!(with("GITHUB_REPOSITORY", Some("acme/../x")), @"GITHUB_REPOSITORY cannot be used: `acme/../x` is not a repository, such as `acme/shop`");
    insta::assert_snapshot!(with("GITHUB_SHA", Some("main")), @"GITHUB_SHA cannot be used: `main` is not a commit, which has 40 hexadecimal digits");
    insta::assert_snapshot!(with("GITHUB_RUN_ID", Some("x")), @"GITHUB_RUN_ID is not a number: `x`");
    insta::assert_snapshot!(with("GITHUB_EVENT_NAME", Some("pull_request")), @"the event `pull_request` is not as GitHub documents it: missing field `action` at line 189 column 1");
    let error = Context::new(
        |name| variables("push").get(name).cloned(),
        |_| Err(io::Error::from(io::ErrorKind::NotFound)),
    );
    insta::assert_snapshot!(error.expect_err("no such file"), @"cannot read the event, /event.json");
}

#[test]
fn a_simulated_runner_has_no_actor() {
    let mut variables = variables("push");
    variables.insert("GITHUB_ACTOR", "nektos/act".to_owned());
    variables.remove("GITHUB_RUN_ATTEMPT");
    let context = context(&variables, PUSH).expect("a run that is understood");
    let context = context.expect("a run of Actions");
    assert_eq!((context.actor, context.run_attempt), (None, 1));
}

proptest! {
    /// Whatever stands in the places that a stranger can fill: it is taken as text, or refused, and nothing else.
    #[test]
    fn texts_of_strangers_stay_texts(branch in any::<String>(), title in any::<String>(), label in any::<String>(), owner in any::<String>()) {
        let event = changed(PULL_REQUEST, |event| {
            let pull = &mut event["pull_request"];
            pull["title"] = title.as_str().into();
            pull["head"]["ref"] = branch.as_str().into();
            pull["labels"][0]["name"] = label.as_str().into();
            pull["head"]["repo"]["full_name"] = format!("{owner}/x").into();
        });
        match context(&variables("pull_request"), &event) {
            Ok(context) => {
                let context = context.expect("a run of Actions");
                let pull = context.pull_request().expect("a pull request");
                prop_assert_eq!(&pull.title, &title);
                prop_assert_eq!(&pull.head.branch, &branch);
                prop_assert_eq!(&pull.labels, &vec![label]);
                prop_assert_eq!(context.head().map(Sha::as_str), Some(HEAD));
            }
            Err(ContextError::Event { .. }) => {}
            Err(error) => prop_assert!(false, "{}", error),
        }
    }

    /// No event makes us panic, and none gives a commit that is not one.
    #[test]
    fn any_text_is_refused_or_understood(name in "pull_request|pull_request_target|issue_comment|workflow_run|workflow_dispatch|push|[a-z_]{1,9}", cut in 0_usize..4000, at in any::<prop::sample::Index>(), junk in any::<char>()) {
        let whole = [PULL_REQUEST, COMMENT, WORKFLOW_RUN, DISPATCH, PUSH][cut % 5];
        let mut text: Vec<char> = whole.chars().collect();
        let at = at.index(text.len());
        text[at] = junk;
        let text: String = text.into_iter().collect();
        if let Ok(Some(context)) = context(&variables(&name), &text) {
            if let Some(head) = context.head() {
                prop_assert_eq!(head.as_str().len(), 40);
            }
            let _ = (context.number(), context.is_fork(), context.run_url());
        }
    }
}
