//! The quota held against the rules of Kubernetes, the platform before this one, and every way a rollout can go.

mod bounds;
mod costs;
mod databases;
mod rollout;

use serde_json::{Value, json};

use super::*;

fn object(document: Value) -> Object {
    Object::new(document).expect("a Kubernetes object")
}

/// A Deployment of one container, `app`, of the component of the same name.
fn deployment(name: &str, replicas: u32, resources: &Value) -> Object {
    object(json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": name, "labels": {"k8s-ee/component": name}},
        "spec": {
            "replicas": replicas,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
            "template": {"spec": {"containers": [{"name": name, "resources": resources}]}},
        }
    }))
}

fn amounts(cpu: &str, memory: &str, cpu_limit: &str, memory_limit: &str) -> Value {
    json!({"requests": {"cpu": cpu, "memory": memory}, "limits": {"cpu": cpu_limit, "memory": memory_limit}})
}

/// The resources of a service that names none.
fn app_defaults() -> Value {
    amounts("50m", "128Mi", "200m", "384Mi")
}

fn compute_default(objects: &[Object]) -> Quota {
    compute(
        objects,
        &LimitSettings::default(),
        &QuotaSettings::default(),
    )
    .expect("a quota")
}

/// Settings that add nothing, so that the bounds are the need itself.
fn bare() -> QuotaSettings {
    QuotaSettings {
        ceiling: BTreeMap::new(),
        minimum: BTreeMap::new(),
        headroom: BTreeMap::new(),
        limits_percent: 100,
    }
}

/// What the objects need, without anything the settings add.
fn need(objects: &[Object]) -> Cost {
    let quota = compute(objects, &LimitSettings::default(), &bare()).expect("a quota");
    quota.hard.into_iter().collect()
}

fn q(text: &str) -> Quantity {
    text.parse().expect("a quantity")
}
