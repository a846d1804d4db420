//! No key of the settings is without effect.

use super::*;

/// Every way in which one value in the document can be changed, with the pointer to it.
fn changes(document: &Value, pointer: &str, found: &mut Vec<(String, Value)>) {
    match document {
        Value::Bool(on) => found.push((pointer.to_owned(), json!(!on))),
        Value::Number(number) => {
            let more = number.as_u64().expect("settings count from nothing") + 7;
            found.push((pointer.to_owned(), json!(more)));
        }
        Value::String(text) => {
            let changed = match text.parse::<Quantity>() {
                Ok(amount) => json!(amount.times(30) + Quantity::units(1)),
                Err(_) => match text.parse::<Cidr>() {
                    Ok(_) => json!("198.51.100.0/24"),
                    Err(_) => json!(format!("{text}-changed")),
                },
            };
            found.push((pointer.to_owned(), changed));
        }
        Value::Array(list) => {
            for (i, value) in list.iter().enumerate() {
                changes(value, &format!("{pointer}/{i}"), found);
            }
        }
        Value::Object(map) => {
            for (key, value) in map {
                let key = key.replace('~', "~0").replace('/', "~1");
                changes(value, &format!("{pointer}/{key}"), found);
            }
        }
        Value::Null => panic!("{pointer} has no value to change"),
    }
}

/// Settings in which every key has a value that matters for an environment with all databases.
fn full() -> PlatformSettings {
    let range = |text: &str| text.parse().expect("a range");
    let mut settings = PlatformSettings::default();
    settings.ingress.controller.addresses = vec![range("10.200.0.0/24")];
    settings.network.observability.addresses = vec![range("10.201.0.0/24")];
    settings.network.blocked_cidrs = vec![range("198.51.100.0/25")];
    for operator in &mut settings.network.operators {
        operator.pod_labels = owned([("app", "operator")]);
        operator.addresses = vec![range("10.202.0.0/24")];
    }
    settings.access.viewers = vec!["developers".to_owned()];
    // Below what is needed, so that each of them shows.
    for amount in settings.quota.ceiling.values_mut() {
        *amount = amount.percent(10);
    }
    settings
}

#[test]
fn every_key_changes_the_objects() {
    let mut env = environment();
    env.databases.push(Database {
        kind: DatabaseKind::Mariadb,
        mode: Mode::Standalone,
        options: json!({}),
    });
    let mut objects = rendered(&env);
    objects.extend(operated());
    let settings = full();
    let of = |settings: &PlatformSettings| built(&env, &objects, settings, &facts());
    let before = of(&settings);

    let document = serde_json::to_value(&settings).expect("JSON");
    let mut all = Vec::new();
    for part in ["network", "quota", "limits"] {
        changes(&document[part], &format!("/{part}"), &mut all);
    }
    let viewers = &document["access"]["viewers"];
    changes(viewers, "/access/viewers", &mut all);
    let controller = &document["ingress"]["controller"];
    changes(controller, "/ingress/controller", &mut all);
    // Names of Services in it are the databases' own: their tests hold it.
    all.retain(|(pointer, _)| pointer != "/network/clusterDomain");
    assert!(all.len() > 80, "only {} changes were found", all.len());

    for (pointer, value) in all {
        let mut changed = document.clone();
        *changed.pointer_mut(&pointer).expect("it was found there") = value;
        let mut changed: PlatformSettings =
            serde_json::from_value(changed).expect("still settings");
        if is_room(&pointer) {
            // What leaves room only shows where the ceiling lets it.
            changed.quota.ceiling.clear();
            let mut unbounded = settings.clone();
            unbounded.quota.ceiling.clear();
            assert!(of(&changed) != of(&unbounded), "{pointer} has no effect");
        } else {
            assert!(of(&changed) != before, "{pointer} has no effect");
        }
    }
}

/// Whether the key leaves room in the quota.
fn is_room(pointer: &str) -> bool {
    pointer.starts_with("/quota/") && !pointer.starts_with("/quota/ceiling/")
        || pointer.starts_with("/limits/default")
}
