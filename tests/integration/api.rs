//! The verbs against an API server that is faked at the protocol level: what they ask, and what they make of answers.

mod data;
mod down;
mod list;
pub(crate) mod preserve;
mod settings;

use insta::assert_snapshot;
use serde_json::{Value, json};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{method, path, query_param},
};

use crate::common::{Run, k8s_ee};

/// A token that must never be seen again.
const TOKEN: &str = "eyJhbGciOi-not-to-be-printed";

pub(crate) fn kubeconfig(server: &str) -> String {
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "fake",
        "contexts": [{"name": "fake", "context": {"cluster": "fake", "user": "deployer"}}],
        "clusters": [{"name": "fake", "cluster": {"server": server}}],
        "users": [{"name": "deployer", "user": {"token": TOKEN}}],
    })
    .to_string()
}

/// `k8s-ee` with the fake as its cluster.
pub(crate) fn on(server: &str, args: &[&str]) -> Run {
    k8s_ee(args)
        .file("kubeconfig", &kubeconfig(server))
        .file("k8s-ee.yaml", "projectId: shop\napp:\n  port: 8080\n")
        .env("KUBECONFIG", "kubeconfig")
        .replace(server, "[SERVER]")
}

/// What the API server answers when it refuses.
pub(crate) fn refusal(code: u16, reason: &str, message: &str) -> ResponseTemplate {
    ResponseTemplate::new(code).set_body_json(json!({
        "apiVersion": "v1", "kind": "Status", "status": "Failure",
        "code": code, "reason": reason, "message": message,
    }))
}

/// A server that gives the same answer to everything.
async fn always(answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(wiremock::matchers::any())
        .respond_with(answer)
        .mount(&server)
        .await;
    server
}

/// Takes what is only tried, and changes nothing about it.
async fn dry_runs(server: &MockServer) {
    Mock::given(method("PATCH"))
        .and(query_param("dryRun", "All"))
        .respond_with(|request: &wiremock::Request| {
            ResponseTemplate::new(200).set_body_raw(request.body.clone(), "application/json")
        })
        .mount(server)
        .await;
}

/// Answers a list.
pub(crate) async fn serve(server: &MockServer, at: &str, items: Value) {
    let list = json!({"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": "7"}, "items": items});
    Mock::given(method("GET"))
        .and(path(at))
        .respond_with(ResponseTemplate::new(200).set_body_json(list))
        .mount(server)
        .await;
}

/// A namespace that was made three hours ago.
fn namespace(project: &str, pr: u64, managed_by: &str) -> Value {
    let created = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(3);
    json!({"metadata": {
        "name": format!("{project}-pr-{pr}"),
        "labels": {
            "app.kubernetes.io/managed-by": managed_by,
            "k8s-ee/type": "ephemeral",
            "k8s-ee/project-id": project,
            "k8s-ee/pr-number": pr.to_string(),
            "k8s-ee/branch": "main",
        },
        "annotations": {
            "k8s-ee/created-at": created.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "k8s-ee/repository": "acme/shop",
            "k8s-ee/state": "running",
        },
    }})
}

/// Answers the namespace of pull request 7 of the project `shop`.
async fn serve_namespace(server: &MockServer, managed_by: &str) {
    serve_this_namespace(server, namespace("shop", 7, managed_by)).await;
}

async fn serve_this_namespace(server: &MockServer, mut namespace: Value) {
    namespace["apiVersion"] = "v1".into();
    namespace["kind"] = "Namespace".into();
    Mock::given(method("GET"))
        .and(path("/api/v1/namespaces/shop-pr-7"))
        .respond_with(ResponseTemplate::new(200).set_body_json(namespace))
        .mount(server)
        .await;
}

/// A server with the environment of pull request 7, which is preserved until then.
pub(crate) async fn preserved_until(until: &str) -> MockServer {
    let server = MockServer::start().await;
    let mut namespace = namespace("shop", 7, "github-actions");
    let metadata = &mut namespace["metadata"];
    metadata["labels"]["preserve"] = "true".into();
    metadata["annotations"]["k8s-ee/preserve-until"] = until.into();
    metadata["annotations"]["k8s-ee/preserved-by"] = "octocat".into();
    serve_this_namespace(&server, namespace).await;
    server
}

/// Answers 404 to everything that nothing was said of until now.
async fn nothing_else(server: &MockServer) {
    Mock::given(wiremock::matchers::any())
        .respond_with(refusal(404, "NotFound", "not found"))
        .mount(server)
        .await;
}

/// Asserts that the fake was only asked, and told nothing.
pub(crate) async fn assert_nothing_written(server: &MockServer) {
    let asked = server
        .received_requests()
        .await
        .expect("the fake keeps its requests");
    let written: Vec<String> = asked
        .iter()
        .filter(|request| request.method.as_str() != "GET")
        .map(|request| format!("{} {}", request.method, request.url.path()))
        .collect();
    assert!(written.is_empty(), "{written:?}");
}

