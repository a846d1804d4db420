//! A comment is never longer than GitHub takes, and says what was left out.

use super::*;
use crate::config::problem::Problem;

fn length(text: &str) -> usize {
    text.encode_utf16().count()
}

#[test]
fn the_lines_of_logs_go_first() {
    let mut facts = broken();
    let line = "x".repeat(480);
    facts.logs = (0..20)
        .map(|n| Log {
            title: format!("api-{n}/api"),
            lines: (0..200).map(|n| format!("{n} {line}")).collect(),
        })
        .collect();
    let text = comment(&facts, State::Failed, None, &Template::built_in()).expect("it renders");
    assert!(length(&text) <= 65_536, "{}", length(&text));
    assert!(text.contains("the last 5 lines"), "{text}");
    assert!(text.contains("199 x") && !text.contains("\n100 x"));
    assert!(text.contains("nothing in api listens on port 3000"));

    facts.logs = vec![facts.logs[0].clone(); 100];
    let text = comment(&facts, State::Failed, None, &Template::built_in()).expect("it renders");
    assert!(length(&text) <= 65_536, "{}", length(&text));
    assert!(text.contains("*Left out to fit: the logs.*"), "{text}");
}

#[test]
fn what_is_left_of_too_much_is_counted() {
    let long = "ä&<".repeat(2000);
    let mut facts = broken();
    facts.problems = (0..100)
        .map(|n| Problem {
            pointer: String::new(),
            place: crate::config::problem::Place::default(),
            message: format!("{n} {long}"),
            hint: Some(long.clone()),
        })
        .collect();
    facts.causes = vec![facts.causes[0].clone(); 100];
    for located in &mut facts.causes {
        located.cause.evidence = vec![long.clone(); 10];
    }
    facts.components = vec![facts.components[0].clone(); 500];
    facts.notes = vec![long.clone(); 30];
    facts.left = vec![long.clone(); 300];
    facts.failure = Some(Trouble {
        message: long.clone(),
        because: vec![long.clone(); 3],
        hints: vec![long; 3],
    });
    for state in [State::Failed, State::Blocked, State::Invalid] {
        let text =
            comment(&facts, state, Some(&before()), &Template::built_in()).expect("it renders");
        assert!(length(&text) <= 65_536, "{}", length(&text));
        assert!(
            text.contains("more mistakes") && text.contains("more components"),
            "{text}"
        );
        assert!(
            !text.contains("… cut here"),
            "only a template of somebody's own comes so far"
        );
    }
}

#[test]
fn a_template_that_prints_too_much_is_cut() {
    let text = "{% for n in range(20000) %}ä😀{{ n }} {% endfor %}".to_owned();
    let template = Template::new("mine", text).expect("a template");
    let text = comment(&up(), State::Running, None, &template).expect("it renders");
    assert!(
        length(&text) <= 65_536 && length(&text) > 65_000,
        "{}",
        length(&text)
    );
    assert!(text.ends_with("… cut here\n"));
    assert!(Said::read(&text).is_some());
}
