//! The images of `sandbox/images.toml`: built once by content, and put into the sandbox's registry.

use std::{
    collections::BTreeMap,
    env, fs,
    io::{self, BufReader},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    build,
    oci::{self, Config, Layer},
    paths, process,
};

/// Raise it when this file or `oci.rs` puts something else into images: it is part of their keys.
const RECIPE: u32 = 1;

/// PATH in every image.
const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(rename = "image")]
    images: Vec<Image>,
}

/// One image. The head of `images.toml` explains the keys. A key added later is skipped when it is empty, or every image
/// would be built again.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Image {
    refs: Vec<String>,
    program: Option<Program>,
    #[serde(default)]
    applets: bool,
    #[serde(default)]
    debian: Vec<String>,
    entrypoint: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    folders: Vec<String>,
    user: Option<String>,
    #[serde(default)]
    env: Vec<String>,
    #[serde(default)]
    databases: bool,
}

/// Where an image's one program comes from.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Program {
    Part(String),
    Crate(String),
    Host(PathBuf),
}

/// An image in the cache.
pub(super) struct Built {
    refs: Vec<String>,
    layout: PathBuf,
    digest: String,
}

/// Which images are wanted.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum Wanted {
    /// Those of this repository's own programs.
    Own,
    /// All but the database images, which are taken along if they were built before.
    Usual,
    /// All.
    Databases,
}

/// Builds what is wanted and not in the cache yet.
///
/// # Errors
/// A program or package cannot be had.
pub(super) fn build(wanted: Wanted) -> Result<Vec<Built>> {
    let file = paths::sources().join("images.toml");
    let text =
        fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let table: Table = toml::from_str(&text).with_context(|| format!("in {}", file.display()))?;
    let crates = table
        .images
        .iter()
        .filter_map(|image| match &image.program {
            Some(Program::Crate(name)) => Some(name.as_str()),
            _ => None,
        });
    let programs = build_crates(crates)?;
    let mut built = Vec::new();
    for image in table.images {
        if wanted == Wanted::Own && !matches!(image.program, Some(Program::Crate(_))) {
            continue;
        }
        let name = image.refs.join(", ");
        let layout = image
            .ensure(&programs, wanted)
            .with_context(|| format!("cannot build the image {name}"))?;
        if let Some(layout) = layout {
            let digest = oci::digest(&layout)?;
            built.push(Built {
                refs: image.refs,
                layout,
                digest,
            });
        }
    }
    Ok(built)
}

/// The static programs of this repository that the sandbox needs, by crate name.
///
/// # Errors
/// They do not compile.
pub(super) fn build_crates<'a>(
    names: impl Iterator<Item = &'a str>,
) -> Result<BTreeMap<String, PathBuf>> {
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    names.dedup();
    let host = process::output(Command::new("rustc").arg("-vV"))?;
    let triple = host
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .context("`rustc -vV` names no host")?;
    // A folder of its own: with the usual one, static linking would rebuild everything at each change of flags.
    let target = paths::cache().join("crates");
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .current_dir(paths::repository())
        .args(["build", "--quiet", "--release", "--target", triple])
        .env("CARGO_TARGET_DIR", &target)
        .env("RUSTFLAGS", "-C target-feature=+crt-static")
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    for name in &names {
        cargo.args(["--package", name]);
    }
    process::output(&mut cargo)?;
    let folder = target.join(triple).join("release");
    let program = |name: &&str| ((*name).to_owned(), folder.join(name));
    Ok(names.iter().map(program).collect())
}

impl Image {
    /// The image's layout folder in the cache; nothing for a database image that is not wanted and not there.
    fn ensure(
        &self,
        crates: &BTreeMap<String, PathBuf>,
        wanted: Wanted,
    ) -> Result<Option<PathBuf>> {
        let content = match (&self.program, &self.entrypoint) {
            (Some(program), None) => program.find(crates)?,
            (None, Some(script)) => paths::sources().join("images").join(script),
            _ => bail!("it needs either `program`, or `debian` and `entrypoint`"),
        };
        let folder = paths::cache().join("images");
        let layout = folder.join(self.content_key(&self.identity(&content)?)?);
        if layout.is_dir() {
            return Ok(Some(layout));
        }
        if self.databases && wanted != Wanted::Databases {
            return Ok(None);
        }
        let _lock = paths::lock_cache()?;
        // Somebody else may have built it while this one waited.
        if layout.is_dir() {
            return Ok(Some(layout));
        }
        eprintln!("building the image {}", self.refs[0]);
        fs::create_dir_all(&folder)?;
        let scratch = tempfile::Builder::new()
            .prefix(".building-")
            .tempdir_in(&folder)?;
        let fresh = scratch.path().join("layout");
        if self.program.is_some() {
            self.write_program(&content, &fresh)?;
        } else {
            self.write_debian(&content, scratch.path(), &fresh)?;
        }
        fs::rename(&fresh, &layout)?;
        Ok(Some(layout))
    }

