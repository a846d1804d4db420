//! Volumes and credentials of an environment, and whose turn it is.

use insta::assert_snapshot;
use serde_json::{Value, json};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{method, path},
};

use super::{
    assert_nothing_written, dry_runs, kubeconfig, nothing_else, on, serve, serve_namespace,
};
use crate::common::{Run, k8s_ee};

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
    serve_namespace(&server, "github-actions").await;
    for (at, items) in objects {
        serve(&server, at, items.clone()).await;
    }
    dry_runs(&server).await;
    nothing_else(&server).await;
    server
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
    serve_namespace(&server, "github-actions").await;
    serve(&server, CLAIMS, json!([claim("mariadb", "1Gi")])).await;
    dry_runs(&server).await;
    nothing_else(&server).await;
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
