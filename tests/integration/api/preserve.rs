//! `preserve`: who may keep how much, for how long.

use std::sync::{Arc, Mutex};

use insta::assert_snapshot;
use serde_json::{Value, json};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{method, path},
};

use super::{assert_nothing_written, namespace, nothing_else, on, serve_namespace};

/// Environments of the account that asks and of another one, preserved until a time that is far away.
pub(crate) fn preserved(by: &[&str]) -> Vec<Value> {
    let one = |(index, by): (usize, &&str)| {
        let number = 20 + u64::try_from(index).expect("a small number");
        let mut namespace = namespace("web", number, "github-actions");
        namespace["metadata"]["labels"]["preserve"] = "true".into();
        let annotations = &mut namespace["metadata"]["annotations"];
        annotations["k8s-ee/preserve-until"] = "2999-01-01T00:00:00Z".into();
        annotations["k8s-ee/preserved-by"] = (*by).into();
        namespace
    };
    by.iter().enumerate().map(one).collect()
}

/// The environment `shop-pr-7`, beside lists of others that are preserved: one after the other, the last one again and
/// again. Returns what is written to its namespace.
pub(crate) async fn serve(server: &MockServer, lists: Vec<Vec<Value>>) -> Arc<Mutex<Vec<Value>>> {
    serve_namespace(server, "github-actions").await;
    Mock::given(method("POST"))
        .and(path("/apis/authentication.k8s.io/v1/selfsubjectreviews"))
        .respond_with(ResponseTemplate::new(201).set_body_json(json!({
            "apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview",
            "status": {"userInfo": {"username": "jane"}},
        })))
        .mount(server)
        .await;
    let lists = Mutex::new(lists);
    Mock::given(method("GET"))
        .and(path("/api/v1/namespaces"))
        .respond_with(move |request: &wiremock::Request| {
            let query = request.url.query().unwrap_or_default();
            assert!(query.contains("preserve"), "{query}");
            let mut lists = lists.lock().expect("nobody panics");
            let items = if lists.len() > 1 { lists.remove(0) } else { lists[0].clone() };
            let list = json!({"apiVersion": "v1", "kind": "NamespaceList", "metadata": {}, "items": items});
            ResponseTemplate::new(200).set_body_json(list)
        })
        .mount(server)
        .await;
    let written: Arc<Mutex<Vec<Value>>> = Arc::default();
    let noted = Arc::clone(&written);
    Mock::given(method("PATCH"))
        .and(path("/api/v1/namespaces/shop-pr-7"))
        .respond_with(move |request: &wiremock::Request| {
            let patch: Value = request.body_json().expect("a patch is JSON");
            noted.lock().expect("nobody panics").push(patch);
            let mut answer = namespace("shop", 7, "github-actions");
            answer["apiVersion"] = "v1".into();
            answer["kind"] = "Namespace".into();
            ResponseTemplate::new(200).set_body_json(answer)
        })
        .mount(server)
        .await;
    nothing_else(server).await;
    written
}

#[tokio::test]
async fn one_more_than_the_platform_allows_is_refused() {
    let server = MockServer::start().await;
    serve(&server, vec![preserved(&["jane", "other", "Jane", "jane"])]).await;
    let printed = on(&server.uri(), &["preserve", "--pr", "7"]).exits(14);
    assert_snapshot!(printed.both(), @"
    --- stdout
    --- stderr
    error: jane preserves 3 environments already, which is as many as the platform allows: web-pr-20 until 2999-01-01 00:00 UTC, web-pr-22 until 2999-01-01 00:00 UTC, web-pr-23 until 2999-01-01 00:00 UTC

    hint: end one of them: k8s-ee preserve --off, or the comment /preserve off under its pull request
    ");
    let asked = server.received_requests().await.expect("requests are kept");
    assert!(
        asked
            .iter()
            .all(|request| request.method.as_str() != "PATCH")
    );
}

#[tokio::test]
async fn longer_than_the_platform_allows_is_refused() {
    let server = MockServer::start().await;
    let written = serve(&server, vec![preserved(&[])]).await;
    let printed = on(&server.uri(), &["preserve", "--pr", "7", "--for", "49h"]).exits(14);
    assert_snapshot!(printed.both(), @"
    --- stdout
    --- stderr
    error: an environment is preserved for 48h at most, not for 49h

    hint: ask for 48h or less; before it is over, asking again extends it
    ");
    assert!(written.lock().expect("nobody panics").is_empty());
}

#[tokio::test]
async fn who_asks_at_the_same_moment_as_another_one_gives_way() {
    let server = MockServer::start().await;
    let (two, three) = (
        preserved(&["jane", "jane"]),
        preserved(&["jane", "jane", "jane"]),
    );
    let written = serve(&server, vec![two, three]).await;
    let printed = on(&server.uri(), &["preserve", "--pr", "7"]).exits(14);
    assert!(
        printed
            .stderr
            .contains("jane preserves 3 environments already"),
        "{}",
        printed.both()
    );
    let written = written.lock().expect("nobody panics");
    assert_eq!(written.len(), 2, "{written:?}");
    assert_eq!(written[0]["metadata"]["labels"]["preserve"], "true");
    assert_eq!(
        written[0]["metadata"]["annotations"]["k8s-ee/preserved-by"],
        "jane"
    );
    assert_eq!(
        written[1]["metadata"]["labels"]["preserve"],
        Value::Null,
        "it is taken back"
    );
}

#[tokio::test]
async fn preserve_as_json_has_the_documented_shape() {
    let server = MockServer::start().await;
    let written = serve(&server, vec![preserved(&["jane", "jane"])]).await;
    let args = ["preserve", "--pr", "7", "--for", "2h", "-o", "json"];
    let printed = on(&server.uri(), &args).exits(0);
    let until = printed.json()["until"].clone();
    let mut shape = printed.json();
    shape["until"] = "2026-01-03T03:00:00Z".into();
    crate::pages::assert_documented("preserve", &shape);
    assert_eq!(
        written.lock().expect("nobody panics")[0]["metadata"]["annotations"]["k8s-ee/preserve-until"],
        until
    );
    let until: jiff::Timestamp = until.as_str().expect("a text").parse().expect("a time");
    let left = until.duration_since(jiff::Timestamp::now()).as_secs();
    assert!((7000..=7200).contains(&left), "{left}");
}

#[tokio::test]
async fn what_is_not_there_cannot_be_kept() {
    let server = MockServer::start().await;
    nothing_else(&server).await;
    let printed = on(&server.uri(), &["preserve", "--pr", "7"]).exits(11);
    assert_snapshot!(printed.both(), @"
    --- stdout
    --- stderr
    error: there is no environment shop-pr-7

    hint: list them: k8s-ee list
    ");
    assert_nothing_written(&server).await;

    let server = MockServer::start().await;
    serve_namespace(&server, "somebody-else").await;
    nothing_else(&server).await;
    on(&server.uri(), &["preserve", "--pr", "7"]).exits(11);
    assert_nothing_written(&server).await;
}
