//! Facts about a cluster for `doctor`, all asked for at once. What may not be looked at stays unknown.

use std::collections::BTreeMap;

use futures::future::{join_all, try_join_all};
use http::Method;
use serde_json::{Value, json};

use super::{Cluster, ClusterError, path::Collection};
use crate::{
    deploy::live::if_allowed,
    doctor::{
        facts::Facts,
        network::{PLUGIN_KINDS, PLUGINS},
        parts::OPTIONAL,
        rights::{self, Right},
    },
    model::{
        object::Object,
        operator::Operator,
        settings::{PlatformSettings, PodPeer},
    },
};

/// Looks at a cluster; `namespace` is one in which an environment could be. What is not asked of the cluster is left for
/// the caller.
///
/// # Errors
/// When the API server cannot be reached or does not know who asks.
pub async fn facts(
    cluster: &Cluster,
    settings: &PlatformSettings,
    namespace: &str,
) -> Result<Facts, ClusterError> {
    // The first question alone, so that a server that does not answer is named once and at once.
    let version = version(cluster).await?;
    let list = |api_version, kind| async move {
        let collection = Collection {
            api_version,
            kind,
            namespace: None,
        };
        known(cluster.list(&collection, "").await)
    };
    let (user, rights, kinds, network_pods, controllers, lists) = futures::try_join!(
        user(cluster),
        allowed(cluster, namespace),
        kinds(cluster),
        network_pods(cluster),
        controllers(cluster, &settings.ingress.controller),
        try_join_all([
            list("v1", "Node"),
            list("networking.k8s.io/v1", "IngressClass"),
            list("storage.k8s.io/v1", "StorageClass"),
        ]),
    )?;
    let [nodes, ingress_classes, storage_classes] =
        <[_; 3]>::try_from(lists).expect("three were asked for");
    Ok(Facts {
        context: cluster.context().to_owned(),
        server: cluster.server().to_owned(),
        version,
        user,
        rights,
        kinds,
        network_pods,
        controllers,
        nodes,
        ingress_classes,
        storage_classes,
        ..Facts::default()
    })
}

/// A list that may be looked at; empty where the cluster has no such kind.
fn known(
    listed: Result<Option<Vec<Object>>, ClusterError>,
) -> Result<Option<Vec<Object>>, ClusterError> {
    Ok(if_allowed(listed)?.map(Option::unwrap_or_default))
}

async fn version(cluster: &Cluster) -> Result<Option<String>, ClusterError> {
    let version = cluster
        .ask(Method::GET, "/version", None, "the version")
        .await?;
    Ok(version["gitVersion"].as_str().map(str::to_owned))
}

