//! Which databases there are to wait for, where, and as whom: from the variables that an application gets.

use super::url::{Address, Url};
use crate::{config::databases::DatabaseKind, diagnose::Secret};

/// A database to wait for.
#[derive(Clone, Debug)]
pub struct Target {
    /// Which one.
    pub kind: DatabaseKind,
    /// Its servers, of which one has to answer; at least one.
    pub addresses: Vec<Address>,
    pub(super) login: Login,
}

/// As whom the application logs in. A part that no variable gives is absent.
#[derive(Clone, Debug, Default)]
pub(super) struct Login {
    pub(super) user: Option<String>,
    pub(super) password: Option<Secret>,
    pub(super) database: Option<String>,
}

/// Why the variables name no database. Their values are never shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// None of its variables is set.
    #[error("no variable says where {} is", .0.name())]
    Absent(DatabaseKind),
    /// No variable of any database is set.
    #[error("no variable says where a database is")]
    Nothing,
    /// It is set to something else than it should be.
    #[error("the value of {variable} is not {expected}")]
    Invalid {
        /// Variable.
        variable: &'static str,
        /// What it should be.
        expected: String,
    },
    /// The connection would have to be encrypted.
    #[error("{0} asks for TLS, which `wait` does not speak")]
    Tls(&'static str),
}

impl TargetError {
    /// The next step.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::Absent(kind) => format!(
                "set {}, as the chart does for a service that uses {}",
                variables(*kind),
                kind.name()
            ),
            Self::Nothing => {
                let all: Vec<String> = DatabaseKind::ALL.into_iter().map(variables).collect();
                format!("set one of {}", all.join(", "))
            }
            Self::Invalid { expected, .. } if expected.contains("://") => {
                "characters such as @, : and / in a password are written as %40, %3A and %2F"
                    .to_owned()
            }
            Self::Invalid { .. } | Self::Tls(_) => {
                "wait for others only, by their names: k8s-ee wait redis postgresql".to_owned()
            }
        }
    }
}

/// The variables of a kind that say where it is.
fn variables(kind: DatabaseKind) -> String {
    let words = Words::of(kind);
    let names: Vec<&str> = words.urls.iter().copied().chain(words.host).collect();
    names.join(" or ")
}

/// The databases with these names, or without names all that have variables.
///
/// # Errors
/// When there is none, or a variable is not what it should be.
pub fn targets(
    names: &[DatabaseKind],
    get: impl Fn(&str) -> Option<String>,
) -> Result<Vec<Target>, TargetError> {
    let get = |name: &str| get(name).filter(|value| !value.is_empty());
    let mut targets = Vec::new();
    for kind in DatabaseKind::ALL {
        if !names.is_empty() && !names.contains(&kind) {
            continue;
        }
        match Words::of(kind).read(kind, &get)? {
            Some(target) => targets.push(target),
            None if names.is_empty() => {}
            None => return Err(TargetError::Absent(kind)),
        }
    }
    if targets.is_empty() {
        return Err(TargetError::Nothing);
    }
    Ok(targets)
}

/// The names of a kind's variables.
struct Words {
    /// Variables with a URL: the first that is set counts.
    urls: &'static [&'static str],
    /// What the URL may begin with.
    schemes: &'static [&'static str],
    /// What it begins with where TLS is asked for.
    tls_schemes: &'static [&'static str],
    /// Options with which a URL asks for TLS, and their values.
    tls_options: &'static [(&'static str, &'static [&'static str])],
    /// Variables with the parts, used for what no URL says.
    host: Option<&'static str>,
    port: Option<&'static str>,
    user: Option<&'static str>,
    password: Option<&'static str>,
    database: Option<&'static str>,
    default_port: u16,
}

impl Words {
    const fn of(kind: DatabaseKind) -> Self {
        match kind {
            DatabaseKind::Postgresql => Self {
                urls: &["DATABASE_URL"],
                schemes: &["postgresql", "postgres"],
                tls_schemes: &[],
                tls_options: &[("sslmode", &["require", "verify-ca", "verify-full"])],
                host: Some("PGHOST"),
                port: Some("PGPORT"),
                user: Some("PGUSER"),
                password: Some("PGPASSWORD"),
                database: Some("PGDATABASE"),
                default_port: 5432,
            },
            DatabaseKind::Mongodb => Self {
                urls: &["MONGODB_URL", "MONGODB_URI"],
                schemes: &["mongodb"],
                tls_schemes: &["mongodb+srv"],
                tls_options: &[("tls", &["true"]), ("ssl", &["true"])],
                host: None,
                port: None,
                user: None,
                password: None,
                database: None,
                default_port: 27017,
            },
            DatabaseKind::Redis => Self {
                urls: &["REDIS_URL"],
                schemes: &["redis"],
                tls_schemes: &["rediss"],
                tls_options: &[],
                host: Some("REDIS_HOST"),
                port: Some("REDIS_PORT"),
                user: None,
                password: Some("REDIS_PASSWORD"),
                database: None,
                default_port: 6379,
            },
            DatabaseKind::Minio => Self {
                urls: &["S3_ENDPOINT"],
                schemes: &["http"],
                tls_schemes: &["https"],
                tls_options: &[],
                host: Some("MINIO_ENDPOINT"),
                port: Some("MINIO_PORT"),
                user: None,
                password: None,
                database: None,
                // That of `http://`; the chart's variables always say which.
                default_port: 80,
            },
            DatabaseKind::Mariadb => Self {
                urls: &["MYSQL_URL"],
                schemes: &["mysql", "mariadb"],
                tls_schemes: &[],
                tls_options: &[],
                host: Some("MYSQL_HOST"),
                port: Some("MYSQL_PORT"),
                user: Some("MYSQL_USER"),
                password: Some("MYSQL_PASSWORD"),
                database: Some("MYSQL_DATABASE"),
                default_port: 3306,
            },
        }
    }

