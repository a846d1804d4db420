//! Whose word counts: that of the newer commit, and of the newer run of the same commit.

use super::*;

fn said(commit: &str, id: u64, attempt: u64) -> Said {
    Said {
        commit: Some(commit.to_owned()),
        run: Some(RunId { id, attempt }),
        ..before()
    }
}

fn of(commit: &str, id: u64, attempt: u64) -> Facts {
    Facts {
        commit: Some(commit.to_owned()),
        place: Place {
            run: Some(RunId { id, attempt }),
            ..facts().place
        },
        ..facts()
    }
}

#[test]
fn an_older_run_leaves_what_a_newer_one_says() {
    // The newer commit is the head: whatever the numbers of the runs are.
    assert!(!said(NEW, 2, 1).gives_way_to(&of(OLD, 1, 1), Some(NEW)));
    assert!(!said(NEW, 1, 1).gives_way_to(&of(OLD, 2, 1), Some(NEW)));
    assert!(said(OLD, 2, 1).gives_way_to(&of(NEW, 1, 2), Some(NEW)));
    // Where the head is not known, the runs decide.
    assert!(!said(NEW, 2, 1).gives_way_to(&of(OLD, 1, 1), None));
    assert!(said(OLD, 1, 1).gives_way_to(&of(NEW, 2, 1), None));
    // Of the same commit too, as when a pull request is closed while it is deployed.
    assert!(!said(NEW, 2, 1).gives_way_to(&of(NEW, 1, 1), Some(NEW)));
    // Somebody who starts an old run again wants what it does.
    assert!(said(NEW, 2, 1).gives_way_to(&of(NEW, 1, 2), Some(NEW)));
    // Jobs of the same run, and tries of it.
    assert!(said(NEW, 1, 1).gives_way_to(&of(NEW, 1, 1), Some(NEW)));
    assert!(said(NEW, 1, 1).gives_way_to(&of(NEW, 1, 2), Some(NEW)));
    assert!(!said(NEW, 1, 2).gives_way_to(&of(NEW, 1, 1), Some(NEW)));
}

#[test]
fn somebody_who_types_is_believed_unless_the_commit_is_old() {
    let by_hand = |commit: &str| Facts {
        commit: Some(commit.to_owned()),
        place: Place {
            run: None,
            ..facts().place
        },
        ..facts()
    };
    assert!(said(NEW, 9, 1).gives_way_to(&by_hand(NEW), Some(NEW)));
    assert!(!said(NEW, 9, 1).gives_way_to(&by_hand(OLD), Some(NEW)));
}

#[test]
fn what_ran_last_is_remembered_until_it_is_gone() {
    let running = Said::of(&up(), State::Running, None);
    let failed = Said::of(&facts(), State::Failed, Some(&running));
    assert_eq!(failed.last, running.last);
    assert_eq!(failed.serves.as_deref(), Some(NEW));
    let gone = Facts {
        serves: Serves::Nothing,
        ..facts()
    };
    let gone = Said::of(&gone, State::Destroyed, Some(&failed));
    assert_eq!((gone.last, gone.serves), (None, None));
}

#[test]
fn texts_that_are_not_ours_are_not_read() {
    let line = before().line();
    assert!(Said::read(&format!("<!-- k8s-ee-pr-env -->\n{line}\n### x")).is_some());
    for other in [
        String::new(),
        line.clone(),
        format!("<!-- k8s-ee-pr-env -->\n### x\n{line}"),
        "<!-- k8s-ee-pr-env -->\n<!-- k8s-ee: {} -->".to_owned(),
        format!(
            "<!-- k8s-ee-pr-env -->\n{}",
            line.replace("\"version\":1", "\"version\":2")
        ),
    ] {
        assert_eq!(Said::read(&other), None, "{other}");
    }
}
