//! Kubernetes quantities (`250m`, `128Mi`, `0.5`) as exact numbers: compared, added and printed without rounding
//! surprises.
//!
//! Source of the grammar: `k8s.io/apimachinery/pkg/api/resource`.

use std::{fmt, iter::Sum, ops::Add, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An amount of a resource, exact to a billionth of its unit (a core, a byte, a count).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema)]
#[schemars(with = "Written")]
pub struct Quantity {
    nanos: i128,
}

/// How a quantity is written: `250m`, or a number without a unit.
#[derive(JsonSchema)]
#[schemars(untagged, inline)]
#[expect(dead_code, reason = "only its schema is wanted")]
enum Written {
    Text(String),
    Number(f64),
}

/// A string that is not a Kubernetes quantity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a quantity such as `250m`, `0.5`, `128Mi` or `1Gi`")]
pub struct InvalidQuantity(String);

const NANOS: i128 = 1_000_000_000;
const MILLI: i128 = 1_000_000;

/// Suffixes in the order they are tried: the longer ones first, because `Mi` also ends in a suffix of its own.
const SUFFIXES: &[(&str, i128)] = &[
    ("Ki", NANOS << 10),
    ("Mi", NANOS << 20),
    ("Gi", NANOS << 30),
    ("Ti", NANOS << 40),
    ("Pi", NANOS << 50),
    ("Ei", NANOS << 60),
    ("n", 1),
    ("u", 1_000),
    ("m", MILLI),
    ("k", NANOS * 1_000),
    ("M", NANOS * 1_000_000),
    ("G", NANOS * 1_000_000_000),
    ("T", NANOS * 1_000_000_000_000),
    ("P", NANOS * 1_000_000_000_000_000),
    ("E", NANOS * 1_000_000_000_000_000_000),
];

impl Quantity {
    /// Nothing of it.
    pub const ZERO: Self = Self { nanos: 0 };

    /// Whole units: cores, bytes or objects.
    #[must_use]
    pub const fn units(n: i64) -> Self {
        Self {
            nanos: n as i128 * NANOS,
        }
    }

    /// Thousandths of a unit, as in `250m`.
    #[must_use]
    pub const fn milli(n: i64) -> Self {
        Self {
            nanos: n as i128 * MILLI,
        }
    }

    /// Mebibytes, as in `128Mi`.
    #[must_use]
    pub const fn mebi(n: i64) -> Self {
        Self {
            nanos: (n as i128 * NANOS) << 20,
        }
    }

    /// Gibibytes, as in `1Gi`.
    #[must_use]
    pub const fn gibi(n: i64) -> Self {
        Self {
            nanos: (n as i128 * NANOS) << 30,
        }
    }

    /// This amount `n` times.
    #[must_use]
    pub fn times(self, n: u32) -> Self {
        Self {
            nanos: self.nanos.saturating_mul(i128::from(n)),
        }
    }

    /// This amount, `percent` of it, rounded up to the next billionth.
    #[must_use]
    pub fn percent(self, percent: u32) -> Self {
        let scaled = self.nanos.saturating_mul(i128::from(percent));
        Self {
            nanos: scaled.div_euclid(100) + i128::from(scaled.rem_euclid(100) != 0),
        }
    }

    /// What is left after taking `other` away; never less than nothing.
    #[must_use]
    pub fn saturating_sub(self, other: Self) -> Self {
        Self {
            nanos: (self.nanos - other.nanos).max(0),
        }
    }

    /// How many percent of this amount `part` is, rounded down; none when this amount is nothing.
    #[must_use]
    pub fn share(self, part: Self) -> Option<u32> {
        let percent = part.nanos.checked_mul(100)?.checked_div(self.nanos)?;
        u32::try_from(percent).ok()
    }

    /// True for an amount of nothing.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.nanos == 0
    }

    /// Printed as CPU is written by people: thousandths (`690m`), or whole cores when it comes out even; rounded up.
    #[must_use]
    pub fn as_cpu(self) -> String {
        let milli = div_ceil(self.nanos, MILLI);
        if milli % 1000 == 0 {
            (milli / 1000).to_string()
        } else {
            format!("{milli}m")
        }
    }

    /// Printed in thousandths (`1000m`), rounded up: the form in which amounts of CPU are compared at a glance.
    #[must_use]
    pub fn as_milli(self) -> String {
        format!("{}m", div_ceil(self.nanos, MILLI))
    }

    /// Printed as memory and storage are written by people: whole gibibytes, else mebibytes, rounded up.
    #[must_use]
    pub fn as_bytes(self) -> String {
        let mebi = div_ceil(self.nanos, NANOS << 20);
        if mebi != 0 && mebi % 1024 == 0 {
            format!("{}Gi", mebi / 1024)
        } else {
            format!("{mebi}Mi")
        }
    }

    /// Printed as a count of objects, rounded up.
    #[must_use]
    pub fn as_count(self) -> String {
        div_ceil(self.nanos, NANOS).to_string()
    }
}

