//! What an environment asks the cluster for while nothing changes: CPU, memory and storage, now and when the plan has
//! been carried out.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Serialize, Serializer};

use super::{Live, volumes};
use crate::{
    model::object::Object,
    quantity::Quantity,
    quota::{Quota, print},
};

/// The resources that are told, by the names that a ResourceQuota has for them.
pub const RESOURCES: [&str; 3] = ["requests.cpu", "requests.memory", "requests.storage"];

/// What is asked for, in the order of [`RESOURCES`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Requested([Quantity; 3]);

/// What all components ask for, now and then.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CostChange {
    /// Each component that asks for anything, by name.
    pub components: Vec<ComponentChange>,
    /// All of them together now.
    pub now: Requested,
    /// All of them together when the plan has been carried out.
    pub then: Requested,
}

/// What a component asks for, now and then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ComponentChange {
    /// Name of the component; of a volume that nobody uses, the name of the claim.
    pub name: String,
    /// Now.
    pub now: Requested,
    /// When the plan has been carried out.
    pub then: Requested,
}

/// The objects of which the present cost is computed: what controllers made is counted with what they made it for, and
/// claims with the StatefulSets that they were made for.
#[must_use]
pub fn counted(live: &Live) -> Vec<Object> {
    let objects: Vec<Object> = live.values().cloned().collect();
    let is_of_template =
        |object: &Object| volumes::is_claim(object) && volumes::is_of_template(object, &objects);
    let is_counted = |object: &&Object| !object.is_controlled() && !is_of_template(object);
    objects.iter().filter(is_counted).cloned().collect()
}

/// Compares what two sets of objects ask for.
#[must_use]
pub fn compare(now: &Quota, then: &Quota) -> CostChange {
    let (now, then) = (by_component(now), by_component(then));
    let names: BTreeSet<&String> = now.keys().chain(then.keys()).collect();
    let of = |all: &BTreeMap<String, Requested>, name| all.get(name).copied().unwrap_or_default();
    let components = names.into_iter().map(|name| ComponentChange {
        name: name.clone(),
        now: of(&now, name),
        then: of(&then, name),
    });
    CostChange {
        components: components
            .filter(|c| [c.now, c.then] != [Requested::default(); 2])
            .collect(),
        now: now.values().copied().sum(),
        then: then.values().copied().sum(),
    }
}

fn by_component(quota: &Quota) -> BTreeMap<String, Requested> {
    let requested = |component: &crate::quota::ComponentCost| {
        let workloads = component.workloads.iter();
        let costs = workloads.map(|workload| {
            let cost = workload.at_rest();
            Requested(RESOURCES.map(|resource| cost.get(resource)))
        });
        (component.component.clone(), costs.sum())
    };
    quota.components.iter().map(requested).collect()
}

impl Requested {
    /// Each amount as people write it, in the order of [`RESOURCES`].
    #[must_use]
    pub fn printed(&self) -> [String; 3] {
        let mut amounts = RESOURCES.iter().zip(self.0);
        std::array::from_fn(|_| {
            let (resource, amount) = amounts.next().expect("there are as many amounts");
            print(resource, amount)
        })
    }
}

impl std::iter::Sum for Requested {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, one| {
            Self(std::array::from_fn(|n| sum.0[n] + one.0[n]))
        })
    }
}

impl Serialize for Requested {
    /// By the names of [`RESOURCES`].
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(RESOURCES.iter().zip(self.printed()))
    }
}

/// A line for each component and one for all of them, with what changes as `now → then`; more lines where `width` asks for
/// it.
#[must_use]
pub fn human(cost: &CostChange, width: Option<usize>) -> Vec<String> {
    let cells = |now: &Requested, then: &Requested| -> [String; 3] {
        let (now, then) = (now.printed(), then.printed());
        std::array::from_fn(|n| {
            if now[n] == then[n] {
                now[n].clone()
            } else {
                format!("{} → {}", now[n], then[n])
            }
        })
    };
    let row = |name: &str, cells: [String; 3]| -> Vec<String> {
        std::iter::once(name.to_owned()).chain(cells).collect()
    };
    let components = cost.components.iter();
    let mut rows: Vec<Vec<String>> = components
        .map(|component| row(&component.name, cells(&component.now, &component.then)))
        .collect();
    if rows.len() != 1 {
        rows.push(row("all", cells(&cost.now, &cost.then)));
    }
    let headings = ["requests", "cpu", "memory", "storage"];
    let table = crate::report::table::table(&headings, &rows, width);
    table.lines().map(str::to_owned).collect()
}
