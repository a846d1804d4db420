//! `k8s-ee plan`: what `up` would do.

use std::collections::BTreeMap;

use crate::{
    cli::{Output, Picture, PlanArgs},
    cluster::facts,
    deploy::{Deployer, Options, dry_run::DryRun, live::if_allowed},
    desired::Stamps,
    diagnose::{self, Cause, Observed},
    error::Failure,
    exit::Exit,
    guardrails::{ClusterFacts, reachability},
    model::{Environment, settings::PlatformSettings},
    plan::{Live, Plan, cost, report},
    printer::Printer,
    progress::Progress,
    quota,
};

use super::context::{self, Project};

/// A plan, and all that it was made from.
struct Planned {
    environment: Environment,
    settings: PlatformSettings,
    live: Live,
    facts: ClusterFacts,
    plan: Plan,
    dry_run: Option<DryRun>,
}

pub(super) async fn run(args: PlanArgs, printer: Printer) -> Result<Exit, Failure> {
    let project = Project::load(&args.config, &args.key, &args.source, true, printer).await?;
    let planned = if args.offline {
        offline(&args, &project).await?
    } else {
        online(&args, &project, printer).await?
    };
    if let Some(picture) = args.reachability {
        return show_reachability(&planned, picture, args.output.output, printer);
    }
    let Planned {
        environment,
        settings,
        live,
        plan,
        dry_run,
        ..
    } = planned;
    let now = quota::compute(&cost::counted(&live), &settings.limits, &settings.quota);
    let now = now.map_err(crate::desired::ComposeError::from)?;
    let causes = refused(&environment, dry_run.as_ref());
    let locate = |pointer: &str| project.locate(pointer);
    let planned = report::Report {
        plan: &plan,
        cost: cost::compare(&now, &plan.quota),
        tried: dry_run.as_ref().map(|dry_run| dry_run.tried),
    };
    match args.output.output {
        Output::Json => {
            let mut json = report::json(&planned);
            json["causes"] = diagnose::report::json(&causes, &locate);
            printer.data(&format!("{json:#}"));
        }
        Output::Human => {
            printer.data(&report::human(&planned, printer.columns()));
            if !causes.is_empty() {
                printer.error(diagnose::report::human(&causes, &locate).trim_end());
            }
        }
    }
    if !causes.is_empty() {
        return Err(Failure::new(
            Exit::Deploy,
            format!(
                "`up` of {} would fail: the API server refuses {} of it; nothing was changed",
                environment.identity.namespace,
                if causes.len() == 1 {
                    "an object"
                } else {
                    "objects"
                }
            ),
        ));
    }
    Ok(if args.exit_code && !plan.is_empty() {
        Exit::Changes
    } else {
        Exit::Success
    })
}

async fn offline(args: &PlanArgs, project: &Project) -> Result<Planned, Failure> {
    let settings =
        context::settings_of_file(args.cluster.platform.as_deref(), args.source.profile)?;
    let environment = project.environment(&settings)?;
    let mut composition = project.compose(&environment, &settings).await?;
    project.check_ceilings(&environment, &composition, &settings)?;
    let now = jiff::Timestamp::now();
    composition.add_credentials(&environment, &BTreeMap::new(), now)?;
    let facts = ClusterFacts::default();
    let desired = composition.desired(&environment, &settings, &facts, &Stamps::new(None, now));
    Ok(Planned {
        plan: Plan {
            notes: settings
                .profile_note(args.source.profile)
                .into_iter()
                .collect(),
            ..Plan::new(&environment, desired, &BTreeMap::new())
        },
        live: BTreeMap::new(),
        dry_run: None,
        environment,
        settings,
        facts,
    })
}

async fn online(args: &PlanArgs, project: &Project, printer: Printer) -> Result<Planned, Failure> {
    let cluster = context::connect(&args.cluster.connection).await?;
    let settings = context::settings(&args.cluster, args.source.profile, &cluster, printer).await?;
    let (environment, live) = project.environment_on(&cluster, &settings).await?;
    let composition = project
        .compose_beside(&environment, &settings, &live)
        .await?;
    project.check_ceilings(&environment, &composition, &settings)?;
    let notes = project.notes(&environment, &settings, &composition);
    let progress = Progress::new(printer);
    let deployer = Deployer {
        cluster: &cluster,
        settings: &settings,
        chart: project.chart(),
        options: Options {
            prune_data: args.prune_data,
            ..Options::default()
        },
        progress: &progress,
    };
    let key = environment.identity.key.flag();
    let namespace = deployer.namespace(&environment).await;
    let namespace = namespace.map_err(|error| error.into_failure(&key))?;
    let survey = deployer.survey(&environment, composition, namespace).await;
    let mut survey = survey.map_err(|error| error.into_failure(&key))?;
    project.check_survey(&environment, &survey, &settings)?;
    for warning in &survey.warnings {
        printer.note(&format!("warning: {warning}"));
    }
    let (facts, dry_run) = if args.reachability.is_some() {
        let facts = if_allowed(facts::api_server_addresses(&cluster).await)?;
        (facts.unwrap_or_default(), None)
    } else {
        let dry_run = deployer.dry_run(&mut survey).await?;
        (ClusterFacts::default(), Some(dry_run))
    };
    let said = dry_run.iter().flat_map(|dry_run| dry_run.notes.clone());
    survey.plan.notes = notes
        .into_iter()
        .chain(survey.plan.notes)
        .chain(said)
        .collect();
    Ok(Planned {
        plan: survey.plan,
        live: survey.live,
        dry_run,
        environment,
        settings,
        facts,
    })
}

/// Why the API server would not take what it would not take.
fn refused(environment: &Environment, dry_run: Option<&DryRun>) -> Vec<Cause> {
    let refusals = dry_run
        .map(|dry_run| dry_run.refusals.clone())
        .unwrap_or_default();
    if refusals.is_empty() {
        return Vec::new();
    }
    let observed = Observed {
        refusals,
        ..Observed::default()
    };
    diagnose::refused(environment, &observed)
}

fn show_reachability(
    planned: &Planned,
    picture: Picture,
    output: Output,
    printer: Printer,
) -> Result<Exit, Failure> {
    let objects = planned.plan.outcome(&planned.live);
    let found = reachability::reachability(&objects, &objects, &planned.settings, &planned.facts);
    let found = found.map_err(|error| {
        Failure::new(Exit::Cluster, "cannot work out who can reach whom").because(error)
    })?;
    let namespace = &planned.plan.namespace;
    printer.data(&match (picture, output) {
        (Picture::Dot, _) => reachability::report::dot(&found, namespace),
        (Picture::Svg, _) => reachability::report::svg(&found, namespace),
        (Picture::Table, Output::Json) => {
            format!("{:#}", reachability::report::json(&found, namespace))
        }
        (Picture::Table, Output::Human) => reachability::report::human(&found, printer.columns()),
    });
    Ok(Exit::Success)
}
