//! The `lifecycle` part of `k8s-ee.yaml`: how long the environment stays.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::patterns;

/// How long the environment stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Lifecycle {
    /// Longest that it stays after it was last changed, at least 10m: `k8s-ee sweep` removes it then, even while its pull
    /// request is open. Where `lifecycle.ttl` of the platform settings is less, that counts. When absent, only that does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = patterns::DURATION), example = &"72h")]
    pub ttl: Option<String>,
}
