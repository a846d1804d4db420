//! Where the sandbox keeps things: its files in the repository, the cache of what was built, the state of a run.

use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

/// `sandbox/` of this repository.
pub(super) fn sources() -> PathBuf {
    repository().join("sandbox")
}

/// The root of this repository.
pub(super) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask lies in the repository's root folder")
}

/// What was built, by content: `$K8S_EE_SANDBOX_CACHE`, or a folder in the user's cache.
pub(super) fn cache() -> PathBuf {
    if let Some(folder) = env::var_os("K8S_EE_SANDBOX_CACHE") {
        return folder.into();
    }
    let user_cache = env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .unwrap_or_else(|| home().join(".cache"));
    user_cache.join("k8s-ee/sandbox")
}

/// Everything a running sandbox writes: `$K8S_EE_SANDBOX_STATE`, or `/var/lib/k8s-ee-sandbox`.
pub(super) fn state() -> PathBuf {
    env::var_os("K8S_EE_SANDBOX_STATE")
        .map_or_else(|| "/var/lib/k8s-ee-sandbox".into(), PathBuf::from)
}

/// The programs that were built (symbolic links, so the folder can stay in a PATH).
pub fn bin_dir() -> PathBuf {
    cache().join("bin")
}

/// Keeps others from building into the cache until the file is dropped.
///
/// # Errors
/// The cache cannot be written.
pub(super) fn lock_cache() -> Result<File> {
    let place = cache().join("lock");
    fs::create_dir_all(cache())
        .and_then(|()| File::create(&place))
        .and_then(|file| file.lock().map(|()| file))
        .with_context(|| format!("cannot lock {}", place.display()))
}

fn home() -> PathBuf {
    env::var_os("HOME").map_or_else(|| "/root".into(), PathBuf::from)
}
