//! `down`: everything goes, and what is said about it is true. What is preserved stays until its time is over.
//!
//! The namespace is marked first, so that nothing new is made in it; then pods, workloads and volume claims are deleted
//! at once with a short grace, because the namespace controller looks again only after several seconds when it finds
//! contents on its first pass.

use std::{collections::BTreeMap, ops::ControlFlow, time::Duration};

use futures::future::{join_all, try_join_all};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Namespace;
use serde_json::Value;

use super::{preserve::Preserved, wait_until_gone};
use crate::{
    cluster::{Cluster, ClusterError, path::Collection},
    deploy::live::{self, NotOurs},
    model::{object::Object, operator::Operator},
    progress::Progress,
    signal,
};

/// Seconds that a container gets to end by itself.
const GRACE: u32 = 1;

/// The kinds that are counted before they go, and looked through for what blocks.
const COUNTED: &[(&str, &str)] = &[
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    ("batch/v1", "Job"),
    ("v1", "Pod"),
    ("v1", "Service"),
    ("networking.k8s.io/v1", "Ingress"),
    ("v1", "ConfigMap"),
    ("v1", "Secret"),
    ("v1", "PersistentVolumeClaim"),
];

/// The kinds that are deleted by name of the kind, without waiting for the namespace controller.
const DELETED_AT_ONCE: &[(&str, &str, Option<u32>)] = &[
    ("apps/v1", "Deployment", None),
    ("apps/v1", "StatefulSet", None),
    ("apps/v1", "ReplicaSet", None),
    ("batch/v1", "Job", None),
    ("v1", "Pod", Some(GRACE)),
    ("v1", "PersistentVolumeClaim", None),
];

/// What was removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Namespace.
    pub namespace: String,
    /// Number of objects by kind.
    pub objects: BTreeMap<String, usize>,
    /// Volumes that are gone too.
    pub volumes: Vec<String>,
    /// Volumes that the cluster keeps (reclaim policy `Retain`).
    pub kept_volumes: Vec<String>,
    /// Whether nobody could look at what was in it: the right to goes with the namespace.
    pub unseen: bool,
}

/// How a `down` ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// There was nothing.
    Absent,
    /// It is preserved, and its time is not over: it is as it was.
    Preserved(Preserved),
    /// All of it is gone.
    Gone(Receipt),
    /// It is on its way; nobody waited.
    Marked(Receipt),
}

/// Why it is not gone.
#[derive(Debug, thiserror::Error)]
pub enum DownError {
    /// The cluster cannot be reached or refuses.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// The namespace is somebody else's.
    #[error(transparent)]
    NotOurs(#[from] NotOurs),
    /// It is not what was to be removed any more.
    #[error("the namespace `{namespace}` was changed meanwhile")]
    Changed {
        /// Namespace.
        namespace: String,
    },
    /// Something keeps it from going.
    #[error("the namespace `{namespace}` is marked for deletion but still there")]
    Blocked {
        /// Namespace.
        namespace: String,
        /// What is left, in words.
        left: Vec<String>,
    },
    /// A signal stopped us.
    #[error(
        "stopped by {signal}; the namespace `{namespace}` is marked for deletion and goes on without us"
    )]
    Interrupted {
        /// Which one.
        signal: &'static str,
        /// Namespace.
        namespace: String,
    },
}

/// Who may remove what, and how long that may take.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// Namespace.
    pub namespace: &'a str,
    /// Project that it must belong to.
    pub project: Option<&'a str>,
    /// Repository that it must belong to.
    pub repository: Option<&'a str>,
    /// Whether it goes also when it is preserved.
    pub force: bool,
    /// Whether it goes only as it was found: whoever changes its namespace before it is marked keeps it.
    pub as_found: bool,
    /// Whether to wait until it is gone.
    pub wait: bool,
    /// Longest to wait.
    pub timeout: Duration,
}

/// Looks for the namespace of an environment that is to go; breaks off where there is none, or it stays.
///
/// # Errors
/// When it is not ours.
pub async fn find(
    cluster: &Cluster,
    request: &Request<'_>,
) -> Result<ControlFlow<Ended, Object>, DownError> {
    let id = live::namespace_id(request.namespace);
    let Some(namespace) = cluster.get(&id).await? else {
        return Ok(ControlFlow::Break(Ended::Absent));
    };
    live::check_owner(&namespace, request.project, request.repository)?;
    // What is going already cannot be kept.
    let goes_anyway = request.force || live::is_terminating(&namespace);
    let preserved = Preserved::now(&namespace, Timestamp::now()).filter(|_| !goes_anyway);
    Ok(match preserved {
        Some(preserved) => ControlFlow::Break(Ended::Preserved(preserved)),
        None => ControlFlow::Continue(namespace),
    })
}

