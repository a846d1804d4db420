//! Images that cannot be pulled: what the registry said, told apart by whether waiting can heal it.

use std::sync::LazyLock;

use regex::Regex;

use super::{
    cause::{CauseCode, Finding, Fix},
    container::Container,
    scene::Scene,
};
use crate::model::seed::Run;

/// Reasons for which a container waits that are about its image.
const REASONS: &[&str] = &[
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "ErrImageNeverPull",
    "ImageInspectError",
    "RegistryUnavailable",
    "SignatureValidationFailed",
];

/// What went wrong with an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failure {
    RateLimit,
    Architecture,
    Certificate,
    Signature,
    Denied,
    NotFound,
    Invalid,
    NeverPull,
    Unreachable,
}

/// Text of the pull error and what it means; the first that matches counts. The texts are containerd's and the registries'.
const ERRORS: &[(&str, Failure)] = &[
    (
        r"429 Too Many Requests|toomanyrequests|rate limit",
        Failure::RateLimit,
    ),
    (r"no match for platform in manifest", Failure::Architecture),
    (
        r"x509: |gave HTTP response to HTTPS client",
        Failure::Certificate,
    ),
    (
        r"(?i)signature validation failed|SignatureValidationFailed",
        Failure::Signature,
    ),
    (
        r"(?i)insufficient_scope|authorization failed|unauthorized|access denied|\bdenied\b|no basic auth credentials|\b40[13] (?:Forbidden|Unauthorized)|status(?: code)?[^:]*: 40[13]\b",
        Failure::Denied,
    ),
    (
        r"(?i)invalid reference format|InvalidImageName|couldn't parse image",
        Failure::Invalid,
    ),
    (
        r"ErrImageNeverPull|pull policy of Never",
        Failure::NeverPull,
    ),
    (
        r"(?i)\bnot found\b|manifest unknown|name unknown|\b404\b",
        Failure::NotFound,
    ),
];

static RULES: LazyLock<Vec<(Regex, Failure)>> = LazyLock::new(|| {
    ERRORS
        .iter()
        .map(|(pattern, failure)| {
            let rule = Regex::new(pattern)
                .expect("the patterns of this file are valid: its tests compile all of them");
            (rule, *failure)
        })
        .collect()
});

/// What keeps this container's image from being pulled, if that is what it waits for.
pub(super) fn finding(scene: &Scene<'_>, container: &Container<'_>) -> Option<Finding> {
    let waiting = container.waiting()?;
    let reason = waiting.reason.as_deref()?;
    if !REASONS.contains(&reason) {
        return None;
    }
    let image = container.image();
    // Kubernetes before 1.32 does not repeat the registry's answer while it backs off: the event has it.
    let own = waiting.message.as_deref().unwrap_or_default();
    let event = scene.event("Pod", &container.pod.metadata, |event| {
        let message = event.message.as_deref().unwrap_or_default();
        event.reason.as_deref() == Some("Failed")
            && message.contains(image)
            && !message.starts_with("Error: ")
    });
    let told = event
        .and_then(|event| event.message.as_deref())
        .unwrap_or_default();
    let bare_backoff = reason == "ImagePullBackOff" && !own.contains(": ");
    let message = if own.is_empty() || bare_backoff && !told.is_empty() {
        told
    } else {
        own
    };
    Some(describe(
        scene,
        container,
        classify(reason, message, image),
        message,
        reason,
    ))
}

/// The image's own name is taken out first: it may contain any word.
fn classify(reason: &str, message: &str, image: &str) -> Failure {
    let text = format!("{reason} {}", message.replace(image, ""));
    let found = RULES.iter().find(|(rule, _)| rule.is_match(&text));
    found.map_or(Failure::Unreachable, |(_, failure)| *failure)
}

