//! Every key of the schema changes what is rendered, or what is built: none is only accepted.

use std::{collections::BTreeMap, collections::BTreeSet, process::Command};

use serde_json::{Value, json};

/// A key of the schema, as a pointer with `*` for names; a file in which it can be set; and the values to go from and
/// to.
struct Case {
    key: String,
    base: Value,
    at: String,
    to: Value,
}

fn short() -> Value {
    json!({"projectId": "shop", "image": "acme/shop:1", "metrics": {"enabled": true}})
}

fn general() -> Value {
    json!({"projectId": "shop", "services": {
        "app": {"image": "acme/shop:1", "public": true, "replicas": 2, "metrics": {"enabled": true}},
        "api": {"image": "acme/api:1"},
    }})
}

fn built() -> Value {
    json!({"projectId": "shop", "services": {
        "app": {"image": {"context": "."}}, "api": {"image": {"repository": "acme/api"}}}})
}

fn with(mut file: Value, at: &str, value: Value) -> Value {
    let mut place = &mut file;
    for token in at.split('/').skip(1) {
        if place.is_null() {
            *place = json!({});
        }
        place = match place {
            Value::Array(list) => {
                let index: usize = token.parse().expect("an index");
                if index == list.len() {
                    list.push(Value::Null);
                }
                &mut list[index]
            }
            other => &mut other[token],
        };
    }
    *place = value;
    file
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut add = |key: &str, base: &dyn Fn() -> Value, at: &str, to| {
        cases.push(Case {
            key: key.to_owned(),
            base: base(),
            at: at.to_owned(),
            to,
        });
    };
    add("/projectId", &short, "/projectId", json!("other"));
    add("/app/port", &short, "/app/port", json!(8080));
    add("/app/healthPath", &short, "/app/healthPath", json!("/up"));
    add(
        "/app/livenessPath",
        &short,
        "/app/livenessPath",
        json!("/live"),
    );
    add(
        "/app/readinessPath",
        &short,
        "/app/readinessPath",
        json!("/ready"),
    );
    add("/app/metricsPath", &short, "/app/metricsPath", json!("/m"));
    add("/image", &short, "/image", json!("acme/shop:2"));
    add(
        "/image/repository",
        &short,
        "/image",
        json!({"repository": "acme/built"}),
    );
    add(
        "/resources/requests/cpu",
        &short,
        "/resources/requests/cpu",
        json!("70m"),
    );
    add(
        "/resources/requests/memory",
        &short,
        "/resources/requests/memory",
        json!("100Mi"),
    );
    add(
        "/resources/limits/cpu",
        &short,
        "/resources/limits/cpu",
        json!("300m"),
    );
    add(
        "/resources/limits/memory",
        &short,
        "/resources/limits/memory",
        json!("500Mi"),
    );
    add("/env/*", &short, "/env/A", json!("b"));
    add(
        "/envFrom/*/secretRef/name",
        &short,
        "/envFrom",
        json!([{"secretRef": {"name": "a"}}]),
    );
    add(
        "/envFrom/*/configMapRef/name",
        &short,
        "/envFrom",
        json!([{"configMapRef": {"name": "a"}}]),
    );
    add("/ingress/enabled", &short, "/ingress/enabled", json!(false));
    add(
        "/ingress/annotations/*",
        &short,
        "/ingress/annotations",
        json!({"a": "b"}),
    );
    add("/metrics/enabled", &short, "/metrics/enabled", json!(false));
    add(
        "/metrics/interval",
        &short,
        "/metrics/interval",
        json!("15s"),
    );
    add("/writableDirs/*", &short, "/writableDirs", json!(["/data"]));

    add(
        "/services/*/port",
        &general,
        "/services/app/port",
        json!(8080),
    );
    add(
        "/services/*/healthPath",
        &general,
        "/services/app/healthPath",
        json!("/up"),
    );
    add(
        "/services/*/livenessPath",
        &general,
        "/services/app/livenessPath",
        json!("/live"),
    );
    add(
        "/services/*/readinessPath",
        &general,
        "/services/app/readinessPath",
        json!("/ready"),
    );
    add(
        "/services/*/metricsPath",
        &general,
        "/services/app/metricsPath",
        json!("/m"),
    );
    add(
        "/services/*/image",
        &general,
        "/services/app/image",
        json!("acme/shop:2"),
    );
    add(
        "/services/*/image/repository",
        &built,
        "/services/app/image/repository",
        json!("acme/built"),
    );
    add(
        "/services/*/command/*",
        &general,
        "/services/app/command",
        json!(["/run"]),
    );
    add(
        "/services/*/args/*",
        &general,
        "/services/app/args",
        json!(["-v"]),
    );
    add(
        "/services/*/resources/requests/cpu",
        &general,
        "/services/app/resources/requests/cpu",
        json!("70m"),
    );
    add(
        "/services/*/resources/requests/memory",
        &general,
        "/services/app/resources/requests/memory",
        json!("100Mi"),
    );
    add(
        "/services/*/resources/limits/cpu",
        &general,
        "/services/app/resources/limits/cpu",
        json!("300m"),
    );
    add(
        "/services/*/resources/limits/memory",
        &general,
        "/services/app/resources/limits/memory",
        json!("500Mi"),
    );
    add(
        "/services/*/env/*",
        &general,
        "/services/app/env/A",
        json!("b"),
    );
    add(
        "/services/*/envFrom/*/secretRef/name",
        &general,
        "/services/app/envFrom",
        json!([{"secretRef": {"name": "a"}}]),
    );
    add(
        "/services/*/envFrom/*/configMapRef/name",
        &general,
        "/services/app/envFrom",
        json!([{"configMapRef": {"name": "a"}}]),
    );
    add(
        "/services/*/ingress/enabled",
        &general,
        "/services/app",
        json!({"image": "acme/shop:1", "replicas": 2, "metrics": {"enabled": true}, "ingress": {"enabled": false}}),
    );
    add(
        "/services/*/ingress/annotations/*",
        &general,
        "/services/app/ingress/annotations",
        json!({"a": "b"}),
    );
    add(
        "/services/*/metrics/enabled",
        &general,
        "/services/app/metrics/enabled",
        json!(false),
    );
    add(
        "/services/*/metrics/interval",
        &general,
        "/services/app/metrics/interval",
        json!("15s"),
    );
    add(
        "/services/*/writableDirs/*",
        &general,
        "/services/app/writableDirs",
        json!(["/data"]),
    );
    add(
        "/services/*/dependsOn/*",
        &general,
        "/services/app/dependsOn",
        json!(["api"]),
    );
    add(
        "/services/*/replicas",
        &general,
        "/services/app/replicas",
        json!(3),
    );
    add(
        "/services/*/public",
        &general,
        "/services/api/public",
        json!(true),
    );
    let scaled = || {
        with(
            general(),
            "/services/app/autoscaling",
            json!({"maxReplicas": 4}),
        )
    };
    add(
        "/services/*/autoscaling/maxReplicas",
        &scaled,
        "/services/app/autoscaling/maxReplicas",
        json!(5),
    );
    add(
        "/services/*/autoscaling/minReplicas",
        &scaled,
        "/services/app/autoscaling/minReplicas",
        json!(1),
    );
    add(
        "/services/*/autoscaling/targetCPUUtilizationPercentage",
        &scaled,
        "/services/app/autoscaling/targetCPUUtilizationPercentage",
        json!(60),
    );
    add(
        "/services/*/autoscaling/targetMemoryUtilizationPercentage",
        &scaled,
        "/services/app/autoscaling/targetMemoryUtilizationPercentage",
        json!(60),
    );
    add(
        "/services/*/disruptionBudget/minAvailable",
        &general,
        "/services/app/disruptionBudget",
        json!({"minAvailable": 1}),
    );
    for kind in ["postgresql", "mongodb", "minio"] {
        let at = format!("/databases/{kind}/mode").leak();
        add(at, &short, at, json!("operator"));
    }
    add(
        "/services/*/disruptionBudget/maxUnavailable",
        &general,
        "/services/app/disruptionBudget",
        json!({"maxUnavailable": 1}),
    );
    add_databases(&mut cases);
    add_seeds(&mut cases);
    cases
}

