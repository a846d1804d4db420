//! The plan: what `up` would do, in order, as data. Dry run, terminal, JSON and the engine all read the same one.

pub(crate) mod bootstrap;
pub mod cost;
pub mod diff;
pub mod impact;
mod operated;
pub mod report;
pub mod seed;
#[cfg(test)]
mod tests;
pub mod volumes;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::{
    model::{
        Environment, credentials, labels,
        object::{Object, ObjectId},
        operator::Operator,
    },
    quota::Quota,
    render::RELEASE,
};
use diff::{FieldChange, diff};
use impact::Impact;
use volumes::{Fate, VolumeChange};

/// What is to be there, as computed from the file.
#[derive(Clone, Debug)]
pub struct Desired {
    /// The namespace and what surrounds the components, in the order in which they are applied.
    pub guardrails: Vec<Object>,
    /// The objects of the components.
    pub objects: Vec<Object>,
    /// Secrets that are there and stay as they are, but for the keys that these have.
    pub completions: Vec<Object>,
    /// What the namespace may use in the end.
    pub quota: Quota,
}

/// What is there.
pub type Live = BTreeMap<ObjectId, Object>;

/// The steps of an `up`, in order.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Namespace of the environment.
    pub namespace: String,
    /// What surrounds the components.
    pub guardrails: Vec<Change>,
    /// The components, in waves; each wave starts when the one before it is up.
    pub waves: Vec<Vec<ComponentPlan>>,
    /// What left the file, or belongs to the release of the platform before us; removed when the rest is up.
    pub prune: Vec<ObjectId>,
    /// Volumes that grow, and those that nobody uses any more.
    pub volumes: Vec<VolumeChange>,
    /// Credentials of databases that nobody uses any more; removed with their volumes, and only with them.
    pub forgotten: Vec<ObjectId>,
    /// What carrying it out means for data and for whoever uses it, losses first.
    pub impact: Vec<Impact>,
    /// What the namespace may use in the end.
    pub quota: Quota,
    /// What is good to know about it, in words.
    pub notes: Vec<String>,
}

/// What happens to a component.
#[derive(Clone, Debug)]
pub struct ComponentPlan {
    /// Its name.
    pub name: String,
    /// What happens to each of its objects.
    pub changes: Vec<Change>,
}

/// What happens to an object.
#[derive(Clone, Debug)]
pub struct Change {
    /// Which object.
    pub id: ObjectId,
    /// What happens to it.
    pub action: Action,
    /// The fields that change, for an update.
    pub fields: Vec<FieldChange>,
    /// What is to be there.
    pub object: Object,
}

/// What happens to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It is made.
    Create,
    /// Some of its fields change.
    Update,
    /// The fields that are named change; all others stay, whoever they are from.
    #[serde(rename = "update")]
    Complete,
    /// Fields that cannot change do, so it is deleted and made anew.
    Replace,
    /// Nothing.
    Keep,
}

/// Paths of the namespace that say when and how far, not what; they never make a plan.
pub const VOLATILE: &[&str] = &[
    "metadata.annotations[k8s-ee/state]",
    "metadata.annotations[k8s-ee/last-updated]",
    "metadata.annotations[k8s-ee/created-at]",
];

/// The kinds that `up` removes when they are ours and no longer wanted. Volume claims and Secrets are not among them: the
/// data of a database that leaves the file, and the credentials to them, are removed only when that is asked for.
pub const PRUNED_KINDS: &[(&str, &str)] = &[
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    ("batch/v1", "Job"),
    ("v1", "Service"),
    ("v1", "ConfigMap"),
    ("networking.k8s.io/v1", "Ingress"),
    ("networking.k8s.io/v1", "NetworkPolicy"),
    ("autoscaling/v2", "HorizontalPodAutoscaler"),
    ("policy/v1", "PodDisruptionBudget"),
];

