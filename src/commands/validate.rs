//! `k8s-ee validate`: everything that is wrong with the file, at once.

use crate::{
    cli::{Output, ValidateArgs},
    config::{Config, Source, report},
    error::Failure,
    exit::Exit,
    printer::Printer,
};

use super::context;

pub(super) fn run(args: &ValidateArgs, printer: Printer) -> Result<Exit, Failure> {
    let source = Source::read(&args.config.config).map_err(context::unreadable)?;
    let checked = Config::parse(source).and_then(|mut config| {
        context::read_seeds(&mut config, &args.config.config)?;
        Ok(config)
    });
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
