//! What the kubelet's events say of a failed probe: which one, and how it failed.

use std::sync::LazyLock;

use regex::Regex;

/// Which probe failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Startup,
    Readiness,
    Liveness,
}

impl Kind {
    /// Its name in a sentence.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Startup => "startup",
            Self::Readiness => "readiness",
            Self::Liveness => "liveness",
        }
    }

    /// What a container is while this probe passes.
    pub(super) fn state(self) -> &'static str {
        match self {
            Self::Startup => "started",
            Self::Readiness => "ready",
            Self::Liveness => "alive",
        }
    }
}

/// How a probe failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// Nothing listens.
    Refused,
    /// An HTTP status that is neither 2xx nor 3xx.
    Status(u16),
    /// No answer in time.
    TimedOut,
    /// An answer that is not HTTP.
    NotHttp,
    /// Anything else.
    Other,
}

static MESSAGE: LazyLock<Regex> = LazyLock::new(|| {
    compile(r"(?s)^(Startup|Readiness|Liveness) probe (?:failed|errored[^:]*): ?(.*)$")
});
static STATUS: LazyLock<Regex> = LazyLock::new(|| compile(r"statuscode: (\d{3})"));

fn compile(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the patterns of this file are valid: its tests run all of them")
}

/// Reads the message of an event `Unhealthy`.
pub(super) fn parse(message: &str) -> Option<(Kind, Failure)> {
    let found = MESSAGE.captures(message.trim())?;
    let kind = match &found[1] {
        "Startup" => Kind::Startup,
        "Readiness" => Kind::Readiness,
        _ => Kind::Liveness,
    };
    let output = &found[2];
    let says = |texts: &[&str]| texts.iter().any(|text| output.contains(text));
    let status = STATUS
        .captures(output)
        .and_then(|found| found[1].parse().ok());
    let failure = if let Some(status) = status {
        Failure::Status(status)
    } else if says(&["connection refused"]) {
        Failure::Refused
    } else if says(&["malformed HTTP", "transport connection broken"]) {
        Failure::NotHttp
    } else if says(&[
        "deadline exceeded",
        "Client.Timeout",
        "i/o timeout",
        "timed out",
    ]) {
        Failure::TimedOut
    } else {
        Failure::Other
    };
    Some((kind, failure))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_the_kubelet_are_told_apart() {
        use Kind::{Liveness, Readiness, Startup};
        for (message, expected) in [
            (
                r#"Startup probe failed: Get "http://10.244.0.12:3000/health": dial tcp 10.244.0.12:3000: connect: connection refused"#,
                (Startup, Failure::Refused),
            ),
            (
                "Readiness probe failed: dial tcp 10.244.0.9:6379: connect: connection refused",
                (Readiness, Failure::Refused),
            ),
            (
                "Readiness probe failed: HTTP probe failed with statuscode: 404",
                (Readiness, Failure::Status(404)),
            ),
            (
                r#"Liveness probe failed: Get "http://10.244.0.12:3000/health": context deadline exceeded (Client.Timeout exceeded while awaiting headers)"#,
                (Liveness, Failure::TimedOut),
            ),
            (
                "Liveness probe failed: command timed out",
                (Liveness, Failure::TimedOut),
            ),
            (
                "Liveness probe errored and resulted in unknown state: rpc error: code = DeadlineExceeded desc = context deadline exceeded",
                (Liveness, Failure::TimedOut),
            ),
            (
                r#"Startup probe failed: Get "http://10.0.0.1:443/": net/http: HTTP/1.x transport connection broken: malformed HTTP response "\x15\x03\x01""#,
                (Startup, Failure::NotHttp),
            ),
            (
                r#"Startup probe failed: Get "http://10.0.0.1:3000/": EOF"#,
                (Startup, Failure::Other),
            ),
            (
                "Readiness probe failed: /tmp:5432 - no response",
                (Readiness, Failure::Other),
            ),
            ("Readiness probe failed: \n", (Readiness, Failure::Other)),
        ] {
            assert_eq!(parse(message), Some(expected), "{message}");
        }
        assert_eq!(parse("Back-off restarting failed container"), None);
    }
}
