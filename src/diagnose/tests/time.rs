//! What had no time left: whose fault that was.

use insta::assert_snapshot;

use super::build::{Case, State};

#[test]
fn what_had_no_time_is_no_cause() {
    let case = Case::services(&["api", "web", "worker"])
        .depends("worker", "web")
        .pod("api", &State::crashed(0, "Completed", 3))
        .pod("web", &State::running());
    assert_snapshot!(case.report(), @"
    error[container-exited]: api exits with code 0, but a service must keep running
      | Pod api-new-1, container api: Completed, exit code 0, restarted 3 times
    hint: start the server in the foreground; a task that ends is no service
      $ kubectl -n shop-pr-12 logs api-new-1 -c api --previous
    fatal: container-exited
    ");
}

#[test]
fn time_ran_out() {
    let case = Case::services(&["api", "web"])
        .depends("web", "api")
        .pod("api", &State::running());
    assert_snapshot!(case.report(), @"
    error[timeout]: api was not ready in time: it runs, but has not passed its probes yet
      | Pod api-new-1: Running, container api running
    hint: allow more time, or look at what it does
      $ kubectl -n shop-pr-12 describe pod api-new-1

    error[dependency-failed]: web was not started, because it waits for api
    hint: fix api first
    fatal: no
    ");
}

#[test]
fn time_ran_out_while_pulling() {
    let case = Case::app()
        .pod("app", &State::waiting("ContainerCreating", ""))
        .event(
            ("Pod", "app-new-1"),
            "Pulling",
            "Pulling image \"ghcr.io/acme/app:1.2\"",
            1,
        );
    assert_snapshot!(case.report(), @"
    error[timeout]: app was not ready in time: its image is still being pulled
      | Pod app-new-1: Pending, container app ContainerCreating
    hint: allow more time, or look at what it does
      $ kubectl -n shop-pr-12 describe pod app-new-1
    fatal: no
    ");
}

#[test]
fn time_ran_out_in_an_init_container() {
    let case = Case::app().pod(
        "app",
        &State::waiting("PodInitializing", "").init("migrate", State::running()),
    );
    assert_snapshot!(case.report(), @"
    error[timeout]: app was not ready in time: its init container migrate still runs
      | Pod app-new-1: Pending, container migrate running, container app PodInitializing
    hint: allow more time, or look at what it does
      $ kubectl -n shop-pr-12 describe pod app-new-1
    fatal: no
    ");
}

#[test]
fn time_ran_out_and_the_deployment_says_so() {
    let case = {
        let mut case = Case::app().pod("app", &State::waiting("ContainerCreating", ""));
        let status = case.observed.deployments[0]
            .status
            .as_mut()
            .expect("a status");
        status.conditions = serde_json::from_value(serde_json::json!([{
            "type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded",
            "message": "ReplicaSet \"app-new\" has timed out progressing.",
        }]))
        .expect("conditions");
        case
    };
    assert_snapshot!(case.report(), @r#"
    error[timeout]: app was not ready in time: its container is still being created
      | Pod app-new-1: Pending, container app ContainerCreating
      | Deployment app: ReplicaSet "app-new" has timed out progressing.
    hint: allow more time, or look at what it does
      $ kubectl -n shop-pr-12 describe pod app-new-1
    fatal: no
    "#);
}
