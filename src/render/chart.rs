//! Where the chart comes from: compiled into the binary, a directory or archive, or an OCI registry.

use std::{
    ffi::OsStr,
    io,
    path::{Path, PathBuf},
    str::FromStr,
};

use include_dir::{Dir, include_dir};
use tempfile::TempDir;

static CHARTS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/charts");

/// Name of the chart that makes an environment.
const ENVIRONMENT_CHART: &str = "k8s-ee-app";

/// The version of this program, which its charts share.
const VERSION: &str = env!("CARGO_PKG_VERSION");

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
            None => (text, VERSION),
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
    shown: String,
    // Keeps the unpacked or downloaded chart until helm has read it.
    _folder: Option<TempDir>,
}

/// The chart of this version in a registry, of which is known what it must be.
#[derive(Clone, Debug)]
pub struct Published<'a> {
    /// `oci://host/path/name`.
    pub reference: &'a str,
    /// Version.
    pub version: &'a str,
    /// SHA-256 of the package, in hexadecimal digits.
    pub sha256: String,
}

impl Chart {
    /// What helm takes as the chart.
    #[must_use]
    pub fn reference(&self) -> &str {
        &self.reference
    }

    /// For people.
    #[must_use]
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// A package in a folder of its own.
    pub(super) fn downloaded(package: &Path, folder: TempDir, published: &Published<'_>) -> Self {
        Self {
            reference: package.display().to_string(),
            version: None,
            shown: published.shown(),
            _folder: Some(folder),
        }
    }

    /// What helm takes as `--version`.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }
}

impl Published<'_> {
    /// For people.
    pub(super) fn shown(&self) -> String {
        format!("the chart {}:{}", self.reference, self.version)
    }
}

/// The package of the chart that is compiled in, as it is published.
#[must_use]
pub fn package() -> Vec<u8> {
    let root = CHARTS
        .get_dir(ENVIRONMENT_CHART)
        .expect("the chart is compiled in");
    let mut files = Vec::new();
    collect(root, root.path(), &mut files);
    chart_package::pack(ENVIRONMENT_CHART, files).expect("its paths are short, a test packs it")
}

fn collect(dir: &Dir<'_>, root: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) {
    for file in dir.files() {
        let path = file.path().strip_prefix(root);
        let path = path.expect("files are below their folder").to_owned();
        files.push((path, file.contents().to_vec()));
    }
    for dir in dir.dirs() {
        collect(dir, root, files);
    }
}

impl ChartSource {
    /// The chart of this version in a registry, when that is what is meant: one by another name or version, or pinned by a
    /// digest of its own, is not known here.
    #[must_use]
    pub fn published(&self) -> Option<Published<'_>> {
        match self {
            Self::Oci {
                reference,
                version: Some(version),
            } if version == VERSION && reference.rsplit('/').next() == Some(ENVIRONMENT_CHART) => {
                Some(Published {
                    reference,
                    version,
                    sha256: chart_package::sha256(&package()),
                })
            }
            _ => None,
        }
    }

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
                    shown: "the built-in chart".to_owned(),
                    _folder: Some(dir),
                }
            }
            Self::Path(path) => Chart {
                reference: path.display().to_string(),
                version: None,
                shown: format!("the chart {}", path.display()),
                _folder: None,
            },
            Self::Oci { reference, version } => Chart {
                reference: reference.clone(),
                version: version.clone(),
                shown: match version {
                    Some(version) => format!("the chart {reference}:{version}"),
                    None => format!("the chart {reference}"),
                },
                _folder: None,
            },
        })
    }
}

/// Writes the embedded charts out; what only their tests, their readers and the platform need stays behind.
fn write_embedded(dir: &Dir<'_>, to: &Path) -> io::Result<()> {
    for entry in dir.dirs() {
        let unused = ["tests", "k8s-ee-platform"].map(OsStr::new);
        if entry
            .path()
            .file_name()
            .is_some_and(|name| unused.contains(&name))
        {
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
    fn the_chart_of_this_version_is_known_by_its_digest() {
        let of = |text: &str| text.parse::<ChartSource>().expect("never fails");
        let known = |text: &str| of(text).published().map(|published| published.sha256);
        let own = chart_package::sha256(&package());
        assert_eq!(known("oci://host/charts/k8s-ee-app"), Some(own.clone()));
        let with_version = format!("oci://host:5000/charts/k8s-ee-app:{VERSION}");
        assert_eq!(known(&with_version), Some(own));
        for other in [
            "oci://host/charts/k8s-ee-app:99.0.0",
            "oci://host/charts/k8s-ee-app@sha256:00",
            "oci://host/charts/mine",
            "charts/k8s-ee-app",
        ] {
            assert_eq!(known(other), None, "{other}");
        }
    }

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
