//! What to do about a key that is not known where it stands.

use serde_json::Value;

use super::{
    pointer,
    schema::COMPILED,
    shape::resolve,
    words::{list, nearest, shorten},
};

/// Root keys that the design of the format sets aside for later versions.
const LATER: &[&str] = &["overlay", "profiles"];

/// Words that other tools have for keys of ours.
const SYNONYMS: &[(&str, &str)] = &[
    ("containers", "services"),
    ("entrypoint", "command"),
    ("environment", "env"),
    ("healthcheck", "healthPath"),
    ("mysql", "mariadb"),
    ("name", "projectId"),
    ("owner", "username"),
    ("pg", "postgresql"),
    ("postInitSQL", "initSQL"),
    ("replicas", "instances"),
    ("replicas", "members"),
    ("s3", "minio"),
    ("tag", "version"),
    ("user", "owner"),
    ("user", "username"),
    ("username", "owner"),
];

/// Options that databases had on the platform before this one, or that other charts have, with what to do in their place.
const GONE: &[(&str, &str)] = &[
    ("agent", "MongoDB runs without an agent; remove it"),
    (
        "containerSecurityContext",
        "pods keep to Pod Security `restricted` by themselves; remove it",
    ),
    (
        "fullnameOverride",
        "objects of databases have fixed names; remove it",
    ),
    (
        "nameOverride",
        "objects of databases have fixed names; remove it",
    ),
    (
        "password",
        "passwords are generated and kept, and services get them as variables; remove it",
    ),
    ("readiness", "it never had an effect; remove it"),
    (
        "securityContext",
        "pods keep to Pod Security `restricted` by themselves; remove it",
    ),
    ("servers", "MinIO is one server with one volume; remove it"),
    (
        "tcpSocket",
        "a database is up when it can be logged in to; remove it",
    ),
    (
        "timeoutSeconds",
        "how long one question may take is fixed; write `failureThreshold` times `periodSeconds` for the whole start",
    ),
    (
        "volumesPerServer",
        "MinIO is one server with one volume; remove it",
    ),
];

/// The keys that a part of the schema has.
pub(super) fn of(schema: &Value) -> Vec<&str> {
    let properties = schema["properties"].as_object();
    properties
        .map(|properties| properties.keys().map(String::as_str).collect())
        .unwrap_or_default()
}

/// Message and hint for an unknown key in `parent`, whose part of the schema is given.
pub(super) fn unknown(parent: &str, key: &str, schema: &Value) -> (String, Option<String>) {
    let shown = shorten(key);
    let message = if parent.is_empty() {
        format!("unknown key `{shown}`")
    } else {
        format!("unknown key `{shown}` in `{}`", pointer::path(parent))
    };
    let known = of(schema);
    let synonym = SYNONYMS
        .iter()
        .find(|(word, ours)| *word == key && known.contains(ours))
        .map(|(_, ours)| *ours);
    let hint = if parent.is_empty() && LATER.contains(&key) {
        format!("this version of k8s-ee does not support `{shown}` yet; remove it")
    } else if let Some(instead) = gone(parent, key) {
        instead.to_owned()
    } else if let Some(belongs) = elsewhere(parent, key, schema) {
        belongs
    } else if let Some(meant) = synonym.or_else(|| nearest(key, known.iter().copied())) {
        format!("did you mean `{meant}`?")
    } else {
        format!("allowed here: {}", list(&known, "and"))
    };
    (message, Some(hint))
}

/// What to do in place of an option that databases no longer have.
fn gone(parent: &str, key: &str) -> Option<&'static str> {
    let of_a_database = parent.starts_with("/databases/");
    let (_, instead) = GONE.iter().find(|(known, _)| *known == key)?;
    of_a_database.then_some(*instead)
}

/// Where a key belongs that is known in another place.
fn elsewhere(parent: &str, key: &str, schema_of_parent: &Value) -> Option<String> {
    let schema = &COMPILED.schema;
    let is_of = |definition: &str| {
        schema["definitions"][definition]["properties"]
            .get(key)
            .is_some()
    };
    let only_services = || {
        format!(
            "only the general form has it: write `services.app.{key}`, and move what is said of the service there"
        )
    };
    let in_resources = parent.ends_with("/resources");
    match parent {
        "" if is_of("App") => Some(format!("write it under `app`, as `app.{key}`")),
        "" if is_of("Databases") => {
            Some(format!("write it under `databases`, as `databases.{key}`"))
        }
        "" | "/app" if is_of("Service") && schema["properties"].get(key).is_none() => {
            Some(only_services())
        }
        "/app" if schema["properties"].get(key).is_some() => {
            Some("it belongs beside `app`, not under it".to_owned())
        }
        _ if in_resources && is_of("ResourceAmounts") => {
            Some("write it under `requests` or `limits`".to_owned())
        }
        _ if key == "app" && parent.starts_with("/services/") => {
            Some("write what is in it directly under the service".to_owned())
        }
        _ if parent.starts_with("/databases/") => {
            let (home, _) = schema_of_parent["properties"]
                .as_object()?
                .iter()
                .find(|(_, part)| has_key(part, key))?;
            Some(format!("write it under `{home}`, as `{home}.{key}`"))
        }
        _ => None,
    }
}

/// Whether a map that a part of the schema describes, in one of its forms, has a key.
fn has_key(part: &Value, key: &str) -> bool {
    let part = resolve(part);
    let forms = part["anyOf"].as_array().into_iter().flatten();
    part["properties"].get(key).is_some() || forms.into_iter().any(|form| has_key(form, key))
}
