//! What is taken where the file says nothing. The schema shows the same values.

use super::databases::DatabaseKind;

/// Port that a service listens on.
pub const PORT: u16 = 3000;
/// Path that says whether a service is up.
pub const HEALTH_PATH: &str = "/health";
/// Path that Prometheus scrapes.
pub const METRICS_PATH: &str = "/metrics";
/// Time between two scrapes.
pub const METRICS_INTERVAL: &str = "30s";
/// Build context, relative to the repository.
pub const CONTEXT: &str = ".";
/// Dockerfile, relative to the build context.
pub const DOCKERFILE: &str = "Dockerfile";
/// CPU and memory of a service's container.
pub const SERVICE: Container = Container {
    cpu: ("50m", "200m"),
    memory: ("128Mi", "384Mi"),
};
/// Copies of a service.
pub const REPLICAS: u32 = 1;
/// Longest that a seed may run.
pub const SEED_TIMEOUT: &str = "10m";
/// CPU and memory of a seed that reads a file.
pub const SEED: Container = Container {
    cpu: ("10m", "250m"),
    memory: ("64Mi", "256Mi"),
};

/// CPU and memory of a container, each as what is set aside and the most that it may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Container {
    /// Cores.
    pub cpu: (&'static str, &'static str),
    /// Bytes.
    pub memory: (&'static str, &'static str),
}

/// What a database is where the file says nothing; a test compares it with the chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Database {
    /// Version of the image.
    pub version: &'static str,
    /// CPU and memory of the pod.
    pub container: Container,
}

/// PostgreSQL.
pub const POSTGRESQL: Database = Database {
    version: "16",
    container: Container {
        cpu: ("100m", "500m"),
        memory: ("256Mi", "512Mi"),
    },
};
/// MongoDB.
pub const MONGODB: Database = Database {
    version: "7.0",
    ..POSTGRESQL
};
/// Roles of MongoDB's application user in its database.
pub const MONGODB_ROLES: [&str; 2] = ["readWrite", "dbAdmin"];
/// Redis.
pub const REDIS: Database = Database {
    version: "7.4",
    container: Container {
        cpu: ("50m", "200m"),
        memory: ("64Mi", "128Mi"),
    },
};
/// MinIO.
pub const MINIO: Database = Database {
    version: "RELEASE.2024-12-18T13-15-44Z",
    ..POSTGRESQL
};
/// MariaDB.
pub const MARIADB: Database = Database {
    version: "11.4",
    container: Container {
        cpu: ("50m", "300m"),
        memory: ("128Mi", "256Mi"),
    },
};

/// What a database of this kind is where the file says nothing.
#[must_use]
pub const fn database(kind: DatabaseKind) -> Database {
    match kind {
        DatabaseKind::Postgresql => POSTGRESQL,
        DatabaseKind::Mongodb => MONGODB,
        DatabaseKind::Redis => REDIS,
        DatabaseKind::Minio => MINIO,
        DatabaseKind::Mariadb => MARIADB,
    }
}
