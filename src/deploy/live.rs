//! What is in the cluster now: the namespace, whose it is, and the objects that a plan is compared with.

use std::collections::BTreeSet;

use futures::future::try_join_all;

use crate::{
    cluster::{Cluster, ClusterError, path::Collection},
    model::{
        Identity, labels,
        object::{Object, ObjectId},
        operator::{LiveDatabase, LiveDatabases, Operator},
    },
    plan::{Live, PRUNED_KINDS},
};

/// Why a namespace is not ours to change.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotOurs {
    /// It is not an environment at all.
    #[error("the namespace `{namespace}` exists and is not a preview environment")]
    NotAnEnvironment {
        /// Namespace.
        namespace: String,
    },
    /// It is another project's environment.
    #[error("the namespace `{namespace}` belongs to the project `{owner}`, not to `{project}`")]
    OtherProject {
        /// Namespace.
        namespace: String,
        /// Whose it is.
        owner: String,
        /// Who asks.
        project: String,
    },
    /// It is another repository's environment.
    #[error("the namespace `{namespace}` belongs to the repository {owner}, not to {repository}")]
    OtherRepository {
        /// Namespace.
        namespace: String,
        /// Whose it is.
        owner: String,
        /// Who asks.
        repository: String,
    },
}

impl NotOurs {
    /// The next step.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::NotAnEnvironment { namespace } => format!(
                "look at it: kubectl get namespace {namespace} --show-labels; if it is in use, choose another `projectId`"
            ),
            Self::OtherProject { .. } | Self::OtherRepository { .. } => {
                "choose another `projectId` in k8s-ee.yaml; it must be unique on the cluster"
                    .to_owned()
            }
        }
    }
}

/// Where the namespace of an environment stands.
#[must_use]
pub fn namespace_id(namespace: &str) -> ObjectId {
    ObjectId {
        api_version: "v1".to_owned(),
        kind: "Namespace".to_owned(),
        namespace: None,
        name: namespace.to_owned(),
    }
}

/// Whether a namespace is being deleted.
#[must_use]
pub fn is_terminating(namespace: &Object) -> bool {
    namespace.str("/metadata/deletionTimestamp").is_some()
}

/// Whether a namespace is a preview environment, ours or of the platform before us.
#[must_use]
pub fn is_environment(namespace: &Object) -> bool {
    namespace.label(labels::TYPE) == Some(labels::TYPE_ENVIRONMENT)
        && namespace.label(labels::MANAGED_BY).is_some_and(|by| {
            [labels::MANAGED_BY_NAMESPACE, labels::MANAGED_BY_OBJECT].contains(&by)
        })
}

/// Checks that a namespace that exists is the environment that is meant.
///
/// # Errors
/// Whose it is otherwise.
pub fn check_owner(
    namespace: &Object,
    project: Option<&str>,
    repository: Option<&str>,
) -> Result<(), NotOurs> {
    let name = namespace.name().to_owned();
    if !is_environment(namespace) {
        return Err(NotOurs::NotAnEnvironment { namespace: name });
    }
    if let (Some(owner), Some(project)) = (namespace.label(labels::PROJECT_ID), project)
        && owner != project
    {
        return Err(NotOurs::OtherProject {
            namespace: name,
            owner: owner.to_owned(),
            project: project.to_owned(),
        });
    }
    if let (Some(owner), Some(repository)) = (namespace.annotation(labels::REPOSITORY), repository)
        && !owner.is_empty()
        && !owner.eq_ignore_ascii_case(repository)
    {
        return Err(NotOurs::OtherRepository {
            namespace: name,
            owner: owner.to_owned(),
            repository: repository.to_owned(),
        });
    }
    Ok(())
}

/// Checks that a namespace that exists is that of this environment.
///
/// # Errors
/// Whose it is otherwise.
pub fn check_identity(namespace: &Object, identity: &Identity) -> Result<(), NotOurs> {
    check_owner(
        namespace,
        Some(&identity.project_id),
        identity.repository.as_deref(),
    )
}

