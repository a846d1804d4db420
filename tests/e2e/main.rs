//! End-to-end tests: the real binary, a real cluster, real pods.
//!
//! They run only against a cluster that is named for them: `cargo xtask test e2e` does that for the sandbox, or for
//! `--context`. Each test has an environment of its own with a random project, removed at the end; with
//! `K8S_EE_E2E_KEEP=1` the wreck of a failed test stays.

mod access;
mod causes;
mod charts;
mod corpus;
mod credentials;
mod data;
mod databases;
mod disk;
mod doctor;
mod five;
mod forks;
mod github;
mod harness;
mod image;
mod inside;
mod isolation;
mod keys;
mod kill;
mod lifecycle;
mod operators;
mod options;
mod order;
mod plan;
mod platform;
mod prepare;
mod preserve;
mod quota;
mod seed;
#[path = "../shared/terminal.rs"]
mod shared;
mod sweep;
mod sweep_in_cluster;
mod terminal;
