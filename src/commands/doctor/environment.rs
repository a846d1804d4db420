//! `k8s-ee doctor --pr`: one environment as it is now.

use std::path::Path;

use futures::future::join_all;
use tokio::time::Instant;

use super::{exit, target, tell};
use crate::{
    cli::{DoctorArgs, KeyArgs, SourceArgs},
    cluster::{
        Cluster, facts,
        present::{self, Present},
    },
    commands::context::{self, Project},
    deploy::{
        lease::Holder,
        live::{self, if_allowed, is_environment},
        record::Record,
        url,
    },
    diagnose::{self, UrlCheck, recording},
    doctor::environment::{EnvironmentFacts, examine},
    error::Failure,
    exit::Exit,
    guardrails::reachability,
    lifecycle::{components::typed, summary::Summary},
    model::{
        Environment, Profile, labels,
        object::{Object, ObjectId},
        settings::PlatformSettings,
    },
    printer::Printer,
};

pub(super) async fn run(
    args: &DoctorArgs,
    cluster: &Cluster,
    settings: &PlatformSettings,
    printer: Printer,
) -> Result<Exit, Failure> {
    let name = context::namespace(cluster, &target(args)).await?;
    let id = live::namespace_id(&name);
    let (namespace, present, record, turn, secrets, api_server) = futures::join!(
        cluster.get(&id),
        present::present(cluster, &name),
        Record::read(cluster, &name),
        Holder::of(cluster, &name),
        pull_secrets(cluster, &name, settings),
        facts::api_server_addresses(cluster),
    );
    let Some(namespace) = namespace?.filter(is_environment) else {
        return Err(
            Failure::new(Exit::NotFound, format!("there is no environment {name}"))
                .hint("list them: k8s-ee list"),
        );
    };
    let Present {
        mut observed,
        mut objects,
    } = present?;
    let project = project_of(args, &namespace, printer).await;
    let written = project
        .as_ref()
        .and_then(|project| project.environment(settings).ok());
    let recorded = if_allowed(record)?
        .flatten()
        .map(|record| record.environment);
    // What runs is what was recorded; after an `up` that failed, what is there is more likely what the file says.
    let is_running = namespace.annotation(labels::STATE) == Some(labels::STATE_RUNNING);
    let environment = match is_running {
        true => recorded.or(written),
        false => written.or(recorded),
    };
    let environment = environment.map(|wanted| as_it_is(wanted, &objects));

    let urls = urls(environment.as_ref(), settings).await;
    observed.url_check = urls.iter().find_map(|(_, answer)| answer.clone().err());
    let causes = environment
        .as_ref()
        .map(|environment| diagnose::diagnose(environment, &observed))
        .unwrap_or_default();
    if let (Some(directory), Some(environment)) = (&args.record, &environment) {
        record_case(directory, environment, &observed)?;
    }

    let api_server = if_allowed(api_server)?.unwrap_or_default();
    objects.push(namespace.clone());
    let reach = reachability::reachability(&objects, &objects, settings, &api_server).ok();
    let of_kind = |kind: &str| -> Vec<Object> {
        let of_kind = objects.iter().filter(|object| object.kind() == kind);
        of_kind.cloned().collect()
    };
    let now = jiff::Timestamp::now();
    let summary = Summary::of(
        &namespace,
        &typed(&of_kind("Ingress")),
        &typed(&of_kind("ResourceQuota")),
        now,
    );
    let holder = if_allowed(turn)?.flatten();
    let findings = examine(&EnvironmentFacts {
        now,
        namespace: &namespace,
        summary: &summary,
        environment: environment.as_ref(),
        objects: &objects,
        causes: causes.len(),
        urls: &urls,
        turn: holder.map(|holder| (holder.to_string(), holder.since)),
        reachability: reach.as_ref(),
        pull_secrets: secrets,
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

/// With the images and hosts that the cluster has, which the file alone does not know.
fn as_it_is(mut environment: Environment, objects: &[Object]) -> Environment {
    let of = |kind: &str, component: &str| {
        let mut of_kind = objects.iter().filter(|object| object.kind() == kind);
        of_kind.find(|object| object.component() == Some(component))
    };
    for service in &mut environment.services {
        let deployment = of("Deployment", &service.name);
        let image = deployment.and_then(|d| d.str("/spec/template/spec/containers/0/image"));
        if let Some(image) = image {
            image.clone_into(&mut service.image);
        }
        let route = of("Ingress", &service.name);
        let host = route.and_then(|route| route.str("/spec/rules/0/host"));
        if let (Some(ingress), Some(host)) = (&mut service.ingress, host) {
            host.clone_into(&mut ingress.host);
        }
    }
    environment
}

/// Asks the URLs of the public services, once.
async fn urls(
    environment: Option<&Environment>,
    settings: &PlatformSettings,
) -> Vec<(String, Result<u16, UrlCheck>)> {
    let targets = environment.map(url::targets).unwrap_or_default();
    let asked = targets
        .into_iter()
        .filter(|target| !target.is_placeholder());
    join_all(asked.map(|target| async move {
        let answer = url::wait(&target, settings, Instant::now()).await;
        (target.service, answer)
    }))
    .await
}

/// Whether the Secrets to pull images with are there.
async fn pull_secrets(
    cluster: &Cluster,
    namespace: &str,
    settings: &PlatformSettings,
) -> Vec<(String, Option<bool>)> {
    join_all(settings.image_pull_secrets.iter().map(|name| async move {
        let id = ObjectId {
            api_version: "v1".to_owned(),
            kind: "Secret".to_owned(),
            namespace: Some(namespace.to_owned()),
            name: name.clone(),
        };
        let there = cluster.get(&id).await.ok().map(|secret| secret.is_some());
        (name.clone(), there)
    }))
    .await
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
