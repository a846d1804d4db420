//! What prepares a database and fails: a statement of the file's own SQL, or an extension.

use serde_json::Value;

use super::{
    cause::{CauseCode, Finding, Fix},
    container::Container,
    scene::Scene,
};
use crate::model::{Database, DatabaseKind};

/// A statement that failed. `script` is the name of the file that it is in, if the client names it.
pub(super) fn statement(
    scene: &Scene<'_>,
    container: &Container<'_>,
    script: Option<&str>,
    error: &str,
    evidence: Vec<String>,
) -> Finding {
    let found = |summary: String, fix: Fix| {
        Finding::new(
            CauseCode::DatabaseBootstrap,
            container.component,
            summary,
            evidence.clone(),
            fix,
        )
    };
    let Some(database) = scene.database(container.component) else {
        return found(
            format!(
                "a statement of SQL that {} runs fails: {error}",
                container.subject()
            ),
            Fix::new("correct the statement"),
        );
    };
    let key = match (database.kind, script) {
        (DatabaseKind::Postgresql, Some("30-application")) => "postInitApplicationSQL",
        _ => "initSQL",
    };
    found(
        format!("a statement of `bootstrap.{key}` fails: {error}"),
        Fix::new(format!(
            "correct the statement; {} then starts over with an empty volume",
            database.kind
        ))
        .at(Some(format!(
            "/databases/{}/bootstrap/{key}",
            database.kind
        ))),
    )
}

/// An extension of PostgreSQL that the image does not have.
pub(super) fn extension_missing(
    scene: &Scene<'_>,
    container: &Container<'_>,
    name: &str,
    evidence: Vec<String>,
) -> Finding {
    let pointer = postgresql(scene).map(|database| {
        let key = if extensions(database).any(|listed| listed == name) {
            "extensions"
        } else {
            "image"
        };
        format!("/databases/postgresql/{key}")
    });
    Finding::new(
        CauseCode::DatabaseExtension,
        container.component,
        format!("the image of PostgreSQL has no extension {name}"),
        evidence,
        Fix::new("correct the name, or name an image that has it as `image`").at(pointer),
    )
}

/// An extension that only a superuser may make, which no application is.
pub(super) fn extension_denied(
    scene: &Scene<'_>,
    container: &Container<'_>,
    name: &str,
    evidence: Vec<String>,
) -> Finding {
    Finding::new(
        CauseCode::DatabaseExtension,
        container.component,
        format!(
            "{} may not make the extension {name}: its user is no superuser",
            container.subject()
        ),
        evidence,
        made_with(scene, name),
    )
}

/// Something of an extension that nobody has made.
pub(super) fn extension_unmade(
    scene: &Scene<'_>,
    container: &Container<'_>,
    name: &str,
    evidence: Vec<String>,
) -> Finding {
    Finding::new(
        CauseCode::DatabaseExtension,
        container.component,
        format!(
            "{} needs the extension {name}, which its database was made without",
            container.subject()
        ),
        evidence,
        made_with(scene, name),
    )
}

fn made_with(scene: &Scene<'_>, name: &str) -> Fix {
    let fix = Fix::new("let the database be made with it");
    match postgresql(scene) {
        Some(database) => {
            let all: Vec<&str> = extensions(database).chain([name]).collect();
            fix.at(Some("/databases/postgresql/extensions".to_owned()))
                .write(format!("extensions: [{}]", all.join(", ")))
        }
        None => fix,
    }
}

/// Name of the application's user.
pub(super) fn owner<'a>(scene: &Scene<'a>) -> &'a str {
    postgresql(scene)
        .and_then(|database| database.options["owner"].as_str())
        .unwrap_or("app")
}

fn postgresql<'a>(scene: &Scene<'a>) -> Option<&'a Database> {
    scene.database(Some(DatabaseKind::Postgresql.name()))
}

fn extensions(database: &Database) -> impl Iterator<Item = &str> {
    let listed = database.options["extensions"].as_array();
    listed.into_iter().flatten().filter_map(Value::as_str)
}
