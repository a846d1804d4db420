//! One run through a plan: apply, wait, prune, ask the URL.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use futures::future::join_all;
use k8s_openapi::api::{
    apps::v1::{Deployment, ReplicaSet},
    core::v1::Pod,
};
use tokio::time::Instant;

use super::{
    Deployer, Survey,
    failure::{DeployError, Restored},
    lease::Turn,
    ready::{self, Readiness},
    url,
};
use crate::{
    cluster::{ClusterError, facts, logs, observe::Observer, path::Collection},
    desired::ComposeError,
    diagnose::{self, Observed, Refusal, UrlCheck},
    model::{
        Environment,
        object::{Object, ObjectId},
    },
    plan::{self, Action, Change, ComponentPlan},
    quantity, quota, signal,
};

/// Longest that the URL may take to answer once every pod does.
const URL_LIMIT: Duration = Duration::from_secs(60);

/// Longest to wait until the quota's controller has counted.
const QUOTA_LIMIT: Duration = Duration::from_secs(10);

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

    /// Applies what surrounds the components. While old and new pods run side by side the quota has room for both;
    /// whether it has to be lowered in the end is returned.
    async fn apply_guardrails(&mut self, survey: &Survey) -> Result<bool, DeployError> {
        let meanwhile = self.quota_meanwhile(survey).await?;
        let changes: Vec<Change> = survey
            .plan
            .guardrails
            .iter()
            .skip(1)
            .map(|change| {
                let mut change = change.clone();
                if let Some(quota) = meanwhile
                    .as_ref()
                    .filter(|_| change.id.kind == "ResourceQuota")
                {
                    change.object.as_map_mut()["spec"]["hard"] =
                        serde_json::json!(quota.hard_strings());
                    change.action = Action::Update;
                }
                change
            })
            .collect();
        self.apply(&changes, None).await?;
        self.stop_if_refused().await?;
        let quota = changes
            .iter()
            .find(|change| change.id.kind == "ResourceQuota" && change.action != Action::Keep);
        if let Some(quota) = quota {
            self.wait_for_quota(&quota.object).await?;
        }
        Ok(meanwhile.is_some())
    }

    /// The quota for as long as old and new pods run side by side; none when the final one has room for that.
    async fn quota_meanwhile(&self, survey: &Survey) -> Result<Option<quota::Quota>, DeployError> {
        let plan = &survey.plan;
        if plan.is_empty() || survey.namespace.is_none() {
            return Ok(None);
        }
        let pods = Collection {
            api_version: "v1",
            kind: "Pod",
            namespace: Some(&plan.namespace),
        };
        let pods = self.deployer.cluster.list(&pods, "").await?;
        let stays = |pod: &Object| {
            let leaving = pod.str("/metadata/deletionTimestamp").is_some();
            let finished = matches!(pod.str("/status/phase"), Some("Succeeded" | "Failed"));
            finished
                || !leaving
                    && pod
                        .component()
                        .is_some_and(|component| plan.keeps(component))
        };
        let present = survey
            .live
            .values()
            .filter(|object| object.component().is_some() || plan.prune.contains(&object.id()));
        let old: Vec<Object> = pods
            .into_iter()
            .flatten()
            .filter(|pod| !stays(pod))
            .chain(present.cloned())
            .collect();
        let new: Vec<Object> = plan.objects().cloned().collect();
        let settings = self.deployer.settings;
        let meanwhile = quota::during_rollout(&old, &new, &settings.limits, &settings.quota)
            .map_err(ComposeError::from)?;
        let differs = meanwhile.hard_strings() != plan.quota.hard_strings();
        Ok(differs.then_some(meanwhile))
    }

    async fn apply_final_quota(&mut self, survey: &Survey) -> Result<(), DeployError> {
        for change in &survey.plan.guardrails {
            if change.id.kind == "ResourceQuota" {
                self.deployer.cluster.apply(&change.object).await?;
            }
        }
        Ok(())
    }

    /// Pods are refused until the quota's controller has counted once, and the next try takes it a second; so the
    /// first one waits. Should it never count, the pods say so.
    async fn wait_for_quota(&mut self, applied: &Object) -> Result<(), DeployError> {
        let limit = self.deadline.min(Instant::now() + QUOTA_LIMIT);
        let wanted: BTreeMap<String, quantity::Quantity> = applied
            .get("/spec/hard")
            .and_then(|hard| serde_json::from_value(hard.clone()).ok())
            .unwrap_or_default();
        self.wait(limit, |rollout| {
            let quotas = rollout.observer.quotas.state();
            let counted = quotas
                .iter()
                .find(|quota| quota.metadata.name.as_deref() == Some(applied.name()))
                .and_then(|quota| quota.status.as_ref()?.hard.as_ref());
            // Compared as amounts: the API server writes them in its own way.
            counted.is_some_and(|counted| {
                let amount = |resource: &String| counted.get(resource)?.0.parse().ok();
                wanted
                    .iter()
                    .all(|(resource, wanted)| amount(resource) == Some(*wanted))
            })
        })
        .await
        .map(drop)
    }

    /// Applies the objects of a wave: first what pods need, then the workloads.
    async fn start(&mut self, wave: &[ComponentPlan], survey: &Survey) -> Result<(), DeployError> {
        let all = wave.iter().flat_map(|component| {
            component
                .changes
                .iter()
                .map(|change| (component.name.as_str(), change))
        });
        let (workloads, rest): (Vec<_>, Vec<_>) =
            all.partition(|(_, change)| plan::is_workload(&change.id.kind));
        for group in [rest, workloads] {
            let applied =
                join_all(group.iter().map(|(component, change)| {
                    self.apply_one(change, Some(*component), &survey.live)
                }))
                .await;
            for one in applied {
                self.note(one?);
            }
        }
        self.stop_if_refused().await
    }

    async fn apply(
        &mut self,
        changes: &[Change],
        component: Option<&str>,
    ) -> Result<(), DeployError> {
        let nothing = BTreeMap::new();
        let applied = join_all(
            changes
                .iter()
                .map(|change| self.apply_one(change, component, &nothing)),
        )
        .await;
        for one in applied {
            self.note(one?);
        }
        Ok(())
    }

    fn note(&mut self, applied: Applied) {
        match applied {
            Applied::Generation(id, generation) => drop(self.generations.insert(id, generation)),
            Applied::Refused(refusal) => self.refusals.push(refusal),
        }
    }

    async fn apply_one(
        &self,
        change: &Change,
        component: Option<&str>,
        live: &BTreeMap<ObjectId, Object>,
    ) -> Result<Applied, DeployError> {
        let cluster = self.deployer.cluster;
        let generation = |object: &Object| {
            object
                .get("/metadata/generation")
                .and_then(serde_json::Value::as_i64)
                .unwrap_or(0)
        };
        if let Some(by) = self.superseded() {
            return Err(DeployError::Superseded { by });
        }
        let applied = match change.action {
            Action::Keep => {
                let there = live.get(&change.id).map_or(0, generation);
                return Ok(Applied::Generation(change.id.clone(), there));
            }
            Action::Replace => {
                cluster.delete(&change.id, None).await?;
                cluster.apply(&change.object).await
            }
            Action::Create | Action::Update => cluster.apply(&change.object).await,
        };
        match applied {
            Ok(object) => Ok(Applied::Generation(change.id.clone(), generation(&object))),
            Err(ClusterError::Refused {
                code,
                reason,
                message,
                ..
            }) => Ok(Applied::Refused(Refusal {
                object: change.id.clone(),
                component: component.map(str::to_owned),
                code,
                reason,
                message,
            })),
            Err(ClusterError::Forbidden { message, .. }) => Ok(Applied::Refused(Refusal {
                object: change.id.clone(),
                component: component.map(str::to_owned),
                code: 403,
                reason: "Forbidden".to_owned(),
                message,
            })),
            Err(error) => Err(error.into()),
        }
    }

    async fn stop_if_refused(&mut self) -> Result<(), DeployError> {
        if self.refusals.is_empty() {
            Ok(())
        } else {
            Err(self.broken(None).await)
        }
    }

    /// Waits until every workload of a wave is up, or until one of them never will be.
    async fn wait_for_wave(&mut self, wave: &[ComponentPlan]) -> Result<(), DeployError> {
        let workloads: Vec<(String, ObjectId)> = wave
            .iter()
            .flat_map(|component| {
                let of_component = component.changes.iter();
                of_component
                    .filter(|change| plan::is_workload(&change.id.kind))
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

    /// Shows the state of each workload; true when all are up.
    fn show(&mut self, workloads: &[(String, ObjectId)]) -> bool {
        let mut all = true;
        for (component, id) in workloads {
            match self.readiness(id, component) {
                Readiness::Up => {
                    if !self.times.contains_key(component) {
                        let elapsed = self.deployer.progress.elapsed();
                        self.times.insert(component.clone(), elapsed);
                        self.deployer.progress.done(component, "up");
                    }
                }
                Readiness::Waiting(what) => {
                    self.deployer.progress.state(component, &what);
                    all = false;
                }
            }
        }
        all
    }

    fn readiness(&self, id: &ObjectId, component: &str) -> Readiness {
        let generation = self.generations.get(id).copied().unwrap_or(0);
        let pods = self.observer.pods.state();
        let pods: Vec<&Pod> = pods
            .iter()
            .map(Arc::as_ref)
            .filter(|pod| ready::component_of(pod) == Some(component))
            .collect();
        if id.kind == "Deployment" {
            let deployment = self.deployment(&id.name);
            ready::deployment(deployment.as_deref(), generation, &pods)
        } else {
            let sets = self.observer.stateful_sets.state();
            let set = sets
                .iter()
                .find(|set| set.metadata.name.as_deref() == Some(&id.name));
            ready::stateful_set(set.map(Arc::as_ref), generation, &pods)
        }
    }

    fn deployment(&self, name: &str) -> Option<Arc<Deployment>> {
        let deployments = self.observer.deployments.state();
        deployments
            .into_iter()
            .find(|deployment| deployment.metadata.name.as_deref() == Some(name))
    }

    /// Whether what the watches show is about the version that we applied: before that, the faults of the version
    /// before would be taken for those of the new one.
    fn is_settled(&self, id: &ObjectId) -> bool {
        const REVISION: &str = "deployment.kubernetes.io/revision";
        if id.kind != "Deployment" {
            return true;
        }
        let Some(deployment) = self.deployment(&id.name) else {
            return false;
        };
        let generation = self.generations.get(id).copied();
        let observed = deployment
            .status
            .as_ref()
            .and_then(|s| s.observed_generation);
        let revision = |annotations: &Option<BTreeMap<String, String>>| {
            annotations
                .as_ref()
                .and_then(|all| all.get(REVISION).cloned())
        };
        let wanted = revision(&deployment.metadata.annotations);
        let owned = |set: &ReplicaSet| {
            let owners = set.metadata.owner_references.iter().flatten();
            owners
                .into_iter()
                .any(|owner| Some(&owner.uid) == deployment.metadata.uid.as_ref())
        };
        observed >= generation
            && wanted.is_some()
            && self
                .observer
                .replica_sets
                .state()
                .iter()
                .any(|set| owned(set) && revision(&set.metadata.annotations) == wanted)
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

    /// Removes what left the file, now that what replaces it is up.
    async fn prune(&self, survey: &Survey) -> Result<(), DeployError> {
        for id in &survey.plan.prune {
            self.deployer.progress.step(&format!("removing {id}"));
        }
        let cluster = self.deployer.cluster;
        let ended = join_all(survey.plan.prune.iter().map(|id| cluster.delete(id, None))).await;
        for one in ended {
            one?;
        }
        Ok(())
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

    fn observed(&self, url_check: Option<UrlCheck>) -> Observed {
        fn all<K: Clone>(state: Vec<Arc<K>>) -> Vec<K> {
            state.into_iter().map(|one| (*one).clone()).collect()
        }
        Observed {
            pods: all(self.observer.pods.state()),
            events: all(self.observer.events.state()),
            deployments: all(self.observer.deployments.state()),
            replica_sets: all(self.observer.replica_sets.state()),
            stateful_sets: all(self.observer.stateful_sets.state()),
            claims: all(self.observer.claims.state()),
            quotas: all(self.observer.quotas.state()),
            refusals: self.refusals.clone(),
            url_check,
            ..Observed::default()
        }
    }

    /// Image of each component by digest, as the nodes pulled it.
    pub(super) fn digests(&self) -> BTreeMap<String, String> {
        let services: BTreeSet<&str> = self
            .environment
            .services
            .iter()
            .map(|service| service.name.as_str())
            .collect();
        let pods = self.observer.pods.state();
        let ready = pods.iter().filter(|pod| ready::is_ready(pod));
        ready
            .filter_map(|pod| {
                let component = ready::component_of(pod).filter(|c| services.contains(c))?;
                let status = pod.status.as_ref()?.container_statuses.as_ref()?.first()?;
                Some((component.to_owned(), status.image_id.clone()))
            })
            .collect()
    }
}

enum Applied {
    Generation(ObjectId, i64),
    Refused(Refusal),
}
