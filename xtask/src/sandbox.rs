//! The sandbox: a real Kubernetes cluster for tests on a bare machine, and the tools those tests use.
//!
//! `sandbox/README.md` has the picture; this file has the commands.

mod build;
mod parts;
mod paths;
mod process;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};

/// `cargo xtask sandbox …`
#[derive(Args)]
pub struct SandboxArgs {
    #[command(subcommand)]
    command: SandboxCommand,
}

#[derive(Subcommand)]
enum SandboxCommand {
    /// Build parts of `sandbox/parts.toml` that are not in the cache yet.
    Build {
        /// Names of parts or of groups (`tools`, `cluster`); everything when none is given.
        parts: Vec<String>,
    },
    /// Print the folder of the built programs.
    Bin,
}

impl SandboxArgs {
    /// Does what the command line asks for.
    ///
    /// # Errors
    /// Whatever stopped it, in words for the person at the terminal.
    pub fn run(self) -> Result<ExitCode> {
        match self.command {
            SandboxCommand::Build { parts } => build::build(&parts)?,
            SandboxCommand::Bin => println!("{}", paths::bin_dir().display()),
        }
        Ok(ExitCode::SUCCESS)
    }
}
