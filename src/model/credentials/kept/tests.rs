//! Credentials that are there already.

use super::*;
use crate::model::{Database, EnvironmentKey, Identity};

const NOW: &str = "2026-01-01T00:00:00.000Z";

fn environment(databases: &[(DatabaseKind, Value)]) -> Environment {
    Environment {
        identity: Identity {
            project_id: "shop".to_owned(),
            key: EnvironmentKey::Pr(7),
            namespace: "shop-pr-7".to_owned(),
            host: None,
            scheme: "https".to_owned(),
            repository: None,
            branch: None,
            profile: crate::model::Profile::Default,
            commit: None,
        },
        services: Vec::new(),
        seeds: Vec::new(),
        ttl: None,
        databases: databases
            .iter()
            .map(|(kind, options)| Database {
                mode: crate::model::Mode::Standalone,
                kind: *kind,
                options: options.clone(),
            })
            .collect(),
    }
}

/// Passwords that count up from a number.
fn passwords(from: u32) -> impl FnMut() -> Result<Password, Infallible> {
    let mut next = from;
    move || {
        next += 1;
        Ok(Password(format!("NewPassword{next:013}")))
    }
}

fn stored_secret(name: &str, labels: Value, values: &[(&str, &str)]) -> Object {
    let data: BTreeMap<&str, String> = values
        .iter()
        .map(|(key, value)| (*key, BASE64.encode(value)))
        .collect();
    Object::new(json!({"apiVersion": "v1", "kind": "Secret", "data": data,
        "metadata": {"name": name, "namespace": "shop-pr-7", "labels": labels}}))
    .expect("a Secret")
}

fn live(secrets: &[Object]) -> Live {
    secrets.iter().map(|s| (s.id(), s.clone())).collect()
}

/// As the API server keeps what was made.
fn kept(made: &Object) -> Object {
    let values = written(made);
    let values: Vec<(&str, &str)> = values
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect();
    let labels = made.get("/metadata/labels").cloned().unwrap_or_default();
    stored_secret(made.name(), labels, &values)
}

fn fitted(databases: &[(DatabaseKind, Value)], there: &[Object]) -> Fitted {
    let Ok(fitted) = fit(
        &environment(databases),
        "app",
        &live(there),
        NOW,
        passwords(0),
    );
    fitted
}

fn all() -> Vec<(DatabaseKind, Value)> {
    DatabaseKind::ALL.map(|kind| (kind, json!({}))).to_vec()
}

#[test]
fn what_is_there_and_whole_is_not_touched() {
    let made = fitted(&all(), &[]);
    assert!(made.missing.len() >= 6 && made.completions.is_empty());
    let there: Vec<Object> = made.missing.iter().map(kept).collect();
    let again = fitted(&all(), &there);
    assert_eq!((again.missing.len(), again.completions.len()), (0, 0));
    assert_eq!(again.changed_at, BTreeMap::new());
}

#[test]
fn a_secret_that_was_lost_gets_the_password_of_the_one_beside_it() {
    let mongodb = [(DatabaseKind::Mongodb, json!({}))];
    let made = fitted(&mongodb, &[]).missing;
    let password = written(&made[0])["password"].clone();
    let Ok(again) = fit(
        &environment(&mongodb),
        "app",
        &live(&[kept(&made[0])]),
        NOW,
        passwords(50),
    );
    let url = &written(&again.missing[0])["connectionString.standard"];
    assert!(url.contains(&format!(":{password}@")));
}

#[test]
fn keys_that_a_secret_of_others_lacks_are_filled_in_and_no_more() {
    let old = stored_secret(
        "app-mariadb-secret",
        json!({"app.kubernetes.io/managed-by": "Helm"}),
        &[("user-password", "p@ss/1"), ("root-password", "root")],
    );
    let mariadb = [(DatabaseKind::Mariadb, json!({}))];
    let done = fitted(&mariadb, std::slice::from_ref(&old));
    assert_eq!(done.missing, []);
    let values = stored(&done.completions[0]);
    assert_eq!(
        values,
        Values::from([(
            "connection-url".to_owned(),
            "mysql://app:p%40ss%2F1@app-mariadb:3306/app".to_owned()
        )])
    );
    assert_eq!(done.changed_at, BTreeMap::new());

    let mut whole = old;
    whole.as_map_mut()["data"]["connection-url"] = json!(BASE64.encode("mysql://somewhere"));
    assert_eq!(fitted(&mariadb, &[whole]).completions, []);
}

