//! Texts of others stay in their place, whatever they are.

use proptest::prelude::*;

use super::*;
use crate::report::github::escape;

/// Texts made of what means something to Markdown, HTML or GitHub.
fn nasty() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("`"),
        Just("```"),
        Just("````"),
        Just("~~~"),
        Just("|"),
        Just("\n"),
        Just("\r\n"),
        Just("\n\n"),
        Just("<!--"),
        Just("-->"),
        Just("<script>"),
        Just("</details>"),
        Just("<img src=x>"),
        Just("&lt;"),
        Just("@acme/team"),
        Just("@octocat"),
        Just("#1"),
        Just("GH-1"),
        Just("acme/shop#1"),
        Just("https://evil.example"),
        Just("www.evil.example"),
        Just("[x](y)"),
        Just("![x](y)"),
        Just("**"),
        Just("_"),
        Just("# "),
        Just("> "),
        Just("- "),
        Just("1. "),
        Just("\\"),
        Just("\u{202e}"),
        Just("\u{200b}"),
        Just("\u{0}"),
        Just("\u{1b}[31m"),
        Just("$x$"),
        Just("{{ x }}"),
        Just("{% if %}"),
        Just("    "),
        Just("\t"),
        Just("=== "),
        Just("---"),
        Just(" "),
        Just("a"),
        Just("word"),
        Just("6dcb09b5b57875f334f61aebed695e2e4193db5e"),
        Just("<!-- k8s-ee: {} -->"),
        Just("\u{2028}"),
        Just("ä"),
        Just("😀"),
    ];
    prop_oneof![
        proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat()),
        any::<String>(),
    ]
}

/// Whether a mention, a reference or an address can be found in what is shown, code aside.
fn is_quiet(text: &str) -> bool {
    let rest = text
        .replace("@&#8203;", "")
        .replace("#&#8203;", "")
        .replace("&#8203;", "\u{0}");
    !rest.contains('@')
        && !rest.contains("://")
        && !begins_a_word(&rest, "www.")
        && !begins_a_word(&rest, "gh-1")
        && !rest
            .replace("&amp;", "")
            .replace("&lt;", "")
            .replace("&gt;", "")
            .contains(['<', '>', '&', '#'])
}

