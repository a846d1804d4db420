//! Hundreds of small files: each valid one is accepted, and what is said about each of the others is on record.
//!
//! `tests/corpus/` has a folder for each way to fail: `invalid-yaml` cannot be read, `invalid` does not fit the schema,
//! `invalid-beyond-schema` breaks a rule that a schema cannot say. The middle one is where editor and loader must agree;
//! that is checked with the published schema and with a YAML reader that the loader does not use.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

use k8s_ee::config::{Config, Invalid, Source, report};
use serde_json::Value;

const LEAST: usize = 200;

#[test]
fn valid_files_are_accepted() {
    for file in files("valid") {
        if let Err(invalid) = load(&file) {
            panic!(
                "{}",
                report::human(&invalid.source, &invalid.problems, false)
            );
        }
    }
}

#[test]
fn there_are_many() {
    let folders = ["valid", "invalid", "invalid-yaml", "invalid-beyond-schema"];
    let count: usize = folders.map(|folder| files(folder).len()).iter().sum();
    assert!(count >= LEAST, "only {count} files");
}

#[test]
fn what_is_said_about_invalid_files() {
    said_about("invalid");
}

#[test]
fn what_is_said_about_files_that_break_other_rules() {
    said_about("invalid-beyond-schema");
}

#[test]
fn what_is_said_about_files_that_are_no_yaml() {
    said_about("invalid-yaml");
}

/// Compares with the record: one snapshot for the files whose names begin with the same word.
fn said_about(folder: &str) {
    let mut groups: BTreeMap<String, String> = BTreeMap::new();
    for file in files(folder) {
        let name = file
            .file_stem()
            .expect("a file has a name")
            .to_string_lossy();
        let group = name
            .split('-')
            .next()
            .expect("split yields one part at least");
        let text = groups.entry(group.to_owned()).or_default();
        let Err(invalid) = load(&file) else {
            panic!("{} was accepted", file.display());
        };
        write!(text, "━━━━ {name}\n\n{}", describe(&invalid)).expect("a String takes any text");
    }
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(corpus().join("snapshots").join(folder));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for (group, text) in groups {
            insta::assert_snapshot!(group, text);
        }
    });
}

fn describe(invalid: &Invalid) -> String {
    let mut text = String::new();
    for problem in &invalid.problems {
        let shown = report::human(&invalid.source, std::slice::from_ref(problem), false);
        writeln!(text, "at \"{}\"\n{shown}", problem.pointer).expect("a String takes any text");
    }
    text
}

/// The schema's own verdict is the loader's, wherever a schema can judge.
#[test]
fn schema_and_loader_agree() {
    let schema: Value = serde_json::from_str(
        &fs::read_to_string(corpus().join("../../schema/k8s-ee.schema.json"))
            .expect("the schema is committed"),
    )
    .expect("the schema is JSON");
    let validator = jsonschema::draft7::new(&schema).expect("the schema is a schema");

    let mut disagreements = Vec::new();
    for (folder, of_schema, of_loader) in [
        ("valid", Some(true), true),
        ("invalid", Some(false), false),
        ("invalid-beyond-schema", Some(true), false),
        ("invalid-yaml", None, false),
    ] {
        for file in files(folder) {
            let read = read_apart(&file);
            let verdict = read.as_ref().ok().map(|json| validator.is_valid(json));
            let loaded = load(&file).is_ok();
            if (verdict, loaded) != (of_schema, of_loader) {
                disagreements.push(format!(
                    "{}: schema {verdict:?}, loader {loaded}, read {read:?}",
                    file.display()
                ));
            }
        }
    }
    assert!(disagreements.is_empty(), "{}", disagreements.join("\n"));
}

/// A key that comes in comes with a file that uses it, and with one that misuses it.
#[test]
fn every_key_is_in_the_corpus() {
    for folder in ["valid", "invalid"] {
        let mut used = BTreeSet::new();
        for file in files(folder) {
            if let Ok(json) = read_apart(&file) {
                add_keys(&json, &mut used);
            }
        }
        let schema = k8s_ee::config::schema::schema();
        let mut known = BTreeSet::new();
        add_properties(&schema, &mut known);
        assert!(known.len() > 50, "only {} keys found", known.len());
        let missing: Vec<&String> = known.difference(&used).collect();
        assert!(missing.is_empty(), "no {folder} file has {missing:?}");
    }
}

fn add_keys(json: &Value, keys: &mut BTreeSet<String>) {
    match json {
        Value::Object(members) => {
            keys.extend(members.keys().cloned());
            members.values().for_each(|member| add_keys(member, keys));
        }
        Value::Array(items) => items.iter().for_each(|item| add_keys(item, keys)),
        _ => {}
    }
}

fn add_properties(schema: &Value, keys: &mut BTreeSet<String>) {
    if let Some(properties) = schema["properties"].as_object() {
        keys.extend(properties.keys().cloned());
    }
    if let Some(definitions) = schema["definitions"].as_object() {
        definitions
            .values()
            .for_each(|part| add_properties(part, keys));
    }
}

/// The two readers see the same data.
#[test]
fn two_readers_read_the_same() {
    for file in files("valid") {
        let config = load(&file).expect("a valid file is accepted");
        let json = read_apart(&file).expect("a valid file can be read");
        let apart: k8s_ee::config::file::File =
            serde_json::from_value(whole_numbers(json)).expect("it has the shape of the file");
        assert_eq!(config.file, apart, "{}", file.display());
    }
}

/// Reads a file by `serde-saphyr`, which the loader does not use.
fn read_apart(file: &Path) -> Result<Value, String> {
    let text = fs::read_to_string(file).expect("the file is readable");
    let options = serde_saphyr::options! { strict_booleans: true };
    serde_saphyr::from_str_with_options(&text, options).map_err(|error| error.to_string())
}

/// `3000.0` is a whole number for JSON Schema, but not for serde.
fn whole_numbers(json: Value) -> Value {
    match json {
        Value::Number(n) => match n.as_f64() {
            Some(f) if n.is_f64() && f.fract() == 0.0 => Value::from(f as i64),
            _ => Value::Number(n),
        },
        Value::Array(items) => items.into_iter().map(whole_numbers).collect(),
        Value::Object(members) => members
            .into_iter()
            .map(|(key, value)| (key, whole_numbers(value)))
            .collect(),
        other => other,
    }
}

fn load(file: &Path) -> Result<Config, Invalid> {
    let name = file
        .file_name()
        .expect("a file has a name")
        .to_string_lossy();
    let text = fs::read_to_string(file).expect("the file is readable");
    Config::parse(Source::new(name, text))
}

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = corpus().join(folder);
    let mut files: Vec<PathBuf> = fs::read_dir(&folder)
        .expect("the folder is readable")
        .map(|entry| entry.expect("the entry is readable").path())
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{} is empty", folder.display());
    files
}

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus")
}
