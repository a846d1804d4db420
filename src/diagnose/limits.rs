//! Refusals for size: the quota of the namespace is used up, or its LimitRange forbids a value.

use std::{collections::BTreeMap, sync::LazyLock};

use k8s_openapi::{
    api::apps::v1::Deployment,
    apimachinery::pkg::{api::resource::Quantity as Amount, util::intstr::IntOrString},
};
use regex::Regex;

use super::{
    admission::Denial,
    cause::{CauseCode, Finding, Fix},
    scene::{Scene, is_newest, owner},
    volume,
};
use crate::quantity::Quantity;

static QUOTA: LazyLock<Regex> = LazyLock::new(|| {
    compile(r"exceeded quota: ([^,]+), requested: (\S+), used: (\S+), limited: (\S+)")
});
static UNSIZED: LazyLock<Regex> =
    LazyLock::new(|| compile(r"failed quota: ([^:]+): must specify ([^ ;]+)"));
static LIMIT: LazyLock<Regex> = LazyLock::new(|| {
    compile(
        r"(maximum|minimum) ([a-z-]+) usage per (Container|Pod|PersistentVolumeClaim) is ([^\s,\]]+), but (limit|request) is ([^\s,\]]+)",
    )
});

fn compile(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the patterns of this file are valid: the tests run all of them")
}

/// What a refusal says about sizes, if it is about sizes.
pub(super) fn finding(
    scene: &Scene<'_>,
    denial: Denial<'_>,
    evidence: &[String],
) -> Option<Finding> {
    quota(scene, denial, evidence)
        .or_else(|| without_size(denial, evidence))
        .or_else(|| limit_range(scene, denial, evidence))
}

/// One resource of a quota that does not suffice.
struct Shortage {
    resource: String,
    requested: Quantity,
    used: Quantity,
    limited: Quantity,
}

impl Shortage {
    fn left(&self) -> Quantity {
        self.limited.saturating_sub(self.used)
    }

    /// Whether it is a number of objects, such as `pods`.
    fn is_count(&self) -> bool {
        !["cpu", "memory", "storage"]
            .iter()
            .any(|unit| self.resource.ends_with(unit))
    }

    fn print(&self, amount: Quantity) -> String {
        if self.is_count() {
            amount.as_count()
        } else if self.resource.ends_with("cpu") {
            amount.as_cpu()
        } else {
            amount.as_bytes()
        }
    }
}

fn quota(scene: &Scene<'_>, denial: Denial<'_>, evidence: &[String]) -> Option<Finding> {
    let found = QUOTA.captures(denial.message)?;
    let name = &found[1];
    let (requested, used, limited) = (list(&found[2]), list(&found[3]), list(&found[4]));
    let shortages: Vec<Shortage> = requested
        .into_iter()
        .filter_map(|(resource, requested)| {
            Some(Shortage {
                requested,
                used: *used.get(&resource)?,
                limited: *limited.get(&resource)?,
                resource,
            })
        })
        .collect();
    let first = shortages.first()?;
    let (object, resource) = (denial.object, &first.resource);
    let summary = if first.is_count() {
        format!(
            "{object} does not fit: quota {name} allows {} {resource}, and {} are in use",
            first.print(first.limited),
            first.print(first.used),
        )
    } else {
        format!(
            "{object} needs {} of {resource}, but quota {name} has only {} left of {}",
            first.print(first.requested),
            first.print(first.left()),
            first.print(first.limited),
        )
    };
    let short = first.requested.saturating_sub(first.left());
    // Less than one pod is nothing that could be asked for.
    let asked = sized_by(scene, denial.component, &first.resource)
        .filter(|_| !first.is_count() || first.requested > short);
    let text = match &asked {
        Some((_, key)) => format!(
            "lower `{key}` by {} or more, or ask the platform engineer for a larger quota",
            first.print(short)
        ),
        None => format!("have the platform engineer raise `{resource}` of quota {name}"),
    };
    let fix = Fix::new(text)
        .at(asked.map(|(pointer, _)| pointer))
        .run("k8s-ee quota");
    let will_be_free =
        denial.retried && (pods_are_leaving(scene) || !still_short(scene, name, &shortages));
    Some(
        Finding::new(
            CauseCode::QuotaExceeded,
            denial.component,
            summary,
            evidence.to_vec(),
            fix,
        )
        .fatal(!will_be_free),
    )
}

/// `limits.cpu=200m,pods=1`.
fn list(text: &str) -> BTreeMap<String, Quantity> {
    text.split(',')
        .filter_map(|pair| {
            let (resource, amount) = pair.split_once('=')?;
            Some((resource.to_owned(), amount.parse().ok()?))
        })
        .collect()
}

/// Whether pods are about to free what they use: some end, or an older version still has some to give up.
fn pods_are_leaving(scene: &Scene<'_>) -> bool {
    let observed = scene.observed;
    let ending = observed
        .pods
        .iter()
        .any(|pod| pod.metadata.deletion_timestamp.is_some());
    let given_up = observed.replica_sets.iter().any(|set| {
        let name = set.metadata.name.as_deref().unwrap_or_default();
        let Some(owner) = owner(&set.metadata, "Deployment").filter(|_| !is_newest(observed, name))
        else {
            return false;
        };
        let deployments = observed.deployments.iter();
        let mut own = deployments.filter(|d| d.metadata.name.as_ref() == Some(&owner.name));
        let wanted = set
            .spec
            .as_ref()
            .and_then(|spec| spec.replicas)
            .unwrap_or(1);
        let has = set.status.as_ref().map_or(0, |status| status.replicas);
        // The Deployment scales the older version down only after it asked for the newer one.
        has > wanted || (has > 0 && own.any(may_go_first))
    });
    ending || given_up
}

