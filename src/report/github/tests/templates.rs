//! Templates of others: what they are given, and what becomes of broken ones.

use insta::assert_snapshot;

use super::*;

fn render(text: &str) -> Result<String, String> {
    let template = Template::new("mine.j2", text.to_owned()).map_err(|error| error.to_string())?;
    let text = comment(&up(), State::Running, Some(&before()), &template)
        .map_err(|error| error.to_string())?;
    let shown = text.splitn(3, '\n').nth(2);
    Ok(shown.expect("a marker, a hidden line, and text").to_owned())
}

#[test]
fn a_template_decides_what_is_seen_and_not_whether_it_is_found() {
    assert_eq!(
        render("hello {{ branch }} {{ branch|code }}").expect("it renders"),
        "hello feature/cart `feature/cart`\n"
    );
    let template = Template::new("mine", "<!-- k8s-ee-pr-env -->x".to_owned()).expect("a template");
    let text = comment(&up(), State::Running, None, &template).expect("it renders");
    assert!(text.starts_with("<!-- k8s-ee-pr-env -->\n<!-- k8s-ee: "));
}

#[test]
fn a_broken_one_is_told_with_its_line() {
    let all = [
        "a\n{% if %}",
        "a\nb\n{{ nothing }}",
        "{{ commit.nothing }}",
        "{{ branch|safe }}",
        "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}",
        "  \n",
        "{% include '/etc/passwd' %}",
    ];
    let errors = all.map(|text| render(text).expect_err("it is broken"));
    assert_snapshot!(errors.join("\n"));
}

/// Every variable is there in every state, so that a template may ask for each.
#[test]
fn all_variables_are_there_in_every_state() {
    let names = |facts: &Facts, state| -> Vec<String> {
        let view = crate::report::github::view::view(
            facts,
            state,
            None,
            crate::report::github::view::Room::STEPS[0],
        );
        view.as_object()
            .expect("an object")
            .keys()
            .cloned()
            .collect()
    };
    let all = names(&up(), State::Running);
    for state in [
        State::Preparing,
        State::Failed,
        State::Invalid,
        State::Destroyed,
        State::Waiting,
    ] {
        assert_eq!(names(&Facts::default(), state), all);
        // The built-in template renders where nothing is known.
        comment(&Facts::default(), state, None, &Template::built_in()).expect("it renders");
    }
    let documented = include_str!("../../../../docs/guides/github.md");
    for name in all {
        assert!(
            documented.contains(&format!("| `{name}` |")),
            "docs/guides/github.md does not name `{name}`"
        );
    }
}
