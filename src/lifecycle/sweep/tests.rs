//! What is decided about environments: each rule by example, and what holds whatever they say.

use json_patch::merge;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::lifecycle::preserve;

const NOW: &str = "2026-01-10T12:00:00Z";

fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

/// An environment of pull request 7 that was last changed two days before [`NOW`].
fn environment(labels: Value, annotations: Value) -> Object {
    let mut namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {
        "name": "shop-pr-7",
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "labels": {
            "app.kubernetes.io/managed-by": "github-actions", "k8s-ee/type": "ephemeral",
            "k8s-ee/project-id": "shop", "k8s-ee/pr-number": "7",
        },
        "annotations": {
            "k8s-ee/repository": "acme/shop", "k8s-ee/state": "running",
            "k8s-ee/created-at": "2026-01-01T00:00:00Z", "k8s-ee/last-updated": "2026-01-08T12:00:00Z",
        },
    }});
    merge(
        &mut namespace,
        &json!({"metadata": {"labels": labels, "annotations": annotations}}),
    );
    Object::new(namespace).expect("an object")
}

fn patched(namespace: &Object, patch: &Value) -> Object {
    let mut value = namespace.as_value();
    merge(&mut value, patch);
    Object::new(value).expect("an object")
}

fn settings(ttl: Option<u64>) -> LifecycleSettings {
    LifecycleSettings {
        ttl: ttl.map(Span::hours),
        ..LifecycleSettings::default()
    }
}

fn decided(namespace: &Object, pull: &Pull, ttl: Option<u64>) -> (Action, String) {
    let verdict = judge(namespace, pull, &settings(ttl), time(NOW));
    assert!(
        verdict.notes.is_empty() && !verdict.preservation_ends,
        "{verdict:?}"
    );
    (verdict.action, verdict.why)
}

#[test]
fn a_closed_pull_request_ends_it_once_its_workflow_had_its_time() {
    let plain = environment(json!({}), json!({}));
    let says = |pull| decided(&plain, &pull, None);
    let at = |text| Pull::Closed(time(text));
    assert_eq!(
        says(at("2026-01-10T11:00:00Z")),
        (
            Action::Remove,
            "pull request 7 was closed 60m ago".to_owned()
        )
    );
    assert_eq!(
        says(at("2026-01-10T11:00:01Z")),
        (
            Action::Keep,
            "pull request 7 was closed 59m ago, and its workflow has 1h to remove it".to_owned()
        )
    );
    // The clocks may differ.
    assert_eq!(says(at("2026-01-10T12:00:09Z")).0, Action::Keep);
    assert_eq!(
        says(Pull::NoSuch),
        (Action::Remove, "acme/shop has no pull request 7".to_owned())
    );
    assert_eq!(
        says(Pull::Open),
        (Action::Keep, "pull request 7 is open".to_owned())
    );
    assert_eq!(
        says(Pull::Unknown("because".to_owned())),
        (Action::Unknown, "because".to_owned())
    );
    assert_eq!(says(Pull::None).0, Action::Keep);
}

#[test]
fn the_lesser_of_two_times_counts_from_the_last_change() {
    let asks = |ttl: &str| environment(json!({}), json!({"k8s-ee/ttl": ttl}));
    let plain = environment(json!({}), json!({}));
    assert_eq!(decided(&plain, &Pull::Open, Some(49)).0, Action::Keep);
    assert_eq!(
        decided(&plain, &Pull::Open, Some(48)),
        (
            Action::Remove,
            "it was last changed 2d ago and may stay for 48h".to_owned()
        )
    );
    assert_eq!(decided(&asks("49h"), &Pull::Open, None).0, Action::Keep);
    assert_eq!(decided(&asks("48h"), &Pull::Open, None).0, Action::Remove);
    assert_eq!(
        decided(&asks("48h"), &Pull::Open, Some(168)).0,
        Action::Remove
    );
    assert_eq!(
        decided(&asks("168h"), &Pull::Open, Some(48)).0,
        Action::Remove
    );
    assert_eq!(decided(&asks("48h"), &Pull::None, None).0, Action::Remove);
    let unknown = Pull::Unknown(String::new());
    assert_eq!(decided(&asks("48h"), &unknown, None).0, Action::Remove);
    // Without the last change it is the beginning that counts.
    let old = environment(json!({}), json!({"k8s-ee/last-updated": null}));
    assert_eq!(decided(&old, &Pull::Open, Some(9 * 24)).0, Action::Remove);
    let bare = environment(
        json!({}),
        json!({"k8s-ee/last-updated": "?", "k8s-ee/created-at": null}),
    );
    assert_eq!(decided(&bare, &Pull::Open, Some(9 * 24)).0, Action::Remove);
}

#[test]
fn a_time_that_cannot_be_read_does_not_count_and_is_said() {
    let odd = environment(json!({}), json!({"k8s-ee/ttl": "soon"}));
    let verdict = judge(&odd, &Pull::Open, &settings(None), time(NOW));
    assert_eq!(verdict.action, Action::Keep);
    assert_eq!(
        verdict.notes,
        [
            "the annotation k8s-ee/ttl does not count: `soon` is no span of time such as `90s`, `30m` or `48h`"
        ]
    );
    let verdict = judge(&odd, &Pull::Open, &settings(Some(48)), time(NOW));
    assert_eq!(verdict.action, Action::Remove, "that of the platform does");
}

