//! `k8s-ee validate`: everything that is wrong with the file, at once; and what later jobs have to know of it.

use serde_json::{Value, json};

use crate::{
    cli::{Output, ValidateArgs},
    config::{Config, builds::registry_of, databases::DatabaseKind, defaults, report},
    error::Failure,
    exit::Exit,
    model::EnvironmentKey,
    printer::Printer,
    reporter::Reporter,
};

use super::{context, file};

pub(super) async fn run(
    args: &ValidateArgs,
    reporter: Reporter,
    printer: Printer,
) -> Result<Exit, Failure> {
    reporter
        .through(&[("valid", "false")], async |reporter| {
            validate(args, reporter, printer).await
        })
        .await
}

async fn validate(
    args: &ValidateArgs,
    reporter: &mut Reporter,
    printer: Printer,
) -> Result<Exit, Failure> {
    reporter.reads(&args.config.config);
    let checked = file::read(
        &args.config,
        args.config_at.as_ref(),
        args.repository.as_deref(),
    )
    .await?;
    let config = match checked {
        Ok(config) => config,
        Err(invalid) => {
            if args.output.output == Output::Json {
                let json = report::json(Some(&invalid.source), &invalid.problems);
                printer.data(&format!("{json:#}"));
                context::annotate(&invalid.source, &invalid.problems, printer);
            } else {
                context::print_problems(&invalid.source, &invalid.problems, printer);
            }
            reporter.invalid(&invalid.problems);
            return Ok(Exit::Config);
        }
    };
    let facts = facts(&config, args);
    for (name, value) in outputs(&config, &facts) {
        reporter.output(name, value);
    }
    match args.output.output {
        Output::Json => {
            let mut json = report::json(Some(config.source()), &[]);
            for (name, value) in facts.as_object().into_iter().flatten() {
                json[name] = value.clone();
            }
            printer.data(&format!("{json:#}"));
        }
        Output::Human => printer.note(&format!("{} is valid", config.source().name())),
    }
    Ok(Exit::Success)
}

/// What a valid file says to whoever builds and deploys it. The namespace is null while nobody said of which environment,
/// the URL while nobody said the domain.
fn facts(config: &Config, args: &ValidateArgs) -> Value {
    let file = &config.file;
    let key = match (args.key.pr, &args.key.name) {
        (Some(number), _) => Some(EnvironmentKey::Pr(number)),
        (None, name) => name.clone().map(EnvironmentKey::Name),
    };
    let namespace = key.map(|key| key.namespace(&file.project_id));
    let url = namespace.as_ref().zip(args.domain.as_ref());
    let of_repository = args.repository.as_deref().map(registry_of);
    let registry = args.registry.clone().or(of_repository);
    let main = file.services().into_iter().next();
    let service = main
        .map(|named| named.service.into_owned())
        .unwrap_or_default();
    let databases = DatabaseKind::ALL.map(|kind| {
        let enabled = file
            .databases
            .as_ref()
            .is_some_and(|all| all.is_enabled(kind));
        (kind.name().to_owned(), Value::from(enabled))
    });
    json!({
        "project": file.project_id,
        "namespace": namespace,
        "url": url.map(|(namespace, domain)| format!("https://{namespace}.{domain}")),
        "port": service.port.unwrap_or(defaults::PORT),
        "healthPath": service.health_path.as_deref().unwrap_or(defaults::HEALTH_PATH),
        "databases": serde_json::Map::from_iter(databases),
        "builds": file.builds(registry.as_deref()),
        "config": config.json(),
    })
}

/// The same as outputs of a step. What is built is told of the first image beside the list of all, as callers with one
/// image know it.
fn outputs(config: &Config, facts: &Value) -> Vec<(&'static str, String)> {
    let text = |value: &Value| match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let first = &facts["builds"][0];
    let mut outputs = vec![
        ("valid", "true".to_owned()),
        ("project-id", config.file.project_id.clone()),
        ("namespace", text(&facts["namespace"])),
        ("preview-url", text(&facts["url"])),
        ("app-port", text(&facts["port"])),
        ("health-path", text(&facts["healthPath"])),
        ("image-context", text(&first["context"])),
        ("image-dockerfile", text(&first["dockerfile"])),
        ("config-json", facts["config"].to_string()),
        ("builds", facts["builds"].to_string()),
    ];
    for (kind, output) in DatabaseKind::ALL.into_iter().zip([
        "postgresql-enabled",
        "mongodb-enabled",
        "redis-enabled",
        "minio-enabled",
        "mariadb-enabled",
    ]) {
        outputs.push((output, text(&facts["databases"][kind.name()])));
    }
    outputs
}
