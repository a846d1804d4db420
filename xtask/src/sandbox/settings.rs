//! Names and addresses of the sandbox, fixed so that tests and pages can name them.

/// The one node, and the name of cluster, user and context in the kubeconfig.
pub(super) const NODE: &str = "k8s-ee-sandbox";

/// The node's address; the API server listens on [`API_PORT`] of it, the registry on [`REGISTRY`].
pub(super) const NODE_IP: &str = "10.200.0.1";

/// Port of the API server.
pub(super) const API_PORT: u16 = 6443;

/// Where images are pushed to and pulled from, whatever registry their name says.
pub(super) const REGISTRY: &str = "10.200.0.1:5000";

/// The same images behind a login, for every image whose name begins with `private.test/`.
pub(super) const PRIVATE_REGISTRY: &str = "10.200.0.1:5001";

/// Where Traefik answers, on ports 80 and 443.
pub(super) const INGRESS_IP: &str = "10.200.0.80";

/// The node's way out: the other end of its network cable, in the namespace `world`.
pub(super) const GATEWAY_IP: &str = "10.200.0.254";

/// "The internet": answers HTTP on port 80.
pub(super) const WORLD_IP: &str = "203.0.113.10";

/// The metadata service that clouds have at this address; a fake one answers HTTP on port 80.
pub(super) const METADATA_IP: &str = "169.254.169.254";

/// Pods' addresses.
pub(super) const POD_CIDR: &str = "10.244.0.0/16";

/// Services' addresses.
pub(super) const SERVICE_CIDR: &str = "10.96.0.0/16";

/// The API server's address in [`SERVICE_CIDR`]: always its first.
pub(super) const API_SERVICE_IP: &str = "10.96.0.1";

/// The cluster's DNS.
pub(super) const DNS_IP: &str = "10.96.0.10";

/// The addresses for people, with what answers there.
pub(super) fn addresses() -> [(&'static str, String); 6] {
    [
        ("API server", format!("https://{NODE_IP}:{API_PORT}")),
        ("registry", format!("http://{REGISTRY}")),
        (
            "private.test",
            format!("http://{PRIVATE_REGISTRY}  (a registry that asks for a login)"),
        ),
        (
            "ingress",
            format!("http://{INGRESS_IP}  https://{INGRESS_IP}"),
        ),
        (
            "the world",
            format!("http://{WORLD_IP}  http://world.test (in pods)"),
        ),
        ("metadata", format!("http://{METADATA_IP}")),
    ]
}

/// Replaces `{name}` in a configuration file of `sandbox/` by its value.
pub(super) fn fill(text: &str, values: &[(&str, &str)]) -> String {
    values.iter().fold(text.to_owned(), |text, (name, value)| {
        text.replace(&format!("{{{name}}}"), value)
    })
}
