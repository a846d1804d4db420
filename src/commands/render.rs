//! `k8s-ee render`: every object of an environment, guardrails included.

use crate::{
    cli::RenderArgs, desired::Stamps, error::Failure, exit::Exit, guardrails::ClusterFacts,
    model::object::Object, printer::Printer, render::yaml,
};

use super::context::{self, Project};

pub(super) async fn run(args: RenderArgs, printer: Printer) -> Result<Exit, Failure> {
    let settings = context::settings_of_file(args.platform.as_deref(), args.source.profile)?;
    let project = Project::load(&args.config, &args.key, &args.source, true, printer).await?;
    let environment = project.environment(&settings)?;
    let composition = project.compose(&environment, &settings).await?;
    let desired = composition.desired(
        &environment,
        &settings,
        &ClusterFacts::default(),
        &Stamps::new(None, jiff::Timestamp::now()),
    );
    if !environment.databases.is_empty() {
        printer.note("note: the Secrets of the databases are not shown; `k8s-ee up` makes them in the cluster");
    }
    let documents: Vec<_> = desired
        .guardrails
        .iter()
        .chain(&desired.objects)
        .map(Object::as_value)
        .collect();
    let text = yaml::write_stream(&documents).map_err(|error| {
        Failure::new(Exit::Render, "cannot write the objects as YAML").because(error)
    })?;
    printer.data(&text);
    Ok(Exit::Success)
}
