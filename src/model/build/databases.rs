//! The databases of the file, and who runs each: what is there already stays with who runs it, because its data do not
//! move; for a new one the file decides, and then the platform.

use crate::{
    config::{
        Config,
        databases::{Databases, Switch},
        problem::Problem,
    },
    model::{
        Database, DatabaseKind, Mode,
        operator::{LiveDatabase, LiveDatabases, Operator},
        settings::PlatformSettings,
    },
};

/// The databases that the file enables, each with who runs it.
pub(super) fn databases(
    config: &Config,
    settings: &PlatformSettings,
    live: &LiveDatabases,
    problems: &mut Vec<Problem>,
) -> Vec<Database> {
    let Some(written) = &config.file.databases else {
        return Vec::new();
    };
    let mut databases = enabled(written);
    for database in &mut databases {
        if let Some(operator) = Operator::of_database(database.kind) {
            let live = live.get(database.kind);
            database.mode = mode(config, written, settings, operator, &live, problems);
            if database.mode == Mode::Operator {
                check_version(config, database, operator, problems);
            }
        }
    }
    databases
}

fn mode(
    config: &Config,
    written: &Databases,
    settings: &PlatformSettings,
    operator: Operator,
    live: &LiveDatabase,
    problems: &mut Vec<Problem>,
) -> Mode {
    let kind = operator.database();
    let (written, there) = (written.mode(kind), live.mode());
    let mode = written.or(there).unwrap_or_else(|| settings.mode(kind));
    let at = format!("/databases/{kind}/mode");
    if let (Some(written), Some(there)) = (written, there)
        && written != there
    {
        problems.push(config.problem(
            &at,
            format!(
                "{kind} cannot change to `mode: {written}`: the data of this environment are in {}, and would be left \
                 behind",
                place(operator, there)
            ),
            Some(format!(
                "remove `mode` or write `mode: {there}`; or give the data up and remove the environment first: k8s-ee down"
            )),
        ));
    }
    if mode == Mode::Operator && live.known == Some(false) {
        let (version, resource) = operator.resource();
        let standalone = format!("set `databases.{kind}.mode: standalone`");
        problems.push(config.problem(
            &at,
            format!(
                "the cluster has no {} (no kind {resource}, {version}) to run {kind} with",
                operator.title()
            ),
            Some(match written {
                Some(_) => format!("{standalone}, or install it: {}", operator.manual()),
                None => format!(
                    "{standalone}; that it is `operator` by default is said in the platform settings, whose owner may \
                     install it: {}",
                    operator.manual()
                ),
            }),
        ));
    }
    mode
}

/// Where the data of a database are.
fn place(operator: Operator, mode: Mode) -> String {
    let name = operator.name();
    match mode {
        Mode::Standalone => format!("the volume of the StatefulSet {name}"),
        Mode::Operator => format!("the {} {name} of {}", operator.resource().1, operator.the()),
    }
}

