//! Every event, every state, every order: what the tests share.

mod always;
mod asked;
mod forks;
mod known;
mod order;

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
        closed_at: None,
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

fn preserve(keep: &str) -> Command {
    let command = Command::of_comment(&format!("/preserve {keep}")).expect("a command");
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
        preserve(""),
        preserve("24h"),
        preserve("off"),
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
        asked(51, preserve("off")),
    ]
}

fn permissions() -> Vec<Permission> {
    use Permission::*;
    vec![None, Read, Triage, Write, Maintain, Admin]
}
