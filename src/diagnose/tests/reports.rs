//! The two forms of a report.

use insta::assert_snapshot;

use super::super::{diagnose, report};
use super::build::{Case, State};

#[test]
fn json_has_the_place_and_the_change_with_all_its_keys() {
    let case = Case::services(&["api"]).pod("api", &State::crashed(137, "OOMKilled", 1));
    let causes = diagnose(&case.env, &case.observed);
    let locate = |pointer: &str| (pointer == "/services/api").then(|| "k8s-ee.yaml:3".to_owned());
    assert_snapshot!(format!("{:#}", report::json(&causes, &locate)), @r#"
    [
      {
        "code": "out-of-memory",
        "component": "api",
        "summary": "api needs more memory than its limit of 384Mi",
        "evidence": [
          "Pod api-new-1, container api: OOMKilled, exit code 137 (SIGKILL), restarted once"
        ],
        "fix": {
          "text": "raise the memory limit of api",
          "pointer": "/services/api/resources/limits/memory",
          "location": "k8s-ee.yaml:3",
          "change": "memory: 768Mi",
          "yaml": "services:\n  api:\n    resources:\n      limits:\n        memory: 768Mi",
          "command": null
        }
      }
    ]
    "#);
}

#[test]
fn without_a_place_the_keys_say_where() {
    let case = Case::app().pod(
        "app",
        &State::unschedulable("0/2 nodes are available: 2 Insufficient memory."),
    );
    let causes = diagnose(&case.env, &case.observed);
    assert_snapshot!(report::human(&causes, &|_| None), @"
    error[unschedulable]: none of the 2 nodes takes app: 2 Insufficient memory
      --> `resources.requests.memory` in k8s-ee.yaml
      | Pod app-new-1: 0/2 nodes are available: 2 Insufficient memory.
    hint: lower `resources.requests.memory` (now 128Mi), destroy environments that nobody needs, or add a node
      $ kubectl describe nodes
    ");
    assert_eq!(report::human(&[], &|_| None), "");
}

#[test]
fn what_was_seen_survives_being_written_without_its_secrets() {
    let case = Case::app()
        .secret("tr0ub4dor")
        .pod("app", &State::crashed(1, "Error", 0))
        .log("app-new-1", "app", false, &["boom"]);
    let text = serde_json::to_string(&case.observed).expect("plain data");
    assert!(!text.contains("tr0ub4dor"), "{text}");
    let mut read: super::super::Observed = serde_json::from_str(&text).expect("what was written");
    assert!(read.secrets.is_empty());
    read.secrets = case.observed.secrets.clone();
    assert_eq!(read, case.observed);
}
