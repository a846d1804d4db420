//! Whether a component is up, and if not, what it is waiting for: from what the watches show.

use k8s_openapi::{
    api::{
        apps::v1::{Deployment, StatefulSet},
        batch::v1::Job,
        core::v1::{ContainerStatus, Pod},
    },
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use serde_json::Value;

use crate::model::{
    object::{COMPONENT_LABEL, Object, ObjectId},
    operator::Operator,
    seed::has_condition,
};

/// How far a component is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// All its copies run the wanted version and answer.
    Up,
    /// Not yet; what it waits for, in words.
    Waiting(String),
}

/// The numbers that a workload's controller reports.
struct Rollout {
    /// Whether they are about the version that we applied, and about it alone.
    settled: bool,
    wanted: i32,
    updated: i32,
    ready: i32,
}

/// Readiness of a Deployment of which we applied `generation`.
#[must_use]
pub fn deployment(deployment: Option<&Deployment>, generation: i64, pods: &[&Pod]) -> Readiness {
    let Some(deployment) = deployment else {
        return Readiness::Waiting("being created".to_owned());
    };
    let status = deployment.status.clone().unwrap_or_default();
    let updated = status.updated_replicas.unwrap_or(0);
    let rollout = Rollout {
        // While pods of the version before are left, it still answers some of the requests.
        settled: deployment.metadata.generation >= Some(generation)
            && status.observed_generation >= deployment.metadata.generation
            && status.replicas.unwrap_or(0) == updated,
        wanted: deployment
            .spec
            .as_ref()
            .and_then(|s| s.replicas)
            .unwrap_or(1),
        updated,
        ready: status.available_replicas.unwrap_or(0),
    };
    judge(&rollout, pods)
}

/// Readiness of a StatefulSet of which we applied `generation`.
#[must_use]
pub fn stateful_set(set: Option<&StatefulSet>, generation: i64, pods: &[&Pod]) -> Readiness {
    let Some(set) = set else {
        return Readiness::Waiting("being created".to_owned());
    };
    let status = set.status.clone().unwrap_or_default();
    let revision_done = status.update_revision == status.current_revision;
    let rollout = Rollout {
        settled: set.metadata.generation >= Some(generation)
            && status.observed_generation >= set.metadata.generation,
        wanted: set.spec.as_ref().and_then(|s| s.replicas).unwrap_or(1),
        updated: if revision_done {
            status.replicas
        } else {
            status.updated_replicas.unwrap_or(0)
        },
        ready: status.ready_replicas.unwrap_or(0),
    };
    judge(&rollout, pods)
}

/// Readiness of a database that an operator runs, of whose custom resource we applied `generation`. None of the operators
/// says which version of the resource its status is about, so what can be seen of that is looked at beside it: versions,
/// the StatefulSets that it made of it (`sets`), and the pods.
#[must_use]
pub fn operated(
    operator: Operator,
    resource: Option<&Object>,
    generation: i64,
    sets: &[&StatefulSet],
    pods: &[&Pod],
) -> Readiness {
    let applied = resource.filter(|resource| {
        let there = resource.get("/metadata/generation").and_then(Value::as_i64);
        there.unwrap_or(0) >= generation
    });
    let Some(resource) = applied else {
        return Readiness::Waiting("being created".to_owned());
    };
    let pods: Vec<&Pod> = pods
        .iter()
        .copied()
        .filter(|pod| !is_finished(pod))
        .collect();
    let unready: Vec<&Pod> = pods.iter().copied().filter(|pod| !is_ready(pod)).collect();
    if !unready.is_empty() {
        let rollout = Rollout {
            settled: false,
            wanted: 1,
            updated: 0,
            ready: 0,
        };
        return judge(&rollout, &unready);
    }
    if !is_done(operator, resource) {
        return Readiness::Waiting(operator_state(operator, resource));
    }
    let unsettled = sets.iter().find_map(|set| {
        let generation = set.metadata.generation.unwrap_or(0);
        match stateful_set(Some(set), generation, &pods) {
            Readiness::Up => None,
            waiting @ Readiness::Waiting(_) => Some(waiting),
        }
    });
    unsettled.unwrap_or(Readiness::Up)
}

