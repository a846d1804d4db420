//! Hostile files: bombs of aliases, depth, sheer size. All stop early, with a message.

use std::time::{Duration, Instant};

use k8s_ee::config::{MAX_BYTES, problem::Problem, report};

use super::{invalid, parse, valid};

/// Many times what is needed in a development build, so that a busy machine does not fail the test; far less than what
/// a file without limits takes.
const GENEROUS: Duration = Duration::from_secs(5);

#[track_caller]
fn first(text: &str) -> Problem {
    let mut problems = invalid(text).problems;
    problems.swap_remove(0)
}

/// Ten names, each a list of ten of the one before: 10^levels texts.
fn bomb(levels: usize) -> String {
    let mut text = "projectId: shop\na0: &a0 x\n".to_owned();
    for level in 1..=levels {
        let below = level - 1;
        let aliases = vec![format!("*a{below}"); 10].join(", ");
        text += &format!("a{level}: &a{level} [{aliases}]\n");
    }
    text
}

#[test]
fn a_bomb_of_aliases_stops_where_it_grows_too_large() {
    let problem = first(&bomb(9));
    assert_eq!(problem.message, "the file grows beyond 10000 values here");
    // 1 + 10 + 100 + 1000 values are fine, the level after that is too much.
    assert_eq!(problem.pointer, "/a4");
    assert_eq!(problem.place.line, 6);
}

#[test]
fn a_bomb_that_is_as_deep_as_it_is_wide() {
    let mut text = "a0: &a0 x\n".to_owned();
    for level in 1..200 {
        text += &format!("a{level}: &a{level} [*a{}]\n", level - 1);
    }
    let problem = first(&text);
    assert_eq!(
        problem.message,
        "maps and lists nest more than 32 deep here"
    );
}

#[test]
fn a_long_text_many_times() {
    let long = "x".repeat(500_000);
    let aliases = vec!["*a"; 2000].join(", ");
    let problem = first(&format!("a: &a {long}\nb: [{aliases}]\n"));
    assert_eq!(problem.message, "the file grows beyond 10000 values here");
    assert_eq!(problem.pointer, "/b");
}

#[test]
fn merges_count() {
    let keys: String = (0..1000).map(|n| format!("k{n}: 1, ")).collect();
    let merges = vec!["*a"; 1000].join(", ");
    let problem = first(&format!("a: &a {{{keys}}}\nb:\n  <<: [{merges}]\n"));
    assert_eq!(problem.message, "the file grows beyond 10000 values here");
}

#[test]
fn values_without_aliases_count_too() {
    let text: String = (0..15_000).map(|n| format!("k{n}: 1\n")).collect();
    let problem = first(&text);
    assert_eq!(problem.message, "the file grows beyond 10000 values here");
    assert_eq!(problem.place.line, 10_001);
}

#[test]
fn duplicate_keys_count_too() {
    let problems = invalid(&"a: 1\n".repeat(15_000)).problems;
    assert_eq!(problems.len(), 101);
}

#[test]
fn depth_in_brackets_and_in_lines() {
    for text in [
        format!("projectId: {}", "[".repeat(100_000)),
        format!("projectId: {}", "{a: ".repeat(100_000)),
        format!("projectId: {}x", "- ".repeat(100_000)),
        format!("{}x", "? ".repeat(100_000)),
        (0..1000)
            .map(|n| format!("{}a:\n", " ".repeat(n)))
            .collect(),
    ] {
        let problem = first(&text);
        assert!(
            problem.message.contains("nest more than 32 deep")
                || problem.message.contains("does not fit the lines before it"),
            "{}",
            problem.message
        );
    }
}

#[test]
fn a_long_key() {
    let problem = first(&format!("? {}\n: x\n", "k".repeat(2000)));
    assert_eq!(problem.message, "this key is longer than 1024 bytes");
}

#[test]
fn only_so_many_mistakes_are_told() {
    let text: String = (0..5000).map(|n| format!("k{n}: 1\n")).collect();
    let problems = invalid(&text).problems;
    assert_eq!(problems.len(), 101);
    let last = &problems[100];
    assert_eq!(last.message, "more mistakes follow");
}