impl Plan {
    /// Compares what is to be there with what is.
    #[must_use]
    pub fn new(environment: &Environment, desired: Desired, live: &Live) -> Self {
        let wanted: BTreeSet<ObjectId> = desired
            .guardrails
            .iter()
            .chain(&desired.objects)
            .map(Object::id)
            .collect();
        let prune: Vec<ObjectId> = live
            .values()
            .filter(|object| is_prunable(object))
            .map(Object::id)
            .filter(|id| !wanted.contains(id))
            .collect();
        let impact = impact::of_removal(&prune, live);
        let mut by_component: BTreeMap<String, Vec<Change>> = BTreeMap::new();
        for object in desired.objects {
            let component = object.component().unwrap_or_default().to_owned();
            by_component
                .entry(component)
                .or_default()
                .push(change(object, live));
        }
        for object in desired.completions {
            let component = object.component().unwrap_or_default().to_owned();
            by_component
                .entry(component)
                .or_default()
                .push(completion(object, live));
        }
        let mut waves: Vec<Vec<ComponentPlan>> = environment
            .waves()
            .into_iter()
            .map(|wave| {
                wave.into_iter()
                    .map(|name| ComponentPlan {
                        changes: by_component.remove(&name).unwrap_or_default(),
                        name,
                    })
                    .collect()
            })
            .collect();
        // What a chart of the user's own renders beside the components is there from the start.
        if let Some(first) = waves.first_mut() {
            first.extend(
                by_component
                    .into_iter()
                    .map(|(name, changes)| ComponentPlan { name, changes }),
            );
        }
        let mut plan = Self {
            namespace: environment.identity.namespace.clone(),
            guardrails: desired
                .guardrails
                .into_iter()
                .map(|object| change(object, live))
                .collect(),
            waves,
            prune,
            volumes: Vec::new(),
            forgotten: Vec::new(),
            impact,
            quota: desired.quota,
            notes: Vec::new(),
        };
        plan.impact.extend(impact::of_changes(&plan, live));
        plan.notes = operated::notes(plan.changes());
        plan.impact.sort();
        plan
    }

    /// Turns the volumes that are kept into volumes that are removed, and with them the credentials of databases that
    /// the environment does not have.
    pub fn prune_data(&mut self, environment: &Environment, live: &Live) {
        for volume in &mut self.volumes {
            if volume.fate == Fate::Keep {
                volume.fate = Fate::Remove;
            }
        }
        let gone = |secret: &&Object| {
            let kind = credentials::database_of(secret);
            kind.is_some_and(|kind| environment.databases.iter().all(|d| d.kind != kind))
        };
        self.forgotten = live.values().filter(gone).map(Object::id).collect();
    }

    /// Removes custom resources that left the file, with the volumes that their operators made for them.
    pub fn prune_operated(&mut self, left_behind: &[Object], live: &Live) {
        for resource in left_behind {
            let Some(operator) = Operator::of(resource) else {
                continue;
            };
            let (key, value) = operator.pod_label(resource.name());
            let claims = live.values().filter(|object| {
                volumes::is_claim(object) && object.label(key) == Some(value.as_str())
            });
            self.forgotten.push(resource.id());
            self.forgotten.extend(claims.map(Object::id));
        }
    }

    /// The components that `wanted` names, and nothing else: nothing is removed.
    #[must_use]
    pub fn only(mut self, wanted: impl Fn(&str) -> bool) -> Self {
        for wave in &mut self.waves {
            wave.retain(|component| wanted(&component.name));
        }
        self.waves.retain(|wave| !wave.is_empty());
        self.prune.clear();
        self.forgotten.clear();
        self.impact.retain(|impact| wanted(&impact.component));
        self
    }

    /// All changes, in order.
    pub fn changes(&self) -> impl Iterator<Item = &Change> {
        self.guardrails.iter().chain(
            self.waves
                .iter()
                .flatten()
                .flat_map(|component| &component.changes),
        )
    }

    /// Everything that will be there when it has been carried out, as far as it is known: what is to be, and what is
    /// there beside it and stays.
    #[must_use]
    pub fn outcome(&self, live: &Live) -> Vec<Object> {
        let wanted: BTreeSet<&ObjectId> = self.changes().map(|change| &change.id).collect();
        let removed: BTreeSet<&ObjectId> = self.removed().collect();
        let stays = live
            .iter()
            .filter(|(id, _)| !wanted.contains(id) && !removed.contains(id));
        self.changes()
            .map(|change| &change.object)
            .chain(stays.map(|(_, object)| object))
            .cloned()
            .collect()
    }

    /// Says anew which fields of an object change.
    pub fn set_fields(&mut self, id: &ObjectId, fields: Vec<FieldChange>) {
        let components = self.waves.iter_mut().flatten();
        let changes = components.flat_map(|component| &mut component.changes);
        let mut changes = self.guardrails.iter_mut().chain(changes);
        if let Some(change) = changes.find(|change| change.id == *id) {
            change.fields = fields;
        }
    }

    /// The objects of the components, as they are to be.
    pub fn objects(&self) -> impl Iterator<Item = &Object> {
        let components = self.waves.iter().flatten();
        components.flat_map(|component| component.changes.iter().map(|change| &change.object))
    }

    /// All that is removed, in order.
    pub fn removed(&self) -> impl Iterator<Item = &ObjectId> {
        let volumes = self.volumes.iter().filter(|v| v.fate == Fate::Remove);
        let claims = volumes.map(|volume| &volume.claim);
        self.prune.iter().chain(claims).chain(&self.forgotten)
    }

