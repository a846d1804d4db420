//! Images that cannot be pulled.

use insta::assert_snapshot;

use super::build::{Case, State};
use crate::model::DatabaseKind;

#[test]
fn not_found() {
    let case = Case::app().pod("app", &State::waiting(
        "ImagePullBackOff",
        "Back-off pulling image \"ghcr.io/acme/app:1.2\": ErrImagePull: rpc error: code = NotFound desc = failed to pull and unpack image \"ghcr.io/acme/app:1.2\": failed to resolve reference \"ghcr.io/acme/app:1.2\": ghcr.io/acme/app:1.2: not found",
    ));
    assert_snapshot!(case.report(), @r#"
    error[image-not-found]: image ghcr.io/acme/app:1.2 of app does not exist
      --> `image` in k8s-ee.yaml
      | Pod app-new-1, container app: ImagePullBackOff: Back-off pulling image "ghcr.io/acme/app:1.2": ErrImagePull: rpc error: code = NotFound desc = failed to pull and unpack image "ghcr.io/acme/app:1.2": failed to resolve reference "ghcr.io/acme/app:1.2": ghcr.io/acme/app:1.2: not found
    hint: push the image, or correct its name or tag
      $ docker manifest inspect ghcr.io/acme/app:1.2
    fatal: image-not-found
    "#);
}

#[test]
fn not_found_before_kubernetes_1_32() {
    let case = Case::app()
        .pod("app", &State::waiting("ImagePullBackOff", "Back-off pulling image \"ghcr.io/acme/app:1.2\""))
        .event(("Pod", "app-new-1"), "Failed", "Failed to pull image \"ghcr.io/acme/app:1.2\": rpc error: code = NotFound desc = failed to pull and unpack image \"ghcr.io/acme/app:1.2\": failed to resolve reference \"ghcr.io/acme/app:1.2\": ghcr.io/acme/app:1.2: not found", 2)
        .event(("Pod", "app-new-1"), "Failed", "Error: ErrImagePull", 2);
    assert_snapshot!(case.report(), @r#"
    error[image-not-found]: image ghcr.io/acme/app:1.2 of app does not exist
      --> `image` in k8s-ee.yaml
      | Pod app-new-1, container app: ImagePullBackOff: Failed to pull image "ghcr.io/acme/app:1.2": rpc error: code = NotFound desc = failed to pull and unpack image "ghcr.io/acme/app:1.2": failed to resolve reference "ghcr.io/acme/app:1.2": ghcr.io/acme/app:1.2: not found
    hint: push the image, or correct its name or tag
      $ docker manifest inspect ghcr.io/acme/app:1.2
    fatal: image-not-found
    "#);
}

#[test]
fn private() {
    let case = Case::app().pod("app", &State::waiting(
        "ErrImagePull",
        "failed to pull and unpack image \"ghcr.io/acme/app:1.2\": failed to resolve reference \"ghcr.io/acme/app:1.2\": failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://ghcr.io/token?scope=repository%3Aacme%2Fapp%3Apull&service=ghcr.io: 403 Forbidden",
    ));
    assert_snapshot!(case.report(), @r#"
    error[image-not-allowed]: ghcr.io does not hand out image ghcr.io/acme/app:1.2 of app: it is private or does not exist
      --> `image` in k8s-ee.yaml
      | Pod app-new-1, container app: ErrImagePull: failed to pull and unpack image "ghcr.io/acme/app:1.2":  … /acme/app:1.2": failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://ghcr.io/token?scope=repository%3Aacme%2Fapp%3Apull&service=ghcr.io: 403 Forbidden
    hint: make the image public, or have a pull secret added to `imagePullSecrets` of the platform settings; if the name is wrong, correct it
      $ docker manifest inspect ghcr.io/acme/app:1.2
    fatal: image-not-allowed
    "#);
}

#[test]
fn invalid_reference() {
    let case = Case::app().pod("app", &State::waiting(
        "InvalidImageName",
        "Failed to apply default image tag \"ghcr.io/Acme/app:V1\": couldn't parse image name \"ghcr.io/Acme/app:V1\": invalid reference format: repository name (Acme/app) must be lowercase",
    ).image("ghcr.io/Acme/app:V1"));
    assert_snapshot!(case.report(), @r#"
    error[image-invalid]: `ghcr.io/Acme/app:V1` of app is not an image reference
      | Pod app-new-1, container app: InvalidImageName: Failed to apply default image tag "ghcr.io/Acme/app:V1": couldn't parse image name "ghcr.io/Acme/app:V1": invalid reference format: repository name (Acme/app) must be lowercase
    hint: write the image as `registry/name:tag`, in lower case but for the tag
        image: ghcr.io/acme/app:V1
    fatal: image-invalid
    "#);
}

#[test]
fn other_architecture() {
    let case = Case::app().pod("app", &State::waiting(
        "ErrImagePull",
        "failed to pull and unpack image \"ghcr.io/acme/app:1.2\": no match for platform in manifest: not found",
    ));
    assert_snapshot!(case.report(), @r#"
    error[wrong-architecture]: image ghcr.io/acme/app:1.2 of app was not built for the architecture of the nodes
      --> `image` in k8s-ee.yaml
      | Pod app-new-1, container app: ErrImagePull: failed to pull and unpack image "ghcr.io/acme/app:1.2": no match for platform in manifest: not found
    hint: build the image for the architecture of the nodes, or for both: `docker buildx build --platform linux/amd64,linux/arm64`
      $ kubectl get nodes -L kubernetes.io/arch
    fatal: wrong-architecture
    "#);
}

#[test]
fn registry_away() {
    let case = Case::app().pod("app", &State::waiting(
        "ErrImagePull",
        "failed to pull and unpack image \"ghcr.io/acme/app:1.2\": failed to resolve reference \"ghcr.io/acme/app:1.2\": failed to do request: Head \"https://ghcr.io/v2/acme/app/manifests/1.2\": dial tcp: lookup ghcr.io on 10.0.0.2:53: no such host",
    ));
    assert_snapshot!(case.report(), @r#"
    error[image-unreachable]: image ghcr.io/acme/app:1.2 of app cannot be pulled from ghcr.io
      --> `image` in k8s-ee.yaml
      | Pod app-new-1, container app: ErrImagePull: failed to pull and unpack image "ghcr.io/acme/app:1.2": failed to resolve reference "ghcr.io/acme/app:1.2": failed to do request: Head "https://ghcr.io/v2/acme/app/manifests/1.2": dial tcp: lookup ghcr.io on 10.0.0.2:53: no such host
    hint: check that the registry's name is right and that the nodes can reach it; the pull is tried again by itself
    fatal: no
    "#);
}

#[test]
fn registry_busy() {
    let case = Case::app().pod("app", &State::waiting(
        "ErrImagePull",
        "failed to pull and unpack image \"ghcr.io/acme/app:1.2\": failed to resolve reference \"ghcr.io/acme/app:1.2\": unexpected status from HEAD request to https://ghcr.io/v2/acme/app/manifests/1.2: 429 Too Many Requests",
    ));
    assert_snapshot!(case.report(), @r#"
    error[image-unreachable]: ghcr.io has had too many requests and does not hand out image ghcr.io/acme/app:1.2 of app now
      --> `image` in k8s-ee.yaml
      | Pod app-new-1, container app: ErrImagePull: failed to pull and unpack image "ghcr.io/acme/app:1.2": failed to resolve reference "ghcr.io/acme/app:1.2": unexpected status from HEAD request to https://ghcr.io/v2/acme/app/manifests/1.2: 429 Too Many Requests
    hint: wait and try again, or take the image from a registry or mirror without such a limit
    fatal: no
    "#);
}

#[test]
fn registry_not_trusted() {
    let case = Case::app().pod("app", &State::waiting(
        "ErrImagePull",
        "failed to pull and unpack image \"ghcr.io/acme/app:1.2\": failed to resolve reference \"ghcr.io/acme/app:1.2\": failed to do request: Head \"https://ghcr.io/v2/acme/app/manifests/1.2\": tls: failed to verify certificate: x509: certificate signed by unknown authority",
    ));
    assert_snapshot!(case.report(), @r#"
    error[image-unreachable]: the nodes do not trust ghcr.io, so image ghcr.io/acme/app:1.2 of app cannot be pulled
      --> `image` in k8s-ee.yaml
      | Pod app-new-1, container app: ErrImagePull: failed to pull and unpack image "ghcr.io/acme/app:1.2":  … to resolve reference "ghcr.io/acme/app:1.2": failed to do request: Head "https://ghcr.io/v2/acme/app/manifests/1.2": tls: failed to verify certificate: x509: certificate signed by unknown authority
    hint: have the platform engineer add the registry's certificate to the nodes, or use another registry
    fatal: image-unreachable
    "#);
}

#[test]
fn version_of_a_database() {
    let case = Case::app().with(DatabaseKind::Redis).stateful("redis", &State::waiting(
        "ErrImagePull",
        "failed to pull and unpack image \"docker.io/library/redis:99-alpine\": failed to resolve reference \"docker.io/library/redis:99-alpine\": docker.io/library/redis:99-alpine: not found",
    ).image("redis:99-alpine"));
    assert_snapshot!(case.report(), @r#"
    error[image-not-found]: image redis:99-alpine of redis does not exist
      --> k8s-ee.yaml:20
      | Pod app-redis-0, container redis: ErrImagePull: failed to pull and unpack image "docker.io/library/redis:99-alpine": failed to resolve reference "docker.io/library/redis:99-alpine": docker.io/library/redis:99-alpine: not found
    hint: choose a version of redis that exists
      $ docker manifest inspect redis:99-alpine

    error[dependency-failed]: app was not started, because it waits for redis
    hint: fix redis first
    fatal: image-not-found
    "#);
}
