//! One run through a plan: apply, wait, prune, ask the URL.

mod apply;
mod quota;
mod removal;
mod watch;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use futures::future::join_all;
use tokio::time::Instant;

use super::{
    Deployer, Survey,
    failure::{DeployError, Restored},
    lease::{Holder, Turn, Work},
    url,
};
use crate::{
    cluster::{ClusterError, facts, logs, observe::Observer},
    diagnose::{self, Refusal, UrlCheck},
    model::{
        Environment,
        object::{Object, ObjectId},
    },
    plan::ComponentPlan,
};

/// Longest that the URL may take to answer once every pod does.
const URL_LIMIT: Duration = Duration::from_secs(60);

pub(super) struct Rollout<'a> {
    pub(super) deployer: &'a Deployer<'a>,
    pub(super) environment: &'a Environment,
    pub(super) observer: Observer,
    pub(super) turn: Option<&'a Turn>,
    pub(super) deadline: Instant,
    /// What each workload was when it was applied last; it is up when it is that or newer.
    pub(super) applied: BTreeMap<ObjectId, Version>,
    /// Components whose turn is yet to come: what runs of them is of the version before, and says nothing of this one.
    pub(super) ahead: BTreeSet<String>,
    pub(super) refusals: Vec<Refusal>,
    pub(super) times: BTreeMap<String, Duration>,
}

/// Which object it is, and which generation of it: one that was deleted and made anew counts from the start.
#[derive(Clone, Debug, Default)]
pub(super) struct Version {
    uid: String,
    generation: i64,
}

impl Version {
    pub(super) fn of(object: &Object) -> Self {
        let generation = object.get("/metadata/generation").and_then(|g| g.as_i64());
        Self {
            uid: object.str("/metadata/uid").unwrap_or_default().to_owned(),
            generation: generation.unwrap_or(0),
        }
    }
}

/// How waiting for something ended.
enum Waited {
    /// It is so.
    Done,
    /// The time is up.
    TimedOut,
}

impl Rollout<'_> {
    pub(super) async fn run(&mut self, survey: &Survey) -> Result<(), DeployError> {
        let meanwhile = self.apply_guardrails(survey).await?;
        let components = survey.plan.waves.iter().flatten();
        self.ahead = components.map(|component| component.name.clone()).collect();
        for wave in &survey.plan.waves {
            for component in wave {
                self.ahead.remove(&component.name);
            }
            self.start(wave, survey).await?;
            if self.deployer.options.wait {
                self.wait_for(&workloads(wave)).await?;
            }
        }
        self.prune(survey).await?;
        self.prune_data(survey).await?;
        if meanwhile {
            self.apply_final_quota(survey).await?;
        }
        if self.deployer.options.check_url {
            self.check_urls().await?;
        }
        match self.superseded() {
            Some(by) => Err(DeployError::Superseded { by }),
            None => Ok(()),
        }
    }

    /// Waits until every workload is up, or until one of them never will be.
    pub(super) async fn wait_for(
        &mut self,
        workloads: &[(String, ObjectId)],
    ) -> Result<(), DeployError> {
        let mut hopeless = false;
        let deadline = self.deadline;
        let ended = self
            .wait(deadline, |rollout| {
                let up = rollout.show(workloads);
                hopeless = !up
                    && workloads.iter().all(|(_, id)| rollout.is_settled(id))
                    && diagnose::fatal(rollout.environment, &rollout.observed(None)).is_some();
                up || hopeless
            })
            .await?;
        match ended {
            Waited::Done if !hopeless => Ok(()),
            _ => Err(self.broken(None).await),
        }
    }

    /// Waits until `done` says so, looking again at every change; ends early when somebody else takes over.
    async fn wait(
        &mut self,
        deadline: Instant,
        mut done: impl FnMut(&mut Self) -> bool,
    ) -> Result<Waited, DeployError> {
        loop {
            if let Some(by) = self.superseded() {
                return Err(DeployError::Superseded { by });
            }
            if done(self) {
                return Ok(Waited::Done);
            }
            tokio::select! {
                changed = self.observer.changed() => changed?,
                () = tokio::time::sleep_until(deadline) => return Ok(Waited::TimedOut),
            }
        }
    }

    /// Waits for something of the cluster's, within the time there is.
    pub(super) async fn in_time<T>(
        &self,
        work: impl Future<Output = Result<T, ClusterError>>,
    ) -> Result<T, DeployError> {
        tokio::select! {
            done = work => Ok(done?),
            () = tokio::time::sleep_until(self.deadline) => Err(self.broken(None).await),
        }
    }

    /// Told to stop: everything that was written may be written again, so that it can be left where it is.
    pub(super) fn interrupted(&self, signal: &'static str, work: Work) -> DeployError {
        DeployError::Interrupted {
            signal,
            work,
            namespace: self.environment.identity.namespace.clone(),
            up: self.times.keys().cloned().collect(),
        }
    }

    pub(super) fn superseded(&self) -> Option<Holder> {
        self.turn?.taken_by(&self.observer)
    }

    async fn check_urls(&mut self) -> Result<(), DeployError> {
        let deadline = self.deadline.min(Instant::now() + URL_LIMIT);
        let settings = self.deployer.settings;
        let targets = url::targets(self.environment);
        let progress = self.deployer.progress;
        let asked = join_all(targets.iter().map(|target| async move {
            progress.state(&target.service, &format!("asking {}", target.url));
            (target, url::wait(target, settings, deadline).await)
        }));
        let mut failed = None;
        for (target, answer) in asked.await {
            match answer {
                Ok(status) => {
                    progress.done(&target.service, &format!("{} answers {status}", target.url))
                }
                Err(check) => failed = Some(check),
            }
        }
        match failed {
            None => Ok(()),
            Some(check) => Err(self.broken(Some(check)).await),
        }
    }

    /// Finds out why, with the ends of the logs of what is not ready.
    async fn broken(&self, url_check: Option<UrlCheck>) -> DeployError {
        let mut observed = self.observed(url_check);
        let cluster = self.deployer.cluster;
        let namespace = &self.environment.identity.namespace;
        (observed.logs, observed.secrets) = futures::join!(
            logs::tails(cluster, &observed.pods),
            facts::secret_values(cluster, namespace)
        );
        DeployError::Broken {
            causes: diagnose::diagnose(self.environment, &observed),
            restored: Restored::NotTried,
            logs: observed.shown_logs(),
        }
    }
}

/// The workloads of a wave, each with its component.
fn workloads(wave: &[ComponentPlan]) -> Vec<(String, ObjectId)> {
    let changes = wave.iter().flat_map(|component| {
        let of_component = component.changes.iter();
        of_component
            .filter(|change| change.is_workload())
            .map(|change| (component.name.clone(), change.id.clone()))
    });
    changes.collect()
}
