//! The `seed` part of `k8s-ee.yaml`: data that are put into the databases once, and the files that they come from.

use std::{
    collections::BTreeMap,
    fs::File as Handle,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    Config,
    databases::DatabaseKind,
    defaults,
    file::{Env, EnvSource, File, Resources},
    patterns, pointer,
    problem::Problem,
    words::shorten,
};

/// Name of a seed that is the only one and has none.
pub const SEED: &str = "seed";

/// Largest file, in bytes: it travels in a ConfigMap, which takes 1 MiB.
pub const MAX_FILE: usize = 900 << 10;

/// One seed, or several: those that use the same database run one after the other, in this order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Seeds {
    /// The only one.
    One(Box<Seed>),
    /// Several; each needs a name.
    Several(#[schemars(length(min = 1))] Vec<Seed>),
}

/// Data that are put into the environment once: a file of the repository for a database, or a program that an image has.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Seed {
    /// Name of its Job, and of the component in `logs` and `status`. Only a single seed may do without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = patterns::SERVICE_NAME), extend("default" = SEED))]
    pub name: Option<String>,

    /// File of the repository that the client of a database reads, relative to `k8s-ee.yaml`: `.sql`, `.sql.gz`, `.dump`
    /// or `.pgdump` of pg_dump, `.js`, `.archive` or `.archive.gz` of mongodump, `.redis`, `.tar` or `.tar.gz` for buckets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"db/seed.sql")]
    pub file: Option<String>,

    /// Database that `file` is for; where only one can read that kind of file, it may be left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["postgresql", "mongodb", "redis", "minio", "mariadb"]))]
    pub database: Option<String>,

    /// Image to run, with tag or digest, in place of a file. It gets the variables of all databases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), example = &"ghcr.io/acme/seeder:1")]
    pub image: Option<String>,

    /// Service whose image and variables the seed runs with, in place of an image of its own; where there is only one
    /// service, `command` alone says the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"api")]
    pub service: Option<String>,

    /// Replaces the image's entry point.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), example = ["/seed", "--small"])]
    pub command: Option<Vec<String>>,

    /// Replaces the image's arguments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = ["--small"])]
    pub args: Option<Vec<String>>,

    /// Environment variables, beside those of the service if it runs with the image of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env: Option<Env>,

    /// Secrets and ConfigMaps whose keys become environment variables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [[{"secretRef": {"name": "seed-keys"}}]]))]
    pub env_from: Option<Vec<EnvSource>>,

    /// CPU and memory of its Job; small for a file, those of the service if it runs with the image of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<Resources>,

    /// Service that must be up first, for data that need what it prepares, such as its tables. Without it, the seed runs
    /// when the databases are up, and all services wait for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"app")]
    pub after: Option<String>,

    /// Whether it runs again when its file, image, command or variables have changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("default" = "never", "enum" = ["never", "onChange"]))]
    pub rerun: Option<Rerun>,

    /// Longest that it may run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = patterns::DURATION), extend("default" = defaults::SEED_TIMEOUT))]
    pub timeout: Option<String>,
}

/// Whether a seed that has run does so again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Rerun {
    /// Once for each environment.
    #[default]
    Never,
    /// When it has changed.
    OnChange,
}

/// A seed, and where it stands in the file.
#[derive(Clone, Debug)]
pub struct NamedSeed<'a> {
    /// Its name.
    pub name: &'a str,
    /// What is said of it.
    pub seed: &'a Seed,
    at: String,
}

