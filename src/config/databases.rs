//! The `databases` part of `k8s-ee.yaml`: five kinds, each switched on by `true` or by an object of options.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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

/// Switched on or off, or on with options.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
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
    #[schemars(extend("pattern" = "^[0-9]+(Mi|Gi|Ti)$", "examples" = ["2Gi"]))]
    Size(String),
    /// Size and storage class of the volume.
    Volume(Volume),
}

/// A volume.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Volume {
    /// Size of the volume.
    #[schemars(regex(pattern = r"^[0-9]+(Mi|Gi|Ti)$"), example = &"2Gi")]
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
    /// Major version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[0-9]+(\.[0-9]+)*$"), extend("default" = "16"))]
    pub version: Option<String>,
    /// Size of the volume.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "1Gi"))]
    pub storage: Option<Storage>,
    /// Name of the application's database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[a-z_][a-z0-9_]{0,62}$"), extend("default" = "app"))]
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
    pub parameters: Option<BTreeMap<String, String>>,
    /// Lines for `pg_hba.conf`, before the default ones.
    #[serde(rename = "pg_hba", default, skip_serializing_if = "Option::is_none")]
    pub pg_hba: Option<Vec<String>>,
}

/// SQL that runs once, as superuser, when the database is made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PostgresqlBootstrap {
    /// Statements for the `postgres` database.
    #[serde(rename = "initSQL", default, skip_serializing_if = "Option::is_none")]
    pub init_sql: Option<Vec<String>>,
    /// Statements for the application's database.
    #[serde(
        rename = "postInitApplicationSQL",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub post_init_application_sql: Option<Vec<String>>,
}

/// Options of MongoDB.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Mongodb {
    /// Whether it is made; true in the object form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[0-9]+(\.[0-9]+)*$"), extend("default" = "7.0"))]
    pub version: Option<String>,
    /// Size of the volume.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "1Gi"))]
    pub storage: Option<Storage>,
    /// Name of the application's database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[a-zA-Z_][a-zA-Z0-9_-]{0,62}$"), extend("default" = "app"))]
    pub database: Option<String>,
    /// Name of the application's user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[a-zA-Z_][a-zA-Z0-9_-]{0,62}$"), extend("default" = "app"))]
    pub username: Option<String>,
}

/// Options of Redis.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Redis {
    /// Whether it is made; true in the object form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[0-9]+(\.[0-9]+)*$"), extend("default" = "7.4"))]
    pub version: Option<String>,
    /// Size of the volume; without it the data live as long as the pod.
    #[serde(default, skip_serializing_if = "Option::is_none")]
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
    #[schemars(regex(pattern = r"^[0-9]+(b|kb|mb|gb)?$"), extend("default" = "100mb"))]
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
    /// Size of the volume.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "1Gi"))]
    pub storage: Option<Storage>,
    /// Bucket that is made and named in `MINIO_BUCKET`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$"), extend("default" = "data"))]
    pub bucket: Option<String>,
}

/// Options of MariaDB.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Mariadb {
    /// Whether it is made; true in the object form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[0-9]+(\.[0-9]+)*$"), extend("default" = "11.4"))]
    pub version: Option<String>,
    /// Size of the volume.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "1Gi"))]
    pub storage: Option<Storage>,
    /// Name of the application's database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[a-zA-Z_][a-zA-Z0-9_]{0,62}$"), extend("default" = "app"))]
    pub database: Option<String>,
    /// Name of the application's user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^[a-zA-Z_][a-zA-Z0-9_]{0,31}$"), extend("default" = "app"))]
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
    #[schemars(regex(pattern = r"^[0-9]+[KMG]?$"), extend("default" = "64M"))]
    pub innodb_buffer_pool_size: Option<String>,
}
