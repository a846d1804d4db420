//! The databases of the environment: what the file says of them, brought together with the platform's settings, in the
//! words of the charts.

mod mode;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{
    Database, DatabaseKind,
    build::compute,
    operator::LiveDatabases,
    settings::{CLUSTER_DOMAIN, DatabaseSettings, ImageTemplate, PlatformSettings},
};
use crate::config::{
    Config,
    databases::{Common, Databases, Switch},
    defaults,
    problem::Problem,
};

/// Options that have one form in the charts and several in the file, or that say nothing to the charts.
const REWORDED: [&str; 8] = [
    "enabled",
    "image",
    "mode",
    "probes",
    "resources",
    "startupProbe",
    "storage",
    "version",
];

/// The databases that the file asks for, each with its options as its chart takes them.
pub(super) fn of_file(
    config: &Config,
    settings: &PlatformSettings,
    live: &LiveDatabases,
    problems: &mut Vec<Problem>,
) -> Vec<Database> {
    let Some(written) = &config.file.databases else {
        return Vec::new();
    };
    let none = DatabaseSettings::default();
    let cluster_domain = settings.network.cluster_domain.as_str();
    let mut databases = Vec::new();
    for kind in written.enabled() {
        let common = written.common(kind).unwrap_or_default();
        let mode = mode::of_kind(config, written, kind, settings, live, problems);
        let settings = settings.databases.get(&kind).unwrap_or(&none);
        let mut options = own_options(written, kind);
        options.retain(|key, _| !REWORDED.contains(&key.as_str()));
        // The platform's image is one for the mode that it names: operators' images start in another way.
        let template = settings.image.as_ref().filter(|_| mode == settings.mode);
        image(config, kind, common, template, &mut options, problems);
        storage(common, settings, &mut options);
        if let Some(resources) = common.resources {
            let (requests, limits) = compute(resources, &defaults::database(kind).container);
            options.insert(
                "resources".to_owned(),
                json!({
                    "requests": {"cpu": requests.cpu.as_cpu(), "memory": requests.memory.as_bytes()},
                    "limits": {"cpu": limits.cpu.as_cpu(), "memory": limits.memory.as_bytes()},
                }),
            );
        }
        if kind == DatabaseKind::Mongodb && cluster_domain != CLUSTER_DOMAIN {
            options.insert("clusterDomain".to_owned(), cluster_domain.into());
        }
        if let Some(probe) = common.startup {
            options.insert("startupSeconds".to_owned(), probe.seconds().into());
        }
        databases.push(Database {
            kind,
            mode,
            options: options.into(),
        });
    }
    databases
}

/// What the file says of a kind.
fn own_options(written: &Databases, kind: DatabaseKind) -> Map<String, Value> {
    fn of<T: Serialize>(switch: Option<&Switch<T>>) -> Map<String, Value> {
        let options = switch.and_then(Switch::options).map(|options| {
            serde_json::to_value(options).expect("options are plain data with string keys")
        });
        match options {
            Some(Value::Object(options)) => options,
            _ => Map::new(),
        }
    }
    match kind {
        DatabaseKind::Postgresql => of(written.postgresql.as_ref()),
        DatabaseKind::Mongodb => of(written.mongodb.as_ref()),
        DatabaseKind::Redis => of(written.redis.as_ref()),
        DatabaseKind::Minio => of(written.minio.as_ref()),
        DatabaseKind::Mariadb => of(written.mariadb.as_ref()),
    }
}

/// The file's own image wins over the platform's, and that over the chart's.
fn image(
    config: &Config,
    kind: DatabaseKind,
    common: Common<'_>,
    template: Option<&ImageTemplate>,
    options: &mut Map<String, Value>,
    problems: &mut Vec<Problem>,
) {
    if let Some(version) = common.version {
        options.insert("version".to_owned(), version.into());
    }
    if let Some(reference) = common.image {
        options.insert("image".to_owned(), reference.into());
        return;
    }
    let Some(template) = template else {
        return;
    };
    if let (Some(version), false) = (common.version, template.has_version()) {
        problems.push(config.problem(
            &format!("/databases/{kind}/version"),
            format!("`databases.{kind}.version` is {version}, and the platform runs every {kind} from `{template}`"),
            Some("remove it, or name an image of your own as `image`".to_owned()),
        ));
    }
    let version = common.version.unwrap_or(defaults::database(kind).version);
    options.insert("image".to_owned(), template.reference(version).into());
}

