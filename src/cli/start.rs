//! The verbs for the first minute: `init` and `completions`.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

use super::values::{parse_domain, parse_project};

/// `k8s-ee init`
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  k8s-ee init\n  k8s-ee init --from docker-compose.yml\n  k8s-ee init --print"
)]
pub struct InitArgs {
    /// Repository to look at
    #[arg(value_name = "DIRECTORY", default_value = ".")]
    pub directory: PathBuf,
    /// Compose file to convert; the one at the root of the repository when absent
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,
    /// Project, in place of one made from the name of the repository
    #[arg(long, value_name = "ID", value_parser = parse_project)]
    pub project: Option<String>,
    /// Domain of the environments' URLs, as the platform has it
    #[arg(long, value_name = "DOMAIN", value_parser = parse_domain)]
    pub domain: Option<String>,
    /// Print the files and write none
    #[arg(long)]
    pub print: bool,
}

/// `k8s-ee completions`
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  k8s-ee completions bash > /etc/bash_completion.d/k8s-ee\n  k8s-ee completions zsh > \"${fpath[1]}/_k8s-ee\"\n  k8s-ee completions fish > ~/.config/fish/completions/k8s-ee.fish"
)]
pub struct CompletionsArgs {
    /// Shell to complete in
    #[arg(value_name = "SHELL", value_enum)]
    pub shell: Shell,
}
