//! How requests get in, and whether policies keep the rest out.

use std::collections::BTreeSet;

use super::{
    Finding,
    facts::{Enforcement, Facts},
};
use crate::model::{object::Object, settings::PlatformSettings};

/// Network plugins by the labels of their pods: label, value, name, and whether they enforce policies.
pub const PLUGINS: &[(&str, &str, &str, bool)] = &[
    ("k8s-app", "cilium", "Cilium", true),
    ("k8s-app", "calico-node", "Calico", true),
    ("k8s-app", "canal", "Canal", true),
    ("k8s-app", "kube-router", "kube-router", true),
    ("k8s-app", "azure-npm", "Azure Network Policy Manager", true),
    (
        "k8s-app",
        "kube-network-policies",
        "kube-network-policies",
        true,
    ),
    ("k8s-app", "kindnet", "kindnet", true),
    ("app", "antrea", "Antrea", true),
    ("app", "kube-ovn-cni", "Kube-OVN", true),
    ("app", "flannel", "flannel", false),
];

/// Kinds by which plugins are known that do not run as pods: version, kind, name. All of these enforce policies.
pub const PLUGIN_KINDS: &[(&str, &str, &str)] = &[
    ("cilium.io/v2", "CiliumNetworkPolicy", "Cilium"),
    ("crd.projectcalico.org/v1", "NetworkPolicy", "Calico"),
];

pub(super) fn ingress(facts: &Facts, settings: &PlatformSettings) -> Vec<Finding> {
    let mut found = vec![class(facts, settings)];
    let controller = &settings.ingress.controller;
    if controller.namespace_labels.is_empty() {
        found.push(if controller.addresses.is_empty() {
            Finding::broken(
                "ingress-controller",
                "the platform settings select no ingress controller, so that no request gets in",
            )
            .hint(
                "set `ingress.controller.namespaceLabels` and `podLabels` in the platform settings",
            )
        } else {
            Finding::unknown(
                "ingress-controller",
                "the ingress controller is named by address; its pods cannot be looked at",
            )
        });
        return found;
    }
    let selector = format!(
        "namespaces with {}, pods with {}",
        printed(&controller.namespace_labels),
        printed(&controller.pod_labels)
    );
    found.push(match &facts.controllers {
        None => Finding::unknown("ingress-controller", "pods of other namespaces may not be looked at, so the ingress controller was not looked for"),
        Some(pods) if pods.is_empty() => Finding::broken(
            "ingress-controller",
            "no pod is where the platform settings say that the ingress controller runs; its requests would be closed out",
        )
        .because([selector])
        .hint("find it: kubectl get pods -A --show-labels | grep -i ingress; then set `ingress.controller` in the platform settings"),
        Some(pods) => {
            let ready = pods.iter().filter(|pod| is_ready(pod)).count();
            let names = pods.iter().map(full_name).collect::<Vec<_>>().join(", ");
            if ready == 0 {
                Finding::broken("ingress-controller", "the ingress controller is not ready")
                    .because([names])
                    .hint(format!("kubectl -n {} describe pod {}", pods[0].namespace().unwrap_or_default(), pods[0].name()))
            } else {
                Finding::ok("ingress-controller", format!("the ingress controller runs: {names}"))
            }
        }
    });
    found
}

fn class(facts: &Facts, settings: &PlatformSettings) -> Finding {
    let wanted = &settings.ingress.class_name;
    let Some(classes) = &facts.ingress_classes else {
        return Finding::unknown("ingress", "ingress classes may not be looked at");
    };
    match classes.iter().find(|class| class.name() == wanted) {
        Some(class) => {
            let controller = class
                .str("/spec/controller")
                .unwrap_or("an unnamed controller");
            Finding::ok(
                "ingress",
                format!("ingress class `{wanted}` is there, of {controller}"),
            )
        }
        None => {
            let there: Vec<&str> = classes.iter().map(Object::name).collect();
            let hint = match there.as_slice() {
                [] => "install an ingress controller, such as Traefik".to_owned(),
                there => format!(
                    "set `ingress.className` in the platform settings to one of {}",
                    there.join(", ")
                ),
            };
            Finding::broken(
                "ingress",
                format!("the cluster has no ingress class `{wanted}`, so that no URL will answer"),
            )
            .hint(hint)
        }
    }
}

