//! The files of a repository that say what it needs, as far as they were read.

use std::collections::BTreeMap;

/// Names of compose files, in the order in which Docker takes them.
pub const COMPOSE_FILES: [&str; 4] = [
    "compose.yaml",
    "compose.yml",
    "docker-compose.yaml",
    "docker-compose.yml",
];

/// Files that say what a program is written with and depends on.
pub(super) const MANIFESTS: [&str; 11] = [
    "package.json",
    "pom.xml",
    "build.gradle",
    "build.gradle.kts",
    "pyproject.toml",
    "requirements.txt",
    "Pipfile",
    "go.mod",
    "Cargo.toml",
    "Gemfile",
    "composer.json",
];

/// What was read of a repository.
#[derive(Clone, Debug, Default)]
pub struct Repository {
    /// Name of its directory.
    pub directory: String,
    /// URL of its remote `origin`.
    pub remote: Option<String>,
    /// Texts of the files that [`is_wanted`] names, by their path with `/`.
    pub files: BTreeMap<String, String>,
}

/// Whether a file of this name is worth reading.
#[must_use]
pub fn is_wanted(name: &str) -> bool {
    COMPOSE_FILES.contains(&name)
        || MANIFESTS.contains(&name)
        || name == "mix.exs"
        || name.ends_with(".csproj")
        || is_dockerfile(name)
}

fn is_dockerfile(name: &str) -> bool {
    name == "Dockerfile" || name == "Containerfile"
}

impl Repository {
    /// The text of a file.
    pub(super) fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// The compose file at the root.
    pub(super) fn compose_file(&self) -> Option<&'static str> {
        COMPOSE_FILES
            .into_iter()
            .find(|name| self.files.contains_key(*name))
    }

    /// Paths of all Dockerfiles; the one at the root first.
    pub(super) fn dockerfiles(&self) -> Vec<&str> {
        let mut paths: Vec<&str> = self.files.keys().map(String::as_str).collect();
        // A path with line breaks can be told to nobody.
        let is_plain = |path: &str| !path.chars().any(char::is_control);
        paths.retain(|path| {
            is_plain(path) && is_dockerfile(path.rsplit('/').next().unwrap_or(path))
        });
        paths.sort_by_key(|path| (path.matches('/').count(), *path));
        paths
    }

    /// Files of a directory itself, with their paths; the root is the empty path.
    pub(super) fn files_in<'a>(
        &'a self,
        directory: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.files.iter().filter_map(move |(path, text)| {
            let (parent, _) = path.rsplit_once('/').unwrap_or(("", path));
            (parent == directory).then_some((path.as_str(), text.as_str()))
        })
    }

    /// Owner and name of the repository on GitHub, if it is there.
    #[must_use]
    pub fn github(&self) -> Option<&str> {
        let remote = self.remote.as_deref()?.trim();
        let path = remote
            .split_once("github.com")?
            .1
            .trim_start_matches([':', '/']);
        Some(
            path.strip_suffix(".git")
                .unwrap_or(path)
                .trim_end_matches('/'),
        )
    }
}

/// A path without `.` and doubled slashes.
pub(super) fn plain(path: &str) -> String {
    let parts = path
        .split('/')
        .filter(|part| !part.is_empty() && *part != ".");
    parts.collect::<Vec<_>>().join("/")
}

/// A path below a directory; the root is the empty path.
pub(super) fn join(directory: &str, name: &str) -> String {
    plain(&format!("{directory}/{name}"))
}
