//! Builds the Go parts of the table: one way for all of them.
//!
//! Each part gets a small generated `go.mod` of its own, so that parts cannot disturb each other's versions; the
//! ordinary Go client downloads and verifies. What was built is kept by content and never built twice.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::{
    parts::{Part, Table},
    paths, process,
};

/// Builds the parts that `names` mean, unless the cache has them.
///
/// # Errors
/// Go is missing, a name is unknown, or a build fails.
pub(super) fn build(names: &[String]) -> Result<()> {
    let table = Table::load()?;
    let go = Go::find()?;
    for part in table.select(names)? {
        go.ensure(part)?;
    }
    if missing(&table)?.is_empty() {
        go.drop_caches()?;
    }
    Ok(())
}

/// The parts of a cluster that the cache does not have.
///
/// # Errors
/// Go is missing.
pub(super) fn missing(table: &Table) -> Result<Vec<&str>> {
    let go = Go::find()?;
    let mut missing = Vec::new();
    for part in table.select(&[])? {
        if !go.place_of(part)?.is_dir() {
            missing.push(part.name.as_str());
        }
    }
    Ok(missing)
}

/// Makes sure that the programs `binaries` (say, `helm`) are in [`bin_dir`](super::bin_dir): builds what is missing.
///
/// # Errors
/// No part has that program, Go is missing, or a build fails.
pub fn ensure_binaries(binaries: &[&str]) -> Result<()> {
    let table = Table::load()?;
    let go = Go::find()?;
    for binary in binaries {
        let part = table
            .part_of(binary)
            .with_context(|| format!("no part in sandbox/parts.toml gives `{binary}`"))?;
        go.ensure(part)?;
    }
    Ok(())
}

/// Path of a program of the table, which is built if the cache does not have it.
///
/// # Errors
/// As [`ensure_binaries`].
pub(super) fn program(binary: &str) -> Result<PathBuf> {
    ensure_binaries(&[binary])?;
    Ok(paths::bin_dir().join(binary))
}

/// Where the built part keeps its folder `folder` (see `keep` in the table).
///
/// # Errors
/// Go is missing, or the table has no such part.
pub(super) fn kept_folder(part: &str, folder: &str) -> Result<PathBuf> {
    let table = Table::load()?;
    let parts = table.select(&[part.to_owned()])?;
    let part = parts.first().expect("`select` refuses unknown names");
    Ok(Go::find()?.place_of(part)?.join(folder))
}

/// The Go compiler of this machine, with caches of the sandbox's own.
pub(super) struct Go {
    version: String,
    caches: PathBuf,
}

/// What `go mod download -json` says, as far as it matters here.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Download {
    dir: Option<PathBuf>,
    go_mod: Option<PathBuf>,
    error: Option<String>,
}

impl Go {
    pub(super) fn find() -> Result<Self> {
        let version = process::output(Command::new("go").args(["env", "GOVERSION"]))
            .context("hint: the sandbox is built with Go; install it from https://go.dev/dl")?;
        Ok(Self {
            version,
            caches: paths::cache().join("go"),
        })
    }

    /// Builds `part` if the cache does not have it, and links its programs into the `bin` folder.
    fn ensure(&self, part: &Part) -> Result<()> {
        let place = self.place_of(part)?;
        if !place.is_dir() {
            let _lock = paths::lock_cache()?;
            // Somebody else may have built it while this one waited.
            if !place.is_dir() {
                let start = Instant::now();
                eprintln!("building {} {}", part.name, part.version);
                self.build(part, &place)
                    .with_context(|| format!("cannot build {} {}", part.name, part.version))?;
                let seconds = start.elapsed().as_secs();
                eprintln!("built {} {} in {seconds} s", part.name, part.version);
            }
        }
        link_programs(part, &place)
    }

    fn place_of(&self, part: &Part) -> Result<PathBuf> {
        let key = part.content_key(&paths::sources(), &self.version)?;
        Ok(paths::cache().join("parts").join(key))
    }

    /// Builds into a scratch folder beside `place` and moves the result there in one step: a build that was killed
    /// leaves nothing that looks finished.
    fn build(&self, part: &Part, place: &Path) -> Result<()> {
        let parts = paths::cache().join("parts");
        fs::create_dir_all(&parts)?;
        let scratch = tempfile::Builder::new()
            .prefix(".building-")
            .tempdir_in(&parts)?;
        let work = scratch.path();
        let log = parts.join(format!("{}.log", part.name));
        fs::write(&log, "")?;

        let module = self.download(&part.module, &part.version)?;
        let source = module
            .dir
            .with_context(|| format!("go downloaded no source of {}", part.module))?;
        let go_mod = module.go_mod.map(fs::read_to_string).transpose()?;
        let mut replace: Vec<String> = part
            .replace
            .iter()
            .map(|line| line.replace("{sandbox}", &paths::sources().to_string_lossy()))
            .collect();
        if let Some(version) = &part.staging {
            replace.extend(staging(&go_mod.unwrap_or_default(), version));
        }
        if !part.edit.is_empty() || !part.stub.is_empty() {
            let copy = work.join("source");
            copy_folder(&source, &copy)?;
            change(part, &copy)?;
            replace.push(format!("{} => ./source", part.module));
        }
        fs::write(work.join("go.mod"), self.go_mod(part, &replace))?;

        let result = work.join("result");
        for (binary, folder) in &part.binaries {
            let mut build = self.command();
            if part.cgo {
                build.env("CGO_ENABLED", "1");
            }
            build
                .current_dir(work)
                .args(["build", "-mod=mod", "-trimpath"])
                .arg(format!("-tags={}", part.tags.join(",")))
                .arg("-ldflags")
                .arg(part.linker_flags())
                .arg("-o")
                .arg(result.join("bin").join(binary))
                .arg(part.package(folder));
            process::logged(&mut build, &log)?;
        }
        for folder in &part.keep {
            copy_folder(&source.join(folder), &result.join(folder))?;
        }
        fs::rename(&result, place)
            .with_context(|| format!("cannot move what was built to {}", place.display()))
    }

