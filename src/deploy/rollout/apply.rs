//! Writing: objects are applied, and removed when nothing wants them any more.

use std::collections::BTreeMap;

use futures::future::join_all;

use super::Rollout;
use crate::{
    cluster::ClusterError,
    deploy::{Survey, failure::DeployError},
    diagnose::Refusal,
    model::object::{Object, ObjectId},
    plan::{self, Action, Change, ComponentPlan},
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
        let all = wave.iter().flat_map(|component| {
            component
                .changes
                .iter()
                .map(|change| (component.name.as_str(), change))
        });
        let (workloads, rest): (Vec<_>, Vec<_>) =
            all.partition(|(_, change)| plan::is_workload(&change.id));
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

    /// Removes what left the file, now that what replaces it is up.
    pub(super) async fn prune(&self, survey: &Survey) -> Result<(), DeployError> {
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
}