#[test]
fn a_file_that_is_too_large_is_not_read() {
    let text = format!("projectId: shop\n{}", "#".repeat(MAX_BYTES));
    assert_eq!(first(&text).message, "the file is larger than 1 MiB");
}

#[test]
fn a_file_with_too_many_lines_is_not_read() {
    let problem = first(&"\n".repeat(20_000));
    assert_eq!(problem.message, "the file has more than 20000 lines");
}

#[test]
fn a_large_valid_file_is_valid() {
    let variables: String = (0..2000)
        .map(|n| format!("  KEY_{n}: value {n}\n"))
        .collect();
    let config = valid(&format!("projectId: shop\nenv:\n{variables}"));
    assert_eq!(config.file.env.map(|env| env.0.len()), Some(2000));
}

/// Everything above, and more, against the clock.
#[test]
fn nothing_takes_long() {
    let mib = |part: &str| part.repeat(MAX_BYTES / part.len());
    let half = |part: &str| part.repeat(MAX_BYTES / 2 / part.len());
    let mut files = vec![
        bomb(9),
        bomb(50),
        mib("#"),
        mib("# x\n"),
        mib("\n"),
        mib(" "),
        mib("\t"),
        mib("\r"),
        mib("a"),
        mib("a "),
        mib("a\n"),
        mib("a: "),
        mib("a: 1\n"),
        mib("- "),
        mib("- a\n"),
        mib("? "),
        mib("["),
        mib("[]"),
        mib("{"),
        mib("\""),
        mib("'"),
        mib("''"),
        mib("&a "),
        mib("*a "),
        mib("!a "),
        mib("!!str "),
        mib("%a\n"),
        mib("%TAG !e! tag:e\n"),
        mib("---\n"),
        mib("<<: {}\n"),
        mib(": "),
        mib(","),
        mib("\u{1f680}"),
        mib("\\"),
        format!("a: \"{}\"", half("\\u0041")),
        format!("a: |\n {}", half(" x\n")),
        format!("a: |\n{}x", half("\n")),
        format!("a: >\n {}", half("x\n  ")),
        format!("{}: 1", half("k")),
        format!("projectId: {}", half("k")),
        format!("projectId: [{}]", half("1, ")),
        format!("env: {{{}}}", half("A: 1, ")),
        format!("projectId: [{}]", half(&format!(".inf,{}", " ".repeat(50)))),
        format!(
            "projectId: shop\nwritableDirs: [{}]",
            half(&format!("/tmp,{}", " ".repeat(50)))
        ),
    ];
    files.push((0..9000).map(|n| format!("key{n}: 1\n")).collect());
    let service = |n: usize| {
        format!(
            "  s{n}: {{ dependsOn: [s{}, nothing{n}] }}\n",
            (n + 1) % 1500
        )
    };
    let services: String = (0..1500).map(service).collect();
    files.push(format!("projectId: shop\nservices:\n{services}"));
    let service = |n: usize| format!("  s{n:019}: {{ dependsOn: [t{n:019}] }}\n");
    let services: String = (0..2000).map(service).collect();
    files.push(format!("projectId: shop\nservices:\n{services}"));
    let names: String = (0..9000).map(|n| format!("n{}, ", n % 8999)).collect();
    files.push(format!(
        "projectId: shop\nservices:\n  api: {{ dependsOn: [{names}] }}\n"
    ));
    let variables: String = (0..9000).map(|n| format!("  9KEY-{n}: {n}\n")).collect();
    files.push(format!("projectId: shop\nenv:\n{variables}"));
    let directories: String = (0..9000)
        .map(|n| format!("  - /a/{}\n", n % 4000))
        .collect();
    files.push(format!("projectId: shop\nwritableDirs:\n{directories}"));

    for text in files {
        let begin = Instant::now();
        if let Err(invalid) = parse(&text) {
            let told = report::human(&invalid.source, &invalid.problems, false);
            assert!(!told.is_empty());
        }
        let took = begin.elapsed();
        let shown: String = text.chars().take(40).collect();
        assert!(took < GENEROUS, "{took:?} for {shown:?} …");
    }
}
