//! One service of a compose file that stays a service.

use crate::{
    config::{check_image_reference, document::Found, shorten},
    init::{
        Repository,
        draft::{Image, Reasoned, Service},
        note::Kind,
        repository::{join, plain},
        services::{self, Facts},
    },
};

use super::{
    environment::{self, Surroundings},
    health::{self, Asked},
    image, keys, limits, ports,
    reader::Reader,
};

pub(super) fn convert(
    reader: &Reader<'_>,
    at: Found<'_>,
    name: String,
    repository: &Repository,
    surroundings: &Surroundings,
) -> Service {
    for (key, place) in at.members() {
        if let Some(text) = keys::of_service(key) {
            let text = text.replacen(key, &shorten(key), 1);
            reader.note(Kind::Left, place, format!("{text} (`{name}`)"));
        }
    }
    let image = build(reader, at, &name).or_else(|| reference(reader, at, &name));
    let facts = match &image {
        Some(Image::Build {
            context,
            dockerfile,
        }) => {
            let directory = plain(context);
            services::facts(repository, &directory, &join(&directory, dockerfile))
        }
        _ => Facts {
            port: None,
            health: None,
        },
    };
    let ports = ports::of(reader, at);
    for more in ports.iter().skip(1) {
        reader.note(
            Kind::Left,
            more.at,
            format!(
                "a service has one port: `{name}` is not reached on {}",
                more.number
            ),
        );
    }
    let of_variable = at.child("environment").and_then(|environment| {
        let value = reader.quiet_text(environment.child("PORT")?)?;
        Some((value.parse().ok().filter(|port| *port != 0)?, environment))
    });
    let asked = health_check(reader, at);
    let of_health = asked.as_ref().and_then(|(asked, place)| {
        let why = format!("healthcheck at {}", reader.place(*place));
        Some(Reasoned::new(asked.port?, why))
    });
    let port = match (ports.first(), of_variable) {
        (Some(port), _) => Some(Reasoned::new(port.number, "")),
        (None, Some((port, place))) => Some(Reasoned::new(
            port,
            format!("PORT at {}", reader.place(place)),
        )),
        (None, None) => of_health.or(facts.port),
    };
    if port.is_none() {
        reader.note(
            Kind::Next,
            at,
            format!(
                "`{name}` says no port, and every service is asked for its health by HTTP: set `port` and `healthPath` to \
                 what it answers on"
            ),
        );
    }
    let health = asked.map(|(asked, place)| {
        if let (Some(asked), Some(port)) = (asked.port, &port)
            && asked != port.value
        {
            reader.note(
                Kind::Next,
                place,
                format!(
                    "health was asked on port {asked}; here it is asked on {}, as everything is",
                    port.value
                ),
            );
        }
        let why = format!("healthcheck at {}", reader.place(place));
        Reasoned::new(asked.path, why)
    });
    let health = health
        .or(facts.health)
        .or_else(|| port.is_some().then(services::root_page));
    let (cpu, memory) = resources(reader, at);
    Service {
        image,
        is_public: ports.iter().any(|port| port.is_published),
        port,
        health,
        command: program(reader, at, "entrypoint"),
        args: program(reader, at, "command"),
        replicas: replicas(reader, at),
        cpu,
        memory,
        writable_dirs: volumes(reader, at, &name),
        env: environment::of(reader, at, surroundings),
        name,
        ..Service::default()
    }
}

/// What a service waits for, and where that stands.
pub(super) fn dependencies<'a>(reader: &Reader<'_>, at: Found<'a>) -> Vec<(String, Found<'a>)> {
    let mut found = Vec::new();
    for key in ["depends_on", "links"] {
        let Some(list) = at.child(key) else { continue };
        found.extend(
            list.members()
                .into_iter()
                .map(|(name, at)| (name.to_owned(), at)),
        );
        for item in list.items() {
            if let Some(text) = reader.text(item) {
                let name = text.split(':').next().unwrap_or(&text);
                found.push((name.to_owned(), item));
            }
        }
    }
    found
}