/// The platform's storage class is for volumes that name none. Redis without a size has no volume.
fn storage(common: Common<'_>, settings: &DatabaseSettings, options: &mut Map<String, Value>) {
    let (size, class) = common.storage.map_or((None, None), |storage| {
        let (size, class) = storage.parts();
        (Some(size), class)
    });
    let mut storage = Map::new();
    if let Some(size) = size {
        storage.insert("size".to_owned(), size.into());
    }
    if let Some(class) = class.or(settings.storage_class.as_deref()) {
        storage.insert("storageClass".to_owned(), class.into());
    }
    if !storage.is_empty() {
        options.insert("storage".to_owned(), storage.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Source;

    fn made(databases: &str, settings: &str) -> Result<Vec<Value>, Vec<String>> {
        let text = format!("projectId: shop\ndatabases: {databases}\n");
        let config = Config::parse(Source::new("k8s-ee.yaml", text))
            .unwrap_or_else(|invalid| panic!("{:?}", invalid.problems));
        let settings: PlatformSettings =
            serde_saphyr::from_str(settings).unwrap_or_else(|error| panic!("{error}"));
        let mut problems = Vec::new();
        let databases = of_file(&config, &settings, &LiveDatabases::default(), &mut problems);
        if problems.is_empty() {
            Ok(databases.into_iter().map(|d| d.options).collect())
        } else {
            Err(problems.into_iter().map(|p| p.message).collect())
        }
    }

    const MIRROR: &str = "databases:\n  postgresql: {image: 'mirror/postgres:{version}', storageClass: fast}\n  redis: {image: mirror/valkey@sha256:0000000000000000000000000000000000000000000000000000000000000000, storageClass: fast}\n";

    #[test]
    fn options_reach_the_chart_in_its_words() {
        let options = made(
            "{postgresql: {enabled: true, version: '17', instances: 1, storage: 2Gi, owner: keeper, probes: {startup: {failureThreshold: 6}}}}",
            "{}",
        );
        assert_eq!(
            options,
            Ok(vec![json!({
                "instances": 1,
                "owner": "keeper",
                "version": "17",
                "storage": {"size": "2Gi"},
                "startupSeconds": 60,
            })])
        );
        assert_eq!(
            made("{redis: true, minio: false}", "{}"),
            Ok(vec![json!({})])
        );
    }

    #[test]
    fn a_default_gives_way_to_the_amount_beside_it() {
        let options = made(
            "{redis: {resources: {limits: {memory: 32Mi}, requests: {cpu: '1'}}}}",
            "{}",
        );
        assert_eq!(
            options.expect("no problems")[0]["resources"],
            json!({
                "requests": {"cpu": "1", "memory": "32Mi"},
                "limits": {"cpu": "1", "memory": "32Mi"},
            })
        );
    }

    #[test]
    fn the_platform_decides_what_the_file_leaves_open() {
        let options = made("{postgresql: true, redis: true, mariadb: true}", MIRROR);
        let options = options.expect("no problems");
        assert_eq!(
            options[0],
            json!({"image": "mirror/postgres:16", "storage": {"storageClass": "fast"}})
        );
        assert!(
            options[1]["image"]
                .as_str()
                .is_some_and(|i| i.starts_with("mirror/valkey@"))
        );
        assert_eq!(options[2], json!({}));
        let options = made(
            "{postgresql: {version: '17', storage: {size: 1Gi, storageClass: slow}}, redis: {image: 'redis:8'}}",
            MIRROR,
        );
        let options = options.expect("no problems");
        assert_eq!(options[0]["image"], "mirror/postgres:17");
        assert_eq!(options[0]["storage"]["storageClass"], "slow");
        assert_eq!(options[1]["image"], "redis:8");
    }

    #[test]
    fn a_version_that_the_platform_has_no_room_for_is_told() {
        let refused = made("{redis: {version: '8.0'}}", MIRROR).expect_err("a fixed image");
        assert!(
            refused[0].contains("the platform runs every redis from `mirror/valkey@"),
            "{refused:?}"
        );
    }

    #[test]
    fn platform_settings_take_references_only() {
        let settings = "databases: {redis: {image: 'https://mirror/redis'}}";
        let refused = serde_saphyr::from_str::<PlatformSettings>(settings).expect_err("a URL");
        assert!(
            refused.to_string().contains("no image reference"),
            "{refused}"
        );
        let unknown = "databases: {mysql: {image: mysql}}";
        serde_saphyr::from_str::<PlatformSettings>(unknown).expect_err("no kind of database");
    }
}
