//! Findings about clusters and environments that are made up.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    environment::EnvironmentFacts,
    facts::{Access, Enforcement, Facts, Github, SettingsOrigin},
    *,
};
use crate::{
    diagnose::{UrlCheck, UrlOutcome},
    lifecycle::summary::{Summary, Usage},
    model::object::Object,
};

fn object(document: Value) -> Object {
    Object::new(document).expect("an object")
}

fn class(name: &str, default: bool, grows: bool) -> Object {
    object(
        json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass",
        "metadata": {"name": name, "annotations": {"storageclass.kubernetes.io/is-default-class": default.to_string()}},
        "provisioner": "example.com/disk", "allowVolumeExpansion": grows}),
    )
}

fn pod(namespace: &str, name: &str, labels: Value, ready: bool) -> Object {
    let ready = if ready { "True" } else { "False" };
    object(json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "status": {"conditions": [{"type": "Ready", "status": ready}]}}))
}

fn node(name: &str, conditions: Value) -> Object {
    object(
        json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name},
        "status": {"conditions": conditions, "nodeInfo": {"architecture": "amd64"}}}),
    )
}

/// A cluster on which everything works.
fn healthy() -> (Facts, PlatformSettings) {
    let settings = PlatformSettings {
        domain: Some("preview.example.com".to_owned()),
        ..PlatformSettings::default()
    };
    let class_of_traefik = object(
        json!({"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass",
        "metadata": {"name": "traefik"}, "spec": {"controller": "traefik.io/ingress-controller"}}),
    );
    let kinds = crate::model::operator::Operator::ALL
        .iter()
        .map(|operator| operator.resource())
        .chain(
            parts::OPTIONAL
                .iter()
                .map(|(version, kind, ..)| (*version, *kind)),
        )
        .map(|(version, kind)| ((version.to_owned(), kind.to_owned()), true));
    let facts = Facts {
        context: "staging".to_owned(),
        server: "https://10.0.0.1:6443".to_owned(),
        version: Some("v1.35.4".to_owned()),
        user: Some("deployer".to_owned()),
        rights: rights::all()
            .into_iter()
            .map(|right| (right, Some(true)))
            .collect(),
        settings: SettingsOrigin::Named("ConfigMap k8s-ee-system/k8s-ee-platform".to_owned()),
        nodes: Some(vec![node(
            "one",
            json!([{"type": "Ready", "status": "True"}]),
        )]),
        ingress_classes: Some(vec![class_of_traefik]),
        controllers: Some(vec![pod("kube-system", "traefik-1", json!({}), true)]),
        storage_classes: Some(vec![class("fast", true, true)]),
        network_pods: Some(vec![pod(
            "kube-system",
            "cilium-1",
            json!({"k8s-app": "cilium"}),
            true,
        )]),
        kinds: kinds.collect::<BTreeMap<_, _>>(),
        dns: Some((
            "k8s-ee-doctor.preview.example.com".to_owned(),
            Ok(vec!["203.0.113.7".parse().expect("an address")]),
        )),
        probe: None,
        github: Some(Github {
            login: Ok("octocat".to_owned()),
            repository: Some(("acme/shop".to_owned(), Ok(Access::Writes))),
        }),
    };
    (facts, settings)
}

#[test]
fn a_healthy_cluster_has_nothing_but_good_news() {
    let (facts, settings) = healthy();
    let found = examine(&facts, &settings);
    let text = report::human(&found);
    assert_eq!(worst(&found), Status::Ok, "{text}");
    assert!(text.contains("Kubernetes v1.35.4, as deployer"), "{text}");
    assert!(text.contains("Cilium is there"), "{text}");
}

