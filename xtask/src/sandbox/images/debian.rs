//! Images of Debian packages: a database with an entry point of ours, under the contract of the usual images.

use std::{
    fs,
    io::BufReader,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use super::{super::npm, Image, oci, paths, process};

/// Name of the entry point, as in the usual images.
const ENTRYPOINT: &str = "docker-entrypoint.sh";

/// Scripts of `sandbox/images/build/`, which mmdebstrap runs.
const HOOKS: [&str; 2] = ["account.sh", "files.sh"];

/// What the scripts say, as part of an image's key.
///
/// # Errors
/// One cannot be read.
pub(super) fn recipe() -> Result<Vec<u8>> {
    let mut text = Vec::new();
    for name in HOOKS {
        text.extend(super::read(&hook(name))?);
    }
    Ok(text)
}

/// Writes the layout folder `layout` of `image`, whose entry point is `script` and which has `programs` beside the
/// packages; `scratch` is a folder for files that are thrown away.
///
/// # Errors
/// A package cannot be had.
pub(super) fn write(
    image: &Image,
    script: &Path,
    programs: &[PathBuf],
    scratch: &Path,
    layout: &Path,
) -> Result<()> {
    let root = scratch.join("root.tar");
    let programs: Vec<_> = programs.iter().map(|file| file.to_string_lossy()).collect();
    let modules = scratch.join("npm");
    if !image.npm.is_empty() {
        npm::install(image.npm.values(), &modules)?;
    }
    let npm_programs: Vec<_> = image.npm.keys().map(String::as_str).collect();
    let mut bootstrap = Command::new("mmdebstrap");
    bootstrap
        .env("SOURCE_DATE_EPOCH", "0")
        .env("SCRIPT", script)
        .env("PROGRAMS", programs.join("\n"))
        .env("FOLDERS", image.folders.join("\n"))
        .env("OWNER", image.user.as_deref().unwrap_or("0:0"))
        .env("ACCOUNT", image.account.as_deref().unwrap_or_default())
        .env("NPM", modules)
        .env("NPM_PROGRAMS", npm_programs.join("\n"))
        .args(["--quiet", "--variant=minbase", "--skip=output/dev"])
        .arg("--aptopt=APT::Install-Recommends \"false\"");
    for folder in ["doc", "man", "locale", "info"] {
        bootstrap.arg(format!("--dpkgopt=path-exclude=/usr/share/{folder}/*"));
    }
    let [account, files] = HOOKS.map(|name| format!("bash '{}' \"$1\"", hook(name).display()));
    if image.account.is_some() {
        bootstrap.arg(format!("--essential-hook={account}"));
    }
    bootstrap
        .arg(format!("--include={}", image.debian.join(",")))
        .arg(format!("--customize-hook={files}"))
        .arg(release()?)
        .arg(&root)
        .arg(package_source()?);
    process::output(&mut bootstrap)?;
    let mut config = image.config();
    config.entrypoint = vec![ENTRYPOINT.to_owned()];
    oci::write(layout, BufReader::new(fs::File::open(&root)?), &config)?;
    Ok(())
}

fn hook(name: &str) -> PathBuf {
    paths::sources().join("images/build").join(name)
}

/// The machine's own package sources: whoever can install packages here can build the image.
fn package_source() -> Result<&'static str> {
    let sources = [
        "/etc/apt/sources.list.d/debian.sources",
        "/etc/apt/sources.list",
    ];
    sources
        .into_iter()
        .find(|file| Path::new(file).is_file())
        .with_context(|| format!("none of {} is there", sources.join(", ")))
}

/// Debian's name of this machine's release.
fn release() -> Result<String> {
    let text = fs::read_to_string("/etc/os-release").context("cannot read /etc/os-release")?;
    let name = text
        .lines()
        .find_map(|line| line.strip_prefix("VERSION_CODENAME="));
    Ok(name
        .context("/etc/os-release has no VERSION_CODENAME\nhint: database images need Debian")?
        .to_owned())
}
