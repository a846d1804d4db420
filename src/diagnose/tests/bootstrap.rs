//! What prepares a database and fails.

use insta::assert_snapshot;
use serde_json::json;

use super::build::{Case, State};
use crate::model::DatabaseKind;

/// The end of a log of a volume that is prepared.
const STATEMENT_FAILS: &[&str] = &[
    "running /docker-entrypoint-initdb.d/30-application.sql",
    "CREATE TABLE",
    "2026-11-21 16:05:03.333 UTC [137] ERROR:  syntax error at or near \"TABEL\" at character 8",
    "2026-11-21 16:05:03.333 UTC [137] STATEMENT:  CREATE TABEL u (a text)",
    "\t;",
    "psql:/docker-entrypoint-initdb.d/30-application.sql:5: ERROR:  syntax error at or near \"TABEL\"",
    "LINE 1: CREATE TABEL u (a text)",
    "               ^",
];

#[test]
fn statement_of_postgresql() {
    let case = Case::app()
        .with(DatabaseKind::Postgresql)
        .stateful("postgresql", &State::crashed(3, "Error", 2))
        .log("app-postgresql-0", "postgresql", true, STATEMENT_FAILS);
    assert_snapshot!(case.report(), @r#"
    error[database-bootstrap]: a statement of `bootstrap.postInitApplicationSQL` fails: syntax error at or near "TABEL"
      --> k8s-ee.yaml:21
      | Pod app-postgresql-0, container postgresql: Error, exit code 3, restarted 2 times
      | log: psql:/docker-entrypoint-initdb.d/30-application.sql:5: ERROR:  syntax error at or near "TABEL"
      | log: LINE 1: CREATE TABEL u (a text)
      | log:                ^
    hint: correct the statement; postgresql then starts over with an empty volume

    error[dependency-failed]: app was not started, because it waits for postgresql
    hint: fix postgresql first
    fatal: database-bootstrap
    "#);
}

#[test]
fn statement_of_mariadb() {
    let case = Case::app()
        .with(DatabaseKind::Mariadb)
        .stateful("mariadb", &State::crashed(1, "Error", 2))
        .log("app-mariadb-0", "mariadb", true, &[
            "CREATE TABEL u (a text)",
            "--------------",
            "",
            "ERROR 1064 (42000) at line 4: You have an error in your SQL syntax; check the manual that corresponds to your MariaDB server version for the right syntax to use near 'TABEL u (a text)' at line 1",
        ]);
    assert_snapshot!(case.report(), @r#"
    error[database-bootstrap]: a statement of `bootstrap.initSQL` fails: You have an error in your SQL syntax; check the manual that corresponds to your MariaDB server version for the right syntax to use near 'TABEL u (a text)' at line 1
      --> k8s-ee.yaml:20
      | Pod app-mariadb-0, container mariadb: Error, exit code 1, restarted 2 times
      | log: ERROR 1064 (42000) at line 4: You have an error in your SQL syntax; check the manual that corresponds to your MariaDB server version for the right syntax to use near 'TABEL u (a text)' at line 1
    hint: correct the statement; mariadb then starts over with an empty volume

    error[dependency-failed]: app was not started, because it waits for mariadb
    hint: fix mariadb first
    fatal: database-bootstrap
    "#);
}

#[test]
fn extension_that_the_image_does_not_have() {
    let mut case = Case::app().with(DatabaseKind::Postgresql);
    case = case.options(json!({"extensions": ["postgiss"]}));
    let case = case
        .stateful("postgresql", &State::crashed(3, "Error", 2))
        .log("app-postgresql-0", "postgresql", true, &[
            "psql:/docker-entrypoint-initdb.d/10-application.sql:30: ERROR:  extension \"postgiss\" is not available",
            "DETAIL:  Could not open extension control file \"/usr/share/postgresql/16/extension/postgiss.control\": No such file or directory.",
            "HINT:  The extension must first be installed on the system where PostgreSQL is running.",
        ]);
    assert_snapshot!(case.report(), @r#"
    error[database-extension]: the image of PostgreSQL has no extension postgiss
      --> k8s-ee.yaml:21
      | Pod app-postgresql-0, container postgresql: Error, exit code 3, restarted 2 times
      | log: psql:/docker-entrypoint-initdb.d/10-application.sql:30: ERROR:  extension "postgiss" is not available
      | log: DETAIL:  Could not open extension control file "/usr/share/postgresql/16/extension/postgiss.control": No such file or directory.
      | log: HINT:  The extension must first be installed on the system where PostgreSQL is running.
    hint: correct the name, or name an image that has it as `image`

    error[dependency-failed]: app was not started, because it waits for postgresql
    hint: fix postgresql first
    fatal: database-extension
    "#);
}

#[test]
fn extension_that_the_application_may_not_make() {
    let mut case = Case::app().with(DatabaseKind::Postgresql);
    case = case.options(json!({"extensions": ["pg_trgm"]}));
    let case = case
        .stateful("postgresql", &State::ready())
        .pod("app", &State::crashed(1, "Error", 3))
        .log(
            "app-new-1",
            "app",
            false,
            &[
                "error: permission denied to create extension \"file_fdw\"",
                "hint: Must be superuser to create this extension.",
            ],
        );
    assert_snapshot!(case.report(), @r#"
    error[database-extension]: app may not make the extension file_fdw: its user is no superuser
      --> k8s-ee.yaml:21
      | Pod app-new-1, container app: Error, exit code 1, restarted 3 times
      | log: error: permission denied to create extension "file_fdw"
      | log: hint: Must be superuser to create this extension.
    hint: let the database be made with it
        databases:
          postgresql:
            extensions: [pg_trgm, file_fdw]
    fatal: database-extension
    "#);
}
