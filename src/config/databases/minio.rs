//! What can be said of MinIO.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Common, Mode, StartupProbe, Storage};
use crate::config::{defaults, file::Resources, patterns};

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
    /// Version: a tag of the image `quay.io/minio/minio`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = patterns::VERSION), extend("default" = defaults::MINIO.version))]
    pub version: Option<String>,
    /// Reference of the image, in place of `quay.io/minio/minio` in that version. It must have a shell, and `minio` or `silo`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minLength" = 1, "examples" = ["pgsty/silo:RELEASE.2026-09-03T13-18-01Z"]))]
    pub image: Option<String>,
    /// Size of the volume.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "1Gi"))]
    pub storage: Option<Storage>,
    /// CPU and memory; 100m and 256Mi are set aside, 500m and 512Mi are the most when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<Resources>,
    /// Bucket that is made and named in `MINIO_BUCKET`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = patterns::BUCKET), extend("default" = "data"))]
    pub bucket: Option<String>,
    /// More buckets that are made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("uniqueItems" = true, "examples" = [["thumbnails", "exports"]]))]
    pub buckets: Option<Vec<Bucket>>,
    /// How long it may take to start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub startup_probe: Option<StartupProbe>,
}

/// Name of a bucket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(transparent)]
pub struct Bucket(
    #[schemars(regex(pattern = patterns::BUCKET), example = &"thumbnails")] pub String,
);

impl Minio {
    /// What all kinds have in common.
    pub(super) fn common(&self) -> Common<'_> {
        Common {
            enabled: self.enabled,
            mode: self.mode,
            image: self.image.as_deref(),
            version: self.version.as_deref(),
            storage: self.storage.as_ref(),
            resources: self.resources.as_ref(),
            startup: self.startup_probe,
        }
    }
}