fn div_ceil(a: i128, b: i128) -> i128 {
    a.div_euclid(b) + i128::from(a.rem_euclid(b) != 0)
}

impl FromStr for Quantity {
    type Err = InvalidQuantity;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidQuantity(text.to_owned());
        let (number, unit) = split_suffix(text).ok_or_else(invalid)?;
        let (negative, digits) = match number.as_bytes().first() {
            Some(b'-') => (true, &number[1..]),
            Some(b'+') => (false, &number[1..]),
            _ => (false, number),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        if (whole.is_empty() && fraction.is_empty()) || !all_digits(whole) || !all_digits(fraction)
        {
            return Err(invalid());
        }
        let mut nanos = if whole.is_empty() {
            0
        } else {
            whole
                .parse::<i128>()
                .ok()
                .and_then(|w| w.checked_mul(unit))
                .ok_or_else(invalid)?
        };
        let mut place = unit;
        for digit in fraction.bytes() {
            if place % 10 != 0 {
                // Kubernetes rounds what is finer than a billionth up.
                nanos += i128::from(digit != b'0');
                break;
            }
            place /= 10;
            nanos += i128::from(digit - b'0') * place;
        }
        Ok(Self {
            nanos: if negative { -nanos } else { nanos },
        })
    }
}

/// Splits `1.5Gi` into `1.5` and the nanos of its unit; `1e3` into `1` and a thousand.
fn split_suffix(text: &str) -> Option<(&str, i128)> {
    for (suffix, unit) in SUFFIXES {
        if let Some(number) = text.strip_suffix(suffix) {
            return Some((number, *unit));
        }
    }
    match text.split_once(['e', 'E']) {
        None => Some((text, NANOS)),
        Some((number, exponent)) => {
            let exponent: i32 = exponent.parse().ok()?;
            let power = 10_i128.checked_pow(exponent.unsigned_abs())?;
            let unit = if exponent < 0 {
                (NANOS % power == 0).then_some(NANOS / power)?
            } else {
                NANOS.checked_mul(power)?
            };
            Some((number, unit))
        }
    }
}

impl fmt::Display for Quantity {
    /// The shortest exact form: binary suffixes for whole mebi- and gibibytes, thousandths for fractions.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.nanos != 0 && self.nanos % (NANOS << 20) == 0 {
            f.write_str(&self.as_bytes())
        } else if self.nanos % NANOS == 0 {
            write!(f, "{}", self.nanos / NANOS)
        } else if self.nanos % MILLI == 0 {
            write!(f, "{}m", self.nanos / MILLI)
        } else {
            write!(f, "{}n", self.nanos)
        }
    }
}

impl Add for Quantity {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            nanos: self.nanos.saturating_add(other.nanos),
        }
    }
}

impl std::ops::AddAssign for Quantity {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sum for Quantity {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::ZERO, Add::add)
    }
}

impl Serialize for Quantity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn q(text: &str) -> Quantity {
        text.parse().expect("a quantity")
    }

    #[test]
    fn suffixes_mean_what_kubernetes_says() {
        assert_eq!(q("1"), Quantity::units(1));
        assert_eq!(q("0.5"), Quantity::milli(500));
        assert_eq!(q(".5"), q("500m"));
        assert_eq!(q("1."), q("1"));
        assert_eq!(q("1e3"), q("1k"));
        assert_eq!(q("1.5Gi"), Quantity::mebi(1536));
        assert_eq!(q("1M"), Quantity::units(1_000_000));
        assert!(q("1G") < q("1Gi"));
        assert!(q("1E") > q("1P"));
        for wrong in [
            "", "m", "1 Gi", "1gb", "1Mib", "--1", "1.2.3", "0x10", "e3", "Mi",
        ] {
            assert!(wrong.parse::<Quantity>().is_err(), "{wrong} was accepted");
        }
    }

    #[test]
    fn printing_rounds_up_and_reads_back() {
        assert_eq!(q("690m").as_cpu(), "690m");
        assert_eq!(q("2000m").as_cpu(), "2");
        assert_eq!(q("2").as_milli(), "2000m");
        assert_eq!(Quantity::units(1).as_bytes(), "1Mi");
        assert_eq!(q("1024Mi").as_bytes(), "1Gi");
        assert_eq!(Quantity::ZERO.as_bytes(), "0Mi");
        assert_eq!(q("384Mi").percent(115).as_bytes(), "442Mi");
        for text in ["0", "250m", "1Gi", "1536Mi", "3", "1n", "1500"] {
            assert_eq!(q(text).to_string(), text);
        }
    }
}