fn describe(
    scene: &Scene<'_>,
    container: &Container<'_>,
    failure: Failure,
    message: &str,
    reason: &str,
) -> Finding {
    let image = container.image();
    let of = container.subject();
    let registry = registry(image);
    let pointer = pointer(scene, container.component);
    let inspect = format!("docker manifest inspect {image}");
    let (code, summary, fix, fatal) = match failure {
        Failure::NotFound => (
            CauseCode::ImageNotFound,
            format!("image {image} of {of} does not exist"),
            not_found(scene, container).run(inspect),
            true,
        ),
        Failure::Denied => (
            CauseCode::ImageNotAllowed,
            format!("{registry} does not hand out image {image} of {of}: it is private or does not exist"),
            Fix::new("make the image public, or have a pull secret added to `imagePullSecrets` of the platform settings; if the name is wrong, correct it").run(inspect),
            true,
        ),
        Failure::Signature => (
            CauseCode::ImageNotAllowed,
            format!("image {image} of {of} has no signature that the nodes accept"),
            Fix::new("sign the image as the platform asks, then push it again"),
            true,
        ),
        Failure::Invalid => {
            let fix = Fix::new("write the image as `registry/name:tag`, in lower case but for the tag");
            let (name, tag) = split_tag(image);
            let lower = format!("{}{tag}", name.to_lowercase());
            let correct = lower != image && scene.service(container.component).is_some();
            let fix = if correct { fix.write(format!("image: {lower}")) } else { fix };
            (CauseCode::ImageInvalid, format!("`{image}` of {of} is not an image reference"), fix, true)
        }
        Failure::Architecture => (
            CauseCode::WrongArchitecture,
            format!("image {image} of {of} was not built for the architecture of the nodes"),
            architecture_fix(),
            true,
        ),
        Failure::Certificate => (
            CauseCode::ImageUnreachable,
            format!("the nodes do not trust {registry}, so image {image} of {of} cannot be pulled"),
            Fix::new("have the platform engineer add the registry's certificate to the nodes, or use another registry"),
            true,
        ),
        Failure::NeverPull => (
            CauseCode::ImageNotFound,
            format!("image {image} of {of} is not on the node, and the pull policy forbids to pull it"),
            Fix::new("load the image into every node, or use a pull policy other than `Never`"),
            true,
        ),
        Failure::RateLimit => (
            CauseCode::ImageUnreachable,
            format!("{registry} has had too many requests and does not hand out image {image} of {of} now"),
            Fix::new("wait and try again, or take the image from a registry or mirror without such a limit"),
            false,
        ),
        Failure::Unreachable => (
            CauseCode::ImageUnreachable,
            format!("image {image} of {of} cannot be pulled from {registry}"),
            Fix::new("check that the registry's name is right and that the nodes can reach it; the pull is tried again by itself"),
            false,
        ),
    };
    let evidence = vec![container.line(&format!("{reason}: {message}"))];
    Finding::new(
        code,
        container.component,
        summary,
        evidence,
        fix.at(pointer),
    )
    .fatal(fatal)
}

fn not_found(scene: &Scene<'_>, container: &Container<'_>) -> Fix {
    match scene.database(container.component) {
        Some(database) => Fix::new(format!("choose a version of {} that exists", database.kind)),
        None => Fix::new("push the image, or correct its name or tag"),
    }
}

/// What to do about an image for another processor.
pub(super) fn architecture_fix() -> Fix {
    Fix::new("build the image for the architecture of the nodes, or for both: `docker buildx build --platform linux/amd64,linux/arm64`")
        .run("kubectl get nodes -L kubernetes.io/arch")
}

/// Where the file says which image a component runs.
pub(super) fn pointer(scene: &Scene<'_>, component: Option<&str>) -> Option<String> {
    let service = scene
        .service(component)
        .map(|service| service.pointer("image"));
    let database = || {
        let database = scene.database(component)?;
        Some(format!("/databases/{}/version", database.kind))
    };
    let seed = || {
        let seed = scene.seed(component)?;
        match &seed.run {
            Run::File { database, .. } => Some(format!("/databases/{database}/version")),
            Run::Image(program) => match &program.service {
                Some(service) => scene.pointer(Some(service), "image"),
                None => Some(seed.pointer("image")),
            },
        }
    };
    service.or_else(database).or_else(seed)
}

