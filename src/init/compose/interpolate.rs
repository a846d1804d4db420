//! Variables in a compose file: `$NAME`, `${NAME}` and the forms with a default.

/// How deep defaults may nest.
const MAX_DEPTH: usize = 8;

/// A text with its defaults in place, and the names of the variables that have none.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Interpolated {
    pub(super) text: String,
    pub(super) missing: Vec<String>,
}

/// Puts the defaults in place. No variable is looked up: what is set here is not set in an environment.
pub(super) fn interpolate(text: &str) -> Interpolated {
    let mut found = Interpolated::default();
    expand(text, MAX_DEPTH, &mut found);
    found
}

fn expand(text: &str, depth: usize, found: &mut Interpolated) {
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        found.text.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            found.text.push('$');
            rest = after;
        } else if let Some(after) = rest.strip_prefix('{')
            && let Some(end) = closing(after)
        {
            braces(&after[..end], depth, found);
            rest = &after[end + 1..];
        } else {
            let end = name_end(rest);
            if end == 0 {
                found.text.push('$');
            } else {
                found.missing.push(rest[..end].to_owned());
            }
            rest = &rest[end..];
        }
    }
    found.text.push_str(rest);
}

fn braces(inside: &str, depth: usize, found: &mut Interpolated) {
    let (name, rest) = inside.split_at(name_end(inside));
    let default = rest.strip_prefix(":-").or_else(|| rest.strip_prefix('-'));
    match default {
        Some(default) if depth > 0 => expand(default, depth - 1, found),
        // `${NAME:+text}` is empty where the variable is not set.
        _ if rest.starts_with(":+") || rest.starts_with('+') => {}
        _ => found.missing.push(name.to_owned()),
    }
}

/// Where a name ends that a text begins with.
fn name_end(text: &str) -> usize {
    let is_part = |(n, c): (usize, char)| {
        c == '_' || c.is_ascii_alphabetic() || (n > 0 && c.is_ascii_digit())
    };
    text.char_indices()
        .find(|at| !is_part(*at))
        .map_or(text.len(), |(at, _)| at)
}

/// Where the brace closes that was opened before this text.
fn closing(text: &str) -> Option<usize> {
    let mut open = 0_usize;
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        match c {
            '{' if before == '$' => open += 1,
            '}' if open == 0 => return Some(at),
            '}' => open -= 1,
            _ => {}
        }
        before = c;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_taken() {
        for (text, expected, missing) in [
            ("plain", "plain", &[][..]),
            ("${A:-1}:${B-2}", "1:2", &[]),
            ("${A:-${B:-c}}d", "cd", &[]),
            ("${A:-}", "", &[]),
            ("$$HOME $${x}", "$HOME ${x}", &[]),
            ("a${A:+b}", "a", &[]),
            ("$A-${B}-${C:?set it}", "--", &["A", "B", "C"]),
            ("${A:-$B}", "", &["B"]),
            ("cost: 5$", "cost: 5$", &[]),
            ("${", "${", &[]),
            ("$1", "$1", &[]),
        ] {
            let found = interpolate(text);
            assert_eq!(found.text, expected, "{text}");
            assert_eq!(found.missing, missing, "{text}");
        }
    }

    #[test]
    fn deep_nesting_ends() {
        let deep = "${A:-".repeat(1000) + "x" + &"}".repeat(1000);
        assert_eq!(interpolate(&deep).missing, ["A"]);
    }
}
