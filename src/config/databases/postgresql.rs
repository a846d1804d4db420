//! What can be said of PostgreSQL.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Common, Mode, StartupProbe, Storage};
use crate::config::{defaults, file::Resources, patterns};

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
    /// Version: a tag of the image `postgres`, usually the major version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = patterns::VERSION), extend("default" = defaults::POSTGRESQL.version))]
    pub version: Option<String>,
    /// Reference of the image, in place of `postgres` in that version. It must start as that one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minLength" = 1, "examples" = ["postgis/postgis:16-3.5"]))]
    pub image: Option<String>,
    /// Pods; several need an operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 9), extend("default" = 1))]
    pub instances: Option<u32>,
    /// Size of the volume.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "1Gi"))]
    pub storage: Option<Storage>,
    /// CPU and memory; 100m and 256Mi are set aside, 500m and 512Mi are the most when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<Resources>,
    /// Name of the application's database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = patterns::POSTGRESQL_NAME), extend("default" = "app"))]
    pub database: Option<String>,
    /// Name of the application's user, who owns that database and is no superuser.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = patterns::POSTGRESQL_NAME), extend("default" = "app"))]
    pub owner: Option<String>,
    /// Extensions of the application's database, made at every start if they are not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("uniqueItems" = true, "examples" = [["pg_trgm", "uuid-ossp"]]))]
    pub extensions: Option<Vec<Extension>>,
    /// Server settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postgresql: Option<PostgresqlServer>,
    /// SQL that runs once, when the database is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bootstrap: Option<PostgresqlBootstrap>,
    /// How long it may take to start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probes: Option<PostgresqlProbes>,
}

/// Name of an extension of PostgreSQL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(transparent)]
pub struct Extension(
    #[schemars(regex(pattern = patterns::EXTENSION), example = &"pg_trgm")] pub String,
);

/// Settings of the PostgreSQL server.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PostgresqlServer {
    /// Settings as in `postgresql.conf`, beside those of the platform.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend(
        "propertyNames" = {"pattern": patterns::POSTGRESQL_PARAMETER},
        "examples" = [{"max_connections": "50"}],
    ))]
    pub parameters: Option<BTreeMap<String, String>>,
    /// Lines for `pg_hba.conf`, before the one that asks everybody who comes over the network for a password.
    #[serde(rename = "pg_hba", default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = ["host all all 10.42.0.0/16 md5"])]
    pub pg_hba: Option<Vec<HbaLine>>,
}

/// A line of `pg_hba.conf`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(transparent)]
pub struct HbaLine(
    #[schemars(regex(pattern = patterns::HBA_LINE), example = &"host all all 10.42.0.0/16 md5")]
    pub String,
);

/// SQL that runs once, as superuser, when the database is made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PostgresqlBootstrap {
    /// Statements for the `postgres` database.
    #[serde(rename = "initSQL", default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = ["CREATE ROLE reporting"])]
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

/// How long PostgreSQL may take.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PostgresqlProbes {
    /// To start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub startup: Option<StartupProbe>,
}

impl Postgresql {
    /// What all kinds have in common.
    pub(super) fn common(&self) -> Common<'_> {
        Common {
            enabled: self.enabled,
            mode: self.mode,
            image: self.image.as_deref(),
            version: self.version.as_deref(),
            storage: self.storage.as_ref(),
            resources: self.resources.as_ref(),
            startup: self.probes.as_ref().and_then(|probes| probes.startup),
        }
    }
}
