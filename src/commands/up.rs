//! `k8s-ee up`: from the file to a URL that answers.

use serde_json::json;

use crate::{
    cli::{Output, UpArgs},
    deploy::{Deployer, Options, Outcome, failure::DeployError},
    diagnose,
    error::Failure,
    exit::Exit,
    model::Environment,
    printer::Printer,
    progress::Progress,
};

use super::context::{self, Project};

pub(super) async fn run(args: UpArgs, printer: Printer) -> Result<Exit, Failure> {
    let project = Project::load(&args.config, &args.key, &args.source, false, printer)?;
    let cluster = context::connect(&args.cluster.connection).await?;
    let settings = context::settings(&args.cluster, &cluster, printer).await?;
    let (environment, live) = project.environment_on(&cluster, &settings).await?;
    let composition = project
        .compose_beside(&environment, &settings, &live)
        .await?;
    project.check_ceilings(&environment, &composition, &settings)?;

    let progress = Progress::new(printer);
    progress.step(&format!(
        "bringing up {} on {}",
        environment.identity.namespace,
        cluster.context()
    ));
    for note in project.notes(&environment, &settings, &composition) {
        progress.step(&format!("note: {note}"));
    }
    let deployer = Deployer {
        cluster: &cluster,
        settings: &settings,
        chart: project.chart(),
        options: Options {
            timeout: args.timeout,
            rollback: !args.no_rollback,
            check_url: !args.no_url_check,
        },
        progress: &progress,
    };
    let ended = deployer.up(&environment, composition).await;
    progress.clear();
    let requests = cluster.requests();
    match ended {
        Ok(outcome) => {
            let elapsed = progress.elapsed().as_secs_f64();
            let url = environment
                .identity
                .url()
                .filter(|_| is_public(&environment));
            match args.output.output {
                Output::Json => {
                    let seconds: serde_json::Map<_, _> = outcome
                        .times
                        .iter()
                        .map(|(name, time)| (name.clone(), json!(time.as_secs_f64())))
                        .collect();
                    printer.data(&format!(
                        "{:#}",
                        json!({
                            "version": 1,
                            "namespace": environment.identity.namespace,
                            "url": url,
                            "changed": outcome.changed,
                            "seconds": elapsed,
                            "components": seconds,
                            "images": outcome.digests,
                            "warnings": outcome.warnings,
                            "requests": requests,
                        })
                    ));
                }
                Output::Human => {
                    printer.note(&summary(&environment, &outcome, elapsed));
                    if let Some(url) = url {
                        printer.data(&url);
                    }
                }
            }
            Ok(Exit::Success)
        }
        Err(error) => {
            if let DeployError::Broken { causes, .. } = &error {
                let locate = |pointer: &str| project.locate(pointer);
                match args.output.output {
                    Output::Json => printer.data(&format!(
                        "{:#}",
                        json!({
                            "version": 1,
                            "namespace": environment.identity.namespace,
                            "causes": diagnose::report::json(causes, &locate),
                            "requests": requests,
                        })
                    )),
                    Output::Human => {
                        printer.error(diagnose::report::human(causes, &locate).trim_end());
                    }
                }
            }
            Err(error.into_failure(&environment.identity.key.flag()))
        }
    }
}

fn is_public(environment: &Environment) -> bool {
    environment
        .services
        .iter()
        .any(|service| service.ingress.is_some())
}

fn summary(environment: &Environment, outcome: &Outcome, seconds: f64) -> String {
    let namespace = &environment.identity.namespace;
    let what = if outcome.changed {
        "is up"
    } else {
        "is up; nothing had changed"
    };
    format!("{namespace} {what} ({seconds:.1} s)")
}
