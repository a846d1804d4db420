//! Databases: what their operators make of them, and that none has less room than before.

use super::*;

/// The databases as the platform before this one made them.
pub(super) fn databases() -> [(&'static str, Vec<Object>); 5] {
    let of = |component: &str, document: Value| {
        let mut object = object(document);
        object.set_label("k8s-ee/component", component);
        object
    };
    let storage = json!({"spec": {"resources": {"requests": {"storage": "1Gi"}}}});
    let server = |name: &str, resources: Value, claims: Value| {
        json!({
            "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": format!("app-{name}")},
            "spec": {
                "replicas": 1,
                "template": {"spec": {"containers": [{"name": name, "resources": resources}]}},
                "volumeClaimTemplates": claims,
            },
        })
    };
    let service = |name: &str| {
        of(
            name,
            json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": format!("app-{name}")}, "spec": {"ports": [{"port": 1}]}}),
        )
    };
    let server_resources = amounts("100m", "256Mi", "500m", "512Mi");
    [
        (
            "postgresql",
            vec![of(
                "postgresql",
                json!({
                    "apiVersion": "postgresql.cnpg.io/v1", "kind": "Cluster", "metadata": {"name": "app-postgresql"},
                    "spec": {"instances": 1, "storage": {"size": "1Gi"}, "resources": server_resources},
                }),
            )],
        ),
        (
            "mongodb",
            vec![of(
                "mongodb",
                json!({
                    "apiVersion": "mongodbcommunity.mongodb.com/v1", "kind": "MongoDBCommunity", "metadata": {"name": "app-mongodb"},
                    "spec": {"members": 1, "users": [{"name": "app"}], "statefulSet": {"spec": {
                        "template": {"spec": {"containers": [
                            {"name": "mongod", "resources": server_resources},
                            {"name": "mongodb-agent", "resources": amounts("50m", "64Mi", "100m", "128Mi")},
                        ]}},
                        "volumeClaimTemplates": [{"metadata": {"name": "data-volume"}, "spec": storage["spec"]}],
                    }}},
                }),
            )],
        ),
        (
            "redis",
            vec![
                of(
                    "redis",
                    server("redis", amounts("50m", "64Mi", "200m", "128Mi"), json!([])),
                ),
                service("redis"),
            ],
        ),
        (
            "minio",
            vec![of(
                "minio",
                json!({
                    "apiVersion": "minio.min.io/v2", "kind": "Tenant", "metadata": {"name": "app-minio"},
                    "spec": {"pools": [{"servers": 1, "volumesPerServer": 1, "volumeClaimTemplate": storage, "resources": server_resources}]},
                }),
            )],
        ),
        (
            "mariadb",
            vec![
                of(
                    "mariadb",
                    server(
                        "mariadb",
                        amounts("50m", "128Mi", "300m", "256Mi"),
                        json!([storage]),
                    ),
                ),
                service("mariadb"),
            ],
        ),
    ]
}

/// The same databases as plain StatefulSets of one container.
fn standalone() -> [(&'static str, Vec<Object>); 5] {
    databases().map(|(name, objects)| {
        let [cpu, memory] = match name {
            "redis" => ["200m", "128Mi"],
            "mariadb" => ["300m", "256Mi"],
            _ => ["500m", "512Mi"],
        };
        let claims = if name == "redis" { json!([]) } else { json!([{"spec": {"resources": {"requests": {"storage": "1Gi"}}}}]) };
        let set = object(json!({
            "apiVersion": "apps/v1", "kind": "StatefulSet",
            "metadata": {"name": objects[0].name(), "labels": {"k8s-ee/component": name}},
            "spec": {
                "template": {"spec": {"containers": [{"name": name, "resources": amounts("50m", "64Mi", cpu, memory)}]}},
                "volumeClaimTemplates": claims,
            },
        }));
        (name, vec![set])
    })
}

pub(super) fn service() -> Object {
    object(
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "app", "labels": {"k8s-ee/component": "app"}}, "spec": {"ports": [{"port": 80}]}}),
    )
}

