//! The credentials of databases: one set of Secrets a database, with the names and keys that applications and charts
//! know. They are decided here and not by the charts, so that they are kept over every redeploy.

use std::{collections::BTreeMap, fmt};

use serde_json::{Value, json};

use super::{
    Database, DatabaseKind, Environment, Mode, labels,
    object::{COMPONENT_LABEL, Object},
};

/// A generated password; it prints as `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// Characters of a generated password.
    const LENGTH: usize = 24;

    /// Letters and digits only: safe in a URL, a shell and a configuration file alike.
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

    /// A password from a source of randomness that fills a buffer. Bytes that would make some characters likelier than
    /// others are thrown away.
    ///
    /// # Errors
    /// When the source fails.
    pub fn generate<E>(mut fill: impl FnMut(&mut [u8]) -> Result<(), E>) -> Result<Self, E> {
        let fair = 256 - 256 % Self::ALPHABET.len();
        let mut password = String::with_capacity(Self::LENGTH);
        let mut bytes = [0_u8; 64];
        while password.len() < Self::LENGTH {
            fill(&mut bytes)?;
            let usable = bytes.iter().map(|b| usize::from(*b)).filter(|b| *b < fair);
            let wanted = Self::LENGTH - password.len();
            password.extend(
                usable
                    .take(wanted)
                    .map(|b| char::from(Self::ALPHABET[b % Self::ALPHABET.len()])),
            );
        }
        Ok(Self(password))
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// The Secrets of all databases of an environment. Every password that is asked for is a new one: the caller keeps the
/// Secrets that are there already.
///
/// # Errors
/// When the source of passwords fails.
pub fn secrets<E>(
    environment: &Environment,
    release: &str,
    mut password: impl FnMut() -> Result<Password, E>,
) -> Result<Vec<Object>, E> {
    let mut secrets = Vec::new();
    for database in &environment.databases {
        for (name, data) in of_database(database, release, &mut password)? {
            secrets.push(secret(environment, database, &name, &data));
        }
    }
    Ok(secrets)
}

type Data = BTreeMap<&'static str, String>;

fn of_database<E>(
    database: &Database,
    release: &str,
    password: &mut impl FnMut() -> Result<Password, E>,
) -> Result<Vec<(String, Data)>, E> {
    let option = |key: &str| match &database.options[key] {
        Value::String(text) => text.clone(),
        _ => "app".to_owned(),
    };
    let (name, database_mode) = (format!("{release}-{}", database.kind), database.mode);
    Ok(match database.kind {
        DatabaseKind::Postgresql => {
            let (password, database, user) =
                (password()?.0, option("database"), option("username"));
            let host = format!("{name}-rw");
            vec![(
                format!("{name}-app"),
                Data::from([
                    (
                        "uri",
                        format!("postgresql://{user}:{password}@{host}:5432/{database}"),
                    ),
                    ("host", host),
                    ("port", "5432".to_owned()),
                    ("dbname", database),
                    // CloudNativePG reads the one, applications the other.
                    ("username", user.clone()),
                    ("user", user),
                    ("password", password),
                ]),
            )]
        }
        DatabaseKind::Mongodb => {
            let (password, user) = (password()?.0, option("username"));
            let address = format!("{name}-0.{name}-svc:27017");
            let uri = format!("mongodb://{user}:{password}@{address}/admin?replicaSet={name}");
            let mut secrets = vec![(
                format!("{name}-password"),
                Data::from([("password", password.clone())]),
            )];
            // The operator makes the other one itself, and refuses one that it has not made.
            if database_mode == Mode::Standalone {
                secrets.push((
                    // Names of objects have neither capitals nor `_`.
                    format!("{name}-admin-{}", user.to_lowercase().replace('_', "-")),
                    Data::from([
                        ("username", user),
                        ("password", password),
                        ("connectionString.standard", uri),
                    ]),
                ));
            }
            secrets
        }
        DatabaseKind::Redis => {
            if database.options["auth"]["enabled"] == Value::Bool(false) {
                return Ok(Vec::new());
            }
            vec![(
                format!("{name}-secret"),
                Data::from([("password", password()?.0)]),
            )]
        }
        DatabaseKind::Minio => {
            let (access, secret) = (password()?.0, password()?.0);
            let config =
                format!("export MINIO_ROOT_USER={access}\nexport MINIO_ROOT_PASSWORD={secret}\n");
            vec![(
                format!("{name}-secret"),
                Data::from([
                    ("accesskey", access),
                    ("secretkey", secret),
                    ("config.env", config),
                ]),
            )]
        }
        DatabaseKind::Mariadb => {
            let (root, password) = (password()?.0, password()?.0);
            let (database, user) = (option("database"), option("username"));
            let url = format!("mysql://{user}:{password}@{name}:3306/{database}");
            vec![(
                format!("{name}-secret"),
                Data::from([
                    ("root-password", root),
                    ("user-password", password),
                    ("connection-url", url),
                ]),
            )]
        }
    })
}

/// The Secret is not labelled as ours to prune: credentials outlive a database that leaves the file.
fn secret(environment: &Environment, database: &Database, name: &str, data: &Data) -> Object {
    let kind = match database.kind {
        DatabaseKind::Postgresql => "kubernetes.io/basic-auth",
        _ => "Opaque",
    };
    let mut secret = Object::new(json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": name,
            "namespace": environment.identity.namespace,
            "labels": {
                COMPONENT_LABEL: database.kind.name(),
                labels::PROJECT_ID: environment.identity.project_id,
            },
        },
        "type": kind,
        "stringData": data,
    }))
    .expect("a Secret with a name");
    if (database.kind, database.mode) == (DatabaseKind::Postgresql, Mode::Operator) {
        // CloudNativePG takes a new password over at once from Secrets that carry it.
        secret.set_label("cnpg.io/reload", "true");
    }
    secret
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted() -> impl FnMut() -> Result<Password, ()> {
        let mut seed = 0_u8;
        move || {
            Password::generate(|bytes: &mut [u8]| {
                for byte in bytes {
                    seed = seed.wrapping_mul(167).wrapping_add(13);
                    *byte = seed;
                }
                Ok(())
            })
        }
    }

    #[test]
    fn passwords_are_long_plain_and_never_printed() {
        let password = counted()().expect("a source that does not fail");
        assert_eq!(password.0.len(), 24);
        assert!(password.0.bytes().all(|b| b.is_ascii_alphanumeric()));
        assert_eq!(format!("{password:?}"), "***");
    }

    #[test]
    fn names_and_keys_are_those_that_applications_know() {
        let keys_in = |mode, kind, options| {
            let database = Database {
                kind,
                mode,
                options,
            };
            let made =
                of_database(&database, "app", &mut counted()).expect("a source that does not fail");
            made.into_iter()
                .map(|(name, data)| (name, data.into_keys().collect::<Vec<_>>()))
                .collect::<Vec<_>>()
        };
        let keys = |kind, options| keys_in(Mode::Standalone, kind, options);
        let one = |name: &str, keys: &[&'static str]| vec![(name.to_owned(), keys.to_vec())];
        assert_eq!(
            keys(DatabaseKind::Postgresql, json!({})),
            one(
                "app-postgresql-app",
                &[
                    "dbname", "host", "password", "port", "uri", "user", "username"
                ]
            )
        );
        assert_eq!(
            keys(DatabaseKind::Redis, json!({})),
            one("app-redis-secret", &["password"])
        );
        assert_eq!(
            keys(DatabaseKind::Redis, json!({"auth": {"enabled": false}})),
            []
        );
        assert_eq!(
            keys(DatabaseKind::Minio, json!({})),
            one(
                "app-minio-secret",
                &["accesskey", "config.env", "secretkey"]
            )
        );
        assert_eq!(
            keys(DatabaseKind::Mariadb, json!({"username": "shop"})),
            one(
                "app-mariadb-secret",
                &["connection-url", "root-password", "user-password"]
            )
        );
        let mongodb = keys(DatabaseKind::Mongodb, json!({"username": "My_shop"}));
        assert_eq!(mongodb[0].0, "app-mongodb-password");
        assert_eq!(mongodb[1].0, "app-mongodb-admin-my-shop");
        assert_eq!(
            keys_in(Mode::Operator, DatabaseKind::Mongodb, json!({})),
            one("app-mongodb-password", &["password"])
        );
        for kind in [DatabaseKind::Postgresql, DatabaseKind::Minio] {
            let standalone = keys(kind, json!({}));
            assert_eq!(keys_in(Mode::Operator, kind, json!({})), standalone);
        }
    }
}