/// The keys of a seed, alone and in a list.
fn add_seeds(cases: &mut Vec<Case>) {
    let of_file = json!({"name": "data", "file": "a.sql", "database": "postgresql"});
    let of_image = json!({"image": "acme/seeder:1"});
    let of_service = json!({"service": "app", "command": ["/seed"]});
    let one_source = |kind: &str| json!([{kind: {"name": "a"}}]);
    for (key, seed, at, to) in [
        ("name", &of_file, "name", json!("other")),
        ("file", &of_file, "file", json!("b.sql")),
        ("database", &of_file, "database", json!("mariadb")),
        ("image", &of_image, "image", json!("acme/seeder:2")),
        ("service", &of_service, "service", json!("api")),
        ("command/*", &of_image, "command", json!(["/run"])),
        ("args/*", &of_image, "args", json!(["-v"])),
        ("env/*", &of_image, "env/A", json!("b")),
        (
            "envFrom/*/secretRef/name",
            &of_image,
            "envFrom",
            one_source("secretRef"),
        ),
        (
            "envFrom/*/configMapRef/name",
            &of_image,
            "envFrom",
            one_source("configMapRef"),
        ),
        (
            "resources/requests/cpu",
            &of_file,
            "resources/requests/cpu",
            json!("70m"),
        ),
        (
            "resources/requests/memory",
            &of_file,
            "resources/requests/memory",
            json!("100Mi"),
        ),
        (
            "resources/limits/cpu",
            &of_file,
            "resources/limits/cpu",
            json!("300m"),
        ),
        (
            "resources/limits/memory",
            &of_file,
            "resources/limits/memory",
            json!("500Mi"),
        ),
        ("after", &of_file, "after", json!("app")),
        ("rerun", &of_file, "rerun", json!("onChange")),
        ("timeout", &of_file, "timeout", json!("30s")),
    ] {
        let databases = json!({"postgresql": true, "mariadb": true});
        let base = with(general(), "/databases", databases);
        cases.push(Case {
            key: format!("/seed/{key}"),
            base: with(base.clone(), "/seed", seed.clone()),
            at: format!("/seed/{at}"),
            to: to.clone(),
        });
        cases.push(Case {
            key: format!("/seed/*/{key}"),
            base: with(base, "/seed", json!([seed])),
            at: format!("/seed/0/{at}"),
            to,
        });
    }
}

