//! `k8s-ee prepare`: the databases, while the image is still being built.

use serde_json::json;

use crate::{
    cli::{Output, PrepareArgs},
    deploy::{
        Deployer, Options, Outcome, failure::DeployError, lease::Holder, prepare::is_same_up,
    },
    error::Failure,
    exit::Exit,
    model::Environment,
    printer::Printer,
    progress::Progress,
    report::github::facts::State,
    reporter::Reporter,
};

use super::{
    context::{self, Project},
    up,
};

/// How it ended.
enum Ended {
    /// The databases are up.
    Prepared(Outcome),
    /// They have been started; nobody waited.
    Started(Outcome),
    /// An `up` of the same commit is at work, which starts them itself.
    LeftTo(Holder),
}

pub(super) async fn run(
    args: &PrepareArgs,
    reporter: Reporter,
    printer: Printer,
) -> Result<Exit, Failure> {
    reporter
        .through(&[("state", "failed")], async |reporter| {
            prepare(args, reporter, printer).await
        })
        .await
}

async fn prepare(
    args: &PrepareArgs,
    reporter: &mut Reporter,
    printer: Printer,
) -> Result<Exit, Failure> {
    reporter.reads(&args.config.config);
    // There are no images yet, and no URL that would need a domain.
    let project = Project::load(&args.config, &args.key, &args.source, true, printer)?;
    let cluster = context::connect(&args.cluster.connection).await?;
    let settings = context::settings(&args.cluster, &cluster, printer).await?;
    let (environment, live) = project.environment_on(&cluster, &settings).await?;
    reporter.about(&environment, &settings);
    let composition = project
        .compose_beside(&environment, &settings, &live)
        .await?;
    project.check_ceilings(&environment, &composition, &settings)?;

    let progress = Progress::new(printer);
    let namespace = &environment.identity.namespace;
    progress.step(&format!("preparing {namespace} on {}", cluster.context()));
    let deployer = Deployer {
        cluster: &cluster,
        settings: &settings,
        chart: project.chart(),
        options: Options {
            timeout: args.timeout,
            check_url: false,
            wait: args.wait,
            ..Options::default()
        },
        progress: &progress,
    };
    let key = environment.identity.key.flag();
    let looked = deployer.look(&environment, composition).await;
    let survey = looked.map_err(|error| error.into_failure(&key))?;
    project.check_survey(&environment, &survey, &settings)?;
    let at_work = deployer.up_at_work(&environment).await?;
    let ended = if let Some(holder) = at_work {
        Ok(Ended::LeftTo(holder))
    } else {
        reporter.begin(State::Preparing, &environment, &survey);
        match deployer.prepare(&environment, survey).await {
            Ok(outcome) if args.wait => Ok(Ended::Prepared(outcome)),
            Ok(outcome) => Ok(Ended::Started(outcome)),
            // That is what it was prepared for.
            Err(DeployError::Superseded { by }) if is_same_up(&by, &environment) => {
                Ok(Ended::LeftTo(by))
            }
            Err(error) => Err(error),
        }
    };
    progress.clear();
    let requests = cluster.requests();
    match ended {
        Ok(ended) => {
            let took = progress.elapsed();
            match &ended {
                Ended::Prepared(outcome) => {
                    reporter
                        .ended(State::Prepared, &cluster, outcome, took)
                        .await;
                }
                Ended::Started(outcome) => {
                    reporter
                        .ended(State::Preparing, &cluster, outcome, took)
                        .await;
                }
                Ended::LeftTo(_) => reporter.leave(),
            }
            let seconds = progress.elapsed().as_secs_f64();
            match args.output.output {
                Output::Json => {
                    let mut json = json(&environment, &ended, seconds);
                    json["requests"] = json!(requests);
                    printer.data(&format!("{json:#}"));
                }
                Output::Human => printer.note(&summary(&environment, &ended, seconds)),
            }
            Ok(Exit::Success)
        }
        Err(error) => {
            let line = |pointer: &str| project.line(pointer);
            reporter.broken(&error, &cluster, &line).await;
            up::print_causes(
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

fn json(environment: &Environment, ended: &Ended, seconds: f64) -> serde_json::Value {
    let (state, outcome, left_to) = match ended {
        Ended::Prepared(outcome) => ("prepared", Some(outcome), None),
        Ended::Started(outcome) => ("started", Some(outcome), None),
        Ended::LeftTo(holder) => ("left", None, Some(holder)),
    };
    json!({
        "version": 1,
        "namespace": environment.identity.namespace,
        "state": state,
        "leftTo": left_to.map(|holder| json!({"verb": holder.work.verb(), "commit": holder.commit})),
        "changed": outcome.is_some_and(|outcome| outcome.changed),
        "seconds": seconds,
        "components": outcome.map_or_else(|| json!({}), up::seconds),
        "volumes": outcome.map_or_else(|| json!([]), |outcome| json!(outcome.volumes)),
        "warnings": outcome.map_or_else(|| json!([]), |outcome| json!(outcome.warnings)),
    })
}

fn summary(environment: &Environment, ended: &Ended, seconds: f64) -> String {
    let namespace = &environment.identity.namespace;
    match ended {
        Ended::Prepared(_) if environment.databases.is_empty() => {
            format!("{namespace} is prepared; it has no databases ({seconds:.1} s)")
        }
        Ended::Prepared(outcome) if outcome.changed => {
            format!("{namespace} is prepared: its databases are up ({seconds:.1} s)")
        }
        Ended::Prepared(_) => {
            format!("{namespace} is prepared; nothing had changed ({seconds:.1} s)")
        }
        Ended::Started(_) => {
            format!("{namespace}: its databases have been started ({seconds:.1} s)")
        }
        Ended::LeftTo(holder) => {
            let commit = holder.commit.as_ref();
            let commit = commit.map_or_else(String::new, |commit| format!(" of commit {commit}"));
            let since = holder.since.as_ref();
            let since = since.map_or_else(String::new, |since| format!(" since {since}"));
            format!(
                "{namespace} is left to the `up`{commit} that is at work{since}: it starts the databases itself"
            )
        }
    }
}
