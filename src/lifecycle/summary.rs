//! An environment in a few words, from what stands in the cluster: for `list` and `status`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, de::IgnoredAny};

use super::preserve::Preserved;
use crate::{
    deploy::live,
    desired::rfc3339,
    model::{labels, object::Object},
    quantity::Quantity,
};

/// An Ingress, as far as a summary reads it.
#[derive(Clone, Debug, Deserialize)]
pub struct Ingress {
    metadata: Place,
    #[serde(default)]
    spec: Routes,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Routes {
    #[serde(default)]
    rules: Vec<Route>,
    tls: Option<IgnoredAny>,
}

#[derive(Clone, Debug, Deserialize)]
struct Route {
    host: Option<String>,
}

/// A `ResourceQuota`, as far as a summary reads it.
#[derive(Clone, Debug, Deserialize)]
pub struct ResourceQuota {
    metadata: Place,
    #[serde(default)]
    status: Counted,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Counted {
    #[serde(default)]
    hard: BTreeMap<String, String>,
    #[serde(default)]
    used: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Deserialize)]
struct Place {
    namespace: String,
}

impl Ingress {
    /// Where it is.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.metadata.namespace
    }
}

impl ResourceQuota {
    /// Where it is.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.metadata.namespace
    }
}

/// An environment, as `list -o json` and `status -o json` show it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Namespace.
    pub namespace: String,
    /// Project.
    pub project: String,
    /// Number of the pull request, if it is of one.
    pub pr: Option<u64>,
    /// `preparing`, `prepared`, `starting`, `running`, `failed`, `destroying`, or `unknown` for one that the platform
    /// before us made.
    pub state: String,
    /// URL, if it has one.
    pub url: Option<String>,
    /// Branch.
    pub branch: Option<String>,
    /// Commit.
    pub commit: Option<String>,
    /// Repository.
    pub repository: Option<String>,
    /// When it was made, RFC 3339.
    pub created_at: Option<String>,
    /// Seconds since then.
    pub age_seconds: Option<i64>,
    /// Whether it is kept although its pull request is closed.
    pub preserved: bool,
    /// Until when, RFC 3339.
    pub preserve_until: Option<String>,
    /// Who asked for that.
    pub preserved_by: Option<String>,
    /// What is used of the quota.
    pub quota: BTreeMap<String, Usage>,
}

/// How much of a resource is used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Usage {
    /// In use.
    pub used: String,
    /// Granted.
    pub hard: String,
}

impl Summary {
    /// Sums an environment up, from its namespace and what is in it.
    #[must_use]
    pub fn of(
        namespace: &Object,
        ingresses: &[Ingress],
        quotas: &[ResourceQuota],
        now: jiff::Timestamp,
    ) -> Self {
        let name = namespace.name();
        let label = |key: &str| namespace.label(key).map(str::to_owned);
        let annotation = |key: &str| namespace.annotation(key).map(str::to_owned);
        let created_at = annotation(labels::CREATED_AT).or_else(|| {
            namespace
                .str("/metadata/creationTimestamp")
                .map(str::to_owned)
        });
        let created: Option<jiff::Timestamp> = created_at.as_ref().and_then(|t| t.parse().ok());
        let preserved = Preserved::now(namespace, now);
        let until = preserved.as_ref().and_then(|preserved| preserved.until);
        let state = if live::is_terminating(namespace) {
            labels::STATE_DESTROYING.to_owned()
        } else {
            annotation(labels::STATE).unwrap_or_else(|| "unknown".to_owned())
        };
        Self {
            project: label(labels::PROJECT_ID).unwrap_or_default(),
            pr: namespace
                .label(labels::PR_NUMBER)
                .and_then(|number| number.parse().ok()),
            state,
            url: main_url(name, ingresses),
            branch: label(labels::BRANCH),
            commit: label(labels::COMMIT_SHA),
            repository: annotation(labels::REPOSITORY),
            age_seconds: created.map(|time| now.duration_since(time).as_secs()),
            created_at,
            preserved: preserved.is_some(),
            preserve_until: until.map(rfc3339),
            preserved_by: preserved.and_then(|preserved| preserved.by),
            quota: quotas.iter().flat_map(usage).collect(),
            namespace: name.to_owned(),
        }
    }

