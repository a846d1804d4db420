//! What other stages have to know of the cluster.

use std::{
    collections::BTreeSet,
    net::{IpAddr, SocketAddr},
};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};

use super::{Cluster, ClusterError, path::Collection};
use crate::{diagnose::Secret, guardrails::ClusterFacts, model::object::ObjectId};

/// The addresses at which pods reach the API server: its Service, and the endpoints behind it.
///
/// # Errors
/// When they may not be read, or the API server cannot be reached.
pub async fn api_server_addresses(cluster: &Cluster) -> Result<ClusterFacts, ClusterError> {
    let service = ObjectId {
        api_version: "v1".to_owned(),
        kind: "Service".to_owned(),
        namespace: Some("default".to_owned()),
        name: "kubernetes".to_owned(),
    };
    let slices = Collection {
        api_version: "discovery.k8s.io/v1",
        kind: "EndpointSlice",
        namespace: Some("default"),
    };
    let (service, slices) = futures::try_join!(
        cluster.get(&service),
        cluster.list(&slices, "kubernetes.io/service-name=kubernetes")
    )?;
    let mut addresses: BTreeSet<(IpAddr, u16)> = BTreeSet::new();
    let port = |value: &serde_json::Value| {
        value["port"]
            .as_u64()
            .and_then(|port| u16::try_from(port).ok())
    };
    if let Some(service) = service {
        let ip = service
            .str("/spec/clusterIP")
            .and_then(|ip| ip.parse().ok());
        let ports = service.get("/spec/ports").and_then(|p| p.as_array());
        for port in ports.into_iter().flatten().filter_map(port) {
            addresses.extend(ip.map(|ip| (ip, port)));
        }
    }
    for slice in slices.into_iter().flatten() {
        let ports = slice.get("/ports").and_then(|p| p.as_array()).cloned();
        let endpoints = slice.get("/endpoints").and_then(|e| e.as_array());
        for endpoint in endpoints.into_iter().flatten() {
            let ips = endpoint["addresses"].as_array().into_iter().flatten();
            for ip in ips.filter_map(|ip| ip.as_str()?.parse().ok()) {
                let ports = ports.iter().flatten().filter_map(port);
                addresses.extend(ports.map(|port| (ip, port)));
            }
        }
    }
    Ok(ClusterFacts {
        api_server: addresses.into_iter().map(SocketAddr::from).collect(),
        ..ClusterFacts::default()
    })
}

/// Whether the volumes of a storage class can grow; one that does not exist lets nothing grow.
///
/// # Errors
/// When it may not be read, or the API server cannot be reached.
pub async fn lets_volumes_grow(cluster: &Cluster, class: &str) -> Result<bool, ClusterError> {
    let id = ObjectId {
        api_version: "storage.k8s.io/v1".to_owned(),
        kind: "StorageClass".to_owned(),
        namespace: None,
        name: class.to_owned(),
    };
    let class = cluster.get(&id).await?;
    let allowed = class.and_then(|class| class.get("/allowVolumeExpansion")?.as_bool());
    Ok(allowed.unwrap_or(false))
}

/// The values of the namespace's Secrets, so that none of them is shown as evidence. Who may not read them cannot show
/// them either.
pub async fn secret_values(cluster: &Cluster, namespace: &str) -> Vec<Secret> {
    let collection = Collection {
        api_version: "v1",
        kind: "Secret",
        namespace: Some(namespace),
    };
    let secrets = cluster.list(&collection, "").await.ok().flatten();
    let decode = |value: &serde_json::Value| {
        let bytes = BASE64.decode(value.as_str()?).ok()?;
        String::from_utf8(bytes).ok().map(Secret::new)
    };
    secrets
        .iter()
        .flatten()
        .filter_map(|secret| secret.get("/data")?.as_object())
        .flat_map(|data| data.values().filter_map(decode))
        .collect()
}
