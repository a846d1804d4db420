//! A broken environment written down, so that its diagnosis stays a test case: as it was seen, without passwords, and
//! the same whenever and wherever it was made.

use std::{collections::BTreeMap, sync::LazyLock};

use jiff::Timestamp;
use regex::{Captures, Regex};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{mask, observed::Observed};
use crate::model::Environment;

/// A broken environment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Recording {
    /// As it should be.
    pub environment: Environment,
    /// As it was seen.
    pub observed: Observed,
}

/// The project that every recording is of.
const PROJECT: &str = "shop";

/// When the newest thing in every recording happened.
const NEWEST: &str = "2026-01-01T00:00:00Z";

static TIME: LazyLock<Regex> =
    LazyLock::new(|| compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"));
static UID: LazyLock<Regex> =
    LazyLock::new(|| compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"));

fn compile(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the patterns of this file are valid: its tests compile all of them")
}

/// What is written down of an environment.
///
/// # Errors
/// When it cannot be read back: a defect of ours.
pub fn record(
    environment: &Environment,
    observed: &Observed,
) -> Result<Recording, serde_json::Error> {
    let mut document = serde_json::to_value(Recording {
        environment: environment.clone(),
        observed: observed.clone(),
    })?;
    trim(&mut document);
    let identity = &environment.identity;
    let namespace = identity.key.namespace(PROJECT);
    let shift = shift(&document);
    let mut uids: BTreeMap<String, usize> = BTreeMap::new();
    each_string(&mut document, &mut |text| {
        let masked = mask::recorded(text, &observed.secrets);
        let placed = masked
            .replace(&identity.namespace, &namespace)
            .replace(&identity.project_id, PROJECT);
        let named = UID.replace_all(&placed, |found: &Captures<'_>| {
            let next = uids.len() + 1;
            let number = *uids.entry(found[0].to_owned()).or_insert(next);
            format!("00000000-0000-0000-0000-{number:012}")
        });
        *text = TIME
            .replace_all(&named, |found: &Captures<'_>| moved(found, shift))
            .into_owned();
    });
    serde_json::from_value(document)
}

/// What a diagnosis says of a recording: the causes as people read them, and the code of the one that ends a wait.
#[must_use]
pub fn told(recording: &Recording) -> String {
    let Recording {
        environment,
        observed,
    } = recording;
    let causes = super::diagnose(environment, observed);
    let fatal = super::fatal(environment, observed);
    let fatal = fatal.map_or_else(|| "none".to_owned(), |cause| cause.code.to_string());
    format!(
        "{}\nends a wait: {fatal}\n",
        super::report::human(&causes, &|_| None)
    )
}

/// What the API server keeps for itself, and what differs from machine to machine and says nothing.
fn trim(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for key in ["managedFields", "resourceVersion", "selfLink"] {
                map.remove(key);
            }
            map.values_mut().for_each(trim);
        }
        Value::Array(list) => list.iter_mut().for_each(trim),
        _ => {}
    }
}

fn each_string(value: &mut Value, change: &mut impl FnMut(&mut String)) {
    match value {
        Value::String(text) => change(text),
        Value::Array(list) => list.iter_mut().for_each(|item| each_string(item, change)),
        Value::Object(map) => map.values_mut().for_each(|item| each_string(item, change)),
        _ => {}
    }
}

/// How far everything has to move for the newest time to be the one of all recordings.
fn shift(document: &Value) -> jiff::SignedDuration {
    let text = document.to_string();
    let times = TIME.find_iter(&text);
    let newest = times
        .filter_map(|time| time.as_str().parse::<Timestamp>().ok())
        .max();
    let target: Timestamp = NEWEST.parse().expect("it is written out above");
    newest.map_or(jiff::SignedDuration::ZERO, |newest| {
        target.duration_since(newest)
    })
}

fn moved(found: &Captures<'_>, shift: jiff::SignedDuration) -> String {
    let time = found[0].parse::<Timestamp>().ok();
    let Some(time) = time.and_then(|time| time.checked_add(shift).ok()) else {
        return found[0].to_owned();
    };
    // Events of one second keep their order: the fraction stays where there was one.
    match found.get(1) {
        Some(_) => time.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string(),
        None => time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    }
}
