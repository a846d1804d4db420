//! The charts of this repository and the values that they are tried with.

use std::path::{Path, PathBuf};

use k8s_ee::render::yaml;
use serde_json::{Map, Value};

/// The folder of all charts.
pub(crate) fn charts_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("charts")
}

/// The charts that make objects.
pub(crate) fn applications() -> Vec<PathBuf> {
    let mut charts: Vec<PathBuf> = std::fs::read_dir(charts_folder())
        .expect("the repository has charts")
        .map(|entry| entry.expect("the folder can be read").path())
        .filter(|path| {
            let file = path.join("Chart.yaml");
            file.is_file() && read(&file)["type"] == "application"
        })
        .collect();
    charts.sort();
    charts
}

/// Name of a chart.
pub(crate) fn name(chart: &Path) -> &str {
    chart
        .file_name()
        .and_then(|name| name.to_str())
        .expect("charts have plain names")
}

/// A file with one YAML document.
///
/// # Panics
/// When there is none.
pub(crate) fn read(path: &Path) -> Value {
    let text = std::fs::read_to_string(path)
        .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
    let documents = yaml::read_stream(&text)
        .unwrap_or_else(|error| panic!("{} is not YAML: {error}", path.display()));
    let [document] = <[Value; 1]>::try_from(documents)
        .unwrap_or_else(|all| panic!("{} has {} documents", path.display(), all.len()));
    document
}

/// What the tests know of a chart: `tests/charts/values/CHART.yaml`.
#[derive(Debug)]
pub(crate) struct Trial {
    /// Values with which the chart makes one of every object it can make.
    pub(crate) base: Value,
    /// By value of the chart, something else that it could be.
    pub(crate) changes: Map<String, Value>,
    /// By value of the chart, others that must be set for a change of it to show.
    pub(crate) with: Map<String, Value>,
    /// Values that show in the chart `k8s-ee-app` only, which has to try them.
    pub(crate) parent: Vec<Value>,
}

impl Trial {
    /// Reads it.
    pub(crate) fn of(chart: &Path) -> Self {
        let file = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/charts/values")
            .join(format!("{}.yaml", name(chart)));
        let document = read(&file);
        let map = |key: &str| document[key].as_object().cloned().unwrap_or_default();
        let trial = Self {
            base: map("base").into(),
            changes: map("changes"),
            with: map("with"),
            parent: document["parent"].as_array().cloned().unwrap_or_default(),
        };
        assert!(
            !trial.changes.is_empty(),
            "{} has no changes",
            file.display()
        );
        trial
    }
}
