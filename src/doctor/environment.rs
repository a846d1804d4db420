//! One environment as it is now, beside what a diagnosis of its components says.

use jiff::{SignedDuration, Timestamp};

use super::{Finding, restarts};
use crate::{
    diagnose::{UrlCheck, UrlOutcome},
    guardrails::reachability::{Party, Reachability},
    lifecycle::{
        preserve::{self, Preserved},
        summary::Summary,
    },
    model::{Environment, labels, object::Object},
};

/// What was seen of an environment, the state of its components aside.
#[derive(Debug)]
pub struct EnvironmentFacts<'a> {
    /// Now.
    pub now: Timestamp,
    /// Its namespace.
    pub namespace: &'a Object,
    /// It in a few words.
    pub summary: &'a Summary,
    /// What it should be, if that is known.
    pub environment: Option<&'a Environment>,
    /// Everything that is in it.
    pub objects: &'a [Object],
    /// How many causes a diagnosis of its components found.
    pub causes: usize,
    /// How the URLs of its public services answered: the service, and the status or what went wrong.
    pub urls: &'a [(String, Result<u16, UrlCheck>)],
    /// Who has the turn on it.
    pub turn: Option<Turn>,
    /// Who can reach whom in it.
    pub reachability: Option<&'a Reachability>,
    /// Names of Secrets to pull images with, and whether they are there; absent where that may not be looked at.
    pub pull_secrets: &'a [(String, Option<bool>)],
}

/// Who has the turn on an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Who, in words.
    pub holder: String,
    /// Since when.
    pub since: Option<Timestamp>,
    /// When they last showed that they are at work.
    pub renewed: Option<Timestamp>,
}

/// What an environment should be, none while it is being removed; with the images and hosts that the cluster has, which the file alone does not know. What
/// runs is what was recorded; after an `up` that failed, what is there is more likely what the file says.
#[must_use]
pub fn meant(
    namespace: &Object,
    recorded: Option<Environment>,
    written: Option<Environment>,
    objects: &[Object],
) -> Option<Environment> {
    if age_of_deletion(namespace, Timestamp::MAX).is_some() {
        return None;
    }
    let is_running = namespace.annotation(labels::STATE) == Some(labels::STATE_RUNNING);
    let wanted = match is_running {
        true => recorded.or(written),
        false => written.or(recorded),
    };
    wanted.map(|wanted| as_it_is(wanted, objects))
}

fn as_it_is(mut environment: Environment, objects: &[Object]) -> Environment {
    let of = |kind: &str, component: &str| {
        let mut of_kind = objects.iter().filter(|object| object.kind() == kind);
        of_kind.find(|object| object.component() == Some(component))
    };
    for service in &mut environment.services {
        let deployment = of("Deployment", &service.name);
        let image = deployment.and_then(|d| d.str("/spec/template/spec/containers/0/image"));
        if let Some(image) = image {
            image.clone_into(&mut service.image);
        }
        let route = of("Ingress", &service.name);
        let host = route.and_then(|route| route.str("/spec/rules/0/host"));
        if let (Some(ingress), Some(host)) = (&mut service.ingress, host) {
            host.clone_into(&mut ingress.host);
        }
    }
    environment
}

/// Longest that a run may be silent before it is taken for dead: many times what it renews its turn within, since clocks
/// differ.
const LONGEST_SILENCE: SignedDuration = SignedDuration::from_mins(2);

/// Longest that deleting anything takes when nothing holds it.
const LONGEST_DELETION: SignedDuration = SignedDuration::from_mins(2);

/// Share of the quota, in percent, from which on it is told.
const TIGHT: u32 = 90;

/// Everything that can be said of an environment.
#[must_use]
pub fn examine(facts: &EnvironmentFacts<'_>) -> Vec<Finding> {
    let mut found = vec![state(facts)];
    if age_of_deletion(facts.namespace, facts.now).is_some() {
        // Nothing has to work any more; what is left and why is all that matters.
        found.extend(stuck(facts));
        return found;
    }
    found.push(components(facts));
    found.extend(restarts::findings(facts.objects, facts.now));
    found.extend(
        facts
            .urls
            .iter()
            .map(|(service, answer)| url(service, answer)),
    );
    found.extend(ingress_policies(facts));
    found.push(quota(facts.summary));
    found.extend(turn(facts));
    found.extend(stuck(facts));
    found.extend(preserved(facts));
    found.extend(facts.pull_secrets.iter().filter_map(pull_secret));
    found
}

fn key(summary: &Summary) -> String {
    match summary.pr {
        Some(number) => format!("--pr {number}"),
        None => format!("--name … --project {}", summary.project),
    }
}

