//! What an environment may use: the ResourceQuota computed from the objects that will really run, before anything is
//! written to the cluster.
//!
//! [`compute`] adds up what the objects need and leaves room beside it, within the platform's ceiling;
//! [`during_rollout`] does the same for the time in which two versions share the namespace; [`excesses`] and
//! [`limit_violations`] say what the platform would refuse.

mod ceiling;
mod cost;
mod limit;
mod operator;
mod pod;
pub mod report;
#[cfg(test)]
mod tests;
mod workload;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use self::workload::{Autoscalers, Footprint, footprint};
pub use self::{
    ceiling::{Excess, Share, excesses},
    cost::{Cost, print},
    limit::{Bound, LimitViolation, limit_violations},
};
use crate::{
    model::{
        object::{Object, ObjectId},
        settings::{LimitSettings, QuotaSettings},
    },
    quantity::Quantity,
};

/// The name under which costs appear that belong to no component: the guardrails' own and those of unlabelled objects.
/// No component can have it.
pub const SHARED: &str = "(shared)";

/// ConfigMaps that every environment has beside the rendered ones: the cluster's certificate and the record.
const OWN_CONFIG_MAPS: i64 = 2;

/// What an environment may use, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Quota {
    /// The bounds of the ResourceQuota, by resource name.
    pub hard: BTreeMap<String, Quantity>,
    /// What each component needs, by name, the shared costs last.
    pub components: Vec<ComponentCost>,
}

/// What one component needs.
#[derive(Clone, Debug, PartialEq)]
pub struct ComponentCost {
    /// Name of the component, or [`SHARED`].
    pub component: String,
    /// What it comes to.
    pub cost: Cost,
    /// The objects that run pods or hold volumes, by id.
    pub workloads: Vec<WorkloadCost>,
}

/// What one object needs: its pods, its volume claims, and itself where its kind is counted.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkloadCost {
    /// The object.
    pub id: ObjectId,
    /// Pods that run at a time when nothing changes: the autoscaler's most where there is one.
    pub replicas: u32,
    /// Pods beyond those while a new version replaces the old one.
    pub surge: u32,
    /// What each pod needs.
    pub per_pod: Cost,
    /// Amounts of a pod that are those of its start: the init container that needs most, by resource.
    pub dominated_by: BTreeMap<String, String>,
    /// Volume claims and counted objects.
    pub beside: Cost,
}

/// Why a quota cannot be computed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuotaError {
    /// A field that decides about the cost holds what Kubernetes would refuse.
    #[error("{object}: `{field}` is {value}, which is no amount that Kubernetes takes")]
    Unreadable {
        /// The object.
        object: Box<ObjectId>,
        /// The field, as in `spec.replicas`.
        field: String,
        /// What it holds, as JSON.
        value: String,
    },
    /// How many pods a DaemonSet has depends on the cluster.
    #[error(
        "{object}: an environment has no bound with a DaemonSet in it, one pod runs on every node"
    )]
    DaemonSet {
        /// The DaemonSet.
        object: Box<ObjectId>,
    },
    /// The platform settings bound something that cannot be bounded.
    #[error("platform settings: `{setting}` names `{resource}`, which is no resource of a quota")]
    UnknownResource {
        /// The key of the settings, such as `quota.ceiling`.
        setting: String,
        /// The name that is not known.
        resource: String,
    },
}

impl QuotaError {
    fn unreadable(object: &Object, pointer: &str, value: &Value) -> Self {
        Self::Unreadable {
            object: Box::new(object.id()),
            field: pointer.trim_start_matches('/').replace('/', "."),
            value: value.to_string(),
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Unreadable { .. } => {
                "write counts as whole numbers, shares as `25%`, amounts as `250m`, `0.5`, `128Mi` or `1Gi`".into()
            }
            Self::DaemonSet { .. } => "use a Deployment with a number of replicas".into(),
            Self::UnknownResource { .. } => format!(
                "name one of {}, requests.ephemeral-storage, limits.ephemeral-storage, or a device as in \
                 requests.nvidia.com/gpu",
                cost::BOUNDED.join(", ")
            ),
        }
    }
}

