//! The record: what the last good `up` made, or the `prepare` before it, kept in the namespace, enough to run the
//! environment without the repository.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    cluster::{Cluster, ClusterError},
    model::{
        Environment,
        object::{Object, ObjectId},
    },
};

/// Name of the ConfigMap.
pub const RECORD: &str = "k8s-ee-environment";

/// What a record is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A version that was up: it can be restored.
    Up,
    /// Databases that were prepared for one. The record of the first `up` takes its place.
    Prepare,
}

impl Kind {
    /// Key of the ConfigMap under which the record stands.
    const fn key(self) -> &'static str {
        match self {
            Self::Up => "record.json",
            Self::Prepare => "prepared.json",
        }
    }
}

/// What was made, version 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// Version of this shape.
    pub version: u32,
    /// Version of the k8s-ee that wrote it.
    pub written_by: String,
    /// The environment, resolved.
    pub environment: Environment,
    /// Image of each service by digest, as the nodes pulled it.
    pub digests: BTreeMap<String, String>,
    /// The order in which components start.
    pub waves: Vec<Vec<String>>,
    /// Every object that was made.
    pub inventory: Vec<ObjectId>,
}

impl Record {
    /// Where the record of an environment stands.
    #[must_use]
    pub fn id(namespace: &str) -> ObjectId {
        ObjectId {
            api_version: "v1".to_owned(),
            kind: "ConfigMap".to_owned(),
            namespace: Some(namespace.to_owned()),
            name: RECORD.to_owned(),
        }
    }

    /// Reads what an environment has: of the last `up`, or of the `prepare` before the first one; none when there is
    /// none, or it is of a version we do not know.
    ///
    /// # Errors
    /// When the API server cannot be reached or refuses.
    pub async fn read(cluster: &Cluster, namespace: &str) -> Result<Option<Self>, ClusterError> {
        let object = cluster.get(&Self::id(namespace)).await?;
        let of = |kind| Self::of_kind(object.as_ref()?, kind);
        Ok(of(Kind::Up).or_else(|| of(Kind::Prepare)))
    }

    /// The record of the last `up` in a ConfigMap.
    #[must_use]
    pub fn of(object: &Object) -> Option<Self> {
        Self::of_kind(object, Kind::Up)
    }

    fn of_kind(object: &Object, kind: Kind) -> Option<Self> {
        let text = object.get("/data")?.get(kind.key())?.as_str()?;
        let record: Self = serde_json::from_str(text).ok()?;
        (record.version == 1).then_some(record)
    }

    /// The ConfigMap that holds it. It carries no managed-by label, so that it is never taken for a leftover.
    #[must_use]
    pub fn object(&self, kind: Kind) -> Object {
        let text = serde_json::to_string(self).expect("a record has string keys");
        Object::new(json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": RECORD,
                "namespace": self.environment.identity.namespace,
                "labels": {"k8s-ee/type": "record"},
            },
            "data": {kind.key(): text},
        }))
        .expect("a ConfigMap with a name")
    }
}
