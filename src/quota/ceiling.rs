//! Where an environment needs more than the platform allows: by how much, which components, and what to change.

use std::fmt;

use super::{ComponentCost, Quota, WorkloadCost, cost::compare};
use crate::{
    model::{Environment, Origin, Service, settings::QuotaSettings},
    quantity::Quantity,
};

/// A resource that the environment needs more of than the ceiling allows.
#[derive(Clone, Debug, PartialEq)]
pub struct Excess {
    /// Name of the resource, such as `limits.cpu`.
    pub resource: String,
    /// What the components need together, without the platform's room beside it.
    pub needed: Quantity,
    /// The ceiling.
    pub allowed: Quantity,
    /// What each component needs of it, the largest first; those that need nothing are left out.
    pub breakdown: Vec<Share>,
}

/// What one component needs of a resource.
#[derive(Clone, Debug, PartialEq)]
pub struct Share {
    /// Name of the component.
    pub component: String,
    /// What it needs.
    pub amount: Quantity,
    /// How that comes about, such as `2 × 300m`; none when it is one pod's plain amount.
    pub how: Option<String>,
}

/// Compares what the components need with the platform's ceiling.
#[must_use]
pub fn excesses(quota: &Quota, settings: &QuotaSettings) -> Vec<Excess> {
    let needed = quota.needed();
    settings
        .ceiling
        .iter()
        .filter(|(resource, allowed)| needed.get(resource) > **allowed)
        .map(|(resource, allowed)| Excess {
            resource: resource.clone(),
            needed: needed.get(resource),
            allowed: *allowed,
            breakdown: shares(quota, resource),
        })
        .collect()
}

fn shares(quota: &Quota, resource: &str) -> Vec<Share> {
    let using = quota
        .components
        .iter()
        .filter(|component| !component.cost.get(resource).is_zero());
    let mut shares: Vec<Share> = using
        .map(|component| Share {
            component: component.component.clone(),
            amount: component.cost.get(resource),
            how: explain(component, resource),
        })
        .collect();
    shares.sort_by_key(|share| std::cmp::Reverse(share.amount));
    shares
}

/// How a component's amount of a resource comes about; none when there is nothing to explain.
pub(super) fn explain(component: &ComponentCost, resource: &str) -> Option<String> {
    let using: Vec<&WorkloadCost> = component
        .workloads
        .iter()
        .filter(|workload| !workload.total().get(resource).is_zero())
        .collect();
    let parts: Vec<String> = using
        .iter()
        .filter_map(|workload| {
            let part = explain_workload(&component.component, workload, resource);
            // Several objects of one component are only told apart by their names.
            let name = (using.len() > 1).then(|| workload.id.to_string());
            match (name, part) {
                (Some(name), Some(part)) => Some(format!("{name}: {part}")),
                (Some(name), None) => {
                    let amount = compare(resource, workload.total().get(resource));
                    Some(format!("{name}: {amount}"))
                }
                (None, part) => part,
            }
        })
        .collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

fn explain_workload(component: &str, workload: &WorkloadCost, resource: &str) -> Option<String> {
    let of_one = workload.per_pod.get(resource);
    let mut parts = Vec::new();
    if workload.pods() > 1 && !of_one.is_zero() && resource != "pods" {
        parts.push(format!(
            "{} × {}",
            workload.pods(),
            compare(resource, of_one)
        ));
    }
    if workload.surge > 0 && !of_one.is_zero() {
        parts.push(format!("{} for the rollout", workload.surge));
    }
    if workload.id.kind == "PersistentVolumeClaim" && workload.id.name == component {
        parts.push("a volume that is kept".to_owned());
    }
    if let Some(container) = workload.dominated_by.get(resource) {
        parts.push(format!("init container {container}"));
    }
    (!parts.is_empty()).then(|| parts.join(", "))
}

impl fmt::Display for Excess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let needed = compare(&self.resource, self.needed);
        let allowed = compare(&self.resource, self.allowed);
        let what = match self.resource.as_str() {
            "requests.cpu" | "limits.cpu" => format!("CPU ({})", self.resource),
            "requests.memory" | "limits.memory" => format!("memory ({})", self.resource),
            "requests.storage" => format!("storage ({})", self.resource),
            other => other.to_owned(),
        };
        write!(f, "needs {needed} {what}, allowed {allowed}")?;
        for (i, share) in self.breakdown.iter().enumerate() {
            let separator = if i == 0 { ": " } else { ", " };
            let amount = compare(&self.resource, share.amount);
            write!(f, "{separator}{} {amount}", share.component)?;
            if let Some(how) = &share.how {
                write!(f, " ({how})")?;
            }
        }
        Ok(())
    }
}

impl Excess {
    /// JSON pointers in `k8s-ee.yaml` of what could be lowered, that of the largest component first. Empty when the
    /// file has no say in it.
    #[must_use]
    pub fn pointers(&self, env: &Environment) -> Vec<String> {
        let of_component = |share: &Share| {
            let service = env.services.iter().find(|s| s.name == share.component);
            let database = env.databases.iter().map(|d| d.kind.name());
            if let Some(seed) = env.seeds.iter().find(|s| s.name == share.component) {
                return amount_key(&self.resource).map(|key| seed.pointer(&key));
            }
            match (service, self.resource.as_str()) {
                (Some(service), resource) => {
                    key(service, resource).map(|key| service.pointer(&key))
                }
                (None, "requests.storage") => database
                    .into_iter()
                    .find(|name| *name == share.component)
                    .map(|name| format!("/databases/{name}/storage")),
                _ => None,
            }
        };
        self.breakdown.iter().filter_map(of_component).collect()
    }

    /// What to do about it. `locate` turns a JSON pointer into a place such as `k8s-ee.yaml:14`, if the file has it.
    #[must_use]
    pub fn hint(&self, env: &Environment, locate: &dyn Fn(&str) -> Option<String>) -> String {
        let raise = format!(
            "raise `quota.ceiling` for `{}` in the platform settings",
            self.resource
        );
        match self.pointers(env).first() {
            Some(pointer) => format!("{}, or {raise}", lower(pointer, locate)),
            None => raise,
        }
    }
}

/// "lower `resources.limits.cpu` at k8s-ee.yaml:14", or "set it" where the file leaves it to the default.
pub(super) fn lower(pointer: &str, locate: &dyn Fn(&str) -> Option<String>) -> String {
    let key = pointer.trim_start_matches('/').replace('/', ".");
    match locate(pointer) {
        Some(place) => format!("lower `{key}` at {place}"),
        None => format!("set a lower `{key}` in k8s-ee.yaml"),
    }
}

/// The key of a service that decides about a resource.
pub(super) fn key(service: &Service, resource: &str) -> Option<String> {
    match resource {
        "pods" if service.autoscaling.is_some() => Some("autoscaling/maxReplicas".to_owned()),
        // The short form has one copy and no key for it.
        "pods" => (service.origin == Origin::General).then(|| "replicas".to_owned()),
        _ => amount_key(resource),
    }
}

/// The key of an amount of CPU or memory, which services and seeds have alike.
pub(super) fn amount_key(resource: &str) -> Option<String> {
    let is_amount = [
        "requests.cpu",
        "requests.memory",
        "limits.cpu",
        "limits.memory",
    ];
    is_amount
        .contains(&resource)
        .then(|| format!("resources/{}", resource.replace('.', "/")))
}
