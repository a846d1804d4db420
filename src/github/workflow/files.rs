//! The files that the runner hands out to each step: outputs, variables for later steps, the summary of the job.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use crate::{error::Failure, exit::Exit};

/// Largest summary of a step that GitHub takes, in bytes; of a larger one it shows nothing.
const MOST_SUMMARY: usize = 1024 * 1024;

/// Last words of a summary that was too large.
const CUT: &str = "\n\n… cut here: GitHub takes no more than 1 MiB\n";

/// The runner's files of this step. What the runner did not hand out is not written: outside of Actions nothing is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StepFiles {
    output: Option<PathBuf>,
    env: Option<PathBuf>,
    summary: Option<PathBuf>,
}

/// Why something could not be told to the runner.
#[derive(Debug, thiserror::Error)]
pub enum StepFileError {
    /// The name would say something else in the file.
    #[error("`{0}` cannot be the name of an output or a variable")]
    Name(String),
    /// The file cannot be written.
    #[error("cannot write {what} to {path}")]
    Write {
        /// What.
        what: String,
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file belongs to another user, as the runner's do in a container that has a user of its own.
    #[error(
        "cannot write {what} to {path}: it belongs to the user {owner}, and this is the user {user}"
    )]
    NotOurs {
        /// What.
        what: String,
        /// The file.
        path: String,
        /// Number of the user whose it is.
        owner: u32,
        /// Number of the user that we are.
        user: u32,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// There is no randomness to be had.
    #[error("the system gives no random numbers")]
    Random(#[source] getrandom::Error),
}

impl StepFileError {
    /// The next step.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotOurs { owner, .. } => Some(format!(
                "run the container as the runner's user, `options: --user {owner}` of the job's `container` or `docker run \
                 --user {owner}`, or take the composite actions of koder-cat/k8s-ee, which run without a container"
            )),
            _ => None,
        }
    }
}

impl From<StepFileError> for Failure {
    fn from(error: StepFileError) -> Self {
        let hint = error.hint();
        Self::new(Exit::Failure, error.to_string())
            .because(error)
            .maybe_hint(hint)
    }
}

impl StepFiles {
    /// The files that the variables name.
    pub fn new(variable: impl Fn(&str) -> Option<String>) -> Self {
        let file = |name| {
            let path = variable(name).filter(|path| !path.is_empty());
            path.map(PathBuf::from)
        };
        Self {
            output: file("GITHUB_OUTPUT"),
            env: file("GITHUB_ENV"),
            summary: file("GITHUB_STEP_SUMMARY"),
        }
    }

    /// Those of the process that we are.
    #[must_use]
    pub fn of_process() -> Self {
        Self::new(|name| std::env::var(name).ok())
    }

    /// Sets an output of the step.
    ///
    /// # Errors
    /// The name cannot be one, or the file cannot be written.
    pub fn set_output(&self, name: &str, value: &str) -> Result<(), StepFileError> {
        set(self.output.as_deref(), "output", name, value)
    }

    /// Sets a variable for the steps that follow. Whoever can choose its name can take them over: it must be ours.
    ///
    /// # Errors
    /// The name cannot be one, or the file cannot be written.
    pub fn set_env(&self, name: &str, value: &str) -> Result<(), StepFileError> {
        set(self.env.as_deref(), "variable", name, value)
    }

    /// Adds Markdown to the summary of the job; cut where GitHub would show nothing of it.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn add_summary(&self, markdown: &str) -> Result<(), StepFileError> {
        let Some(path) = self.summary.as_deref() else {
            return Ok(());
        };
        let there = std::fs::metadata(path).map_or(0, |file| file.len());
        let room = MOST_SUMMARY.saturating_sub(usize::try_from(there).unwrap_or(usize::MAX));
        if let Some(text) = fit(markdown, room) {
            append(path, "the summary", &text)?;
        }
        Ok(())
    }
}

/// A word that nobody can guess, of lower-case letters and digits.
///
/// # Errors
/// The system gives no random numbers.
pub fn random_word() -> Result<String, StepFileError> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(StepFileError::Random)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn set(path: Option<&Path>, what: &str, name: &str, value: &str) -> Result<(), StepFileError> {
    let Some(path) = path else {
        return Ok(());
    };
    let mut letters = name.chars();
    let starts = letters
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    if !starts || !letters.all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)) {
        return Err(StepFileError::Name(name.to_owned()));
    }
    let entry = entry(name, value, &random_word()?);
    append(path, &format!("{what} `{name}`"), &entry)
}

/// An entry whose value may have any lines: the runner reads it up to the line that is the delimiter.
fn entry(name: &str, value: &str, word: &str) -> String {
    format!("{name}<<end_{word}\n{value}\nend_{word}\n")
}

