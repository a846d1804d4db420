//! Volumes: claims that are not bound, and volumes that cannot be mounted.

use std::sync::LazyLock;

use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod};
use regex::Regex;

use super::{
    cause::{CauseCode, Finding, Fix},
    scene::{Scene, event_line, pod_name},
    scheduling::{condition, waits_for},
};
use crate::quantity::Quantity;

static CLASS_MISSING: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"storageclass\.storage\.k8s\.io "([^"]+)" not found"#)
        .expect("a test runs this pattern")
});

/// What keeps volumes from the pods that need them.
pub(super) fn findings(scene: &Scene<'_>) -> Vec<Finding> {
    let claims = scene
        .observed
        .claims
        .iter()
        .filter_map(|claim| unbound(scene, claim));
    claims
        .chain(missing(scene))
        .chain(not_mounted(scene))
        .collect()
}

fn unbound(scene: &Scene<'_>, claim: &PersistentVolumeClaim) -> Option<Finding> {
    let name = claim.metadata.name.as_deref()?;
    let component = scene.claim_component(claim);
    let of = component.map_or_else(String::new, |component| format!(" of {component}"));
    let phase = claim
        .status
        .as_ref()
        .and_then(|status| status.phase.as_deref());
    let events = |reasons: &[&str]| {
        scene.event("PersistentVolumeClaim", &claim.metadata, |event| {
            event
                .reason
                .as_deref()
                .is_some_and(|reason| reasons.contains(&reason))
        })
    };
    let describe = scene.kubectl(&format!("describe pvc {name}"));
    if phase == Some("Lost") {
        let summary = format!("the volume of {name}{of} is gone, and its data with it");
        let fix =
            Fix::new("delete the claim, so that the environment starts again with an empty one")
                .run(scene.kubectl(&format!("delete pvc {name}")));
        let evidence = events(&["ClaimLost"]).map(event_line).into_iter().collect();
        return Some(
            Finding::new(CauseCode::VolumeLost, component, summary, evidence, fix).fatal(true),
        );
    }
    if phase != Some("Pending") {
        return None;
    }
    let class = claim
        .spec
        .as_ref()
        .and_then(|spec| spec.storage_class_name.as_deref());
    let event = events(&[
        "ProvisioningFailed",
        "FailedBinding",
        "ExternalProvisioning",
    ]);
    let message = event
        .and_then(|event| event.message.as_deref())
        .unwrap_or_default();
    let (summary, fix, fatal) = if let Some(found) = CLASS_MISSING.captures(message) {
        (
            format!(
                "volume claim {name}{of} asks for the storage class {}, which does not exist",
                &found[1]
            ),
            other_class(scene, component, claim),
            true,
        )
    } else if message.contains("no storage class is set") {
        (
            format!("volume claim {name}{of} names no storage class, and the cluster has no default one"),
            Fix::new("name a storage class under `storage`, or have the platform engineer mark one as the default")
                .at(storage_pointer(scene, component))
                .run("kubectl get storageclass"),
            true,
        )
    } else if event.and_then(|event| event.reason.as_deref()) == Some("ExternalProvisioning") {
        let class = class.map_or_else(String::new, |class| {
            format!(" for the storage class {class}")
        });
        (
            format!(
                "volume claim {name}{of} still waits for its volume: the provisioner{class} has not made it"
            ),
            Fix::new("have the platform engineer check that the provisioner runs").run(describe),
            false,
        )
    } else if event.is_some() {
        (
            format!("the provisioner cannot make the volume of claim {name}{of}"),
            Fix::new(
                "have the platform engineer look at the provisioner; it is tried again by itself",
            )
            .run(describe),
            false,
        )
    } else if scene
        .pods
        .iter()
        .any(|pod| waits_for(pod, name) && blames_volume(pod))
    {
        (
            format!("volume claim {name}{of} is not bound yet"),
            Fix::new("have the platform engineer look at the storage class").run(describe),
            false,
        )
    } else {
        // A claim that waits for its first pod is bound when the pod has found its node: not a cause.
        return None;
    };
    let mut evidence = vec![format!(
        "PersistentVolumeClaim {name}: Pending, storage class {}",
        class.unwrap_or("(none)")
    )];
    evidence.extend(event.map(event_line));
    Some(Finding::new(CauseCode::VolumePending, component, summary, evidence, fix).fatal(fatal))
}