/// Whether an operator says that it has done what a resource asks for.
fn is_done(operator: Operator, resource: &Object) -> bool {
    let number = |pointer: &str| resource.get(pointer).and_then(Value::as_i64);
    match operator {
        Operator::Postgresql => {
            let image = resource.str("/status/image");
            resource.str("/status/phase") == Some("Cluster in healthy state")
                && number("/status/readyInstances") >= number("/spec/instances").or(Some(1))
                && image.is_none_or(|image| Some(image) == resource.str("/spec/imageName"))
        }
        Operator::Mongodb => {
            // Written last, after the Secret with the connection string; an older one is of the version before.
            let last = resource
                .annotation("mongodb.com/v1.lastSuccessfulConfiguration")
                .and_then(|text| serde_json::from_str::<Value>(text).ok());
            let same = |key: &str| {
                let wanted = resource.get(&format!("/spec/{key}"));
                last.as_ref().and_then(|last| last.get(key)) == wanted
            };
            resource.str("/status/phase") == Some("Running") && same("version") && same("members")
        }
        // Said after the buckets are made.
        Operator::Minio => resource.str("/status/currentState") == Some("Initialized"),
    }
}

/// What an operator says of a resource, in its own words.
#[must_use]
pub fn operator_state(operator: Operator, resource: &Object) -> String {
    let (phase, reason) = match operator {
        Operator::Postgresql => ("/status/phase", "/status/phaseReason"),
        Operator::Mongodb => ("/status/phase", "/status/message"),
        Operator::Minio => ("/status/currentState", "/status/healthMessage"),
    };
    let text = |pointer: &str| resource.str(pointer).filter(|text| !text.is_empty());
    match (text(phase), text(reason)) {
        (None, _) => format!("{} has not said anything yet", operator.the()),
        (Some(phase), None) => phase.to_owned(),
        (Some(phase), Some(reason)) => format!("{phase}: {reason}"),
    }
}

/// Whether a controller made something for this object.
#[must_use]
pub fn is_made_for(metadata: &ObjectMeta, id: &ObjectId) -> bool {
    let owners = metadata.owner_references.iter().flatten();
    owners
        .into_iter()
        .any(|owner| owner.kind == id.kind && owner.name == id.name)
}

/// Readiness of the Job of a seed: it is up when it has ended well. Its pod says so first; the Job's controller takes a
/// second or more to count it.
#[must_use]
pub fn job(job: Option<&Job>, pods: &[&Pod]) -> Readiness {
    let Some(job) = job else {
        return Readiness::Waiting("being created".to_owned());
    };
    if has_condition(job, "Complete") || pods.iter().any(|pod| is_in(pod, "Succeeded")) {
        return Readiness::Up;
    }
    if has_condition(job, "Failed") {
        return Readiness::Waiting("failed".to_owned());
    }
    Readiness::Waiting(match pods.last() {
        None => "its pod being created".to_owned(),
        Some(pod) if is_in(pod, "Running") => "running".to_owned(),
        Some(pod) if is_in(pod, "Failed") => "failed, its Job is being counted".to_owned(),
        Some(pod) => waits_for(pod),
    })
}

/// Whether a pod is in this phase.
fn is_in(pod: &Pod, phase: &str) -> bool {
    let status = pod.status.as_ref();
    status.and_then(|status| status.phase.as_deref()) == Some(phase)
}

/// Whether the containers of a pod have ended for good.
fn is_finished(pod: &Pod) -> bool {
    is_in(pod, "Succeeded") || is_in(pod, "Failed")
}