/// Each thing that can be wrong, alone: it is found, named, and comes with what to do.
#[test]
fn each_fault_is_found_by_itself() {
    type Change = fn(&mut Facts, &mut PlatformSettings);
    let faults: &[(&str, Status, &str, Change)] = &[
        (
            "rights",
            Status::Broken,
            "delete namespaces in the whole cluster",
            |f, _| {
                for (right, allowed) in &mut f.rights {
                    if right.resource == "namespaces" && right.verb == "delete" {
                        *allowed = Some(false);
                    }
                }
            },
        ),
        (
            "rights",
            Status::Broken,
            "create, patch, delete ingresses.networking.k8s.io in the namespaces",
            |f, _| {
                for (right, allowed) in &mut f.rights {
                    if right.resource == "ingresses" && right.needed_by == rights::Need::Up {
                        *allowed = Some(false);
                    }
                }
            },
        ),
        ("rights", Status::Unknown, "does not say", |f, _| {
            f.rights[0].1 = None
        }),
        ("cluster", Status::Warning, "not tested", |f, _| {
            f.version = Some("v1.24.1".to_owned())
        }),
        ("nodes", Status::Broken, "node two is not ready", |f, _| {
            f.nodes.get_or_insert_default().push(node(
                "two",
                json!([{"type": "Ready", "status": "False", "message": "kubelet stopped"}]),
            ));
        }),
        (
            "nodes",
            Status::Broken,
            "DiskPressure: kubelet has disk pressure",
            |f, _| {
                f.nodes = Some(vec![node(
                    "one",
                    json!([{"type": "Ready", "status": "True"},
                {"type": "DiskPressure", "status": "True", "message": "kubelet has disk pressure"}]),
                )]);
            },
        ),
        (
            "ingress",
            Status::Broken,
            "no ingress class `nginx`",
            |_, s| s.ingress.class_name = "nginx".to_owned(),
        ),
        (
            "ingress-controller",
            Status::Broken,
            "app.kubernetes.io/name=traefik",
            |f, _| f.controllers = Some(Vec::new()),
        ),
        ("ingress-controller", Status::Broken, "not ready", |f, _| {
            f.controllers = Some(vec![pod("kube-system", "traefik-1", json!({}), false)]);
        }),
        ("dns", Status::Broken, "*.preview.example.com", |f, _| {
            f.dns = Some((
                "k8s-ee-doctor.preview.example.com".to_owned(),
                Err("no such host".to_owned()),
            ));
        }),
        ("dns", Status::Broken, "no domain", |_, s| s.domain = None),
        ("network-policies", Status::Broken, "flannel", |f, _| {
            f.network_pods = Some(vec![pod(
                "kube-flannel",
                "f",
                json!({"app": "flannel"}),
                true,
            )]);
        }),
        ("network-policies", Status::Unknown, "--probe", |f, _| {
            f.network_pods = Some(Vec::new())
        }),
        (
            "network-policies",
            Status::Broken,
            "although a policy closes it",
            |f, _| f.probe = Some(Ok(Enforcement::Ignored)),
        ),
        (
            "network-policies",
            Status::Unknown,
            "ErrImagePull",
            |f, _| f.probe = Some(Err("the pod does not run: ErrImagePull".to_owned())),
        ),
        ("storage", Status::Broken, "no storage class", |f, _| {
            f.storage_classes = Some(Vec::new())
        }),
        (
            "storage",
            Status::Broken,
            "kubectl annotate storageclass slow",
            |f, _| f.storage_classes = Some(vec![class("slow", false, true)]),
        ),
        (
            "storage",
            Status::Warning,
            "allowVolumeExpansion",
            |f, _| f.storage_classes = Some(vec![class("fast", true, false)]),
        ),
        ("storage", Status::Warning, "fast, slow", |f, _| {
            f.storage_classes = Some(vec![class("fast", true, true), class("slow", true, true)]);
        }),
        ("storage", Status::Broken, "`gold`", |_, s| {
            let gold = crate::model::settings::DatabaseSettings {
                storage_class: Some("gold".to_owned()),
                ..Default::default()
            };
            s.databases.insert(crate::model::DatabaseKind::Redis, gold);
        }),
        (
            "settings",
            Status::Broken,
            "unknown field `domian`",
            |f, _| {
                f.settings = SettingsOrigin::Invalid {
                    what: "the platform settings are invalid".to_owned(),
                    why: vec!["unknown field `domian`".to_owned()],
                    hint: Some("every key is described".to_owned()),
                };
            },
        ),
        ("settings", Status::Broken, "cannot get resource", |f, _| {
            f.settings = SettingsOrigin::Closed(
                "User \"viewer\" cannot get resource \"configmaps\"".to_owned(),
            );
        }),
        ("nodes", Status::Broken, "no nodes", |f, _| {
            f.nodes = Some(Vec::new())
        }),
        ("pod-security", Status::Broken, "Pod Security", |f, _| {
            f.version = Some("v1.22.0".to_owned())
        }),
        ("operators", Status::Broken, "cloudnative-pg.io", |f, s| {
            for (_, has) in f
                .kinds
                .iter_mut()
                .filter(|((version, _), _)| version.contains("cnpg"))
            {
                *has = false;
            }
            let operator = crate::model::settings::DatabaseSettings {
                mode: crate::model::Mode::Operator,
                ..Default::default()
            };
            s.databases
                .insert(crate::model::DatabaseKind::Postgresql, operator);
        }),
        ("metrics", Status::Warning, "not scraped", |f, _| {
            for (_, has) in f
                .kinds
                .iter_mut()
                .filter(|((_, kind), _)| kind == "ServiceMonitor")
            {
                *has = false;
            }
        }),
        ("github", Status::Broken, "Bad credentials", |f, _| {
            f.github = Some(Github {
                login: Err("Bad credentials".to_owned()),
                repository: None,
            });
        }),
        (
            "github",
            Status::Warning,
            "may only read acme/shop",
            |f, _| {
                f.github = Some(Github {
                    login: Ok("octocat".to_owned()),
                    repository: Some(("acme/shop".to_owned(), Ok(Access::Reads))),
                });
            },
        ),
        ("github", Status::Unknown, "GITHUB_TOKEN", |f, _| {
            f.github = None
        }),
    ];
    for (check, status, text, change) in faults {
        let (mut facts, mut settings) = healthy();
        change(&mut facts, &mut settings);
        let found = examine(&facts, &settings);
        let said: Vec<&Finding> = found
            .iter()
            .filter(|finding| finding.check == *check && finding.status == *status)
            .collect();
        let shown = report::human(&found);
        assert!(!said.is_empty(), "{check}, {text}:\n{shown}");
        assert!(shown.contains(text), "`{text}` is not in\n{shown}");
        for finding in found
            .iter()
            .filter(|finding| finding.status >= Status::Warning)
        {
            assert!(finding.hint.is_some(), "no hint: {finding:?}");
        }
    }
}

