//! What the rules look at: which pods count, to which component an object belongs, which components are up.

use std::collections::BTreeMap;

use k8s_openapi::{
    api::{
        apps::v1::{Deployment, ReplicaSet, StatefulSet},
        core::v1::{Event, PersistentVolumeClaim, Pod},
    },
    apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference},
    jiff::Timestamp,
};

use super::{
    container::Container,
    mask::clean,
    observed::{Observed, Operated},
};
use crate::model::{
    Database, Environment, Seed, Service, object::COMPONENT_LABEL, seed::has_condition,
};

const REVISION: &str = "deployment.kubernetes.io/revision";

/// An environment as it should be, beside what was seen of it.
pub(super) struct Scene<'a> {
    pub(super) env: &'a Environment,
    pub(super) observed: &'a Observed,
    /// The pods of the newest revisions: older ones may still serve, or already fail, and neither says anything about
    /// this rollout.
    pub(super) pods: Vec<&'a Pod>,
}

impl<'a> Scene<'a> {
    pub(super) fn new(env: &'a Environment, observed: &'a Observed) -> Self {
        let is_current = |pod: &&Pod| {
            pod.metadata.deletion_timestamp.is_none()
                && owner(&pod.metadata, "ReplicaSet")
                    .is_none_or(|set| is_newest(observed, &set.name))
        };
        Self {
            env,
            observed,
            pods: observed.pods.iter().filter(is_current).collect(),
        }
    }

    /// A `kubectl` command line in the environment's namespace.
    pub(super) fn kubectl(&self, arguments: &str) -> String {
        format!("kubectl -n {} {arguments}", self.env.identity.namespace)
    }

    /// The command that shows what Kubernetes knows of a pod.
    pub(super) fn describe(&self, pod: &Pod) -> String {
        self.kubectl(&format!("describe pod {}", pod_name(pod)))
    }

    /// The command that shows the log of a container.
    pub(super) fn logs(&self, container: &Container<'_>) -> String {
        self.kubectl(&format!(
            "logs {} -c {}",
            pod_name(container.pod),
            container.name
        ))
    }

    /// What a pod is called in a sentence: by its component.
    pub(super) fn subject(&self, pod: &Pod) -> String {
        let component = self.component(&pod.metadata);
        component.map_or_else(|| format!("pod {}", pod_name(pod)), str::to_owned)
    }

