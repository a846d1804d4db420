//! The services of a file, whichever form they are written in: the short form is the general one with one service
//! called `app`.

use std::borrow::Cow;

use super::{
    file::{File, Service},
    pointer,
};

/// Name of the one service of the short form.
pub const APP: &str = "app";

/// Root keys of the short form, in the order of the documentation.
pub const SHORT_FORM: [&str; 8] = [
    "app",
    "image",
    "resources",
    "env",
    "envFrom",
    "ingress",
    "metrics",
    "writableDirs",
];

/// A service, and where its members stand in the file.
#[derive(Clone, Debug)]
pub struct Named<'a> {
    /// Its name.
    pub name: &'a str,
    /// What is said of it.
    pub service: Cow<'a, Service>,
}

impl Named<'_> {
    /// JSON pointer of a member of the service, such as `port` or `resources/limits/cpu`.
    #[must_use]
    pub fn pointer(&self, member: &str) -> String {
        // Only the service of the short form is put together from several keys, and so owned.
        match &self.service {
            Cow::Borrowed(_) => {
                let service = pointer::child("/services", self.name);
                format!("{service}/{member}")
            }
            Cow::Owned(_) if is_of_app(member) => format!("/app/{member}"),
            Cow::Owned(_) => format!("/{member}"),
        }
    }
}

/// Members that the short form keeps under `app`.
fn is_of_app(member: &str) -> bool {
    member == "port" || member.ends_with("Path")
}

impl File {
    /// Whether the services are in the short form; so it is when nothing is said of services at all.
    #[must_use]
    pub fn is_short_form(&self) -> bool {
        self.services.is_none()
    }

    /// The services in the order of the file; in the short form one, called [`APP`].
    #[must_use]
    pub fn services(&self) -> Vec<Named<'_>> {
        match &self.services {
            Some(services) => services
                .iter()
                .map(|(name, service)| Named {
                    name,
                    service: Cow::Borrowed(service),
                })
                .collect(),
            None => vec![Named {
                name: APP,
                service: Cow::Owned(self.short_form()),
            }],
        }
    }

    fn short_form(&self) -> Service {
        let app = self.app.clone().unwrap_or_default();
        Service {
            port: app.port,
            health_path: app.health_path,
            liveness_path: app.liveness_path,
            readiness_path: app.readiness_path,
            metrics_path: app.metrics_path,
            image: self.image.clone(),
            resources: self.resources.clone(),
            env: self.env.clone(),
            env_from: self.env_from.clone(),
            ingress: self.ingress.clone(),
            metrics: self.metrics.clone(),
            writable_dirs: self.writable_dirs.clone(),
            ..Service::default()
        }
    }
}
