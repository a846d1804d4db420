//! Small helpers for messages: quoting what the user wrote, lists, the nearest word.

/// How many characters of the user's text a message repeats.
const MAX_SHOWN: usize = 60;

/// The user's text on one line: control characters escaped, the end cut off when it is long.
pub(crate) fn shorten(text: &str) -> String {
    let mut short = String::new();
    for (n, c) in text.chars().enumerate() {
        if n == MAX_SHOWN {
            short.push('…');
            break;
        }
        if c.is_control()
            || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
        {
            short.extend(c.escape_unicode());
        } else {
            short.push(c);
        }
    }
    short
}

/// `a`, `b` and `c`, in backticks, with the last two joined by `word`.
pub(crate) fn list<S: AsRef<str>>(items: &[S], word: &str) -> String {
    let quoted: Vec<String> = items.iter().map(|i| format!("`{}`", i.as_ref())).collect();
    match quoted.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} {word} {last}", rest.join(", ")),
    }
}

/// How many candidates are compared; nobody has that many services.
const MOST_COMPARED: usize = 50;

/// The candidate that the user most likely meant, if one is near enough.
pub(crate) fn nearest<'c>(
    word: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<&'c str> {
    let plain = |s: &str| -> String {
        s.chars()
            .filter(|c| c.is_alphanumeric())
            .flat_map(char::to_lowercase)
            .collect()
    };
    let wanted = plain(word);
    if wanted.is_empty() || wanted.len() > MAX_SHOWN {
        return None;
    }
    candidates
        .into_iter()
        .take(MOST_COMPARED)
        .filter_map(|candidate| {
            let known = plain(candidate);
            // `postgres` for `postgresql`, `mem` for `memory`; but not `p` for `port`.
            let part = wanted.len() >= 3 && known.starts_with(&wanted)
                || known.len() >= 4 && wanted.starts_with(&known);
            let allowed = if wanted.len() < 5 { 1 } else { 2 };
            let far = wanted.len().abs_diff(known.len()) > allowed;
            let distance = match (part, far) {
                _ if wanted == known => 0,
                (true, _) => 1,
                (false, true) => return None,
                (false, false) => strsim::osa_distance(&wanted, &known),
            };
            (distance <= allowed).then_some((distance, candidate))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_the_one_meant() {
        let keys = ["databases", "image", "port", "healthPath", "env", "envFrom"];
        for (word, meant) in [
            ("database", Some("databases")),
            ("Databases", Some("databases")),
            ("health_path", Some("healthPath")),
            ("health-path", Some("healthPath")),
            ("imgae", Some("image")),
            ("ports", Some("port")),
            ("envs", Some("env")),
            ("p", None),
            ("nothing", None),
            ("", None),
            ("---", None),
        ] {
            assert_eq!(nearest(word, keys), meant, "{word}");
        }
        let databases = ["postgresql", "mongodb", "redis"];
        assert_eq!(nearest("postgres", databases), Some("postgresql"));
        assert_eq!(nearest("mongo", databases), Some("mongodb"));
        assert_eq!(
            nearest("readwrite", ["read", "readWrite"]),
            Some("readWrite")
        );
    }

    #[test]
    fn what_is_shown_stays_on_one_line() {
        assert_eq!(shorten("a\nb\u{1b}[31m"), "a\\u{a}b\\u{1b}[31m");
        assert_eq!(shorten(&"ä".repeat(100)).chars().count(), MAX_SHOWN + 1);
    }

    #[test]
    fn lists_read_as_sentences() {
        assert_eq!(list(&["a"], "or"), "`a`");
        assert_eq!(list(&["a", "b", "c"], "or"), "`a`, `b` or `c`");
    }
}
