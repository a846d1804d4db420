//! `k8s-ee doctor`: what works, what does not, and what to do.

mod environment;

use crate::{
    cli::{DoctorArgs, KeyArgs, Output, TargetArgs},
    cluster::{
        Cluster, ClusterError, examine,
        probe::{self, ProbeError},
    },
    diagnose::{self, Cause},
    doctor::{
        self, Finding, Status,
        facts::{Enforcement, Facts, SettingsOrigin},
        report,
    },
    error::Failure,
    exit::Exit,
    inspect,
    model::{Profile, settings::PlatformSettings},
    printer::Printer,
};

use super::context;

pub(super) async fn run(args: DoctorArgs, printer: Printer) -> Result<Exit, Failure> {
    let cluster = context::connect(&args.cluster.connection).await?;
    let (settings, origin) = settings(&args, &cluster).await?;
    if args.pr.is_some() || args.name.is_some() {
        return environment::run(&args, &cluster, &settings, printer).await;
    }
    let project = args.project.as_deref().unwrap_or("k8s-ee-doctor");
    let namespace = format!("{project}-pr-1");
    let repository = args
        .repository
        .as_deref()
        .and_then(|name| name.parse().ok());
    let (facts, github, dns, probe) = futures::join!(
        examine::facts(&cluster, &settings, &namespace),
        inspect::github::github(repository),
        inspect::dns(&settings),
        probe(&args, &cluster, printer),
    );
    let facts = Facts {
        settings: origin,
        github,
        dns,
        probe: probe?,
        ..facts?
    };
    let findings = doctor::examine(&facts, &settings);
    tell(&findings, None, &[], &|_| None, args.output.output, printer);
    Ok(exit(&findings))
}

/// Whether policies are enforced, where that is to be tried.
async fn probe(
    args: &DoctorArgs,
    cluster: &Cluster,
    printer: Printer,
) -> Result<Option<Result<Enforcement, String>>, Failure> {
    if !args.probe {
        return Ok(None);
    }
    let tell = |namespace: &str| {
        printer.note(&format!(
            "trying whether network policies are enforced, in namespace {namespace}; it takes half a minute"
        ));
    };
    match probe::enforcement(cluster, &args.probe_image, tell).await {
        Ok(found) => Ok(Some(Ok(found))),
        Err(ProbeError::Untried(why)) => Ok(Some(Err(why))),
        Err(stopped @ ProbeError::Interrupted(_)) => Err(Failure::new(
            Exit::Interrupted,
            format!("{stopped}; the namespace of the probe is removed"),
        )),
    }
}

/// The settings, and where they are from; invalid ones are a finding, not the end.
async fn settings(
    args: &DoctorArgs,
    cluster: &Cluster,
) -> Result<(PlatformSettings, SettingsOrigin), Failure> {
    let found = match &args.cluster.platform {
        Some(path) => context::settings_of_file(Some(path), Profile::Default)
            .map(|settings| (settings, Some(path.display().to_string()))),
        None => match context::settings_object(cluster).await {
            Ok(object) => context::settings_of_object(object.as_ref()),
            Err(ClusterError::Forbidden { message, .. }) => {
                return Ok((PlatformSettings::default(), SettingsOrigin::Closed(message)));
            }
            Err(error) => return Err(error.into()),
        },
    };
    Ok(match found {
        Ok((settings, Some(place))) => (settings, SettingsOrigin::Named(place)),
        Ok((settings, None)) => (settings, SettingsOrigin::BuiltIn),
        Err(failure) => {
            let invalid = SettingsOrigin::Invalid {
                what: failure.message().to_owned(),
                why: failure.chain(),
                hint: failure.hints().first().cloned(),
            };
            (PlatformSettings::default(), invalid)
        }
    })
}

fn tell(
    findings: &[Finding],
    namespace: Option<&str>,
    causes: &[Cause],
    locate: &dyn Fn(&str) -> Option<String>,
    output: Output,
    printer: Printer,
) {
    match output {
        Output::Json => {
            let mut json = report::json(findings, namespace);
            json["causes"] = diagnose::report::json(causes, locate);
            printer.data(&format!("{json:#}"));
        }
        Output::Human => {
            let mut text = report::human(findings);
            if !causes.is_empty() {
                text.push('\n');
                text.push_str(&diagnose::report::human(causes, locate));
            }
            printer.data(&text);
        }
    }
}

fn exit(findings: &[Finding]) -> Exit {
    match doctor::worst(findings) {
        Status::Broken => Exit::Unhealthy,
        _ => Exit::Success,
    }
}

/// The environment that is meant, as other verbs take it.
fn target(args: &DoctorArgs) -> TargetArgs {
    TargetArgs {
        key: KeyArgs {
            pr: args.pr,
            name: args.name.clone(),
        },
        project: args.project.clone(),
        config: args.config.clone(),
        connection: args.cluster.connection.clone(),
    }
}