fn namespace(more: Value) -> Object {
    let mut namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop-pr-7", "annotations": {}}});
    for (key, value) in more.as_object().into_iter().flatten() {
        namespace["metadata"][key] = value.clone();
    }
    object(namespace)
}

fn summary(state: &str) -> Summary {
    let usage = Usage {
        used: "1".to_owned(),
        hard: "4".to_owned(),
    };
    Summary {
        preserve_until: None,
        preserved_by: None,
        namespace: "shop-pr-7".to_owned(),
        project: "shop".to_owned(),
        pr: Some(7),
        state: state.to_owned(),
        url: None,
        branch: None,
        commit: None,
        repository: None,
        created_at: None,
        age_seconds: None,
        preserved: false,
        quota: BTreeMap::from([("pods".to_owned(), usage)]),
    }
}

#[test]
fn an_environment_says_what_holds_it_up() {
    let now = "2026-01-01T12:00:00Z".parse().expect("a time");
    let examined =
        |namespace: &Object, summary: &Summary, change: &dyn Fn(&mut EnvironmentFacts<'_>)| {
            let mut facts = EnvironmentFacts {
                now,
                namespace,
                summary,
                environment: None,
                objects: &[],
                causes: 0,
                urls: &[],
                turn: None,
                reachability: None,
                pull_secrets: &[],
            };
            change(&mut facts);
            report::human(&environment::examine(&facts))
        };
    let plain = namespace(json!({}));
    let told = examined(&plain, &summary("running"), &|_| {});
    assert!(
        told.starts_with("ok       state: shop-pr-7 is running\n"),
        "{told}"
    );

    let told = examined(&plain, &summary("starting"), &|_| {});
    assert!(told.contains("the run was ended in the middle"), "{told}");
    // A long run that renews its turn is at work; one that does not was killed.
    let turn = |renewed: &str| {
        Some(environment::Turn {
            holder: "an `up`".to_owned(),
            since: "2026-01-01T11:00:00Z".parse().ok(),
            renewed: renewed.parse().ok(),
        })
    };
    let told = examined(&plain, &summary("starting"), &|facts| {
        facts.turn = turn("2026-01-01T11:59:57Z");
    });
    assert!(
        told.contains("a run is at work on it")
            && told.contains("an `up` has been at work for 3600 s"),
        "{told}"
    );
    let told = examined(&plain, &summary("starting"), &|facts| {
        facts.turn = turn("2026-01-01T11:10:00Z");
    });
    assert!(
        told.contains("last heard of 50 minutes ago: it was killed")
            && told.contains("the run was ended in the middle"),
        "{told}"
    );

    let leaving = object(json!({"apiVersion": "v1", "kind": "Namespace",
        "metadata": {"name": "shop-pr-7", "deletionTimestamp": "2026-01-01T11:00:00Z"},
        "status": {"conditions": [{"type": "NamespaceFinalizersRemaining", "status": "True",
            "message": "Some content in the namespace has finalizers remaining: example.com/keep in 1 resource instances"}]}}));
    let told = examined(&leaving, &summary("destroying"), &|_| {});
    assert!(
        told.contains("example.com/keep") && told.contains("k8s-ee down --pr 7"),
        "{told}"
    );

    let claim = object(
        json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data",
        "deletionTimestamp": "2026-01-01T11:00:00Z", "finalizers": ["example.com/keep"]}}),
    );
    let claims = [claim];
    let mut full = summary("running");
    full.quota.insert(
        "limits.cpu".to_owned(),
        Usage {
            used: "950m".to_owned(),
            hard: "1".to_owned(),
        },
    );
    let told = examined(&plain, &full, &|_| {});
    assert!(told.contains("limits.cpu: 950m of 1"), "{told}");

    let refused = UrlCheck {
        url: "https://shop".to_owned(),
        outcome: UrlOutcome::Status(502),
    };
    let urls = [("app".to_owned(), Err(refused))];
    let facts = EnvironmentFacts {
        now,
        namespace: &plain,
        summary: &summary("failed"),
        environment: None,
        objects: &claims,
        causes: 1,
        urls: &urls,
        turn: None,
        reachability: None,
        pull_secrets: &[("registry".to_owned(), Some(false))],
    };
    let found = environment::examine(&facts);
    let told = report::human(&found);
    assert_eq!(worst(&found), Status::Broken);
    for text in [
        "https://shop of app answers 502",
        "PersistentVolumeClaim data is being deleted and does not go: example.com/keep has not finished with it",
        "Secret registry to pull images with is not there",
        "the last `up` of shop-pr-7 failed",
    ] {
        assert!(told.contains(text), "`{text}` is not in\n{told}");
    }

    for (until, said) in [
        (
            "2026-01-01T11:00:00Z",
            "2026-01-01 11:00 UTC, which has passed",
        ),
        (
            "2026-01-01T13:00:00Z",
            "it is preserved until 2026-01-01 13:00 UTC",
        ),
        ("", "nothing says until when"),
    ] {
        let kept = namespace(
            json!({"labels": {"preserve": "true"}, "annotations": {"k8s-ee/preserve-until": until}}),
        );
        let told = examined(&kept, &summary("running"), &|_| {});
        assert!(told.contains(said), "{told}");
    }
}
