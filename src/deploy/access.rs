//! The rights of the account that deploys. In the whole cluster it may little more than make environments and remove them;
//! what it does in one comes from a RoleBinding there, which it makes before anything else.
//!
//! Accounts with rights everywhere make that binding too, and do without waiting for it.

use std::time::Duration;

use tokio::time::Instant;

use super::{lease::Holder, live};
use crate::{
    cluster::{Cluster, ClusterError},
    guardrails::access::deployers,
    model::{object::Object, settings::AccessSettings},
};

/// Longest that the API servers may take to notice a new binding.
const NOTICE_LIMIT: Duration = Duration::from_secs(30);

/// Time between two looks whether they have: there is nothing to watch.
const NOTICE_INTERVAL: Duration = Duration::from_millis(25);

/// Makes sure that whoever deploys may work in an environment that is there already: one that was made before the platform
/// named its accounts has no binding of theirs. Returns whether one was made. What is not an environment of this project
/// is left alone.
///
/// # Errors
/// When the API server cannot be reached, or does not let the binding be made.
pub async fn admit(
    cluster: &Cluster,
    namespace: &str,
    project: &str,
    access: &AccessSettings,
) -> Result<bool, ClusterError> {
    let Some(binding) = deployers(namespace, project, access) else {
        return Ok(false);
    };
    if may_work(cluster, namespace).await? {
        return Ok(false);
    }
    let there = cluster.get(&live::namespace_id(namespace)).await?;
    let ours = there.is_some_and(|namespace| {
        !live::is_terminating(&namespace)
            && live::check_owner(&namespace, Some(project), None).is_ok()
    });
    if ours {
        grant(cluster, &binding, Instant::now() + NOTICE_LIMIT).await?;
    }
    Ok(ours)
}

/// Makes the binding, and returns when it is known to whom we talk.
///
/// # Errors
/// When the API server cannot be reached, or does not let the binding be made.
pub async fn grant(
    cluster: &Cluster,
    binding: &Object,
    deadline: Instant,
) -> Result<(), ClusterError> {
    cluster.apply(binding).await?;
    let namespace = binding.namespace().unwrap_or_default();
    let deadline = deadline.min(Instant::now() + NOTICE_LIMIT);
    // Whoever is not among its subjects is told so by what is tried next.
    while !may_work(cluster, namespace).await? && Instant::now() < deadline {
        tokio::time::sleep(NOTICE_INTERVAL).await;
    }
    Ok(())
}

/// Whether we may work in a namespace: asked by what comes first there, whose turn it is.
async fn may_work(cluster: &Cluster, namespace: &str) -> Result<bool, ClusterError> {
    let asked = live::if_allowed(Holder::of(cluster, namespace).await)?;
    Ok(asked.is_some())
}
