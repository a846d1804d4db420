//! The JSON Schema of `k8s-ee.yaml`, generated from its types: published for editors, and what the loader checks with.

use std::sync::LazyLock;

use jsonschema::{PatternOptions, Validator};
use schemars::{Schema, generate::SchemaSettings, transform::RecursiveTransform};
use serde_json::{Map, Value, json};

use super::{file::File, patterns};

/// Where the schema is published.
const ID: &str = concat!(
    env!("CARGO_PKG_REPOSITORY"),
    "/raw/main/schema/k8s-ee.schema.json"
);

/// The schema of `k8s-ee.yaml`, draft-07.
///
/// Beside the standard keywords it has `patternErrorMessage`, which editors show when a pattern does not match.
#[must_use]
pub fn schema() -> Value {
    let mut settings = SchemaSettings::draft07();
    // Before the transforms of the draft, which tidy up what these leave.
    settings
        .transforms
        .insert(0, Box::new(RecursiveTransform(without_null)));
    settings
        .transforms
        .insert(1, Box::new(RecursiveTransform(without_format)));
    settings
        .transforms
        .insert(2, Box::new(RecursiveTransform(with_words)));
    settings
        .transforms
        .insert(3, Box::new(RecursiveTransform(on_one_line)));
    let generated = settings.into_generator().into_root_schema_for::<File>();

    let mut schema = Map::new();
    schema.insert(
        "$schema".to_owned(),
        json!("http://json-schema.org/draft-07/schema#"),
    );
    schema.insert("$id".to_owned(), json!(ID));
    if let Value::Object(members) = generated.to_value() {
        for (key, value) in members {
            schema.entry(key).or_insert(value);
        }
    }
    Value::Object(schema)
}

/// The schema, ready to check with.
pub(super) struct Compiled {
    pub(super) schema: Value,
    pub(super) validator: Validator,
}

/// Compiled on first use.
pub(super) static COMPILED: LazyLock<Compiled> = LazyLock::new(|| {
    let schema = schema();
    let validator = jsonschema::draft7::options()
        // Linear in the text, whatever the text.
        .with_pattern_options(PatternOptions::regex())
        .build(&schema)
        .expect("the schema generated from our types is valid; a test compiles it");
    Compiled { schema, validator }
});

/// An optional key is left out, not null: `Option` is serde's word for that, and the schema need not repeat it.
fn without_null(schema: &mut Schema) {
    let Some(members) = schema.as_object_mut() else {
        return;
    };
    if let Some(Value::Array(types)) = members.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            members.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(branches)) = members.get_mut("anyOf") {
        branches.retain(|branch| branch != &json!({"type": "null"}));
        if let [Value::Object(only)] = branches.as_slice() {
            let only = only.clone();
            members.shift_remove("anyOf");
            for (key, value) in only {
                members.entry(key).or_insert(value);
            }
        }
    }
}

/// Formats such as `uint16` are schemars' own; checkers that do not know them complain.
fn without_format(schema: &mut Schema) {
    schema.remove("format");
}

fn with_words(schema: &mut Schema) {
    let words = schema
        .get("pattern")
        .and_then(Value::as_str)
        .and_then(patterns::in_words);
    if let Some(words) = words {
        let message = match sample(schema.as_value()) {
            Some(sample) => format!("must be {words}, such as `{sample}`"),
            None => format!("must be {words}"),
        };
        schema.insert("patternErrorMessage".to_owned(), json!(message));
    }
}

/// A text that a part of the schema takes: its first example, or its default.
pub(super) fn sample(schema: &Value) -> Option<&str> {
    schema["examples"][0]
        .as_str()
        .or_else(|| schema["default"].as_str())
}

/// Doc comments are wrapped for people who read the code; editors wrap for themselves.
fn on_one_line(schema: &mut Schema) {
    if let Some(Value::String(description)) = schema.get_mut("description") {
        *description = description.replace('\n', " ");
    }
}

/// One key out of several: as an object with at most and at least one member, so that editors complete its keys and a
/// wrong key is told by its name. serde's enums come as a `oneOf` of objects with one key each.
pub(super) fn one_key(schema: &mut Schema) {
    let Some(Value::Array(branches)) = schema.remove("oneOf") else {
        return;
    };
    let mut properties = Map::new();
    for branch in branches {
        let description = branch.get("description").cloned();
        let Some(Value::Object(members)) = branch.get("properties") else {
            continue;
        };
        for (key, member) in members {
            let mut member = member.clone();
            if let (Value::Object(member), Some(description)) = (&mut member, &description) {
                member.insert("description".to_owned(), description.clone());
            }
            properties.insert(key.clone(), member);
        }
    }
    schema.insert("type".to_owned(), json!("object"));
    schema.insert("properties".to_owned(), Value::Object(properties));
    schema.insert("additionalProperties".to_owned(), json!(false));
    schema.insert("minProperties".to_owned(), json!(1));
    schema.insert("maxProperties".to_owned(), json!(1));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(schema: &Value, visit: &mut impl FnMut(&Map<String, Value>)) {
        match schema {
            Value::Object(members) => {
                visit(members);
                members.values().for_each(|member| walk(member, visit));
            }
            Value::Array(items) => items.iter().for_each(|item| walk(item, visit)),
            _ => {}
        }
    }

    #[test]
    fn every_pattern_has_words() {
        let mut patterns = 0;
        walk(&schema(), &mut |members| {
            if let Some(Value::String(pattern)) = members.get("pattern") {
                patterns += 1;
                assert!(
                    members.contains_key("patternErrorMessage"),
                    "{pattern} has no words"
                );
            }
        });
        assert!(patterns > 20, "only {patterns} patterns found");
    }

    #[test]
    fn every_key_is_described() {
        walk(&schema(), &mut |members| {
            if let Some(Value::Object(properties)) = members.get("properties") {
                for (key, property) in properties {
                    assert!(
                        property.get("description").is_some(),
                        "{key} has no description"
                    );
                }
            }
        });
    }

    #[test]
    fn nothing_is_left_of_null_and_formats() {
        let text = schema().to_string();
        assert!(!text.contains("\"null\""), "{text}");
        assert!(!text.contains("\"format\""), "{text}");
    }
}
