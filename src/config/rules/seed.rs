//! Seeds: one thing to run each, names of their own, files that a database reads, services that exist.

use std::collections::HashMap;

use super::{env, image, paths, resources};
use crate::config::{
    Config,
    databases::DatabaseKind,
    duration,
    file::File,
    pointer,
    problem::{MOST, Problem},
    seed::{FILES, NamedSeed, readers},
    words::{list, nearest, shorten},
};

/// Longest that a seed may be given, in seconds: a day.
const LONGEST: u64 = 24 * 3600;

/// Rules about single values.
pub(super) fn check_values(config: &Config, problems: &mut Vec<Problem>) {
    for seed in config.file.seeds() {
        if problems.len() > MOST {
            return;
        }
        let what = seed.seed;
        if let Some(text) = &what.image {
            image::reference(config, &seed.pointer("image"), text, true, problems);
        }
        if let Some(env) = &what.env {
            env::check_names(config, env, &seed.pointer("env"), None, problems);
        }
        let at = |member: &str| seed.pointer(member);
        resources::check_amounts(config, &at, what.resources.as_ref(), problems);
        timeout(config, &seed, problems);
        file(config, &seed, problems);
    }
}

/// Rules about values that depend on each other.
pub(super) fn check_relations(config: &Config, problems: &mut Vec<Problem>) {
    names(config, problems);
    for seed in config.file.seeds() {
        if problems.len() > MOST {
            return;
        }
        let at = |member: &str| seed.pointer(member);
        resources::check(config, &at, seed.seed.resources.as_ref(), problems);
        one_thing_to_run(config, &seed, problems);
        database(config, &seed, problems);
        services(config, &seed, problems);
    }
}

fn timeout(config: &Config, seed: &NamedSeed<'_>, problems: &mut Vec<Problem>) {
    let Some(text) = &seed.seed.timeout else {
        return;
    };
    let (wrong, hint) = match duration::seconds(text) {
        Some(0) => ("must be more than zero", "write `5m`, or remove it"),
        Some(seconds) if seconds <= LONGEST => return,
        _ => ("is longer than a day", "write `24h` or less"),
    };
    let at = seed.pointer("timeout");
    problems.push(config.problem(
        &at,
        format!("`{}` {wrong}", pointer::path(&at)),
        Some(hint.to_owned()),
    ));
}

fn file(config: &Config, seed: &NamedSeed<'_>, problems: &mut Vec<Problem>) {
    let Some(file) = &seed.seed.file else { return };
    let at = seed.pointer("file");
    if let Some(wrong) = paths::is_not_relative(file) {
        problems.push(config.problem(
            &at,
            format!("`{}` {wrong}", pointer::path(&at)),
            Some("give a path relative to the directory of k8s-ee.yaml".to_owned()),
        ));
    } else if readers(file).is_none() {
        let ends: Vec<&str> = FILES.iter().map(|(end, _)| *end).collect();
        problems.push(config.problem(
            &at,
            format!("no database reads `{}`", shorten(file)),
            Some(format!(
                "the name ends in {}; anything else runs from an image",
                list(&ends, "or")
            )),
        ));
    }
}

fn names(config: &Config, problems: &mut Vec<Problem>) {
    let seeds = config.file.seeds();
    let services = config.file.services();
    let databases = enabled(&config.file);
    let mut seen: HashMap<&str, String> = HashMap::new();
    for seed in &seeds {
        let at = seed.pointer("name");
        let name = seed.name;
        if seed.seed.name.is_none() && seeds.len() > 1 {
            problems.push(config.problem(
                &at,
                format!("`{}` has no name", pointer::path(seed.at())),
                Some("there are several seeds: add `name: demo-data` or the like".to_owned()),
            ));
            continue;
        }
        let of_objects = databases.iter().find(|kind| {
            let rest = name
                .strip_prefix("app-")
                .and_then(|n| n.strip_prefix(kind.name()));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        });
        let message = if services.iter().any(|service| service.name == name) {
            format!("`{name}` is a service already, and cannot be a seed too")
        } else if databases.iter().any(|kind| kind.name() == name) {
            format!("`{name}` is a database already, and cannot be a seed too")
        } else if let Some(kind) = of_objects {
            let database = kind.name();
            format!("names that begin with `app-{database}` belong to the database `{database}`")
        } else if let Some(first) = seen.insert(name, at.clone()) {
            let line = config.place(&first).line;
            format!("`{name}` is already the name of the seed on line {line}")
        } else {
            continue;
        };
        let hint = match seed.seed.name {
            Some(_) => "give the seed another name",
            None => "give the seed a `name` of its own",
        };
        problems.push(config.problem(&at, message, Some(hint.to_owned())));
    }
}

