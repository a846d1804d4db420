//! Probes that fail.

use insta::assert_snapshot;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::build::{Case, State};
use crate::model::DatabaseKind;

#[test]
fn port_closed_and_the_log_names_another() {
    let case = Case::app()
        .pod("app", &State::running())
        .event(("Pod", "app-new-1"), "Unhealthy", "Startup probe failed: Get \"http://10.244.0.12:3000/health\": dial tcp 10.244.0.12:3000: connect: connection refused", 12)
        .log("app-new-1", "app", false, &["Server listening on http://0.0.0.0:8080"]);
    assert_snapshot!(case.report(), @r#"
    error[port-closed]: app listens on port 8080, but 3000 is expected
      --> k8s-ee.yaml:3
      | Pod app-new-1: Startup probe failed: Get "http://10.244.0.12:3000/health": dial tcp 10.244.0.12:3000: connect: connection refused (12 times)
      | log: Server listening on http://0.0.0.0:8080
    hint: write the port that app listens on
        app:
          port: 8080
    fatal: no
    "#);
}

#[test]
fn port_closed_until_the_kubelet_killed_it() {
    let case = Case::app()
        .pod("app", &State::restarted(137, "Error", 1))
        .event(("Pod", "app-new-1"), "Unhealthy", "Startup probe failed: Get \"http://10.244.0.12:3000/health\": dial tcp 10.244.0.12:3000: connect: connection refused", 60)
        .event(("Pod", "app-new-1"), "Killing", "Container app failed startup probe, will be restarted", 1)
        .log("app-new-1", "app", true, &["Server listening on http://127.0.0.1:8080"]);
    assert_snapshot!(case.report(), @r#"
    error[port-closed]: app listens on port 8080, but 3000 is expected
      --> k8s-ee.yaml:3
      | Pod app-new-1: Startup probe failed: Get "http://10.244.0.12:3000/health": dial tcp 10.244.0.12:3000: connect: connection refused (60 times)
      | log: Server listening on http://127.0.0.1:8080
    hint: write the port that app listens on, and let it listen on 0.0.0.0 instead of localhost
        app:
          port: 8080
    fatal: port-closed
    "#);
}

#[test]
fn listens_on_localhost_only() {
    let case = Case::services(&["api"])
        .pod("api", &State::running())
        .event(("Pod", "api-new-1"), "Unhealthy", "Startup probe failed: Get \"http://10.244.0.12:3000/health\": dial tcp 10.244.0.12:3000: connect: connection refused", 3)
        .log("api-new-1", "api", false, &["INFO:     Uvicorn running on http://127.0.0.1:3000 (Press CTRL+C to quit)"]);
    assert_snapshot!(case.report(), @r#"
    error[port-closed]: api listens on port 3000 of localhost only, where nothing but itself reaches it
      | Pod api-new-1: Startup probe failed: Get "http://10.244.0.12:3000/health": dial tcp 10.244.0.12:3000: connect: connection refused (3 times)
      | log: INFO:     Uvicorn running on http://127.0.0.1:3000 (Press CTRL+C to quit)
    hint: let it listen on 0.0.0.0, for example with `HOST=0.0.0.0` or `--host 0.0.0.0`
    fatal: no
    "#);
}

#[test]
fn port_closed_without_a_word() {
    let case = Case::app()
        .pod("app", &State::running())
        .event(("Pod", "app-new-1"), "Unhealthy", "Startup probe failed: Get \"http://10.244.0.12:3000/health\": dial tcp 10.244.0.12:3000: connect: connection refused", 60)
        .log("app-new-1", "app", false, &["warming up"]);
    assert_snapshot!(case.report(), @r#"
    error[port-closed]: nothing listens on port 3000 of app
      --> k8s-ee.yaml:3
      | Pod app-new-1: Startup probe failed: Get "http://10.244.0.12:3000/health": dial tcp 10.244.0.12:3000: connect: connection refused (60 times)
      | log: warming up
    hint: let the program listen on 0.0.0.0 and `$PORT`, which is 3000; or write the port that it listens on
      $ kubectl -n shop-pr-12 logs app-new-1 -c app
    fatal: no
    "#);
}

#[test]
fn port_closed_because_of_what_the_log_says() {
    let case = Case::app()
        .pod("app", &State::running())
        .event(("Pod", "app-new-1"), "Unhealthy", "Startup probe failed: Get \"http://10.244.0.12:3000/health\": dial tcp 10.244.0.12:3000: connect: connection refused", 60)
        .log("app-new-1", "app", false, &["Error: EROFS: read-only file system, mkdir '/data'", "retrying"]);
    assert_snapshot!(case.report(), @r#"
    error[read-only-file-system]: app writes to /data, but its file system is read-only
      | Pod app-new-1: Startup probe failed: Get "http://10.244.0.12:3000/health": dial tcp 10.244.0.12:3000: connect: connection refused (60 times)
      | log: Error: EROFS: read-only file system, mkdir '/data'
      | log: retrying
    hint: make /data writable; it starts empty each time
        writableDirs: [/data]
    fatal: no
    "#);
}

#[test]
fn wrong_path() {
    let case = Case::app().pod("app", &State::running()).event(
        ("Pod", "app-new-1"),
        "Unhealthy",
        "Startup probe failed: HTTP probe failed with statuscode: 404",
        12,
    );
    assert_snapshot!(case.report(), @"
    error[probe-status]: app answers /health with 404, so it does not count as started
      --> k8s-ee.yaml:2
      | Pod app-new-1: Startup probe failed: HTTP probe failed with statuscode: 404 (12 times)
    hint: write a path that app answers with 2xx or 3xx
        app:
          healthPath: /
    fatal: probe-status
    ");
}

#[test]
fn wrong_path_asked_a_few_times_only() {
    let case = Case::app().pod("app", &State::running()).event(
        ("Pod", "app-new-1"),
        "Unhealthy",
        "Startup probe failed: HTTP probe failed with statuscode: 404",
        3,
    );
    assert_snapshot!(case.report(), @"
    error[probe-status]: app answers /health with 404, so it does not count as started
      --> k8s-ee.yaml:2
      | Pod app-new-1: Startup probe failed: HTTP probe failed with statuscode: 404 (3 times)
    hint: write a path that app answers with 2xx or 3xx
        app:
          healthPath: /
    fatal: no
    ");
}

#[test]
fn login_wanted() {
    let case = Case::app().pod("app", &State::running()).event(
        ("Pod", "app-new-1"),
        "Unhealthy",
        "Startup probe failed: HTTP probe failed with statuscode: 401",
        12,
    );
    assert_snapshot!(case.report(), @"
    error[probe-status]: app answers /health with 401, so it does not count as started
      --> k8s-ee.yaml:2
      | Pod app-new-1: Startup probe failed: HTTP probe failed with statuscode: 401 (12 times)
    hint: let app answer /health without login, or write a path that needs none
    fatal: probe-status
    ");
}

#[test]
fn unhealthy_answer() {
    let case = Case::app()
        .service(|app| app.readiness_path = Some("/readyz".to_owned()))
        .pod("app", &State::running().started())
        .event(
            ("Pod", "app-new-1"),
            "Unhealthy",
            "Readiness probe failed: HTTP probe failed with statuscode: 500",
            5,
        )
        .log(
            "app-new-1",
            "app",
            false,
            &["GET /health 500", "TypeError: x is undefined"],
        );
    assert_snapshot!(case.report(), @"
    error[probe-status]: app answers /health with 500, so it does not count as ready
      | Pod app-new-1: Readiness probe failed: HTTP probe failed with statuscode: 500 (5 times)
      | log: GET /health 500
      | log: TypeError: x is undefined
    hint: fix what makes /health fail
      $ kubectl -n shop-pr-12 logs app-new-1 -c app
    fatal: no
    ");
}

#[test]
fn hangs() {
    let case = Case::app()
        .pod("app", &State::running().started())
        .event(("Pod", "app-new-1"), "Unhealthy", "Readiness probe failed: Get \"http://10.244.0.12:3000/health\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)", 4);
    assert_snapshot!(case.report(), @r#"
    error[probe-timeout]: app does not answer /health within 3 seconds
      --> k8s-ee.yaml:2
      | Pod app-new-1: Readiness probe failed: Get "http://10.244.0.12:3000/health": context deadline exceeded (Client.Timeout exceeded while awaiting headers) (4 times)
    hint: let /health answer at once, without asking databases or other services; if it lacks CPU, raise `resources.limits.cpu`
      $ kubectl -n shop-pr-12 logs app-new-1 -c app
    fatal: no
    "#);
}

#[test]
fn not_http() {
    let case = Case::app()
        .pod("app", &State::running())
        .event(("Pod", "app-new-1"), "Unhealthy", "Startup probe failed: Get \"http://10.244.0.12:3000/health\": net/http: HTTP/1.x transport connection broken: malformed HTTP response \"\\x15\\x03\\x01\\x00\\x02\\x02\"", 4);
    assert_snapshot!(case.report(), @r#"
    error[probe-failed]: app does not speak plain HTTP on port 3000
      --> k8s-ee.yaml:3
      | Pod app-new-1: Startup probe failed: Get "http://10.244.0.12:3000/health": net/http: HTTP/1.x transport connection broken: malformed HTTP response "\x15\x03\x01\x00\x02\x02" (4 times)
    hint: write the port on which it speaks HTTP without TLS: the ingress adds TLS
    fatal: no
    "#);
}

#[test]
fn killed_and_nothing_else_known() {
    let case = Case::app()
        .pod("app", &State::crashed(137, "Error", 3))
        .event(
            ("Pod", "app-new-1"),
            "Killing",
            "Container app failed liveness probe, will be restarted",
            3,
        );
    assert_snapshot!(case.report(), @"
    error[probe-failed]: app fails its liveness probe
      | Pod app-new-1: Container app failed liveness probe, will be restarted (3 times)
    hint: fix the error in its log; the whole log:
      $ kubectl -n shop-pr-12 logs app-new-1 -c app
    fatal: probe-failed
    ");
}

#[test]
fn ended_by_itself_after_an_older_kill() {
    let case = {
        let mut case = Case::app()
            .pod("app", &State::crashed(1, "Error", 3))
            .event(
                ("Pod", "app-new-1"),
                "Killing",
                "Container app failed liveness probe, will be restarted",
                3,
            )
            .log("app-new-1", "app", false, &["Error: boom"]);
        let then = "2026-11-20T09:58:00Z".parse().expect("a time");
        case.observed.events[0].last_timestamp = Some(Time(then));
        case
    };
    assert_snapshot!(case.report(), @"
    error[container-exited]: app exits with code 1
      | Pod app-new-1, container app: Error, exit code 1, restarted 3 times
      | log: Error: boom
    hint: fix the error in its log; the whole log:
      $ kubectl -n shop-pr-12 logs app-new-1 -c app --previous
    fatal: container-exited
    ");
}

#[test]
fn database_not_ready() {
    let case = Case::app()
        .with(DatabaseKind::Postgresql)
        .stateful(
            "postgresql",
            &State::running().claim("data-app-postgresql-0"),
        )
        .event(
            ("Pod", "app-postgresql-0"),
            "Unhealthy",
            "Startup probe failed: dial tcp 10.244.0.9:5432: connect: connection refused",
            4,
        )
        .log(
            "app-postgresql-0",
            "postgresql",
            false,
            &["database system is starting up"],
        );
    assert_snapshot!(case.report(), @"
    error[port-closed]: nothing listens on port 5432 of postgresql
      | Pod app-postgresql-0: Startup probe failed: dial tcp 10.244.0.9:5432: connect: connection refused (4 times)
      | log: database system is starting up
    hint: its log says what it waits for
      $ kubectl -n shop-pr-12 logs app-postgresql-0 -c postgresql

    error[dependency-failed]: app was not started, because it waits for postgresql
    hint: fix postgresql first
    fatal: no
    ");
}

#[test]
fn an_answer_of_this_run_counts_more_than_the_end_of_the_last() {
    let mut case = Case::app()
        .pod("app", &State::restarted(1, "Error", 1))
        .event(
            ("Pod", "app-new-1"),
            "Unhealthy",
            "Startup probe failed: HTTP probe failed with statuscode: 404",
            12,
        )
        .log("app-new-1", "app", true, &["Error: boom"]);
    let first = case.report();
    let then = "2026-11-20T09:59:30Z".parse().expect("a time");
    case.observed.events[0].last_timestamp = Some(Time(then));
    let second = case.report();
    assert_snapshot!(format!("{first}\n\n{second}"), @"
    error[probe-status]: app answers /health with 404, so it does not count as started
      --> k8s-ee.yaml:2
      | Pod app-new-1: Startup probe failed: HTTP probe failed with statuscode: 404 (12 times)
      | log: Error: boom
    hint: write a path that app answers with 2xx or 3xx
        app:
          healthPath: /
    fatal: probe-status

    error[container-exited]: app exits with code 1
      | Pod app-new-1, container app: Error, exit code 1, restarted once
      | log: Error: boom
    hint: fix the error in its log; the whole log:
      $ kubectl -n shop-pr-12 logs app-new-1 -c app --previous
    fatal: no
    ");
}
