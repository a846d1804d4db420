//! A database server of a compose file, and the database of the environment that takes its place.

use serde_json::Value;

use crate::{
    config::{databases::DatabaseKind, document::Found, injected},
    init::{draft::Database, note::Kind, write::scalar},
};

use super::{image::Known, reader::Reader};

/// What services know of a server, there and here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Server {
    pub(super) kind: DatabaseKind,
    /// Name of the application's database here.
    pub(super) database: String,
    /// Name of its user here.
    pub(super) user: String,
    /// Name of the database in the compose file; empty where there is none.
    pub(super) old_database: String,
    /// Name of the user in the compose file; empty where there is none.
    pub(super) old_user: String,
    /// Passwords and secret keys in the compose file.
    pub(super) passwords: Vec<String>,
    /// Whether it asks for a password here.
    pub(super) asks_for_password: bool,
}

/// Variables of an image that name its database, its user and its passwords.
fn variables(
    kind: DatabaseKind,
) -> (
    &'static [&'static str],
    &'static [&'static str],
    &'static [&'static str],
) {
    match kind {
        DatabaseKind::Postgresql => (
            &["POSTGRES_DB", "POSTGRESQL_DATABASE"],
            &["POSTGRES_USER", "POSTGRESQL_USERNAME"],
            &["POSTGRES_PASSWORD", "POSTGRESQL_PASSWORD"],
        ),
        DatabaseKind::Mariadb => (
            &["MYSQL_DATABASE", "MARIADB_DATABASE"],
            &["MYSQL_USER", "MARIADB_USER"],
            &[
                "MYSQL_PASSWORD",
                "MARIADB_PASSWORD",
                "MYSQL_ROOT_PASSWORD",
                "MARIADB_ROOT_PASSWORD",
            ],
        ),
        DatabaseKind::Mongodb => (
            &["MONGO_INITDB_DATABASE"],
            &["MONGO_INITDB_ROOT_USERNAME"],
            &["MONGO_INITDB_ROOT_PASSWORD"],
        ),
        DatabaseKind::Redis => (&[], &[], &["REDIS_PASSWORD"]),
        DatabaseKind::Minio => (
            &[],
            &["MINIO_ROOT_USER", "MINIO_ACCESS_KEY"],
            &["MINIO_ROOT_PASSWORD", "MINIO_SECRET_KEY"],
        ),
    }
}

/// Names that servers keep for themselves, or for the superuser.
const RESERVED: [&str; 14] = [
    "postgres",
    "root",
    "admin",
    "local",
    "config",
    "mysql",
    "sys",
    "template0",
    "template1",
    "information_schema",
    "performance_schema",
    "public",
    "default",
    "minio",
];

/// A name that every server takes for a database or a user.
fn is_name(text: &str) -> bool {
    (1..=32).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && !text.starts_with("pg_")
        && !RESERVED.contains(&text)
}

/// Reads what services know of a server, and what they will.
pub(super) fn read(reader: &Reader<'_>, service: Found<'_>, kind: DatabaseKind) -> Server {
    let environment = texts(reader, service);
    let value = |keys: &[&str]| {
        keys.iter()
            .find_map(|key| environment.iter().find(|(known, _)| known == key))
            .map(|(_, value)| value.clone())
    };
    let (databases, users, passwords) = variables(kind);
    let mut passwords: Vec<String> = passwords.iter().filter_map(|key| value(&[key])).collect();
    let command = command(reader, service);
    let of_redis = command
        .iter()
        .skip_while(|word| *word != "--requirepass")
        .nth(1);
    passwords.extend(of_redis.cloned());
    passwords.retain(|password| !password.is_empty());

    let default_user = match kind {
        DatabaseKind::Postgresql => "postgres",
        DatabaseKind::Mariadb => "root",
        _ => "",
    };
    let old_user = value(users).unwrap_or_else(|| default_user.to_owned());
    let old_database = value(databases).unwrap_or_else(|| match kind {
        DatabaseKind::Postgresql => old_user.clone(),
        _ => String::new(),
    });
    let has_names = !matches!(kind, DatabaseKind::Redis | DatabaseKind::Minio);
    let kept = |old: &str| match has_names && is_name(old) {
        true => old.to_owned(),
        false => DEFAULT_NAME.to_owned(),
    };
    Server {
        kind,
        database: kept(&old_database),
        user: kept(&old_user),
        asks_for_password: kind != DatabaseKind::Redis || !passwords.is_empty(),
        old_database,
        old_user,
        passwords,
    }
}

