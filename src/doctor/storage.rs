//! Where the volumes of databases come from.

use super::{Finding, facts::Facts};
use crate::model::{object::Object, settings::PlatformSettings};

const DEFAULT: &str = "storageclass.kubernetes.io/is-default-class";

pub(super) fn findings(facts: &Facts, settings: &PlatformSettings) -> Vec<Finding> {
    const CHECK: &str = "storage";
    let Some(classes) = &facts.storage_classes else {
        return vec![Finding::unknown(
            CHECK,
            "storage classes may not be looked at",
        )];
    };
    let names: Vec<&str> = classes.iter().map(Object::name).collect();
    let defaults: Vec<&Object> = classes
        .iter()
        .filter(|class| class.annotation(DEFAULT) == Some("true"))
        .collect();
    let mut found = Vec::new();
    match defaults.as_slice() {
        [] if names.is_empty() => found.push(
            Finding::broken(CHECK, "the cluster has no storage class, so that no database gets a volume")
                .hint("install a provisioner, such as local-path-provisioner"),
        ),
        [] => found.push(
            Finding::broken(CHECK, "no storage class is the default one, so that databases without `storageClass` get no volume")
                .hint(format!("make one the default: kubectl annotate storageclass {} {DEFAULT}=true", names[0])),
        ),
        [class] => found.push(of_default(class)),
        several => {
            let names: Vec<&str> = several.iter().map(|class| class.name()).collect();
            found.push(
                Finding::warning(CHECK, format!("several storage classes are the default one: {}; the newest counts", names.join(", ")))
                    .hint(format!("leave it to one: kubectl annotate storageclass {} {DEFAULT}-", names[0])),
            );
        }
    }
    for (kind, database) in &settings.databases {
        let missing = database
            .storage_class
            .as_deref()
            .filter(|class| !names.contains(class));
        if let Some(class) = missing {
            found.push(
                Finding::broken(CHECK, format!("the platform settings put {kind} on the storage class `{class}`, which the cluster does not have"))
                    .hint(format!("set `databases.{kind}.storageClass` to one of {}", names.join(", "))),
            );
        }
    }
    found
}

fn of_default(class: &Object) -> Finding {
    let name = class.name();
    let provisioner = class
        .str("/provisioner")
        .unwrap_or("an unnamed provisioner");
    let grows = class
        .get("/allowVolumeExpansion")
        .and_then(serde_json::Value::as_bool)
        == Some(true);
    let summary = format!("the default storage class is `{name}` of {provisioner}");
    if grows {
        return Finding::ok("storage", format!("{summary}; its volumes can grow"));
    }
    Finding::warning("storage", format!("{summary}; its volumes cannot grow, so that `storage` of a database can never be raised")).hint(format!(
        "where the provisioner can do it: kubectl patch storageclass {name} -p '{{\"allowVolumeExpansion\": true}}'"
    ))
}
