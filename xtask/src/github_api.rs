//! `cargo xtask github-api`: GitHub's own description of its API, cut down to what the fake serves.
//!
//! The whole description has 13 MB, of which the tests need 2 %. What is kept is kept as it is: paths, parameters, schemas
//! and examples. Texts for people are left out.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde_json::{Map, Value, json};

/// The npm package with the description, and its version.
const PACKAGE: &str = "@octokit/openapi@23.0.2";

/// The file in it.
const FILE: &str = "package/generated/api.github.com.json";

/// Where the result goes, beside the list of what is kept.
const FOLDER: &str = "tests/github-fake/openapi";

/// `cargo xtask github-api …`
#[derive(Args)]
pub struct GithubApiArgs {
    /// Do not write, but fail if the committed file is another one.
    #[arg(long)]
    check: bool,
}

impl GithubApiArgs {
    /// Fetches the package with npm and cuts.
    ///
    /// # Errors
    /// The package cannot be had, or has not what the list names.
    pub fn run(self) -> Result<ExitCode> {
        let folder = root().join(FOLDER);
        let operations = fs::read_to_string(folder.join("operations.txt"))?;
        let document = serde_json::from_slice(&fetch()?)?;
        let text = format!("{:#}\n", cut(&document, &operations)?);
        let target = folder.join("api.github.com.json");
        if self.check {
            let committed = fs::read_to_string(&target)?;
            ensure!(
                committed == text,
                "{} is not what {PACKAGE} gives; make it anew: cargo xtask github-api",
                target.display()
            );
        } else {
            fs::write(&target, &text)?;
        }
        println!("{}: {} bytes", target.display(), text.len());
        Ok(ExitCode::SUCCESS)
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The whole description; npm compares the package with the checksum of its registry.
fn fetch() -> Result<Vec<u8>> {
    let folder = tempfile::tempdir()?;
    let mut npm = Command::new("npm");
    npm.args(["pack", "--silent", PACKAGE]).current_dir(&folder);
    let packed = npm.output().context("`npm` cannot be started")?;
    ensure!(
        packed.status.success(),
        "npm cannot fetch {PACKAGE}: {}",
        String::from_utf8_lossy(&packed.stderr).trim()
    );
    let name = String::from_utf8(packed.stdout)?;
    let mut tar = Command::new("tar");
    tar.args(["-xzOf", name.trim(), FILE]).current_dir(&folder);
    let unpacked = tar.output().context("`tar` cannot be started")?;
    ensure!(unpacked.status.success(), "{PACKAGE} has no {FILE}");
    Ok(unpacked.stdout)
}

/// The operations of the list, one `METHOD path` a line, with everything that they refer to.
fn cut(document: &Value, operations: &str) -> Result<Value> {
    let mut paths = Map::new();
    for line in operations.lines() {
        let (method, path) = line
            .split_once(' ')
            .with_context(|| format!("not an operation: {line}"))?;
        let method = method.to_lowercase();
        let operation = document["paths"][path]
            .get(&method)
            .with_context(|| format!("GitHub does not describe {line}"))?;
        let mut kept = Map::new();
        for key in ["operationId", "parameters", "requestBody", "responses"] {
            if let Some(value) = operation.get(key) {
                kept.insert(key.to_owned(), plain(value));
            }
        }
        let entry = paths.entry(path).or_insert_with(|| json!({}));
        entry[method] = kept.into();
    }
    let mut components = json!({});
    let mut pending: Vec<String> = references(&Value::Object(paths.clone()))
        .into_iter()
        .collect();
    let mut seen = BTreeSet::new();
    while let Some(reference) = pending.pop() {
        if !seen.insert(reference.clone()) {
            continue;
        }
        let pointer = reference.trim_start_matches('#');
        let target = document
            .pointer(pointer)
            .with_context(|| format!("{reference} leads nowhere"))?;
        let (kind, name) = pointer
            .trim_start_matches("/components/")
            .split_once('/')
            .with_context(|| format!("{reference} is not a component"))?;
        // An example is data all through.
        let target = match kind {
            "examples" => target.clone(),
            _ => plain(target),
        };
        pending.extend(references(&target));
        components[kind][name] = target;
    }
    let info = &document["info"];
    let mut whole = json!({
        "openapi": document["openapi"],
        "info": {"title": info["title"], "version": info["version"], "license": info["license"]},
        "x-cut-from": {"package": PACKAGE, "file": FILE},
        "paths": paths,
        "components": components,
    });
    // The same text however the JSON library was built.
    whole.sort_all_objects();
    Ok(whole)
}

/// A part of the description without its texts for people.
fn plain(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.iter().filter(|(key, value)| {
                let text = matches!(key.as_str(), "description" | "summary" | "title")
                    && value.is_string();
                !text && *key != "externalDocs" && !key.starts_with("x-")
            });
            let kept = kept.map(|(key, value)| {
                let value = match key.as_str() {
                    // Here keys are names, not words of OpenAPI.
                    "properties" => named(value),
                    "example" | "examples" | "enum" | "default" => value.clone(),
                    _ => plain(value),
                };
                (key.clone(), value)
            });
            Value::Object(kept.collect())
        }
        Value::Array(items) => items.iter().map(plain).collect(),
        other => other.clone(),
    }
}

fn named(value: &Value) -> Value {
    let members = value.as_object().into_iter().flatten();
    Value::Object(
        members
            .map(|(name, value)| (name.clone(), plain(value)))
            .collect(),
    )
}

/// What a part of the description refers to.
fn references(value: &Value) -> BTreeSet<String> {
    match value {
        Value::Object(members) => {
            let own = members.get("$ref").and_then(Value::as_str);
            let below = members.values().flat_map(references);
            below.chain(own.map(str::to_owned)).collect()
        }
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => BTreeSet::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Value {
        json!({
            "openapi": "3.0.3",
            "info": {"title": "GitHub", "version": "1", "license": {"name": "MIT"}, "contact": {}},
            "paths": {
                "/kept": {
                    "get": {"summary": "x", "operationId": "kept", "tags": ["x"], "responses": {"200": {
                        "description": "x",
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/thing"}}},
                    }}},
                    "post": {"operationId": "not-kept"},
                },
                "/other": {"get": {}},
            },
            "components": {"schemas": {
                "thing": {"description": "a text", "properties": {
                    "description": {"type": "string", "description": "a text"},
                    "part": {"$ref": "#/components/schemas/part"},
                }},
                "part": {"type": "string", "enum": ["title"], "example": "title"},
                "unused": {},
            }},
        })
    }

    #[test]
    fn what_is_listed_is_kept_with_all_it_refers_to() {
        let cut = cut(&document(), "GET /kept\n").expect("a description");
        assert_eq!(
            cut["paths"],
            json!({"/kept": {"get": {"operationId": "kept", "responses": {"200": {
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/thing"}}},
            }}}}})
        );
        assert_eq!(
            cut["components"]["schemas"],
            json!({
                "part": {"type": "string", "enum": ["title"], "example": "title"},
                "thing": {"properties": {
                    "description": {"type": "string"},
                    "part": {"$ref": "#/components/schemas/part"},
                }},
            })
        );
        assert_eq!(cut["info"]["license"]["name"], "MIT");
    }

    #[test]
    fn what_github_does_not_describe_is_an_error() {
        let error = cut(&document(), "DELETE /kept\n").expect_err("no such operation");
        assert_eq!(error.to_string(), "GitHub does not describe DELETE /kept");
    }
}
