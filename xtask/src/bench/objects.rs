//! Objects as the API server takes them: read from YAML, and where each stands.

use std::{path::Path, process::Command};

use anyhow::{Context, Result};
use serde_json::Value;

use super::process;

/// The objects of a file; `kubectl` makes JSON of them.
pub(super) fn from_yaml(mut kubectl: Command, file: &Path) -> Result<Vec<Value>> {
    kubectl
        .args([
            "create",
            "--dry-run=client",
            "--validate=false",
            "--output=json",
            "--filename",
        ])
        .arg(file);
    let text = process::run(&mut kubectl)?.stdout;
    let mut objects = Vec::new();
    for document in serde_json::Deserializer::from_str(&text).into_iter::<Value>() {
        let mut document = document?;
        match document.get_mut("items").map(Value::take) {
            Some(Value::Array(items)) => objects.extend(items),
            _ => objects.push(document),
        }
    }
    Ok(objects)
}

/// Where an object stands. The kinds are those that environments are made of.
pub(super) fn path_of(object: &Value) -> Result<String> {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
    let (version, kind) = (
        text("/apiVersion").context("no apiVersion")?,
        text("/kind").context("no kind")?,
    );
    let name = text("/metadata/name").context("no name")?;
    let plural = match kind {
        "Ingress" => "ingresses".to_owned(),
        "NetworkPolicy" => "networkpolicies".to_owned(),
        "PriorityClass" => "priorityclasses".to_owned(),
        other => format!("{}s", other.to_lowercase()),
    };
    let root = if version == "v1" { "api" } else { "apis" };
    Ok(match text("/metadata/namespace") {
        Some(namespace) => format!("/{root}/{version}/namespaces/{namespace}/{plural}/{name}"),
        None => format!("/{root}/{version}/{plural}/{name}"),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn objects_stand_where_the_api_has_them() {
        for (version, kind, namespace, path) in [
            ("v1", "Namespace", None, "/api/v1/namespaces/a"),
            (
                "v1",
                "Service",
                Some("n"),
                "/api/v1/namespaces/n/services/a",
            ),
            (
                "networking.k8s.io/v1",
                "NetworkPolicy",
                Some("n"),
                "/apis/networking.k8s.io/v1/namespaces/n/networkpolicies/a",
            ),
        ] {
            let mut object =
                json!({"apiVersion": version, "kind": kind, "metadata": {"name": "a"}});
            if let Some(namespace) = namespace {
                object["metadata"]["namespace"] = namespace.into();
            }
            assert_eq!(path_of(&object).expect("a path"), path);
        }
    }
}
