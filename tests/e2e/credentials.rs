//! Credentials are kept, completed and renewed, and never printed unasked.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Value, json};

use crate::{
    databases::{MARIADB, POSTGRESQL, REDIS, file},
    harness::{Project, Ran, TESTAPP, apply, eventually, kubectl},
};

const UP: [&str; 5] = ["up", "--pr", "1", "--image", TESTAPP];

#[test]
fn new_credentials_reach_the_database_and_its_services() {
    let services = "services:\n  app:\n    port: 8080\n    dependsOn: [redis]\n  other:\n    port: 8080\n    image: registry.test/testapp:1\n";
    let mut project = Project::new(&format!("{services}databases:\n{REDIS}"));
    project
        .run(&["up", "--pr", "1", "--image", "app=registry.test/testapp:1"])
        .with_databases();
    let old = project.credential("redis", "password");
    assert_eq!(project.page_json("/env")["REDIS_PASSWORD"], old.as_str());
    let other = project.writes("deployment", |o| o["metadata"]["name"] == "other");
    let list = project.run(&["credentials", "list", "--pr", "1"]).ok();
    assert!(list.stdout.contains("app-redis-secret"), "{}", list.stdout);
    assert!(!list.stdout.contains(&old));

    let rotated = project
        .run(&["credentials", "rotate", "redis", "--pr", "1", "-o", "json"])
        .ok();
    let new = project.credential("redis", "password");
    assert_ne!(new, old);
    for text in [&rotated.stdout, &rotated.stderr] {
        assert!(!text.contains(&old) && !text.contains(&new), "{text}");
    }
    let json = rotated.json();
    assert_eq!(
        json["rotated"],
        json!([{"database": "redis", "secret": "app-redis-secret"}])
    );
    let restarted: Vec<&String> = json["components"]
        .as_object()
        .expect("a map")
        .keys()
        .collect();
    assert_eq!(restarted, ["app", "redis"]);
    project.answers("REDIS_PASSWORD", &new);
    assert_eq!(project.redis("PING"), "PONG");
    let refused = project.in_pod(
        "redis",
        &format!("REDISCLI_AUTH={old} redis-cli --no-auth-warning PING 2>&1; true"),
    );
    assert!(
        refused.contains("NOAUTH") || refused.contains("WRONGPASS"),
        "{refused}"
    );
    // Who does not use them is not disturbed, and `up` finds nothing to put back.
    assert_eq!(
        project.writes("deployment", |o| o["metadata"]["name"] == "other"),
        other
    );
    let again = project
        .run(&[
            "up",
            "--pr",
            "1",
            "--image",
            "app=registry.test/testapp:1",
            "-o",
            "json",
        ])
        .ok();
    assert_eq!(again.json()["requests"]["writes"], 0);
    let leased = kubectl(&["get", "lease", "k8s-ee-up", "-n", &project.namespace(1)]);
    assert!(!leased.status.success(), "the Lease is still held");
}

#[test]
fn what_was_cut_short_is_finished_by_up() {
    let mut project = Project::new(&file(REDIS));
    project.run(&UP).with_databases();
    let old = project.credential("redis", "password");
    let mut rotating = project.start(&["credentials", "rotate", "--all", "--pr", "1"]);
    eventually("the Secret has new values", || {
        (project.credential("redis", "password") != old).then_some(())
    });
    drop(rotating.kill());
    rotating.wait().expect("it ends");
    project.run(&UP).ok();
    let new = project.credential("redis", "password");
    project.answers("REDIS_PASSWORD", &new);
    assert_eq!(project.redis("PING"), "PONG");

    // At any moment; the next one makes it whole.
    for round in 0..6_u64 {
        let mut child = project.start(&["credentials", "rotate", "redis", "--pr", "1"]);
        std::thread::sleep(Duration::from_millis((round * 7919) % 3000));
        drop(child.kill());
        child.wait().expect("it ends");
    }
    project
        .run(&["credentials", "rotate", "redis", "--pr", "1"])
        .ok();
    project.answers("REDIS_PASSWORD", &project.credential("redis", "password"));
    let again = project
        .run(&[&UP[..], &["-o", "json"]].concat())
        .ok()
        .json();
    assert_eq!(again["requests"]["writes"], 0, "{again:#}");
}

#[test]
fn a_killed_up_holds_nothing_up() {
    let mut project = Project::new(&file(REDIS));
    project.run(&["prepare", "--pr", "1"]).with_databases();
    let held = |project: &Project| project.has("lease/k8s-ee-up");
    // One that never comes up, so that it is killed at work.
    let mut killed = project.start(&[
        "up",
        "--pr",
        "1",
        "--image",
        "registry.test/nothing:1",
        "--no-rollback",
    ]);
    eventually("it has the turn", || held(&project).then_some(()));
    let rotate = ["credentials", "rotate", "redis", "--pr", "1"];
    let old = project.credential("redis", "password");
    let ran = project.run(&rotate);
    // It may have failed by itself in the meantime.
    if ran.code != 6 {
        let ran = ran.exit(9);
        ran.says(&["another `up` is changing this environment; nothing was changed"]);
        assert_eq!(project.credential("redis", "password"), old);
    }
    drop(killed.kill());
    killed.wait().expect("it ends");
    // The turn is taken; what the killed one has left of the service still cannot come up.
    let ran = project.run(&rotate).exit(6);
    ran.says(&["image registry.test/nothing:1 of app does not exist"]);
    assert_ne!(project.credential("redis", "password"), old);
    assert!(!held(&project), "the Lease is still held");
    project.run(&UP).ok();
    project.answers("REDIS_PASSWORD", &project.credential("redis", "password"));
}

