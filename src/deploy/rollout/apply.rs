//! Writing: objects are applied, and refusals kept for the diagnosis.

use futures::future::join_all;

use super::{Rollout, Version, Waited};
use crate::{
    cluster::ClusterError,
    deploy::{Survey, failure::DeployError},
    diagnose::Refusal,
    model::object::ObjectId,
    plan::{Action, Change, ComponentPlan, Live, seed},
};

/// How the API server took an object.
enum Applied {
    /// It is there, in this version.
    Version(ObjectId, Version),
    /// It was refused.
    Refused(Refusal),
}

impl Rollout<'_> {
    /// Applies the objects of a wave: first what pods need, then the workloads. Volumes grow before the workloads that
    /// say so.
    pub(super) async fn start(
        &mut self,
        wave: &[ComponentPlan],
        survey: &Survey,
    ) -> Result<(), DeployError> {
        self.retire(wave).await?;
        let growing: Vec<(&str, Change)> = survey
            .plan
            .volumes
            .iter()
            .filter(|volume| wave.iter().any(|c| c.name == volume.component))
            .filter_map(|volume| Some((volume.component.as_str(), volume.change()?)))
            .collect();
        let growing = growing
            .iter()
            .map(|(component, change)| (*component, change));
        let all = wave.iter().flat_map(|component| {
            component
                .changes
                .iter()
                .map(|change| (component.name.as_str(), change))
        });
        let (workloads, rest): (Vec<_>, Vec<_>) = all
            .chain(growing)
            .partition(|(_, change)| change.is_workload());
        for group in [rest, workloads] {
            let applied =
                join_all(group.iter().map(|(component, change)| {
                    self.apply_one(change, Some(*component), &survey.live)
                }))
                .await;
            for one in applied {
                self.note(one?);
            }
            self.stop_if_refused().await?;
        }
        Ok(())
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
        let nothing = Live::new();
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
            Applied::Version(id, version) => drop(self.applied.insert(id, version)),
            Applied::Refused(refusal) => self.refusals.push(refusal),
        }
    }

    async fn apply_one(
        &self,
        change: &Change,
        component: Option<&str>,
        live: &Live,
    ) -> Result<Applied, DeployError> {
        let cluster = self.deployer.cluster;
        if let Some(by) = self.superseded() {
            return Err(DeployError::Superseded { by });
        }
        let there = live.get(&change.id);
        let applied = match change.action {
            Action::Keep => {
                let version = there.map(Version::of).unwrap_or_default();
                return Ok(Applied::Version(change.id.clone(), version));
            }
            Action::Complete => {
                let patch = change.object.as_value();
                let completed = cluster.merge(&change.id, &patch).await;
                completed.map(|object| object.unwrap_or_else(|| change.object.clone()))
            }
            Action::Replace => {
                self.clear_the_way(change, live).await?;
                cluster.apply(&change.object).await
            }
            Action::Create | Action::Update => cluster.apply(&change.object).await,
        };
        let refused = |code, reason, message| {
            Ok(Applied::Refused(Refusal {
                object: change.id.clone(),
                component: component.map(str::to_owned),
                code,
                reason,
                message,
            }))
        };
        match applied {
            Ok(object) => Ok(Applied::Version(change.id.clone(), Version::of(&object))),
            Err(ClusterError::Refused {
                code,
                reason,
                message,
                ..
            }) => refused(code, reason, message),
            Err(ClusterError::Forbidden { message, .. }) => {
                refused(403, "Forbidden".to_owned(), message)
            }
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
}