fn build(reader: &Reader<'_>, at: Found<'_>, name: &str) -> Option<Image> {
    let build = at.child("build")?;
    let (context, dockerfile) = if build.is_map() {
        for (key, place) in build.members() {
            if !matches!(
                key,
                "context"
                    | "dockerfile"
                    | "tags"
                    | "labels"
                    | "platforms"
                    | "cache_from"
                    | "cache_to"
            ) {
                reader.note(
                    Kind::Left,
                    place,
                    format!(
                        "`build.{}` of `{name}` is not converted: let the Dockerfile do without it",
                        shorten(key)
                    ),
                );
            }
        }
        (
            reader.member(build, "context"),
            reader.member(build, "dockerfile"),
        )
    } else {
        (reader.text(build), None)
    };
    let context = context.unwrap_or_else(|| ".".to_owned());
    let dockerfile = dockerfile.unwrap_or_else(|| "Dockerfile".to_owned());
    let is_elsewhere = |path: &str| {
        path.starts_with(['/', '~'])
            || path.contains("://")
            || path.contains('@')
            || path.chars().any(char::is_control)
    };
    let outside = |path: &str| {
        let text = format!(
            "`{}` of `{name}` is not in the repository, and cannot be built from it",
            shorten(path)
        );
        reader.note(Kind::Left, build, text);
        None
    };
    let Some(directory) = within(reader.directory(), &context).filter(|_| !is_elsewhere(&context))
    else {
        return outside(&context);
    };
    let Some(dockerfile) =
        within("", &dockerfile).filter(|path| !is_elsewhere(&dockerfile) && !path.is_empty())
    else {
        return outside(&dockerfile);
    };
    let context = if directory.is_empty() {
        ".".to_owned()
    } else {
        directory
    };
    Some(Image::Build {
        context,
        dockerfile,
    })
}

/// A path from a directory of the repository on, without `.` and `..`; none where it leads out of it.
fn within(directory: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in directory.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

fn reference(reader: &Reader<'_>, at: Found<'_>, name: &str) -> Option<Image> {
    let place = at.child("image")?;
    if at.child("build").is_some() {
        return None;
    }
    let text = reader.text(place)?;
    if let Err(why) = check_image_reference(&text) {
        reader.note(
            Kind::Left,
            place,
            format!(
                "`{}` of `{name}` is no image reference: {why}",
                shorten(&text)
            ),
        );
        return None;
    }
    if let Some(advice) = image::advice(&text) {
        reader.note(
            Kind::Next,
            place,
            format!("`{}` of `{name}` {advice}", shorten(&text)),
        );
    }
    Some(Image::Reference(text))
}

fn program(reader: &Reader<'_>, at: Found<'_>, key: &str) -> Vec<String> {
    at.child(key).map(|at| reader.words(at)).unwrap_or_default()
}

/// What the health check asks by HTTP, and where that stands.
fn health_check<'a>(reader: &Reader<'_>, at: Found<'a>) -> Option<(Asked, Found<'a>)> {
    let test = at.child("healthcheck")?.child("test")?;
    let words = match test.scalar() {
        Some(_) => reader.text(test)?,
        None => reader.texts(test).join(" "),
    };
    if words == "NONE" {
        return None;
    }
    let asked = health::path(&words);
    if asked.is_none() {
        reader.note(
            Kind::Left,
            test,
            "health is asked by HTTP, not by a command: set `healthPath` to a page that answers 2xx or 3xx",
        );
    }
    Some((asked?, test))
}

fn replicas(reader: &Reader<'_>, at: Found<'_>) -> Option<u32> {
    let deploy = at.child("deploy");
    let place = deploy
        .and_then(|deploy| deploy.child("replicas"))
        .or_else(|| at.child("scale"))?;
    match reader.text(place)?.parse() {
        Ok(1) => None,
        Ok(count @ 2..=50) => Some(count),
        _ => {
            reader.note(Kind::Left, place, "the number of copies is from 1 to 50");
            None
        }
    }
}

/// CPU and memory, from `deploy.resources` and the keys before it.
fn resources(
    reader: &Reader<'_>,
    at: Found<'_>,
) -> (crate::init::draft::Amounts, crate::init::draft::Amounts) {
    let resources = at
        .child("deploy")
        .and_then(|deploy| deploy.child("resources"));
    let amount = |list: &str, key: &str, old: &str, read: fn(&str) -> Option<u64>| {
        let place = resources
            .and_then(|resources| resources.child(list)?.child(key))
            .or_else(|| at.child(old))?;
        let text = reader.text(place)?;
        let amount = read(&text);
        if amount.is_none() {
            reader.note(
                Kind::Left,
                place,
                format!("`{}` is no amount that could be taken", shorten(&text)),
            );
        }
        amount
    };
    let cpu = limits::amounts(
        amount("reservations", "cpus", "cpu_reservation", limits::cpu),
        amount("limits", "cpus", "cpus", limits::cpu),
        "m",
    );
    let memory = limits::amounts(
        amount("reservations", "memory", "mem_reservation", limits::memory),
        amount("limits", "memory", "mem_limit", limits::memory),
        "Mi",
    );
    (cpu, memory)
}

