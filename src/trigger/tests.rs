//! Every event, every state, every order.

use proptest::{prelude::*, sample::select};

use super::{known::Known, *};
use crate::github::{
    event::PullRequestAction,
    pulls::{Association, Side},
};

const HEAD: &str = "1111111111111111111111111111111111111111";
const BEFORE: &str = "2222222222222222222222222222222222222222";

fn sha(text: &str) -> Sha {
    text.parse().expect("a commit")
}

fn side(repository: &str) -> Side {
    Side {
        sha: sha(HEAD),
        branch: "topic".to_owned(),
        repository: Some(repository.parse().expect("a repository")),
    }
}

fn pull(open: bool, fork: bool) -> PullRequest {
    PullRequest {
        number: 7,
        title: String::new(),
        open,
        merged: !open,
        draft: false,
        labels: Vec::new(),
        author: None,
        association: Association::Outsider,
        head: side(if fork { "stranger/shop" } else { "acme/shop" }),
        base: side("acme/shop"),
        url: String::new(),
    }
}

fn deploy(commit: Option<&str>) -> Command {
    let text = format!("/deploy-preview {}", commit.unwrap_or_default());
    let command = Command::of_comment(&text).expect("a command");
    command.expect("a command")
}

fn comment(command: Command) -> Cause {
    Cause::Comment {
        id: 50,
        command: Ok(command),
    }
}

fn asked(comment: u64, command: Command) -> Option<Asked> {
    Some(Asked { comment, command })
}

/// A situation in which somebody who may push has opened a pull request.
struct Given {
    pull: PullRequest,
    cause: Cause,
    permission: Permission,
    newest: Option<Asked>,
    known: Known,
    rules: Option<Rules>,
}

impl Default for Given {
    fn default() -> Self {
        Self {
            pull: pull(true, false),
            cause: Cause::Change(PullRequestAction::Opened),
            permission: Permission::Write,
            newest: None,
            known: Known::Nothing,
            rules: Some(Rules::default()),
        }
    }
}

impl Given {
    fn decision(&self) -> Decision {
        decide(&Situation {
            pull: &self.pull,
            cause: &self.cause,
            permission: self.permission,
            newest: self.newest.clone(),
            known: &self.known,
            rules: self.rules.as_ref(),
        })
    }

    fn action(&self) -> Action {
        self.decision().action
    }

    fn reason(&self) -> String {
        self.decision().reason
    }
}

fn on_demand() -> Option<Rules> {
    Some(Rules {
        on: When::OnDemand,
        ..Rules::default()
    })
}

fn actions() -> Vec<PullRequestAction> {
    use PullRequestAction::*;
    vec![
        Opened,
        Reopened,
        Synchronize,
        Closed,
        Labeled("preview".to_owned()),
        Unlabeled("preview".to_owned()),
        ReadyForReview,
        ConvertedToDraft,
        Other("edited".to_owned()),
    ]
}

fn changes() -> Vec<Cause> {
    actions()
        .into_iter()
        .map(Cause::Change)
        .chain([
            Cause::Run {
                head: sha(HEAD),
                ended_well: true,
            },
            Cause::ByHand,
            Cause::Other,
        ])
        .collect()
}

fn causes() -> Vec<Cause> {
    let stale = Cause::Run {
        head: sha(BEFORE),
        ended_well: true,
    };
    let failed = Cause::Run {
        head: sha(HEAD),
        ended_well: false,
    };
    let commands = [
        deploy(None),
        deploy(Some(HEAD)),
        deploy(Some(&HEAD[..7])),
        deploy(Some(BEFORE)),
        Command::Destroy,
    ];
    let misused = Cause::Comment {
        id: 50,
        command: Err(Misuse::Deploy),
    };
    changes()
        .into_iter()
        .chain([stale, failed, misused])
        .chain(commands.map(comment))
        .collect()
}

fn knowns() -> Vec<Known> {
    vec![
        Known::Nothing,
        Known::There(None),
        Known::There(Some(sha(HEAD))),
        Known::There(Some(sha(BEFORE))),
        Known::Going(Some(sha(HEAD))),
        Known::Gone(None),
        Known::Gone(Some(sha(HEAD))),
        Known::Gone(Some(sha(BEFORE))),
    ]
}

fn all_rules() -> Vec<Option<Rules>> {
    let gate = Rules {
        labels: vec!["preview".to_owned()],
        ..Rules::default()
    };
    let no_drafts = Rules {
        drafts: false,
        ..Rules::default()
    };
    let except = Rules {
        on: When::OnDemand,
        except_labels: vec!["Preview".to_owned()],
        ..Rules::default()
    };
    vec![
        None,
        Some(Rules::default()),
        on_demand(),
        Some(gate),
        Some(no_drafts),
        Some(except),
    ]
}

fn newests() -> Vec<Option<Asked>> {
    vec![
        None,
        asked(50, deploy(None)),
        asked(50, deploy(Some(HEAD))),
        asked(50, deploy(Some(&HEAD[..7]))),
        asked(50, deploy(Some(BEFORE))),
        asked(50, Command::Destroy),
        asked(51, deploy(Some(HEAD))),
        asked(51, Command::Destroy),
    ]
}

fn permissions() -> Vec<Permission> {
    use Permission::*;
    vec![None, Read, Triage, Write, Maintain, Admin]
}

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
    assert_eq!(
        fork(built(BEFORE), asked(3, deploy(Some(HEAD)))).action(),
        Action::Nothing
    );
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

#[test]
fn our_comment_tells_what_is_known() {
    let said = |line: &str| Known::of_comment(&format!("<!-- k8s-ee-pr-env -->\n{line}\ntext"));
    let line = |state: &str| {
        format!(
            "<!-- k8s-ee-state {{\"version\":1,\"state\":\"{state}\",\"commit\":\"{HEAD}\"}} -->"
        )
    };
    assert_eq!(said(&line("running")), Known::There(Some(sha(HEAD))));
    assert_eq!(said(&line("failed")), Known::There(Some(sha(HEAD))));
    assert_eq!(said(&line("destroyed")), Known::Gone(Some(sha(HEAD))));
    assert_eq!(said(&line("blocked")), Known::Going(Some(sha(HEAD))));
    assert_eq!(said("## Preview"), Known::There(None));
    assert_eq!(
        said("<!-- {\"state\": \"destroyed\", \"commit\": \"x\"} -->"),
        Known::Gone(None)
    );
    for odd in [
        "<!-- {} -->",
        "<!-- } { -->",
        "<!---->",
        "<!-- {\"state\": 1} -->",
    ] {
        assert_eq!(said(odd), Known::There(None), "{odd}");
    }
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
                Action::Nothing => {}
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
