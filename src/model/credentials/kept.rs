//! Credentials that are there already: kept, completed where a key is missing, or renewed with every key in agreement.
//!
//! What a Secret holds is decided in one place, which asks for each password by the key it stands under; here it is told
//! the one that is there, or a new one.

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, convert::Infallible};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Value, json};

use super::{Password, secrets};
use crate::config::databases::mongodb::secret_name;
use crate::model::{
    Database, DatabaseKind, Environment, Mode, labels,
    object::{COMPONENT_LABEL, Object, ObjectId},
};

/// The Secrets of an environment, fitted to those that are there.
#[derive(Clone, Debug, Default)]
pub struct Fitted {
    /// Those that are not there yet.
    pub missing: Vec<Object>,
    /// For those that are there: the keys that have to be written, and nothing else.
    pub completions: Vec<Object>,
    /// When the values of a Secret last changed after pods had read them, by its name; RFC 3339.
    pub changed_at: BTreeMap<String, String>,
}

/// Characters from which on a password is taken for nothing else where it stands in a text that others wrote.
const UNMISTAKABLE: usize = 12;

/// Values of a Secret by key.
type Values = BTreeMap<String, String>;

/// What is there, as the API server gives it.
type Live = BTreeMap<ObjectId, Object>;

/// Fits the Secrets of an environment to those that are there. A password that is there is kept. In a Secret that was
/// made for this environment, what is derived from the file and the password follows them; one that somebody else made
/// gets the keys it lacks. `now` is the time to note where values change.
///
/// # Errors
/// When the source of passwords fails.
pub fn fit<E>(
    environment: &Environment,
    release: &str,
    live: &Live,
    now: &str,
    mut password: impl FnMut() -> Result<Password, E>,
) -> Result<Fitted, E> {
    let there: BTreeMap<&str, &Object> = by_name(live);
    let wanted = secrets(environment, release, |secret, key| {
        match there
            .get(secret)
            .and_then(|secret| stored(secret).remove(key))
        {
            Some(old) if !old.is_empty() => Ok(Password::existing(old)),
            _ => password(),
        }
    })?;
    let mut fitted = Fitted::default();
    for secret in wanted {
        let wanted = written(&secret);
        let Some(old) = there.get(secret.name()) else {
            fitted.missing.push(secret);
            continue;
        };
        let (values, ours) = (stored(old), is_ours(old));
        let differs = |key: &str, value: &String| values.get(key).is_some_and(|old| old != value);
        let changes = ours && wanted.iter().any(|(key, value)| differs(key, value));
        // Pods that lacked a key could not start, so that there are none to replace.
        let changed = changes.then_some(now);
        let to_write: Values = wanted
            .into_iter()
            .filter(|(key, value)| !values.contains_key(key) || ours && differs(key, value))
            .collect();
        if !to_write.is_empty() {
            fitted
                .completions
                .push(completion(&secret, &to_write, changed));
        }
        if let Some(time) = changed.or(old.annotation(labels::CHANGED_AT)) {
            let name = secret.name().to_owned();
            fitted.changed_at.insert(name, time.to_owned());
        }
    }
    Ok(fitted)
}

/// New passwords for some databases of an environment: all keys of their Secrets, those that others have added
/// included. `now` is noted as the time of the change.
///
/// # Errors
/// When the source of passwords fails.
pub fn renew<E>(
    environment: &Environment,
    release: &str,
    kinds: &[DatabaseKind],
    live: &Live,
    now: &str,
    mut password: impl FnMut() -> Result<Password, E>,
) -> Result<Vec<Object>, E> {
    let there: BTreeMap<&str, &Object> = by_name(live);
    let mut replaced: Vec<(String, String)> = Vec::new();
    let fresh = secrets(environment, release, |secret, key| {
        let new = password()?;
        let old = there
            .get(secret)
            .and_then(|secret| stored(secret).remove(key));
        replaced.extend(
            old.filter(|old| old.len() >= UNMISTAKABLE)
                .map(|old| (old, new.0.clone())),
        );
        Ok(new)
    })?;
    let of_kinds = fresh.into_iter().filter(|secret| {
        kinds
            .iter()
            .any(|kind| secret.component() == Some(kind.name()))
    });
    Ok(of_kinds
        .map(|secret| {
            let mut values = written(&secret);
            let there = there.get(secret.name()).map(|secret| stored(secret));
            for (key, text) in there.unwrap_or_default() {
                let renewed = replaced.iter();
                let renewed = renewed.fold(text, |text, (old, new)| text.replace(old, new));
                values.entry(key).or_insert(renewed);
            }
            completion(&secret, &values, Some(now))
        })
        .collect())
}

/// The database that a Secret has the credentials of, by its label or by the name that applications know.
#[must_use]
pub fn database_of(secret: &Object) -> Option<DatabaseKind> {
    if secret.kind() != "Secret" {
        return None;
    }
    let labelled = |kind: &DatabaseKind| secret.component() == Some(kind.name());
    let named = |kind: &DatabaseKind| {
        let rest = secret.name().strip_prefix(&format!("app-{kind}-"));
        rest.is_some_and(|rest| match kind {
            DatabaseKind::Postgresql => rest == "app",
            DatabaseKind::Mongodb => rest == "password" || rest.starts_with("admin-"),
            DatabaseKind::Redis | DatabaseKind::Minio | DatabaseKind::Mariadb => rest == "secret",
        })
    };
    let all = DatabaseKind::ALL;
    all.into_iter()
        .find(labelled)
        .or_else(|| all.into_iter().find(named))
}

