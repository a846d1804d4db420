//! k8s-ee: preview environments on Kubernetes.
//!
//! Data flows one way: `config` reads the file, `model` makes the environment of it, `render` the objects, `quota` and
//! `guardrails` what surrounds them, `plan` the steps, `deploy` carries them out, `diagnose` says what went wrong.

pub mod config;
pub mod model;
pub mod quantity;
