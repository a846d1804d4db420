//! Several measurements of one thing: the middle, and how far they lie apart.

use std::{fmt, time::Duration};

/// What was measured, in seconds, in the order in which it was.
#[derive(Clone, Debug, Default)]
pub(super) struct Sample(Vec<f64>);

impl Sample {
    pub(super) fn push(&mut self, time: Duration) {
        self.0.push(time.as_secs_f64());
    }

    /// The middle; with an even number, between the two in the middle. 0 of nothing.
    pub(super) fn median(&self) -> f64 {
        let sorted = self.sorted();
        match sorted.len() {
            0 => 0.0,
            n if n % 2 == 1 => sorted[n / 2],
            n => f64::midpoint(sorted[n / 2 - 1], sorted[n / 2]),
        }
    }

    /// As [`Display`](fmt::Display), in milliseconds.
    pub(super) fn in_milliseconds(&self) -> String {
        let sorted = self.sorted();
        match (sorted.first(), sorted.last()) {
            (Some(least), Some(most)) => {
                let [median, least, most] = [self.median(), *least, *most].map(|s| s * 1e3);
                format!("{median:.1} ({least:.1}–{most:.1})")
            }
            _ => "–".to_owned(),
        }
    }

    fn sorted(&self) -> Vec<f64> {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        sorted
    }
}

/// The middle and, behind it, the least and the most: `2.31 (2.20–2.62)`.
impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sorted = self.sorted();
        match (sorted.first(), sorted.last()) {
            (Some(least), Some(most)) => {
                write!(f, "{:.2} ({least:.2}–{most:.2})", self.median())
            }
            _ => f.write_str("–"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(seconds: &[f64]) -> Sample {
        let mut sample = Sample::default();
        for one in seconds {
            sample.push(Duration::from_secs_f64(*one));
        }
        sample
    }

    #[test]
    fn the_middle_does_not_follow_one_that_is_far_off() {
        assert_eq!(sample(&[9.0, 2.0, 2.2]).to_string(), "2.20 (2.00–9.00)");
        assert_eq!(
            sample(&[0.0021, 0.0025, 0.002]).in_milliseconds(),
            "2.1 (2.0–2.5)"
        );
        assert_eq!(sample(&[1.0, 2.0]).to_string(), "1.50 (1.00–2.00)");
        assert_eq!(sample(&[]).to_string(), "–");
    }
}
