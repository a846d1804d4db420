//! Logs of containers.

use futures::future::join_all;
use k8s_openapi::api::core::v1::Pod;
use kube::{Api, api::LogParams};

use super::Cluster;
use crate::diagnose::LogTail;

/// Lines from the end of a log that a diagnosis looks at.
const TAIL: i64 = 40;

/// The ends of the logs of every container that is not ready: of its present run and of the one before. A log that
/// cannot be read is left out; a diagnosis without it still says what the pod's state shows.
pub async fn tails(cluster: &Cluster, pods: &[Pod]) -> Vec<LogTail> {
    // What has done its work is not ready either.
    let succeeded = |pod: &&Pod| {
        let phase = pod.status.as_ref().and_then(|s| s.phase.as_deref());
        phase == Some("Succeeded")
    };
    let wanted = pods.iter().filter(|pod| !succeeded(pod)).flat_map(|pod| {
        let status = pod.status.as_ref();
        let containers = status.and_then(|s| s.container_statuses.as_ref());
        let init = status.and_then(|s| s.init_container_statuses.as_ref());
        let broken = containers
            .into_iter()
            .chain(init)
            .flatten()
            .filter(|container| !container.ready);
        broken.flat_map(move |container| {
            let restarted = container.restart_count > 0;
            [false, true]
                .into_iter()
                .filter(move |previous| restarted || !previous)
                .map(move |previous| (pod, container.name.clone(), previous))
        })
    });
    let read = wanted.map(|(pod, container, previous)| async move {
        let name = pod.metadata.name.clone()?;
        let api: Api<Pod> = Api::namespaced(cluster.client(), pod.metadata.namespace.as_deref()?);
        let params = LogParams {
            container: Some(container.clone()),
            previous,
            tail_lines: Some(TAIL),
            ..LogParams::default()
        };
        let text = api.logs(&name, &params).await.ok()?;
        Some(LogTail {
            pod: name,
            container,
            previous,
            lines: text.lines().map(str::to_owned).collect(),
        })
    });
    join_all(read).await.into_iter().flatten().collect()
}
