//! Platform settings: what the platform engineer decides, never the pull request.
//!
//! They come from a file or from the ConfigMap `k8s-ee-platform`; everything has a default that suits a cluster with
//! Traefik, and every unknown key is an error.

mod access;
mod lifecycle;

use std::{collections::BTreeMap, fmt, net::IpAddr};

use schemars::{JsonSchema, Schema, generate::SchemaSettings, transform::RecursiveTransform};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{DatabaseKind, Mode, cidr::Cidr, operator::Operator};
use crate::{config, quantity::Quantity};
pub use access::{AccessMode, AccessSettings, Deployer, SubjectKind};
pub use lifecycle::{LifecycleSettings, PreserveSettings, Span};

/// All that the platform decides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
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
    /// Which repositories get environments, and who may look into them.
    pub access: AccessSettings,
    /// What environments of forks may.
    pub forks: ForkSettings,
    /// How long environments stay.
    pub lifecycle: LifecycleSettings,
    /// Who runs databases and what they are made of, by kind.
    #[schemars(extend("propertyNames" = {"enum": DatabaseKind::ALL}))]
    pub databases: BTreeMap<DatabaseKind, DatabaseSettings>,
    /// Page with the dashboards of an environment, which its comment links to; `{namespace}` stands for the namespace.
    pub dashboards: Option<String>,
    /// Template of the comment on the pull request; the built-in one when absent.
    pub comment_template: Option<String>,
    /// Names of Secrets in the environment's namespace that images are pulled with.
    pub image_pull_secrets: Vec<String>,
    /// Priority class of the pods; the cluster's default when empty.
    pub priority_class_name: String,
}

/// How requests from outside reach the environments.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
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

/// Pods elsewhere in the cluster, by the labels of their namespace and their own. Without any labels of a namespace no
/// pods are meant; without addresses either, nobody is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct PodPeer {
    /// Labels of the namespace.
    pub namespace_labels: BTreeMap<String, String>,
    /// Labels of the pods; every pod of the namespace when empty.
    pub pod_labels: BTreeMap<String, String>,
    /// Addresses of the same thing where it runs in the network of the nodes, in which pods cannot be told apart.
    pub addresses: Vec<Cidr>,
}

/// Who else may reach into an environment, and what its pods may reach.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct NetworkSettings {
    /// Pods that scrape metrics; they may reach services that have `metrics.enabled`, on their port.
    pub observability: PodPeer,
    /// Pods that answer DNS, and the address of the cache that some clusters run on every node.
    pub dns: PodPeer,
    /// Pods of the operators that run databases; they may reach the databases that they run.
    pub operators: Vec<PodPeer>,
    /// Domain of the cluster, in which the names of Services stand.
    pub cluster_domain: String,
    /// Whether pods may reach public addresses on the internet.
    pub internet: bool,
    /// Addresses that stay closed even though the internet is open, as CIDRs, beside all private and link-local ones.
    pub blocked_cidrs: Vec<Cidr>,
    /// Whether pods may reach the Kubernetes API server.
    pub kubernetes_api: bool,
}

/// What an environment may use.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct QuotaSettings {
    /// Most that the computed quota may come to, by resource name such as `limits.cpu`; resources not named are free.
    pub ceiling: BTreeMap<String, Quantity>,
    /// Least that a component of this name is counted with, by resource name: room that databases are used to.
    pub minimum: BTreeMap<String, BTreeMap<String, Quantity>>,
    /// Added to the computed sums, by resource name.
    pub headroom: BTreeMap<String, Quantity>,
    /// The sums of limits, headroom included, are raised to this many percent.
    pub limits_percent: u32,
}

/// Bounds and defaults for single containers, pods and volumes: the LimitRange of every environment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
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

/// What environments of forks may: those with the profile `fork`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct ForkSettings {
    /// Whether there are any.
    pub allow: ForkPolicy,
    /// Whether their pods may reach public addresses on the internet, where all others may.
    pub internet: bool,
    /// How many percent of the ceiling they may use.
    pub quota_percent: u32,
    /// Names of Secrets in the environment's namespace that their images are pulled with, in place of those of all others.
    pub image_pull_secrets: Vec<String>,
}

/// Whether forks get environments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ForkPolicy {
    /// When somebody who may push has approved the commit.
    #[default]
    Approved,
    /// Never.
    Never,
}

/// Who runs the databases of a kind, and what they are made of, where the file says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct DatabaseSettings {
    /// Who runs a new one. One that is there already stays with who runs it.
    pub mode: Mode,
    /// Reference of the image, such as one of a mirror; `{version}` in it stands for the version. The chart's image when
    /// absent.
    pub image: Option<ImageTemplate>,
    /// Storage class of the volume; the cluster's default when absent.
    pub storage_class: Option<String>,
}

/// A reference of an image in which `{version}` may stand for a version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct ImageTemplate(String);

impl ImageTemplate {
    const VERSION: &str = "{version}";

    /// The reference for a version.
    #[must_use]
    pub fn reference(&self, version: &str) -> String {
        self.0.replace(Self::VERSION, version)
    }

    /// Whether the version has a say in it.
    #[must_use]
    pub fn has_version(&self) -> bool {
        self.0.contains(Self::VERSION)
    }
}

impl fmt::Display for ImageTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for ImageTemplate {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let template = Self(text);
        config::check_image_reference(&template.reference("1"))
            .map_err(|why| format!("`{template}` is no image reference: {why}"))?;
        Ok(template)
    }
}

impl From<ImageTemplate> for String {
    fn from(template: ImageTemplate) -> Self {
        template.0
    }
}

