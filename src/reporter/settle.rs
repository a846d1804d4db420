//! The last word of a run: from how its jobs ended, when no job has said itself what became of the environment.

use std::sync::{Arc, Mutex};

use super::{
    Reporter, now,
    run::Run,
    teller::{Decide, Told},
};
use crate::{
    cli::JobResult,
    error::Failure,
    exit::Exit,
    report::github::{
        self,
        facts::{Facts, Serves, State},
        said::{Said, same_commit},
    },
};

/// What the comment says in the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// Its number, if it was written.
    pub id: Option<u64>,
    /// Where it is shown.
    pub url: Option<String>,
    /// What it says of the environment.
    pub state: Option<State>,
    /// Why it was not written.
    pub left: Option<&'static str>,
}

impl Reporter {
    /// Makes the comment right when it does not say how this commit ended.
    ///
    /// # Errors
    /// GitHub does not let us, or there is nobody to tell.
    pub async fn settle(
        &mut self,
        jobs: &[(String, JobResult)],
        word: Option<&str>,
        namespace: Option<String>,
        url: Option<String>,
    ) -> Result<Settled, Failure> {
        let Some(teller) = self.teller.clone() else {
            if self.run.as_ref().is_some_and(Run::is_read_only) {
                return Ok(Settled::left(
                    None,
                    "a run for a pull request from a fork may only read",
                ));
            }
            return Err(Failure::new(
                Exit::Failure,
                "there is no pull request, or no token, to write a comment with",
            )
            .hint(
                "set GITHUB_TOKEN, and name the pull request: --repository OWNER/REPO --pr NUMBER",
            ));
        };
        self.facts.namespace = namespace;
        self.facts.url = url;
        self.facts.now = now();
        let chosen: Arc<Mutex<Option<Chosen>>> = Arc::default();
        let (facts, jobs, word) = (self.facts.clone(), jobs.to_vec(), word.map(str::to_owned));
        let noted = Arc::clone(&chosen);
        let decide: Decide = Arc::new(move |before| {
            let decided = decide(&facts, &jobs, word.as_deref(), before);
            let said = before.map(|said| (Facts::default(), said.state));
            *noted.lock().expect("nobody panics while holding it") =
                decided.clone().or(said).map(|(facts, state)| Chosen {
                    facts,
                    state,
                    is_under_way: before.is_some_and(|said| said.state == State::Starting),
                });
            decided
        });
        let told = teller.comment(&decide, &self.facts, &self.template).await?;
        let chosen = chosen
            .lock()
            .expect("nobody panics while holding it")
            .take();
        let state = chosen.as_ref().map(|chosen| chosen.state);
        Ok(match (told, chosen) {
            (Some(Told::Said(kept)), Some(chosen)) => {
                let deployment = async {
                    // Only an `up` that was cut off has one that waits for its end.
                    if chosen.is_under_way {
                        teller.deployment(&chosen.facts, chosen.state).await;
                    }
                };
                futures::join!(
                    teller.commit(&chosen.facts, chosen.state),
                    teller.react(chosen.state),
                    deployment
                );
                Settled {
                    id: Some(kept.id),
                    url: Some(kept.url),
                    state,
                    left: None,
                }
            }
            (Some(Told::Newer), _) => Settled::left(None, "it is of a newer run"),
            (Some(_), _) => Settled::left(state, "it is right as it is"),
            (None, _) => Settled::left(None, "comments are switched off"),
        })
    }

    /// The same as a text, without a look at what is there, and without writing it.
    ///
    /// # Errors
    /// The template cannot be rendered.
    pub fn preview(
        &mut self,
        jobs: &[(String, JobResult)],
        word: Option<&str>,
        namespace: Option<String>,
        url: Option<String>,
    ) -> Result<String, Failure> {
        self.facts.namespace = namespace;
        self.facts.url = url;
        let (facts, state) = decide(&self.facts, jobs, word, None)
            .unwrap_or_else(|| (self.facts.clone(), State::Running));
        github::comment(&facts, state, None, &self.template)
            .map_err(|error| super::teller::bad_template(&error))
    }
}

