//! `k8s-ee sweep`

use std::time::Duration;

use clap::Args;

use super::{
    ClusterArgs, CommentMode, OutputArgs,
    values::{parse_duration, parse_project, parse_repository},
};

/// `k8s-ee sweep`
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  k8s-ee sweep --dry-run\n  k8s-ee sweep --repository acme/shop\n  k8s-ee sweep --project shop -o json\n\nThe token for GitHub is in the variable GITHUB_TOKEN; what is not known without one is kept. In GitHub Actions only the environments of the run's repository are looked at, where no other is named."
)]
pub struct SweepArgs {
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Only environments of this repository; in GitHub Actions that of the run when absent
    #[arg(long, value_name = "OWNER/REPO", value_parser = parse_repository)]
    pub repository: Option<String>,
    /// Only environments of this project
    #[arg(long, value_name = "ID", value_parser = parse_project)]
    pub project: Option<String>,
    /// Longest to wait until one environment is gone, such as 90s or 10m
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = parse_duration)]
    pub timeout: Duration,
    /// How pull requests are told: `off` for not at all
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "MODE",
        env = "K8S_EE_COMMENT",
        hide_env_values = true
    )]
    pub comment: CommentMode,
    /// How the result is printed.
    #[command(flatten)]
    pub output: OutputArgs,
    /// Which cluster.
    #[command(flatten)]
    pub cluster: ClusterArgs,
}
