//! Does the talking: the comment, the deployment, the status of the commit, the reaction. What GitHub refuses is a
//! warning, each kind of it once.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use tokio::sync::OnceCell;

use super::{run::Subject, warn};
use crate::{
    cli::CommentMode,
    error::Failure,
    exit::Exit,
    github::{
        Client, ENVIRONMENT_MARKER, GithubError, Repository, Sha,
        comments::{Comment, Reaction},
        deployments::{DeploymentState, Progress},
        pulls::PullRequest,
        statuses::{CommitState, CommitStatus},
        sticky::{Kept, Wanted},
    },
    printer::Printer,
    report::github::{
        self,
        facts::{Facts, Serves, State},
        said::{Said, same_commit},
        template::{Template, TemplateError},
    },
};

/// What the status of a commit is about.
const CONTEXT: &str = "k8s-ee";

/// Kinds of trouble that were told.
pub(super) type Warned = Arc<Mutex<BTreeSet<&'static str>>>;

/// Says things about one pull request.
#[derive(Debug)]
pub(super) struct Teller {
    pub(super) client: Client,
    pub(super) repository: Repository,
    pub(super) number: u64,
    pub(super) mode: CommentMode,
    /// Whether it has deployments on GitHub.
    pub(super) deploys: bool,
    /// Comment with the command that started the run.
    pub(super) command: Option<u64>,
    pub(super) printer: Printer,
    deployment: OnceCell<u64>,
    /// What was warned of: once, also where there are several tellers.
    pub(super) warned: Warned,
}

/// What became of the comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// It says so.
    Said(Kept),
    /// What it says is of a newer run, and stays.
    Newer,
    /// It says already how that ended, and stays.
    Settled,
}

/// Whether something is to be said, beside what a comment says: given that, what.
pub(super) type Decide = Arc<dyn Fn(Option<&Said>) -> Option<(Facts, State)> + Send + Sync>;

impl Teller {
    pub(super) fn new(
        client: Client,
        subject: &Subject,
        mode: CommentMode,
        printer: Printer,
    ) -> Option<Self> {
        Some(Self {
            client,
            repository: subject.repository.clone()?,
            number: subject.number?,
            mode,
            deploys: false,
            command: None,
            printer,
            deployment: OnceCell::new(),
            warned: Warned::default(),
        })
    }

    /// Says how it is doing, everywhere.
    pub(super) async fn tell(&self, facts: &Facts, state: State, template: &Template) {
        let said = (facts.clone(), state);
        let decide: Decide = Arc::new(move |_| Some(said.clone()));
        let comment = async {
            if let Err(error) = self.comment(&decide, facts, template).await {
                self.warn("comment", error);
            }
        };
        futures::join!(
            comment,
            self.deployment(facts, state),
            self.commit(facts, state),
            self.react(state),
        );
    }

    /// Makes the comment say what is to be said beside what it says.
    pub(super) async fn comment(
        &self,
        decide: &Decide,
        facts: &Facts,
        template: &Template,
    ) -> Result<Option<Told>, GithubError> {
        if self.mode == CommentMode::Off {
            return Ok(None);
        }
        let pull = self
            .client
            .pull_request(&self.repository, self.number)
            .await
            .ok();
        let head = pull.as_ref().map(|pull| pull.head.sha.as_str());
        let is_fork = pull.as_ref().is_some_and(PullRequest::is_fork);
        let commit = facts.commit.as_deref();
        let is_about = |comment: &Comment| {
            let said = Said::read(&comment.body).and_then(|said| said.commit);
            // One from before there were commits in them is taken over.
            said.is_none()
                || said
                    .zip(commit)
                    .is_none_or(|(said, commit)| same_commit(&said, commit))
        };
        let newer = Mutex::new(Told::Settled);
        let body = |ours: &[Comment]| {
            let before = ours
                .iter()
                .rev()
                .find_map(|comment| Said::read(&comment.body));
            if before
                .as_ref()
                .is_some_and(|said| !said.gives_way_to(facts, head))
            {
                *newer.lock().expect("nobody panics while holding it") = Told::Newer;
                return None;
            }
            let (mut facts, state) = decide(before.as_ref())?;
            facts.is_fork |= is_fork;
            Some(self.written(&facts, state, before.as_ref(), template))
        };
        let wanted = Wanted {
            marker: ENVIRONMENT_MARKER,
            is_it: &|comment| self.mode == CommentMode::Auto || is_about(comment),
            body: &body,
        };
        let kept = self
            .client
            .keep(&self.repository, self.number, &wanted)
            .await?;
        let Some(kept) = kept else {
            let told = newer.into_inner().expect("nobody panics while holding it");
            return Ok(Some(told));
        };
        // Those before the last one were hidden when that one was new.
        if let Some(last) = kept.others.iter().rev().find(|other| other.id < kept.id)
            && let Err(error) = self.client.hide_comment(last).await
        {
            self.warn("older comment", error);
        }
        Ok(Some(Told::Said(kept)))
    }

