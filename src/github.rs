//! GitHub: what a run of Actions tells us, the REST API, and what a job says back. No other module talks to it.
//!
//! `context` and `workflow` are texts and data only. Everything that comes from an event or an answer was written by
//! somebody else: it gets in through [`names`] and the types here, or not at all.

pub mod access;
pub mod client;
pub mod comments;
pub mod contents;
pub mod context;
pub mod deployments;
pub mod error;
pub mod event;
pub mod labels;
mod limits;
pub mod names;
pub mod pulls;
pub mod statuses;
pub mod sticky;
pub mod token;
pub mod workflow;

pub use client::{Client, Patience};
pub use context::Context;
pub use error::GithubError;
pub use event::Event;
pub use names::{Login, Repository, Sha};
pub use token::Token;

/// Where the API is, where nothing says otherwise.
pub const API_URL: &str = "https://api.github.com";

/// First line of the comment that tells about an environment. Comments of earlier versions are found by it too.
pub const ENVIRONMENT_MARKER: &str = "<!-- k8s-ee-pr-env -->";

/// First line of the comment that tells about a preserved environment.
pub const PRESERVE_MARKER: &str = "<!-- k8s-ee-preserve -->";
