//! Plans over databases that come, change and go.

use serde_json::{Value, json};

use super::{volumes::StorageProblemKind, *};
use crate::model::{DatabaseKind, EnvironmentKey, Identity, settings::PlatformSettings};

fn environment(databases: &[DatabaseKind]) -> Environment {
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
            .map(|kind| crate::model::Database {
                mode: crate::model::Mode::Standalone,
                kind: *kind,
                options: json!({}),
            })
            .collect(),
    }
}

fn object(value: Value) -> Object {
    Object::new(value).expect("an object")
}

/// The StatefulSet of a database, with a volume of this size and class.
fn set(component: &str, storage: Option<(&str, Option<&str>)>, image: &str) -> Object {
    let claims: Vec<Value> = storage
        .iter()
        .map(|(size, class)| {
            let mut spec = json!({"resources": {"requests": {"storage": size}}});
            if let Some(class) = class {
                spec["storageClassName"] = json!(class);
            }
            json!({"metadata": {"name": "data"}, "spec": spec})
        })
        .collect();
    let mut set = json!({
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": format!("app-{component}"), "namespace": "shop-pr-7", "labels": {
            "k8s-ee/component": component, "app.kubernetes.io/managed-by": "k8s-ee"}},
        "spec": {"replicas": 1, "serviceName": "x", "template": {"spec": {"containers": [{"name": "db", "image": image}]}}},
    });
    if !claims.is_empty() {
        set["spec"]["volumeClaimTemplates"] = json!(claims);
    }
    object(set)
}

/// The same after it was applied.
fn applied(mut set: Object) -> Object {
    let mut owned = json!({"f:serviceName": {}, "f:template": {}, "f:replicas": {}});
    if set.get("/spec/volumeClaimTemplates").is_some() {
        owned["f:volumeClaimTemplates"] = json!({});
    }
    let entry = json!({"manager": "k8s-ee", "operation": "Apply", "fieldsV1": {"f:spec": owned}});
    set.as_map_mut()["metadata"]["managedFields"] = json!([entry]);
    set
}

fn claim(name: &str, component: &str, size: &str) -> Object {
    object(json!({
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "namespace": "shop-pr-7", "labels": {"k8s-ee/component": component}},
        "spec": {"storageClassName": "fast", "resources": {"requests": {"storage": size}}},
    }))
}

fn secret(name: &str, component: &str) -> Object {
    object(json!({"apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": name, "namespace": "shop-pr-7", "labels": {"k8s-ee/component": component}}}))
}

fn live(objects: &[Object]) -> Live {
    objects
        .iter()
        .map(|object| (object.id(), object.clone()))
        .collect()
}

fn plan(databases: &[DatabaseKind], objects: &[Object], there: &[Object]) -> Plan {
    let settings = PlatformSettings::default();
    let desired = Desired {
        guardrails: Vec::new(),
        objects: objects.to_vec(),
        completions: Vec::new(),
        quota: crate::quota::compute(objects, &settings.limits, &settings.quota).expect("a quota"),
    };
    let live = live(there);
    let mut plan = Plan::new(&environment(databases), desired, &live);
    plan.volumes = volumes::compare(objects, &live).changes;
    plan
}

fn impacts(plan: &Plan) -> Vec<String> {
    plan.impact.iter().map(|one| one.text.clone()).collect()
}

const ONE: Option<(&str, Option<&str>)> = Some(("1Gi", None));
const TWO: Option<(&str, Option<&str>)> = Some(("2Gi", None));

#[test]
fn a_ttl_that_leaves_the_file_leaves_the_namespace() {
    let namespace = |ttl| {
        let environment = Environment {
            ttl,
            ..environment(&[])
        };
        crate::guardrails::namespace(&environment, "2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z")
    };
    let mut there = namespace(Some(crate::model::Span::hours(72)));
    let owned = json!({"f:metadata": {"f:annotations": {"f:k8s-ee/ttl": {}}}});
    there.as_map_mut()["metadata"]["managedFields"] =
        json!([{"manager": "k8s-ee", "operation": "Apply", "fieldsV1": owned}]);
    let paths = |desired: &Object| {
        let changes = diff::diff(desired, &there, VOLATILE);
        changes.into_iter().map(|c| c.path).collect::<Vec<_>>()
    };
    let ttl = ["metadata.annotations[k8s-ee/ttl]"];
    assert_eq!(paths(&namespace(None)), ttl);
    assert_eq!(
        paths(&namespace(Some(crate::model::Span::hours(1)))),
        ttl,
        "another one is a change too"
    );
}

