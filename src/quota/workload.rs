//! What one rendered object brings about in the namespace: pods, volume claims, and objects that are counted.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    Cost, QuotaError,
    operator::footprint_of,
    pod::{Pod, claim_size, len},
};
use crate::{
    model::{object::Object, operator::Operator, settings::LimitSettings},
    quantity::Quantity,
};

/// What an object brings about.
#[derive(Clone, Debug, Default)]
pub(super) struct Footprint {
    /// Pods that run at a time when nothing changes.
    pub(super) replicas: u32,
    /// Pods beyond those while a new version replaces the old one.
    pub(super) surge: u32,
    /// The pods' shapes: one, or more where an operator runs several kinds of pods for one object.
    pub(super) shapes: Vec<Pod>,
    /// Volume claims: how many of which size.
    pub(super) claims: Vec<(u32, Quantity)>,
    /// Objects that are counted by kind, claims aside.
    pub(super) objects: Cost,
}

/// The most replicas that an autoscaler may ask for, by kind and name of what it scales.
pub(super) struct Autoscalers(BTreeMap<(String, String), u32>);

impl Autoscalers {
    pub(super) fn of(objects: &[Object]) -> Result<Self, QuotaError> {
        let autoscalers = objects
            .iter()
            .filter(|object| group_kind(object) == ("autoscaling", "HorizontalPodAutoscaler"));
        autoscalers
            .map(|object| {
                let target = |field: &str| {
                    let text = object.str(&format!("/spec/scaleTargetRef/{field}"));
                    text.unwrap_or_default().to_owned()
                };
                let most = count(object, "/spec/maxReplicas", 1)?;
                Ok(((target("kind"), target("name")), most))
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    fn of_target(&self, object: &Object) -> u32 {
        let target = (object.kind().to_owned(), object.name().to_owned());
        self.0.get(&target).copied().unwrap_or(0)
    }
}

/// API group (empty for the core group) and kind.
pub(super) fn group_kind(object: &Object) -> (&str, &str) {
    let (group, _version) = object
        .api_version()
        .split_once('/')
        .unwrap_or(("", object.api_version()));
    (group, object.kind())
}

/// What the object brings about. Kinds that make no pods and are not counted bring nothing.
pub(super) fn footprint(
    object: &Object,
    limits: &LimitSettings,
    autoscalers: &Autoscalers,
) -> Result<Footprint, QuotaError> {
    const TEMPLATE: &str = "/spec/template/spec";
    let replicas = || Ok(count(object, "/spec/replicas", 1)?.max(autoscalers.of_target(object)));
    let one = |resource: &str| Footprint {
        objects: Cost::from_iter([(resource, Quantity::units(1))]),
        ..Footprint::default()
    };
    Ok(match group_kind(object) {
        ("", "Pod") => pods(object, "/spec", 1, 0, limits)?,
        ("apps", "Deployment") => {
            let replicas = replicas()?;
            let surge = surge(object, replicas)?;
            pods(object, TEMPLATE, replicas, surge, limits)?
        }
        ("apps", "StatefulSet") => {
            let replicas = replicas()?;
            let mut footprint = pods(object, TEMPLATE, replicas, 0, limits)?;
            for i in 0..len(object, "/spec/volumeClaimTemplates") {
                let size = claim_size(object, &format!("/spec/volumeClaimTemplates/{i}"))?;
                footprint.claims.push((replicas, size));
            }
            footprint
        }
        ("apps", "ReplicaSet") => pods(object, TEMPLATE, replicas()?, 0, limits)?,
        ("apps", "DaemonSet") => {
            return Err(QuotaError::DaemonSet {
                object: Box::new(object.id()),
            });
        }
        ("", "ReplicationController") => Footprint {
            objects: one("replicationcontrollers").objects,
            ..pods(object, TEMPLATE, replicas()?, 0, limits)?
        },
        ("batch", "Job") => pods(object, TEMPLATE, parallelism(object, "/spec")?, 0, limits)?,
        ("batch", "CronJob") => {
            let job = "/spec/jobTemplate/spec";
            let at_a_time = parallelism(object, job)?;
            pods(
                object,
                &format!("{job}/template/spec"),
                at_a_time,
                0,
                limits,
            )?
        }
        ("", "PersistentVolumeClaim") => Footprint {
            claims: vec![(1, claim_size(object, "")?)],
            ..Footprint::default()
        },
        ("", "Service") => service(object),
        ("", "ConfigMap") => one("configmaps"),
        ("", "Secret") => one("secrets"),
        _ => match Operator::of(object) {
            Some(operator) => footprint_of(operator, object, limits)?,
            None => Footprint::default(),
        },
    })
}

fn pods(
    object: &Object,
    spec: &str,
    replicas: u32,
    surge: u32,
    limits: &LimitSettings,
) -> Result<Footprint, QuotaError> {
    let pod = Pod::read(object, spec, limits)?;
    let at_a_time = replicas.saturating_add(surge);
    Ok(Footprint {
        replicas,
        surge,
        claims: pod.claims.iter().map(|size| (at_a_time, *size)).collect(),
        shapes: vec![pod],
        objects: Cost::default(),
    })
}

/// Pods that a rollout may add; a share of the replicas is rounded up, as the Deployment controller does.
fn surge(object: &Object, replicas: u32) -> Result<u32, QuotaError> {
    let pointer = "/spec/strategy/rollingUpdate/maxSurge";
    if object.str("/spec/strategy/type") == Some("Recreate") {
        return Ok(0);
    }
    let percent: u32 = match object.get(pointer) {
        None | Some(Value::Null) => 25,
        Some(Value::String(text)) => text
            .strip_suffix('%')
            .and_then(|percent| percent.parse().ok())
            .ok_or_else(|| QuotaError::unreadable(object, pointer, &text.as_str().into()))?,
        Some(_) => return count(object, pointer, 0),
    };
    let scaled = u64::from(replicas) * u64::from(percent);
    Ok(u32::try_from(scaled.div_ceil(100)).unwrap_or(u32::MAX))
}

/// Pods of a Job that run at a time: never more than have to complete.
fn parallelism(object: &Object, job: &str) -> Result<u32, QuotaError> {
    let at_a_time = count(object, &format!("{job}/parallelism"), 1)?;
    Ok(at_a_time.min(count(object, &format!("{job}/completions"), u32::MAX)?))
}

fn service(object: &Object) -> Footprint {
    let ports = i64::try_from(len(object, "/spec/ports")).expect("a list fits into memory");
    let (balancers, node_ports) = match object.str("/spec/type") {
        Some("NodePort") => (0, ports),
        Some("LoadBalancer") => match object.get("/spec/allocateLoadBalancerNodePorts") {
            Some(Value::Bool(false)) => (1, 0),
            _ => (1, ports),
        },
        _ => (0, 0),
    };
    Footprint {
        objects: Cost::from_iter([
            ("services", Quantity::units(1)),
            ("services.loadbalancers", Quantity::units(balancers)),
            ("services.nodeports", Quantity::units(node_ports)),
        ]),
        ..Footprint::default()
    }
}

/// The count at a pointer, or `default` when it is not given.
pub(super) fn count(object: &Object, pointer: &str, default: u32) -> Result<u32, QuotaError> {
    match object.get(pointer) {
        None | Some(Value::Null) => Ok(default),
        Some(value) => value
            .as_u64()
            .and_then(|n| u32::try_from(n).ok())
            .ok_or_else(|| QuotaError::unreadable(object, pointer, value)),
    }
}