impl NamedSeed<'_> {
    /// JSON pointer of a member of the seed, such as `file` or `resources/limits/cpu`.
    #[must_use]
    pub fn pointer(&self, member: &str) -> String {
        format!("{}/{member}", self.at)
    }

    /// JSON pointer of the seed itself.
    #[must_use]
    pub fn at(&self) -> &str {
        &self.at
    }

    /// The service whose image it runs with: the one that it names, or the only one when it names nothing to run but a
    /// command.
    #[must_use]
    pub fn service<'f>(&'f self, file: &'f File) -> Option<&'f str> {
        if self.seed.service.is_some() || self.seed.file.is_some() || self.seed.image.is_some() {
            return self.seed.service.as_deref();
        }
        match file.services().as_slice() {
            [only] if self.has_command() => Some(only.name),
            _ => None,
        }
    }

    /// Whether it says what to run.
    pub(super) fn has_command(&self) -> bool {
        self.seed.command.is_some() || self.seed.args.is_some()
    }

    /// The database that its file is for: the one that it names, or the only one of the environment that reads such
    /// files.
    #[must_use]
    pub fn database(&self, file: &File) -> Option<DatabaseKind> {
        if let Some(name) = &self.seed.database {
            return DatabaseKind::from_name(name);
        }
        let readers = readers(self.seed.file.as_deref()?)?;
        let enabled = |kind: &&DatabaseKind| {
            let databases = file.databases.as_ref();
            databases.is_some_and(|databases| databases.is_enabled(**kind))
        };
        match readers {
            [only] => Some(*only),
            _ => match readers
                .iter()
                .filter(enabled)
                .collect::<Vec<_>>()
                .as_slice()
            {
                [only] => Some(**only),
                _ => None,
            },
        }
    }
}

impl File {
    /// The seeds in the order of the file.
    #[must_use]
    pub fn seeds(&self) -> Vec<NamedSeed<'_>> {
        match &self.seed {
            None => Vec::new(),
            Some(Seeds::One(seed)) => vec![NamedSeed {
                name: seed.name.as_deref().unwrap_or(SEED),
                seed,
                at: "/seed".to_owned(),
            }],
            Some(Seeds::Several(seeds)) => seeds
                .iter()
                .enumerate()
                .map(|(n, seed)| NamedSeed {
                    name: seed.name.as_deref().unwrap_or(SEED),
                    seed,
                    at: pointer::child("/seed", &n.to_string()),
                })
                .collect(),
        }
    }
}

/// How the names of files end, and the databases whose clients read them.
pub(super) const FILES: &[(&str, &[DatabaseKind])] = &[
    (".sql", &[DatabaseKind::Postgresql, DatabaseKind::Mariadb]),
    (
        ".sql.gz",
        &[DatabaseKind::Postgresql, DatabaseKind::Mariadb],
    ),
    (".dump", &[DatabaseKind::Postgresql]),
    (".pgdump", &[DatabaseKind::Postgresql]),
    (".js", &[DatabaseKind::Mongodb]),
    (".archive", &[DatabaseKind::Mongodb]),
    (".archive.gz", &[DatabaseKind::Mongodb]),
    (".redis", &[DatabaseKind::Redis]),
    (".tar", &[DatabaseKind::Minio]),
    (".tar.gz", &[DatabaseKind::Minio]),
];

/// The databases whose clients read a file of this name.
pub(super) fn readers(file: &str) -> Option<&'static [DatabaseKind]> {
    let fits = |(end, _): &&(&str, _)| {
        file.strip_suffix(end)
            .is_some_and(|stem| !stem.is_empty() && !stem.ends_with('/'))
    };
    FILES.iter().find(fits).map(|(_, kinds)| *kinds)
}

/// What a file of a seed holds. Two are equal when their bytes are; the record of an environment keeps no bytes.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Content {
    /// SHA-256 of the bytes, in hexadecimal digits.
    sha256: String,
    #[serde(skip)]
    bytes: Arc<[u8]>,
}

impl Content {
    /// Takes the bytes of a file.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self {
            sha256: hex(&Sha256::digest(&bytes)),
            bytes: bytes.into(),
        }
    }

    /// Takes those of a file, if there are some and not too many.
    ///
    /// # Errors
    /// It is empty, or larger than [`MAX_FILE`].
    pub fn of_file(bytes: Vec<u8>) -> Result<Self, Refusal> {
        match bytes.len() {
            0 => Err(Refusal::Empty),
            size if size > MAX_FILE => Err(Refusal::TooLarge(size as u64)),
            _ => Ok(Self::new(bytes)),
        }
    }

    /// SHA-256 of the bytes, in hexadecimal digits.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The bytes; empty in a record.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl PartialEq for Content {
    fn eq(&self, other: &Self) -> bool {
        self.sha256 == other.sha256
    }
}

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Content({} bytes, {})", self.bytes.len(), self.sha256)
    }
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Why the file of a seed cannot be taken.
#[derive(Debug)]
pub enum Refusal {
    /// There is none.
    Missing,
    /// It is something else.
    NoFile,
    /// It is a symbolic link, or behind one.
    Link,
    /// There is nothing in it.
    Empty,
    /// It is larger than [`MAX_FILE`], if its size in bytes is known.
    TooLarge(u64),
    /// The operating system does not let us read it.
    Unreadable(io::Error),
    /// It cannot be taken from where it is, in words.
    Unusable(String),
}

