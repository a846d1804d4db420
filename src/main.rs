//! The `k8s-ee` binary: parse, run, end with the right code.

use std::process::ExitCode;

use clap::Parser as _;
use k8s_ee::{cli::Cli, commands, exit::Exit};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are answers, everything else is a mistake; clap knows which stream each goes to.
            drop(error.print());
            return if error.use_stderr() {
                Exit::Usage.into()
            } else {
                Exit::Success.into()
            };
        }
    };
    commands::main(cli)
}