/// The MongoDB operator makes a name of an image of the version, and reads it as three numbers.
fn check_version(
    config: &Config,
    database: &Database,
    operator: Operator,
    problems: &mut Vec<Problem>,
) {
    let Some(version) = database.options["version"].as_str() else {
        return;
    };
    let numbers = version.split('.');
    let whole = numbers.clone().count() == 3
        && numbers
            .clone()
            .all(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
    if operator == Operator::Mongodb && !whole {
        problems.push(config.problem(
            "/databases/mongodb/version",
            format!("the MongoDB operator takes whole versions only, and `{version}` is none"),
            Some("write all three numbers, as in `version: \"7.0.5\"`".to_owned()),
        ));
    }
}

fn enabled(written: &Databases) -> Vec<Database> {
    [
        one(DatabaseKind::Postgresql, written.postgresql.as_ref(), |o| {
            o.enabled
        }),
        one(DatabaseKind::Mongodb, written.mongodb.as_ref(), |o| {
            o.enabled
        }),
        one(DatabaseKind::Redis, written.redis.as_ref(), |o| o.enabled),
        one(DatabaseKind::Minio, written.minio.as_ref(), |o| o.enabled),
        one(DatabaseKind::Mariadb, written.mariadb.as_ref(), |o| {
            o.enabled
        }),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn one<T: serde::Serialize>(
    kind: DatabaseKind,
    switch: Option<&Switch<T>>,
    flag: impl Fn(&T) -> Option<bool>,
) -> Option<Database> {
    let mut options = match switch? {
        Switch::Flag(false) => return None,
        Switch::Flag(true) => serde_json::json!({}),
        Switch::Options(options) if flag(options) == Some(false) => return None,
        Switch::Options(options) => {
            serde_json::to_value(options).expect("options are plain data with string keys")
        }
    };
    // Decided apart from the options, and not by the file alone.
    if let Some(options) = options.as_object_mut() {
        options.shift_remove("mode");
    }
    Some(Database {
        kind,
        mode: Mode::Standalone,
        options,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{config::Source, model::object::Object};

    fn live(known: Option<bool>, resource: bool, standalone: bool) -> LiveDatabases {
        let cluster = json!({"apiVersion": "postgresql.cnpg.io/v1", "kind": "Cluster", "metadata": {"name": "app-postgresql"}});
        let live = LiveDatabase {
            known,
            resource: resource.then(|| Object::new(cluster).expect("an object")),
            standalone,
        };
        [(DatabaseKind::Postgresql, live)].into_iter().collect()
    }

    /// Who runs PostgreSQL, and what is wrong about it, with hints.
    fn decide(mode: Option<Mode>, platform: Mode, live: &LiveDatabases) -> (Mode, Vec<String>) {
        let options = mode.map_or_else(|| "true".to_owned(), |mode| format!("{{mode: {mode}}}"));
        let text = format!("projectId: shop\ndatabases:\n  postgresql: {options}\n");
        let config = Config::parse(Source::new("k8s-ee.yaml", text))
            .unwrap_or_else(|invalid| panic!("{:?}", invalid.problems));
        let mut settings = PlatformSettings::default();
        settings
            .databases
            .entry(DatabaseKind::Postgresql)
            .or_default()
            .mode = platform;
        let mut problems = Vec::new();
        let databases = databases(&config, &settings, live, &mut problems);
        let told = |p: Problem| {
            let line = config.place(&p.pointer).line;
            format!("{line}: {}; {}", p.message, p.hint.unwrap_or_default())
        };
        assert!(databases[0].options.get("mode").is_none());
        (databases[0].mode, problems.into_iter().map(told).collect())
    }

    #[test]
    fn what_is_there_decides_before_the_platform() {
        let nothing = live(Some(true), false, false);
        let (operator, standalone) = (Mode::Operator, Mode::Standalone);
        for (written, platform, live, expected) in [
            (None, standalone, &nothing, standalone),
            (None, operator, &nothing, operator),
            (Some(standalone), operator, &nothing, standalone),
            (Some(operator), standalone, &nothing, operator),
            (None, standalone, &live(Some(true), true, false), operator),
            (None, operator, &live(Some(true), false, true), standalone),
            (None, operator, &live(None, false, true), standalone),
            (
                Some(operator),
                standalone,
                &live(Some(true), true, false),
                operator,
            ),
            // Nobody has looked.
            (
                Some(operator),
                standalone,
                &LiveDatabases::default(),
                operator,
            ),
        ] {
            assert_eq!(decide(written, platform, live), (expected, Vec::new()));
        }
    }

    #[test]
    fn data_are_not_left_behind() {
        let (_, to_standalone) = decide(
            Some(Mode::Standalone),
            Mode::Operator,
            &live(Some(true), true, false),
        );
        let (_, to_operator) = decide(
            Some(Mode::Operator),
            Mode::Operator,
            &live(Some(true), false, true),
        );
        insta::assert_snapshot!([to_standalone, to_operator].concat().join("\n"), @"
        3: postgresql cannot change to `mode: standalone`: the data of this environment are in the Cluster app-postgresql of CloudNativePG, and would be left behind; remove `mode` or write `mode: operator`; or give the data up and remove the environment first: k8s-ee down
        3: postgresql cannot change to `mode: operator`: the data of this environment are in the volume of the StatefulSet app-postgresql, and would be left behind; remove `mode` or write `mode: standalone`; or give the data up and remove the environment first: k8s-ee down
        ");
    }

    #[test]
    fn an_operator_that_is_not_there_is_named() {
        let absent = live(Some(false), false, false);
        let (_, asked_for) = decide(Some(Mode::Operator), Mode::Standalone, &absent);
        let (_, by_default) = decide(None, Mode::Operator, &absent);
        insta::assert_snapshot!([asked_for, by_default].concat().join("\n"), @"
        3: the cluster has no CloudNativePG (no kind Cluster, postgresql.cnpg.io/v1) to run postgresql with; set `databases.postgresql.mode: standalone`, or install it: https://cloudnative-pg.io/docs/
        3: the cluster has no CloudNativePG (no kind Cluster, postgresql.cnpg.io/v1) to run postgresql with; set `databases.postgresql.mode: standalone`; that it is `operator` by default is said in the platform settings, whose owner may install it: https://cloudnative-pg.io/docs/
        ");
        assert_eq!(decide(None, Mode::Standalone, &absent).1, [""; 0]);
    }

    #[test]
    fn the_mongodb_operator_takes_whole_versions() {
        for (version, whole) in [
            ("7.0.5", true),
            ("8.0", false),
            ("7.0.x", false),
            ("7..5", false),
        ] {
            let text = format!(
                "projectId: shop\ndatabases:\n  mongodb: {{mode: operator, version: \"{version}\"}}\n"
            );
            let config = Config::parse(Source::new("k8s-ee.yaml", text))
                .unwrap_or_else(|invalid| panic!("{:?}", invalid.problems));
            let mut problems = Vec::new();
            databases(
                &config,
                &PlatformSettings::default(),
                &LiveDatabases::default(),
                &mut problems,
            );
            assert_eq!(problems.is_empty(), whole, "{version}: {problems:?}");
        }
    }
}
