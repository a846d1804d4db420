//! Looking: what the watches show of the components.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use k8s_openapi::api::{
    apps::v1::{Deployment, ReplicaSet, StatefulSet},
    core::v1::Pod,
};

use super::Rollout;
use crate::{
    deploy::ready::{self, Readiness},
    diagnose::{Observed, Operated, UrlCheck},
    model::{object::ObjectId, operator::Operator},
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
                        self.deployer.progress.done(component, "up");
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
        let generation = self.generations.get(id).copied().unwrap_or(0);
        let pods = self.observer.pods.state();
        let pods: Vec<&Pod> = pods
            .iter()
            .map(Arc::as_ref)
            .filter(|pod| ready::component_of(pod) == Some(component))
            .collect();
        let sets = self.observer.stateful_sets.state();
        if let Some(operator) = Operator::of_id(id) {
            let resource = self.observer.resource(operator);
            let made: Vec<&StatefulSet> = sets
                .iter()
                .map(Arc::as_ref)
                .filter(|set| ready::is_made_for(&set.metadata, id))
                .collect();
            ready::operated(operator, resource.as_ref(), generation, &made, &pods)
        } else if id.kind == "Deployment" {
            let deployment = self.deployment(&id.name);
            ready::deployment(deployment.as_deref(), generation, &pods)
        } else {
            let set = sets
                .iter()
                .find(|set| set.metadata.name.as_deref() == Some(&id.name));
            ready::stateful_set(set.map(Arc::as_ref), generation, &pods)
        }
    }

    fn deployment(&self, name: &str) -> Option<Arc<Deployment>> {
        let deployments = self.observer.deployments.state();
        deployments
            .into_iter()
            .find(|deployment| deployment.metadata.name.as_deref() == Some(name))
    }

    /// Whether what the watches show is about the version that we applied: before that, the faults of the version
    /// before would be taken for those of the new one.
    pub(super) fn is_settled(&self, id: &ObjectId) -> bool {
        const REVISION: &str = "deployment.kubernetes.io/revision";
        if id.kind != "Deployment" {
            return true;
        }
        let Some(deployment) = self.deployment(&id.name) else {
            return false;
        };
        let generation = self.generations.get(id).copied();
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

    pub(super) fn observed(&self, url_check: Option<UrlCheck>) -> Observed {
        fn all<K: Clone>(state: Vec<Arc<K>>) -> Vec<K> {
            state.into_iter().map(|one| (*one).clone()).collect()
        }
        Observed {
            pods: all(self.observer.pods.state()),
            events: all(self.observer.events.state()),
            deployments: all(self.observer.deployments.state()),
            replica_sets: all(self.observer.replica_sets.state()),
            stateful_sets: all(self.observer.stateful_sets.state()),
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
