//! A live picture of one namespace, kept by watches: nothing here polls.

use std::{
    fmt::Debug,
    sync::{Arc, Mutex},
};

use futures::{
    StreamExt as _,
    stream::{BoxStream, select_all},
};
use k8s_openapi::{
    NamespaceResourceScope,
    api::{
        apps::v1::{Deployment, ReplicaSet, StatefulSet},
        batch::v1::Job,
        coordination::v1::Lease,
        core::v1::{Event, PersistentVolumeClaim, Pod, ResourceQuota},
    },
};
use kube::{
    Api, Resource,
    core::{ApiResource, DynamicObject, GroupVersionKind},
    runtime::{
        WatchStreamExt as _, reflector,
        reflector::{Store, store::Writer},
        watcher::{self, watcher},
    },
};
use serde::de::DeserializeOwned;
use tokio::{sync::watch, task::JoinHandle};

use super::{Cluster, ClusterError, path};
use crate::model::{object::Object, operator::Operator};

/// What is in a namespace now, and a signal for when that changes. The watches end with it.
#[derive(Debug)]
pub struct Observer {
    /// Pods.
    pub pods: Store<Pod>,
    /// Events.
    pub events: Store<Event>,
    /// Deployments.
    pub deployments: Store<Deployment>,
    /// ReplicaSets.
    pub replica_sets: Store<ReplicaSet>,
    /// StatefulSets.
    pub stateful_sets: Store<StatefulSet>,
    /// Jobs.
    pub jobs: Store<Job>,
    /// Volume claims.
    pub claims: Store<PersistentVolumeClaim>,
    /// Quotas.
    pub quotas: Store<ResourceQuota>,
    /// Leases.
    pub leases: Store<Lease>,
    /// Custom resources of the operators that were named.
    pub resources: Vec<(Operator, Store<DynamicObject>)>,
    changes: watch::Receiver<()>,
    refused: Arc<Mutex<Option<ClusterError>>>,
    task: JoinHandle<()>,
}

type Signals = BoxStream<'static, Result<(), watcher::Error>>;

impl Observer {
    /// Starts watching a namespace.
    #[must_use]
    pub fn start(cluster: &Cluster, namespace: &str) -> Self {
        Self::with_operators(cluster, namespace, &[])
    }

    /// Starts watching a namespace, with the custom resources of operators whose kinds the cluster knows.
    #[must_use]
    pub fn with_operators(cluster: &Cluster, namespace: &str, operators: &[Operator]) -> Self {
        let mut signals = Vec::new();
        let (changed, changes) = watch::channel(());
        let refused = Arc::new(Mutex::new(None));
        let mut observer = Self {
            pods: follow(cluster, namespace, &mut signals),
            events: follow(cluster, namespace, &mut signals),
            deployments: follow(cluster, namespace, &mut signals),
            replica_sets: follow(cluster, namespace, &mut signals),
            stateful_sets: follow(cluster, namespace, &mut signals),
            jobs: follow(cluster, namespace, &mut signals),
            claims: follow(cluster, namespace, &mut signals),
            quotas: follow(cluster, namespace, &mut signals),
            leases: follow(cluster, namespace, &mut signals),
            resources: operators
                .iter()
                .map(|operator| {
                    let store = follow_operator(cluster, namespace, *operator, &mut signals);
                    (*operator, store)
                })
                .collect(),
            changes,
            refused: Arc::clone(&refused),
            task: tokio::spawn(async {}),
        };
        let cluster = cluster.clone();
        observer.task = tokio::spawn(async move {
            let mut signals = select_all(signals);
            while let Some(signal) = signals.next().await {
                if let Err(error) = signal {
                    tracing::debug!(%error, "watch");
                    // A watch that broke is taken up again by itself; one that is not allowed never will be.
                    if let Some(error) = not_allowed(&cluster, error) {
                        *refused.lock().expect("nobody panics while holding it") = Some(error);
                    }
                }
                changed.send_replace(());
            }
        });
        observer
    }

