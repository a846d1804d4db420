//! Objects that the API server does not take: what `up` applies, and the pods that controllers make from it.

use super::{
    cause::{CauseCode, Finding, Fix},
    limits,
    observed::Refusal,
    scene::{Scene, event_line, is_newest, owner},
};

/// The PriorityClasses that the platform's chart brings.
const OWN_PRIORITIES: &[&str] = &["default-app", "platform-critical"];

/// An answer of the API server that is no.
#[derive(Clone, Copy)]
pub(super) struct Denial<'a> {
    /// The component whose object it is.
    pub(super) component: Option<&'a str>,
    /// The object, such as `Deployment app`; `a pod of app` when a controller makes it.
    pub(super) object: &'a str,
    /// What the server said.
    pub(super) message: &'a str,
    /// Whether a controller will try again by itself.
    pub(super) retried: bool,
}

/// Everything that was refused.
pub(super) fn findings(scene: &Scene<'_>) -> Vec<Finding> {
    let refused = scene
        .observed
        .refusals
        .iter()
        .map(|refusal| refused(scene, refusal));
    refused
        .chain(pods_of_replica_sets(scene))
        .chain(pods_of_stateful_sets(scene))
        .chain(pods_of_seeds(scene))
        .chain(pods_of_operators(scene))
        .collect()
}

/// An object of the plan that the API server did not take. Nobody tries again unless the server was the reason.
fn refused(scene: &Scene<'_>, refusal: &Refusal) -> Finding {
    let object = refusal.object.to_string();
    let component = refusal
        .component
        .as_deref()
        .or_else(|| scene.component_named(&refusal.object.name));
    let denial = Denial {
        component,
        object: &object,
        message: &refusal.message,
        retried: false,
    };
    let line = format!(
        "{object}: {} ({} {})",
        refusal.message, refusal.code, refusal.reason
    );
    if let Some(finding) = told_by_message(scene, denial, vec![line.clone()]) {
        return finding;
    }
    let message = &refusal.message;
    let (code, summary, fix, fatal) = match refusal.code {
        401 => (
            CauseCode::PermissionMissing,
            format!("the cluster does not accept the credentials, so {object} could not be applied"),
            Fix::new("renew the credentials of the kubeconfig").run("kubectl auth whoami"),
            true,
        ),
        403 if message.contains(" cannot ") => (
            CauseCode::PermissionMissing,
            format!("k8s-ee has no right to apply {object}"),
            Fix::new(
                "have the platform engineer grant the right that the message names: `environment.extraRules` of the chart \
                 k8s-ee-platform",
            )
                .run(scene.kubectl("auth can-i --list")),
            true,
        ),
        404 if is_unknown_kind(message) => (
            CauseCode::KindUnknown,
            format!("the cluster does not know the kind of {object}"),
            Fix::new("have the platform engineer install the operator or CRD that brings it, or deploy without it")
                .run("kubectl api-resources"),
            true,
        ),
        422 | 400 => (
            CauseCode::ObjectInvalid,
            format!("the API server finds {object} invalid"),
            Fix::new("correct what the message names; what is made of your file:")
                .run("k8s-ee render"),
            true,
        ),
        409 | 429 | 500.. => (
            CauseCode::ApplyFailed,
            format!("the API server could not take {object} now (status {})", refusal.code),
            Fix::new("deploy again; if it stays so, have the platform engineer look at the API server"),
            false,
        ),
        code => (
            CauseCode::ApplyFailed,
            format!("the API server did not take {object} (status {code})"),
            Fix::new("fix what the message names"),
            true,
        ),
    };
    Finding::new(code, component, summary, vec![line], fix).fatal(fatal)
}

fn is_unknown_kind(message: &str) -> bool {
    [
        "could not find the requested resource",
        "no matches for kind",
        "page not found",
    ]
    .iter()
    .any(|text| message.contains(text))
}

