//! What single objects cost.

use proptest::prelude::*;

use super::*;
use crate::quota::pod::{Container, Pod};

/// A pod with the given containers and init containers.
fn pod(spec: Value) -> Object {
    object(json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "pod"}, "spec": spec}))
}

fn cpu_limit(amount: &str) -> Value {
    json!({"limits": {"cpu": amount}})
}

#[test]
fn a_pod_costs_what_its_most_expensive_moment_costs() {
    let containers = json!([{"name": "a", "resources": cpu_limit("100m")}, {"name": "b", "resources": cpu_limit("200m")}]);
    for (init, limit, by) in [
        (json!([]), "300m", None),
        // A small init container hides behind what runs later.
        (
            json!([{"name": "wait", "resources": cpu_limit("250m")}]),
            "300m",
            None,
        ),
        (
            json!([{"name": "wait", "resources": cpu_limit("1")}]),
            "1",
            Some("wait"),
        ),
        // Sidecars run beside the containers,
        (
            json!([{"name": "proxy", "restartPolicy": "Always", "resources": cpu_limit("50m")}]),
            "350m",
            None,
        ),
        // and beside the init containers that come after them, not those before.
        (
            json!([
                {"name": "early", "resources": cpu_limit("400m")},
                {"name": "proxy", "restartPolicy": "Always", "resources": cpu_limit("50m")},
                {"name": "late", "resources": cpu_limit("380m")},
            ]),
            "430m",
            Some("late"),
        ),
    ] {
        let object = pod(json!({"initContainers": init, "containers": containers}));
        let quota = compute(&[object], &LimitSettings::default(), &bare()).expect("a quota");
        assert_eq!(quota.hard["limits.cpu"], q(limit), "{init}");
        let workload = &quota.components[0].workloads[0];
        let dominated_by = workload.dominated_by.get("limits.cpu").map(String::as_str);
        assert_eq!(dominated_by, by, "{init}");
    }
}

#[test]
fn overhead_and_bounds_of_the_whole_pod_count() {
    let container = json!([{"name": "a", "resources": amounts("100m", "128Mi", "100m", "128Mi")}]);
    let cost = need(&[pod(json!({
        "containers": container,
        "overhead": {"cpu": "250m", "memory": "120Mi"},
        "resources": {"limits": {"cpu": "500m"}},
    }))]);
    assert_eq!(cost.get("requests.cpu"), q("350m"));
    assert_eq!(cost.get("limits.cpu"), q("750m"));
    assert_eq!(cost.get("limits.memory"), q("248Mi"));
}

#[test]
fn missing_amounts_are_filled_in_as_the_api_server_does() {
    for (resources, expected) in [
        // Nothing: the defaults of the LimitRange.
        (json!({}), ["100m", "128Mi", "500m", "512Mi"]),
        (json!(null), ["100m", "128Mi", "500m", "512Mi"]),
        // A limit alone is the request too.
        (
            json!({"limits": {"cpu": "300m"}}),
            ["300m", "128Mi", "300m", "512Mi"],
        ),
        // A request alone gets the default limit.
        (
            json!({"requests": {"memory": "64Mi"}}),
            ["100m", "64Mi", "500m", "512Mi"],
        ),
        // Numbers are quantities too, and null is nothing.
        (
            json!({"limits": {"cpu": 1, "memory": 268_435_456}, "requests": {"cpu": 0.5, "memory": null}}),
            ["500m", "256Mi", "1", "256Mi"],
        ),
    ] {
        let cost = need(&[pod(
            json!({"containers": [{"name": "a", "resources": resources}]}),
        )]);
        let names = [
            "requests.cpu",
            "requests.memory",
            "limits.cpu",
            "limits.memory",
        ];
        assert_eq!(
            names.map(|name| cost.get(name)),
            expected.map(q),
            "{resources}"
        );
    }
}

