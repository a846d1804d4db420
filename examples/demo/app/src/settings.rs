//! What the variables say: which environment this is, and where each database is to be found.

use std::fmt;

/// Port to listen on when `PORT` does not say.
const PORT: u16 = 8080;

/// Everything that the variables say.
#[derive(Debug)]
pub(crate) struct Settings {
    /// TCP port to listen on.
    pub(crate) port: u16,
    /// What the page is headed by.
    pub(crate) about: About,
    /// PostgreSQL, from `DATABASE_URL` or `PGHOST` and its like.
    pub(crate) postgresql: Given<Sql>,
    /// MariaDB, from `MYSQL_HOST` and its like, or `MYSQL_URL`.
    pub(crate) mariadb: Given<Sql>,
    /// MongoDB, from `MONGODB_URL`.
    pub(crate) mongodb: Given<Mongodb>,
    /// Redis, from `REDIS_URL`, or `REDIS_HOST` and its like.
    pub(crate) redis: Given<Redis>,
    /// MinIO, from `S3_ENDPOINT` or `MINIO_ENDPOINT` and their like.
    pub(crate) minio: Given<S3>,
}

/// What the environment was made from; what is not known is absent.
#[derive(Debug, Default)]
pub(crate) struct About {
    pub(crate) greeting: String,
    pub(crate) pull_request: Option<String>,
    pub(crate) branch: Option<String>,
    pub(crate) commit: Option<String>,
    pub(crate) version: Option<String>,
    pub(crate) url: Option<String>,
}

/// A database's address: none when no variable names the database, and what is wrong when they do not make sense.
pub(crate) type Given<T> = Option<Result<T, String>>;

/// Where a SQL database is: in one variable, or in five.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Sql {
    Url(Secret),
    Parts {
        host: String,
        port: u16,
        database: String,
        user: String,
        password: Secret,
    },
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mongodb {
    pub(crate) url: Secret,
    /// Database of the application; users live in another one.
    pub(crate) database: String,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Redis {
    Url(Secret),
    Parts {
        host: String,
        port: u16,
        password: Option<Secret>,
    },
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct S3 {
    pub(crate) endpoint: String,
    pub(crate) access_key: String,
    pub(crate) secret_key: Secret,
    pub(crate) bucket: String,
}

/// A text that must not be shown, such as a password or a URL with one in it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    /// The text itself, for the driver that needs it.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Settings {
    /// Reads the variables; `lookup` looks one up. A variable without a value counts as absent.
    ///
    /// # Errors
    /// `PORT` is not a port. A mistake about a database is told where the database is shown.
    pub(crate) fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let variables = Variables(lookup);
        Ok(Self {
            port: variables.port("PORT", PORT)?,
            about: variables.about(),
            postgresql: variables.postgresql(),
            mariadb: variables.mariadb(),
            mongodb: variables.mongodb(),
            redis: variables.redis(),
            minio: variables.minio(),
        })
    }
}

struct Variables<F>(F);

impl<F: Fn(&str) -> Option<String>> Variables<F> {
    fn get(&self, name: &str) -> Option<String> {
        (self.0)(name).filter(|value| !value.is_empty())
    }