    /// The service of this name.
    pub(super) fn service(&self, component: Option<&str>) -> Option<&'a Service> {
        self.env
            .services
            .iter()
            .find(|s| Some(s.name.as_str()) == component)
    }

    /// The database of this name.
    pub(super) fn database(&self, component: Option<&str>) -> Option<&'a Database> {
        self.env
            .databases
            .iter()
            .find(|d| Some(d.kind.name()) == component)
    }

    /// The seed of this name.
    pub(super) fn seed(&self, component: Option<&str>) -> Option<&'a Seed> {
        self.env
            .seeds
            .iter()
            .find(|seed| Some(seed.name.as_str()) == component)
    }

    /// JSON pointer in `k8s-ee.yaml` of a key of a service or a seed, or of what a database has in common with them.
    pub(super) fn pointer(&self, component: Option<&str>, key: &str) -> Option<String> {
        let service = self.service(component).map(|service| service.pointer(key));
        let seed = || self.seed(component).map(|seed| seed.pointer(key));
        let database = || {
            let database = self
                .database(component)
                .filter(|_| key.starts_with("resources/"))?;
            Some(format!("/databases/{}/{key}", database.kind))
        };
        service.or_else(seed).or_else(database)
    }

    /// The names of all components with the names that their objects begin with.
    fn components(&self) -> Vec<(&'a str, String)> {
        let services = self.env.services.iter();
        let databases = self.env.databases.iter().map(|d| d.kind.name());
        let seeds = self.env.seeds.iter();
        services
            .map(|s| (s.name.as_str(), s.name.clone()))
            .chain(seeds.map(|s| (s.name.as_str(), s.name.clone())))
            .chain(databases.clone().map(|name| (name, name.to_owned())))
            .chain(databases.map(|name| (name, format!("app-{name}"))))
            .collect()
    }

    /// The component that an object of this name belongs to: the longest name wins, so that `app-redis-0` is of `redis`
    /// and not of `app`.
    pub(super) fn component_named(&self, object: &str) -> Option<&'a str> {
        let begins = |base: &str| {
            object
                .strip_prefix(base)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '.']))
        };
        self.components()
            .into_iter()
            .filter(|(_, base)| begins(base))
            .max_by_key(|(_, base)| base.len())
            .map(|(component, _)| component)
    }

    /// The component that a host name leads to: services have their own names in DNS, databases `app-` before theirs.
    pub(super) fn at_host(&self, host: &str) -> Option<&'a str> {
        let first = host.split('.').next()?;
        let mut services = self.env.services.iter().map(|s| s.name.as_str());
        let mut databases = self.env.databases.iter().map(|d| d.kind.name());
        let leads_to = |database: &&str| {
            let rest = first
                .strip_prefix("app-")
                .and_then(|rest| rest.strip_prefix(*database));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        };
        services
            .find(|service| *service == first)
            .or_else(|| databases.find(leads_to))
    }

    /// The component of an object: that of its label, or the one it is named after.
    pub(super) fn component<'m>(&self, metadata: &'m ObjectMeta) -> Option<&'m str>
    where
        'a: 'm,
    {
        label(metadata, COMPONENT_LABEL).or_else(|| self.component_named(metadata.name.as_deref()?))
    }

    /// The component of a volume claim: that of a pod that mounts it, else that of the StatefulSet it was made for.
    pub(super) fn claim_component<'m>(
        &'m self,
        claim: &'m PersistentVolumeClaim,
    ) -> Option<&'m str> {
        let name = claim.metadata.name.as_deref()?;
        let mounted = self
            .pods
            .iter()
            .find(|pod| claims_of(pod).any(|used| used == name));
        // StatefulSets name claims `{template}-{set}-{ordinal}`.
        let made_for = || {
            self.observed.stateful_sets.iter().find(|set| {
                let set = set.metadata.name.as_deref().unwrap_or_default();
                name.contains(&format!("-{set}-"))
            })
        };
        mounted
            .and_then(|pod| self.component(&pod.metadata))
            .or_else(|| label(&claim.metadata, COMPONENT_LABEL))
            .or_else(|| self.component(&made_for()?.metadata))
            .or_else(|| self.component_named(name))
    }

    /// The containers of the pods that count, init containers first.
    pub(super) fn containers(&self) -> Vec<Container<'_>> {
        self.pods
            .iter()
            .flat_map(|pod| Container::of(pod, self.component(&pod.metadata)))
            .collect()
    }

    /// The lines of a log, fit to be searched; empty when it was not fetched.
    pub(super) fn log(&self, container: &Container<'_>, previous: bool) -> Vec<String> {
        self.observed
            .logs
            .iter()
            .filter(|log| log.previous == previous && log.container == container.name)
            .filter(|log| Some(log.pod.as_str()) == container.pod.metadata.name.as_deref())
            .flat_map(|log| log.lines.iter().flat_map(|line| line.lines()))
            .map(clean)
            .collect()
    }

    /// The newest event about an object that passes `test`; what comes later in the list wins among those of one time.
    pub(super) fn event(
        &self,
        kind: &str,
        metadata: &ObjectMeta,
        test: impl Fn(&Event) -> bool,
    ) -> Option<&'a Event> {
        self.observed
            .events
            .iter()
            .filter(|event| is_about(event, kind, metadata) && test(event))
            .max_by_key(|event| happened(event))
    }

    /// What keeps a pod from starting, of the events with these reasons: the newest, unless the pod got further since.
    pub(super) fn obstacle(&self, pod: &Pod, reasons: &[&str]) -> Option<&'a Event> {
        let started = Container::of(pod, None)
            .iter()
            .any(|container| container.is_running() || container.end().is_some());
        let event = self.event("Pod", &pod.metadata, |event| {
            let reason = event.reason.as_deref().unwrap_or_default();
            reasons.contains(&reason) || ["Pulling", "Pulled", "Created"].contains(&reason)
        })?;
        let is_obstacle = reasons.contains(&event.reason.as_deref().unwrap_or_default());
        (is_obstacle && !started).then_some(event)
    }

    /// What each component waits for.
    pub(super) fn dependencies(&self, component: &str) -> Vec<&'a str> {
        let graph = self.env.dependencies();
        graph
            .get(component)
            .map(|on| on.iter().copied().collect())
            .unwrap_or_default()
    }

    /// Position of each component in the order in which they start.
    pub(super) fn order(&self) -> BTreeMap<String, usize> {
        let names = self.env.waves().concat().into_iter().enumerate();
        names.map(|(position, name)| (name, position)).collect()
    }

    /// Whether anything of a component was seen.
    pub(super) fn exists(&self, component: &str) -> bool {
        let is = |metadata: &ObjectMeta| self.component(metadata) == Some(component);
        self.observed.deployments.iter().any(|d| is(&d.metadata))
            || self.observed.stateful_sets.iter().any(|s| is(&s.metadata))
            || self.observed.jobs.iter().any(|job| is(&job.metadata))
            || self.pods.iter().any(|pod| is(&pod.metadata))
            || self.operated(component).is_some()
    }

    /// What an operator says of a component, if one runs it.
    pub(super) fn operated(&self, component: &str) -> Option<&'a Operated> {
        let mut operated = self.observed.operated.iter();
        operated.find(|operated| operated.component == component)
    }

    /// Whether a service is scaled to 0.
    pub(super) fn is_stopped(&self, component: &str) -> bool {
        self.observed.deployments.iter().any(|deployment| {
            let replicas = deployment.spec.as_ref().and_then(|spec| spec.replicas);
            replicas == Some(0) && self.component(&deployment.metadata) == Some(component)
        })
    }

    /// Whether a component is up in its newest revision. Components of operators, which have neither Deployment nor
    /// StatefulSet here, are judged by their pods.
    pub(super) fn is_ready(&self, component: &str) -> bool {
        let is = |metadata: &ObjectMeta| self.component(metadata) == Some(component);
        let deployments = self.observed.deployments.iter();
        let sets = self.observed.stateful_sets.iter();
        let mut workloads: Vec<bool> = deployments
            .filter(|d| is(&d.metadata))
            .map(deployment_ready)
            .chain(sets.filter(|s| is(&s.metadata)).map(stateful_set_ready))
            .collect();
        if self.seed(Some(component)).is_some() {
            let pods = self.pods.iter().filter(|pod| is(&pod.metadata));
            let ended = pods.into_iter().any(|pod| pod_ready(pod));
            let jobs = self.observed.jobs.iter().filter(|job| is(&job.metadata));
            workloads.extend(jobs.map(|job| ended || has_condition(job, "Complete")));
        }
        if workloads.is_empty() {
            let pods = self.pods.iter().filter(|pod| is(&pod.metadata));
            workloads = pods.map(|pod| pod_ready(pod)).collect();
        }
        !workloads.is_empty() && workloads.into_iter().all(|ready| ready)
    }
}

