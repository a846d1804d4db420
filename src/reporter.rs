//! Says to GitHub how a verb is doing: outputs, annotations, the summary, the comment, the deployment, the status of the
//! commit. A verb tells it facts; what is said about them is decided in [`crate::report::github`].
//!
//! Nothing that GitHub does or refuses changes how a verb ends. Outside of Actions nothing is said.

pub mod run;

use std::time::Duration;

use crate::{
    cli::ReportArgs,
    config::problem::Problem,
    deploy::{Outcome, Survey, failure::DeployError, live::NotOurs},
    error::Failure,
    exit::Exit,
    github::workflow::{Annotation, Level},
    lifecycle::down::{DownError, Ended},
    model::{Environment, settings::PlatformSettings},
    printer::Printer,
    report::github::facts::{Facts, State},
    signal,
};
use run::{Run, Subject};

/// How long a verb that was told to stop may take to leave things in order, before it is cut off: a runner that cancels a
/// job waits 7.5 seconds, and GitHub is still to be told.
const GRACE: Duration = Duration::from_secs(2);

/// Says to GitHub how a verb is doing.
#[derive(Debug)]
pub struct Reporter {
    run: Option<Run>,
    subject: Subject,
    facts: Facts,
    outputs: Vec<(&'static str, String)>,
    printer: Printer,
}

impl Reporter {
    /// For a verb that is about `subject`; without a run it says nothing.
    #[must_use]
    pub fn new(run: Option<Run>, subject: Subject, _args: &ReportArgs, printer: Printer) -> Self {
        Self {
            run,
            facts: Facts {
                commit: subject.commit.clone(),
                branch: subject.branch.clone(),
                ..Facts::default()
            },
            subject,
            outputs: Vec::new(),
            printer,
        }
    }

    /// What it is about.
    #[must_use]
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// Does the work of a verb, and says how it ended, also when it failed or was told to stop. `unless_told` are the
    /// outputs for when the work does not come so far as to set them.
    ///
    /// # Errors
    /// Those of the verb.
    pub async fn through(
        mut self,
        unless_told: &[(&'static str, &str)],
        work: impl AsyncFnOnce(&mut Self) -> Result<Exit, Failure>,
    ) -> Result<Exit, Failure> {
        if self.run.is_none() {
            return work(&mut self).await;
        }
        for (name, value) in unless_told {
            self.output(name, *value);
        }
        signal::expect();
        let stopped = async {
            let signal = signal::next().await;
            tokio::time::sleep(GRACE).await;
            signal
        };
        let ended = tokio::select! {
            ended = work(&mut self) => ended,
            signal = stopped => Err(Failure::new(
                Exit::Interrupted,
                format!("stopped by {signal}; what was begun is left half-done"),
            )),
        };
        self.write_outputs();
        ended
    }

    /// Sets an output of the step, in place of what was set before.
    pub fn output(&mut self, name: &'static str, value: impl Into<String>) {
        self.outputs.retain(|(known, _)| *known != name);
        self.outputs.push((name, value.into()));
    }

    /// The environment that it is about.
    pub fn about(&mut self, environment: &Environment, _settings: &PlatformSettings) {
        let main = environment.main_service();
        let main = main.map(|service| service.name.clone());
        self.output("deployment-name", main.unwrap_or_default());
        let identity = &environment.identity;
        self.facts.namespace = Some(identity.namespace.clone());
        self.facts.url = environment.public_url();
        self.output("namespace", identity.namespace.clone());
        self.output("preview-url", self.facts.url.clone().unwrap_or_default());
    }

    /// Work begins.
    pub fn begin(&mut self, state: State, _environment: &Environment, _survey: &Survey) {
        self.facts.state = Some(state);
    }

    /// Somebody else does the work, and says how it goes.
    pub fn leave(&mut self) {
        self.facts.state = None;
        self.output("state", "left");
    }

    /// A namespace is being removed.
    pub fn removing(&mut self, namespace: &str) {
        self.facts.namespace = Some(namespace.to_owned());
        self.facts.state = Some(State::Destroying);
    }

    /// It ended well.
    pub fn ended(&mut self, state: State, outcome: &Outcome) {
        self.facts.state = Some(state);
        self.output("state", state.name());
        self.output("changed", outcome.changed.to_string());
        if state == State::Running {
            self.output("release-status", "deployed");
        }
    }

    /// It did not end well.
    pub fn broken(&mut self, error: &DeployError) {
        let state = match error {
            DeployError::Superseded { .. } => State::Superseded,
            DeployError::Interrupted { .. } => State::Cancelled,
            _ => State::Failed,
        };
        self.facts.state = Some(state);
        if state == State::Superseded {
            self.output("state", state.name());
        }
    }

    /// The file has mistakes.
    pub fn invalid(&mut self, problems: &[Problem]) {
        self.facts.state = Some(State::Invalid);
        self.facts.problems = problems.to_vec();
    }

    /// It goes, or does not.
    pub fn removed(&mut self, ended: Result<&Ended, &DownError>) {
        let (state, word, reason) = match ended {
            Ok(Ended::Gone(_)) => (State::Destroyed, "gone", ""),
            Ok(Ended::Absent) => (State::Destroyed, "absent", "not-found"),
            Ok(Ended::Marked(_)) => (State::Destroying, "marked", "going"),
            Err(error) => {
                let reason = match error {
                    DownError::Blocked { .. } => "blocked",
                    DownError::Interrupted { .. } => "interrupted",
                    DownError::Cluster(_) => "failed",
                    DownError::NotOurs(NotOurs::NotAnEnvironment { .. }) => "not-managed",
                    DownError::NotOurs(NotOurs::OtherProject { .. }) => "different-project",
                    DownError::NotOurs(NotOurs::OtherRepository { .. }) => "different-repo",
                };
                (State::Blocked, "left", reason)
            }
        };
        self.facts.state = Some(state);
        self.output("state", word);
        self.output("deleted", (word == "gone").to_string());
        self.output("reason", reason);
    }

    fn write_outputs(&self) {
        let Some(run) = &self.run else { return };
        for (name, value) in &self.outputs {
            if let Err(error) = run.files.set_output(name, value) {
                let failure = Failure::new(Exit::Failure, error.to_string()).because(error);
                warn(self.printer, &failure);
                return;
            }
        }
    }
}

/// A failure that changes nothing: as a warning for people, and at the run in Actions.
pub fn warn(printer: Printer, failure: &Failure) {
    let text = failure.to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    printer.error(&format!("warning: {text}"));
    if std::env::var("GITHUB_ACTIONS").as_deref() == Ok("true") {
        let annotation = Annotation {
            level: Level::Warning,
            title: "k8s-ee",
            message: text,
            ..Annotation::default()
        };
        printer.error(&annotation.to_string());
    }
}