    /// What tells this content from another: itself, or for a part its folder in the cache, which is named by content.
    fn identity(&self, content: &Path) -> Result<Vec<u8>> {
        let place = content.ancestors().nth(2).and_then(Path::file_name);
        match (&self.program, place) {
            (Some(Program::Part(_)), Some(name)) => Ok(name.as_encoded_bytes().to_vec()),
            _ => read(content),
        }
    }

    fn content_key(&self, content: &[u8]) -> Result<String> {
        let mut hash = Sha256::new();
        hash.update(RECIPE.to_be_bytes());
        hash.update(serde_json::to_vec(self)?);
        hash.update(content);
        let digest = format!("{:x}", hash.finalize());
        let name = self.refs[0].rsplit('/').next().unwrap_or_default();
        Ok(format!("{}-{}", name.replace(':', "-"), &digest[..16]))
    }

    fn write_program(&self, program: &Path, layout: &Path) -> Result<()> {
        let name = program
            .file_name()
            .and_then(|name| name.to_str())
            .context("the program has no name")?;
        let mut layer = Layer::base()?;
        for folder in &self.folders {
            layer.folder(folder, 0o755)?;
        }
        let mut config = self.config();
        if self.applets {
            let path = format!("bin/{name}");
            layer.file(&path, 0o755, &read(program)?)?;
            let applets = process::output(Command::new(program).arg("--list"))?;
            for applet in applets.lines().filter(|applet| *applet != name) {
                layer.link(&format!("bin/{applet}"), name)?;
            }
            config.cmd = vec!["sh".to_owned()];
        } else {
            layer.file(name, 0o755, &read(program)?)?;
            config.entrypoint = vec![format!("/{name}")];
        }
        oci::write(layout, layer.finish()?.as_slice(), &config)?;
        Ok(())
    }

    fn write_debian(&self, script: &Path, scratch: &Path, layout: &Path) -> Result<()> {
        let root = scratch.join("root.tar");
        // The machine's own package sources: whoever can install packages here can build the image.
        let sources = [
            "/etc/apt/sources.list.d/debian.sources",
            "/etc/apt/sources.list",
        ];
        let source = sources
            .iter()
            .find(|file| Path::new(file).is_file())
            .with_context(|| format!("none of {} is there", sources.join(", ")))?;
        let mut bootstrap = Command::new("mmdebstrap");
        bootstrap
            .env("SOURCE_DATE_EPOCH", "0")
            .args(["--quiet", "--variant=minbase", "--skip=output/dev"])
            .arg("--aptopt=APT::Install-Recommends \"false\"");
        for folder in ["doc", "man", "locale", "info"] {
            bootstrap.arg(format!("--dpkgopt=path-exclude=/usr/share/{folder}/*"));
        }
        bootstrap
            .arg(format!("--include={}", self.debian.join(",")))
            .arg(format!("--customize-hook=copy-in {} /", script.display()))
            // Data of the packages' own first start, the JIT compiler and package lists have no place in an image.
            .arg(
                "--customize-hook=cd \"$1\" && rm -rf var/lib/apt/lists/* var/cache/apt/* var/log/* \
                 var/lib/mysql/* var/lib/postgresql/*/main usr/lib/llvm* usr/lib/*/libLLVM* \
                 usr/lib/postgresql/*/lib/llvmjit* usr/lib/postgresql/*/lib/bitcode",
            )
            .arg(debian_release()?)
            .arg(&root)
            .arg(source);
        process::output(&mut bootstrap)?;
        let mut config = self.config();
        let name = script.file_name().unwrap_or_default().to_string_lossy();
        config.entrypoint = vec![format!("/{name}")];
        oci::write(layout, BufReader::new(fs::File::open(&root)?), &config)?;
        Ok(())
    }

    fn config(&self) -> Config {
        let mut env = vec![PATH.to_owned()];
        env.extend(self.env.iter().cloned());
        Config {
            env,
            user: self.user.clone(),
            ..Config::default()
        }
    }
}