/// Whether a Deployment may end old pods before new ones are ready.
fn may_go_first(deployment: &Deployment) -> bool {
    let Some(spec) = &deployment.spec else {
        return false;
    };
    let rolling = spec
        .strategy
        .as_ref()
        .and_then(|strategy| strategy.rolling_update.as_ref());
    let replicas = spec.replicas.unwrap_or(1);
    match rolling.and_then(|rolling| rolling.max_unavailable.as_ref()) {
        Some(IntOrString::Int(count)) => *count > 0,
        // Kubernetes rounds down.
        Some(IntOrString::String(percent)) => percent
            .trim_end_matches('%')
            .parse::<i32>()
            .is_ok_and(|percent| replicas * percent >= 100),
        None => false,
    }
}

/// Whether the quota still has too little: a controller repeats its refusal until it tries again.
fn still_short(scene: &Scene<'_>, name: &str, shortages: &[Shortage]) -> bool {
    let quota = scene
        .observed
        .quotas
        .iter()
        .find(|q| q.metadata.name.as_deref() == Some(name));
    let Some(status) = quota.and_then(|quota| quota.status.as_ref()) else {
        return true;
    };
    let amount = |list: &Option<BTreeMap<String, Amount>>, resource: &str| {
        list.as_ref()?.get(resource)?.0.parse::<Quantity>().ok()
    };
    shortages.iter().any(|shortage| {
        let hard = amount(&status.hard, &shortage.resource).unwrap_or(shortage.limited);
        let used = amount(&status.used, &shortage.resource).unwrap_or(shortage.used);
        used + shortage.requested > hard
    })
}

/// Pointer and key of the value that decides how much of a resource a component asks for.
fn sized_by(
    scene: &Scene<'_>,
    component: Option<&str>,
    resource: &str,
) -> Option<(String, String)> {
    if resource == "requests.storage" {
        let pointer = volume::storage_pointer(scene, component)?;
        return Some((pointer, "storage".to_owned()));
    }
    let key = match resource {
        "limits.cpu" | "limits.memory" | "requests.cpu" | "requests.memory" => {
            format!("resources.{resource}")
        }
        "pods" if scene.service(component).is_some() => "replicas".to_owned(),
        _ => return None,
    };
    let pointer = scene.pointer(component, &key.replace('.', "/"))?;
    Some((pointer, key))
}

fn without_size(denial: Denial<'_>, evidence: &[String]) -> Option<Finding> {
    let found = UNSIZED.captures(denial.message)?;
    let summary = format!(
        "{} sets no {}, which quota {} asks for",
        denial.object, &found[2], &found[1]
    );
    let fix = Fix::new(
        "the LimitRange of the environment gives the sizes that are missing: deploy again, and if it stays so, report it to the platform engineer",
    );
    Some(Finding::new(
        CauseCode::QuotaExceeded,
        denial.component,
        summary,
        evidence.to_vec(),
        fix,
    ))
}

fn limit_range(scene: &Scene<'_>, denial: Denial<'_>, evidence: &[String]) -> Option<Finding> {
    let found = LIMIT.captures(denial.message)?;
    let (bound, resource, scope, allowed, what, is) = (
        &found[1], &found[2], &found[3], &found[4], &found[5], &found[6],
    );
    let per = match scope {
        "PersistentVolumeClaim" => "volume".to_owned(),
        other => other.to_lowercase(),
    };
    let verb = if bound == "maximum" {
        "at most"
    } else {
        "at least"
    };
    let summary = format!(
        "{} has a {resource} {what} of {is}, but a {per} may have {verb} {allowed}",
        denial.object
    );
    let direction = if bound == "maximum" { "lower" } else { "raise" };
    let (pointer, change) = match scope {
        "PersistentVolumeClaim" => (
            volume::storage_pointer(scene, denial.component),
            Some(format!("storage: {allowed}")),
        ),
        // Several containers share what a pod may have: nobody but the user knows how to divide it.
        "Pod" => (amount_pointer(scene, denial, what, resource), None),
        _ => (
            amount_pointer(scene, denial, what, resource),
            Some(format!("{resource}: {}", scalar(allowed))),
        ),
    };
    let fix = Fix::new(format!(
        "{direction} the {resource} {what}, or ask the platform engineer for other bounds"
    ))
    .at(pointer);
    let fix = match change.filter(|_| fix.pointer.is_some()) {
        Some(change) => fix.write(change),
        None => fix,
    };
    Some(
        Finding::new(
            CauseCode::LimitRangeRefused,
            denial.component,
            summary,
            evidence.to_vec(),
            fix,
        )
        .fatal(true),
    )
}

fn amount_pointer(
    scene: &Scene<'_>,
    denial: Denial<'_>,
    what: &str,
    resource: &str,
) -> Option<String> {
    let key = format!("resources/{what}s/{resource}");
    matches!(resource, "cpu" | "memory").then(|| scene.pointer(denial.component, &key))?
}

/// Amounts are strings in the file; a bare number would not be one.
fn scalar(amount: &str) -> String {
    if amount.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        format!("\"{amount}\"")
    } else {
        amount.to_owned()
    }
}
