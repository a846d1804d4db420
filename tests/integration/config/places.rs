//! Where things stand, for checks that come after the loader.

use k8s_ee::config::problem::Place;

use super::valid;

const TEXT: &str = "\
projectId: shop
services:
  api:
    port: 8080
    args: [--a, \"ä🚀\", --b]
    resources: &small
      limits:
        cpu: 100m
  web:
    resources: *small
    ingress:
      annotations: { \"a.b/c~d\": x }
";

#[track_caller]
fn place(pointer: &str) -> (usize, usize, &'static str) {
    let Place { line, column, span } = valid(TEXT).place(pointer);
    (line, column, &TEXT[span])
}

#[test]
fn values_and_keys() {
    assert_eq!(place("/projectId"), (1, 12, "shop"));
    assert_eq!(place("/services/api/port"), (4, 11, "8080"));
    // A map over several lines is found by its key.
    assert_eq!(place("/services"), (2, 1, "services"));
    assert_eq!(place("/services/api"), (3, 3, "api"));
}

#[test]
fn items_of_lists() {
    assert_eq!(place("/services/api/args/0"), (5, 12, "--a"));
    assert_eq!(place("/services/api/args/1"), (5, 17, "\"ä🚀\""));
    // Columns count characters, not bytes.
    assert_eq!(place("/services/api/args/2"), (5, 23, "--b"));
}

#[test]
fn what_is_not_there_is_found_at_its_nearest_ancestor() {
    assert_eq!(place("/services/api/env/LOG_LEVEL"), (3, 3, "api"));
    assert_eq!(
        place("/services/api/args/7"),
        (5, 11, "[--a, \"ä🚀\", --b]")
    );
    assert_eq!(place("/databases/redis"), place(""));
    assert_eq!(place("").0, 1);
    assert_eq!(place("no pointer at all"), place(""));
}

#[test]
fn aliases_stand_where_they_are_written_and_their_members_where_the_anchor_is() {
    assert_eq!(place("/services/web/resources"), (10, 16, "*small"));
    assert_eq!(place("/services/web/resources/limits/cpu"), (8, 14, "100m"));
}

#[test]
fn escaped_pointers() {
    let pointer = "/services/web/ingress/annotations/a.b~1c~0d";
    assert_eq!(place(pointer), (12, 33, "x"));
}

#[test]
fn a_problem_of_a_later_stage() {
    let problem = valid(TEXT).problem(
        "/services/api/resources/limits/cpu",
        "too much",
        Some("take less".to_owned()),
    );
    assert_eq!(problem.place.line, 8);
    assert_eq!(problem.message, "too much");
    assert_eq!(problem.hint.as_deref(), Some("take less"));
}

#[test]
fn lines_of_windows() {
    let config = valid("projectId: shop\r\napp:\r\n  port: 3000\r\n");
    let place = config.place("/app/port");
    assert_eq!((place.line, place.column), (3, 9));
}

#[test]
fn keys_that_look_like_other_types_are_text() {
    let config = valid(
        "projectId: shop\nenv: { null: a, \"~\": b }\n"
            .replace("\"~\"", "_")
            .as_str(),
    );
    let names: Vec<String> = config
        .file
        .env
        .map(|env| env.0.into_keys().collect())
        .unwrap_or_default();
    assert_eq!(names, ["_", "null"]);
}
