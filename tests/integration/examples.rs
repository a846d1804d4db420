//! Every example is valid, and between them they show every key.

use std::{collections::BTreeSet, fs, path::PathBuf};

use k8s_ee::config::{Config, Source, schema::schema};
use serde_json::Value;

use crate::common::{k8s_ee, read, root};

/// The `k8s-ee.yaml` of every folder in `examples/`.
fn examples() -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join("examples")).expect("the examples can be listed");
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an example can be read").path())
        .filter(|path| path.is_dir())
        .map(|folder| folder.join("k8s-ee.yaml"))
        .collect();
    files.sort();
    files
}

#[test]
fn every_example_is_valid_plannable_and_described() {
    let examples = examples();
    assert!(examples.len() >= 3, "{examples:?}");
    for file in &examples {
        let text =
            fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let folder = file.parent().expect("a file is in a folder");
        let with_files = |args: &[&str]| {
            let run = k8s_ee(args).file("k8s-ee.yaml", &text);
            let config = Config::parse(Source::new("k8s-ee.yaml", text.as_str()));
            let config = config.unwrap_or_else(|invalid| panic!("{:?}", invalid.problems));
            let seeds = config.file.seeds();
            let files = seeds.iter().filter_map(|seed| seed.seed.file.as_deref());
            files.fold(run, |run, name| {
                let text = fs::read_to_string(folder.join(name)).expect("a file of the example");
                run.file(name, &text)
            })
        };
        let printed = with_files(&["validate"]).exits(0);
        assert_eq!(
            printed.stderr,
            "k8s-ee.yaml is valid\n",
            "{}",
            file.display()
        );
        let plan = with_files(&["plan", "--offline", "--pr", "7"]).exits(0);
        assert!(
            plan.stdout.contains(" to create, 0 to update"),
            "{}",
            plan.both()
        );
        let page = file.with_file_name("README.md");
        assert!(page.exists(), "{} is missing", page.display());
    }
}

#[test]
fn all_keys_shows_every_key() {
    let schema = schema();
    let mut shown = BTreeSet::new();
    for file in [
        "examples/all-keys/k8s-ee.yaml",
        "examples/all-keys/short-form.yaml",
    ] {
        let config = Config::parse(Source::new(file, read(file)));
        let config = config.unwrap_or_else(|invalid| panic!("{:?}", invalid.problems));
        let value = serde_json::to_value(&config.file).expect("a configuration is JSON");
        shown_keys(&schema, &schema, "root", &value, &mut shown);
    }
    let mut known = keys_of("root", &schema);
    for (name, definition) in schema["definitions"]
        .as_object()
        .expect("the schema has definitions")
    {
        known.extend(keys_of(name, definition));
    }
    assert!(known.len() > 60, "only {} keys found", known.len());
    let missing: Vec<&(String, String)> = known.difference(&shown).collect();
    assert!(
        missing.is_empty(),
        "examples/all-keys does not show {missing:?}"
    );
}

fn keys_of(definition: &str, schema: &Value) -> BTreeSet<(String, String)> {
    let properties = schema["properties"].as_object().into_iter().flatten();
    properties
        .map(|(key, _)| (definition.to_owned(), key.clone()))
        .collect()
}

/// The keys of `value`, each with the definition that it is a property of.
fn shown_keys(
    root: &Value,
    schema: &Value,
    definition: &str,
    value: &Value,
    shown: &mut BTreeSet<(String, String)>,
) {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.trim_start_matches("#/definitions/");
        shown_keys(root, &root["definitions"][name], name, value, shown);
    }
    for word in ["allOf", "anyOf"] {
        for branch in schema[word].as_array().into_iter().flatten() {
            shown_keys(root, branch, definition, value, shown);
        }
    }
    for (key, member) in value.as_object().into_iter().flatten() {
        if let Some(property) = schema["properties"].get(key) {
            shown.insert((definition.to_owned(), key.clone()));
            shown_keys(root, property, definition, member, shown);
        } else if schema["additionalProperties"].is_object() {
            shown_keys(
                root,
                &schema["additionalProperties"],
                definition,
                member,
                shown,
            );
        }
    }
    for item in value.as_array().into_iter().flatten() {
        shown_keys(root, &schema["items"], definition, item, shown);
    }
}