fn judge(rollout: &Rollout, pods: &[&Pod]) -> Readiness {
    if rollout.settled && rollout.updated >= rollout.wanted && rollout.ready >= rollout.wanted {
        return Readiness::Up;
    }
    let waiting = pods
        .iter()
        .filter(|pod| !is_ready(pod))
        .max_by_key(|pod| pod.metadata.creation_timestamp.as_ref().map(|time| time.0))
        .map(|pod| waits_for(pod));
    let what = waiting.unwrap_or_else(|| match pods {
        [] => "pods being created".to_owned(),
        _ => "ready, the rollout is being counted".to_owned(),
    });
    Readiness::Waiting(if rollout.wanted > 1 {
        format!("{} of {} up, {what}", rollout.ready.max(0), rollout.wanted)
    } else {
        what
    })
}

/// Whether a pod serves.
#[must_use]
pub fn is_ready(pod: &Pod) -> bool {
    let conditions = pod.status.as_ref().and_then(|s| s.conditions.as_ref());
    conditions
        .into_iter()
        .flatten()
        .any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

/// The component that a pod belongs to: operators put labels of their own on the pods they make.
#[must_use]
pub fn component_of(pod: &Pod) -> Option<&str> {
    let labels = pod.metadata.labels.as_ref()?;
    let ours = labels.get(COMPONENT_LABEL).map(String::as_str);
    ours.or_else(|| Operator::of_pod(labels).map(|operator| operator.database().name()))
}

/// The container of a pod that its component is about: what runs beside it has a log of its own.
#[must_use]
pub fn main_container(pod: &Pod) -> Option<&str> {
    let named = |name: &str| {
        let containers = pod.spec.as_ref()?.containers.iter();
        containers
            .map(|container| container.name.as_str())
            .find(|container| *container == name)
    };
    let annotations = pod.metadata.annotations.as_ref();
    let default = annotations.and_then(|all| all.get("kubectl.kubernetes.io/default-container"));
    let operator = pod.metadata.labels.as_ref().and_then(Operator::of_pod);
    default
        .and_then(|name| named(name))
        .or_else(|| named(operator?.server()))
        .or_else(|| Some(pod.spec.as_ref()?.containers.first()?.name.as_str()))
}

fn waits_for(pod: &Pod) -> String {
    let status = pod.status.clone().unwrap_or_default();
    let scheduled = status
        .conditions
        .iter()
        .flatten()
        .any(|c| c.type_ == "PodScheduled" && c.status == "True");
    if !scheduled {
        return "waiting for a node".to_owned();
    }
    let containers = status.container_statuses.unwrap_or_default();
    let Some(container) = containers.iter().find(|c| !c.ready) else {
        return "containers being created".to_owned();
    };
    container_waits_for(container)
}

fn container_waits_for(container: &ContainerStatus) -> String {
    let state = container.state.clone().unwrap_or_default();
    if let Some(waiting) = state.waiting {
        return match waiting.reason.as_deref() {
            Some("ContainerCreating" | "PodInitializing") | None => {
                "pulling the image and creating the container".to_owned()
            }
            Some("CrashLoopBackOff") => {
                format!(
                    "restarted {} times, waiting for the next try",
                    container.restart_count
                )
            }
            Some(reason) => reason.to_owned(),
        };
    }
    if state.terminated.is_some() {
        return "the container ended".to_owned();
    }
    if container.started == Some(true) {
        "started, not ready yet".to_owned()
    } else {
        "running, start-up probe not passed yet".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn deployment_with(status: serde_json::Value) -> Deployment {
        serde_json::from_value(json!({
            "metadata": {"name": "app", "generation": 2}, "spec": {"replicas": 2, "selector": {}, "template": {}},
            "status": status
        }))
        .expect("a Deployment")
    }

    #[test]
    fn old_pods_that_still_serve_do_not_make_a_rollout_ready() {
        let status = json!({"observedGeneration": 2, "replicas": 3, "updatedReplicas": 1, "availableReplicas": 2});
        assert!(matches!(
            deployment(Some(&deployment_with(status)), 2, &[]),
            Readiness::Waiting(_)
        ));
        let status = json!({"observedGeneration": 2, "replicas": 3, "updatedReplicas": 2, "availableReplicas": 3});
        assert!(matches!(
            deployment(Some(&deployment_with(status)), 2, &[]),
            Readiness::Waiting(_)
        ));
        let status = json!({"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2});
        assert_eq!(
            deployment(Some(&deployment_with(status)), 2, &[]),
            Readiness::Up
        );
    }

    fn operated_by(operator: Operator, rest: serde_json::Value) -> Object {
        let (api_version, kind) = operator.resource();
        let mut resource = json!({"apiVersion": api_version, "kind": kind});
        resource["metadata"] = json!({"name": operator.name(), "generation": 2});
        for (key, value) in rest.as_object().expect("an object") {
            if key == "annotations" {
                resource["metadata"][key] = value.clone();
            } else {
                resource[key] = value.clone();
            }
        }
        Object::new(resource).expect("an object")
    }

    #[track_caller]
    fn waits(operator: Operator, rest: serde_json::Value, expected: &str) {
        let resource = operated_by(operator, rest);
        let found = operated(operator, Some(&resource), 2, &[], &[]);
        assert_eq!(found, Readiness::Waiting(expected.to_owned()));
    }

    #[track_caller]
    fn is_up(operator: Operator, rest: serde_json::Value) {
        let resource = operated_by(operator, rest);
        let found = operated(operator, Some(&resource), 2, &[], &[]);
        assert_eq!(found, Readiness::Up);
    }

    #[test]
    fn cloudnativepg_is_up_when_it_says_so_of_all_instances_and_this_image() {
        const HEALTHY: &str = "Cluster in healthy state";
        let spec = json!({"instances": 2, "imageName": "pg:17"});
        let operator = Operator::Postgresql;
        waits(
            operator,
            json!({"spec": spec}),
            "CloudNativePG has not said anything yet",
        );
        let status =
            json!({"phase": "Setting up primary", "phaseReason": "Creating primary instance"});
        waits(
            operator,
            json!({"spec": spec, "status": status}),
            "Setting up primary: Creating primary instance",
        );
        let status = json!({"phase": HEALTHY, "readyInstances": 1});
        waits(operator, json!({"spec": spec, "status": status}), HEALTHY);
        let status = json!({"phase": HEALTHY, "readyInstances": 2, "image": "pg:16"});
        waits(operator, json!({"spec": spec, "status": status}), HEALTHY);
        let status = json!({"phase": HEALTHY, "readyInstances": 2, "image": "pg:17"});
        is_up(operator, json!({"spec": spec, "status": status}));
    }

    #[test]
    fn mongodb_is_up_when_its_connection_is_written_for_this_version() {
        let spec = json!({"members": 1, "version": "7.0.5"});
        let status = json!({"phase": "Running"});
        let last = |version: &str| {
            let text = json!({"members": 1, "version": version, "type": "ReplicaSet"}).to_string();
            json!({"mongodb.com/v1.lastSuccessfulConfiguration": text})
        };
        let operator = Operator::Mongodb;
        waits(operator, json!({"spec": spec, "status": status}), "Running");
        let older = json!({"spec": spec, "status": status, "annotations": last("7.0.4")});
        waits(operator, older, "Running");
        let failed = json!({"phase": "Failed", "message": "user password secret not found"});
        waits(
            operator,
            json!({"spec": spec, "status": failed, "annotations": last("7.0.5")}),
            "Failed: user password secret not found",
        );
        is_up(
            operator,
            json!({"spec": spec, "status": status, "annotations": last("7.0.5")}),
        );
    }

    #[test]
    fn minio_is_up_when_it_is_initialized() {
        let operator = Operator::Minio;
        let status = json!({"currentState": "Provisioning MinIO Statefulset"});
        waits(
            operator,
            json!({"status": status}),
            "Provisioning MinIO Statefulset",
        );
        is_up(operator, json!({"status": {"currentState": "Initialized"}}));
    }

    #[test]
    fn what_an_operator_made_has_to_be_up_too() {
        let resource = operated_by(
            Operator::Minio,
            json!({"status": {"currentState": "Initialized"}}),
        );
        let pod = |phase: &str, ready: &str| -> Pod {
            serde_json::from_value(json!({
                "metadata": {"name": "p", "labels": {"v1.min.io/tenant": "app-minio"}},
                "status": {"phase": phase, "conditions": [
                    {"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": ready}]},
            }))
            .expect("a pod")
        };
        let judge = |generation, pods: &[&Pod], sets: &[&StatefulSet]| {
            operated(Operator::Minio, Some(&resource), generation, sets, pods)
        };
        assert_eq!(
            judge(2, &[&pod("Running", "True"), &pod("Failed", "False")], &[]),
            Readiness::Up
        );
        assert!(matches!(
            judge(2, &[&pod("Running", "False")], &[]),
            Readiness::Waiting(_)
        ));
        // Of the version that we applied nothing has been seen yet.
        assert!(matches!(judge(3, &[], &[]), Readiness::Waiting(_)));
        assert!(matches!(
            operated(Operator::Minio, None, 0, &[], &[]),
            Readiness::Waiting(_)
        ));
        let set: StatefulSet = serde_json::from_value(json!({
            "metadata": {"name": "app-minio-pool-0", "generation": 3},
            "spec": {"replicas": 1, "selector": {}, "template": {}},
            "status": {"observedGeneration": 2, "replicas": 1, "readyReplicas": 1},
        }))
        .expect("a StatefulSet");
        assert!(matches!(judge(2, &[], &[&set]), Readiness::Waiting(_)));
    }

    #[test]
    fn pods_of_operators_belong_to_their_database() {
        let pod: Pod = serde_json::from_value(json!({
            "metadata": {"name": "app-mongodb-0", "labels": {"app": "app-mongodb-svc"}},
            "spec": {"containers": [{"name": "mongodb-agent"}, {"name": "mongod"}]},
        }))
        .expect("a pod");
        assert_eq!(component_of(&pod), Some("mongodb"));
        assert_eq!(main_container(&pod), Some("mongod"));
        let mut own = pod.clone();
        own.metadata.labels = Some([(COMPONENT_LABEL.to_owned(), "api".to_owned())].into());
        assert_eq!(
            (component_of(&own), main_container(&own)),
            (Some("api"), Some("mongodb-agent"))
        );
    }

    #[test]
    fn a_job_is_up_when_it_has_ended_well() {
        let with = |conditions: serde_json::Value| -> Job {
            serde_json::from_value(
                json!({"metadata": {"name": "seed"}, "status": {"conditions": conditions}}),
            )
            .expect("a Job")
        };
        let pod: Pod =
            serde_json::from_value(json!({"status": {"phase": "Running"}})).expect("a Pod");
        assert_eq!(
            job(Some(&with(json!([]))), &[&pod]),
            Readiness::Waiting("running".to_owned())
        );
        let ended: Pod =
            serde_json::from_value(json!({"status": {"phase": "Succeeded"}})).expect("a Pod");
        assert_eq!(job(Some(&with(json!([]))), &[&pod, &ended]), Readiness::Up);
        let done = with(json!([{"type": "Complete", "status": "True"}]));
        assert_eq!(job(Some(&done), &[]), Readiness::Up);
        let failed = with(
            json!([{"type": "Complete", "status": "False"}, {"type": "Failed", "status": "True"}]),
        );
        assert_eq!(
            job(Some(&failed), &[]),
            Readiness::Waiting("failed".to_owned())
        );
        assert!(matches!(job(None, &[]), Readiness::Waiting(_)));
    }

    #[test]
    fn a_status_from_before_our_change_does_not_count() {
        let old = json!({"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2});
        assert!(matches!(
            deployment(Some(&deployment_with(old)), 2, &[]),
            Readiness::Waiting(_)
        ));
        let current = json!({"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2});
        let current = deployment_with(current);
        assert!(matches!(
            deployment(Some(&current), 3, &[]),
            Readiness::Waiting(_)
        ));
        assert_eq!(deployment(Some(&current), 2, &[]), Readiness::Up);
    }
}
