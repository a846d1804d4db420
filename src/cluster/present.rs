//! What is in a namespace at this moment, for a diagnosis of what is there without a rollout that watches it.

use futures::future::try_join_all;
use serde::de::DeserializeOwned;

use super::{Cluster, ClusterError, facts, logs, path::Collection};
use crate::{
    deploy::{live, ready},
    diagnose::{Observed, Operated},
    model::object::Object,
};

/// The kinds that are looked at.
const KINDS: &[(&str, &str)] = &[
    ("v1", "Pod"),
    ("v1", "Event"),
    ("v1", "PersistentVolumeClaim"),
    ("v1", "ResourceQuota"),
    ("v1", "Service"),
    ("apps/v1", "Deployment"),
    ("apps/v1", "ReplicaSet"),
    ("apps/v1", "StatefulSet"),
    ("batch/v1", "Job"),
    ("networking.k8s.io/v1", "Ingress"),
    ("networking.k8s.io/v1", "NetworkPolicy"),
];

/// What is in a namespace.
#[derive(Debug)]
pub struct Present {
    /// As a diagnosis takes it, without a check of the URL.
    pub observed: Observed,
    /// All objects that were looked at, those of operators included.
    pub objects: Vec<Object>,
}

/// Looks at a namespace, all kinds at once, then reads the ends of the logs of what is not ready.
///
/// # Errors
/// When the API server cannot be reached or refuses.
pub async fn present(cluster: &Cluster, namespace: &str) -> Result<Present, ClusterError> {
    let lists = try_join_all(KINDS.iter().map(|(api_version, kind)| async move {
        let collection = Collection {
            api_version,
            kind,
            namespace: Some(namespace),
        };
        let listed = cluster.list(&collection, "").await?;
        Ok::<_, ClusterError>(listed.unwrap_or_default())
    }));
    let (lists, operated) = futures::try_join!(lists, live::operated(cluster, namespace))?;
    let mut objects: Vec<Object> = lists.into_iter().flatten().collect();
    let mut observed = Observed {
        pods: typed(&objects, "Pod"),
        events: typed(&objects, "Event"),
        deployments: typed(&objects, "Deployment"),
        replica_sets: typed(&objects, "ReplicaSet"),
        stateful_sets: typed(&objects, "StatefulSet"),
        jobs: typed(&objects, "Job"),
        claims: typed(&objects, "PersistentVolumeClaim"),
        quotas: typed(&objects, "ResourceQuota"),
        operated: operated
            .iter()
            .map(|(operator, resource)| Operated {
                component: operator.database().name().to_owned(),
                state: ready::operator_state(*operator, resource),
                object: resource.id(),
            })
            .collect(),
        ..Observed::default()
    };
    objects.extend(operated.into_iter().map(|(_, resource)| resource));
    (observed.logs, observed.secrets) = futures::join!(
        logs::tails(cluster, &observed.pods),
        facts::secret_values(cluster, namespace)
    );
    Ok(Present { observed, objects })
}

/// What does not read as its kind is left out: a diagnosis says what it can.
fn typed<K: DeserializeOwned>(objects: &[Object], kind: &str) -> Vec<K> {
    let of_kind = objects.iter().filter(|object| object.kind() == kind);
    of_kind
        .filter_map(|object| serde_json::from_value(object.as_value()).ok())
        .collect()
}