/// Host of the registry of an image; without one, images are of Docker Hub.
fn registry(image: &str) -> &str {
    match image.split_once('/') {
        Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => host,
        _ => "docker.io",
    }
}

/// Name, and tag or digest with its separator.
fn split_tag(image: &str) -> (&str, &str) {
    let start = image.rfind('/').map_or(0, |slash| slash + 1);
    let end = image[start..]
        .find([':', '@'])
        .map_or(image.len(), |at| start + at);
    image.split_at(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_registries_are_told_apart() {
        let image = "ghcr.io/acme/denied-404:1.2";
        let resolve = r#"failed to pull and unpack image "ghcr.io/acme/denied-404:1.2": failed to resolve reference "ghcr.io/acme/denied-404:1.2": "#;
        for (rest, expected) in [
            ("ghcr.io/acme/denied-404:1.2: not found", Failure::NotFound),
            (
                "unexpected status from HEAD request to https://ghcr.io/v2/acme/x/manifests/1.2: 404 Not Found",
                Failure::NotFound,
            ),
            (
                "failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://ghcr.io/token?scope=x: 403 Forbidden",
                Failure::Denied,
            ),
            (
                "unexpected status from HEAD request to https://123.dkr.ecr.eu-west-1.amazonaws.com/v2/x/manifests/1: 401 Unauthorized",
                Failure::Denied,
            ),
            (
                "pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed",
                Failure::Denied,
            ),
            (
                "no match for platform in manifest: not found",
                Failure::Architecture,
            ),
            (
                "unexpected status code https://registry-1.docker.io/v2/x/manifests/1: 429 Too Many Requests - Server message: toomanyrequests: You have reached your unauthenticated pull rate limit",
                Failure::RateLimit,
            ),
            (
                "failed to do request: Head \"https://reg.local/v2/x\": tls: failed to verify certificate: x509: certificate signed by unknown authority",
                Failure::Certificate,
            ),
            (
                "failed to do request: Head \"https://10.0.0.5:5000/v2/x\": http: server gave HTTP response to HTTPS client",
                Failure::Certificate,
            ),
            (
                "failed to do request: Head \"https://ghcr.io/v2/x\": dial tcp: lookup ghcr.io on 10.0.0.2:53: no such host",
                Failure::Unreachable,
            ),
            (
                "failed to do request: Head \"https://ghcr.io/v2/x\": dial tcp 140.82.121.34:443: i/o timeout",
                Failure::Unreachable,
            ),
            (
                "failed to do request: Head \"https://ghcr.io/v2/x\": dial tcp 140.82.121.34:443: connect: connection refused",
                Failure::Unreachable,
            ),
            (
                "unexpected status from HEAD request to https://ghcr.io/v2/x/manifests/1: 503 Service Unavailable",
                Failure::Unreachable,
            ),
        ] {
            assert_eq!(
                classify("ErrImagePull", &format!("{resolve}{rest}"), image),
                expected,
                "{rest}"
            );
        }
        assert_eq!(
            classify(
                "InvalidImageName",
                "Failed to apply default image tag",
                image
            ),
            Failure::Invalid
        );
        assert_eq!(classify("ErrImageNeverPull", "", image), Failure::NeverPull);
        assert_eq!(
            classify("SignatureValidationFailed", "", image),
            Failure::Signature
        );
    }

    #[test]
    fn registries_and_tags_are_read_from_the_reference() {
        assert_eq!(registry("ghcr.io/acme/shop:1"), "ghcr.io");
        assert_eq!(registry("localhost:5000/shop"), "localhost:5000");
        assert_eq!(registry("acme/shop"), "docker.io");
        assert_eq!(
            split_tag("localhost:5000/Shop:V1"),
            ("localhost:5000/Shop", ":V1")
        );
        assert_eq!(split_tag("Shop"), ("Shop", ""));
    }
}
