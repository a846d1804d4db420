//! `k8s-ee quota`: what each component needs, and the quota that follows.

use crate::{
    cli::{Output, QuotaArgs},
    error::Failure,
    exit::Exit,
    printer::Printer,
    quota::report,
};

use super::context::{self, Project};

pub(super) async fn run(args: QuotaArgs, printer: Printer) -> Result<Exit, Failure> {
    let settings = context::settings_of_file(args.platform.as_deref(), args.source.profile)?;
    let project = Project::load(&args.config, &args.key, &args.source, true, printer).await?;
    let environment = project.environment(&settings)?;
    let composition = project.compose(&environment, &settings).await?;
    printer.data(&match args.output.output {
        Output::Json => format!("{:#}", report::json(&composition.quota)),
        Output::Human => report::human(&composition.quota, printer.columns()),
    });
    project.check_ceilings(&environment, &composition, &settings)?;
    Ok(Exit::Success)
}
