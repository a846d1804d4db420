//! The error that a person reads: what failed, the chain of causes, and the next step.
//!
//! Modules have their own error types; this is where they arrive on their way to the terminal, each with its exit code
//! and, wherever there is one, a hint.

use std::{error::Error, fmt};

use crate::{config::problem::Problem, exit::Exit};

/// A command that did not do what was asked.
#[derive(Debug)]
pub struct Failure {
    exit: Exit,
    message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
    hints: Vec<String>,
    problems: Vec<Problem>,
}

impl Failure {
    /// Starts with what failed, as a lower-case sentence without a full stop.
    #[must_use]
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
            source: None,
            hints: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// Adds why.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Adds a next step, ideally a command.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Adds the next step if there is one.
    #[must_use]
    pub fn maybe_hint(mut self, hint: Option<String>) -> Self {
        self.hints.extend(hint);
        self
    }

    /// Adds the mistakes of the file that it is about. They have been printed with their lines already.
    #[must_use]
    pub fn about(mut self, problems: &[Problem]) -> Self {
        self.problems.extend_from_slice(problems);
        self
    }

    /// What failed.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The next steps.
    #[must_use]
    pub fn hints(&self) -> &[String] {
        &self.hints
    }

    /// The mistakes of the file that it is about.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Why it failed, from the outside in; without what says nothing new.
    #[must_use]
    pub fn chain(&self) -> Vec<String> {
        let mut causes = Vec::new();
        let mut next = self.source.as_deref().map(|e| e as &dyn Error);
        while let Some(cause) = next {
            let text = cause.to_string();
            // Many libraries repeat their source in their own text, or say no more than where in them it came from;
            // neither helps anybody.
            if !text.starts_with("ServiceError: ")
                && !self.message.contains(&text)
                && !causes.iter().any(|seen: &String| seen.contains(&text))
            {
                causes.push(text);
            }
            next = cause.source();
        }
        causes
    }

    /// How the process ends.
    #[must_use]
    pub fn exit(&self) -> Exit {
        self.exit
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.message)?;
        let causes = self.chain();
        if !causes.is_empty() {
            write!(f, "\n\nCaused by:")?;
            for cause in &causes {
                write!(f, "\n  {}", cause.replace('\n', "\n  "))?;
            }
        }
        if !self.hints.is_empty() {
            writeln!(f)?;
        }
        for hint in &self.hints {
            write!(f, "\nhint: {}", hint.replace('\n', "\n      "))?;
        }
        Ok(())
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|e| e as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_as_what_why_and_next() {
        let inner = std::io::Error::other("connection refused");
        let failure = Failure::new(
            Exit::Cluster,
            "cannot reach the API server https://10.0.0.1:6443",
        )
        .because(inner)
        .hint("check the context: kubectl config current-context");
        assert_eq!(
            failure.to_string(),
            "error: cannot reach the API server https://10.0.0.1:6443\n\nCaused by:\n  connection refused\n\nhint: check the context: kubectl config current-context"
        );
    }
}
