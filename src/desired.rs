//! Everything that is to be there: the rendered objects, the quota computed from them, and the guardrails around both.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::{
    config::{Config, problem::Problem},
    guardrails::{self, ClusterFacts},
    model::{
        Environment,
        credentials::{self, Password},
        labels,
        object::{Object, ObjectId},
        settings::PlatformSettings,
    },
    plan::Desired,
    quota::{self, Quota, QuotaError},
    render::{self, RELEASE, RenderError, chart::ChartSource},
};

/// What an environment comes to, before the cluster is looked at.
#[derive(Clone, Debug)]
pub struct Composition {
    /// The objects of its components.
    pub objects: Vec<Object>,
    /// Custom resources of operators that are there, belong to no component and stay.
    pub left_behind: Vec<Object>,
    /// What all of them may use.
    pub quota: Quota,
}

/// Why it could not be worked out.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    /// There are no objects.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// There are no random numbers for passwords.
    #[error("cannot generate passwords")]
    Randomness(#[source] getrandom::Error),
    /// They cannot be added up.
    #[error("the quota cannot be computed from the rendered objects")]
    Quota(#[from] QuotaError),
}

impl ComposeError {
    /// The next step.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Render(error) => error.hint(),
            Self::Quota(error) => Some(error.hint()),
            Self::Randomness(_) => None,
        }
    }
}

/// Renders an environment and adds up what it needs.
///
/// # Errors
/// When helm cannot render it, or a rendered object asks for something that is not a quantity.
pub async fn compose(
    environment: &Environment,
    settings: &PlatformSettings,
    chart: &ChartSource,
) -> Result<Composition, ComposeError> {
    let objects = render::render(environment, settings, chart).await?;
    let quota = quota::compute(&objects, &settings.limits, &settings.quota)?;
    Ok(Composition {
        objects,
        left_behind: Vec::new(),
        quota,
    })
}

/// The times that a namespace carries, RFC 3339 in UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamps {
    created_at: String,
    last_updated: String,
}

impl Stamps {
    /// Those of a namespace that is made or updated now; one that exists keeps the time at which it was made.
    #[must_use]
    pub fn new(existing: Option<&Object>, now: Timestamp) -> Self {
        let last_updated = rfc3339(now);
        let created = existing.and_then(|namespace| namespace.annotation(labels::CREATED_AT));
        Self {
            created_at: created.unwrap_or(&last_updated).to_owned(),
            last_updated,
        }
    }
}

/// A time as the annotations have it: whole seconds, UTC.
#[must_use]
pub fn rfc3339(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

impl Composition {
    /// Makes room for what is there beside the components and stays.
    ///
    /// # Errors
    /// When one of them asks for something that is not a quantity.
    pub fn make_room_for(
        &mut self,
        left_behind: Vec<Object>,
        settings: &PlatformSettings,
    ) -> Result<(), ComposeError> {
        self.left_behind = left_behind;
        self.quota = quota::compute(&self.all(), &settings.limits, &settings.quota)?;
        Ok(())
    }

    /// Everything that will be in the namespace.
    fn all(&self) -> Vec<Object> {
        let all = self.objects.iter().chain(&self.left_behind);
        all.cloned().collect()
    }

    /// Whether anything of it talks to the Kubernetes API, or the platform lets it.
    #[must_use]
    pub fn needs_kubernetes_api(&self, settings: &PlatformSettings) -> bool {
        guardrails::needs_kubernetes_api(&self.all(), &settings.network)
    }

    /// Adds the Secrets of the databases, each with new passwords, and returns which they are: those that exist in the
    /// cluster already have to be kept.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub fn add_credentials(
        &mut self,
        environment: &Environment,
    ) -> Result<BTreeSet<ObjectId>, ComposeError> {
        let generate = || Password::generate(getrandom::fill);
        let secrets = credentials::secrets(environment, RELEASE, generate)
            .map_err(ComposeError::Randomness)?;
        let ids = secrets.iter().map(Object::id).collect();
        self.objects.extend(secrets);
        Ok(ids)
    }

    /// What the platform does not allow, each with its line of the file and the numbers.
    #[must_use]
    pub fn problems(
        &self,
        config: &Config,
        environment: &Environment,
        settings: &PlatformSettings,
    ) -> Vec<Problem> {
        let locate = |pointer: &str| Some(config.locate(pointer));
        let mut problems: Vec<Problem> = quota::limit_violations(&self.objects, &settings.limits)
            .iter()
            .map(|violation| {
                let pointer = violation.pointer(environment).unwrap_or_default();
                let hint = violation.hint(environment, &locate);
                config.problem(&pointer, violation.to_string(), Some(hint))
            })
            .collect();
        problems.extend(
            quota::excesses(&self.quota, &settings.quota)
                .iter()
                .map(|excess| {
                    let pointer = excess
                        .pointers(environment)
                        .into_iter()
                        .next()
                        .unwrap_or_default();
                    let hint = excess.hint(environment, &locate);
                    config.problem(&pointer, excess.to_string(), Some(hint))
                }),
        );
        problems
    }

    /// With the guardrails, as the plan takes it.
    #[must_use]
    pub fn desired(
        self,
        environment: &Environment,
        settings: &PlatformSettings,
        facts: &ClusterFacts,
        stamps: &Stamps,
    ) -> Desired {
        let mut guardrails = vec![guardrails::namespace(
            environment,
            &stamps.created_at,
            &stamps.last_updated,
        )];
        guardrails.extend(guardrails::priority_classes());
        guardrails.extend(guardrails::build(
            environment,
            &self.all(),
            &self.quota,
            settings,
            facts,
        ));
        Desired {
            guardrails,
            objects: self.objects,
            quota: self.quota,
        }
    }
}