impl Quota {
    /// The very strings that stand in `spec.hard` of the ResourceQuota.
    #[must_use]
    pub fn hard_strings(&self) -> BTreeMap<String, String> {
        self.hard
            .iter()
            .map(|(resource, amount)| (resource.clone(), print(resource, *amount)))
            .collect()
    }

    /// Raises the bounds to those that are granted already; whether they go beyond these in anything is returned.
    pub fn raise_to(&mut self, granted: &BTreeMap<String, Quantity>) -> bool {
        let more = self
            .hard
            .iter()
            .any(|(resource, bound)| granted.get(resource).is_none_or(|there| bound > there));
        for (resource, there) in granted {
            let bound = self.hard.entry(resource.clone()).or_default();
            *bound = (*bound).max(*there);
        }
        more
    }

    /// As `spec.hard`, the larger one of each bound and that of `other`; none when `other` has room for all of this.
    #[must_use]
    pub fn above(&self, other: &Self) -> Option<BTreeMap<String, String>> {
        let mut hard = other.hard.clone();
        for (resource, amount) in &self.hard {
            let bound = hard.entry(resource.clone()).or_default();
            *bound = (*bound).max(*amount);
        }
        let above = Self {
            hard,
            components: Vec::new(),
        };
        let (above, below) = (above.hard_strings(), other.hard_strings());
        (above != below).then_some(above)
    }

    /// What all components need together, without the room beside it.
    #[must_use]
    pub fn needed(&self) -> Cost {
        let mut needed = Cost::default();
        for component in &self.components {
            needed.add_all(&component.cost);
        }
        needed
    }
}

impl WorkloadCost {
    fn new(object: &Object, footprint: &Footprint) -> Self {
        let mut per_pod = Cost::default();
        let mut dominated_by = BTreeMap::new();
        for pod in &footprint.shapes {
            let cost = pod.cost();
            let larger = (&cost.amounts, &cost.dominated_by);
            raise_pod((&mut per_pod, &mut dominated_by), larger);
        }
        if !footprint.shapes.is_empty() {
            per_pod.set("pods", Quantity::units(1));
        }
        let mut beside = footprint.objects.clone();
        for (claims, size) in &footprint.claims {
            beside.add("persistentvolumeclaims", Quantity::units(1).times(*claims));
            beside.add("requests.storage", size.times(*claims));
        }
        Self {
            id: object.id(),
            replicas: footprint.replicas,
            surge: footprint.surge,
            per_pod,
            dominated_by,
            beside,
        }
    }

    /// Pods that may run at a time.
    #[must_use]
    pub fn pods(&self) -> u32 {
        self.replicas.saturating_add(self.surge)
    }

    /// All that it comes to.
    #[must_use]
    pub fn total(&self) -> Cost {
        let mut total = self.per_pod.times(self.pods());
        total.add_all(&self.beside);
        total
    }

    /// What it comes to while nothing changes.
    #[must_use]
    pub fn at_rest(&self) -> Cost {
        let mut cost = self.per_pod.times(self.replicas);
        cost.add_all(&self.beside);
        cost
    }

    /// Makes room for pods of both versions at a time. A rollout runs at most the larger number of replicas and the
    /// larger surge, in any mixture of old and new pods, so that many times the larger pod is enough.
    fn raise_to(&mut self, other: &Self) {
        self.replicas = self.replicas.max(other.replicas);
        self.surge = self.surge.max(other.surge);
        let pod = (&mut self.per_pod, &mut self.dominated_by);
        raise_pod(pod, (&other.per_pod, &other.dominated_by));
        self.beside.raise_to(&other.beside);
    }

