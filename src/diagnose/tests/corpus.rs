//! The corpus: every folder in `tests/corpus/diagnosis` is a broken environment and what must be said of it. The README
//! there says how cases are made.

use std::{fs, path::Path, sync::LazyLock};

use super::super::{Cause, Observed, diagnose, recording, recording::Recording, report};
use crate::report::github::{
    comment,
    escape::{block, prose},
    facts::{Facts, Located, State},
    template::Template,
};

/// Set to 1, cases are written as they are read and told now.
const UPDATE: &str = "UPDATE_GENERATED";

/// Fewer would mean that cases were lost.
const FEWEST: usize = 90;

type Case = (String, Recording, String);

/// The one that is well.
const WELL: &str = "healthy";

/// Read once: several tests look at them at a time, and one run may write them anew.
static ALL: LazyLock<Vec<Case>> = LazyLock::new(cases);

/// The broken ones.
pub(super) static CASES: LazyLock<Vec<Case>> =
    LazyLock::new(|| ALL.iter().filter(|case| case.0 != WELL).cloned().collect());

/// An environment that is well.
pub(super) static HEALTHY: LazyLock<Recording> = LazyLock::new(|| {
    let well = ALL.iter().find(|case| case.0 == WELL);
    well.expect("one is well").1.clone()
});

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
    let cases = &*ALL;
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

fn causes(case: &Recording) -> Vec<Cause> {
    diagnose(&case.environment, &case.observed)
}

#[test]
fn every_broken_environment_has_a_cause_and_a_healthy_one_has_none() {
    for (name, case, _) in &*CASES {
        assert!(!causes(case).is_empty(), "{name} has no cause");
    }
    assert_eq!(causes(&HEALTHY), Vec::new());
}

/// Whoever reads a cause reads the same words, be it in the terminal, in a comment or in JSON, and in the same order.
#[test]
fn every_text_is_the_same_in_the_terminal_in_the_comment_and_in_json() {
    for (name, case, _) in &*CASES {
        let causes = causes(case);
        let mut human = report::human(&causes, &|_| None);
        let json = report::json(&causes, &|_| None);
        let mut comment = comment_of(&causes);
        assert_eq!(json.as_array().map(Vec::len), Some(causes.len()), "{name}");
        for (cause, json) in causes.iter().zip(json.as_array().into_iter().flatten()) {
            let fix = &cause.fix;
            let yaml = fix.yaml();
            assert_eq!(json["summary"], cause.summary, "{name}");
            assert_eq!(json["fix"]["text"], fix.text, "{name}");
            assert_eq!(json["fix"]["yaml"], serde_json::json!(yaml), "{name}");
            assert_eq!(
                json["fix"]["command"],
                serde_json::json!(fix.command),
                "{name}"
            );
            assert_eq!(
                json["evidence"],
                serde_json::json!(cause.evidence),
                "{name}"
            );

            human = after(
                &human,
                &format!("error[{}]: {}\n", cause.code, cause.summary),
                name,
            );
            for line in &cause.evidence {
                human = after(&human, &format!("  | {line}\n"), name);
            }
            human = after(&human, &format!("hint: {}\n", fix.text), name);
            for line in yaml.iter().flat_map(|yaml| yaml.lines()) {
                human = after(&human, &format!("    {line}\n"), name);
            }
            if let Some(command) = &fix.command {
                human = after(&human, &format!("  $ {command}\n"), name);
            }

            comment = after(&comment, &prose(&cause.summary), name);
            comment = after(&comment, &prose(&fix.text), name);
            if let Some(yaml) = &yaml {
                comment = after(&comment, &block(yaml, "yaml"), name);
            }
            if let Some(command) = &fix.command {
                comment = after(&comment, &block(command, "sh"), name);
            }
        }
    }
}

/// What follows a text, which must be there.
#[track_caller]
fn after(text: &str, part: &str, name: &str) -> String {
    let (_, rest) = text
        .split_once(part)
        .unwrap_or_else(|| panic!("{name}: `{part}` is not in, or not in its place in\n{text}"));
    rest.to_owned()
}

fn comment_of(causes: &[Cause]) -> String {
    let located = |cause: &Cause| Located {
        cause: cause.clone(),
        line: None,
    };
    let facts = Facts {
        causes: causes.iter().map(located).collect(),
        ..Facts::default()
    };
    comment(&facts, State::Failed, None, &Template::built_in()).expect("it renders")
}

/// A person who is stuck is told a next step: a line of the file, a command, a place, or a word to look for.
#[test]
fn every_fix_is_something_to_do() {
    let idle: Vec<String> = CASES
        .iter()
        .flat_map(|(name, case, _)| causes(case).into_iter().map(move |cause| (name, cause)))
        .filter(|(_, cause)| !cause.code.is_consequence())
        .filter(|(_, Cause { fix, .. })| {
            fix.pointer.is_none() && fix.command.is_none() && !fix.text.contains('`')
        })
        .map(|(name, cause)| format!("{name}: {}", cause.fix.text))
        .collect();
    assert!(idle.is_empty(), "{}", idle.join("\n"));
}

/// Recording what was recorded changes nothing: no time moves, and nothing is left to be masked.
#[test]
fn recordings_are_settled() {
    for (name, case, _) in &*ALL {
        let again = recording::record(&case.environment, &case.observed).expect("it was read");
        assert!(again == *case, "{name}: record it anew");
        assert_eq!(case.observed.secrets, Observed::default().secrets);
    }
}
