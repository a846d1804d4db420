//! The shape of `k8s-ee.yaml`: what a user may write, with the words that editors and the reference show.
//!
//! The JSON Schema is generated from these types, and the loader checks a file against that schema before it fills
//! them; so nothing here reports errors of its own. A key enters in the change that makes it work.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    databases::Databases, defaults, lifecycle::Lifecycle, patterns, schema::one_key, seed::Seeds,
    trigger::Trigger,
};

/// What the environment of a pull request is: one service in the short form, or several under `services`, and the
/// databases beside them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(title = "k8s-ee.yaml")]
pub struct File {
    /// Short name of the project. The namespace is `{projectId}-pr-{number}`, and so is the first label of the URL.
    #[schemars(regex(pattern = patterns::PROJECT_ID), example = &"shop")]
    pub project_id: String,

    /// Which pull requests get an environment: `automatic` for each as it comes, `on-demand` for those where somebody who
    /// may push writes `/deploy-preview` in a comment; or conditions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "automatic"))]
    pub trigger: Option<Trigger>,

    /// How long the environment stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifecycle: Option<Lifecycle>,

    /// Short form: where the one service listens and how its health is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<App>,

    /// Short form: the image of the one service, or how it is built.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Image>,

    /// Short form: CPU and memory of the one service; 50m and 128Mi are set aside, 200m and 384Mi are the most when
    /// absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<Resources>,

    /// Short form: environment variables of the one service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env: Option<Env>,

    /// Short form: Secrets and ConfigMaps whose keys become environment variables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env_from: Option<Vec<EnvSource>>,

    /// Short form: how the one service is reached from outside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ingress: Option<Ingress>,

    /// Short form: whether Prometheus scrapes the one service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics: Option<Metrics>,

    /// Short form: directories that the one service may write to, beside `/tmp`; each is empty at every start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub writable_dirs: Option<Vec<WritableDir>>,

    /// General form: the services of the environment by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<ServicesSchema>")]
    pub services: Option<IndexMap<String, Service>>,

    /// Databases that the environment gets, each with its data and credentials of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub databases: Option<Databases>,

    /// Data that are put into the databases once: one seed, or several in a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<Seeds>,
}

/// Services by name. The name is that of the Deployment and of the Service, and so the host name inside the environment.
#[derive(JsonSchema)]
#[schemars(rename = "Services")]
struct ServicesSchema(
    #[schemars(extend(
        "propertyNames" = {"pattern": patterns::SERVICE_NAME},
        "minProperties" = 1,
        "examples" = [{"web": {"port": 8080, "dependsOn": ["api"]}, "api": {"public": false}}],
    ))]
    #[expect(dead_code, reason = "only its schema is used")]
    BTreeMap<String, Service>,
);

/// Where the one service of the short form listens.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct App {
    /// TCP port that the container listens on; also given to it as `PORT`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65535), extend("default" = defaults::PORT))]
    pub port: Option<u16>,

    /// Path that answers 2xx or 3xx when the service is up; used where no more precise path is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = patterns::HTTP_PATH), extend("default" = defaults::HEALTH_PATH))]
    pub health_path: Option<String>,

    /// Path that says whether the container must be restarted; `healthPath` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = patterns::HTTP_PATH), example = &"/livez")]
    pub liveness_path: Option<String>,

    /// Path that says whether the container can serve requests now; `healthPath` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = patterns::HTTP_PATH), example = &"/readyz")]
    pub readiness_path: Option<String>,

    /// Path that Prometheus scrapes when `metrics.enabled` is true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = patterns::HTTP_PATH), extend("default" = defaults::METRICS_PATH))]
    pub metrics_path: Option<String>,
}

/// One service: a container image that runs, replicated if wanted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Service {
    /// TCP port that the container listens on; also given to it as `PORT`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65535), extend("default" = defaults::PORT))]
    pub port: Option<u16>,

    /// Path that answers 2xx or 3xx when the service is up; used where no more precise path is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = patterns::HTTP_PATH), extend("default" = defaults::HEALTH_PATH))]
    pub health_path: Option<String>,

    /// Path that says whether the container must be restarted; `healthPath` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = patterns::HTTP_PATH), example = &"/livez")]
    pub liveness_path: Option<String>,

    /// Path that says whether the container can serve requests now; `healthPath` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = patterns::HTTP_PATH), example = &"/readyz")]
    pub readiness_path: Option<String>,

    /// Path that Prometheus scrapes when `metrics.enabled` is true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = patterns::HTTP_PATH), extend("default" = defaults::METRICS_PATH))]
    pub metrics_path: Option<String>,

    /// The image, or how it is built.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Image>,

    /// Replaces the image's entry point.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), example = ["/app/server"])]
    pub command: Option<Vec<String>>,

    /// Replaces the image's arguments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = ["--verbose"])]
    pub args: Option<Vec<String>>,

    /// CPU and memory of each copy; 50m and 128Mi are set aside, 200m and 384Mi are the most when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<Resources>,

    /// Environment variables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env: Option<Env>,

    /// Secrets and ConfigMaps whose keys become environment variables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [[{"secretRef": {"name": "api-keys"}}]]))]
    pub env_from: Option<Vec<EnvSource>>,

    /// How the service is reached from outside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ingress: Option<Ingress>,

    /// Whether Prometheus scrapes the service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics: Option<Metrics>,

    /// Directories that the service may write to, beside `/tmp`; each is empty at every start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub writable_dirs: Option<Vec<WritableDir>>,

    /// Services and databases that must be up before this one starts, and seeds that must have run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("uniqueItems" = true), example = ["api", "postgresql"])]
    pub depends_on: Option<Vec<String>>,

    /// How many copies run; with `autoscaling`, how many to start with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 50), extend("default" = defaults::REPLICAS))]
    pub replicas: Option<u32>,

    /// Whether the service gets a URL. Only the service named `app`, or the only one, does unless told otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public: Option<bool>,

    /// Lets the number of copies follow the load.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub autoscaling: Option<Autoscaling>,

    /// How many copies must stay up while nodes are drained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disruption_budget: Option<DisruptionBudget>,
}