fn add_databases(cases: &mut Vec<Case>) {
    let switched = |kind: &str| {
        with(
            short(),
            &format!("/databases/{kind}"),
            json!({"enabled": true}),
        )
    };
    for (key, at, to) in [
        (
            "/databases/postgresql/version",
            "/databases/postgresql/version",
            json!("17"),
        ),
        (
            "/databases/postgresql/storage",
            "/databases/postgresql/storage",
            json!("2Gi"),
        ),
        (
            "/databases/postgresql/storage/size",
            "/databases/postgresql/storage",
            json!({"size": "3Gi"}),
        ),
        (
            "/databases/postgresql/storage/storageClass",
            "/databases/postgresql/storage",
            json!({"size": "1Gi", "storageClass": "gp3"}),
        ),
        (
            "/databases/postgresql/database",
            "/databases/postgresql/database",
            json!("shop"),
        ),
        (
            "/databases/postgresql/postgresql/parameters/*",
            "/databases/postgresql/postgresql/parameters",
            json!({"work_mem": "8MB"}),
        ),
        (
            "/databases/postgresql/postgresql/pg_hba/*",
            "/databases/postgresql/postgresql/pg_hba",
            json!(["host all all all md5"]),
        ),
        (
            "/databases/postgresql/bootstrap/initSQL/*",
            "/databases/postgresql/bootstrap/initSQL",
            json!(["SELECT 1"]),
        ),
        (
            "/databases/postgresql/bootstrap/postInitApplicationSQL/*",
            "/databases/postgresql/bootstrap/postInitApplicationSQL",
            json!(["SELECT $$1$$"]),
        ),
        (
            "/databases/mongodb/version",
            "/databases/mongodb/version",
            json!("8.0"),
        ),
        (
            "/databases/mongodb/storage",
            "/databases/mongodb/storage",
            json!("2Gi"),
        ),
        (
            "/databases/mongodb/storage/size",
            "/databases/mongodb/storage",
            json!({"size": "3Gi"}),
        ),
        (
            "/databases/mongodb/storage/storageClass",
            "/databases/mongodb/storage",
            json!({"size": "1Gi", "storageClass": "gp3"}),
        ),
        (
            "/databases/mongodb/database",
            "/databases/mongodb/database",
            json!("shop"),
        ),
        (
            "/databases/mongodb/username",
            "/databases/mongodb/username",
            json!("shop"),
        ),
        (
            "/databases/redis/version",
            "/databases/redis/version",
            json!("8.0"),
        ),
        (
            "/databases/redis/storage",
            "/databases/redis/storage",
            json!("2Gi"),
        ),
        (
            "/databases/redis/storage/size",
            "/databases/redis/storage",
            json!({"size": "3Gi"}),
        ),
        (
            "/databases/redis/storage/storageClass",
            "/databases/redis/storage",
            json!({"size": "1Gi", "storageClass": "gp3"}),
        ),
        (
            "/databases/redis/auth/enabled",
            "/databases/redis/auth/enabled",
            json!(false),
        ),
        (
            "/databases/redis/config/maxmemory",
            "/databases/redis/config/maxmemory",
            json!("50mb"),
        ),
        (
            "/databases/redis/config/maxmemoryPolicy",
            "/databases/redis/config/maxmemoryPolicy",
            json!("noeviction"),
        ),
        (
            "/databases/minio/storage",
            "/databases/minio/storage",
            json!("2Gi"),
        ),
        (
            "/databases/minio/storage/size",
            "/databases/minio/storage",
            json!({"size": "3Gi"}),
        ),
        (
            "/databases/minio/storage/storageClass",
            "/databases/minio/storage",
            json!({"size": "1Gi", "storageClass": "gp3"}),
        ),
        (
            "/databases/minio/bucket",
            "/databases/minio/bucket",
            json!("files"),
        ),
        (
            "/databases/mariadb/version",
            "/databases/mariadb/version",
            json!("12.0"),
        ),
        (
            "/databases/mariadb/storage",
            "/databases/mariadb/storage",
            json!("2Gi"),
        ),
        (
            "/databases/mariadb/storage/size",
            "/databases/mariadb/storage",
            json!({"size": "3Gi"}),
        ),
        (
            "/databases/mariadb/storage/storageClass",
            "/databases/mariadb/storage",
            json!({"size": "1Gi", "storageClass": "gp3"}),
        ),
        (
            "/databases/mariadb/database",
            "/databases/mariadb/database",
            json!("shop"),
        ),
        (
            "/databases/mariadb/username",
            "/databases/mariadb/username",
            json!("shop"),
        ),
        (
            "/databases/mariadb/config/maxConnections",
            "/databases/mariadb/config/maxConnections",
            json!(50),
        ),
        (
            "/databases/mariadb/config/innodbBufferPoolSize",
            "/databases/mariadb/config/innodbBufferPoolSize",
            json!("32M"),
        ),
    ] {
        let kind = at.split('/').nth(2).expect("the kind");
        cases.push(Case {
            key: key.to_owned(),
            base: switched(kind),
            at: at.to_owned(),
            to,
        });
    }
    for (key, at, to) in [
        (
            "/databases/postgresql/owner",
            "/databases/postgresql/owner",
            json!("keeper"),
        ),
        (
            "/databases/postgresql/extensions/*",
            "/databases/postgresql/extensions",
            json!(["pg_trgm"]),
        ),
        (
            "/databases/postgresql/probes/startup/failureThreshold",
            "/databases/postgresql/probes/startup/failureThreshold",
            json!(60),
        ),
        (
            "/databases/postgresql/probes/startup/periodSeconds",
            "/databases/postgresql/probes/startup/periodSeconds",
            json!(5),
        ),
        (
            "/databases/postgresql/probes/startup/initialDelaySeconds",
            "/databases/postgresql/probes/startup/initialDelaySeconds",
            json!(5),
        ),
        (
            "/databases/mongodb/roles/*",
            "/databases/mongodb/roles",
            json!(["read"]),
        ),
        (
            "/databases/mongodb/users/*/name",
            "/databases/mongodb/users",
            json!([{"name": "reporting", "roles": ["read"]}]),
        ),
        (
            "/databases/minio/version",
            "/databases/minio/version",
            json!("RELEASE.2025-09-07T16-13-09Z"),
        ),
        (
            "/databases/minio/buckets/*",
            "/databases/minio/buckets",
            json!(["exports"]),
        ),
        (
            "/databases/mariadb/bootstrap/initSQL/*",
            "/databases/mariadb/bootstrap/initSQL",
            json!(["SELECT 1"]),
        ),
    ] {
        let kind = at.split('/').nth(2).expect("the kind");
        cases.push(Case {
            key: key.to_owned(),
            base: switched(kind),
            at: at.to_owned(),
            to,
        });
    }
    let reporting = with(
        short(),
        "/databases/mongodb",
        json!({"users": [{"name": "reporting", "roles": ["read"]}]}),
    );
    for (key, at, to) in [
        (
            "/databases/mongodb/users/*/database",
            "/databases/mongodb/users/0/database",
            json!("reports"),
        ),
        (
            "/databases/mongodb/users/*/roles/*",
            "/databases/mongodb/users/0/roles",
            json!(["clusterMonitor"]),
        ),
    ] {
        cases.push(Case {
            key: key.to_owned(),
            base: reporting.clone(),
            at: at.to_owned(),
            to,
        });
    }
    for kind in ["postgresql", "mongodb", "redis", "minio", "mariadb"] {
        let mut options = vec![
            ("image", json!("mirror/image:1")),
            ("resources/requests/cpu", json!("70m")),
            ("resources/requests/memory", json!("70Mi")),
            ("resources/limits/cpu", json!("600m")),
            ("resources/limits/memory", json!("600Mi")),
        ];
        // PostgreSQL has the older words for it.
        if kind != "postgresql" {
            options.extend([
                ("startupProbe/failureThreshold", json!(60)),
                ("startupProbe/periodSeconds", json!(5)),
                ("startupProbe/initialDelaySeconds", json!(5)),
            ]);
        }
        for (option, to) in options {
            let key = format!("/databases/{kind}/{option}");
            cases.push(Case {
                base: switched(kind),
                at: key.clone(),
                key,
                to,
            });
        }
    }
    for (key, switch, at) in [
        (
            "/databases/postgresql",
            "/databases/postgresql",
            "/databases/postgresql/enabled",
        ),
        (
            "/databases/mongodb",
            "/databases/mongodb",
            "/databases/mongodb/enabled",
        ),
        (
            "/databases/redis",
            "/databases/redis",
            "/databases/redis/enabled",
        ),
        (
            "/databases/minio",
            "/databases/minio",
            "/databases/minio/enabled",
        ),
        (
            "/databases/mariadb",
            "/databases/mariadb",
            "/databases/mariadb/enabled",
        ),
    ] {
        cases.push(Case {
            key: key.to_owned(),
            base: short(),
            at: switch.to_owned(),
            to: json!(true),
        });
        let kind = at.split('/').nth(2).expect("the kind");
        cases.push(Case {
            key: at.to_owned(),
            base: switched(kind),
            at: at.to_owned(),
            to: json!(false),
        });
    }
}

