//! `open`, `exec` and `port-forward` against a faked API server: what they say when they cannot.

use insta::assert_snapshot;
use serde_json::json;
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{method, path, path_regex},
};

use crate::api::{on, refusal, serve};

const INGRESSES: &str = "/apis/networking.k8s.io/v1/namespaces/shop-pr-7/ingresses";
const PODS: &str = "/api/v1/namespaces/shop-pr-7/pods";

fn pod(component: &str, running: bool) -> serde_json::Value {
    let state = if running {
        json!({"running": {}})
    } else {
        json!({"waiting": {"reason": "CrashLoopBackOff"}})
    };
    json!({
        "metadata": {"name": format!("{component}-1"), "namespace": "shop-pr-7", "labels": {"k8s-ee/component": component}},
        "spec": {"containers": [{"name": "main", "ports": [{"containerPort": 80}]}]},
        "status": {"conditions": [{"type": "Ready", "status": "True"}], "containerStatuses": [
            {"name": "main", "ready": running, "restartCount": 3, "image": "x", "imageID": "", "state": state},
        ]},
    })
}

#[tokio::test]
async fn a_component_that_is_not_there_is_named_with_those_that_are() {
    let server = MockServer::start().await;
    serve(&server, PODS, json!([pod("api", true), pod("web", true)])).await;
    let printed = on(&server.uri(), &["exec", "--pr", "7", "apo"]).exits(11);
    assert_snapshot!(printed.both(), @"
    --- stdout
    --- stderr
    error: shop-pr-7 has no pods of a component `apo`

    hint: did you mean `api`?
    ");
    let printed = on(&server.uri(), &["port-forward", "--pr", "7", "postgresql"]).exits(11);
    assert_snapshot!(printed.both(), @"
    --- stdout
    --- stderr
    error: shop-pr-7 has no pods of a component `postgresql`

    hint: its components are api, web
    ");
}

#[tokio::test]
async fn a_container_that_does_not_run_takes_no_program() {
    let server = MockServer::start().await;
    serve(&server, PODS, json!([pod("api", false)])).await;
    let printed = on(&server.uri(), &["exec", "--pr", "7", "api", "--", "ls"]).exits(1);
    assert_snapshot!(printed.both(), @"
    --- stdout
    --- stderr
    error: no container of `api` runs in shop-pr-7

    hint: see why: k8s-ee status --pr 7, k8s-ee logs --pr 7 api
    ");
}

#[tokio::test]
async fn a_missing_right_to_run_programs_is_told() {
    let server = MockServer::start().await;
    serve(&server, PODS, json!([pod("api", true)])).await;
    let message = "pods \"api-1\" is forbidden: User \"dev\" cannot create resource \"pods/exec\" in API group \"\" in the \
                   namespace \"shop-pr-7\"";
    Mock::given(path_regex("/exec$"))
        .respond_with(refusal(403, "Forbidden", message))
        .mount(&server)
        .await;
    let printed = on(&server.uri(), &["exec", "--pr", "7", "api", "--", "ls"]).exits(4);
    assert_snapshot!(printed.both(), @r#"
    --- stdout
    --- stderr
    error: not allowed to run a program in api-1: User "dev" cannot create resource "pods/exec" in API group "" in the namespace "shop-pr-7"

    hint: ask whoever runs the cluster for that right (`deployers` of the chart k8s-ee-platform gives what k8s-ee needs), or use another context
    "#);
}

#[tokio::test]
async fn a_local_port_that_is_taken_is_told_with_another() {
    let server = MockServer::start().await;
    serve(&server, PODS, json!([pod("api", true)])).await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let port = taken.local_addr().expect("it is bound").port().to_string();
    let ports = format!("{port}:80");
    let printed = on(&server.uri(), &["port-forward", "--pr", "7", "api", &ports])
        .replace(&port, "[PORT]")
        .exits(1);
    assert_snapshot!(printed.both(), @"
    --- stdout
    --- stderr
    error: cannot listen on 127.0.0.1:[PORT]

    Caused by:
      Address already in use (os error 98)

    hint: take another local port: 10080:80, or any that is free: 0:80
    ");
}

#[tokio::test]
async fn an_environment_without_a_url_says_what_to_do() {
    let server = MockServer::start().await;
    serve(&server, INGRESSES, json!([])).await;
    let namespace = json!({
        "apiVersion": "v1", "kind": "Namespace",
        "metadata": {"name": "shop-pr-7", "labels": {
            "app.kubernetes.io/managed-by": "github-actions", "k8s-ee/type": "ephemeral", "k8s-ee/project-id": "shop",
        }, "annotations": {"k8s-ee/state": "running"}},
    });
    Mock::given(method("GET"))
        .and(path("/api/v1/namespaces/shop-pr-7"))
        .respond_with(ResponseTemplate::new(200).set_body_json(&namespace))
        .mount(&server)
        .await;
    let printed = on(&server.uri(), &["open", "--pr", "7"]).exits(11);
    assert_snapshot!(printed.both(), @"
    --- stdout
    --- stderr
    error: shop-pr-7 has no URL: no service of it is public, or it has not been up yet

    hint: see what there is: k8s-ee status --pr 7; reach a service that is not public: k8s-ee port-forward --pr 7 SERVICE
    ");
    let ingress = json!([{"metadata": {"name": "app", "namespace": "shop-pr-7"}, "spec": {
        "tls": [{}], "rules": [{"host": "shop-pr-7.preview.example.com"}]}}]);
    server.reset().await;
    Mock::given(method("GET"))
        .and(path("/api/v1/namespaces/shop-pr-7"))
        .respond_with(ResponseTemplate::new(200).set_body_json(&namespace))
        .mount(&server)
        .await;
    serve(&server, INGRESSES, ingress).await;
    let printed = on(&server.uri(), &["open", "--pr", "7"]).exits(0);
    assert_eq!(printed.stdout, "https://shop-pr-7.preview.example.com\n");
    let printed = on(&server.uri(), &["open", "--pr", "7", "-o", "json"]).exits(0);
    crate::pages::assert_documented("open", &printed.json());
    let printed = on(&server.uri(), &["open", "--pr", "8"]).exits(11);
    assert_snapshot!(printed.both(), @"
    --- stdout
    --- stderr
    error: there is no environment shop-pr-8

    hint: list them: k8s-ee list
    ");
}
