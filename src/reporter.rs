//! Says to GitHub how a verb is doing: outputs, annotations, the summary, the comment, the deployment, the status of the
//! commit. A verb tells it facts; what is said about them is decided in [`crate::report::github`].
//!
//! Nothing that GitHub does or refuses changes how a verb ends. Outside of Actions nothing is said.

mod endings;
mod log;
mod parts;
mod preserve;
pub mod run;
mod settle;
mod swept;
mod teller;

use std::{path::Path, sync::Arc, time::Duration};

use tokio::task::JoinHandle;

use crate::{
    cli::ReportArgs,
    deploy::Survey,
    diagnose,
    error::Failure,
    exit::Exit,
    github::{
        Event,
        workflow::{Annotation, Level},
    },
    model::{Environment, settings::PlatformSettings},
    printer::Printer,
    report::github::{
        self,
        facts::{Facts, Place, RunId, Serves, State, Trouble},
        template::Template,
    },
    signal,
};
pub use log::{in_actions, mask, warn};
use run::{Run, Subject};
pub use settle::Settled;
pub use swept::Announcer;
use teller::Teller;

/// How long a verb that was told to stop may take to leave things in order before it is cut off: a runner that cancels a
/// job waits 7.5 seconds, and GitHub is still to be told.
const GRACE: Duration = Duration::from_secs(2);

/// Longest that telling GitHub may take in the end.
const PATIENCE: Duration = Duration::from_secs(150);

/// The same after a signal.
const HURRY: Duration = Duration::from_secs(5);

/// Largest comment in a summary, in characters: as large as a comment may be.
const MOST_SUMMARY: usize = 65_000;

/// Says to GitHub how a verb is doing.
#[derive(Debug)]
pub struct Reporter {
    run: Option<Run>,
    subject: Subject,
    facts: Facts,
    template: Arc<Template>,
    has_own_template: bool,
    teller: Option<Arc<Teller>>,
    beginning: Option<JoinHandle<()>>,
    outputs: Vec<(&'static str, String)>,
    work: Work,
    printer: Printer,
}

/// What a verb does to the environment: what it means when it fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Work {
    /// It brings it up.
    Up,
    /// It removes it.
    Down,
    /// It changes nothing of what the environment's comment tells.
    Beside,
}

impl Reporter {
    /// For a verb that is about `subject`; without a run it says nothing.
    #[must_use]
    pub fn new(run: Option<Run>, subject: Subject, args: &ReportArgs, printer: Printer) -> Self {
        let mut reporter = Self {
            facts: facts(run.as_ref(), &subject),
            template: Arc::new(Template::built_in()),
            has_own_template: false,
            teller: None,
            beginning: None,
            outputs: Vec::new(),
            work: Work::Up,
            run,
            subject,
            printer,
        };
        if reporter.run.is_some() {
            if let Some(path) = &args.comment_template {
                reporter.has_own_template = true;
                reporter.read_template(path);
            }
            reporter.teller = reporter.find_teller(args);
        }
        reporter
    }

    /// Who says it, if there is anybody to say it to.
    fn find_teller(&self, args: &ReportArgs) -> Option<Arc<Teller>> {
        let run = self.run.as_ref()?;
        self.subject.number?;
        if run.is_read_only() {
            self.printer.note(
                "note: a run for a pull request from a fork may only read; its comment is written by the workflow that \
                 follows it (workflow_run)",
            );
            return None;
        }
        let Some(client) = run.client.clone() else {
            self.printer.note(
                "note: there is no token: no comment, deployment or status of the commit is written; set GITHUB_TOKEN: \
                 ${{ github.token }}",
            );
            return None;
        };
        let mut teller = Teller::new(client, &self.subject, args.comment, self.printer)?;
        teller.command = run
            .context
            .as_ref()
            .and_then(|context| match &context.event {
                Event::IssueComment(event) if event.comment.body.trim_start().starts_with('/') => {
                    Some(event.comment.id)
                }
                _ => None,
            });
        Some(Arc::new(teller))
    }

