//! The corpus: every folder in `tests/corpus/diagnosis` is a broken environment and what must be said of it. The README
//! there says how cases are made.

use std::{fs, path::Path, sync::LazyLock};

use super::super::{Observed, diagnose, recording, recording::Recording, report};

/// Set to 1, cases are written as they are read and told now.
const UPDATE: &str = "UPDATE_GENERATED";

/// Fewer would mean that cases were lost.
const FEWEST: usize = 40;

type Case = (String, Recording, String);

/// Read once: several tests look at them at a time, and one run may write them anew.
static CASES: LazyLock<Vec<Case>> = LazyLock::new(cases);

fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/diagnosis");
    let entries = fs::read_dir(&folder).expect("the folder of the corpus");
    let folders = entries.map(|entry| entry.expect("an entry").path());
    let mut cases: Vec<_> = folders
        .filter(|path| path.is_dir())
        .map(|path| {
            let name = path
                .file_name()
                .expect("a name")
                .to_string_lossy()
                .into_owned();
            let text = fs::read_to_string(path.join("case.json")).expect("a case");
            let mut case: Recording =
                serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
            let expected = path.join("expected.txt");
            if std::env::var_os(UPDATE).is_some_and(|value| value == "1") {
                case = recording::record(&case.environment, &case.observed).expect("it was read");
                let text = serde_json::to_string_pretty(&case).expect("a recording is JSON");
                let written = fs::write(path.join("case.json"), text + "\n")
                    .and_then(|()| fs::write(&expected, recording::told(&case)));
                written.expect("the corpus can be written to");
            }
            let expected = fs::read_to_string(&expected).unwrap_or_default();
            (name, case, expected)
        })
        .collect();
    cases.sort_by(|a, b| a.0.cmp(&b.0));
    cases
}

#[test]
fn every_case_gets_its_cause_and_its_fix() {
    let cases = &*CASES;
    assert!(cases.len() >= FEWEST, "only {} cases", cases.len());
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|(name, case, expected)| {
            let told = recording::told(case);
            (told != *expected)
                .then(|| format!("{name}\n--- expected\n{expected}\n--- told\n{told}"))
        })
        .collect();
    assert!(
        wrong.is_empty(),
        "{}\njudge each; UPDATE_GENERATED=1 writes what is told",
        wrong.join("\n")
    );
}

/// Whoever reads a cause reads the same words, be it in the terminal, in a comment or in JSON.
#[test]
fn every_text_is_the_same_in_the_terminal_and_in_json() {
    for (name, case, _) in &*CASES {
        let causes = diagnose(&case.environment, &case.observed);
        assert!(!causes.is_empty(), "{name} has no cause");
        let human = report::human(&causes, &|_| None);
        let json = report::json(&causes, &|_| None);
        for cause in json.as_array().expect("a list") {
            for text in [
                &cause["summary"],
                &cause["fix"]["text"],
                &cause["fix"]["command"],
            ] {
                let text = text.as_str().unwrap_or_default();
                assert!(human.contains(text), "{name}: `{text}` is not in\n{human}");
            }
            for line in cause["evidence"].as_array().expect("a list") {
                let line = line.as_str().expect("a text");
                assert!(human.contains(line), "{name}: `{line}` is not in\n{human}");
            }
        }
    }
}

/// Recording what was recorded changes nothing: no time moves, and nothing is left to be masked.
#[test]
fn recordings_are_settled() {
    for (name, case, _) in &*CASES {
        let again = recording::record(&case.environment, &case.observed).expect("it was read");
        assert!(again == *case, "{name}: record it anew");
        assert_eq!(case.observed.secrets, Observed::default().secrets);
    }
}
