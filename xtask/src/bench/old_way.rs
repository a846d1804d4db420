//! The programs that files were checked with before: `yq` makes JSON of the YAML, `ajv` holds it against the schema.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Result;

use crate::sandbox;

/// From npm, each in the version that was in use.
const PACKAGES: [&str; 2] = ["ajv-cli@5.0.0", "ajv-formats@3.0.1"];

/// The programs, installed.
pub(super) struct OldWay {
    modules: PathBuf,
}

impl OldWay {
    /// Installs what is missing.
    ///
    /// # Errors
    /// npm or Go cannot have it.
    pub(super) fn ensure() -> Result<Self> {
        sandbox::ensure_tools(&["yq"])?;
        let folder = sandbox::ensure_npm(&PACKAGES)?;
        Ok(Self {
            modules: folder.join("node_modules"),
        })
    }

    /// What is run, one after the other, to check the file of a folder.
    pub(super) fn validate(&self, folder: &Path, schema: &Path) -> Vec<Command> {
        let mut yq = Command::new("sh");
        yq.current_dir(folder)
            .args(["-c", "yq -o=json . k8s-ee.yaml > k8s-ee.json"]);
        let mut ajv = Command::new("node");
        ajv.current_dir(folder)
            .arg(self.modules.join("ajv-cli/dist/index.js"))
            .args(["validate", "--all-errors", "--strict=false", "-c"])
            .arg(self.modules.join("ajv-formats"))
            .arg("-s")
            .arg(schema)
            .args(["-d", "k8s-ee.json"]);
        vec![yq, ajv]
    }
}