    /// What it is about.
    #[must_use]
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// The file that is read, by its path from here.
    pub fn reads(&mut self, path: &Path) {
        if let Some(run) = &self.run {
            self.facts.place.file = run.in_repository(path);
        }
    }

    /// From now on it is about bringing an environment up, which has deployments on GitHub.
    pub fn deploys(&mut self) {
        if let Some(teller) = self.teller.as_mut().and_then(Arc::get_mut) {
            teller.deploys = true;
        }
    }

    /// From now on it is about removing one.
    pub fn removes(&mut self) {
        self.deploys();
        self.work = Work::Down;
    }

    /// What it says of the environment, it says in a comment of its own.
    pub fn is_beside(&mut self) {
        self.work = Work::Beside;
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
        self.conclude(ended.as_ref().err()).await;
        ended
    }

    /// Sets an output of the step, in place of what was set before.
    pub fn output(&mut self, name: &'static str, value: impl Into<String>) {
        self.outputs.retain(|(known, _)| *known != name);
        self.outputs.push((name, value.into()));
    }

    /// The environment that it is about.
    pub fn about(&mut self, environment: &Environment, settings: &PlatformSettings) {
        let identity = &environment.identity;
        let namespace = identity.namespace.clone();
        let main = environment.main_service();
        let main = main.map(|service| service.name.clone());
        self.output("deployment-name", main.unwrap_or_default());
        self.facts.project = Some(identity.project_id.clone());
        self.facts.url = environment.public_url();
        self.facts.dashboards = settings
            .dashboards
            .as_ref()
            .map(|template| template.replace("{namespace}", &namespace));
        if let Some(text) = settings
            .comment_template
            .clone()
            .filter(|_| !self.has_own_template)
        {
            self.use_template("of the platform settings", text);
        }
        self.output("namespace", namespace.clone());
        self.output("preview-url", self.facts.url.clone().unwrap_or_default());
        self.facts.namespace = Some(namespace);
    }

    /// Work begins. GitHub is told while it goes on.
    pub fn begin(&mut self, state: State, environment: &Environment, survey: &Survey) {
        if self.run.is_none() {
            return;
        }
        self.facts.components = parts::components(environment, survey, state);
        if state == State::Starting {
            self.facts.parts = parts::parts(environment, survey);
        }
        let runs = survey
            .live
            .values()
            .any(|object| object.kind() == "Deployment");
        self.facts.serves = match &survey.record {
            Some(record) => teller::serves(record.environment.identity.commit.as_deref()),
            None if runs => Serves::Something,
            None => Serves::Nothing,
        };
        self.start(state);
    }

    /// The namespace that it is about, where nothing else is known of the environment.
    pub fn about_namespace(&mut self, namespace: &str) {
        self.facts.namespace = Some(namespace.to_owned());
    }

    /// It is being removed. GitHub is told while it goes on.
    pub fn removing(&mut self) {
        self.start(State::Destroying);
    }

    fn start(&mut self, state: State) {
        self.facts.state = Some(state);
        let Some(teller) = self.teller.clone() else {
            return;
        };
        let (mut facts, template) = (self.facts.clone(), Arc::clone(&self.template));
        facts.now = now();
        self.beginning = Some(tokio::spawn(async move {
            teller.tell(&facts, state, &template).await;
        }));
    }

    /// Somebody else does the work, and says how it goes.
    pub fn leave(&mut self) {
        self.facts.state = None;
        self.output("state", "left");
    }

    /// Says how it ended.
    async fn conclude(&mut self, failure: Option<&Failure>) {
        if let Some(failure) = failure {
            self.note(failure);
        }
        self.facts.now = now();
        let Some(state) = self.facts.state else {
            // What was said in the beginning is not left half-said.
            if let Some(beginning) = self.beginning.take() {
                drop(tokio::time::timeout(HURRY, beginning).await);
            }
            return;
        };
        self.annotate();
        self.summarize(state);
        let limit = match failure.map(Failure::exit) {
            Some(Exit::Interrupted) => HURRY,
            _ => PATIENCE,
        };
        let (beginning, teller) = (self.beginning.take(), self.teller.clone());
        let Some(teller) = teller else { return };
        let telling = async {
            // What was said in the beginning must not arrive after this.
            if let Some(beginning) = beginning {
                drop(beginning.await);
            }
            teller.tell(&self.facts, state, &self.template).await;
        };
        if tokio::time::timeout(limit, telling).await.is_err() {
            let failure = Failure::new(
                Exit::Failure,
                format!(
                    "GitHub was not told how it ended within {} s",
                    limit.as_secs()
                ),
            );
            warn(
                self.printer,
                &failure.hint("the next run makes the comment right"),
            );
        }
    }