/// Pods that a ReplicaSet cannot make. Its condition is looked at, which goes away with the problem; events stay.
fn pods_of_replica_sets(scene: &Scene<'_>) -> Vec<Finding> {
    let sets = scene.observed.replica_sets.iter();
    let found = sets.filter_map(|set| {
        let name = set.metadata.name.as_deref()?;
        let conditions = set.status.as_ref()?.conditions.as_ref()?;
        let failure = conditions.iter().find(|condition| {
            condition.type_ == "ReplicaFailure"
                && condition.status == "True"
                && condition.reason.as_deref() == Some("FailedCreate")
        })?;
        if !is_newest(scene.observed, name) {
            return None;
        }
        let message = failure.message.as_deref().unwrap_or_default();
        let evidence = vec![format!("ReplicaSet {name}: {message}")];
        // A ReplicaSet is named after its Deployment; its labels may be incomplete.
        let component = scene.component(&set.metadata);
        let named = owner(&set.metadata, "Deployment").map(|owner| owner.name.as_str());
        Some(pod_refused(
            scene,
            component,
            named.unwrap_or(name),
            message,
            evidence,
        ))
    });
    found.collect()
}

/// Pods that a StatefulSet cannot make: only events tell, so they count only while a pod is missing.
fn pods_of_stateful_sets(scene: &Scene<'_>) -> Vec<Finding> {
    let sets = scene.observed.stateful_sets.iter();
    let found = sets.filter_map(|set| {
        let wanted = set
            .spec
            .as_ref()
            .and_then(|spec| spec.replicas)
            .unwrap_or(1);
        let made = set.status.as_ref().map_or(0, |status| status.replicas);
        let event = scene.event("StatefulSet", &set.metadata, |event| {
            event.reason.as_deref() == Some("FailedCreate")
        })?;
        if made >= wanted {
            return None;
        }
        let name = set.metadata.name.as_deref()?;
        let message = event.message.as_deref().unwrap_or_default();
        let component = scene.component(&set.metadata);
        Some(pod_refused(
            scene,
            component,
            name,
            message,
            vec![event_line(event)],
        ))
    });
    found.collect()
}

/// Pods that a Job of an operator cannot make, such as the one that makes a database. Its labels are the operator's, so it is
/// known by its name.
fn pods_of_operators(scene: &Scene<'_>) -> Vec<Finding> {
    let events = scene.observed.events.iter();
    let found = events.filter_map(|event| {
        let about = &event.involved_object;
        let name = about.name.as_deref()?;
        let is_failure =
            about.kind.as_deref() == Some("Job") && event.reason.as_deref() == Some("FailedCreate");
        let component = scene.component_named(name).filter(|_| is_failure)?;
        scene.operated(component)?;
        let has_pod = scene
            .pods
            .iter()
            .any(|pod| scene.component(&pod.metadata) == Some(component));
        let message = event.message.as_deref().unwrap_or_default();
        let evidence = vec![event_line(event)];
        (!has_pod).then(|| pod_refused(scene, Some(component), name, message, evidence))
    });
    found.collect()
}

/// Pods that the Job of a seed cannot make: as with StatefulSets, only events tell.
fn pods_of_seeds(scene: &Scene<'_>) -> Vec<Finding> {
    let jobs = scene.observed.jobs.iter();
    let found = jobs.filter_map(|job| {
        let seed = scene.seed(scene.component(&job.metadata))?;
        let event = scene.event("Job", &job.metadata, |event| {
            event.reason.as_deref() == Some("FailedCreate")
        })?;
        let mut pods = scene.pods.iter();
        if pods.any(|pod| scene.component(&pod.metadata) == Some(&seed.name)) {
            return None;
        }
        let message = event.message.as_deref().unwrap_or_default();
        let evidence = vec![event_line(event)];
        Some(pod_refused(
            scene,
            Some(&seed.name),
            &seed.name,
            message,
            evidence,
        ))
    });
    found.collect()
}

fn pod_refused(
    scene: &Scene<'_>,
    component: Option<&str>,
    workload: &str,
    message: &str,
    evidence: Vec<String>,
) -> Finding {
    // StatefulSets tell of their volume claims in the same way.
    let what = if message.starts_with("create Claim") {
        "the volume claim"
    } else {
        "a pod"
    };
    let object = format!("{what} of {}", component.unwrap_or(workload));
    let denial = Denial {
        component,
        object: &object,
        message,
        retried: true,
    };
    told_by_message(scene, denial, evidence.clone()).unwrap_or_else(|| {
        let summary = format!("the API server does not take {object}");
        let fix = Fix::new("fix what the message names");
        Finding::new(CauseCode::ApplyFailed, component, summary, evidence, fix)
    })
}