    /// Folder of the module's verified source in the module cache.
    pub(super) fn source(&self, module: &str, version: &str) -> Result<PathBuf> {
        let download = self.download(module, version)?;
        download
            .dir
            .with_context(|| format!("go downloaded no source of {module}"))
    }

    /// The module's verified source in the module cache.
    fn download(&self, module: &str, version: &str) -> Result<Download> {
        let mut command = self.command();
        command
            .args(["mod", "download", "-json"])
            .arg(format!("{module}@{version}"))
            .current_dir(paths::cache());
        let answer = process::output(&mut command)?;
        let download: Download = serde_json::from_str(&answer)
            .with_context(|| format!("`go mod download` answered for {module}"))?;
        match download.error {
            Some(error) => bail!("cannot download {module} {version}: {error}"),
            None => Ok(download),
        }
    }

    fn go_mod(&self, part: &Part, replace: &[String]) -> String {
        let mut text = self.requiring(&part.module, &part.version);
        for line in replace {
            text.push_str(&format!("\nreplace {line}\n"));
        }
        text
    }

    /// A `go.mod` that requires one module.
    pub(super) fn requiring(&self, module: &str, version: &str) -> String {
        let language = self.version.trim_start_matches("go");
        format!("module sandbox\n\ngo {language}\n\nrequire {module} {version}\n")
    }

    pub(super) fn command(&self) -> Command {
        self.with_caches(Command::new("go"))
    }

    /// A program that runs Go, with the caches of the sandbox.
    pub(super) fn with_caches(&self, mut command: Command) -> Command {
        command
            .env("CGO_ENABLED", "0")
            .env("GOFLAGS", "-buildvcs=false -modcacherw")
            .env("GOTOOLCHAIN", "local")
            .env("GOWORK", "off")
            .env("GOCACHE", self.caches.join("build"))
            .env("GOMODCACHE", self.caches.join("mod"));
        command
    }

    /// The caches pass 30 GB and are of no use once every part is there.
    fn drop_caches(&self) -> Result<()> {
        if self.caches.exists() {
            let _lock = paths::lock_cache()?;
            eprintln!("every part is built: dropping Go's caches");
            fs::remove_dir_all(&self.caches)
                .with_context(|| format!("cannot remove {}", self.caches.display()))?;
        }
        Ok(())
    }
}

/// The replacements for what a module's own `go.mod` takes from its `./staging` folder, which is not in its download.
fn staging(go_mod: &str, version: &str) -> Vec<String> {
    go_mod
        .lines()
        .filter_map(|line| line.trim().split_once(" => ./staging/"))
        .map(|(module, _)| {
            let module = module.trim_start_matches("replace ");
            format!("{module} => {module} {version}")
        })
        .collect()
}

/// Applies the part's edits and stubs to the copy of its source.
fn change(part: &Part, copy: &Path) -> Result<()> {
    for edit in &part.edit {
        let file = copy.join(&edit.file);
        let text =
            fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        if text.matches(&edit.find).count() != 1 {
            bail!(
                "{} of {} {} does not have the text to edit exactly once\nhint: look at `edit` of that part in sandbox/parts.toml",
                edit.file,
                part.name,
                part.version
            );
        }
        fs::write(&file, text.replace(&edit.find, &edit.put))?;
    }
    for stub in &part.stub {
        let folder = copy.join(&stub.folder);
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        copy_folder(&paths::sources().join(&stub.with), &folder)?;
    }
    Ok(())
}

/// Copies a folder with all below it; the copy can be written to, whatever the original's mode.
fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    let mut copy = Command::new("cp");
    copy.args(["-r", "--no-preserve=mode", "-T"])
        .arg(from)
        .arg(to);
    fs::create_dir_all(to)?;
    process::output(&mut copy)?;
    Ok(())
}

/// Points `bin/<program>` at this build.
fn link_programs(part: &Part, place: &Path) -> Result<()> {
    let bin = paths::bin_dir();
    fs::create_dir_all(&bin)?;
    for binary in part.binaries.keys() {
        let target = place.join("bin").join(binary);
        let link = bin.join(binary);
        if fs::read_link(&link).ok().as_ref() == Some(&target) {
            continue;
        }
        // Renamed into place, so that a test which runs the program meanwhile finds the old one or the new one.
        let fresh = bin.join(format!(".{binary}.new"));
        if fs::symlink_metadata(&fresh).is_ok() {
            fs::remove_file(&fresh)?;
        }
        std::os::unix::fs::symlink(&target, &fresh)?;
        fs::rename(&fresh, &link)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn staging_modules_are_replaced_by_their_releases() {
        let go_mod = "\
module k8s.io/kubernetes

replace (
\tk8s.io/api => ./staging/src/k8s.io/api
\texample.com/fork => example.com/other v1.0.0
)

replace k8s.io/kubectl => ./staging/src/k8s.io/kubectl
";
        assert_eq!(
            staging(go_mod, "v0.35.4"),
            [
                "k8s.io/api => k8s.io/api v0.35.4",
                "k8s.io/kubectl => k8s.io/kubectl v0.35.4"
            ]
        );
    }
}
