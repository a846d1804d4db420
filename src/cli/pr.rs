//! `k8s-ee pr`

use clap::Args;

use super::{
    OutputArgs,
    values::{parse_pr, parse_repository},
};

/// `k8s-ee pr`
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  k8s-ee pr\n  k8s-ee pr --pr 12 --repository acme/shop -o json\n\nIn GitHub Actions the pull request, the repository and what happened come from the run. The token is in the variable GITHUB_TOKEN."
)]
pub struct PrArgs {
    /// Number of the pull request; that of the run when absent
    #[arg(long, value_name = "NUMBER", value_parser = parse_pr)]
    pub pr: Option<u64>,
    /// Repository of the pull request; that of the run when absent
    #[arg(long, value_name = "OWNER/REPO", value_parser = parse_repository)]
    pub repository: Option<String>,
    /// The configuration file, by its path in the repository
    #[arg(long, value_name = "PATH", default_value = "k8s-ee.yaml")]
    pub config: String,
    /// How the result is printed.
    #[command(flatten)]
    pub output: OutputArgs,
}
