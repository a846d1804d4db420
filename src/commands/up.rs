//! `k8s-ee up`: from the file to a URL that answers.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Map, Value, json};

use crate::{
    cli::{Output, UpArgs},
    cluster::Requests,
    deploy::{Deployer, Options, Outcome, Survey, failure::DeployError},
    diagnose,
    error::Failure,
    exit::Exit,
    model::Environment,
    printer::Printer,
    progress::Progress,
    report::github::facts::State,
    reporter::Reporter,
};

use super::{
    access,
    context::{self, Project},
};

pub(super) async fn run(
    args: &UpArgs,
    reporter: Reporter,
    printer: Printer,
) -> Result<Exit, Failure> {
    reporter
        .through(
            &[
                ("state", "failed"),
                ("release-status", "failed"),
                ("changed", "false"),
            ],
            async |reporter| up(args, reporter, printer).await,
        )
        .await
}

async fn up(args: &UpArgs, reporter: &mut Reporter, printer: Printer) -> Result<Exit, Failure> {
    reporter.reads(&args.config.config);
    reporter.deploys();
    let project = Project::load(&args.config, &args.key, &args.source, false, printer).await?;
    let cluster = context::connect(&args.cluster.connection).await?;
    access::check(&project, &cluster).await?;
    let settings = context::settings(&args.cluster, args.source.profile, &cluster, printer).await?;
    let (environment, live) = project.environment_on(&cluster, &settings).await?;
    reporter.about(&environment, &settings);
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
            prune_data: args.prune_data,
            ..Options::default()
        },
        progress: &progress,
    };
    let key = environment.identity.key.flag();
    let looked = deployer.look(&environment, composition).await;
    let survey = looked.map_err(|error| error.into_failure(&key))?;
    project.check_survey(&environment, &survey, &settings)?;
    tell(&survey, &key, &progress);
    reporter.begin(State::Starting, &environment, &survey);
    let ended = deployer.up(&environment, survey).await;
    progress.clear();
    let requests = cluster.requests();
    match ended {
        Ok(outcome) => {
            let elapsed = progress.elapsed().as_secs_f64();
            let url = environment.public_url();
            let took = progress.elapsed();
            reporter
                .ended(State::Running, &cluster, &outcome, took)
                .await;
            match args.output.output {
                Output::Json => {
                    printer.data(&format!(
                        "{:#}",
                        json!({
                            "version": 1,
                            "namespace": environment.identity.namespace,
                            "url": url,
                            "changed": outcome.changed,
                            "seconds": elapsed,
                            "components": seconds(&outcome),
                            "images": outcome.digests,
                            "volumes": outcome.volumes,
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
            let line = |pointer: &str| project.line(pointer);
            reporter.broken(&error, &cluster, &line).await;
            print_causes(
                &error,
                &project,
                &environment,
                args.output.output,
                requests,
                printer,
            );
            Err(error.into_failure(&key))
        }
    }
}

/// What this run means for data, before it begins.
fn tell(survey: &Survey, key: &str, progress: &Progress) {
    for impact in &survey.plan.impact {
        progress.step(&impact.text);
    }
    for volume in &survey.plan.volumes {
        progress.step(&volume.text(&format!("k8s-ee up {key} …")));
    }
}

/// The causes of a failure: for programs on stdout, for people with the lines of the file.
pub(super) fn print_causes(
    error: &DeployError,
    project: &Project,
    environment: &Environment,
    output: Output,
    requests: Requests,
    printer: Printer,
) {
    let locate = |pointer: &str| project.locate(pointer);
    let namespace = &environment.identity.namespace;
    print_causes_of(error, namespace, &locate, output, requests, printer);
}

/// The same where there may be no file.
pub(super) fn print_causes_of(
    error: &DeployError,
    namespace: &str,
    locate: &dyn Fn(&str) -> Option<String>,
    output: Output,
    requests: Requests,
    printer: Printer,
) {
    let DeployError::Broken { causes, .. } = error else {
        return;
    };
    match output {
        Output::Json => printer.data(&format!(
            "{:#}",
            json!({
                "version": 1,
                "namespace": namespace,
                "causes": diagnose::report::json(causes, &locate),
                "requests": requests,
            })
        )),
        Output::Human => printer.error(diagnose::report::human(causes, &locate).trim_end()),
    }
}

/// When each component was up, in seconds, for programs.
pub(super) fn seconds(outcome: &Outcome) -> Value {
    of_times(&outcome.times)
}

pub(super) fn of_times(times: &BTreeMap<String, Duration>) -> Value {
    times
        .iter()
        .map(|(name, time)| (name.clone(), json!(time.as_secs_f64())))
        .collect::<Map<_, _>>()
        .into()
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
