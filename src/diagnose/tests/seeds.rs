//! Seeds that fail.

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::build::Case;
use crate::{
    config::seed::{Content, Rerun},
    model::{
        Compute, DatabaseKind, Seed,
        seed::{Program, Run},
    },
    quantity::Quantity,
};

fn seed(run: Run) -> Seed {
    let compute = |cpu, memory| Compute {
        cpu: Quantity::milli(cpu),
        memory: Quantity::mebi(memory),
    };
    Seed {
        name: "demo-data".to_owned(),
        at: "/seed/0".to_owned(),
        run,
        after: None,
        rerun: Rerun::Never,
        timeout: 600,
        requests: compute(10, 64),
        limits: compute(250, 256),
        databases: vec![DatabaseKind::Postgresql],
    }
}

fn file() -> Run {
    Run::File {
        database: DatabaseKind::Postgresql,
        path: "db/seed.sql".to_owned(),
        content: Content::default(),
    }
}

fn program(service: Option<&str>) -> Run {
    Run::Image(Box::new(Program {
        image: "ghcr.io/acme/seeder:1".to_owned(),
        service: service.map(str::to_owned),
        command: Vec::new(),
        args: Vec::new(),
        port: None,
        env: std::collections::BTreeMap::new(),
        env_from: Vec::new(),
        writable_dirs: Vec::new(),
    }))
}

/// An environment whose seed runs this, with its Job in this condition.
fn case(run: Run, condition: &str) -> Case {
    let mut case = Case::services(&["api"]).with(DatabaseKind::Postgresql);
    case.env.seeds.push(seed(run));
    let conditions = match condition {
        "" => json!([]),
        _ => json!([{"type": condition, "status": "True", "reason": "BackoffLimitExceeded",
            "message": "Job has reached the specified backoff limit"}]),
    };
    case.observed.jobs.push(object(json!({
        "metadata": {"name": "demo-data", "labels": {"k8s-ee/component": "demo-data"}},
        "status": {"conditions": conditions},
    })));
    case
}

/// The pod of the Job, whose one container is in this state.
fn pod(mut case: Case, phase: &str, state: &Value) -> Case {
    case.observed.pods.push(object(json!({
        "metadata": {"name": "demo-data-x", "labels": {"k8s-ee/component": "demo-data"},
            "ownerReferences": [{"apiVersion": "batch/v1", "kind": "Job", "name": "demo-data", "uid": "j"}]},
        "spec": {"restartPolicy": "Never", "containers": [{"name": "demo-data", "image": "postgres:16",
            "resources": {"limits": {"memory": "256Mi"}}}]},
        "status": {"phase": phase, "containerStatuses": [{"name": "demo-data", "image": "", "imageID": "",
            "ready": false, "restartCount": 0, "state": state}]},
    })));
    case
}

fn failed(run: Run, exit_code: i32, reason: &str, log: &[&str]) -> Case {
    let state = json!({"terminated": {"exitCode": exit_code, "reason": reason}});
    pod(case(run, "Failed"), "Failed", &state).log("demo-data-x", "demo-data", false, log)
}

fn object<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("objects that Kubernetes would make")
}