impl Program {
    fn find(&self, crates: &BTreeMap<String, PathBuf>) -> Result<PathBuf> {
        match self {
            Self::Part(name) => {
                build::ensure_binaries(&[name])?;
                Ok(fs::canonicalize(paths::bin_dir().join(name))?)
            }
            Self::Crate(name) => {
                let program = crates.get(name);
                Ok(program.context("the crate was not built")?.clone())
            }
            Self::Host(file) => Ok(file.clone()),
        }
    }
}

fn read(file: &Path) -> Result<Vec<u8>> {
    fs::read(file).with_context(|| format!("cannot read {}", file.display()))
}

/// Debian's name of this machine's release.
fn debian_release() -> Result<String> {
    let text = fs::read_to_string("/etc/os-release").context("cannot read /etc/os-release")?;
    let name = text
        .lines()
        .find_map(|line| line.strip_prefix("VERSION_CODENAME="));
    Ok(name
        .context("/etc/os-release has no VERSION_CODENAME\nhint: database images need Debian")?
        .to_owned())
}

/// Puts images into the registry, unless it has them: `pushed`, a file beside the registry's data, says so.
/// `enter` wraps a command so that it reaches the registry.
///
/// # Errors
/// The registry does not take one.
pub(super) fn push(
    images: &[Built],
    pushed: &Path,
    registry: &str,
    enter: impl Fn(Command) -> Command,
) -> Result<usize> {
    let mut known: BTreeMap<String, String> = match fs::read(pushed) {
        Ok(bytes) => {
            serde_json::from_slice(&bytes).with_context(|| format!("in {}", pushed.display()))?
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
        Err(error) => {
            return Err(error).with_context(|| format!("cannot read {}", pushed.display()));
        }
    };
    let mut count = 0;
    for image in images {
        for name in &image.refs {
            if known.get(name) == Some(&image.digest) {
                continue;
            }
            let mut copy = Command::new("skopeo");
            copy.args([
                "copy",
                "--quiet",
                "--preserve-digests",
                "--dest-tls-verify=false",
            ])
            .arg(format!("oci:{}", image.layout.display()))
            .arg(format!("docker://{registry}/{}", repository(name)));
            process::output(&mut enter(copy))
                .with_context(|| format!("cannot push the image {name}"))?;
            known.insert(name.clone(), image.digest.clone());
            fs::write(pushed, serde_json::to_vec_pretty(&known)?)
                .with_context(|| format!("cannot write {}", pushed.display()))?;
            count += 1;
        }
    }
    Ok(count)
}

/// An image's name without its registry host.
fn repository(name: &str) -> &str {
    name.split_once('/').map_or(name, |(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(text: &str) -> Image {
        toml::from_str(text).expect("an image")
    }

    #[test]
    fn the_committed_table_is_well_formed() {
        let text = include_str!("../../../sandbox/images.toml");
        let table: Table = toml::from_str(text).expect("a table");
        let names: Vec<_> = table.images.iter().flat_map(|image| &image.refs).collect();
        assert!(
            names
                .iter()
                .any(|name| *name == "registry.test/testapp-root:1")
        );
        let mut unique = names.clone();
        unique.sort();
        unique.dedup();
        assert_eq!(unique.len(), names.len(), "a name stands twice");
        for image in &table.images {
            assert_eq!(
                image.program.is_some(),
                image.entrypoint.is_none() && image.debian.is_empty(),
                "{:?} has no single source",
                image.refs
            );
        }
    }

    #[test]
    fn entry_and_program_both_make_the_key() {
        let one = image("refs = [\"r/a:1\"]\nprogram = { crate = \"a\" }");
        let root = image("refs = [\"r/a:1\"]\nprogram = { crate = \"a\" }\nuser = \"1:1\"");
        let key = |image: &Image, content: &[u8]| image.content_key(content).expect("a key");
        assert_eq!(key(&one, b"x"), key(&one, b"x"));
        assert_ne!(key(&one, b"x"), key(&one, b"y"));
        assert_ne!(key(&one, b"x"), key(&root, b"x"));
        assert!(key(&one, b"x").starts_with("a-1-"));
    }

    #[test]
    fn the_registry_host_is_left_out() {
        assert_eq!(
            repository("docker.io/library/redis:7.0"),
            "library/redis:7.0"
        );
        assert_eq!(repository("registry.test/hello:1"), "hello:1");
    }
}
