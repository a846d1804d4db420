//! What was learned about the databases, as data: page, JSON and metrics are made from it.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::settings::About;

/// A kind of database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Postgresql,
    Mariadb,
    Mongodb,
    Redis,
    Minio,
}

impl Kind {
    /// Its name in `k8s-ee.yaml`, in JSON and in metrics.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Postgresql => "postgresql",
            Self::Mariadb => "mariadb",
            Self::Mongodb => "mongodb",
            Self::Redis => "redis",
            Self::Minio => "minio",
        }
    }
}

/// How a database is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum State {
    /// No variable names it.
    NotConfigured,
    /// It answers.
    Up(Seen),
    /// It cannot be used, and this is why.
    Down(String),
}

/// What a database that answers has told.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Seen {
    /// Version of the server, or its name where it keeps its version to itself.
    pub(crate) version: String,
    /// From a small question on an open connection to its answer.
    pub(crate) round_trip: Duration,
    /// Visits that are stored in it.
    pub(crate) visits: u64,
}

/// How all of them are.
pub(crate) type States = [(Kind, State); 5];

/// How storing a visit ended in each database that is configured.
pub(crate) type Stored = Vec<(Kind, Result<(), String>)>;

/// The databases that should answer and do not, each with the reason.
pub(crate) fn missing(states: &States) -> Vec<(Kind, &str)> {
    let down = states.iter().filter_map(|(kind, state)| match state {
        State::Down(why) => Some((*kind, why.as_str())),
        State::NotConfigured | State::Up(_) => None,
    });
    down.collect()
}

/// Milliseconds with two places, as people and JSON get them.
pub(crate) fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 100_000.0).round() / 100.0
}

/// The answer to `GET /api/status`. What is not known about the environment is `null`.
pub(crate) fn to_json(about: &About, states: &States) -> Value {
    let databases: Map<String, Value> = states
        .iter()
        .map(|(kind, state)| {
            let value = match state {
                State::NotConfigured => json!({"state": "not configured"}),
                State::Up(seen) => json!({
                    "state": "up",
                    "version": seen.version,
                    "roundTripMs": milliseconds(seen.round_trip),
                    "visits": seen.visits,
                }),
                State::Down(why) => json!({"state": "down", "cause": why}),
            };
            (kind.name().to_owned(), value)
        })
        .collect();
    json!({
        "environment": {
            "pullRequest": about.pull_request,
            "branch": about.branch,
            "commit": about.commit,
            "version": about.version,
            "url": about.url,
        },
        "ready": missing(states).is_empty(),
        "databases": databases,
    })
}

/// The answer to `POST /api/visit`.
pub(crate) fn stored_to_json(stored: &Stored) -> Value {
    let databases: Map<String, Value> = stored
        .iter()
        .map(|(kind, result)| {
            let value = match result {
                Ok(()) => json!({"stored": true}),
                Err(why) => json!({"stored": false, "cause": why}),
            };
            (kind.name().to_owned(), value)
        })
        .collect();
    json!({"databases": databases})
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// One that answers, one that does not, the others not configured.
    pub(crate) fn states() -> States {
        let seen = Seen {
            version: "15.18".to_owned(),
            round_trip: Duration::from_micros(1234),
            visits: 7,
        };
        [
            (Kind::Postgresql, State::Up(seen)),
            (Kind::Mariadb, State::NotConfigured),
            (Kind::Mongodb, State::NotConfigured),
            (Kind::Redis, State::Down("connection <refused>".to_owned())),
            (Kind::Minio, State::NotConfigured),
        ]
    }

    #[test]
    fn json_tells_each_state() {
        let about = About {
            pull_request: Some("12".to_owned()),
            ..About::default()
        };
        let value = to_json(&about, &states());
        assert_eq!(value["environment"]["pullRequest"], "12");
        assert_eq!(value["environment"]["branch"], Value::Null);
        assert_eq!(value["ready"], false);
        let databases = &value["databases"];
        assert_eq!(
            databases["postgresql"],
            json!({"state": "up", "version": "15.18", "roundTripMs": 1.23, "visits": 7})
        );
        assert_eq!(databases["mariadb"], json!({"state": "not configured"}));
        assert_eq!(databases["redis"]["cause"], "connection <refused>");
    }

    #[test]
    fn what_is_not_configured_is_not_missing() {
        assert_eq!(
            missing(&states()),
            vec![(Kind::Redis, "connection <refused>")]
        );
        let mut states = states();
        states[3].1 = State::NotConfigured;
        assert!(missing(&states).is_empty());
    }

    #[test]
    fn a_visit_that_was_not_stored_says_why() {
        let stored = vec![
            (Kind::Redis, Ok(())),
            (Kind::Minio, Err("403 AccessDenied".to_owned())),
        ];
        assert_eq!(
            stored_to_json(&stored),
            json!({"databases": {
                "redis": {"stored": true},
                "minio": {"stored": false, "cause": "403 AccessDenied"},
            }})
        );
    }
}
