//! The components of a plan, as the comment tells of them.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::{
    deploy::Survey,
    model::{Environment, object::Object},
    plan::ComponentPlan,
    report::github::facts::{Component, Part, State},
};

/// The components in the order in which they start, as they are when that begins.
pub(super) fn components(
    environment: &Environment,
    survey: &Survey,
    state: State,
) -> Vec<Component> {
    let component = |planned: &ComponentPlan| {
        let name = &planned.name;
        let mut databases = environment.databases.iter();
        let is_database = databases.any(|database| database.kind.name() == name);
        let is_service = environment
            .services
            .iter()
            .any(|service| service.name == *name);
        // Before there is an image, its name is made up.
        let is_built = state != State::Preparing || is_database;
        Component {
            name: name.clone(),
            kind: match (is_service, is_database) {
                (true, _) => "service",
                (_, true) => "database",
                _ => "seed",
            },
            image: objects(planned)
                .find_map(image)
                .filter(|_| is_built)
                .unwrap_or_default(),
            state: match is_built {
                true if survey.plan.keeps(name) => "stays as it is",
                true => "starts",
                false => "waits for its image",
            }
            .to_owned(),
            up: false,
            seconds: None,
        }
    };
    planned(survey).map(component).collect()
}

/// What tells them from those of another version.
pub(super) fn parts(environment: &Environment, survey: &Survey) -> BTreeMap<String, Part> {
    planned(survey)
        .map(|planned| {
            let part = Part {
                image: objects(planned).find_map(image).unwrap_or_default(),
                config: fingerprint(environment, &planned.name),
            };
            (planned.name.clone(), part)
        })
        .collect()
}

fn planned(survey: &Survey) -> impl Iterator<Item = &ComponentPlan> {
    let all = survey.plan.waves.iter().flatten();
    all.filter(|planned| !planned.name.is_empty())
}

fn objects(planned: &ComponentPlan) -> impl Iterator<Item = &Object> {
    planned.changes.iter().map(|change| &change.object)
}

/// Image of the first container of a workload.
fn image(object: &Object) -> Option<String> {
    let containers = ["/spec/template/spec/containers/0/image", "/spec/imageName"];
    containers
        .iter()
        .find_map(|path| object.str(path))
        .map(str::to_owned)
}

/// Tells what the file says of a component from what it said before: everything but its image, which is told apart by
/// itself. The objects would not do: they carry the commit. It is shown to everybody, so it is no more than a few digits.
fn fingerprint(environment: &Environment, name: &str) -> String {
    let services = environment
        .services
        .iter()
        .filter(|service| service.name == name);
    let services = services.map(|service| {
        let mut value = json!(service);
        value["image"] = Value::Null;
        value
    });
    let databases = environment
        .databases
        .iter()
        .filter(|database| database.kind.name() == name);
    let seeds = environment.seeds.iter().filter(|seed| seed.name == name);
    let said: Vec<Value> = services
        .chain(databases.map(|database| json!(database)))
        .chain(seeds.map(|seed| json!(seed)))
        .collect();
    let digest = Sha256::digest(json!(said).to_string());
    digest
        .iter()
        .take(4)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
