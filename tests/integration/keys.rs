//! Every key of the schema changes what is rendered, or what is built: none is only accepted.

mod databases;
mod services;

use std::{collections::BTreeMap, collections::BTreeSet, process::Command};

use serde_json::{Value, json};

/// A key of the schema, as a pointer with `*` for names; a file in which it can be set; and the values to go from and
/// to.
struct Case {
    key: String,
    base: Value,
    at: String,
    to: Value,
}

fn short() -> Value {
    json!({"projectId": "shop", "image": "acme/shop:1", "metrics": {"enabled": true}})
}

fn general() -> Value {
    json!({"projectId": "shop", "services": {
        "app": {"image": "acme/shop:1", "public": true, "replicas": 2, "metrics": {"enabled": true}},
        "api": {"image": "acme/api:1"},
    }})
}

fn built() -> Value {
    json!({"projectId": "shop", "services": {
        "app": {"image": {"context": "."}}, "api": {"image": {"repository": "acme/api"}}}})
}

fn with(mut file: Value, at: &str, value: Value) -> Value {
    let mut place = &mut file;
    for token in at.split('/').skip(1) {
        if place.is_null() {
            *place = json!({});
        }
        place = match place {
            Value::Array(list) => {
                let index: usize = token.parse().expect("an index");
                if index == list.len() {
                    list.push(Value::Null);
                }
                &mut list[index]
            }
            other => &mut other[token],
        };
    }
    *place = value;
    file
}

/// All of them.
fn cases() -> Vec<Case> {
    let mut cases = services::cases();
    cases.extend(databases::cases());
    cases
}

/// What `render`, and for the order of starting `plan`, make of a file.
fn made_of(file: &Value) -> String {
    let dir = tempfile::tempdir().expect("a temporary directory");
    for (name, text) in [
        ("k8s-ee.yaml", file.to_string()),
        ("a.sql", "SELECT 1;".to_owned()),
        ("b.sql", "SELECT 2;".to_owned()),
    ] {
        std::fs::write(dir.path().join(name), text).expect("written");
    }
    let run = |args: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_k8s-ee"))
            .args(args)
            .current_dir(dir.path())
            .env("K8S_EE_LOG", "")
            .output()
            .expect("the binary starts");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {stderr}\n{file:#}");
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let rendered: String = run(&["render", "--pr", "1"])
        .lines()
        .filter(|line| !line.contains("k8s-ee/created-at") && !line.contains("k8s-ee/last-updated"))
        .map(|line| format!("{line}\n"))
        .collect();
    rendered + &run(&["plan", "--pr", "1", "--offline"])
}

#[test]
fn every_key_changes_what_is_made() {
    let mut made: BTreeMap<String, String> = BTreeMap::new();
    let mut without_effect = Vec::new();
    for case in cases() {
        let before = made
            .entry(case.base.to_string())
            .or_insert_with(|| made_of(&case.base))
            .clone();
        let changed = with(case.base, &case.at, case.to);
        if made_of(&changed) == before {
            without_effect.push(case.key);
        }
    }
    assert!(
        without_effect.is_empty(),
        "these keys change nothing: {without_effect:#?}"
    );
}

/// Keys that say how an image is built. They act in the step that builds it, before `k8s-ee` is given the image.
const OF_THE_BUILD: [&str; 4] = [
    "/image/context",
    "/image/dockerfile",
    "/services/*/image/context",
    "/services/*/image/dockerfile",
];

/// Keys that only take one value as long as no operator runs the database, the one that is the default.
const OF_OPERATORS: [&str; 2] = [
    "/databases/postgresql/instances",
    "/databases/mongodb/members",
];

/// Keys that say which pull requests get an environment. They act in `k8s-ee pr`; `github/pr.rs` tries each of them.
const OF_THE_TRIGGER: &str = "/trigger";

#[test]
fn every_key_of_the_schema_is_tried() {
    let schema = k8s_ee::config::schema::schema();
    let mut keys = BTreeSet::new();
    collect(&schema, &schema, "", &mut keys);
    assert!(
        keys.len() > 60,
        "the schema is not read as it is meant: {keys:?}"
    );
    let tried: BTreeSet<String> = cases().into_iter().map(|case| case.key).collect();
    let missing: Vec<&String> = keys
        .iter()
        .filter(|key| !tried.contains(*key))
        .filter(|key| !key.starts_with(OF_THE_TRIGGER))
        .filter(|key| !OF_THE_BUILD.contains(&key.as_str()))
        .filter(|key| !OF_OPERATORS.contains(&key.as_str()))
        .collect();
    assert!(
        missing.is_empty(),
        "no case changes these keys: {missing:#?}"
    );
}

/// The keys of the schema that hold a value: pointers with `*` where names and list items stand.
fn collect(root: &Value, schema: &Value, at: &str, keys: &mut BTreeSet<String>) {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = root
            .pointer(reference.trim_start_matches('#'))
            .expect("references resolve");
        collect(root, target, at, keys);
    }
    for choice in ["allOf", "anyOf", "oneOf"] {
        for one in schema[choice].as_array().into_iter().flatten() {
            collect(root, one, at, keys);
        }
    }
    for (name, below) in schema["properties"].as_object().into_iter().flatten() {
        collect(root, below, &format!("{at}/{name}"), keys);
    }
    for many in ["additionalProperties", "items"] {
        if schema[many].is_object() {
            collect(root, &schema[many], &format!("{at}/*"), keys);
        }
    }
    let types = &schema["type"];
    let scalar = |name: &str| ["string", "integer", "number", "boolean"].contains(&name);
    let holds_a_value = types.as_str().is_some_and(scalar)
        || types
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .any(scalar);
    if holds_a_value {
        keys.insert(at.to_owned());
    }
}