#[test]
fn databases_that_are_only_prepared_get_new_credentials() {
    let mut project = Project::new(&file(&format!("{REDIS}{MARIADB}")));
    project.run(&["prepare", "--pr", "1"]).with_databases();
    let old = project.credential("mariadb", "user-password");
    let rotated = project
        .run(&["credentials", "rotate", "--all", "--pr", "1", "-o", "json"])
        .ok()
        .json();
    let restarted = rotated["components"].as_object().expect("a map");
    assert_eq!(restarted.keys().collect::<Vec<_>>(), ["mariadb", "redis"]);
    let new = project.credential("mariadb", "user-password");
    assert_ne!(new, old);
    assert_eq!(project.redis("PING"), "PONG");
    let again = project
        .run(&["prepare", "--pr", "1", "-o", "json"])
        .ok()
        .json();
    assert_eq!(again["requests"]["writes"], 0, "{again:#}");
    // `up` has the services to add and no database to restart.
    let pods = ["redis", "mariadb"].map(|name| project.uid(&format!("pod/app-{name}-0")));
    project.run(&UP).ok();
    assert_eq!(project.page_json("/env")["MYSQL_PASSWORD"], new.as_str());
    assert_eq!(
        ["redis", "mariadb"].map(|name| project.uid(&format!("pod/app-{name}-0"))),
        pods
    );
}

#[test]
fn sql_databases_take_new_passwords_and_keep_their_data() {
    let mut project = Project::new(&file(&format!("{POSTGRESQL}{MARIADB}")));
    project.run(&UP).with_databases();
    project.psql("CREATE TABLE visits AS SELECT 42 AS n");
    let maria = |project: &Project, statement: &str| {
        let password = project.credential("mariadb", "user-password");
        project.in_pod(
            "mariadb",
            &format!("MYSQL_PWD={password} mariadb --skip-ssl -h 127.0.0.1 -u app app -N -e '{statement}'"),
        )
    };
    maria(&project, "CREATE TABLE visits AS SELECT 42 AS n");
    let passwords = |project: &Project| {
        [
            ("postgresql", "password"),
            ("mariadb", "user-password"),
            ("mariadb", "root-password"),
        ]
        .map(|(database, key)| project.credential(database, key))
    };
    let old = passwords(&project);
    let rotated = project
        .run(&["credentials", "rotate", "--all", "--pr", "1"])
        .ok();
    let new = passwords(&project);
    for (old, new) in old.iter().zip(&new) {
        assert_ne!(old, new);
        assert!(!rotated.stderr.contains(old) && !rotated.stderr.contains(new));
    }
    assert_eq!(project.psql("SELECT n FROM visits"), "42");
    assert_eq!(maria(&project, "SELECT n FROM visits"), "42");
    project.answers("PGPASSWORD", &new[0]);
    project.answers("MYSQL_PASSWORD", &new[1]);
    let url = project.page_json("/env")["MYSQL_URL"].clone();
    assert!(
        url.as_str().is_some_and(|url| url.contains(&new[1])),
        "{url}"
    );
    let again = project
        .run(&[&UP[..], &["-o", "json"]].concat())
        .ok()
        .json();
    assert_eq!(again["requests"]["writes"], 0, "{again:#}");
}

#[test]
fn the_secrets_of_an_old_environment_are_used_and_completed() {
    let mut project = Project::new(&file(&format!("{REDIS}{MARIADB}")));
    let namespace = project.namespace(1);
    apply(
        &json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace,
        "labels": {"app.kubernetes.io/managed-by": "github-actions", "k8s-ee/type": "ephemeral",
            "k8s-ee/project-id": project.id, "k8s-ee/pr-number": "1"}}}),
    );
    let secret = |name: &str, values: Value| {
        json!({"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "stringData": values, "metadata": {
            "name": name, "namespace": namespace,
            "labels": {"app.kubernetes.io/managed-by": "Helm"},
            "annotations": {"meta.helm.sh/release-name": "app", "meta.helm.sh/release-namespace": namespace}}})
    };
    apply(&secret(
        "app-redis-secret",
        json!({"password": "RedisOfTheOldOne123456"}),
    ));
    // Its URL is missing, as after somebody has repaired it by hand.
    apply(&secret(
        "app-mariadb-secret",
        json!({"root-password": "RootOfTheOldOne1234567", "user-password": "UserOfTheOldOne1234567", "note": "kept"}),
    ));
    let redis = project.get("secret/app-redis-secret")["metadata"]["resourceVersion"].clone();
    project.run(&UP).with_databases();
    assert_eq!(
        project.get("secret/app-redis-secret")["metadata"]["resourceVersion"],
        redis
    );
    let seen = project.page_json("/env");
    assert_eq!(seen["REDIS_PASSWORD"], "RedisOfTheOldOne123456");
    assert_eq!(seen["MYSQL_PASSWORD"], "UserOfTheOldOne1234567");
    assert_eq!(
        seen["MYSQL_URL"],
        "mysql://app:UserOfTheOldOne1234567@app-mariadb:3306/app"
    );
    let data = &project.get("secret/app-mariadb-secret")["data"];
    assert_eq!(data["note"], BASE64.encode("kept"));
    assert_eq!(
        data["root-password"],
        BASE64.encode("RootOfTheOldOne1234567")
    );
    let again = project
        .run(&[&UP[..], &["-o", "json"]].concat())
        .ok()
        .json();
    assert_eq!(again["requests"]["writes"], 0, "{again:#}");
    // Whoever is asked by name of what there is not says so.
    let ran: Ran = project.run(&["credentials", "show", "minio", "--pr", "1"]);
    ran.exit(11).says(&["no credentials of a database `minio`"]);
}
