//! What a namespace says about being preserved: kept although its pull request is closed.

use std::{fmt, time::Duration};

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::model::{
    labels,
    object::Object,
    settings::{PreserveSettings, Span},
};

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

    /// Reads a namespace; none when nothing preserves it at that time.
    #[must_use]
    pub fn now(namespace: &Object, now: Timestamp) -> Option<Self> {
        Self::of(namespace).filter(|preserved| !preserved.has_ended(now))
    }

    /// Whether its time is over, so that it keeps nothing any more.
    #[must_use]
    pub fn has_ended(&self, now: Timestamp) -> bool {
        self.until.is_some_and(|until| until <= now)
    }
}

impl fmt::Display for Preserved {
    /// Such as `preserved until 2026-01-03 12:00 UTC by octocat`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("preserved")?;
        if let Some(until) = self.until {
            write!(f, " until {}", shown(until))?;
        }
        match self.by.as_deref().filter(|by| !by.is_empty()) {
            Some(by) => write!(f, " by {by}"),
            None => Ok(()),
        }
    }
}

/// Why an environment is not preserved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The platform lets nobody.
    #[error("the platform preserves no environments")]
    Never,
    /// It is to be longer than the platform allows.
    #[error("an environment is preserved for {longest} at most, not for {wanted}")]
    TooLong {
        /// Longest that the platform allows.
        longest: Span,
        /// What was asked for.
        wanted: Span,
    },
    /// That person keeps as many as the platform allows.
    #[error("{by} preserves {} already, which is as many as the platform allows: {}", environments(.others.len()), listed(.others))]
    TooMany {
        /// Who asks.
        by: String,
        /// What they preserve, each until when; the one that ends first comes first.
        others: Vec<(String, Option<Timestamp>)>,
    },
}

impl Refusal {
    /// The next step.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Never => {
                "whoever runs the platform decides about it: `lifecycle.preserve.perUser` in the platform settings"
                    .to_owned()
            }
            Self::TooLong { longest, .. } => {
                format!("ask for {longest} or less; before it is over, asking again extends it")
            }
            Self::TooMany { .. } => {
                "end one of them: k8s-ee preserve --off, or the comment /preserve off under its pull request".to_owned()
            }
        }
    }
}

/// Until when an environment is preserved if `by` asks for it now, beside `others` that are preserved; itself among them
/// does not count.
///
/// # Errors
/// What the platform does not allow.
pub fn allow<'a>(
    others: impl IntoIterator<Item = &'a Object>,
    namespace: &str,
    by: &str,
    wanted: Option<Duration>,
    settings: &PreserveSettings,
    now: Timestamp,
) -> Result<Timestamp, Refusal> {
    if settings.per_user == 0 {
        return Err(Refusal::Never);
    }
    let longest = settings.longest;
    let wanted = wanted.map_or(longest, Span::from);
    if wanted > longest {
        return Err(Refusal::TooLong { longest, wanted });
    }
    let mut others: Vec<(String, Option<Timestamp>)> = others
        .into_iter()
        .filter(|other| other.name() != namespace)
        .filter_map(|other| {
            let preserved = Preserved::now(other, now)?;
            // Names on GitHub are the same in capitals.
            let same = preserved.by?.eq_ignore_ascii_case(by);
            same.then(|| (other.name().to_owned(), preserved.until))
        })
        .collect();
    if others.len() >= settings.per_user as usize {
        others.sort_by(|a, b| (a.1.is_none(), a.1, &a.0).cmp(&(b.1.is_none(), b.1, &b.0)));
        let by = by.to_owned();
        return Err(Refusal::TooMany { by, others });
    }
    Ok(wanted.after(now))
}

fn environments(count: usize) -> String {
    match count {
        1 => "an environment".to_owned(),
        more => format!("{more} environments"),
    }
}

fn listed(others: &[(String, Option<Timestamp>)]) -> String {
    let one = |(name, until): &(String, Option<Timestamp>)| match until {
        Some(until) => format!("{name} until {}", shown(*until)),
        None => name.clone(),
    };
    others.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// A time as people read it, to the minute.
#[must_use]
pub fn shown(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
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

    fn kept(name: &str, by: &str, until: &str) -> Object {
        Object::new(
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {
            "name": name, "labels": {"preserve": "true"},
            "annotations": {"k8s-ee/preserved-by": by, "k8s-ee/preserve-until": until}}}),
        )
        .expect("an object")
    }

    #[test]
    fn the_platform_says_how_long_and_how_many() {
        let now: Timestamp = "2026-01-01T12:00:00Z".parse().expect("a time");
        let settings = PreserveSettings::default();
        let ask = |others: &[Object], wanted: Option<u64>, settings: &PreserveSettings| {
            let wanted = wanted.map(|hours| Duration::from_secs(hours * 3600));
            allow(others, "shop-pr-7", "octocat", wanted, settings, now)
        };
        let time = |text: &str| Ok(text.parse().expect("a time"));
        assert_eq!(ask(&[], None, &settings), time("2026-01-03T12:00:00Z"));
        assert_eq!(ask(&[], Some(48), &settings), time("2026-01-03T12:00:00Z"));
        assert_eq!(ask(&[], Some(1), &settings), time("2026-01-01T13:00:00Z"));
        let long = ask(&[], Some(49), &settings).expect_err("an hour too long");
        assert_eq!(
            long.to_string(),
            "an environment is preserved for 48h at most, not for 49h"
        );

        let mut others = vec![
            kept("shop-pr-7", "octocat", "2026-01-02T12:00:00Z"),
            kept("shop-pr-1", "Octocat", "2026-01-03T00:00:00Z"),
            kept("shop-pr-2", "octocat", "2026-01-01T12:00:00Z"),
            kept("web-pr-3", "hubot", "2026-01-03T00:00:00Z"),
            kept("web-pr-4", "octocat", "2026-01-02T00:00:00Z"),
        ];
        assert!(ask(&others, None, &settings).is_ok(), "two count");
        others.push(kept("web-pr-5", "octocat", "whenever"));
        let many = ask(&others, None, &settings).expect_err("three count");
        assert_eq!(
            many.to_string(),
            "octocat preserves 3 environments already, which is as many as the platform allows: \
             web-pr-4 until 2026-01-02 00:00 UTC, shop-pr-1 until 2026-01-03 00:00 UTC, web-pr-5"
        );
        let nobody = PreserveSettings {
            per_user: 0,
            ..settings
        };
        assert_eq!(ask(&[], None, &nobody), Err(Refusal::Never));
    }

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
