//! Databases that a program needs, from the client libraries in its manifests.

use crate::config::databases::DatabaseKind;

/// A library that stands for a database.
pub(super) struct Client {
    name: &'static str,
    kind: DatabaseKind,
    /// Whether it may just as well speak to a service outside, so that the database is only offered.
    is_vague: bool,
}

const fn client(name: &'static str, kind: DatabaseKind) -> Client {
    Client {
        name,
        kind,
        is_vague: false,
    }
}

const fn vague(name: &'static str, kind: DatabaseKind) -> Client {
    Client {
        name,
        kind,
        is_vague: true,
    }
}

use DatabaseKind::{Mariadb, Minio, Mongodb, Postgresql, Redis};

/// Names in small letters; one that ends with `/` stands for all that begin so.
const CLIENTS: &[Client] = &[
    client("pg", Postgresql),
    client("pg-promise", Postgresql),
    client("postgres", Postgresql),
    client("postgresql", Postgresql),
    client("org.postgresql", Postgresql),
    client("psycopg", Postgresql),
    client("psycopg2", Postgresql),
    client("psycopg2-binary", Postgresql),
    client("asyncpg", Postgresql),
    client("github.com/lib/pq", Postgresql),
    client("github.com/jackc/pgx/", Postgresql),
    client("gorm.io/driver/postgres", Postgresql),
    client("tokio-postgres", Postgresql),
    client("npgsql", Postgresql),
    client("npgsql.entityframeworkcore.postgresql", Postgresql),
    client("postgrex", Postgresql),
    client("mysql", Mariadb),
    client("mysql2", Mariadb),
    client("mariadb", Mariadb),
    client("mysqlclient", Mariadb),
    client("pymysql", Mariadb),
    client("aiomysql", Mariadb),
    client("mysql-connector-python", Mariadb),
    client("mysql-connector-j", Mariadb),
    client("mysql-connector-java", Mariadb),
    client("mariadb-java-client", Mariadb),
    client("github.com/go-sql-driver/mysql", Mariadb),
    client("gorm.io/driver/mysql", Mariadb),
    client("mysql_async", Mariadb),
    client("mysqlconnector", Mariadb),
    client("pomelo.entityframeworkcore.mysql", Mariadb),
    client("myxql", Mariadb),
    client("mongodb", Mongodb),
    client("mongoose", Mongodb),
    client("@nestjs/mongoose", Mongodb),
    client("pymongo", Mongodb),
    client("motor", Mongodb),
    client("mongoengine", Mongodb),
    client("beanie", Mongodb),
    client("go.mongodb.org/mongo-driver/", Mongodb),
    client("spring-boot-starter-data-mongodb", Mongodb),
    client("spring-boot-starter-data-mongodb-reactive", Mongodb),
    client("mongodb.driver", Mongodb),
    client("mongoid", Mongodb),
    client("mongodb/mongodb", Mongodb),
    client("redis", Redis),
    client("ioredis", Redis),
    client("bull", Redis),
    client("bullmq", Redis),
    client("connect-redis", Redis),
    client("django-redis", Redis),
    client("aioredis", Redis),
    client("github.com/redis/go-redis/", Redis),
    client("github.com/go-redis/redis/", Redis),
    client("github.com/hibiken/asynq", Redis),
    client("spring-boot-starter-data-redis", Redis),
    client("spring-boot-starter-data-redis-reactive", Redis),
    client("jedis", Redis),
    client("lettuce-core", Redis),
    client("stackexchange.redis", Redis),
    client("sidekiq", Redis),
    client("predis/predis", Redis),
    client("redix", Redis),
    client("fred", Redis),
    client("deadpool-redis", Redis),
    client("minio", Minio),
    client("github.com/minio/minio-go/", Minio),
    vague("@aws-sdk/client-s3", Minio),
    vague("aws-sdk-s3", Minio),
    vague("boto3", Minio),
    vague("django-storages", Minio),
    vague("github.com/aws/aws-sdk-go-v2/service/s3", Minio),
    vague("awssdk.s3", Minio),
    vague("rust-s3", Minio),
    vague("league/flysystem-aws-s3-v3", Minio),
    vague("software.amazon.awssdk", Minio),
];

/// A database that a manifest asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Needed {
    pub(super) kind: DatabaseKind,
    pub(super) is_vague: bool,
    /// Name of the library, and where it stands.
    pub(super) why: String,
}

/// The databases that the libraries of a manifest are for; each once.
pub(super) fn needed(path: &str, text: &str) -> Vec<Needed> {
    let mut found: Vec<Needed> = Vec::new();
    for (line, word) in words(text) {
        let Some(client) = CLIENTS.iter().find(|client| is_named(client, &word)) else {
            continue;
        };
        match found.iter_mut().find(|needed| needed.kind == client.kind) {
            Some(known) if !known.is_vague || client.is_vague => {}
            known => {
                let needed = Needed {
                    kind: client.kind,
                    is_vague: client.is_vague,
                    why: format!("{word} at {path}:{line}"),
                };
                match known {
                    Some(known) => *known = needed,
                    None => found.push(needed),
                }
            }
        }
    }
    found.sort_by_key(|needed| needed.kind);
    found
}

fn is_named(client: &Client, word: &str) -> bool {
    match client.name.strip_suffix('/') {
        Some(start) => word
            .strip_prefix(start)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
        None => client.name == word,
    }
}

/// The words of a manifest in small letters, each with its line; comments are left out.
pub(super) fn words(text: &str) -> impl Iterator<Item = (usize, String)> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "._/@-".contains(c);
    text.lines().enumerate().flat_map(move |(n, line)| {
        let line = line.trim_start();
        let line = if line.starts_with(['#', '*']) || line.starts_with("//") {
            ""
        } else {
            line
        };
        line.split(move |c| !is_part(c))
            .filter(|word| !word.is_empty())
            .map(move |word| (n + 1, word.to_ascii_lowercase()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn finds(path: &str, text: &str, expected: &[(DatabaseKind, bool, &str)]) {
        let found = needed(path, text);
        let found: Vec<_> = found
            .iter()
            .map(|needed| (needed.kind, needed.is_vague, needed.why.as_str()))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn libraries_stand_for_databases() {
        finds(
            "package.json",
            "{\"name\": \"x\",\n \"dependencies\": {\"pg\": \"^8\", \"ioredis\": \"5\",\n  \"@aws-sdk/client-s3\": \"3\"}}",
            &[
                (Postgresql, false, "pg at package.json:2"),
                (Redis, false, "ioredis at package.json:2"),
                (Minio, true, "@aws-sdk/client-s3 at package.json:3"),
            ],
        );
        finds(
            "go.mod",
            "require (\n\tgithub.com/jackc/pgx/v5 v5.7.1\n\tgithub.com/redis/go-redis/v9 v9.7.0\n)",
            &[
                (Postgresql, false, "github.com/jackc/pgx/v5 at go.mod:2"),
                (Redis, false, "github.com/redis/go-redis/v9 at go.mod:3"),
            ],
        );
        finds(
            "requirements.txt",
            "# redis\nDjango>=5\npsycopg[binary]==3.2\nboto3\nminio==7\n",
            &[
                (Postgresql, false, "psycopg at requirements.txt:3"),
                (Minio, false, "minio at requirements.txt:5"),
            ],
        );
        finds(
            "pom.xml",
            "<dependency>\n<groupId>com.mysql</groupId><artifactId>mysql-connector-j</artifactId>\n</dependency>",
            &[(Mariadb, false, "mysql-connector-j at pom.xml:2")],
        );
        finds("package.json", "{\"name\": \"page\"}", &[]);
    }
}
