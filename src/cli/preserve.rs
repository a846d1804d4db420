//! `k8s-ee preserve`

use clap::Args;

use super::{
    OutputArgs, ReportArgs, TargetArgs,
    values::{parse_duration, parse_repository},
};

/// `k8s-ee preserve`
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  k8s-ee preserve --pr 12\n  k8s-ee preserve --pr 12 --for 24h\n  k8s-ee preserve --pr 12 --off\n\nHow long at most, and how many environments one person keeps at a time, is said by the platform settings. Under a pull request the same is asked for by the comment /preserve."
)]
pub struct PreserveArgs {
    /// How long from now, such as 24h; as long as the platform allows when absent
    #[arg(long = "for", value_name = "DURATION", value_parser = parse_duration)]
    pub duration: Option<std::time::Duration>,
    /// End it: from now on the environment goes when its pull request is closed or its time is over
    #[arg(long, conflicts_with = "duration")]
    pub off: bool,
    /// Repository that the environment must belong to
    #[arg(long, value_name = "OWNER/REPO", value_parser = parse_repository)]
    pub repository: Option<String>,
    /// How the result is printed.
    #[command(flatten)]
    pub output: OutputArgs,
    /// Which environment.
    #[command(flatten)]
    pub target: TargetArgs,
    /// What GitHub is told.
    #[command(flatten)]
    pub report: ReportArgs,
}
