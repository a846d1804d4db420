//! Where the chart comes from: compiled into the binary, a directory or archive, or an OCI registry.

use std::{
    io,
    path::{Path, PathBuf},
    str::FromStr,
};

use include_dir::{Dir, include_dir};
use tempfile::TempDir;

static CHARTS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/charts");

/// Name of the chart that makes an environment.
const ENVIRONMENT_CHART: &str = "k8s-ee-app";

/// Where the chart comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ChartSource {
    /// The chart of this version, compiled into the binary.
    #[default]
    BuiltIn,
    /// A directory or a packaged chart.
    Path(PathBuf),
    /// An OCI artifact.
    Oci {
        /// `oci://host/path/name`, with `@sha256:…` when pinned by digest.
        reference: String,
        /// Version; the binary's own when absent and the reference has no digest.
        version: Option<String>,
    },
}

impl FromStr for ChartSource {
    type Err = std::convert::Infallible;

    /// `oci://host/path[:version][@digest]`, else a path.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if !text.starts_with("oci://") {
            return Ok(Self::Path(PathBuf::from(text)));
        }
        if text.contains('@') {
            return Ok(Self::Oci {
                reference: text.to_owned(),
                version: None,
            });
        }
        // A colon after the last slash starts the version; one before it is a port.
        let name = text.rfind('/').unwrap_or(0);
        let (reference, version) = match text[name..].find(':') {
            Some(at) => (&text[..name + at], &text[name + at + 1..]),
            None => (text, env!("CARGO_PKG_VERSION")),
        };
        Ok(Self::Oci {
            reference: reference.to_owned(),
            version: Some(version.to_owned()),
        })
    }
}

/// A chart that helm can be pointed at, for as long as this lives.
#[derive(Debug)]
pub struct Chart {
    reference: String,
    version: Option<String>,
    // Keeps the unpacked built-in chart until helm has read it.
    unpacked: Option<TempDir>,
}

impl Chart {
    /// What helm takes as the chart.
    #[must_use]
    pub fn reference(&self) -> &str {
        &self.reference
    }

    /// For people.
    #[must_use]
    pub fn shown(&self) -> String {
        match (&self.unpacked, &self.version) {
            (Some(_), _) => "the built-in chart".to_owned(),
            (None, Some(version)) => format!("the chart {}:{version}", self.reference),
            (None, None) => format!("the chart {}", self.reference),
        }
    }

    /// What helm takes as `--version`.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }
}

impl ChartSource {
    /// Makes the chart available to helm.
    ///
    /// # Errors
    /// When the built-in chart cannot be written to a temporary directory.
    pub fn unpack(&self) -> io::Result<Chart> {
        Ok(match self {
            Self::BuiltIn => {
                let dir = tempfile::Builder::new()
                    .prefix("k8s-ee-charts-")
                    .tempdir()?;
                write_embedded(&CHARTS, dir.path())?;
                Chart {
                    reference: dir.path().join(ENVIRONMENT_CHART).display().to_string(),
                    version: None,
                    unpacked: Some(dir),
                }
            }
            Self::Path(path) => Chart {
                reference: path.display().to_string(),
                version: None,
                unpacked: None,
            },
            Self::Oci { reference, version } => Chart {
                reference: reference.clone(),
                version: version.clone(),
                unpacked: None,
            },
        })
    }
}

/// Writes the embedded charts out; the files that only their tests and readers need stay behind.
fn write_embedded(dir: &Dir<'_>, to: &Path) -> io::Result<()> {
    for entry in dir.dirs() {
        if entry.path().file_name().is_some_and(|name| name == "tests") {
            continue;
        }
        std::fs::create_dir_all(to.join(entry.path()))?;
        write_embedded(entry, to)?;
    }
    for file in dir.files() {
        if file
            .path()
            .extension()
            .is_some_and(|ext| ext == "md" || ext == "gotmpl")
        {
            continue;
        }
        std::fs::write(to.join(file.path()), file.contents())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_told_apart() {
        let of = |text: &str| text.parse::<ChartSource>().expect("never fails");
        assert_eq!(of("./charts/x"), ChartSource::Path("./charts/x".into()));
        assert_eq!(
            of("oci://localhost:5000/charts/k8s-ee-app:1.2.3"),
            ChartSource::Oci {
                reference: "oci://localhost:5000/charts/k8s-ee-app".to_owned(),
                version: Some("1.2.3".to_owned()),
            }
        );
        assert_eq!(
            of("oci://localhost:5000/charts/k8s-ee-app"),
            ChartSource::Oci {
                reference: "oci://localhost:5000/charts/k8s-ee-app".to_owned(),
                version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            }
        );
        assert_eq!(
            of("oci://ghcr.io/a/b@sha256:00"),
            ChartSource::Oci {
                reference: "oci://ghcr.io/a/b@sha256:00".to_owned(),
                version: None,
            }
        );
    }
}
