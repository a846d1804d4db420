//! The workflows and actions, run by `act` on this machine against the tests' cluster and a GitHub with a memory.
//!
//! `cargo xtask test actions` runs them in the sandbox's network. `README.md` says what is not the real thing.

#[path = "../e2e/harness.rs"]
#[expect(
    dead_code,
    reason = "shared with the end-to-end tests, which use all of it"
)]
mod harness;

mod act;
mod forge;
mod forks;
mod lifecycle;
mod preserve;
mod published;
mod shop;
mod starters;
mod trouble;
