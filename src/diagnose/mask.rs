//! Text that may be shown: control characters out, secrets masked, long lines cut in the middle.
//!
//! Rather one word too many masked than one secret shown: the patterns are broad where a value follows its name.

use std::{borrow::Cow, sync::LazyLock};

use regex::{Captures, Regex};

use super::{cause::Cause, observed::Secret};

const STARS: &str = "***";
const MAX_LINES: usize = 10;
const MAX_CHARS: usize = 300;

/// Literals shorter than this are left alone: masking every `a` helps nobody.
const SHORTEST_LITERAL: usize = 4;

/// Credentials that are known by their own shape, wherever they stand: pattern and replacement.
const SHAPES: &[(&str, &str)] = &[
    (
        r#"\b([A-Za-z][A-Za-z0-9+.-]*://[^\s/@:"'<>]*):[^\s"'<>]+@"#,
        "${1}:***@",
    ),
    (
        r#"\b([A-Za-z][A-Za-z0-9+.-]*://)[^\s/@:"'<>]+@"#,
        "${1}***@",
    ),
    (
        r#"(?i)\b(authorization\\*["']?\s*[:=]\s*\\*["']?)(?:(bearer|basic|digest|token)\s+)?[^\s"',;]+"#,
        "${1}${2} ***",
    ),
    (
        r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{16,}",
        "${1} ***",
    ),
    (r"\b(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16}\b", STARS),
    (
        r"\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*)?",
        STARS,
    ),
    (
        r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,}|npm_[A-Za-z0-9]{20,})",
        STARS,
    ),
    (
        r"\b(?:[rs]k[_-](?:live|test|proj)[_-][A-Za-z0-9_-]{10,}|xox[abprs]-[A-Za-z0-9-]{10,}|AIza[A-Za-z0-9_-]{30,})",
        STARS,
    ),
    (r"^\s*[A-Za-z0-9+/=]{60,}\s*$", STARS),
];

/// Values that follow the name of a credential: (name and separator), value.
const NAMED: &[&str] = &[
    // `PGPASSWORD=x`, `?access_token=x`.
    concat!(
        r#"(?i)([a-z0-9_.-]*(?:password|passwd|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key|"#,
        r#"private[_-]?key|credential)[a-z0-9_.-]*\\*["']?\s*(?:=>|=)\s*\\*)("[^"]*"?|'[^']*'?|[^\s"']+)"#
    ),
    // `"apiKey": "x"`, `password: x`; but not `registry/token-service:1.2`, which is an image.
    concat!(
        r#"(?i)((?:^|[^a-z0-9_./-])[a-z0-9_.-]*(?:password|passwd|passphrase|pwd|secret|token|api[_-]?key|"#,
        r#"access[_-]?key|private[_-]?key|credential)[a-z0-9_.-]*\\*["']?\s*:\s*\\*)("[^"]*"?|'[^']*'?|[^\s"']+)"#
    ),
];

/// A long value in the neighbourhood of a telling word; masked when it looks random.
const NEAR: &str = r#"(?i)\b((?:token|secret|key|password|passwd|pwd)\b["']?(?:\s+(?:is|was))?\s*[:=]?\s*["'`]?)([a-z0-9+/=_-]{16,})"#;

/// Words that stand where a value could, and are none: `using password: YES`, `invalid token: expired`.
#[rustfmt::skip]
const HARMLESS: &[&str] = &[
    "cannot", "could", "denied", "error", "expired", "failed", "invalid", "is", "malformed", "missing", "must", "not",
    "required", "unauthorized", "unexpected", "wrong",
    "",
    "yes",
    "no",
    "true",
    "false",
    "none",
    "null",
    "nil",
    "undefined",
];

static SHAPE_RULES: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    SHAPES
        .iter()
        .map(|(pattern, with)| (compile(pattern), *with))
        .collect()
});
static NAMED_RULES: LazyLock<Vec<Regex>> =
    LazyLock::new(|| NAMED.iter().map(|pattern| compile(pattern)).collect());
static NEAR_RULE: LazyLock<Regex> = LazyLock::new(|| compile(NEAR));
static ANSI: LazyLock<Regex> = LazyLock::new(|| {
    compile(
        r"\x1b\[[0-9;:?<=>]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[@-Z\\-_]|\x{9b}[0-9;]*[@-~]",
    )
});

