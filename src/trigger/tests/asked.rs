//! Environments on demand, conditions of the file, and commands in comments.

use super::*;

#[test]
fn on_demand_waits_to_be_asked_and_then_follows_the_pushes() {
    let given = |cause, known| Given {
        cause,
        known,
        rules: on_demand(),
        ..Given::default()
    };
    let opened = given(Cause::Change(PullRequestAction::Opened), Known::Nothing);
    assert_eq!(opened.action(), Action::Nothing);
    assert!(
        opened.reason().ends_with("comment: /deploy-preview"),
        "{}",
        opened.reason()
    );
    assert_eq!(
        given(comment(deploy(None)), Known::Nothing).action(),
        Action::Create
    );
    assert_eq!(
        given(Cause::ByHand, Known::Nothing).action(),
        Action::Create
    );
    let pushed = Cause::Change(PullRequestAction::Synchronize);
    assert_eq!(
        given(pushed.clone(), Known::There(Some(sha(BEFORE)))).action(),
        Action::Update
    );
    assert_eq!(
        given(pushed.clone(), Known::Gone(Some(sha(BEFORE)))).action(),
        Action::Nothing
    );
    assert_eq!(given(pushed, Known::Going(None)).action(), Action::Nothing);
}

/// As after a file with mistakes, or with no comments of ours at all.
#[test]
fn who_has_asked_need_not_ask_again_before_there_is_anything() {
    let pushed = |known, newest| {
        let cause = Cause::Change(PullRequestAction::Synchronize);
        let given = Given {
            cause,
            known,
            newest,
            rules: on_demand(),
            ..Given::default()
        };
        given.action()
    };
    assert_eq!(
        pushed(Known::Nothing, asked(3, deploy(None))),
        Action::Create
    );
    assert_eq!(
        pushed(Known::Nothing, asked(3, deploy(Some(BEFORE)))),
        Action::Create
    );
    assert_eq!(
        pushed(Known::Nothing, asked(3, Command::Destroy)),
        Action::Nothing
    );
    assert_eq!(
        pushed(Known::Gone(Some(sha(BEFORE))), asked(3, deploy(None))),
        Action::Nothing
    );
    assert_eq!(
        pushed(Known::Going(None), asked(3, deploy(None))),
        Action::Nothing
    );
}

#[test]
fn conditions_let_in_and_put_out() {
    let gate = Rules {
        labels: vec!["Preview".to_owned()],
        ..Rules::default()
    };
    let labelled = |labels: &[&str], known| {
        let labels = labels.iter().map(|label| (*label).to_owned()).collect();
        Given {
            pull: PullRequest {
                labels,
                ..pull(true, false)
            },
            known,
            rules: Some(gate.clone()),
            ..Given::default()
        }
    };
    assert_eq!(labelled(&["bug"], Known::Nothing).action(), Action::Nothing);
    assert_eq!(
        labelled(&["bug", "preview"], Known::Nothing).action(),
        Action::Create
    );
    let lost = labelled(&["bug"], Known::There(None));
    assert_eq!(lost.action(), Action::Destroy);
    assert_eq!(
        lost.reason(),
        "it has no label of `trigger.labels`: Preview"
    );

    let draft = |known, cause| Given {
        pull: PullRequest {
            draft: true,
            ..pull(true, false)
        },
        rules: Some(Rules {
            drafts: false,
            ..Rules::default()
        }),
        known,
        cause,
        ..Given::default()
    };
    let opened = Cause::Change(PullRequestAction::Opened);
    assert_eq!(
        draft(Known::Nothing, opened.clone()).action(),
        Action::Nothing
    );
    assert_eq!(draft(Known::There(None), opened).action(), Action::Destroy);
    let asked = draft(Known::Nothing, comment(deploy(None))).decision();
    assert_eq!(
        (asked.action, asked.reaction),
        (Action::Nothing, Some(Reaction::Confused))
    );
    assert!(asked.reason.contains("draft"), "{}", asked.reason);
}

#[test]
fn what_is_there_can_be_kept_whether_the_pull_request_is_open_or_closed() {
    let given = |open, known, keep: &str| Given {
        pull: pull(open, false),
        cause: comment(preserve(keep)),
        known,
        // Neither the file nor how environments are made has a say.
        rules: None,
        ..Given::default()
    };
    for open in [true, false] {
        for (known, keep) in [(Known::There(None), "24h"), (Known::Nothing, "")] {
            let kept = given(open, known, keep).decision();
            assert_eq!(kept.action, Action::Preserve);
            assert_eq!(kept.reaction, Some(Reaction::Eyes));
            assert_eq!(kept.keep.expect("a time").to_string(), keep);
        }
        let gone = given(open, Known::Gone(Some(sha(HEAD))), "24h").decision();
        assert_eq!(
            (gone.action, gone.reaction),
            (Action::Nothing, Some(Reaction::Confused))
        );
        assert_eq!(gone.reason, "its environment is gone");
    }
    let off = given(true, Known::There(None), "off").decision();
    assert_eq!((off.action, off.keep), (Action::Preserve, Some(Keep::Off)));
    let let_go = given(false, Known::There(None), "off").decision();
    assert_eq!((let_go.action, let_go.force), (Action::Destroy, true));
}

#[test]
fn keeping_and_deploying_do_not_overrule_each_other() {
    let deploying = [deploy(None), deploy(Some(HEAD))];
    let change = Cause::Change(PullRequestAction::Synchronize);
    for command in deploying.clone() {
        assert!(!comment(preserve("off")).heeds(&command));
        assert!(!comment(command).heeds(&preserve("")));
    }
    assert!(!change.heeds(&preserve("")) && change.heeds(&deploy(None)));
    // A removal ends all of it, and of two words about keeping the later one counts.
    let overtaken = |newest| {
        let cause = comment(preserve(""));
        assert!(cause.heeds(&newest));
        let newest = asked(51, newest);
        let given = Given {
            cause,
            newest,
            ..Given::default()
        };
        given.action()
    };
    assert_eq!(overtaken(Command::Destroy), Action::Nothing);
    assert_eq!(overtaken(preserve("off")), Action::Nothing);
    assert!(!comment(Command::Destroy).heeds(&preserve("")));
}

#[test]
fn the_later_of_two_commands_counts() {
    let given = |command, newest| Given {
        cause: comment(command),
        newest,
        ..Given::default()
    };
    let overtaken = given(deploy(None), asked(51, Command::Destroy)).decision();
    assert_eq!(
        (overtaken.action, overtaken.reaction),
        (Action::Nothing, None)
    );
    assert_eq!(
        given(Command::Destroy, asked(51, deploy(None))).action(),
        Action::Nothing
    );
    assert_eq!(
        given(Command::Destroy, asked(50, Command::Destroy)).action(),
        Action::Destroy
    );
    assert_eq!(
        given(Command::Destroy, asked(49, deploy(None))).action(),
        Action::Destroy
    );
}
