//! A configuration while it is thought out: every value with the reason for it.

use crate::config::databases::DatabaseKind;

use super::note::{Kind, Notes};

/// A value, and why it is that one.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reasoned<T> {
    pub(super) value: T,
    pub(super) why: String,
}

impl<T> Reasoned<T> {
    pub(super) fn new(value: T, why: impl Into<String>) -> Self {
        Self {
            value,
            why: why.into(),
        }
    }
}

/// A configuration.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) project: Option<Reasoned<String>>,
    /// One service is written in the short form, unless it came from a compose file.
    pub(super) services: Vec<Service>,
    pub(super) is_general: bool,
    pub(super) databases: Vec<Database>,
}

/// A service.
#[derive(Debug, Default)]
pub(super) struct Service {
    pub(super) name: String,
    /// What is to be known about it.
    pub(super) comment: Option<String>,
    pub(super) image: Option<Image>,
    pub(super) port: Option<Reasoned<u16>>,
    pub(super) health: Option<Reasoned<String>>,
    pub(super) command: Vec<String>,
    pub(super) args: Vec<String>,
    pub(super) is_public: bool,
    pub(super) replicas: Option<u32>,
    pub(super) depends_on: Vec<String>,
    /// CPU and memory, each as request and limit.
    pub(super) cpu: Amounts,
    pub(super) memory: Amounts,
    pub(super) writable_dirs: Vec<String>,
    pub(super) env: Vec<(String, String)>,
}

/// What is set aside, and the most that may be used.
#[derive(Debug, Default)]
pub(super) struct Amounts {
    pub(super) request: Option<String>,
    pub(super) limit: Option<String>,
}

/// An image.
#[derive(Debug, PartialEq)]
pub(super) enum Image {
    Reference(String),
    Build { context: String, dockerfile: String },
}

/// A database.
#[derive(Debug)]
pub(super) struct Database {
    pub(super) kind: DatabaseKind,
    pub(super) why: String,
    /// Whether it is only offered, as a comment.
    pub(super) is_offer: bool,
    /// Its options, as `key` and YAML value.
    pub(super) options: Vec<(String, String)>,
}

impl Draft {
    /// What has to be done before the first environment.
    pub(super) fn next_steps(&self, notes: &mut Notes) {
        for service in &self.services {
            if service.image.is_none() {
                let name = &service.name;
                notes.add(
                    Kind::Next,
                    None,
                    format!("`{name}` has no image: write a Dockerfile for it, or name an image"),
                );
            }
            if let Some(health) = &service.health
                && health.why.starts_with("guessed")
            {
                notes.add(
                    Kind::Next,
                    None,
                    format!(
                        "does `{}` answer 2xx or 3xx at {} when it is up? Else set its `healthPath`",
                        service.name, health.value
                    ),
                );
            }
        }
        notes.add(
            Kind::Next,
            None,
            "containers run without root, with a read-only file system but for /tmp: what else a service writes to \
             belongs into `writableDirs`",
        );
        notes.add(
            Kind::Next,
            None,
            "k8s-ee validate && k8s-ee quota --pr 1 && k8s-ee plan --pr 1 --offline",
        );
    }
}
