//! The command line: types only, no logic. `cli/values.rs` checks the values of options at the edge.

mod access;
mod comment;
mod doctor;
mod help;
mod pr;
mod preserve;
mod report;
mod start;
mod sweep;
mod values;
mod wait;

use std::path::PathBuf;

use clap::{
    Args, Parser, Subcommand, ValueEnum,
    builder::{PossibleValuesParser, TypedValueParser as _},
};

use crate::{github::Sha, model::Profile};

pub use pr::PrArgs;
pub use preserve::PreserveArgs;

pub use access::{ExecArgs, OpenArgs, PortForwardArgs, Ports};
pub use comment::{CommentArgs, JobResult};
pub use doctor::DoctorArgs;
pub use report::{CommentMode, ReportArgs};
pub use start::{CompletionsArgs, InitArgs};
pub use sweep::SweepArgs;
use values::{
    PROFILES, parse_commit, parse_domain, parse_duration, parse_name, parse_pr, parse_project,
    parse_registry, parse_repository, parse_whole_commit, profile,
};
pub use wait::WaitArgs;

/// Columns that help takes at most.
const MOST_COLUMNS: usize = 100;

/// Preview environments on Kubernetes: one live, isolated, throw-away copy of the system per pull request.
#[derive(Debug, Parser)]
#[command(
    name = "k8s-ee",
    version,
    arg_required_else_help = true,
    max_term_width = MOST_COLUMNS,
    help_template = help::template(),
    after_help = "Options and examples of a command: k8s-ee COMMAND -h\n\nExit codes:\n  0 done, 2 wrong command line, 3 invalid file or settings, 4 cluster,\n  5 over the ceiling, 6 did not come up, 7 timeout, 8 somebody else's namespace,\n  11 no such environment; all of them: docs/reference/exit-codes.md"
)]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub global: GlobalArgs,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct GlobalArgs {
    /// Print only what was asked for and errors
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Print requests to the cluster and other details to stderr
    #[arg(short, long, global = true, conflicts_with = "quiet")]
    pub verbose: bool,
}

/// The verbs, in the order of use.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a first k8s-ee.yaml and workflow, from what is in the repository
    Init(InitArgs),
    /// Check k8s-ee.yaml and say everything that is wrong with it
    Validate(ValidateArgs),
    /// Print the JSON schema of k8s-ee.yaml
    #[command(after_help = "Examples:\n  k8s-ee schema > k8s-ee.schema.json")]
    Schema,
    /// Print what each component needs, and the quota that follows
    Quota(QuotaArgs),
    /// Show what `up` would create, change and remove, without doing it
    Plan(PlanArgs),
    /// Print every Kubernetes object of an environment as a YAML stream
    Render(RenderArgs),
    /// Bring up the databases, while the image is still being built
    Prepare(PrepareArgs),
    /// Create or update an environment, wait for it, and print its URL
    Up(UpArgs),
    /// Remove an environment and everything in it
    Down(DownArgs),
    /// Keep an environment for a while although its pull request is closed
    Preserve(PreserveArgs),
    /// Remove what nobody wants any more: closed pull requests, times that are over
    Sweep(SweepArgs),
    /// Show one environment: its components, its URL, its quota
    Status(StatusArgs),
    /// List all environments of the cluster
    List(ListArgs),
    /// Print the logs of an environment's components
    Logs(LogsArgs),
    /// Open the URL of an environment in the browser, and print it
    Open(OpenArgs),
    /// Run a program in a component's container, or a shell
    Exec(ExecArgs),
    /// Reach a port of a component from this machine
    PortForward(PortForwardArgs),
    /// List, show or renew the credentials of the databases
    Credentials(CredentialsArgs),
    /// Say what works on the cluster or in an environment, and what not
    Doctor(DoctorArgs),
    /// Decide what is to be done about the environment of a pull request
    Pr(PrArgs),
    /// Make the comment on the pull request right, as the last job
    Comment(CommentArgs),
    /// Wait until the databases that the environment variables name answer
    Wait(WaitArgs),
    /// Print what makes a shell complete commands and options
    Completions(CompletionsArgs),
}

/// How data is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people
    #[default]
    Human,
    /// For programs
    Json,
}

/// Options that print data.
#[derive(Clone, Debug, Args)]
pub struct OutputArgs {
    /// How the result is printed
    #[arg(short, long, value_enum, default_value_t, value_name = "FORMAT")]
    pub output: Output,
}

/// Which file.
#[derive(Clone, Debug, Args)]
pub struct ConfigArgs {
    /// The configuration file
    #[arg(long, value_name = "PATH", default_value = "k8s-ee.yaml")]
    pub config: PathBuf,
}

