//! What a plan means for the data of databases and for whoever uses them: the lines that are read first.

use serde::Serialize;

use super::{Action, Change, Live, Plan, volumes};
use crate::model::{
    DatabaseKind,
    object::{Object, ObjectId},
};

/// What a plan means for a database. The order is the order in which they are told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Impact {
    /// What kind of thing it is.
    pub kind: ImpactKind,
    /// Which database.
    pub component: String,
    /// In words for people.
    pub text: String,
}

/// What a plan means for a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImpactKind {
    /// Data are lost.
    DataLost,
    /// It starts empty; its data are still there, on a volume that it does not use.
    StartsEmpty,
    /// It does not answer for as long as its pod takes to be replaced.
    Restart,
}

/// What the removal of StatefulSets means. Data on volumes stay, so it is only those in pods that go.
pub(super) fn of_removal(prune: &[ObjectId], live: &Live) -> Vec<Impact> {
    let sets = prune.iter().filter(|id| id.kind == "StatefulSet");
    sets.filter_map(|id| live.get(id))
        .filter(|set| !volumes::has_claims(set))
        .filter_map(|set| {
            let name = database(set)?;
            Some(Impact {
                kind: ImpactKind::DataLost,
                component: name.to_owned(),
                text: format!("{name} is removed with its data, which are in its pod alone"),
            })
        })
        .collect()
}

/// What changes of StatefulSets mean.
pub(super) fn of_changes(plan: &Plan, live: &Live) -> Vec<Impact> {
    let sets = plan.changes().filter(|c| c.id.kind == "StatefulSet");
    sets.filter_map(|change| {
        let name = database(&change.object)?;
        let (kind, text) = of_change(name, change, live.get(&change.id)?)?;
        Some(Impact {
            kind,
            component: name.to_owned(),
            text,
        })
    })
    .collect()
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
