//! Spans of time as the file writes them: a whole number and one unit.

/// Seconds of a span such as `90s`, `5m` or `2h`; none when it is no span, or beyond all counting.
#[must_use]
pub fn seconds(text: &str) -> Option<u64> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let factor = match unit {
        "h" => 3600,
        "m" => 60,
        "s" => 1,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_counted_in_seconds() {
        assert_eq!(seconds("90s"), Some(90));
        assert_eq!(seconds("5m"), Some(300));
        assert_eq!(seconds("2h"), Some(7200));
        for none in [
            "",
            "s",
            "5",
            "5d",
            "-1s",
            "1é",
            "99999999999999999999s",
            "9999999999999999999h",
        ] {
            assert_eq!(seconds(none), None, "{none}");
        }
    }
}
