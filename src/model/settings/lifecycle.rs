//! `lifecycle`: how long environments stay.

use std::{fmt, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::duration;

/// How long environments stay, and what may keep them longer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct LifecycleSettings {
    /// Longest that an environment stays after it was last changed, such as `168h`: `k8s-ee sweep` removes it then. The
    /// file of a project may ask for less. For ever when absent.
    pub ttl: Option<Span>,
    /// How long the workflow of a pull request that was closed has to remove its environment, before `k8s-ee sweep` does.
    pub closed_grace: Span,
    /// What keeps an environment although its pull request is closed, or its time is over.
    pub preserve: PreserveSettings,
}

/// How long and how often environments are preserved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct PreserveSettings {
    /// Longest that an environment is preserved from when somebody asks, and what it is when nobody says how long.
    pub longest: Span,
    /// How many environments one person preserves at a time at most; 0 when nobody may.
    pub per_user: u32,
    /// How long before the end it is said under the pull request that it comes.
    pub warning: Span,
}

/// A span of time: a whole number and `s`, `m` or `h`, such as `48h`.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = r"^[0-9]+[smh]$"))]
pub struct Span(Duration);

/// Longest span, in seconds: ten years.
const MOST: u64 = 10 * 365 * 24 * 3600;

impl Span {
    /// So many hours.
    #[must_use]
    pub const fn hours(hours: u64) -> Self {
        Self(Duration::from_secs(hours * 3600))
    }

    /// The same as the standard library has it.
    #[must_use]
    pub const fn duration(self) -> Duration {
        self.0
    }

    /// The moment at its end when it begins at `start`.
    #[must_use]
    pub fn after(self, start: jiff::Timestamp) -> jiff::Timestamp {
        start.checked_add(self.0).unwrap_or(jiff::Timestamp::MAX)
    }
}

impl From<Duration> for Span {
    fn from(duration: Duration) -> Self {
        Self(duration)
    }
}

impl TryFrom<String> for Span {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match duration::seconds(&text) {
            Some(seconds) if seconds <= MOST => Ok(Self(Duration::from_secs(seconds))),
            _ => Err(format!(
                "`{text}` is no span of time such as `90s`, `30m` or `48h`"
            )),
        }
    }
}

impl From<Span> for String {
    fn from(span: Span) -> Self {
        span.to_string()
    }
}

impl fmt::Display for Span {
    /// In the largest unit that it is a whole number of.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_secs() {
            0 => f.write_str("0s"),
            seconds if seconds % 3600 == 0 => write!(f, "{}h", seconds / 3600),
            seconds if seconds % 60 == 0 => write!(f, "{}m", seconds / 60),
            seconds => write!(f, "{seconds}s"),
        }
    }
}

impl Default for LifecycleSettings {
    fn default() -> Self {
        Self {
            ttl: None,
            closed_grace: Span::hours(1),
            preserve: PreserveSettings::default(),
        }
    }
}

impl Default for PreserveSettings {
    fn default() -> Self {
        Self {
            longest: Span::hours(48),
            per_user: 3,
            warning: Span::hours(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_written_as_they_are_read() {
        for (text, seconds, shown) in [
            ("48h", 172_800, "48h"),
            ("90m", 5400, "90m"),
            ("120s", 120, "2m"),
            ("61s", 61, "61s"),
            ("0s", 0, "0s"),
        ] {
            let span = Span::try_from(text.to_owned()).expect(text);
            assert_eq!(span.duration().as_secs(), seconds);
            assert_eq!(span.to_string(), shown);
        }
        for wrong in ["", "48", "2d", "-1h", "1.5h", "99999999h"] {
            let error = Span::try_from(wrong.to_owned()).expect_err(wrong);
            assert!(error.contains(&format!("`{wrong}`")), "{error}");
        }
    }

    #[test]
    fn settings_name_what_differs() {
        let text = "ttl: 168h\npreserve: {perUser: 1}\n";
        let settings: LifecycleSettings = serde_saphyr::from_str(text).expect("it is valid");
        assert_eq!(settings.ttl, Some(Span::hours(168)));
        assert_eq!(settings.closed_grace, Span::hours(1));
        assert_eq!(settings.preserve.per_user, 1);
        assert_eq!(settings.preserve.longest, Span::hours(48));
        for wrong in ["ttl: 7d", "preserve: {longest: 2}", "preserve: {most: 3}"] {
            assert!(
                serde_saphyr::from_str::<LifecycleSettings>(wrong).is_err(),
                "{wrong}"
            );
        }
    }
}
