//! What becomes of seeds. Each runs once: the Job that has ended well stays, and is the mark of it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::{Action, Change, Live, Plan};
use crate::{
    config::seed::Rerun,
    model::{
        DatabaseKind, Environment, Seed, labels,
        object::{Object, ObjectId},
        seed::Run,
    },
    render::RELEASE,
};

/// How far the Job of a seed is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    Well,
    Badly,
    NotYet,
}

/// The data of a database, as far as the cluster tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Data {
    /// When they were begun; none when that is still to come.
    since: Option<Timestamp>,
    /// Whether they are on a volume rather than as old as a pod.
    on_volume: bool,
}

/// Whether an object is of a seed: its Job, or the ConfigMap with what the Job reads.
#[must_use]
pub fn is_of_seed(object: &Object) -> bool {
    object.label(labels::TYPE) == Some(labels::TYPE_SEED)
}

impl Change {
    /// Whether it is the ConfigMap of a seed, which nobody needs once the seed has run.
    #[must_use]
    pub fn is_spent(&self) -> bool {
        self.id.kind == "ConfigMap" && is_of_seed(&self.object)
    }
}

impl Plan {
    /// Decides which seeds run: those that never did, those that failed, those whose data are gone with their volume,
    /// and those that have changed and are to run again then. The others keep their Job as it is, and nothing else.
    ///
    /// `claims` and `pods` are those of the namespace. What is not a matter of course becomes a note.
    pub fn settle_seeds(
        &mut self,
        environment: &Environment,
        live: &Live,
        claims: &[Object],
        pods: &[Object],
    ) {
        let data = data(self, environment, claims, pods);
        for seed in &environment.seeds {
            self.settle(seed, live, &data);
        }
    }

    fn settle(&mut self, seed: &Seed, live: &Live, data: &BTreeMap<DatabaseKind, Data>) {
        let mut components = self.waves.iter_mut().flatten();
        let changes = components
            .find(|component| component.name == seed.name)
            .map(|component| &mut component.changes);
        let of_this = |id: &ObjectId| {
            let object = live.get(id);
            object.is_some_and(|o| is_of_seed(o) && o.component() == Some(&seed.name))
        };
        let Some((changes, at)) = changes.and_then(|changes| {
            let at = changes.iter().position(|change| change.id.kind == "Job")?;
            Some((changes, at))
        }) else {
            // It is not to run now, as when an earlier version is restored; that it ran stays true.
            self.prune.retain(|id| !of_this(id));
            return;
        };
        let job = &mut changes[at];
        let Some(there) = live.get(&job.id) else {
            return;
        };
        let changed = digest(there) != digest(&job.object);
        let reason = if !is_of_seed(there) {
            Some("a Job of its name is in the way".to_owned())
        } else {
            match ended(there) {
                Ended::Badly => Some("it failed the last time".to_owned()),
                Ended::NotYet => changed.then(|| "it has changed".to_owned()),
                Ended::Well => match newer(seed, there, data) {
                    Some(kind) => Some(format!("the data of {kind} are newer than its last run")),
                    None => (changed && seed.rerun == Rerun::OnChange)
                        .then(|| "it has changed".to_owned()),
                },
            }
        };
        if let Some(reason) = reason {
            job.action = Action::Replace;
            self.notes
                .push(format!("the seed {} runs again: {reason}", seed.name));
            return;
        }
        if changed {
            self.notes.push(format!(
                "the seed {} has run already; its change is ignored (rerun: never)",
                seed.name
            ));
        }
        job.action = Action::Keep;
        job.fields.clear();
        changes.retain(|change| change.id.kind == "Job");
        // What the Job reads goes at the end, when it has ended for certain.
        for object in live.values().filter(|o| o.kind() == "ConfigMap") {
            let id = object.id();
            if of_this(&id) && !self.prune.contains(&id) {
                self.prune.push(id);
            }
        }
    }
}

/// The first database whose data are not those that the Job has put something into.
fn newer(seed: &Seed, job: &Object, data: &BTreeMap<DatabaseKind, Data>) -> Option<DatabaseKind> {
    let ran = job.str("/metadata/creationTimestamp").and_then(time)?;
    // A database that came into the file later has never had data of this seed.
    let had = job.annotation(labels::SEED_DATABASES).unwrap_or_default();
    let had = |kind: &DatabaseKind| had.split(',').any(|name| name == kind.name());
    let reads_file = matches!(seed.run, Run::File { .. });
    seed.databases.iter().copied().find(|kind| {
        let Some(data) = data.get(kind) else {
            return false;
        };
        // A program writes where it wants; it does not run again because a cache was restarted.
        let counts = had(kind) && (reads_file || data.on_volume);
        counts && data.since.is_none_or(|since| since > ran)
    })
}

/// The data of each database of which the cluster tells something.
fn data(
    plan: &Plan,
    environment: &Environment,
    claims: &[Object],
    pods: &[Object],
) -> BTreeMap<DatabaseKind, Data> {
    let mut known = BTreeMap::new();
    for kind in environment.databases.iter().map(|d| d.kind) {
        // The oldest: replicas that come later have the same data.
        let since = |objects: &[Object]| {
            let of_it = objects.iter().filter(|object| is_of_database(object, kind));
            of_it
                .filter_map(|object| object.str("/metadata/creationTimestamp").and_then(time))
                .min()
        };
        let set = plan
            .waves
            .iter()
            .flatten()
            .filter(|component| component.name == kind.name())
            .flat_map(|component| &component.changes)
            .find(|change| change.id.kind == "StatefulSet");
        let on_volume = set.map(|set| {
            let templates = set.object.get("/spec/volumeClaimTemplates");
            templates
                .and_then(Value::as_array)
                .is_some_and(|t| !t.is_empty())
        });
        let since = match (on_volume, set) {
            (Some(true), _) => since(claims),
            // Without a volume they go with the pod.
            (Some(false), Some(set)) if set.action == Action::Keep => since(pods),
            (Some(false), _) => None,
            // Run by an operator: what it has not made yet cannot be told from what it calls otherwise.
            (None, _) => match since(claims) {
                Some(since) => Some(since),
                None => continue,
            },
        };
        let on_volume = on_volume.unwrap_or(true);
        known.insert(kind, Data { since, on_volume });
    }
    known
}

/// Whether a claim or a pod is of a database: by its label, or by its name where an operator gave none.
fn is_of_database(object: &Object, kind: DatabaseKind) -> bool {
    match object.component() {
        Some(component) => component == kind.name(),
        None => object.name().contains(&format!("{RELEASE}-{kind}")),
    }
}

fn time(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

fn digest(job: &Object) -> Option<&str> {
    job.annotation(labels::SEED_DIGEST)
}

fn ended(job: &Object) -> Ended {
    let conditions = job.get("/status/conditions").and_then(Value::as_array);
    let has = |kind: &str| {
        conditions
            .into_iter()
            .flatten()
            .any(|condition| condition["type"] == kind && condition["status"] == "True")
    };
    if has("Complete") {
        Ended::Well
    } else if has("Failed") || has("FailureTarget") {
        Ended::Badly
    } else {
        Ended::NotYet
    }
}
