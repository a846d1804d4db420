//! Rollouts: only the newest version is judged.

use insta::assert_snapshot;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::build::{Case, State};
use crate::model::DatabaseKind;

#[test]
fn old_pods_that_fail_say_nothing() {
    let case = Case::app()
        .pod("app", &State::waiting("ContainerCreating", ""))
        .replica_set("app", "old", 1)
        .running_pod("app", "old", &State::crashed(137, "OOMKilled", 9));
    assert_snapshot!(case.report(), @"
    error[timeout]: app was not ready in time: its container is still being created
      | Pod app-new-1: Pending, container app ContainerCreating
    hint: allow more time, or look at what it does
      $ kubectl -n shop-pr-12 describe pod app-new-1
    fatal: no
    ");
}

#[test]
fn old_pods_that_serve_hide_nothing() {
    let case = Case::app()
        .pod(
            "app",
            &State::waiting("ErrImagePull", "ghcr.io/acme/app:1.2: not found"),
        )
        .replica_set("app", "old", 1)
        .running_pod("app", "old", &State::ready());
    assert_snapshot!(case.report(), @"
    error[image-not-found]: image ghcr.io/acme/app:1.2 of app does not exist
      --> `image` in k8s-ee.yaml
      | Pod app-new-1, container app: ErrImagePull: ghcr.io/acme/app:1.2: not found
    hint: push the image, or correct its name or tag
      $ docker manifest inspect ghcr.io/acme/app:1.2
    fatal: image-not-found
    ");
}

#[test]
fn a_rollout_that_was_not_seen_yet_has_no_pods() {
    let case = {
        let mut case = Case::app().pod("app", &State::crashed(137, "OOMKilled", 9));
        case.observed.deployments[0].metadata.generation = Some(3);
        case
    };
    assert_snapshot!(case.report(), @"
    error[timeout]: app was not ready in time: no pod of its newest version was made
    hint: allow more time, or look at what it does
      $ kubectl -n shop-pr-12 get events --sort-by=.lastTimestamp
    fatal: no
    ");
}

#[test]
fn a_revision_whose_replica_set_was_not_seen_yet_has_no_pods() {
    let case = {
        let mut case = Case::app().pod("app", &State::crashed(137, "OOMKilled", 9));
        let annotations = case.observed.deployments[0].metadata.annotations.as_mut();
        annotations.expect("some").insert(
            "deployment.kubernetes.io/revision".to_owned(),
            "3".to_owned(),
        );
        case
    };
    assert_snapshot!(case.report(), @"
    error[timeout]: app was not ready in time: no pod of its newest version was made
    hint: allow more time, or look at what it does
      $ kubectl -n shop-pr-12 get events --sort-by=.lastTimestamp
    fatal: no
    ");
}

#[test]
fn pods_that_go_say_nothing() {
    let case = {
        let mut case = Case::app().pod("app", &State::crashed(137, "OOMKilled", 9));
        let then = "2026-11-20T09:58:00Z".parse().expect("a time");
        case.observed.pods[0].metadata.deletion_timestamp = Some(Time(then));
        case
    };
    assert_snapshot!(case.report(), @"
    error[timeout]: app was not ready in time: no pod of its newest version was made
    hint: allow more time, or look at what it does
      $ kubectl -n shop-pr-12 get events --sort-by=.lastTimestamp
    fatal: no
    ");
}

#[test]
fn events_of_a_pod_of_the_same_name_that_is_gone_say_nothing() {
    let case = {
        let mut case = Case::app()
            .with(DatabaseKind::Redis)
            .stateful("redis", &State::running())
            .event(
                ("Pod", "app-redis-0"),
                "Unhealthy",
                "Startup probe failed: dial tcp 10.244.0.9:6379: connect: connection refused",
                4,
            );
        case.observed.events[0].involved_object.uid = Some("another".to_owned());
        case
    };
    assert_snapshot!(case.report(), @"
    error[timeout]: redis was not ready in time: it runs, but has not passed its probes yet
      | Pod app-redis-0: Running, container redis running
    hint: allow more time, or look at what it does
      $ kubectl -n shop-pr-12 describe pod app-redis-0

    error[dependency-failed]: app was not started, because it waits for redis
    hint: fix redis first
    fatal: no
    ");
}

#[test]
fn a_pod_that_was_replaced_says_nothing() {
    let case = Case::app()
        .deployment("app", true)
        .replica_set("app", "new", 2)
        .running_pod(
            "app",
            "new",
            &State::failed("Evicted", "The node was low on resource: memory. "),
        );
    assert_snapshot!(case.report(), @"fatal: no");
}

#[test]
fn copies_that_fail_alike_are_told_once() {
    let case = Case::app()
        .pod(
            "app",
            &State::waiting("ErrImagePull", "ghcr.io/acme/app:1.2: not found"),
        )
        .running_pod(
            "app",
            "new",
            &State::waiting("ErrImagePull", "ghcr.io/acme/app:1.2: not found"),
        );
    assert_snapshot!(case.report(), @"
    error[image-not-found]: image ghcr.io/acme/app:1.2 of app does not exist
      --> `image` in k8s-ee.yaml
      | Pod app-new-1, container app: ErrImagePull: ghcr.io/acme/app:1.2: not found
    hint: push the image, or correct its name or tag
      $ docker manifest inspect ghcr.io/acme/app:1.2
    fatal: image-not-found
    ");
}