#[test]
fn a_database_that_leaves_the_file_leaves_its_volume() {
    let there = [
        applied(set("postgresql", ONE, "a")),
        claim("data-app-postgresql-0", "postgresql", "1Gi"),
        secret("app-postgresql-app", "postgresql"),
    ];
    let mut plan = plan(&[], &[], &there);
    assert_eq!(plan.prune, [there[0].id()]);
    assert_eq!(plan.impact, []);
    let said: Vec<String> = plan.volumes.iter().map(|v| v.text("k8s-ee up")).collect();
    assert_eq!(
        said,
        [
            "volume data-app-postgresql-0 (1Gi) of postgresql is kept; `k8s-ee up --prune-data` removes it"
        ]
    );
    assert!(!plan.removed().any(|id| id.kind == "PersistentVolumeClaim"));

    plan.prune_data(&environment(&[]), &live(&there));
    let removed: Vec<String> = plan.removed().map(ToString::to_string).collect();
    assert_eq!(
        removed,
        [
            "StatefulSet app-postgresql",
            "PersistentVolumeClaim data-app-postgresql-0",
            "Secret app-postgresql-app"
        ]
    );
}

#[test]
fn a_kept_volume_alone_is_nothing_to_do_until_it_is_to_go() {
    let there = [claim("data-app-postgresql-0", "postgresql", "1Gi")];
    let mut plan = plan(&[], &[], &there);
    assert!(plan.is_empty());
    plan.prune_data(&environment(&[]), &live(&there));
    assert!(!plan.is_empty());
}

#[test]
fn credentials_of_a_database_that_stays_are_not_pruned_with_a_volume_of_it() {
    let there = [
        claim("data-app-redis-0", "redis", "1Gi"),
        secret("app-redis-secret", "redis"),
    ];
    let redis = [DatabaseKind::Redis];
    let mut plan = plan(&redis, &[set("redis", None, "a")], &there);
    plan.prune_data(&environment(&redis), &live(&there));
    let removed: Vec<String> = plan.removed().map(ToString::to_string).collect();
    assert_eq!(removed, ["PersistentVolumeClaim data-app-redis-0"]);
}

