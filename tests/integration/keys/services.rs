//! The keys of the file itself, of services and of seeds.

use serde_json::{Value, json};

use super::{Case, built, general, short, with};

/// A case for each of them.
pub(super) fn cases() -> Vec<Case> {
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
    add("/lifecycle/ttl", &short, "/lifecycle/ttl", json!("72h"));
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
