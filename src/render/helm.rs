//! The one place that knows helm's command line; 3.14 and newer, and 4.

use std::{
    ffi::OsString,
    io::{self, Write as _},
    time::Duration,
};

use serde_json::Value;

use super::{
    chart::{Chart, Published},
    yaml,
};
use crate::process::{Program, ProgramError};

/// Longest that rendering may take, pulling the chart included.
const LIMIT: Duration = Duration::from_secs(120);

/// The oldest helm, major and minor version.
const OLDEST: (u32, u32) = (3, 14);

/// The oldest Kubernetes whose types we are built with.
const KUBERNETES: &str = "1.33.0";

/// Why helm did not render.
#[derive(Debug, thiserror::Error)]
pub enum HelmError {
    /// It could not be run, or it failed.
    #[error("helm could not render {chart}")]
    Run {
        /// The chart.
        chart: String,
        /// Why.
        #[source]
        source: ProgramError,
    },
    /// It is older than what we can work with.
    #[error("helm {found} is too old: 3.14 or newer is needed, or 4")]
    TooOld {
        /// Its version.
        found: String,
        /// How that showed.
        #[source]
        source: ProgramError,
    },
    /// What came from the registry is not the chart of this version.
    #[error(
        "{chart} is not the one of this version: its package has the SHA-256 {found}, and should have {expected}"
    )]
    Digest {
        /// The chart.
        chart: String,
        /// What it should have.
        expected: String,
        /// What it has.
        found: String,
    },
    /// The package that helm downloaded is not where it should be.
    #[error("helm left no package of {chart}")]
    Package {
        /// The chart.
        chart: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// There is no place to download it to.
    #[error("cannot make a temporary folder for {chart}")]
    Folder {
        /// The chart.
        chart: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The values could not be written down for it.
    #[error("cannot write the chart's values to a temporary file")]
    Values(#[source] io::Error),
}

impl HelmError {
    /// The next step.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Run {
                source: ProgramError::Missing(_),
                ..
            }
            | Self::TooOld { .. } => Some(
                "install helm 3.14 or newer, or name it in K8S_EE_HELM; see https://helm.sh/docs/intro/install/"
                    .to_owned(),
            ),
            Self::Run {
                source: ProgramError::Failed { stderr, .. },
                chart,
            } if chart.contains("oci://") => Some(if stderr.contains("HTTP response to HTTPS") {
                "the registry speaks plain HTTP: set K8S_EE_PLAIN_HTTP=1".to_owned()
            } else {
                format!("check that it can be pulled: helm show {chart}")
            }),
            Self::Run { .. } | Self::Package { .. } => None,
            Self::Digest { .. } => Some(
                "leave --chart out to use the chart that is built in, or pin the one that is meant by the registry's digest: \
                 --chart oci://…@sha256:…"
                    .to_owned(),
            ),
            Self::Folder { .. } | Self::Values(_) => Some("check that $TMPDIR can be written to".to_owned()),
        }
    }
}

/// Name or path of helm.
fn program() -> OsString {
    std::env::var_os("K8S_EE_HELM").unwrap_or_else(|| "helm".into())
}

/// Runs `helm template` and returns what it printed. Values go in a file, as JSON: YAML that could be misread is never
/// written, and nothing of them shows in the process list.
pub(super) async fn template(
    chart: &Chart,
    release: &str,
    namespace: &str,
    values: &Value,
) -> Result<String, HelmError> {
    let mut file = tempfile::Builder::new()
        .prefix("k8s-ee-values-")
        .suffix(".json")
        .tempfile()
        .map_err(HelmError::Values)?;
    file.write_all(yaml::as_json(values).as_bytes())
        .and_then(|()| file.flush())
        .map_err(HelmError::Values)?;

    let mut helm = Program::new(program())
        .arg("template")
        .arg(release)
        .arg(chart.reference())
        .arg("--namespace")
        .arg(namespace)
        // What is assumed of the cluster without asking it; helm's own guess may be older than the chart allows.
        .arg("--kube-version")
        .arg(KUBERNETES)
        .arg("--skip-tests")
        .arg("--values")
        .arg(file.path());
    if let Some(version) = chart.version() {
        helm = helm.arg("--version").arg(version);
    }
    match with_transport(helm).output(LIMIT).await {
        Ok(printed) => Ok(printed),
        Err(source) => Err(not_run(chart.shown(), source).await),
    }
}

/// Why helm failed. Its version is asked only now: most of the time it is new enough, and a process costs time.
async fn not_run(chart: &str, source: ProgramError) -> HelmError {
    if matches!(source, ProgramError::Failed { .. })
        && let Some(found) = version().await
        && is_too_old(&found)
    {
        return HelmError::TooOld { found, source };
    }
    HelmError::Run {
        chart: chart.to_owned(),
        source,
    }
}

/// Version of helm, such as `3.14.0`.
async fn version() -> Option<String> {
    let helm = Program::new(program()).arg("version").arg("--short");
    let printed = helm.output(LIMIT).await.ok()?;
    // `v3.14.0+gbc8b7b2`; helm 2 begins with `Client: `.
    let version = printed.trim().trim_start_matches("Client: ");
    let version = version.strip_prefix('v')?;
    Some(version.split('+').next().unwrap_or(version).to_owned())
}

fn is_too_old(version: &str) -> bool {
    let mut numbers = version.split('.').map(|number| number.parse::<u32>().ok());
    match (numbers.next().flatten(), numbers.next().flatten()) {
        (Some(major), Some(minor)) => (major, minor) < OLDEST,
        _ => false,
    }
}

/// Runs `helm pull` for the chart of this version, and makes sure that it is that.
pub(super) async fn pull(published: &Published<'_>) -> Result<Chart, HelmError> {
    let folder = tempfile::Builder::new()
        .prefix("k8s-ee-charts-")
        .tempdir()
        .map_err(|source| HelmError::Folder {
            chart: published.shown(),
            source,
        })?;
    let helm = Program::new(program())
        .arg("pull")
        .arg(published.reference)
        .arg("--version")
        .arg(published.version)
        .arg("--destination")
        .arg(folder.path());
    if let Err(source) = with_transport(helm).output(LIMIT).await {
        return Err(not_run(&published.shown(), source).await);
    }
    let name = published.reference.rsplit('/').next().unwrap_or_default();
    let package = folder
        .path()
        .join(format!("{name}-{}.tgz", published.version));
    let content = std::fs::read(&package).map_err(|source| HelmError::Package {
        chart: published.shown(),
        source,
    })?;
    let found = chart_package::sha256(&content);
    if found != published.sha256 {
        return Err(HelmError::Digest {
            chart: published.shown(),
            expected: published.sha256.clone(),
            found,
        });
    }
    Ok(Chart::downloaded(&package, folder, published))
}

/// How registries are talked to.
fn with_transport(helm: Program) -> Program {
    if std::env::var_os("K8S_EE_PLAIN_HTTP").is_some_and(|value| value == "1") {
        helm.arg("--plain-http")
    } else {
        helm
    }
}
