//! `k8s-ee validate`: everything that is wrong with the file, at once.

use crate::{
    cli::{Output, ValidateArgs},
    config::report,
    error::Failure,
    exit::Exit,
    printer::Printer,
};

use super::{context, file};

pub(super) async fn run(args: &ValidateArgs, printer: Printer) -> Result<Exit, Failure> {
    let checked = file::read(
        &args.config,
        args.config_at.as_ref(),
        args.repository.as_deref(),
    )
    .await?;
    let (source, problems) = match checked {
        Ok(config) => (config.source().clone(), Vec::new()),
        Err(invalid) => (invalid.source, invalid.problems),
    };
    match args.output.output {
        Output::Json => {
            let json = report::json(Some(&source), &problems);
            printer.data(&format!("{json:#}"));
            context::annotate(&source, &problems, printer);
        }
        Output::Human if problems.is_empty() => {
            printer.note(&format!("{} is valid", source.name()));
        }
        Output::Human => context::print_problems(&source, &problems, printer),
    }
    Ok(if problems.is_empty() {
        Exit::Success
    } else {
        Exit::Config
    })
}
