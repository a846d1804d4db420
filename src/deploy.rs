//! `up`: carries a plan out, wave by wave, watches the components come up, and says the cause when they do not.
//!
//! Every step may be repeated: what is already there is not written again, so that a run which was ended at any moment
//! is finished by the next one.

pub mod failure;
pub mod lease;
pub mod live;
pub mod ready;
pub mod record;
pub mod rollout;
pub mod url;

use std::{collections::BTreeMap, time::Duration};

use serde_json::json;
use tokio::time::Instant;

use crate::{
    cluster::{Cluster, ClusterError, facts, observe::Observer},
    desired::{Composition, Stamps, compose, rfc3339},
    guardrails::ClusterFacts,
    lifecycle,
    model::{Environment, labels, object::Object, operator::Operator, settings::PlatformSettings},
    plan::{Action, Live, Plan},
    progress::Progress,
    render::chart::ChartSource,
    signal,
};
use failure::{DeployError, Restored};
use lease::Turn;
use record::Record;
use rollout::Rollout;

/// How an environment is brought up.
#[derive(Clone, Debug)]
pub struct Options {
    /// Longest that it may take.
    pub timeout: Duration,
    /// Whether the version before is restored when the new one does not come up.
    pub rollback: bool,
    /// Whether the URL is asked in the end.
    pub check_url: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(600),
            rollback: true,
            check_url: true,
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
    /// What will be done without, in words.
    pub warnings: Vec<String>,
}

