//! The table of parts, `sandbox/parts.toml`: every version in one place.

use std::{collections::BTreeMap, fs, path::PathBuf};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::paths;

/// The file as it stands.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    #[serde(rename = "part")]
    pub(super) parts: Vec<Part>,
}

/// A Go module, and the programs built from it. The head of `parts.toml` explains the keys.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Part {
    pub(super) name: String,
    pub(super) group: Group,
    pub(super) module: String,
    pub(super) version: String,
    pub(super) binaries: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) ldflags: Vec<String>,
    #[serde(default)]
    pub(super) replace: Vec<String>,
    pub(super) staging: Option<String>,
    #[serde(default)]
    pub(super) edit: Vec<Edit>,
    #[serde(default)]
    pub(super) stub: Vec<Stub>,
    #[serde(default)]
    pub(super) keep: Vec<String>,
}

/// What a part is for.
#[derive(Clone, Copy, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Group {
    /// Programs that tests use without a cluster too.
    Tools,
    /// The cluster itself.
    Cluster,
}

/// `find` in the module's file `file` becomes `put`. It must be there, once.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Edit {
    pub(super) file: String,
    pub(super) find: String,
    pub(super) put: String,
}

/// The files in the module's folder `folder` become those of `with`, a folder below `sandbox/`.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stub {
    pub(super) folder: String,
    pub(super) with: String,
}

impl Table {
    /// Reads `sandbox/parts.toml`.
    ///
    /// # Errors
    /// The file is missing or not what [`Table`] says.
    pub(super) fn load() -> Result<Self> {
        let file = paths::sources().join("parts.toml");
        let text =
            fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        Self::parse(&text).with_context(|| format!("in {}", file.display()))
    }

    fn parse(text: &str) -> Result<Self> {
        Ok(toml::from_str(text)?)
    }

    /// The parts that `names` (of parts or groups) mean, in the table's order; all for no name.
    ///
    /// # Errors
    /// A name that is neither.
    pub(super) fn select(&self, names: &[String]) -> Result<Vec<&Part>> {
        let means = |part: &Part, name: &str| match name {
            "tools" => part.group == Group::Tools,
            "cluster" => part.group == Group::Cluster,
            _ => part.name == name,
        };
        for name in names {
            if !self.parts.iter().any(|part| means(part, name)) {
                let known: Vec<_> = self.parts.iter().map(|part| part.name.as_str()).collect();
                bail!(
                    "there is no part `{name}`\nhint: the groups are tools and cluster, the parts {}",
                    known.join(", ")
                );
            }
        }
        let wanted = |part: &&Part| names.is_empty() || names.iter().any(|name| means(part, name));
        Ok(self.parts.iter().filter(wanted).collect())
    }

    /// The part that gives the program `binary`.
    pub(super) fn part_of(&self, binary: &str) -> Option<&Part> {
        self.parts
            .iter()
            .find(|part| part.binaries.contains_key(binary))
    }
}

impl Part {
    /// A name for what building this part with `go_version` gives: it changes when the entry, one of our own files
    /// that it names, or the compiler does.
    ///
    /// # Errors
    /// A folder that the entry names cannot be read.
    pub(super) fn content_key(&self, go_version: &str) -> Result<String> {
        let mut hash = Sha256::new();
        hash.update(serde_json::to_vec(self)?);
        hash.update(go_version);
        for folder in self.own_folders() {
            for file in files_below(&folder)? {
                hash.update(file.strip_prefix(&folder)?.to_string_lossy().as_bytes());
                hash.update(
                    fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?,
                );
            }
        }
        let digest = format!("{:x}", hash.finalize());
        Ok(format!("{}-{}", self.name, &digest[..16]))
    }

    /// Linker flags with the placeholders filled in.
    pub(super) fn linker_flags(&self) -> String {
        let mut flags = vec!["-s -w".to_owned()];
        flags.extend(
            self.ldflags
                .iter()
                .map(|flag| flag.replace("{version}", &self.version)),
        );
        flags.join(" ")
    }

    /// The Go import path of the program `binary`.
    pub(super) fn package(&self, folder: &str) -> String {
        match folder {
            "." => self.module.clone(),
            _ => format!("{}/{folder}", self.module),
        }
    }

    /// Folders below `sandbox/` that the entry names: stubs, and replacements of whole modules.
    fn own_folders(&self) -> Vec<PathBuf> {
        let sources = paths::sources();
        let stubs = self.stub.iter().map(|stub| sources.join(&stub.with));
        let modules = self
            .replace
            .iter()
            .filter_map(|line| line.split_once("{sandbox}/"))
            .map(|(_, folder)| sources.join(folder));
        stubs.chain(modules).collect()
    }
}

/// All files below `folder`, sorted.
pub(super) fn files_below(folder: &std::path::Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries =
            fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}
