//! Images that are known: databases that k8s-ee has itself, and programs that cannot run as a service of it.

use crate::config::databases::DatabaseKind;

/// An image reference, taken apart.
struct Reference<'a> {
    /// Path without registry, such as `library/postgres` or `postgis/postgis`.
    path: &'a str,
    tag: Option<&'a str>,
}

fn parse(image: &str) -> Reference<'_> {
    let image = image.split('@').next().unwrap_or(image);
    let slash = image.rfind('/').map_or(0, |at| at + 1);
    let (name, tag) = match image[slash..].split_once(':') {
        Some((last, tag)) => (&image[..slash + last.len()], Some(tag)),
        None => (image, None),
    };
    let path = match name.split_once('/') {
        Some((host, path)) if host.contains(['.', ':']) || host == "localhost" => path,
        _ => name,
    };
    Reference { path, tag }
}

/// A database, by the image that a compose file has for it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) kind: DatabaseKind,
    /// Version, where it can be taken over.
    pub(super) version: Option<String>,
    /// The image itself, where the usual one would not do.
    pub(super) image: Option<String>,
    /// What is other than in the compose file.
    pub(super) caveat: Option<String>,
}

/// The database that an image is.
pub(super) fn database(image: &str) -> Option<Known> {
    let reference = parse(image);
    let name = reference.path.rsplit('/').next().unwrap_or(reference.path);
    let known = |kind, version: Option<String>| Known {
        kind,
        version,
        image: None,
        caveat: None,
    };
    let number = number(reference.tag);
    let found = match name {
        "postgres" | "postgresql" => known(DatabaseKind::Postgresql, number),
        // Extensions are part of the image.
        "postgis" | "pgvector" | "timescaledb" | "timescaledb-ha" => Known {
            image: Some(image.to_owned()),
            ..known(DatabaseKind::Postgresql, None)
        },
        "mariadb" => known(DatabaseKind::Mariadb, number),
        "mysql" | "mysql-server" | "percona" | "percona-server" => Known {
            caveat: Some("MariaDB stands in for MySQL: nearly all of SQL is the same, look at what is not".to_owned()),
            ..known(DatabaseKind::Mariadb, None)
        },
        "mongo" | "mongodb" | "mongodb-community-server" => {
            let is_new = |version: &String| {
                let major = version.split('.').next().and_then(|major| major.parse().ok());
                major.is_some_and(|major: u32| major >= 6)
            };
            let version = number.clone().filter(is_new);
            let is_old = number.is_some() && version.is_none();
            Known {
                caveat: is_old.then(|| "versions before 6 cannot be had; the default is taken".to_owned()),
                ..known(DatabaseKind::Mongodb, version)
            }
        }
        "redis" => known(DatabaseKind::Redis, number),
        "redis-stack" | "redis-stack-server" => Known {
            caveat: Some("plain Redis without the modules of Redis Stack; name the image under `databases.redis.image` if they are needed".to_owned()),
            ..known(DatabaseKind::Redis, None)
        },
        "valkey" | "keydb" => Known {
            caveat: Some(format!("Redis stands in for {name}")),
            ..known(DatabaseKind::Redis, None)
        },
        "minio" => known(DatabaseKind::Minio, None),
        _ => return None,
    };
    Some(found)
}

/// The number that a tag begins with, such as `16` of `16-alpine`.
fn number(tag: Option<&str>) -> Option<String> {
    let tag = tag?;
    let tag = tag.strip_prefix('v').unwrap_or(tag);
    let end = tag
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(tag.len());
    let number = tag[..end].trim_matches('.');
    (!number.is_empty()).then(|| number.to_owned())
}

/// Why an image cannot be a service: k8s-ee asks services for their health by HTTP.
pub(super) fn refused(image: &str) -> Option<&'static str> {
    let reference = parse(image);
    let name = reference.path.rsplit('/').next().unwrap_or(reference.path);
    const NO_HTTP: &str = "it does not speak HTTP on the port that others use; run it outside, or behind a service of your own";
    if reference.path == "mssql/server" {
        return Some(NO_HTTP);
    }
    Some(match name {
        "rabbitmq" | "kafka" | "cp-kafka" | "redpanda" | "zookeeper" | "cp-zookeeper" | "nats"
        | "eclipse-mosquitto" | "memcached" | "etcd" | "cassandra" | "scylla" | "neo4j" => NO_HTTP,
        "mc" => "buckets are made by `databases.minio.buckets`",
        "watchtower" | "autoheal" | "docker-socket-proxy" => {
            "it watches over Docker, which is not there"
        }
        "traefik" | "nginx-proxy" | "acme-companion" => {
            "the cluster's ingress controller does that; `public: true` gives a service its URL"
        }
        _ => return None,
    })
}

/// Images that need more than an environment gives them, and what to take instead.
pub(super) fn advice(image: &str) -> Option<&'static str> {
    let reference = parse(image);
    match reference.path.trim_start_matches("library/") {
        "nginx" => Some(
            "runs as root and writes to its file system: take `nginxinc/nginx-unprivileged`, which listens on 8080",
        ),
        "httpd" | "wordpress" | "phpmyadmin" | "drupal" | "nextcloud" => {
            Some("listens on port 80 as root: it needs an image that runs as another user")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn databases_are_known_by_their_images() {
        for (image, kind, version) in [
            ("postgres", DatabaseKind::Postgresql, None),
            ("postgres:16-alpine", DatabaseKind::Postgresql, Some("16")),
            (
                "docker.io/library/postgres:15.4@sha256:abc",
                DatabaseKind::Postgresql,
                Some("15.4"),
            ),
            (
                "localhost:5000/postgres:v14",
                DatabaseKind::Postgresql,
                Some("14"),
            ),
            ("bitnami/postgresql:latest", DatabaseKind::Postgresql, None),
            ("mariadb:lts", DatabaseKind::Mariadb, None),
            ("mysql:8.4", DatabaseKind::Mariadb, None),
            ("mongo:7.0.5-jammy", DatabaseKind::Mongodb, Some("7.0.5")),
            ("mongo:4.4", DatabaseKind::Mongodb, None),
            ("redis:7.4-alpine", DatabaseKind::Redis, Some("7.4")),
            (
                "minio/minio:RELEASE.2024-01-01T00-00-00Z",
                DatabaseKind::Minio,
                None,
            ),
        ] {
            let known = database(image).unwrap_or_else(|| panic!("{image} is known"));
            assert_eq!(
                (known.kind, known.version.as_deref()),
                (kind, version),
                "{image}"
            );
        }
        let known = database("postgis/postgis:16-3.5").expect("it is known");
        assert_eq!(known.image.as_deref(), Some("postgis/postgis:16-3.5"));
        for none in ["nginx", "acme/postgres-backup", "redis/redisinsight", ""] {
            assert_eq!(database(none), None, "{none}");
        }
    }

    #[test]
    fn brokers_are_no_services() {
        for image in [
            "rabbitmq:3-management",
            "confluentinc/cp-kafka:7",
            "mcr.microsoft.com/mssql/server:2022",
        ] {
            assert!(refused(image).is_some(), "{image}");
        }
        for image in ["acme/server", "nginx", "elasticsearch:8"] {
            assert!(refused(image).is_none(), "{image}");
        }
    }
}
