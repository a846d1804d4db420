//! Whether a component is up, and if not, what it is waiting for: from what the watches show.

use k8s_openapi::api::{
    apps::v1::{Deployment, StatefulSet},
    batch::v1::Job,
    core::v1::{ContainerStatus, Pod},
};

use crate::model::{object::COMPONENT_LABEL, seed::has_condition};

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

/// Readiness of the Job of a seed: it is up when it has ended well. Its pod says so first; the Job's controller takes a
/// second or more to count it.
#[must_use]
pub fn job(job: Option<&Job>, pods: &[&Pod]) -> Readiness {
    let Some(job) = job else {
        return Readiness::Waiting("being created".to_owned());
    };
    let phase = |pod: &Pod| pod.status.as_ref().and_then(|s| s.phase.clone());
    let is_in = |pod: &Pod, wanted: &str| phase(pod).as_deref() == Some(wanted);
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

/// The component that a pod belongs to.
#[must_use]
pub fn component_of(pod: &Pod) -> Option<&str> {
    let labels = pod.metadata.labels.as_ref()?;
    labels.get(COMPONENT_LABEL).map(String::as_str)
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