/// Directories that the service may write to, from its volumes. What comes from the machine cannot come along, nor what
/// keeps parts of the image visible under it.
fn volumes(reader: &Reader<'_>, at: Found<'_>, name: &str) -> Vec<String> {
    let mut dirs: Vec<String> = Vec::new();
    let mut mounted: Vec<String> = Vec::new();
    let volumes = at
        .child("volumes")
        .map(|list| list.items())
        .unwrap_or_default();
    let volumes: Vec<_> = volumes
        .into_iter()
        .filter_map(|place| {
            let (kind, from, to) = volume(reader, place);
            Some((place, kind, from, format!("/{}", plain(&to?))))
        })
        .collect();
    for (place, _, from, to) in volumes.iter().filter(|(_, kind, ..)| *kind == "bind") {
        let from = shorten(from);
        reader.note(
            Kind::Left,
            *place,
            format!(
                "`{from}` is not mounted into `{name}`: what it needs of it belongs into the image"
            ),
        );
        mounted.push(to.clone());
    }
    for (place, kind, _, to) in volumes.iter().filter(|(_, kind, ..)| *kind != "bind") {
        let shown = shorten(to);
        if mounted.iter().any(|outer| is_within(to, outer)) {
            continue;
        }
        if DEPENDENCIES.iter().any(|end| to.ends_with(end)) {
            let text = format!("{shown} stays what the image of `{name}` has there");
            reader.note(Kind::Left, *place, text);
        } else if !is_dir(to) {
            let text = format!("`{shown}` is no directory that could be written to");
            reader.note(Kind::Left, *place, text);
        } else if keep_dir(&mut dirs, to) && *kind == "volume" {
            let text = format!("`{name}` may write to {shown}, which is empty at every start");
            reader.note(Kind::Changed, *place, text);
        }
    }
    let tmpfs = at
        .child("tmpfs")
        .map(|at| reader.texts(at))
        .unwrap_or_default();
    for path in tmpfs {
        keep_dir(&mut dirs, path.split(':').next().unwrap_or(&path));
    }
    dirs
}

/// Directories with what a program is made of, which people keep in volumes to build faster.
const DEPENDENCIES: [&str; 6] = [
    "/node_modules",
    "/vendor",
    "/bundle",
    "/.venv",
    "/site-packages",
    "/.next",
];

/// Whether a directory is another, or below it.
fn is_within(inner: &str, outer: &str) -> bool {
    inner == outer
        || inner
            .strip_prefix(outer)
            .is_some_and(|rest| rest.starts_with('/'))
}

/// Kind, source and target of a volume, in either form.
fn volume(reader: &Reader<'_>, at: Found<'_>) -> (&'static str, String, Option<String>) {
    if at.is_map() {
        let kind = match reader.member(at, "type").as_deref() {
            Some("bind") => "bind",
            Some("tmpfs") => "tmpfs",
            _ => "volume",
        };
        let from = reader.member(at, "source").unwrap_or_default();
        return (kind, from, reader.member(at, "target"));
    }
    let Some(text) = reader.text(at) else {
        return ("volume", String::new(), None);
    };
    match text.split_once(':') {
        None => ("volume", String::new(), Some(text)),
        Some((from, rest)) => {
            let to = rest.split(':').next().unwrap_or(rest).to_owned();
            let is_path = from.starts_with(['.', '/', '~', '$']);
            let kind = if is_path { "bind" } else { "volume" };
            (kind, from.to_owned(), Some(to))
        }
    }
}

fn is_dir(path: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '/' | '-');
    path.starts_with('/')
        && path.chars().all(is_part)
        && !path.split('/').any(|part| matches!(part, "." | ".."))
        && path.trim_matches('/').len() > 1
}

/// Adds a directory that is not there yet, nor within or around one that is; `/tmp` is writable anyhow.
fn keep_dir(dirs: &mut Vec<String>, path: &str) -> bool {
    let path = format!("/{}", plain(path));
    let is_known = dirs
        .iter()
        .any(|dir| is_within(&path, dir) || is_within(dir, &path));
    if !is_dir(&path) || is_known || is_within(&path, "/tmp") {
        return false;
    }
    dirs.push(path);
    true
}