/// Name of the account that asks; none where the cluster does not say.
///
/// # Errors
/// When the API server cannot be reached.
pub async fn user(cluster: &Cluster) -> Result<Option<String>, ClusterError> {
    let review = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"});
    let path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    match cluster
        .ask(Method::POST, path, Some(&review), "who asks")
        .await
    {
        Ok(answer) => Ok(answer["status"]["userInfo"]["username"]
            .as_str()
            .map(str::to_owned)),
        // Clusters before 1.28 do not have it.
        Err(ClusterError::Refused { .. } | ClusterError::Forbidden { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn allowed(
    cluster: &Cluster,
    namespace: &str,
) -> Result<Vec<(Right, Option<bool>)>, ClusterError> {
    let ask = |right: Right| async move {
        let (resource, subresource) = right
            .resource
            .split_once('/')
            .unwrap_or((right.resource, ""));
        let mut attributes = json!({
            "verb": right.verb, "group": right.group, "resource": resource, "subresource": subresource,
        });
        if right.namespaced {
            attributes["namespace"] = namespace.into();
        }
        let review = json!({
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        });
        let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
        let answer = cluster
            .ask(Method::POST, path, Some(&review), "what is allowed")
            .await;
        let answer = if_allowed(answer)?;
        Ok::<_, ClusterError>((right, answer.and_then(|a| a["status"]["allowed"].as_bool())))
    };
    try_join_all(rights::all().into_iter().map(ask)).await
}

/// Whether the cluster has the kinds that not every cluster has.
async fn kinds(cluster: &Cluster) -> Result<BTreeMap<(String, String), bool>, ClusterError> {
    let of_operators = Operator::ALL.into_iter().map(Operator::resource);
    let optional = OPTIONAL.iter().map(|(version, kind, ..)| (*version, *kind));
    let of_plugins = PLUGIN_KINDS
        .iter()
        .map(|(version, kind, _)| (*version, *kind));
    let asked = of_operators
        .chain(optional)
        .chain(of_plugins)
        .map(|(version, kind)| async move {
            let answer = cluster
                .ask(Method::GET, &format!("/apis/{version}"), None, version)
                .await;
            let has = match answer {
                Ok(group) => {
                    let resources = group["resources"].as_array().into_iter().flatten();
                    resources
                        .into_iter()
                        .any(|resource| resource["kind"] == kind)
                }
                Err(ClusterError::Refused { code: 404, .. }) => false,
                // An API whose server is down, as that of metrics may be, is not there either.
                Err(ClusterError::Failed { .. }) => false,
                Err(ClusterError::Forbidden { .. }) => return Ok(None),
                Err(error) => return Err(error),
            };
            Ok(Some(((version.to_owned(), kind.to_owned()), has)))
        });
    Ok(try_join_all(asked).await?.into_iter().flatten().collect())
}

const PODS: Collection<'_> = Collection {
    api_version: "v1",
    kind: "Pod",
    namespace: None,
};

async fn network_pods(cluster: &Cluster) -> Result<Option<Vec<Object>>, ClusterError> {
    let mut by_key: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (key, value, ..) in PLUGINS {
        by_key.entry(key).or_default().push(value);
    }
    let lists = join_all(by_key.into_iter().map(|(key, values)| async move {
        let selector = format!("{key} in ({})", values.join(","));
        known(cluster.list(&PODS, &selector).await)
    }));
    let lists = lists.await.into_iter().collect::<Result<Vec<_>, _>>()?;
    let found: Option<Vec<Vec<Object>>> = lists.into_iter().collect();
    Ok(found.map(|lists| lists.into_iter().flatten().collect()))
}

/// The pods that the settings take for the ingress controller.
async fn controllers(
    cluster: &Cluster,
    peer: &PodPeer,
) -> Result<Option<Vec<Object>>, ClusterError> {
    if peer.namespace_labels.is_empty() {
        return Ok(None);
    }
    let selector = |labels: &BTreeMap<String, String>| {
        let pairs: Vec<String> = labels
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        pairs.join(",")
    };
    let namespaces = Collection {
        api_version: "v1",
        kind: "Namespace",
        namespace: None,
    };
    let namespace_selector = selector(&peer.namespace_labels);
    let pod_selector = selector(&peer.pod_labels);
    let (namespaces, pods) = futures::try_join!(
        async { known(cluster.list(&namespaces, &namespace_selector).await) },
        async { known(cluster.list(&PODS, &pod_selector).await) },
    )?;
    let (Some(namespaces), Some(mut pods)) = (namespaces, pods) else {
        return Ok(None);
    };
    pods.retain(|pod| {
        let namespace = pod.namespace();
        namespaces.iter().any(|one| Some(one.name()) == namespace)
    });
    Ok(Some(pods))
}

impl Cluster {
    /// One question at a path that is not that of an object.
    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        what: &str,
    ) -> Result<Value, ClusterError> {
        let bytes = body.map(|body| serde_json::to_vec(body).expect("a JSON document serialises"));
        let content = body.map(|_| "application/json");
        let request = self.build(method, path, content, bytes.unwrap_or_default())?;
        let answer = self.client.request::<Value>(request).await;
        answer.map_err(|error| self.error("find out", what, error))
    }
}
