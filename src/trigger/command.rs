//! What people type in comments: `/deploy-preview`, `/destroy-preview` and `/preserve`, alone on the first line.

use std::fmt;

use crate::model::settings::Span;

/// A command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Make or update the environment, of this commit if one is named.
    Deploy(Option<Prefix>),
    /// Remove it.
    Destroy,
    /// Keep it although the pull request is closed.
    Preserve(Keep),
}

/// How long an environment is to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// As long as the platform lets.
    Longest,
    /// So long from now on.
    For(Span),
    /// No longer.
    Off,
}

/// The first 7 to 40 hexadecimal digits of a commit, in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prefix(String);

/// A first line that is meant as a command, but is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misuse {
    /// What follows is no commit.
    #[error(
        "after `/deploy-preview` there may be a commit, of 7 to 40 hexadecimal digits, and nothing else"
    )]
    Deploy,
    /// Something follows.
    #[error("after `/destroy-preview` there is nothing else on the line")]
    Destroy,
    /// What follows is no time.
    #[error("after `/preserve` there may be how long, such as `24h`, or `off`, and nothing else")]
    Preserve,
}

impl Command {
    /// The command in a comment; none in one that is about something else.
    ///
    /// # Errors
    /// The first line begins with the word of a command, and goes on with what that command does not take.
    pub fn of_comment(text: &str) -> Result<Option<Self>, Misuse> {
        let first = text.split(['\n', '\r']).next().unwrap_or_default();
        let mut words = first.split([' ', '\t']).filter(|word| !word.is_empty());
        let command = words.next().unwrap_or_default();
        let rest: Vec<&str> = words.collect();
        match (command, rest.as_slice()) {
            ("/deploy-preview", []) => Ok(Some(Self::Deploy(None))),
            ("/deploy-preview", [commit]) => match Prefix::new(commit) {
                Some(prefix) => Ok(Some(Self::Deploy(Some(prefix)))),
                None => Err(Misuse::Deploy),
            },
            ("/deploy-preview", _) => Err(Misuse::Deploy),
            ("/destroy-preview", []) => Ok(Some(Self::Destroy)),
            ("/destroy-preview", _) => Err(Misuse::Destroy),
            ("/preserve", []) => Ok(Some(Self::Preserve(Keep::Longest))),
            ("/preserve", [long]) => match Keep::new(long) {
                Some(keep) => Ok(Some(Self::Preserve(keep))),
                None => Err(Misuse::Preserve),
            },
            ("/preserve", _) => Err(Misuse::Preserve),
            _ => Ok(None),
        }
    }
}

impl Keep {
    fn new(text: &str) -> Option<Self> {
        if text == "off" {
            return Some(Self::Off);
        }
        let span = Span::try_from(text.to_owned()).ok()?;
        (!span.duration().is_zero()).then_some(Self::For(span))
    }
}

impl fmt::Display for Keep {
    /// As it was typed: nothing, a time or `off`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Longest => Ok(()),
            Self::For(span) => span.fmt(f),
            Self::Off => f.write_str("off"),
        }
    }
}

impl Prefix {
    fn new(text: &str) -> Option<Self> {
        let fits = (7..=40).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit());
        fits.then(|| Self(text.to_ascii_lowercase()))
    }

    /// Whether a commit begins with it.
    #[must_use]
    pub fn fits(&self, commit: &str) -> bool {
        commit.starts_with(&self.0)
    }

    /// Whether these are all digits of a commit, so that no other can be meant.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.0.len() == 40
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn commands_are_alone_on_the_first_line() {
        let deploy = |text: &str| Command::of_comment(text) == Ok(Some(Command::Deploy(None)));
        for text in [
            "/deploy-preview",
            "/deploy-preview \r\nplease",
            "  /deploy-preview\t",
            "/deploy-preview\n\n/destroy-preview",
        ] {
            assert!(deploy(text), "{text:?}");
        }
        assert_eq!(
            Command::of_comment("/destroy-preview\nthanks"),
            Ok(Some(Command::Destroy))
        );
        for text in [
            "",
            "please /deploy-preview",
            "\n/deploy-preview",
            "> /deploy-preview",
            "`/deploy-preview`",
            "/deploy-previews",
            "/Deploy-Preview",
            "/deploy-preview\u{a0}",
            "/deploy-preview\u{200b}",
            "/destroy",
            "//deploy-preview",
        ] {
            assert_eq!(Command::of_comment(text), Ok(None), "{text:?}");
        }
    }

    #[test]
    fn a_commit_is_named_by_its_first_digits() {
        let named = Command::of_comment("/deploy-preview 0123ABC\n");
        let Ok(Some(Command::Deploy(Some(prefix)))) = named else {
            panic!("{named:?}");
        };
        assert!(prefix.fits("0123abcdef") && !prefix.fits("0123abd") && !prefix.is_whole());
        for text in [
            "/deploy-preview 0123ab",
            "/deploy-preview main",
            "/deploy-preview 0123abc now",
            "/deploy-preview 0123abc; rm -rf /",
            "/deploy-preview ::set-output name=x::y",
            &format!("/deploy-preview {}", "a".repeat(41)),
        ] {
            assert_eq!(Command::of_comment(text), Err(Misuse::Deploy), "{text:?}");
        }
        let more = Command::of_comment("/destroy-preview now");
        assert_eq!(more, Err(Misuse::Destroy));
    }

    #[test]
    fn a_time_or_off_may_follow_preserve() {
        for (text, shown) in [
            ("/preserve", ""),
            (" /preserve \n24h", ""),
            ("/preserve 24h\r\nplease", "24h"),
            ("/preserve\t90m", "90m"),
            ("/preserve off", "off"),
        ] {
            let command = Command::of_comment(text);
            let Ok(Some(Command::Preserve(keep))) = command else {
                panic!("{text:?}: {command:?}");
            };
            assert_eq!(keep.to_string(), shown, "{text:?}");
        }
        for text in [
            "/preserve 0h",
            "/preserve 24",
            "/preserve 2d",
            "/preserve -1h",
            "/preserve on",
            "/preserve Off",
            "/preserve 24h please",
            "/preserve --for=24h",
            "/preserve 99999999999999999999h",
        ] {
            assert_eq!(Command::of_comment(text), Err(Misuse::Preserve), "{text:?}");
        }
        assert_eq!(Command::of_comment("/preserveX"), Ok(None));
        assert_eq!(Command::of_comment("/preserve-preview"), Ok(None));
    }

    proptest! {
        #[test]
        fn any_comment_is_read_and_only_its_first_line_counts(text in any::<String>(), more in any::<String>()) {
            let read = Command::of_comment(&text);
            let first = text.split(['\n', '\r']).next().unwrap_or_default();
            prop_assert_eq!(&read, &Command::of_comment(&format!("{first}\n{more}")));
            if !first.trim_start().starts_with("/de") && !first.trim_start().starts_with("/preserve") {
                prop_assert_eq!(read, Ok(None));
            }
        }
    }
}