/// Which environment of the project. On GitHub Actions that of the pull request that the run is about, when absent.
#[derive(Clone, Debug, Args)]
#[group(required = false, multiple = false)]
pub struct KeyArgs {
    /// Environment of the pull request with this number; on GitHub Actions that of the run when absent
    #[arg(long, value_name = "NUMBER", value_parser = parse_pr)]
    pub pr: Option<u64>,
    /// Environment with this name, made by hand
    #[arg(long, value_name = "NAME", value_parser = parse_name)]
    pub name: Option<String>,
}

/// What the environment is made from.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "What to deploy")]
pub struct SourceArgs {
    /// Image to run; SERVICE=REF where there are several services
    #[arg(long = "image", value_name = "[SERVICE=]REF")]
    pub images: Vec<String>,
    /// Commit that the images were built from
    #[arg(long, value_name = "SHA", value_parser = parse_commit)]
    pub commit: Option<String>,
    /// Branch that the images were built from
    #[arg(long, value_name = "BRANCH")]
    pub branch: Option<String>,
    /// Repository that the environment belongs to
    #[arg(long, value_name = "OWNER/REPO", value_parser = parse_repository)]
    pub repository: Option<String>,
    /// Domain of the URL, in place of the platform's
    #[arg(long, value_name = "DOMAIN", value_parser = parse_domain)]
    pub domain: Option<String>,
    /// Chart to render: a directory, an archive, or oci://HOST/PATH[:VERSION][@DIGEST]; the built-in one when absent
    #[arg(long, value_name = "CHART")]
    pub chart: Option<String>,
    /// How far the environment is trusted: `fork` for commits of strangers
    #[arg(long, value_name = "PROFILE", default_value = "default", value_parser = PossibleValuesParser::new(PROFILES.map(Profile::name)).map(profile))]
    pub profile: Profile,
    /// Read the file and those of its seeds from the repository on GitHub at this commit, in place of the checkout
    #[arg(long, value_name = "SHA", value_parser = parse_whole_commit)]
    pub config_at: Option<Sha>,
}

/// Which cluster.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Cluster")]
pub struct ConnectionArgs {
    /// Kubeconfig; KUBECONFIG or ~/.kube/config when absent
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig; the current one when absent
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,
}

/// Which cluster, and its rules.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Cluster")]
pub struct ClusterArgs {
    /// Which cluster.
    #[command(flatten)]
    pub connection: ConnectionArgs,
    /// Platform settings; those of the cluster's ConfigMap k8s-ee-platform when absent
    #[arg(long, value_name = "FILE")]
    pub platform: Option<PathBuf>,
}

/// `k8s-ee validate`
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  k8s-ee validate\n  k8s-ee validate --config deploy/k8s-ee.yaml -o json\n  k8s-ee validate --pr 12 --domain preview.example.com -o json"
)]
pub struct ValidateArgs {
    /// Which file.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Read the file and those of its seeds from the repository on GitHub at this commit, in place of the checkout
    #[arg(long, value_name = "SHA", value_parser = parse_whole_commit)]
    pub config_at: Option<Sha>,
    /// Which environment.
    #[command(flatten)]
    pub key: KeyArgs,
    /// Repository that the file and the environment belong to
    #[arg(long, value_name = "OWNER/REPO", value_parser = parse_repository)]
    pub repository: Option<String>,
    /// Commit that the file is of
    #[arg(long, value_name = "SHA", value_parser = parse_commit)]
    pub commit: Option<String>,
    /// Domain of the URL
    #[arg(long, value_name = "DOMAIN", value_parser = parse_domain)]
    pub domain: Option<String>,
    /// Where images that are built are pushed to, such as ghcr.io/acme/shop; that of the repository when absent
    #[arg(long, value_name = "REF", value_parser = parse_registry)]
    pub registry: Option<String>,
    /// How the result is printed.
    #[command(flatten)]
    pub output: OutputArgs,
    /// What GitHub is told.
    #[command(flatten)]
    pub report: ReportArgs,
}

/// `k8s-ee render`
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  k8s-ee render --pr 12 --image ghcr.io/acme/shop:1.2\n  k8s-ee render --pr 12 | kubectl diff -f -"
)]
pub struct RenderArgs {
    /// Which environment.
    #[command(flatten)]
    pub key: KeyArgs,
    /// Which file.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Platform settings; built-in ones when absent
    #[arg(long, value_name = "FILE")]
    pub platform: Option<PathBuf>,
    /// From what.
    #[command(flatten)]
    pub source: SourceArgs,
}

