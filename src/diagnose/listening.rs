//! Where a program says that it listens: the lines that servers print when they are up.

use std::sync::LazyLock;

use regex::Regex;

/// A place where a program says that it listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listening {
    /// Index of the line that says so.
    pub(super) line: usize,
    /// The port.
    pub(super) port: u16,
    /// Whether the line names a loopback address, which other pods and probes cannot reach.
    pub(super) loopback: bool,
}

/// Words of such lines; a port elsewhere may belong to anything.
const VERB: &str = r"(?i)\b(?:listening|listen|running|started|serving|server is (?:up|ready)|launched|available|accepting|local|starting development server)\b";

/// Listeners that are not for users.
const ASIDE: &str =
    r"(?i)\b(?:debugger|inspector|metrics|prometheus|pprof|management|jmx|livereload)\b";

/// Host and port as an address, or the port alone in words.
const PLACE: &str = concat!(
    r"(?:(?:https?|tcp)://|[\s\x22'=(@])(?P<host>localhost|\[[0-9a-fA-F:]*\]|\d+\.\d+\.\d+\.\d+|\*|[\w-]+)?:(?P<port>\d{2,5})(?:[^\d:.]|\.?$)",
    r"|\bport(?:\(s\))?[:= ]+(?P<word>\d{2,5})\b",
);

static VERB_RULE: LazyLock<Regex> = LazyLock::new(|| compile(VERB));
static ASIDE_RULE: LazyLock<Regex> = LazyLock::new(|| compile(ASIDE));
static PLACE_RULE: LazyLock<Regex> = LazyLock::new(|| compile(PLACE));

fn compile(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the patterns of this file are valid: its tests compile all of them")
}

/// Every place that the lines name, oldest first.
pub(super) fn listening(lines: &[String]) -> Vec<Listening> {
    lines
        .iter()
        .enumerate()
        .filter_map(|(index, text)| {
            let (port, loopback) = place(text)?;
            Some(Listening {
                line: index,
                port,
                loopback,
            })
        })
        .collect()
}

fn place(line: &str) -> Option<(u16, bool)> {
    let verb = VERB_RULE.find(line)?;
    if ASIDE_RULE.is_match(line) {
        return None;
    }
    // Servers of the Java world put the address before the verb, but none puts a port there.
    let found = PLACE_RULE.captures(&line[verb.end()..])?;
    let port = found.name("port").or_else(|| found.name("word"))?;
    let host = found.name("host").map_or("", |host| host.as_str());
    let loopback = host == "localhost" || host == "[::1]" || host.starts_with("127.");
    Some((port.as_str().parse().ok()?, loopback))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_say_where_they_listen() {
        for (line, expected) in [
            ("Server listening on http://0.0.0.0:8080", (8080, false)),
            ("App listening on port 8080", (8080, false)),
            ("listening on :8080", (8080, false)),
            (
                "INFO:     Uvicorn running on http://127.0.0.1:8000 (Press CTRL+C to quit)",
                (8000, true),
            ),
            (" * Running on http://127.0.0.1:5000", (5000, true)),
            (
                "[2026-11-20 10:00:00 +0000] [1] [INFO] Listening at: http://0.0.0.0:8000 (1)",
                (8000, false),
            ),
            (
                "Starting development server at http://127.0.0.1:8000/",
                (8000, true),
            ),
            (
                "Tomcat started on port 8080 (http) with context path '/'",
                (8080, false),
            ),
            ("Tomcat started on port(s): 8080 (http)", (8080, false)),
            ("Now listening on: http://[::]:8080", (8080, false)),
            ("   - Local:        http://localhost:3000", (3000, true)),
            ("http server started on [::]:1323", (1323, false)),
            (
                r#"{"level":30,"msg":"Server listening at http://[::1]:3001"}"#,
                (3001, true),
            ),
            (
                "Rocket has launched from http://127.0.0.1:8000",
                (8000, true),
            ),
        ] {
            assert_eq!(place(line), Some(expected), "{line}");
        }
    }

    #[test]
    fn other_numbers_are_no_ports() {
        for line in [
            "Debugger listening on ws://127.0.0.1:9229/abc",
            "metrics server listening on :9090",
            "started at 12:30:45",
            "Started ShopApplication in 2.34 seconds",
            "GET http://localhost:3000/health",
            "running migration 20260101",
        ] {
            assert_eq!(place(line), None, "{line}");
        }
    }
}
