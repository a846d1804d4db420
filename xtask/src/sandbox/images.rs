//! The images of `sandbox/images.toml`: built once by content, and put into the sandbox's registry.

mod debian;

use std::{
    collections::BTreeMap,
    env, fs, io,
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

/// Raise it when this file, `debian.rs` or `oci.rs` puts something else into images: it is part of their keys.
const RECIPE: u32 = 2;

/// Program with the applets of the key `applets`.
const BUSYBOX: &str = "/bin/busybox";

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
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    also: Vec<Program>,
    #[serde(default)]
    applets: bool,
    #[serde(default)]
    debian: Vec<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    npm: BTreeMap<String, String>,
    entrypoint: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    command: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    folders: Vec<String>,
    user: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    #[serde(default)]
    env: Vec<String>,
    #[serde(default)]
    costly: bool,
}

/// Where a program comes from.
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
#[derive(Clone, Copy)]
pub(super) struct Wanted {
    /// Those too that take minutes to build.
    pub(super) costly: bool,
    /// Only those of this repository's own programs: others have no use where a Docker engine pulls the real ones.
    pub(super) own: bool,
}

impl Wanted {
    fn has(self, image: &Image) -> bool {
        let own = matches!(image.program, Some(Program::Crate(_)));
        (self.costly || !image.costly) && (own || !self.own)
    }
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
    let images: Vec<Image> = table
        .images
        .into_iter()
        .filter(|image| wanted.has(image))
        .collect();
    let crates = images
        .iter()
        .flat_map(Image::programs)
        .filter_map(|program| match program {
            Program::Crate(name) => Some(name.as_str()),
            _ => None,
        });
    let programs = build_crates(crates)?;
    let mut built = Vec::new();
    for image in images {
        let name = image.refs.join(", ");
        let layout = image
            .ensure(&programs)
            .with_context(|| format!("cannot build the image {name}"))?;
        let digest = oci::digest(&layout)?;
        built.push(Built {
            refs: image.refs,
            layout,
            digest,
        });
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
        // What is handed out is optimized across crates; here that would only cost minutes at every change.
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
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
    fn programs(&self) -> impl Iterator<Item = &Program> {
        self.program.iter().chain(&self.also)
    }

    /// The image's layout folder in the cache.
    fn ensure(&self, crates: &BTreeMap<String, PathBuf>) -> Result<PathBuf> {
        let script = self.script()?;
        let mut content = Vec::new();
        let mut files = Vec::new();
        for program in self.programs() {
            let file = program.find(crates)?;
            content.extend(program.identity(&file)?);
            files.push(file);
        }
        if let Some(script) = &script {
            content.extend(read(script)?);
            content.extend(debian::recipe()?);
        }
        let folder = paths::cache().join("images");
        let layout = folder.join(self.content_key(&content)?);
        if layout.is_dir() {
            return Ok(layout);
        }
        let _lock = paths::lock_cache()?;
        // Somebody else may have built it while this one waited.
        if layout.is_dir() {
            return Ok(layout);
        }
        eprintln!("building the image {}", self.refs[0]);
        fs::create_dir_all(&folder)?;
        let scratch = tempfile::Builder::new()
            .prefix(".building-")
            .tempdir_in(&folder)?;
        let fresh = scratch.path().join("layout");
        match &script {
            None => self.write_programs(&files, &fresh)?,
            Some(script) => debian::write(self, script, &files, scratch.path(), &fresh)?,
        }
        fs::rename(&fresh, &layout)?;
        Ok(layout)
    }

    /// The entry point of an image of Debian packages.
    fn script(&self) -> Result<Option<PathBuf>> {
        match (&self.program, &self.entrypoint) {
            (Some(_), None) => Ok(None),
            (None, Some(script)) => Ok(Some(paths::sources().join("images").join(script))),
            _ => bail!("it needs either `program`, or `debian` and `entrypoint`"),
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

    /// Writes an image of static programs, of which the first is what it runs.
    fn write_programs(&self, programs: &[PathBuf], layout: &Path) -> Result<()> {
        let mut layer = Layer::base()?;
        for folder in &self.folders {
            layer.folder(folder, 0o755)?;
        }
        let mut config = self.config();
        if self.applets {
            let busybox = Path::new(BUSYBOX);
            layer.file("bin/busybox", 0o755, &read(busybox)?)?;
            let applets = process::output(Command::new(busybox).arg("--list"))?;
            for applet in applets.lines().filter(|applet| *applet != "busybox") {
                layer.link(&format!("bin/{applet}"), "busybox")?;
            }
        }
        let shell = |program: &&PathBuf| program.as_path() != Path::new(BUSYBOX);
        for (index, program) in programs.iter().filter(shell).enumerate() {
            let name = file_name(program)?;
            layer.file(name, 0o755, &read(program)?)?;
            if self.applets {
                layer.link(&format!("bin/{name}"), &format!("/{name}"))?;
            }
            if index == 0 {
                config.entrypoint = vec![format!("/{name}")];
            }
        }
        oci::write(layout, layer.finish()?.as_slice(), &config)?;
        Ok(())
    }

    fn config(&self) -> Config {
        let mut env = self.env.clone();
        if !env.iter().any(|variable| variable.starts_with("PATH=")) {
            env.insert(0, PATH.to_owned());
        }
        Config {
            env,
            cmd: self.command.clone(),
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

    /// What tells this content from another: itself, or for a part its folder in the cache, which is named by content.
    fn identity(&self, file: &Path) -> Result<Vec<u8>> {
        let place = file.ancestors().nth(2).and_then(Path::file_name);
        match (self, place) {
            (Self::Part(_), Some(name)) => Ok(name.as_encoded_bytes().to_vec()),
            _ => read(file),
        }
    }
}

fn file_name(path: &Path) -> Result<&str> {
    let name = path.file_name().and_then(|name| name.to_str());
    name.with_context(|| format!("{} has no name", path.display()))
}

fn read(file: &Path) -> Result<Vec<u8>> {
    fs::read(file).with_context(|| format!("cannot read {}", file.display()))
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
            assert!(
                image
                    .script()
                    .is_ok_and(|script| script.is_none_or(|s| s.is_file())),
                "{:?} has no entry point",
                image.refs
            );
        }
    }

    /// What the Dockerfile says of the image must be what the tests try.
    #[test]
    fn our_own_image_is_that_of_the_dockerfile() {
        let file = include_str!("../../../Dockerfile");
        let (_, image) = file.split_once("FROM scratch").expect("the last stage");
        let said = |instruction: &str| {
            let mut lines = image.lines();
            lines
                .find_map(|line| line.strip_prefix(instruction))
                .unwrap_or_else(|| panic!("no {instruction}"))
        };
        let text = include_str!("../../../sandbox/images.toml");
        let table: Table = toml::from_str(text).expect("a table");
        let mut images = table.images.iter();
        let own = images
            .find(|image| image.refs[0] == "registry.test/k8s-ee:dev")
            .expect("it is built");
        assert_eq!(own.user.as_deref(), Some(said("USER ")));
        assert_eq!(own.env.join(" "), said("ENV "));
        // The first program is what an image runs, under its name at the root.
        assert_eq!(said("ENTRYPOINT "), r#"["/k8s-ee"]"#);
        let programs: Vec<String> = own
            .programs()
            .map(|program| match program {
                Program::Part(name) | Program::Crate(name) => format!("/files/{name}"),
                Program::Host(_) => panic!("nothing of this machine belongs into it"),
            })
            .collect();
        assert_eq!(programs, ["/files/k8s-ee", "/files/helm"]);
        for program in programs {
            assert!(file.contains(&program), "{program}");
        }
        assert!(!image.contains("RUN "), "there is no shell in it");
        let from = file.lines().filter_map(|line| line.strip_prefix("FROM "));
        for base in from.filter(|base| *base != "scratch") {
            assert!(base.contains("@sha256:"), "{base} is not pinned");
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
