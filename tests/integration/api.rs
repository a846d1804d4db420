//! The verbs against an API server that is faked at the protocol level: what they ask, and what they make of answers.

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
    let asked = server
        .received_requests()
        .await
        .expect("the fake keeps its requests");
    assert!(
        asked.iter().all(|request| request.method.as_str() == "GET"),
        "{asked:?}"
    );
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
    let mut theirs = namespace("shop", 7, "somebody-else");
    theirs["apiVersion"] = "v1".into();
    theirs["kind"] = "Namespace".into();
    Mock::given(method("GET"))
        .and(path("/api/v1/namespaces/shop-pr-7"))
        .respond_with(ResponseTemplate::new(200).set_body_json(theirs))
        .mount(&server)
        .await;
    let printed = on(&server.uri(), &["down", "--pr", "7"]).exits(8);
    assert_snapshot!(printed.both(), @"
    --- stdout
    --- stderr
    error: the namespace `shop-pr-7` exists and is not a preview environment; nothing was removed

    hint: look at it: kubectl get namespace shop-pr-7 --show-labels; if it is in use, choose another `projectId`
    ");
    let asked = server
        .received_requests()
        .await
        .expect("the fake keeps its requests");
    assert!(
        asked.iter().all(|request| request.method.as_str() == "GET"),
        "{asked:?}"
    );
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
    let mut ours = namespace("shop", 7, "github-actions");
    ours["apiVersion"] = "v1".into();
    ours["kind"] = "Namespace".into();
    Mock::given(method("GET"))
        .and(path("/api/v1/namespaces/shop-pr-7"))
        .respond_with(ResponseTemplate::new(200).set_body_json(ours))
        .mount(&server)
        .await;
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
    Mock::given(wiremock::matchers::any())
        .respond_with(refusal(404, "NotFound", "not found"))
        .mount(&server)
        .await;
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
    let asked = server
        .received_requests()
        .await
        .expect("the fake keeps its requests");
    assert!(
        asked.iter().all(|request| request.method.as_str() == "GET"),
        "{asked:?}"
    );
}

/// `k8s-ee` with the fake as its cluster, and this after the file's `projectId`.
fn with_file(server: &MockServer, yaml: &str, args: &[&str]) -> Run {
    k8s_ee(args)
        .file("kubeconfig", &kubeconfig(&server.uri()))
        .file("k8s-ee.yaml", &format!("projectId: shop\n{yaml}"))
        .env("KUBECONFIG", "kubeconfig")
        .replace(&server.uri(), "[SERVER]")
}

/// Answers the environment of pull request 7, which has these objects; there is nothing else.
async fn environment_of(objects: &[(&str, Value)]) -> MockServer {
    let server = MockServer::start().await;
    let mut ours = namespace("shop", 7, "github-actions");
    ours["apiVersion"] = "v1".into();
    ours["kind"] = "Namespace".into();
    Mock::given(method("GET"))
        .and(path("/api/v1/namespaces/shop-pr-7"))
        .respond_with(ResponseTemplate::new(200).set_body_json(ours))
        .mount(&server)
        .await;
    for (at, items) in objects {
        serve(&server, at, items.clone()).await;
    }
    dry_runs(&server).await;
    Mock::given(wiremock::matchers::any())
        .respond_with(refusal(404, "NotFound", "not found"))
        .mount(&server)
        .await;
    server
}

