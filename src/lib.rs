//! k8s-ee: preview environments on Kubernetes.
//!
//! Data flows one way: `config` reads the file, `model` makes the environment of it, `render` the objects, `quota` and
//! `guardrails` what surrounds them, `plan` the steps, `deploy` carries them out, `diagnose` says what went wrong.

pub mod cli;
pub mod cluster;
pub mod commands;
pub mod config;
pub mod deploy;
pub mod desired;
pub mod diagnose;
pub mod doctor;
pub mod error;
pub mod exit;
pub mod github;
pub mod guardrails;
pub mod init;
pub mod inspect;
pub mod lifecycle;
pub mod model;
pub mod plan;
pub mod printer;
pub mod process;
pub mod progress;
pub mod quantity;
pub mod quota;
pub mod render;
pub mod report;
pub mod reporter;
pub mod signal;
pub mod telemetry;
pub mod terminal;
pub mod trigger;
pub mod wait;