/// Whether a text has a word that begins so.
fn begins_a_word(text: &str, word: &str) -> bool {
    let text = text.to_lowercase();
    let mut found = text.match_indices(word);
    found.any(|(at, _)| !text[..at].ends_with(char::is_alphanumeric))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_text_stays_in_its_line_and_marks_nothing_up(text in nasty()) {
        for shown in [escape::text(&text), escape::prose(&text.replace('`', ""))] {
        prop_assert!(!shown.contains(['\n', '\r', '\t', '\u{202e}', '\u{1b}', '\u{0}', '\u{2028}']), "{shown:?}");
        prop_assert!(is_quiet(&shown), "{shown:?}");
        // Every character that means something has a backslash before it.
        let mut escaped = false;
        for c in shown.chars() {
            if escaped {
                escaped = false;
            } else if c == '\\' {
                escaped = true;
            } else {
                prop_assert!(!"`*_[](){}!|~$".contains(c), "{c} in {shown:?}");
            }
        }
        prop_assert!(!escaped, "{shown:?}");
        prop_assert!(!shown.starts_with(['-', '+', '=', '#', '>', ' ']), "{shown:?}");
        }
    }

    #[test]
    fn html_begins_nothing(text in nasty()) {
        let shown = escape::html(&text);
        prop_assert!(!shown.contains(['<', '>', '"', '\'', '\n', '\u{202e}']), "{shown}");
    }

    #[test]
    fn code_ends_where_it_should(text in nasty()) {
        for shown in [escape::code(&text), escape::cell(&text)] {
            prop_assert!(!shown.contains('\n'));
            let open = shown.len() - shown.trim_start_matches('`').len();
            if shown.is_empty() {
                continue;
            }
            prop_assert!(open > 0 && shown.len() > 2 * open, "{shown:?}");
            let inner = &shown[open..shown.len() - open];
            let runs = inner.split(|c| c != '`').map(str::len);
            prop_assert!(runs.clone().all(|run| run != open), "{shown:?}");
            prop_assert!(!inner.starts_with('`') && !inner.ends_with('`'), "{shown:?}");
        }
        let cell = escape::cell(&text);
        prop_assert_eq!(cell.matches('|').count(), cell.matches("\\|").count());
    }

    #[test]
    fn a_block_ends_where_it_should(text in nasty(), language in "[a-z`\n]{0,6}") {
        let shown = escape::block(&text, &language);
        let lines: Vec<&str> = shown.split('\n').collect();
        let fence: String = lines[0].chars().take_while(|c| *c == '`').collect();
        prop_assert!(fence.len() >= 3 && !lines[0][fence.len()..].contains('`'));
        let (last, inner) = lines[1..].split_last().expect("a fence at the end");
        prop_assert_eq!(*last, fence.as_str());
        for line in inner {
            let ticks = line.trim_start();
            let ticks = ticks.len() - ticks.trim_start_matches('`').len();
            prop_assert!(ticks < fence.len(), "{shown:?}");
        }
    }

    #[test]
    fn a_link_goes_where_it_says_or_nowhere(label in nasty(), address in nasty()) {
        prop_assert!(escape::url(&address).is_none() || address.starts_with("http"));
        for address in [address.clone(), format!("https://{address}")] {
            if let Some(url) = escape::url(&address) {
                prop_assert!(url.starts_with("http://") || url.starts_with("https://"));
                prop_assert!(url.bytes().all(|b| b.is_ascii_graphic() && !b"()<>\"'`|\\*_[]".contains(&b) || b == b'_' || b == b'*'), "{url}");
            }
        }
        let shown = escape::link(&label, "https://a.example");
        prop_assert!(shown.ends_with("](https://a.example)") && !shown.contains('\n'));
    }

    #[test]
    fn nothing_ends_the_hidden_line(text in nasty(), commit in nasty()) {
        let mut facts = up();
        facts.commit = Some(commit);
        facts.parts.insert(text.clone(), Part { image: text, config: String::new() });
        let said = Said::of(&facts, State::Running, None);
        let line = said.line();
        prop_assert!(!line.contains('\n') && line.matches("-->").count() == 1 && line.matches("--").count() == 2, "{line}");
        let read = Said::read(&format!("<!-- k8s-ee-pr-env -->\n{line}\ntext")).expect("it reads back");
        prop_assert_eq!(read, said);
    }

    /// The whole comment, with texts of others wherever there can be some: headings, tables, folded parts stay what they are.
    #[test]
    fn the_comment_keeps_its_form(text in nasty()) {
        let mut facts = broken();
        let form = |shown: &str| -> Vec<String> {
            let mut fence: Option<String> = None;
            let mut form = Vec::new();
            for line in shown.lines() {
                let ticks: String = line.chars().take_while(|c| *c == '`').collect();
                match &fence {
                    Some(open) if line == open => { fence = None; form.push("fence".to_owned()); }
                    None if ticks.len() >= 3 => { fence = Some(ticks); form.push("fence".to_owned()); }
                    Some(_) => {}
                    None => {
                        let cells = line.replace("\\|", "").matches('|').count();
                        let first = line.split(' ').next().unwrap_or_default();
                        let mark = if ["###", "####", "<details>", "<summary>Log", "</details>", "-"].contains(&first) { first } else { "" };
                        let cells = if line.starts_with('|') { cells } else { 0 };
                        if cells > 0 || !mark.is_empty() {
                            form.push(format!("{mark}{cells}"));
                        }
                    }
                }
            }
            assert!(fence.is_none(), "{shown}");
            form
        };
        let plain = form(&shown(&facts, State::Failed, None));
        facts.branch = Some(format!("x{text}"));
        for component in &mut facts.components {
            component.state = format!("x{text}");
            component.image = format!("x{text}");
        }
        for located in &mut facts.causes {
            let cause = &mut located.cause;
            cause.summary = format!("x{text}");
            cause.fix.text = format!("x{text}");
            if !cause.evidence.is_empty() {
                cause.evidence = vec![format!("x{text}")];
            }
        }
        facts.logs[0].title = format!("x{text}");
        facts.logs[0].lines = text.lines().map(str::to_owned).chain(["x".to_owned()]).collect();
        let nasty = shown(&facts, State::Failed, None);
        prop_assert_eq!(form(&nasty), plain, "{}", nasty);
        prop_assert!(!nasty.contains("<script>") || nasty.contains('`'));
    }
}

#[test]
fn what_is_plain_stays_readable() {
    assert_eq!(
        escape::text("the image shop:1.2 is not there, 3 of 5"),
        "the image shop:1.2 is not there, 3 of 5"
    );
    assert_eq!(
        escape::text("ask @octocat about #12"),
        "ask @&#8203;octocat about \\#&#8203;12"
    );
    assert_eq!(
        escape::text("see https://evil.example"),
        "see https:&#8203;//evil.example"
    );
    assert_eq!(escape::text("3.1 s"), "3.1 s");
    assert_eq!(escape::text("1. one"), "1\\. one");
    assert_eq!(escape::text("a\n# b"), "a \\#&#8203; b");
    assert_eq!(escape::code("a`b"), "``a`b``");
    assert_eq!(escape::code("`"), "`` ` ``");
    assert_eq!(escape::cell("a|b"), "`a\\|b`");
    assert_eq!(
        escape::block("a\n```\nb", "text"),
        "````text\na\n```\nb\n````"
    );
    assert_eq!(
        escape::prose("unknown key `a_b|c` in `app`"),
        "unknown key `a_b|c` in `app`"
    );
    assert_eq!(escape::prose("one ` only"), "one \\` only");
    assert_eq!(escape::prose("`` empty"), "\\`\\` empty");
    assert_eq!(
        escape::link("https://a.example", "https://a.example"),
        "[https://a.example](https://a.example)"
    );
    assert_eq!(escape::link("x", "javascript:alert(1)"), "x");
    assert_eq!(
        escape::link("x", "https://a.example/(b)"),
        "[x](https://a.example/%28b%29)"
    );
}
