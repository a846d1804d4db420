//! The `databases` part of `k8s-ee.yaml`: five kinds, each switched on by `true` or by an object of options.

use std::{collections::BTreeMap, fmt};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::patterns;

/// Databases that the environment gets. `true` takes the defaults; an object without `enabled` is enabled.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Databases {
    /// PostgreSQL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postgresql: Option<Switch<Postgresql>>,
    /// MongoDB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mongodb: Option<Switch<Mongodb>>,
    /// Redis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redis: Option<Switch<Redis>>,
    /// MinIO, an S3-compatible object store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minio: Option<Switch<Minio>>,
    /// MariaDB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mariadb: Option<Switch<Mariadb>>,
}

/// The databases that an environment may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DatabaseKind {
    /// PostgreSQL.
    Postgresql,
    /// MongoDB.
    Mongodb,
    /// Redis.
    Redis,
    /// MinIO.
    Minio,
    /// MariaDB.
    Mariadb,
}

impl DatabaseKind {
    /// All of them, in the order of the schema, which is also that in which they are printed.
    pub const ALL: [Self; 5] = [
        Self::Postgresql,
        Self::Mongodb,
        Self::Redis,
        Self::Minio,
        Self::Mariadb,
    ];

    /// Its key under `databases`, which is also its component's name and what `dependsOn` calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Postgresql => "postgresql",
            Self::Mongodb => "mongodb",
            Self::Redis => "redis",
            Self::Minio => "minio",
            Self::Mariadb => "mariadb",
        }
    }

    /// The kind that a key under `databases` names.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl fmt::Display for DatabaseKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Who runs the server of a database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Kubernetes alone: a StatefulSet of ours.
    #[default]
    Standalone,
    /// An operator that is installed on the cluster.
    Operator,
}

impl Mode {
    /// As files and settings write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Standalone => "standalone",
            Self::Operator => "operator",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Databases {
    /// Whether the environment gets a database of this kind. An object without `enabled` says yes.
    #[must_use]
    pub fn is_enabled(&self, kind: DatabaseKind) -> bool {
        fn on<T>(switch: Option<&Switch<T>>, enabled: impl Fn(&T) -> Option<bool>) -> bool {
            match switch {
                None => false,
                Some(Switch::Flag(on)) => *on,
                Some(Switch::Options(options)) => enabled(options).unwrap_or(true),
            }
        }
        match kind {
            DatabaseKind::Postgresql => on(self.postgresql.as_ref(), |options| options.enabled),
            DatabaseKind::Mongodb => on(self.mongodb.as_ref(), |options| options.enabled),
            DatabaseKind::Redis => on(self.redis.as_ref(), |options| options.enabled),
            DatabaseKind::Minio => on(self.minio.as_ref(), |options| options.enabled),
            DatabaseKind::Mariadb => on(self.mariadb.as_ref(), |options| options.enabled),
        }
    }

    /// The kinds that the environment gets, in the order of [`DatabaseKind::ALL`].
    pub fn enabled(&self) -> impl Iterator<Item = DatabaseKind> {
        DatabaseKind::ALL
            .into_iter()
            .filter(|kind| self.is_enabled(*kind))
    }

    /// Whether Redis, if there is one, asks for a password; it does unless told otherwise.
    #[must_use]
    pub fn redis_asks_for_password(&self) -> bool {
        match &self.redis {
            Some(Switch::Options(Redis {
                auth: Some(RedisAuth { enabled: Some(on) }),
                ..
            })) => *on,
            _ => true,
        }
    }

    /// Who is to run the database, where the file says so.
    #[must_use]
    pub fn mode(&self, kind: DatabaseKind) -> Option<Mode> {
        fn of<T>(switch: Option<&Switch<T>>, mode: impl Fn(&T) -> Option<Mode>) -> Option<Mode> {
            match switch? {
                Switch::Flag(_) => None,
                Switch::Options(options) => mode(options),
            }
        }
        match kind {
            DatabaseKind::Postgresql => of(self.postgresql.as_ref(), |options| options.mode),
            DatabaseKind::Mongodb => of(self.mongodb.as_ref(), |options| options.mode),
            DatabaseKind::Minio => of(self.minio.as_ref(), |options| options.mode),
            DatabaseKind::Redis | DatabaseKind::Mariadb => None,
        }
    }

    /// The volume that is asked for, if anything is said of it.
    #[must_use]
    pub fn storage(&self, kind: DatabaseKind) -> Option<&Storage> {
        fn of<T>(
            switch: Option<&Switch<T>>,
            storage: impl Fn(&T) -> Option<&Storage>,
        ) -> Option<&Storage> {
            match switch {
                Some(Switch::Options(options)) => storage(options),
                _ => None,
            }
        }
        match kind {
            DatabaseKind::Postgresql => {
                of(self.postgresql.as_ref(), |options| options.storage.as_ref())
            }
            DatabaseKind::Mongodb => of(self.mongodb.as_ref(), |options| options.storage.as_ref()),
            DatabaseKind::Redis => of(self.redis.as_ref(), |options| options.storage.as_ref()),
            DatabaseKind::Minio => of(self.minio.as_ref(), |options| options.storage.as_ref()),
            DatabaseKind::Mariadb => of(self.mariadb.as_ref(), |options| options.storage.as_ref()),
        }
    }
}

/// Switched on or off, or on with options.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "{T}Switch")]
pub enum Switch<T> {
    /// On with the defaults, or off.
    Flag(bool),
    /// On with options, unless `enabled` is false.
    Options(T),
}

/// Size of the volume, alone or with the storage class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Storage {
    /// Size of the volume.
    #[schemars(extend("pattern" = patterns::VOLUME_SIZE, "examples" = ["2Gi"]))]
    Size(String),
    /// Size and storage class of the volume.
    Volume(Volume),
}

