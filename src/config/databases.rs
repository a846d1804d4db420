//! The `databases` part of `k8s-ee.yaml`: five kinds, each switched on by `true` or by an object of options.

pub mod mariadb;
pub mod minio;
pub mod mongodb;
pub mod postgresql;
pub mod redis;

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::{
    mariadb::Mariadb, minio::Minio, mongodb::Mongodb, postgresql::Postgresql, redis::Redis,
};
use super::{file::Resources, patterns};

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
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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

/// The options that every kind has, as far as the file gives them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Common<'a> {
    /// Whether it is made.
    pub enabled: Option<bool>,
    /// Who runs it.
    pub mode: Option<Mode>,
    /// Reference of the image.
    pub image: Option<&'a str>,
    /// Version: a tag of the usual image.
    pub version: Option<&'a str>,
    /// The volume.
    pub storage: Option<&'a Storage>,
    /// CPU and memory of the pod.
    pub resources: Option<&'a Resources>,
    /// How long it may take to start.
    pub startup: Option<StartupProbe>,
}

impl Databases {
    /// Whether the environment gets a database of this kind. An object without `enabled` says yes.
    #[must_use]
    pub fn is_enabled(&self, kind: DatabaseKind) -> bool {
        self.common(kind)
            .is_some_and(|options| options.enabled.unwrap_or(true))
    }

    /// The kinds that the environment gets, in the order of [`DatabaseKind::ALL`].
    pub fn enabled(&self) -> impl Iterator<Item = DatabaseKind> {
        DatabaseKind::ALL
            .into_iter()
            .filter(|kind| self.is_enabled(*kind))
    }

    /// What is said of a kind in the words that all have in common; nothing when the file does not name it.
    #[must_use]
    pub fn common(&self, kind: DatabaseKind) -> Option<Common<'_>> {
        fn of<'a, T>(
            switch: Option<&'a Switch<T>>,
            common: impl Fn(&'a T) -> Common<'a>,
        ) -> Option<Common<'a>> {
            Some(match switch? {
                Switch::Flag(on) => Common {
                    enabled: Some(*on),
                    ..Common::default()
                },
                Switch::Options(options) => common(options),
            })
        }
        match kind {
            DatabaseKind::Postgresql => of(self.postgresql.as_ref(), Postgresql::common),
            DatabaseKind::Mongodb => of(self.mongodb.as_ref(), Mongodb::common),
            DatabaseKind::Redis => of(self.redis.as_ref(), Redis::common),
            DatabaseKind::Minio => of(self.minio.as_ref(), Minio::common),
            DatabaseKind::Mariadb => of(self.mariadb.as_ref(), Mariadb::common),
        }
    }

    /// Whether Redis, if there is one, asks for a password; it does unless told otherwise.
    #[must_use]
    pub fn redis_asks_for_password(&self) -> bool {
        match &self.redis {
            Some(Switch::Options(Redis {
                auth: Some(auth), ..
            })) => auth.enabled.unwrap_or(true),
            _ => true,
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

impl<T> Switch<T> {
    /// The options, where there are some.
    #[must_use]
    pub fn options(&self) -> Option<&T> {
        match self {
            Self::Flag(_) => None,
            Self::Options(options) => Some(options),
        }
    }
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

impl Storage {
    /// The size, whichever way it is written, and the storage class, if one is named.
    #[must_use]
    pub fn parts(&self) -> (&str, Option<&str>) {
        match self {
            Self::Size(size) => (size, None),
            Self::Volume(volume) => (&volume.size, volume.storage_class.as_deref()),
        }
    }
}

/// A volume.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Volume {
    /// Size of the volume.
    #[schemars(regex(pattern = patterns::VOLUME_SIZE), example = &"2Gi")]
    pub size: String,
    /// Storage class; the platform's or the cluster's default when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = patterns::OBJECT_NAME), example = &"gp3")]
    pub storage_class: Option<String>,
}

/// How long a database may take to start: `initialDelaySeconds` and `failureThreshold` times `periodSeconds`. Within that
/// time it is asked every second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StartupProbe {
    /// How many times `periodSeconds`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 3600), extend("default" = 30))]
    pub failure_threshold: Option<u32>,
    /// Seconds that are multiplied with `failureThreshold`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 3600), extend("default" = 10))]
    pub period_seconds: Option<u32>,
    /// Seconds on top.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 3600), extend("default" = 0))]
    pub initial_delay_seconds: Option<u32>,
}

impl StartupProbe {
    /// The seconds that it comes to.
    #[must_use]
    pub fn seconds(self) -> u32 {
        let times = self.failure_threshold.unwrap_or(30);
        let period = self.period_seconds.unwrap_or(10);
        self.initial_delay_seconds
            .unwrap_or(0)
            .saturating_add(times.saturating_mul(period))
    }
}