/// What `render`, and for the order of starting `plan`, make of a file.
fn made_of(file: &Value) -> String {
    let dir = tempfile::tempdir().expect("a temporary directory");
    for (name, text) in [
        ("k8s-ee.yaml", file.to_string()),
        ("a.sql", "SELECT 1;".to_owned()),
        ("b.sql", "SELECT 2;".to_owned()),
    ] {
        std::fs::write(dir.path().join(name), text).expect("written");
    }
    let run = |args: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_k8s-ee"))
            .args(args)
            .current_dir(dir.path())
            .env("K8S_EE_LOG", "")
            .output()
            .expect("the binary starts");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {stderr}\n{file:#}");
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let rendered: String = run(&["render", "--pr", "1"])
        .lines()
        .filter(|line| !line.contains("k8s-ee/created-at") && !line.contains("k8s-ee/last-updated"))
        .map(|line| format!("{line}\n"))
        .collect();
    rendered + &run(&["plan", "--pr", "1", "--offline"])
}

#[test]
fn every_key_changes_what_is_made() {
    let mut made: BTreeMap<String, String> = BTreeMap::new();
    let mut without_effect = Vec::new();
    for case in cases() {
        let before = made
            .entry(case.base.to_string())
            .or_insert_with(|| made_of(&case.base))
            .clone();
        let changed = with(case.base, &case.at, case.to);
        if made_of(&changed) == before {
            without_effect.push(case.key);
        }
    }
    assert!(
        without_effect.is_empty(),
        "these keys change nothing: {without_effect:#?}"
    );
}

/// Keys that say how an image is built. They act in the step that builds it, before `k8s-ee` is given the image.
const OF_THE_BUILD: [&str; 4] = [
    "/image/context",
    "/image/dockerfile",
    "/services/*/image/context",
    "/services/*/image/dockerfile",
];

/// Keys that only take one value as long as no operator runs the database, the one that is the default.
const OF_OPERATORS: [&str; 2] = [
    "/databases/postgresql/instances",
    "/databases/mongodb/members",
];

/// Keys that say which pull requests get an environment. They act in `k8s-ee pr`; `github/pr.rs` tries each of them.
const OF_THE_TRIGGER: &str = "/trigger";

#[test]
fn every_key_of_the_schema_is_tried() {
    let schema = k8s_ee::config::schema::schema();
    let mut keys = BTreeSet::new();
    collect(&schema, &schema, "", &mut keys);
    assert!(
        keys.len() > 60,
        "the schema is not read as it is meant: {keys:?}"
    );
    let tried: BTreeSet<String> = cases().into_iter().map(|case| case.key).collect();
    let missing: Vec<&String> = keys
        .iter()
        .filter(|key| !tried.contains(*key))
        .filter(|key| !key.starts_with(OF_THE_TRIGGER))
        .filter(|key| !OF_THE_BUILD.contains(&key.as_str()))
        .filter(|key| !OF_OPERATORS.contains(&key.as_str()))
        .collect();
    assert!(
        missing.is_empty(),
        "no case changes these keys: {missing:#?}"
    );
}

/// The keys of the schema that hold a value: pointers with `*` where names and list items stand.
fn collect(root: &Value, schema: &Value, at: &str, keys: &mut BTreeSet<String>) {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = root
            .pointer(reference.trim_start_matches('#'))
            .expect("references resolve");
        collect(root, target, at, keys);
    }
    for choice in ["allOf", "anyOf", "oneOf"] {
        for one in schema[choice].as_array().into_iter().flatten() {
            collect(root, one, at, keys);
        }
    }
    for (name, below) in schema["properties"].as_object().into_iter().flatten() {
        collect(root, below, &format!("{at}/{name}"), keys);
    }
    for many in ["additionalProperties", "items"] {
        if schema[many].is_object() {
            collect(root, &schema[many], &format!("{at}/*"), keys);
        }
    }
    let types = &schema["type"];
    let scalar = |name: &str| ["string", "integer", "number", "boolean"].contains(&name);
    let holds_a_value = types.as_str().is_some_and(scalar)
        || types
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .any(scalar);
    if holds_a_value {
        keys.insert(at.to_owned());
    }
}
