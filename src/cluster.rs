//! The Kubernetes API: the only module that talks to it.
//!
//! Objects go in and out as JSON ([`Object`]); typed ones are used where something is watched. Every request is
//! counted, because "no change means no write" is a promise that is tested.

pub mod connect;
pub mod error;
pub mod examine;
pub mod exec;
pub mod facts;
pub mod forward;
pub mod logs;
pub mod observe;
pub mod path;
pub mod patience;
pub mod present;
pub mod probe;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use http::{Method, Request};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

pub use error::ClusterError;
use path::Collection;

use crate::{
    model::object::{FIELD_MANAGER, Object, ObjectId},
    render::yaml,
};

/// A connection to one cluster.
#[derive(Clone)]
pub struct Cluster {
    client: kube::Client,
    context: String,
    server: String,
    requests: Arc<RequestCount>,
}

/// How many requests went to the API server.
#[derive(Debug, Default)]
pub struct RequestCount {
    reads: AtomicUsize,
    writes: AtomicUsize,
}

impl RequestCount {
    fn count(&self, method: &Method) {
        let counter = if *method == Method::GET {
            &self.reads
        } else {
            &self.writes
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

/// A snapshot of [`RequestCount`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Requests {
    /// Requests that read, watches included.
    pub reads: usize,
    /// Requests that write, dry runs included.
    pub writes: usize,
}

/// What the API server answers to a list.
#[derive(Deserialize)]
struct List<T> {
    items: Option<Vec<T>>,
}

/// An object without what it is, and without who set what.
#[derive(Deserialize)]
struct Head {
    metadata: Metadata,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    uid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_version: Option<String>,
    #[serde(default)]
    labels: Map<String, Value>,
    #[serde(default)]
    annotations: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    creation_timestamp: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deletion_timestamp: Option<String>,
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster")
            .field("context", &self.context)
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}

impl Cluster {
    /// Name of the context, or `in-cluster`.
    #[must_use]
    pub fn context(&self) -> &str {
        &self.context
    }

    /// URL of the API server.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.server
    }

    /// The typed client, for watches and logs.
    #[must_use]
    pub fn client(&self) -> kube::Client {
        self.client.clone()
    }

    /// Requests so far.
    #[must_use]
    pub fn requests(&self) -> Requests {
        Requests {
            reads: self.requests.reads.load(Ordering::Relaxed),
            writes: self.requests.writes.load(Ordering::Relaxed),
        }
    }

    /// Reads one object; none when there is no such object, or no such kind.
    ///
    /// # Errors
    /// When the API server cannot be reached or refuses.
    pub async fn get(&self, id: &ObjectId) -> Result<Option<Object>, ClusterError> {
        let request = self.build(Method::GET, &path::of(id), None, Vec::new())?;
        match self.client.request::<Value>(request).await {
            Ok(value) => Ok(Object::new(value).ok()),
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(None),
            Err(error) => Err(self.error("read", &id.to_string(), error)),
        }
    }

    /// Whether the cluster has a kind: something that everybody may ask, whatever they may do with its objects.
    ///
    /// # Errors
    /// When the API server cannot be reached or refuses.
    pub async fn knows(&self, api_version: &str, kind: &str) -> Result<bool, ClusterError> {
        let path = path::group(api_version);
        let request = self.build(Method::GET, &path, None, Vec::new())?;
        match self.client.request::<Value>(request).await {
            Ok(list) => {
                let mut kinds = list["resources"].as_array().into_iter().flatten();
                Ok(kinds.any(|resource| resource["kind"] == kind))
            }
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(false),
            Err(error) => Err(self.error("look for the kind", kind, error)),
        }
    }

    /// Lists a kind, in one namespace or in all, by label selector; none when the cluster has no such kind.
    ///
    /// # Errors
    /// When the API server cannot be reached or refuses.
    pub async fn list(
        &self,
        collection: &Collection<'_>,
        selector: &str,
    ) -> Result<Option<Vec<Object>>, ClusterError> {
        let found: Option<Vec<Map<String, Value>>> = self.list_as(collection, selector).await?;
        Ok(found.map(|items| {
            let objects = items.into_iter().filter_map(|mut item| {
                // Items of a list carry neither kind nor version: the list says it once.
                item.insert("apiVersion".to_owned(), collection.api_version.into());
                item.insert("kind".to_owned(), collection.kind.into());
                Object::new(Value::Object(item)).ok()
            });
            objects.collect()
        }))
    }

    /// The same with as much of each object as `T` reads, where there may be thousands: most of an object is who set which
    /// of its fields.
    ///
    /// # Errors
    /// When the API server cannot be reached or refuses, or an object is not as `T` reads it.
    pub async fn list_as<T: DeserializeOwned>(
        &self,
        collection: &Collection<'_>,
        selector: &str,
    ) -> Result<Option<Vec<T>>, ClusterError> {
        let mut path = collection.path();
        if !selector.is_empty() {
            path = format!("{path}?labelSelector={}", path::encode(selector));
        }
        let request = self.build(Method::GET, &path, None, Vec::new())?;
        match self.client.request::<List<T>>(request).await {
            Ok(list) => Ok(Some(list.items.unwrap_or_default())),
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(None),
            Err(error) => Err(self.error("list", collection.kind, error)),
        }
    }

    /// The same with names, versions, labels, annotations and dates only.
    ///
    /// # Errors
    /// When the API server cannot be reached or refuses.
    pub async fn list_heads(
        &self,
        collection: &Collection<'_>,
        selector: &str,
    ) -> Result<Option<Vec<Object>>, ClusterError> {
        let heads: Option<Vec<Head>> = self.list_as(collection, selector).await?;
        let object = |head: Head| {
            let (version, kind) = (collection.api_version, collection.kind);
            let object = json!({"apiVersion": version, "kind": kind, "metadata": head.metadata});
            Object::new(object).expect("it has a name")
        };
        Ok(heads.map(|heads| heads.into_iter().map(object).collect()))
    }

    /// Creates or changes an object by server-side apply, taking over fields that others had set.
    ///
    /// # Errors
    /// When the API server cannot be reached or refuses the object.
    pub async fn apply(&self, object: &Object) -> Result<Object, ClusterError> {
        self.apply_with(object, "").await
    }

    /// What [`apply`](Self::apply) would make of an object, admission included; nothing is written.
    ///
    /// # Errors
    /// When the API server cannot be reached or refuses the object.
    pub async fn dry_run(&self, object: &Object) -> Result<Object, ClusterError> {
        self.apply_with(object, "&dryRun=All").await
    }

    async fn apply_with(&self, object: &Object, more: &str) -> Result<Object, ClusterError> {
        let id = object.id();
        let path = path::of(&id);
        let path = format!("{path}?fieldManager={FIELD_MANAGER}&force=true{more}");
        // The API server reads the body of an apply as YAML.
        let body = yaml::as_json(&object.as_value()).into_bytes();
        let request = self.build(
            Method::PATCH,
            &path,
            Some("application/apply-patch+yaml"),
            body,
        )?;
        let value = self
            .client
            .request::<Value>(request)
            .await
            .map_err(|error| self.error("apply", &id.to_string(), error))?;
        Object::new(value).map_err(|_| ClusterError::Unexpected {
            what: id.to_string(),
        })
    }

    /// Creates an object; it is refused with 409 when there is one of that name.
    ///
    /// # Errors
    /// When the API server cannot be reached or refuses the object.
    pub async fn create(&self, object: &Object) -> Result<Object, ClusterError> {
        let id = object.id();
        let path = format!("{}?fieldManager={FIELD_MANAGER}", path::collection_of(&id));
        let body = serde_json::to_vec(object).expect("a JSON document serialises");
        let request = self.build(Method::POST, &path, Some("application/json"), body)?;
        let value = self
            .client
            .request::<Value>(request)
            .await
            .map_err(|error| self.error("create", &id.to_string(), error))?;
        Object::new(value).map_err(|_| ClusterError::Unexpected {
            what: id.to_string(),
        })
    }

    /// Changes some fields of an object by a merge patch, and returns it; none when there is no such object.
    ///
    /// # Errors
    /// When the API server cannot be reached or refuses the change.
    pub async fn merge(
        &self,
        id: &ObjectId,
        patch: &Value,
    ) -> Result<Option<Object>, ClusterError> {
        let body = serde_json::to_vec(patch).expect("a JSON document serialises");
        let path = format!("{}?fieldManager={FIELD_MANAGER}", path::of(id));
        let request = self.build(
            Method::PATCH,
            &path,
            Some("application/merge-patch+json"),
            body,
        )?;
        match self.client.request::<Value>(request).await {
            Ok(value) => Ok(Object::new(value).ok()),
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(None),
            Err(error) => Err(self.error("change", &id.to_string(), error)),
        }
    }

    /// Changes some fields of an object only if it is still as it was seen, by its `resourceVersion`, and returns it; none
    /// when it is not, or is gone.
    ///
    /// # Errors
    /// When the API server cannot be reached or refuses the change.
    pub async fn merge_as_seen(
        &self,
        seen: &Object,
        mut patch: Value,
    ) -> Result<Option<Object>, ClusterError> {
        patch["metadata"]["resourceVersion"] = seen.str("/metadata/resourceVersion").into();
        match self.merge(&seen.id(), &patch).await {
            Err(ClusterError::Refused { code: 409, .. }) => Ok(None),
            changed => changed,
        }
    }

    /// Deletes an object; `false` when there was none. `grace` is in seconds; the object's own when absent.
    ///
    /// # Errors
    /// When the API server cannot be reached or refuses.
    pub async fn delete(&self, id: &ObjectId, grace: Option<u32>) -> Result<bool, ClusterError> {
        self.delete_at(&path::of(id), &id.to_string(), grace, "Background")
            .await
    }

    /// Deletes an object only if it is still as it was seen, by its `uid` and `resourceVersion`; `false` when it is not,
    /// or is gone.
    ///
    /// # Errors
    /// When the API server cannot be reached or refuses.
    pub async fn delete_as_seen(&self, seen: &Object) -> Result<bool, ClusterError> {
        let id = seen.id();
        let options = json!({
            "apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background",
            "preconditions": {
                "uid": seen.str("/metadata/uid"),
                "resourceVersion": seen.str("/metadata/resourceVersion"),
            },
        });
        match self.send_delete(&path::of(&id), &options).await {
            Ok(()) => Ok(true),
            Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => Ok(false),
            Err(error) => Err(self.error("delete", &id.to_string(), error)),
        }
    }

    /// Deletes an object and leaves what it owns, pods and claims, to whoever takes it over; `false` when there was
    /// none. It stays until its owner's mark is off all of them.
    ///
    /// # Errors
    /// When the API server cannot be reached or refuses.
    pub async fn delete_alone(&self, id: &ObjectId) -> Result<bool, ClusterError> {
        self.delete_at(&path::of(id), &id.to_string(), None, "Orphan")
            .await
    }

    /// Deletes all objects of a kind in a namespace; `false` when the cluster has no such kind.
    ///
    /// # Errors
    /// When the API server cannot be reached or refuses.
    pub async fn delete_all(
        &self,
        collection: &Collection<'_>,
        grace: Option<u32>,
    ) -> Result<bool, ClusterError> {
        self.delete_at(&collection.path(), collection.kind, grace, "Background")
            .await
    }

    async fn delete_at(
        &self,
        path: &str,
        what: &str,
        grace: Option<u32>,
        propagation: &str,
    ) -> Result<bool, ClusterError> {
        let mut options = serde_json::json!({
            "apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation,
        });
        if let Some(seconds) = grace {
            options["gracePeriodSeconds"] = seconds.into();
        }
        match self.send_delete(path, &options).await {
            Ok(()) => Ok(true),
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(false),
            // Deleting what is already being deleted is what we want.
            Err(kube::Error::Api(status)) if status.code == 409 => Ok(true),
            Err(error) => Err(self.error("delete", what, error)),
        }
    }

    async fn send_delete(&self, path: &str, options: &Value) -> Result<(), kube::Error> {
        let request = Request::delete(path)
            .header(http::header::CONTENT_TYPE, "application/json")
            .body(options.to_string().into_bytes())
            .map_err(kube::Error::HttpError)?;
        self.client.request::<Value>(request).await.map(drop)
    }

    fn build(
        &self,
        method: Method,
        path: &str,
        content_type: Option<&str>,
        body: Vec<u8>,
    ) -> Result<Request<Vec<u8>>, ClusterError> {
        let mut builder = Request::builder().method(method).uri(path);
        if let Some(content_type) = content_type {
            builder = builder.header(http::header::CONTENT_TYPE, content_type);
        }
        builder.body(body).map_err(|_| ClusterError::Unexpected {
            what: path.to_owned(),
        })
    }

    /// Puts an error of the client into our words.
    #[must_use]
    pub fn error(&self, verb: &'static str, what: &str, error: kube::Error) -> ClusterError {
        ClusterError::of(verb, what, &self.context, &self.server, error)
    }
}
