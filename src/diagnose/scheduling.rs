//! Pods without a place to run: no node takes them, a node threw them out, or cannot make their sandbox.

use std::sync::LazyLock;

use k8s_openapi::api::core::v1::{Pod, PodCondition};
use regex::Regex;

use super::{
    cause::{CauseCode, Finding, Fix},
    scene::{Scene, claims_of, event_line, pod_name},
    seed,
};

/// `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had …. preemption: …`.
static NODES: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^0/(\d+) nodes are available: (.*?)(?:\.(?: .*)?)?$")
        .expect("a test runs this pattern")
});

/// What keeps a pod from its node, if anything does.
pub(super) fn findings(scene: &Scene<'_>) -> Vec<Finding> {
    let rules = [unschedulable, stopped, sandbox];
    scene
        .pods
        .iter()
        .filter_map(|pod| rules.iter().find_map(|rule| rule(scene, pod)))
        .collect()
}

/// Not fatal: an autoscaler may bring a node, and other pods may go.
fn unschedulable(scene: &Scene<'_>, pod: &Pod) -> Option<Finding> {
    let condition = condition(pod, "PodScheduled")?;
    if condition.status != "False" || condition.reason.as_deref() == Some("SchedulingGated") {
        return None;
    }
    let message = condition.message.as_deref().unwrap_or_default();
    // The volume rules say more about claims that are missing or not bound.
    if message.contains("ersistentVolumeClaim") || message.contains("persistentvolumeclaim") {
        return None;
    }
    let component = scene.component(&pod.metadata);
    let subject = scene.subject(pod);
    let nodes = NODES.captures(message);
    let reasons = nodes
        .as_ref()
        .map_or(message, |found| found.get(2).map_or("", |m| m.as_str()));
    let summary = match nodes.as_ref().map(|found| &found[1]) {
        Some("1") => {
            let reason = reasons.trim_start_matches("1 ");
            format!("the only node does not take {subject}: {reason}")
        }
        Some(count) => format!("none of the {count} nodes takes {subject}: {reasons}"),
        None => format!("no node takes {subject}"),
    };
    let fix = advice(scene, component, pod, reasons);
    let evidence = vec![format!("Pod {}: {message}", pod_name(pod))];
    Some(Finding::new(
        CauseCode::Unschedulable,
        component,
        summary,
        evidence,
        fix,
    ))
}

fn advice(scene: &Scene<'_>, component: Option<&str>, pod: &Pod, reasons: &str) -> Fix {
    let nodes = "kubectl describe nodes";
    for resource in ["cpu", "memory"] {
        if !reasons.contains(&format!("Insufficient {resource}")) {
            continue;
        }
        let asked =
            requested(pod, resource).map_or_else(String::new, |amount| format!(" (now {amount})"));
        let key = format!("resources/requests/{resource}");
        let pointer = scene.pointer(component, &key);
        return Fix::new(format!(
            "lower `resources.requests.{resource}`{asked}, destroy environments that nobody needs, or add a node"
        ))
        .at(pointer)
        .run(nodes);
    }
    if reasons.contains("Too many pods") {
        return Fix::new("destroy environments that nobody needs, or add a node: each takes a limited number of pods")
            .run("kubectl get namespaces -l k8s-ee/type=ephemeral");
    }
    if reasons.contains("PersistentVolume's node affinity")
        || reasons.contains("volume node affinity conflict")
    {
        return Fix::new("its volume is tied to a node that is full or gone: make room there, or delete the environment and deploy it again")
            .run(nodes);
    }
    for (taint, lacks) in [
        ("node.kubernetes.io/disk-pressure", "free disk space"),
        ("node.kubernetes.io/memory-pressure", "free memory"),
        ("node.kubernetes.io/pid-pressure", "free process numbers"),
    ] {
        if reasons.contains(taint) {
            return Fix::new(format!(
                "have the platform engineer make room on the node, which is short of {lacks}, or destroy environments that nobody needs"
            ))
            .run(nodes);
        }
    }
    if reasons.contains("node.kubernetes.io/not-ready")
        || reasons.contains("node.kubernetes.io/unreachable")
    {
        return Fix::new("have the platform engineer look at the node, which is not ready")
            .run(nodes);
    }
    if reasons.contains("taint") {
        return Fix::new("have the platform engineer add a node without such a taint").run(nodes);
    }
    if reasons.contains("affinity") || reasons.contains("selector") {
        return Fix::new(
            "have the platform engineer add a node with the labels that the pod asks for",
        )
        .run("kubectl get nodes --show-labels");
    }
    Fix::new("have the platform engineer look at the nodes").run(nodes)
}

