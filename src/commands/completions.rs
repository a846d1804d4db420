//! `k8s-ee completions`: what a shell reads to complete commands and options.

use clap::CommandFactory as _;

use crate::{
    cli::{Cli, CompletionsArgs},
    error::Failure,
    exit::Exit,
    printer::Printer,
};

pub(super) fn run(args: &CompletionsArgs, printer: Printer) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "k8s-ee", &mut script);
    printer.data(&String::from_utf8_lossy(&script));
    Ok(Exit::Success)
}
