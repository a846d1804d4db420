//! Seeds: what is put into the environment once, and who waits for it.

use std::collections::BTreeMap;

use k8s_openapi::api::batch::v1::Job;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::{Compute, Database, DatabaseKind, Service, build::compute};
use crate::config::{
    Config, defaults, duration,
    file::EnvSource,
    seed::{Content, NamedSeed, Rerun, hex},
};

/// Data that are put into the environment once, by a Job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Seed {
    /// Name: of its Job and of its component.
    pub name: String,
    /// JSON pointer in `k8s-ee.yaml` of what is said of it.
    pub at: String,
    /// What the Job runs.
    pub run: Run,
    /// The service that must be up first. Without it, all services wait for the seed.
    pub after: Option<String>,
    /// Whether it runs again when it has changed.
    pub rerun: Rerun,
    /// Longest that it may run, in seconds.
    pub timeout: u64,
    /// CPU and memory that are set aside.
    pub requests: Compute,
    /// CPU and memory that it may use at most.
    pub limits: Compute,
    /// Databases whose variables it is given, and whose data it is for.
    pub databases: Vec<DatabaseKind>,
}

/// What the Job of a seed runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Run {
    /// The client of a database reads a file of the repository.
    File {
        /// The database.
        database: DatabaseKind,
        /// The path in the repository, as it is written.
        path: String,
        /// What is in it.
        content: Content,
    },
    /// A program of an image.
    Image(Box<Program>),
}

/// A program of an image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Program {
    /// Full image reference.
    pub image: String,
    /// The service that the image is of.
    pub service: Option<String>,
    /// Replaces the entry point when not empty.
    pub command: Vec<String>,
    /// Replaces the arguments when not empty.
    pub args: Vec<String>,
    /// Port of the service that the image is of, which it gets as `PORT`.
    pub port: Option<u16>,
    /// Environment variables, those of the service included.
    pub env: BTreeMap<String, String>,
    /// Secrets and ConfigMaps whose keys become environment variables, those of the service included.
    pub env_from: Vec<EnvSource>,
    /// Directories that it may write to, beside `/tmp`.
    pub writable_dirs: Vec<String>,
}

impl Seed {
    /// JSON pointer in `k8s-ee.yaml` of a key of this seed, such as `resources/limits/memory`.
    #[must_use]
    pub fn pointer(&self, key: &str) -> String {
        format!("{}/{key}", self.at)
    }

    /// Name of the file that its container reads: the last part of the path, in letters that any shell and any volume
    /// take.
    #[must_use]
    pub fn file_name(&self) -> Option<String> {
        let Run::File { path, .. } = &self.run else {
            return None;
        };
        let last = path.rsplit('/').next().unwrap_or(path);
        let plain = |c: char| {
            if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') {
                c
            } else {
                '-'
            }
        };
        let name: String = last.chars().map(plain).collect();
        Some(name.trim_start_matches(['.', '-']).to_owned())
    }

    /// What tells this seed from another one: a digest of what is run, with everything that the file says about it.
    /// What changes from commit to commit by itself, such as `COMMIT_SHA`, is not in it.
    #[must_use]
    pub fn digest(&self) -> String {
        let what = match &self.run {
            Run::File {
                database, content, ..
            } => json!(["file", database, content.sha256()]),
            Run::Image(program) => json!([
                "image",
                program.image,
                program.command,
                program.args,
                program.env,
                program.env_from
            ]),
        };
        hex(&Sha256::digest(what.to_string()))[..16].to_owned()
    }
}

/// Whether a Job has a condition such as `Complete` or `Failed`.
#[must_use]
pub fn has_condition(job: &Job, kind: &str) -> bool {
    let conditions = job.status.as_ref().and_then(|s| s.conditions.as_ref());
    conditions
        .into_iter()
        .flatten()
        .any(|condition| condition.type_ == kind && condition.status == "True")
}

/// The seeds of a file; `services` have their images already, or an empty one where a problem is told elsewhere.
pub(super) fn seeds(config: &Config, services: &[Service], databases: &[Database]) -> Vec<Seed> {
    let file = &config.file;
    file.seeds()
        .into_iter()
        .filter_map(|named| {
            let service = named.service(file);
            let service = service.and_then(|name| services.iter().find(|s| s.name == name));
            let all = databases.iter().map(|database| database.kind).collect();
            match &named.seed.file {
                Some(path) => {
                    let database = named.database(file)?;
                    let run = Run::File {
                        database,
                        path: path.clone(),
                        content: config.content(path),
                    };
                    let resources = named.seed.resources.clone().unwrap_or_default();
                    let amounts = compute(&resources, &defaults::SEED);
                    Some(seed(&named, run, amounts, vec![database]))
                }
                None => {
                    let own = named.seed.resources.as_ref();
                    let amounts = match (own, service) {
                        (None, Some(service)) => (service.requests, service.limits),
                        _ => compute(&own.cloned().unwrap_or_default(), &defaults::SERVICE),
                    };
                    let databases = service.map_or(all, |service| service.databases.clone());
                    let run = Run::Image(Box::new(program(&named, service)));
                    Some(seed(&named, run, amounts, databases))
                }
            }
        })
        .collect()
}

fn seed(
    named: &NamedSeed<'_>,
    run: Run,
    (requests, limits): (Compute, Compute),
    databases: Vec<DatabaseKind>,
) -> Seed {
    let timeout = named.seed.timeout.as_deref();
    Seed {
        name: named.name.to_owned(),
        at: named.at().to_owned(),
        run,
        after: named.seed.after.clone(),
        rerun: named.seed.rerun.unwrap_or_default(),
        timeout: duration::seconds(timeout.unwrap_or(defaults::SEED_TIMEOUT))
            .expect("the loader admits spans of up to a day only, and the default is one"),
        requests,
        limits,
        databases,
    }
}

fn program(named: &NamedSeed<'_>, service: Option<&Service>) -> Program {
    let seed = named.seed;
    let mut program = Program {
        image: seed.image.clone().unwrap_or_default(),
        service: None,
        command: seed.command.clone().unwrap_or_default(),
        args: seed.args.clone().unwrap_or_default(),
        port: None,
        env: BTreeMap::new(),
        env_from: Vec::new(),
        writable_dirs: Vec::new(),
    };
    if let Some(service) = service {
        program.image.clone_from(&service.image);
        program.service = Some(service.name.clone());
        program.port = Some(service.port);
        program.env.clone_from(&service.env);
        program.env_from.clone_from(&service.env_from);
        program.writable_dirs.clone_from(&service.writable_dirs);
    }
    program.env.extend(seed.env.clone().unwrap_or_default().0);
    program
        .env_from
        .extend(seed.env_from.clone().unwrap_or_default());
    program
}