#[test]
fn claims_of_others_are_none_of_ours() {
    let mut foreign = claim("uploads", "postgresql", "1Gi");
    foreign.as_map_mut()["metadata"]["labels"] = json!({});
    let by_operator = claim("app-postgresql-1", "postgresql", "1Gi");
    let cluster = object(
        json!({"apiVersion": "postgresql.cnpg.io/v1", "kind": "Cluster", "metadata": {
        "name": "app-postgresql", "namespace": "shop-pr-7", "labels": {"k8s-ee/component": "postgresql"}}}),
    );
    let mut leaving = claim("data-app-redis-0", "redis", "1Gi");
    leaving.as_map_mut()["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    let found = volumes::compare(&[cluster], &live(&[foreign, by_operator, leaving]));
    assert_eq!(found.changes, []);
}

#[test]
fn a_volume_that_grows_keeps_its_pod() {
    let there = [
        applied(set("postgresql", ONE, "a")),
        claim("data-app-postgresql-0", "postgresql", "1Gi"),
    ];
    let plan = plan(
        &[DatabaseKind::Postgresql],
        &[set("postgresql", TWO, "a")],
        &there,
    );
    let change = plan.changes().next().expect("the StatefulSet");
    assert_eq!(change.action, Action::Replace);
    assert!(change.keeps_pods());
    assert_eq!(plan.impact, [], "nothing restarts");
    let grown = plan.volumes[0].change().expect("it grows");
    assert_eq!(
        grown.object.str("/spec/resources/requests/storage"),
        Some("2Gi")
    );
    assert_eq!(
        json!(plan.volumes[0]),
        json!({"claim": "data-app-postgresql-0", "component": "postgresql", "size": "1Gi", "action": "grow", "to": "2Gi"})
    );
}

#[test]
fn a_database_that_comes_back_finds_its_volume_whatever_its_size() {
    let there = [claim("data-app-postgresql-0", "postgresql", "1Gi")];
    let same = volumes::compare(&[set("postgresql", ONE, "a")], &live(&there));
    assert_eq!((same.changes.len(), same.problems.len()), (0, 0));
    let larger = volumes::compare(&[set("postgresql", TWO, "a")], &live(&there));
    assert!(larger.changes[0].grows());
}

#[test]
fn what_cannot_be_done_to_a_volume_is_said_with_the_way_out() {
    let there = live(&[claim("data-app-postgresql-0", "postgresql", "2Gi")]);
    let problems = |wanted: Object, may_grow: bool| {
        let mut found = volumes::compare(&[wanted], &there);
        found.refuse_growth(&there, |_| may_grow);
        found.problems
    };
    let smaller = &problems(set("postgresql", ONE, "a"), true)[0];
    assert_eq!(
        smaller.to_string(),
        "postgresql has its data on the volume data-app-postgresql-0 of 2Gi, which cannot shrink to 1Gi"
    );
    assert_eq!(smaller.pointer(), "/databases/postgresql/storage");
    assert_eq!(
        smaller.hint("k8s-ee up --pr 7 …"),
        "keep the size 2Gi; to start again without the data, take `databases.postgresql` out of the file, run \
         `k8s-ee up --pr 7 … --prune-data`, and put it back"
    );
    let moved = &problems(set("postgresql", Some(("2Gi", Some("slow"))), "a"), true)[0];
    assert_eq!(
        moved.kind,
        StorageProblemKind::OtherClass {
            from: "fast".to_owned(),
            to: "slow".to_owned()
        }
    );
    let larger = Some(("3Gi", Some("fast")));
    assert_eq!(problems(set("postgresql", larger, "a"), true), []);
    let stuck = &problems(set("postgresql", larger, "a"), false)[0];
    assert!(
        stuck
            .to_string()
            .contains("its storage class fast does not allow that"),
        "{stuck}"
    );
    assert!(
        stuck
            .hint("up")
            .contains("kubectl patch storageclass fast -p '{\"allowVolumeExpansion\": true}'")
    );
}

#[test]
fn going_back_leaves_a_grown_volume_as_it_is() {
    let there = live(&[claim("data-app-postgresql-0", "postgresql", "2Gi")]);
    let mut before = [set("postgresql", Some(("1Gi", Some("slow"))), "a")];
    volumes::follow_claims(&mut before, &there);
    let found = volumes::compare(&before, &there);
    assert_eq!((found.changes, found.problems), (vec![], vec![]));
}

#[test]
fn redis_that_gets_or_loses_a_volume_says_what_becomes_of_its_data() {
    let redis = [DatabaseKind::Redis];
    let without = applied(set("redis", None, "a"));
    let gets = plan(
        &redis,
        &[set("redis", ONE, "a")],
        std::slice::from_ref(&without),
    );
    let change = gets.changes().next().expect("the StatefulSet");
    assert_eq!(
        (change.action, change.keeps_pods()),
        (Action::Replace, false)
    );
    assert_eq!(
        impacts(&gets),
        ["redis moves to a volume and starts empty: its data were in its pod alone"]
    );

    let with = [
        applied(set("redis", ONE, "a")),
        claim("data-app-redis-0", "redis", "1Gi"),
    ];
    let loses = plan(&redis, &[set("redis", None, "a")], &with);
    assert_eq!(
        impacts(&loses),
        ["redis leaves its volume and starts empty; the data stay on the volume"]
    );
    assert_eq!(loses.volumes[0].fate, volumes::Fate::Keep);

    let restarts = plan(
        &redis,
        &[set("redis", None, "b")],
        std::slice::from_ref(&without),
    );
    assert_eq!(
        impacts(&restarts),
        ["redis restarts and starts empty: its data are in its pod alone"]
    );
    let goes = plan(&[], &[], &[without]);
    assert_eq!(
        impacts(&goes),
        ["redis is removed with its data, which are in its pod alone"]
    );
}

fn told(plan: &Plan) -> report::Report<'_> {
    report::Report {
        plan,
        cost: cost::CostChange::default(),
        tried: None,
    }
}

#[test]
fn services_that_get_new_pods_are_told_from_those_that_stop() {
    let web = |image: &str, selector: &str| {
        Object::new(json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "web", "labels": {"k8s-ee/component": "web", "app.kubernetes.io/managed-by": "k8s-ee"}},
            "spec": {"selector": {"matchLabels": {"app": selector}}, "template": {"spec": {"containers": [
                {"name": "web", "image": image}]}}},
        }))
        .expect("an object")
    };
    let there = [applied(web("web:1", "a"))];
    let told = |objects: &[Object]| {
        let plan = plan(&[DatabaseKind::Redis], objects, &there);
        let told = plan
            .impact
            .iter()
            .map(|impact| (impact.kind, impact.text.clone()));
        told.collect::<Vec<_>>()
    };
    let answers = "web gets new pods one by one, and answers meanwhile".to_owned();
    assert_eq!(
        told(&[web("web:2", "a")]),
        [(impact::ImpactKind::Rollout, answers)]
    );
    let stops = "web is deleted and made anew; it does not answer meanwhile".to_owned();
    assert_eq!(
        told(&[web("web:1", "b")]),
        [(impact::ImpactKind::Restart, stops)]
    );
    assert_eq!(
        told(&[]),
        [(impact::ImpactKind::Removed, "web is removed".to_owned())]
    );
    assert_eq!(told(&[web("web:1", "a")]), []);
}

