//! `k8s-ee.yaml`: read once, with positions; every mistake reported with its line; then handed on as typed data.

pub mod databases;
pub mod file;
pub mod problem;
