//! Keeps texts of others in their place in Markdown, as GitHub reads it: branches, logs, images, errors of servers.
//!
//! GitHub looks for mentions, references and addresses in what the Markdown has become, so that a backslash does not
//! keep them from being found: an empty character in between does.

/// Stands between the parts of what would be taken for a mention, a reference or an address. It takes no room.
const BREAK: &str = "&#8203;";

/// A text within a line: nothing in it is markup, a mention, a reference or a link. Line ends become spaces.
#[must_use]
pub fn text(text: &str) -> String {
    inline(&one_line(text), true)
}

/// The same for a sentence of ours: what stands between backticks is code.
#[must_use]
pub fn prose(text: &str) -> String {
    let line = one_line(text);
    let parts: Vec<&str> = line.split('`').collect();
    let is_paired = parts.len() % 2 == 1;
    let is_filled = parts
        .iter()
        .skip(1)
        .step_by(2)
        .all(|inner| !inner.trim().is_empty());
    if !is_paired || !is_filled {
        return inline(&line, true);
    }
    let shown = parts.iter().enumerate().map(|(n, part)| match n % 2 {
        0 => inline(part, true),
        _ => code(part),
    });
    shown.collect()
}

/// A line without markup. What GitHub looks for by itself is broken up where that is asked for: in links it does not
/// look.
fn inline(line: &str, breaks: bool) -> String {
    let between = if breaks { BREAK } else { "" };
    let mut out = String::with_capacity(line.len() + 8);
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        let (_, after) = rest.split_at(c.len_utf8());
        let at_start = out.is_empty();
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '@' => {
                out.push(c);
                out.push_str(between);
            }
            '#' => {
                out.push_str("\\#");
                out.push_str(between);
            }
            // An address of the web, and those that begin with `www.`; references such as GH-1.
            ':' if after.starts_with("//") => {
                out.push(':');
                out.push_str(between);
            }
            '.' if ends_with_word(&out, "www") => {
                out.push_str(between);
                out.push('.');
            }
            '-' if ends_with_word(&out, "gh") => {
                out.push_str(between);
                out.push('-');
            }
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '!' | '|' | '~' | '$'
            | '"' | '\'' | '^' => {
                out.push('\\');
                out.push(c);
            }
            // At the start of a line these begin a list, a heading or a rule.
            '-' | '+' | '=' | ':' if at_start => {
                out.push('\\');
                out.push(c);
            }
            '.' if !at_start
                && out.bytes().all(|b| b.is_ascii_digit())
                && !after.starts_with(|c: char| !c.is_whitespace()) =>
            {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
        rest = after;
    }
    if breaks { break_commits(&out) } else { out }
}

/// A text in a code span, in which nothing is markup. For use outside of tables.
#[must_use]
pub fn code(text: &str) -> String {
    let line = one_line(text);
    if line.is_empty() {
        return String::new();
    }
    let fence = "`".repeat(longest_run(&line, '`') + 1);
    // A backtick at either end would become part of the fence; of spaces at both ends one is taken away.
    let pad = if line.starts_with('`') || line.ends_with('`') || line.starts_with(' ') {
        " "
    } else {
        ""
    };
    format!("{fence}{pad}{line}{pad}{fence}")
}

/// The same within a table, whose cells are told apart before code is.
#[must_use]
pub fn cell(text: &str) -> String {
    code(text).replace('|', "\\|")
}

/// Lines as a block of code, with their line ends. It stands alone, from the beginning of a line.
#[must_use]
pub fn block(text: &str, language: &str) -> String {
    let shown = visible(text, true);
    let lines: Vec<&str> = shown.lines().map(str::trim_end).collect();
    let fence = "`".repeat(longest_run(&shown, '`').max(2) + 1);
    let language: String = language
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect();
    format!("{fence}{language}\n{}\n{fence}", lines.join("\n"))
}

/// A link. What is no address of the web is shown without one.
#[must_use]
pub fn link(label: &str, address: &str) -> String {
    match url(address) {
        Some(address) => format!("[{}]({address})", inline(&one_line(label), false)),
        None => text(label),
    }
}

/// A link whose label is code.
#[must_use]
pub fn code_link(label: &str, address: &str) -> String {
    match url(address) {
        Some(address) => format!("[{}]({address})", code(label)),
        None => code(label),
    }
}

/// An address of the web as it stands in a link or an attribute; none for anything else.
#[must_use]
pub fn url(address: &str) -> Option<String> {
    let scheme = ["https://", "http://"]
        .into_iter()
        .find(|scheme| address.starts_with(scheme))?;
    if address.len() == scheme.len() {
        return None;
    }
    let mut out = String::new();
    for byte in address.bytes() {
        let plain = byte.is_ascii_alphanumeric() || b"-._~:/?#[@!$&+,;=%".contains(&byte);
        if plain && byte != b'[' {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    Some(out)
}

/// A text within HTML of ours, where Markdown means nothing. GitHub looks for mentions there too, but not in `<code>`.
#[must_use]
pub fn html(text: &str) -> String {
    let line = one_line(text);
    let entity = |c: char| match c {
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        '>' => "&gt;".to_owned(),
        '"' => "&quot;".to_owned(),
        '\'' => "&#39;".to_owned(),
        c => c.to_string(),
    };
    line.chars().map(entity).collect()
}

/// Data in a comment of HTML, which nobody sees: JSON in which nothing ends that comment.
#[must_use]
pub fn hidden(json: &str) -> String {
    json.replace('-', "\\u002d")
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
}

/// One line of what can be seen. Spaces that keep words together stay.
fn one_line(text: &str) -> String {
    let shown = visible(text, false);
    let words = shown.split(|c: char| c.is_whitespace() && c != '\u{a0}');
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

/// Without characters that cannot be seen, or change the order of others.
fn visible(text: &str, lines: bool) -> String {
    text.chars()
        .filter_map(|c| match c {
            '\n' if lines => Some('\n'),
            '\t' if lines => Some('\t'),
            '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' | '\u{85}' => {
                (!lines || c != '\r').then_some(' ')
            }
            c if c.is_control() || is_invisible(c) => None,
            c => Some(c),
        })
        .collect()
}

/// Marks of direction, characters without width, tags.
const fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

fn longest_run(text: &str, of: char) -> usize {
    let mut longest = 0;
    let mut run = 0;
    for c in text.chars() {
        run = if c == of { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}

/// Whether a text ends with a word, capitals aside.
fn ends_with_word(text: &str, word: &str) -> bool {
    let Some(start) = text.len().checked_sub(word.len()) else {
        return false;
    };
    text.is_char_boundary(start)
        && text[start..].eq_ignore_ascii_case(word)
        && !text[..start].ends_with(|c: char| c.is_alphanumeric())
}

/// Digits that GitHub would take for a commit of the repository are kept from becoming a link.
fn break_commits(text: &str) -> String {
    let is_digit = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    let mut out = String::with_capacity(text.len());
    let mut word = String::new();
    let flush = |word: &mut String, out: &mut String| {
        if word.len() >= 7 && word.len() <= 40 && word.chars().all(is_digit) {
            out.push_str(&word[..4]);
            out.push_str(BREAK);
            out.push_str(&word[4..]);
        } else {
            out.push_str(word);
        }
        word.clear();
    };
    for c in text.chars() {
        if c.is_alphanumeric() {
            word.push(c);
        } else {
            flush(&mut word, &mut out);
            out.push(c);
        }
    }
    flush(&mut word, &mut out);
    out
}