#[test]
fn the_cost_is_that_of_now_and_of_then() {
    let web = |replicas: u32, cpu: &str| {
        Object::new(json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "web", "labels": {"k8s-ee/component": "web"}},
            "spec": {"replicas": replicas, "template": {"spec": {"containers": [
                {"name": "web", "resources": {"requests": {"cpu": cpu, "memory": "128Mi"}}}]}}},
        }))
        .expect("an object")
    };
    let settings = PlatformSettings::default();
    let quota = |objects: &[Object]| {
        crate::quota::compute(objects, &settings.limits, &settings.quota).expect("it adds up")
    };
    // A claim is counted once, with the set that it was made for; one that nobody uses by itself.
    let there = live(&[
        web(1, "50m"),
        set("mariadb", ONE, "a"),
        claim("data-app-mariadb-0", "mariadb", "1Gi"),
        claim("data-app-postgresql-0", "postgresql", "1Gi"),
    ]);
    let now = quota(&cost::counted(&there));
    let then = quota(&[web(2, "0.1"), set("mariadb", TWO, "a")]);
    let told = cost::human(&cost::compare(&now, &then), None).join("\n");
    insta::assert_snapshot!(told, @"
    requests    cpu          memory         storage
    mariadb     100m         128Mi          1Gi → 2Gi
    postgresql  0            0              1Gi → 0
    web         50m → 200m   128Mi → 256Mi  0
    all         150m → 300m  256Mi → 384Mi  2Gi
    ");
}

#[test]
fn losses_are_told_before_pauses_and_volumes_and_all_of_it_first() {
    let there = [
        applied(set("redis", None, "a")),
        applied(set("mariadb", ONE, "a")),
        claim("data-app-mariadb-0", "mariadb", "1Gi"),
        claim("data-app-postgresql-0", "postgresql", "1Gi"),
    ];
    let both = [DatabaseKind::Redis, DatabaseKind::Mariadb];
    let mut plan = plan(
        &both,
        &[set("mariadb", TWO, "b"), set("redis", None, "b")],
        &there,
    );
    let shown = report::human(&told(&plan), None);
    let data: Vec<&str> = shown.lines().skip(1).take(5).collect();
    assert_eq!(
        data,
        [
            "  impact",
            "    ! redis restarts and starts empty: its data are in its pod alone",
            "    ~ mariadb restarts; its data stay",
            "    ~ volume data-app-mariadb-0 of mariadb grows from 1Gi to 2Gi",
            "    = volume data-app-postgresql-0 (1Gi) of postgresql is kept; `k8s-ee up --prune-data` removes it",
        ]
    );
    let json = report::json(&told(&plan));
    assert_eq!(json["impact"][0]["kind"], "data-lost");
    assert_eq!(json["volumes"][1]["action"], "keep");
    plan.prune_data(&environment(&both), &live(&there));
    assert!(report::human(&told(&plan), None).contains(
        "! volume data-app-postgresql-0 (1Gi) of postgresql is removed, and the data in it with it"
    ));
}

#[test]
fn a_part_of_a_plan_removes_nothing() {
    let there = [
        applied(set("postgresql", ONE, "a")),
        applied(set("mariadb", ONE, "a")),
    ];
    let part = plan(
        &[DatabaseKind::Redis],
        &[set("redis", None, "a"), set("web", None, "a")],
        &there,
    )
    .only(|component| component == "redis");
    assert_eq!(part.prune, []);
    let names: Vec<&str> = part
        .waves
        .iter()
        .flatten()
        .map(|c| c.name.as_str())
        .collect();
    assert_eq!(names, ["redis"]);
}

fn made_set(
    labels: serde_json::Value,
    annotations: serde_json::Value,
    owner: Option<&str>,
) -> Object {
    let owners = owner.map(|kind| json!([{"kind": kind, "name": "app-minio", "controller": true}]));
    Object::new(json!({
        "apiVersion": "apps/v1", "kind": "StatefulSet",
        "metadata": {
            "name": "app-minio-pool-0", "labels": labels, "annotations": annotations, "ownerReferences": owners,
        },
    }))
    .expect("an object")
}

#[test]
fn what_an_operator_made_is_not_taken_for_a_leftover() {
    let ours = json!({"app.kubernetes.io/managed-by": "k8s-ee"});
    let of_before = json!({"meta.helm.sh/release-name": "app"});
    for (labels, annotations) in [(ours, json!({})), (json!({}), of_before)] {
        assert!(is_prunable(&made_set(
            labels.clone(),
            annotations.clone(),
            None
        )));
        // The MinIO operator copies both from the Tenant.
        assert!(!is_prunable(&made_set(labels, annotations, Some("Tenant"))));
    }
}
