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
/// CPU that is set aside for a container.
pub const CPU_REQUEST: &str = "50m";
/// Memory that is set aside for a container.
pub const MEMORY_REQUEST: &str = "128Mi";
/// CPU that a container may use.
pub const CPU_LIMIT: &str = "200m";
/// Memory that a container may use.
pub const MEMORY_LIMIT: &str = "384Mi";
/// Copies of a service.
pub const REPLICAS: u32 = 1;
/// Longest that a seed may run.
pub const SEED_TIMEOUT: &str = "10m";
/// CPU that is set aside for a seed that reads a file.
pub const SEED_CPU_REQUEST: &str = "10m";
/// Memory that is set aside for a seed that reads a file.
pub const SEED_MEMORY_REQUEST: &str = "64Mi";
/// CPU that a seed that reads a file may use.
pub const SEED_CPU_LIMIT: &str = "250m";
/// Memory that a seed that reads a file may use.
pub const SEED_MEMORY_LIMIT: &str = "256Mi";
