//! The published schema is the one that the types make.

use std::{env, fs, path::Path};

use k8s_ee::config::schema::schema;

#[test]
fn the_committed_schema_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/k8s-ee.schema.json");
    let fresh = serde_json::to_string_pretty(&schema()).expect("JSON can be written") + "\n";
    if env::var_os("UPDATE_GENERATED").is_some() {
        fs::write(&path, &fresh).expect("the schema can be written");
        return;
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == fresh,
        "schema/k8s-ee.schema.json is stale; run `UPDATE_GENERATED=1 cargo test the_committed_schema` and commit it"
    );
}

#[test]
fn the_schema_is_a_valid_draft_7_schema() {
    let schema = schema();
    assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
    assert!(jsonschema::draft7::meta::is_valid(&schema));
}

/// Examples and defaults are what users copy.
#[test]
fn examples_and_defaults_are_valid() {
    let schema = schema();
    let mut checked = 0;
    check(&schema, &schema, &mut checked);
    assert!(checked > 30, "only {checked} examples and defaults found");
}

fn check(root: &serde_json::Value, part: &serde_json::Value, checked: &mut usize) {
    use serde_json::Value;
    match part {
        Value::Object(members) => {
            let mut alone = part.clone();
            alone["definitions"] = root["definitions"].clone();
            let examples = members
                .get("examples")
                .and_then(Value::as_array)
                .into_iter()
                .flatten();
            for value in examples.chain(members.get("default")) {
                *checked += 1;
                assert!(
                    jsonschema::draft7::is_valid(&alone, value),
                    "{value} does not fit {part}"
                );
            }
            members
                .values()
                .for_each(|member| check(root, member, checked));
        }
        Value::Array(items) => items.iter().for_each(|item| check(root, item, checked)),
        _ => {}
    }
}
