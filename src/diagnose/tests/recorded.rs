//! Recorded environments: every file in `tests/fixtures/diagnose` is a case, see the README there.

use std::{fs, path::Path};

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::{Observed, diagnose, fatal};
use crate::model::Environment;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Recorded {
    about: String,
    environment: Environment,
    observed: Observed,
    /// Absent in a fresh recording: the failure then prints what to write.
    #[serde(default)]
    expect: Value,
}

#[test]
fn recorded_environments_get_the_expected_causes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/diagnose");
    let files = fs::read_dir(&folder).expect("the folder of the fixtures");
    let files = files.map(|entry| entry.expect("an entry").path());
    let mut cases: Vec<_> = files
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .collect();
    cases.sort();
    assert!(!cases.is_empty(), "no fixture in {}", folder.display());
    for path in cases {
        let text = fs::read_to_string(&path).expect("a readable fixture");
        let case: Recorded = serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let found = summary(&case.environment, &case.observed);
        assert!(
            found == case.expect,
            "{}: {}\nexpected {:#}\nfound {found:#}",
            path.display(),
            case.about,
            case.expect
        );
    }
}

/// What a case holds a diagnosis to; not its wording.
fn summary(env: &Environment, observed: &Observed) -> Value {
    let causes = diagnose(env, observed);
    let causes: Vec<Value> = causes
        .iter()
        .map(|cause| {
            json!({
                "code": cause.code,
                "component": cause.component,
                "pointer": cause.fix.pointer,
                "change": cause.fix.change,
            })
        })
        .collect();
    json!({"causes": causes, "fatal": fatal(env, observed).map(|cause| cause.code)})
}
