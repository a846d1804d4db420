//! One environment as it is on the cluster, everything asked for at once.

use futures::future::join_all;
use tokio::time::Instant;

use crate::{
    cluster::{
        Cluster, ClusterError, facts,
        present::{self, Present},
    },
    deploy::{
        lease::Holder,
        live::{self, if_allowed, is_environment},
        record::Record,
        url,
    },
    diagnose::{Observed, UrlCheck},
    doctor::environment::Turn,
    guardrails::{
        ClusterFacts,
        reachability::{Reachability, reachability},
    },
    model::{
        Environment,
        object::{Object, ObjectId},
        settings::PlatformSettings,
    },
};

/// What was found of an environment.
#[derive(Debug)]
pub struct Found {
    /// Its namespace.
    pub namespace: Object,
    /// Everything in it, the namespace included.
    pub objects: Vec<Object>,
    /// The same as a diagnosis takes it.
    pub observed: Observed,
    /// What it should be, as the last `up` wrote it down.
    pub recorded: Option<Environment>,
    /// Who has the turn on it.
    pub turn: Option<Turn>,
    /// Names of Secrets to pull images with, and whether they are there; absent where that may not be looked at.
    pub pull_secrets: Vec<(String, Option<bool>)>,
    api_server: ClusterFacts,
}

/// Looks at an environment; none when there is no such one.
///
/// # Errors
/// When the API server cannot be reached, or does not let its components be looked at.
pub async fn look(
    cluster: &Cluster,
    name: &str,
    settings: &PlatformSettings,
) -> Result<Option<Found>, ClusterError> {
    let id = live::namespace_id(name);
    let (namespace, present, record, turn, pull_secrets, api_server) = futures::join!(
        cluster.get(&id),
        present::present(cluster, name),
        Record::read(cluster, name),
        Holder::of(cluster, name),
        pull_secrets(cluster, name, settings),
        facts::api_server_addresses(cluster),
    );
    let Some(namespace) = namespace?.filter(is_environment) else {
        return Ok(None);
    };
    let Present {
        observed,
        mut objects,
    } = present?;
    objects.push(namespace.clone());
    Ok(Some(Found {
        namespace,
        objects,
        observed,
        recorded: if_allowed(record)?
            .flatten()
            .map(|record| record.environment),
        turn: if_allowed(turn)?.flatten().map(|holder| turn_of(&holder)),
        pull_secrets,
        api_server: if_allowed(api_server)?.unwrap_or_default(),
    }))
}

fn turn_of(holder: &Holder) -> Turn {
    let time = |text: &Option<String>| text.as_ref()?.parse().ok();
    Turn {
        holder: holder.to_string(),
        since: time(&holder.since),
        renewed: time(&holder.renewed),
    }
}

impl Found {
    /// The objects of a kind.
    #[must_use]
    pub fn of_kind(&self, kind: &str) -> Vec<Object> {
        let of_kind = self.objects.iter().filter(|object| object.kind() == kind);
        of_kind.cloned().collect()
    }

    /// Who can reach whom by the policies that are there; none when one of them cannot be understood.
    #[must_use]
    pub fn reachability(&self, settings: &PlatformSettings) -> Option<Reachability> {
        reachability(&self.objects, &self.objects, settings, &self.api_server).ok()
    }
}

/// Asks the URLs of the public services, once: the service, and its status or what went wrong.
pub async fn urls(
    environment: &Environment,
    settings: &PlatformSettings,
) -> Vec<(String, Result<u16, UrlCheck>)> {
    let asked = url::targets(environment)
        .into_iter()
        .filter(|target| !target.is_placeholder());
    join_all(asked.map(|target| async move {
        let answer = url::wait(&target, settings, Instant::now()).await;
        (target.service, answer)
    }))
    .await
}

/// Whether the Secrets to pull images with are there.
async fn pull_secrets(
    cluster: &Cluster,
    namespace: &str,
    settings: &PlatformSettings,
) -> Vec<(String, Option<bool>)> {
    join_all(settings.image_pull_secrets.iter().map(|name| async move {
        let id = ObjectId {
            api_version: "v1".to_owned(),
            kind: "Secret".to_owned(),
            namespace: Some(namespace.to_owned()),
            name: name.clone(),
        };
        let there = cluster.get(&id).await.ok().map(|secret| secret.is_some());
        (name.clone(), there)
    }))
    .await
}
