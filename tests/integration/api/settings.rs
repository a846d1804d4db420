//! The platform's settings, as the cluster has them.

use insta::assert_snapshot;
use serde_json::{Value, json};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{method, path},
};

use super::{assert_nothing_written, nothing_else, on};

/// Answers 404 to everything, and the ConfigMap with the platform settings where it is asked for.
async fn with_settings(data: Value) -> MockServer {
    let server = MockServer::start().await;
    let settings = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "k8s-ee-platform", "namespace": "k8s-ee-system"},
        "data": data,
    });
    Mock::given(method("GET"))
        .and(path(
            "/api/v1/namespaces/k8s-ee-system/configmaps/k8s-ee-platform",
        ))
        .respond_with(ResponseTemplate::new(200).set_body_json(settings))
        .mount(&server)
        .await;
    nothing_else(&server).await;
    server
}

#[tokio::test]
async fn platform_settings_come_from_the_cluster() {
    let server = with_settings(json!({"settings.yaml": "quota: {ceiling: {pods: 1}}\n"})).await;
    let printed = on(&server.uri(), &["plan", "--pr", "7"]).exits(5);
    assert_snapshot!(printed.both(), @"
    --- stdout
    --- stderr
    error: needs 2 pods, allowed 1: app 2 (1 for the rollout)
     --> k8s-ee.yaml:1:1
      |
    1 | projectId: shop
      | ^^^^^^^^^^^^^^^
      |
      = hint: raise `quota.ceiling` for `pods` in the platform settings

    error: shop-pr-7 needs more than the platform allows; nothing was changed

    hint: lower what is marked above, or ask whoever runs the platform to raise its ceiling
    ");
}

#[tokio::test]
async fn platform_settings_that_cannot_be_read_are_named() {
    let server = with_settings(json!({"config.yaml": ""})).await;
    let printed = on(&server.uri(), &["plan", "--pr", "7"]).exits(3);
    assert_snapshot!(printed.both(), @"
    --- stdout
    --- stderr
    error: the ConfigMap k8s-ee-system/k8s-ee-platform has no key `settings.yaml`

    hint: put the settings there: kubectl -n k8s-ee-system create configmap k8s-ee-platform --from-file=settings.yaml
    ");
}

#[tokio::test]
async fn up_without_image_and_domain_says_what_is_missing_and_writes_nothing() {
    let server = with_settings(json!({"settings.yaml": ""})).await;
    let printed = on(&server.uri(), &["up", "--pr", "7"]).exits(3);
    assert_snapshot!(printed.both(), @"
    --- stdout
    --- stderr
    error: there is no image for the service `app`
     --> k8s-ee.yaml:1:1
      |
    1 | projectId: shop
      | ^^^^^^^^^^^^^^^
      |
      = hint: build it and pass --image REF, or name an existing one as `image: REF`

    error: the service `app` is public, but no domain is known
     --> k8s-ee.yaml:1:1
      |
    1 | projectId: shop
      | ^^^^^^^^^^^^^^^
      |
      = hint: pass --domain preview.example.com, or set `domain` in the platform settings

    error: the environment of k8s-ee.yaml is not complete; nothing was changed
    ");
    assert_nothing_written(&server).await;
}
