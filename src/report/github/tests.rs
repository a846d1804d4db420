//! The comment in every state, as GitHub gets it.

mod escaping;
mod limits;
mod order;
mod states;
mod templates;

use std::collections::BTreeMap;

use super::{
    comment,
    facts::{Component, Facts, Located, Log, Part, Place, RunId, Serves, Share, State, Trouble},
    said::{Last, Said},
    template::Template,
};
use crate::diagnose::{Cause, CauseCode, Fix};

const OLD: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c";
const NEW: &str = "6dcb09b5b57875f334f61aebed695e2e4193db5e";

/// Facts about pull request 12 of `acme/shop`, before anything is known of its environment.
fn facts() -> Facts {
    Facts {
        place: Place {
            server: "https://github.com".to_owned(),
            repository: "acme/shop".to_owned(),
            number: Some(12),
            run: Some(RunId {
                id: 4711,
                attempt: 1,
            }),
            file: "k8s-ee.yaml".to_owned(),
        },
        commit: Some(NEW.to_owned()),
        branch: Some("feature/cart".to_owned()),
        now: "2026-11-28T12:40:31Z".to_owned(),
        ..Facts::default()
    }
}

/// The same once the file is read.
fn known() -> Facts {
    Facts {
        project: Some("shop".to_owned()),
        namespace: Some("shop-pr-12".to_owned()),
        url: Some("https://shop-pr-12.preview.example.com".to_owned()),
        dashboards: Some("https://grafana.example.com/d/env?var-namespace=shop-pr-12".to_owned()),
        components: components(),
        parts: parts(
            NEW,
            [
                ("postgresql", "a"),
                ("redis", "a"),
                ("api", "b"),
                ("web", "d"),
            ],
        ),
        ..facts()
    }
}

fn components() -> Vec<Component> {
    let component = |name: &str, kind, image: &str| Component {
        name: name.to_owned(),
        kind,
        image: image.to_owned(),
        ..Component::default()
    };
    vec![
        component("postgresql", "database", "docker.io/library/postgres:16"),
        component("redis", "database", "docker.io/library/redis:7.4"),
        component("api", "service", "ghcr.io/acme/shop/shop-api:pr-12-6dcb09b"),
        component(
            "web",
            "service",
            &format!("ghcr.io/acme/shop/shop-web@sha256:{NEW}6dcb09b5b57875f334f61aeb"),
        ),
    ]
}

fn parts(commit: &str, configs: [(&str, &str); 4]) -> BTreeMap<String, Part> {
    let part = |(name, config): (&str, &str)| {
        let image = match name {
            "postgresql" | "redis" | "cron" => format!("docker.io/library/{name}"),
            _ => format!("ghcr.io/acme/shop/shop-{name}:pr-12-{commit}"),
        };
        let config = config.to_owned();
        (name.to_owned(), Part { image, config })
    };
    configs.map(part).into()
}

/// The same once it is up.
fn up() -> Facts {
    let mut facts = Facts {
        serves: Serves::Commit(NEW.to_owned()),
        seconds: Some(12.34),
        quota: [
            ("requests.cpu", "400m", "500m", 80),
            ("limits.cpu", "1100m", "1265m", 86),
            ("requests.memory", "512Mi", "768Mi", 66),
            ("limits.memory", "1408Mi", "1619Mi", 86),
            ("requests.storage", "3Gi", "3Gi", 100),
        ]
        .map(|(resource, used, granted, percent)| Share {
            resource: resource.to_owned(),
            used: used.to_owned(),
            granted: granted.to_owned(),
            percent: Some(percent),
        })
        .to_vec(),
        ..known()
    };
    for (component, seconds) in facts.components.iter_mut().zip([3.1, 1.4, 6.2, 9.87]) {
        component.up = true;
        component.state = "up".to_owned();
        component.seconds = Some(seconds);
    }
    facts
}

/// What was said of the commit before, which runs.
fn before() -> Said {
    Said {
        version: 1,
        state: State::Running,
        commit: Some(OLD.to_owned()),
        run: Some(RunId {
            id: 4700,
            attempt: 1,
        }),
        at: "2026-11-27T09:00:00Z".to_owned(),
        namespace: Some("shop-pr-12".to_owned()),
        url: Some("https://shop-pr-12.preview.example.com".to_owned()),
        serves: Some(OLD.to_owned()),
        last: Some(Last {
            commit: Some(OLD.to_owned()),
            components: parts(
                OLD,
                [
                    ("postgresql", "a"),
                    ("api", "b"),
                    ("web", "c"),
                    ("cron", "d"),
                ],
            ),
        }),
    }
}

/// What went wrong with the service `api`.
fn broken() -> Facts {
    let mut facts = Facts {
        causes: vec![
            Located {
                line: Some(14),
                cause: Cause {
                    code: CauseCode::PortClosed,
                    component: Some("api".to_owned()),
                    summary: "nothing in api listens on port 3000; the program listens on 8080".to_owned(),
                    evidence: vec![
                        "Startup probe failed: Get \"http://10.42.0.7:3000/health\": dial tcp 10.42.0.7:3000: connect: connection refused".to_owned(),
                        "listening on 0.0.0.0:8080".to_owned(),
                    ],
                    fix: Fix {
                        text: "say the port that the program listens on".to_owned(),
                        pointer: Some("/services/api/port".to_owned()),
                        change: Some("port: 8080".to_owned()),
                        command: None,
                    },
                },
            },
            Located {
                line: None,
                cause: Cause {
                    code: CauseCode::DependencyFailed,
                    component: Some("web".to_owned()),
                    summary: "web waits for api".to_owned(),
                    evidence: Vec::new(),
                    fix: Fix { text: "repair api first".to_owned(), ..Fix::default() },
                },
            },
        ],
        logs: vec![Log {
            title: "api-7d9f8b6c5d-x2x4z/api".to_owned(),
            lines: vec![
                "2026-11-28T12:39:58Z INFO starting".to_owned(),
                "2026-11-28T12:39:59Z INFO connected to postgresql as app, password ***".to_owned(),
                "2026-11-28T12:39:59Z INFO listening on 0.0.0.0:8080".to_owned(),
            ],
        }],
        failure: Some(Trouble {
            message: "the environment did not come up".to_owned(),
            because: Vec::new(),
            hints: vec!["look closer: k8s-ee status --pr 12, k8s-ee logs --pr 12".to_owned()],
        }),
        ..up()
    };
    for component in &mut facts.components[2..] {
        component.up = false;
        component.seconds = None;
    }
    facts.components[2].state = "0 of 1 ready: startup probe fails".to_owned();
    facts.components[3].state = "waits for api".to_owned();
    facts
}

/// The comment without the marker and the hidden line, which tests of their own look at.
fn shown(facts: &Facts, state: State, before: Option<&Said>) -> String {
    let text = comment(facts, state, before, &Template::built_in()).expect("it renders");
    let shown = text.splitn(3, '\n').nth(2);
    shown.expect("a marker, a hidden line, and text").to_owned()
}
