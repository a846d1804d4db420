//! The same problems for people, programs and GitHub.

use k8s_ee::config::{Source, problem::Problem, report};

use super::{invalid, valid};

const TEXT: &str = "\
projectId: My Shop
databse:
  redis: true
app: { port: 0 }
";

#[test]
fn for_people() {
    let invalid = invalid(TEXT);
    insta::assert_snapshot!(report::human(&invalid.source, &invalid.problems, false), @"
        error: `projectId` cannot be `My Shop`
         --> k8s-ee.yaml:1:12
          |
        1 | projectId: My Shop
          |            ^^^^^^^
          |
          = hint: write 1 to 20 lower-case letters, digits and `-`, with a letter or digit at both ends, such as `my-shop`

        error: unknown key `databse`
         --> k8s-ee.yaml:2:1
          |
        2 | databse:
          | ^^^^^^^
          |
          = hint: did you mean `databases`?

        error: `app.port` must be from 1 to 65535, not `0`
         --> k8s-ee.yaml:4:14
          |
        4 | app: { port: 0 }
          |              ^
    ");
}

#[test]
fn in_color_the_words_are_the_same() {
    let invalid = invalid(TEXT);
    let plain = report::human(&invalid.source, &invalid.problems, false);
    let color = report::human(&invalid.source, &invalid.problems, true);
    assert!(color.contains("\u{1b}["), "{color:?}");
    assert!(!plain.contains('\u{1b}'), "{plain:?}");
    assert_eq!(anstream::adapter::strip_str(&color).to_string(), plain);
}

#[test]
fn for_programs() {
    let invalid = invalid(TEXT);
    let json = report::json(Some(&invalid.source), &invalid.problems);
    insta::assert_snapshot!(serde_json::to_string_pretty(&json).expect("JSON can be written"), @r#"
        {
          "version": 1,
          "valid": false,
          "file": "k8s-ee.yaml",
          "errors": [
            {
              "pointer": "/projectId",
              "line": 1,
              "column": 12,
              "message": "`projectId` cannot be `My Shop`",
              "hint": "write 1 to 20 lower-case letters, digits and `-`, with a letter or digit at both ends, such as `my-shop`"
            },
            {
              "pointer": "/databse",
              "line": 2,
              "column": 1,
              "message": "unknown key `databse`",
              "hint": "did you mean `databases`?"
            },
            {
              "pointer": "/app/port",
              "line": 4,
              "column": 14,
              "message": "`app.port` must be from 1 to 65535, not `0`",
              "hint": null
            }
          ]
        }
    "#);
}

#[test]
fn for_programs_when_all_is_well() {
    let config = valid("projectId: shop\n");
    insta::assert_snapshot!(
        report::json(Some(config.source()), &[]),
        @r#"{"version":1,"valid":true,"file":"k8s-ee.yaml","errors":[]}"#
    );
}

#[test]
fn for_github() {
    let invalid = invalid(TEXT);
    insta::assert_snapshot!(report::github("deploy/k8s-ee.yaml", &invalid.problems), @"
        ::error file=deploy/k8s-ee.yaml,line=1,col=12,title=Invalid configuration::`projectId` cannot be `My Shop`%0Ahint: write 1 to 20 lower-case letters, digits and `-`, with a letter or digit at both ends, such as `my-shop`
        ::error file=deploy/k8s-ee.yaml,line=2,col=1,title=Invalid configuration::unknown key `databse`%0Ahint: did you mean `databases`?
        ::error file=deploy/k8s-ee.yaml,line=4,col=14,title=Invalid configuration::`app.port` must be from 1 to 65535, not `0`
    ");
}

/// A value must not end the command early, nor begin another.
#[test]
fn github_commands_are_escaped() {
    let problem = Problem {
        pointer: String::new(),
        place: valid("projectId: shop").place(""),
        message: "100%: a,b\r\n::warning::x".to_owned(),
        hint: None,
    };
    insta::assert_snapshot!(
        report::github("a,b:c%.yaml", &[problem]),
        @"::error file=a%2Cb%3Ac%25.yaml,line=1,col=1,title=Invalid configuration::100%25: a,b%0D%0A::warning::x"
    );
}

#[test]
fn nothing_to_report() {
    let source = Source::new("k8s-ee.yaml", "");
    assert_eq!(report::human(&source, &[], false), "");
    assert_eq!(report::github("k8s-ee.yaml", &[]), "");
    assert!(report::json(None, &[])["file"].is_null());
}

#[test]
fn a_line_that_goes_on_and_on_is_not_shown() {
    let invalid = invalid(&format!("projectId: {}\n", "x".repeat(5000)));
    insta::assert_snapshot!(report::human(&invalid.source, &invalid.problems, false), @"
        error: `projectId` cannot be `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…`
        --> k8s-ee.yaml:1:12
         = hint: write 1 to 20 lower-case letters, digits and `-`, with a letter or digit at both ends, such as `shop`
    ");
}

/// Escape sequences and invisible characters of the file do not reach the terminal.
#[test]
fn the_terminal_is_safe() {
    let invalid = invalid("projectId: \"x\u{202e}y\"\n\"\u{7f}k\\e[31m\": \"\\e]0;title\\a\"\n");
    let told = report::human(&invalid.source, &invalid.problems, false);
    let unsafe_characters = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
    assert!(!told.contains(unsafe_characters), "{told:?}");
}