/// `k8s-ee quota`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  k8s-ee quota --pr 12\n  k8s-ee quota --pr 12 -o json")]
pub struct QuotaArgs {
    /// Which environment.
    #[command(flatten)]
    pub key: KeyArgs,
    /// Which file.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Platform settings; built-in ones when absent
    #[arg(long, value_name = "FILE")]
    pub platform: Option<PathBuf>,
    /// How the result is printed.
    #[command(flatten)]
    pub output: OutputArgs,
    /// From what.
    #[command(flatten)]
    pub source: SourceArgs,
}

/// `k8s-ee plan`
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  k8s-ee plan --pr 12 --image ghcr.io/acme/shop:1.2\n  k8s-ee plan --pr 12 --offline\n  k8s-ee plan --pr 12 --offline --reachability=svg > reachability.svg"
)]
pub struct PlanArgs {
    /// Which environment.
    #[command(flatten)]
    pub key: KeyArgs,
    /// Which file.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Do not look at a cluster: everything is shown as new
    #[arg(long)]
    pub offline: bool,
    /// Show what `up --prune-data` would remove
    #[arg(long, conflicts_with = "offline")]
    pub prune_data: bool,
    /// End with 12 when something would change
    #[arg(long)]
    pub exit_code: bool,
    /// Show who can reach whom when it is carried out, in place of the steps
    #[arg(long, value_enum, value_name = "FORMAT", num_args = 0..=1, require_equals = true, default_missing_value = "table", conflicts_with = "exit_code")]
    pub reachability: Option<Picture>,
    /// How the result is printed.
    #[command(flatten)]
    pub output: OutputArgs,
    /// From what.
    #[command(flatten)]
    pub source: SourceArgs,
    /// Which cluster.
    #[command(flatten)]
    pub cluster: ClusterArgs,
}

/// How it is shown who can reach whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Picture {
    /// A table; JSON with `-o json`
    Table,
    /// For Graphviz
    Dot,
    /// A picture
    Svg,
}

/// `k8s-ee up`
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  k8s-ee up --pr 12 --image ghcr.io/acme/shop:1.2\n  k8s-ee up --pr 12 --image api=ghcr.io/acme/api:1.2 --image web=ghcr.io/acme/web:1.2\n  k8s-ee up --name mine --image shop:dev --domain preview.example.com"
)]
pub struct UpArgs {
    /// Which environment.
    #[command(flatten)]
    pub key: KeyArgs,
    /// Which file.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Longest that it may take, such as 90s or 10m
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = parse_duration)]
    pub timeout: std::time::Duration,
    /// When it does not come up, leave it as it is in place of restoring the version before
    #[arg(long)]
    pub no_rollback: bool,
    /// Do not ask the URL in the end: for when it cannot be reached from here
    #[arg(long)]
    pub no_url_check: bool,
    /// In the end, remove the volumes that nobody uses any more and the credentials to them: the data of databases that
    /// left the file
    #[arg(long)]
    pub prune_data: bool,
    /// How the result is printed.
    #[command(flatten)]
    pub output: OutputArgs,
    /// From what.
    #[command(flatten)]
    pub source: SourceArgs,
    /// Which cluster.
    #[command(flatten)]
    pub cluster: ClusterArgs,
    /// What GitHub is told.
    #[command(flatten)]
    pub report: ReportArgs,
}

/// `k8s-ee prepare`
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  k8s-ee prepare --pr 12\n  k8s-ee prepare --pr 12 --commit 0123abc --wait=false"
)]
pub struct PrepareArgs {
    /// Which environment.
    #[command(flatten)]
    pub key: KeyArgs,
    /// Which file.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Wait until the databases are up
    #[arg(long, value_name = "true|false", default_value_t = true, default_missing_value = "true", num_args = 0..=1, require_equals = true, action = clap::ArgAction::Set)]
    pub wait: bool,
    /// Longest that it may take, such as 90s or 10m
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = parse_duration)]
    pub timeout: std::time::Duration,
    /// How the result is printed.
    #[command(flatten)]
    pub output: OutputArgs,
    /// From what.
    #[command(flatten)]
    pub source: SourceArgs,
    /// Which cluster.
    #[command(flatten)]
    pub cluster: ClusterArgs,
    /// What GitHub is told.
    #[command(flatten)]
    pub report: ReportArgs,
}

/// `k8s-ee credentials`
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  k8s-ee credentials list --pr 12\n  k8s-ee credentials show postgresql --pr 12 --key uri\n  k8s-ee credentials rotate postgresql --pr 12"
)]
pub struct CredentialsArgs {
    /// What to do with them.
    #[command(subcommand)]
    pub command: CredentialsCommand,
}

