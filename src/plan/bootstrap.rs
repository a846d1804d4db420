//! Statements that prepare a database: they run on an empty volume and never again.
//!
//! The charts put a checksum of them into the pod's template, so that a mended one gets a new pod at once. A database that
//! is prepared has no use for that: it keeps the checksum that it runs with, and is not restarted.

use serde_json::Value;

use super::Live;
use crate::model::object::Object;

/// Annotation of a database's pods: the checksum of the statements.
const CHECKSUM: &str = "checksum/bootstrap";

/// Lets databases that are prepared run on as they are; returns what that means, in words.
pub(crate) fn settle(objects: &mut [Object], live: &Live) -> Vec<String> {
    let mut notes = Vec::new();
    for set in objects.iter_mut().filter(|o| o.kind() == "StatefulSet") {
        let Some(there) = live.get(&set.id()).filter(|there| is_prepared(there)) else {
            continue;
        };
        let (wanted, has) = (checksum(set), checksum(there));
        if wanted == has {
            continue;
        }
        let component = set.component().unwrap_or_default();
        notes.push(format!(
            "`bootstrap` of {component} has changed; it ran when the volume was first used, and does not run again"
        ));
        let metadata = &mut set.as_map_mut()["spec"]["template"]["metadata"];
        match has {
            Some(has) => metadata["annotations"][CHECKSUM] = has,
            None => {
                let annotations = metadata["annotations"].as_object_mut();
                annotations.map(|annotations| annotations.remove(CHECKSUM));
            }
        }
    }
    notes
}

/// A pod gets ready only when its database is prepared. One that has been ready and is not is none the worse for a new
/// pod.
fn is_prepared(set: &Object) -> bool {
    let ready = set.get("/status/readyReplicas").and_then(Value::as_i64);
    ready.is_some_and(|ready| ready > 0)
}

fn checksum(set: &Object) -> Option<Value> {
    let annotations = set.get("/spec/template/metadata/annotations")?;
    annotations.get(CHECKSUM).cloned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn set(checksum: Option<&str>, ready: u32) -> Object {
        let mut annotations = json!({"checksum/pg-hba": "1"});
        if let Some(checksum) = checksum {
            annotations[CHECKSUM] = checksum.into();
        }
        Object::new(json!({
            "apiVersion": "apps/v1", "kind": "StatefulSet",
            "metadata": {"name": "app-postgresql", "namespace": "shop-pr-1", "labels": {"k8s-ee/component": "postgresql"}},
            "spec": {"template": {"metadata": {"annotations": annotations}}},
            "status": {"readyReplicas": ready},
        }))
        .expect("an object")
    }

    #[test]
    fn only_a_database_that_is_not_prepared_gets_new_statements() {
        for (live, wanted, result, notes) in [
            (set(Some("old"), 0), Some("new"), Some("new"), 0),
            (set(None, 0), Some("new"), Some("new"), 0),
            (set(Some("old"), 0), None, None, 0),
            (set(Some("old"), 1), Some("new"), Some("old"), 1),
            (set(Some("old"), 1), None, Some("old"), 1),
            (set(None, 1), Some("new"), None, 1),
            (set(Some("same"), 1), Some("same"), Some("same"), 0),
            (set(None, 1), None, None, 0),
        ] {
            let mut objects = [set(wanted, 0)];
            let told = settle(&mut objects, &[(live.id(), live)].into_iter().collect());
            assert_eq!(checksum(&objects[0]), result.map(Value::from), "{told:?}");
            assert_eq!(told.len(), notes);
            assert!(
                objects[0]
                    .str("/spec/template/metadata/annotations/checksum~1pg-hba")
                    .is_some()
            );
        }
        let mut new = [set(Some("new"), 0)];
        assert_eq!(settle(&mut new, &Live::new()), [""; 0]);
        assert_eq!(checksum(&new[0]), Some("new".into()));
    }
}
