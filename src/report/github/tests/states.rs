//! Every state: what is said, and what is not.

use insta::assert_snapshot;

use super::*;
use crate::config::{Config, Source};

#[test]
fn preparing() {
    assert_snapshot!(shown(&known(), State::Preparing, None));
}

#[test]
fn prepared_for_an_update() {
    let mut facts = known();
    for component in &mut facts.components[..2] {
        component.up = true;
        component.state = "up".to_owned();
        component.seconds = Some(2.5);
    }
    assert_snapshot!(shown(&facts, State::Prepared, Some(&before())));
}

#[test]
fn starting() {
    assert_snapshot!(shown(&known(), State::Starting, None));
}

#[test]
fn updating() {
    assert_snapshot!(shown(&known(), State::Starting, Some(&before())));
}

#[test]
fn running_for_the_first_time() {
    assert_snapshot!(shown(&up(), State::Running, None));
}

#[test]
fn running_after_an_update() {
    let facts = Facts {
        expires: Some("2026-12-01T12:00:00Z".to_owned()),
        ..up()
    };
    assert_snapshot!(shown(&facts, State::Running, Some(&before())));
}

#[test]
fn failed_with_nothing_before() {
    let facts = Facts {
        serves: Serves::Nothing,
        notes: vec!["there was no version before; the environment is left as it is".to_owned()],
        ..broken()
    };
    assert_snapshot!(shown(&facts, State::Failed, None));
}

#[test]
fn failed_with_the_old_version_still_up() {
    let facts = Facts {
        serves: Serves::Commit(OLD.to_owned()),
        ..broken()
    };
    assert_snapshot!(shown(&facts, State::Failed, Some(&before())));
}

#[test]
fn failed_before_the_cluster_was_reached() {
    let facts = Facts {
        failure: Some(Trouble {
            message: "cannot reach the API server https://10.0.0.1:6443 of context `ci`".to_owned(),
            because: vec!["Connection refused (os error 111)".to_owned()],
            hints: vec!["check that it runs and can be reached from here: kubectl --context ci get --raw /readyz".to_owned()],
        }),
        ..facts()
    };
    assert_snapshot!(shown(&facts, State::Failed, None));
}

#[test]
fn invalid() {
    let text = "projectId: shop\napp:\n  prot: 8080\ndatabases:\n  postgresql: {version: 16, storag: 1Gi}\n";
    let invalid = Config::parse(Source::new("k8s-ee.yaml", text)).expect_err("it has mistakes");
    let facts = Facts {
        problems: invalid.problems,
        ..facts()
    };
    assert_snapshot!(shown(&facts, State::Invalid, Some(&before())));
}

#[test]
fn superseded() {
    assert_snapshot!(shown(&known(), State::Superseded, None));
}

#[test]
fn cancelled() {
    let facts = Facts {
        jobs: [
            ("validate", "✅ success"),
            ("build", "🚫 cancelled"),
            ("deploy", "skipped"),
        ]
        .map(|(name, result)| (name.to_owned(), result.to_owned()))
        .to_vec(),
        ..facts()
    };
    assert_snapshot!(shown(&facts, State::Cancelled, Some(&before())));
}

#[test]
fn waiting_for_approval() {
    assert_snapshot!(shown(&facts(), State::Waiting, None));
}

#[test]
fn an_update_waits_for_approval() {
    assert_snapshot!(shown(&facts(), State::Waiting, Some(&before())));
}

#[test]
fn preserved() {
    let facts = Facts {
        namespace: Some("shop-pr-12".to_owned()),
        expires: Some("2026-11-30T12:40:00Z".to_owned()),
        ..facts()
    };
    assert_snapshot!(shown(&facts, State::Preserved, Some(&before())));
}

/// By a label that somebody has set by hand, and with no comment of ours before.
#[test]
fn preserved_without_an_end() {
    assert_snapshot!(shown(&facts(), State::Preserved, None));
}

#[test]
fn destroying() {
    let facts = Facts {
        namespace: Some("shop-pr-12".to_owned()),
        ..facts()
    };
    assert_snapshot!(shown(&facts, State::Destroying, Some(&before())));
}

#[test]
fn destroyed() {
    let facts = Facts {
        namespace: Some("shop-pr-12".to_owned()),
        serves: Serves::Nothing,
        removed: [
            ("Deployment", 2),
            ("StatefulSet", 2),
            ("Secret", 3),
            ("PersistentVolume", 1),
        ]
        .map(|(kind, count)| (kind.to_owned(), count))
        .into(),
        kept_volumes: vec!["pvc-0a1b2c3d".to_owned()],
        ..facts()
    };
    assert_snapshot!(shown(&facts, State::Destroyed, Some(&before())));
}

#[test]
fn blocked() {
    let facts = Facts {
        namespace: Some("shop-pr-12".to_owned()),
        left: vec![
            "PersistentVolumeClaim data-app-postgresql-0 is held by the finalizer example.com/backup".to_owned(),
            "Some content in the namespace has finalizers remaining: example.com/backup in 1 resource instances".to_owned(),
        ],
        failure: Some(Trouble {
            message: "the namespace `shop-pr-12` is marked for deletion but still there".to_owned(),
            because: Vec::new(),
            hints: vec!["what holds it must let go, or its finalizer be removed by whoever set it; then: k8s-ee down --pr 12".to_owned()],
        }),
        ..facts()
    };
    assert_snapshot!(shown(&facts, State::Blocked, Some(&before())));
}

#[test]
fn marker_hidden_line_and_state_come_first() {
    let text = comment(
        &up(),
        State::Running,
        Some(&before()),
        &Template::built_in(),
    )
    .expect("it renders");
    let lines: Vec<&str> = text.lines().take(3).collect();
    assert_eq!(lines[0], "<!-- k8s-ee-pr-env -->");
    assert!(
        lines[1].starts_with("<!-- k8s-ee: {") && lines[1].ends_with("} -->"),
        "{}",
        lines[1]
    );
    assert_eq!(lines[2], "### 🟢 Preview is running");
    let said = Said::read(&text).expect("it reads back");
    assert_eq!(said.serves.as_deref(), Some(NEW));
    assert_eq!(said, Said::of(&up(), State::Running, Some(&before())));
}
