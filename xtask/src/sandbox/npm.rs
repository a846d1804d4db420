//! Programs from npm.

use std::{ffi::OsStr, path::Path, process::Command};

use anyhow::{Context, Result};

use super::process;

/// Installs packages, each of the form `name@version`, into `node_modules` below `folder`.
///
/// # Errors
/// npm does not have them.
pub(super) fn install<P: AsRef<OsStr>>(
    packages: impl IntoIterator<Item = P>,
    folder: &Path,
) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    let mut npm = Command::new("npm");
    npm.args(["install", "--silent", "--no-audit", "--no-fund"])
        // Scripts compile for this machine, and only what is optional needs them.
        .args(["--omit=optional", "--ignore-scripts", "--prefix"])
        .arg(folder)
        .args(packages);
    process::output(&mut npm).context("hint: run `npm view PACKAGE` to see what npm says")?;
    Ok(())
}
