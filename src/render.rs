//! From the environment to Kubernetes objects, by `helm template` over the charts that come with the binary.
//!
//! The same objects come out whether the chart is the built-in one, a directory or an OCI artifact of this version.

pub mod chart;
pub mod helm;
pub mod values;
pub mod yaml;

pub use crate::model::RELEASE;
use crate::model::{
    Environment, labels,
    object::{InvalidObject, Object},
    settings::PlatformSettings,
};
use chart::ChartSource;

/// Why there are no objects.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// `helm` could not be run, or it failed.
    #[error(transparent)]
    Helm(#[from] helm::HelmError),
    /// The built-in charts could not be written to a temporary directory.
    #[error("cannot unpack the built-in charts")]
    Unpack(#[source] std::io::Error),
    /// What helm printed is not YAML.
    #[error("the chart rendered something that is not YAML")]
    Yaml(#[from] yaml::YamlError),
    /// What helm printed is not a Kubernetes object.
    #[error("the chart rendered something that is not a Kubernetes object")]
    Object(#[from] InvalidObject),
}

impl RenderError {
    /// The next step.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Helm(error) => error.hint(),
            Self::Unpack(_) => Some("check that $TMPDIR can be written to".to_owned()),
            Self::Yaml(_) | Self::Object(_) => {
                Some("render it by hand to see: helm template app CHART --values FILE".to_owned())
            }
        }
    }
}

/// Renders the objects of an environment, guardrails not included, in the order of the chart.
///
/// # Errors
/// When helm is missing or fails, or when what it prints are no objects.
pub async fn render(
    environment: &Environment,
    settings: &PlatformSettings,
    source: &ChartSource,
) -> Result<Vec<Object>, RenderError> {
    let chart = match source.published() {
        Some(published) => helm::pull(&published).await?,
        None => source.unpack().map_err(RenderError::Unpack)?,
    };
    let values = values::of(environment, settings);
    let namespace = &environment.identity.namespace;
    let text = helm::template(&chart, RELEASE, namespace, &values).await?;
    let mut objects = Vec::new();
    for document in yaml::read_stream(&text)? {
        let mut object = Object::new(document)?;
        object.set_namespace(namespace);
        object.set_label(labels::MANAGED_BY, labels::MANAGED_BY_OBJECT);
        objects.push(object);
    }
    Ok(objects)
}
