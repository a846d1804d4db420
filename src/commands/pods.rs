//! The pods of a component, for the verbs that reach into them.

use k8s_openapi::api::core::v1::Pod;
use kube::{Api, api::ListParams};

use crate::{
    cli::TargetArgs, cluster::Cluster, config::nearest, deploy::ready, error::Failure, exit::Exit,
};

use super::context;

/// The pods of a component that are there to stay, those that are ready first, then the newest.
pub(super) async fn of_component(
    cluster: &Cluster,
    namespace: &str,
    component: &str,
    target: &TargetArgs,
) -> Result<Vec<Pod>, Failure> {
    let api: Api<Pod> = Api::namespaced(cluster.client(), namespace);
    let all = api
        .list(&ListParams::default())
        .await
        .map_err(|error| cluster.error("list", "Pod", error))?
        .items;
    let mut pods: Vec<Pod> = all
        .iter()
        .filter(|pod| is_of(pod, component))
        .cloned()
        .collect();
    if pods.is_empty() {
        let mut known: Vec<&str> = all.iter().filter_map(ready::component_of).collect();
        known.sort_unstable();
        known.dedup();
        return Err(unknown(namespace, component, &known, target));
    }
    pods.sort_by_key(|pod| {
        let created = pod.metadata.creation_timestamp.as_ref().map(|time| time.0);
        (ready::is_ready(pod), created)
    });
    pods.reverse();
    Ok(pods)
}

/// Whether a pod is one of a component's, and is not being removed.
pub(super) fn is_of(pod: &Pod, component: &str) -> bool {
    ready::component_of(pod) == Some(component) && pod.metadata.deletion_timestamp.is_none()
}

fn unknown(namespace: &str, component: &str, known: &[&str], target: &TargetArgs) -> Failure {
    let key = context::environment_key(&target.key).flag();
    let failure = Failure::new(
        Exit::NotFound,
        format!("{namespace} has no pods of a component `{component}`"),
    );
    if known.is_empty() {
        return failure.hint(format!("see what there is: k8s-ee status {key}"));
    }
    if let Some(meant) = nearest(component, known.iter().copied()) {
        return failure.hint(format!("did you mean `{meant}`?"));
    }
    failure.hint(format!("its components are {}", known.join(", ")))
}
