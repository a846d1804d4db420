//! One `up` at a time: the newest takes the Lease over, the older one sees that and stops.

use k8s_openapi::api::coordination::v1::Lease;
use serde_json::json;

use crate::{
    cluster::{Cluster, ClusterError, observe::Observer},
    model::object::{Object, ObjectId},
};

/// Name of the Lease in the environment's namespace.
pub const LEASE: &str = "k8s-ee-up";

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
                "annotations": {"k8s-ee/commit-sha": commit.unwrap_or_default()},
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

    /// Who has taken the turn from us, if anybody: their commit, or that they are another `up`.
    #[must_use]
    pub fn taken_by(&self, observer: &Observer) -> Option<String> {
        let leases = observer.leases.state();
        let lease = leases
            .iter()
            .find(|lease| lease.metadata.name.as_deref() == Some(LEASE))?;
        if holder(lease) == Some(self.holder.as_str()) {
            return None;
        }
        let annotations = lease.metadata.annotations.as_ref();
        let commit = annotations.and_then(|all| all.get("k8s-ee/commit-sha"));
        Some(match commit {
            Some(commit) if !commit.is_empty() => format!("an `up` of commit {commit}"),
            _ => "a newer `up`".to_owned(),
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
