//! The `trigger` part of `k8s-ee.yaml`: which pull requests get an environment, and when.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::file::File;

/// Which pull requests get an environment: all of them as they come, those that ask for one in a comment, or those that
/// conditions fit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Trigger {
    /// `automatic` or `on-demand`, without conditions.
    On(#[schemars(with = "String", extend("enum" = ["automatic", "on-demand"]))] When),
    /// With conditions.
    Conditions(Conditions),
}

/// When a pull request gets its environment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// When it is opened.
    #[default]
    Automatic,
    /// When somebody asks for it.
    OnDemand,
}

/// Conditions that a pull request must fit to have an environment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Conditions {
    /// When it gets its environment: as it comes, or when somebody who may push writes `/deploy-preview` in a comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("default" = "automatic", "enum" = ["automatic", "on-demand"]))]
    pub on: Option<When>,

    /// Whether drafts have one too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = true))]
    pub drafts: Option<bool>,

    /// Only pull requests with at least one of these labels have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("uniqueItems" = true), example = ["preview"])]
    pub labels: Option<Vec<String>>,

    /// Pull requests with any of these labels have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("uniqueItems" = true), example = ["no-preview"])]
    pub except_labels: Option<Vec<String>>,
}

/// The same with the defaults filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// When a pull request gets its environment.
    pub on: When,
    /// Whether drafts have one.
    pub drafts: bool,
    /// One of these labels is needed; none is when there are none.
    pub labels: Vec<String>,
    /// None of these labels is allowed.
    pub except_labels: Vec<String>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            on: When::Automatic,
            drafts: true,
            labels: Vec::new(),
            except_labels: Vec::new(),
        }
    }
}

impl From<Trigger> for Rules {
    fn from(trigger: Trigger) -> Self {
        let conditions = match trigger {
            Trigger::On(on) => Conditions {
                on: Some(on),
                ..Conditions::default()
            },
            Trigger::Conditions(conditions) => conditions,
        };
        Self {
            on: conditions.on.unwrap_or_default(),
            drafts: conditions.drafts.unwrap_or(true),
            labels: conditions.labels.unwrap_or_default(),
            except_labels: conditions.except_labels.unwrap_or_default(),
        }
    }
}

impl File {
    /// Which pull requests get an environment.
    #[must_use]
    pub fn rules(&self) -> Rules {
        self.trigger.clone().map(Rules::from).unwrap_or_default()
    }
}