fn one_thing_to_run(config: &Config, seed: &NamedSeed<'_>, problems: &mut Vec<Problem>) {
    let what = seed.seed;
    let given: Vec<&str> = [
        ("file", what.file.is_some()),
        ("image", what.image.is_some()),
        ("service", what.service.is_some()),
    ]
    .into_iter()
    .filter_map(|(key, given)| given.then_some(key))
    .collect();
    let path = pointer::path(seed.at());
    match given.as_slice() {
        [] if seed.service(&config.file).is_some() => {}
        [] => {
            let (message, hint) = if seed.has_command() {
                (
                    format!("`{path}` does not say which image its command is of"),
                    "add `service: NAME` for that of a service, or `image: REF`",
                )
            } else {
                (
                    format!("`{path}` has nothing to run"),
                    "add `file: db/seed.sql`, `image: REF`, or the `command` of a service's image",
                )
            };
            problems.push(config.problem(seed.at(), message, Some(hint.to_owned())));
        }
        [only] => {
            if *only == "file" {
                not_with_a_file(config, seed, problems);
            }
        }
        [_, second, ..] => problems.push(config.key_problem(
            &seed.pointer(second),
            format!(
                "`{path}` has {}, and a seed runs one of them",
                list(&given, "and")
            ),
            Some("make a seed of each".to_owned()),
        )),
    }
}

/// A file is read by the client of its database, which takes neither command nor variables.
fn not_with_a_file(config: &Config, seed: &NamedSeed<'_>, problems: &mut Vec<Problem>) {
    let what = seed.seed;
    for (key, given) in [
        ("command", what.command.is_some()),
        ("args", what.args.is_some()),
        ("env", what.env.is_some()),
        ("envFrom", what.env_from.is_some()),
    ] {
        if given {
            let at = seed.pointer(key);
            problems.push(config.key_problem(
                &at,
                format!(
                    "`{}` is for an image, and the seed has a file",
                    pointer::path(&at)
                ),
                Some("remove it, or run the file from an image of yours".to_owned()),
            ));
        }
    }
}

fn database(config: &Config, seed: &NamedSeed<'_>, problems: &mut Vec<Problem>) {
    let at = seed.pointer("database");
    let named = seed
        .seed
        .database
        .as_deref()
        .and_then(DatabaseKind::from_name);
    let Some(file) = &seed.seed.file else {
        if seed.seed.database.is_some() {
            problems.push(config.key_problem(
                &at,
                format!(
                    "`{}` says what a file is for, and there is none",
                    pointer::path(&at)
                ),
                Some("remove it: an image gets the variables of all databases".to_owned()),
            ));
        }
        return;
    };
    let Some(readers) = readers(file) else {
        return; // Told by the rules about values.
    };
    let enabled = enabled(&config.file);
    let there: Vec<&str> = readers
        .iter()
        .filter(|kind| enabled.contains(kind))
        .map(|kind| kind.name())
        .collect();
    let shown = shorten(file);
    let (at, message, hint) = match (named, there.as_slice()) {
        (Some(kind), _) if !readers.contains(&kind) => {
            let names: Vec<&str> = readers.iter().map(|kind| kind.name()).collect();
            (
                at,
                format!("`{}` does not read `{shown}`", kind.name()),
                format!("such a file is for {}", list(&names, "or")),
            )
        }
        (Some(kind), _) if !enabled.contains(&kind) => {
            let name = kind.name();
            (
                at,
                format!("the database `{name}` is not enabled"),
                format!("add `{name}: true` under `databases`"),
            )
        }
        (Some(_), _) | (None, [_]) => return,
        (None, []) => {
            let first = readers[0].name();
            (
                seed.pointer("file"),
                format!("no database of the environment reads `{shown}`"),
                format!("add `{first}: true` under `databases`"),
            )
        }
        (None, several) => (
            seed.pointer("file"),
            format!("{} all read `{shown}`", list(several, "and")).replace(" all ", " both "),
            format!("add `database: {}`", several[0]),
        ),
    };
    problems.push(config.problem(&at, message, Some(hint)));
}

fn services(config: &Config, seed: &NamedSeed<'_>, problems: &mut Vec<Problem>) {
    let known: Vec<&str> = config.file.services().iter().map(|s| s.name).collect();
    for (key, wanted) in [("service", &seed.seed.service), ("after", &seed.seed.after)] {
        let Some(wanted) = wanted else { continue };
        if known.contains(&wanted.as_str()) {
            continue;
        }
        let is_seed = config.file.seeds().iter().any(|other| other.name == wanted);
        let hint = if key == "after" && DatabaseKind::from_name(wanted).is_some() {
            "a seed waits for the databases anyway: remove it".to_owned()
        } else if key == "after" && is_seed {
            "remove it: seeds for the same database run in the order of the list".to_owned()
        } else {
            match nearest(wanted, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!(
                    "the services are {}",
                    list(&known[..known.len().min(10)], "and")
                ),
            }
        };
        problems.push(config.problem(
            &seed.pointer(key),
            format!("there is no service `{}`", shorten(wanted)),
            Some(hint),
        ));
    }
}

fn enabled(file: &File) -> Vec<DatabaseKind> {
    let databases = file.databases.iter();
    databases
        .flat_map(|databases| databases.enabled())
        .collect()
}