/// What to do with credentials.
#[derive(Debug, Subcommand)]
pub enum CredentialsCommand {
    /// List the Secrets of the databases and the keys in them, without values
    List(CredentialsList),
    /// Print the credentials of a database
    Show(Show),
    /// Give databases new passwords, and restart them and the services that use them
    Rotate(Rotate),
}

/// `k8s-ee credentials list`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  k8s-ee credentials list --pr 12")]
pub struct CredentialsList {
    /// How the result is printed.
    #[command(flatten)]
    pub output: OutputArgs,
    /// Which environment.
    #[command(flatten)]
    pub target: TargetArgs,
}

/// `k8s-ee credentials show`
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  k8s-ee credentials show postgresql --pr 12 --key uri\n  k8s-ee credentials show redis --pr 12 -o json"
)]
pub struct Show {
    /// Database, such as postgresql
    #[arg(value_name = "DATABASE")]
    pub database: String,
    /// Only the value of this key
    #[arg(long, value_name = "KEY")]
    pub key: Option<String>,
    /// How the result is printed.
    #[command(flatten)]
    pub output: OutputArgs,
    /// Which environment.
    #[command(flatten)]
    pub target: TargetArgs,
}

/// `k8s-ee credentials rotate`
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  k8s-ee credentials rotate postgresql --pr 12\n  k8s-ee credentials rotate --all --pr 12"
)]
pub struct Rotate {
    /// Databases, such as postgresql
    #[arg(
        value_name = "DATABASE",
        required_unless_present = "all",
        conflicts_with = "all"
    )]
    pub databases: Vec<String>,
    /// All databases of the environment
    #[arg(long)]
    pub all: bool,
    /// Longest that it may take, such as 90s or 10m
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = parse_duration)]
    pub timeout: std::time::Duration,
    /// How the result is printed.
    #[command(flatten)]
    pub output: OutputArgs,
    /// Which environment.
    #[command(flatten)]
    pub target: TargetArgs,
}

/// Which environment, when there may be no file.
#[derive(Clone, Debug, Args)]
pub struct TargetArgs {
    /// Which environment.
    #[command(flatten)]
    pub key: KeyArgs,
    /// Project; from the configuration file, else from the cluster when absent
    #[arg(long, value_name = "ID", value_parser = parse_project)]
    pub project: Option<String>,
    /// Which file.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Which cluster.
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

/// `k8s-ee status`
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  k8s-ee status --pr 12\n  k8s-ee status --pr 12 --project shop -o json"
)]
pub struct StatusArgs {
    /// How the result is printed.
    #[command(flatten)]
    pub output: OutputArgs,
    /// Which environment.
    #[command(flatten)]
    pub target: TargetArgs,
}

/// `k8s-ee list`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  k8s-ee list\n  k8s-ee list --project shop -o json")]
pub struct ListArgs {
    /// Only those of this project
    #[arg(long, value_name = "ID", value_parser = parse_project)]
    pub project: Option<String>,
    /// How the result is printed.
    #[command(flatten)]
    pub output: OutputArgs,
    /// Which cluster.
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

/// `k8s-ee logs`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  k8s-ee logs --pr 12\n  k8s-ee logs --pr 12 -f api")]
pub struct LogsArgs {
    /// Component; all of them when absent
    #[arg(value_name = "COMPONENT")]
    pub component: Option<String>,
    /// Go on until interrupted, over restarts and new versions
    #[arg(short, long)]
    pub follow: bool,
    /// Lines from the end of each log
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub tail: i64,
    /// Which environment.
    #[command(flatten)]
    pub target: TargetArgs,
}

/// `k8s-ee down`
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  k8s-ee down --pr 12\n  k8s-ee down --pr 12 --project shop --wait=false"
)]
pub struct DownArgs {
    /// Repository that the environment must belong to
    #[arg(long, value_name = "OWNER/REPO", value_parser = parse_repository)]
    pub repository: Option<String>,
    /// Commit that the pull request ended with
    #[arg(long, value_name = "SHA", value_parser = parse_commit)]
    pub commit: Option<String>,
    /// Remove it also when it is preserved
    #[arg(long)]
    pub force: bool,
    /// Wait until it is really gone
    #[arg(long, value_name = "true|false", default_value_t = true, default_missing_value = "true", num_args = 0..=1, require_equals = true, action = clap::ArgAction::Set)]
    pub wait: bool,
    /// Longest to wait, such as 90s or 5m
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = parse_duration)]
    pub timeout: std::time::Duration,
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

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
