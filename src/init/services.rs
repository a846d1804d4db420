//! Services of a repository without a compose file: one for each Dockerfile, else one for what its manifests say.

use std::collections::BTreeSet;

use crate::config::{databases::DatabaseKind, defaults::PORT};

use super::{
    Repository,
    dependencies::{self, Needed},
    dockerfile,
    draft::{Database, Draft, Image, Reasoned, Service},
    framework, names,
    note::{Kind, Notes},
    repository::{MANIFESTS, plain},
};

/// Directories that hold the Dockerfile of the directory above.
const HOLDERS: [&str; 6] = ["docker", ".docker", "build", "deploy", "deployment", "ops"];

/// How many Dockerfiles become services.
const MOST: usize = 12;

/// What is in a directory, as far as it says where and how it listens.
pub(super) struct Facts {
    pub(super) port: Option<Reasoned<u16>>,
    pub(super) health: Option<Reasoned<String>>,
}

/// Where and how the program listens that is in a directory and may have a Dockerfile.
pub(super) fn facts(repository: &Repository, directory: &str, dockerfile: &str) -> Facts {
    let framework = framework::detect(repository, directory);
    let read = repository.text(dockerfile).map(dockerfile::read);
    let read = read.unwrap_or_default();
    let port = match (read.port, &framework) {
        (Some((port, line)), _) => Some(Reasoned::new(
            port,
            format!("EXPOSE at {dockerfile}:{line}"),
        )),
        (None, Some(framework)) => Some(Reasoned::new(
            framework.port,
            format!("guessed: {} ({})", framework.name, framework.place),
        )),
        (None, None) => None,
    };
    let of_framework = framework.as_ref().and_then(|framework| framework.health);
    let health = match (read.health, of_framework) {
        (Some((path, line)), _) => Some(Reasoned::new(
            path,
            format!("HEALTHCHECK at {dockerfile}:{line}"),
        )),
        (None, Some((path, name))) => Some(Reasoned::new(
            path.to_owned(),
            format!("guessed: {name} answers there"),
        )),
        (None, None) => port.is_some().then(root_page),
    };
    Facts { port, health }
}

/// The page that is most likely there.
pub(super) fn root_page() -> Reasoned<String> {
    Reasoned::new("/".to_owned(), "guessed: nothing says what is asked")
}

impl Facts {
    /// With what is guessed where nothing is known.
    fn or_defaults(self) -> Self {
        let port = || Reasoned::new(PORT, "guessed: nothing says where it listens");
        Self {
            port: Some(self.port.unwrap_or_else(port)),
            health: Some(self.health.unwrap_or_else(root_page)),
        }
    }
}

pub(super) fn detect(repository: &Repository, notes: &mut Notes) -> Draft {
    let dockerfiles = repository.dockerfiles();
    let mut taken = BTreeSet::new();
    let mut services: Vec<Service> = Vec::new();
    for path in dockerfiles.iter().take(MOST) {
        services.push(service(
            repository,
            path,
            dockerfiles.len() == 1,
            &mut taken,
            notes,
        ));
    }
    for path in dockerfiles.iter().skip(MOST) {
        notes.add(
            Kind::Left,
            Some((*path).to_owned()),
            format!("more than {MOST} Dockerfiles; describe this one by hand"),
        );
    }
    if services.is_empty() {
        services.push(without_dockerfile(repository, notes));
    }
    if services.len() > 1 {
        notes.add(Kind::Guessed, None, choose_public(&mut services));
    }
    Draft {
        is_general: services.len() > 1,
        services,
        databases: databases(repository, notes),
        ..Draft::default()
    }
}

