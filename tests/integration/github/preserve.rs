//! `preserve` in a run that a comment started: who it is by, the comment of its own, the answer to the one that asked.

use github_fake::GithubFake;
use insta::assert_snapshot;
use wiremock::MockServer;

use super::{
    step::{Ended, Step, command, kubeconfig, ours, statuses},
    world,
};
use crate::api::preserve::{preserved, serve};

/// A comment that asks for it, and a step for it on a cluster where these people preserve environments.
async fn asked(by: &[&str]) -> (GithubFake, MockServer, Step, u64) {
    let server = MockServer::start().await;
    serve(&server, vec![preserved(by)]).await;
    let fake = GithubFake::start(world());
    let id = fake.with(|world| world.comment("acme/shop", 7, "octocat", "/preserve"));
    let step = Step::new(fake.url(), 1, "issue_comment", &command(id, "/preserve"))
        .file("kubeconfig", &kubeconfig(&server.uri()))
        .env("KUBECONFIG", "kubeconfig");
    (fake, server, step, id)
}

/// Runs it on a thread on which it may wait.
async fn exits(step: Step, code: i32, args: &'static [&'static str]) -> Ended {
    let run = tokio::task::spawn_blocking(move || step.exits(code, args));
    run.await.expect("it does not panic")
}

fn reactions(fake: &GithubFake, id: u64) -> Vec<String> {
    fake.with(|world| {
        let reactions = &world.repository("acme/shop").comments[&id].reactions;
        reactions
            .iter()
            .map(|reaction| reaction.content.clone())
            .collect()
    })
}

/// What our one comment says, without what differs from run to run.
fn said(fake: &GithubFake) -> String {
    let ours = ours(fake);
    assert_eq!(ours.len(), 1, "{ours:#?}");
    let time = regex::Regex::new(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC").expect("a pattern");
    time.replace_all(&ours[0].body, "[TIME]").into_owned()
}

#[tokio::test]
async fn it_is_by_who_wrote_the_comment_and_one_comment_tells_of_it() {
    let (fake, server, step, id) = asked(&["octocat", "octocat"]).await;
    let ended = exits(step, 0, &["preserve", "--for", "2h"]).await;
    assert_eq!(ended.output("state"), "preserved");
    assert_eq!(ended.output("namespace"), "shop-pr-7");
    assert_eq!(ended.output("preserved-until"), ended.printed.stdout.trim());
    assert_eq!(reactions(&fake, id), ["rocket"]);
    assert_snapshot!(said(&fake), @"
    <!-- k8s-ee-preserve -->
    ### 📌 Preserved until [TIME]

    `shop-pr-7` is kept until then, even when this pull request is closed; `octocat` asked for it.

    Comment `/preserve` to keep it longer, `/preserve off` to end that, `/destroy-preview` to remove it now.
    ");

    // The same comment says it when it is ended.
    let step = Step::new(
        fake.url(),
        2,
        "issue_comment",
        &command(id, "/preserve off"),
    )
    .file("kubeconfig", &kubeconfig(&server.uri()))
    .env("KUBECONFIG", "kubeconfig");
    let ended = exits(step, 0, &["preserve", "--off"]).await;
    assert_eq!(
        (ended.output("state"), ended.output("preserved-until")),
        ("ended", "")
    );
    assert_snapshot!(said(&fake), @"
    <!-- k8s-ee-preserve -->
    ### Not preserved any more

    `shop-pr-7` is not preserved any more: `octocat` ended it. It stays as long as this pull request is open.

    Comment `/preserve` to keep it beyond that.
    ");
}

#[tokio::test]
async fn what_is_refused_is_told_where_it_was_asked_for() {
    let (fake, _server, step, id) = asked(&["octocat", "octocat", "octocat"]).await;
    let ended = exits(step, 14, &["preserve"]).await;
    assert_eq!(
        (ended.output("state"), ended.output("preserved-until")),
        ("refused", "")
    );
    assert_eq!(reactions(&fake, id), ["confused"]);
    assert!(statuses(&fake).is_empty(), "it says nothing of the commit");
    assert_snapshot!(said(&fake), @"
    <!-- k8s-ee-preserve -->
    ### ❌ Not preserved

    `shop-pr-7`: octocat preserves 3 environments already, which is as many as the platform allows: web-pr-20 until [TIME], web-pr-21 until [TIME], web-pr-22 until [TIME]

    💡 end one of them: k8s-ee preserve --off, or the comment /preserve off under its pull request
    ");
}

#[tokio::test]
async fn without_comments_only_the_answer_is_left() {
    let (fake, _server, step, id) = asked(&[]).await;
    exits(step, 0, &["preserve", "--comment", "off"]).await;
    assert!(ours(&fake).is_empty());
    assert_eq!(reactions(&fake, id), ["rocket"]);
}