fn compile(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the patterns of this file are valid: its tests compile all of them")
}

/// A line of somebody else's, fit to be shown.
#[must_use]
pub fn shown(line: &str, secrets: &[Secret]) -> String {
    Masker::new(secrets).line(line)
}

/// Masks what must not be shown.
pub(super) struct Masker<'a> {
    literals: Vec<&'a str>,
}

impl<'a> Masker<'a> {
    /// Knows `secrets` beside what looks like one.
    pub(super) fn new(secrets: &'a [Secret]) -> Self {
        // A secret of several lines is met line by line in a log.
        let mut literals: Vec<&str> = secrets
            .iter()
            .flat_map(|secret| secret.expose().lines().map(str::trim))
            .filter(|line| line.len() >= SHORTEST_LITERAL)
            .collect();
        // The longest first, or the tail of one that contains another would stay.
        literals.sort_by_key(|literal| std::cmp::Reverse(literal.len()));
        Self { literals }
    }

    /// Makes a cause fit to be shown.
    pub(super) fn apply(&self, cause: &mut Cause) {
        cause.summary = cut(&self.shapes(&self.literal(&clean(&cause.summary))));
        let lines = cause.evidence.iter().flat_map(|text| text.lines());
        let lines = lines
            .map(|line| self.line(line))
            .filter(|line| !line.is_empty());
        cause.evidence = lines.take(MAX_LINES).collect();
        cause.fix.text = self.literal(&clean(&cause.fix.text)).into_owned();
        for text in [
            &mut cause.fix.change,
            &mut cause.fix.command,
            &mut cause.fix.pointer,
        ]
        .into_iter()
        .flatten()
        {
            *text = self.literal(text).into_owned();
        }
    }

    pub(super) fn line(&self, line: &str) -> String {
        let clean = clean(line);
        let mut text = self.shapes(&self.literal(&clean));
        for rule in NAMED_RULES.iter() {
            text = rule.replace_all(&text, mask_value).into_owned();
        }
        let text = NEAR_RULE.replace_all(&text, |found: &Captures<'_>| {
            if looks_random(&found[2]) {
                format!("{}{STARS}", &found[1])
            } else {
                found[0].to_owned()
            }
        });
        cut(&text)
    }

    fn literal<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut text = Cow::Borrowed(text);
        for literal in &self.literals {
            if text.contains(literal) {
                text = Cow::Owned(text.replace(literal, STARS));
            }
        }
        text
    }

    fn shapes(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (rule, with) in SHAPE_RULES.iter() {
            text = rule.replace_all(&text, *with).into_owned();
        }
        text
    }
}

fn mask_value(found: &Captures<'_>) -> String {
    let bare = found[2].trim_matches(|c: char| !c.is_alphanumeric());
    if HARMLESS.contains(&bare.to_lowercase().as_str()) {
        found[0].to_owned()
    } else {
        format!("{}{STARS}", &found[1])
    }
}

/// Names of Kubernetes objects are long too, but have no capitals; hexadecimal keys have none either, but are longer.
fn looks_random(text: &str) -> bool {
    let has = |test: fn(&char) -> bool| text.chars().any(|c| test(&c));
    let mixed = has(char::is_ascii_digit) && has(char::is_ascii_uppercase);
    let hex = text.len() >= 32 && text.chars().all(|c| c.is_ascii_hexdigit());
    (mixed && has(char::is_ascii_lowercase)) || hex
}

/// Without ANSI sequences and control characters, and without those that turn the direction of the text around.
pub(super) fn clean(text: &str) -> String {
    let text = ANSI.replace_all(text, "");
    let hidden = |c: &char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    let text: String = text
        .chars()
        .map(|c| if c == '\t' { ' ' } else { c })
        .filter(|c| !hidden(c))
        .collect();
    text.trim_end().to_owned()
}

