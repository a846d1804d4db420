//! Who runs a database: what is there already stays with who runs it, because its data do not move; for a new one the
//! file decides, and then the platform.

use crate::{
    config::{Config, databases::Databases, problem::Problem},
    model::{
        DatabaseKind, Mode,
        operator::{LiveDatabase, LiveDatabases, Operator},
        settings::PlatformSettings,
    },
};

/// Who is to run a database that the file enables.
pub(super) fn of_kind(
    config: &Config,
    written: &Databases,
    kind: DatabaseKind,
    settings: &PlatformSettings,
    live: &LiveDatabases,
    problems: &mut Vec<Problem>,
) -> Mode {
    let Some(operator) = Operator::of_database(kind) else {
        return Mode::Standalone;
    };
    let live = live.get(kind);
    let mode = mode(config, written, settings, operator, &live, problems);
    check(config, written, kind, mode, problems);
    mode
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
    let there = live.mode();
    let written = written.common(kind).and_then(|common| common.mode);
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

/// What one of the two modes cannot do.
fn check(
    config: &Config,
    written: &Databases,
    kind: DatabaseKind,
    mode: Mode,
    problems: &mut Vec<Problem>,
) {
    let at = |member: &str| format!("/databases/{kind}/{member}");
    let postgresql = written.postgresql.as_ref().and_then(|s| s.options());
    let mongodb = written.mongodb.as_ref().and_then(|s| s.options());
    let several = match kind {
        DatabaseKind::Postgresql => ("instances", postgresql.and_then(|o| o.instances)),
        _ => ("members", mongodb.and_then(|o| o.members)),
    };
    if let (Mode::Standalone, (member, Some(wanted @ 2..))) = (mode, several)
        && matches!(kind, DatabaseKind::Postgresql | DatabaseKind::Mongodb)
    {
        problems.push(config.problem(
            &at(member),
            format!(
                "`databases.{kind}.{member}` is {wanted}, and without an operator a database is one pod"
            ),
            Some(
                "remove it, or set `mode: operator` where the cluster has the operator".to_owned(),
            ),
        ));
    }
    // The MongoDB operator makes the name of an image of the version, and reads it as three numbers.
    let version = mongodb.and_then(|options| options.version.as_deref());
    if let (DatabaseKind::Mongodb, Mode::Operator, Some(version)) = (kind, mode, version)
        && !is_whole(version)
    {
        problems.push(config.problem(
            &at("version"),
            format!("the MongoDB operator takes whole versions only, and `{version}` is none"),
            Some("write all three numbers, as in `version: \"7.0.5\"`".to_owned()),
        ));
    }
}

fn is_whole(version: &str) -> bool {
    let mut numbers = version.split('.');
    numbers.clone().count() == 3
        && numbers.all(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        config::Source,
        model::{databases::of_file, object::Object},
    };

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
        let databases = of_file(&config, &settings, live, &mut problems);
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
        for (version, whole) in [("7.0.5", true), ("8.0", false), ("7.0.5-ubi8", false)] {
            let text = format!(
                "projectId: shop\ndatabases:\n  mongodb: {{mode: operator, version: \"{version}\"}}\n"
            );
            let config = Config::parse(Source::new("k8s-ee.yaml", text))
                .unwrap_or_else(|invalid| panic!("{:?}", invalid.problems));
            let mut problems = Vec::new();
            of_file(
                &config,
                &PlatformSettings::default(),
                &LiveDatabases::default(),
                &mut problems,
            );
            assert_eq!(problems.is_empty(), whole, "{version}: {problems:?}");
        }
    }

    #[test]
    fn several_servers_need_an_operator() {
        let told = |text: &str| {
            let text = format!("projectId: shop\ndatabases:\n  {text}\n");
            let config = Config::parse(Source::new("k8s-ee.yaml", text))
                .unwrap_or_else(|invalid| panic!("{:?}", invalid.problems));
            let mut problems = Vec::new();
            let (settings, live) = (PlatformSettings::default(), LiveDatabases::default());
            let databases = of_file(&config, &settings, &live, &mut problems);
            let told: Vec<String> = problems.into_iter().map(|p| p.message).collect();
            (databases[0].options.clone(), told)
        };
        let (_, refused) = told("postgresql: {instances: 2}");
        assert_eq!(
            refused,
            [
                "`databases.postgresql.instances` is 2, and without an operator a database is one pod"
            ]
        );
        assert_eq!(told("mongodb: {members: 3}").1.len(), 1);
        assert_eq!(told("mongodb: {members: 1}").1, [""; 0]);
        let (options, taken) = told("postgresql: {mode: operator, instances: 2}");
        assert_eq!((&options["instances"], taken), (&json!(2), Vec::new()));
        let (options, taken) = told("mongodb: {mode: operator, members: 3}");
        assert_eq!((&options["members"], taken), (&json!(3), Vec::new()));
    }
}
