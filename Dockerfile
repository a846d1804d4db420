# k8s-ee and helm, and nothing else: no shell, no packages, no root. Built for several machines at once without emulation,
# because only the first stage runs anything, and that on the machine that builds:
#
#   cargo xtask release --target x86_64-unknown-linux-musl --dist dist
#   docker buildx build --platform linux/amd64 --tag k8s-ee:dev .
#
# The binary comes out of the archive that is published, so that the image and the archive cannot differ.
FROM --platform=$BUILDPLATFORM alpine:3.22.2@sha256:4b7ce07002c69e8f3d704a9c5d6fd3053be500b7f1c69fc0d80990c2ad8dd412 AS files
SHELL ["/bin/ash", "-eo", "pipefail", "-c"]

# The same as in action/setup/versions.
ARG HELM_VERSION=v3.19.0
ARG HELM_SHA256_AMD64=a7f81ce08007091b86d8bd696eb4d86b8d0f2e1b9f6c714be62f82f96a594496
ARG HELM_SHA256_ARM64=440cf7add0aee27ebc93fada965523c1dc2e0ab340d4348da2215737fc0d76ad
ARG TARGETARCH

WORKDIR /download
RUN case "$TARGETARCH" in \
      amd64) sum=$HELM_SHA256_AMD64 ;; \
      arm64) sum=$HELM_SHA256_ARM64 ;; \
      *) echo "there is no digest of helm for $TARGETARCH" >&2; exit 1 ;; \
    esac \
    && wget -q -O helm.tar.gz "https://get.helm.sh/helm-$HELM_VERSION-linux-$TARGETARCH.tar.gz" \
    && echo "$sum  helm.tar.gz" | sha256sum -c - \
    && mkdir -p /files/etc/ssl/certs \
    && tar -xzf helm.tar.gz -C /files --strip-components=1 "linux-$TARGETARCH/helm"

COPY dist/k8s-ee-v*-linux-$TARGETARCH.tar.gz ./
RUN tar -xzf k8s-ee-v*.tar.gz --strip-components=1 \
    && mv k8s-ee /files/k8s-ee \
    && chmod 0755 /files/k8s-ee /files/helm \
    # What every program expects: a place for temporary files, a name for its user, whom to believe.
    && mkdir -m 1777 /files/tmp \
    && echo 'k8s-ee:x:1001:1001:k8s-ee:/tmp:/sbin/nologin' > /files/etc/passwd \
    && echo 'k8s-ee:x:1001:' > /files/etc/group \
    && cp /etc/ssl/certs/ca-certificates.crt /files/etc/ssl/certs/

FROM scratch
COPY --from=files /files /
ENV HOME=/tmp K8S_EE_HELM=/helm
# A number, so that Kubernetes can see that it is not root; that of the user of GitHub's runners, whose files the container
# action writes to (docs/adr/0047-the-image-has-the-runners-user.md), and of the pods of the chart k8s-ee-app.
USER 1001:1001
ENTRYPOINT ["/k8s-ee"]