impl Config {
    /// Reads the files that seeds name, relative to the directory of `k8s-ee.yaml`.
    ///
    /// # Errors
    /// What is wrong with each of them, at the line that names it.
    pub fn read_seeds(&mut self, directory: &Path) -> Result<(), Vec<Problem>> {
        let read = self.seed_files().map(|name| {
            let content = read(directory, &name).and_then(Content::of_file);
            (name, content)
        });
        let read = read.collect();
        self.take_seeds(&read)
    }

    /// The names of the files of seeds.
    pub fn seed_files(&self) -> impl Iterator<Item = String> + use<> {
        let seeds = self.file.seeds();
        let names = seeds.iter().filter_map(|seed| seed.seed.file.clone());
        names.collect::<std::collections::BTreeSet<_>>().into_iter()
    }

    /// Takes the files that seeds name, by the names that they have there.
    ///
    /// # Errors
    /// What is wrong with each of them, at the line that names it.
    pub fn take_seeds(
        &mut self,
        read: &BTreeMap<String, Result<Content, Refusal>>,
    ) -> Result<(), Vec<Problem>> {
        let mut contents = BTreeMap::new();
        let mut problems = Vec::new();
        for seed in self.file.seeds() {
            let Some(name) = &seed.seed.file else {
                continue;
            };
            let taken = match read.get(name) {
                None => Err(&Refusal::Missing),
                Some(Err(refusal)) => Err(refusal),
                Some(Ok(content)) => Ok(content),
            };
            match taken {
                Ok(content) => drop(contents.insert(name.clone(), content.clone())),
                Err(refusal) => {
                    let (message, hint) = told(name, refusal);
                    problems.push(self.problem(&seed.pointer("file"), message, Some(hint)));
                }
            }
        }
        if problems.is_empty() {
            self.contents = contents;
            Ok(())
        } else {
            Err(problems)
        }
    }

    /// What a file of a seed holds; nothing before the files were read.
    #[must_use]
    pub fn content(&self, file: &str) -> Content {
        self.contents.get(file).cloned().unwrap_or_default()
    }
}

/// Reads a file of the repository. Symbolic links are not followed: whoever writes a pull request would choose which file
/// of the machine that deploys it gets into an environment of theirs.
fn read(directory: &Path, name: &str) -> Result<Vec<u8>, Refusal> {
    let directory = if directory.as_os_str().is_empty() {
        Path::new(".")
    } else {
        directory
    };
    let path = directory.join(name);
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Refusal::Missing,
        _ => Refusal::Unreadable(error),
    };
    let real = path.canonicalize().map_err(failed)?;
    let plain: PathBuf = Path::new(name)
        .components()
        .filter(|part| matches!(part, std::path::Component::Normal(_)))
        .collect();
    if real != directory.canonicalize().map_err(failed)?.join(plain) {
        return Err(Refusal::Link);
    }
    let metadata = real.metadata().map_err(failed)?;
    if !metadata.is_file() {
        return Err(Refusal::NoFile);
    }
    let mut bytes = Vec::new();
    Handle::open(&real)
        .map_err(failed)?
        .take(MAX_FILE as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if bytes.len() > MAX_FILE {
        return Err(Refusal::TooLarge(metadata.len()));
    }
    Ok(bytes)
}

