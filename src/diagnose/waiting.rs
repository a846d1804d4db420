//! Components that are not up and of which nothing says why: what they wait for.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::Pod;

use super::{
    cause::{CauseCode, Finding, Fix},
    container::Container,
    scene::{Scene, event_line, pod_name, pod_ready},
    scheduling::condition,
};

/// A finding for each component that is not up and has none yet. When a certain cause ended the wait (`stopped_early`),
/// those that merely had no time yet are left out.
pub(super) fn findings(scene: &Scene<'_>, explained: &[&str], stopped_early: bool) -> Vec<Finding> {
    let down = scene.order();
    let down = down
        .keys()
        .map(String::as_str)
        .filter(|name| !scene.is_ready(name));
    down.filter(|name| !explained.contains(name))
        .filter_map(|name| {
            if !scene.exists(name) {
                return blocked(scene, name, |on| !stopped_early || explained.contains(&on));
            }
            (!stopped_early).then(|| unready(scene, name))
        })
        .collect()
}

/// Components of which nothing was seen at all, although nothing keeps them: what an operator should have made, say.
pub(super) fn absent(scene: &Scene<'_>) -> Vec<Finding> {
    let order = scene.order();
    let names = order.keys().map(String::as_str);
    names
        .filter(|name| !scene.exists(name))
        .map(|name| unready(scene, name))
        .collect()
}

/// Not started, because something it depends on, be it over others, is not up. What is not started either is no reason.
fn blocked(
    scene: &Scene<'_>,
    component: &str,
    is_reason: impl Fn(&str) -> bool,
) -> Option<Finding> {
    let mut roots = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let mut next = scene.dependencies(component);
    while let Some(on) = next.pop() {
        if !seen.insert(on) || scene.is_ready(on) {
            continue;
        }
        if scene.exists(on) && is_reason(on) {
            roots.insert(on);
        }
        next.extend(scene.dependencies(on));
    }
    let list = roots.into_iter().collect::<Vec<_>>().join(" and ");
    let summary = format!("{component} was not started, because it waits for {list}");
    let fix = Fix::new(format!("fix {list} first"));
    (!list.is_empty()).then(|| {
        Finding::new(
            CauseCode::DependencyFailed,
            Some(component),
            summary,
            Vec::new(),
            fix,
        )
    })
}

/// Started, but not ready when the time was over.
fn unready(scene: &Scene<'_>, component: &str) -> Finding {
    let pods = scene
        .pods
        .iter()
        .filter(|pod| scene.component(&pod.metadata) == Some(component));
    let waiting: Vec<&&Pod> = pods.filter(|pod| !pod_ready(pod)).collect();
    let operated = scene.operated(component);
    let state = match waiting.first() {
        Some(pod) => state(scene, pod),
        None if operated.is_some() => "its operator has not brought it up".to_owned(),
        None if scene.exists(component) => "no pod of its newest version was made".to_owned(),
        None => "nothing of it was made".to_owned(),
    };
    let summary = format!("{component} was not ready in time: {state}");
    let mut evidence: Vec<String> = waiting.iter().map(|pod| line(pod)).collect();
    evidence.extend(operated.map(|operated| format!("{}: {}", operated.object, operated.state)));
    evidence.extend(late(scene, component));
    evidence.extend(
        waiting
            .iter()
            .filter_map(|pod| {
                scene.event("Pod", &pod.metadata, |event| {
                    event.type_.as_deref() == Some("Warning")
                })
            })
            .map(event_line),
    );
    let command = match (waiting.first(), operated) {
        (Some(pod), _) => scene.describe(pod),
        (None, Some(operated)) => {
            let object = &operated.object;
            scene.kubectl(&format!(
                "describe {} {}",
                object.kind.to_lowercase(),
                object.name
            ))
        }
        (None, None) => scene.kubectl("get events --sort-by=.lastTimestamp"),
    };
    let fix = Fix::new("allow more time, or look at what it does").run(command);
    Finding::new(CauseCode::Timeout, Some(component), summary, evidence, fix)
}

/// What a pod does at the moment, in words.
fn state(scene: &Scene<'_>, pod: &Pod) -> String {
    if condition(pod, "PodScheduled").is_some_and(|condition| condition.status == "False") {
        return "its pod has no node yet".to_owned();
    }
    let containers = Container::of(pod, None);
    if let Some(init) = containers
        .iter()
        .find(|c| c.init && c.is_running() && !c.is_well())
    {
        return format!("its init container {} still runs", init.name);
    }
    let main: Vec<&Container<'_>> = containers.iter().filter(|c| !c.init).collect();
    if main.iter().any(|container| container.is_running()) {
        if scene.seed(scene.component(&pod.metadata)).is_some() {
            return "it still runs".to_owned();
        }
        return "it runs, but has not passed its probes yet".to_owned();
    }
    let pulling = scene.event("Pod", &pod.metadata, |event| {
        matches!(event.reason.as_deref(), Some("Pulling" | "Pulled"))
    });
    if pulling.is_some_and(|event| event.reason.as_deref() == Some("Pulling")) {
        return "its image is still being pulled".to_owned();
    }
    "its container is still being created".to_owned()
}

fn line(pod: &Pod) -> String {
    let phase = pod
        .status
        .as_ref()
        .and_then(|status| status.phase.as_deref())
        .unwrap_or("Unknown");
    let states = Container::of(pod, None)
        .iter()
        .map(|container| {
            let waiting = container
                .waiting()
                .and_then(|waiting| waiting.reason.as_deref());
            let state = waiting.unwrap_or(if container.is_running() {
                "running"
            } else {
                "ended"
            });
            format!(", container {} {state}", container.name)
        })
        .collect::<String>();
    format!("Pod {}: {phase}{states}", pod_name(pod))
}

/// What the Deployment itself says about its progress, when it has given up waiting.
fn late(scene: &Scene<'_>, component: &str) -> Option<String> {
    let deployments = scene.observed.deployments.iter();
    let mut conditions = deployments
        .filter(|deployment| scene.component(&deployment.metadata) == Some(component))
        .flat_map(|deployment| deployment.status.iter())
        .flat_map(|status| status.conditions.iter().flatten());
    let late = conditions.find(|c| c.reason.as_deref() == Some("ProgressDeadlineExceeded"))?;
    Some(format!(
        "Deployment {component}: {}",
        late.message.as_deref().unwrap_or_default()
    ))
}
