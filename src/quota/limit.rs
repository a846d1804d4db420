//! What the LimitRange would refuse: containers, pods and volumes beyond the platform's bounds, found before anything
//! is written to the cluster.

use std::fmt;

use super::{
    ceiling::{amount_key, key, lower},
    cost::{Cost, print},
    workload::{Autoscalers, footprint},
};
use crate::{
    model::{
        Environment,
        object::{Object, ObjectId},
        settings::LimitSettings,
    },
    quantity::Quantity,
};

/// An amount that the LimitRange, or the API server itself, would refuse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitViolation {
    /// The object that brings it about.
    pub object: ObjectId,
    /// Its component.
    pub component: Option<String>,
    /// The container; none when it is about a whole pod or a volume.
    pub container: Option<String>,
    /// Name of the resource, such as `limits.memory`.
    pub resource: String,
    /// What is asked for.
    pub value: Quantity,
    /// What it would have to keep to.
    pub bound: Bound,
}

/// What an amount would have to keep to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// Not more than this.
    Max(Quantity),
    /// Not less than this.
    Min(Quantity),
    /// A request not more than the container's own limit, which is this.
    OwnLimit(Quantity),
}

/// Finds what the LimitRange would refuse. Objects whose amounts cannot be read are none of its business:
/// [`compute`](super::compute) reports them.
#[must_use]
pub fn limit_violations(objects: &[Object], limits: &LimitSettings) -> Vec<LimitViolation> {
    let Ok(autoscalers) = Autoscalers::of(objects) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for object in objects {
        let Ok(footprint) = footprint(object, limits, &autoscalers) else {
            continue;
        };
        let mut report = |container: Option<&str>, resource: &str, value, bound| {
            found.push(LimitViolation {
                object: object.id(),
                component: object.component().map(str::to_owned),
                container: container.map(str::to_owned),
                resource: resource.to_owned(),
                value,
                bound,
            });
        };
        for pod in &footprint.shapes {
            for container in pod.init.iter().chain(&pod.containers) {
                for (resource, value, bound) in of_container(&container.amounts, limits) {
                    report(Some(&container.name), resource, value, bound);
                }
            }
            let whole = pod.of_containers().amounts;
            for (resource, [_, most]) in bounds([limits.pod_max; 2]) {
                let value = whole.get(resource);
                if value > most {
                    report(None, resource, value, Bound::Max(most));
                }
            }
        }
        for (_, size) in footprint.claims {
            if size > limits.storage_max {
                report(
                    None,
                    "requests.storage",
                    size,
                    Bound::Max(limits.storage_max),
                );
            } else if size < limits.storage_min {
                report(
                    None,
                    "requests.storage",
                    size,
                    Bound::Min(limits.storage_min),
                );
            }
        }
    }
    found
}

fn of_container(amounts: &Cost, limits: &LimitSettings) -> Vec<(&'static str, Quantity, Bound)> {
    let mut found = Vec::new();
    for (resource, [least, most]) in bounds([limits.container_min, limits.container_max]) {
        let value = amounts.get(resource);
        if value > most {
            found.push((resource, value, Bound::Max(most)));
        } else if value < least {
            found.push((resource, value, Bound::Min(least)));
        }
    }
    for (request, limit) in [
        ("requests.cpu", "limits.cpu"),
        ("requests.memory", "limits.memory"),
    ] {
        let own = amounts.get(limit);
        if amounts.get(request) > own {
            found.push((request, amounts.get(request), Bound::OwnLimit(own)));
        }
    }
    found
}

/// The least and the most by resource; the same bounds hold for requests and limits.
fn bounds(
    [least, most]: [crate::model::settings::Amounts; 2],
) -> [(&'static str, [Quantity; 2]); 4] {
    let cpu = [least.cpu, most.cpu];
    let memory = [least.memory, most.memory];
    [
        ("requests.cpu", cpu),
        ("requests.memory", memory),
        ("limits.cpu", cpu),
        ("limits.memory", memory),
    ]
}

impl fmt::Display for LimitViolation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            object, resource, ..
        } = self;
        let value = print(resource, self.value);
        match &self.container {
            Some(container) => write!(f, "{object}: container {container} has {resource} {value}")?,
            None if resource == "requests.storage" => write!(f, "{object}: a volume of {value}")?,
            None => write!(
                f,
                "{object}: the containers of a pod have {resource} {value}"
            )?,
        }
        match self.bound {
            Bound::Max(most) => write!(f, ", allowed at most {}", print(resource, most)),
            Bound::Min(least) => write!(f, ", allowed from {}", print(resource, least)),
            Bound::OwnLimit(limit) => write!(
                f,
                ", more than its {}, which is {}",
                resource.replace("requests", "limits"),
                print(resource, limit)
            ),
        }
    }
}

impl LimitViolation {
    /// JSON pointer in `k8s-ee.yaml` of what to change; none when the file has no say in it.
    #[must_use]
    pub fn pointer(&self, env: &Environment) -> Option<String> {
        let component = self.component.as_deref()?;
        if let Some(service) = env.services.iter().find(|s| s.name == component) {
            // Only the service's own container takes its amounts from the file.
            let own = self
                .container
                .as_deref()
                .is_none_or(|name| name == component);
            return own
                .then(|| key(service, &self.resource))?
                .map(|key| service.pointer(&key));
        }
        if let Some(seed) = env.seeds.iter().find(|s| s.name == component) {
            return amount_key(&self.resource).map(|key| seed.pointer(&key));
        }
        let database = env.databases.iter().find(|d| d.kind.name() == component)?;
        (self.resource == "requests.storage")
            .then(|| format!("/databases/{}/storage", database.kind))
    }

    /// The key of the bound under `limits` in the platform settings; none for a container's own limit.
    fn setting(&self) -> Option<String> {
        let bound = match self.bound {
            Bound::Max(_) => "Max",
            Bound::Min(_) => "Min",
            Bound::OwnLimit(_) => return None,
        };
        let (_, resource) = self.resource.split_once('.')?;
        Some(match (&self.container, resource) {
            (_, "storage") => format!("storage{bound}"),
            (Some(_), _) => format!("container{bound}.{resource}"),
            (None, _) => format!("pod{bound}.{resource}"),
        })
    }

    /// What to do about it. `locate` turns a JSON pointer into a place such as `k8s-ee.yaml:14`, if the file has it.
    #[must_use]
    pub fn hint(&self, env: &Environment, locate: &dyn Fn(&str) -> Option<String>) -> String {
        let pointer = self.pointer(env);
        let Some(pointer) = pointer else {
            return match self.setting() {
                Some(setting) => format!("change `limits.{setting}` in the platform settings"),
                None => format!(
                    "give it a higher {}",
                    self.resource.replace("requests", "limits")
                ),
            };
        };
        let or_change = self
            .setting()
            .map(|setting| format!(", or change `limits.{setting}` in the platform settings"));
        let or_change = or_change.unwrap_or_default();
        match self.bound {
            Bound::Max(_) | Bound::OwnLimit(_) => lower(&pointer, locate) + &or_change,
            Bound::Min(least) => {
                let key = pointer.trim_start_matches('/').replace('/', ".");
                let at = locate(&pointer).map(|place| format!(" at {place}"));
                let least = print(&self.resource, least);
                format!("raise `{key}`{} to {least} or more", at.unwrap_or_default())
            }
        }
    }
}
