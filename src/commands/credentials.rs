//! `k8s-ee credentials`: which there are, what they are, and new ones.

use std::collections::BTreeMap;

use serde_json::json;

use crate::{
    cli::{CredentialsArgs, CredentialsCommand, CredentialsList, Output, Rotate, Show, TargetArgs},
    cluster::{Cluster, path::Collection},
    deploy::{Deployer, Options, failure::DeployError, record::Record},
    error::Failure,
    exit::Exit,
    model::{DatabaseKind, credentials, labels, object::Object, settings::PlatformSettings},
    printer::Printer,
    progress::Progress,
    render::{RELEASE, chart::ChartSource},
    report::table::table,
    reporter,
};

use super::{context, up};

pub(super) async fn run(args: CredentialsArgs, printer: Printer) -> Result<Exit, Failure> {
    match args.command {
        CredentialsCommand::List(args) => list(args, printer).await,
        CredentialsCommand::Show(args) => show(args, printer).await,
        CredentialsCommand::Rotate(args) => rotate(args, printer).await,
    }
}

/// The environment that is meant; it exists.
async fn environment(cluster: &Cluster, target: &TargetArgs) -> Result<String, Failure> {
    let name = context::namespace(cluster, target).await?;
    context::environment(cluster, &name).await?;
    Ok(name)
}

/// The Secrets of the databases of an environment, each with its database.
async fn secrets(
    cluster: &Cluster,
    namespace: &str,
) -> Result<Vec<(DatabaseKind, Object)>, Failure> {
    let collection = Collection {
        api_version: "v1",
        kind: "Secret",
        namespace: Some(namespace),
    };
    let all = cluster.list(&collection, "").await?.unwrap_or_default();
    let mut secrets: Vec<(DatabaseKind, Object)> = all
        .into_iter()
        .filter_map(|secret| Some((credentials::database_of(&secret)?, secret)))
        .collect();
    secrets.sort_by_key(|(kind, secret)| (*kind, secret.name().to_owned()));
    Ok(secrets)
}

async fn list(args: CredentialsList, printer: Printer) -> Result<Exit, Failure> {
    let cluster = context::connect(&args.target.connection).await?;
    let namespace = environment(&cluster, &args.target).await?;
    let secrets = secrets(&cluster, &namespace).await?;
    let keys = |secret: &Object| -> Vec<String> {
        let data = secret.get("/data").and_then(|data| data.as_object());
        data.into_iter()
            .flatten()
            .map(|(key, _)| key.clone())
            .collect()
    };
    match args.output.output {
        Output::Json => {
            let credentials: Vec<_> = secrets
                .iter()
                .map(|(kind, secret)| {
                    json!({
                        "database": kind,
                        "secret": secret.name(),
                        "keys": keys(secret),
                        "changedAt": secret.annotation(labels::CHANGED_AT),
                    })
                })
                .collect();
            let json = json!({"version": 1, "namespace": namespace, "credentials": credentials});
            printer.data(&format!("{json:#}"));
        }
        Output::Human if secrets.is_empty() => {
            printer.note(&format!("{namespace} has no credentials of databases"));
        }
        Output::Human => {
            let rows: Vec<Vec<String>> = secrets
                .iter()
                .map(|(kind, secret)| {
                    vec![
                        kind.to_string(),
                        secret.name().to_owned(),
                        keys(secret).join(", "),
                    ]
                })
                .collect();
            printer.data(&table(
                &["DATABASE", "SECRET", "KEYS"],
                &rows,
                printer.columns(),
            ));
        }
    }
    Ok(Exit::Success)
}

async fn show(args: Show, printer: Printer) -> Result<Exit, Failure> {
    let cluster = context::connect(&args.target.connection).await?;
    let namespace = environment(&cluster, &args.target).await?;
    let mut secrets = secrets(&cluster, &namespace).await?;
    secrets.retain(|(kind, _)| kind.name() == args.database);
    if secrets.is_empty() {
        return Err(no_credentials(&namespace, &args.database, &args.target));
    }
    let values: BTreeMap<&str, BTreeMap<String, String>> = secrets
        .iter()
        .map(|(_, secret)| (secret.name(), credentials::stored(secret)))
        .collect();
    let text = match (&args.key, args.output.output) {
        (Some(key), output) => {
            let value = values.values().find_map(|keys| keys.get(key));
            let Some(value) = value else {
                let known: Vec<&str> = values
                    .values()
                    .flat_map(|keys| keys.keys().map(String::as_str))
                    .collect();
                return Err(Failure::new(
                    Exit::NotFound,
                    format!("the credentials of {} have no key `{key}`", args.database),
                )
                .hint(format!("its keys are {}", known.join(", "))));
            };
            match output {
                Output::Json => {
                    json!({"version": 1, "namespace": namespace, "key": key, "value": value})
                        .to_string()
                }
                Output::Human => value.clone(),
            }
        }
        (None, Output::Json) => format!(
            "{:#}",
            json!({"version": 1, "namespace": namespace, "database": args.database, "secrets": values})
        ),
        (None, Output::Human) => values
            .values()
            .flatten()
            .map(|(key, value)| format!("{key}={}\n", value.trim_end().replace('\n', "\\n")))
            .collect(),
    };
    let all = values.values().flatten();
    for (_, value) in all.filter(|(key, _)| is_secret(key)) {
        reporter::mask(value, printer);
    }
    printer.note("warning: these are credentials; keep them out of logs and shared terminals");
    printer.data(&text);
    Ok(Exit::Success)
}

