//! Events that come late, twice and in any order.

use proptest::{prelude::*, sample::select};

use super::*;

/// The same situation decides the same, whichever of the events arrives: what happened in between has no say.
#[test]
fn which_event_it_was_has_no_say_unless_the_environment_was_removed() {
    for open in [true, false] {
        for known in knowns() {
            if known.commit().is_some_and(|commit| commit.as_str() == HEAD) && !known.is_there() {
                continue;
            }
            for rules in [Some(Rules::default()), None] {
                let decided: Vec<Action> = changes()
                    .into_iter()
                    .map(|cause| {
                        let given = Given {
                            pull: pull(open, false),
                            cause,
                            known: known.clone(),
                            rules: rules.clone(),
                            ..Given::default()
                        };
                        given.action()
                    })
                    .collect();
                assert!(
                    decided.windows(2).all(|two| two[0] == two[1]),
                    "{open} {known:?} {decided:?}"
                );
            }
        }
    }
}

#[test]
fn late_events_do_not_bring_back_what_was_removed() {
    let removed = |cause: Cause, rules: Rules| {
        let known = Known::Gone(Some(sha(HEAD)));
        Given {
            cause,
            known,
            rules: Some(rules),
            ..Given::default()
        }
        .action()
    };
    let plain = |action| removed(Cause::Change(action), Rules::default());
    use PullRequestAction::*;
    for late in [
        Opened,
        Synchronize,
        ReadyForReview,
        Labeled("bug".to_owned()),
        Other("edited".to_owned()),
    ] {
        assert_eq!(plain(late.clone()), Action::Nothing, "{late:?}");
    }
    assert_eq!(removed(Cause::Other, Rules::default()), Action::Nothing);
    // These mean that it is wanted again.
    for again in [Reopened, Closed] {
        assert_eq!(plain(again), Action::Create);
    }
    assert_eq!(removed(Cause::ByHand, Rules::default()), Action::Create);
    let no_drafts = Rules {
        drafts: false,
        ..Rules::default()
    };
    assert_eq!(
        removed(Cause::Change(ReadyForReview), no_drafts),
        Action::Create
    );
    let except = Rules {
        except_labels: vec!["hold".to_owned()],
        ..Rules::default()
    };
    assert_eq!(
        removed(Cause::Change(Unlabeled("Hold".to_owned())), except),
        Action::Create
    );
    // A push brings a commit that was never removed.
    let pushed = Given {
        cause: Cause::Change(Synchronize),
        known: Known::Gone(Some(sha(BEFORE))),
        ..Given::default()
    };
    assert_eq!(pushed.action(), Action::Create);
}

/// What happens to a pull request, one after the other.
#[derive(Clone, Debug)]
enum Happens {
    Push,
    Close,
    Reopen,
    Label(bool),
    Draft(bool),
}

proptest! {
    /// However the events of a history are delayed, dropped, repeated and mixed up: once the last thing that happened has
    /// been looked at, the environment is what the pull request is.
    #[test]
    fn any_order_ends_the_same(
        history in proptest::collection::vec(select(vec![
            Happens::Push, Happens::Close, Happens::Reopen, Happens::Label(true), Happens::Label(false),
            Happens::Draft(true), Happens::Draft(false),
        ]), 1..12),
        late in proptest::collection::vec((0_usize..12, select(actions())), 0..12),
        rules in select(all_rules().into_iter().flatten().collect::<Vec<_>>()),
    ) {
        let mut now = pull(true, false);
        let mut known = Known::Nothing;
        let mut commits = 1_u32;
        let act = |now: &PullRequest, known: &mut Known, cause: Cause| {
            let given = Given { pull: now.clone(), cause, known: known.clone(), rules: Some(rules.clone()), ..Given::default() };
            match given.action() {
                Action::Create | Action::Update => *known = Known::There(Some(now.head.sha.clone())),
                Action::Destroy => *known = Known::Gone(known.commit().cloned()),
                Action::Preserve | Action::Nothing => {}
            }
        };
        act(&now, &mut known, Cause::Change(PullRequestAction::Opened));
        for (n, happens) in history.iter().enumerate() {
            let action = match happens {
                Happens::Push => {
                    commits += 1;
                    now.head.sha = sha(&format!("{commits:040x}"));
                    PullRequestAction::Synchronize
                }
                Happens::Close => { now.open = false; PullRequestAction::Closed }
                Happens::Reopen => { now.open = true; PullRequestAction::Reopened }
                Happens::Label(true) => {
                    now.labels = vec!["preview".to_owned()];
                    PullRequestAction::Labeled("preview".to_owned())
                }
                Happens::Label(false) => {
                    now.labels.clear();
                    PullRequestAction::Unlabeled("preview".to_owned())
                }
                Happens::Draft(draft) => {
                    now.draft = *draft;
                    if *draft { PullRequestAction::ConvertedToDraft } else { PullRequestAction::ReadyForReview }
                }
            };
            for (_, late) in late.iter().filter(|(at, _)| *at == n) {
                act(&now, &mut known, Cause::Change(late.clone()));
            }
            act(&now, &mut known, Cause::Change(action));
        }
        let wanted = now.open && excluded(&now, &rules).is_none();
        if wanted && rules.on == When::Automatic {
            prop_assert_eq!(&known, &Known::There(Some(now.head.sha.clone())), "{:?}", history);
        }
        if !wanted {
            prop_assert!(!known.is_there(), "{:?} {:?}", history, known);
        }
        // Whatever is looked at again changes nothing more.
        let settled = known.clone();
        for cause in [Cause::Other, Cause::Change(PullRequestAction::Synchronize), Cause::Change(PullRequestAction::Opened)] {
            act(&now, &mut known, cause);
            prop_assert_eq!(&known, &settled);
        }
    }
}