fn told(name: &str, refusal: &Refusal) -> (String, String) {
    let shown = shorten(name);
    let (wrong, hint) = match refusal {
        Refusal::Missing => (
            "does not exist".to_owned(),
            "the path is relative to the directory of k8s-ee.yaml; is the file committed?",
        ),
        Refusal::NoFile => (
            "is not a file".to_owned(),
            "name one file; several are several seeds",
        ),
        Refusal::Link => (
            "is a symbolic link, or lies behind one".to_owned(),
            "name the file itself",
        ),
        Refusal::Empty => (
            "is empty".to_owned(),
            "write something into it, or remove the seed",
        ),
        Refusal::TooLarge(size) => (
            format!(
                "has {} KiB; at most {} are possible",
                size.div_ceil(1 << 10),
                MAX_FILE >> 10
            ),
            "compress it with gzip, or put it into an image and run that with `image`",
        ),
        Refusal::Unusable(why) => (
            format!("cannot be taken: {why}"),
            "name a plain file of the repository",
        ),
        Refusal::Unreadable(error) => (format!("cannot be read: {error}"), "see who may read it"),
    };
    (format!("`{shown}` {wrong}"), hint.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Source;

    /// What is said about `file: NAME` in a directory that `make` fills.
    fn said(name: &str, make: impl Fn(&Path)) -> Result<Content, (usize, String)> {
        let directory = tempfile::tempdir().expect("a temporary directory");
        make(directory.path());
        let text =
            format!("projectId: shop\ndatabases: {{postgresql: true}}\nseed:\n  file: {name}\n");
        let mut config = Config::parse(Source::new("k8s-ee.yaml", text)).expect("it is valid");
        match config.read_seeds(directory.path()) {
            Ok(()) => Ok(config.content(name)),
            Err(problems) => {
                let [problem] = problems.as_slice() else {
                    panic!("one problem: {problems:?}");
                };
                let hint = problem.hint.clone().expect("a hint");
                let text = format!("{}; {hint}", problem.message);
                Err((problem.place.line, text))
            }
        }
    }

    fn write(path: &Path, bytes: &[u8]) {
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        std::fs::write(path, bytes).expect("written");
    }

    #[test]
    fn a_file_is_taken_as_it_is() {
        let content = said("./db/x.sql", |dir| {
            write(&dir.join("db/x.sql"), b"SELECT 1;")
        });
        let content = content.expect("it is there");
        assert_eq!(content.bytes(), b"SELECT 1;");
        assert_eq!(content, Content::new(b"SELECT 1;".to_vec()));
        assert_ne!(content, Content::new(b"SELECT 2;".to_vec()));
        assert_eq!(content.sha256().len(), 64);
    }

    #[test]
    fn what_cannot_be_taken_is_told_at_its_line() {
        let (line, text) = said("db/x.sql", |_| {}).expect_err("it is missing");
        assert_eq!(line, 4);
        assert!(text.contains("`db/x.sql` does not exist"), "{text}");
        let (_, text) = said("x.sql", |dir| {
            std::fs::create_dir(dir.join("x.sql")).expect("made");
        })
        .expect_err("it is a directory");
        assert!(text.contains("is not a file"), "{text}");
        let (_, text) = said("x.sql", |dir| write(&dir.join("x.sql"), b"")).expect_err("empty");
        assert!(text.contains("is empty"), "{text}");
        let most = vec![b'-'; MAX_FILE];
        assert!(said("x.sql", |dir| write(&dir.join("x.sql"), &most)).is_ok());
        let more = vec![b'-'; MAX_FILE + 1];
        let (_, text) = said("x.sql", |dir| write(&dir.join("x.sql"), &more)).expect_err("large");
        assert!(text.contains("has 901 KiB; at most 900"), "{text}");
    }

    /// A pull request must not choose files of the machine that deploys it.
    #[cfg(unix)]
    #[test]
    fn links_are_not_followed() {
        use std::os::unix::fs::symlink;

        let (_, text) = said("x.sql", |dir| {
            symlink("/etc/passwd", dir.join("x.sql")).expect("linked");
        })
        .expect_err("a link");
        assert!(text.contains("symbolic link"), "{text}");
        let (_, text) = said("db/x.sql", |dir| {
            write(&dir.join("other/x.sql"), b"SELECT 1;");
            symlink("other", dir.join("db")).expect("linked");
        })
        .expect_err("behind a link");
        assert!(text.contains("symbolic link"), "{text}");
    }

    #[test]
    fn the_end_of_the_name_says_who_reads_a_file() {
        assert_eq!(
            readers("a/b.sql"),
            Some(&[DatabaseKind::Postgresql, DatabaseKind::Mariadb][..])
        );
        assert_eq!(readers("b.archive.gz"), Some(&[DatabaseKind::Mongodb][..]));
        for none in [".sql", "db/.sql", "a.SQL", "a.csv", "sql", ""] {
            assert_eq!(readers(none), None, "{none}");
        }
    }
}
