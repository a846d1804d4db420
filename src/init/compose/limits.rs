//! Amounts of CPU and memory, from the way compose files write them to ours.

/// Cores such as `0.5`, as thousandths.
pub(super) fn cpu(text: &str) -> Option<u64> {
    let cores: f64 = text.trim().parse().ok()?;
    let is_sane = cores.is_finite() && cores > 0.0 && cores <= 1024.0;
    is_sane.then(|| (cores * 1000.0).ceil() as u64)
}

/// Bytes such as `512M`, `1gb` or `64m`, as Mi, rounded up.
pub(super) fn memory(text: &str) -> Option<u64> {
    let text = text.trim().to_ascii_lowercase();
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let number: f64 = number.parse().ok()?;
    let bytes = match unit.trim() {
        "" | "b" => 1.0,
        "k" | "kb" | "kib" => 1024.0,
        "m" | "mb" | "mib" => 1024.0 * 1024.0,
        "g" | "gb" | "gib" => 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    };
    let mebibytes = number * bytes / (1024.0 * 1024.0);
    let is_sane = mebibytes.is_finite() && mebibytes > 0.0 && mebibytes <= 1_048_576.0;
    is_sane.then(|| mebibytes.ceil() as u64)
}

/// Request and limit as texts; a request above the limit is left out.
pub(super) fn amounts(
    request: Option<u64>,
    limit: Option<u64>,
    unit: &str,
) -> crate::init::draft::Amounts {
    let fits = |request: &u64| limit.is_none_or(|limit| *request <= limit);
    let written = |amount: u64| format!("{amount}{unit}");
    crate::init::draft::Amounts {
        request: request.filter(fits).map(written),
        limit: limit.map(written),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_rounded_up() {
        assert_eq!(cpu("0.5"), Some(500));
        assert_eq!(cpu("2"), Some(2000));
        assert_eq!(cpu("0.0001"), Some(1));
        for wrong in ["", "0", "-1", "x", "1e9", "inf", "nan"] {
            assert_eq!(cpu(wrong), None, "{wrong}");
        }
        assert_eq!(memory("512M"), Some(512));
        assert_eq!(memory("1.5gb"), Some(1536));
        assert_eq!(memory("100000"), Some(1));
        assert_eq!(memory("64m"), Some(64));
        for wrong in ["", "0", "M", "1t", "-1m", "9999999g"] {
            assert_eq!(memory(wrong), None, "{wrong}");
        }
    }
}
