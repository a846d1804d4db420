//! The quota as people and as programs read it.

use serde_json::{Map, Value, json};

use super::{
    Quota, WorkloadCost,
    ceiling::explain,
    cost::{Cost, compare, print},
};

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
/// below it how the larger amounts come about.
#[must_use]
pub fn human(quota: &Quota) -> String {
    let mut rows = vec![row("component", |resource| resource.to_owned())];
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

    let mut text = align(&rows);
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

/// Names to the left, amounts to the right.
fn align(rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..=COLUMNS.len()).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = format!("{:<width$}", row[0], width = widths[0]);
        for (cell, width) in row.iter().zip(&widths).skip(1) {
            line.push_str(&format!("  {cell:>width$}"));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
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