/// The database that takes the place of a server.
pub(super) fn replacement(
    reader: &Reader<'_>,
    name: &str,
    service: Found<'_>,
    image: Found<'_>,
    known: &Known,
    server: &Server,
) -> Database {
    let kind = known.kind;
    let mut options = Vec::new();
    if let Some(image) = &known.image {
        options.push(("image".to_owned(), scalar(image)));
    } else if let Some(version) = &known.version {
        // A version is a text, even where it is a number.
        options.push((
            "version".to_owned(),
            Value::from(version.as_str()).to_string(),
        ));
    }
    let user_key = match kind {
        DatabaseKind::Postgresql => "owner",
        _ => "username",
    };
    for (key, value) in [("database", &server.database), (user_key, &server.user)] {
        if value != DEFAULT_NAME {
            options.push((key.to_owned(), scalar(value)));
        }
    }
    if !server.asks_for_password {
        options.push(("auth".to_owned(), "{enabled: false}".to_owned()));
    }
    if kind == DatabaseKind::Redis && keeps_data(reader, service) {
        options.push(("storage".to_owned(), "1Gi".to_owned()));
    }
    reader.note(
        Kind::Found,
        image,
        format!("`databases.{kind}` takes the place of `{name}`"),
    );
    if let Some(caveat) = &known.caveat {
        reader.note(Kind::Changed, image, caveat.clone());
    }
    tell_what_is_lost(reader, service, kind);
    Database {
        kind,
        why: format!("`{name}` at {}", reader.place(image)),
        is_offer: false,
        options,
    }
}

/// Name of database and user where the file names none.
const DEFAULT_NAME: &str = "app";

fn command(reader: &Reader<'_>, service: Found<'_>) -> Vec<String> {
    let command = service.child("command");
    command.map(|at| reader.words(at)).unwrap_or_default()
}

/// Whether a volume is there to keep what a server has.
fn keeps_data(reader: &Reader<'_>, service: Found<'_>) -> bool {
    let volumes = service.child("volumes").map(|list| list.items());
    volumes.unwrap_or_default().into_iter().any(|at| {
        let target = reader.member(at, "target").or_else(|| {
            let text = reader.text(at)?;
            Some(text.split(':').nth(1)?.to_owned())
        });
        target.is_some_and(|target| target.trim_end_matches('/') == "/data")
    })
}

fn tell_what_is_lost(reader: &Reader<'_>, service: Found<'_>, kind: DatabaseKind) {
    let command = command(reader, service);
    let volumes = service.child("volumes").map(|list| list.items());
    for at in volumes.unwrap_or_default() {
        let (from, to) = (reader.member(at, "source"), reader.member(at, "target"));
        let text = if at.is_map() { None } else { reader.text(at) };
        let mut parts = text.as_deref().unwrap_or_default().split(':');
        let from = from
            .or_else(|| parts.next().map(str::to_owned))
            .unwrap_or_default();
        let to = to
            .or_else(|| parts.next().map(str::to_owned))
            .unwrap_or_default();
        if to.starts_with("/docker-entrypoint-initdb.d") {
            reader.note(
                Kind::Left,
                at,
                format!("`{from}` is not run: name its files under `seed`, such as `seed: {{file: init.sql, database: {kind}}}`"),
            );
        } else if from.starts_with(['.', '/', '~']) && !to.is_empty() && !is_data(&to) {
            reader.note(
                Kind::Left,
                at,
                format!(
                    "`{from}` is not mounted; settings of {kind} are keys of `databases.{kind}`"
                ),
            );
        }
    }
    let ours = [
        "redis-server",
        "--requirepass",
        "--appendonly",
        "server",
        "minio",
        "postgres",
        "mysqld",
        "mongod",
    ];
    let is_known = command.iter().all(|word| {
        ours.contains(&word.as_str())
            || !word.starts_with('-')
            || word.starts_with("--console-address")
    });
    if let Some(at) = service.child("command")
        && !is_known
    {
        reader.note(
            Kind::Left,
            at,
            format!(
                "the command is not taken over; settings of {kind} are keys of `databases.{kind}`"
            ),
        );
    }
}