    /// The text of the comment; by the built-in template where the other one fails.
    fn written(
        &self,
        facts: &Facts,
        state: State,
        before: Option<&Said>,
        template: &Template,
    ) -> String {
        github::comment(facts, state, before, template).unwrap_or_else(|error| {
            self.bad_template(&error);
            github::comment(facts, state, before, &Template::built_in())
                .expect("the built-in template renders: a test sees to it")
        })
    }

    /// A template that cannot be used, in place of which the built-in one is.
    pub(super) fn bad_template(&self, error: &TemplateError) {
        if self.is_new("template") {
            warn(self.printer, &bad_template(error));
        }
    }

    pub(super) async fn deployment(&self, facts: &Facts, state: State) {
        if !self.deploys {
            return;
        }
        let Some(environment) = &facts.namespace else {
            return;
        };
        let told = async {
            if matches!(state, State::Destroyed) {
                let retired = self
                    .client
                    .retire_deployments(&self.repository, environment, None);
                return retired.await.map(drop);
            }
            let Some(sha) = facts
                .commit
                .as_deref()
                .and_then(|commit| commit.parse::<Sha>().ok())
            else {
                return Ok(());
            };
            let state_there = match state {
                State::Starting => DeploymentState::InProgress,
                State::Running => DeploymentState::Success,
                State::Failed | State::Invalid => DeploymentState::Failure,
                State::Cancelled => DeploymentState::Error,
                State::Superseded => DeploymentState::Inactive,
                _ => return Ok(()),
            };
            let description = github::sentence(facts, state, None);
            let make = || async {
                let name = "Preview environment";
                let made = self
                    .client
                    .deployment(&self.repository, environment, &sha, name);
                made.await.map(|deployment| deployment.id)
            };
            let id = *self.deployment.get_or_try_init(make).await?;
            let run = run_url(facts);
            let progress = Progress {
                state: state_there,
                description: &description,
                environment_url: facts.url.as_deref().filter(|_| state == State::Running),
                log_url: run.as_deref(),
            };
            self.client
                .report_deployment(&self.repository, id, &progress)
                .await?;
            if state == State::Running {
                let retired =
                    self.client
                        .retire_deployments(&self.repository, environment, Some(id));
                retired.await?;
            }
            Ok(())
        };
        if let Err(error) = told.await {
            self.warn("deployment", error);
        }
    }

    pub(super) async fn commit(&self, facts: &Facts, state: State) {
        let Some(sha) = facts
            .commit
            .as_deref()
            .and_then(|commit| commit.parse::<Sha>().ok())
        else {
            return;
        };
        let state_there = match state {
            State::Preparing | State::Prepared | State::Starting | State::Waiting => {
                CommitState::Pending
            }
            State::Running | State::Destroyed => CommitState::Success,
            State::Failed | State::Invalid | State::Blocked => CommitState::Failure,
            State::Superseded | State::Cancelled => CommitState::Error,
            // The commit is as good as it was.
            State::Preserved | State::Destroying => return,
        };
        let description = github::sentence(facts, state, None);
        let run = run_url(facts);
        let status = CommitStatus {
            context: CONTEXT,
            state: state_there,
            description: &description,
            url: facts
                .url
                .as_deref()
                .filter(|_| state == State::Running)
                .or(run.as_deref()),
        };
        let told = self
            .client
            .set_commit_status(&self.repository, &sha, &status);
        if let Err(error) = told.await {
            self.warn("status", error);
        }
    }

    /// Reacts to the command that started the run, once it is done.
    pub(super) async fn react(&self, state: State) {
        match state {
            State::Running | State::Destroyed => self.answer(Reaction::Rocket).await,
            state if state.is_bad() => self.answer(Reaction::Confused).await,
            _ => {}
        }
    }

    /// Reacts to the command that started the run, if one did.
    pub(super) async fn answer(&self, reaction: Reaction) {
        if let Some(comment) = self.command
            && let Err(error) = self.client.react(&self.repository, comment, reaction).await
        {
            self.warn("reaction", error);
        }
    }

    fn is_new(&self, kind: &'static str) -> bool {
        let mut warned = self.warned.lock().expect("nobody panics while holding it");
        warned.insert(kind)
    }

    pub(super) fn warn(&self, kind: &'static str, error: GithubError) {
        if self.is_new(kind) {
            let failure = Failure::from(error);
            warn(
                self.printer,
                &failure.hint("nothing else depends on it: the work itself goes on"),
            );
        }
    }
}

/// A template that cannot be used.
pub(super) fn bad_template(error: &TemplateError) -> Failure {
    Failure::new(Exit::Config, error.to_string())
        .hint("the built-in one is used; what templates are given: docs/guides/github.md")
}

fn run_url(facts: &Facts) -> Option<String> {
    let place = &facts.place;
    let run = place.run?;
    Some(format!(
        "{}/{}/actions/runs/{}",
        place.server, place.repository, run.id
    ))
}

/// Whether some version answers, as what is known says.
pub(super) fn serves(commit: Option<&str>) -> Serves {
    match commit {
        Some(commit) => Serves::Commit(commit.to_owned()),
        None => Serves::Something,
    }
}
