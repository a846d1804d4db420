//! What Prometheus reads at `/metrics`.

use std::{
    collections::BTreeMap,
    fmt::{Display, Write},
    sync::{Mutex, PoisonError},
};

use crate::{
    settings::About,
    status::{State, States},
};

/// Requests since the start, by path and status. Paths are those that there are, so that nobody can fill the memory by
/// asking for others.
#[derive(Default)]
pub(crate) struct Requests(Mutex<BTreeMap<(&'static str, u16), u64>>);

impl Requests {
    pub(crate) fn count(&self, path: &'static str, status: u16) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry((path, status)).or_default() += 1;
    }
}

/// The whole text, in the format of version 0.0.4.
pub(crate) fn render(about: &About, states: &States, requests: &Requests) -> String {
    let mut text = Text(String::new());
    text.family("demo_info", "gauge", "What the environment was made from.");
    let label = |value: &Option<String>| value.clone().unwrap_or_default();
    text.sample(
        "demo_info",
        &[
            ("version", &label(&about.version)),
            ("commit", &label(&about.commit)),
            ("pull_request", &label(&about.pull_request)),
        ],
        1,
    );

    text.family(
        "demo_database_up",
        "gauge",
        "Whether the database answers; only those that are configured.",
    );
    for (kind, state) in states {
        let up = match state {
            State::NotConfigured => continue,
            State::Up(_) => 1,
            State::Down(_) => 0,
        };
        text.sample("demo_database_up", &[("database", kind.name())], up);
    }
    let seen = || {
        states.iter().filter_map(|(kind, state)| match state {
            State::Up(seen) => Some(([("database", kind.name())], seen)),
            State::NotConfigured | State::Down(_) => None,
        })
    };
    text.family(
        "demo_database_round_trip_seconds",
        "gauge",
        "From a small question to the database's answer.",
    );
    for (labels, seen) in seen() {
        let seconds = seen.round_trip.as_secs_f64();
        text.sample("demo_database_round_trip_seconds", &labels, seconds);
    }
    text.family(
        "demo_database_visits",
        "gauge",
        "Visits that are stored in the database.",
    );
    for (labels, seen) in seen() {
        text.sample("demo_database_visits", &labels, seen.visits);
    }

    text.family(
        "demo_http_requests_total",
        "counter",
        "Requests since the start.",
    );
    let counts = requests.0.lock().unwrap_or_else(PoisonError::into_inner);
    for ((path, status), count) in counts.iter() {
        let labels = [("path", *path), ("status", &status.to_string())];
        text.sample("demo_http_requests_total", &labels, count);
    }
    text.0
}

/// The text that is being written.
struct Text(String);

impl Text {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        self.line(format_args!("# HELP {name} {help}"));
        self.line(format_args!("# TYPE {name} {kind}"));
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        let labels: Vec<String> = labels
            .iter()
            .map(|(label, value)| format!("{label}=\"{}\"", escape(value)))
            .collect();
        self.line(format_args!("{name}{{{}}} {value}", labels.join(",")));
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        writeln!(self.0, "{line}").expect("a String takes every text");
    }
}

/// A label's value.
fn escape(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::tests::states;

    #[test]
    fn only_what_is_known_is_told() {
        let about = About {
            version: Some("a\"b\\c\nd".to_owned()),
            ..About::default()
        };
        let requests = Requests::default();
        requests.count("/", 200);
        requests.count("/", 200);
        requests.count("other", 404);
        let text = render(&about, &states(), &requests);
        let expected = r#"# HELP demo_info What the environment was made from.
# TYPE demo_info gauge
demo_info{version="a\"b\\c\nd",commit="",pull_request=""} 1
# HELP demo_database_up Whether the database answers; only those that are configured.
# TYPE demo_database_up gauge
demo_database_up{database="postgresql"} 1
demo_database_up{database="redis"} 0
# HELP demo_database_round_trip_seconds From a small question to the database's answer.
# TYPE demo_database_round_trip_seconds gauge
demo_database_round_trip_seconds{database="postgresql"} 0.001234
# HELP demo_database_visits Visits that are stored in the database.
# TYPE demo_database_visits gauge
demo_database_visits{database="postgresql"} 7
# HELP demo_http_requests_total Requests since the start.
# TYPE demo_http_requests_total counter
demo_http_requests_total{path="/",status="200"} 2
demo_http_requests_total{path="other",status="404"} 1
"#;
        assert_eq!(text, expected);
    }
}