/// Asserts that the fake was only asked, and told nothing.
async fn assert_nothing_written(server: &MockServer) {
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

const CLAIMS: &str = "/api/v1/namespaces/shop-pr-7/persistentvolumeclaims";
const SECRETS: &str = "/api/v1/namespaces/shop-pr-7/secrets";

fn claim(component: &str, size: &str) -> Value {
    json!({
        "metadata": {
            "name": format!("data-app-{component}-0"),
            "namespace": "shop-pr-7",
            "labels": {"k8s-ee/component": component},
        },
        "spec": {"storageClassName": "standard", "resources": {"requests": {"storage": size}}},
    })
}

/// A Secret whose values are all `c3VwZXItc2VjcmV0`, which is `super-secret`.
fn secret(name: &str, component: &str, keys: &[&str]) -> Value {
    let data: serde_json::Map<String, Value> = keys
        .iter()
        .map(|key| ((*key).to_owned(), "c3VwZXItc2VjcmV0".into()))
        .collect();
    json!({
        "metadata": {"name": name, "namespace": "shop-pr-7", "labels": {"k8s-ee/component": component}},
        "data": data,
    })
}

#[tokio::test]
async fn plan_names_volumes_that_nobody_uses_any_more() {
    let server = environment_of(&[(CLAIMS, json!([claim("postgresql", "1Gi")]))]).await;
    let file = "app: {}\n";
    let plan = ["plan", "--pr", "7", "-o", "json"];
    let kept = with_file(&server, file, &plan).exits(0).json();
    assert_eq!(
        kept["volumes"],
        json!([{"claim": "data-app-postgresql-0", "component": "postgresql", "size": "1Gi", "action": "keep"}])
    );
    assert_eq!(kept["prune"], json!([]));
    // One for the volume, one of the room beside it.
    assert_eq!(kept["quota"]["hard"]["requests.storage"], "2Gi");
    assert_eq!(kept["quota"]["hard"]["persistentvolumeclaims"], "2");

    let pruned = [&plan[..], &["--prune-data"]].concat();
    let pruned = with_file(&server, file, &pruned).exits(0).json();
    assert_eq!(pruned["volumes"][0]["action"], "remove");
    assert_eq!(pruned["prune"][0]["name"], "data-app-postgresql-0");
    assert_eq!(pruned["quota"]["hard"]["requests.storage"], "1Gi");

    let shown = with_file(&server, file, &["plan", "--pr", "7"]).exits(0);
    assert!(
        shown.stdout.starts_with(
            "shop-pr-7\n  impact\n    = volume data-app-postgresql-0 (1Gi) of postgresql is kept; \
             `k8s-ee up --prune-data` removes it\n"
        ),
        "{}",
        shown.stdout
    );
}

#[tokio::test]
async fn volumes_that_are_kept_count_against_the_ceiling() {
    let server = environment_of(&[(CLAIMS, json!([claim("postgresql", "9Gi")]))]).await;
    let file = "app: {}\ndatabases:\n  mariadb:\n    storage: 3Gi\n";
    let run = |args: &[&str]| {
        with_file(&server, file, args).file(
            "platform.yaml",
            "domain: preview.example.com\nquota: {ceiling: {requests.storage: 10Gi}}\n",
        )
    };
    let up = [
        "up",
        "--pr",
        "7",
        "--image",
        "a:1",
        "--platform",
        "platform.yaml",
    ];
    let printed = run(&up).exits(5);
    let said: Vec<&str> = printed
        .stderr
        .lines()
        .filter(|line| !line.contains("bringing up"))
        .collect();
    assert_snapshot!(said.join("\n"), @"
    error: needs 12Gi storage (requests.storage), allowed 10Gi: data-app-postgresql-0 9Gi (a volume that is kept), mariadb 3Gi
     --> k8s-ee.yaml:5:14
      |
    5 |     storage: 3Gi
      |              ^^^
      |
      = hint: lower `databases.mariadb.storage` at k8s-ee.yaml:5, or raise `quota.ceiling` for `requests.storage` in the platform settings

    error: shop-pr-7 needs more than the platform allows, together with the volumes that are kept; nothing was changed

    hint: remove the volumes that nobody uses any more, with the data in them: k8s-ee up --pr 7 … --prune-data
    ");
    assert_nothing_written(&server).await;
    let plan = [
        "plan",
        "--pr",
        "7",
        "--prune-data",
        "--platform",
        "platform.yaml",
    ];
    run(&plan).exits(0);
}

#[tokio::test]
async fn what_cannot_be_done_to_a_volume_is_an_error_at_its_line() {
    let there = json!([claim("postgresql", "2Gi"), claim("mariadb", "1Gi")]);
    let server = environment_of(&[(CLAIMS, there)]).await;
    let file =
        "app: {}\ndatabases:\n  postgresql:\n    storage: 1Gi\n  mariadb:\n    storage: 2Gi\n";
    let printed = with_file(&server, file, &["plan", "--pr", "7"]).exits(3);
    assert_snapshot!(printed.both(), @r#"
    --- stdout
    --- stderr
    note: the cluster has no ConfigMap k8s-ee-system/k8s-ee-platform; the built-in platform settings are used
    error: postgresql has its data on the volume data-app-postgresql-0 of 2Gi, which cannot shrink to 1Gi
     --> k8s-ee.yaml:5:14
      |
    5 |     storage: 1Gi
      |              ^^^
      |
      = hint: keep the size 2Gi; to start again without the data, take `databases.postgresql` out of the file, run `k8s-ee up --pr 7 … --prune-data`, and put it back

    error: mariadb has its data on the volume data-app-mariadb-0 of 1Gi, which cannot grow to 2Gi: its storage class standard does not allow that
     --> k8s-ee.yaml:7:14
      |
    7 |     storage: 2Gi
      |              ^^^
      |
      = hint: keep the size 1Gi, or have whoever runs the cluster allow it: kubectl patch storageclass standard -p '{"allowVolumeExpansion": true}'; to start again without the data, take `databases.mariadb` out of the file, run `k8s-ee up --pr 7 … --prune-data`, and put it back

    error: the volumes of shop-pr-7 cannot become what the file asks for; nothing was changed
    "#);
    let file = "app: {}\ndatabases:\n  postgresql:\n    storage: {size: 2Gi, storageClass: fast}\n";
    let up = ["up", "--pr", "7", "--image", "a:1", "--domain", "x.test"];
    let printed = with_file(&server, file, &up).exits(3);
    assert!(
        printed
            .stderr
            .contains("of the storage class standard, which cannot move to fast"),
        "{}",
        printed.stderr
    );
    assert_nothing_written(&server).await;
}

#[tokio::test]
async fn a_volume_grows_where_its_class_lets_it() {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .and(path("/apis/storage.k8s.io/v1/storageclasses/standard"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({
            "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass",
            "metadata": {"name": "standard"}, "allowVolumeExpansion": true,
        })))
        .mount(&server)
        .await;
    let mut ours = namespace("shop", 7, "github-actions");
    ours["apiVersion"] = "v1".into();
    ours["kind"] = "Namespace".into();
    Mock::given(method("GET"))
        .and(path("/api/v1/namespaces/shop-pr-7"))
        .respond_with(ResponseTemplate::new(200).set_body_json(ours))
        .mount(&server)
        .await;
    serve(&server, CLAIMS, json!([claim("mariadb", "1Gi")])).await;
    dry_runs(&server).await;
    Mock::given(wiremock::matchers::any())
        .respond_with(refusal(404, "NotFound", "not found"))
        .mount(&server)
        .await;
    let file = "app: {}\ndatabases:\n  mariadb:\n    storage: 2Gi\n";
    let plan = with_file(&server, file, &["plan", "--pr", "7", "-o", "json"]).exits(0);
    let grows = json!([{"claim": "data-app-mariadb-0", "component": "mariadb", "size": "1Gi", "action": "grow", "to": "2Gi"}]);
    assert_eq!(plan.json()["volumes"], grows);
}

#[tokio::test]
async fn credentials_are_listed_without_their_values() {
    let postgresql = ["dbname", "host", "password", "port", "uri", "user"];
    let secrets = json!([
        secret("app-redis-secret", "redis", &["password"]),
        secret("app-postgresql-app", "postgresql", &postgresql),
        {"metadata": {"name": "keys", "namespace": "shop-pr-7"}, "data": {"token": "c3VwZXItc2VjcmV0"}},
    ]);
    let server = environment_of(&[(SECRETS, secrets)]).await;
    let list = ["credentials", "list", "--pr", "7"];
    let printed = on(&server.uri(), &list).exits(0);
    assert_snapshot!(printed.both(), @"
    --- stdout
    DATABASE    SECRET              KEYS
    postgresql  app-postgresql-app  dbname, host, password, port, uri, user
    redis       app-redis-secret    password
    --- stderr
    ");
    let json = on(&server.uri(), &[&list[..], &["-o", "json"]].concat()).exits(0);
    assert!(!json.both().contains("c3VwZXItc2VjcmV0"));
    let json = json.json();
    assert_eq!(json["credentials"][0]["keys"], json!(postgresql));
    crate::pages::assert_documented("credentials list", &json);
}

#[tokio::test]
async fn credentials_are_shown_to_those_who_ask_and_only_on_stdout() {
    let secrets = json!([{
        "metadata": {"name": "app-redis-secret", "namespace": "shop-pr-7"},
        "data": {"password": "bm90LWEtcGFzc3dvcmQ="},
    }]);
    let server = environment_of(&[(SECRETS, secrets)]).await;
    let show = |more: &[&str]| {
        let args = [&["credentials", "show", "redis", "--pr", "7"], more].concat();
        on(&server.uri(), &args)
    };
    let printed = show(&[]).exits(0);
    assert_snapshot!(printed.both(), @"
    --- stdout
    password=not-a-password
    --- stderr
    warning: these are credentials; keep them out of logs and shared terminals
    ");
    let key = show(&["--key", "password", "--quiet"]).exits(0);
    assert_eq!(key.both(), "--- stdout\nnot-a-password\n--- stderr\n");
    let json = show(&["-o", "json"]).exits(0);
    assert!(!json.stderr.contains("not-a-password"), "{}", json.stderr);
    crate::pages::assert_documented("credentials show", &json.json());
    let wrong = show(&["--key", "uri"]).exits(11);
    assert!(
        wrong.stderr.contains("hint: its keys are password"),
        "{}",
        wrong.stderr
    );
    let other = ["credentials", "show", "mariadb", "--pr", "7"];
    let other = on(&server.uri(), &other).exits(11);
    assert_snapshot!(other.both(), @"
    --- stdout
    --- stderr
    error: shop-pr-7 has no credentials of a database `mariadb`

    hint: see which there are: k8s-ee credentials list --pr 7
    ");
}

/// The Lease of a run that is at work: who looks a second time sees that it has been renewed.
async fn leased(server: &MockServer, verb: &str, commit: &str) {
    const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/shop-pr-7/leases";
    let lease = |version: &str| {
        json!({
            "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
            "metadata": {"name": "k8s-ee-up", "namespace": "shop-pr-7", "resourceVersion": version, "annotations": {
                "k8s-ee/verb": verb, "k8s-ee/commit-sha": commit}},
            "spec": {"holderIdentity": "x", "acquireTime": "2026-01-01T00:00:00.000000Z"},
        })
    };
    let list = json!({
        "apiVersion": "coordination.k8s.io/v1", "kind": "LeaseList",
        "metadata": {"resourceVersion": "2"}, "items": [lease("2")],
    });
    for (at, answer) in [
        (format!("{LEASES}/k8s-ee-up"), lease("1")),
        (LEASES.to_owned(), list),
    ] {
        Mock::given(method("GET"))
            .and(path(at))
            .respond_with(ResponseTemplate::new(200).set_body_json(answer))
            .with_priority(1)
            .mount(server)
            .await;
    }
}

#[tokio::test]
async fn prepare_leaves_everything_to_an_up_of_the_same_commit() {
    let server = environment_of(&[]).await;
    leased(&server, "up", "0123abc").await;
    let prepare = ["prepare", "--pr", "7", "--commit", "0123abc"];
    let printed = on(&server.uri(), &prepare).exits(0);
    assert!(
        printed.stderr.contains(
            "shop-pr-7 is left to the `up` of commit 0123abc that is at work since 2026-01-01T00:00:00.000000Z: it \
             starts the databases itself"
        ),
        "{}",
        printed.stderr
    );
    let mut json = on(&server.uri(), &[&prepare[..], &["-o", "json"]].concat())
        .exits(0)
        .json();
    assert_eq!(json["requests"]["writes"], 0);
    json["requests"]["reads"] = 31.into();
    json["seconds"] = 0.1.into();
    crate::pages::assert_documented("prepare", &json);
    assert_nothing_written(&server).await;
}

#[tokio::test]
async fn rotate_does_not_cut_off_an_up() {
    let server = environment_of(&[]).await;
    leased(&server, "up", "0123abc").await;
    let rotate = ["credentials", "rotate", "redis", "--pr", "7"];
    let printed = on(&server.uri(), &rotate).exits(11);
    assert_snapshot!(printed.both(), @"
    --- stdout
    --- stderr
    error: shop-pr-7 has not been prepared or up yet; nothing uses its credentials

    hint: bring it up first: k8s-ee up --pr 7 …
    ");

    let database = json!([{"kind": "redis", "options": {}}]);
    let record = json!({
        "version": 1, "writtenBy": "0.1.0", "digests": {}, "waves": [["redis"]], "inventory": [],
        "environment": {
            "identity": {
                "projectId": "shop", "key": {"pr": 7}, "namespace": "shop-pr-7", "host": null, "scheme": "https",
                "repository": null, "branch": null, "commit": null,
            },
            "services": [], "databases": database,
        },
    });
    Mock::given(method("GET"))
        .and(path(
            "/api/v1/namespaces/shop-pr-7/configmaps/k8s-ee-environment",
        ))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "k8s-ee-environment", "namespace": "shop-pr-7"},
            "data": {"record.json": record.to_string()},
        })))
        .with_priority(1)
        .mount(&server)
        .await;
    let printed = on(&server.uri(), &[&rotate[..], &["--quiet"]].concat()).exits(9);
    assert_snapshot!(printed.both(), @"
    --- stdout
    --- stderr
    error: an `up` of commit 0123abc is changing this environment; nothing was changed

    hint: wait until it is done and run this again
    ");
    let wrong = ["credentials", "rotate", "mongo", "--pr", "7"];
    let printed = on(&server.uri(), &wrong).exits(11);
    assert!(
        printed
            .stderr
            .contains("no credentials of a database `mongo`"),
        "{}",
        printed.stderr
    );
    assert_nothing_written(&server).await;
}