/// A label's value.
pub(super) fn label<'m>(metadata: &'m ObjectMeta, key: &str) -> Option<&'m str> {
    metadata.labels.as_ref()?.get(key).map(String::as_str)
}

/// The owner of this kind.
pub(super) fn owner<'m>(metadata: &'m ObjectMeta, kind: &str) -> Option<&'m OwnerReference> {
    metadata
        .owner_references
        .iter()
        .flatten()
        .find(|owner| owner.kind == kind)
}

/// Names of the volume claims that a pod mounts.
pub(super) fn claims_of(pod: &Pod) -> impl Iterator<Item = &str> {
    let volumes = pod
        .spec
        .iter()
        .flat_map(|spec| spec.volumes.iter().flatten());
    volumes.filter_map(|v| Some(v.persistent_volume_claim.as_ref()?.claim_name.as_str()))
}

/// A pod's name.
pub(super) fn pod_name(pod: &Pod) -> &str {
    pod.metadata.name.as_deref().unwrap_or("without a name")
}

/// Whether a pod has the condition `Ready`, or has done its work.
pub(super) fn pod_ready(pod: &Pod) -> bool {
    let status = pod.status.as_ref();
    let ready = status
        .iter()
        .flat_map(|status| status.conditions.iter().flatten())
        .any(|condition| condition.type_ == "Ready" && condition.status == "True");
    ready || status.and_then(|status| status.phase.as_deref()) == Some("Succeeded")
}

