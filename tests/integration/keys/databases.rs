//! The keys of databases.

use serde_json::json;

use super::{Case, short, with};

/// A case for each of them.
pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
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
    cases
}