/// Reads the objects that a plan for `desired` is compared with, and those of the kinds `more`, all kinds at once. Kinds
/// that the cluster does not know are returned beside them. In a namespace that does not exist, only kinds of others' making are asked for, to
/// see whether the cluster knows them.
///
/// # Errors
/// When the API server cannot be reached or refuses.
pub async fn read(
    cluster: &Cluster,
    namespace: &str,
    exists: bool,
    desired: impl Iterator<Item = &Object>,
    more: &[(&str, &str)],
) -> Result<(Live, BTreeSet<(String, String)>), ClusterError> {
    let mut kinds: BTreeSet<(String, String)> = PRUNED_KINDS
        .iter()
        .chain(more)
        .map(|(version, kind)| ((*version).to_owned(), (*kind).to_owned()))
        .collect();
    let mut cluster_wide = Vec::new();
    for object in desired {
        if object.namespace().is_some() {
            kinds.insert((object.api_version().to_owned(), object.kind().to_owned()));
        } else if exists || object.kind() != "Namespace" {
            cluster_wide.push(object.id());
        }
    }
    kinds.retain(|(api_version, _)| exists || !is_built_in(api_version));
    let lists = try_join_all(kinds.iter().map(|(api_version, kind)| async move {
        if !exists {
            let known = cluster.knows(api_version, kind).await?;
            return Ok(known.then(Vec::new));
        }
        let collection = Collection {
            api_version,
            kind,
            namespace: Some(namespace),
        };
        cluster.list(&collection, "").await
    }));
    let singles = try_join_all(cluster_wide.iter().map(|id| cluster.get(id)));
    let (lists, singles) = futures::try_join!(lists, singles)?;
    let mut live = Live::new();
    let mut unknown = BTreeSet::new();
    for (kind, list) in kinds.into_iter().zip(lists) {
        match list {
            None => drop(unknown.insert(kind)),
            Some(objects) => live.extend(objects.into_iter().map(|object| (object.id(), object))),
        }
    }
    live.extend(
        singles
            .into_iter()
            .flatten()
            .map(|object| (object.id(), object)),
    );
    Ok((live, unknown))
}

/// The volume claims and the pods of a namespace, by which the age of data is told.
///
/// # Errors
/// When the API server cannot be reached or refuses.
pub async fn data(
    cluster: &Cluster,
    namespace: &str,
) -> Result<(Vec<Object>, Vec<Object>), ClusterError> {
    let collection = |kind| Collection {
        api_version: "v1",
        kind,
        namespace: Some(namespace),
    };
    let (claims, pods) = (collection("PersistentVolumeClaim"), collection("Pod"));
    let (claims, pods) = futures::try_join!(cluster.list(&claims, ""), cluster.list(&pods, ""))?;
    Ok((claims.unwrap_or_default(), pods.unwrap_or_default()))
}

/// Whether every cluster knows the kinds of this group: those of Kubernetes itself have no dot but in `k8s.io`.
fn is_built_in(api_version: &str) -> bool {
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    !group.contains('.') || group.ends_with(".k8s.io")
}

/// What there is of the databases that operators may run, in a namespace that need not exist. Who may not ask for an
/// operator's kind is told nothing of it.
///
/// # Errors
/// When the API server cannot be reached or refuses.
pub async fn databases(cluster: &Cluster, namespace: &str) -> Result<LiveDatabases, ClusterError> {
    let list = |api_version, kind| {
        let collection = Collection {
            api_version,
            kind,
            namespace: Some(namespace),
        };
        async move { if_allowed(cluster.list(&collection, "").await) }
    };
    let resources = try_join_all(Operator::ALL.map(|operator| {
        let (api_version, kind) = operator.resource();
        list(api_version, kind)
    }));
    let (resources, sets, claims) = futures::try_join!(
        resources,
        list("apps/v1", "StatefulSet"),
        list("v1", "PersistentVolumeClaim"),
    )?;
    let is_there = |objects: &Option<Option<Vec<Object>>>, name: &str| {
        let objects = objects.iter().flatten().flatten();
        objects
            .into_iter()
            .any(|object| object.name() == name && !object.is_controlled())
    };
    let live = Operator::ALL
        .into_iter()
        .zip(resources)
        .map(|(operator, found)| {
            let name = operator.name();
            let live = LiveDatabase {
                known: found.as_ref().map(Option::is_some),
                standalone: is_there(&sets, &name) || is_there(&claims, &format!("data-{name}-0")),
                resource: found
                    .flatten()
                    .into_iter()
                    .flatten()
                    .find(|object| object.name() == name),
            };
            (operator.database(), live)
        });
    Ok(live.collect())
}

/// The custom resources of the databases in a namespace that operators run.
///
/// # Errors
/// When the API server cannot be reached or refuses.
pub async fn operated(
    cluster: &Cluster,
    namespace: &str,
) -> Result<Vec<(Operator, Object)>, ClusterError> {
    let found = try_join_all(Operator::ALL.map(|operator| async move {
        let (api_version, kind) = operator.resource();
        let collection = Collection {
            api_version,
            kind,
            namespace: Some(namespace),
        };
        let found = if_allowed(cluster.list(&collection, "").await)?;
        let mut found = found.flatten().into_iter().flatten();
        let named = found.find(|object| object.name() == operator.name());
        Ok::<_, ClusterError>(named.map(|object| (operator, object)))
    }));
    Ok(found.await?.into_iter().flatten().collect())
}

/// What was asked for, or nothing when asking is not allowed.
pub(crate) fn if_allowed<T>(asked: Result<T, ClusterError>) -> Result<Option<T>, ClusterError> {
    match asked {
        Ok(found) => Ok(Some(found)),
        Err(ClusterError::Forbidden { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