    fn read(
        &self,
        kind: DatabaseKind,
        get: &impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Target>, TargetError> {
        let part = |name: Option<&str>| name.and_then(get);
        let url = self.url(get)?;
        let addresses = match &url {
            Some(url) => url.addresses.clone(),
            None => match self.host {
                Some(variable) => match get(variable) {
                    Some(hosts) => self.addresses(variable, &hosts, part(self.port))?,
                    None => return Ok(None),
                },
                None => return Ok(None),
            },
        };
        let of_url = |part: fn(&Url) -> Option<String>| url.as_ref().and_then(part);
        let login = Login {
            user: of_url(|url| url.user.clone()).or_else(|| part(self.user)),
            password: url
                .as_ref()
                .and_then(|url| url.password.clone())
                .or_else(|| part(self.password).map(Secret::new)),
            database: of_url(|url| url.database.clone()).or_else(|| part(self.database)),
        };
        Ok(Some(Target {
            kind,
            addresses,
            login,
        }))
    }

    fn url(&self, get: &impl Fn(&str) -> Option<String>) -> Result<Option<Url>, TargetError> {
        for &variable in self.urls {
            let Some(value) = get(variable) else { continue };
            let invalid = || TargetError::Invalid {
                variable,
                expected: format!(
                    "a URL such as {}://HOST:{}",
                    self.schemes[0], self.default_port
                ),
            };
            let (scheme, rest) = value.split_once("://").unwrap_or((&value, ""));
            if self.schemes.contains(&scheme) {
                let url = Url::parse(rest, self.default_port).ok_or_else(invalid)?;
                let mut options = self.tls_options.iter();
                return if options.any(|(name, values)| url.has_option(name, values)) {
                    Err(TargetError::Tls(variable))
                } else {
                    Ok(Some(url))
                };
            }
            if self.tls_schemes.contains(&scheme) {
                return Err(TargetError::Tls(variable));
            }
            // Applications keep the URL of any kind of database under this name.
            if variable != "DATABASE_URL" {
                return Err(invalid());
            }
        }
        Ok(None)
    }

    fn addresses(
        &self,
        variable: &'static str,
        hosts: &str,
        port: Option<String>,
    ) -> Result<Vec<Address>, TargetError> {
        let port = match port {
            None => self.default_port,
            Some(port) => port.parse().map_err(|_| TargetError::Invalid {
                variable: self.port.unwrap_or(variable),
                expected: format!("the number of a port such as {}", self.default_port),
            })?,
        };
        hosts
            .split(',')
            .map(|host| {
                Address::new(host, port).ok_or_else(|| TargetError::Invalid {
                    variable,
                    expected: "a host name or an IP address".to_owned(),
                })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::config::injected;

    fn read(
        names: &[DatabaseKind],
        variables: &[(&str, &str)],
    ) -> Result<Vec<Target>, TargetError> {
        let variables: BTreeMap<&str, &str> = variables.iter().copied().collect();
        targets(names, |name| variables.get(name).map(|v| (*v).to_owned()))
    }

    fn shown(variables: &[(&str, &str)]) -> String {
        let targets = read(&[], variables).expect("variables of databases");
        let lines: Vec<String> = targets
            .iter()
            .map(|target| {
                let addresses: Vec<String> =
                    target.addresses.iter().map(ToString::to_string).collect();
                let login = &target.login;
                format!(
                    "{} {} {} {} {}",
                    target.kind.name(),
                    addresses.join(","),
                    login.user.as_deref().unwrap_or("-"),
                    login.password.as_ref().map_or("-", Secret::expose),
                    login.database.as_deref().unwrap_or("-"),
                )
            })
            .collect();
        lines.join("\n")
    }

    #[test]
    fn the_variables_of_the_charts_are_understood() {
        insta::assert_snapshot!(
            shown(&[
                ("DATABASE_URL", "postgresql://app:pg@app-postgresql-rw:5432/shop"),
                ("PGHOST", "app-postgresql-rw"),
                ("PGPORT", "5432"),
                ("MYSQL_HOST", "app-mariadb"),
                ("MYSQL_PORT", "3306"),
                ("MYSQL_DATABASE", "app"),
                ("MYSQL_USER", "app"),
                ("MYSQL_PASSWORD", "my"),
                ("MYSQL_URL", "mysql://app:my@app-mariadb:3306/app"),
                ("MONGODB_URL", "mongodb://app:mo@app-mongodb-0.app-mongodb-svc:27017/admin?replicaSet=app-mongodb"),
                ("REDIS_HOST", "app-redis"),
                ("REDIS_PORT", "6379"),
                ("REDIS_PASSWORD", "re"),
                ("S3_ENDPOINT", "http://app-minio-hl:9000"),
                ("MINIO_ENDPOINT", "app-minio-hl"),
                ("DATABASE_TYPE", "mariadb"),
            ]),
            @r"
        postgresql app-postgresql-rw:5432 app pg shop
        mongodb app-mongodb-0.app-mongodb-svc:27017 app mo admin
        redis app-redis:6379 - re -
        minio app-minio-hl:9000 - - -
        mariadb app-mariadb:3306 app my app
        "
        );
    }

    #[test]
    fn parts_do_where_there_is_no_url() {
        insta::assert_snapshot!(
            shown(&[
                ("DATABASE_URL", "sqlite:///data/app.db"),
                ("PGHOST", "a,b"),
                ("PGUSER", "me"),
                ("MYSQL_URL", ""),
                ("MYSQL_HOST", "10.0.0.7"),
                ("REDIS_URL", "redis://r:1"),
                ("REDIS_PASSWORD", "word"),
                ("MONGODB_URI", "mongodb://a,b:2/x"),
                ("MINIO_ENDPOINT", "minio"),
                ("MINIO_PORT", "9000"),
            ]),
            @r"
        postgresql a:5432,b:5432 me - -
        mongodb a:27017,b:2 - - x
        redis r:1 - word -
        minio minio:9000 - - -
        mariadb 10.0.0.7:3306 - - -
        "
        );
    }

    #[test]
    fn only_those_that_are_named_are_looked_at() {
        let variables = &[
            ("REDIS_HOST", "redis"),
            ("S3_ENDPOINT", "https://s3.example.com"),
        ];
        assert_eq!(
            read(&[DatabaseKind::Redis], variables).map(|targets| targets.len()),
            Ok(1)
        );
        assert_eq!(
            read(&[DatabaseKind::Redis, DatabaseKind::Postgresql], variables)
                .map(|targets| targets.len()),
            Err(TargetError::Absent(DatabaseKind::Postgresql))
        );
        assert_eq!(
            read(&[], variables).map(|targets| targets.len()),
            Err(TargetError::Tls("S3_ENDPOINT"))
        );
        assert_eq!(
            read(&[], &[]).map(|targets| targets.len()),
            Err(TargetError::Nothing)
        );
    }

    #[test]
    fn a_wrong_value_is_told_without_showing_it() {
        for (variable, value) in [
            ("DATABASE_URL", "postgresql://app:hunter2/3@db/app"),
            ("REDIS_URL", "valkey://:hunter2@redis"),
            ("REDIS_HOST", "redis://:hunter2@redis"),
            ("PGHOST", "/var/run/postgresql"),
            ("MONGODB_URL", "hunter2"),
            ("S3_ENDPOINT", "minio:9000"),
            (
                "DATABASE_URL",
                "postgresql://app:hunter2@db/app?sslmode=require",
            ),
            ("MONGODB_URL", "mongodb+srv://app:hunter2@db/app"),
            ("MONGODB_URI", "mongodb://app:hunter2@db/app?ssl=true"),
        ] {
            let error = read(&[], &[(variable, value)])
                .map(|targets| targets.len())
                .expect_err(value);
            let text = format!("{error} {} {error:?}", error.hint());
            assert!(text.contains(variable), "{text}");
            assert!(!text.contains("hunter2"), "{text}");
        }
        let wrong_port = read(&[], &[("REDIS_HOST", "redis"), ("REDIS_PORT", "x")]);
        assert_eq!(
            wrong_port.expect_err("no port").to_string(),
            "the value of REDIS_PORT is not the number of a port such as 6379"
        );
    }

    #[test]
    fn all_variables_are_among_those_that_are_injected() {
        for kind in DatabaseKind::ALL {
            let words = Words::of(kind);
            let parts = [
                words.host,
                words.port,
                words.user,
                words.password,
                words.database,
            ];
            for name in words
                .urls
                .iter()
                .copied()
                .chain(parts.into_iter().flatten())
            {
                assert!(injected::of_database(kind).contains(&name), "{name}");
            }
        }
    }

    #[test]
    fn nothing_of_a_login_is_printed_but_names() {
        let targets = read(&[], &[("DATABASE_URL", "postgres://app:hunter2@db/x")]);
        assert!(!format!("{targets:?}").contains("hunter2"));
    }
}
