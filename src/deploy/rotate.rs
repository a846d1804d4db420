//! `credentials rotate`: new passwords, and everybody who uses them begins again.
//!
//! The Secrets are written first; databases take the passwords of their Secrets when they start, services read them when
//! they do. When the values of a Secret have changed is noted on it and on the pods that read it, so that `up` finishes
//! what was cut short here.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use futures::future::try_join_all;
use k8s_openapi::api::core::v1::Secret;
use serde_json::json;

use super::{
    Deployer,
    failure::DeployError,
    lease::Work,
    record::Record,
    rollout::{Rollout, Version},
};
use crate::{
    cluster::{
        ClusterError,
        observe::{Observer, until},
        path::Collection,
    },
    desired::{ComposeError, precise},
    model::{
        DatabaseKind, Environment,
        credentials::{self, Password},
        labels,
        object::{Object, ObjectId},
    },
    plan::Live,
    render::RELEASE,
    signal,
};

/// What was given new credentials.
#[derive(Clone, Debug)]
pub struct Rotated {
    /// The Secrets of each database.
    pub secrets: Vec<(DatabaseKind, String)>,
    /// When each component was up again, since the start.
    pub times: BTreeMap<String, Duration>,
}

impl Deployer<'_> {
    /// Gives databases of an environment new passwords, restarts them one beside the other, then the services that use
    /// them, wave by wave.
    ///
    /// # Errors
    /// The cause when one of them does not come up again. The Secrets have the new values then.
    pub async fn rotate(
        &self,
        record: &Record,
        kinds: &[DatabaseKind],
    ) -> Result<Rotated, DeployError> {
        let environment = &record.environment;
        let namespace = &environment.identity.namespace;
        signal::expect();
        let turn = self.take_turn(environment, Work::Rotate).await?;
        let mut rollout = Rollout {
            deployer: self,
            environment,
            observer: Observer::start(self.cluster, namespace),
            turn: Some(&turn),
            deadline: self.deadline(),
            applied: BTreeMap::new(),
            ahead: BTreeSet::new(),
            refusals: Vec::new(),
            times: BTreeMap::new(),
        };
        let ended = tokio::select! {
            ended = self.renew_and_restart(&mut rollout, record, kinds) => ended,
            signal = signal::next() => Err(rollout.interrupted(signal, Work::Rotate)),
        };
        let times = std::mem::take(&mut rollout.times);
        drop(rollout);
        match ended {
            Ok(secrets) => {
                turn.give_back(self.cluster).await?;
                Ok(Rotated { secrets, times })
            }
            Err(error) => {
                // Somebody who has taken the turn has it now.
                if !matches!(error, DeployError::Superseded { .. }) {
                    drop(turn.give_back(self.cluster).await);
                }
                Err(error)
            }
        }
    }

    async fn renew_and_restart(
        &self,
        rollout: &mut Rollout<'_>,
        record: &Record,
        kinds: &[DatabaseKind],
    ) -> Result<Vec<(DatabaseKind, String)>, DeployError> {
        let environment = &record.environment;
        let namespace = &environment.identity.namespace;
        let live = self.secrets_and_workloads(namespace).await?;
        let now = precise(jiff::Timestamp::now());
        let renewed = credentials::renew(environment, RELEASE, kinds, &live, &now, || {
            Password::generate(getrandom::fill)
        })
        .map_err(ComposeError::Randomness)?;
        let mut secrets = Vec::new();
        for secret in &renewed {
            if let Some(by) = rollout.superseded() {
                return Err(DeployError::Superseded { by });
            }
            self.write(secret, &environment.identity.project_id).await?;
            self.progress
                .step(&format!("{} has new values", secret.id()));
            let kind = credentials::database_of(secret);
            secrets.extend(kind.map(|kind| (kind, secret.name().to_owned())));
        }

        let made = self
            .made_by_operators(rollout, environment, &renewed)
            .await?;
        let names: Vec<&str> = renewed
            .iter()
            .map(Object::name)
            .chain(made.iter().map(String::as_str))
            .collect();
        let mut readers: Vec<&Object> = live
            .values()
            .filter(|object| object.label(labels::MANAGED_BY) == Some(labels::MANAGED_BY_OBJECT))
            .filter(|workload| names.iter().any(|name| credentials::reads(workload, name)))
            .collect();
        for group in order(&record.waves, &mut readers) {
            self.restart(rollout, &group, &now).await?;
        }
        Ok(secrets)
    }

    /// Waits until operators have taken new passwords over into the Secrets that they make themselves; returns these.
    async fn made_by_operators(
        &self,
        rollout: &Rollout<'_>,
        environment: &Environment,
        renewed: &[Object],
    ) -> Result<Vec<String>, DeployError> {
        let namespace = &environment.identity.namespace;
        let mut made = Vec::new();
        for (name, password) in credentials::made_by_operators(environment, RELEASE) {
            let renewed = renewed.iter().find(|secret| secret.name() == password);
            let Some(new) = renewed.and_then(|s| credentials::stored(s).remove("password")) else {
                continue;
            };
            self.progress
                .step(&format!("waiting until the operator has written {name}"));
            let has_it = |secret: Option<&Secret>| {
                let data = secret.and_then(|secret| secret.data.as_ref());
                data.and_then(|data| data.get("password"))
                    .is_some_and(|value| value.0 == new.as_bytes())
            };
            rollout
                .in_time(until::<Secret>(self.cluster, namespace, &name, has_it))
                .await?;
            made.push(name);
        }
        Ok(made)
    }

    /// Replaces the pods of workloads and waits until the new ones are up.
    async fn restart(
        &self,
        rollout: &mut Rollout<'_>,
        workloads: &[&Object],
        now: &str,
    ) -> Result<(), DeployError> {
        if let Some(by) = rollout.superseded() {
            return Err(DeployError::Superseded { by });
        }
        let patch = json!({"spec": {"template": {"metadata": {"annotations": {labels::CREDENTIALS: now}}}}});
        let patched = workloads.iter().map(async |workload| {
            let component = workload.component().unwrap_or_default();
            self.progress.state(component, "restarting");
            self.cluster.merge(&workload.id(), &patch).await
        });
        let patched = try_join_all(patched).await?;
        let mut waiting: Vec<(String, ObjectId)> = Vec::new();
        for object in patched.iter().flatten() {
            rollout.applied.insert(object.id(), Version::of(object));
            waiting.push((
                object.component().unwrap_or_default().to_owned(),
                object.id(),
            ));
        }
        rollout.wait_for(&waiting).await
    }

    /// Writes the keys of a Secret and leaves the rest of it as it is.
    async fn write(&self, secret: &Object, project: &str) -> Result<(), ClusterError> {
        let patched = self.cluster.merge(&secret.id(), &secret.as_value()).await?;
        if patched.is_none() {
            let mut secret = secret.clone();
            secret.set_label(labels::PROJECT_ID, project);
            self.cluster.apply(&secret).await?;
        }
        Ok(())
    }

    async fn secrets_and_workloads(&self, namespace: &str) -> Result<Live, ClusterError> {
        let kinds = [
            ("v1", "Secret"),
            ("apps/v1", "StatefulSet"),
            ("apps/v1", "Deployment"),
        ];
        let lists = try_join_all(kinds.map(async |(api_version, kind)| {
            let collection = Collection {
                api_version,
                kind,
                namespace: Some(namespace),
            };
            self.cluster.list(&collection, "").await
        }))
        .await?;
        let objects = lists.into_iter().flatten().flatten();
        Ok(objects.map(|object| (object.id(), object)).collect())
    }
}

/// Workloads in the order in which they may restart: wave by wave, and what no wave has in the end.
fn order<'o>(waves: &[Vec<String>], workloads: &mut Vec<&'o Object>) -> Vec<Vec<&'o Object>> {
    let mut groups: Vec<Vec<&Object>> = Vec::new();
    for wave in waves {
        let names: BTreeSet<&str> = wave.iter().map(String::as_str).collect();
        let of_wave =
            |object: &&Object| object.component().is_some_and(|name| names.contains(name));
        groups.push(workloads.iter().copied().filter(of_wave).collect());
        workloads.retain(|object| !of_wave(object));
    }
    groups.push(std::mem::take(workloads));
    groups.retain(|group| !group.is_empty());
    groups
}
