//! What no schema can say: values that must make sense, and values that must agree with each other.

mod copies;
mod databases;
mod env;
mod graph;
mod image;
mod lifecycle;
mod paths;
mod resources;
mod seed;
mod trigger;
mod values;

pub(super) use image::check_reference;

use super::{Config, problem::Problem, services::SHORT_FORM, words::list};

/// Rules about single values. They hold for what is left of a file whose other members do not fit the schema.
pub(super) fn values(config: &Config) -> Vec<Problem> {
    let mut problems = Vec::new();
    for service in config.file.services() {
        env::check(config, &service, &mut problems);
        image::check(config, &service, &mut problems);
        paths::check(config, &service, &mut problems);
        values::interval(config, &service, &mut problems);
        let at = |member: &str| service.pointer(member);
        let written = service.service.resources.as_ref();
        resources::check_amounts(config, &at, written, &mut problems);
    }
    databases::values(config, &mut problems);
    lifecycle::check(config, &mut problems);
    seed::check_values(config, &mut problems);
    problems
}

/// Rules about values that depend on each other. With a part of the file missing they would say what is not so.
pub(super) fn relations(config: &Config) -> Vec<Problem> {
    let mut problems = Vec::new();
    one_form(config, &mut problems);
    for service in config.file.services() {
        let at = |member: &str| service.pointer(member);
        resources::check(
            config,
            &at,
            service.service.resources.as_ref(),
            &mut problems,
        );
        copies::check(config, &service, &mut problems);
        values::check_public(config, &service, &mut problems);
    }
    databases::relations(config, &mut problems);
    seed::check_relations(config, &mut problems);
    trigger::check(config, &mut problems);
    graph::check(config, &mut problems);
    problems
}

/// The short form and `services` are two ways of saying the same; together they contradict each other.
fn one_form(config: &Config, problems: &mut Vec<Problem>) {
    let Some(services) = &config.file.services else {
        return;
    };
    let home = match services.keys().next() {
        Some(only) if services.len() == 1 => only.as_str(),
        _ if services.contains_key("app") => "app",
        _ => "<name>",
    };
    for key in SHORT_FORM {
        if !config.has(&format!("/{key}")) {
            continue;
        }
        let of_app = config.keys("/app");
        let hint = match key {
            "app" if of_app.is_empty() => "remove it".to_owned(),
            "app" => {
                let from: Vec<String> = of_app.iter().map(|key| format!("app.{key}")).collect();
                let to: Vec<String> = of_app
                    .iter()
                    .map(|key| format!("services.{home}.{key}"))
                    .collect();
                format!("move {} to {}", list(&from, "and"), list(&to, "and"))
            }
            _ => format!("move `{key}` to `services.{home}.{key}`"),
        };
        problems.push(config.key_problem(
            &format!("/{key}"),
            format!(
                "`{key}` is of the short form, which has one service, and there is `services` too"
            ),
            Some(hint),
        ));
    }
}