/// Refusals whose text tells the cause, whoever asked.
fn told_by_message(
    scene: &Scene<'_>,
    denial: Denial<'_>,
    evidence: Vec<String>,
) -> Option<Finding> {
    let message = denial.message;
    let Denial {
        component, object, ..
    } = denial;
    if let Some(finding) = limits::finding(scene, denial, &evidence) {
        return Some(finding);
    }
    let (code, summary, fix, fatal) = if let Some((_, detail)) =
        message.split_once("violates PodSecurity ")
    {
        let detail = detail.split_once(": ").map_or(detail, |(_, detail)| detail);
        let rules: Vec<&str> = violations(detail);
        (
            CauseCode::AdmissionRefused,
            format!("Pod Security forbids {object}: {}", rules.join(", ")),
            Fix::new(
                "let the pod do without what the message names; if the platform's own charts ask for it, report it to the platform engineer; what is asked for:",
            )
            .run("k8s-ee render"),
            true,
        )
    } else if message.contains("failed calling webhook") {
        (
            CauseCode::WebhookUnavailable,
            format!(
                "an admission webhook of the cluster does not answer, so {object} is not taken"
            ),
            Fix::new("have the platform engineer look at the webhook")
                .run("kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations"),
            false,
        )
    } else if let Some((_, rest)) = message.split_once("admission webhook \"") {
        let name = rest.split('"').next().unwrap_or_default();
        (
            CauseCode::AdmissionRefused,
            format!("the cluster's admission webhook {name} forbids {object}"),
            Fix::new(
                "change what the message names, or have the platform engineer make an exception",
            )
            .run("kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations"),
            true,
        )
    } else if message.contains("ValidatingAdmissionPolicy") {
        (
            CauseCode::AdmissionRefused,
            format!("a policy of the cluster forbids {object}"),
            Fix::new(
                "change what the message names, or have the platform engineer make an exception",
            )
            .run("kubectl get validatingadmissionpolicies"),
            true,
        )
    } else if let Some((_, rest)) = message.split_once("error looking up service account ") {
        // `shop-pr-1/robot: serviceaccount "robot" not found`
        let place = rest.split(':').next().unwrap_or_default();
        let name = place.split('/').next_back().unwrap_or_default();
        (
            CauseCode::MissingServiceAccount,
            format!("{object} runs as the service account {name}, which does not exist"),
            Fix::new("deploy again if the chart brings it or an operator makes it; otherwise make it, or name another one in the chart")
                .run(scene.kubectl(&format!("create serviceaccount {name}"))),
            false,
        )
    } else if let Some((_, rest)) = message.split_once("no PriorityClass with name ") {
        let name = rest.split_whitespace().next().unwrap_or_default();
        (
            CauseCode::MissingPriorityClass,
            format!("the cluster has no PriorityClass {name}, which {object} asks for"),
            Fix::new(if OWN_PRIORITIES.contains(&name) {
                "have the platform engineer install the chart `k8s-ee-platform`, which brings it"
            } else {
                "have the platform engineer correct `priorityClassName` of the platform settings, or make the class; there are:"
            })
            .run("kubectl get priorityclasses"),
            true,
        )
    } else {
        return None;
    };
    Some(Finding::new(code, component, summary, evidence, fix).fatal(fatal))
}

/// The names of the violated rules: `allowPrivilegeEscalation != false (container "app" must set …), runAsNonRoot != true (…)`.
fn violations(detail: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    let mut start = 0;
    let mut rules = Vec::new();
    for (at, c) in detail.char_indices() {
        match c {
            '(' => {
                if depth == 0 {
                    rules.push(detail[start..at].trim_matches([',', ' ']));
                }
                depth += 1;
            }
            ')' => {
                depth = depth.saturating_sub(1);
                start = at + 1;
            }
            _ => {}
        }
    }
    rules
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pod_security_messages_name_their_rules() {
        let detail = r#"allowPrivilegeEscalation != false (container "app" must set securityContext.allowPrivilegeEscalation=false), seccompProfile (pod or container "app" must set it (to RuntimeDefault))"#;
        assert_eq!(
            violations(detail),
            ["allowPrivilegeEscalation != false", "seccompProfile"]
        );
    }
}
