//! What the user probably meant to write, as text to paste.

use jsonschema::JsonType;
use serde_json::{Value, json};

use super::{pointer, schema::sample, shape::resolve, words::shorten};

/// A variant of the text that fits the pattern, if a small change makes one.
pub(super) fn fitting(text: &str, pattern: &str) -> Option<String> {
    const LONG: usize = 60;
    if text.is_empty() || text.len() > LONG {
        return None;
    }
    let validator = jsonschema::validator_for(&json!({ "pattern": pattern })).ok()?;
    let says_something = |candidate: &String| candidate.contains(|c: char| c.is_alphanumeric());
    candidates(text)
        .into_iter()
        .find(|candidate| says_something(candidate) && validator.is_valid(&json!(candidate)))
}

fn candidates(text: &str) -> Vec<String> {
    let trimmed = text.trim();
    let lower = trimmed.to_lowercase();
    let digits = lower.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = lower[digits.len()..].trim();
    let mut all = vec![trimmed.to_owned(), lower.clone()];
    // Units as other tools write them.
    let units: &[&str] = match unit {
        "m" | "mb" | "mi" | "mib" => &["Mi", "M", "mb"],
        "g" | "gb" | "gi" | "gib" => &["Gi", "G", "gb"],
        "t" | "tb" | "ti" | "tib" => &["Ti"],
        "sec" | "secs" | "second" | "seconds" => &["s"],
        "min" | "mins" | "minute" | "minutes" => &["m"],
        "hour" | "hours" => &["h"],
        "mcpu" | "millicores" => &["m"],
        "core" | "cores" | "cpu" | "cpus" => &[""],
        "" => &["%", "s"],
        _ => &[],
    };
    all.extend(units.iter().map(|unit| format!("{digits}{unit}")));
    all.push(match trimmed.split_once("://") {
        Some((_, rest)) => rest
            .split_once('/')
            .map_or_else(|| "/".to_owned(), |(_, path)| format!("/{path}")),
        None => format!("/{}", trimmed.trim_start_matches("./")),
    });
    all.push(words_joined(&lower, '-'));
    all.push(words_joined(trimmed, '_'));
    all.push(words_joined(&lower, '_'));
    all.push(format!("_{}", words_joined(trimmed, '_')));
    all
}

/// The letters and digits, what is between them replaced by one `joint`.
fn words_joined(text: &str, joint: char) -> String {
    let mut joined = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            joined.push(c);
        } else if !joined.is_empty() && !joined.ends_with(joint) {
            joined.push(joint);
        }
    }
    joined.trim_end_matches(joint).to_owned()
}

/// How to write a value of the wrong type so that it has the right one. `raw` is the value as it is written.
pub(super) fn type_hint(
    at: &str,
    value: &Value,
    raw: &str,
    wanted: &[JsonType],
    schema: &Value,
) -> Option<String> {
    let wants = |kind| wanted.contains(&kind);
    let word = || yes_or_no(value);
    if wants(JsonType::String) {
        match value {
            Value::Number(_) | Value::Bool(_) if !wants(JsonType::Boolean) => {
                return Some(as_text(value, raw, schema));
            }
            Value::Array(items) if matches!(items.as_slice(), [Value::String(_)]) => {
                return Some("write it without the brackets of a list".to_owned());
            }
            _ => {}
        }
    }
    if wants(JsonType::Boolean)
        && let Some(word) = word()
    {
        return Some(if raw.trim_matches(['"', '\'']) == word {
            format!("remove the quotes: `{word}`")
        } else {
            format!("write `{word}`")
        });
    }
    match value {
        Value::String(text) if wants(JsonType::Integer) => {
            let digits: String = text
                .chars()
                .filter(|c| !matches!(c, '_' | '%' | ' '))
                .collect();
            digits.parse::<i64>().ok().map(|number| {
                if digits == *text {
                    format!("remove the quotes: `{number}`")
                } else {
                    format!("write `{number}`")
                }
            })
        }
        Value::String(text) if is_seed(at) => Some(format!("write `{{file: {}}}`", shorten(text))),
        Value::String(text) if wants(JsonType::Array) => {
            Some(match text.split_whitespace().count() {
                1 => format!("write it as a list: `[{}]`", shorten(text)),
                _ => "write it as a list, one item per line, each after `- `".to_owned(),
            })
        }
        Value::Object(_) if wants(JsonType::Array) => {
            Some("write it as a list, each item after `- `".to_owned())
        }
        _ if wants(JsonType::Object) => as_map(at, value, word(), schema),
        _ => None,
    }
}