fn state(facts: &EnvironmentFacts<'_>) -> Finding {
    const CHECK: &str = "state";
    let Summary {
        namespace, state, ..
    } = facts.summary;
    let key = key(facts.summary);
    let text = format!("{namespace} is {state}");
    match state.as_str() {
        labels::STATE_RUNNING | labels::STATE_PREPARED => Finding::ok(CHECK, text),
        labels::STATE_FAILED => {
            Finding::broken(CHECK, format!("the last `up` of {namespace} failed"))
                .hint(format!("mend the causes below, then: k8s-ee up {key} …"))
        }
        labels::STATE_STARTING | labels::STATE_PREPARING if is_at_work(facts) => {
            Finding::warning(CHECK, format!("{text}: a run is at work on it"))
                .hint(format!("see how it goes: k8s-ee status {key}"))
        }
        labels::STATE_STARTING | labels::STATE_PREPARING => Finding::warning(
            CHECK,
            format!("{text}, and nobody is at work on it: the run was ended in the middle"),
        )
        .hint(format!("finish it: k8s-ee up {key} …")),
        labels::STATE_DESTROYING => deletion(facts, &key),
        _ => Finding::unknown(
            CHECK,
            format!("{namespace} does not say how it is; it was not made by this k8s-ee"),
        ),
    }
}

/// A namespace that goes away says itself what holds it up.
fn deletion(facts: &EnvironmentFacts<'_>, key: &str) -> Finding {
    let namespace = facts.namespace;
    let name = namespace.name();
    let conditions = namespace
        .get("/status/conditions")
        .and_then(|c| c.as_array());
    let obstacles = conditions
        .into_iter()
        .flatten()
        .filter(|condition| condition["status"] == "True");
    let told: Vec<String> = obstacles
        .filter_map(|condition| condition["message"].as_str().map(str::to_owned))
        .collect();
    let left = format!("see what is left, and what to do about it: k8s-ee down {key}");
    if age_of_deletion(namespace, facts.now) < Some(LONGEST_DELETION) {
        return Finding::warning("state", format!("{name} is being removed"))
            .because(told)
            .hint(left);
    }
    Finding::broken(
        "state",
        format!("{name} is being removed, and something holds it up"),
    )
    .because(told)
    .hint(left)
}

fn age_of_deletion(object: &Object, now: Timestamp) -> Option<SignedDuration> {
    let since: Timestamp = object.str("/metadata/deletionTimestamp")?.parse().ok()?;
    Some(now.duration_since(since))
}

fn components(facts: &EnvironmentFacts<'_>) -> Finding {
    const CHECK: &str = "components";
    if facts.environment.is_none() {
        return Finding::unknown(CHECK, "what the environment should be is not known: it has no record, and there is no k8s-ee.yaml here")
            .hint("run it beside the k8s-ee.yaml of the project, or name it with --config");
    }
    match facts.causes {
        0 => Finding::ok(CHECK, "nothing is wrong with the components"),
        1 => Finding::broken(CHECK, "one cause keeps it from working, see below"),
        n => Finding::broken(CHECK, format!("{n} causes keep it from working, see below")),
    }
}

fn url(service: &str, answer: &Result<u16, UrlCheck>) -> Finding {
    const CHECK: &str = "url";
    match answer {
        Ok(status) => Finding::ok(CHECK, format!("the URL of {service} answers {status}")),
        Err(UrlCheck { url, outcome }) => {
            let how = match outcome {
                UrlOutcome::Status(status) => format!("answers {status}"),
                UrlOutcome::Refused => "refuses connections".to_owned(),
                UrlOutcome::TimedOut => "does not answer in time".to_owned(),
                UrlOutcome::Dns(why) => format!("has no address: {why}"),
                UrlOutcome::Tls(why) => format!("is not trusted: {why}"),
                UrlOutcome::Other(why) => format!("does not answer: {why}"),
            };
            Finding::broken(CHECK, format!("{url} of {service} {how}"))
        }
    }
}

/// Whether the policies that are there let the ingress controller in where an Ingress leads.
fn ingress_policies(facts: &EnvironmentFacts<'_>) -> Vec<Finding> {
    const CHECK: &str = "network-policies";
    let (Some(environment), Some(reach)) = (facts.environment, facts.reachability) else {
        return Vec::new();
    };
    let public = environment
        .services
        .iter()
        .filter(|service| service.ingress.is_some());
    public
        .map(|service| {
            let to = Party::Component(service.name.clone());
            let may = reach.connections.iter().any(|connection| {
                connection.from == Party::IngressController
                    && connection.to == to
                    && connection.ports.contains("TCP", service.port)
            });
            if may {
                return Finding::ok(CHECK, format!("the ingress controller may reach {} on port {}", service.name, service.port));
            }
            Finding::broken(CHECK, format!("the network policies keep the ingress controller from {} on port {}", service.name, service.port))
                .hint(format!("see what is open: kubectl -n {} describe networkpolicies; `up` puts back what is missing, and `ingress.controller` of the platform settings says who may", facts.namespace.name()))
        })
        .collect()
}

