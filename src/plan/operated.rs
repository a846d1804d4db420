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
