//! Objects that are missing, or that the API server does not take.

use insta::assert_snapshot;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::{Value, json};

use super::super::{CauseCode, fatal};
use super::build::{Case, State};
use crate::model::DatabaseKind;

#[test]
fn missing_secret_of_the_user() {
    let case = Case::app().env_from("api-keys").pod(
        "app",
        &State::waiting(
            "CreateContainerConfigError",
            "secret \"api-keys\" not found",
        ),
    );
    assert_snapshot!(case.report(), @r#"
    error[missing-secret]: Secret api-keys, which app needs, is not in namespace shop-pr-12
      --> k8s-ee.yaml:6
      | Pod app-new-1, container app: CreateContainerConfigError: secret "api-keys" not found
    hint: create it from a file of KEY=value lines, or take it out of `envFrom`
      $ kubectl -n shop-pr-12 create secret generic api-keys --from-env-file=api-keys.env
    fatal: missing-secret
    "#);
}

#[test]
fn missing_secret_of_the_plan() {
    let case = Case::app().pod(
        "app",
        &State::waiting(
            "CreateContainerConfigError",
            "secret \"app-postgresql-app\" not found",
        ),
    );
    assert_snapshot!(case.report(), @r#"
    error[missing-secret]: Secret app-postgresql-app, which app needs, is not in namespace shop-pr-12
      | Pod app-new-1, container app: CreateContainerConfigError: secret "app-postgresql-app" not found
    hint: deploy again if the chart brings it or an operator makes it; otherwise make it, or take it out of the chart; there are:
      $ kubectl -n shop-pr-12 get secrets,configmaps
    fatal: no
    "#);
}

#[test]
fn missing_key() {
    let case = Case::app().pod(
        "app",
        &State::waiting(
            "CreateContainerConfigError",
            "couldn't find key uri in Secret shop-pr-12/app-postgresql-app",
        ),
    );
    assert_snapshot!(case.report(), @"
    error[missing-secret]: Secret app-postgresql-app has no key uri, which app needs
      | Pod app-new-1, container app: CreateContainerConfigError: couldn't find key uri in Secret shop-pr-12/app-postgresql-app
    hint: add the key uri to Secret app-postgresql-app, or correct the name
      $ kubectl -n shop-pr-12 describe secret app-postgresql-app
    fatal: no
    ");
}

#[test]
fn missing_config_map() {
    let case = Case::app().pod(
        "app",
        &State::waiting(
            "CreateContainerConfigError",
            "configmap \"app-config\" not found",
        ),
    );
    assert_snapshot!(case.report(), @r#"
    error[missing-config-map]: ConfigMap app-config, which app needs, is not in namespace shop-pr-12
      | Pod app-new-1, container app: CreateContainerConfigError: configmap "app-config" not found
    hint: deploy again if the chart brings it or an operator makes it; otherwise make it, or take it out of the chart; there are:
      $ kubectl -n shop-pr-12 get secrets,configmaps
    fatal: no
    "#);
}

#[test]
fn missing_secret_that_is_mounted() {
    let case = Case::app()
        .pod("app", &State::waiting("ContainerCreating", ""))
        .event(
            ("Pod", "app-new-1"),
            "FailedMount",
            "MountVolume.SetUp failed for volume \"tls\" : secret \"tls\" not found",
            5,
        );
    assert_snapshot!(case.report(), @r#"
    error[missing-secret]: Secret tls, which app needs, is not in namespace shop-pr-12
      | Pod app-new-1: MountVolume.SetUp failed for volume "tls" : secret "tls" not found (5 times)
    hint: deploy again if the chart brings it or an operator makes it; otherwise make it, or take it out of the chart; there are:
      $ kubectl -n shop-pr-12 get secrets,configmaps
    fatal: no
    "#);
}

#[test]
fn missing_key_that_is_mounted() {
    let mut case = Case::app()
        .pod("app", &State::waiting("ContainerCreating", ""))
        .event(
            ("Pod", "app-new-1"),
            "FailedMount",
            "MountVolume.SetUp failed for volume \"certificates\" : references non-existent secret key: tls.crt",
            5,
        );
    let spec = case.observed.pods[0].spec.as_mut().expect("built with one");
    let volumes = json!([{"name": "certificates", "secret": {"secretName": "web-tls"}}]);
    spec.volumes = serde_json::from_value(volumes).expect("volumes");
    assert_snapshot!(case.report(), @r#"
    error[missing-secret]: Secret web-tls has no key tls.crt, which app needs
      | Pod app-new-1: MountVolume.SetUp failed for volume "certificates" : references non-existent secret key: tls.crt (5 times)
    hint: add the key tls.crt to Secret web-tls, or correct the name
      $ kubectl -n shop-pr-12 describe secret web-tls
    fatal: no
    "#);
}

#[test]
fn a_secret_that_came_late_is_no_cause() {
    let case = Case::app()
        .pod("app", &State::waiting("ContainerCreating", ""))
        .event(
            ("Pod", "app-new-1"),
            "FailedMount",
            "MountVolume.SetUp failed for volume \"tls\" : secret \"tls\" not found",
            2,
        )
        .event(
            ("Pod", "app-new-1"),
            "Pulling",
            "Pulling image \"ghcr.io/acme/app:1.2\"",
            1,
        );
    assert_snapshot!(case.report(), @r#"
    error[timeout]: app was not ready in time: its image is still being pulled
      | Pod app-new-1: Pending, container app ContainerCreating
      | Pod app-new-1: MountVolume.SetUp failed for volume "tls" : secret "tls" not found (2 times)
    hint: allow more time, or look at what it does
      $ kubectl -n shop-pr-12 describe pod app-new-1
    fatal: no
    "#);
}

#[test]
fn runs_as_root() {
    let case = Case::app().pod("app", &State::waiting(
        "CreateContainerConfigError",
        "container has runAsNonRoot and image will run as root (pod: \"app-new-1_shop-pr-12(0a)\", container: app)",
    ));
    assert_snapshot!(case.report(), @r#"
    error[runs-as-root]: the image of app wants to run as root, which environments do not allow
      | Pod app-new-1, container app: CreateContainerConfigError: container has runAsNonRoot and image will run as root (pod: "app-new-1_shop-pr-12(0a)", container: app)
    hint: give the image a numeric user that is not root, in the Dockerfile: `USER 1001`
    fatal: runs-as-root
    "#);
}

#[test]
fn other_container_config() {
    let case = Case::app().pod(
        "app",
        &State::waiting("CreateContainerError", "context deadline exceeded"),
    );
    assert_snapshot!(case.report(), @"
    error[container-config]: the node cannot create the container of app
      | Pod app-new-1, container app: CreateContainerError: context deadline exceeded
    hint: fix what the message names
      $ kubectl -n shop-pr-12 describe pod app-new-1
    fatal: no
    ");
}

#[test]
fn quota_of_pods() {
    let case = Case::app().pod_refused("app",
        "pods \"app-new-x\" is forbidden: exceeded quota: k8s-ee, requested: limits.memory=384Mi,pods=1, used: limits.memory=900Mi,pods=5, limited: limits.memory=1Gi,pods=5",
    );
    assert_snapshot!(case.report(), @r#"
    error[quota-exceeded]: a pod of app needs 384Mi of limits.memory, but quota k8s-ee has only 124Mi left of 1Gi
      --> `resources.limits.memory` in k8s-ee.yaml
      | ReplicaSet app-new: pods "app-new-x" is forbidden: exceeded quota: k8s-ee, requested: limits.memory=384Mi,pods=1, used: limits.memory=900Mi,pods=5, limited: limits.memory=1Gi,pods=5
    hint: lower `resources.limits.memory` by 260Mi or more, or ask the platform engineer for a larger quota
      $ k8s-ee quota
    fatal: quota-exceeded
    "#);
}

#[test]
fn quota_while_an_older_pod_leaves() {
    let case = {
        let mut case = Case::app().pod_refused("app",
            "pods \"app-new-x\" is forbidden: exceeded quota: k8s-ee, requested: limits.cpu=200m, used: limits.cpu=900m, limited: limits.cpu=1",
        ).replica_set("app", "old", 1).running_pod("app", "old", &State::ready());
        let then = "2026-11-20T09:58:00Z".parse().expect("a time");
        case.observed.pods[0].metadata.deletion_timestamp = Some(Time(then));
        case
    };
    assert_snapshot!(case.report(), @r#"
    error[quota-exceeded]: a pod of app needs 200m of limits.cpu, but quota k8s-ee has only 100m left of 1
      --> `resources.limits.cpu` in k8s-ee.yaml
      | ReplicaSet app-new: pods "app-new-x" is forbidden: exceeded quota: k8s-ee, requested: limits.cpu=200m, used: limits.cpu=900m, limited: limits.cpu=1
    hint: lower `resources.limits.cpu` by 100m or more, or ask the platform engineer for a larger quota
      $ k8s-ee quota
    fatal: no
    "#);
}

#[test]
fn quota_while_the_deployment_may_end_an_older_pod_first() {
    let message = "pods \"app-new-x\" is forbidden: exceeded quota: k8s-ee, requested: limits.cpu=200m, used: limits.cpu=900m, limited: limits.cpu=1";
    let rollout = |max_unavailable: Value| {
        let mut case = Case::app()
            .pod_refused("app", message)
            .replica_set("app", "old", 1);
        let spec = case.observed.deployments[0]
            .spec
            .as_mut()
            .expect("built with one");
        let strategy =
            json!({"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": max_unavailable}});
        spec.strategy = Some(serde_json::from_value(strategy).expect("a strategy"));
        fatal(&case.env, &case.observed).map(|cause| cause.code)
    };
    assert_eq!(rollout(json!(1)), None);
    assert_eq!(rollout(json!("100%")), None);
    assert_eq!(rollout(json!(0)), Some(CauseCode::QuotaExceeded));
    assert_eq!(rollout(json!("25%")), Some(CauseCode::QuotaExceeded));
}

#[test]
fn quota_that_has_room_again() {
    let case = {
        let mut case = Case::app().pod_refused("app",
            "pods \"app-new-x\" is forbidden: exceeded quota: k8s-ee, requested: limits.cpu=200m, used: limits.cpu=900m, limited: limits.cpu=1",
        );
        case.observed.quotas = vec![
            serde_json::from_value(json!({
                "metadata": {"name": "k8s-ee"},
                "status": {"hard": {"limits.cpu": "1"}, "used": {"limits.cpu": "700m"}},
            }))
            .expect("a quota"),
        ];
        case
    };
    assert_snapshot!(case.report(), @r#"
    error[quota-exceeded]: a pod of app needs 200m of limits.cpu, but quota k8s-ee has only 100m left of 1
      --> `resources.limits.cpu` in k8s-ee.yaml
      | ReplicaSet app-new: pods "app-new-x" is forbidden: exceeded quota: k8s-ee, requested: limits.cpu=200m, used: limits.cpu=900m, limited: limits.cpu=1
    hint: lower `resources.limits.cpu` by 100m or more, or ask the platform engineer for a larger quota
      $ k8s-ee quota
    fatal: no
    "#);
}

#[test]
fn quota_of_storage() {
    let case = Case::app()
        .with(DatabaseKind::Postgresql)
        .stateful_without_pod("postgresql")
        .event(("StatefulSet", "app-postgresql"), "FailedCreate", "create Claim data-app-postgresql-0 for Pod app-postgresql-0 in StatefulSet app-postgresql failed error: persistentvolumeclaims \"data-app-postgresql-0\" is forbidden: exceeded quota: k8s-ee, requested: requests.storage=5Gi, used: requests.storage=1Gi, limited: requests.storage=3Gi", 3);
    assert_snapshot!(case.report(), @r#"
    error[quota-exceeded]: the volume claim of postgresql needs 5Gi of requests.storage, but quota k8s-ee has only 2Gi left of 3Gi
      --> k8s-ee.yaml:21
      | StatefulSet app-postgresql: create Claim data-app-postgresql-0 for Pod app-postgresql-0 in StatefulS … iled error: persistentvolumeclaims "data-app-postgresql-0" is forbidden: exceeded quota: k8s-ee, requested: requests.storage=5Gi, used: requests.storage=1Gi, limited: requests.storage=3Gi (3 times)
    hint: lower `storage` by 3Gi or more, or ask the platform engineer for a larger quota
      $ k8s-ee quota

    error[dependency-failed]: app was not started, because it waits for postgresql
    hint: fix postgresql first
    fatal: quota-exceeded
    "#);
}

#[test]
fn quota_wants_sizes() {
    let case = Case::app().pod_refused("app",
        "pods \"app-new-x\" is forbidden: failed quota: k8s-ee: must specify limits.cpu for: app; limits.memory for: app",
    );
    assert_snapshot!(case.report(), @r#"
    error[quota-exceeded]: a pod of app sets no limits.cpu, which quota k8s-ee asks for
      | ReplicaSet app-new: pods "app-new-x" is forbidden: failed quota: k8s-ee: must specify limits.cpu for: app; limits.memory for: app
    hint: the LimitRange of the environment gives the sizes that are missing: deploy again, and if it stays so, report it to the platform engineer
    fatal: no
    "#);
}

#[test]
fn limit_range_of_containers() {
    let case = Case::services(&["api"]).pod_refused("api",
        "pods \"api-new-x\" is forbidden: [maximum cpu usage per Container is 1, but limit is 2, maximum memory usage per Container is 1Gi, but limit is 2Gi]",
    );
    assert_snapshot!(case.report(), @r#"
    error[limit-range-refused]: a pod of api has a cpu limit of 2, but a container may have at most 1
      --> k8s-ee.yaml:3
      | ReplicaSet api-new: pods "api-new-x" is forbidden: [maximum cpu usage per Container is 1, but limit is 2, maximum memory usage per Container is 1Gi, but limit is 2Gi]
    hint: lower the cpu limit, or ask the platform engineer for other bounds
        services:
          api:
            resources:
              limits:
                cpu: "1"
    fatal: limit-range-refused
    "#);
}

#[test]
fn limit_range_of_volumes() {
    let case = Case::app()
        .with(DatabaseKind::Postgresql)
        .stateful_without_pod("postgresql")
        .event(("StatefulSet", "app-postgresql"), "FailedCreate", "create Claim data-app-postgresql-0 for Pod app-postgresql-0 in StatefulSet app-postgresql failed error: persistentvolumeclaims \"data-app-postgresql-0\" is forbidden: maximum storage usage per PersistentVolumeClaim is 5Gi, but request is 20Gi", 3);
    assert_snapshot!(case.report(), @r#"
    error[limit-range-refused]: the volume claim of postgresql has a storage request of 20Gi, but a volume may have at most 5Gi
      --> k8s-ee.yaml:21
      | StatefulSet app-postgresql: create Claim data-app-postgresql-0 for Pod app-postgresql-0 in StatefulSet app-postgresql failed error: persistentvolumeclaims "data-app-postgresql-0" is forbidden: maximum storage usage per PersistentVolumeClaim is 5Gi, but request is 20Gi (3 times)
    hint: lower the storage request, or ask the platform engineer for other bounds
        databases:
          postgresql:
            storage: 5Gi

    error[dependency-failed]: app was not started, because it waits for postgresql
    hint: fix postgresql first
    fatal: limit-range-refused
    "#);
}

#[test]
fn limit_range_of_pods() {
    let case = Case::app().pod_refused(
        "app",
        "pods \"app-new-x\" is forbidden: maximum memory usage per Pod is 2Gi, but limit is 3Gi",
    );
    assert_snapshot!(case.report(), @r#"
    error[limit-range-refused]: a pod of app has a memory limit of 3Gi, but a pod may have at most 2Gi
      --> `resources.limits.memory` in k8s-ee.yaml
      | ReplicaSet app-new: pods "app-new-x" is forbidden: maximum memory usage per Pod is 2Gi, but limit is 3Gi
    hint: lower the memory limit, or ask the platform engineer for other bounds
    fatal: limit-range-refused
    "#);
}

#[test]
fn pod_security() {
    let case = Case::app().pod_refused("app",
        "pods \"app-new-x\" is forbidden: violates PodSecurity \"restricted:latest\": allowPrivilegeEscalation != false (container \"app\" must set securityContext.allowPrivilegeEscalation=false), runAsNonRoot != true (pod or container \"app\" must set securityContext.runAsNonRoot=true)",
    );
    assert_snapshot!(case.report(), @r#"
    error[admission-refused]: Pod Security forbids a pod of app: allowPrivilegeEscalation != false, runAsNonRoot != true
      | ReplicaSet app-new: pods "app-new-x" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "app" must set securityContext.allowPrivilegeEscalation=false), runAsNonRoot != true (pod or container "app" must set securityContext.runAsNonRoot=true)
    hint: let the pod do without what the message names; if the platform's own charts ask for it, report it to the platform engineer; what is asked for:
      $ k8s-ee render
    fatal: admission-refused
    "#);
}

#[test]
fn webhook_says_no() {
    let case = Case::app().pod_refused("app",
        "admission webhook \"validate.kyverno.svc-fail\" denied the request: resource Pod/shop-pr-12/app-new-x was blocked due to the following policies",
    );
    assert_snapshot!(case.report(), @r#"
    error[admission-refused]: the cluster's admission webhook validate.kyverno.svc-fail forbids a pod of app
      | ReplicaSet app-new: admission webhook "validate.kyverno.svc-fail" denied the request: resource Pod/shop-pr-12/app-new-x was blocked due to the following policies
    hint: change what the message names, or have the platform engineer make an exception
      $ kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations
    fatal: admission-refused
    "#);
}

#[test]
fn webhook_is_away() {
    let case = Case::app().refusal("Deployment", "app", 500,
        "Internal error occurred: failed calling webhook \"mutate.example.com\": failed to call webhook: Post \"https://hook.system.svc:443/mutate?timeout=10s\": dial tcp 10.96.3.4:443: connect: connection refused",
    );
    assert_snapshot!(case.report(), @r#"
    error[webhook-unavailable]: an admission webhook of the cluster does not answer, so Deployment app is not taken
      | Deployment app: Internal error occurred: failed calling webhook "mutate.example.com": failed to call webhook: Post "https://hook.system.svc:443/mutate?timeout=10s": dial tcp 10.96.3.4:443: connect: connection refused (500 InternalError)
    hint: have the platform engineer look at the webhook
      $ kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations
    fatal: no
    "#);
}

#[test]
fn service_account_missing() {
    let case = Case::app().pod_refused("app",
        "pods \"app-new-x\" is forbidden: error looking up service account shop-pr-12/k8s-ee: serviceaccount \"k8s-ee\" not found",
    );
    assert_snapshot!(case.report(), @r#"
    error[missing-service-account]: a pod of app runs as the service account k8s-ee, which does not exist
      | ReplicaSet app-new: pods "app-new-x" is forbidden: error looking up service account shop-pr-12/k8s-ee: serviceaccount "k8s-ee" not found
    hint: deploy again if the chart brings it or an operator makes it; otherwise make it, or name another one in the chart
      $ kubectl -n shop-pr-12 create serviceaccount k8s-ee
    fatal: no
    "#);
}

#[test]
fn priority_class_missing() {
    let case = Case::app().pod_refused(
        "app",
        "pods \"app-new-x\" is forbidden: no PriorityClass with name default-app was found",
    );
    assert_snapshot!(case.report(), @r#"
    error[missing-priority-class]: the cluster has no PriorityClass default-app, which a pod of app asks for
      | ReplicaSet app-new: pods "app-new-x" is forbidden: no PriorityClass with name default-app was found
    hint: have the platform engineer install the chart `k8s-ee-platform`, which brings it
      $ kubectl get priorityclasses
    fatal: missing-priority-class
    "#);
}

#[test]
fn stateful_set_cannot_make_its_pod() {
    let case = Case::app()
        .with(DatabaseKind::Redis)
        .stateful_without_pod("redis")
        .event(("StatefulSet", "app-redis"), "FailedCreate", "create Pod app-redis-0 in StatefulSet app-redis failed error: pods \"app-redis-0\" is forbidden: exceeded quota: k8s-ee, requested: pods=1, used: pods=5, limited: pods=5", 3);
    assert_snapshot!(case.report(), @r#"
    error[quota-exceeded]: a pod of redis does not fit: quota k8s-ee allows 5 pods, and 5 are in use
      | StatefulSet app-redis: create Pod app-redis-0 in StatefulSet app-redis failed error: pods "app-redis-0" is forbidden: exceeded quota: k8s-ee, requested: pods=1, used: pods=5, limited: pods=5 (3 times)
    hint: have the platform engineer raise `pods` of quota k8s-ee
      $ k8s-ee quota

    error[dependency-failed]: app was not started, because it waits for redis
    hint: fix redis first
    fatal: quota-exceeded
    "#);
}

#[test]
fn no_right() {
    let case = Case::app().refusal("RoleBinding", "k8s-ee", 403,
        "rolebindings.rbac.authorization.k8s.io is forbidden: User \"system:serviceaccount:ci:deployer\" cannot patch resource \"rolebindings\" in API group \"rbac.authorization.k8s.io\" in the namespace \"shop-pr-12\"",
    );
    assert_snapshot!(case.report(), @r#"
    error[permission-missing]: k8s-ee has no right to apply RoleBinding k8s-ee
      | RoleBinding k8s-ee: rolebindings.rbac.authorization.k8s.io is forbidden: User "system:serviceaccount:ci:deployer" cannot patch resource "rolebindings" in API group "rbac.authorization.k8s.io" in the namespace "shop-pr-12" (403 Forbidden)
    hint: have the platform engineer grant the right that the message names: `environment.extraRules` of the chart k8s-ee-platform
      $ kubectl -n shop-pr-12 auth can-i --list
    fatal: permission-missing
    "#);
}

#[test]
fn credentials_expired() {
    let case = Case::app().refusal("Namespace", "shop-pr-12", 401, "Unauthorized");
    assert_snapshot!(case.report(), @"
    error[permission-missing]: the cluster does not accept the credentials, so Namespace shop-pr-12 could not be applied
      | Namespace shop-pr-12: Unauthorized (401 Unknown)
    hint: renew the credentials of the kubeconfig
      $ kubectl auth whoami
    fatal: permission-missing
    ");
}

#[test]
fn kind_unknown() {
    let case = Case::app().with(DatabaseKind::Postgresql).refusal(
        "Cluster",
        "app-postgresql",
        404,
        "the server could not find the requested resource",
    );
    assert_snapshot!(case.report(), @"
    error[kind-unknown]: the cluster does not know the kind of Cluster app-postgresql
      | Cluster app-postgresql: the server could not find the requested resource (404 NotFound)
    hint: have the platform engineer install the operator or CRD that brings it, or deploy without it
      $ kubectl api-resources
    fatal: kind-unknown
    ");
}

#[test]
fn invalid_object() {
    let case = Case::app().refusal(
        "Deployment",
        "app",
        422,
        "Deployment.apps \"app\" is invalid: spec.selector: Invalid value: {}: field is immutable",
    );
    assert_snapshot!(case.report(), @r#"
    error[object-invalid]: the API server finds Deployment app invalid
      | Deployment app: Deployment.apps "app" is invalid: spec.selector: Invalid value: {}: field is immutable (422 Invalid)
    hint: correct what the message names; what is made of your file:
      $ k8s-ee render
    fatal: object-invalid
    "#);
}

#[test]
fn conflict() {
    let case = Case::app().refusal(
        "Deployment",
        "app",
        409,
        "Apply failed with 1 conflict: conflict with \"kubectl-edit\": .spec.replicas",
    );
    assert_snapshot!(case.report(), @r#"
    error[apply-failed]: the API server could not take Deployment app now (status 409)
      | Deployment app: Apply failed with 1 conflict: conflict with "kubectl-edit": .spec.replicas (409 Conflict)
    hint: deploy again; if it stays so, have the platform engineer look at the API server
    fatal: no
    "#);
}

#[test]
fn other_refusal() {
    let case = Case::app().refusal(
        "Ingress",
        "app",
        413,
        "Request entity too large: limit is 3145728",
    );
    assert_snapshot!(case.report(), @"
    error[apply-failed]: the API server did not take Ingress app (status 413)
      | Ingress app: Request entity too large: limit is 3145728 (413 Unknown)
    hint: fix what the message names
    fatal: apply-failed
    ");
}

#[test]
fn pod_refused_without_a_rule() {
    let case = Case::app().pod_refused("app", "pods \"app-new-x\" is forbidden: unheard of");
    assert_snapshot!(case.report(), @r#"
    error[apply-failed]: the API server does not take a pod of app
      | ReplicaSet app-new: pods "app-new-x" is forbidden: unheard of
    hint: fix what the message names
    fatal: no
    "#);
}