fn quota(summary: &Summary) -> Finding {
    const CHECK: &str = "quota";
    if summary.quota.is_empty() {
        return Finding::warning(CHECK, "the environment has no quota")
            .hint(format!("`k8s-ee up {} …` gives it one", key(summary)));
    }
    let tight: Vec<String> = summary
        .quota
        .iter()
        .filter(|(resource, _)| {
            summary
                .percent(resource)
                .is_some_and(|percent| percent >= TIGHT)
        })
        .map(|(resource, usage)| format!("{resource}: {} of {}", usage.used, usage.hard))
        .collect();
    if tight.is_empty() {
        return Finding::ok(CHECK, "the quota has room");
    }
    Finding::warning(CHECK, "the quota is nearly used up")
        .because(tight)
        .hint(format!(
            "what uses it: k8s-ee status {}; a rollout needs room for old and new pods",
            key(summary)
        ))
}

fn turn(facts: &EnvironmentFacts<'_>) -> Option<Finding> {
    const CHECK: &str = "lease";
    let Turn {
        holder,
        since,
        renewed,
    } = facts.turn.as_ref()?;
    let ago = |time: Option<Timestamp>| {
        let age = time.map(|time| facts.now.duration_since(time));
        age.unwrap_or_default().max(SignedDuration::ZERO)
    };
    if !is_at_work(facts) {
        let silent = ago(*renewed).as_mins();
        return Some(
            Finding::warning(
                CHECK,
                format!("{holder} has the turn, but was last heard of {silent} minutes ago: it was killed"),
            )
            .hint(format!(
                "the next `up` takes it over: k8s-ee up {} …",
                key(facts.summary)
            )),
        );
    }
    Some(Finding::ok(
        CHECK,
        format!("{holder} has been at work for {} s", ago(*since).as_secs()),
    ))
}

/// Whether somebody has the turn and renews it.
fn is_at_work(facts: &EnvironmentFacts<'_>) -> bool {
    let Some(turn) = &facts.turn else {
        return false;
    };
    let silence = turn.renewed.map(|time| facts.now.duration_since(time));
    silence.is_some_and(|silence| silence < LONGEST_SILENCE)
}

/// Objects that are being deleted and do not go.
fn stuck(facts: &EnvironmentFacts<'_>) -> Vec<Finding> {
    let is_stuck = |object: &&Object| {
        let finalizers = object
            .get("/metadata/finalizers")
            .and_then(|f| f.as_array());
        finalizers.is_some_and(|all| !all.is_empty())
            && age_of_deletion(object, facts.now) > Some(LONGEST_DELETION)
    };
    let stuck = facts.objects.iter().filter(is_stuck);
    stuck
        .map(|object| {
            let id = object.id();
            let finalizers = object.get("/metadata/finalizers").and_then(|f| f.as_array());
            let finalizers: Vec<&str> = finalizers.into_iter().flatten().filter_map(|f| f.as_str()).collect();
            Finding::broken("finalizers", format!("{id} is being deleted and does not go: {} has not finished with it", finalizers.join(", ")))
                .hint(format!(
                    "see why: kubectl -n {ns} describe {} {}; when whoever set it is gone for good: kubectl -n {ns} patch {} {} --type=merge -p '{{\"metadata\":{{\"finalizers\":null}}}}'",
                    id.kind, id.name, id.kind, id.name, ns = facts.namespace.name()
                ))
        })
        .collect()
}

fn preserved(facts: &EnvironmentFacts<'_>) -> Option<Finding> {
    const CHECK: &str = "expiry";
    let preserved = Preserved::of(facts.namespace)?;
    Some(match preserved.until.map(preserve::shown) {
        Some(until) if preserved.has_ended(facts.now) => Finding::warning(
            CHECK,
            format!("it was preserved until {until}, which has passed; clean-up may remove it"),
        ),
        Some(until) => Finding::ok(CHECK, format!("it is preserved until {until}")),
        None => Finding::warning(
            CHECK,
            "it is preserved, and nothing says until when; clean-up gives it an end".to_owned(),
        ),
    })
}

fn pull_secret((name, there): &(String, Option<bool>)) -> Option<Finding> {
    const CHECK: &str = "registry";
    Some(match there {
        Some(true) => Finding::ok(CHECK, format!("Secret {name} to pull images with is there")),
        Some(false) => Finding::broken(CHECK, format!("Secret {name} to pull images with is not there"))
            .hint(format!("make it: kubectl create secret docker-registry {name} --docker-server=… --docker-username=…")),
        None => return None,
    })
}