    fn runs_or_stores(&self) -> bool {
        self.pods() > 0 || self.beside.contains("persistentvolumeclaims")
    }
}

/// Raises the amounts of a pod to those of another, and says for each which init container it is owed to.
fn raise_pod(
    (amounts, dominated_by): (&mut Cost, &mut BTreeMap<String, String>),
    (other, other_dominated_by): (&Cost, &BTreeMap<String, String>),
) {
    for (resource, amount) in other.iter() {
        if amount <= amounts.get(resource) {
            continue;
        }
        amounts.set(resource, amount);
        match other_dominated_by.get(resource) {
            Some(container) => dominated_by.insert(resource.to_owned(), container.clone()),
            None => dominated_by.remove(resource),
        };
    }
}

/// Computes the quota of an environment from its rendered objects. The bounds never exceed the ceiling; when the need
/// does, [`excesses`] says so.
///
/// # Errors
/// When a count or an amount cannot be read, a DaemonSet is among the objects, or the settings name unknown resources.
pub fn compute(
    objects: &[Object],
    limits: &LimitSettings,
    settings: &QuotaSettings,
) -> Result<Quota, QuotaError> {
    check_names(settings)?;
    let mut costs = Costs::default();
    costs.take(objects, limits)?;
    let components = costs.into_components();
    let hard = bounds(&components, settings, |_, within_ceiling| within_ceiling);
    Ok(Quota { hard, components })
}

/// Computes the quota for the time of a rollout, in which objects of both versions share the namespace: old and new
/// pods of one workload, and workloads that are removed only after the new ones are up. `old` may hold several
/// versions of an object, as after a rollout that was interrupted.
///
/// Pods among `old` are those that will have to go. A pod counts until it is gone, and rollouts do not wait for that:
/// so all of them may be there beside all of the new ones.
///
/// This need may exceed the ceiling for as long as the rollout lasts: refusing it would leave the environment stuck
/// between two versions that the platform allows both. [`excesses`] is asked of [`compute`] only.
///
/// # Errors
/// As [`compute`].
pub fn during_rollout(
    old: &[Object],
    new: &[Object],
    limits: &LimitSettings,
    settings: &QuotaSettings,
) -> Result<Quota, QuotaError> {
    check_names(settings)?;
    let (pods, old): (Vec<Object>, Vec<Object>) = old
        .iter()
        .cloned()
        .partition(|object| object.kind() == "Pod");
    let mut mixed = Costs::default();
    mixed.take(&old, limits)?;
    mixed.take(new, limits)?;
    let mut leaving = Costs::default();
    leaving.take(&old, limits)?;
    leaving.forget_pods();
    leaving.take(new, limits)?;
    leaving.forget_surge();
    leaving.take(&pods, limits)?;

    let components = mixed.into_components();
    let mut hard = bounds(&components, settings, Quantity::max);
    for (resource, amount) in bounds(&leaving.into_components(), settings, Quantity::max) {
        let bound = hard.entry(resource).or_default();
        *bound = amount.max(*bound);
    }
    Ok(Quota { hard, components })
}

/// Costs by object, and the component that each object belongs to.
#[derive(Default)]
struct Costs(BTreeMap<ObjectId, (String, WorkloadCost)>);

impl Costs {
    /// Takes in the objects; one that is already there is raised to what both versions of it need.
    fn take(&mut self, objects: &[Object], limits: &LimitSettings) -> Result<(), QuotaError> {
        let autoscalers = Autoscalers::of(objects)?;
        for object in objects {
            let footprint = footprint(object, limits, &autoscalers)?;
            let cost = WorkloadCost::new(object, &footprint);
            let component = object.component().unwrap_or(SHARED).to_owned();
            let id = object.id();
            if let Some((name, known)) = self.0.get_mut(&id) {
                *name = component;
                known.raise_to(&cost);
            } else {
                self.0.insert(id, (component, cost));
            }
        }
        Ok(())
    }

