//! What is known about a running sandbox: a small record in the state folder.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::paths;

/// The record. It is written as soon as there is something to clean up, and removed last of all.
#[derive(Deserialize, Serialize)]
pub(super) struct Run {
    pub(super) cluster: Kind,
    /// Everything answered once; without it, `up` was stopped half-way.
    pub(super) ready: bool,
}

/// How the cluster runs.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Kind {
    /// In namespaces of this machine.
    Bare {
        init: Process,
        /// Settings of the machine that `up` changed, and what they were.
        sysctls: Vec<(String, String)>,
    },
    /// In Docker containers.
    K3d,
}

/// A process, named so that no later one can be taken for it.
#[derive(Clone, Copy, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Process {
    pub(super) pid: u32,
    /// When it began, in clock ticks since the machine did.
    started: u64,
}

impl Run {
    /// The record in the state folder, if there is one.
    ///
    /// # Errors
    /// It cannot be read or understood.
    pub(super) fn load() -> Result<Option<Self>> {
        let file = file();
        match fs::read(&file) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .with_context(|| format!("in {}", file.display()))
                .map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", file.display())),
        }
    }

    /// Writes the record, all of it or nothing.
    ///
    /// # Errors
    /// The state folder cannot be written.
    pub(super) fn save(&self) -> Result<()> {
        let file = file();
        let fresh = file.with_extension("new");
        fs::write(&fresh, serde_json::to_vec_pretty(self)?)
            .and_then(|()| fs::rename(&fresh, &file))
            .with_context(|| format!("cannot write {}", file.display()))
    }

    /// Removes the record.
    ///
    /// # Errors
    /// It cannot be removed.
    pub(super) fn forget() -> Result<()> {
        remove(&file())
    }
}

impl Process {
    /// The process `pid`, if it is there.
    pub(super) fn find(pid: u32) -> Option<Self> {
        let started = start_time(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)?;
        Some(Self { pid, started })
    }

    /// Is it still this process?
    pub(super) fn is_alive(self) -> bool {
        Self::find(self.pid) == Some(self)
    }
}

/// Keeps others from starting or stopping the sandbox until the file is dropped.
///
/// # Errors
/// The state folder cannot be written.
pub(super) fn lock() -> Result<File> {
    let folder = paths::state();
    let place = folder.join("lock");
    fs::create_dir_all(&folder).with_context(|| {
        format!(
            "cannot make {}\nhint: run as root, or set K8S_EE_SANDBOX_STATE",
            folder.display()
        )
    })?;
    let file = File::create(&place).with_context(|| format!("cannot write {}", place.display()))?;
    file.lock()?;
    Ok(file)
}

/// Removes a file or a folder with all below it, if it is there.
///
/// # Errors
/// It is there and stays.
pub(super) fn remove(path: &Path) -> Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(data) if data.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// The administrator's kubeconfig of the running cluster.
pub fn kubeconfig() -> PathBuf {
    paths::state().join("kubeconfig")
}

fn file() -> PathBuf {
    paths::state().join("run.json")
}

/// Field 22 of `/proc/PID/stat`; the second field is the program's name, which may have spaces and brackets.
fn start_time(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_time_is_found_behind_any_program_name() {
        let rest = "S 1 2 3 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4711 0 0";
        assert_eq!(start_time(&format!("7 (a) b) {rest}")), Some(4711));
        assert_eq!(start_time("7 (cut"), None);
    }

    #[test]
    fn a_reused_pid_is_another_process() {
        let own = Process::find(std::process::id()).expect("this process");
        assert!(own.is_alive());
        let earlier = Process {
            started: own.started - 1,
            ..own
        };
        assert!(!earlier.is_alive());
    }
}
