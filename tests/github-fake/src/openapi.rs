//! GitHub's own description of its API, as the judge of both sides: what is asked, and what we answer.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use http::Method;
use jsonschema::{Draft, Registry, Validator};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

/// The description, cut to the operations that are served.
const TEXT: &str = include_str!("../openapi/api.github.com.json");

/// What the description is called where its parts refer to it.
const NAME: &str = "https://api.github.com/description";

/// Most entries of a page. GitHub gives no more, whatever is asked for.
const MOST_PER_PAGE: u64 = 100;

/// The description, made ready for checks.
pub(crate) struct Description {
    document: Value,
    registry: Registry<'static>,
    operations: Vec<Operation>,
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

/// One operation: a method on a path.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    method: Method,
    /// Such as `/repos/{owner}/{repo}`.
    template: String,
    /// Where it is described.
    pointer: String,
}

impl Description {
    pub(crate) fn new() -> Self {
        let mut document: Value =
            serde_json::from_str(TEXT).expect("the committed description is JSON");
        let mut operations = Vec::new();
        for (template, methods) in document["paths"].as_object().expect("it has paths") {
            for method in methods.as_object().expect("a path has methods").keys() {
                operations.push(Operation {
                    method: method.to_uppercase().parse().expect("a method of HTTP"),
                    template: template.clone(),
                    pointer: format!("/paths/{}/{method}", escape(template)),
                });
            }
        }
        // What is written out goes before what is left open: `/issues/comments/1` is not issue `comments`.
        operations.sort_by_key(|operation| operation.template.matches('{').count());
        strict(&mut document);
        let registry = Registry::new()
            .draft(Draft::Draft7)
            .add(NAME, document.clone())
            .and_then(|registry| registry.prepare())
            .expect("what the description refers to is in it");
        Self {
            document,
            registry,
            operations,
            validators: Mutex::default(),
        }
    }

    /// The operation of a request, if GitHub describes it.
    pub(crate) fn find(&self, method: &Method, path: &str) -> Option<&Operation> {
        self.operations
            .iter()
            .find(|operation| operation.method == method && fits(&operation.template, path))
    }

    /// An example of GitHub's own, by its name.
    pub(crate) fn example(&self, name: &str) -> Value {
        let example = &self.document["components"]["examples"][name]["value"];
        assert!(!example.is_null(), "GitHub has no example `{name}`");
        example.clone()
    }

    /// What is wrong with a request.
    pub(crate) fn check_request(
        &self,
        operation: &Operation,
        query: &[(String, String)],
        body: &[u8],
    ) -> Vec<String> {
        let mut wrong = Vec::new();
        let described = &self
            .document
            .pointer(&operation.pointer)
            .expect("it is described")["parameters"];
        let described: Vec<&Value> = described
            .as_array()
            .into_iter()
            .flatten()
            .map(|p| self.resolve(p))
            .collect();
        for (name, text) in query {
            let Some(parameter) = described
                .iter()
                .find(|p| p["in"] == "query" && p["name"] == name.as_str())
            else {
                wrong.push(format!("there is no parameter `{name}`"));
                continue;
            };
            let value = match parameter["schema"]["type"].as_str() {
                Some("integer") => text
                    .parse::<u64>()
                    .map_or_else(|_| json!(text), Value::from),
                Some("boolean") => text
                    .parse::<bool>()
                    .map_or_else(|_| json!(text), Value::from),
                _ => json!(text),
            };
            if name == "per_page" && value.as_u64().is_none_or(|n| n == 0 || n > MOST_PER_PAGE) {
                wrong.push(format!("`per_page` is 1 to {MOST_PER_PAGE}, not {text}"));
            }
            let schema = &parameter["schema"];
            let validator = jsonschema::draft7::new(schema).expect("a parameter's schema is one");
            wrong.extend(
                validator
                    .iter_errors(&value)
                    .map(|error| format!("parameter `{name}`: {error}")),
            );
        }
        let pointer = format!(
            "{}/requestBody/content/application~1json/schema",
            operation.pointer
        );
        match (self.document.pointer(&pointer), body) {
            (None, []) => {}
            (None, _) => wrong.push("there is a body, and none is described".to_owned()),
            (Some(_), body) => match serde_json::from_slice(body) {
                Ok(value) => wrong.extend(self.check(&pointer, &value)),
                Err(error) => wrong.push(format!("the body is not JSON: {error}")),
            },
        }
        wrong
    }