    /// The first of several names that has a value.
    fn first(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| self.get(name))
    }

    fn need(&self, names: &[&str]) -> Result<String, String> {
        self.first(names)
            .ok_or_else(|| format!("{} is not set", names.join(" or ")))
    }

    fn port(&self, name: &str, usual: u16) -> Result<u16, String> {
        let Some(value) = self.get(name) else {
            return Ok(usual);
        };
        value
            .parse()
            .map_err(|_| format!("{name} is `{value}`, which is not a port"))
    }

    fn about(&self) -> About {
        About {
            greeting: self
                .get("GREETING")
                .unwrap_or_else(|| "Hello from a preview environment".to_owned()),
            pull_request: self.get("PR_NUMBER"),
            branch: self.get("BRANCH_NAME"),
            commit: self.get("COMMIT_SHA"),
            version: self.get("APP_VERSION"),
            url: self.get("PREVIEW_URL"),
        }
    }

    fn postgresql(&self) -> Given<Sql> {
        if let Some(url) = self.get("DATABASE_URL") {
            return Some(Ok(Sql::Url(Secret(url))));
        }
        let host = self.get("PGHOST")?;
        Some(self.parts(
            host,
            ("PGPORT", 5432),
            ["PGDATABASE", "PGUSER", "PGPASSWORD"],
        ))
    }

    fn mariadb(&self) -> Given<Sql> {
        if let Some(host) = self.get("MYSQL_HOST") {
            let names = ["MYSQL_DATABASE", "MYSQL_USER", "MYSQL_PASSWORD"];
            return Some(self.parts(host, ("MYSQL_PORT", 3306), names));
        }
        self.get("MYSQL_URL").map(|url| Ok(Sql::Url(Secret(url))))
    }

    /// `names` are those of the database, the user and the password.
    fn parts(&self, host: String, port: (&str, u16), names: [&str; 3]) -> Result<Sql, String> {
        let [database, user, password] = names;
        Ok(Sql::Parts {
            host,
            port: self.port(port.0, port.1)?,
            database: self.need(&[database])?,
            user: self.need(&[user])?,
            password: Secret(self.need(&[password])?),
        })
    }

    fn mongodb(&self) -> Given<Mongodb> {
        let url = self.first(&["MONGODB_URL", "MONGODB_URI"])?;
        let database = self.get("MONGODB_DATABASE");
        Some(Ok(Mongodb {
            url: Secret(url),
            database: database.unwrap_or_else(|| "app".to_owned()),
        }))
    }

    fn redis(&self) -> Given<Redis> {
        if let Some(url) = self.get("REDIS_URL") {
            return Some(Ok(Redis::Url(Secret(url))));
        }
        let host = self.get("REDIS_HOST")?;
        let password = self.get("REDIS_PASSWORD").map(Secret);
        Some(self.port("REDIS_PORT", 6379).map(|port| Redis::Parts {
            host,
            port,
            password,
        }))
    }

    fn minio(&self) -> Given<S3> {
        let endpoint = match (self.get("S3_ENDPOINT"), self.get("MINIO_ENDPOINT")) {
            (Some(endpoint), _) => Ok(endpoint),
            (None, Some(host)) => self
                .port("MINIO_PORT", 9000)
                .map(|port| format!("http://{host}:{port}")),
            (None, None) => return None,
        };
        Some(endpoint.and_then(|endpoint| {
            Ok(S3 {
                endpoint,
                access_key: self.need(&["S3_ACCESS_KEY", "MINIO_ACCESS_KEY"])?,
                secret_key: Secret(self.need(&["S3_SECRET_KEY", "MINIO_SECRET_KEY"])?),
                bucket: self.need(&["S3_BUCKET", "MINIO_BUCKET"])?,
            })
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Settings, String> {
        Settings::read(|wanted| {
            let found = variables.iter().find(|(name, _)| *name == wanted);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn without_variables_there_is_no_database() {
        let settings = read(&[("REDIS_HOST", "")]).expect("settings");
        assert_eq!(settings.port, 8080);
        assert_eq!(settings.postgresql, None);
        assert_eq!(settings.mariadb, None);
        assert_eq!(settings.mongodb, None);
        assert_eq!(settings.redis, None);
        assert_eq!(settings.minio, None);
    }

    #[test]
    fn a_sql_database_is_known_by_its_url_or_by_its_parts() {
        let parts = |prefix: &str| {
            ["HOST", "PORT", "DATABASE", "USER", "PASSWORD"].map(|name| format!("{prefix}{name}"))
        };
        let [host, port, database, user, password] = parts("PG");
        let settings = read(&[
            (&host, "db"),
            (&port, "5433"),
            (&database, "app"),
            (&user, "me"),
            (&password, "s3cret"),
        ]);
        let expected = Sql::Parts {
            host: "db".to_owned(),
            port: 5433,
            database: "app".to_owned(),
            user: "me".to_owned(),
            password: Secret("s3cret".to_owned()),
        };
        assert_eq!(
            settings.expect("settings").postgresql,
            Some(Ok(expected)),
            "by its parts"
        );
        let settings = read(&[
            ("MYSQL_URL", "mysql://db"),
            ("DATABASE_URL", "postgres://db"),
        ]);
        let settings = settings.expect("settings");
        let url = |url: &str| Some(Ok(Sql::Url(Secret(url.to_owned()))));
        assert_eq!(settings.mariadb, url("mysql://db"));
        assert_eq!(settings.postgresql, url("postgres://db"));
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        let settings = read(&[
            ("MYSQL_HOST", "db"),
            ("MYSQL_DATABASE", "app"),
            ("S3_ENDPOINT", "http://db:9000"),
            ("REDIS_HOST", "db"),
            ("REDIS_PORT", "many"),
        ]);
        let settings = settings.expect("settings");
        let mariadb = settings.mariadb.and_then(Result::err);
        assert_eq!(mariadb.as_deref(), Some("MYSQL_USER is not set"));
        let minio = settings.minio.and_then(Result::err);
        assert_eq!(
            minio.as_deref(),
            Some("S3_ACCESS_KEY or MINIO_ACCESS_KEY is not set")
        );
        let redis = settings.redis.and_then(Result::err);
        assert_eq!(
            redis.as_deref(),
            Some("REDIS_PORT is `many`, which is not a port")
        );
        assert_eq!(
            read(&[("PORT", "0x50")]).expect_err("no port"),
            "PORT is `0x50`, which is not a port"
        );
    }

    #[test]
    fn both_spellings_of_minio_are_read() {
        let settings = read(&[
            ("MINIO_ENDPOINT", "db"),
            ("MINIO_PORT", "9001"),
            ("MINIO_ACCESS_KEY", "me"),
            ("S3_SECRET_KEY", "s3cret"),
            ("MINIO_BUCKET", "data"),
        ]);
        let expected = S3 {
            endpoint: "http://db:9001".to_owned(),
            access_key: "me".to_owned(),
            secret_key: Secret("s3cret".to_owned()),
            bucket: "data".to_owned(),
        };
        assert_eq!(settings.expect("settings").minio, Some(Ok(expected)));
    }

    #[test]
    fn secrets_are_not_shown() {
        let settings = read(&[
            ("DATABASE_URL", "postgres://me:s3cret@db"),
            ("REDIS_HOST", "db"),
            ("REDIS_PASSWORD", "s3cret"),
        ]);
        let shown = format!("{settings:?}");
        assert!(!shown.contains("s3cret"), "{shown}");
        assert!(shown.contains("***"), "{shown}");
    }
}