#[test]
fn a_secret_of_ours_follows_the_names_in_the_file_and_keeps_its_password() {
    let before = fitted(&[(DatabaseKind::Mariadb, json!({}))], &[]).missing;
    let password = written(&before[0])["user-password"].clone();
    let renamed = [(DatabaseKind::Mariadb, json!({"username": "shop"}))];
    let Ok(after) = fit(
        &environment(&renamed),
        "app",
        &live(&[kept(&before[0])]),
        NOW,
        passwords(50),
    );
    let values = stored(&after.completions[0]);
    assert_eq!(
        values,
        Values::from([(
            "connection-url".to_owned(),
            format!("mysql://shop:{password}@app-mariadb:3306/app")
        )])
    );
    assert_eq!(after.changed_at["app-mariadb-secret"], NOW);
    assert_eq!(
        after.completions[0].annotation(labels::CHANGED_AT),
        Some(NOW)
    );
}

#[test]
fn new_passwords_reach_every_key_those_of_others_included() {
    let postgresql = [(DatabaseKind::Postgresql, json!({}))];
    let old = stored_secret(
        "app-postgresql-app",
        json!({"cnpg.io/cluster": "app-postgresql"}),
        &[
            ("password", "old-password"),
            ("username", "app"),
            (
                "jdbc-uri",
                "jdbc:postgresql://app-postgresql-rw/app?password=old-password&user=app",
            ),
            (
                "uri",
                "postgresql://app:old-password@app-postgresql-rw:5432/app",
            ),
        ],
    );
    let Ok(renewed) = renew(
        &environment(&postgresql),
        "app",
        &[DatabaseKind::Postgresql],
        &live(&[old]),
        NOW,
        passwords(0),
    );
    let values = stored(&renewed[0]);
    let new = &values["password"];
    assert_ne!(new, "old-password");
    assert_eq!(
        values["uri"],
        format!("postgresql://app:{new}@app-postgresql-rw:5432/app")
    );
    assert_eq!(
        values["jdbc-uri"],
        format!("jdbc:postgresql://app-postgresql-rw/app?password={new}&user=app")
    );
    assert_eq!(values["username"], "app");
    assert_eq!(renewed[0].annotation(labels::CHANGED_AT), Some(NOW));
}

#[test]
fn only_those_that_are_named_are_renewed() {
    let Ok(renewed) = renew(
        &environment(&all()),
        "app",
        &[DatabaseKind::Minio],
        &Live::new(),
        NOW,
        passwords(0),
    );
    let names: Vec<&str> = renewed.iter().map(Object::name).collect();
    assert_eq!(names, ["app-minio-secret"]);
}

#[test]
fn pods_that_read_changed_values_are_replaced_and_no_others() {
    let workload = |name: &str, spec: Value| {
        Object::new(
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
            "spec": {"template": {"spec": spec}}}),
        )
        .expect("a Deployment")
    };
    let variable =
        json!([{"name": "X", "valueFrom": {"secretKeyRef": {"name": "app-redis-secret"}}}]);
    let mut objects = [
        workload("by-variable", json!({"containers": [{"env": variable}]})),
        workload(
            "by-source",
            json!({"initContainers": [{"envFrom": [{"secretRef": {"name": "app-redis-secret"}}]}]}),
        ),
        workload(
            "by-volume",
            json!({"volumes": [{"secret": {"secretName": "app-redis-secret"}}]}),
        ),
        workload(
            "other",
            json!({"containers": [{"env": [{"name": "X", "value": "app-redis-secret"}]}]}),
        ),
    ];
    let changed = BTreeMap::from([("app-redis-secret".to_owned(), NOW.to_owned())]);
    stamp(&mut objects, &changed);
    let stamped = objects.iter().filter(|object| {
        let annotations = object.get("/spec/template/metadata/annotations");
        annotations.is_some_and(|all| all[labels::CREDENTIALS] == NOW)
    });
    let names: Vec<&str> = stamped.map(Object::name).collect();
    assert_eq!(names, ["by-variable", "by-source", "by-volume"]);
}

#[test]
fn secrets_are_known_by_label_or_name() {
    let of = |name: &str, labels: Value| {
        database_of(&stored_secret(name, labels, &[])).map(|k| k.name())
    };
    assert_eq!(of("x", json!({"k8s-ee/component": "redis"})), Some("redis"));
    assert_eq!(of("app-postgresql-app", json!({})), Some("postgresql"));
    assert_eq!(of("app-mongodb-admin-shop", json!({})), Some("mongodb"));
    assert_eq!(of("app-postgresql-ca", json!({})), None);
    assert_eq!(of("keys", json!({})), None);
}
