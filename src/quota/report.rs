//! The quota as people and as programs read it.

use serde_json::{Map, Value, json};

use super::{
    Quota, WorkloadCost,
    ceiling::explain,
    cost::{Cost, compare, print},
};
use crate::report::table;

/// The columns of the table.
const COLUMNS: [&str; 6] = [
    "requests.cpu",
    "limits.cpu",
    "requests.memory",
    "limits.memory",
    "requests.storage",
    "pods",
];

/// A table with a row for each component, one for the room the platform leaves beside them, and one for the quota;
/// below it how the larger amounts come about. It is as wide as `width` allows.
#[must_use]
pub fn human(quota: &Quota, width: Option<usize>) -> String {
    let mut rows = Vec::new();
    for component in &quota.components {
        if COLUMNS
            .iter()
            .any(|resource| !component.cost.get(resource).is_zero())
        {
            let amount = |resource: &str| compare(resource, component.cost.get(resource));
            rows.push(row(&component.component, amount));
        }
    }
    let needed = quota.needed();
    let bound = |resource: &str| quota.hard.get(resource).copied().unwrap_or_default();
    let room = |resource: &str| {
        compare(
            resource,
            bound(resource).saturating_sub(needed.get(resource)),
        )
    };
    rows.push(row("room", room));
    rows.push(row("quota", |resource| compare(resource, bound(resource))));

    let headings: Vec<&str> = std::iter::once("component").chain(COLUMNS).collect();
    let mut text = table::amounts(&headings, &rows, width);
    for note in notes(quota) {
        text.push('\n');
        text.push_str(&note);
    }
    text.push('\n');
    text
}

fn row(name: &str, cell: impl Fn(&str) -> String) -> Vec<String> {
    let cells = COLUMNS.iter().map(|resource| cell(resource));
    std::iter::once(name.to_owned()).chain(cells).collect()
}

/// `app limits.cpu: 2 × 200m, 1 for the rollout`, for CPU and memory limits: where surprises come from.
fn notes(quota: &Quota) -> Vec<String> {
    let explained = quota.components.iter().flat_map(|component| {
        ["limits.cpu", "limits.memory"].map(|resource| {
            let how = explain(component, resource)?;
            Some(format!("{} {resource}: {how}", component.component))
        })
    });
    explained.flatten().collect()
}

/// The quota for programs. The shape belongs to `version`: fields may be added, none changes its meaning.
#[must_use]
pub fn json(quota: &Quota) -> Value {
    let components = quota.components.iter().map(|component| {
        json!({
            "name": component.component,
            "cost": amounts(&component.cost),
            "workloads": component.workloads.iter().map(workload).collect::<Vec<_>>(),
        })
    });
    json!({
        "version": 1,
        "hard": quota.hard_strings(),
        "components": components.collect::<Vec<_>>(),
    })
}

fn workload(workload: &WorkloadCost) -> Value {
    json!({
        "apiVersion": workload.id.api_version,
        "kind": workload.id.kind,
        "name": workload.id.name,
        "pods": workload.pods(),
        "replicas": workload.replicas,
        "surge": workload.surge,
        "perPod": amounts(&workload.per_pod),
        "dominatedBy": workload.dominated_by,
        "total": amounts(&workload.total()),
    })
}

fn amounts(cost: &Cost) -> Map<String, Value> {
    cost.iter()
        .map(|(resource, amount)| (resource.to_owned(), print(resource, amount).into()))
        .collect()
}
