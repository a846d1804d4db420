//! Profiles: how far an environment is trusted. The platform decides what each may; the file cannot change it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{
    DatabaseKind, Mode,
    settings::{ForkPolicy, PlatformSettings},
};
use crate::config::{
    Config,
    file::{EnvSource, Ingress},
    problem::Problem,
};

/// How far an environment is trusted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// As far as those who may push to the repository.
    #[default]
    Default,
    /// As little as the commits of strangers: no secrets, no way out, a share of the ceiling.
    Fork,
}

/// The platform makes no environments for forks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the platform makes no environments for forks")]
pub struct NoForks;

impl Profile {
    /// Its name, as flags and labels have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Fork => "fork",
        }
    }

    /// Whether it is the one that nothing has to be said about.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::Default
    }

    /// What in a file this profile does not let in, each with its line.
    #[must_use]
    pub(super) fn refusals(self, config: &Config) -> Vec<Problem> {
        if self == Self::Default {
            return Vec::new();
        }
        let mut problems = Vec::new();
        for service in config.file.services() {
            let sources = service.service.env_from.as_deref().unwrap_or_default();
            secrets(config, sources, &service.pointer("envFrom"), &mut problems);
            let ingress = service.service.ingress.as_ref();
            annotations(
                config,
                ingress,
                &service.pointer("ingress/annotations"),
                &mut problems,
            );
        }
        let databases = config.file.databases.as_ref();
        for kind in DatabaseKind::ALL {
            let mode = databases.and_then(|all| all.common(kind)?.mode);
            if mode == Some(Mode::Operator) {
                problems.push(config.problem(
                    &format!("/databases/{kind}/mode"),
                    "the database of a fork is not run by an operator, whose pods reach the Kubernetes API",
                    Some("leave `mode` out".to_owned()),
                ));
            }
        }
        for seed in config.file.seeds() {
            let sources = seed.seed.env_from.as_deref().unwrap_or_default();
            secrets(config, sources, &seed.pointer("envFrom"), &mut problems);
        }
        problems
    }
}

fn secrets(config: &Config, sources: &[EnvSource], at: &str, problems: &mut Vec<Problem>) {
    for (n, source) in sources.iter().enumerate() {
        if let EnvSource::SecretRef(secret) = source {
            problems.push(config.problem(
                &format!("{at}/{n}"),
                format!(
                    "the environment of a fork gets no Secrets, such as `{}` here",
                    secret.name
                ),
                Some(
                    "leave it out; what is no secret can be in `env` or in a ConfigMap".to_owned(),
                ),
            ));
        }
    }
}