fn service(
    repository: &Repository,
    path: &str,
    is_only: bool,
    taken: &mut BTreeSet<String>,
    notes: &mut Notes,
) -> Service {
    let (mut directory, mut dockerfile) = path.rsplit_once('/').unwrap_or(("", path));
    let holder = directory.rsplit('/').next().unwrap_or(directory);
    if HOLDERS.contains(&holder) {
        directory = directory
            .strip_suffix(holder)
            .unwrap_or("")
            .trim_end_matches('/');
        dockerfile = path[directory.len()..].trim_start_matches('/');
    }
    let facts = facts(repository, directory, path);
    let name = match directory.rsplit('/').next() {
        Some("") | None => "app",
        _ if is_only => "app",
        Some(last) => last,
    };
    let name = names::service(name, taken);
    taken.insert(name.clone());
    notes.add(
        Kind::Found,
        Some(path.to_owned()),
        format!("the service `{name}` is built with it"),
    );
    let facts = facts.or_defaults();
    tell(&name, &facts, notes);
    for (volume, line) in dockerfile_volumes(repository, path) {
        notes.add(
            Kind::Next,
            Some(format!("{path}:{line}")),
            format!("VOLUME {volume}: if `{name}` writes there, add it to `writableDirs`"),
        );
    }
    Service {
        name,
        image: Some(Image::Build {
            context: if directory.is_empty() { "." } else { directory }.to_owned(),
            dockerfile: plain(dockerfile),
        }),
        port: facts.port,
        health: facts.health,
        ..Service::default()
    }
}

fn dockerfile_volumes(repository: &Repository, path: &str) -> Vec<(String, usize)> {
    let read = repository.text(path).map(dockerfile::read);
    read.unwrap_or_default().volumes
}

/// Says where port and health path come from.
fn tell(name: &str, facts: &Facts, notes: &mut Notes) {
    let mut told = |key: &str, value: String, why: &str| {
        let (kind, why) = match why.strip_prefix("guessed: ") {
            Some(why) => (Kind::Guessed, why),
            None => (Kind::Found, why),
        };
        notes.add(kind, None, format!("`{key}: {value}` of `{name}` ({why})"));
    };
    if let Some(port) = &facts.port {
        told("port", port.value.to_string(), &port.why);
    }
    if let Some(health) = &facts.health {
        told("healthPath", health.value.clone(), &health.why);
    }
}

fn without_dockerfile(repository: &Repository, notes: &mut Notes) -> Service {
    let facts = facts(repository, "", "").or_defaults();
    tell("app", &facts, notes);
    Service {
        name: "app".to_owned(),
        port: facts.port,
        health: facts.health,
        ..Service::default()
    }
}

/// Gives one of several services the URL, the one whose name says so, else the first; and says which.
pub(super) fn choose_public(services: &mut [Service]) -> String {
    const NAMES: [&str; 7] = ["web", "frontend", "app", "ui", "client", "gateway", "www"];
    let by_name = NAMES
        .iter()
        .find_map(|name| services.iter().position(|service| service.name == *name));
    let chosen = &mut services[by_name.unwrap_or(0)];
    chosen.is_public = true;
    format!(
        "`{}` gets the URL: move `public: true` if another should",
        chosen.name
    )
}

/// The databases that the manifests ask for. Of two SQL databases the second is only offered.
fn databases(repository: &Repository, notes: &mut Notes) -> Vec<Database> {
    let mut needed: Vec<Needed> = Vec::new();
    for (path, text) in &repository.files {
        let name = path.rsplit('/').next().unwrap_or(path);
        if !MANIFESTS.contains(&name) && name != "mix.exs" && !name.ends_with(".csproj") {
            continue;
        }
        for new in dependencies::needed(path, text) {
            match needed.iter_mut().find(|known| known.kind == new.kind) {
                Some(known) if known.is_vague && !new.is_vague => *known = new,
                Some(_) => {}
                None => needed.push(new),
            }
        }
    }
    needed.sort_by_key(|needed| needed.kind);
    let has_postgresql = needed
        .iter()
        .any(|needed| needed.kind == DatabaseKind::Postgresql);
    needed
        .into_iter()
        .map(|needed| {
            let second = has_postgresql && needed.kind == DatabaseKind::Mariadb;
            let is_offer = needed.is_vague || second;
            let kind = if is_offer { Kind::Guessed } else { Kind::Found };
            let ending = if is_offer {
                "; offered as a comment"
            } else {
                ""
            };
            notes.add(
                kind,
                None,
                format!("`databases.{}` ({}){ending}", needed.kind, needed.why),
            );
            Database {
                kind: needed.kind,
                why: needed.why,
                is_offer,
                options: Vec::new(),
            }
        })
        .collect()
}