#[test]
fn a_line_of_sql() {
    let case = failed(
        file(),
        3,
        "Error",
        &[
            "psql:seed.sql:12: ERROR:  syntax error at or near \"INSRT\"",
            "LINE 1: INSRT INTO users VALUES (1);",
            "        ^",
        ],
    );
    assert_snapshot!(case.report(), @r#"
    error[seed-failed]: the seed demo-data failed: syntax error at or near "INSRT" (db/seed.sql, line 12)
      --> `seed.0.file` in k8s-ee.yaml
      | Pod demo-data-x, container demo-data: Error, exit code 3
      | log: psql:seed.sql:12: ERROR:  syntax error at or near "INSRT"
      | log: LINE 1: INSRT INTO users VALUES (1);
      | log:         ^
    hint: correct line 12 of db/seed.sql; the next `k8s-ee up` runs the seed again

    error[dependency-failed]: api was not started, because it waits for demo-data
    hint: fix demo-data first
    fatal: seed-failed
    "#);
}

#[test]
fn a_table_that_a_service_makes() {
    let log = ["psql:seed.sql:3: ERROR:  relation \"users\" does not exist"];
    assert_snapshot!(failed(file(), 3, "Error", &log).report(), @r#"
    error[seed-failed]: the seed demo-data failed: relation "users" does not exist (db/seed.sql, line 3)
      | Pod demo-data-x, container demo-data: Error, exit code 3
      | log: psql:seed.sql:3: ERROR:  relation "users" does not exist
    hint: if a service makes users, let the seed run after that one
        seed:
          - after: api

    error[dependency-failed]: api was not started, because it waits for demo-data
    hint: fix demo-data first
    fatal: seed-failed
    "#);
    let mut after = failed(file(), 3, "Error", &log);
    after.env.seeds[0].after = Some("api".to_owned());
    assert_snapshot!(after.report(), @r#"
    error[seed-failed]: the seed demo-data failed: relation "users" does not exist (db/seed.sql, line 3)
      --> `seed.0` in k8s-ee.yaml
      | Pod demo-data-x, container demo-data: Error, exit code 3
      | log: psql:seed.sql:3: ERROR:  relation "users" does not exist
    hint: let api answer its health path only when it has made users, or make it in the seed
    fatal: seed-failed
    "#);
}

#[test]
fn data_that_are_there_already() {
    let log = [
        "--------------",
        "INSERT INTO t VALUES (9)",
        "--------------",
        "",
        "ERROR 1062 (23000) at line 2 in file: 'seed.sql': Duplicate entry '9' for key 'PRIMARY'",
    ];
    assert_snapshot!(failed(file(), 1, "Error", &log).report(), @"
    error[seed-failed]: the seed demo-data failed: Duplicate entry '9' for key 'PRIMARY' (db/seed.sql, line 2)
      --> `seed.0.file` in k8s-ee.yaml
      | Pod demo-data-x, container demo-data: Error, exit code 1
      | log: ERROR 1062 (23000) at line 2 in file: 'seed.sql': Duplicate entry '9' for key 'PRIMARY'
    hint: write what fits data that are there already: `IF NOT EXISTS`, `ON CONFLICT`, `INSERT IGNORE` or the like

    error[dependency-failed]: api was not started, because it waits for demo-data
    hint: fix demo-data first
    fatal: seed-failed
    ");
}

#[test]
fn what_only_the_superuser_may_do() {
    let log = ["psql:seed.sql:1: ERROR:  permission denied to create extension \"pg_trgm\""];
    assert_snapshot!(failed(file(), 3, "Error", &log).report(), @r#"
    error[seed-failed]: the seed demo-data failed: permission denied to create extension "pg_trgm" (db/seed.sql, line 1)
      --> `seed.0.file` in k8s-ee.yaml
      | Pod demo-data-x, container demo-data: Error, exit code 3
      | log: psql:seed.sql:1: ERROR:  permission denied to create extension "pg_trgm"
    hint: a seed runs as the application's user: what only the superuser may do belongs under `bootstrap`

    error[dependency-failed]: api was not started, because it waits for demo-data
    hint: fix demo-data first
    fatal: seed-failed
    "#);
}

#[test]
fn what_no_transaction_can_do() {
    let log = ["psql:seed.sql:2: ERROR:  VACUUM cannot run inside a transaction block"];
    assert_snapshot!(failed(file(), 3, "Error", &log).report(), @"
    error[seed-failed]: the seed demo-data failed: VACUUM cannot run inside a transaction block (db/seed.sql, line 2)
      --> `seed.0.file` in k8s-ee.yaml
      | Pod demo-data-x, container demo-data: Error, exit code 3
      | log: psql:seed.sql:2: ERROR:  VACUUM cannot run inside a transaction block
    hint: a seed is one transaction: leave this statement out, or run it where the database is made, under `bootstrap`

    error[dependency-failed]: api was not started, because it waits for demo-data
    hint: fix demo-data first
    fatal: seed-failed
    ");
}

#[test]
fn a_program_with_its_last_lines() {
    let log = ["reading users.csv", "panic: no column `email`"];
    assert_snapshot!(failed(program(None), 101, "Error", &log).report(), @"
    error[seed-failed]: the seed demo-data failed: it ends with code 101
      | Pod demo-data-x, container demo-data: Error, exit code 101
      | log: reading users.csv
      | log: panic: no column `email`
    hint: fix the error in its log; the next `k8s-ee up` runs the seed again
      $ kubectl -n shop-pr-12 logs demo-data-x -c demo-data

    error[dependency-failed]: api was not started, because it waits for demo-data
    hint: fix demo-data first
    fatal: seed-failed
    ");
    let of_service = failed(program(Some("api")), 1, "Error", &[]);
    assert_snapshot!(of_service.report(), @"
    error[seed-failed]: the seed demo-data failed: it ran in the image of api, and ends with code 1
      | Pod demo-data-x, container demo-data: Error, exit code 1
    hint: fix the error in its log; the next `k8s-ee up` runs the seed again
      $ kubectl -n shop-pr-12 logs demo-data-x -c demo-data

    error[dependency-failed]: api was not started, because it waits for demo-data
    hint: fix demo-data first
    fatal: seed-failed
    ");
}

#[test]
fn a_program_with_a_known_symptom() {
    let log = ["KeyError: 'STRIPE_KEY'"];
    assert_snapshot!(failed(program(None), 1, "Error", &log).report(), @r#"
    error[missing-variable]: demo-data needs the environment variable STRIPE_KEY, which is not set
      | Pod demo-data-x, container demo-data: Error, exit code 1
      | log: KeyError: 'STRIPE_KEY'
    hint: set it, or name a Secret that has it in `envFrom`
        seed:
          - env:
              STRIPE_KEY: "…"

    error[dependency-failed]: api was not started, because it waits for demo-data
    hint: fix demo-data first
    fatal: missing-variable
    "#);
}

#[test]
fn more_memory_than_allowed() {
    assert_snapshot!(failed(file(), 137, "OOMKilled", &[]).report(), @"
    error[out-of-memory]: demo-data needs more memory than its limit of 256Mi
      | Pod demo-data-x, container demo-data: OOMKilled, exit code 137 (SIGKILL)
    hint: raise the memory limit of demo-data
        seed:
          - resources:
              limits:
                memory: 512Mi

    error[dependency-failed]: api was not started, because it waits for demo-data
    hint: fix demo-data first
    fatal: out-of-memory
    ");
}

#[test]
fn more_time_than_allowed() {
    let mut case = failed(file(), 137, "Error", &["SELECT pg_sleep(3600)"]);
    let status = case.observed.pods[0]
        .status
        .as_mut()
        .expect("built with one");
    status.reason = Some("DeadlineExceeded".to_owned());
    assert_snapshot!(case.report(), @"
    error[deadline-exceeded]: the seed demo-data did not end within its time of 10m
      | Pod demo-data-x: DeadlineExceeded
      | log: SELECT pg_sleep(3600)
    hint: let it do less, or give it more time
        seed:
          - timeout: 20m

    error[dependency-failed]: api was not started, because it waits for demo-data
    hint: fix demo-data first
    fatal: deadline-exceeded
    ");
}

#[test]
fn a_pod_that_is_gone() {
    assert_snapshot!(case(file(), "Failed").report(), @"
    error[seed-failed]: the seed demo-data failed: its pod is gone
      | Job demo-data: BackoffLimitExceeded: Job has reached the specified backoff limit
    hint: run it again: `k8s-ee up` starts a seed anew that has failed

    error[dependency-failed]: api was not started, because it waits for demo-data
    hint: fix demo-data first
    fatal: seed-failed
    ");
}

#[test]
fn a_pod_that_had_to_leave_its_node_is_replaced() {
    let state = json!({"terminated": {"exitCode": 137, "reason": "Error"}});
    let mut case = pod(case(file(), ""), "Failed", &state);
    let status = case.observed.pods[0]
        .status
        .as_mut()
        .expect("built with one");
    status.conditions = Some(object(
        json!([{"type": "DisruptionTarget", "status": "True"}]),
    ));
    assert_snapshot!(case.report(), @"
    error[timeout]: demo-data was not ready in time: its container is still being created
      | Pod demo-data-x: Failed, container demo-data ended
    hint: allow more time, or look at what it does
      $ kubectl -n shop-pr-12 describe pod demo-data-x

    error[dependency-failed]: api was not started, because it waits for demo-data
    hint: fix demo-data first
    fatal: no
    ");
}

#[test]
fn one_that_still_runs() {
    let running = pod(case(file(), ""), "Running", &json!({"running": {}}));
    assert_snapshot!(running.report(), @"
    error[timeout]: demo-data was not ready in time: it still runs
      | Pod demo-data-x: Running, container demo-data running
    hint: allow more time, or look at what it does
      $ kubectl -n shop-pr-12 describe pod demo-data-x

    error[dependency-failed]: api was not started, because it waits for demo-data
    hint: fix demo-data first
    fatal: no
    ");
}

#[test]
fn one_that_has_run_is_no_cause() {
    let state = json!({"terminated": {"exitCode": 0, "reason": "Completed"}});
    let done = pod(case(file(), "Complete"), "Succeeded", &state);
    assert_snapshot!(done.report(), @"
    error[timeout]: postgresql was not ready in time: nothing of it was made
    hint: allow more time, or look at what it does
      $ kubectl -n shop-pr-12 get events --sort-by=.lastTimestamp

    error[timeout]: api was not ready in time: nothing of it was made
    hint: allow more time, or look at what it does
      $ kubectl -n shop-pr-12 get events --sort-by=.lastTimestamp
    fatal: no
    ");
}

#[test]
fn a_pod_that_the_quota_refuses() {
    let refused = case(file(), "").event(
        ("Job", "demo-data"),
        "FailedCreate",
        "Error creating: pods \"demo-data-x\" is forbidden: exceeded quota: pr-quota, requested: limits.memory=256Mi, used: limits.memory=900Mi, limited: limits.memory=1Gi",
        3,
    );
    assert_snapshot!(refused.report(), @r#"
    error[quota-exceeded]: a pod of demo-data needs 256Mi of limits.memory, but quota pr-quota has only 124Mi left of 1Gi
      --> `seed.0.resources.limits.memory` in k8s-ee.yaml
      | Job demo-data: Error creating: pods "demo-data-x" is forbidden: exceeded quota: pr-quota, requested: limits.memory=256Mi, used: limits.memory=900Mi, limited: limits.memory=1Gi (3 times)
    hint: lower `resources.limits.memory` by 132Mi or more, or ask the platform engineer for a larger quota
      $ k8s-ee quota

    error[dependency-failed]: api was not started, because it waits for demo-data
    hint: fix demo-data first
    fatal: quota-exceeded
    "#);
}
