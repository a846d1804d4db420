//! What an operator does only when it makes a database: a change of it in the file changes the custom resource and nothing
//! else, so whoever made it is told what is left to do.

use super::{Action, Change};
use crate::model::operator::Operator;

/// Part of a path of a custom resource, the keys of the file that it is made of, and what is left to do.
const ONCE: [(Operator, &str, &str, &str); 4] = [
    (
        Operator::Postgresql,
        "spec.bootstrap.",
        "`extensions` and `bootstrap`",
        "run what is new in the database itself, as its superuser",
    ),
    (
        Operator::Mongodb,
        ".volumeClaimTemplates",
        "`storage`",
        "its volumes stay as they are; the operator's manual says how to grow them by hand",
    ),
    (
        Operator::Minio,
        ".volumeClaimTemplate",
        "`storage`",
        "its volumes stay as they are; grow the volume claims by hand where the storage class allows it",
    ),
    (
        Operator::Minio,
        "spec.buckets",
        "`buckets`",
        "make what is new with a client of S3, such as `mc mb`, or in a seed",
    ),
];

/// What changes in vain, in words.
pub(super) fn notes<'a>(changes: impl Iterator<Item = &'a Change>) -> Vec<String> {
    let mut notes = Vec::new();
    for change in changes.filter(|change| change.action == Action::Update) {
        let Some(operator) = Operator::of_id(&change.id) else {
            continue;
        };
        for (_, part, keys, to_do) in ONCE.iter().filter(|(of, ..)| *of == operator) {
            if change.fields.iter().any(|field| field.path.contains(part)) {
                let (kind, the) = (operator.database(), operator.the());
                notes.push(format!(
                    "{the} reads {keys} of {kind} only when it makes the database: {to_do}"
                ));
            }
        }
    }
    notes
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        model::object::Object,
        plan::{Live, change},
    };

    fn resource(operator: Operator, spec: serde_json::Value) -> Object {
        let (version, kind) = operator.resource();
        let fields = json!({"f:spec": {}});
        Object::new(json!({
            "apiVersion": version, "kind": kind,
            "metadata": {"name": operator.name(), "namespace": "shop-pr-1", "managedFields": [
                {"manager": "k8s-ee", "operation": "Apply", "fieldsV1": fields}]},
            "spec": spec,
        }))
        .expect("an object")
    }

    #[test]
    fn what_is_only_read_once_is_told() {
        let pool = |size: &str| {
            json!({"buckets": [{"name": "a"}], "pools": [{"name": "pool-0",
            "volumeClaimTemplate": {"spec": {"resources": {"requests": {"storage": size}}}}}]})
        };
        let sql = |size: &str, statement: &str| {
            json!({"storage": {"size": size},
            "bootstrap": {"initdb": {"postInitApplicationSQL": [statement]}}})
        };
        for (operator, before, after, told) in [
            (
                Operator::Minio,
                pool("1Gi"),
                pool("2Gi"),
                &["`storage` of minio"][..],
            ),
            (Operator::Minio, pool("1Gi"), pool("1Gi"), &[]),
            (
                Operator::Postgresql,
                sql("1Gi", "a"),
                sql("1Gi", "b"),
                &["`extensions` and `bootstrap` of postgresql"],
            ),
            // That one does resize.
            (Operator::Postgresql, sql("1Gi", "a"), sql("2Gi", "a"), &[]),
        ] {
            let there = resource(operator, before);
            let live: Live = [(there.id(), there)].into_iter().collect();
            let notes = notes([change(resource(operator, after), &live)].iter());
            assert_eq!(notes.len(), told.len(), "{notes:?}");
            for (note, told) in notes.iter().zip(told) {
                assert!(note.contains(told), "{note}");
            }
        }
    }
}