impl Deployer<'_> {
    /// Brings the environment up and waits until its URL answers.
    ///
    /// # Errors
    /// The cause, and what state the environment was left in.
    pub async fn up(
        &self,
        environment: &Environment,
        composition: Composition,
    ) -> Result<Outcome, DeployError> {
        let deadline = Instant::now() + self.options.timeout;
        let mut namespace = self.namespace(environment).await?;
        if namespace.as_ref().is_some_and(live::is_terminating) {
            self.wait_until_gone(environment, deadline).await?;
            namespace = None;
        }
        let survey = self.survey(environment, composition, namespace).await?;
        for warning in &survey.warnings {
            self.progress.step(&format!("warning: {warning}"));
        }
        let previous = survey.record.clone();
        match self.carry_out(environment, survey, deadline).await {
            Err(DeployError::Broken { causes, .. }) if self.options.rollback => {
                let restored = self.restore(environment, previous).await;
                Err(DeployError::Broken { causes, restored })
            }
            ended => ended,
        }
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
        let secrets = composition.add_credentials(environment)?;
        let stamps = Stamps::new(namespace.as_ref(), jiff::Timestamp::now());
        let mut desired = composition.desired(environment, self.settings, &facts, &stamps);
        let all = desired.guardrails.iter().chain(&desired.objects);
        let name = &environment.identity.namespace;
        let (live, unknown) = live::read(self.cluster, name, namespace.is_some(), all).await?;
        // Priority classes are the platform's; one that is there is left as it is.
        desired
            .guardrails
            .retain(|object| object.kind() != "PriorityClass" || !live.contains_key(&object.id()));
        // So are credentials: databases that exist were made with them.
        desired
            .objects
            .retain(|object| !(secrets.contains(&object.id()) && live.contains_key(&object.id())));
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
        Ok(Survey {
            plan: Plan::new(environment, desired, &live),
            namespace,
            live,
            record,
            warnings,
        })
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
    async fn wait_until_gone(
        &self,
        environment: &Environment,
        deadline: Instant,
    ) -> Result<(), DeployError> {
        let name = &environment.identity.namespace;
        self.progress.step(&format!(
            "{name} is still being removed; waiting until it is gone"
        ));
        let gone = lifecycle::wait_until_gone(self.cluster, name, |_| {});
        tokio::select! {
            gone = tokio::time::timeout_at(deadline, gone) => match gone {
                Ok(gone) => Ok(gone?),
                Err(_) => Err(DeployError::StillTerminating { namespace: name.clone() }),
            },
            signal = signal::next() => Err(DeployError::Interrupted { signal, up: Vec::new() }),
        }
    }

    /// Carries a plan out and waits until everything is up.
    async fn carry_out(
        &self,
        environment: &Environment,
        survey: Survey,
        deadline: Instant,
    ) -> Result<Outcome, DeployError> {
        let name = &environment.identity.namespace;
        let state = survey
            .namespace
            .as_ref()
            .and_then(|n| n.annotation(labels::STATE).map(str::to_owned));
        let writes = !survey.plan.is_empty();
        let finished = !writes && state.as_deref() == Some(labels::STATE_RUNNING);

        signal::expect();
        let mut turn = None;
        if writes {
            self.begin(&survey).await?;
            let commit = environment.identity.commit.as_deref();
            turn = Some(Turn::take(self.cluster, name, commit).await?);
        }
        let operators: Vec<Operator> = survey.plan.objects().filter_map(Operator::of).collect();
        let mut rollout = Rollout {
            deployer: self,
            environment,
            observer: Observer::with_operators(self.cluster, name, &operators),
            turn: turn.as_ref(),
            deadline,
            generations: BTreeMap::new(),
            refusals: Vec::new(),
            times: BTreeMap::new(),
        };
        let ended = rollout.run(&survey).await;
        let digests = rollout.digests();
        let times = std::mem::take(&mut rollout.times);
        drop(rollout);

        if let Err(error) = ended {
            self.leave(name, &error, turn).await;
            return Err(error);
        }
        if !finished {
            self.finish(environment, &survey, &digests).await?;
        }
        if let Some(turn) = turn {
            turn.give_back(self.cluster).await?;
        }
        Ok(Outcome {
            changed: writes,
            times,
            digests,
            warnings: survey.warnings,
        })
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
    async fn begin(&self, survey: &Survey) -> Result<(), DeployError> {
        let namespace = survey
            .plan
            .guardrails
            .first()
            .expect("the guardrails begin with the namespace");
        if namespace.action == Action::Keep {
            self.set_state(&survey.plan.namespace, labels::STATE_STARTING)
                .await?;
        } else {
            let mut object = namespace.object.clone();
            object.set_annotation(labels::STATE, labels::STATE_STARTING);
            self.cluster.apply(&object).await?;
        }
        Ok(())
    }

    /// Writes down what was made, and that it runs.
    async fn finish(
        &self,
        environment: &Environment,
        survey: &Survey,
        digests: &BTreeMap<String, String>,
    ) -> Result<(), DeployError> {
        let record = Record {
            version: 1,
            written_by: env!("CARGO_PKG_VERSION").to_owned(),
            environment: environment.clone(),
            digests: digests.clone(),
            waves: environment.waves(),
            inventory: survey.plan.changes().map(|c| c.id.clone()).collect(),
        };
        let write_record = async {
            if survey.record.as_ref() == Some(&record) {
                return Ok(());
            }
            self.cluster.apply(&record.object()).await.map(drop)
        };
        let mark = self.set_state(&environment.identity.namespace, labels::STATE_RUNNING);
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
        self.progress.step("restoring the version before");
        let again = Deployer {
            options: Options {
                timeout: self.options.timeout.min(Duration::from_secs(180)),
                rollback: false,
                check_url: false,
            },
            cluster: self.cluster,
            settings: self.settings,
            chart: self.chart,
            progress: self.progress,
        };
        let ended = async {
            let composition = compose(&record.environment, self.settings, self.chart).await?;
            let deadline = Instant::now() + again.options.timeout;
            let namespace = again.namespace(&record.environment).await?;
            let survey = again
                .survey(&record.environment, composition, namespace)
                .await?;
            again.carry_out(&record.environment, survey, deadline).await
        };
        match Box::pin(ended).await {
            Ok(_) => Restored::Yes {
                commit: record.environment.identity.commit,
            },
            Err(error) => Restored::Failed(Box::new(error)),
        }
    }
}
