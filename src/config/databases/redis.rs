//! What can be said of Redis.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Common, StartupProbe, Storage};
use crate::config::{defaults, file::Resources, patterns};

/// Options of Redis.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Redis {
    /// Whether it is made; true in the object form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Version: a tag of the image `redis`, without `-alpine` at its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = patterns::VERSION), extend("default" = defaults::REDIS.version))]
    pub version: Option<String>,
    /// Reference of the image, in place of `redis` in that version. It must have `redis-server` and `redis-cli`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minLength" = 1, "examples" = ["valkey/valkey:8.1-alpine"]))]
    pub image: Option<String>,
    /// Size of the volume; without it the data live as long as the pod.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = ["1Gi"]))]
    pub storage: Option<Storage>,
    /// CPU and memory; 50m and 64Mi are set aside, 200m and 128Mi are the most when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<Resources>,
    /// Whether a password is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<RedisAuth>,
    /// Server settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<RedisConfig>,
    /// How long it may take to start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub startup_probe: Option<StartupProbe>,
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

impl Redis {
    /// What all kinds have in common.
    pub(super) fn common(&self) -> Common<'_> {
        Common {
            enabled: self.enabled,
            mode: None,
            image: self.image.as_deref(),
            version: self.version.as_deref(),
            storage: self.storage.as_ref(),
            resources: self.resources.as_ref(),
            startup: self.startup_probe,
        }
    }
}
