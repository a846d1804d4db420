//! What would change in an object: the desired fields against the live ones.
//!
//! The API server fills in defaults and rewrites quantities, so a live object is never equal to what was applied. It is
//! unchanged when every desired field is there with the same meaning, and when every field that we applied before
//! (the API server keeps that list in `managedFields`) is still desired.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    model::object::{FIELD_MANAGER, Object},
    quantity::Quantity,
};

/// One field that would change.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FieldChange {
    /// Path for people, such as `spec.template.spec.containers[app].image`.
    pub path: String,
    /// Value that is there now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Value>,
    /// Value that will be there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Value>,
}

/// The fields of `live` that applying `desired` would change; `ignored` names paths that do not count.
#[must_use]
pub fn diff(desired: &Object, live: &Object, ignored: &[&str]) -> Vec<FieldChange> {
    let mut changes = Vec::new();
    let live_value = live.as_value();
    for (key, value) in desired.as_map() {
        if key != "apiVersion" && key != "kind" && key != "status" {
            let there = live_value.get(key);
            compare(key, value, there, &mut changes);
        }
    }
    match applied_fields(live) {
        Some(fields) => removed(fields, &desired.as_value(), &live_value, "", &mut changes),
        // Never applied by us: applying makes the fields ours even where the values agree.
        None => changes.push(FieldChange {
            path: "metadata.managedFields".to_owned(),
            from: None,
            to: Some(FIELD_MANAGER.into()),
        }),
    }
    changes.retain(|change| !ignored.contains(&change.path.as_str()));
    changes
}

/// The fields in which an object would differ from what is there, by the API server's own account of it: `after` is what
/// it made of a dry run. What it keeps for itself, and the paths that are `ignored`, do not count.
#[must_use]
pub fn between(live: &Object, after: &Object, ignored: &[&str]) -> Vec<FieldChange> {
    const OF_THE_SERVER: &[&str] = &[
        "status",
        "metadata.managedFields",
        "metadata.resourceVersion",
        "metadata.generation",
        "metadata.creationTimestamp",
        "metadata.uid",
    ];
    let mut changes = Vec::new();
    let (live, after) = (live.as_value(), after.as_value());
    differences("", Some(&live), Some(&after), &mut changes);
    changes.retain(|change| {
        let path = change.path.as_str();
        let is_of_the_server = OF_THE_SERVER.iter().any(|of| {
            path.strip_prefix(of)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        });
        !is_of_the_server && !ignored.contains(&path)
    });
    changes
}

fn differences(
    path: &str,
    from: Option<&Value>,
    to: Option<&Value>,
    changes: &mut Vec<FieldChange>,
) {
    match (from, to) {
        (from, to) if from == to => {}
        (Some(Value::Object(from)), Some(Value::Object(to))) => {
            let keys: BTreeSet<&String> = from.keys().chain(to.keys()).collect();
            for key in keys {
                differences(&child(path, key), from.get(key), to.get(key), changes);
            }
        }
        (Some(Value::Array(from)), Some(Value::Array(to))) if named(from) && named(to) => {
            let names: BTreeSet<&str> = from
                .iter()
                .chain(to)
                .filter_map(|i| i["name"].as_str())
                .collect();
            for name in names {
                let of =
                    |list: &'_ [Value]| list.iter().find(|item| item["name"] == *name).cloned();
                let path = format!("{path}[{name}]");
                differences(&path, of(from).as_ref(), of(to).as_ref(), changes);
            }
        }
        (Some(Value::Array(from)), Some(Value::Array(to)))
            if from.len() == to.len() && to.iter().any(Value::is_object) =>
        {
            for (index, (from, to)) in from.iter().zip(to).enumerate() {
                differences(&format!("{path}[{index}]"), Some(from), Some(to), changes);
            }
        }
        _ => changes.push(FieldChange {
            path: path.to_owned(),
            from: from.cloned(),
            to: to.cloned(),
        }),
    }
}

