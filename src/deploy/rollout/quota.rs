//! What surrounds the components, and the quota that has room for two versions while one replaces the other.

use std::{collections::BTreeMap, time::Duration};

use tokio::time::Instant;

use super::Rollout;
use crate::{
    cluster::path::Collection,
    deploy::{Survey, failure::DeployError},
    desired::ComposeError,
    model::object::Object,
    plan::{
        Action, Change,
        volumes::{self, is_claim},
    },
    quantity, quota,
};

/// Longest to wait until the quota's controller has counted.
const QUOTA_LIMIT: Duration = Duration::from_secs(10);

impl Rollout<'_> {
    /// Applies what surrounds the components. While old and new pods run side by side the quota has room for both;
    /// whether it has to be lowered in the end is returned.
    pub(super) async fn apply_guardrails(&mut self, survey: &Survey) -> Result<bool, DeployError> {
        let meanwhile = self.quota_meanwhile(survey).await?;
        let changes: Vec<Change> = survey
            .plan
            .guardrails
            .iter()
            .skip(1)
            .map(|change| {
                let mut change = change.clone();
                if let Some(hard) = meanwhile
                    .as_ref()
                    .filter(|_| change.id.kind == "ResourceQuota")
                {
                    change.object.as_map_mut()["spec"]["hard"] = serde_json::json!(hard);
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

    /// The bounds for as long as old and new pods run side by side; none when the final ones have room for that.
    async fn quota_meanwhile(
        &self,
        survey: &Survey,
    ) -> Result<Option<BTreeMap<String, String>>, DeployError> {
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
        // The quota leaves room for Secrets without counting them.
        let counts = |object: &&Object| object.kind() != "Secret";
        let old: Vec<Object> = pods
            .into_iter()
            .flatten()
            .filter(|pod| !stays(pod))
            .chain(present(survey).filter(|object| counts(&object)))
            .collect();
        let idle = plan.idle_volumes().filter_map(|id| survey.live.get(id));
        let new: Vec<Object> = plan
            .objects()
            .filter(counts)
            .cloned()
            .chain(idle.map(volumes::alone))
            .collect();
        let settings = self.deployer.settings;
        let meanwhile = quota::during_rollout(&old, &new, &settings.limits, &settings.quota)
            .map_err(ComposeError::from)?;
        Ok(meanwhile.above(&plan.quota))
    }

    pub(super) async fn apply_final_quota(&mut self, survey: &Survey) -> Result<(), DeployError> {
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
}

/// What is there of the components, each volume once: claims that are in use are counted by the StatefulSets that use
/// them, and those that nobody will use any more by themselves.
fn present(survey: &Survey) -> impl Iterator<Item = Object> {
    let plan = &survey.plan;
    let of_components = survey.live.values().filter(|object| {
        !is_claim(object) && (object.component().is_some() || plan.prune.contains(&object.id()))
    });
    of_components.map(|object| {
        let mut object = object.clone();
        if object.kind() == "StatefulSet"
            && plan.prune.contains(&object.id())
            && let Some(spec) = object.as_map_mut()["spec"].as_object_mut()
        {
            spec.remove("volumeClaimTemplates");
        }
        object
    })
}
