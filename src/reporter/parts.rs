//! The components of a plan, as the comment tells of them.

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::{
    deploy::Survey,
    model::{Environment, object::Object},
    plan::ComponentPlan,
    report::github::facts::Component,
};

/// The components in the order in which they start.
pub(super) fn components(environment: &Environment, survey: &Survey) -> Vec<Component> {
    let planned = survey.plan.waves.iter().flatten();
    planned
        .filter(|planned| !planned.name.is_empty())
        .map(|planned| component(environment, planned))
        .collect()
}

fn component(environment: &Environment, planned: &ComponentPlan) -> Component {
    let objects = planned.changes.iter().map(|change| &change.object);
    let image = objects.clone().find_map(image);
    let name = &planned.name;
    let is_service = environment
        .services
        .iter()
        .any(|service| service.name == *name);
    let is_database = environment
        .databases
        .iter()
        .any(|database| database.kind.name() == name);
    Component {
        name: name.clone(),
        kind: match (is_service, is_database) {
            (true, _) => "service",
            (_, true) => "database",
            _ => "seed",
        },
        image: image.unwrap_or_default(),
        config: fingerprint(objects),
        ..Component::default()
    }
}

/// Image of the first container of a workload.
fn image(object: &Object) -> Option<String> {
    let containers = ["/spec/template/spec/containers/0/image", "/spec/imageName"];
    containers
        .iter()
        .find_map(|path| object.str(path))
        .map(str::to_owned)
}

/// Tells a configuration from another one: everything but the images, which are told apart by themselves, and Secrets,
/// whose values are nobody's business. It is shown to everybody, so it is no more than a few digits.
fn fingerprint<'a>(objects: impl Iterator<Item = &'a Object>) -> String {
    let mut hash = Sha256::new();
    for object in objects.filter(|object| object.kind() != "Secret") {
        let mut value = object.as_value();
        without_images(&mut value);
        hash.update(value.to_string());
    }
    let digest = hash.finalize();
    digest
        .iter()
        .take(4)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn without_images(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.remove("image");
            members.remove("imageName");
            members.values_mut().for_each(without_images);
        }
        Value::Array(items) => items.iter_mut().for_each(without_images),
        _ => {}
    }
}
