//! `up`: carries a plan out, wave by wave, watches the components come up, and says the cause when they do not.
//!
//! Every step may be repeated: what is already there is not written again, so that a run which was ended at any moment
//! is finished by the next one.

pub mod access;
pub mod dry_run;
pub mod failure;
pub mod lease;
pub mod live;
pub mod prepare;
pub mod ready;
pub mod record;
pub mod rollout;
pub mod rotate;
pub mod url;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde_json::json;
use tokio::time::Instant;

use crate::{
    cluster::{Cluster, ClusterError, facts, observe::Observer},
    desired::{Composition, Stamps, compose, rfc3339},
    guardrails::{self, ClusterFacts},
    lifecycle,
    model::{Environment, labels, object::Object, operator::Operator, settings::PlatformSettings},
    plan::{
        Action, Live, Plan, bootstrap,
        volumes::{self, Comparison, Fate, StorageProblem, VolumeChange},
    },
    progress::Progress,
    render::chart::ChartSource,
    signal,
};
use failure::{DeployError, Restored};
use lease::{Holder, Turn, Work};
use record::Record;
use rollout::Rollout;

/// Kinds that are read beside those that are compared or removed.
const CLAIMS: (&str, &str) = ("v1", "PersistentVolumeClaim");
const SECRETS: (&str, &str) = ("v1", "Secret");

/// How an environment is brought up.
#[derive(Clone, Debug)]
pub struct Options {
    /// Longest that it may take.
    pub timeout: Duration,
    /// Whether the version before is restored when the new one does not come up.
    pub rollback: bool,
    /// Whether the URL is asked in the end.
    pub check_url: bool,
    /// Whether each wave is waited for.
    pub wait: bool,
    /// Whether volumes that nobody uses any more are removed, with the credentials to them.
    pub prune_data: bool,
    /// Whether volumes that cannot become what the file says stay as they are, in place of that being an error.
    pub keep_volumes: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(600),
            rollback: true,
            check_url: true,
            wait: true,
            prune_data: false,
            keep_volumes: false,
        }
    }
}

/// All that bringing an environment up needs.
#[derive(Debug)]
pub struct Deployer<'a> {
    /// The cluster.
    pub cluster: &'a Cluster,
    /// The platform's rules.
    pub settings: &'a PlatformSettings,
    /// The chart.
    pub chart: &'a ChartSource,
    /// How.
    pub options: Options,
    /// Where progress is shown.
    pub progress: &'a Progress,
}

/// An environment that is up.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Whether anything was written.
    pub changed: bool,
    /// When each component was up, since the start; only those that were waited for.
    pub times: BTreeMap<String, Duration>,
    /// Image of each service by digest.
    pub digests: BTreeMap<String, String>,
    /// Volumes that have grown, and those that nobody uses any more.
    pub volumes: Vec<VolumeChange>,
    /// What was done without, in words.
    pub warnings: Vec<String>,
}

/// What is known of an environment before anything is written.
#[derive(Debug)]
pub struct Survey {
    /// Its namespace, if there is one.
    pub namespace: Option<Object>,
    /// The steps.
    pub plan: Plan,
    /// What is there.
    pub live: Live,
    /// What was made last.
    pub record: Option<Record>,
    /// What the file asks of volumes that cannot be done: with any of these, nothing may be written.
    pub problems: Vec<StorageProblem>,
    /// What will be done without, in words.
    pub warnings: Vec<String>,
}

/// The marks that a run leaves on the namespace, and the name under which it has its turn.
struct Marks {
    work: Work,
    /// States at the beginning and in the end; none where the state is somebody else's.
    states: Option<(&'static str, &'static str)>,
    /// Where what was made is written down.
    record: Option<record::Kind>,
}

const UP: Marks = Marks {
    work: Work::Up,
    states: Some((labels::STATE_STARTING, labels::STATE_RUNNING)),
    record: Some(record::Kind::Up),
};