/// Whether a directory is where one of the servers keeps its data.
fn is_data(directory: &str) -> bool {
    let starts = ["/var/lib/", "/data", "/bitnami", "/export"];
    starts.iter().any(|start| directory.starts_with(start))
}

/// The variables of a server, from either form; those without a value are left out.
fn texts(reader: &Reader<'_>, service: Found<'_>) -> Vec<(String, String)> {
    let Some(environment) = service.child("environment") else {
        return Vec::new();
    };
    let of_map = environment
        .members()
        .into_iter()
        .filter_map(|(key, at)| Some((key.to_owned(), reader.quiet_text(at)?)));
    let of_list = environment.items().into_iter().filter_map(|at| {
        let text = reader.quiet_text(at)?;
        let (key, value) = text.split_once('=')?;
        Some((key.to_owned(), value.to_owned()))
    });
    of_map.chain(of_list).collect()
}

impl Server {
    /// Host name in an environment.
    pub(super) fn host(&self) -> &'static str {
        match self.kind {
            DatabaseKind::Postgresql => "app-postgresql-rw",
            DatabaseKind::Mongodb => "app-mongodb-svc",
            DatabaseKind::Redis => "app-redis",
            DatabaseKind::Minio => "app-minio-hl",
            DatabaseKind::Mariadb => "app-mariadb",
        }
    }

    /// Whether it brings a variable.
    pub(super) fn injects(&self, key: &str) -> bool {
        match key {
            "REDIS_PASSWORD" => self.kind == DatabaseKind::Redis && self.asks_for_password,
            "REDIS_URL" => self.kind == DatabaseKind::Redis && !self.asks_for_password,
            _ => injected::of_database(self.kind).contains(&key),
        }
    }

    /// Whether a URL without a password can work: where user and password are given beside it, or not asked for.
    pub(super) fn takes_urls_without_password(&self) -> bool {
        match self.kind {
            DatabaseKind::Postgresql | DatabaseKind::Mariadb | DatabaseKind::Minio => true,
            DatabaseKind::Mongodb | DatabaseKind::Redis => !self.asks_for_password,
        }
    }

    /// Variables that say where it is, with credentials.
    pub(super) fn url_variables(&self) -> &'static str {
        match self.kind {
            DatabaseKind::Postgresql => "`DATABASE_URL`",
            DatabaseKind::Mongodb => "`MONGODB_URL`",
            DatabaseKind::Redis => "`REDIS_HOST`, `REDIS_PORT` and `REDIS_PASSWORD`",
            DatabaseKind::Minio => "`S3_ENDPOINT`, `S3_ACCESS_KEY` and `S3_SECRET_KEY`",
            DatabaseKind::Mariadb => "`MYSQL_URL`",
        }
    }

    /// Variables that have its password.
    pub(super) fn password_variables(&self) -> &'static str {
        match self.kind {
            DatabaseKind::Postgresql => "`PGPASSWORD`",
            DatabaseKind::Mongodb => "`MONGODB_URL`",
            DatabaseKind::Redis => "`REDIS_PASSWORD`",
            DatabaseKind::Minio => "`S3_ACCESS_KEY` and `S3_SECRET_KEY`",
            DatabaseKind::Mariadb => "`MYSQL_PASSWORD`",
        }
    }
}