/// Cut in the middle: messages of Kubernetes name the object first and the reason last.
fn cut(text: &str) -> String {
    let count = text.chars().count();
    if count <= MAX_CHARS {
        return text.to_owned();
    }
    let head: String = text.chars().take(MAX_CHARS / 3).collect();
    let tail_length = MAX_CHARS - MAX_CHARS / 3 - 3;
    let tail: String = text.chars().skip(count - tail_length).collect();
    format!("{head} … {tail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(line: &str) -> String {
        Masker::new(&[Secret::new("hunter2"), Secret::new("hunter2-long")]).line(line)
    }

    #[test]
    fn credentials_are_masked() {
        for (line, expected) in [
            (
                "postgres://app:s3cr@t@db:5432/app",
                "postgres://app:***@db:5432/app",
            ),
            (
                "redis://:s3cret@app-redis:6379",
                "redis://:***@app-redis:6379",
            ),
            ("GET https://tok@host/x", "GET https://***@host/x"),
            ("PGPASSWORD=abc next", "PGPASSWORD=*** next"),
            ("password=\"two words\" next", "password=*** next"),
            (
                r#"{"user":"app","password":"two words"}"#,
                r#"{"user":"app","password":***}"#,
            ),
            (r#"{\"apiKey\": \"abc\"}"#, r#"{\"apiKey\": \***}"#),
            ("client-secret: abc", "client-secret: ***"),
            (
                "/callback?access_token=abc&x=1",
                "/callback?access_token=***",
            ),
            ("Server=db;Password=a;b", "Server=db;Password=***"),
            ("Authorization: Bearer abc.def", "Authorization: Bearer ***"),
            ("authorization: abc", "authorization:  ***"),
            ("sent bearer 0123456789abcdef01", "sent bearer ***"),
            ("id AKIAIOSFODNN7EXAMPLE used", "id *** used"),
            ("jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc_-1", "jwt ***"),
            ("with ghp_0123456789abcdefghijABCDEFGHIJ012345", "with ***"),
            ("bad key Zm9vYmFyYmF6cXV4MTIzNA==", "bad key ***"),
            (
                "secret is 0123456789abcdef0123456789abcdef",
                "secret is ***",
            ),
            (
                "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj",
                "***",
            ),
            ("saw hunter2-long and hunter2", "saw *** and ***"),
            ("split hun\u{1b}[0mter2", "split ***"),
        ] {
            assert_eq!(masked(line), expected);
        }
    }

    #[test]
    fn ordinary_lines_stay_as_they_are() {
        for line in [
            r#"Failed to pull image "ghcr.io/acme/token-service:1.2": not found"#,
            r#"secret "api-keys" not found"#,
            "couldn't find key password in Secret shop-pr-12/app-postgresql-app",
            r#"password authentication failed for user "app""#,
            "Access denied for user 'app'@'10.0.0.7' (using password: YES)",
            "duplicate key value violates unique constraint \"users_pkey\"",
            "Listening on http://0.0.0.0:8080",
            "basic authentication required",
            "failed to fetch anonymous token: unexpected status from GET request",
            "JWT_SECRET: must be set",
            "exceeded quota: k8s-ee, requested: limits.memory=384Mi, used: limits.memory=900Mi",
        ] {
            assert_eq!(masked(line), line);
        }
    }

    #[test]
    fn control_characters_go_and_long_lines_keep_both_ends() {
        assert_eq!(
            masked("\u{1b}[31mred\u{1b}[0m\tx\u{7}\u{202e}y\r"),
            "red xy"
        );
        let long = format!("start {} end", "é".repeat(1000));
        let cut = masked(&long);
        assert_eq!(cut.chars().count(), MAX_CHARS);
        assert!(cut.starts_with("start ") && cut.ends_with(" end"));
    }

    proptest::proptest! {
        #[test]
        fn a_known_secret_never_shows(before in ".{0,400}", secret in "[a-zA-Z0-9]{6,40}", after in ".{0,400}") {
            let secrets = [Secret::new(secret.clone())];
            let line = Masker::new(&secrets).line(&format!("{before}{secret}{after}"));
            proptest::prop_assert!(!line.contains(&secret));
            proptest::prop_assert!(line.chars().count() <= MAX_CHARS);
        }
    }

    #[test]
    fn a_secret_prints_as_stars() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "Secret(***)");
    }
}