/// What was chosen to be said.
struct Chosen {
    facts: Facts,
    state: State,
    /// Whether an `up` was at work when it was cut off.
    is_under_way: bool,
}

impl Settled {
    fn left(state: Option<State>, why: &'static str) -> Self {
        Self {
            id: None,
            url: None,
            state,
            left: Some(why),
        }
    }
}

/// What is to be said, if anything is, beside what is said.
fn decide(
    facts: &Facts,
    jobs: &[(String, JobResult)],
    word: Option<&str>,
    before: Option<&Said>,
) -> Option<(Facts, State)> {
    let (state, is_guess) = outcome(jobs, word)?;
    if let Some(said) = before {
        let about_it = facts
            .commit
            .as_deref()
            .zip(said.commit.as_deref())
            .is_none_or(|(ours, theirs)| same_commit(ours, theirs));
        // Whoever did the work knows more of it than its result.
        if about_it && said.state == state {
            return None;
        }
        if said.settles(facts.commit.as_deref(), facts.place.run) {
            return None;
        }
        let ids = said.run.zip(facts.place.run);
        let by_this_run = ids.is_some_and(|(theirs, ours)| theirs.id == ours.id);
        if is_guess && about_it && by_this_run && said.state.is_final() {
            return None;
        }
    }
    let mut facts = facts.clone();
    if let Some(said) = before {
        facts.namespace = facts
            .namespace
            .or_else(|| said.namespace_for(state).map(str::to_owned));
    }
    if state.is_bad() || state == State::Cancelled {
        facts.jobs = jobs
            .iter()
            .map(|(name, result)| (name.clone(), text(*result)))
            .collect();
    }
    facts.serves = match state {
        State::Running => match &facts.commit {
            Some(commit) => Serves::Commit(commit.clone()),
            None => Serves::Something,
        },
        State::Destroyed => Serves::Nothing,
        _ => Serves::AsBefore,
    };
    Some((facts, state))
}

/// What jobs that ended so come to, and whether that is no more than a guess. None when nothing happened.
fn outcome(jobs: &[(String, JobResult)], word: Option<&str>) -> Option<(State, bool)> {
    let told = match word.unwrap_or_default() {
        "running" => Some(State::Running),
        "gone" | "absent" => Some(State::Destroyed),
        "preserved" => Some(State::Preserved),
        "marked" => Some(State::Destroying),
        "left" => Some(State::Blocked),
        "failed" => Some(State::Failed),
        "superseded" => Some(State::Superseded),
        "waiting" => Some(State::Waiting),
        _ => None,
    };
    if let Some(state) = told {
        return Some((state, false));
    }
    let ended = |wanted: JobResult| jobs.iter().find(move |(_, result)| *result == wanted);
    let removes = |name: &str| name.contains("destroy");
    if let Some((name, _)) = ended(JobResult::Failure) {
        return Some((
            match name.as_str() {
                name if removes(name) => State::Blocked,
                "validate" => State::Invalid,
                _ => State::Failed,
            },
            false,
        ));
    }
    if ended(JobResult::Cancelled).is_some() {
        return Some((State::Cancelled, false));
    }
    let did = |what: &str| {
        jobs.iter()
            .any(|(name, result)| name.contains(what) && *result == JobResult::Success)
    };
    match (did("destroy"), did("deploy")) {
        (true, _) => Some((State::Destroyed, true)),
        (_, true) => Some((State::Running, true)),
        _ => None,
    }
}

fn text(result: JobResult) -> String {
    match result {
        JobResult::Success => "✅ success",
        JobResult::Failure => "❌ failure",
        JobResult::Cancelled => "🚫 cancelled",
        JobResult::Skipped => "skipped",
    }
    .to_owned()
}