#[test]
fn pods_are_counted_as_their_controllers_run_them() {
    let template = json!({"spec": {"containers": [{"name": "a"}]}});
    let kinds = |api: &str, kind: &str, mut spec: Value| {
        spec["template"] = template.clone();
        object(json!({"apiVersion": api, "kind": kind, "metadata": {"name": "x"}, "spec": spec}))
    };
    let rolling = |replicas: u32, surge: Value| json!({"replicas": replicas, "strategy": {"rollingUpdate": {"maxSurge": surge}}});
    for (object, pods) in [
        (kinds("apps/v1", "Deployment", json!({})), 2),
        (kinds("apps/v1", "Deployment", json!({"replicas": 8})), 10),
        (kinds("apps/v1", "Deployment", json!({"replicas": 0})), 0),
        (kinds("apps/v1", "Deployment", rolling(5, json!("25%"))), 7),
        (
            kinds("apps/v1", "Deployment", rolling(5, json!("100%"))),
            10,
        ),
        (kinds("apps/v1", "Deployment", rolling(5, json!(3))), 8),
        (kinds("apps/v1", "Deployment", rolling(5, json!(0))), 5),
        (
            kinds(
                "apps/v1",
                "Deployment",
                json!({"replicas": 5, "strategy": {"type": "Recreate"}}),
            ),
            5,
        ),
        (kinds("apps/v1", "StatefulSet", json!({"replicas": 3})), 3),
        (kinds("apps/v1", "ReplicaSet", json!({"replicas": 3})), 3),
        (
            kinds("v1", "ReplicationController", json!({"replicas": 3})),
            3,
        ),
        (kinds("batch/v1", "Job", json!({})), 1),
        (kinds("batch/v1", "Job", json!({"parallelism": 4})), 4),
        (
            kinds(
                "batch/v1",
                "Job",
                json!({"parallelism": 4, "completions": 2}),
            ),
            2,
        ),
    ] {
        let cost = need(std::slice::from_ref(&object));
        assert_eq!(
            cost.get("pods"),
            Quantity::units(pods),
            "{:?}",
            object.as_value()
        );
        assert_eq!(cost.get("limits.cpu"), Quantity::milli(500 * pods));
    }
    let cron = object(json!({
        "apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "x"},
        "spec": {"jobTemplate": {"spec": {"parallelism": 2, "template": template}}},
    }));
    assert_eq!(need(&[cron]).get("pods"), q("2"));
}

#[test]
fn an_autoscaler_counts_with_its_most() {
    let autoscaler = |kind: &str, name: &str| {
        object(json!({
            "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "x"},
            "spec": {"maxReplicas": 6, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": kind, "name": name}},
        }))
    };
    let app = || deployment("app", 2, &app_defaults());
    let pods = |objects: &[Object]| need(objects).get("pods");
    assert_eq!(pods(&[app(), autoscaler("Deployment", "app")]), q("7"));
    assert_eq!(pods(&[app(), autoscaler("Deployment", "web")]), q("3"));
    assert_eq!(pods(&[app(), autoscaler("StatefulSet", "app")]), q("3"));
}

#[test]
fn volumes_are_counted_wherever_they_come_from() {
    let claim = |size: &str| json!({"spec": {"resources": {"requests": {"storage": size}}}});
    let own = object(json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"}, "spec": claim("1Gi")["spec"],
    }));
    let set = object(json!({
        "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db"},
        "spec": {
            "replicas": 3,
            "template": {"spec": {"containers": [{"name": "db"}]}},
            "volumeClaimTemplates": [claim("2Gi"), claim("512Mi")],
        },
    }));
    let cache = object(json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "cache"},
        "spec": {
            "replicas": 1,
            "template": {"spec": {
                "containers": [{"name": "cache"}],
                "volumes": [{"name": "tmp", "emptyDir": {}}, {"name": "c", "ephemeral": {"volumeClaimTemplate": claim("1Gi")}}],
            }},
        },
    }));
    let cost = need(&[own, set, cache]);
    assert_eq!(
        cost.get("requests.storage"),
        q("10752Mi"),
        "1 + 3 × 2.5 + 2 × 1 GiB"
    );
    assert_eq!(cost.get("persistentvolumeclaims"), q("9"));
}

#[test]
fn objects_are_counted_by_kind() {
    let counted = |kind: &str, spec: Value| {
        object(
            json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": kind.to_lowercase()}, "spec": spec}),
        )
    };
    let ports = json!([{"port": 80}, {"port": 81}]);
    for (object, expected) in [
        (counted("Service", json!({"ports": ports})), [1, 0, 0, 2, 0]),
        (
            counted("Service", json!({"type": "NodePort", "ports": ports})),
            [1, 0, 2, 2, 0],
        ),
        (
            counted("Service", json!({"type": "LoadBalancer", "ports": ports})),
            [1, 1, 2, 2, 0],
        ),
        (
            counted(
                "Service",
                json!({"type": "LoadBalancer", "ports": ports, "allocateLoadBalancerNodePorts": false}),
            ),
            [1, 1, 0, 2, 0],
        ),
        // Every namespace has two ConfigMaps of its own.
        (counted("ConfigMap", json!({})), [0, 0, 0, 3, 0]),
        (counted("Secret", json!({})), [0, 0, 0, 2, 1]),
        (counted("Endpoints", json!({})), [0, 0, 0, 2, 0]),
    ] {
        let cost = need(std::slice::from_ref(&object));
        let names = [
            "services",
            "services.loadbalancers",
            "services.nodeports",
            "configmaps",
            "secrets",
        ];
        assert_eq!(
            names.map(|name| cost.get(name)),
            expected.map(Quantity::units),
            "{:?}",
            object.as_value()
        );
    }
}

