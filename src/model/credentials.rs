//! The credentials of databases: one set of Secrets a database, with the names and keys that applications and charts
//! know. They are decided here and not by the charts, so that they are kept over every redeploy.

mod kept;

use std::{collections::BTreeMap, fmt};

use serde_json::{Value, json};

use super::{
    Database, DatabaseKind, Environment, Mode, labels,
    object::{COMPONENT_LABEL, Object},
    settings::CLUSTER_DOMAIN,
};
use crate::config::databases::mongodb::secret_name;
pub use kept::{
    Fitted, database_of, databases, fit, made_by_operators, reads, renew, stamp, stored,
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

impl Password {
    /// A password that there is already; it may have any characters.
    #[must_use]
    pub fn existing(text: String) -> Self {
        Self(text)
    }

    /// As part of a URL: what is no letter, digit or one of `-._~` is escaped.
    fn in_url(&self) -> String {
        let mut escaped = String::with_capacity(self.0.len());
        for byte in self.0.bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                    escaped.push(char::from(byte));
                }
                _ => escaped.push_str(&format!("%{byte:02X}")),
            }
        }
        escaped
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// The Secrets of all databases of an environment. `password` is asked for each password once, with the name of the
/// Secret and the key that it stands under: it may give one that there is already, and all that is made of it, such as
/// URLs, follows.
///
/// # Errors
/// When the source of passwords fails.
pub fn secrets<E>(
    environment: &Environment,
    release: &str,
    mut password: impl FnMut(&str, &str) -> Result<Password, E>,
) -> Result<Vec<Object>, E> {
    let mut secrets = Vec::new();
    for database in &environment.databases {
        let namespace = &environment.identity.namespace;
        for (name, data) in of_database(database, release, namespace, &mut password)? {
            secrets.push(secret(environment, database, &name, &data));
        }
    }
    Ok(secrets)
}

type Data = BTreeMap<&'static str, String>;

fn of_database<E>(
    database: &Database,
    release: &str,
    namespace: &str,
    password: &mut impl FnMut(&str, &str) -> Result<Password, E>,
) -> Result<Vec<(String, Data)>, E> {
    let option = |key: &str| match &database.options[key] {
        Value::String(text) => text.clone(),
        _ => "app".to_owned(),
    };
    let name = format!("{release}-{}", database.kind);
    Ok(match database.kind {
        DatabaseKind::Postgresql => {
            let secret = format!("{name}-app");
            let password = password(&secret, "password")?;
            let (database, user) = (option("database"), option("owner"));
            let host = format!("{name}-rw");
            let url = password.in_url();
            vec![(
                secret,
                Data::from([
                    (
                        "uri",
                        format!("postgresql://{user}:{url}@{host}:5432/{database}"),
                    ),
                    ("host", host),
                    ("port", "5432".to_owned()),
                    ("dbname", database),
                    // CloudNativePG reads the one, applications the other.
                    ("username", user.clone()),
                    ("user", user),
                    ("password", password.0),
                ]),
            )]
        }
        DatabaseKind::Mongodb => {
            let mut secrets = Vec::new();
            let domain = database.options["clusterDomain"].as_str();
            let domain = format!("{namespace}.svc.{}", domain.unwrap_or(CLUSTER_DOMAIN));
            let own = (option("username"), format!("{name}-password"));
            let more = database.options["users"].as_array().into_iter().flatten();
            let more = more.filter_map(|user| user["name"].as_str()).map(|user| {
                let secret = secret_name(&format!("{name}-password"), user);
                (user.to_owned(), secret)
            });
            for (user, secret) in std::iter::once(own).chain(more) {
                let password = password(&secret, "password")?;
                let connection = secret_name(&format!("{name}-admin"), &user);
                let data = mongodb_connection(&name, &domain, user, &password);
                secrets.push((secret, Data::from([("password", password.0)])));
                // The operator makes this one itself, and refuses one that it has not made.
                if database.mode == Mode::Standalone {
                    secrets.push((connection, data));
                }
            }
            secrets
        }
        DatabaseKind::Redis => {
            if database.options["auth"]["enabled"] == Value::Bool(false) {
                return Ok(Vec::new());
            }
            let secret = format!("{name}-secret");
            let password = password(&secret, "password")?;
            vec![(secret, Data::from([("password", password.0)]))]
        }
        DatabaseKind::Minio => {
            let name = format!("{name}-secret");
            let access = password(&name, "accesskey")?.0;
            let secret = password(&name, "secretkey")?.0;
            let config =
                format!("export MINIO_ROOT_USER={access}\nexport MINIO_ROOT_PASSWORD={secret}\n");
            vec![(
                name,
                Data::from([
                    ("accesskey", access),
                    ("secretkey", secret),
                    ("config.env", config),
                ]),
            )]
        }
        DatabaseKind::Mariadb => {
            let secret = format!("{name}-secret");
            let root = password(&secret, "root-password")?;
            let password = password(&secret, "user-password")?;
            let (database, user) = (option("database"), option("username"));
            let url = format!(
                "mysql://{user}:{}@{name}:3306/{database}",
                password.in_url()
            );
            vec![(
                secret,
                Data::from([
                    ("root-password", root.0),
                    ("user-password", password.0),
                    ("connection-url", url),
                ]),
            )]
        }
    })
}

