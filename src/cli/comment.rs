//! `k8s-ee comment`: its options.

use clap::Args;

use super::{
    KeyArgs, OutputArgs, ReportArgs,
    values::{parse_commit, parse_job, parse_namespace, parse_repository, parse_url},
};

/// How a job ended, as `needs.NAME.result` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobResult {
    /// Well.
    Success,
    /// Not well.
    Failure,
    /// Somebody, or a newer run, stopped it.
    Cancelled,
    /// It did not run.
    Skipped,
}

/// `k8s-ee comment`
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  k8s-ee comment --job validate=success --job build=failure --job deploy=skipped\n  k8s-ee comment --pr 12 --repository acme/shop --job deploy=success --preview-url https://shop-pr-12.preview.example.com"
)]
pub struct CommentArgs {
    /// Which environment.
    #[command(flatten)]
    pub key: KeyArgs,
    /// How a job before this one ended: success, failure, cancelled or skipped; of those that failed the first one counts
    #[arg(long = "job", value_name = "NAME=RESULT", value_parser = parse_job)]
    pub jobs: Vec<(String, JobResult)>,
    /// Repository of the pull request
    #[arg(long, value_name = "OWNER/REPO", value_parser = parse_repository)]
    pub repository: Option<String>,
    /// Commit that the jobs were about; the newest of the pull request when absent
    #[arg(long, value_name = "SHA", value_parser = parse_commit)]
    pub commit: Option<String>,
    /// What the deploying or removing job says of the environment: its output `state`; or `waiting`, for a commit of a fork
    /// that nobody has approved
    #[arg(long, value_name = "STATE")]
    pub state: Option<String>,
    /// Namespace of the environment
    #[arg(long, value_name = "NAME", value_parser = parse_namespace)]
    pub namespace: Option<String>,
    /// URL of the environment
    #[arg(long, value_name = "URL", value_parser = parse_url)]
    pub preview_url: Option<String>,
    /// Print the comment in place of writing it
    #[arg(long)]
    pub dry_run: bool,
    /// How the result is printed.
    #[command(flatten)]
    pub output: OutputArgs,
    /// What GitHub is told.
    #[command(flatten)]
    pub report: ReportArgs,
}
