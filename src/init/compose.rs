//! From a compose file to a configuration: what has a place there is taken over, everything else is told with its line.

mod environment;
pub(super) mod health;
mod image;
mod interpolate;
mod keys;
mod limits;
mod ports;
mod reader;
mod server;
mod service;

use std::collections::BTreeSet;

use crate::config::{
    Source, databases::DatabaseKind, document::Found, list, problem::Problem, read_document,
    shorten,
};

use super::{
    Repository,
    draft::{Draft, Reasoned, Service},
    names,
    note::{Kind, Notes},
    services::choose_public,
};

use environment::{Surroundings, Target};
use reader::Reader;

/// How many services are converted.
const MOST: usize = 50;

/// Converts a compose file.
///
/// # Errors
/// When it is no YAML, or there are no services in it.
pub(super) fn convert(
    source: &Source,
    repository: &Repository,
    notes: &mut Notes,
) -> Result<Draft, Vec<Problem>> {
    let document = read_document(source)?;
    let root = document.nearest("");
    let services = root.child("services").map(|services| services.members());
    let services = services.unwrap_or_default();
    if services.is_empty() || services.len() > MOST {
        let at = root.child("services").unwrap_or(root);
        let (message, hint) = if services.is_empty() {
            (
                "there are no `services` here".to_owned(),
                "is this a compose file? Files of its first version, from before 2016, are not read",
            )
        } else {
            (
                format!("there are more than {MOST} services here"),
                "convert a part of it: an environment for each pull request needs few",
            )
        };
        return Err(vec![Problem {
            pointer: "/services".to_owned(),
            place: source.place(at.head_span()),
            message,
            hint: Some(hint.to_owned()),
        }]);
    }
    let reader = Reader::new(source, notes);
    for (key, at) in root.members() {
        if let Some(text) = keys::of_file(key) {
            reader.note(Kind::Left, at, text);
        }
    }
    let mut draft = Draft {
        project: root
            .child("name")
            .and_then(|at| reader.text(at))
            .map(|name| Reasoned::new(name, "")),
        is_general: true,
        ..Draft::default()
    };
    let mut surroundings = Surroundings::default();
    let kept = sort_out(&reader, &services, &mut surroundings, &mut draft);
    for (at, name) in &kept {
        let service = service::convert(&reader, *at, name.clone(), repository, &surroundings);
        draft.services.push(service);
    }
    depend(&reader, &kept, &surroundings, &mut draft.services);
    if draft.services.is_empty() {
        reader.remark(
            Kind::Next,
            "no service is left: describe yours under `services`, or as `app`",
        );
    } else if !draft.services.iter().any(|service| service.is_public) {
        reader.remark(Kind::Guessed, choose_public(&mut draft.services));
    }
    Ok(draft)
}

/// Finds out what each service is, and returns those that stay services with their names here.
fn sort_out<'a>(
    reader: &Reader<'_>,
    services: &[(&str, Found<'a>)],
    surroundings: &mut Surroundings,
    draft: &mut Draft,
) -> Vec<(Found<'a>, String)> {
    let ended = waited_for_end(reader, services);
    let mut rest = Vec::new();
    for (name, at) in services {
        let target = match left_out(reader, name, *at, &ended) {
            Some(why) => {
                reader.note(Kind::Left, *at, format!("`{}`: {why}", shorten(name)));
                Target::Gone
            }
            None => match as_database(reader, name, *at, surroundings, draft) {
                Some(kind) => Target::Database(kind),
                None => {
                    rest.push((*name, *at));
                    continue;
                }
            },
        };
        surroundings.names.insert((*name).to_owned(), target);
    }
    let mut taken: BTreeSet<String> = DatabaseKind::ALL.map(|kind| kind.name().to_owned()).into();
    let mut kept = Vec::new();
    for (name, at) in rest {
        // Names of objects of databases.
        let new = match name.strip_prefix("app-") {
            Some(end) => names::service(&format!("svc-{end}"), &taken),
            None => names::service(name, &taken),
        };
        taken.insert(new.clone());
        if new != name {
            reader.note(
                Kind::Changed,
                at,
                format!(
                    "`{}` is called `{new}` here, for other services too",
                    shorten(name)
                ),
            );
        }
        surroundings
            .names
            .insert(name.to_owned(), Target::Service(new.clone()));
        kept.push((at, new));
    }
    // Other names of the same containers.
    for (name, at) in services {
        for key in ["container_name", "hostname"] {
            let Some(alias) = at.child(key).and_then(|at| reader.quiet_text(at)) else {
                continue;
            };
            if let Some(target) = surroundings.names.get(*name).cloned() {
                surroundings.names.entry(alias).or_insert(target);
            }
        }
    }
    kept
}

/// Why a service is left out.
fn left_out(
    reader: &Reader<'_>,
    name: &str,
    at: Found<'_>,
    ended: &BTreeSet<String>,
) -> Option<String> {
    if !at.is_map() {
        return Some("it says nothing of itself".to_owned());
    }
    let profiles = at.child("profiles").map(|at| reader.texts(at));
    if let Some(profiles) = profiles.filter(|profiles| !profiles.is_empty()) {
        let profiles: Vec<String> = profiles.iter().map(|profile| shorten(profile)).collect();
        return Some(format!(
            "it is started only in the profile {}",
            list(&profiles, "or")
        ));
    }
    if ended.contains(name) {
        return Some(
            "others wait until it has ended, and services do not end: make it a `seed`, with its image and command"
                .to_owned(),
        );
    }
    let replicas = at
        .child("deploy")
        .and_then(|deploy| reader.member(deploy, "replicas"));
    if replicas.or_else(|| reader.member(at, "scale")).as_deref() == Some("0") {
        return Some("it has no replicas".to_owned());
    }
    if at.child("build").is_some() {
        return None;
    }
    let image = reader.quiet_text(at.child("image")?)?;
    image::refused(&image).map(str::to_owned)
}

/// Services that others wait for the end of, such as migrations.
fn waited_for_end(reader: &Reader<'_>, services: &[(&str, Found<'_>)]) -> BTreeSet<String> {
    let conditions = services.iter().filter_map(|(_, at)| at.child("depends_on"));
    conditions
        .flat_map(|at| at.members())
        .filter(|(_, at)| {
            let condition = at.child("condition").and_then(|at| reader.quiet_text(at));
            condition.as_deref() == Some("service_completed_successfully")
        })
        .map(|(name, _)| name.to_owned())
        .collect()
}

