//! Tests of the Helm charts: lint, unit tests, and what only the whole chart or several versions of Helm can show.
//!
//! Needs the tools of the sandbox (`cargo xtask sandbox build tools`). A test whose tool is missing says so and what to
//! do about it; with `K8S_EE_REQUIRE_TOOLS=1`, as in CI, it fails instead.

mod charts;
mod conformity;
mod defaults;
mod documents;
mod matter;
mod operators;
mod platform;
mod reachability;
mod seeds;
mod sources;
mod tools;
mod variables;
