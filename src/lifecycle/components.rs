//! An environment component by component, from what stands in the cluster.

use k8s_openapi::api::{
    apps::v1::{Deployment, StatefulSet},
    batch::v1::Job,
    core::v1::Pod,
};
use serde::{Serialize, de::DeserializeOwned};

use super::summary::Summary;
use crate::{
    cluster::{Cluster, ClusterError, path::Collection},
    deploy::{
        live::{self, is_environment},
        ready::{self, Readiness},
    },
    model::{
        object::{COMPONENT_LABEL, Object},
        operator::Operator,
    },
    plan::seed::is_of_seed,
};

/// A component, as `status -o json` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ComponentStatus {
    /// Its name.
    pub name: String,
    /// Whether it is up.
    pub up: bool,
    /// How it is doing, in words.
    pub state: String,
    /// Number of its pods.
    pub pods: usize,
    /// How often their containers were started again.
    pub restarts: i32,
    /// Image of its main container.
    pub image: Option<String>,
}

/// An environment as it stands in the cluster; none when there is no such environment.
///
/// # Errors
/// When the cluster cannot be read.
pub async fn look(
    cluster: &Cluster,
    name: &str,
) -> Result<Option<(Summary, Vec<ComponentStatus>)>, ClusterError> {
    let id = live::namespace_id(name);
    let list = |api_version, kind| list(cluster, name, api_version, kind);
    let (namespace, ingresses, quotas, deployments, sets, jobs, pods, databases) = futures::try_join!(
        cluster.get(&id),
        list("networking.k8s.io/v1", "Ingress"),
        list("v1", "ResourceQuota"),
        list("apps/v1", "Deployment"),
        list("apps/v1", "StatefulSet"),
        list("batch/v1", "Job"),
        list("v1", "Pod"),
        live::operated(cluster, name),
    )?;
    let Some(namespace) = namespace.filter(is_environment) else {
        return Ok(None);
    };
    let now = jiff::Timestamp::now();
    let summary = Summary::of(&namespace, &typed(&ingresses), &typed(&quotas), now);
    let pods: Vec<Pod> = typed(&pods);
    let seeds: Vec<Object> = jobs.into_iter().filter(is_of_seed).collect();
    let components = components(
        &typed(&deployments),
        &typed(&sets),
        &databases,
        &typed(&seeds),
        &pods,
    );
    Ok(Some((summary, components)))
}

async fn list(
    cluster: &Cluster,
    namespace: &str,
    api_version: &str,
    kind: &str,
) -> Result<Vec<Object>, ClusterError> {
    let collection = Collection {
        api_version,
        kind,
        namespace: Some(namespace),
    };
    Ok(cluster.list(&collection, "").await?.unwrap_or_default())
}

/// Objects as a type reads them. What does not read as its kind is left out: a status shows what it can.
#[must_use]
pub fn typed<K: DeserializeOwned>(objects: &[Object]) -> Vec<K> {
    objects
        .iter()
        .filter_map(|object| serde_json::from_value(object.as_value()).ok())
        .collect()
}

fn components(
    deployments: &[Deployment],
    sets: &[StatefulSet],
    databases: &[(Operator, Object)],
    seeds: &[Job],
    pods: &[Pod],
) -> Vec<ComponentStatus> {
    let of = |component: &str| -> Vec<&Pod> {
        pods.iter()
            .filter(|pod| ready::component_of(pod) == Some(component))
            .collect()
    };
    let mut all = Vec::new();
    for deployment in deployments {
        let name = component(&deployment.metadata);
        let pods = of(&name);
        let generation = deployment.metadata.generation.unwrap_or(0);
        let state = ready::deployment(Some(deployment), generation, &pods);
        let state = unless_stopped(deployment.spec.as_ref().and_then(|s| s.replicas), state);
        let template = deployment
            .spec
            .as_ref()
            .and_then(|s| s.template.spec.as_ref());
        let image = template.and_then(|t| t.containers.first()?.image.clone());
        all.push(status(name, state, &pods, image));
    }
    let made_for =
        |set: &StatefulSet, database: &Object| ready::is_made_for(&set.metadata, &database.id());
    for (operator, database) in databases {
        let name = operator.database().name().to_owned();
        let pods = of(&name);
        let made: Vec<&StatefulSet> = sets.iter().filter(|set| made_for(set, database)).collect();
        let state = ready::operated(*operator, Some(database), 0, &made, &pods);
        let server = pods.iter().filter_map(|pod| {
            let server = ready::main_container(pod)?;
            let containers = pod.spec.as_ref()?.containers.iter();
            containers
                .into_iter()
                .find(|container| container.name == server)?
                .image
                .clone()
        });
        let image = server.into_iter().next();
        all.push(status(name, state, &pods, image));
    }
    let is_operated = |set: &StatefulSet| databases.iter().any(|(_, of)| made_for(set, of));
    for set in sets.iter().filter(|set| !is_operated(set)) {
        let name = component(&set.metadata);
        let pods = of(&name);
        let state = ready::stateful_set(Some(set), set.metadata.generation.unwrap_or(0), &pods);
        let state = unless_stopped(set.spec.as_ref().and_then(|s| s.replicas), state);
        let template = set.spec.as_ref().and_then(|s| s.template.spec.as_ref());
        let image = template.and_then(|t| t.containers.first()?.image.clone());
        all.push(status(name, state, &pods, image));
    }
    for job in seeds {
        let name = component(&job.metadata);
        let pods = of(&name);
        let template = job.spec.as_ref().and_then(|s| s.template.spec.as_ref());
        let image = template.and_then(|t| t.containers.first()?.image.clone());
        let mut seed = status(name, ready::job(Some(job), &pods), &pods, image);
        if seed.up {
            "done".clone_into(&mut seed.state);
        }
        all.push(seed);
    }
    all
}

/// A workload that is to have no copies has all of them, and yet is not up.
fn unless_stopped(replicas: Option<i32>, state: Readiness) -> Readiness {
    match replicas {
        Some(0) => Readiness::Waiting("stopped: scaled to 0".to_owned()),
        _ => state,
    }
}

/// The component's name, or the workload's own where the platform before us made it.
fn component(metadata: &k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta) -> String {
    let label = metadata
        .labels
        .as_ref()
        .and_then(|all| all.get(COMPONENT_LABEL).cloned());
    label.or_else(|| metadata.name.clone()).unwrap_or_default()
}

fn status(
    name: String,
    readiness: Readiness,
    pods: &[&Pod],
    image: Option<String>,
) -> ComponentStatus {
    let restarts = pods
        .iter()
        .filter_map(|pod| pod.status.as_ref()?.container_statuses.as_ref())
        .flatten()
        .map(|container| container.restart_count)
        .sum();
    let (up, state) = match readiness {
        Readiness::Up => (true, "up".to_owned()),
        Readiness::Waiting(what) => (false, what),
    };
    ComponentStatus {
        name,
        up,
        state,
        pods: pods.len(),
        restarts,
        image,
    }
}