    /// The volumes that nobody uses, whether they stay or not.
    pub fn idle_volumes(&self) -> impl Iterator<Item = &ObjectId> {
        let idle = self.volumes.iter().filter(|volume| !volume.grows());
        idle.map(|volume| &volume.claim)
    }

    /// Whether the pods of a component stay as they are.
    #[must_use]
    pub fn keeps(&self, component: &str) -> bool {
        let mut workloads = self
            .waves
            .iter()
            .flatten()
            .filter(|planned| planned.name == component)
            .flat_map(|planned| &planned.changes)
            .filter(|change| change.is_workload())
            .peekable();
        workloads.peek().is_some() && workloads.all(|change| change.action == Action::Keep)
    }

    /// Whether carrying it out would write anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.prune.is_empty()
            && self.forgotten.is_empty()
            && self.volumes.iter().all(|volume| volume.fate == Fate::Keep)
            && self.changes().all(|change| change.action == Action::Keep)
    }
}

impl Change {
    /// Whether the object runs pods that are waited for. Jobs of a chart of the user's own are not.
    #[must_use]
    pub fn is_workload(&self) -> bool {
        match self.id.kind.as_str() {
            "Deployment" | "StatefulSet" => true,
            "Job" => seed::is_of_seed(&self.object),
            // Through an operator.
            _ => Operator::of_id(&self.id).is_some(),
        }
    }
}

fn change(object: Object, live: &Live) -> Change {
    let id = object.id();
    let (action, fields) = match live.get(&id) {
        None => (Action::Create, Vec::new()),
        Some(there) => {
            let fields = diff(&object, there, VOLATILE);
            let leaving = there.str("/metadata/deletionTimestamp").is_some();
            let action = if leaving {
                // As after a run that was ended while it replaced it.
                Action::Replace
            } else if fields.is_empty() {
                Action::Keep
            } else if fields
                .iter()
                .any(|field| is_immutable(&id.kind, &field.path))
            {
                Action::Replace
            } else {
                Action::Update
            };
            (action, fields)
        }
    };
    Change {
        id,
        action,
        fields,
        object,
    }
}

/// A Secret of which some keys are written, and nothing else is touched.
fn completion(object: Object, live: &Live) -> Change {
    let id = object.id();
    let there = live.get(&id).and_then(|secret| secret.get("/data"));
    let keys = object.get("/data").and_then(|data| data.as_object());
    let fields = keys.into_iter().flatten().map(|(key, to)| FieldChange {
        path: format!("data.{key}"),
        from: there.and_then(|data| data.get(key)).cloned(),
        to: Some(to.clone()),
    });
    Change {
        fields: fields.collect(),
        action: Action::Complete,
        id,
        object,
    }
}

impl Change {
    /// Whether a StatefulSet that is replaced can take over the pods and claims of the one before: it can when only
    /// what its claims ask for has changed, not which ones it has.
    #[must_use]
    pub fn keeps_pods(&self) -> bool {
        const CLAIMS: &str = "spec.volumeClaimTemplates[";
        let mut fixed = self
            .fields
            .iter()
            .filter(|field| is_immutable(&self.id.kind, &field.path));
        self.id.kind == "StatefulSet"
            && fixed.all(|field| {
                field.path.starts_with(CLAIMS) && !field.path.ends_with(".metadata.name")
            })
    }
}

/// Fields that the API server does not let anybody change.
fn is_immutable(kind: &str, path: &str) -> bool {
    let fixed: &[&str] = match kind {
        "Deployment" => &["spec.selector"],
        "StatefulSet" => &[
            "spec.selector",
            "spec.serviceName",
            "spec.podManagementPolicy",
            "spec.volumeClaimTemplates",
        ],
        "Job" => &["spec.template", "spec.selector"],
        _ => &[],
    };
    fixed.iter().any(|field| path.starts_with(field))
}

/// Ours, or part of the Helm release by which the platform before us deployed. What a controller made goes with what it
/// was made for, whatever its labels say: the MinIO operator copies those of a Tenant, and its annotations, to the
/// StatefulSet that it makes.
fn is_prunable(object: &Object) -> bool {
    let kind = (object.api_version(), object.kind());
    if !PRUNED_KINDS.contains(&kind) || object.is_controlled() {
        return false;
    }
    object.label(labels::MANAGED_BY) == Some(labels::MANAGED_BY_OBJECT)
        || object.annotation("meta.helm.sh/release-name") == Some(RELEASE)
        || (object.kind() == "NetworkPolicy"
            && object.label(labels::TYPE) == Some(labels::TYPE_NETWORK_POLICY))
}
