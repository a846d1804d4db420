//! A Kubernetes object as it was rendered: JSON with the few questions that the pure stages ask of it.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The label that says which component of the environment an object belongs to.
pub const COMPONENT_LABEL: &str = "k8s-ee/component";

/// The field manager of everything that we apply.
pub const FIELD_MANAGER: &str = "k8s-ee";

/// One rendered Kubernetes object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Object(Map<String, Value>);

/// What tells one object of an environment from another. Its order is the order in which lists are printed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectId {
    /// Group and version, such as `apps/v1`.
    pub api_version: String,
    /// Kind, such as `Deployment`.
    pub kind: String,
    /// Namespace; absent for cluster-scoped objects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Name.
    pub name: String,
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.name)
    }
}

/// A document that is not a Kubernetes object.
#[derive(Debug, thiserror::Error)]
pub enum InvalidObject {
    /// The document is a list, a string or the like.
    #[error("a rendered document is not an object")]
    NotAnObject,
    /// One of the fields that every object has is missing.
    #[error("a rendered object has no `{0}`")]
    Missing(&'static str),
}

impl Object {
    /// Takes a JSON document that has `apiVersion`, `kind` and `metadata.name`.
    ///
    /// # Errors
    /// When the document is no object or lacks one of the three.
    pub fn new(document: Value) -> Result<Self, InvalidObject> {
        let Value::Object(map) = document else {
            return Err(InvalidObject::NotAnObject);
        };
        let object = Self(map);
        for (pointer, field) in [
            ("/apiVersion", "apiVersion"),
            ("/kind", "kind"),
            ("/metadata/name", "metadata.name"),
        ] {
            if object.str(pointer).is_none() {
                return Err(InvalidObject::Missing(field));
            }
        }
        Ok(object)
    }

    /// Turns a typed object of `k8s-openapi` into its rendered form.
    #[must_use]
    pub fn typed<T>(object: &T) -> Self
    where
        T: Serialize + k8s_openapi::Resource,
    {
        let document = serde_json::to_value(object).expect("Kubernetes types have string keys");
        Self::new(document).expect("the guardrails name every object they build")
    }

    /// The value at a JSON pointer.
    #[must_use]
    pub fn get(&self, pointer: &str) -> Option<&Value> {
        let mut tokens = pointer.split('/').skip(1).map(unescape);
        let first = self.0.get(&tokens.next()?)?;
        tokens.try_fold(first, |value, token| match value {
            Value::Object(map) => map.get(&token),
            Value::Array(list) => list.get(token.parse::<usize>().ok()?),
            _ => None,
        })
    }

    /// The string at a JSON pointer.
    #[must_use]
    pub fn str(&self, pointer: &str) -> Option<&str> {
        self.get(pointer)?.as_str()
    }

    /// Group and version, such as `apps/v1`.
    #[must_use]
    pub fn api_version(&self) -> &str {
        self.str("/apiVersion").expect("checked by `new`")
    }

    /// Kind, such as `Deployment`.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.str("/kind").expect("checked by `new`")
    }

    /// `metadata.name`.
    #[must_use]
    pub fn name(&self) -> &str {
        self.str("/metadata/name").expect("checked by `new`")
    }

    /// `metadata.namespace`, absent for cluster-scoped objects.
    #[must_use]
    pub fn namespace(&self) -> Option<&str> {
        self.str("/metadata/namespace")
    }

    /// What tells this object from others.
    #[must_use]
    pub fn id(&self) -> ObjectId {
        ObjectId {
            api_version: self.api_version().to_owned(),
            kind: self.kind().to_owned(),
            namespace: self.namespace().map(str::to_owned),
            name: self.name().to_owned(),
        }
    }

    /// The value of a label.
    #[must_use]
    pub fn label(&self, key: &str) -> Option<&str> {
        self.get("/metadata/labels")?.get(key)?.as_str()
    }

    /// The value of an annotation.
    #[must_use]
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.get("/metadata/annotations")?.get(key)?.as_str()
    }

    /// The component this object belongs to; none for guardrails.
    #[must_use]
    pub fn component(&self) -> Option<&str> {
        self.label(COMPONENT_LABEL)
    }

    /// Whether a controller made it for another object, with which it goes.
    #[must_use]
    pub fn is_controlled(&self) -> bool {
        let owners = self.get("/metadata/ownerReferences");
        let mut owners = owners.and_then(Value::as_array).into_iter().flatten();
        owners.any(|owner| owner["controller"] == true)
    }

    /// Sets a label.
    pub fn set_label(&mut self, key: &str, value: &str) {
        self.metadata_map("labels")
            .insert(key.to_owned(), value.into());
    }

    /// Sets an annotation.
    pub fn set_annotation(&mut self, key: &str, value: &str) {
        self.metadata_map("annotations")
            .insert(key.to_owned(), value.into());
    }

    /// Sets `metadata.namespace`.
    pub fn set_namespace(&mut self, namespace: &str) {
        self.metadata()
            .insert("namespace".to_owned(), namespace.into());
    }

    /// The whole document.
    #[must_use]
    pub fn as_value(&self) -> Value {
        Value::Object(self.0.clone())
    }

    /// The members of the document.
    #[must_use]
    pub fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }

    /// The members of the document, to change.
    pub fn as_map_mut(&mut self) -> &mut Map<String, Value> {
        &mut self.0
    }

    fn metadata(&mut self) -> &mut Map<String, Value> {
        self.0
            .get_mut("metadata")
            .and_then(Value::as_object_mut)
            .expect("`new` found metadata.name")
    }

    fn metadata_map(&mut self, field: &str) -> &mut Map<String, Value> {
        let entry = self
            .metadata()
            .entry(field)
            .or_insert_with(|| Value::Object(Map::new()));
        if !entry.is_object() {
            *entry = Value::Object(Map::new());
        }
        entry.as_object_mut().expect("made an object just above")
    }
}

fn unescape(token: &str) -> String {
    token.replace("~1", "/").replace("~0", "~")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn answers_about_itself() {
        let mut object = Object::new(json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "app", "labels": {"k8s-ee/component": "app"}, "annotations": null},
            "spec": {"list": [{"a/b": 1}]}
        }))
        .expect("an object");
        assert_eq!(object.id().to_string(), "Deployment app");
        assert_eq!(object.component(), Some("app"));
        assert_eq!(object.get("/spec/list/0/a~1b"), Some(&json!(1)));
        assert!(!object.is_controlled());
        let owner = json!({"kind": "Tenant", "name": "app-minio", "controller": true});
        object
            .metadata()
            .insert("ownerReferences".to_owned(), json!([owner]));
        assert!(object.is_controlled());
        object.set_annotation("x", "y");
        assert_eq!(object.annotation("x"), Some("y"));
        assert!(Object::new(json!([])).is_err());
        assert!(Object::new(json!({"apiVersion": "v1", "kind": "Pod"})).is_err());
    }
}