impl Deployer<'_> {
    /// Looks at the cluster and works out the plan. A namespace that is still going away is waited for; nothing is
    /// written.
    ///
    /// # Errors
    /// When the cluster cannot be read, or the namespace is somebody else's or does not go.
    pub async fn look(
        &self,
        environment: &Environment,
        composition: Composition,
    ) -> Result<Survey, DeployError> {
        let mut namespace = self.namespace(environment).await?;
        if namespace.as_ref().is_some_and(live::is_terminating) {
            self.wait_until_gone(environment).await?;
            namespace = None;
        }
        self.survey(environment, composition, namespace).await
    }

    /// Brings the environment up and waits until its URL answers.
    ///
    /// # Errors
    /// The cause, and what state the environment was left in.
    pub async fn up(
        &self,
        environment: &Environment,
        survey: Survey,
    ) -> Result<Outcome, DeployError> {
        self.carry_out_or_restore(environment, survey, &UP).await
    }

    async fn carry_out_or_restore(
        &self,
        environment: &Environment,
        survey: Survey,
        marks: &Marks,
    ) -> Result<Outcome, DeployError> {
        for warning in &survey.warnings {
            self.progress.step(&format!("warning: {warning}"));
        }
        for note in &survey.plan.notes {
            self.progress.step(&format!("note: {note}"));
        }
        let previous = survey.record.clone();
        match self.carry_out(environment, survey, marks).await {
            Err(DeployError::Broken { causes, logs, .. }) if self.options.rollback => {
                let restored = self.restore(environment, previous).await;
                Err(DeployError::Broken {
                    causes,
                    restored,
                    logs,
                })
            }
            ended => ended,
        }
    }

    /// When the time is up.
    fn deadline(&self) -> Instant {
        let left = self.options.timeout.saturating_sub(self.progress.elapsed());
        Instant::now() + left
    }

    /// The namespace of the environment, if there is one.
    ///
    /// # Errors
    /// When it cannot be read, or is somebody else's.
    pub async fn namespace(
        &self,
        environment: &Environment,
    ) -> Result<Option<Object>, DeployError> {
        let id = live::namespace_id(&environment.identity.namespace);
        let namespace = self.cluster.get(&id).await?;
        if let Some(namespace) = &namespace {
            live::check_identity(namespace, &environment.identity)?;
        }
        Ok(namespace)
    }

    /// Looks at the cluster and works out the plan; writes nothing.
    ///
    /// # Errors
    /// When the cluster cannot be read.
    pub async fn survey(
        &self,
        environment: &Environment,
        mut composition: Composition,
        namespace: Option<Object>,
    ) -> Result<Survey, DeployError> {
        let facts = self.facts(&composition).await?;
        let now = jiff::Timestamp::now();
        let stamps = Stamps::new(namespace.as_ref(), now);
        let name = &environment.identity.namespace;
        let outline = composition
            .clone()
            .desired(environment, self.settings, &facts, &stamps);
        let all = outline.guardrails.iter().chain(&outline.objects);
        let more: &[(&str, &str)] = match (namespace.is_some(), self.has_secrets(environment)) {
            (true, true) => &[CLAIMS, SECRETS],
            (true, false) => &[CLAIMS],
            (false, _) => &[],
        };
        let (live, unknown) =
            live::read(self.cluster, name, namespace.is_some(), all, more).await?;

        if self.options.keep_volumes {
            volumes::follow_claims(&mut composition.objects, &live);
        }
        let volumes = self.volumes(&composition, &live).await?;
        let stay = volumes.changes.iter().filter(|v| v.fate == Fate::Keep);
        let stay = stay.filter(|_| !self.options.prune_data);
        let stay: Vec<Object> = stay
            .filter_map(|v| live.get(&v.claim).map(volumes::alone))
            .collect();
        if !stay.is_empty() || self.options.keep_volumes {
            composition.count_with(stay.into_iter(), self.settings)?;
        }
        composition.add_credentials(environment, &live, now)?;
        let notes = bootstrap::settle(&mut composition.objects, &live);
        let left_behind = composition.left_behind.clone();
        let mut desired = composition.desired(environment, self.settings, &facts, &stamps);
        // Priority classes are the platform's; one that is there is left as it is.
        desired
            .guardrails
            .retain(|object| object.kind() != "PriorityClass" || !live.contains_key(&object.id()));
        let mut warnings = Vec::new();
        let is_unknown = |object: &Object| {
            let kind = (object.api_version().to_owned(), object.kind().to_owned());
            unknown.contains(&kind)
        };
        // An environment can do without being scraped, but not without its database.
        let operators = desired.objects.iter().filter(|object| is_unknown(object));
        if let Some(operator) = operators.into_iter().find_map(Operator::of) {
            return Err(DeployError::NoOperator { operator });
        }
        desired.objects.retain(|object| {
            let known = !is_unknown(object);
            if !known {
                warnings.push(format!(
                    "the cluster has no kind {} ({}); {} is left out",
                    object.kind(),
                    object.api_version(),
                    object.id()
                ));
            }
            known
        });
        let record = live.get(&Record::id(name)).and_then(Record::of);
        let mut plan = Plan::new(environment, desired, &live);
        plan.volumes = volumes.changes;
        plan.notes.extend(notes);
        if self.options.prune_data {
            plan.prune_data(environment, &live);
            plan.prune_operated(&left_behind, &live);
        }
        if namespace.is_some() && !environment.seeds.is_empty() {
            let (claims, pods) = live::data(self.cluster, name).await?;
            plan.settle_seeds(environment, &live, &claims, &pods);
        }
        Ok(Survey {
            plan,
            namespace,
            live,
            record,
            problems: volumes.problems,
            warnings,
        })
    }

    fn has_secrets(&self, environment: &Environment) -> bool {
        !environment.databases.is_empty() || self.options.prune_data
    }

    /// What becomes of the volumes that are there, as far as their storage classes let it.
    async fn volumes(
        &self,
        composition: &Composition,
        live: &Live,
    ) -> Result<Comparison, DeployError> {
        let mut found = volumes::compare(&composition.objects, live);
        let mut fixed = BTreeSet::new();
        for class in found.classes(live) {
            match facts::lets_volumes_grow(self.cluster, &class).await {
                Ok(true) => {}
                Ok(false) => drop(fixed.insert(class)),
                // Without the right to look, the API server says it when the volume is to grow.
                Err(ClusterError::Forbidden { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        found.refuse_growth(live, |class| !fixed.contains(class));
        Ok(found)
    }

    /// What the guardrails must know of the cluster.
    async fn facts(&self, composition: &Composition) -> Result<ClusterFacts, ClusterError> {
        let network = &self.settings.network;
        let needed = composition.needs_kubernetes_api(self.settings);
        // Where the internet is open, a public address of the API server has to be closed.
        if !needed && !network.internet {
            return Ok(ClusterFacts::default());
        }
        match facts::api_server_addresses(self.cluster).await {
            // Without the right to look, the addresses stay unknown; only those who need them cannot do without.
            Err(ClusterError::Forbidden { .. }) if !needed => Ok(ClusterFacts::default()),
            found => found,
        }
    }

    /// A namespace that is still going away cannot be used; its going is waited for.
    async fn wait_until_gone(&self, environment: &Environment) -> Result<(), DeployError> {
        let name = &environment.identity.namespace;
        self.progress.step(&format!(
            "{name} is still being removed; waiting until it is gone"
        ));
        let gone = lifecycle::wait_until_gone(self.cluster, name, |_| {});
        tokio::select! {
            gone = tokio::time::timeout_at(self.deadline(), gone) => match gone {
                Ok(gone) => Ok(gone?),
                Err(_) => Err(DeployError::StillTerminating { namespace: name.clone() }),
            },
            signal = signal::next() => Err(DeployError::Untouched { signal }),
        }
    }

    /// Carries a plan out and waits until everything is up.
    async fn carry_out(
        &self,
        environment: &Environment,
        survey: Survey,
        marks: &Marks,
    ) -> Result<Outcome, DeployError> {
        let name = &environment.identity.namespace;
        let state = survey
            .namespace
            .as_ref()
            .and_then(|n| n.annotation(labels::STATE).map(str::to_owned));
        let writes = !survey.plan.is_empty();
        let end_state = marks.states.map(|(_, end)| end);
        let finished = !writes && (end_state.is_none() || state.as_deref() == end_state);

        signal::expect();
        let mut turn = None;
        if writes {
            self.begin(&survey, marks).await?;
            turn = Some(self.take_turn(environment, marks.work).await?);
        }
        let operators: Vec<Operator> = survey.plan.objects().filter_map(Operator::of).collect();
        let mut rollout = Rollout {
            deployer: self,
            environment,
            observer: Observer::with_operators(self.cluster, name, &operators),
            turn: turn.as_ref(),
            deadline: self.deadline(),
            applied: BTreeMap::new(),
            ahead: BTreeSet::new(),
            refusals: Vec::new(),
            times: BTreeMap::new(),
        };
        let ended = tokio::select! {
            ended = rollout.run(&survey) => ended,
            signal = signal::next() => Err(rollout.interrupted(signal, marks.work)),
        };
        let digests = rollout.digests();
        let times = std::mem::take(&mut rollout.times);
        drop(rollout);

        if let Err(error) = ended {
            self.leave(name, &error, turn).await;
            return Err(error);
        }
        if !finished {
            self.finish(environment, &survey, &digests, marks).await?;
        }
        if let Some(turn) = turn {
            turn.give_back(self.cluster).await?;
        }
        Ok(Outcome {
            changed: writes,
            times,
            digests,
            volumes: survey.plan.volumes,
            warnings: survey.warnings,
        })
    }

    /// Takes the turn on an environment. An `up` takes it from anybody; `prepare` leaves it to the `up` that it was made
    /// for, and new credentials wait until nobody else is at work.
    async fn take_turn(&self, environment: &Environment, work: Work) -> Result<Turn, DeployError> {
        let identity = &environment.identity;
        let (name, commit) = (&identity.namespace, identity.commit.as_deref());
        let let_be = |holder: &Holder| {
            let let_be = match work {
                Work::Up => false,
                Work::Prepare => prepare::is_same_up(holder, environment),
                Work::Rotate => holder.work != Work::Rotate,
            };
            if let_be {
                self.look_after(holder);
            }
            let_be
        };
        if work == Work::Up {
            return Ok(Turn::take(self.cluster, name, work, commit).await?);
        }
        let taken = Turn::take_unless(self.cluster, name, work, commit, let_be).await?;
        taken.map_err(|by| match work {
            Work::Rotate => DeployError::Busy { by },
            Work::Up | Work::Prepare => DeployError::Superseded { by },
        })
    }

    /// Says that somebody has the turn, and that it takes a moment to see whether it is still at work.
    fn look_after(&self, holder: &Holder) {
        self.progress.step(&format!(
            "{holder} has the turn; seeing whether it is still at work"
        ));
    }

    /// Marks an environment that is left as it is. The error that led here is the one to tell: what goes wrong now is
    /// not told beside it.
    async fn leave(&self, namespace: &str, error: &DeployError, turn: Option<Turn>) {
        match error {
            // The newer `up` has the environment now; nothing of it is touched any more.
            DeployError::Superseded { .. } => return,
            // Half-done is what `starting` says already.
            DeployError::Interrupted { .. } => {}
            _ => drop(self.set_state(namespace, labels::STATE_FAILED).await),
        }
        if let Some(turn) = turn {
            drop(turn.give_back(self.cluster).await);
        }
    }

    /// Makes or marks the namespace: from here on everybody can see that something is going on.
    async fn begin(&self, survey: &Survey, marks: &Marks) -> Result<(), DeployError> {
        let Some((state, _)) = marks.states else {
            return Ok(());
        };
        let namespace = survey
            .plan
            .guardrails
            .first()
            .expect("the guardrails begin with the namespace");
        if namespace.action == Action::Keep {
            self.set_state(&survey.plan.namespace, state).await?;
        } else {
            let mut object = namespace.object.clone();
            object.set_annotation(labels::STATE, state);
            self.cluster.apply(&object).await?;
        }
        let binding = survey.plan.guardrails.iter().find(|change| {
            change.id.kind == "RoleBinding" && change.id.name == guardrails::access::DEPLOYER
        });
        if let Some(binding) = binding.filter(|binding| binding.action != Action::Keep) {
            access::grant(self.cluster, &binding.object, self.deadline()).await?;
        }
        Ok(())
    }

    /// Writes down what was made, and that it runs.
    async fn finish(
        &self,
        environment: &Environment,
        survey: &Survey,
        digests: &BTreeMap<String, String>,
        marks: &Marks,
    ) -> Result<(), DeployError> {
        let record = Record {
            version: 1,
            written_by: env!("CARGO_PKG_VERSION").to_owned(),
            environment: environment.clone(),
            digests: digests.clone(),
            waves: environment.waves(),
            inventory: survey
                .plan
                .changes()
                .filter(|change| !change.is_spent())
                .map(|change| change.id.clone())
                .collect(),
        };
        let write_record = async {
            let Some(kind) = marks
                .record
                .filter(|_| survey.record.as_ref() != Some(&record))
            else {
                return Ok(());
            };
            self.cluster.apply(&record.object(kind)).await.map(drop)
        };
        let mark = async {
            match marks.states {
                Some((_, state)) => self.set_state(&environment.identity.namespace, state).await,
                None => Ok(()),
            }
        };
        futures::try_join!(write_record, mark)?;
        Ok(())
    }

    async fn set_state(&self, namespace: &str, state: &str) -> Result<(), ClusterError> {
        let patch = json!({"metadata": {"annotations": {
            labels::STATE: state,
            labels::LAST_UPDATED: rfc3339(jiff::Timestamp::now()),
        }}});
        let id = live::namespace_id(namespace);
        self.cluster.merge(&id, &patch).await.map(drop)
    }

    /// Brings back what the record says, after the new version did not come up.
    async fn restore(&self, environment: &Environment, previous: Option<Record>) -> Restored {
        let Some(record) = previous else {
            return Restored::NothingBefore;
        };
        if record.environment == *environment {
            return Restored::SameAsBefore;
        }
        self.progress.clear();
        self.progress.step("restoring the version before");
        let again = Deployer {
            options: Options {
                // The clock has run since the beginning.
                timeout: self.progress.elapsed()
                    + self.options.timeout.min(Duration::from_secs(180)),
                rollback: false,
                check_url: false,
                keep_volumes: true,
                ..Options::default()
            },
            ..*self
        };
        let ended = async {
            // What was put into the databases is there: seeds do not run for a version that ran before.
            let again_without_seeds = Environment {
                seeds: Vec::new(),
                ..record.environment.clone()
            };
            let composition = compose(&again_without_seeds, self.settings, self.chart).await?;
            let namespace = again.namespace(&record.environment).await?;
            let survey = again
                .survey(&record.environment, composition, namespace)
                .await?;
            again.carry_out(&record.environment, survey, &UP).await
        };
        match Box::pin(ended).await {
            Ok(_) => Restored::Yes {
                commit: record.environment.identity.commit,
            },
            Err(error) => Restored::Failed(Box::new(error)),
        }
    }
}