/// As much of a text as there is room for, with a line end; none when there is no room at all.
fn fit(text: &str, room: usize) -> Option<String> {
    let text = text.trim_end();
    if text.len() < room {
        return Some(format!("{text}\n"));
    }
    let mut end = room.checked_sub(CUT.len())?;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    Some(format!("{}{CUT}", &text[..end]))
}

/// Adds to a file in one write, so that entries of several programs do not mix.
fn append(path: &Path, what: &str, text: &str) -> Result<(), StepFileError> {
    OpenOptions::new()
        .append(true)
        .create(true)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|source| refused(path, what, source))
}

/// Why a file could not be written to.
fn refused(path: &Path, what: &str, source: io::Error) -> StepFileError {
    let (what, shown) = (what.to_owned(), path.display().to_string());
    let owner = fs::metadata(path).map(|file| file.uid());
    let user = rustix::process::geteuid().as_raw();
    match owner {
        Ok(owner) if source.kind() == io::ErrorKind::PermissionDenied && owner != user => {
            StepFileError::NotOurs {
                what,
                path: shown,
                owner,
                user,
                source,
            }
        }
        _ => StepFileError::Write {
            what,
            path: shown,
            source,
        },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Reads such a file as the runner does: `name<<delimiter`, lines, the delimiter.
    fn read_back(text: &str) -> Vec<(String, String)> {
        let mut lines = text.split('\n');
        let mut entries = Vec::new();
        while let Some(head) = lines.next().filter(|line| !line.is_empty()) {
            let (name, delimiter) = head.split_once("<<").expect("a heredoc");
            let value: Vec<&str> = lines
                .by_ref()
                .take_while(|line| *line != delimiter)
                .collect();
            entries.push((name.to_owned(), value.join("\n")));
        }
        entries
    }

    fn files(folder: &Path) -> StepFiles {
        StepFiles::new(|name| Some(folder.join(name).display().to_string()))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_value_comes_back_as_it_was(values in proptest::collection::vec(any::<String>(), 1..4)) {
            let folder = tempfile::tempdir().expect("a temporary folder");
            for value in &values {
                files(folder.path()).set_output("url", value).expect("it is written");
            }
            let text = std::fs::read_to_string(folder.path().join("GITHUB_OUTPUT")).expect("the file");
            let there: Vec<String> = read_back(&text).into_iter().map(|(_, value)| value).collect();
            prop_assert_eq!(there, values);
        }
    }

    #[test]
    fn a_value_cannot_end_itself() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        files(folder.path())
            .set_env("PREVIEW_URL", "x\nend_\nPATH<<y\n/evil\ny")
            .expect("it is written");
        let text = std::fs::read_to_string(folder.path().join("GITHUB_ENV")).expect("the file");
        let entries = read_back(&text);
        assert_eq!(entries.len(), 1, "{text}");
        assert_eq!(entries[0].0, "PREVIEW_URL");
        assert_ne!(
            random_word().expect("randomness"),
            random_word().expect("randomness")
        );
    }

    #[test]
    fn names_are_ours() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for wrong in ["", "a=b", "a<<b", "a\nb", "1a", "ä"] {
            let refused = files(folder.path()).set_output(wrong, "x");
            assert!(matches!(refused, Err(StepFileError::Name(_))), "{wrong}");
        }
        assert!(!folder.path().join("GITHUB_OUTPUT").exists());
    }

    #[test]
    fn outside_of_actions_nothing_is_written() {
        let none = StepFiles::new(|_| Some(String::new()));
        assert_eq!(none, StepFiles::default());
        none.set_output("url", "x").expect("nothing to do");
        none.add_summary("x").expect("nothing to do");
    }

    #[test]
    fn a_summary_that_is_too_large_is_cut_at_a_letter() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let files = files(folder.path());
        files.add_summary("# One\n\n").expect("it is written");
        files
            .add_summary(&"ä".repeat(MOST_SUMMARY))
            .expect("it is written");
        files.add_summary("no room").expect("nothing to do");
        let text =
            std::fs::read_to_string(folder.path().join("GITHUB_STEP_SUMMARY")).expect("the file");
        assert!(text.starts_with("# One\nää") && text.ends_with(CUT));
        assert!(
            text.len() <= MOST_SUMMARY && text.len() > MOST_SUMMARY - 4,
            "{}",
            text.len()
        );
    }

    #[test]
    fn a_file_that_cannot_be_written_is_named() {
        let files = StepFiles::new(|name| Some(format!("/nowhere/{name}")));
        let error = files.set_output("url", "x").expect_err("no such folder");
        assert_eq!(
            error.to_string(),
            "cannot write output `url` to /nowhere/GITHUB_OUTPUT"
        );
    }
}
