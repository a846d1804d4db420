//! What a scalar means by the core schema of YAML 1.2: `yes` is text, `true` is not, `010` is ten.

use granit_parser::{ScalarStyle, Tag};
use serde_json::{Number, Value};

use crate::config::words::shorten;

/// Said of a text with a NUL in it, which no environment variable, argument or object can hold.
pub(super) const NUL: &str = "a NUL character (`\\0`) cannot be part of a text";

/// A scalar that has no value in JSON.
#[derive(Debug, PartialEq)]
pub(super) struct Wrong {
    pub(super) message: String,
    pub(super) hint: &'static str,
}

/// The value of a scalar.
///
/// Core tags (`!!str`, `!!int` …) are obeyed, tags of applications are passed over.
pub(super) fn value(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<Value, Wrong> {
    if text.contains('\0') {
        return Err(Wrong {
            message: NUL.to_owned(),
            hint: "remove it",
        });
    }
    let as_text = || Ok(Value::String(text.to_owned()));
    match tag.and_then(Tag::core_suffix) {
        Some("str") => as_text(),
        Some(kind) => {
            let value = plain(text).map_err(|NotFinite| not_finite(text))?;
            let fits = match kind {
                "int" => value.is_i64() || value.is_u64(),
                "float" => value.is_number(),
                "bool" => value.is_boolean(),
                "null" => value.is_null(),
                _ => false,
            };
            if fits {
                Ok(value)
            } else {
                Err(Wrong {
                    message: format!("the tag `!!{kind}` does not fit `{}`", shorten(text)),
                    hint: "remove the tag",
                })
            }
        }
        // The tag `!` alone makes a text of whatever follows.
        None if tag.is_some_and(|tag| tag.parts() == ("", "!")) => as_text(),
        None if is_plain(style) => plain(text).map_err(|NotFinite| not_finite(text)),
        None => as_text(),
    }
}

/// Whether the scalar is written without quotes, so that it can be a number, a boolean or null.
pub(super) fn is_plain(style: ScalarStyle) -> bool {
    style == ScalarStyle::Plain
}

/// A number for which JSON has no word.
struct NotFinite;

fn not_finite(text: &str) -> Wrong {
    Wrong {
        message: format!("`{}` is not a number that can be used here", shorten(text)),
        hint: "put it in quotes if a text is meant",
    }
}

fn plain(text: &str) -> Result<Value, NotFinite> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Value::Null),
        "true" | "True" | "TRUE" => return Ok(Value::Bool(true)),
        "false" | "False" | "FALSE" => return Ok(Value::Bool(false)),
        ".nan" | ".NaN" | ".NAN" => return Err(NotFinite),
        _ => {}
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") {
        return Err(NotFinite);
    }
    if let Some(number) = integer(text) {
        return Ok(Value::Number(number));
    }
    if is_decimal(unsigned) {
        let number: f64 = text.parse().map_err(|_| NotFinite)?;
        return decimal(number).map(Value::Number);
    }
    Ok(Value::String(text.to_owned()))
}

/// `42`, `-42`, `0042`, `0o52`, `0x2A`; larger numbers than fit are left to [`decimal`].
fn integer(text: &str) -> Option<Number> {
    let in_base = |digits: &str, base| {
        // `from_str_radix` takes a sign, YAML takes none after `0x`.
        let valid = digits.bytes().all(|b| b.is_ascii_alphanumeric());
        valid.then(|| u64::from_str_radix(digits, base).ok())?
    };
    if let Some(digits) = text.strip_prefix("0o") {
        return in_base(digits, 8).map(Number::from);
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return in_base(digits, 16).map(Number::from);
    }
    match text.parse::<i64>() {
        Ok(number) => Some(Number::from(number)),
        Err(_) => text.parse::<u64>().ok().map(Number::from),
    }
}

/// Digits with at most one point among them and perhaps an exponent.
fn is_decimal(unsigned: &str) -> bool {
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    let (mantissa, exponent) = unsigned
        .split_once(['e', 'E'])
        .map_or((unsigned, None), |(m, e)| (m, Some(e)));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent_fits = exponent.is_none_or(|e| {
        let e = e.strip_prefix(['-', '+']).unwrap_or(e);
        !e.is_empty() && digits(e)
    });
    digits(whole) && digits(fraction) && !(whole.is_empty() && fraction.is_empty()) && exponent_fits
}

/// Whole numbers as integers, so that `3000.0` and `1e3` are good ports as JSON Schema has it.
fn decimal(number: f64) -> Result<Number, NotFinite> {
    const EXACT: f64 = 9_007_199_254_740_992.0; // 2^53
    if number.fract() == 0.0 && number.abs() <= EXACT {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "whole and within 2^53, so exact"
        )]
        return Ok(Number::from(number as i64));
    }
    Number::from_f64(number).ok_or(NotFinite)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(text: &str) -> Option<Value> {
        value(text, ScalarStyle::Plain, None).ok()
    }

    #[test]
    fn yaml_1_2_words() {
        for word in ["yes", "no", "on", "off", "y", "n", "Yes", "NO", "tRue"] {
            assert_eq!(read(word), Some(json!(word)), "{word}");
        }
        assert_eq!(read("True"), Some(json!(true)));
        assert_eq!(read("FALSE"), Some(json!(false)));
        for null in ["", "~", "null", "Null", "NULL"] {
            assert_eq!(read(null), Some(Value::Null), "{null}");
        }
    }

    #[test]
    fn numbers() {
        for (text, number) in [
            ("03000", json!(3000)),
            ("+7", json!(7)),
            ("-7", json!(-7)),
            ("0o17", json!(15)),
            ("0xfF", json!(255)),
            ("1e3", json!(1000)),
            ("3000.0", json!(3000)),
            (".5", json!(0.5)),
            ("5.", json!(5)),
            ("1.5E-1", json!(0.15)),
            ("18446744073709551615", json!(u64::MAX)),
            ("99999999999999999999", json!(99999999999999999999.0)),
        ] {
            assert_eq!(read(text), Some(number), "{text}");
        }
        for not_finite in [".inf", "-.Inf", "+.INF", ".nan", "1e999", "-1e999"] {
            assert_eq!(read(not_finite), None, "{not_finite}");
        }
    }

    #[test]
    fn what_only_looks_like_a_number_is_text() {
        for text in [
            "2024-01-31",
            "1_000",
            "0o8",
            "0x",
            "0x-1",
            "-0x1",
            "+0o7",
            "1e",
            "1e+",
            ".",
            "+",
            "-",
            "1.2.3",
            "1e2e3",
            "12345e6a",
            "inf",
            "nan",
            "1:30",
            "190:20:30",
            "0b1",
            "٣",
        ] {
            assert_eq!(read(text), Some(json!(text)), "{text}");
        }
    }

    #[test]
    fn quotes_make_text() {
        for style in [
            ScalarStyle::SingleQuoted,
            ScalarStyle::DoubleQuoted,
            ScalarStyle::Literal,
            ScalarStyle::Folded,
        ] {
            assert_eq!(value("true", style, None), Ok(json!("true")));
        }
    }
}