/// Whether a ReplicaSet is the newest of its Deployment. The Deployment says which revision that is; while it has not
/// looked at its own newest description, none is, or the failing pods of the version before would be blamed.
pub(super) fn is_newest(observed: &Observed, name: &str) -> bool {
    let named = |set: &&ReplicaSet| set.metadata.name.as_deref() == Some(name);
    let Some(set) = observed.replica_sets.iter().find(named) else {
        // Without any ReplicaSet there is nothing to tell revisions by, so every pod counts.
        return observed.replica_sets.is_empty();
    };
    let Some(deployment) = owner(&set.metadata, "Deployment") else {
        return true;
    };
    let described = observed
        .deployments
        .iter()
        .find(|d| d.metadata.name.as_ref() == Some(&deployment.name));
    if described.is_some_and(|d| !is_observed(d)) {
        return false;
    }
    let wanted = described.and_then(|d| revision(&d.metadata));
    let newest = || {
        let siblings = observed.replica_sets.iter().filter(|other| {
            owner(&other.metadata, "Deployment").is_some_and(|o| o.name == deployment.name)
        });
        siblings.filter_map(|other| revision(&other.metadata)).max()
    };
    revision(&set.metadata) == wanted.or_else(newest)
}

fn revision(metadata: &ObjectMeta) -> Option<u64> {
    metadata.annotations.as_ref()?.get(REVISION)?.parse().ok()
}

/// Whether the controller has seen the newest description of a Deployment.
fn is_observed(deployment: &Deployment) -> bool {
    let seen = deployment
        .status
        .as_ref()
        .and_then(|s| s.observed_generation);
    seen >= deployment.metadata.generation
}

fn deployment_ready(deployment: &Deployment) -> bool {
    let wanted = deployment
        .spec
        .as_ref()
        .and_then(|s| s.replicas)
        .unwrap_or(1);
    let Some(status) = &deployment.status else {
        return wanted == 0;
    };
    is_observed(deployment)
        && status.updated_replicas.unwrap_or(0) >= wanted
        && status.available_replicas.unwrap_or(0) >= wanted
        && status.unavailable_replicas.unwrap_or(0) == 0
}

fn stateful_set_ready(set: &StatefulSet) -> bool {
    let wanted = set.spec.as_ref().and_then(|s| s.replicas).unwrap_or(1);
    let Some(status) = &set.status else {
        return wanted == 0;
    };
    let updated = status.update_revision == status.current_revision
        || status.updated_replicas.unwrap_or(0) >= wanted;
    status.observed_generation >= set.metadata.generation
        && updated
        && status.ready_replicas.unwrap_or(0) >= wanted
}

/// Whether an event is about this object and not about one of the same name that is gone, as with the pods of a
/// StatefulSet.
fn is_about(event: &Event, kind: &str, metadata: &ObjectMeta) -> bool {
    let about = &event.involved_object;
    let same_uid = match (&about.uid, &metadata.uid) {
        (Some(event), Some(object)) => event == object,
        _ => true,
    };
    about.kind.as_deref() == Some(kind) && about.name == metadata.name && same_uid
}

/// When an event happened last.
pub(super) fn happened(event: &Event) -> Option<Timestamp> {
    let series = event
        .series
        .as_ref()
        .and_then(|s| s.last_observed_time.as_ref());
    let last = event.last_timestamp.as_ref();
    let first = event.event_time.as_ref();
    let created = event.metadata.creation_timestamp.as_ref();
    series
        .map(|t| t.0)
        .or(last.map(|t| t.0))
        .or(first.map(|t| t.0))
        .or(created.map(|t| t.0))
}

/// How often an event happened.
pub(super) fn times(event: &Event) -> i32 {
    let series = event.series.as_ref().and_then(|s| s.count);
    series.or(event.count).unwrap_or(1)
}

/// An event as a line of evidence.
pub(super) fn event_line(event: &Event) -> String {
    let about = event.involved_object.name.as_deref().unwrap_or_default();
    let kind = event.involved_object.kind.as_deref().unwrap_or("Object");
    let message = event.message.as_deref().unwrap_or_default().trim();
    match times(event) {
        0 | 1 => format!("{kind} {about}: {message}"),
        times => format!("{kind} {about}: {message} ({times} times)"),
    }
}
