//! The cluster itself: its API server, its nodes, the platform's settings, and what not every cluster has.

use super::{
    Finding,
    facts::{Facts, SettingsOrigin},
    network::is_ready,
};
use crate::model::{
    DatabaseKind, Mode, object::Object, operator::Operator, settings::PlatformSettings,
};

/// The oldest minor version of Kubernetes 1 that has all that environments use.
const OLDEST: u32 = 29;

pub(super) fn server(facts: &Facts) -> Vec<Finding> {
    const CHECK: &str = "cluster";
    let server = &facts.server;
    let Some(version) = &facts.version else {
        return vec![Finding::unknown(
            CHECK,
            format!(
                "the API server {server} of context `{}` answers, but not with its version",
                facts.context
            ),
        )];
    };
    let who = facts
        .user
        .as_ref()
        .map(|user| format!(", as {user}"))
        .unwrap_or_default();
    let text = format!(
        "the API server {server} of context `{}` answers: Kubernetes {version}{who}",
        facts.context
    );
    vec![match minor(version) {
        Some(minor) if minor < OLDEST => Finding::warning(
            CHECK,
            format!("{text}; versions before 1.{OLDEST} are not tested"),
        )
        .hint("upgrade the cluster"),
        _ => Finding::ok(CHECK, text),
    }]
}

fn minor(version: &str) -> Option<u32> {
    version.strip_prefix("v1.")?.split('.').next()?.parse().ok()
}

pub(super) fn nodes(facts: &Facts) -> Vec<Finding> {
    const CHECK: &str = "nodes";
    let Some(nodes) = &facts.nodes else {
        return vec![Finding::unknown(CHECK, "nodes may not be looked at")];
    };
    let mut found = Vec::new();
    for node in nodes {
        let name = node.name();
        let pressures: Vec<String> = conditions(node)
            .filter(|(kind, status, _)| kind.ends_with("Pressure") && *status == "True")
            .map(|(kind, _, message)| format!("{kind}: {message}"))
            .collect();
        if !is_ready(node) {
            let why = conditions(node)
                .filter(|(kind, ..)| *kind == "Ready")
                .map(|(.., message)| message.to_owned());
            found.push(
                Finding::broken(CHECK, format!("node {name} is not ready"))
                    .because(why)
                    .hint(format!("kubectl describe node {name}")),
            );
        } else if !pressures.is_empty() {
            found.push(
                Finding::broken(
                    CHECK,
                    format!("node {name} is short of something, and takes no new pods"),
                )
                .because(pressures)
                .hint(format!(
                    "make room on it, then look again: kubectl describe node {name}"
                )),
            );
        }
    }
    if nodes.is_empty() {
        found.push(
            Finding::broken(CHECK, "the cluster has no nodes, so that nothing can run")
                .hint("add one"),
        );
    }
    if found.is_empty() {
        let mut architectures: Vec<&str> = nodes
            .iter()
            .filter_map(|n| n.str("/status/nodeInfo/architecture"))
            .collect();
        architectures.sort_unstable();
        architectures.dedup();
        let count = nodes.len();
        let nodes = if count == 1 { "node is" } else { "nodes are" };
        found.push(Finding::ok(
            CHECK,
            format!(
                "{count} {nodes} ready; images are needed for {}",
                architectures.join(" and ")
            ),
        ));
    }
    found
}

fn conditions(node: &Object) -> impl Iterator<Item = (&str, &str, &str)> {
    let list = node.get("/status/conditions").and_then(|c| c.as_array());
    list.into_iter().flatten().map(|condition| {
        let text = |key: &str| condition[key].as_str().unwrap_or_default();
        (text("type"), text("status"), text("message"))
    })
}