/// Whether the scheduler says that a volume is what a pod waits for.
fn blames_volume(pod: &Pod) -> bool {
    let message = condition(pod, "PodScheduled").and_then(|c| c.message.as_deref());
    message.is_some_and(|message| {
        message.contains("ersistentVolumeClaim") || message.contains("ersistent volume")
    })
}

/// Claims that a pod names and nobody made.
fn missing(scene: &Scene<'_>) -> Vec<Finding> {
    static MISSING: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"persistentvolumeclaim "([^"]+)" not found"#)
            .expect("a test runs this pattern")
    });
    let found = scene.pods.iter().filter_map(|pod| {
        let message = condition(pod, "PodScheduled")?.message.as_deref()?;
        let name = MISSING.captures(message)?[1].to_owned();
        let component = scene.component(&pod.metadata);
        let summary = format!(
            "pod {} needs the volume claim {name}, which does not exist",
            pod_name(pod)
        );
        let fix = Fix::new(
            "deploy again: the claim belongs to the environment and should have been made",
        );
        let evidence = vec![format!("Pod {}: {message}", pod_name(pod))];
        Some(Finding::new(
            CauseCode::VolumePending,
            component,
            summary,
            evidence,
            fix,
        ))
    });
    found.collect()
}

/// Volumes that cannot be attached or mounted; Secrets and ConfigMaps that are missing have a rule of their own.
fn not_mounted(scene: &Scene<'_>) -> Vec<Finding> {
    let found = scene.pods.iter().filter_map(|pod| {
        let event = scene.obstacle(
            pod,
            &["FailedMount", "FailedAttachVolume", "FailedMapVolume"],
        )?;
        let message = event.message.as_deref()?;
        let other_rule = [" not found", "non-existent"]
            .iter()
            .any(|text| message.contains(text));
        if other_rule {
            return None;
        }
        let component = scene.component(&pod.metadata);
        let subject = scene.subject(pod);
        let (summary, text) = if message.contains("Multi-Attach") {
            (
                format!("a volume of {subject} is still attached to another node"),
                "wait until the pod that used it is gone; delete it if it hangs",
            )
        } else {
            (
                format!("a volume of {subject} cannot be mounted"),
                "have the platform engineer look at the storage; it is tried again by itself",
            )
        };
        let fix = Fix::new(text).run(scene.describe(pod));
        Some(Finding::new(
            CauseCode::VolumeNotMounted,
            component,
            summary,
            vec![event_line(event)],
            fix,
        ))
    });
    found.collect()
}

/// The size alone means the cluster's default class.
fn other_class(scene: &Scene<'_>, component: Option<&str>, claim: &PersistentVolumeClaim) -> Fix {
    let fix = Fix::new("take the default storage class, or name one that exists")
        .at(storage_pointer(scene, component))
        .run("kubectl get storageclass");
    match requested(claim).filter(|_| fix.pointer.is_some()) {
        Some(size) => fix.write(format!("storage: {}", size.as_bytes())),
        None => fix,
    }
}

/// Where the file says how large the volume of a component is.
pub(super) fn storage_pointer(scene: &Scene<'_>, component: Option<&str>) -> Option<String> {
    let database = scene.database(component)?;
    Some(format!("/databases/{}/storage", database.kind))
}

/// The size that a claim asks for.
pub(super) fn requested(claim: &PersistentVolumeClaim) -> Option<Quantity> {
    let requests = claim.spec.as_ref()?.resources.as_ref()?.requests.as_ref()?;
    requests.get("storage")?.0.parse().ok()
}
