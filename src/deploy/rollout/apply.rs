//! Writing: objects are applied, and removed when nothing wants them any more.

use std::collections::BTreeMap;

use futures::future::join_all;

use super::{Rollout, Waited};
use crate::{
    cluster::ClusterError,
    deploy::{Survey, failure::DeployError},
    diagnose::Refusal,
    model::object::{Object, ObjectId},
    plan::{Action, Change, ComponentPlan, seed},
};

/// How the API server took an object.
enum Applied {
    /// It is there, with this generation.
    Generation(ObjectId, i64),
    /// It was refused.
    Refused(Refusal),
}

impl Rollout<'_> {
    /// Applies the objects of a wave: first what pods need, then the workloads.
    pub(super) async fn start(
        &mut self,
        wave: &[ComponentPlan],
        survey: &Survey,
    ) -> Result<(), DeployError> {
        self.retire(wave).await?;
        let all = wave.iter().flat_map(|component| {
            component
                .changes
                .iter()
                .map(|change| (component.name.as_str(), change))
        });
        let (workloads, rest): (Vec<_>, Vec<_>) = all.partition(|(_, change)| change.is_workload());
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

    /// Deletes the Jobs of seeds that run again, and waits until nothing of their last run is left.
    async fn retire(&mut self, wave: &[ComponentPlan]) -> Result<(), DeployError> {
        let mut retired = Vec::new();
        for component in wave {
            for change in &component.changes {
                if change.action == Action::Replace && seed::is_of_seed(&change.object) {
                    self.deployer.cluster.delete(&change.id, None).await?;
                    retired.push((change.id.name.as_str(), component.name.as_str()));
                }
            }
        }
        if retired.is_empty() {
            return Ok(());
        }
        let deadline = self.deadline;
        let gone = |rollout: &mut Self| {
            let progress = rollout.deployer.progress;
            let left = retired.iter().filter(|(name, component)| {
                progress.state(component, "waiting until its last run is gone");
                !rollout.is_gone(name, component)
            });
            left.count() == 0
        };
        match self.wait(deadline, gone).await? {
            Waited::Done => Ok(()),
            Waited::TimedOut => Err(self.broken(None).await),
        }
    }

    pub(super) async fn apply(
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

    pub(super) async fn stop_if_refused(&mut self) -> Result<(), DeployError> {
        if self.refusals.is_empty() {
            Ok(())
        } else {
            Err(self.broken(None).await)
        }
    }

    /// Removes what left the file, now that what replaces it is up, and what seeds that have run no longer need.
    pub(super) async fn prune(&self, survey: &Survey) -> Result<(), DeployError> {
        for id in &survey.plan.prune {
            self.deployer.progress.step(&format!("removing {id}"));
        }
        let cluster = self.deployer.cluster;
        let spent = survey.plan.changes().filter(|change| change.is_spent());
        let all = survey
            .plan
            .prune
            .iter()
            .chain(spent.map(|change| &change.id));
        let ended = join_all(all.map(|id| cluster.delete(id, None))).await;
        for one in ended {
            one?;
        }
        Ok(())
    }
}