/// The table of the overview: limits of CPU and memory, storage.
const OVERVIEW: [(&str, [i64; 3]); 5] = [
    ("postgresql", [500, 512, 2]),
    ("mongodb", [1000, 640, 3]),
    ("redis", [200, 128, 0]),
    ("minio", [1000, 1024, 2]),
    ("mariadb", [300, 256, 2]),
];

/// What the quota of the platform before this one really had for each database: requests and limits of CPU and memory,
/// storage, claims, pods, services.
const BEFORE: [(&str, [i64; 8]); 5] = [
    ("postgresql", [250, 500, 256, 512, 2, 1, 2, 3]),
    ("mongodb", [500, 1000, 320, 640, 3, 2, 2, 1]),
    ("redis", [100, 200, 64, 128, 0, 0, 1, 1]),
    ("minio", [200, 1000, 384, 1024, 2, 1, 2, 2]),
    ("mariadb", [150, 300, 128, 256, 2, 1, 1, 1]),
];

#[test]
fn the_defaults_are_no_smaller_than_before() {
    for mode in [databases(), standalone()] {
        for chosen in 0_u32..32 {
            let on = |i: usize| chosen & (1 << i) != 0;
            let mut objects = vec![deployment("app", 1, &app_defaults()), service()];
            let mut overview = [300, 512, 1];
            let mut before = [100, 300, 256, 512, 1, 1, 5, 3];
            for (i, (name, of_database)) in mode.iter().enumerate() {
                if on(i) {
                    assert_eq!((OVERVIEW[i].0, BEFORE[i].0), (*name, *name));
                    objects.extend(of_database.iter().cloned());
                    overview
                        .iter_mut()
                        .zip(OVERVIEW[i].1)
                        .for_each(|(sum, more)| *sum += more);
                    before
                        .iter_mut()
                        .zip(BEFORE[i].1)
                        .for_each(|(sum, more)| *sum += more);
                }
            }
            let hard = compute_default(&objects).hard;
            let names: Vec<&str> = objects.iter().map(Object::name).collect();
            let at_least = |resource: &str, least: Quantity| {
                assert!(
                    hard[resource] >= least,
                    "{resource} of {names:?} is {}, before it was {least}",
                    hard[resource]
                );
            };
            let [cpu, memory, storage] = overview;
            at_least("limits.cpu", Quantity::milli(cpu).percent(115));
            at_least("limits.memory", Quantity::mebi(memory).percent(115));
            at_least("requests.storage", Quantity::gibi(storage));

            let [
                cpu,
                cpu_limit,
                memory,
                memory_limit,
                storage,
                claims,
                pods,
                services,
            ] = before;
            // Its room for rollouts, and its whole numbers.
            at_least("requests.cpu", Quantity::milli(cpu + 100));
            at_least("requests.memory", Quantity::mebi(memory + 256));
            at_least("limits.cpu", Quantity::milli((cpu_limit + 300) * 115 / 100));
            at_least(
                "limits.memory",
                Quantity::mebi((memory_limit + 512) * 115 / 100),
            );
            at_least("requests.storage", Quantity::gibi(storage));
            at_least("persistentvolumeclaims", Quantity::units(claims));
            at_least("pods", Quantity::units(pods));
            at_least("services", Quantity::units(services));
            at_least("configmaps", Quantity::units(15));
            at_least("secrets", Quantity::units(25));
            at_least("replicationcontrollers", Quantity::units(5));
        }
    }
}

