//! What holds in every situation that there is.

use super::*;

/// Every situation that there is.
fn everything(mut check: impl FnMut(&Given)) {
    let mut count = 0;
    for open in [true, false] {
        for fork in [true, false] {
            for draft in [true, false] {
                for labels in [vec![], vec!["preview".to_owned()]] {
                    let pull = PullRequest {
                        draft,
                        labels,
                        ..pull(open, fork)
                    };
                    for cause in causes() {
                        for known in knowns() {
                            for rules in all_rules() {
                                for newest in newests() {
                                    // Whoever looks at the comments passes over the others.
                                    let command = newest.as_ref().map(|asked| &asked.command);
                                    if command.is_some_and(|command| !cause.heeds(command)) {
                                        continue;
                                    }
                                    for permission in permissions() {
                                        count += 1;
                                        check(&Given {
                                            pull: pull.clone(),
                                            cause: cause.clone(),
                                            permission,
                                            newest: newest.clone(),
                                            known: known.clone(),
                                            rules: rules.clone(),
                                        });
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
    assert!(count > 500_000, "{count}");
}

#[test]
fn what_holds_in_every_situation() {
    everything(|given| {
        let Decision {
            action,
            reason,
            reaction,
            keep,
            force,
            waits,
        } = given.decision();
        let told = || {
            format!(
                "{:?} {:?} {:?}: {reason}",
                given.cause, given.known, given.newest
            )
        };
        let deploys = matches!(action, Action::Create | Action::Update);
        let is_comment = matches!(given.cause, Cause::Comment { .. });
        assert!(!reason.is_empty() && !reason.contains('\n'));
        // Nobody gets an environment for what is closed, has no file, or is kept out by the file.
        if deploys {
            assert!(given.pull.open, "{}", told());
            let rules = given.rules.as_ref().expect("a file");
            assert!(excluded(&given.pull, rules).is_none(), "{}", told());
            assert_eq!(
                action == Action::Update,
                given.known.is_there(),
                "{}",
                told()
            );
        }
        // A commit of a fork is deployed only when the newest word of somebody who may push names it whole.
        if deploys && given.pull.is_fork() {
            let approving = match (&given.cause, &given.newest) {
                (
                    Cause::Comment {
                        command: Ok(Command::Deploy(Some(named))),
                        ..
                    },
                    _,
                ) => {
                    assert!(given.permission >= Permission::Write, "{}", told());
                    named.clone()
                }
                (Cause::Comment { .. }, _) => panic!("{}", told()),
                (
                    _,
                    Some(Asked {
                        command: Command::Deploy(Some(named)),
                        ..
                    }),
                ) => named.clone(),
                _ => panic!("{}", told()),
            };
            assert_eq!(approving.as_str(), HEAD, "{}", told());
        }
        // What waits for an approval is the newest commit of a fork, which could be deployed. It is built: the run that says so
        // has ended well, where a run is what has happened.
        if waits {
            assert!(given.pull.open && given.pull.is_fork(), "{}", told());
            assert_eq!(action, Action::Nothing, "{}", told());
            let rules = given.rules.as_ref().expect("a file");
            assert!(excluded(&given.pull, rules).is_none(), "{}", told());
            if let Cause::Run { head, ended_well } = &given.cause {
                assert!(*ended_well && head.as_str() == HEAD, "{}", told());
            }
            assert!(reason.ends_with(HEAD), "{}", told());
        }
        // A stranger's comment does nothing, whatever the situation, and is answered with a thumb down.
        if is_comment && given.permission < Permission::Write {
            assert_eq!(
                (action, reaction),
                (Action::Nothing, Some(Reaction::ThumbsDown)),
                "{}",
                told()
            );
        }
        // Only comments are answered; eyes mean that something is done.
        assert!(is_comment || reaction.is_none(), "{}", told());
        assert_eq!(
            reaction == Some(Reaction::Eyes),
            is_comment && action != Action::Nothing,
            "{}",
            told()
        );
        // To preserve is asked for by a person, of what is not known to be gone; who lets go of it when it is closed has it
        // removed.
        assert_eq!(keep.is_some(), action == Action::Preserve, "{}", told());
        if let Some(keep) = keep {
            assert!(is_comment && given.permission >= Permission::Write);
            assert!(!given.known.is_gone(), "{}", told());
            assert!(given.pull.open || keep != Keep::Off, "{}", told());
        }
        // What a person wants removed goes although it is preserved, and nothing else does.
        assert_eq!(force, is_comment && action == Action::Destroy, "{}", told());
        // What is closed ends, and nothing keeps it from ending: not the file, not who asks.
        if !given.pull.open && !is_comment {
            let wanted = if given.known.is_gone() {
                Action::Nothing
            } else {
                Action::Destroy
            };
            assert_eq!(action, wanted, "{}", told());
        }
        // Without a file an environment that is there stays as it is.
        if given.pull.open && given.rules.is_none() && !is_comment {
            assert_eq!(action, Action::Nothing, "{}", told());
        }
    });
}
