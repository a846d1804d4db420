//! What our own comment tells.

use crate::report::github::{
    facts::{Facts, State},
    said::Said,
};

use super::*;

/// A comment of ours that says this.
fn comment(state: State, namespace: Option<&str>, serves: Option<&str>) -> String {
    let said = Said {
        commit: Some(HEAD.to_owned()),
        namespace: namespace.map(str::to_owned),
        serves: serves.map(str::to_owned),
        ..Said::of(&Facts::default(), state, None)
    };
    format!("<!-- k8s-ee-pr-env -->\n{}\ntext", said.line())
}

#[test]
fn our_comment_tells_what_is_known() {
    let there = Some("shop-pr-7");
    let head = || Some(sha(HEAD));
    for (state, namespace, serves, expected) in [
        (State::Running, there, None, Known::There(head())),
        (State::Invalid, None, Some("x"), Known::There(head())),
        (State::Waiting, there, None, Known::There(head())),
        (State::Preserved, there, None, Known::There(head())),
        (State::Destroyed, there, None, Known::Gone(head())),
        (State::Destroying, there, None, Known::Going(head())),
        (State::Blocked, there, None, Known::Going(head())),
        // A job failed, or a fork waits, before anything was there.
        (State::Failed, None, None, Known::Nothing),
        (State::Waiting, None, None, Known::Nothing),
    ] {
        let known = Known::of_comment(&comment(state, namespace, serves));
        assert_eq!(known, expected, "{state:?}");
    }
}

#[test]
fn what_was_removed_leaves_nothing_for_a_commit_that_waits() {
    let gone = Said::read(&comment(State::Destroyed, Some("shop-pr-7"), None));
    let facts = Facts {
        commit: Some(BEFORE.to_owned()),
        ..Facts::default()
    };
    let said = Said::of(&facts, State::Waiting, gone.as_ref());
    let known = Known::of_comment(&format!("<!-- k8s-ee-pr-env -->\n{}\n", said.line()));
    assert_eq!(known, Known::Nothing);
}

#[test]
fn a_comment_without_our_line_is_of_something_that_is_there() {
    let hidden = comment(State::Destroyed, None, None);
    let hidden = hidden.lines().nth(1).expect("the hidden line");
    for odd in [
        "## Preview",
        "<!-- {} -->",
        "<!---->",
        "<!-- k8s-ee: {\"state\": 1} -->",
        &format!("text\n{hidden}"),
    ] {
        let known = Known::of_comment(&format!("<!-- k8s-ee-pr-env -->\n{odd}\ntext"));
        assert_eq!(known, Known::There(None), "{odd}");
    }
}
