//! What a namespace says about being preserved: kept although its pull request is closed.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::model::{labels, object::Object};

/// An environment that is preserved, or was until a moment ago.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preserved {
    /// When it ends; none where that was not said, or not so that it could be read: somebody has set the label by hand.
    pub until: Option<Timestamp>,
    /// Who asked for it.
    pub by: Option<String>,
    /// Whether it was said under the pull request that it ends soon.
    pub warned: bool,
}

impl Preserved {
    /// Reads a namespace; none when it is not preserved.
    #[must_use]
    pub fn of(namespace: &Object) -> Option<Self> {
        let label = namespace.label(labels::PRESERVE)?;
        if !label.eq_ignore_ascii_case("true") {
            return None;
        }
        let annotation = |key: &str| namespace.annotation(key);
        Some(Self {
            until: annotation(labels::PRESERVE_UNTIL).and_then(|time| time.trim().parse().ok()),
            by: annotation(labels::PRESERVED_BY).map(str::to_owned),
            warned: annotation(labels::PRESERVE_WARNING_SENT) == Some("true"),
        })
    }

    /// Whether its time is over, so that it keeps nothing any more.
    #[must_use]
    pub fn has_ended(&self, now: Timestamp) -> bool {
        self.until.is_some_and(|until| until <= now)
    }
}

/// The change to a namespace that preserves it; what was announced of an earlier end does not count any more.
#[must_use]
pub fn begin(until: Timestamp, by: &str) -> Value {
    json!({"metadata": {
        "labels": {labels::PRESERVE: "true"},
        "annotations": {
            labels::PRESERVE_UNTIL: crate::desired::rfc3339(until),
            labels::PRESERVED_BY: by,
            labels::PRESERVE_WARNING_SENT: "false",
        },
    }})
}

/// The change to a namespace that ends it.
#[must_use]
pub fn end() -> Value {
    json!({"metadata": {
        "labels": {labels::PRESERVE: null},
        "annotations": {
            labels::PRESERVE_UNTIL: null,
            labels::PRESERVED_BY: null,
            labels::PRESERVE_WARNING_SENT: null,
        },
    }})
}

/// The change to a namespace that notes that the end was announced.
#[must_use]
pub fn announced() -> Value {
    json!({"metadata": {"annotations": {labels::PRESERVE_WARNING_SENT: "true"}}})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn namespace(preserve: &str, annotations: Value) -> Object {
        Object::new(
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {
            "name": "shop-pr-7", "labels": {"preserve": preserve}, "annotations": annotations}}),
        )
        .expect("an object")
    }

    #[test]
    fn what_a_namespace_says() {
        let now: Timestamp = "2026-01-01T12:00:00Z".parse().expect("a time");
        let kept = namespace(
            "true",
            json!({"k8s-ee/preserve-until": "2026-01-01T12:00:01Z", "k8s-ee/preserved-by": "octocat",
                   "k8s-ee/preserve-warning-sent": "true"}),
        );
        let kept = Preserved::of(&kept).expect("it is preserved");
        assert_eq!(kept.by.as_deref(), Some("octocat"));
        assert!(kept.warned && !kept.has_ended(now));

        let over = namespace(
            "True",
            json!({"k8s-ee/preserve-until": "2026-01-01T12:00:00Z"}),
        );
        let over = Preserved::of(&over).expect("the platform before us took capitals too");
        assert!(over.has_ended(now) && !over.warned);

        let by_hand = Preserved::of(&namespace("true", json!({"k8s-ee/preserve-until": "soon"})));
        let by_hand = by_hand.expect("it is preserved");
        assert_eq!(by_hand.until, None);
        assert!(!by_hand.has_ended(now), "what is unknown keeps");

        assert_eq!(Preserved::of(&namespace("false", json!({}))), None);
    }
}
