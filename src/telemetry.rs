//! Details for those who ask for them, on stderr: `--verbose`, or `K8S_EE_LOG` with a filter such as `k8s_ee=trace`.

use tracing_subscriber::EnvFilter;

/// Turns the details on. Without `--verbose` and `K8S_EE_LOG`, nothing is printed.
pub fn init(verbose: bool) {
    let filter = match std::env::var("K8S_EE_LOG") {
        Ok(filter) if !filter.is_empty() => EnvFilter::new(filter),
        _ if verbose => EnvFilter::new("k8s_ee=debug"),
        _ => return,
    };
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false)
        .init();
}
