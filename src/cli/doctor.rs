//! Options of `k8s-ee doctor`.

use std::path::PathBuf;

use clap::{ArgGroup, Args};

use super::{
    ClusterArgs, ConfigArgs, OutputArgs,
    values::{parse_name, parse_pr, parse_project, parse_repository},
};

/// `k8s-ee doctor`
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("environment").args(["pr", "name"]),
    after_help = "Examples:\n  k8s-ee doctor\n  k8s-ee doctor --probe\n  k8s-ee doctor --pr 12\n  k8s-ee doctor -o json"
)]
pub struct DoctorArgs {
    /// Look at the environment of this pull request, in place of the cluster
    #[arg(long, value_name = "NUMBER", value_parser = parse_pr)]
    pub pr: Option<u64>,
    /// Look at the environment with this name, made by hand, in place of the cluster
    #[arg(long, value_name = "NAME", value_parser = parse_name)]
    pub name: Option<String>,
    /// Project; from the configuration file, else from the cluster when absent
    #[arg(long, value_name = "ID", value_parser = parse_project)]
    pub project: Option<String>,
    /// Which file.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Repository that the GitHub token is tried on; that of the workflow when absent
    #[arg(long, value_name = "OWNER/REPO", value_parser = parse_repository)]
    pub repository: Option<String>,
    /// Try whether network policies are enforced, with two pods in a namespace that is removed again
    #[arg(long, conflicts_with = "environment")]
    pub probe: bool,
    /// Image of these pods; it needs `sh`, `nc` and `httpd`
    #[arg(
        long,
        value_name = "REF",
        default_value = "docker.io/library/busybox:1.37",
        requires = "probe"
    )]
    pub probe_image: String,
    /// Write what was seen of the environment into this directory, without passwords: to attach to a report
    #[arg(long, value_name = "DIR", requires = "environment")]
    pub record: Option<PathBuf>,
    /// How the result is printed.
    #[command(flatten)]
    pub output: OutputArgs,
    /// Which cluster.
    #[command(flatten)]
    pub cluster: ClusterArgs,
}
