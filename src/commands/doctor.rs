//! `k8s-ee doctor`: what works, what does not, and what to do.

mod environment;

use crate::{
    cli::{DoctorArgs, KeyArgs, Output, TargetArgs},
    cluster::{Cluster, ClusterError, examine, probe},
    diagnose::{self, Cause},
    doctor::{
        self, Finding, Status,
        facts::{Access, Facts, Github, SettingsOrigin},
        report,
    },
    error::Failure,
    exit::Exit,
    github::{Client, Context, Patience, Repository, Token, access::Permission},
    model::{Profile, settings::PlatformSettings},
    printer::Printer,
};

use super::context;

/// Where GitHub's API is, where the environment does not say it.
const GITHUB: &str = "https://api.github.com";

pub(super) async fn run(args: DoctorArgs, printer: Printer) -> Result<Exit, Failure> {
    let cluster = context::connect(&args.cluster.connection).await?;
    let (settings, origin) = settings(&args, &cluster).await?;
    if args.pr.is_some() || args.name.is_some() {
        return environment::run(&args, &cluster, &settings, printer).await;
    }
    let project = args.project.as_deref().unwrap_or("k8s-ee-doctor");
    let namespace = format!("{project}-pr-1");
    let (facts, github, dns, probed) = futures::join!(
        examine::facts(&cluster, &settings, &namespace),
        github(&args),
        dns(&settings),
        async {
            match args.probe {
                true => Some(probe::enforcement(&cluster, &args.probe_image).await),
                false => None,
            }
        }
    );
    let facts = Facts {
        settings: origin,
        github,
        dns,
        probe: probed,
        ..facts?
    };
    let findings = doctor::examine(&facts, &settings);
    tell(&findings, None, &[], &|_| None, args.output.output, printer);
    Ok(exit(&findings))
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

/// What DNS says of a host that an environment could have.
async fn dns(
    settings: &PlatformSettings,
) -> Option<(String, Result<Vec<std::net::IpAddr>, String>)> {
    let domain = settings.domain.as_ref()?;
    if settings.ingress.address.is_some() {
        return None;
    }
    let host = format!("k8s-ee-doctor.{domain}");
    let found = tokio::net::lookup_host((host.as_str(), 443)).await;
    let addresses = found.map(|found| found.map(|address| address.ip()).collect());
    Some((host, addresses.map_err(|error| error.to_string())))
}

/// What GitHub says of the token, if there is one.
async fn github(args: &DoctorArgs) -> Option<Github> {
    let found = Token::find(None, |name| std::env::var(name).ok());
    let token = match found {
        Ok(token) => token?,
        Err(error) => {
            return Some(Github {
                login: Err(error.to_string()),
                repository: None,
            });
        }
    };
    let context = Context::of_process().ok().flatten();
    let url = std::env::var("GITHUB_API_URL").unwrap_or_else(|_| GITHUB.to_owned());
    // It is looked at while somebody waits: once, and not for long.
    let patience = Patience {
        tries: 1,
        answer: std::time::Duration::from_secs(10),
        ..Patience::default()
    };
    let client = match Client::new(&url, &token, patience) {
        Ok(client) => client,
        Err(error) => {
            return Some(Github {
                login: Err(error.to_string()),
                repository: None,
            });
        }
    };
    let login = client.viewer().await;
    let repository = match &args.repository {
        Some(name) => name.parse::<Repository>().ok(),
        None => context.map(|context| context.repository),
    };
    let repository = match (&login, repository) {
        (Ok(login), Some(repository)) => {
            let access = async {
                client.repository(&repository).await?;
                if login.is_bot() {
                    return Ok(Access::Sees);
                }
                let permission = client.permission(&repository, login).await?;
                Ok(if permission >= Permission::Write {
                    Access::Writes
                } else {
                    Access::Reads
                })
            };
            let access: Result<Access, crate::github::GithubError> = access.await;
            Some((
                repository.to_string(),
                access.map_err(|error| error.to_string()),
            ))
        }
        _ => None,
    };
    Some(Github {
        login: login
            .map(ToString::to_string)
            .map_err(|error| error.to_string()),
        repository,
    })
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