    /// Leaves what the objects need beside their pods.
    fn forget_pods(&mut self) {
        for (_, workload) in self.0.values_mut() {
            workload.replicas = 0;
            workload.surge = 0;
            workload.per_pod = Cost::default();
            workload.dominated_by.clear();
        }
    }

    /// The pods of a rollout beyond the wanted number are old ones.
    fn forget_surge(&mut self) {
        for (_, workload) in self.0.values_mut() {
            workload.surge = 0;
        }
    }

    fn into_components(self) -> Vec<ComponentCost> {
        let mut components: BTreeMap<String, ComponentCost> = BTreeMap::new();
        let mut shared = ComponentCost::new(SHARED);
        shared
            .cost
            .add("configmaps", Quantity::units(OWN_CONFIG_MAPS));
        for (name, workload) in self.0.into_values() {
            let component = if name == SHARED {
                &mut shared
            } else {
                components
                    .entry(name.clone())
                    .or_insert_with(|| ComponentCost::new(&name))
            };
            component.cost.add_all(&workload.total());
            if workload.runs_or_stores() {
                component.workloads.push(workload);
            }
        }
        components.into_values().chain([shared]).collect()
    }
}

impl ComponentCost {
    fn new(component: &str) -> Self {
        Self {
            component: component.to_owned(),
            cost: Cost::default(),
            workloads: Vec::new(),
        }
    }
}

/// The bounds: what is needed with room beside it, as far as the ceiling lets it; `decide` chooses between the need
/// and that.
fn bounds(
    components: &[ComponentCost],
    settings: &QuotaSettings,
    decide: impl Fn(Quantity, Quantity) -> Quantity,
) -> BTreeMap<String, Quantity> {
    let used = components
        .iter()
        .flat_map(|c| c.cost.iter().map(|(name, _)| name));
    let bounded = settings.ceiling.keys().map(String::as_str).chain(used);
    let names: BTreeSet<&str> = bounded
        .filter(|name| cost::can_be_bounded(name))
        .chain(cost::BOUNDED.iter().copied())
        .collect();
    let bound = |resource: &str| {
        let needed = components.iter().map(|c| c.cost.get(resource)).sum();
        let with_room = with_room(components, settings, resource);
        let ceiling = settings.ceiling.get(resource);
        decide(
            needed,
            ceiling.map_or(with_room, |most| with_room.min(*most)),
        )
    };
    names
        .into_iter()
        .map(|resource| (resource.to_owned(), bound(resource)))
        .collect()
}

/// The need of a resource with the platform's room: each component at least its minimum, then the headroom, then the
/// share that limits are raised by.
fn with_room(components: &[ComponentCost], settings: &QuotaSettings, resource: &str) -> Quantity {
    let of = |component: &ComponentCost| {
        let minimum = settings.minimum.get(&component.component);
        let minimum = minimum.and_then(|amounts| amounts.get(resource).copied());
        component
            .cost
            .get(resource)
            .max(minimum.unwrap_or_default())
    };
    let headroom = settings.headroom.get(resource).copied().unwrap_or_default();
    let sum = components.iter().map(of).sum::<Quantity>() + headroom;
    if resource.starts_with("limits.") {
        sum.percent(settings.limits_percent).max(sum)
    } else {
        sum
    }
}

fn check_names(settings: &QuotaSettings) -> Result<(), QuotaError> {
    let minimum = settings
        .minimum
        .iter()
        .map(|(component, amounts)| (format!("quota.minimum.{component}"), amounts));
    let tables = [
        ("quota.ceiling".to_owned(), &settings.ceiling),
        ("quota.headroom".to_owned(), &settings.headroom),
    ];
    for (setting, amounts) in tables.into_iter().chain(minimum) {
        if let Some(resource) = amounts.keys().find(|name| !cost::is_known(name)) {
            return Err(QuotaError::UnknownResource {
                setting,
                resource: resource.clone(),
            });
        }
    }
    Ok(())
}
