//! The guardrails held against what they promise: by their objects, and by who can reach whom through them.

mod network;
mod objects;
mod settings;

use serde_json::{Value, json};

use super::*;
use crate::{
    model::{
        Compute, Database, DatabaseKind, Identity, Mode, Origin, Service, ServiceIngress,
        ServiceMetrics,
    },
    quantity::Quantity,
    quota::compute,
};

fn object(document: Value) -> Object {
    Object::new(document).expect("a Kubernetes object")
}

fn service(name: &str, port: u16, public: bool, scraped: bool) -> Service {
    let compute = |cpu, memory| Compute {
        cpu: Quantity::milli(cpu),
        memory: Quantity::mebi(memory),
    };
    Service {
        name: name.to_owned(),
        origin: Origin::General,
        image: format!("registry.example/{name}:1"),
        command: Vec::new(),
        args: Vec::new(),
        port,
        health_path: "/health".to_owned(),
        liveness_path: None,
        readiness_path: None,
        requests: compute(50, 128),
        limits: compute(200, 384),
        env: BTreeMap::new(),
        env_from: Vec::new(),
        writable_dirs: Vec::new(),
        depends_on: Vec::new(),
        databases: vec![DatabaseKind::Redis],
        replicas: 1,
        ingress: public.then(|| ServiceIngress {
            host: format!("{name}.preview.example"),
            annotations: BTreeMap::new(),
        }),
        metrics: scraped.then(|| ServiceMetrics {
            path: "/metrics".to_owned(),
            interval: "30s".to_owned(),
        }),
        autoscaling: None,
        disruption_budget: None,
    }
}

/// `web` is public, `api` is scraped, and there is a Redis.
fn environment() -> Environment {
    Environment {
        identity: Identity {
            profile: crate::model::Profile::Default,
            project_id: "shop".to_owned(),
            key: EnvironmentKey::Pr(12),
            namespace: "shop-pr-12".to_owned(),
            host: Some("shop-pr-12.preview.example".to_owned()),
            scheme: "https".to_owned(),
            repository: Some("acme/shop".to_owned()),
            branch: Some("feature/cart".to_owned()),
            commit: Some("0123456789abcdef0123456789abcdef01234567".to_owned()),
        },
        services: vec![
            service("web", 3000, true, false),
            service("api", 8080, false, true),
        ],
        databases: vec![Database {
            kind: DatabaseKind::Redis,
            mode: Mode::Standalone,
            options: json!({}),
        }],
        seeds: Vec::new(),
        ttl: None,
    }
}

/// The objects as charts render them: ports go by name from Ingress to container.
fn rendered(env: &Environment) -> Vec<Object> {
    let meta = |name: &str| json!({"name": name, "labels": {"k8s-ee/component": name}});
    let pods = |name: &str, port: u16| {
        let container = json!({"name": name, "ports": [{"name": "http", "containerPort": port}]});
        json!({
            "selector": {"matchLabels": {"k8s-ee/component": name}},
            "template": {
                "metadata": {"labels": {"k8s-ee/component": name}},
                "spec": {"containers": [container]},
            },
        })
    };
    let mut objects = Vec::new();
    for service in &env.services {
        let name = &service.name;
        objects.push(object(json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta(name),
            "spec": pods(name, service.port),
        })));
        objects.push(object(json!({
            "apiVersion": "v1", "kind": "Service", "metadata": meta(name),
            "spec": {
                "selector": {"k8s-ee/component": name},
                "ports": [{"name": "http", "port": 80, "targetPort": "http"}],
            },
        })));
        if let Some(ingress) = &service.ingress {
            let backend = json!({"service": {"name": name, "port": {"name": "http"}}});
            objects.push(object(json!({
                "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": meta(name),
                "spec": {"rules": [{
                    "host": ingress.host,
                    "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]},
                }]},
            })));
        }
    }
    for database in &env.databases {
        objects.push(object(json!({
            "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": meta(database.kind.name()),
            "spec": pods(database.kind.name(), 6379),
        })));
    }
    objects
}

/// Custom resources of the three operators.
fn operated() -> Vec<Object> {
    let kinds = [
        ("postgresql.cnpg.io/v1", "Cluster", "postgresql"),
        (
            "mongodbcommunity.mongodb.com/v1",
            "MongoDBCommunity",
            "mongodb",
        ),
        ("minio.min.io/v2", "Tenant", "minio"),
    ];
    kinds
        .map(|(api_version, kind, name)| {
            object(json!({
                "apiVersion": api_version, "kind": kind,
                "metadata": {"name": format!("app-{name}"), "labels": {"k8s-ee/component": name}},
                "spec": {},
            }))
        })
        .to_vec()
}

fn facts() -> ClusterFacts {
    let address = |text: &str| text.parse().expect("an address");
    ClusterFacts {
        api_server: vec![address("10.96.0.1:443"), address("[2001:db8::6443]:6443")],
        networks: vec!["203.0.113.0/25".parse().expect("a range")],
    }
}

/// All guardrails of the environment with the given objects.
fn built(
    env: &Environment,
    objects: &[Object],
    settings: &PlatformSettings,
    facts: &ClusterFacts,
) -> Vec<Object> {
    let quota = compute(objects, &settings.limits, &settings.quota).expect("a quota");
    build(env, objects, &quota, settings, facts)
}