/// A volume.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Volume {
    /// Size of the volume.
    #[schemars(regex(pattern = patterns::VOLUME_SIZE), example = &"2Gi")]
    pub size: String,
    /// Storage class; the cluster's default when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"gp3")]
    pub storage_class: Option<String>,
}

/// Options of PostgreSQL.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Postgresql {
    /// Whether it is made; true in the object form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Who runs it: `standalone`, Kubernetes alone, or `operator`, CloudNativePG. One that is there already stays
    /// with who runs it; for a new one the platform has a default, which is `standalone` unless it says otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("enum" = ["standalone", "operator"]))]
    pub mode: Option<Mode>,
    /// Version: a tag of the image, usually the major version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = patterns::VERSION), extend("default" = "16"))]
    pub version: Option<String>,
    /// Size of the volume.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "1Gi"))]
    pub storage: Option<Storage>,
    /// Name of the application's database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = patterns::POSTGRESQL_NAME), extend("default" = "app"))]
    pub database: Option<String>,
    /// Server settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postgresql: Option<PostgresqlServer>,
    /// SQL that runs once, when the database is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bootstrap: Option<PostgresqlBootstrap>,
}

/// Settings of the PostgreSQL server.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PostgresqlServer {
    /// Settings as in `postgresql.conf`, beside those of the platform.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"max_connections": "50"}]))]
    pub parameters: Option<BTreeMap<String, String>>,
    /// Lines for `pg_hba.conf`, before the default ones.
    #[serde(rename = "pg_hba", default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = ["host all all 10.42.0.0/16 md5"])]
    pub pg_hba: Option<Vec<String>>,
}

/// SQL that runs once, as superuser, when the database is made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PostgresqlBootstrap {
    /// Statements for the `postgres` database.
    #[serde(rename = "initSQL", default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = ["CREATE EXTENSION IF NOT EXISTS pg_trgm"])]
    pub init_sql: Option<Vec<String>>,
    /// Statements for the application's database.
    #[serde(
        rename = "postInitApplicationSQL",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(example = ["GRANT ALL ON SCHEMA public TO app"])]
    pub post_init_application_sql: Option<Vec<String>>,
}

/// Options of MongoDB.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Mongodb {
    /// Whether it is made; true in the object form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Who runs it: `standalone`, Kubernetes alone, or `operator`, the MongoDB operator. One that is there already stays
    /// with who runs it; for a new one the platform has a default, which is `standalone` unless it says otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("enum" = ["standalone", "operator"]))]
    pub mode: Option<Mode>,
    /// Version: a tag of the image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = patterns::VERSION), extend("default" = "7.0"))]
    pub version: Option<String>,
    /// Size of the volume.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "1Gi"))]
    pub storage: Option<Storage>,
    /// Name of the application's database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = patterns::MONGODB_NAME), extend("default" = "app"))]
    pub database: Option<String>,
    /// Name of the application's user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = patterns::MONGODB_NAME), extend("default" = "app"))]
    pub username: Option<String>,
}

/// Options of Redis.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Redis {
    /// Whether it is made; true in the object form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Version: a tag of the image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = patterns::VERSION), extend("default" = "7.4"))]
    pub version: Option<String>,
    /// Size of the volume; without it the data live as long as the pod.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["1Gi"]))]
    pub storage: Option<Storage>,
    /// Whether a password is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<RedisAuth>,
    /// Server settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<RedisConfig>,
}

/// Whether Redis asks for a password.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RedisAuth {
    /// With a password, `REDIS_PASSWORD` is injected; without, `REDIS_URL`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = true))]
    pub enabled: Option<bool>,
}

/// Settings of the Redis server.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RedisConfig {
    /// Most memory that data may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = patterns::REDIS_MEMORY), extend("default" = "100mb"))]
    pub maxmemory: Option<String>,
    /// What is dropped when the memory is full.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "allkeys-lru", "enum" = ["noeviction", "allkeys-lru", "allkeys-lfu", "allkeys-random", "volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl"]))]
    pub maxmemory_policy: Option<String>,
}

/// Options of MinIO.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Minio {
    /// Whether it is made; true in the object form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Who runs it: `standalone`, Kubernetes alone, or `operator`, the MinIO operator. One that is there already stays
    /// with who runs it; for a new one the platform has a default, which is `standalone` unless it says otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("enum" = ["standalone", "operator"]))]
    pub mode: Option<Mode>,
    /// Size of the volume.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "1Gi"))]
    pub storage: Option<Storage>,
    /// Bucket that is made and named in `MINIO_BUCKET`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = patterns::BUCKET), extend("default" = "data"))]
    pub bucket: Option<String>,
}

/// Options of MariaDB.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Mariadb {
    /// Whether it is made; true in the object form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Version: a tag of the image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = patterns::VERSION), extend("default" = "11.4"))]
    pub version: Option<String>,
    /// Size of the volume.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "1Gi"))]
    pub storage: Option<Storage>,
    /// Name of the application's database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = patterns::MARIADB_NAME), extend("default" = "app"))]
    pub database: Option<String>,
    /// Name of the application's user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = patterns::MARIADB_USER), extend("default" = "app"))]
    pub username: Option<String>,
    /// Server settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<MariadbConfig>,
}

/// Settings of the MariaDB server.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MariadbConfig {
    /// Most connections at a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10000), extend("default" = 20))]
    pub max_connections: Option<u32>,
    /// Size of the InnoDB buffer pool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = patterns::MARIADB_SIZE), extend("default" = "64M"))]
    pub innodb_buffer_pool_size: Option<String>,
}
