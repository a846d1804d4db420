//! The bounds: the room beside the need, the ceiling, and what is said about both.

use super::{
    databases::{databases, service},
    *,
};
use crate::model::{
    Compute, Database, DatabaseKind, Environment, EnvironmentKey, Identity, Mode, Origin, Service,
    ServiceAutoscaling,
};

/// Service `app` in the short form, `web` in the general one with an autoscaler; PostgreSQL.
fn environment() -> Environment {
    let amounts = Compute {
        cpu: Quantity::ZERO,
        memory: Quantity::ZERO,
    };
    let service = |name: &str, origin, autoscaling| Service {
        name: name.to_owned(),
        origin,
        image: "registry.example/app:1".to_owned(),
        command: Vec::new(),
        args: Vec::new(),
        port: 3000,
        health_path: "/health".to_owned(),
        liveness_path: None,
        readiness_path: None,
        requests: amounts,
        limits: amounts,
        env: BTreeMap::new(),
        env_from: Vec::new(),
        writable_dirs: Vec::new(),
        depends_on: Vec::new(),
        databases: Vec::new(),
        replicas: 1,
        ingress: None,
        metrics: None,
        autoscaling,
        disruption_budget: None,
    };
    let autoscaling = ServiceAutoscaling {
        min_replicas: 1,
        max_replicas: 4,
        cpu_percent: None,
        memory_percent: None,
    };
    Environment {
        identity: Identity {
            project_id: "shop".to_owned(),
            key: EnvironmentKey::Pr(12),
            namespace: "shop-pr-12".to_owned(),
            host: None,
            scheme: "https".to_owned(),
            repository: None,
            branch: None,
            profile: crate::model::Profile::Default,
            commit: None,
        },
        services: vec![
            service("app", Origin::Short, None),
            service("web", Origin::General, Some(autoscaling)),
        ],
        databases: vec![Database {
            kind: DatabaseKind::Postgresql,
            mode: Mode::Standalone,
            options: json!({}),
        }],
        seeds: Vec::new(),
        ttl: None,
    }
}

fn located(pointer: &str) -> Option<String> {
    (pointer != "/services/web/autoscaling/maxReplicas").then(|| "k8s-ee.yaml:14".to_owned())
}