#[test]
fn what_is_being_brought_up_is_let_finish() {
    for state in ["starting", "preparing"] {
        let at_work = environment(json!({}), json!({"k8s-ee/state": state}));
        assert_eq!(decided(&at_work, &Pull::Open, Some(1)).0, Action::Keep);
        let unknown = Pull::Unknown(String::new());
        assert_eq!(decided(&at_work, &unknown, Some(1)).0, Action::Unknown);
        assert_eq!(decided(&at_work, &Pull::None, Some(1)).0, Action::Remove);
        let closed = Pull::Closed(time("2026-01-10T00:00:00Z"));
        assert_eq!(decided(&at_work, &closed, None).0, Action::Remove);
    }
}

#[test]
fn preserved_environments_stay_until_their_time_is_over() {
    let preserved = |annotations: Value| environment(json!({"preserve": "true"}), annotations);
    let until = |text: &str| {
        preserved(json!({"k8s-ee/preserve-until": text, "k8s-ee/preserved-by": "octocat"}))
    };
    let closed = Pull::Closed(time("2026-01-01T00:00:00Z"));
    assert_eq!(
        decided(&until("2026-01-10T13:00:01Z"), &closed, Some(1)),
        (
            Action::Keep,
            "it is preserved until 2026-01-10 13:00 UTC by octocat".to_owned()
        )
    );
    let last = time("2026-01-10T13:00:00Z");
    let soon = until("2026-01-10T13:00:00Z");
    assert_eq!(decided(&soon, &closed, Some(1)).0, Action::Warn(last));
    let warned = patched(&soon, &preserve::announced());
    assert_eq!(decided(&warned, &closed, Some(1)).0, Action::Keep);
    let nobodys = patched(
        &soon,
        &json!({"metadata": {"labels": {"k8s-ee/pr-number": null}}}),
    );
    assert_eq!(decided(&nobodys, &Pull::None, None).0, Action::Keep);
    // Set by hand, without a time.
    let by_hand = preserved(json!({}));
    let end = time("2026-01-12T12:00:00Z");
    assert_eq!(decided(&by_hand, &closed, None).0, Action::GiveEnd(end));
    let given = patched(&by_hand, &give_end(end));
    assert_eq!(decided(&given, &closed, None).0, Action::Keep);
}

#[test]
fn a_preservation_that_is_over_does_not_count_in_the_same_sweep() {
    let over = environment(
        json!({"preserve": "true"}),
        json!({"k8s-ee/preserve-until": NOW}),
    );
    for (pull, action) in [
        (Pull::Closed(time("2026-01-01T00:00:00Z")), Action::Remove),
        (Pull::Open, Action::Keep),
        (Pull::Unknown(String::new()), Action::Unknown),
    ] {
        let verdict = judge(&over, &pull, &settings(None), time(NOW));
        assert!(verdict.preservation_ends, "{pull:?}");
        assert_eq!(verdict.action, action);
        let after = patched(&over, &preserve::end());
        assert_eq!(
            judge(&after, &pull, &settings(None), time(NOW)).action,
            action
        );
    }
}

#[test]
fn what_goes_already_is_not_judged() {
    let going = patched(
        &environment(json!({}), json!({})),
        &json!({"metadata": {"deletionTimestamp": NOW}}),
    );
    let (action, _) = decided(&going, &Pull::NoSuch, Some(1));
    assert_eq!(action, Action::Going(Some(time(NOW))));
}

#[test]
fn whose_pull_request_it_is() {
    let plain = environment(json!({}), json!({}));
    let shop = "acme/shop".parse().expect("a repository");
    assert_eq!(of(&plain), Of::Pull(shop, 7));
    let named = environment(
        json!({"k8s-ee/pr-number": null, "k8s-ee/name": "mine"}),
        json!({}),
    );
    assert_eq!(of(&named), Of::Nobody);
    for (labels, annotations) in [
        (json!({}), json!({"k8s-ee/repository": null})),
        (json!({}), json!({"k8s-ee/repository": "../x"})),
        (json!({"k8s-ee/pr-number": "x"}), json!({})),
    ] {
        let odd = environment(labels, annotations);
        assert!(matches!(of(&odd), Of::Untold(_)), "{odd:?}");
    }
}

