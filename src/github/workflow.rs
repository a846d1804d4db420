//! What a job says to the runner of GitHub Actions: commands on its output, and entries in the files that it hands out.
//!
//! Commands are texts for [`crate::printer`]; the runner reads them from stdout and stderr alike.

pub mod files;

use std::fmt;

/// A note on a line of a file, which the pull request shows at that line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Annotation<'a> {
    /// How bad it is.
    pub level: Level,
    /// The file, by its path from the root of the repository; a note on the run without one.
    pub file: Option<&'a str>,
    /// The line, from 1.
    pub line: Option<usize>,
    /// The column, from 1.
    pub column: Option<usize>,
    /// What it is about.
    pub title: &'a str,
    /// What it says.
    pub message: &'a str,
}

/// How bad something is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Level {
    /// Good to know.
    Notice,
    /// It may be wrong.
    Warning,
    /// It is wrong.
    #[default]
    Error,
}

impl fmt::Display for Annotation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.level {
            Level::Notice => "notice",
            Level::Warning => "warning",
            Level::Error => "error",
        };
        let mut properties = Vec::new();
        if let Some(file) = self.file {
            properties.push(format!("file={}", property(file)));
        }
        if let Some(line) = self.line {
            properties.push(format!("line={line}"));
        }
        if let Some(column) = self.column {
            properties.push(format!("col={column}"));
        }
        if !self.title.is_empty() {
            properties.push(format!("title={}", property(self.title)));
        }
        let space = if properties.is_empty() { "" } else { " " };
        let message = data(self.message);
        write!(f, "::{name}{space}{}::{message}", properties.join(","))
    }
}

/// The command after which the runner prints `secret` as `***`: it takes the command itself out of the log. None for
/// what has nothing in it, which would hide every gap.
#[must_use]
pub fn mask(secret: &str) -> Option<String> {
    let blank = secret.trim().is_empty();
    (!blank).then(|| format!("::add-mask::{}", data(secret)))
}

/// `text` as a part of the log that can be folded away.
#[must_use]
pub fn group(title: &str, text: &str) -> String {
    format!(
        "::group::{}\n{}\n::endgroup::",
        data(title),
        text.trim_end()
    )
}

/// `text` so that the runner prints it and takes no command from it, as a program's log may have one. `word` must not be
/// known to whoever wrote the text: see [`files::random_word`].
#[must_use]
pub fn inert(text: &str, word: &str) -> String {
    format!("::stop-commands::{word}\n{}\n::{word}::", text.trim_end())
}

/// The text of a workflow command.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// A property of a workflow command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn annotations() {
        let full = Annotation {
            level: Level::Warning,
            file: Some("a,b:c%.yaml"),
            line: Some(3),
            column: Some(7),
            title: "50%: ok",
            message: "one\r\ntwo: a, b",
        };
        assert_eq!(
            full.to_string(),
            "::warning file=a%2Cb%3Ac%25.yaml,line=3,col=7,title=50%25%3A ok::one%0D%0Atwo: a, b"
        );
        let bare = Annotation {
            level: Level::Notice,
            message: "hello",
            ..Annotation::default()
        };
        assert_eq!(bare.to_string(), "::notice::hello");
    }

    #[test]
    fn nothing_is_not_masked() {
        assert_eq!(mask("  \n"), None);
        assert_eq!(mask("a%\nb").as_deref(), Some("::add-mask::a%25%0Ab"));
    }

    #[test]
    fn what_a_program_printed_gives_no_commands() {
        assert_eq!(
            inert("::error::no\n", "word"),
            "::stop-commands::word\n::error::no\n::word::"
        );
        assert_eq!(
            group("a\nb", "text\n"),
            "::group::a%0Ab\ntext\n::endgroup::"
        );
    }

    proptest! {
        #[test]
        fn a_command_stays_one_line_and_its_properties_apart(title in any::<String>(), message in any::<String>(), file in any::<String>()) {
            let annotation = Annotation {
                file: Some(&file), line: Some(1), title: &title, message: &message, ..Annotation::default()
            };
            let text = annotation.to_string();
            prop_assert!(!text.contains('\n') && !text.contains('\r'));
            let (properties, _) = text["::error ".len()..].split_once("::").expect("an end of the properties");
            prop_assert_eq!(properties.matches(',').count(), 1 + usize::from(!title.is_empty()));
            prop_assert!(!properties.contains(':'));
        }
    }
}
