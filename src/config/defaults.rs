//! What is taken where the file says nothing. The schema shows the same values.

/// Port that a service listens on.
pub const PORT: u16 = 3000;
/// Path that says whether a service is up.
pub const HEALTH_PATH: &str = "/health";
/// Path that Prometheus scrapes.
pub const METRICS_PATH: &str = "/metrics";
/// Time between two scrapes.
pub const METRICS_INTERVAL: &str = "30s";
/// Build context, relative to the repository.
pub const CONTEXT: &str = ".";
/// Dockerfile, relative to the build context.
pub const DOCKERFILE: &str = "Dockerfile";
/// CPU and memory of a service's container.
pub const SERVICE: Container = Container {
    cpu: ("50m", "200m"),
    memory: ("128Mi", "384Mi"),
};
/// Copies of a service.
pub const REPLICAS: u32 = 1;
/// Longest that a seed may run.
pub const SEED_TIMEOUT: &str = "10m";
/// CPU and memory of a seed that reads a file.
pub const SEED: Container = Container {
    cpu: ("10m", "250m"),
    memory: ("64Mi", "256Mi"),
};

/// CPU and memory of a container, each as what is set aside and the most that it may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Container {
    /// Cores.
    pub cpu: (&'static str, &'static str),
    /// Bytes.
    pub memory: (&'static str, &'static str),
}
