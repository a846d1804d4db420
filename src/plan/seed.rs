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
            self.settle(seed, live, &data, pods);
        }
    }

    fn settle(
        &mut self,
        seed: &Seed,
        live: &Live,
        data: &BTreeMap<DatabaseKind, Data>,
        pods: &[Object],
    ) {
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
            match ended(there, pods) {
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

/// Its pod has ended a while before a Job is told to have.
fn ended(job: &Object, pods: &[Object]) -> Ended {
    let uid = job.get("/metadata/uid");
    let succeeded = |pod: &Object| {
        let owners = pod
            .get("/metadata/ownerReferences")
            .and_then(Value::as_array);
        let mut owners = owners.into_iter().flatten();
        pod.str("/status/phase") == Some("Succeeded")
            && uid.is_some()
            && owners.any(|owner| Some(&owner["uid"]) == uid)
    };
    let conditions = job.get("/status/conditions").and_then(Value::as_array);
    let has = |kind: &str| {
        conditions
            .into_iter()
            .flatten()
            .any(|condition| condition["type"] == kind && condition["status"] == "True")
    };
    if has("Complete") || pods.iter().any(succeeded) {
        Ended::Well
    } else if has("Failed") || has("FailureTarget") {
        Ended::Badly
    } else {
        Ended::NotYet
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        config::{Config, Source},
        model::{EnvironmentKey, build::Request, settings::PlatformSettings},
        plan::Desired,
        quota::Quota,
    };

    /// An environment with PostgreSQL on a volume, Redis without one, and one seed.
    struct Case {
        environment: Environment,
        desired: Vec<Object>,
        live: Live,
        claims: Vec<Object>,
        pods: Vec<Object>,
    }

    const NOON: &str = "2026-11-20T12:00:00Z";

    fn object(value: Value) -> Object {
        Object::new(value).expect("an object")
    }

    fn set(database: &str, on_volume: bool) -> Object {
        let templates = if on_volume {
            json!([{"metadata": {"name": "data"}}])
        } else {
            json!([])
        };
        object(json!({"apiVersion": "apps/v1", "kind": "StatefulSet",
            "metadata": {"name": format!("app-{database}"), "namespace": "shop-pr-7", "labels": {"k8s-ee/component": database}},
            "spec": {"volumeClaimTemplates": templates}}))
    }

    fn of_seed(kind: &str, name: &str, more: &Value) -> Object {
        let api_version = if kind == "Job" { "batch/v1" } else { "v1" };
        let mut value = json!({"apiVersion": api_version, "kind": kind, "metadata": {
            "name": name, "namespace": "shop-pr-7",
            "labels": {"k8s-ee/component": "seed", "k8s-ee/type": "seed", "app.kubernetes.io/managed-by": "k8s-ee"},
            "annotations": {"k8s-ee/seed-databases": "postgresql,redis"}}});
        for (key, member) in more.as_object().expect("a map") {
            value["metadata"][key] = member.clone();
        }
        object(value)
    }

    /// The Job of the seed in the cluster: made at noon, with a digest and a condition.
    fn job(digest: &str, condition: &str) -> Object {
        let mut job = of_seed("Job", "seed", &json!({"creationTimestamp": NOON}));
        job.set_annotation(labels::SEED_DIGEST, digest);
        job.as_map_mut().insert(
            "status".to_owned(),
            json!({"conditions": [{"type": condition, "status": "True"}]}),
        );
        job
    }

    fn made(kind: &str, name: &str, database: &str, at: &str) -> Object {
        object(
            json!({"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": "shop-pr-7",
            "labels": {"k8s-ee/component": database}, "creationTimestamp": at}}),
        )
    }

    impl Case {
        fn new(seed: &str) -> Self {
            let text = format!(
                "projectId: shop\nimage: a\ndatabases: {{postgresql: true, redis: true}}\nseed: {{{seed}}}\n"
            );
            let config = Config::parse(Source::new("k8s-ee.yaml", text)).expect("it is valid");
            let request = Request {
                key: EnvironmentKey::Pr(7),
                image: None,
                images: BTreeMap::new(),
                commit: None,
                branch: None,
                repository: None,
                domain: None,
                profile: crate::model::Profile::Default,
                placeholders: true,
            };
            let environment = Environment::build(
                &config,
                &request,
                &PlatformSettings::default(),
                &crate::model::operator::LiveDatabases::default(),
            )
            .expect("an environment");
            let mut desired = of_seed("Job", "seed", &json!({}));
            desired.set_annotation(labels::SEED_DIGEST, "new");
            let sets = [set("postgresql", true), set("redis", false)];
            // Of these the cluster has what is wanted, applied by us.
            let there = sets.iter().cloned().map(|mut set| {
                set.as_map_mut()["metadata"]["managedFields"] = json!([
                    {"manager": "k8s-ee", "operation": "Apply", "fieldsV1": {}}]);
                (set.id(), set)
            });
            Self {
                environment,
                live: there.collect(),
                desired: sets
                    .into_iter()
                    .chain([desired, of_seed("ConfigMap", "seed-seed-new", &json!({}))])
                    .collect(),
                claims: vec![made(
                    "PersistentVolumeClaim",
                    "data-app-postgresql-0",
                    "postgresql",
                    "2026-11-20T11:59:30Z",
                )],
                pods: vec![made("Pod", "app-redis-0", "redis", "2026-11-20T11:59:40Z")],
            }
        }

        fn live(mut self, object: Object) -> Self {
            self.live.insert(object.id(), object);
            self
        }

        /// What happens to the Job, to its ConfigMap, what is removed, and what is said about it.
        fn settled(&self) -> (Action, Option<Action>, Vec<String>, Vec<String>) {
            let desired = Desired {
                guardrails: Vec::new(),
                objects: self.desired.clone(),
                completions: Vec::new(),
                quota: Quota {
                    hard: BTreeMap::new(),
                    components: Vec::new(),
                },
            };
            let mut plan = Plan::new(&self.environment, desired, &self.live);
            plan.settle_seeds(&self.environment, &self.live, &self.claims, &self.pods);
            let of_seed = |kind: &str| {
                let mut changes = plan.changes();
                let found = changes.find(|c| c.id.kind == kind && is_of_seed(&c.object));
                found.map(|change| change.action)
            };
            (
                of_seed("Job").expect("the Job is planned"),
                of_seed("ConfigMap"),
                plan.prune.iter().map(|id| id.name.clone()).collect(),
                plan.notes.clone(),
            )
        }
    }

    const FILE: &str = "file: a.sql";
    const ON_CHANGE: &str = "file: a.sql, rerun: onChange";

    #[track_caller]
    fn runs_again(case: &Case, why: &str) {
        let (action, data, _, notes) = case.settled();
        assert_eq!((action, data), (Action::Replace, Some(Action::Create)));
        assert_eq!(notes, [format!("the seed seed runs again: {why}")]);
    }

    #[track_caller]
    fn stays(case: &Case) -> Vec<String> {
        let (action, data, prune, notes) = case.settled();
        assert_eq!((action, data), (Action::Keep, None));
        assert_eq!(prune, Vec::<String>::new());
        notes
    }

    #[test]
    fn a_seed_that_never_ran_runs() {
        let (action, data, prune, notes) = Case::new(FILE).settled();
        assert_eq!((action, data), (Action::Create, Some(Action::Create)));
        assert!(prune.is_empty() && notes.is_empty(), "{prune:?} {notes:?}");
    }

    #[test]
    fn a_seed_that_has_run_stays_and_its_change_is_told() {
        let same = Case::new(FILE).live(job("new", "Complete"));
        assert_eq!(stays(&same), Vec::<String>::new());
        let changed = Case::new(FILE).live(job("old", "Complete"));
        assert_eq!(
            stays(&changed),
            ["the seed seed has run already; its change is ignored (rerun: never)"]
        );
        let same = Case::new(ON_CHANGE).live(job("new", "Complete"));
        assert_eq!(stays(&same), Vec::<String>::new());
    }

    #[test]
    fn a_seed_runs_again_when_it_failed_or_has_changed_and_is_to() {
        runs_again(
            &Case::new(ON_CHANGE).live(job("old", "Complete")),
            "it has changed",
        );
        for digest in ["old", "new"] {
            runs_again(
                &Case::new(FILE).live(job(digest, "Failed")),
                "it failed the last time",
            );
        }
        let foreign = made("Job", "seed", "seed", NOON).as_value();
        let foreign = with(foreign, "/apiVersion", json!("batch/v1"));
        runs_again(
            &Case::new(FILE).live(object(foreign)),
            "a Job of its name is in the way",
        );
    }

    fn with(mut value: Value, at: &str, to: Value) -> Value {
        *value.pointer_mut(at).expect("a member") = to;
        value
    }

    #[test]
    fn one_that_runs_at_the_moment_is_waited_for_unless_it_has_changed() {
        assert_eq!(
            stays(&Case::new(FILE).live(job("new", "Suspended"))),
            Vec::<String>::new()
        );
        runs_again(
            &Case::new(FILE).live(job("old", "Suspended")),
            "it has changed",
        );
        // Its pod has ended, which its Job has not been told yet.
        let mut there = job("old", "Suspended");
        there.as_map_mut()["metadata"]["uid"] = json!("j");
        let mut ended = Case::new(FILE).live(there);
        ended.pods.push(object(json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "seed-x",
            "ownerReferences": [{"kind": "Job", "name": "seed", "uid": "j"}]}, "status": {"phase": "Succeeded"}})));
        assert_eq!(stays(&ended).len(), 1);
    }

    #[test]
    fn what_a_killed_run_left_behind_is_removed() {
        let left = of_seed("ConfigMap", "seed-seed-new", &json!({}));
        let (action, data, prune, _) = Case::new(FILE)
            .live(job("new", "Complete"))
            .live(left)
            .settled();
        assert_eq!((action, data), (Action::Keep, None));
        assert_eq!(prune, ["seed-seed-new"]);
    }

    #[test]
    fn new_data_are_seeded_again() {
        let mut lost = Case::new(FILE).live(job("new", "Complete"));
        lost.claims[0] = made(
            "PersistentVolumeClaim",
            "data-app-postgresql-0",
            "postgresql",
            "2026-11-20T12:00:01Z",
        );
        runs_again(&lost, "the data of postgresql are newer than its last run");
        lost.claims.clear();
        runs_again(&lost, "the data of postgresql are newer than its last run");

        let mut redis = Case::new("file: a.redis").live(job("new", "Complete"));
        assert_eq!(stays(&redis), Vec::<String>::new());
        redis.pods[0] = made("Pod", "app-redis-0", "redis", "2026-11-20T13:00:00Z");
        runs_again(&redis, "the data of redis are newer than its last run");
    }

    #[test]
    fn a_program_does_not_run_again_for_a_cache_or_for_a_database_that_came_later() {
        let mut cache = Case::new("image: seeder").live(job("new", "Complete"));
        cache.pods[0] = made("Pod", "app-redis-0", "redis", "2026-11-20T13:00:00Z");
        assert_eq!(stays(&cache), Vec::<String>::new());

        let mut before = job("new", "Complete");
        before.set_annotation(labels::SEED_DATABASES, "redis");
        let mut later = Case::new("image: seeder").live(before);
        later.claims.clear();
        assert_eq!(stays(&later), Vec::<String>::new());
        let mut lost = Case::new("image: seeder").live(job("new", "Complete"));
        lost.claims.clear();
        runs_again(&lost, "the data of postgresql are newer than its last run");
    }

    #[test]
    fn a_seed_that_is_not_planned_stays_what_it_is() {
        let mut restored = Case::new(FILE).live(job("old", "Complete"));
        restored.desired.truncate(2);
        let desired = Desired {
            guardrails: Vec::new(),
            objects: restored.desired.clone(),
            completions: Vec::new(),
            quota: Quota {
                hard: BTreeMap::new(),
                components: Vec::new(),
            },
        };
        let mut plan = Plan::new(&restored.environment, desired, &restored.live);
        assert_eq!(plan.prune.len(), 1, "{:?}", plan.prune);
        plan.settle_seeds(&restored.environment, &restored.live, &[], &[]);
        assert!(plan.prune.is_empty() && plan.notes.is_empty(), "{plan:?}");
    }
}
