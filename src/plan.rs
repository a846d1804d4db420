//! The plan: what `up` would do, in order, as data. Dry run, terminal, JSON and the engine all read the same one.

pub mod diff;
pub mod report;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::{
    model::{
        Environment, labels,
        object::{Object, ObjectId},
        operator::Operator,
    },
    quota::Quota,
    render::RELEASE,
};
use diff::{FieldChange, diff};

/// What is to be there, as computed from the file.
#[derive(Clone, Debug)]
pub struct Desired {
    /// The namespace and what surrounds the components, in the order in which they are applied.
    pub guardrails: Vec<Object>,
    /// The objects of the components.
    pub objects: Vec<Object>,
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
    /// What the namespace may use in the end.
    pub quota: Quota,
    /// What has to be known beside the steps, in words.
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

/// The kinds that `up` removes when they are ours and no longer wanted. Secrets are not among them: credentials are
/// removed only with the environment. A database that leaves the file goes with its volume, as its chart says.
pub const PRUNED_KINDS: &[(&str, &str)] = &[
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
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
        let prune = live
            .values()
            .filter(|object| is_prunable(object))
            .map(Object::id)
            .filter(|id| !wanted.contains(id))
            .collect();
        let mut by_component: BTreeMap<String, Vec<Change>> = BTreeMap::new();
        for object in desired.objects {
            let component = object.component().unwrap_or_default().to_owned();
            by_component
                .entry(component)
                .or_default()
                .push(change(object, live));
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
        Self {
            namespace: environment.identity.namespace.clone(),
            guardrails: desired
                .guardrails
                .into_iter()
                .map(|object| change(object, live))
                .collect(),
            waves,
            prune,
            quota: desired.quota,
            notes: Vec::new(),
        }
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

    /// The objects of the components, as they are to be.
    pub fn objects(&self) -> impl Iterator<Item = &Object> {
        let components = self.waves.iter().flatten();
        components.flat_map(|component| component.changes.iter().map(|change| &change.object))
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
            .filter(|change| is_workload(&change.id))
            .peekable();
        workloads.peek().is_some() && workloads.all(|change| change.action == Action::Keep)
    }

    /// Whether carrying it out would write anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.prune.is_empty() && self.changes().all(|change| change.action == Action::Keep)
    }
}

/// Whether an object runs pods that are waited for, by itself or through an operator.
#[must_use]
pub fn is_workload(id: &ObjectId) -> bool {
    matches!(id.kind.as_str(), "Deployment" | "StatefulSet") || Operator::of_id(id).is_some()
}

fn change(object: Object, live: &Live) -> Change {
    let id = object.id();
    let (action, fields) = match live.get(&id) {
        None => (Action::Create, Vec::new()),
        Some(there) => {
            let fields = diff(&object, there, VOLATILE);
            let action = if fields.is_empty() {
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

/// Fields that the API server does not let anybody change.
fn is_immutable(kind: &str, path: &str) -> bool {
    let fixed: &[&str] = match kind {
        "Deployment" => &["spec.selector"],
        "StatefulSet" => &[
            "spec.selector",
            "spec.serviceName",
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn set(
        labels: serde_json::Value,
        annotations: serde_json::Value,
        owner: Option<&str>,
    ) -> Object {
        let owners =
            owner.map(|kind| json!([{"kind": kind, "name": "app-minio", "controller": true}]));
        Object::new(json!({
            "apiVersion": "apps/v1", "kind": "StatefulSet",
            "metadata": {
                "name": "app-minio-pool-0", "labels": labels, "annotations": annotations, "ownerReferences": owners,
            },
        }))
        .expect("an object")
    }

    #[test]
    fn what_an_operator_made_is_not_taken_for_a_leftover() {
        let ours = json!({"app.kubernetes.io/managed-by": "k8s-ee"});
        let of_before = json!({"meta.helm.sh/release-name": "app"});
        for (labels, annotations) in [(ours, json!({})), (json!({}), of_before)] {
            assert!(is_prunable(&set(labels.clone(), annotations.clone(), None)));
            // The MinIO operator copies both from the Tenant.
            assert!(!is_prunable(&set(labels, annotations, Some("Tenant"))));
        }
    }
}