/// The database that takes the place of a service, if one does.
fn as_database(
    reader: &Reader<'_>,
    name: &str,
    at: Found<'_>,
    surroundings: &mut Surroundings,
    draft: &mut Draft,
) -> Option<DatabaseKind> {
    if at.child("build").is_some() {
        return None;
    }
    let image = at.child("image")?;
    let known = image::database(&reader.quiet_text(image)?)?;
    let kind = known.kind;
    let name = shorten(name);
    let mut server = server::read(reader, at, kind);
    let first = surroundings.servers.iter().find(|known| known.kind == kind);
    if let Some(first) = first {
        server.database.clone_from(&first.database);
        server.user.clone_from(&first.user);
        surroundings.servers.push(server);
        reader.note(
            Kind::Changed,
            image,
            format!("an environment has one {kind}: `{name}` and the one before are the same here"),
        );
        return Some(kind);
    }
    let database = server::replacement(reader, &name, at, image, &known, &server);
    surroundings.servers.push(server);
    draft.databases.push(database);
    draft.databases.sort_by_key(|database| database.kind);
    Some(kind)
}

/// Adds what services wait for. A circle is cut, and what is not there is left away.
fn depend(
    reader: &Reader<'_>,
    kept: &[(Found<'_>, String)],
    surroundings: &Surroundings,
    services: &mut [Service],
) {
    for (at, name) in kept {
        for (wanted, place) in service::dependencies(reader, *at) {
            let target = match surroundings.names.get(&wanted) {
                Some(Target::Service(service)) => service.clone(),
                Some(Target::Database(kind)) => kind.name().to_owned(),
                Some(Target::Gone) | None => {
                    let wanted = shorten(&wanted);
                    reader.note(
                        Kind::Left,
                        place,
                        format!("`{name}` does not wait for `{wanted}`, which is not there"),
                    );
                    continue;
                }
            };
            if target == *name || waits_for(services, &target, name) {
                reader.note(
                    Kind::Left,
                    place,
                    format!("`{name}` and `{target}` would wait for each other"),
                );
                continue;
            }
            let own = services.iter_mut().find(|service| service.name == *name);
            if let Some(own) = own.filter(|own| !own.depends_on.contains(&target)) {
                own.depends_on.push(target);
            }
        }
    }
}

/// Whether a service waits for another, by whichever way.
fn waits_for(services: &[Service], who: &str, what: &str) -> bool {
    let mut open = vec![who];
    let mut seen = BTreeSet::new();
    while let Some(name) = open.pop() {
        if name == what {
            return true;
        }
        if seen.insert(name) {
            let service = services.iter().find(|service| service.name == name);
            open.extend(
                service
                    .iter()
                    .flat_map(|s| s.depends_on.iter().map(String::as_str)),
            );
        }
    }
    false
}