#[test]
fn operators_cost_what_they_make() {
    let names = [
        "requests.cpu",
        "requests.memory",
        "limits.cpu",
        "limits.memory",
        "requests.storage",
        "persistentvolumeclaims",
        "pods",
        "services",
        "secrets",
    ];
    let expected = [
        ["100m", "256Mi", "500m", "512Mi", "1Gi", "1", "1", "3", "4"],
        // Its init containers ask for more than server and agent together, save for the memory they may use.
        [
            "500m",
            "400M",
            "1",
            "640Mi",
            "3073741824",
            "2",
            "1",
            "1",
            "7",
        ],
        ["50m", "64Mi", "200m", "128Mi", "0", "0", "1", "1", "0"],
        // The operator's sidecar has what the LimitRange gives it.
        ["200m", "384Mi", "1", "1Gi", "1Gi", "1", "1", "3", "3"],
        ["50m", "128Mi", "300m", "256Mi", "1Gi", "1", "1", "1", "0"],
    ];
    for ((name, objects), expected) in databases().iter().zip(expected) {
        let cost = need(objects);
        assert_eq!(names.map(|name| cost.get(name)), expected.map(q), "{name}");
    }
}

#[test]
fn init_containers_of_operators_cost_what_the_resource_gives_them() {
    let small = amounts("50m", "64Mi", "100m", "128Mi");
    let container = |name: &str| json!({"name": name, "resources": small});
    let mongodb = object(json!({
        "apiVersion": "mongodbcommunity.mongodb.com/v1", "kind": "MongoDBCommunity", "metadata": {"name": "m"},
        "spec": {"members": 1, "statefulSet": {"spec": {"template": {"spec": {
            "initContainers": [container("mongod-posthook"), container("mongodb-agent-readinessprobe")],
            "containers": [container("mongod"), container("mongodb-agent")],
        }}}}},
    }));
    let cost = need(&[mongodb]);
    assert_eq!(cost.get("limits.cpu"), q("200m"), "server and agent");
    assert_eq!(cost.get("requests.memory"), q("128Mi"));
    let minio = object(json!({
        "apiVersion": "minio.min.io/v2", "kind": "Tenant", "metadata": {"name": "t"},
        "spec": {"pools": [{"servers": 1, "resources": small}]},
    }));
    // The init container has what the sidecar has, which is more than the server's, but not than both together.
    assert_eq!(need(&[minio]).get("limits.cpu"), q("600m"));
}

#[test]
fn operators_fill_in_what_is_left_out_and_multiply() {
    let bare_mongodb = object(json!({
        "apiVersion": "mongodbcommunity.mongodb.com/v1", "kind": "MongoDBCommunity", "metadata": {"name": "m"},
        "spec": {"members": 3, "arbiters": 1},
    }));
    let cost = need(&[bare_mongodb]);
    assert_eq!(cost.get("limits.cpu"), q("8"), "4 × (server + agent)");
    assert_eq!(cost.get("requests.storage"), q("48G"), "4 × (10 + 2)");
    let postgresql = object(json!({
        "apiVersion": "postgresql.cnpg.io/v1", "kind": "Cluster", "metadata": {"name": "p"},
        "spec": {"instances": 2, "storage": {"size": "2Gi"}, "walStorage": {"size": "1Gi"}, "tablespaces": [{"storage": {"size": "1Gi"}}]},
    }));
    let cost = need(&[postgresql]);
    assert_eq!(
        cost.get("limits.cpu"),
        q("1"),
        "2 × the LimitRange's default"
    );
    assert_eq!(cost.get("requests.storage"), q("8Gi"));
    assert_eq!(cost.get("persistentvolumeclaims"), q("6"));
    let pool = |servers: u32, cpu: &str| {
        json!({
            "servers": servers, "volumesPerServer": 2, "resources": {"limits": {"cpu": cpu}},
            "volumeClaimTemplate": {"spec": {"resources": {"requests": {"storage": "1Gi"}}}},
        })
    };
    let minio = object(json!({
        "apiVersion": "minio.min.io/v2", "kind": "Tenant", "metadata": {"name": "t"},
        "spec": {"pools": [pool(1, "100m"), pool(2, "300m")]},
    }));
    let cost = need(&[minio]);
    assert_eq!(
        cost.get("limits.cpu"),
        q("2400m"),
        "3 × the largest server with its sidecar"
    );
    assert_eq!(cost.get("persistentvolumeclaims"), q("6"));
}
