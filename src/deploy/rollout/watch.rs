//! Looking: what the watches show of the components.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use k8s_openapi::{
    api::{
        apps::v1::{Deployment, ReplicaSet, StatefulSet},
        batch::v1::Job,
        core::v1::Pod,
    },
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};

use super::{Rollout, Version};
use crate::{
    deploy::ready::{self, Readiness},
    diagnose::{Observed, Operated, UrlCheck},
    model::{
        object::{COMPONENT_LABEL, ObjectId},
        operator::Operator,
    },
};

impl Rollout<'_> {
    /// Shows the state of each workload; true when all are up.
    pub(super) fn show(&mut self, workloads: &[(String, ObjectId)]) -> bool {
        let mut all = true;
        for (component, id) in workloads {
            match self.readiness(id, component) {
                Readiness::Up => {
                    if !self.times.contains_key(component) {
                        let elapsed = self.deployer.progress.elapsed();
                        self.times.insert(component.clone(), elapsed);
                        let done = if id.kind == "Job" { "done" } else { "up" };
                        self.deployer.progress.done(component, done);
                    }
                }
                Readiness::Waiting(what) => {
                    self.deployer.progress.state(component, &what);
                    all = false;
                }
            }
        }
        all
    }

    fn readiness(&self, id: &ObjectId, component: &str) -> Readiness {
        let applied = self.applied.get(id).cloned().unwrap_or_default();
        let pods = self.observer.pods.state();
        let pods: Vec<&Pod> = pods
            .iter()
            .map(Arc::as_ref)
            .filter(|pod| ready::component_of(pod) == Some(component))
            .collect();
        if let Some(operator) = Operator::of_id(id) {
            let sets = self.observer.stateful_sets.state();
            let made: Vec<&StatefulSet> = sets
                .iter()
                .map(Arc::as_ref)
                .filter(|set| ready::is_made_for(&set.metadata, id))
                .collect();
            let resource = self.observer.resource(operator);
            return ready::operated(
                operator,
                resource.as_ref(),
                applied.generation,
                &made,
                &pods,
            );
        }
        match id.kind.as_str() {
            "Deployment" => {
                let deployment = self.deployment(id);
                ready::deployment(deployment.as_deref(), applied.generation, &pods)
            }
            "Job" => ready::job(self.job(&id.name).as_deref(), &pods),
            _ => {
                let sets = self.observer.stateful_sets.state();
                let set = sets
                    .iter()
                    .find(|set| is_applied(&applied, id, &set.metadata));
                ready::stateful_set(set.map(Arc::as_ref), applied.generation, &pods)
            }
        }
    }

    fn job(&self, name: &str) -> Option<Arc<Job>> {
        let jobs = self.observer.jobs.state();
        jobs.into_iter()
            .find(|job| job.metadata.name.as_deref() == Some(name))
    }

    /// Whether nothing is left of a Job that was deleted, and of its pods: two runs of a seed must not meet.
    pub(super) fn is_gone(&self, name: &str, component: &str) -> bool {
        let pods = self.observer.pods.state();
        let mut pods = pods
            .iter()
            .filter(|pod| ready::component_of(pod) == Some(component));
        self.job(name).is_none() && pods.next().is_none()
    }

    fn deployment(&self, id: &ObjectId) -> Option<Arc<Deployment>> {
        let applied = self.applied.get(id).cloned().unwrap_or_default();
        let deployments = self.observer.deployments.state();
        deployments
            .into_iter()
            .find(|deployment| is_applied(&applied, id, &deployment.metadata))
    }

    /// Whether what the watches show is about the version that we applied: before that, the faults of the version
    /// before would be taken for those of the new one.
    pub(super) fn is_settled(&self, id: &ObjectId) -> bool {
        const REVISION: &str = "deployment.kubernetes.io/revision";
        match id.kind.as_str() {
            "Deployment" => {}
            "StatefulSet" => return self.is_settled_set(id),
            _ => return true,
        }
        let Some(deployment) = self.deployment(id) else {
            return false;
        };
        let generation = self.applied.get(id).map(|applied| applied.generation);
        let observed = deployment
            .status
            .as_ref()
            .and_then(|s| s.observed_generation);
        let revision = |annotations: &Option<BTreeMap<String, String>>| {
            annotations
                .as_ref()
                .and_then(|all| all.get(REVISION).cloned())
        };
        let wanted = revision(&deployment.metadata.annotations);
        let owned = |set: &ReplicaSet| {
            let owners = set.metadata.owner_references.iter().flatten();
            owners
                .into_iter()
                .any(|owner| Some(&owner.uid) == deployment.metadata.uid.as_ref())
        };
        observed >= generation
            && wanted.is_some()
            && self
                .observer
                .replica_sets
                .state()
                .iter()
                .any(|set| owned(set) && revision(&set.metadata.annotations) == wanted)
    }

    /// Whether a StatefulSet has no pod of the version before any more.
    fn is_settled_set(&self, id: &ObjectId) -> bool {
        let applied = self.applied.get(id).cloned().unwrap_or_default();
        let sets = self.observer.stateful_sets.state();
        let set = sets
            .iter()
            .find(|set| is_applied(&applied, id, &set.metadata));
        let Some(status) = set.and_then(|set| set.status.as_ref()) else {
            return false;
        };
        let pods = self.observer.pods.state();
        let mut pods = pods
            .iter()
            .filter(|pod| ready::is_made_for(&pod.metadata, id));
        status.observed_generation >= Some(applied.generation)
            && pods.all(|pod| {
                let labels = pod.metadata.labels.as_ref();
                let revision = labels.and_then(|all| all.get("controller-revision-hash"));
                revision == status.update_revision.as_ref()
            })
    }

    pub(super) fn observed(&self, url_check: Option<UrlCheck>) -> Observed {
        fn all<K: Clone>(state: Vec<Arc<K>>) -> Vec<K> {
            state.into_iter().map(|one| (*one).clone()).collect()
        }
        let begun = |metadata: &ObjectMeta| {
            let component = metadata
                .labels
                .as_ref()
                .and_then(|l| l.get(COMPONENT_LABEL));
            !component.is_some_and(|component| self.ahead.contains(component))
        };
        let mut pods = self.observer.pods.state();
        // Those that are leaving are not judged, and make room in the quota.
        pods.retain(|pod| pod.metadata.deletion_timestamp.is_some() || begun(&pod.metadata));
        Observed {
            pods: all(pods),
            events: all(self.observer.events.state()),
            deployments: all(self.observer.deployments.state()),
            replica_sets: all(self.observer.replica_sets.state()),
            stateful_sets: all(self.observer.stateful_sets.state()),
            jobs: all(self.observer.jobs.state()),
            claims: all(self.observer.claims.state()),
            operated: self.operated(),
            quotas: all(self.observer.quotas.state()),
            refusals: self.refusals.clone(),
            url_check,
            ..Observed::default()
        }
    }

    /// What the operators say.
    fn operated(&self) -> Vec<Operated> {
        let operators = self
            .observer
            .resources
            .iter()
            .map(|(operator, _)| *operator);
        operators
            .filter_map(|operator| {
                let resource = self.observer.resource(operator)?;
                Some(Operated {
                    component: operator.database().name().to_owned(),
                    state: ready::operator_state(operator, &resource),
                    object: resource.id(),
                })
            })
            .collect()
    }

    /// Image of each component by digest, as the nodes pulled it.
    pub(in crate::deploy) fn digests(&self) -> BTreeMap<String, String> {
        let services: BTreeSet<&str> = self
            .environment
            .services
            .iter()
            .map(|service| service.name.as_str())
            .collect();
        let pods = self.observer.pods.state();
        let ready = pods.iter().filter(|pod| ready::is_ready(pod));
        ready
            .filter_map(|pod| {
                let component = ready::component_of(pod).filter(|c| services.contains(c))?;
                let status = pod.status.as_ref()?.container_statuses.as_ref()?.first()?;
                Some((component.to_owned(), status.image_id.clone()))
            })
            .collect()
    }
}

/// Whether a watch shows the very object that was applied, and not the one that it replaced.
fn is_applied(applied: &Version, id: &ObjectId, metadata: &ObjectMeta) -> bool {
    metadata.name.as_ref() == Some(&id.name)
        && (applied.uid.is_empty() || metadata.uid.as_ref() == Some(&applied.uid))
}