/// What a client of MongoDB needs: with the address of the one member, and with the record by which DNS names them all,
/// which stands in the domain of the namespace's Services.
fn mongodb_connection(name: &str, domain: &str, user: String, password: &Password) -> Data {
    let login = format!("{user}:{}", password.in_url());
    let member = format!("{name}-0.{name}-svc:27017");
    let records = format!("{name}-svc.{domain}");
    Data::from([
        (
            "connectionString.standard",
            format!("mongodb://{login}@{member}/admin?replicaSet={name}"),
        ),
        (
            "connectionString.standardSrv",
            format!("mongodb+srv://{login}@{records}/admin?replicaSet={name}&ssl=false"),
        ),
        ("password", password.0.clone()),
        ("username", user),
    ])
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

    fn generated(seed: &mut u8) -> Password {
        let made = Password::generate(|bytes: &mut [u8]| {
            for byte in bytes {
                *seed = seed.wrapping_mul(167).wrapping_add(13);
                *byte = *seed;
            }
            Ok::<(), ()>(())
        });
        made.expect("a source that does not fail")
    }

    fn of(kind: DatabaseKind, options: Value, text: &str) -> BTreeMap<String, Data> {
        of_mode(Mode::Standalone, kind, options, text)
    }

    fn of_mode(
        mode: Mode,
        kind: DatabaseKind,
        options: Value,
        text: &str,
    ) -> BTreeMap<String, Data> {
        let database = Database {
            kind,
            mode,
            options,
        };
        let given = |_: &str, _: &str| Ok::<_, ()>(Password::existing(text.to_owned()));
        let made = of_database(&database, "app", "shop-pr-1", &mut { given });
        made.expect("a source that does not fail")
            .into_iter()
            .collect()
    }

    #[test]
    fn passwords_are_long_plain_and_never_printed() {
        let password = generated(&mut 0);
        assert_eq!(password.0.len(), 24);
        assert!(password.0.bytes().all(|b| b.is_ascii_alphanumeric()));
        assert_eq!(format!("{password:?}"), "***");
    }

    #[test]
    fn names_and_keys_are_those_that_applications_know() {
        let keys_in = |mode, kind, options| {
            of_mode(mode, kind, options, "secret")
                .into_iter()
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
        let mongodb = keys(
            DatabaseKind::Mongodb,
            json!({"username": "My_shop", "users": [{"name": "reporting", "roles": ["read"]}]}),
        );
        let names: Vec<&str> = mongodb.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names,
            [
                "app-mongodb-admin-my-shop",
                "app-mongodb-admin-reporting",
                "app-mongodb-password",
                "app-mongodb-password-reporting",
            ]
        );
        assert_eq!(
            mongodb[1].1,
            [
                "connectionString.standard",
                "connectionString.standardSrv",
                "password",
                "username",
            ]
        );
        assert_eq!(
            keys_in(Mode::Operator, DatabaseKind::Mongodb, json!({})),
            one("app-mongodb-password", &["password"])
        );
        for kind in [DatabaseKind::Postgresql, DatabaseKind::Minio] {
            let standalone = keys(kind, json!({}));
            assert_eq!(keys_in(Mode::Operator, kind, json!({})), standalone);
        }
    }

    #[test]
    fn urls_follow_names_and_passwords() {
        let odd = "p w/\"ü$$";
        let escaped = "p%20w%2F%22%C3%BC%24%24";
        let options = json!({"database": "shop", "owner": "keeper", "username": "keeper"});
        let postgresql = of(DatabaseKind::Postgresql, options.clone(), odd);
        let secret = &postgresql["app-postgresql-app"];
        assert_eq!(secret["password"], odd);
        assert_eq!(
            secret["uri"],
            format!("postgresql://keeper:{escaped}@app-postgresql-rw:5432/shop")
        );
        let mariadb = of(DatabaseKind::Mariadb, options.clone(), odd);
        assert_eq!(
            mariadb["app-mariadb-secret"]["connection-url"],
            format!("mysql://keeper:{escaped}@app-mariadb:3306/shop")
        );
        let elsewhere = json!({"clusterDomain": "k8s.example.com"});
        let elsewhere = of(DatabaseKind::Mongodb, elsewhere, "secret");
        assert_eq!(
            elsewhere["app-mongodb-admin-app"]["connectionString.standardSrv"],
            "mongodb+srv://app:secret@app-mongodb-svc.shop-pr-1.svc.k8s.example.com/admin?replicaSet=app-mongodb&ssl=false"
        );
        let mongodb = of(DatabaseKind::Mongodb, options, odd);
        let secret = &mongodb["app-mongodb-admin-keeper"];
        assert_eq!(
            secret["connectionString.standard"],
            format!(
                "mongodb://keeper:{escaped}@app-mongodb-0.app-mongodb-svc:27017/admin?replicaSet=app-mongodb"
            )
        );
        assert_eq!(
            secret["connectionString.standardSrv"],
            format!(
                "mongodb+srv://keeper:{escaped}@app-mongodb-svc.shop-pr-1.svc.cluster.local/admin?replicaSet=app-mongodb&ssl=false"
            )
        );
    }

    #[test]
    fn every_password_is_asked_for_once_and_by_its_place() {
        let kinds = DatabaseKind::ALL.map(|kind| Database {
            kind,
            mode: Mode::Standalone,
            options: json!({"users": [{"name": "b"}]}),
        });
        let (mut asked, mut seed) = (Vec::new(), 0);
        for database in &kinds {
            let mut password = |secret: &str, key: &str| {
                asked.push(format!("{secret} {key}"));
                Ok::<_, ()>(generated(&mut seed))
            };
            of_database(database, "app", "shop-pr-1", &mut password)
                .expect("a source that does not fail");
        }
        assert_eq!(
            asked,
            [
                "app-postgresql-app password",
                "app-mongodb-password password",
                "app-mongodb-password-b password",
                "app-redis-secret password",
                "app-minio-secret accesskey",
                "app-minio-secret secretkey",
                "app-mariadb-secret root-password",
                "app-mariadb-secret user-password",
            ]
        );
    }
}
