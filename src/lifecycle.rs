//! What happens to environments after they are up: what keeps them, and their end.

pub mod components;
pub mod down;
pub mod preserve;
pub mod summary;
pub mod sweep;

use futures::StreamExt as _;
use k8s_openapi::api::core::v1::{Namespace, PersistentVolume};
use kube::{Api, runtime::watcher};

use crate::cluster::{Cluster, ClusterError};

/// Watches a namespace until it is gone; `changed` sees it at every change before that.
///
/// # Errors
/// When the API server does not let us watch.
pub async fn wait_until_gone(
    cluster: &Cluster,
    namespace: &str,
    mut changed: impl FnMut(&Namespace),
) -> Result<(), ClusterError> {
    let api: Api<Namespace> = Api::all(cluster.client());
    let mut states = watcher::watch_object(api, namespace).boxed();
    while let Some(state) = states.next().await {
        match state {
            Ok(Some(there)) => changed(&there),
            Ok(None) => return Ok(()),
            Err(
                watcher::Error::InitialListFailed(error) | watcher::Error::WatchStartFailed(error),
            ) if matches!(&error, kube::Error::Api(status) if status.code == 403 || status.code == 401) =>
            {
                return Err(cluster.error("watch", &format!("Namespace {namespace}"), error));
            }
            // Broken watches are taken up again by the watcher itself.
            Err(error) => tracing::debug!(%error, "watch of {namespace}"),
        }
    }
    Ok(())
}

/// Watches a volume that belonged to an environment until it is gone; `true` when the cluster keeps it instead.
pub(crate) async fn wait_for_volume(cluster: &Cluster, name: &str) -> Result<bool, ClusterError> {
    let api: Api<PersistentVolume> = Api::all(cluster.client());
    let mut states = watcher::watch_object(api, name).boxed();
    while let Some(state) = states.next().await {
        match state {
            Ok(None) => return Ok(false),
            Ok(Some(volume)) => {
                let policy = volume.spec.and_then(|s| s.persistent_volume_reclaim_policy);
                if policy.as_deref() == Some("Retain") {
                    return Ok(true);
                }
            }
            Err(
                watcher::Error::InitialListFailed(error) | watcher::Error::WatchStartFailed(error),
            ) if matches!(&error, kube::Error::Api(status) if status.code == 403) => {
                // A deploying account that may not look at volumes cannot say that they are gone.
                return Err(cluster.error("watch", &format!("PersistentVolume {name}"), error));
            }
            Err(error) => tracing::debug!(%error, "watch of volume {name}"),
        }
    }
    Ok(false)
}
