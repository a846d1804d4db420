//! `k8s-ee plan`: what `up` would do.

use std::collections::BTreeMap;

use crate::{
    cli::{Output, PlanArgs},
    deploy::{Deployer, Options},
    desired::Stamps,
    error::Failure,
    exit::Exit,
    guardrails::ClusterFacts,
    plan::{Plan, report},
    printer::Printer,
    progress::Progress,
};

use super::context::{self, Project};

pub(super) async fn run(args: PlanArgs, printer: Printer) -> Result<Exit, Failure> {
    let project = Project::load(&args.config, &args.key, &args.source, true, printer).await?;
    let plan = if args.offline {
        let settings =
            context::settings_of_file(args.cluster.platform.as_deref(), args.source.profile)?;
        let environment = project.environment(&settings)?;
        let mut composition = project.compose(&environment, &settings).await?;
        project.check_ceilings(&environment, &composition, &settings)?;
        let now = jiff::Timestamp::now();
        composition.add_credentials(&environment, &BTreeMap::new(), now)?;
        let desired = composition.desired(
            &environment,
            &settings,
            &ClusterFacts::default(),
            &Stamps::new(None, now),
        );
        Plan {
            notes: settings
                .profile_note(args.source.profile)
                .into_iter()
                .collect(),
            ..Plan::new(&environment, desired, &BTreeMap::new())
        }
    } else {
        let cluster = context::connect(&args.cluster.connection).await?;
        let settings =
            context::settings(&args.cluster, args.source.profile, &cluster, printer).await?;
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
        let survey = survey.map_err(|error| error.into_failure(&key))?;
        project.check_survey(&environment, &survey, &settings)?;
        for warning in &survey.warnings {
            printer.note(&format!("warning: {warning}"));
        }
        Plan {
            notes: [notes, survey.plan.notes].concat(),
            ..survey.plan
        }
    };
    printer.data(&match args.output.output {
        Output::Json => format!("{:#}", report::json(&plan)),
        Output::Human => report::human(&plan),
    });
    Ok(Exit::Success)
}
