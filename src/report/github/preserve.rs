//! The comment about a preserved environment: one of its own beside that of the environment, because people ask for it and
//! are told of its end.

use jiff::Timestamp;

use super::escape;
use crate::{github::PRESERVE_MARKER, lifecycle::preserve::shown};

/// What there is to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note<'a> {
    /// It is kept.
    Kept {
        /// Until then.
        until: Timestamp,
        /// Who asked for it.
        by: &'a str,
    },
    /// It is kept for no more than a while.
    EndsSoon {
        /// Until then.
        until: Timestamp,
        /// So long from now.
        minutes: i64,
        /// Whether the pull request is open, so that the environment stays.
        is_open: bool,
    },
    /// Its time is over, or somebody ended it.
    Ended {
        /// Who ended it; none when its time was over.
        by: Option<&'a str>,
        /// Whether the pull request is open, so that the environment stays.
        is_open: bool,
    },
    /// It was preserved, and is removed.
    Removed {
        /// Who asked for that; none when its time was over.
        by: Option<&'a str>,
    },
    /// It is not kept, or for no longer.
    Refused {
        /// It stays kept until then.
        until: Option<Timestamp>,
        /// Why.
        message: &'a str,
        /// What to do about it.
        hints: &'a [String],
    },
}

/// The comment, marker included. `url` is where the environment is reached.
#[must_use]
pub fn comment(namespace: &str, url: Option<&str>, note: &Note<'_>) -> String {
    let environment = match url {
        Some(url) => escape::code_link(namespace, url),
        None => escape::code(namespace),
    };
    let longer = "Comment `/preserve` to keep it longer";
    let destroy = "`/destroy-preview` to remove it now";
    let (title, text) = match note {
        Note::Kept { until, by } => (
            format!("📌 Preserved until {}", shown(*until)),
            format!(
                "{environment} is kept until then, even when this pull request is closed; {} asked for it.\n\n\
                 {longer}, `/preserve off` to end that, {destroy}.",
                escape::code(by)
            ),
        ),
        Note::EndsSoon {
            until,
            minutes,
            is_open,
        } => (
            format!("⏳ Preserved for {}", more(*minutes)),
            if *is_open {
                format!(
                    "{environment} is preserved until {}. After that it stays as long as this pull request is open.\n\n\
                     {longer}.",
                    shown(*until)
                )
            } else {
                format!(
                    "{environment} is kept until {}, and then **removed**: this pull request is closed.\n\n\
                     {longer}, {destroy}.",
                    shown(*until)
                )
            },
        ),
        Note::Ended { by, is_open } => ("Not preserved any more".to_owned(), {
            let why = match by {
                Some(by) => format!("{} ended it", escape::code(by)),
                None => "its time is over".to_owned(),
            };
            if *is_open {
                format!(
                    "{environment} is not preserved any more: {why}. It stays as long as this pull request is open.\n\n\
                         Comment `/preserve` to keep it beyond that."
                )
            } else {
                format!(
                    "{environment} is not preserved any more: {why}. This pull request is closed, so it is removed."
                )
            }
        }),
        Note::Removed { by } => ("Not preserved any more".to_owned(), {
            let why = match by {
                Some(by) => format!("{} asked for it", escape::code(by)),
                None => "its time was over".to_owned(),
            };
            format!("{environment} is removed: {why}.")
        }),
        Note::Refused {
            until,
            message,
            hints,
        } => {
            let title = match until {
                Some(until) => format!("❌ Not preserved longer than until {}", shown(*until)),
                None => "❌ Not preserved".to_owned(),
            };
            let mut text = format!("{environment}: {}", escape::text(message));
            for hint in *hints {
                text.push_str("\n\n💡 ");
                text.push_str(&escape::text(hint));
            }
            (title, text)
        }
    };
    format!("{PRESERVE_MARKER}\n### {title}\n\n{text}\n")
}

fn more(minutes: i64) -> String {
    match minutes {
        ..=1 => "one more minute".to_owned(),
        minutes => format!("{minutes} more minutes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(note: &Note<'_>) -> String {
        comment("shop-pr-7", Some("https://shop-pr-7.example.com"), note)
    }

    #[test]
    fn what_is_said() {
        let until = "2026-01-03T12:00:30Z".parse().expect("a time");
        let notes = [
            Note::Kept {
                until,
                by: "octocat",
            },
            Note::EndsSoon {
                until,
                minutes: 42,
                is_open: true,
            },
            Note::EndsSoon {
                until,
                minutes: 1,
                is_open: false,
            },
            Note::Ended {
                by: Some("octocat"),
                is_open: true,
            },
            Note::Ended {
                by: None,
                is_open: false,
            },
            Note::Removed {
                by: Some("octocat"),
            },
            Note::Removed { by: None },
            Note::Refused {
                until: None,
                message: "an environment is preserved for 48h at most, not for 49h",
                hints: &["ask for 48h or less".to_owned()],
            },
        ];
        let all: Vec<String> = notes.iter().map(written).collect();
        insta::assert_snapshot!(all.join("\n"));
    }

    #[test]
    fn names_stay_text() {
        let until = "2026-01-03T12:00:00Z".parse().expect("a time");
        let text = written(&Note::Kept {
            until,
            by: "`@octocat` <b>\n## x",
        });
        assert!(!text.contains("\n## x"), "{text}");
        let text = written(&Note::Refused {
            message: "@all <b>x</b>",
            until: Some(until),
            hints: &[],
        });
        assert!(!text.contains("@all") && !text.contains("<b>"), "{text}");
        assert!(
            text.contains("### ❌ Not preserved longer than until 2026-01-03 12:00 UTC"),
            "{text}"
        );
    }
}
