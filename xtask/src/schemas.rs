//! The schemas of Kubernetes' own kinds, as the sandbox's API server publishes them, in the form that kubeconform takes:
//! one file a kind, in which no field is allowed that Kubernetes does not know.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::sandbox;

/// The groups whose kinds the charts render.
const GROUPS: [&str; 9] = [
    "api/v1",
    "apis/admissionregistration.k8s.io/v1",
    "apis/apps/v1",
    "apis/autoscaling/v2",
    "apis/batch/v1",
    "apis/networking.k8s.io/v1",
    "apis/policy/v1",
    "apis/rbac.authorization.k8s.io/v1",
    "apis/scheduling.k8s.io/v1",
];

/// Writes the schemas into `folder`, and returns them as a schema location of kubeconform. The sandbox must be up.
///
/// # Errors
/// The API server does not hand them out, or they cannot be written.
pub fn write(folder: &Path) -> Result<String> {
    fs::create_dir_all(folder)?;
    for group in GROUPS {
        let mut kubectl = Command::new("kubectl");
        kubectl.args(["get", "--raw", &format!("/openapi/v3/{group}")]);
        let output = sandbox::enter(kubectl)?.output()?;
        ensure!(
            output.status.success(),
            "the API server does not hand out the schemas of {group}: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
        let document: Value = serde_json::from_slice(&output.stdout)?;
        let mut schemas = document["components"]["schemas"]
            .as_object()
            .with_context(|| format!("the schemas of {group} have another form than expected"))?
            .clone();
        schemas.values_mut().for_each(close);
        for (name, schema) in &schemas {
            for kind in kinds(schema) {
                let file = folder.join(file_name(&kind));
                let whole = json!({
                    "$ref": format!("#/components/schemas/{name}"),
                    "components": {"schemas": schemas},
                });
                fs::write(&file, whole.to_string())
                    .with_context(|| format!("cannot write {}", file.display()))?;
            }
        }
    }
    let location: PathBuf = folder.join("{{.ResourceKind}}{{.KindSuffix}}.json");
    Ok(location.display().to_string())
}

/// Group, version and kind, where a schema is that of a whole object.
type Kind = (String, String, String);

fn kinds(schema: &Value) -> Vec<Kind> {
    let listed = schema["x-kubernetes-group-version-kind"].as_array();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    listed
        .into_iter()
        .flatten()
        .map(|kind| {
            (
                text(&kind["group"]),
                text(&kind["version"]),
                text(&kind["kind"]),
            )
        })
        .collect()
}

/// As kubeconform asks for it: the first label of the group, then the version.
fn file_name((group, version, kind): &Kind) -> String {
    let group = group.split('.').next().unwrap_or_default();
    let suffix = if group.is_empty() {
        version.clone()
    } else {
        format!("{group}-{version}")
    };
    format!("{}-{suffix}.json", kind.to_lowercase())
}

/// Allows no field but the ones that are named, in this schema and in all below.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            let names_fields = members.get("properties").is_some_and(Value::is_object);
            if names_fields && !members.contains_key("additionalProperties") {
                members.insert("additionalProperties".to_owned(), false.into());
            }
            members.values_mut().for_each(close);
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_have_the_names_that_kubeconform_asks_for() {
        let kind = |group: &str| (group.to_owned(), "v1".to_owned(), "Ingress".to_owned());
        assert_eq!(
            file_name(&kind("networking.k8s.io")),
            "ingress-networking-v1.json"
        );
        assert_eq!(file_name(&kind("")), "ingress-v1.json");
    }

    #[test]
    fn unknown_fields_are_closed_at_every_depth() {
        let mut schema = json!({"properties": {"a": {"properties": {"b": {}}}, "free": {"additionalProperties": {}}}});
        close(&mut schema);
        assert_eq!(schema["additionalProperties"], false);
        assert_eq!(schema["properties"]["a"]["additionalProperties"], false);
        assert_eq!(
            schema["properties"]["free"]["additionalProperties"],
            json!({})
        );
    }
}