/// CPU and memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Amounts {
    /// Cores.
    pub cpu: Quantity,
    /// Bytes.
    pub memory: Quantity,
}

/// The JSON Schema of the settings, draft-07: the chart `k8s-ee-platform` checks its value `settings` with it. It names no
/// defaults: what is left out has those of the program that reads the settings, of whatever version that is.
#[must_use]
pub fn schema() -> Value {
    let mut settings = SchemaSettings::draft07();
    let without_default = |schema: &mut Schema| drop(schema.remove("default"));
    settings
        .transforms
        .insert(0, Box::new(RecursiveTransform(without_default)));
    settings
        .into_generator()
        .into_root_schema_for::<PlatformSettings>()
        .to_value()
}

impl PlatformSettings {
    /// Who runs a new database of this kind.
    #[must_use]
    pub fn mode(&self, kind: DatabaseKind) -> Mode {
        let settings = self.databases.get(&kind);
        settings.map_or_else(Mode::default, |settings| settings.mode)
    }

    /// The kinds for which the settings name an operator although there is none.
    pub fn without_operator(&self) -> impl Iterator<Item = DatabaseKind> {
        let wanted = self
            .databases
            .iter()
            .filter(|(_, settings)| settings.mode == Mode::Operator);
        wanted
            .map(|(kind, _)| *kind)
            .filter(|kind| Operator::of_database(*kind).is_none())
    }
}

fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

/// Domain of a cluster that nobody has given another.
pub(super) const CLUSTER_DOMAIN: &str = "cluster.local";

const NAMESPACE_NAME: &str = "kubernetes.io/metadata.name";

impl Default for PlatformSettings {
    fn default() -> Self {
        Self {
            domain: None,
            ingress: IngressSettings::default(),
            network: NetworkSettings::default(),
            quota: QuotaSettings::default(),
            limits: LimitSettings::default(),
            access: AccessSettings::default(),
            forks: ForkSettings::default(),
            lifecycle: LifecycleSettings::default(),
            databases: BTreeMap::new(),
            dashboards: None,
            comment_template: None,
            image_pull_secrets: Vec::new(),
            priority_class_name: "default-app".to_owned(),
        }
    }
}

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
                addresses: Vec::new(),
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
                addresses: Vec::new(),
            },
            dns: PodPeer {
                namespace_labels: labels(&[(NAMESPACE_NAME, "kube-system")]),
                pod_labels: labels(&[("k8s-app", "kube-dns")]),
                // Where NodeLocal DNSCache listens, unless told otherwise.
                addresses: vec![Cidr::from(IpAddr::from([169, 254, 20, 10]))],
            },
            operators: ["cnpg-system", "mongodb-system", "minio-operator"]
                .map(|namespace| PodPeer {
                    namespace_labels: labels(&[(NAMESPACE_NAME, namespace)]),
                    ..PodPeer::default()
                })
                .to_vec(),
            cluster_domain: CLUSTER_DOMAIN.to_owned(),
            internet: true,
            blocked_cidrs: Vec::new(),
            kubernetes_api: false,
        }
    }
}

impl ForkSettings {
    /// A value that cannot be meant.
    #[must_use]
    pub fn mistake(&self) -> Option<String> {
        (self.quota_percent > 100).then(|| {
            "`forks.quotaPercent` is more than 100: a fork would be granted more than everybody else".to_owned()
        })
    }
}

impl Default for ForkSettings {
    fn default() -> Self {
        Self {
            allow: ForkPolicy::Approved,
            internet: false,
            quota_percent: 50,
            image_pull_secrets: Vec::new(),
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
            minimum: database_minimum(),
            headroom: amounts(&[
                ("requests.cpu", Quantity::milli(100)),
                ("requests.memory", Quantity::mebi(256)),
                ("limits.cpu", Quantity::milli(200)),
                ("limits.memory", Quantity::mebi(256)),
                ("requests.storage", Quantity::gibi(1)),
                ("persistentvolumeclaims", Quantity::units(1)),
                ("pods", Quantity::units(3)),
                ("services", Quantity::units(2)),
                ("configmaps", Quantity::units(13)),
                ("secrets", Quantity::units(25)),
                ("replicationcontrollers", Quantity::units(5)),
            ]),
            limits_percent: 115,
        }
    }
}

/// What each database had on the platform before this one, so that none that moves over has to do with less.
fn database_minimum() -> BTreeMap<String, BTreeMap<String, Quantity>> {
    type Unit = fn(i64) -> Quantity;
    const COLUMNS: [(&str, Unit); 8] = [
        ("requests.cpu", Quantity::milli),
        ("limits.cpu", Quantity::milli),
        ("requests.memory", Quantity::mebi),
        ("limits.memory", Quantity::mebi),
        ("requests.storage", Quantity::gibi),
        ("persistentvolumeclaims", Quantity::units),
        ("pods", Quantity::units),
        ("services", Quantity::units),
    ];
    let amounts = |row: [i64; 8]| {
        COLUMNS
            .iter()
            .zip(row)
            .filter(|(_, amount)| *amount > 0)
            .map(|((resource, unit), amount)| ((*resource).to_owned(), unit(amount)))
            .collect()
    };
    [
        ("postgresql", [250, 500, 256, 512, 2, 1, 2, 3]),
        ("mongodb", [500, 1000, 320, 640, 3, 2, 2, 1]),
        ("redis", [100, 200, 64, 128, 0, 0, 1, 1]),
        ("minio", [200, 1000, 384, 1024, 2, 1, 2, 2]),
        ("mariadb", [150, 300, 128, 256, 2, 1, 1, 1]),
    ]
    .map(|(database, row)| (database.to_owned(), amounts(row)))
    .into()
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
