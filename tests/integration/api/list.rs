//! `list`.

use insta::assert_snapshot;
use serde_json::{Value, json};
use wiremock::MockServer;

use super::{asked, namespace, on, serve, two_environments};

#[tokio::test]
async fn list_shows_environments_and_nothing_else() {
    let server = two_environments().await;
    let printed = on(&server.uri(), &["list"]).exits(0);
    assert_snapshot!(printed.both(), @r"
    --- stdout
    ENVIRONMENT  STATE    AGE  CPU  MEMORY  URL
    shop-pr-7    running  3h   28%  32%     https://shop-pr-7.preview.example.com
    shop-pr-12   running  3h   -    -       -
    --- stderr
    ");
}

#[tokio::test]
async fn list_as_json_has_the_documented_shape() {
    let server = two_environments().await;
    let printed = on(&server.uri(), &["list", "-o", "json"]).exits(0);
    let mut json = printed.json();
    for environment in json["environments"].as_array_mut().expect("a list") {
        assert!(
            environment["ageSeconds"]
                .as_i64()
                .is_some_and(|age| (10_800..11_400).contains(&age))
        );
        environment["ageSeconds"] = 10_800.into();
        environment["createdAt"] = "2026-01-01T00:00:00Z".into();
    }
    crate::pages::assert_documented("list", &json);
}

#[tokio::test]
async fn list_asks_for_everything_at_once() {
    let server = two_environments().await;
    on(&server.uri(), &["list"]).exits(0);
    // Without a limit there are no further pages to be missed.
    assert_eq!(
        asked(&server).await,
        [
            "/api/v1/namespaces?labelSelector=k8s-ee%2Ftype%3Dephemeral",
            "/api/v1/resourcequotas?",
            "/apis/networking.k8s.io/v1/ingresses?",
        ]
    );
    // A thousand environments are megabytes of JSON.
    let requests = server.received_requests().await.expect("they are kept");
    assert!(
        requests
            .iter()
            .all(|request| request.headers["accept-encoding"] == "gzip")
    );
}

#[tokio::test]
async fn list_asks_for_the_environments_of_its_project_only() {
    let server = two_environments().await;
    on(&server.uri(), &["list", "--project", "shop"]).exits(0);
    assert_eq!(
        asked(&server).await[0],
        "/api/v1/namespaces?labelSelector=k8s-ee%2Ftype%3Dephemeral%2Ck8s-ee%2Fproject-id%3Dshop"
    );
}

#[tokio::test]
async fn a_thousand_environments_take_no_more_calls_and_each_shows_its_own() {
    const COUNT: u64 = 1000;
    let server = MockServer::start().await;
    // As large as they come, and in another order.
    let fields =
        json!([{"manager": "k8s-ee", "fieldsV1": {"f:metadata": {"f:labels": {"f:a": {}}}}}]);
    let namespaces: Vec<Value> = (1..=COUNT)
        .map(|pr| {
            let mut namespace = namespace("shop", pr, "github-actions");
            namespace["metadata"]["managedFields"] = fields.clone();
            namespace
        })
        .collect();
    let place = |name: &str, pr: u64| json!({"name": name, "namespace": format!("shop-pr-{pr}")});
    let ingresses: Vec<Value> = (1..=COUNT)
        .rev()
        .map(|pr| {
            json!({"metadata": place("app", pr), "spec": {"rules": [{"host": format!("shop-pr-{pr}.test")}]}})
        })
        .collect();
    let quotas: Vec<Value> = (1..=COUNT)
        .rev()
        .map(|pr| {
            let status =
                json!({"hard": {"pods": COUNT.to_string()}, "used": {"pods": pr.to_string()}});
            json!({"metadata": place("pr-quota", pr), "status": status})
        })
        .collect();
    serve(&server, "/api/v1/namespaces", json!(namespaces)).await;
    serve(
        &server,
        "/apis/networking.k8s.io/v1/ingresses",
        json!(ingresses),
    )
    .await;
    serve(&server, "/api/v1/resourcequotas", json!(quotas)).await;
    let json = on(&server.uri(), &["list", "-o", "json"]).exits(0).json();
    let environments = json["environments"].as_array().expect("a list");
    assert_eq!(environments.len() as u64, COUNT);
    for (environment, pr) in environments.iter().zip(1..) {
        assert_eq!(environment["pr"], pr);
        assert_eq!(environment["url"], format!("http://shop-pr-{pr}.test"));
        assert_eq!(environment["quota"]["pods"]["used"], pr.to_string());
    }
    assert_eq!(asked(&server).await.len(), 3);
}

#[tokio::test]
async fn list_of_nothing_says_so_and_prints_no_data() {
    let server = MockServer::start().await;
    for at in [
        "/api/v1/namespaces",
        "/api/v1/resourcequotas",
        "/apis/networking.k8s.io/v1/ingresses",
    ] {
        serve(&server, at, json!([])).await;
    }
    let printed = on(&server.uri(), &["list"]).exits(0);
    assert_snapshot!(printed.both(), @r"
    --- stdout
    --- stderr
    there are no environments
    ");
}