pub(super) fn dns(facts: &Facts, settings: &PlatformSettings) -> Finding {
    let Some(domain) = &settings.domain else {
        return Finding::broken(
            "dns",
            "the platform settings name no domain, so that environments have no URL",
        )
        .hint("set `domain` in the platform settings, or pass --domain to `up`");
    };
    if let Some(address) = &settings.ingress.address {
        return Finding::ok(
            "dns",
            format!("{domain} is reached at {address}, by the platform settings; DNS is not asked"),
        );
    }
    match &facts.dns {
        None => Finding::unknown("dns", format!("DNS was not asked about {domain}")),
        Some((host, Ok(addresses))) => {
            let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
            Finding::ok(
                "dns",
                format!(
                    "hosts below {domain} have an address: {host} is {}",
                    addresses.join(", ")
                ),
            )
        }
        Some((host, Err(why))) => Finding::broken(
            "dns",
            format!("hosts below {domain} have no address: {host} is not known"),
        )
        .because([why.clone()])
        .hint(format!(
            "add a DNS record *.{domain} that leads to the ingress controller"
        )),
    }
}

pub(super) fn policies(facts: &Facts) -> Finding {
    const CHECK: &str = "network-policies";
    match &facts.probe {
        Some(Ok(Enforcement::Enforced)) => {
            return Finding::ok(
                CHECK,
                "network policies are enforced: a connection between two pods worked, not while a policy closed it, and again without the policy",
            );
        }
        Some(Ok(Enforcement::Ignored)) => {
            return Finding::broken(CHECK, "network policies are not enforced: a connection between two pods worked although a policy closes it; environments can reach each other")
                .hint("install a network plugin that enforces them, such as Cilium or Calico");
        }
        Some(Err(why)) => {
            return Finding::unknown(
                CHECK,
                "whether network policies are enforced could not be tried",
            )
            .because([why.clone()])
            .hint("it takes an account that may make namespaces and pods, and an image with sh, nc and httpd: k8s-ee doctor --probe --probe-image REF");
        }
        None => {}
    }
    let by_pods = facts.network_pods.iter().flatten().filter_map(|pod| {
        let known = PLUGINS
            .iter()
            .find(|(key, value, ..)| pod.label(key) == Some(value));
        known.map(|(_, _, name, enforces)| (*name, *enforces))
    });
    let has = |version: &str, kind: &str| {
        let kind = (version.to_owned(), kind.to_owned());
        facts.kinds.get(&kind) == Some(&true)
    };
    let by_kinds = PLUGIN_KINDS
        .iter()
        .filter(|(version, kind, _)| has(version, kind));
    let by_kinds = by_kinds.map(|(.., name)| (*name, true));
    let plugins: BTreeSet<(&str, bool)> = by_pods.chain(by_kinds).collect();
    let try_it = "to be sure, let two pods try: k8s-ee doctor --probe";
    let enforcing: Vec<&str> = plugins
        .iter()
        .filter(|(_, enforces)| *enforces)
        .map(|(name, _)| *name)
        .collect();
    let is_k3s = facts
        .version
        .as_deref()
        .is_some_and(|version| version.contains("+k3s"));
    if !enforcing.is_empty() {
        return Finding::ok(
            CHECK,
            format!(
                "{} is there, which enforces network policies; not tried",
                enforcing.join(", ")
            ),
        )
        .hint(try_it);
    }
    if is_k3s {
        return Finding::ok(
            CHECK,
            "k3s enforces network policies itself, unless it was started without; not tried",
        )
        .hint(try_it);
    }
    match plugins.first() {
        Some((name, _)) => Finding::broken(CHECK, format!("{name} does not enforce network policies; environments can reach each other"))
            .hint("install a network plugin that enforces them, such as Cilium or Calico"),
        None => Finding::unknown(CHECK, "no network plugin that is known was found; whether policies are enforced cannot be told").hint(try_it),
    }
}

fn printed(labels: &std::collections::BTreeMap<String, String>) -> String {
    if labels.is_empty() {
        return "any labels".to_owned();
    }
    let pairs: Vec<String> = labels
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    pairs.join(",")
}

fn full_name(object: &Object) -> String {
    format!(
        "{}/{}",
        object.namespace().unwrap_or_default(),
        object.name()
    )
}

pub(super) fn is_ready(object: &Object) -> bool {
    let conditions = object.get("/status/conditions").and_then(|c| c.as_array());
    let mut conditions = conditions.into_iter().flatten();
    conditions.any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
}
