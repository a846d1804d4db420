//! The programs that the tests run, and how.

use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use k8s_ee::render::yaml;
use serde_json::Value;

/// A version of Kubernetes that the charts support. Helm 3 built from source believes in a very old one otherwise.
pub(crate) const KUBERNETES: &str = "1.33.0";

/// A program that was found.
#[derive(Debug)]
pub(crate) struct Tool(PathBuf);

/// The program in the sandbox's folder or the PATH. Without it, prints that the test is skipped.
///
/// # Panics
/// When it is missing and `K8S_EE_REQUIRE_TOOLS` is `1`.
pub(crate) fn find(name: &str) -> Option<Tool> {
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path)
        .chain([cache().join("bin")])
        .map(|folder| folder.join(name))
        .find(|program| program.is_file());
    if found.is_none() {
        let reason = format!("{name} is missing; build it: cargo xtask sandbox build {name}");
        assert!(!required(), "{reason}");
        eprintln!("skipped: {reason}");
    }
    found.map(Tool)
}

/// Whether a test that cannot run is a failure.
pub(crate) fn required() -> bool {
    env::var_os("K8S_EE_REQUIRE_TOOLS").is_some_and(|value| value == "1")
}

/// Helm 4 and Helm 3, as far as they are there.
pub(crate) fn helms() -> Vec<Tool> {
    ["helm", "helm3"].into_iter().filter_map(find).collect()
}

/// Where the sandbox keeps what it has built.
pub(crate) fn cache() -> PathBuf {
    env::var_os("K8S_EE_SANDBOX_CACHE").map_or_else(
        || {
            let user = env::var_os("XDG_CACHE_HOME").map_or_else(
                || PathBuf::from(env::var_os("HOME").unwrap_or_default()).join(".cache"),
                PathBuf::from,
            );
            user.join("k8s-ee/sandbox")
        },
        PathBuf::from,
    )
}

impl Tool {
    /// Runs it. Helm's plugins, repositories and settings of the person at the machine have no part in it.
    pub(crate) fn run<I>(&self, args: I) -> Output
    where
        I: IntoIterator,
        I::Item: AsRef<OsStr>,
    {
        Command::new(&self.0)
            .args(args)
            .env_clear()
            .env("PATH", env::var_os("PATH").unwrap_or_default())
            .env("HOME", env::temp_dir())
            .output()
            .unwrap_or_else(|error| panic!("cannot run {}: {error}", self.0.display()))
    }

    /// Runs it and returns what it printed.
    ///
    /// # Panics
    /// When it fails.
    pub(crate) fn succeed<I>(&self, args: I) -> String
    where
        I: IntoIterator,
        I::Item: AsRef<OsStr>,
    {
        let output = self.run(args);
        assert!(
            output.status.success(),
            "{} failed\n{}{}",
            self.0.display(),
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).expect("helm prints UTF-8")
    }

    /// The objects that helm makes of a chart with these values, sorted by kind and name.
    pub(crate) fn template(&self, chart: &Path, values: &Value) -> Vec<Value> {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let file = folder.path().join("values.json");
        std::fs::write(&file, values.to_string()).expect("the folder is ours");
        let text = self.succeed([
            OsStr::new("template"),
            OsStr::new("app"),
            chart.as_os_str(),
            OsStr::new("--kube-version"),
            OsStr::new(KUBERNETES),
            OsStr::new("--values"),
            file.as_os_str(),
        ]);
        let mut objects = yaml::read_stream(&text).expect("helm prints YAML");
        objects.sort_by_key(|object| format!("{} {}", object["kind"], object["metadata"]["name"]));
        objects
    }
}
