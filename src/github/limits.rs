//! When GitHub says that we ask too much: which limit it is, and how long it lasts.

use std::time::Duration;

use http::{HeaderMap, StatusCode};
use jiff::Timestamp;

/// How long to wait when GitHub does not say, as its documentation asks for.
const UNTOLD: Duration = Duration::from_secs(60);

/// A limit that was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limit {
    /// Which.
    pub(super) kind: LimitKind,
    /// How long it lasts from now.
    pub(super) wait: Duration,
}

/// Which limit was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitKind {
    /// The number of requests an hour.
    Primary,
    /// Too much at once, or too many writes a minute.
    Secondary,
}

/// The limit that an answer tells of; none when it is about something else. `now` is our clock, used only where the
/// answer does not say what GitHub's shows.
pub(super) fn reached(
    status: StatusCode,
    headers: &HeaderMap,
    message: &str,
    now: Timestamp,
) -> Option<Limit> {
    if status != StatusCode::FORBIDDEN && status != StatusCode::TOO_MANY_REQUESTS {
        return None;
    }
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<u64>().ok();
    if let Some(seconds) = number("retry-after") {
        return Some(Limit {
            kind: LimitKind::Secondary,
            wait: Duration::from_secs(seconds),
        });
    }
    if number("x-ratelimit-remaining") == Some(0) {
        let now = clock(headers).unwrap_or(now).as_second();
        let wait = number("x-ratelimit-reset")
            .and_then(|reset| i64::try_from(reset).ok())
            // The second in which it is lifted is still part of it.
            .map(|reset| u64::try_from(reset.saturating_add(1).saturating_sub(now)).unwrap_or(0));
        return Some(Limit {
            kind: LimitKind::Primary,
            wait: wait.map_or(UNTOLD, Duration::from_secs),
        });
    }
    let secondary = message.contains("secondary rate limit") || message.contains("abuse detection");
    (secondary || status == StatusCode::TOO_MANY_REQUESTS).then_some(Limit {
        kind: LimitKind::Secondary,
        wait: UNTOLD,
    })
}

/// What GitHub's clock showed when it answered.
fn clock(headers: &HeaderMap) -> Option<Timestamp> {
    let date = headers.get(http::header::DATE)?.to_str().ok()?;
    let date = jiff::fmt::rfc2822::parse(date).ok()?;
    Some(date.timestamp())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn limit(
        status: u16,
        headers: &[(&'static str, &str)],
        message: &str,
    ) -> Option<(LimitKind, u64)> {
        let status = StatusCode::from_u16(status).expect("a status");
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, HeaderValue::from_str(value).expect("a value"));
        }
        let now = "2026-11-21T12:00:00Z".parse().expect("a time");
        reached(status, &map, message, now).map(|limit| (limit.kind, limit.wait.as_secs()))
    }

    #[test]
    fn each_way_in_which_github_says_it() {
        use LimitKind::{Primary, Secondary};
        let spent = ("x-ratelimit-remaining", "0");
        let noon_and_a_half = ("x-ratelimit-reset", "1795262430");
        assert_eq!(
            limit(403, &[spent, noon_and_a_half], ""),
            Some((Primary, 31))
        );
        assert_eq!(
            limit(429, &[spent, noon_and_a_half], ""),
            Some((Primary, 31))
        );
        let date = ("date", "Sat, 21 Nov 2026 12:00:20 GMT");
        assert_eq!(
            limit(403, &[spent, noon_and_a_half, date], ""),
            Some((Primary, 11))
        );
        assert_eq!(
            limit(403, &[spent, ("x-ratelimit-reset", "1")], ""),
            Some((Primary, 0))
        );
        assert_eq!(limit(403, &[spent], ""), Some((Primary, 60)));
        let both = [("retry-after", "7"), ("x-ratelimit-remaining", "12")];
        assert_eq!(limit(403, &both, ""), Some((Secondary, 7)));
        let message = "You have exceeded a secondary rate limit. Please wait a few minutes";
        assert_eq!(limit(403, &[], message), Some((Secondary, 60)));
        assert_eq!(limit(429, &[], ""), Some((Secondary, 60)));
    }

    #[test]
    fn other_refusals_are_no_limit() {
        let left = ("x-ratelimit-remaining", "4999");
        assert_eq!(
            limit(403, &[left], "Resource not accessible by integration"),
            None
        );
        assert_eq!(limit(404, &[("x-ratelimit-remaining", "0")], ""), None);
        assert_eq!(limit(503, &[("retry-after", "7")], ""), None);
    }
}