/// Whether a seed stands there, alone or in a list.
fn is_seed(at: &str) -> bool {
    let item = |rest: &str| rest.bytes().all(|b| b.is_ascii_digit());
    at == "/seed" || at.strip_prefix("/seed/").is_some_and(item)
}

/// `true` and `false` in other words.
fn yes_or_no(value: &Value) -> Option<&'static str> {
    match value {
        Value::Bool(true) => Some("true"),
        Value::Bool(false) => Some("false"),
        Value::Number(number) if number.as_u64() == Some(1) => Some("true"),
        Value::Number(number) if number.as_u64() == Some(0) => Some("false"),
        Value::String(text) => match text.to_lowercase().as_str() {
            "true" | "yes" | "on" | "y" => Some("true"),
            "false" | "no" | "off" | "n" => Some("false"),
            _ => None,
        },
        _ => None,
    }
}

fn as_map(at: &str, value: &Value, word: Option<&'static str>, schema: &Value) -> Option<String> {
    let name = pointer::split(at).map(|(_, name)| name).unwrap_or_default();
    let has = |key: &str| schema["properties"].get(key).is_some();
    match (word, value) {
        (Some(word), _) if has("enabled") => Some(format!("write `{name}: {{enabled: {word}}}`")),
        (_, Value::String(text)) if has("name") => {
            Some(format!("write `{name}: {{name: {}}}`", shorten(text)))
        }
        (_, Value::String(text)) if has("image") && !at.is_empty() => {
            Some(format!("write `{name}: {{image: {}}}`", shorten(text)))
        }
        (_, Value::String(text)) if has("secretRef") => {
            Some(format!("write `secretRef: {{name: {}}}`", shorten(text)))
        }
        (_, Value::String(_) | Value::Array(_)) if at == "/databases" => {
            Some("switch on each by its name, such as `postgresql: true`".to_owned())
        }
        (_, Value::String(_) | Value::Array(_)) => {
            Some("write `key: value` pairs instead".to_owned())
        }
        _ => None,
    }
}

/// The number or word as text; where a pattern asks for more than quotes, the text that fits it.
fn as_text(value: &Value, raw: &str, schema: &Value) -> String {
    let form = text_form(schema);
    let text = match form["pattern"].as_str() {
        Some(pattern) if value.is_number() => fitting(raw, pattern),
        Some(_) => None,
        None if form.get("examples").is_some() => None,
        None => Some(raw.to_owned()),
    };
    match (text, sample(form)) {
        (Some(text), _) if text == raw => format!("put it in quotes: `\"{}\"`", shorten(raw)),
        (Some(text), _) => format!("write `{text}`"),
        (None, Some(sample)) => format!("for example `{sample}`"),
        (None, None) => format!("put it in quotes: `\"{}\"`", shorten(raw)),
    }
}

/// The form that takes text, where a value may take several.
fn text_form(schema: &Value) -> &Value {
    let branches = schema["anyOf"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    branches
        .iter()
        .map(resolve)
        .find(|branch| branch["type"] == "string")
        .unwrap_or(schema)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::patterns;

    #[test]
    fn slips_are_mended() {
        for (text, pattern, better) in [
            ("512M", patterns::MEMORY, Some("512Mi")),
            ("512mb", patterns::MEMORY, Some("512Mi")),
            ("1 GB", patterns::MEMORY, Some("1Gi")),
            ("256", patterns::MEMORY, None),
            ("1G", patterns::VOLUME_SIZE, Some("1Gi")),
            ("30", patterns::DURATION, Some("30s")),
            ("30sec", patterns::DURATION, Some("30s")),
            ("health", patterns::HTTP_PATH, Some("/health")),
            ("http://localhost/up", patterns::HTTP_PATH, Some("/up")),
            ("My App", patterns::PROJECT_ID, Some("my-app")),
            ("---", patterns::PROJECT_ID, None),
            ("my_api", patterns::SERVICE_NAME, Some("my-api")),
            ("LOG-LEVEL", patterns::ENV_NAME, Some("LOG_LEVEL")),
            ("2FA", patterns::ENV_NAME, Some("_2FA")),
            ("ä", patterns::ENV_NAME, None),
            ("50", patterns::PERCENT, Some("50%")),
            ("2 cores", patterns::CPU, Some("2")),
            ("lots", patterns::CPU, None),
        ] {
            assert_eq!(
                fitting(text, pattern).as_deref(),
                better,
                "{text} for {pattern}"
            );
        }
    }
}
