//! What things cost: amounts by the resource names of a ResourceQuota, added up and compared name by name.

use std::collections::BTreeMap;

use crate::quantity::Quantity;

/// The resources that every quota bounds. Those of containers are safe to bound because the LimitRange gives each
/// container a value; ephemeral storage is not here, since a quota on it would refuse every container that names none.
pub(super) const BOUNDED: &[&str] = &[
    "requests.cpu",
    "requests.memory",
    "limits.cpu",
    "limits.memory",
    "requests.storage",
    "persistentvolumeclaims",
    "pods",
    "services",
    "services.loadbalancers",
    "services.nodeports",
    "configmaps",
    "secrets",
    "replicationcontrollers",
];

/// Amounts by resource name (`limits.cpu`, `requests.storage`, `pods`, …); what is not named is nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cost(BTreeMap<String, Quantity>);

impl Cost {
    /// The amount of a resource.
    #[must_use]
    pub fn get(&self, resource: &str) -> Quantity {
        self.0.get(resource).copied().unwrap_or_default()
    }

    /// The resources it names, with their amounts, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Quantity)> {
        self.0.iter().map(|(name, amount)| (name.as_str(), *amount))
    }

    /// True when it costs nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.values().all(|amount| amount.is_zero())
    }

    pub(super) fn set(&mut self, resource: impl Into<String>, amount: Quantity) {
        self.0.insert(resource.into(), amount);
    }

    pub(super) fn contains(&self, resource: &str) -> bool {
        self.0.contains_key(resource)
    }

    pub(super) fn add(&mut self, resource: impl Into<String>, amount: Quantity) {
        *self.0.entry(resource.into()).or_default() += amount;
    }

    pub(super) fn add_all(&mut self, other: &Self) {
        for (resource, amount) in other.iter() {
            self.add(resource, amount);
        }
    }

    /// Raises each amount to that of `other` where that is more.
    pub(super) fn raise_to(&mut self, other: &Self) {
        for (resource, amount) in other.iter() {
            let own = self.0.entry(resource.to_owned()).or_default();
            *own = amount.max(*own);
        }
    }

    pub(super) fn times(&self, n: u32) -> Self {
        self.iter().map(|(name, q)| (name, q.times(n))).collect()
    }
}

impl<N: Into<String>> FromIterator<(N, Quantity)> for Cost {
    fn from_iter<I: IntoIterator<Item = (N, Quantity)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(n, q)| (n.into(), q)).collect())
    }
}

/// An amount as people and Kubernetes write that resource: `690m`, `512Mi`, `3`.
#[must_use]
pub fn print(resource: &str, amount: Quantity) -> String {
    if amount.is_zero() {
        "0".to_owned()
    } else if resource.ends_with("cpu") {
        amount.as_cpu()
    } else if resource.ends_with("memory")
        || resource.ends_with("storage")
        || resource.contains("hugepages-")
    {
        amount.as_bytes()
    } else {
        amount.as_count()
    }
}

/// As [`print`], with CPU always in thousandths, for amounts that stand beside each other.
pub(super) fn compare(resource: &str, amount: Quantity) -> String {
    if resource.ends_with("cpu") && !amount.is_zero() {
        amount.as_milli()
    } else {
        print(resource, amount)
    }
}

/// Whether a quota can bound the resource without refusing containers that do not name it.
pub(super) fn can_be_bounded(resource: &str) -> bool {
    BOUNDED.contains(&resource) || is_device(resource)
}

/// Whether platform settings may name the resource.
pub(super) fn is_known(resource: &str) -> bool {
    can_be_bounded(resource)
        || ["requests.ephemeral-storage", "limits.ephemeral-storage"].contains(&resource)
}

/// Devices and huge pages, such as `requests.nvidia.com/gpu`: only containers that ask for them are counted.
fn is_device(resource: &str) -> bool {
    resource
        .strip_prefix("requests.")
        .is_some_and(|name| name.contains('/') || name.starts_with("hugepages-"))
}