/// Whether the value of a key is a secret: names of users and databases are none, and a log in which they are hidden
/// cannot be read.
fn is_secret(key: &str) -> bool {
    let key = key.to_lowercase();
    ["pass", "uri", "url", "secret", "key"]
        .iter()
        .any(|word| key.contains(word))
}

async fn rotate(args: Rotate, printer: Printer) -> Result<Exit, Failure> {
    let cluster = context::connect(&args.target.connection).await?;
    let namespace = environment(&cluster, &args.target).await?;
    let key = context::environment_key(&args.target.key).flag();
    let record = Record::read(&cluster, &namespace).await?.ok_or_else(|| {
        Failure::new(
            Exit::NotFound,
            format!("{namespace} has not been prepared or up yet; nothing uses its credentials"),
        )
        .hint(format!("bring it up first: k8s-ee up {key} …"))
    })?;
    let kinds = kinds(&args, &record, &namespace)?;
    let progress = Progress::new(printer);
    let settings = PlatformSettings::default();
    let deployer = Deployer {
        cluster: &cluster,
        settings: &settings,
        chart: &ChartSource::BuiltIn,
        options: Options {
            timeout: args.timeout,
            ..Options::default()
        },
        progress: &progress,
    };
    let names: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
    progress.step(&format!(
        "new credentials for {} in {namespace}",
        names.join(", ")
    ));
    let ended = deployer.rotate(&record, &kinds).await;
    progress.clear();
    let requests = cluster.requests();
    match ended {
        Ok(rotated) => {
            let seconds = progress.elapsed().as_secs_f64();
            let secrets = rotated.secrets.iter();
            let secrets = secrets.map(|(kind, name)| json!({"database": kind, "secret": name}));
            match args.output.output {
                Output::Json => printer.data(&format!(
                    "{:#}",
                    json!({
                        "version": 1,
                        "namespace": namespace,
                        "rotated": secrets.collect::<Vec<_>>(),
                        "components": up::of_times(&rotated.times),
                        "seconds": seconds,
                        "requests": requests,
                    })
                )),
                Output::Human => {
                    let restarted: Vec<&str> = rotated.times.keys().map(String::as_str).collect();
                    printer.note(&format!(
                        "{} in {namespace} {} new credentials; restarted: {} ({seconds:.1} s)",
                        names.join(", "),
                        if names.len() == 1 { "has" } else { "have" },
                        restarted.join(", ")
                    ));
                }
            }
            Ok(Exit::Success)
        }
        Err(error) => {
            up::print_causes_of(
                &error,
                &namespace,
                &|_| None,
                args.output.output,
                requests,
                printer,
            );
            Err(unfinished(error, &key))
        }
    }
}

/// The databases that are meant; all of them have credentials.
fn kinds(args: &Rotate, record: &Record, namespace: &str) -> Result<Vec<DatabaseKind>, Failure> {
    let all = credentials::databases(&record.environment, RELEASE);
    if args.all {
        return match all.is_empty() {
            false => Ok(all),
            true => Err(Failure::new(
                Exit::NotFound,
                format!("{namespace} has no credentials of databases"),
            )),
        };
    }
    let named = args.databases.iter().map(|name| {
        let kind = all.iter().find(|kind| kind.name() == name);
        kind.copied()
            .ok_or_else(|| no_credentials(namespace, name, &args.target))
    });
    let mut kinds: Vec<DatabaseKind> = named.collect::<Result<_, _>>()?;
    kinds.sort();
    kinds.dedup();
    Ok(kinds)
}

fn no_credentials(namespace: &str, database: &str, target: &TargetArgs) -> Failure {
    let key = context::environment_key(&target.key).flag();
    Failure::new(
        Exit::NotFound,
        format!("{namespace} has no credentials of a database `{database}`"),
    )
    .hint(format!(
        "see which there are: k8s-ee credentials list {key}"
    ))
}

/// The Secrets have the new values by then, so there is no way back, only one on.
fn unfinished(error: DeployError, key: &str) -> Failure {
    match error {
        DeployError::Broken { .. } | DeployError::Interrupted { .. } => {
            let what = format!("{error}; not everything runs with the new credentials yet");
            Failure::new(error.into_failure(key).exit(), what).hint(format!(
                "see why: k8s-ee status {key}, k8s-ee logs {key}; then run this again, or `k8s-ee up {key} …`, which \
                 finishes it"
            ))
        }
        error => error.into_failure(key),
    }
}