/// Removes an environment whose namespace was found.
///
/// # Errors
/// When it is not gone in time; what is left is said.
pub async fn remove(
    cluster: &Cluster,
    request: &Request<'_>,
    namespace: &Object,
    progress: &Progress,
) -> Result<Ended, DownError> {
    let name = request.namespace;
    let contents = match contents(cluster, name).await {
        // The binding that let us look may be gone already.
        Err(ClusterError::Forbidden { .. }) if live::is_terminating(namespace) => None,
        contents => Some(contents?),
    };
    let receipt = receipt(name, contents.as_deref());
    if !live::is_terminating(namespace) {
        progress.step(&format!("removing {name}"));
    }
    // Told to stop from here on, there is something to say.
    signal::expect();
    if !request.as_found {
        cluster.delete(&namespace.id(), None).await?;
    } else if !cluster.delete_as_seen(namespace).await? {
        return Err(DownError::Changed {
            namespace: name.to_owned(),
        });
    }
    // Operators' resources among them, or their operators would make again what is deleted here.
    let operated = Operator::ALL.map(|operator| {
        let (api_version, kind) = operator.resource();
        (api_version, kind, None)
    });
    let at_once = DELETED_AT_ONCE.iter().copied().chain(operated);
    let deleted = join_all(at_once.map(|(api_version, kind, grace)| async move {
        let collection = Collection {
            api_version,
            kind,
            namespace: Some(name),
        };
        cluster.delete_all(&collection, grace).await
    }))
    .await;
    // The namespace is marked: whatever was refused here, its controller still removes in its own time.
    for error in deleted.into_iter().filter_map(Result::err) {
        tracing::debug!(%error, "deleting at once");
    }
    if !request.wait {
        return Ok(Ended::Marked(receipt));
    }
    let gone = async {
        wait_until_gone(cluster, name, |namespace| {
            let left = remaining(namespace).join("; ");
            let what = if left.is_empty() {
                "waiting until it is gone"
            } else {
                &left
            };
            progress.state(name, what);
        })
        .await?;
        wait_for_volumes(cluster, receipt, progress).await
    };
    tokio::select! {
        receipt = gone => {
            let receipt = receipt?;
            progress.done(name, "gone");
            Ok(Ended::Gone(receipt))
        }
        () = tokio::time::sleep(request.timeout) => {
            let left = what_blocks(cluster, name).await?;
            Err(DownError::Blocked { namespace: name.to_owned(), left })
        }
        signal = signal::next() => Err(DownError::Interrupted { signal, namespace: name.to_owned() }),
    }
}

async fn contents(cluster: &Cluster, namespace: &str) -> Result<Vec<Object>, ClusterError> {
    let list = |(api_version, kind): (&'static str, &'static str)| {
        let collection = Collection {
            api_version,
            kind,
            namespace: Some(namespace),
        };
        async move { cluster.list(&collection, "").await }
    };
    let lists = try_join_all(COUNTED.iter().copied().map(list));
    // Who has no right to see operators' resources removes them with the namespace all the same.
    let operated = try_join_all(Operator::ALL.map(|operator| async move {
        live::if_allowed(list(operator.resource()).await).map(Option::flatten)
    }));
    let (lists, operated) = futures::try_join!(lists, operated)?;
    let all = lists.into_iter().chain(operated);
    Ok(all.flatten().flatten().collect())
}

/// The receipt of what was seen; of nothing when nobody could look.
fn receipt(namespace: &str, contents: Option<&[Object]>) -> Receipt {
    let mut receipt = Receipt {
        namespace: namespace.to_owned(),
        objects: BTreeMap::new(),
        volumes: Vec::new(),
        kept_volumes: Vec::new(),
        unseen: contents.is_none(),
    };
    for object in contents.unwrap_or_default() {
        // The cluster puts this one into every namespace.
        if object.name() != "kube-root-ca.crt" {
            *receipt.objects.entry(object.kind().to_owned()).or_default() += 1;
        }
        if let Some(volume) = object.str("/spec/volumeName") {
            receipt.volumes.push(volume.to_owned());
        }
    }
    receipt
}

/// Volumes go after their claims; the receipt names those that the cluster keeps.
async fn wait_for_volumes(
    cluster: &Cluster,
    mut receipt: Receipt,
    progress: &Progress,
) -> Result<Receipt, ClusterError> {
    for name in std::mem::take(&mut receipt.volumes) {
        progress.state(
            &receipt.namespace,
            &format!("waiting until the volume {name} is gone"),
        );
        let kept = super::wait_for_volume(cluster, &name).await?;
        if kept {
            receipt.kept_volumes.push(name);
        } else {
            receipt.volumes.push(name);
        }
    }
    Ok(receipt)
}

/// What the namespace controller says is left.
fn remaining(namespace: &Namespace) -> Vec<String> {
    let conditions = namespace
        .status
        .as_ref()
        .and_then(|s| s.conditions.as_ref());
    conditions
        .into_iter()
        .flatten()
        .filter(|condition| condition.status == "True" && condition.type_.starts_with("Namespace"))
        .filter_map(|condition| condition.message.clone())
        .collect()
}

/// Names the objects that are still there and what holds each, in words for people.
async fn what_blocks(cluster: &Cluster, name: &str) -> Result<Vec<String>, ClusterError> {
    let namespace = cluster.get(&live::namespace_id(name)).await?;
    let mut left: Vec<String> = Vec::new();
    // Without the right to look, which goes with the namespace, its controller says what is left.
    let there = live::if_allowed(contents(cluster, name).await)?;
    for object in there.unwrap_or_default() {
        let finalizers: Vec<&str> = object
            .get("/metadata/finalizers")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        if !finalizers.is_empty() {
            left.push(format!(
                "{} is held by the finalizer {}",
                object.id(),
                finalizers.join(", ")
            ));
        } else if object.name() != "kube-root-ca.crt" {
            left.push(format!("{} is still there", object.id()));
        }
    }
    left.extend(namespace.as_ref().map(conditions).unwrap_or_default());
    Ok(left)
}

/// What the namespace controller says of what is left, as long as it is.
#[must_use]
pub fn conditions(namespace: &Object) -> Vec<String> {
    let conditions = namespace
        .get("/status/conditions")
        .and_then(Value::as_array);
    let all = conditions.into_iter().flatten();
    all.filter(|condition| {
        let kind = condition["type"].as_str().unwrap_or_default();
        kind.starts_with("Namespace") && condition["status"] == "True"
    })
    .filter_map(|condition| Some(condition["message"].as_str()?.to_owned()))
    .collect()
}
