//! What depends on what: names that exist, no circles, no two components of one name.

use std::collections::{HashMap, HashSet};

use crate::config::{
    Config,
    databases::DatabaseKind,
    pointer,
    problem::{MOST, Problem},
    seed::NamedSeed,
    services::Named,
    words::{list, nearest, shorten},
};

/// How many names of a circle are shown.
const SHOWN: usize = 10;

pub(super) fn check(config: &Config, problems: &mut Vec<Problem>) {
    let services = config.file.services();
    let seeds = config.file.seeds();
    let databases: Vec<DatabaseKind> = config
        .file
        .databases
        .iter()
        .flat_map(|databases| databases.enabled())
        .collect();
    if !config.file.is_short_form() {
        names(config, &services, &databases, problems);
    }
    dependencies(config, &services, &databases, &seeds, problems);
    circles(config, &services, &seeds, problems);
}

/// A service must not take a name that objects of a database have.
fn names(
    config: &Config,
    services: &[Named<'_>],
    databases: &[DatabaseKind],
    problems: &mut Vec<Problem>,
) {
    for service in services {
        for kind in databases {
            let database = kind.name();
            let of_objects = service
                .name
                .strip_prefix("app-")
                .and_then(|n| n.strip_prefix(database));
            let message = if service.name == database {
                format!("`{database}` is the database already, and cannot be a service too")
            } else if of_objects.is_some_and(|rest| rest.is_empty() || rest.starts_with('-')) {
                format!(
                    "names that begin with `app-{database}` belong to the database `{database}`"
                )
            } else {
                continue;
            };
            problems.push(config.key_problem(
                &pointer::child("/services", service.name),
                message,
                Some(format!(
                    "rename the service, or remove `databases.{database}`"
                )),
            ));
        }
    }
}

fn dependencies(
    config: &Config,
    services: &[Named<'_>],
    databases: &[DatabaseKind],
    seeds: &[NamedSeed<'_>],
    problems: &mut Vec<Problem>,
) {
    let known: Vec<&str> = services
        .iter()
        .map(|service| service.name)
        .chain(databases.iter().map(|kind| kind.name()))
        .chain(seeds.iter().map(|seed| seed.name))
        .collect();
    let kinds = if seeds.is_empty() {
        "service or database"
    } else {
        "service, database or seed"
    };
    let is_known: HashSet<&str> = known.iter().copied().collect();
    for service in services {
        for (n, wanted) in depends_on(service).iter().enumerate() {
            if problems.len() > MOST {
                return;
            }
            let shown = shorten(wanted);
            let (message, hint) = if wanted == service.name {
                (
                    format!("`{shown}` cannot depend on itself"),
                    "remove it".to_owned(),
                )
            } else if is_known.contains(wanted.as_str()) {
                continue;
            } else if DatabaseKind::from_name(wanted).is_some() {
                (
                    format!("the database `{shown}` is not enabled"),
                    format!("add `{shown}: true` under `databases`"),
                )
            } else {
                let others: Vec<&str> = known
                    .iter()
                    .copied()
                    .filter(|name| *name != service.name)
                    .collect();
                let near = nearest(
                    wanted,
                    others
                        .iter()
                        .copied()
                        .chain(DatabaseKind::ALL.map(DatabaseKind::name)),
                );
                (
                    format!("there is no {kinds} `{shown}`"),
                    match near {
                        Some(near) => format!("did you mean `{near}`?"),
                        None if others.is_empty() => {
                            "there is nothing else to depend on; remove it".to_owned()
                        }
                        None => format!(
                            "known names: {}",
                            list(&others[..others.len().min(SHOWN)], "and")
                        ),
                    },
                )
            };
            problems.push(config.problem(
                &service.pointer(&format!("dependsOn/{n}")),
                message,
                Some(hint),
            ));
        }
    }
}

/// A service or a seed, and what it waits for: names, each with the pointer of the key that says so.
struct Node<'a> {
    name: &'a str,
    waits_for: Vec<(&'a str, String)>,
    is_seed: bool,
}

/// Databases wait for nobody, and a seed without `after` for databases only: no circle leads through those.
fn nodes<'a>(services: &'a [Named<'_>], seeds: &'a [NamedSeed<'_>]) -> Vec<Node<'a>> {
    let services = services.iter().map(|service| Node {
        name: service.name,
        waits_for: depends_on(service)
            .iter()
            .enumerate()
            .map(|(n, on)| (on.as_str(), service.pointer(&format!("dependsOn/{n}"))))
            .collect(),
        is_seed: false,
    });
    let seeds = seeds.iter().map(|seed| Node {
        name: seed.name,
        waits_for: seed
            .seed
            .after
            .iter()
            .map(|on| (on.as_str(), seed.pointer("after")))
            .collect(),
        is_seed: true,
    });
    services.chain(seeds).collect()
}

/// Walks the graph depth first, without recursion; an edge back to a node on the way closes a circle.
fn circles(
    config: &Config,
    services: &[Named<'_>],
    seeds: &[NamedSeed<'_>],
    problems: &mut Vec<Problem>,
) {
    #[derive(Clone, Copy, PartialEq)]
    enum State {
        New,
        OnTheWay,
        Done,
    }
    let nodes = nodes(services, seeds);
    let index: HashMap<&str, usize> = nodes.iter().enumerate().map(|(n, s)| (s.name, n)).collect();
    let mut states = vec![State::New; nodes.len()];
    for start in 0..nodes.len() {
        if states[start] != State::New {
            continue;
        }
        // The nodes on the way, each with the dependency to look at next.
        let mut way = vec![(start, 0)];
        states[start] = State::OnTheWay;
        while let Some((node, next)) = way.last_mut() {
            let (node, n) = (*node, *next);
            *next += 1;
            let Some((wanted, at)) = nodes[node].waits_for.get(n) else {
                states[node] = State::Done;
                way.pop();
                continue;
            };
            let Some(target) = index.get(wanted).copied() else {
                continue;
            };
            match states[target] {
                State::New => {
                    states[target] = State::OnTheWay;
                    way.push((target, 0));
                }
                State::OnTheWay if target != node => {
                    let from = way.iter().position(|(s, _)| *s == target).unwrap_or(0);
                    let circle: Vec<&Node<'_>> =
                        way[from..].iter().map(|(s, _)| &nodes[*s]).collect();
                    let who = if circle.iter().any(|node| node.is_seed) {
                        "these"
                    } else {
                        "the services"
                    };
                    let names: Vec<&str> = circle.iter().map(|node| node.name).collect();
                    problems.push(config.problem(
                        at,
                        format!("{who} wait for each other: {}", in_a_row(&names)),
                        Some("remove one of these dependencies".to_owned()),
                    ));
                }
                // Done, or itself, which is told apart.
                _ => {}
            }
        }
    }
}

/// `a → b → a`.
fn in_a_row(circle: &[&str]) -> String {
    let mut names: Vec<&str> = circle.iter().copied().take(SHOWN).collect();
    if circle.len() > SHOWN {
        names.push("…");
    }
    names.extend(circle.first());
    names.join(" → ")
}

fn depends_on<'a>(service: &'a Named<'_>) -> &'a [String] {
    service.service.depends_on.as_deref().unwrap_or_default()
}