    /// What a failure says, where the verb itself has not said more.
    fn note(&mut self, failure: &Failure) {
        let shown = |text: &str| diagnose::shown(text, &[]);
        if self.facts.problems.is_empty() {
            self.facts.problems = failure.problems().to_vec();
        }
        self.facts.failure = Some(Trouble {
            message: shown(failure.message()),
            because: failure.chain().iter().map(|text| shown(text)).collect(),
            hints: failure.hints().iter().map(|text| shown(text)).collect(),
        });
        if self.work == Work::Beside || self.facts.state.is_some_and(State::is_final) {
            return;
        }
        self.facts.state = Some(match failure.exit() {
            Exit::Interrupted => State::Cancelled,
            Exit::Superseded => State::Superseded,
            _ if self.work == Work::Down => State::Blocked,
            _ if !self.facts.problems.is_empty() => State::Invalid,
            _ => State::Failed,
        });
    }

    /// Puts each cause at its line of the file; mistakes of the file are there already.
    fn annotate(&self) {
        for located in &self.facts.causes {
            let cause = &located.cause;
            let message = format!("{}\nhint: {}", cause.summary, cause.fix.text);
            let code = cause.code.to_string();
            let annotation = Annotation {
                level: Level::Error,
                file: located.line.map(|_| self.facts.place.file.as_str()),
                line: located.line,
                column: None,
                title: &code,
                message: &message,
            };
            self.printer.error(&annotation.to_string());
        }
    }

    fn summarize(&self, state: State) {
        let Some(run) = &self.run else { return };
        let text = github::markdown(&self.facts, state, None, &self.template, MOST_SUMMARY)
            .or_else(|_| {
                let built_in = Template::built_in();
                github::markdown(&self.facts, state, None, &built_in, MOST_SUMMARY)
            });
        let written = run
            .files
            .add_summary(&text.expect("the built-in template renders"));
        if let Err(error) = written {
            warn(self.printer, &error.into());
        }
    }

    /// Writes the outputs that were set.
    pub fn write_outputs(&self) {
        let Some(run) = &self.run else { return };
        for (name, value) in &self.outputs {
            if let Err(error) = run.files.set_output(name, value) {
                warn(self.printer, &error.into());
                return;
            }
        }
    }

    fn read_template(&mut self, path: &Path) {
        let name = path.display().to_string();
        match std::fs::read_to_string(path) {
            Ok(text) => self.use_template(&name, text),
            Err(error) => {
                let failure = Failure::new(
                    Exit::Config,
                    format!("cannot read the template {name}; the built-in one is used"),
                );
                warn(self.printer, &failure.because(error));
            }
        }
    }

    fn use_template(&mut self, name: &str, text: String) {
        match Template::new(name, text) {
            Ok(template) => self.template = Arc::new(template),
            Err(error) => warn(self.printer, &teller::bad_template(&error)),
        }
    }
}

/// What is known from the start.
fn facts(run: Option<&Run>, subject: &Subject) -> Facts {
    let context = run.and_then(|run| run.context.as_ref());
    Facts {
        place: Place {
            server: run.map(|run| run.server_url.clone()).unwrap_or_default(),
            repository: subject
                .repository
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
            number: subject.number,
            run: context.map(|context| RunId {
                id: context.run_id,
                attempt: context.run_attempt,
            }),
            file: "k8s-ee.yaml".to_owned(),
        },
        commit: subject.commit.clone(),
        branch: subject.branch.clone(),
        now: now(),
        ..Facts::default()
    }
}

fn now() -> String {
    crate::desired::rfc3339(jiff::Timestamp::now())
}
