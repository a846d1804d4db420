//! One run through a plan: apply, wait, prune, ask the URL.

mod apply;
mod quota;
mod watch;

use std::{collections::BTreeMap, time::Duration};

use futures::future::join_all;
use tokio::time::Instant;

use super::{
    Deployer, Survey,
    failure::{DeployError, Restored},
    lease::Turn,
    url,
};
use crate::{
    cluster::{facts, logs, observe::Observer},
    diagnose::{self, Refusal, UrlCheck},
    model::{Environment, object::ObjectId},
    plan::{self, ComponentPlan},
    signal,
};

/// Longest that the URL may take to answer once every pod does.
const URL_LIMIT: Duration = Duration::from_secs(60);

pub(super) struct Rollout<'a> {
    pub(super) deployer: &'a Deployer<'a>,
    pub(super) environment: &'a Environment,
    pub(super) observer: Observer,
    pub(super) turn: Option<&'a Turn>,
    pub(super) deadline: Instant,
    /// The generation that each workload must have reached.
    pub(super) generations: BTreeMap<ObjectId, i64>,
    pub(super) refusals: Vec<Refusal>,
    pub(super) times: BTreeMap<String, Duration>,
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
        for wave in &survey.plan.waves {
            self.start(wave, survey).await?;
            self.wait_for_wave(wave).await?;
        }
        self.prune(survey).await?;
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

    /// Waits until every workload of a wave is up, or until one of them never will be.
    async fn wait_for_wave(&mut self, wave: &[ComponentPlan]) -> Result<(), DeployError> {
        let workloads: Vec<(String, ObjectId)> = wave
            .iter()
            .flat_map(|component| {
                let of_component = component.changes.iter();
                of_component
                    .filter(|change| plan::is_workload(&change.id))
                    .map(|change| (component.name.clone(), change.id.clone()))
            })
            .collect();
        let mut hopeless = false;
        let deadline = self.deadline;
        let ended = self
            .wait(deadline, |rollout| {
                let up = rollout.show(&workloads);
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

    /// Waits until `done` says so, looking again at every change; ends early when somebody else takes over or a signal
    /// comes.
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
                signal = signal::next() => {
                    let up = self.times.keys().cloned().collect();
                    return Err(DeployError::Interrupted { signal, up });
                }
            }
        }
    }

    fn superseded(&self) -> Option<String> {
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
        let answers = tokio::select! {
            answers = asked => answers,
            signal = signal::next() => {
                let up = self.times.keys().cloned().collect();
                return Err(DeployError::Interrupted { signal, up });
            }
        };
        let mut failed = None;
        for (target, answer) in answers {
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
        }
    }
}