/// Many ingress controllers take programs, files and Secrets from annotations.
fn annotations(config: &Config, ingress: Option<&Ingress>, at: &str, problems: &mut Vec<Problem>) {
    let written = ingress.and_then(|ingress| ingress.annotations.as_ref());
    if written.is_some_and(|annotations| !annotations.is_empty()) {
        problems.push(config.problem(
            at,
            "the environment of a fork may not instruct the ingress controller",
            Some("leave the annotations out".to_owned()),
        ));
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl PlatformSettings {
    /// The settings as they are for environments with this profile.
    ///
    /// # Errors
    /// The platform makes none for forks.
    pub fn under(mut self, profile: Profile) -> Result<Self, NoForks> {
        if profile == Profile::Default {
            return Ok(self);
        }
        let forks = &self.forks;
        if forks.allow == ForkPolicy::Never {
            return Err(NoForks);
        }
        for ceiling in self.quota.ceiling.values_mut() {
            *ceiling = ceiling.percent(forks.quota_percent);
        }
        self.network.internet = self.network.internet && forks.internet;
        self.network.kubernetes_api = false;
        // Pods of operators reach the Kubernetes API, with an account of their own.
        for database in self.databases.values_mut() {
            database.mode = Mode::Standalone;
        }
        self.image_pull_secrets
            .clone_from(&forks.image_pull_secrets);
        Ok(self)
    }

    /// What a profile means for an environment, for people; none for the default.
    #[must_use]
    pub fn profile_note(&self, profile: Profile) -> Option<String> {
        if profile == Profile::Default {
            return None;
        }
        let out = if self.network.internet {
            "its pods reach the internet"
        } else {
            "its pods reach nothing outside but DNS"
        };
        let ceiling: Vec<String> = self
            .quota
            .ceiling
            .iter()
            .map(|(resource, amount)| format!("{resource} {amount}"))
            .collect();
        Some(format!(
            "profile fork: no Secrets but its own, {out}, at most {}",
            ceiling.join(", ")
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::Source, quantity::Quantity};

    fn refused(text: &str) -> Vec<(String, usize)> {
        let text = format!("projectId: shop\n{text}");
        let config = Config::parse(Source::new("k8s-ee.yaml", text)).expect("it is valid");
        assert!(Profile::Default.refusals(&config).is_empty());
        let problems = Profile::Fork.refusals(&config);
        let told = |problem: Problem| (problem.message, problem.place.line);
        problems.into_iter().map(told).collect()
    }

    #[test]
    fn what_a_fork_asks_for_in_vain_is_told_at_its_line() {
        let told =
            refused("envFrom:\n  - configMapRef: {name: flags}\n  - secretRef: {name: keys}\n");
        let wrong = "the environment of a fork gets no Secrets, such as `keys` here";
        assert_eq!(told, [(wrong.to_owned(), 4)]);
        let general =
            "services:\n  api:\n    image: a/b:1\n    envFrom:\n      - secretRef: {name: keys}\n";
        assert_eq!(refused(general), [(wrong.to_owned(), 6)]);
        let seed = "seed:\n  image: a/b:1\n  envFrom: [{secretRef: {name: keys}}]\n";
        assert_eq!(refused(seed), [(wrong.to_owned(), 4)]);
        let told = refused(
            "ingress:\n  annotations:\n    nginx.ingress.kubernetes.io/auth-tls-secret: kube-system/ca\n",
        );
        assert!(
            told[0].0.contains("ingress controller") && told[0].1 >= 3,
            "{told:?}"
        );
        let told = refused("databases:\n  postgresql:\n    mode: operator\n");
        assert!(told[0].0.contains("operator") && told[0].1 == 4, "{told:?}");
    }

    #[test]
    fn what_needs_no_trust_is_let_in() {
        let text = "env: {A: b}\nenvFrom: [{configMapRef: {name: flags}}]\ningress: {annotations: {}}\n\
                    databases: {postgresql: {mode: standalone}, redis: true}\n";
        assert_eq!(refused(text), []);
    }

    #[test]
    fn the_platform_grants_less() {
        let mut settings = PlatformSettings::default();
        settings.network.kubernetes_api = true;
        settings.image_pull_secrets = vec!["ghcr".to_owned()];
        let postgresql = settings.databases.entry(DatabaseKind::Postgresql);
        postgresql.or_default().mode = Mode::Operator;
        assert_eq!(
            settings.clone().under(Profile::Default),
            Ok(settings.clone())
        );

        let fork = settings
            .clone()
            .under(Profile::Fork)
            .expect("they are allowed");
        assert!(!fork.network.internet && !fork.network.kubernetes_api);
        assert_eq!(fork.quota.ceiling["limits.cpu"], Quantity::units(4));
        assert_eq!(fork.quota.ceiling["pods"], Quantity::units(25));
        assert!(fork.image_pull_secrets.is_empty());
        assert_eq!(fork.mode(DatabaseKind::Postgresql), Mode::Standalone);
        assert_eq!(
            fork.profile_note(Profile::Fork).expect("a note"),
            "profile fork: no Secrets but its own, its pods reach nothing outside but DNS, at most limits.cpu 4, \
             limits.memory 6Gi, pods 25, requests.cpu 2, requests.memory 4Gi, requests.storage 10Gi"
        );

        settings.forks.internet = true;
        settings.forks.quota_percent = 25;
        settings.forks.image_pull_secrets = vec!["public-only".to_owned()];
        let more = settings
            .clone()
            .under(Profile::Fork)
            .expect("they are allowed");
        assert!(more.network.internet && more.image_pull_secrets == ["public-only"]);
        assert_eq!(more.quota.ceiling["limits.cpu"], Quantity::units(2));
        // What everybody is denied, forks are too.
        settings.network.internet = false;
        assert!(
            !settings
                .clone()
                .under(Profile::Fork)
                .expect("they are allowed")
                .network
                .internet
        );

        settings.forks.allow = ForkPolicy::Never;
        assert_eq!(settings.under(Profile::Fork), Err(NoForks));
    }
}
