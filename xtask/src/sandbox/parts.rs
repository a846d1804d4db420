//! The table of parts, `sandbox/parts.toml`: every version in one place.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::paths;

/// The file as it stands.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    pub(super) debian: Debian,
    #[serde(rename = "part")]
    pub(super) parts: Vec<Part>,
    #[serde(rename = "crd")]
    pub(super) crds: Vec<Crd>,
}

/// Where a custom resource definition comes from. `parts.toml` explains the keys.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Crd {
    pub(super) name: String,
    pub(super) module: Option<String>,
    #[serde(rename = "crate")]
    pub(super) package: Option<String>,
    pub(super) version: String,
    pub(super) types: Option<String>,
    pub(super) file: String,
}

/// Debian packages, each with a file that shows whether it is installed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Debian {
    /// What a running cluster needs.
    pub(super) cluster: BTreeMap<String, PathBuf>,
    /// What building the database images needs beyond that.
    pub(super) databases: BTreeMap<String, PathBuf>,
}

/// A Go module, and the programs built from it. The head of `parts.toml` explains the keys. A key added later must be
/// skipped when it is empty, or every part would be built again: the entry as JSON is in [`Part::content_key`].
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
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) tags: Vec<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) cgo: bool,
}

/// What a part is for.
#[derive(Clone, Copy, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Group {
    /// Programs that tests use without a cluster too.
    Tools,
    /// The cluster itself.
    Cluster,
    /// Programs for the images of databases, which not every cluster needs.
    Databases,
    /// A forge and runners of workflows, for the tests of actions.
    Forge,
    /// What is measured beside `k8s-ee`, or measures it.
    Bench,
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

    /// The parts that `names` (of parts or groups) mean, in the table's order; those of a cluster for no name.
    ///
    /// # Errors
    /// A name that is neither.
    pub(super) fn select(&self, names: &[String]) -> Result<Vec<&Part>> {
        let means = |part: &Part, name: &str| match name {
            "tools" => part.group == Group::Tools,
            "cluster" => part.group == Group::Cluster,
            "databases" => part.group == Group::Databases,
            "forge" => part.group == Group::Forge,
            "bench" => part.group == Group::Bench,
            _ => part.name == name,
        };
        for name in names {
            if !self.parts.iter().any(|part| means(part, name)) {
                let known: Vec<_> = self.parts.iter().map(|part| part.name.as_str()).collect();
                bail!(
                    "there is no part `{name}`\nhint: the groups are tools, cluster, databases, forge and bench, the parts {}",
                    known.join(", ")
                );
            }
        }
        let usual = ["tools".to_owned(), "cluster".to_owned()];
        let names = if names.is_empty() { &usual } else { names };
        let wanted = |part: &&Part| names.iter().any(|name| means(part, name));
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
    /// that it names (below `sources`, the folder `sandbox/`), or the compiler does.
    ///
    /// # Errors
    /// A folder that the entry names cannot be read.
    pub(super) fn content_key(&self, sources: &Path, go_version: &str) -> Result<String> {
        let mut hash = Sha256::new();
        hash.update(serde_json::to_vec(self)?);
        hash.update(go_version);
        for folder in self.own_folders(sources) {
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

    /// The Go import path of the package in the module's folder `folder`.
    pub(super) fn package(&self, folder: &str) -> String {
        match folder {
            "." => self.module.clone(),
            _ => format!("{}/{folder}", self.module),
        }
    }

    /// Folders below `sandbox/` that the entry names: stubs, and replacements of whole modules.
    fn own_folders(&self, sources: &Path) -> Vec<PathBuf> {
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
fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        Table::parse(include_str!("../../../sandbox/parts.toml")).expect("the committed table")
    }

    fn names(parts: &[&Part]) -> Vec<String> {
        parts.iter().map(|part| part.name.clone()).collect()
    }

    #[test]
    fn the_committed_table_names_every_part_and_program_once() {
        let table = table();
        let mut names: Vec<&String> = table.parts.iter().map(|part| &part.name).collect();
        let mut programs: Vec<&String> = table
            .parts
            .iter()
            .flat_map(|part| part.binaries.keys())
            .collect();
        for list in [&mut names, &mut programs] {
            list.sort();
            let count = list.len();
            list.dedup();
            assert_eq!(list.len(), count, "{list:?}");
        }
        assert_eq!(
            table.part_of("kubelet").map(|part| part.name.as_str()),
            Some("kubernetes")
        );
    }

    #[test]
    fn parts_are_selected_by_name_and_by_group_in_the_order_of_the_table() {
        let table = table();
        let select = |wanted: &[&str]| {
            let wanted: Vec<String> = wanted.iter().map(|&name| name.to_owned()).collect();
            table.select(&wanted).map(|parts| names(&parts))
        };
        let usual = select(&[]).expect("the usual ones");
        assert!(usual.contains(&"etcd".to_owned()) && !usual.contains(&"minio".to_owned()));
        let more = select(&["databases", "forge", "bench"]).expect("three groups");
        assert_eq!(usual.len() + more.len(), table.parts.len());
        assert_eq!(
            select(&["kubectl", "helm"]).expect("two"),
            ["helm", "kubectl"]
        );
        let tools = select(&["tools"]).expect("a group");
        assert!(tools.contains(&"kubeconform".to_owned()) && !tools.contains(&"etcd".to_owned()));
        let error = select(&["helmm"]).expect_err("unknown").to_string();
        assert!(
            error.contains("no part `helmm`") && error.contains("helm3"),
            "{error}"
        );
    }

    #[test]
    fn an_unknown_key_is_refused() {
        let text = "[debian.cluster]\n[debian.databases]\n[[part]]\nname = \"a\"\ngroup = \"tools\"\nmodule = \"m\"\nversion = \"v1\"\nbinaries = {}\nldflag = []\n";
        let error = Table::parse(text)
            .err()
            .expect("a typing error")
            .to_string();
        assert!(error.contains("ldflag"), "{error}");
    }

    #[test]
    fn the_key_follows_the_entry_our_own_files_and_the_compiler() {
        let sources = tempfile::tempdir().expect("a scratch folder");
        let stub = sources.path().join("stubs/traefik");
        for folder in ["acme", "ext", "lego"] {
            fs::create_dir_all(stub.join(folder)).expect("a folder");
        }
        fs::write(stub.join("ext/ext.go"), "package ext").expect("a file");
        let mut table = table();
        let part = table
            .parts
            .iter_mut()
            .find(|part| part.name == "traefik")
            .expect("traefik");
        let key = |part: &Part, go: &str| part.content_key(sources.path(), go).expect("a key");

        let first = key(part, "go1.26.8");
        assert_eq!(key(part, "go1.26.8"), first);
        assert!(first.starts_with("traefik-"), "{first}");
        assert_ne!(key(part, "go1.26.9"), first);
        fs::write(stub.join("ext/ext.go"), "package ext // changed").expect("a file");
        let changed = key(part, "go1.26.8");
        assert_ne!(changed, first);
        part.version = "v3.7.14".to_owned();
        assert_ne!(key(part, "go1.26.8"), changed);
    }

    #[test]
    fn the_version_reaches_the_linker() {
        let table = table();
        let helm = table.part_of("helm").expect("helm");
        assert!(
            helm.linker_flags()
                .ends_with(&format!("version={}", helm.version))
        );
        assert_eq!(helm.package("cmd/helm"), "helm.sh/helm/v4/cmd/helm");
        assert_eq!(helm.package("."), "helm.sh/helm/v4");
    }
}
