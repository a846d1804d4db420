//! What can be said of MariaDB.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Common, StartupProbe, Storage};
use crate::config::{defaults, file::Resources, patterns};

/// Options of MariaDB.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Mariadb {
    /// Whether it is made; true in the object form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Version: a tag of the image `mariadb`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = patterns::VERSION), extend("default" = defaults::MARIADB.version))]
    pub version: Option<String>,
    /// Reference of the image, in place of `mariadb` in that version. It must start as that one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minLength" = 1, "examples" = ["mirror.example.com/mariadb:11.4"]))]
    pub image: Option<String>,
    /// Size of the volume.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "1Gi"))]
    pub storage: Option<Storage>,
    /// CPU and memory; 50m and 128Mi are set aside, 300m and 256Mi are the most when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<Resources>,
    /// Name of the application's database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = patterns::MARIADB_NAME), extend("default" = "app"))]
    pub database: Option<String>,
    /// Name of the application's user, who has all rights on that database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = patterns::MARIADB_USER), extend("default" = "app"))]
    pub username: Option<String>,
    /// Server settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<MariadbConfig>,
    /// SQL that runs once, when the database is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bootstrap: Option<MariadbBootstrap>,
    /// How long it may take to start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub startup_probe: Option<StartupProbe>,
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

/// SQL that runs once, as root, when the database is made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MariadbBootstrap {
    /// Statements for the application's database.
    #[serde(rename = "initSQL", default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = ["CREATE TABLE visits (id INT PRIMARY KEY)"])]
    pub init_sql: Option<Vec<String>>,
}

impl Mariadb {
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