    /// What is used of a resource in percent of what is granted.
    #[must_use]
    pub fn percent(&self, resource: &str) -> Option<u32> {
        let usage = self.quota.get(resource)?;
        let used: Quantity = usage.used.parse().ok()?;
        let hard: Quantity = usage.hard.parse().ok()?;
        hard.share(used)
    }

    /// What keeps it, if it is preserved.
    #[must_use]
    pub fn preservation(&self) -> Option<Preserved> {
        self.preserved.then(|| Preserved {
            until: self
                .preserve_until
                .as_ref()
                .and_then(|time| time.parse().ok()),
            by: self.preserved_by.clone(),
            warned: false,
        })
    }

    /// The age in the words of `kubectl`: `42s`, `17m`, `5h`, `3d`.
    #[must_use]
    pub fn age(&self) -> String {
        self.age_seconds.map_or_else(|| "?".to_owned(), age)
    }
}

/// A number of seconds in the words of `kubectl`.
pub(super) fn age(seconds: i64) -> String {
    match seconds {
        ..120 => format!("{}s", seconds.max(0)),
        120..7200 => format!("{}m", seconds / 60),
        7200..172_800 => format!("{}h", seconds / 3600),
        172_800.. => format!("{}d", seconds / 86_400),
    }
}

/// The URL whose host begins with the namespace itself; the first one where there is none such.
fn main_url(namespace: &str, ingresses: &[Ingress]) -> Option<String> {
    let urls = ingresses.iter().filter_map(|ingress| {
        let host = ingress.spec.rules.first()?.host.as_ref()?;
        let main = host.split('.').next() == Some(namespace);
        let scheme = if ingress.spec.tls.is_some() {
            "https"
        } else {
            "http"
        };
        Some((!main, format!("{scheme}://{host}")))
    });
    urls.min().map(|(_, url)| url)
}

fn usage(quota: &ResourceQuota) -> impl Iterator<Item = (String, Usage)> {
    let Counted { hard, used } = &quota.status;
    hard.iter().map(|(resource, hard)| {
        let usage = Usage {
            used: used.get(resource).map_or("0", String::as_str).to_owned(),
            hard: hard.clone(),
        };
        (resource.clone(), usage)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_environment_in_a_few_words() {
        let object = |value| Object::new(value).expect("an object");
        let namespace = object(
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {
            "name": "shop-pr-7",
            "labels": {"k8s-ee/project-id": "shop", "k8s-ee/pr-number": "7", "preserve": "true"},
            "annotations": {"k8s-ee/created-at": "2026-01-01T00:00:00Z", "k8s-ee/state": "running",
                            "k8s-ee/preserve-until": "2026-01-02T00:00:00+01:00", "k8s-ee/preserved-by": "octocat"}}}),
        );
        let ingress = |host: &str| -> Ingress {
            let ingress = json!({"metadata": {"name": "app", "namespace": "shop-pr-7"},
                "spec": {"tls": [{}], "rules": [{"host": host}]}});
            serde_json::from_value(ingress).expect("an Ingress")
        };
        let quota = serde_json::from_value(json!({
            "metadata": {"name": "pr-quota", "namespace": "shop-pr-7"},
            "status": {"hard": {"limits.cpu": "1", "pods": "9"}, "used": {"limits.cpu": "250m"}}}))
        .expect("a ResourceQuota");
        let now = "2026-01-01T03:00:00Z".parse().expect("a time");
        let summary = Summary::of(
            &namespace,
            &[
                ingress("api-shop-pr-7.example.com"),
                ingress("shop-pr-7.example.com"),
            ],
            &[quota],
            now,
        );
        assert_eq!(
            summary.url.as_deref(),
            Some("https://shop-pr-7.example.com")
        );
        assert_eq!(summary.percent("limits.cpu"), Some(25));
        assert_eq!(summary.quota["pods"].used, "0");
        assert_eq!(summary.age(), "3h");
        assert_eq!(
            summary.preserve_until.as_deref(),
            Some("2026-01-01T23:00:00Z")
        );
        let later = "2026-01-02T00:00:00Z".parse().expect("a time");
        assert!(
            !Summary::of(&namespace, &[], &[], later).preserved,
            "its time is over"
        );
        assert_eq!(summary.pr, Some(7));
    }
}
