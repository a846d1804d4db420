//! The developer tasks as a library: `main.rs` only picks one, and a task may use another (the tests need the sandbox).

pub mod bench;
pub mod charts;
pub mod demo;
pub mod github_api;
pub mod picture;
pub mod platform;
pub mod release;
pub mod sandbox;
pub mod schemas;
pub mod stamp;
pub mod test;
