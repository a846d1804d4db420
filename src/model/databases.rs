//! The databases of the environment: what the file says of them, brought together with the platform's settings, in the
//! words of the charts.

mod mode;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{
    Database, DatabaseKind,
    build::compute,
    operator::LiveDatabases,
    settings::{DatabaseSettings, ImageTemplate, PlatformSettings},
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