#[test]
fn devices_are_bounded_and_ephemeral_storage_is_not() {
    let with = |resource: &str| {
        pod(json!({"containers": [{"name": "a", "resources": {"limits": {resource: 2}}}]}))
    };
    let quota = compute_default(&[with("nvidia.com/gpu")]);
    assert_eq!(quota.hard["requests.nvidia.com/gpu"], q("2"));
    assert!(
        !quota.hard.contains_key("limits.nvidia.com/gpu"),
        "Kubernetes refuses such a quota"
    );
    let quota = compute_default(&[with("ephemeral-storage")]);
    assert!(
        quota.hard.keys().all(|name| !name.contains("ephemeral")),
        "it would refuse containers without a value"
    );
    assert_eq!(quota.needed().get("requests.ephemeral-storage"), q("2"));
}

#[test]
fn what_cannot_be_read_is_an_error_that_names_the_field() {
    let bad = |pointer: &str, value: Value| {
        let mut document = deployment("app", 1, &app_defaults()).as_value();
        *document.pointer_mut(pointer).expect("the field exists") = value;
        let error =
            compute(&[object(document)], &LimitSettings::default(), &bare()).expect_err("refused");
        format!("{error}\nhint: {}", error.hint())
    };
    insta::assert_snapshot!(bad("/spec/replicas", json!("two")), @r#"
    Deployment app: `spec.replicas` is "two", which is no amount that Kubernetes takes
    hint: write counts as whole numbers, shares as `25%`, amounts as `250m`, `0.5`, `128Mi` or `1Gi`
    "#);
    insta::assert_snapshot!(bad("/spec/strategy/rollingUpdate/maxSurge", json!("half")), @r#"
    Deployment app: `spec.strategy.rollingUpdate.maxSurge` is "half", which is no amount that Kubernetes takes
    hint: write counts as whole numbers, shares as `25%`, amounts as `250m`, `0.5`, `128Mi` or `1Gi`
    "#);
    insta::assert_snapshot!(bad("/spec/template/spec/containers/0/resources/limits/cpu", json!("-1")), @r#"
    Deployment app: `spec.template.spec.containers.0.resources.limits.cpu` is "-1", which is no amount that Kubernetes takes
    hint: write counts as whole numbers, shares as `25%`, amounts as `250m`, `0.5`, `128Mi` or `1Gi`
    "#);
    insta::assert_snapshot!(bad("/kind", json!("DaemonSet")), @r#"
    DaemonSet app: an environment has no bound with a DaemonSet in it, one pod runs on every node
    hint: use a Deployment with a number of replicas
    "#);
}

prop_compose! {
    fn container(name: &'static str)(sidecar: bool, cpu in 0_i64..1000, memory in 0_i64..1000) -> Container {
        Container {
            name: name.to_owned(),
            sidecar,
            amounts: Cost::from_iter([
                ("limits.cpu", Quantity::milli(cpu)),
                ("limits.memory", Quantity::mebi(memory)),
            ]),
        }
    }
}

/// Runs the pod from its first init container to its last sidecar and notes the most that ran at a time.
fn most_at_a_time(init: &[Container], containers: &[Container], resource: &str) -> Quantity {
    let mut running = Quantity::ZERO;
    let mut most = Quantity::ZERO;
    for container in init {
        let own = container.amounts.get(resource);
        most = most.max(running + own);
        if container.sidecar {
            running += own;
        }
    }
    most.max(running + containers.iter().map(|c| c.amounts.get(resource)).sum())
}

proptest! {
    #[test]
    fn a_pod_never_uses_more_than_it_is_counted_with(
        init in prop::collection::vec(container("init"), 0..5),
        mut containers in prop::collection::vec(container("main"), 1..4),
    ) {
        for container in &mut containers {
            container.sidecar = false;
        }
        let cost = Pod::new(init.clone(), containers.clone()).cost().amounts;
        for resource in ["limits.cpu", "limits.memory"] {
            prop_assert_eq!(cost.get(resource), most_at_a_time(&init, &containers, resource));
        }
    }
}
