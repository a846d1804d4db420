//! The configuration loader: what it accepts, what it says about the rest, and that nothing throws it off.

mod corpus;
mod files;
mod limits;
mod places;
mod properties;
mod reports;
mod schema;

use k8s_ee::config::{Config, Invalid, Source};

/// Checks a text as if it were `k8s-ee.yaml`.
fn parse(text: &str) -> Result<Config, Invalid> {
    Config::parse(Source::new("k8s-ee.yaml", text))
}

/// Checks a text that must be valid.
#[track_caller]
fn valid(text: &str) -> Config {
    match parse(text) {
        Ok(config) => config,
        Err(invalid) => panic!(
            "not valid:\n{}",
            k8s_ee::config::report::human(&invalid.source, &invalid.problems, false)
        ),
    }
}

/// Checks a text that must not be valid.
#[track_caller]
fn invalid(text: &str) -> Invalid {
    match parse(text) {
        Ok(config) => panic!("valid: {:?}", config.file),
        Err(invalid) => invalid,
    }
}