    /// What is wrong with an answer.
    pub(crate) fn check_answer(
        &self,
        operation: &Operation,
        status: u16,
        body: Option<&Value>,
    ) -> Vec<String> {
        let pointer = format!("{}/responses/{status}", operation.pointer);
        let response =
            self.document
                .pointer(&pointer)
                .map(|response| match response["$ref"].as_str() {
                    Some(reference) => reference.trim_start_matches('#').to_owned(),
                    None => pointer.clone(),
                });
        let schema = match &response {
            Some(response) => {
                let schema = format!("{response}/content/application~1json/schema");
                self.document.pointer(&schema).is_some().then_some(schema)
            }
            // GitHub describes few of the ways in which it refuses; they all look the same.
            None if status >= 400 => Some("/components/schemas/basic-error".to_owned()),
            None => return vec![format!("status {status} is not described")],
        };
        match (schema, body) {
            (None, None) => Vec::new(),
            (None, Some(_)) => vec![format!("status {status} has a body, and none is described")],
            (Some(_), None) => vec![format!("status {status} has no body, and one is described")],
            (Some(schema), Some(body)) => self.check(&schema, body),
        }
    }

    fn check(&self, pointer: &str, value: &Value) -> Vec<String> {
        let validator = self.validator(pointer);
        let errors = validator.iter_errors(value);
        errors
            .map(|error| format!("`{}`: {error}", error.instance_path()))
            .collect()
    }

    fn validator(&self, pointer: &str) -> Arc<Validator> {
        let mut validators = self.validators.lock().expect("no check panics");
        let made = validators.entry(pointer.to_owned()).or_insert_with(|| {
            let place = pointer.replace('{', "%7B").replace('}', "%7D");
            let validator = jsonschema::draft7::options()
                .should_validate_formats(true)
                .with_registry(&self.registry)
                .build(&json!({"$ref": format!("{NAME}#{place}")}))
                .unwrap_or_else(|error| panic!("{pointer} is not a schema: {error}"));
            Arc::new(validator)
        });
        Arc::clone(made)
    }

    fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        let reference = value["$ref"]
            .as_str()
            .map(|text| text.trim_start_matches('#'));
        reference.map_or(value, |pointer| {
            let target = self.document.pointer(pointer);
            target.expect("references lead somewhere")
        })
    }
}

impl std::fmt::Display for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.method, self.template)
    }
}

/// Whether a path is one of a template. Only the path of a file may have further slashes.
fn fits(template: &str, path: &str) -> bool {
    if let Some(start) = template.strip_suffix("{path}") {
        let depth = start.matches('/').count();
        let parts: Vec<&str> = path.splitn(depth + 1, '/').collect();
        return parts.len() == depth + 1
            && fits(start.trim_end_matches('/'), &parts[..depth].join("/"))
            && !parts[depth].is_empty();
    }
    let (mut wanted, mut given) = (template.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(open), Some(part)) if open.starts_with('{') && !part.is_empty() => {}
            (Some(wanted), Some(part)) if wanted == part => {}
            _ => return false,
        }
    }
}

/// The parts of a path, decoded.
pub(crate) fn segments(path: &str) -> Vec<String> {
    let parts = path.trim_start_matches('/').split('/');
    parts
        .map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned())
        .collect()
}

fn escape(text: &str) -> String {
    text.replace('~', "~0").replace('/', "~1")
}

