//! Causes and their consequences: what comes first, and what is left out.

use insta::assert_snapshot;

use super::build::{Case, State};
use crate::model::DatabaseKind;

#[test]
fn a_service_waits_for_a_failing_database() {
    let case = Case::services(&["api", "web"])
        .with(DatabaseKind::Postgresql)
        .depends("web", "api")
        .stateful("postgresql", &State::crashed(1, "Error", 3))
        .log(
            "app-postgresql-0",
            "postgresql",
            false,
            &["FATAL:  data directory has invalid permissions"],
        );
    assert_snapshot!(case.report(), @"
    error[container-exited]: postgresql exits with code 1
      | Pod app-postgresql-0, container postgresql: Error, exit code 1, restarted 3 times
      | log: FATAL:  data directory has invalid permissions
    hint: fix the error in its log; the whole log:
      $ kubectl -n shop-pr-12 logs app-postgresql-0 -c postgresql --previous

    error[dependency-failed]: api was not started, because it waits for postgresql
    hint: fix postgresql first

    error[dependency-failed]: web was not started, because it waits for postgresql
    hint: fix postgresql first
    fatal: container-exited
    ");
}

#[test]
fn a_service_ends_because_its_database_is_down() {
    let case = Case::app()
        .with(DatabaseKind::Redis)
        .stateful("redis", &State::crashed(137, "OOMKilled", 2))
        .pod("app", &State::crashed(1, "Error", 3))
        .log(
            "app-new-1",
            "app",
            false,
            &["Error: connect ECONNREFUSED 10.96.12.3:6379"],
        );
    assert_snapshot!(case.report(), @"
    error[out-of-memory]: redis needs more memory than its limit of 384Mi
      --> k8s-ee.yaml:20
      | Pod app-redis-0, container redis: OOMKilled, exit code 137 (SIGKILL), restarted 2 times
    hint: raise the memory limit of redis
        databases:
          redis:
            resources:
              limits:
                memory: 768Mi

    error[dependency-failed]: app cannot reach redis, which is not up
      | Pod app-new-1, container app: Error, exit code 1, restarted 3 times
      | log: Error: connect ECONNREFUSED 10.96.12.3:6379
    hint: fix redis first
    fatal: out-of-memory
    ");
}

#[test]
fn a_service_ends_though_its_database_is_up() {
    let case = Case::app()
        .with(DatabaseKind::Redis)
        .stateful("redis", &State::ready())
        .pod("app", &State::crashed(1, "Error", 3))
        .log(
            "app-new-1",
            "app",
            false,
            &["Error: connect ECONNREFUSED 10.96.12.3:6379"],
        );
    assert_snapshot!(case.report(), @"
    error[container-exited]: app exits because 10.96.12.3:6379 refused its connection
      | Pod app-new-1, container app: Error, exit code 1, restarted 3 times
      | log: Error: connect ECONNREFUSED 10.96.12.3:6379
    hint: redis is up now: let app try for a while to connect before it gives up
    fatal: container-exited
    ");
}

#[test]
fn a_database_on_localhost() {
    let case = Case::app()
        .with(DatabaseKind::Postgresql)
        .stateful("postgresql", &State::ready())
        .pod("app", &State::crashed(1, "Error", 1))
        .log(
            "app-new-1",
            "app",
            false,
            &["Error: connect ECONNREFUSED ::1:5432"],
        );
    assert_snapshot!(case.report(), @"
    error[dependency-address]: app looks for postgresql on [::1]:5432, but it runs in another pod
      | Pod app-new-1, container app: Error, exit code 1, restarted once
      | log: Error: connect ECONNREFUSED ::1:5432
    hint: let app take the address from `DATABASE_URL`
    fatal: dependency-address
    ");
}

#[test]
fn a_database_that_nobody_asked_for() {
    let case = Case::app().pod("app", &State::crashed(1, "Error", 1)).log(
        "app-new-1",
        "app",
        false,
        &["Can't reach database server at `localhost:5432`"],
    );
    assert_snapshot!(case.report(), @"
    error[dependency-address]: app looks for postgresql on localhost:5432, but the environment has none
      --> k8s-ee.yaml:21
      | Pod app-new-1, container app: Error, exit code 1, restarted once
      | log: Can't reach database server at `localhost:5432`
    hint: add postgresql to the environment
        databases:
          postgresql: true
    fatal: dependency-address
    ");
}

#[test]
fn another_service_on_localhost() {
    let case = Case::services(&["api", "web"])
        .service(|api| api.port = 4000)
        .pod("web", &State::crashed(1, "Error", 1))
        .pod("api", &State::ready())
        .log(
            "web-new-1",
            "web",
            false,
            &["dial tcp 127.0.0.1:4000: connect: connection refused"],
        );
    assert_snapshot!(case.report(), @"
    error[dependency-address]: web looks for api on 127.0.0.1:4000, but it runs in another pod
      | Pod web-new-1, container web: Error, exit code 1, restarted once
      | log: dial tcp 127.0.0.1:4000: connect: connection refused
    hint: let web use the host name `api`
    fatal: dependency-address
    ");
}

#[test]
fn localhost_and_nothing_known() {
    let case = Case::app().pod("app", &State::crashed(1, "Error", 1)).log(
        "app-new-1",
        "app",
        false,
        &["dial tcp 127.0.0.1:8125: connect: connection refused"],
    );
    assert_snapshot!(case.report(), @"
    error[dependency-address]: app connects to 127.0.0.1:8125, where nothing listens
      | Pod app-new-1, container app: Error, exit code 1, restarted once
      | log: dial tcp 127.0.0.1:8125: connect: connection refused
    hint: nothing but its own processes answers on localhost: correct the address
    fatal: dependency-address
    ");
}

#[test]
fn an_address_that_nobody_knows() {
    let case = Case::app().pod("app", &State::crashed(1, "Error", 3)).log(
        "app-new-1",
        "app",
        false,
        &["Error: connect ECONNREFUSED 198.51.100.7:443"],
    );
    assert_snapshot!(case.report(), @"
    error[container-exited]: app exits because 198.51.100.7:443 refused its connection
      | Pod app-new-1, container app: Error, exit code 1, restarted 3 times
      | log: Error: connect ECONNREFUSED 198.51.100.7:443
    hint: correct the address, or make what it connects to part of the environment
    fatal: container-exited
    ");
}

#[test]
fn a_host_name_of_docker_compose() {
    let case = Case::app()
        .with(DatabaseKind::Postgresql)
        .stateful("postgresql", &State::ready())
        .pod("app", &State::crashed(1, "Error", 3))
        .log(
            "app-new-1",
            "app",
            false,
            &["Error: getaddrinfo ENOTFOUND postgres"],
        );
    assert_snapshot!(case.report(), @"
    error[dependency-address]: app looks for the host postgres, which has no address
      | Pod app-new-1, container app: Error, exit code 1, restarted 3 times
      | log: Error: getaddrinfo ENOTFOUND postgres
    hint: let app take the address of postgresql from `DATABASE_URL`
    fatal: dependency-address
    ");
}

#[test]
fn a_host_name_that_nobody_knows() {
    let case = Case::services(&["api", "web"])
        .pod("api", &State::ready())
        .pod("web", &State::crashed(1, "Error", 3))
        .log(
            "web-new-1",
            "web",
            false,
            &["Error: getaddrinfo ENOTFOUND backend"],
        );
    assert_snapshot!(case.report(), @"
    error[dependency-address]: web looks for the host backend, which has no address
      | Pod web-new-1, container web: Error, exit code 1, restarted 3 times
      | log: Error: getaddrinfo ENOTFOUND backend
    hint: correct the name: services are reached by their names (api, web), databases by their variables
      $ kubectl -n shop-pr-12 get services
    fatal: dependency-address
    ");
}

#[test]
fn a_variable_that_a_database_brings() {
    let case = Case::app().pod("app", &State::crashed(1, "Error", 1)).log(
        "app-new-1",
        "app",
        false,
        &["error: Environment variable not found: DATABASE_URL."],
    );
    assert_snapshot!(case.report(), @"
    error[missing-variable]: app needs the environment variable DATABASE_URL, which is not set
      --> k8s-ee.yaml:21
      | Pod app-new-1, container app: Error, exit code 1, restarted once
      | log: error: Environment variable not found: DATABASE_URL.
    hint: add postgresql to the environment
        databases:
          postgresql: true
    fatal: missing-variable
    ");
}

#[test]
fn a_secret_variable() {
    let case = Case::app()
        .env_from("api-keys")
        .pod("app", &State::crashed(1, "Error", 1))
        .log(
            "app-new-1",
            "app",
            false,
            &["Error: STRIPE_SECRET_KEY is not set"],
        );
    assert_snapshot!(case.report(), @"
    error[missing-variable]: app needs the environment variable STRIPE_SECRET_KEY, which is not set
      --> k8s-ee.yaml:6
      | Pod app-new-1, container app: Error, exit code 1, restarted once
      | log: Error: STRIPE_SECRET_KEY is not set
    hint: write `STRIPE_SECRET_KEY=…` into app-secrets.env, make a Secret of it, and name that in `envFrom`
        envFrom:
          - secretRef: {name: app-secrets}
      $ kubectl -n shop-pr-12 create secret generic app-secrets --from-env-file=app-secrets.env
    fatal: missing-variable
    ");
}

#[test]
fn a_plain_variable() {
    let case = Case::services(&["api"])
        .pod("api", &State::crashed(1, "Error", 1))
        .log("api-new-1", "api", false, &["KeyError: 'SITE_NAME'"]);
    assert_snapshot!(case.report(), @r#"
    error[missing-variable]: api needs the environment variable SITE_NAME, which is not set
      --> k8s-ee.yaml:3
      | Pod api-new-1, container api: Error, exit code 1, restarted once
      | log: KeyError: 'SITE_NAME'
    hint: set it
        services:
          api:
            env:
              SITE_NAME: "…"
    fatal: missing-variable
    "#);
}

#[test]
fn login() {
    let case = Case::app()
        .with(DatabaseKind::Postgresql)
        .stateful("postgresql", &State::ready())
        .pod("app", &State::crashed(1, "Error", 3))
        .log(
            "app-new-1",
            "app",
            false,
            &["FATAL:  password authentication failed for user \"postgres\""],
        );
    assert_snapshot!(case.report(), @r#"
    error[database-login]: a database refuses the user and password that app gives
      | Pod app-new-1, container app: Error, exit code 1, restarted 3 times
      | log: FATAL:  password authentication failed for user "postgres"
    hint: let it use the injected variables unchanged (`DATABASE_URL`, `REDIS_PASSWORD`, …): their user exists, and reaches its own database only; the Secrets that they come from:
      $ k8s-ee credentials list --pr 12
    fatal: database-login
    "#);
}

#[test]
fn table_missing() {
    let case = Case::app()
        .with(DatabaseKind::Postgresql)
        .stateful("postgresql", &State::ready())
        .pod("app", &State::crashed(1, "Error", 3))
        .log(
            "app-new-1",
            "app",
            false,
            &["error: relation \"users\" does not exist"],
        );
    assert_snapshot!(case.report(), @r#"
    error[database-schema]: app asks for the table users, which does not exist
      | Pod app-new-1, container app: Error, exit code 1, restarted 3 times
      | log: error: relation "users" does not exist
    hint: run the migrations before the server starts, in its `command` or as a `seed`, and check that the image contains them
    fatal: database-schema
    "#);
}

#[test]
fn right_missing() {
    let case = Case::app()
        .with(DatabaseKind::Postgresql)
        .stateful("postgresql", &State::ready())
        .pod("app", &State::crashed(1, "Error", 3))
        .log(
            "app-new-1",
            "app",
            false,
            &["ERROR:  permission denied for table users"],
        );
    assert_snapshot!(case.report(), @"
    error[database-permission]: the database user of app has no right on users
      --> k8s-ee.yaml:21
      | Pod app-new-1, container app: Error, exit code 1, restarted 3 times
      | log: ERROR:  permission denied for table users
    hint: what `bootstrap` creates belongs to the superuser: end it with `GRANT ALL ON ALL TABLES IN SCHEMA public TO app` and the same for `ALL SEQUENCES`
    fatal: database-permission
    ");
}

#[test]
fn url_instead_of_a_connection_string() {
    let case = Case::app()
        .with(DatabaseKind::Postgresql)
        .stateful("postgresql", &State::ready())
        .pod("app", &State::crashed(134, "Error", 1))
        .log("app-new-1", "app", false, &["Unhandled exception. System.ArgumentException: Format of the initialization string does not conform to specification starting at index 0."]);
    assert_snapshot!(case.report(), @"
    error[connection-string]: app reads `DATABASE_URL` with a library that does not know URLs
      | Pod app-new-1, container app: Error, exit code 134 (SIGABRT), restarted once
      | log: Unhandled exception. System.ArgumentException: Format of the initialization string does not conform to specification starting at index 0.
    hint: build its connection string from `PGHOST`, `PGPORT`, `PGDATABASE`, `PGUSER` and `PGPASSWORD`
    fatal: connection-string
    ");
}

#[test]
fn unhealthy_because_its_database_is_down() {
    let case = Case::app()
        .with(DatabaseKind::Redis)
        .stateful(
            "redis",
            &State::waiting("ErrImagePull", "docker.io/library/redis:9: not found")
                .image("docker.io/library/redis:9"),
        )
        .pod("app", &State::running().started())
        .event(
            ("Pod", "app-new-1"),
            "Unhealthy",
            "Readiness probe failed: HTTP probe failed with statuscode: 503",
            5,
        )
        .log(
            "app-new-1",
            "app",
            false,
            &["Error: connect ECONNREFUSED 10.96.12.3:6379"],
        );
    assert_snapshot!(case.report(), @"
    error[image-not-found]: image docker.io/library/redis:9 of redis does not exist
      --> k8s-ee.yaml:20
      | Pod app-redis-0, container redis: ErrImagePull: docker.io/library/redis:9: not found
    hint: choose a version of redis that exists
      $ docker manifest inspect docker.io/library/redis:9

    error[dependency-failed]: app cannot reach redis, which is not up
      | Pod app-new-1: Readiness probe failed: HTTP probe failed with statuscode: 503 (5 times)
      | log: Error: connect ECONNREFUSED 10.96.12.3:6379
    hint: fix redis first
    fatal: image-not-found
    ");
}

#[test]
fn all_is_well() {
    let case = Case::app()
        .with(DatabaseKind::Redis)
        .stateful("redis", &State::ready())
        .pod("app", &State::ready());
    assert_snapshot!(case.report(), @"fatal: no");
}

#[test]
fn a_database_of_which_nothing_was_seen() {
    let case = Case::app()
        .with(DatabaseKind::Postgresql)
        .pod("app", &State::ready());
    assert_snapshot!(case.report(), @"
    error[timeout]: postgresql was not ready in time: nothing of it was made
    hint: allow more time, or look at what it does
      $ kubectl -n shop-pr-12 get events --sort-by=.lastTimestamp
    fatal: no
    ");
}

#[test]
fn a_database_that_its_operator_does_not_bring_up() {
    let case = Case::app().with(DatabaseKind::Mongodb).operated(
        DatabaseKind::Mongodb,
        "Failed: user password secret not found",
    );
    assert_snapshot!(case.report(), @"
    error[timeout]: mongodb was not ready in time: its operator has not brought it up
      | MongoDBCommunity app-mongodb: Failed: user password secret not found
    hint: allow more time, or look at what it does
      $ kubectl -n shop-pr-12 describe mongodbcommunity app-mongodb

    error[dependency-failed]: app was not started, because it waits for mongodb
    hint: fix mongodb first
    fatal: no
    ");
}

#[test]
fn an_operator_that_may_not_make_its_pod() {
    let case = Case::app()
        .with(DatabaseKind::Postgresql)
        .operated(DatabaseKind::Postgresql, "Setting up primary")
        .event(
            ("Job", "app-postgresql-1-initdb"),
            "FailedCreate",
            "Error creating: pods \"app-postgresql-1-initdb-x\" is forbidden: exceeded quota: pr-quota, requested: \
             limits.cpu=500m, used: limits.cpu=500m, limited: limits.cpu=800m",
            2,
        );
    assert_snapshot!(case.report(), @r#"
    error[quota-exceeded]: a pod of postgresql needs 500m of limits.cpu, but quota pr-quota has only 300m left of 800m
      --> k8s-ee.yaml:21
      | Job app-postgresql-1-initdb: Error creating: pods "app-postgresql-1-initdb-x" is forbidden: exceeded quota: pr-quota, requested: limits.cpu=500m, used: limits.cpu=500m, limited: limits.cpu=800m (2 times)
    hint: lower `resources.limits.cpu` by 200m or more, or ask the platform engineer for a larger quota
      $ k8s-ee quota

    error[dependency-failed]: app was not started, because it waits for postgresql
    hint: fix postgresql first
    fatal: quota-exceeded
    "#);
}

#[test]
fn a_refused_connection_without_an_address() {
    let case = Case::app()
        .with(DatabaseKind::Redis)
        .stateful("redis", &State::crashed(1, "Error", 3))
        .pod("app", &State::crashed(101, "Error", 3))
        .log(
            "app-new-1",
            "app",
            false,
            &["Error: Connection refused (os error 111)"],
        );
    assert_snapshot!(case.report(), @"
    error[container-exited]: redis exits with code 1
      | Pod app-redis-0, container redis: Error, exit code 1, restarted 3 times
    hint: fix the error in its log; the whole log:
      $ kubectl -n shop-pr-12 logs app-redis-0 -c redis --previous

    error[dependency-failed]: app cannot reach redis, which is not up
      | Pod app-new-1, container app: Error, exit code 101, restarted 3 times
      | log: Error: Connection refused (os error 111)
    hint: fix redis first
    fatal: container-exited
    ");
}

#[test]
fn dns_that_does_not_answer() {
    let case = Case::app()
        .with(DatabaseKind::Postgresql)
        .stateful("postgresql", &State::ready())
        .pod("app", &State::crashed(1, "Error", 1))
        .log(
            "app-new-1",
            "app",
            false,
            &["Error: getaddrinfo EAI_AGAIN app-postgresql"],
        );
    assert_snapshot!(case.report(), @"
    error[connection-timed-out]: app gets no answer from DNS for app-postgresql, which is the host of postgresql
      | Pod app-new-1, container app: Error, exit code 1, restarted once
      | log: Error: getaddrinfo EAI_AGAIN app-postgresql
    hint: have the platform engineer look at the cluster's DNS, and let app try for a while before it gives up
      $ kubectl -n kube-system get pods -l k8s-app=kube-dns
    fatal: no
    ");
}

/// It begins with the name of the service itself, which is not up: that is not whom it looks for.
#[test]
fn a_misspelt_host() {
    let case = Case::app()
        .with(DatabaseKind::Redis)
        .stateful("redis", &State::ready())
        .pod("app", &State::crashed(1, "Error", 1))
        .log(
            "app-new-1",
            "app",
            false,
            &["Could not connect to Redis at app-rediss:6379: Name or service not known"],
        );
    assert_snapshot!(case.report(), @"
    error[dependency-address]: app looks for the host app-rediss, which has no address
      | Pod app-new-1, container app: Error, exit code 1, restarted once
      | log: Could not connect to Redis at app-rediss:6379: Name or service not known
    hint: let app take the address of redis from `REDIS_HOST`
    fatal: no
    ");
}
