//! What a plan means for data and for whoever uses the environment: the lines that are read first.

use serde::Serialize;

use super::{Action, Change, Live, Plan, volumes};
use crate::model::{
    DatabaseKind,
    object::{Object, ObjectId},
};

/// What a plan means for a component. The order is the order in which they are told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Impact {
    /// What kind of thing it is.
    pub kind: ImpactKind,
    /// Which component.
    pub component: String,
    /// In words for people.
    pub text: String,
}

/// What a plan means for a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImpactKind {
    /// Data are lost.
    DataLost,
    /// It starts empty; its data are still there, on a volume that it does not use.
    StartsEmpty,
    /// It does not answer for as long as its pod takes to be replaced.
    Restart,
    /// It is there no more.
    Removed,
    /// Its pods are replaced, while it goes on answering.
    Rollout,
}

/// What the removal of workloads means. Data on volumes stay, so it is only those in pods that go.
pub(super) fn of_removal(prune: &[ObjectId], live: &Live) -> Vec<Impact> {
    let workloads = prune.iter().filter_map(|id| live.get(id));
    workloads
        .filter_map(|workload| {
            let (kind, name, text) = match workload.kind() {
                "StatefulSet" if !volumes::has_claims(workload) => {
                    let name = database(workload)?;
                    let text =
                        format!("{name} is removed with its data, which are in its pod alone");
                    (ImpactKind::DataLost, name, text)
                }
                "Deployment" => {
                    let name = workload.component()?;
                    (ImpactKind::Removed, name, format!("{name} is removed"))
                }
                _ => return None,
            };
            Some(impact(kind, name, text))
        })
        .collect()
}

/// What changes of workloads mean.
pub(super) fn of_changes(plan: &Plan, live: &Live) -> Vec<Impact> {
    plan.changes()
        .filter_map(|change| {
            let there = live.get(&change.id)?;
            let name = match change.id.kind.as_str() {
                "StatefulSet" => database(&change.object)?,
                "Deployment" => change.object.component()?,
                _ => return None,
            };
            let (kind, text) = match change.id.kind.as_str() {
                "StatefulSet" => of_change(name, change, there)?,
                _ => of_deployment(name, change)?,
            };
            Some(impact(kind, name, text))
        })
        .collect()
}

fn impact(kind: ImpactKind, component: &str, text: String) -> Impact {
    Impact {
        kind,
        component: component.to_owned(),
        text,
    }
}

fn of_deployment(name: &str, change: &Change) -> Option<(ImpactKind, String)> {
    let mut fields = change.fields.iter();
    match change.action {
        Action::Replace => Some((
            ImpactKind::Restart,
            format!("{name} is deleted and made anew; it does not answer meanwhile"),
        )),
        Action::Update if fields.any(|field| field.path.starts_with("spec.template")) => Some((
            ImpactKind::Rollout,
            format!("{name} gets new pods one by one, and answers meanwhile"),
        )),
        _ => None,
    }
}

fn of_change(name: &str, change: &Change, live: &Object) -> Option<(ImpactKind, String)> {
    let restarts = change
        .fields
        .iter()
        .any(|field| field.path.starts_with("spec.template"));
    let replaced = change.action == Action::Replace && !change.keeps_pods();
    if change.action == Action::Keep || !(restarts || replaced) {
        return None;
    }
    let (before, after) = (
        volumes::has_claims(live),
        volumes::has_claims(&change.object),
    );
    Some(match (before, after) {
        (false, true) => (
            ImpactKind::DataLost,
            format!("{name} moves to a volume and starts empty: its data were in its pod alone"),
        ),
        (false, false) => (
            ImpactKind::DataLost,
            format!("{name} restarts and starts empty: its data are in its pod alone"),
        ),
        (true, false) => (
            ImpactKind::StartsEmpty,
            format!("{name} leaves its volume and starts empty; the data stay on the volume"),
        ),
        (true, true) => (
            ImpactKind::Restart,
            format!("{name} restarts; its data stay"),
        ),
    })
}

fn database(set: &Object) -> Option<&str> {
    set.component()
        .filter(|name| DatabaseKind::ALL.iter().any(|kind| kind.name() == *name))
}
