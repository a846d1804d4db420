//! `down` and `status` of one environment.

use insta::assert_snapshot;
use serde_json::json;
use wiremock::MockServer;

use super::{
    always, asked, assert_nothing_written, kubeconfig, nothing_else, on, preserved_until, refusal,
    serve, serve_namespace, two_environments,
};
use crate::common::k8s_ee;

#[tokio::test]
async fn down_of_what_is_not_there_is_done() {
    let server = always(refusal(
        404,
        "NotFound",
        "namespaces \"shop-pr-7\" not found",
    ))
    .await;
    let printed = on(&server.uri(), &["down", "--pr", "7"]).exits(0);
    assert_snapshot!(printed.both(), @r"
    --- stdout
    --- stderr
    there is no environment shop-pr-7; nothing to do
    ");
    assert_nothing_written(&server).await;
}

#[tokio::test]
async fn down_as_json_has_the_documented_shape() {
    let server = always(refusal(
        404,
        "NotFound",
        "namespaces \"shop-pr-7\" not found",
    ))
    .await;
    let printed = on(&server.uri(), &["down", "--pr", "7", "-o", "json"]).exits(0);
    crate::pages::assert_documented("down", &printed.json());
}

#[tokio::test]
async fn down_leaves_the_namespaces_of_others_alone() {
    let server = MockServer::start().await;
    serve_namespace(&server, "somebody-else").await;
    let printed = on(&server.uri(), &["down", "--pr", "7"]).exits(8);
    assert_snapshot!(printed.both(), @"
    --- stdout
    --- stderr
    error: the namespace `shop-pr-7` exists and is not a preview environment; nothing was removed

    hint: look at it: kubectl get namespace shop-pr-7 --show-labels; if it is in use, choose another `projectId`
    ");
    assert_nothing_written(&server).await;
}

#[tokio::test]
async fn down_leaves_what_is_preserved() {
    let server = preserved_until("2999-12-01T12:00:00Z").await;
    let printed = on(&server.uri(), &["down", "--pr", "7"]).exits(0);
    assert_snapshot!(printed.both(), @"
    --- stdout
    --- stderr
    shop-pr-7 is preserved until 2999-12-01 12:00 UTC by octocat; nothing was removed

    hint: remove it all the same: k8s-ee down --pr 7 --force
    ");
    let printed = on(&server.uri(), &["down", "--pr", "7", "-o", "json"]).exits(0);
    let json = printed.json();
    assert_eq!(json["state"], "preserved");
    assert_eq!(json["preserveUntil"], "2999-12-01T12:00:00Z");
    assert_eq!(json["preservedBy"], "octocat");
    assert_nothing_written(&server).await;
}

#[tokio::test]
async fn down_removes_what_was_preserved_long_enough_and_what_it_is_told_to() {
    for (until, flags) in [
        ("2026-01-01T00:00:00Z", &[][..]),
        ("2999-12-01T12:00:00Z", &["--force"]),
    ] {
        let server = preserved_until(until).await;
        nothing_else(&server).await;
        let args = [&["down", "--pr", "7", "--wait=false"], flags].concat();
        on(&server.uri(), &args).exits(0);
        let asked = server.received_requests().await.expect("they are kept");
        let deleted = asked.iter().any(|request| {
            request.method.as_str() == "DELETE"
                && request.url.path() == "/api/v1/namespaces/shop-pr-7"
        });
        assert!(deleted, "{until} {flags:?}");
    }
}

#[tokio::test]
async fn the_project_comes_from_the_cluster_where_there_is_no_file() {
    let server = two_environments().await;
    let printed = k8s_ee(&["status", "--pr", "99"])
        .file("kubeconfig", &kubeconfig(&server.uri()))
        .env("KUBECONFIG", "kubeconfig")
        .exits(11);
    assert_snapshot!(printed.both(), @"
    --- stdout
    --- stderr
    error: no project has an environment of pull request 99

    hint: list them: k8s-ee list; or name the project with --project ID
    ");
    assert_eq!(
        asked(&server).await,
        ["/api/v1/namespaces?labelSelector=k8s-ee%2Ftype%3Dephemeral%2Ck8s-ee%2Fpr-number%3D99"]
    );
}

#[tokio::test]
async fn status_as_json_has_the_documented_shape() {
    let server = MockServer::start().await;
    serve_namespace(&server, "github-actions").await;
    let ingress = json!([{
        "metadata": {"name": "app", "namespace": "shop-pr-7"},
        "spec": {"tls": [{}], "rules": [{"host": "shop-pr-7.preview.example.com"}]},
    }]);
    serve(
        &server,
        "/apis/networking.k8s.io/v1/namespaces/shop-pr-7/ingresses",
        ingress,
    )
    .await;
    let quota = json!([{
        "metadata": {"name": "pr-quota", "namespace": "shop-pr-7"},
        "status": {"hard": {"limits.cpu": "690m"}, "used": {"limits.cpu": "200m"}},
    }]);
    serve(
        &server,
        "/api/v1/namespaces/shop-pr-7/resourcequotas",
        quota,
    )
    .await;
    let labels = json!({"k8s-ee/component": "app"});
    let deployment = json!([{
        "metadata": {"name": "app", "namespace": "shop-pr-7", "generation": 1, "labels": labels},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {"spec": {"containers": [{"name": "app", "image": "ghcr.io/acme/shop:1.2"}]}},
        },
        "status": {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1},
    }]);
    serve(
        &server,
        "/apis/apps/v1/namespaces/shop-pr-7/deployments",
        deployment,
    )
    .await;
    serve(
        &server,
        "/apis/apps/v1/namespaces/shop-pr-7/statefulsets",
        json!([]),
    )
    .await;
    let pods = json!([{
        "metadata": {"name": "app-1", "namespace": "shop-pr-7", "labels": labels},
        "status": {"containerStatuses": [{
            "name": "app", "image": "", "imageID": "", "ready": true, "restartCount": 0,
        }]},
    }]);
    serve(&server, "/api/v1/namespaces/shop-pr-7/pods", pods).await;
    let printed = on(&server.uri(), &["status", "--pr", "7", "-o", "json"]).exits(0);
    let mut json = printed.json();
    json["ageSeconds"] = 10_800.into();
    json["createdAt"] = "2026-01-01T00:00:00Z".into();
    crate::pages::assert_documented("status", &json);
}