pub(super) fn settings(facts: &Facts, settings: &PlatformSettings) -> Finding {
    const CHECK: &str = "settings";
    match &facts.settings {
        SettingsOrigin::Named(place) => Finding::ok(CHECK, format!("the platform settings are valid: {place}")),
        SettingsOrigin::BuiltIn if settings.domain.is_none() => Finding::warning(CHECK, "the cluster has no ConfigMap k8s-ee-system/k8s-ee-platform; the built-in settings count, without a domain")
            .hint("write settings.yaml, then: kubectl -n k8s-ee-system create configmap k8s-ee-platform --from-file=settings.yaml"),
        SettingsOrigin::BuiltIn => Finding::ok(CHECK, "the built-in platform settings count"),
        SettingsOrigin::Closed(message) => Finding::broken(CHECK, "the platform settings may not be read, and no verb that deploys goes on without them; below, the built-in ones count")
            .because([message.clone()])
            .hint("have the account granted `get` of ConfigMap k8s-ee-platform in k8s-ee-system, or pass --platform FILE"),
        SettingsOrigin::Invalid { what, why, hint } => {
            let found = Finding::broken(CHECK, format!("{what}; below, the built-in ones count")).because(why.clone());
            match hint {
                Some(hint) => found.hint(hint.clone()),
                None => found,
            }
        }
    }
}

pub(super) fn pod_security(facts: &Facts) -> Finding {
    const CHECK: &str = "pod-security";
    match facts.version.as_deref().and_then(minor) {
        None => Finding::unknown(
            CHECK,
            "whether Pod Security is enforced cannot be told without the version",
        ),
        Some(minor) if minor >= 25 => Finding::ok(
            CHECK,
            "Pod Security is part of this version; namespaces of environments ask for `restricted`",
        ),
        Some(_) => Finding::broken(CHECK, "this version does not enforce Pod Security")
            .hint("upgrade the cluster"),
    }
}

/// Secrets to pull with are looked for in each environment, where they have to be.
pub(super) fn pull_secrets(settings: &PlatformSettings) -> Finding {
    const CHECK: &str = "registry";
    if settings.image_pull_secrets.is_empty() {
        return Finding::ok(
            CHECK,
            "images are pulled without Secrets: those of private registries need a node that is logged in",
        );
    }
    Finding::ok(
        CHECK,
        format!(
            "images are pulled with the Secrets {}; whether an environment has them: k8s-ee doctor --pr NUMBER",
            settings.image_pull_secrets.join(", ")
        ),
    )
}

/// Kinds that are asked about beside those of operators: version, kind, what lacks without it, what brings it.
pub const OPTIONAL: &[(&str, &str, &str, &str)] = &[
    (
        "monitoring.coreos.com/v1",
        "ServiceMonitor",
        "services with `metrics.enabled` are not scraped",
        "the Prometheus operator",
    ),
    (
        "metrics.k8s.io/v1beta1",
        "PodMetrics",
        "services with `autoscaling` do not scale",
        "metrics-server",
    ),
];

pub(super) fn kinds(facts: &Facts, settings: &PlatformSettings) -> Vec<Finding> {
    let has = |version: &str, kind: &str| {
        facts
            .kinds
            .get(&(version.to_owned(), kind.to_owned()))
            .copied()
    };
    let operators = Operator::ALL.into_iter().map(|operator| {
        let (version, kind) = operator.resource();
        let database: DatabaseKind = operator.database();
        let wanted = settings.mode(database) == Mode::Operator;
        let title = operator.title();
        match has(version, kind) {
            Some(true) => Finding::ok("operators", format!("{title} is there: `databases.{database}.mode: operator` works")),
            Some(false) if wanted => Finding::broken("operators", format!("the platform settings leave {database} to {}, which is not there (no kind {kind}, {version})", operator.the()))
                .hint(format!("install it: {}", operator.manual())),
            Some(false) => Finding::ok("operators", format!("{title} is not there, and not needed: {database} runs without an operator")),
            None => Finding::unknown("operators", format!("whether {title} is there cannot be told")),
        }
    });
    let optional =
        OPTIONAL.iter().map(
            |(version, kind, without, brings)| match has(version, kind) {
                Some(true) => Finding::ok("metrics", format!("the cluster has the kind {kind}")),
                Some(false) => Finding::warning(
                    "metrics",
                    format!("the cluster has no kind {kind} ({version}): {without}"),
                )
                .hint(format!("where that is wanted, install {brings}")),
                None => Finding::unknown(
                    "metrics",
                    format!("whether the cluster has the kind {kind} cannot be told"),
                ),
            },
        );
    operators.chain(optional).collect()
}