/// An image: a reference to one that exists, or how it is built.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Image {
    /// Reference of an image that exists, with tag or digest.
    #[schemars(extend("minLength" = 1, "examples" = ["ghcr.io/acme/shop:1.2"]))]
    Reference(String),
    /// How the image is built from this repository.
    Build(Build),
}

/// How an image is built from the repository.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Build {
    /// Build context, a directory relative to the repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = defaults::CONTEXT))]
    pub context: Option<String>,

    /// Dockerfile, relative to the context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = defaults::DOCKERFILE))]
    pub dockerfile: Option<String>,

    /// Repository that the built image is pushed to, without a tag; `ghcr.io/{owner}/{repo}/{projectId}` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"ghcr.io/acme/shop")]
    pub repository: Option<String>,
}

/// CPU and memory of a container. Where one of a pair is absent, its default gives way to the amount beside it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Resources {
    /// What is set aside for the container.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests: Option<ResourceAmounts>,

    /// What the container may use at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<ResourceAmounts>,
}

/// An amount of CPU and memory.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResourceAmounts {
    /// Cores, or thousandths of a core with the suffix `m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = patterns::CPU), example = &"100m")]
    pub cpu: Option<String>,

    /// Memory in `Mi` or `Gi`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = patterns::MEMORY), example = &"256Mi")]
    pub memory: Option<String>,
}

/// Environment variables: names of letters, digits and `_`, values as strings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(transparent)]
pub struct Env(
    #[schemars(extend(
        "propertyNames" = {"pattern": patterns::ENV_NAME},
        "examples" = [{"LOG_LEVEL": "debug"}],
    ))]
    pub BTreeMap<String, String>,
);

/// A Secret or a ConfigMap of the environment's namespace whose keys become environment variables.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(transform = one_key)]
pub enum EnvSource {
    /// A Secret.
    SecretRef(ObjectName),
    /// A ConfigMap.
    ConfigMapRef(ObjectName),
}

/// The name of an object in the environment's namespace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ObjectName {
    /// Name of the object.
    #[schemars(regex(pattern = patterns::OBJECT_NAME), example = &"api-keys")]
    pub name: String,
}

/// How a service is reached from outside.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Ingress {
    /// Whether the service gets a URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = true))]
    pub enabled: Option<bool>,

    /// Annotations of the Ingress, beside those of the platform.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [{"example.com/timeout": "60s"}]))]
    pub annotations: Option<BTreeMap<String, String>>,
}

/// Whether Prometheus scrapes a service.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Metrics {
    /// Whether a ServiceMonitor is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = false))]
    pub enabled: Option<bool>,

    /// Time between two scrapes, at least 10s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = patterns::DURATION), extend("default" = defaults::METRICS_INTERVAL))]
    pub interval: Option<String>,
}

/// An absolute path of a directory in the container.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(transparent)]
pub struct WritableDir(
    #[schemars(regex(pattern = patterns::DIRECTORY), example = &"/var/cache/app")] pub String,
);

/// Lets the number of copies of a service follow its load.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Autoscaling {
    /// Fewest copies; `replicas` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 50))]
    pub min_replicas: Option<u32>,

    /// Most copies. The quota is computed for this many.
    #[schemars(range(min = 1, max = 50), example = 3)]
    pub max_replicas: u32,

    /// CPU use, in percent of what is requested, that the number of copies is steered to.
    #[serde(
        rename = "targetCPUUtilizationPercentage",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(range(min = 1, max = 100), extend("default" = 80))]
    pub target_cpu_utilization_percentage: Option<u32>,

    /// Memory use, in percent of what is requested, that the number of copies is steered to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    pub target_memory_utilization_percentage: Option<u32>,
}

/// How many copies of a service must stay up while nodes are drained; one of the two.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(transform = one_key)]
pub enum DisruptionBudget {
    /// Copies that must stay up.
    MinAvailable(CountOrPercent),
    /// Copies that may be down.
    MaxUnavailable(CountOrPercent),
}

/// A number of copies, or a share of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum CountOrPercent {
    /// A number of copies.
    Count(#[schemars(range(min = 0, max = 50))] u32),
    /// A share of the copies.
    #[schemars(extend("pattern" = patterns::PERCENT, "examples" = ["50%"]))]
    Percent(String),
}