fn compare(path: &str, desired: &Value, live: Option<&Value>, changes: &mut Vec<FieldChange>) {
    let Some(live) = live.filter(|live| !live.is_null()) else {
        if !is_empty(desired) && !is_left_away(path, desired) {
            changes.push(FieldChange {
                path: path.to_owned(),
                from: None,
                to: Some(desired.clone()),
            });
        }
        return;
    };
    match (desired, live) {
        (Value::Object(desired), Value::Object(live)) => {
            for (key, value) in desired {
                compare(&child(path, key), value, live.get(key), changes);
            }
        }
        (Value::Array(desired), Value::Array(live)) if named(desired) && named(live) => {
            for item in desired {
                let name = item["name"].as_str().unwrap_or_default();
                let there = live.iter().find(|other| other["name"] == item["name"]);
                compare(&format!("{path}[{name}]"), item, there, changes);
            }
        }
        (Value::Array(desired), Value::Array(live))
            if desired.len() == live.len() && desired.iter().any(Value::is_object) =>
        {
            for (index, (item, there)) in desired.iter().zip(live).enumerate() {
                compare(&format!("{path}[{index}]"), item, Some(there), changes);
            }
        }
        _ if same(path, desired, live) => {}
        _ => changes.push(FieldChange {
            path: path.to_owned(),
            from: Some(live.clone()),
            to: Some(desired.clone()),
        }),
    }
}

/// Lists whose items have names are matched by them: others may add items of their own.
fn named(list: &[Value]) -> bool {
    !list.is_empty() && list.iter().all(|item| item["name"].is_string())
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(map) => map.is_empty(),
        Value::Array(list) => list.is_empty(),
        _ => false,
    }
}

/// The API server leaves the value of an environment variable away when it is empty.
fn is_left_away(path: &str, value: &Value) -> bool {
    *value == "" && path.contains(".env[") && path.ends_with("].value")
}

/// Whether two scalars, or two lists of scalars, mean the same.
fn same(path: &str, desired: &Value, live: &Value) -> bool {
    if desired == live {
        return true;
    }
    match (desired, live) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        (Value::String(a), Value::String(b)) if holds_quantities(path) => {
            matches!((a.parse::<Quantity>(), b.parse::<Quantity>()), (Ok(a), Ok(b)) if a == b)
        }
        _ => false,
    }
}

/// Fields in which the API server rewrites `1000m` to `1`.
fn holds_quantities(path: &str) -> bool {
    const PARENTS: &[&str] = &[
        "requests",
        "limits",
        "hard",
        "max",
        "min",
        "default",
        "defaultRequest",
        "sizeLimit",
    ];
    path.split(['.', '['])
        .any(|segment| PARENTS.contains(&segment))
}

fn child(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else if key.contains(['.', '/']) {
        format!("{path}[{key}]")
    } else {
        format!("{path}.{key}")
    }
}

/// The fields that our applies own, as the API server keeps them.
fn applied_fields(live: &Object) -> Option<&Map<String, Value>> {
    live.get("/metadata/managedFields")?
        .as_array()?
        .iter()
        .find(|entry| {
            entry["manager"] == FIELD_MANAGER
                && entry["operation"] == "Apply"
                && entry["subresource"].as_str().unwrap_or_default().is_empty()
        })?
        .get("fieldsV1")?
        .as_object()
}

/// Walks the owned fields beside the desired ones and reports those that are no longer desired.
fn removed(
    owned: &Map<String, Value>,
    desired: &Value,
    live: &Value,
    path: &str,
    changes: &mut Vec<FieldChange>,
) {
    for (key, below) in owned {
        let (path, desired, live) = if let Some(field) = key.strip_prefix("f:") {
            (child(path, field), desired.get(field), live.get(field))
        } else if let Some(item) = key.strip_prefix("k:") {
            let Ok(keys) = serde_json::from_str::<Map<String, Value>>(item) else {
                continue;
            };
            let label: Vec<String> = keys
                .values()
                .map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned))
                .collect();
            (
                format!("{path}[{}]", label.join(",")),
                keyed(desired, &keys),
                keyed(live, &keys),
            )
        } else {
            // `.` is the container itself, `v:` a member of a set; both follow their parent.
            continue;
        };
        let gone = desired.is_none_or(is_empty);
        match below.as_object() {
            Some(below) if !below.is_empty() && !gone => removed(
                below,
                desired.unwrap_or(&Value::Null),
                live.unwrap_or(&Value::Null),
                &path,
                changes,
            ),
            _ if gone && live.is_some_and(|live| !is_empty(live)) => changes.push(FieldChange {
                path,
                from: live.cloned(),
                to: None,
            }),
            _ => {}
        }
    }
}