/// OpenAPI 3.0 in the words of JSON Schema, and no field allowed that is not described: so neither side makes one up.
fn strict(value: &mut Value) {
    match value {
        Value::Object(members) => {
            if members.remove("nullable") == Some(Value::Bool(true)) {
                nullable(members);
            }
            // Where GitHub says nothing unless it was told, that is what it says.
            if members.get("default") == Some(&json!("")) {
                members.remove("format");
            }
            let closes = members.get("properties").is_some_and(Value::is_object);
            if closes && !members.contains_key("additionalProperties") {
                members.insert("additionalProperties".to_owned(), false.into());
            }
            for (key, value) in members {
                if key == "properties" {
                    value
                        .as_object_mut()
                        .into_iter()
                        .flatten()
                        .for_each(|(_, value)| strict(value));
                } else if !matches!(key.as_str(), "example" | "examples" | "default") {
                    strict(value);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(strict),
        _ => {}
    }
}

fn nullable(schema: &mut Map<String, Value>) {
    match schema.get_mut("type") {
        Some(Value::String(kind)) => {
            let kind = kind.clone();
            schema.insert("type".to_owned(), json!([kind, "null"]));
            if let Some(Value::Array(values)) = schema.get_mut("enum") {
                values.push(Value::Null);
            }
        }
        _ => {
            let bare = std::mem::take(schema);
            schema.insert("anyOf".to_owned(), json!([bare, {"type": "null"}]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_told_apart() {
        let description = Description::new();
        let found = |method: Method, path: &str| {
            description
                .find(&method, path)
                .map(|found| found.template.clone())
        };
        assert_eq!(
            found(Method::GET, "/repos/acme/shop/issues/7/comments").as_deref(),
            Some("/repos/{owner}/{repo}/issues/{issue_number}/comments")
        );
        assert_eq!(
            found(Method::PATCH, "/repos/acme/shop/issues/comments/9").as_deref(),
            Some("/repos/{owner}/{repo}/issues/comments/{comment_id}")
        );
        assert_eq!(
            found(Method::GET, "/repos/acme/shop/contents/deploy/k8s-ee.yaml").as_deref(),
            Some("/repos/{owner}/{repo}/contents/{path}")
        );
        assert_eq!(found(Method::GET, "/repos/acme/shop/contents/"), None);
        assert_eq!(
            found(Method::PUT, "/repos/acme/shop/issues/7/comments"),
            None
        );
        assert_eq!(found(Method::GET, "/repos/acme/shop/"), None);
    }

    #[test]
    fn a_request_that_github_does_not_describe_is_wrong() {
        let description = Description::new();
        let list = description
            .find(&Method::GET, "/repos/acme/shop/issues/7/comments")
            .expect("described");
        let query = |name: &str, value: &str| {
            description.check_request(list, &[(name.to_owned(), value.to_owned())], b"")
        };
        assert_eq!(query("per_page", "100"), [""; 0]);
        assert_eq!(
            query("per_page", "101"),
            ["`per_page` is 1 to 100, not 101"]
        );
        assert_eq!(query("perpage", "100"), ["there is no parameter `perpage`"]);
        assert_eq!(query("page", "two").len(), 1);
        assert_eq!(
            description.check_request(list, &[], b"{}"),
            ["there is a body, and none is described"]
        );

        let create = description
            .find(&Method::POST, "/repos/acme/shop/issues/7/comments")
            .expect("described");
        assert_eq!(
            description.check_request(create, &[], br#"{"body": "x"}"#),
            [""; 0]
        );
        assert_eq!(
            description
                .check_request(create, &[], br#"{"text": "x"}"#)
                .len(),
            2
        );
        assert_eq!(description.check_request(create, &[], b"x").len(), 1);
    }

    #[test]
    fn an_answer_that_github_does_not_describe_is_wrong() {
        let description = Description::new();
        let create = description
            .find(&Method::POST, "/repos/acme/shop/issues/7/comments")
            .expect("described");
        let refused = json!({"message": "Not Found", "documentation_url": "https://docs.github.com", "status": "404"});
        assert_eq!(
            description.check_answer(create, 404, Some(&refused)),
            [""; 0]
        );
        // Not described for this operation, but all refusals look the same.
        assert_eq!(
            description.check_answer(create, 401, Some(&refused)),
            [""; 0]
        );
        assert_eq!(
            description
                .check_answer(create, 401, Some(&json!({"error": "x"})))
                .len(),
            1
        );
        assert_eq!(
            description.check_answer(create, 200, Some(&refused)),
            ["status 200 is not described"]
        );
        assert!(description.check_answer(create, 201, Some(&refused)).len() > 3);
        assert_eq!(description.check_answer(create, 201, None).len(), 1);
        let delete = description
            .find(&Method::DELETE, "/repos/acme/shop/issues/comments/9")
            .expect("described");
        assert_eq!(description.check_answer(delete, 204, None), [""; 0]);
        assert_eq!(
            description.check_answer(delete, 204, Some(&refused)).len(),
            1
        );
    }

    #[test]
    fn null_is_taken_where_github_says_so() {
        let mut schema = json!({"properties": {
            "nullable": {"type": "boolean"},
            "a": {"type": "string", "enum": ["x"], "nullable": true},
            "b": {"oneOf": [{"type": "string"}], "nullable": true},
        }});
        strict(&mut schema);
        assert_eq!(
            schema,
            json!({"additionalProperties": false, "properties": {
                "nullable": {"type": "boolean"},
                "a": {"type": ["string", "null"], "enum": ["x", null]},
                "b": {"anyOf": [{"oneOf": [{"type": "string"}]}, {"type": "null"}]},
            }})
        );
    }
}
