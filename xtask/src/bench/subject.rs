//! What is deployed: the file for `k8s-ee`, and the same in the words of the chart for helm.

use serde_json::{Value, json};

/// An environment to be deployed by several sides.
pub(super) struct Subject {
    /// For the report.
    pub(super) title: &'static str,
    /// The file without its `projectId`.
    pub(super) file: &'static str,
    /// Image of its service.
    pub(super) image: &'static str,
    /// The same service in another version, where there is one.
    pub(super) next: Option<&'static str>,
    /// Path that answers 200 when all of it works.
    pub(super) path: &'static str,
    /// Databases, as keys of the chart, each with its image.
    pub(super) databases: &'static [(&'static str, &'static str)],
    /// CPU that is set aside for the service, if another than usual.
    pub(super) cpu: Option<&'static str>,
    /// What is to be reached, where there is a goal.
    pub(super) goals: Option<Goals>,
}

/// Longest that deploying for the first time and destroying are to take, in seconds.
pub(super) struct Goals {
    pub(super) up: f64,
    pub(super) down: f64,
}

const REDIS: (&str, &str) = ("redis", "docker.io/library/redis:7.0");
const MARIADB: (&str, &str) = ("mariadb", "docker.io/library/mariadb:10.11");

/// One service.
pub(super) const HELLO: Subject = Subject {
    title: "app only",
    file: "app: {port: 8080}\n",
    image: "registry.test/hello:1",
    next: Some("registry.test/hello:2"),
    path: "/health",
    databases: &[],
    cpu: None,
    goals: Some(Goals { up: 2.5, down: 6.0 }),
};

/// The same so small that fifty of them fit on a node.
pub(super) const SMALL: Subject = Subject {
    title: "small app",
    file: "app: {port: 8080}\nresources: {requests: {cpu: 10m}}\n",
    next: None,
    cpu: Some("10m"),
    goals: None,
    ..HELLO
};

/// One service beside a cache and a database.
pub(super) const SHOP: Subject = Subject {
    title: "app + Redis + MariaDB",
    file: "app: {port: 8080}\ndatabases: {redis: true, mariadb: true}\n",
    image: "registry.test/testapp:1",
    next: Some("registry.test/testapp:2"),
    path: "/health",
    databases: &[REDIS, MARIADB],
    cpu: None,
    goals: Some(Goals {
        up: 11.0,
        down: 11.0,
    }),
};

/// The demo, which uses all of them.
pub(super) const DEMO: Subject = Subject {
    title: "demo with five databases",
    file: "app: {port: 8080}\ndatabases: {postgresql: true, mariadb: true, mongodb: true, redis: true, minio: true}\n",
    image: "registry.test/demo:1",
    next: None,
    path: "/ready",
    databases: &[
        ("postgresql", "docker.io/library/postgres:15"),
        ("mongodb", "registry.test/mongodb-stand-in:1"),
        REDIS,
        (
            "minio",
            "docker.io/minio/minio:DEVELOPMENT.2026-02-12T20-18-48Z",
        ),
        MARIADB,
    ],
    cpu: None,
    goals: None,
};

impl Subject {
    /// The platform's settings, with the images of the databases.
    pub(super) fn platform(&self, domain: &str, ingress: &str) -> String {
        let databases: serde_json::Map<String, Value> = self
            .databases
            .iter()
            .map(|(name, image)| ((*name).to_owned(), json!({"image": image})))
            .collect();
        // JSON is YAML too.
        json!({
            "domain": domain,
            "ingress": {"tls": false, "address": ingress, "controller": {
                "namespaceLabels": {"kubernetes.io/metadata.name": "traefik"},
                "podLabels": {"app.kubernetes.io/name": "traefik"},
            }},
            "databases": databases,
        })
        .to_string()
    }

    /// The values of the chart that `k8s-ee` renders it with, and passwords.
    pub(super) fn values(&self, project: &str, host: &str, image: &str) -> String {
        let names: Vec<&str> = self.databases.iter().map(|(name, _)| *name).collect();
        let tag = image.rsplit(':').next().unwrap_or_default();
        let mut values = json!({
            "environment": {"projectId": project, "prNumber": "1", "url": format!("http://{host}")},
            "priorityClassName": "default-app",
            "ingress": {"className": "traefik", "tls": {"enabled": false}},
            "services": {"app": {
                "image": image, "imagePullPolicy": "Always", "version": tag, "port": 8080,
                "ingress": {"enabled": true, "host": host}, "databases": names,
            }},
        });
        if let Some(cpu) = self.cpu {
            values["services"]["app"]["resources"] = json!({"requests": {"cpu": cpu}});
        }
        for (name, image) in self.databases {
            values[*name] = json!({
                "enabled": true, "image": image, "auth": {"password": "only-for-measuring"},
            });
        }
        values.to_string()
    }
}
