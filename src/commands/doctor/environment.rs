//! `k8s-ee doctor --pr`: one environment as it is now.

use std::path::Path;

use super::{exit, target, tell};
use crate::{
    cli::{DoctorArgs, KeyArgs, SourceArgs},
    cluster::Cluster,
    commands::context::{self, Project},
    diagnose::{self, recording},
    doctor::environment::{EnvironmentFacts, examine, meant},
    error::Failure,
    exit::Exit,
    inspect::environment::{look, urls},
    lifecycle::{components::typed, summary::Summary},
    model::{Environment, Profile, labels, object::Object, settings::PlatformSettings},
    printer::Printer,
};

pub(super) async fn run(
    args: &DoctorArgs,
    cluster: &Cluster,
    settings: &PlatformSettings,
    printer: Printer,
) -> Result<Exit, Failure> {
    let name = context::namespace(cluster, &target(args)).await?;
    let Some(mut found) = look(cluster, &name, settings).await? else {
        return Err(
            Failure::new(Exit::NotFound, format!("there is no environment {name}"))
                .hint("list them: k8s-ee list"),
        );
    };
    let project = project_of(args, &found.namespace, printer).await;
    let written = project
        .as_ref()
        .and_then(|project| project.environment(settings).ok());
    let environment = meant(
        &found.namespace,
        found.recorded.take(),
        written,
        &found.objects,
    );
    let urls = match &environment {
        Some(environment) => urls(environment, settings).await,
        None => Vec::new(),
    };
    found.observed.url_check = urls.iter().find_map(|(_, answer)| answer.clone().err());
    let causes = environment
        .as_ref()
        .map(|environment| diagnose::diagnose(environment, &found.observed))
        .unwrap_or_default();
    match (&args.record, &environment) {
        (Some(directory), Some(environment)) => {
            record_case(directory, environment, &found.observed)?;
        }
        (Some(_), None) => {
            printer.note("note: nothing is recorded, because it is not known what should be there");
        }
        (None, _) => {}
    }
    let now = jiff::Timestamp::now();
    let routes = typed(&found.of_kind("Ingress"));
    let quotas = typed(&found.of_kind("ResourceQuota"));
    let findings = examine(&EnvironmentFacts {
        now,
        namespace: &found.namespace,
        summary: &Summary::of(&found.namespace, &routes, &quotas, now),
        environment: environment.as_ref(),
        objects: &found.objects,
        causes: causes.len(),
        urls: &urls,
        turn: found.turn.clone(),
        reachability: found.reachability(settings).as_ref(),
        pull_secrets: &found.pull_secrets,
    });
    let locate = |pointer: &str| project.as_ref().and_then(|project| project.locate(pointer));
    tell(
        &findings,
        Some(&name),
        &causes,
        &locate,
        args.output.output,
        printer,
    );
    Ok(exit(&findings))
}

/// The file, if there is one of the environment's project.
async fn project_of(args: &DoctorArgs, namespace: &Object, printer: Printer) -> Option<Project> {
    if !args.config.config.exists() {
        return None;
    }
    let key = KeyArgs {
        pr: args.pr,
        name: args.name.clone(),
    };
    let source = SourceArgs {
        images: Vec::new(),
        commit: namespace.label(labels::COMMIT_SHA).map(str::to_owned),
        branch: None,
        repository: None,
        domain: None,
        chart: None,
        config_at: None,
        profile: Profile::Default,
    };
    let project = Project::load(&args.config, &key, &source, true, printer).await;
    match project {
        Ok(project) => {
            let owner = namespace.label(labels::PROJECT_ID);
            owner
                .is_none_or(|owner| owner == project.id())
                .then_some(project)
        }
        Err(failure) => {
            printer.note(&format!("note: {}", failure.message()));
            None
        }
    }
}

fn record_case(
    directory: &Path,
    environment: &Environment,
    observed: &diagnose::Observed,
) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        Failure::new(
            Exit::Failure,
            format!("cannot write into {}", directory.display()),
        )
        .because(error)
    };
    let recording = recording::record(environment, observed).map_err(|error| {
        Failure::new(Exit::Failure, "cannot record the environment").because(error)
    })?;
    let text = serde_json::to_string_pretty(&recording).map_err(|error| {
        Failure::new(Exit::Failure, "cannot record the environment").because(error)
    })?;
    std::fs::create_dir_all(directory).map_err(failed)?;
    std::fs::write(directory.join("case.json"), text + "\n").map_err(failed)?;
    std::fs::write(directory.join("expected.txt"), recording::told(&recording)).map_err(failed)
}