/// Any environment: more or less well described, at any time, with any pull request.
fn any_case() -> impl Strategy<Value = (Object, Pull, LifecycleSettings)> {
    let hours = || 0i64..400;
    let at = |hours: i64| {
        let time = time(NOW) - jiff::SignedDuration::from_hours(hours - 100);
        rfc3339(time)
    };
    let text = prop_oneof![
        Just(None),
        Just(Some("odd".to_owned())),
        hours().prop_map(move |h| Some(at(h)))
    ];
    let labels = (
        prop_oneof![
            Just(None),
            Just(Some("true")),
            Just(Some("True")),
            Just(Some("false"))
        ],
        prop_oneof![Just(Some("7")), Just(None), Just(Some("x"))],
        prop_oneof![4 => Just("github-actions"), 1 => Just("somebody-else")],
    );
    let annotations = (
        text.clone(),
        text.clone(),
        prop_oneof![
            Just(None),
            Just(Some("odd".to_owned())),
            (0u64..300).prop_map(|h| Some(format!("{h}h")))
        ],
        prop_oneof![
            Just("running"),
            Just("starting"),
            Just("preparing"),
            Just("failed")
        ],
        any::<bool>(),
        prop_oneof![9 => Just(false), 1 => Just(true)],
    );
    let pull = prop_oneof![
        Just(Pull::Open),
        hours().prop_map(move |h| Pull::Closed(time(&at(h)))),
        Just(Pull::NoSuch),
        Just(Pull::Unknown("why".to_owned())),
        Just(Pull::None),
    ];
    let ttl = prop_oneof![Just(None), (0u64..300).prop_map(Some)];
    (labels, annotations, pull, ttl).prop_map(
        |((preserve, number, by), (until, updated, ttl, state, warned, going), pull, platform)| {
            let deleted = going.then_some(NOW);
            let namespace = environment(
                json!({"preserve": preserve, "k8s-ee/pr-number": number, "app.kubernetes.io/managed-by": by}),
                json!({
                    "k8s-ee/preserve-until": until, "k8s-ee/last-updated": updated, "k8s-ee/ttl": ttl,
                    "k8s-ee/state": state, "k8s-ee/preserve-warning-sent": warned.to_string(),
                }),
            );
            let deleted = json!({"metadata": {"deletionTimestamp": deleted}});
            (patched(&namespace, &deleted), pull, settings(platform))
        },
    )
}

/// The namespace after what was decided has been done; none when it is gone.
fn carried_out(namespace: &Object, verdict: &Verdict) -> Option<Object> {
    let mut after = namespace.clone();
    if verdict.preservation_ends {
        after = patched(&after, &preserve::end());
    }
    match verdict.action {
        Action::Remove => return None,
        Action::Warn(_) => after = patched(&after, &preserve::announced()),
        Action::GiveEnd(until) => after = patched(&after, &give_end(until)),
        Action::Keep | Action::Unknown | Action::Going(_) => {}
    }
    Some(after)
}

proptest! {
    #[test]
    fn nothing_is_removed_that_has_a_reason_to_stay((namespace, pull, settings) in any_case()) {
        let now = time(NOW);
        let verdict = judge(&namespace, &pull, &settings, now);
        if verdict.action != Action::Remove {
            return Ok(());
        }
        prop_assert!(live::is_environment(&namespace) && !live::is_terminating(&namespace));
        let kept = Preserved::of(&namespace).is_some_and(|preserved| !preserved.has_ended(now));
        prop_assert!(!kept, "it is preserved");
        let its_time = ttl(&namespace, &settings).0.zip(changed_at(&namespace));
        let in_time = its_time.is_none_or(|(ttl, at)| ttl.after(at) > now);
        match pull {
            Pull::Open | Pull::Unknown(_) => prop_assert!(!in_time && !is_at_work(&namespace)),
            Pull::None => prop_assert!(!in_time),
            Pull::Closed(at) => prop_assert!(!in_time || settings.closed_grace.after(at) <= now),
            Pull::NoSuch => {}
        }
    }

    #[test]
    fn what_is_removed_now_would_be_later((namespace, pull, settings) in any_case(), hours in 0i64..1000) {
        let now = time(NOW);
        if judge(&namespace, &pull, &settings, now).action == Action::Remove {
            let later = now + jiff::SignedDuration::from_hours(hours);
            prop_assert_eq!(judge(&namespace, &pull, &settings, later).action, Action::Remove);
        }
    }

    #[test]
    fn done_once_there_is_nothing_more_to_do((namespace, pull, settings) in any_case()) {
        let now = time(NOW);
        let verdict = judge(&namespace, &pull, &settings, now);
        if let Some(after) = carried_out(&namespace, &verdict) {
            let again = judge(&after, &pull, &settings, now);
            prop_assert!(!again.preservation_ends);
            let idle = matches!(again.action, Action::Keep | Action::Unknown | Action::Going(_));
            // An end that was just given may be near enough to be announced.
            let near = matches!((verdict.action, again.action), (Action::GiveEnd(_), Action::Warn(_)));
            prop_assert!(idle || near, "{:?}", again);
        }
    }

    #[test]
    fn what_is_decided_without_github_is_what_it_would_be_with_it((namespace, pull, settings) in any_case()) {
        let now = time(NOW);
        let unasked = judge(&namespace, &Pull::Unknown(String::new()), &settings, now);
        let asked = judge(&namespace, &pull, &settings, now);
        match unasked.action {
            Action::Unknown => {}
            action => prop_assert_eq!(asked.action, action),
        }
    }
}
