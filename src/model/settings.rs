//! Platform settings: what the platform engineer decides, never the pull request.
//!
//! They come from a file or from the ConfigMap `k8s-ee-platform`; everything has a default that suits a cluster with
//! Traefik, and every unknown key is an error.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::quantity::Quantity;

/// All that the platform decides.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct PlatformSettings {
    /// Domain under which every environment gets its host, such as `preview.example.com`.
    pub domain: Option<String>,
    /// How requests from outside reach the environments.
    pub ingress: IngressSettings,
    /// Who else may reach into an environment, and what its pods may reach.
    pub network: NetworkSettings,
    /// What an environment may use.
    pub quota: QuotaSettings,
    /// Bounds and defaults for single containers, pods and volumes.
    pub limits: LimitSettings,
    /// Names of Secrets in the environment's namespace that images are pulled with.
    pub image_pull_secrets: Vec<String>,
}

/// How requests from outside reach the environments.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct IngressSettings {
    /// Ingress class.
    pub class_name: String,
    /// Annotations of every Ingress.
    pub annotations: BTreeMap<String, String>,
    /// Whether URLs are `https`.
    pub tls: bool,
    /// Secret with a certificate for all hosts; the controller's own certificate when absent.
    pub tls_secret_name: Option<String>,
    /// `host[:port]` to connect to instead of asking DNS for the environment's host: for clusters without DNS records.
    pub address: Option<String>,
    /// The pods of the ingress controller, the only ones outside that may reach public services.
    pub controller: PodPeer,
}

/// Pods elsewhere in the cluster, by the labels of their namespace and their own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct PodPeer {
    /// Labels of the namespace.
    pub namespace_labels: BTreeMap<String, String>,
    /// Labels of the pods; every pod of the namespace when empty.
    pub pod_labels: BTreeMap<String, String>,
}

/// Who else may reach into an environment, and what its pods may reach.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct NetworkSettings {
    /// Pods that scrape metrics; they may reach services that have `metrics.enabled`, on their port.
    pub observability: PodPeer,
    /// Pods that answer DNS.
    pub dns: PodPeer,
    /// Whether pods may reach public addresses on the internet.
    pub internet: bool,
    /// Addresses that stay closed even though the internet is open, as CIDRs, beside all private and link-local ones.
    pub blocked_cidrs: Vec<String>,
    /// Whether pods may reach the Kubernetes API server.
    pub kubernetes_api: bool,
}

/// What an environment may use.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct QuotaSettings {
    /// Most that the computed quota may come to, by resource name such as `limits.cpu`; resources not named are free.
    pub ceiling: BTreeMap<String, Quantity>,
    /// Added to the computed sums, by resource name.
    pub headroom: BTreeMap<String, Quantity>,
    /// The computed limits are raised to this many percent.
    pub limits_percent: u32,
}

/// Bounds and defaults for single containers, pods and volumes: the LimitRange of every environment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct LimitSettings {
    /// Limits of a container that names none.
    pub default: Amounts,
    /// Requests of a container that names none.
    pub default_request: Amounts,
    /// Least that a container may ask for.
    pub container_min: Amounts,
    /// Most that a container may ask for.
    pub container_max: Amounts,
    /// Most that the containers of a pod may ask for together.
    pub pod_max: Amounts,
    /// Smallest volume.
    pub storage_min: Quantity,
    /// Largest volume.
    pub storage_max: Quantity,
}

/// CPU and memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Amounts {
    /// Cores.
    pub cpu: Quantity,
    /// Bytes.
    pub memory: Quantity,
}

fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

const NAMESPACE_NAME: &str = "kubernetes.io/metadata.name";

impl Default for IngressSettings {
    fn default() -> Self {
        Self {
            class_name: "traefik".to_owned(),
            annotations: BTreeMap::new(),
            tls: true,
            tls_secret_name: None,
            address: None,
            controller: PodPeer {
                namespace_labels: labels(&[(NAMESPACE_NAME, "kube-system")]),
                pod_labels: labels(&[("app.kubernetes.io/name", "traefik")]),
            },
        }
    }
}

impl Default for NetworkSettings {
    fn default() -> Self {
        Self {
            observability: PodPeer {
                namespace_labels: labels(&[(NAMESPACE_NAME, "observability")]),
                pod_labels: labels(&[("app.kubernetes.io/name", "prometheus")]),
            },
            dns: PodPeer {
                namespace_labels: labels(&[(NAMESPACE_NAME, "kube-system")]),
                pod_labels: labels(&[("k8s-app", "kube-dns")]),
            },
            internet: true,
            blocked_cidrs: Vec::new(),
            kubernetes_api: false,
        }
    }
}

impl Default for QuotaSettings {
    fn default() -> Self {
        let amounts = |pairs: &[(&str, Quantity)]| {
            pairs
                .iter()
                .map(|(name, quantity)| ((*name).to_owned(), *quantity))
                .collect()
        };
        Self {
            ceiling: amounts(&[
                ("requests.cpu", Quantity::units(4)),
                ("requests.memory", Quantity::gibi(8)),
                ("limits.cpu", Quantity::units(8)),
                ("limits.memory", Quantity::gibi(12)),
                ("requests.storage", Quantity::gibi(20)),
                ("pods", Quantity::units(50)),
            ]),
            headroom: amounts(&[
                ("requests.cpu", Quantity::milli(100)),
                ("requests.memory", Quantity::mebi(256)),
                ("requests.storage", Quantity::gibi(1)),
                ("persistentvolumeclaims", Quantity::units(1)),
                ("pods", Quantity::units(3)),
                ("services", Quantity::units(2)),
                ("configmaps", Quantity::units(12)),
                ("secrets", Quantity::units(20)),
            ]),
            limits_percent: 115,
        }
    }
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self {
            default: Amounts {
                cpu: Quantity::milli(500),
                memory: Quantity::mebi(512),
            },
            default_request: Amounts {
                cpu: Quantity::milli(100),
                memory: Quantity::mebi(128),
            },
            container_min: Amounts {
                cpu: Quantity::milli(10),
                memory: Quantity::mebi(32),
            },
            container_max: Amounts {
                cpu: Quantity::units(1),
                memory: Quantity::gibi(1),
            },
            pod_max: Amounts {
                cpu: Quantity::units(2),
                memory: Quantity::gibi(2),
            },
            storage_min: Quantity::mebi(100),
            storage_max: Quantity::gibi(5),
        }
    }
}
