//! What GitHub is told: the options of the verbs that tell it.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// How the comment on the pull request is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum CommentMode {
    /// One comment, changed in place
    #[default]
    Auto,
    /// A new one for each commit; those before are hidden as outdated
    New,
    /// None
    Off,
}

/// What GitHub is told. Nothing of it outside of GitHub Actions.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "GitHub Actions")]
pub struct ReportArgs {
    /// How the comment on the pull request is kept
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "MODE",
        env = "K8S_EE_COMMENT",
        hide_env_values = true
    )]
    pub comment: CommentMode,
    /// Template of the comment; that of the platform settings, else the built-in one when absent
    #[arg(long, value_name = "FILE")]
    pub comment_template: Option<PathBuf>,
}