    /// The custom resource of an operator's database; none while there is none, or where its kind is not watched.
    #[must_use]
    pub fn resource(&self, operator: Operator) -> Option<Object> {
        let (_, store) = self.resources.iter().find(|(of, _)| *of == operator)?;
        let name = operator.name();
        let found = store.find(|object| object.metadata.name.as_deref() == Some(&name))?;
        let mut document = serde_json::to_value(&*found).ok()?;
        // Items of a list carry neither kind nor version.
        let (api_version, kind) = operator.resource();
        document["apiVersion"] = api_version.into();
        document["kind"] = kind.into();
        Object::new(document).ok()
    }

    /// Returns when something has changed since the last call, or fails when we may not watch.
    ///
    /// # Errors
    /// When the API server does not let us watch.
    pub async fn changed(&mut self) -> Result<(), ClusterError> {
        if let Some(error) = self
            .refused
            .lock()
            .expect("nobody panics while holding it")
            .take()
        {
            return Err(error);
        }
        if self.changes.changed().await.is_err() {
            // The task ends only with us; waiting for ever is right while the caller has its own limits.
            std::future::pending::<()>().await;
        }
        Ok(())
    }
}

impl Drop for Observer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn follow<K>(cluster: &Cluster, namespace: &str, signals: &mut Vec<Signals>) -> Store<K>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + Debug
        + DeserializeOwned
        + Send
        + Sync
        + 'static,
{
    let api: Api<K> = Api::namespaced(cluster.client(), namespace);
    let (store, writer) = reflector::store();
    let stream = reflector(writer, watcher(api, watcher::Config::default()))
        .default_backoff()
        .map(|event| event.map(drop));
    signals.push(stream.boxed());
    store
}

fn follow_operator(
    cluster: &Cluster,
    namespace: &str,
    operator: Operator,
    signals: &mut Vec<Signals>,
) -> Store<DynamicObject> {
    let (api_version, kind) = operator.resource();
    let (group, version) = api_version
        .split_once('/')
        .expect("custom resources have a group");
    let gvk = GroupVersionKind::gvk(group, version, kind);
    let resource = ApiResource::from_gvk_with_plural(&gvk, &path::plural(kind));
    let api: Api<DynamicObject> = Api::namespaced_with(cluster.client(), namespace, &resource);
    let writer = Writer::new(resource);
    let store = writer.as_reader();
    let stream = reflector(writer, watcher(api, watcher::Config::default()))
        .default_backoff()
        .map(|event| event.map(drop));
    signals.push(stream.boxed());
    store
}

/// Watches one object until `so` says that it is as wanted; it is given none while there is no such object.
///
/// # Errors
/// When the API server does not let us watch.
pub async fn until<K>(
    cluster: &Cluster,
    namespace: &str,
    name: &str,
    mut so: impl FnMut(Option<&K>) -> bool,
) -> Result<(), ClusterError>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + Debug
        + DeserializeOwned
        + Send
        + 'static,
{
    let api: Api<K> = Api::namespaced(cluster.client(), namespace);
    let mut states = watcher::watch_object(api, name).boxed();
    while let Some(state) = states.next().await {
        match state {
            Ok(object) if so(object.as_ref()) => return Ok(()),
            Ok(_) => {}
            Err(error) => {
                tracing::debug!(%error, "watch of {name}");
                if let Some(error) = not_allowed(cluster, error) {
                    return Err(error);
                }
            }
        }
    }
    Ok(())
}

fn not_allowed(cluster: &Cluster, error: watcher::Error) -> Option<ClusterError> {
    let (watcher::Error::InitialListFailed(error) | watcher::Error::WatchStartFailed(error)) =
        error
    else {
        return None;
    };
    match &error {
        kube::Error::Api(status) if status.code == 403 || status.code == 401 => {
            Some(cluster.error("watch", "the namespace", error))
        }
        _ => None,
    }
}