/// The databases of an environment that ask for credentials, in the order in which they are printed.
#[must_use]
pub fn databases(environment: &Environment, release: &str) -> Vec<DatabaseKind> {
    let nothing = |_: &str, _: &str| Ok::<_, Infallible>(Password(String::new()));
    let secrets = match secrets(environment, release, nothing) {
        Ok(secrets) => secrets,
        Err(never) => match never {},
    };
    let has = |kind: &DatabaseKind| secrets.iter().any(|s| s.component() == Some(kind.name()));
    DatabaseKind::ALL.into_iter().filter(has).collect()
}

/// The Secrets that the operators of an environment make of the passwords that they are given: each with the Secret that
/// has its password.
#[must_use]
pub fn made_by_operators(environment: &Environment, release: &str) -> Vec<(String, String)> {
    let operated = |database: &&Database| {
        (database.kind, database.mode) == (DatabaseKind::Mongodb, Mode::Operator)
    };
    let Some(database) = environment.databases.iter().find(operated) else {
        return Vec::new();
    };
    let name = format!("{release}-{}", database.kind);
    let own = database.options["username"].as_str().unwrap_or("app");
    let more = database.options["users"].as_array().into_iter().flatten();
    let more = more.filter_map(|user| user["name"].as_str()).map(|user| {
        let password = secret_name(&format!("{name}-password"), user);
        (secret_name(&format!("{name}-admin"), user), password)
    });
    let own = (
        secret_name(&format!("{name}-admin"), own),
        format!("{name}-password"),
    );
    std::iter::once(own).chain(more).collect()
}

/// The values of a Secret that is there, by key; those that are no text are left out.
#[must_use]
pub fn stored(secret: &Object) -> BTreeMap<String, String> {
    let data = secret.get("/data").and_then(Value::as_object);
    data.into_iter()
        .flatten()
        .filter_map(|(key, value)| {
            let bytes = BASE64.decode(value.as_str()?).ok()?;
            Some((key.clone(), String::from_utf8(bytes).ok()?))
        })
        .collect()
}

/// Notes in the pod templates that read one of the Secrets when its values last changed, so that their pods are replaced
/// by ones that read the new values.
pub fn stamp(objects: &mut [Object], changed_at: &BTreeMap<String, String>) {
    for object in objects {
        if !matches!(object.kind(), "Deployment" | "StatefulSet") {
            continue;
        }
        let latest = changed_at
            .iter()
            .filter(|(name, _)| reads(object, name))
            .map(|(_, time)| time.clone())
            .max();
        if let Some(time) = latest {
            let metadata = &mut object.as_map_mut()["spec"]["template"]["metadata"];
            metadata["annotations"][labels::CREDENTIALS] = time.into();
        }
    }
}

/// Whether the pods of a workload read a Secret.
#[must_use]
pub fn reads(workload: &Object, secret: &str) -> bool {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let Some(spec) = workload.get("/spec/template/spec") else {
        return false;
    };
    let containers = ["containers", "initContainers"].map(|key| list(&spec[key]));
    let by_variables = containers.iter().flatten().any(|container| {
        let one = |variable: &Value| variable["valueFrom"]["secretKeyRef"]["name"] == secret;
        let all = |source: &Value| source["secretRef"]["name"] == secret;
        list(&container["env"]).iter().any(one) || list(&container["envFrom"]).iter().any(all)
    });
    let by_volumes = list(&spec["volumes"]).iter().any(|volume| {
        let part = |source: &Value| source["secret"]["name"] == secret;
        volume["secret"]["secretName"] == secret
            || list(&volume["projected"]["sources"]).iter().any(part)
    });
    by_variables || by_volumes
}

fn by_name(live: &Live) -> BTreeMap<&str, &Object> {
    let secrets = live.values().filter(|object| object.kind() == "Secret");
    secrets.map(|secret| (secret.name(), secret)).collect()
}

/// Made for this environment, by this program.
fn is_ours(secret: &Object) -> bool {
    secret.component().is_some() && secret.label(labels::PROJECT_ID).is_some()
}

/// The values of a Secret that was made here, by key.
fn written(secret: &Object) -> Values {
    let data = secret.get("/stringData").and_then(Value::as_object);
    data.into_iter()
        .flatten()
        .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
        .collect()
}

/// A Secret with these keys only. It says which database it is of, and nothing else that would make it ours.
fn completion(secret: &Object, values: &Values, changed_at: Option<&str>) -> Object {
    let data: BTreeMap<&String, String> = values
        .iter()
        .map(|(key, value)| (key, BASE64.encode(value)))
        .collect();
    let mut completion = Object::new(json!({
        "apiVersion": secret.api_version(),
        "kind": secret.kind(),
        "metadata": {
            "name": secret.name(),
            "namespace": secret.namespace(),
            "labels": {COMPONENT_LABEL: secret.component()},
        },
        "data": data,
    }))
    .expect("a Secret with a name");
    if let Some(time) = changed_at {
        completion.set_annotation(labels::CHANGED_AT, time);
    }
    completion
}
