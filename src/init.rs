//! A first `k8s-ee.yaml` and a first workflow, from what is in a repository.
//!
//! [`Repository`] is what was read, [`init`] makes the texts of it and says what it found, what it guessed and what has to
//! be looked at. Nothing here reads or writes a file.

mod compose;
mod dependencies;
mod dockerfile;
mod draft;
mod framework;
mod names;
mod note;
mod repository;
mod services;
mod workflow;
mod write;

#[cfg(test)]
mod tests;

pub use note::{Kind, Note};
pub use repository::{COMPOSE_FILES, Repository, is_wanted};
pub use workflow::{WORKFLOW, workflow};

use crate::config::{Config, Source, problem::Problem};

use note::Notes;

/// What the user asks for.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Name of the project, in place of one that is made from the repository's.
    pub project: Option<String>,
    /// The compose file to convert, by its path in the repository; the one at its root when absent.
    pub compose: Option<String>,
}

/// A first configuration.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// Text of `k8s-ee.yaml`.
    pub config: String,
    /// What was found, guessed and left out, and what is next.
    pub notes: Vec<Note>,
}

/// Why there is no proposal.
#[derive(Debug)]
pub enum Refusal {
    /// The compose file cannot be read.
    Compose {
        /// Its text.
        source: Source,
        /// What is wrong with it; at least one.
        problems: Vec<Problem>,
    },
    /// What was made is no valid configuration: a mistake of ours.
    Bug {
        /// What was made.
        source: Source,
        /// What is wrong with it; at least one.
        problems: Vec<Problem>,
    },
}

/// Makes a first configuration.
///
/// # Errors
/// When there is a compose file that is none.
pub fn init(repository: &Repository, request: &Request) -> Result<Proposal, Refusal> {
    let mut notes = Notes::default();
    let path = request.compose.as_deref();
    let compose = path.or_else(|| repository.compose_file());
    let mut draft = match compose {
        Some(path) => {
            let text = repository.text(path).unwrap_or_default();
            let source = Source::new(path, text);
            compose::convert(&source, repository, &mut notes)
                .map_err(|problems| Refusal::Compose { source, problems })?
        }
        None => services::detect(repository, &mut notes),
    };
    draft.project = names::project(repository, request, draft.project.take(), &mut notes);
    draft.next_steps(&mut notes);
    let config = write::config(&draft);
    match Config::parse(Source::new("k8s-ee.yaml", config.as_str())) {
        Ok(_) => Ok(Proposal {
            config,
            notes: notes.sorted(),
        }),
        Err(invalid) => Err(Refusal::Bug {
            source: invalid.source,
            problems: invalid.problems,
        }),
    }
}