/// Two environments of ours, and a namespace that only looks like one.
pub(crate) async fn two_environments() -> MockServer {
    let server = MockServer::start().await;
    let namespaces = json!([
        namespace("shop", 12, "github-actions"),
        namespace("shop", 7, "github-actions"),
        namespace("crm", 7, "somebody-else"),
    ]);
    serve(&server, "/api/v1/namespaces", namespaces).await;
    let ingress = json!([{
        "metadata": {"name": "app", "namespace": "shop-pr-7"},
        "spec": {"tls": [{}], "rules": [{"host": "shop-pr-7.preview.example.com"}]},
    }]);
    serve(&server, "/apis/networking.k8s.io/v1/ingresses", ingress).await;
    let quota = json!([{
        "metadata": {"name": "pr-quota", "namespace": "shop-pr-7"},
        "status": {
            "hard": {"limits.cpu": "690m", "limits.memory": "1178Mi"},
            "used": {"limits.cpu": "200m", "limits.memory": "384Mi"},
        },
    }]);
    serve(&server, "/api/v1/resourcequotas", quota).await;
    server
}

/// What a server was asked, as paths with their queries, sorted.
async fn asked(server: &MockServer) -> Vec<String> {
    let asked = server
        .received_requests()
        .await
        .expect("the fake keeps its requests");
    let mut paths: Vec<String> = asked
        .iter()
        .map(|request| {
            format!(
                "{}?{}",
                request.url.path(),
                request.url.query().unwrap_or_default()
            )
        })
        .collect();
    paths.sort();
    paths
}

#[test]
fn a_server_that_does_not_answer_is_named() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let address = listener
        .local_addr()
        .expect("a bound socket has an address");
    drop(listener);
    let printed = on(&format!("http://{address}"), &["list"]).exits(4);
    assert_snapshot!(printed.both(), @"
    --- stdout
    --- stderr
    error: cannot reach the API server [SERVER] of context `fake`

    Caused by:
      Connection refused (os error 111)

    hint: check that it runs and can be reached from here: kubectl --context fake get --raw /readyz
    ");
}

#[tokio::test]
async fn what_is_no_kubernetes_is_told_from_an_empty_one() {
    let server = always(ResponseTemplate::new(404).set_body_string("<html>Not Found</html>")).await;
    let printed = on(&server.uri(), &["list"]).exits(4);
    assert_snapshot!(printed.both(), @"
    --- stdout
    --- stderr
    error: what answers at [SERVER] of context `fake` is no API server of Kubernetes: it knows no namespaces

    hint: check the `server` of the context's cluster: kubectl config view
    ");
}

#[tokio::test]
async fn an_expired_token_is_told_from_a_missing_right() {
    let server = always(refusal(401, "Unauthorized", "Unauthorized")).await;
    let printed = on(&server.uri(), &["list"]).exits(4);
    assert_snapshot!(printed.both(), @r"
    --- stdout
    --- stderr
    error: the API server [SERVER] does not accept the credentials of context `fake`

    hint: the token or certificate may have expired; log in again, then check: kubectl --context fake auth whoami
    ");
}

#[tokio::test]
async fn a_missing_right_names_verb_and_resource() {
    let message = "namespaces is forbidden: User \"system:serviceaccount:ci:deployer\" cannot list resource \
                   \"namespaces\" in API group \"\" at the cluster scope";
    let server = always(refusal(403, "Forbidden", message)).await;
    let printed = on(&server.uri(), &["list"]).exits(4);
    assert_snapshot!(printed.both(), @r#"
    --- stdout
    --- stderr
    error: not allowed to list Namespace: User "system:serviceaccount:ci:deployer" cannot list resource "namespaces" in API group "" at the cluster scope

    hint: ask whoever runs the cluster for that right (`deployers` of the chart k8s-ee-platform gives what k8s-ee needs), or use another context
    "#);
}

#[tokio::test]
async fn what_the_server_says_of_its_own_failure_is_passed_on() {
    let server = always(refusal(
        500,
        "InternalError",
        "etcdserver: request timed out",
    ))
    .await;
    let printed = on(&server.uri(), &["status", "--pr", "7"]).exits(4);
    // Of what is asked at once, the first that fails is told.
    let stderr = &printed.stderr;
    let told = stderr.strip_prefix("error: the API server failed to ");
    let told = told.and_then(|rest| rest.split_once(": "));
    assert_eq!(
        told.map(|(_, why)| why),
        Some(
            "etcdserver: request timed out\n\nhint: try again; whether it is well: kubectl --context fake get --raw \
             /readyz\n"
        ),
        "{stderr}"
    );
}

#[tokio::test]
async fn the_token_is_never_printed() {
    let server = always(refusal(401, "Unauthorized", "Unauthorized")).await;
    for args in [
        &["list"][..],
        &["list", "--verbose"],
        &["down", "--pr", "7", "--verbose"],
    ] {
        let printed = on(&server.uri(), args).exits(4);
        assert!(!printed.both().contains(TOKEN), "{}", printed.both());
    }
    let asked = server
        .received_requests()
        .await
        .expect("the fake keeps its requests");
    let bearer = format!("Bearer {TOKEN}");
    assert!(!asked.is_empty());
    for request in &asked {
        assert_eq!(
            request.headers["authorization"],
            bearer.as_str(),
            "the token is what the server gets"
        );
    }
}
