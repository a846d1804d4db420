//! Taking away: what left the file, what cannot be changed and is made anew, and data only when that was asked for. A
//! volume with data in it outlives the StatefulSet that it was made for.

use futures::future::{join_all, try_join_all};
use k8s_openapi::api::{
    apps::v1::StatefulSet,
    core::v1::{PersistentVolumeClaim, Pod},
};
use serde_json::json;

use super::Rollout;
use crate::{
    cluster::observe::until,
    deploy::{Survey, failure::DeployError},
    model::object::{Object, ObjectId},
    plan::{
        Change, Live,
        volumes::{Fate, is_claim},
    },
};

impl Rollout<'_> {
    /// Removes what left the file, now that what replaces it is up, and what seeds that have run no longer need.
    pub(super) async fn prune(&self, survey: &Survey) -> Result<(), DeployError> {
        for id in &survey.plan.prune {
            self.deployer.progress.step(&format!("removing {id}"));
        }
        let spent = survey.plan.changes().filter(|change| change.is_spent());
        let spent = spent.map(|change| &change.id);
        let ended = join_all(survey.plan.prune.iter().chain(spent).map(async |id| {
            if let Some(set) = survey.live.get(id) {
                self.keep_claims(set, &survey.live).await?;
            }
            self.deployer.cluster.delete(id, None).await?;
            Ok(())
        }))
        .await;
        ended.into_iter().collect()
    }

    /// Removes the volumes that nobody uses any more and the credentials to them, and waits until the volumes are gone:
    /// a claim stays for as long as a pod that is ending still uses it.
    pub(super) async fn prune_data(&self, survey: &Survey) -> Result<(), DeployError> {
        let removed = survey.plan.volumes.iter();
        let claims: Vec<&ObjectId> = removed
            .filter(|volume| volume.fate == Fate::Remove)
            .map(|volume| &volume.claim)
            .collect();
        let all = claims.iter().copied().chain(&survey.plan.forgotten);
        let ended = join_all(all.map(async |id| {
            self.deployer.progress.step(&format!("removing {id}"));
            self.deployer.cluster.delete(id, None).await
        }))
        .await;
        for one in ended {
            one?;
        }
        let cluster = self.deployer.cluster;
        let namespace = &survey.plan.namespace;
        let gone = claims.iter().map(async |id| {
            until::<PersistentVolumeClaim>(cluster, namespace, &id.name, |claim| claim.is_none())
                .await
        });
        self.in_time(try_join_all(gone)).await?;
        Ok(())
    }

    /// Removes an object that is to be made anew under the same name, and waits until it is gone. The pods of a
    /// StatefulSet go on running where the new one can take them over; its claims stay in any case.
    pub(super) async fn clear_the_way(
        &self,
        change: &Change,
        live: &Live,
    ) -> Result<(), DeployError> {
        let cluster = self.deployer.cluster;
        let (Some(set), "StatefulSet") = (live.get(&change.id), change.id.kind.as_str()) else {
            cluster.delete(&change.id, None).await?;
            return Ok(());
        };
        let namespace = &self.environment.identity.namespace;
        let name = set.name();
        if change.keeps_pods() {
            cluster.delete_alone(&change.id).await?;
        } else {
            self.keep_claims(set, live).await?;
            cluster.delete(&change.id, None).await?;
        }
        let uid = set.str("/metadata/uid");
        let other = |found: Option<&str>| found != uid;
        self.in_time(until::<StatefulSet>(cluster, namespace, name, |set| {
            other(set.and_then(|set| set.metadata.uid.as_deref()))
        }))
        .await?;
        if change.keeps_pods() {
            return Ok(());
        }
        // A pod of the one before would stand in the way of the new one's.
        let replicas = set.get("/spec/replicas").and_then(|n| n.as_u64());
        let gone = (0..replicas.unwrap_or(1)).map(async |number| {
            let pod = format!("{name}-{number}");
            until::<Pod>(cluster, namespace, &pod, |pod| {
                !pod.is_some_and(|pod| {
                    let owners = pod.metadata.owner_references.iter().flatten();
                    owners
                        .into_iter()
                        .any(|owner| Some(owner.uid.as_str()) == uid)
                })
            })
            .await
        });
        self.in_time(try_join_all(gone)).await?;
        Ok(())
    }

    /// Takes the claims out of a StatefulSet's hands that it would take with it when it is deleted.
    async fn keep_claims(&self, set: &Object, live: &Live) -> Result<(), DeployError> {
        const POLICY: &str = "/spec/persistentVolumeClaimRetentionPolicy/whenDeleted";
        if set.kind() != "StatefulSet" || set.str(POLICY) != Some("Delete") {
            return Ok(());
        }
        let uid = set.str("/metadata/uid");
        let cluster = self.deployer.cluster;
        let patch =
            json!({"spec": {"persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain"}}});
        cluster.merge(&set.id(), &patch).await?;
        let namespace = &self.environment.identity.namespace;
        let claims = live.values().filter(|object| is_claim(object));
        let free = claims.map(async |claim| {
            until::<PersistentVolumeClaim>(cluster, namespace, claim.name(), |claim| {
                !claim.is_some_and(|claim| {
                    let owners = claim.metadata.owner_references.iter().flatten();
                    owners
                        .into_iter()
                        .any(|owner| Some(owner.uid.as_str()) == uid)
                })
            })
            .await
        });
        self.in_time(try_join_all(free)).await?;
        Ok(())
    }
}
