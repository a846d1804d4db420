//! One run at a time changes an environment: the newest takes the Lease over, the older one sees that and stops.

use k8s_openapi::api::coordination::v1::Lease;
use serde_json::json;

use crate::{
    cluster::{Cluster, ClusterError, observe::Observer},
    model::{
        labels,
        object::{Object, ObjectId},
    },
};

/// Name of the Lease in the environment's namespace.
pub const LEASE: &str = "k8s-ee-up";

/// What somebody does in an environment that it has the turn on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Brings it up.
    Up,
    /// Brings its databases up.
    Prepare,
    /// Gives its databases new credentials.
    Rotate,
}

impl Work {
    /// The verb, as it is typed.
    #[must_use]
    pub const fn verb(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Prepare => "prepare",
            Self::Rotate => "credentials rotate",
        }
    }

    fn of(verb: Option<&str>) -> Self {
        let all = [Self::Prepare, Self::Rotate];
        let named = all.into_iter().find(|work| Some(work.verb()) == verb);
        named.unwrap_or(Self::Up)
    }
}

/// Who has the turn on an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// What it does.
    pub work: Work,
    /// Its commit, if it said one.
    pub commit: Option<String>,
    /// Since when, as the API server prints times; absent when it did not say.
    pub since: Option<String>,
}

impl Holder {
    /// Who has the turn on an environment now. One that was killed has it until the next one takes it.
    ///
    /// # Errors
    /// When the API server cannot be reached or refuses.
    pub async fn of(cluster: &Cluster, namespace: &str) -> Result<Option<Self>, ClusterError> {
        let lease = cluster.get(&id(namespace)).await?;
        Ok(lease.map(|lease| Self {
            work: Work::of(lease.annotation(VERB)),
            commit: commit(lease.annotation(labels::COMMIT_SHA)),
            since: lease.str("/spec/acquireTime").map(str::to_owned),
        }))
    }
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let article = if self.work == Work::Up { "an" } else { "a" };
        match &self.commit {
            Some(commit) => write!(f, "{article} `{}` of commit {commit}", self.work.verb()),
            None => write!(f, "a newer `{}`", self.work.verb()),
        }
    }
}

/// Annotation of the Lease: what its holder does.
const VERB: &str = "k8s-ee/verb";

fn id(namespace: &str) -> ObjectId {
    ObjectId {
        api_version: "coordination.k8s.io/v1".to_owned(),
        kind: "Lease".to_owned(),
        namespace: Some(namespace.to_owned()),
        name: LEASE.to_owned(),
    }
}

fn commit(annotation: Option<&str>) -> Option<String> {
    annotation
        .filter(|commit| !commit.is_empty())
        .map(str::to_owned)
}

/// Our turn on an environment.
#[derive(Clone, Debug)]
pub struct Turn {
    holder: String,
    id: ObjectId,
}

impl Turn {
    /// Takes the turn, from whoever had it.
    ///
    /// # Errors
    /// When the API server cannot be reached or refuses.
    pub async fn take(
        cluster: &Cluster,
        namespace: &str,
        work: Work,
        commit: Option<&str>,
    ) -> Result<Self, ClusterError> {
        let now = jiff::Timestamp::now();
        let holder = format!("{}-{}", std::process::id(), now.as_nanosecond());
        let lease = Object::new(json!({
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {
                "name": LEASE,
                "namespace": namespace,
                "annotations": {labels::COMMIT_SHA: commit.unwrap_or_default(), VERB: work.verb()},
            },
            "spec": {
                "holderIdentity": holder,
                "acquireTime": now.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string(),
            },
        }))
        .expect("a Lease with a name");
        cluster.apply(&lease).await?;
        Ok(Self {
            holder,
            id: lease.id(),
        })
    }

    /// Who has taken the turn from us, if anybody.
    #[must_use]
    pub fn taken_by(&self, observer: &Observer) -> Option<Holder> {
        let leases = observer.leases.state();
        let lease = leases
            .iter()
            .find(|lease| lease.metadata.name.as_deref() == Some(LEASE))?;
        if holder(lease) == Some(self.holder.as_str()) {
            return None;
        }
        let annotation = |key: &str| {
            let all = lease.metadata.annotations.as_ref()?;
            all.get(key).map(String::as_str)
        };
        Some(Holder {
            work: Work::of(annotation(VERB)),
            commit: commit(annotation(labels::COMMIT_SHA)),
            since: None,
        })
    }

    /// Gives the turn back.
    ///
    /// # Errors
    /// When the API server cannot be reached or refuses.
    pub async fn give_back(self, cluster: &Cluster) -> Result<(), ClusterError> {
        cluster.delete(&self.id, None).await.map(drop)
    }
}

fn holder(lease: &Lease) -> Option<&str> {
    lease.spec.as_ref()?.holder_identity.as_deref()
}