#[test]
fn an_excess_names_the_components_and_the_fix() {
    let [(_, postgresql), (_, mongodb), ..] = databases();
    let mut objects = vec![
        deployment("app", 1, &amounts("50m", "128Mi", "300m", "384Mi")),
        deployment("web", 4, &app_defaults()),
    ];
    objects.extend(mongodb.into_iter().chain(postgresql));
    let ceiling = [
        ("limits.cpu", "1800m"),
        ("pods", "8"),
        ("requests.storage", "2Gi"),
        ("secrets", "10"),
        ("limits.memory", "12Gi"),
    ];
    let settings = QuotaSettings {
        ceiling: ceiling
            .map(|(name, amount)| (name.to_owned(), q(amount)))
            .into(),
        ..QuotaSettings::default()
    };
    let quota = compute(&objects, &LimitSettings::default(), &settings).expect("a quota");
    let env = environment();
    let text: String = excesses(&quota, &settings)
        .iter()
        .map(|excess| format!("{excess}\nhint: {}\n", excess.hint(&env, &located)))
        .collect();
    insta::assert_snapshot!(text, @r#"
    needs 3100m CPU (limits.cpu), allowed 1800m: mongodb 1000m (init container mongod-posthook), web 1000m (5 × 200m, 1 for the rollout), app 600m (2 × 300m, 1 for the rollout), postgresql 500m
    hint: lower `services.web.resources.limits.cpu` at k8s-ee.yaml:14, or raise `quota.ceiling` for `limits.cpu` in the platform settings
    needs 9 pods, allowed 8: web 5 (1 for the rollout), app 2 (1 for the rollout), mongodb 1, postgresql 1
    hint: set a lower `services.web.autoscaling.maxReplicas` in k8s-ee.yaml, or raise `quota.ceiling` for `pods` in the platform settings
    needs 3956Mi storage (requests.storage), allowed 2Gi: mongodb 2932Mi, postgresql 1Gi
    hint: lower `databases.postgresql.storage` at k8s-ee.yaml:14, or raise `quota.ceiling` for `requests.storage` in the platform settings
    needs 11 secrets, allowed 10: mongodb 7, postgresql 4
    hint: raise `quota.ceiling` for `secrets` in the platform settings
    "#);
    for (resource, most) in &settings.ceiling {
        assert!(
            quota.hard[resource] <= *most,
            "{resource} is beyond the ceiling"
        );
    }
}

#[test]
fn two_objects_of_a_component_are_told_apart() {
    let mut job = deployment("seed", 1, &amounts("50m", "128Mi", "2", "384Mi"));
    job.set_label("k8s-ee/component", "app");
    let settings = QuotaSettings {
        ceiling: BTreeMap::from([("limits.cpu".to_owned(), q("1"))]),
        ..bare()
    };
    let quota = compute(
        &[deployment("app", 2, &app_defaults()), job],
        &LimitSettings::default(),
        &settings,
    )
    .expect("a quota");
    let found = excesses(&quota, &settings);
    insta::assert_snapshot!(found[0], @"needs 4600m CPU (limits.cpu), allowed 1000m: app 4600m (Deployment app: 3 × 200m, 1 for the rollout; Deployment seed: 2 × 2000m, 1 for the rollout)");
}

#[test]
fn what_the_limit_range_refuses_is_found_first() {
    let init = json!([{"name": "copy", "resources": amounts("10m", "32Mi", "10m", "16Mi")}]);
    let mut big = deployment("app", 1, &amounts("2", "600Mi", "1", "512Mi")).as_value();
    big["spec"]["template"]["spec"]["initContainers"] = init;
    let heap = deployment(
        "web",
        1,
        &json!({"requests": {"memory": "600Mi"}, "limits": {"cpu": 1}}),
    );
    let mut crowd = deployment("crowd", 1, &json!({})).as_value();
    crowd["spec"]["template"]["spec"]["containers"] = json!(
        ["a", "b", "c"]
            .map(|name| json!({"name": name, "resources": amounts("10m", "32Mi", "1", "512Mi")}))
    );
    let volume = |size: &str, component: &str| {
        object(json!({
            "apiVersion": "apps/v1", "kind": "StatefulSet",
            "metadata": {"name": format!("app-{component}"), "labels": {"k8s-ee/component": component}},
            "spec": {
                "template": {"spec": {"containers": [{"name": component}]}},
                "volumeClaimTemplates": [{"spec": {"resources": {"requests": {"storage": size}}}}],
            },
        }))
    };
    let objects = [
        object(big),
        heap,
        object(crowd),
        volume("6Gi", "postgresql"),
        volume("50Mi", "redis"),
    ];
    let env = environment();
    let text: String = limit_violations(&objects, &LimitSettings::default())
        .iter()
        .map(|violation| format!("{violation}\nhint: {}\n", violation.hint(&env, &located)))
        .collect();
    insta::assert_snapshot!(text, @r#"
    Deployment app: container copy has limits.memory 16Mi, allowed from 32Mi
    hint: change `limits.containerMin.memory` in the platform settings
    Deployment app: container copy has requests.memory 32Mi, more than its limits.memory, which is 16Mi
    hint: give it a higher limits.memory
    Deployment app: container app has requests.cpu 2, allowed at most 1
    hint: lower `resources.requests.cpu` at k8s-ee.yaml:14, or change `limits.containerMax.cpu` in the platform settings
    Deployment app: container app has requests.cpu 2, more than its limits.cpu, which is 1
    hint: lower `resources.requests.cpu` at k8s-ee.yaml:14
    Deployment app: container app has requests.memory 600Mi, more than its limits.memory, which is 512Mi
    hint: lower `resources.requests.memory` at k8s-ee.yaml:14
    Deployment web: container web has requests.memory 600Mi, more than its limits.memory, which is 512Mi
    hint: lower `services.web.resources.requests.memory` at k8s-ee.yaml:14
    Deployment crowd: the containers of a pod have limits.cpu 3, allowed at most 2
    hint: change `limits.podMax.cpu` in the platform settings
    StatefulSet app-postgresql: a volume of 6Gi, allowed at most 5Gi
    hint: lower `databases.postgresql.storage` at k8s-ee.yaml:14, or change `limits.storageMax` in the platform settings
    StatefulSet app-redis: a volume of 50Mi, allowed from 100Mi
    hint: change `limits.storageMin` in the platform settings
    "#);
    let fine = [
        deployment("app", 1, &app_defaults()),
        volume("5Gi", "postgresql"),
    ];
    assert_eq!(limit_violations(&fine, &LimitSettings::default()), []);
}

#[test]
fn settings_that_name_unknown_resources_are_refused() {
    for (settings, expected) in [
        (
            QuotaSettings {
                ceiling: BTreeMap::from([("cpu".to_owned(), q("1"))]),
                ..bare()
            },
            "quota.ceiling",
        ),
        (
            QuotaSettings {
                headroom: BTreeMap::from([("pod".to_owned(), q("1"))]),
                ..bare()
            },
            "quota.headroom",
        ),
        (
            QuotaSettings {
                minimum: BTreeMap::from([(
                    "redis".to_owned(),
                    BTreeMap::from([("x".to_owned(), q("1"))]),
                )]),
                ..bare()
            },
            "quota.minimum.redis",
        ),
    ] {
        let error = compute(&[], &LimitSettings::default(), &settings).expect_err("refused");
        assert!(
            error.to_string().contains(&format!("`{expected}`")),
            "{error}"
        );
        assert!(error.hint().contains("requests.cpu"));
    }
    for known in QuotaSettings::default().ceiling.keys() {
        assert!(cost::is_known(known), "{known}");
    }
}

#[test]
fn a_ceiling_on_a_device_forbids_it() {
    let settings = QuotaSettings {
        ceiling: BTreeMap::from([("requests.nvidia.com/gpu".to_owned(), Quantity::ZERO)]),
        ..bare()
    };
    let quota = compute(&[], &LimitSettings::default(), &settings).expect("a quota");
    assert_eq!(quota.hard_strings()["requests.nvidia.com/gpu"], "0");
    let settings = QuotaSettings {
        limits_percent: 50,
        ..bare()
    };
    let quota = compute(
        &[deployment("app", 1, &app_defaults())],
        &LimitSettings::default(),
        &settings,
    )
    .expect("a quota");
    assert_eq!(
        quota.hard["limits.cpu"],
        q("400m"),
        "less than is needed would lock the environment"
    );
}

#[test]
fn the_report_for_people_and_for_programs() {
    let [_, (_, mongodb), (_, redis), ..] = databases();
    let mut objects = vec![deployment("app", 2, &app_defaults()), service()];
    objects.extend(mongodb.into_iter().chain(redis));
    let quota = compute_default(&objects);
    insta::assert_snapshot!(report::human(&quota, None), @r#"
    component  requests.cpu  limits.cpu  requests.memory  limits.memory  requests.storage  pods
    app                150m        600m            384Mi         1152Mi                 0     3
    mongodb            500m       1000m            382Mi          640Mi            2932Mi     1
    redis               50m        200m             64Mi          128Mi                 0     1
    room               150m        500m            256Mi          583Mi            1165Mi     4
    quota              850m       2300m           1086Mi         2503Mi               4Gi     9

    app limits.cpu: 3 × 200m, 1 for the rollout
    app limits.memory: 3 × 384Mi, 1 for the rollout
    mongodb limits.cpu: init container mongod-posthook
    "#);
    insta::assert_snapshot!(serde_json::to_string_pretty(&report::json(&quota)).expect("JSON"), @r#"
    {
      "version": 1,
      "hard": {
        "configmaps": "15",
        "limits.cpu": "2300m",
        "limits.memory": "2503Mi",
        "persistentvolumeclaims": "3",
        "pods": "9",
        "replicationcontrollers": "5",
        "requests.cpu": "850m",
        "requests.memory": "1086Mi",
        "requests.storage": "4Gi",
        "secrets": "32",
        "services": "5",
        "services.loadbalancers": "0",
        "services.nodeports": "0"
      },
      "components": [
        {
          "name": "app",
          "cost": {
            "limits.cpu": "600m",
            "limits.memory": "1152Mi",
            "pods": "3",
            "requests.cpu": "150m",
            "requests.memory": "384Mi",
            "services": "1",
            "services.loadbalancers": "0",
            "services.nodeports": "0"
          },
          "workloads": [
            {
              "apiVersion": "apps/v1",
              "kind": "Deployment",
              "name": "app",
              "pods": 3,
              "replicas": 2,
              "surge": 1,
              "perPod": {
                "limits.cpu": "200m",
                "limits.memory": "384Mi",
                "pods": "1",
                "requests.cpu": "50m",
                "requests.memory": "128Mi"
              },
              "dominatedBy": {},
              "total": {
                "limits.cpu": "600m",
                "limits.memory": "1152Mi",
                "pods": "3",
                "requests.cpu": "150m",
                "requests.memory": "384Mi"
              }
            }
          ]
        },
        {
          "name": "mongodb",
          "cost": {
            "configmaps": "0",
            "limits.cpu": "1",
            "limits.memory": "640Mi",
            "persistentvolumeclaims": "2",
            "pods": "1",
            "requests.cpu": "500m",
            "requests.memory": "382Mi",
            "requests.storage": "2932Mi",
            "secrets": "7",
            "services": "1"
          },
          "workloads": [
            {
              "apiVersion": "mongodbcommunity.mongodb.com/v1",
              "kind": "MongoDBCommunity",
              "name": "app-mongodb",
              "pods": 1,
              "replicas": 1,
              "surge": 0,
              "perPod": {
                "limits.cpu": "1",
                "limits.memory": "640Mi",
                "pods": "1",
                "requests.cpu": "500m",
                "requests.memory": "382Mi"
              },
              "dominatedBy": {
                "limits.cpu": "mongod-posthook",
                "requests.cpu": "mongod-posthook",
                "requests.memory": "mongod-posthook"
              },
              "total": {
                "configmaps": "0",
                "limits.cpu": "1",
                "limits.memory": "640Mi",
                "persistentvolumeclaims": "2",
                "pods": "1",
                "requests.cpu": "500m",
                "requests.memory": "382Mi",
                "requests.storage": "2932Mi",
                "secrets": "7",
                "services": "1"
              }
            }
          ]
        },
        {
          "name": "redis",
          "cost": {
            "limits.cpu": "200m",
            "limits.memory": "128Mi",
            "pods": "1",
            "requests.cpu": "50m",
            "requests.memory": "64Mi",
            "services": "1",
            "services.loadbalancers": "0",
            "services.nodeports": "0"
          },
          "workloads": [
            {
              "apiVersion": "apps/v1",
              "kind": "StatefulSet",
              "name": "app-redis",
              "pods": 1,
              "replicas": 1,
              "surge": 0,
              "perPod": {
                "limits.cpu": "200m",
                "limits.memory": "128Mi",
                "pods": "1",
                "requests.cpu": "50m",
                "requests.memory": "64Mi"
              },
              "dominatedBy": {},
              "total": {
                "limits.cpu": "200m",
                "limits.memory": "128Mi",
                "pods": "1",
                "requests.cpu": "50m",
                "requests.memory": "64Mi"
              }
            }
          ]
        },
        {
          "name": "(shared)",
          "cost": {
            "configmaps": "2"
          },
          "workloads": []
        }
      ]
    }
    "#);
}