/// What the containers of a pod ask for together, as written when there is only one.
fn requested(pod: &Pod, resource: &str) -> Option<String> {
    let containers = &pod.spec.as_ref()?.containers;
    let [only] = containers.as_slice() else {
        return None;
    };
    Some(
        only.resources
            .as_ref()?
            .requests
            .as_ref()?
            .get(resource)?
            .0
            .clone(),
    )
}

/// A pod that its node stopped or did not admit. Not fatal: its controller makes another one.
fn stopped(scene: &Scene<'_>, pod: &Pod) -> Option<Finding> {
    let status = pod.status.as_ref()?;
    if status.phase.as_deref() != Some("Failed") {
        return None;
    }
    let reason = status.reason.as_deref()?;
    let component = scene.component(&pod.metadata);
    let subject = scene.subject(pod);
    let message = status.message.as_deref().unwrap_or_default().trim();
    let evidence = vec![format!("Pod {}: {reason}: {message}", pod_name(pod))];
    if reason == "DeadlineExceeded" {
        if let Some(finding) = seed::too_long(scene, pod) {
            return Some(finding);
        }
        let summary = format!("{subject} was active longer than its deadline allows");
        let fix = Fix::new("let it do less, or raise `activeDeadlineSeconds`");
        return Some(
            Finding::new(
                CauseCode::DeadlineExceeded,
                component,
                summary,
                evidence,
                fix,
            )
            .fatal(true),
        );
    }
    let (summary, text) = if message.contains("exceeds the limit")
        || message.contains("exceeded its local ephemeral")
    {
        (
            format!(
                "{subject} was stopped because it wrote more to its temporary directories than is allowed"
            ),
            "let it write less to /tmp and `writableDirs`",
        )
    } else if reason == "Evicted" {
        let what = message
            .split_once("low on resource: ")
            .map_or("resources", |(_, rest)| {
                rest.split(['.', ' ']).next().unwrap_or_default()
            });
        (
            format!("{subject} was thrown out by its node, which ran low on {what}"),
            "have the platform engineer look at the node; another copy is started by itself",
        )
    } else {
        (
            format!("{subject} was stopped by its node ({reason})"),
            "have the platform engineer look at the node; another copy is started by itself",
        )
    };
    let node = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref());
    let fix = match node {
        Some(node) => Fix::new(text).run(format!("kubectl describe node {node}")),
        None => Fix::new(text).run("kubectl describe nodes"),
    };
    Some(Finding::new(
        CauseCode::Evicted,
        component,
        summary,
        evidence,
        fix,
    ))
}

/// A sandbox that cannot be made, mostly because of the network plug-in. Not fatal: it is tried again and again.
fn sandbox(scene: &Scene<'_>, pod: &Pod) -> Option<Finding> {
    let event = scene.obstacle(pod, &["FailedCreatePodSandBox"])?;
    let component = scene.component(&pod.metadata);
    let node = pod
        .spec
        .as_ref()
        .and_then(|spec| spec.node_name.as_deref())
        .unwrap_or("its node");
    let summary = format!("{node} cannot make the sandbox of {}", scene.subject(pod));
    let fix = Fix::new("have the platform engineer look at the network plug-in and the container runtime of the node; it is tried again by itself")
        .run(scene.describe(pod));
    Some(Finding::new(
        CauseCode::SandboxFailed,
        component,
        summary,
        vec![event_line(event)],
        fix,
    ))
}

/// A condition of a pod.
pub(super) fn condition<'p>(pod: &'p Pod, kind: &str) -> Option<&'p PodCondition> {
    let conditions = pod.status.as_ref()?.conditions.as_ref()?;
    conditions.iter().find(|condition| condition.type_ == kind)
}

/// Whether a pod waits for one of its volume claims to be bound.
pub(super) fn waits_for(pod: &Pod, claim: &str) -> bool {
    let placed = pod
        .spec
        .as_ref()
        .is_some_and(|spec| spec.node_name.is_some());
    !placed && claims_of(pod).any(|used| used == claim)
}
