//! Everything that is to be there: the rendered objects, the quota computed from them, and the guardrails around both.

use jiff::Timestamp;

use crate::{
    config::{Config, problem::Problem},
    guardrails::{self, ClusterFacts},
    model::{
        Environment,
        credentials::{self, Password},
        labels,
        object::Object,
        settings::PlatformSettings,
    },
    plan::{Desired, Live},
    quota::{self, Quota, QuotaError},
    render::{self, RELEASE, RenderError, chart::ChartSource},
};

/// What an environment comes to, before the cluster is looked at.
#[derive(Clone, Debug)]
pub struct Composition {
    /// The objects of its components.
    pub objects: Vec<Object>,
    /// Keys to be written into Secrets that are there and stay otherwise as they are.
    pub completions: Vec<Object>,
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
        completions: Vec::new(),
        left_behind: Vec::new(),
        quota,
    })
}

/// Where a quota goes beyond the platform's ceiling, with the line of the file that could be lowered.
#[must_use]
pub fn excesses(
    quota: &Quota,
    config: &Config,
    environment: &Environment,
    settings: &PlatformSettings,
) -> Vec<Problem> {
    let locate = |pointer: &str| Some(config.locate(pointer));
    let found = quota::excesses(quota, &settings.quota);
    let problem = |excess: &quota::Excess| {
        let pointers = excess.pointers(environment);
        let pointer = pointers.into_iter().next().unwrap_or_default();
        let hint = excess.hint(environment, &locate);
        config.problem(&pointer, excess.to_string(), Some(hint))
    };
    found.iter().map(problem).collect()
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

/// A time as [`labels::CHANGED_AT`] has it: one change is told from the next.
#[must_use]
pub fn precise(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
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
        self.count_with(std::iter::empty(), settings)
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

    /// Counts the quota again, with objects beside those of the components: volumes that nobody uses any more take their
    /// part of it.
    ///
    /// # Errors
    /// When an object asks for something that is not a quantity.
    pub fn count_with(
        &mut self,
        others: impl Iterator<Item = Object>,
        settings: &PlatformSettings,
    ) -> Result<(), ComposeError> {
        let all: Vec<Object> = self.all().into_iter().chain(others).collect();
        self.quota = quota::compute(&all, &settings.limits, &settings.quota)?;
        Ok(())
    }

    /// Adds the Secrets of the databases: new ones where there are none, and what those that are there lack. Pods that
    /// read values that have changed since are to be replaced.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub fn add_credentials(
        &mut self,
        environment: &Environment,
        live: &Live,
        now: Timestamp,
    ) -> Result<(), ComposeError> {
        let generate = || Password::generate(getrandom::fill);
        let fitted = credentials::fit(environment, RELEASE, live, &precise(now), generate)
            .map_err(ComposeError::Randomness)?;
        credentials::stamp(&mut self.objects, &fitted.changed_at);
        self.objects.extend(fitted.missing);
        self.completions = fitted.completions;
        Ok(())
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
        problems.extend(excesses(&self.quota, config, environment, settings));
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
            completions: self.completions,
            quota: self.quota,
        }
    }
}
