//! Commits of forks, which somebody approves one by one.

use super::*;

#[test]
fn an_approval_is_for_one_commit() {
    let fork = |cause, newest| Given {
        pull: pull(true, true),
        cause,
        newest,
        ..Given::default()
    };
    let opened = || Cause::Change(PullRequestAction::Opened);
    let none = fork(opened(), None);
    assert_eq!(none.action(), Action::Nothing);
    assert!(none.decision().waits);
    assert!(
        none.reason()
            .ends_with(&format!("comment: /deploy-preview {HEAD}")),
        "{}",
        none.reason()
    );
    assert_eq!(
        fork(opened(), asked(3, deploy(Some(HEAD)))).action(),
        Action::Create
    );
    // A newer push makes it void; the first digits can be made to fit; taking it back counts.
    let moved = fork(opened(), asked(3, deploy(Some(BEFORE))));
    assert_eq!(moved.action(), Action::Nothing);
    assert!(moved.decision().waits);
    assert!(
        moved.reason().contains("one commit of a fork") && moved.reason().contains(HEAD),
        "{}",
        moved.reason()
    );
    assert_eq!(
        fork(opened(), asked(3, deploy(Some(&HEAD[..39])))).action(),
        Action::Nothing
    );
    assert_eq!(
        fork(opened(), asked(3, Command::Destroy)).action(),
        Action::Nothing
    );

    let bare = fork(comment(deploy(None)), None).decision();
    assert_eq!(
        (bare.action, bare.reaction),
        (Action::Nothing, Some(Reaction::Confused))
    );
    assert!(bare.reason.ends_with(HEAD), "{}", bare.reason);
    let stale = fork(comment(deploy(Some(BEFORE))), None).decision();
    assert!(
        stale.reason.starts_with("2222222 is not the newest commit"),
        "{}",
        stale.reason
    );
    assert_eq!(
        fork(comment(deploy(Some(HEAD))), None).action(),
        Action::Create
    );
    // The build of an approved commit ends before or after the approval: one of the two finds both.
    let built = |head: &str| Cause::Run {
        head: sha(head),
        ended_well: true,
    };
    assert_eq!(
        fork(built(HEAD), asked(3, deploy(Some(HEAD)))).action(),
        Action::Create
    );
    // The run of an older commit says nothing of the newest one: that has a run of its own.
    let late = fork(built(BEFORE), asked(3, deploy(Some(HEAD)))).decision();
    assert_eq!((late.action, late.waits), (Action::Nothing, false));
    // What could not be built is not worth an approval.
    let failed = Cause::Run {
        head: sha(HEAD),
        ended_well: false,
    };
    assert!(!fork(failed, None).decision().waits);
}