/// The item of a list whose key fields have these values; a key field that the item leaves out has its default.
fn keyed<'a>(list: &'a Value, keys: &Map<String, Value>) -> Option<&'a Value> {
    list.as_array()?.iter().find(|item| {
        keys.iter().all(|(key, value)| match item.get(key) {
            Some(there) => there == value,
            None => key == "protocol" && value == "TCP",
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(spec: Value) -> Object {
        Object::new(json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "app"}, "spec": spec}))
            .expect("an object")
    }

    fn live(spec: Value, owned: Value) -> Object {
        Object::new(json!({"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "app", "uid": "1", "managedFields": [
                {"manager": "k8s-ee", "operation": "Apply", "fieldsV1": {"f:spec": owned}}]},
            "spec": spec}))
        .expect("an object")
    }

    #[test]
    fn an_empty_variable_is_one_that_the_api_server_leaves_away() {
        let mut changes = Vec::new();
        let wanted = serde_json::json!([{"name": "A", "value": ""}, {"name": "B", "value": "b"}]);
        let live = serde_json::json!([{"name": "A"}, {"name": "B"}]);
        compare("spec.env", &wanted, Some(&live), &mut changes);
        let paths: Vec<&str> = changes.iter().map(|change| change.path.as_str()).collect();
        assert_eq!(paths, ["spec.env[B].value"]);
    }

    #[test]
    fn defaults_and_rewritten_quantities_are_no_change() {
        let desired = object(json!({"replicas": 1, "template": {"containers": [
            {"name": "app", "resources": {"limits": {"cpu": "1000m"}}, "args": [], "ports": [{"containerPort": 80}]}]}}));
        let live = live(
            json!({"replicas": 1, "revisionHistoryLimit": 10, "template": {"containers": [
                {"name": "sidecar"},
                {"name": "app", "resources": {"limits": {"cpu": "1"}}, "ports": [{"containerPort": 80, "protocol": "TCP"}]}]}}),
            json!({"f:replicas": {}, "f:template": {"f:containers": {"k:{\"name\":\"app\"}": {
                ".": {}, "f:name": {}, "f:ports": {"k:{\"containerPort\":80,\"protocol\":\"TCP\"}": {".": {}, "f:containerPort": {}}}}}}}),
        );
        assert_eq!(diff(&desired, &live, &[]), []);
    }

    #[test]
    fn what_we_applied_and_no_longer_want_is_a_change() {
        let desired = object(json!({"template": {"containers": [{"name": "app"}]}}));
        let live = live(
            json!({"minReadySeconds": 5, "template": {"containers": [{"name": "app", "args": ["-v"]}, {"name": "old"}]}}),
            json!({"f:minReadySeconds": {}, "f:template": {"f:containers": {
                "k:{\"name\":\"app\"}": {"f:args": {}}, "k:{\"name\":\"old\"}": {"f:name": {}}}}}),
        );
        let paths: Vec<String> = diff(&desired, &live, &[])
            .into_iter()
            .map(|c| c.path)
            .collect();
        assert_eq!(
            paths,
            [
                "spec.minReadySeconds",
                "spec.template.containers[app].args",
                "spec.template.containers[old]"
            ]
        );
    }

    #[test]
    fn a_changed_value_says_from_and_to() {
        let desired = object(json!({"replicas": 2}));
        let live = live(json!({"replicas": 1}), json!({"f:replicas": {}}));
        assert_eq!(
            diff(&desired, &live, &[]),
            [FieldChange {
                path: "spec.replicas".to_owned(),
                from: Some(json!(1)),
                to: Some(json!(2))
            }]
        );
        assert_eq!(diff(&desired, &live, &["spec.replicas"]), []);
    }

    #[test]
    fn what_the_api_server_would_change_includes_what_it_fills_in() {
        let there = live(
            json!({"replicas": 1, "template": {"containers": [{"name": "app", "image": "a:1"}]}}),
            json!({}),
        );
        let mut after = live(
            json!({"replicas": 1, "template": {"containers": [
                {"name": "app", "image": "a:2", "imagePullPolicy": "Always"}, {"name": "injected"}]}}),
            json!({"f:replicas": {}}),
        );
        after.set_annotation("k8s-ee/state", "running");
        let changes = between(&there, &after, &["metadata.annotations[k8s-ee/state]"]);
        let paths: Vec<&str> = changes.iter().map(|change| change.path.as_str()).collect();
        assert_eq!(
            paths,
            [
                "metadata.annotations",
                "spec.template.containers[app].image",
                "spec.template.containers[app].imagePullPolicy",
                "spec.template.containers[injected]"
            ]
        );
        assert_eq!(between(&there, &there, &[]), []);
    }

    #[test]
    fn what_others_made_becomes_ours() {
        let desired = object(json!({"replicas": 1}));
        let foreign = object(json!({"replicas": 1}));
        assert_eq!(diff(&desired, &foreign, &[]).len(), 1);
    }
}
