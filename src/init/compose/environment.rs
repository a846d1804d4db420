//! Environment variables of a service of a compose file: what still means the same, what has another value here, and what
//! k8s-ee brings itself.

use std::collections::BTreeMap;

use crate::{
    config::{databases::DatabaseKind, document::Found, injected, list, shorten},
    init::note::Kind,
};

use super::{reader::Reader, server::Server};

/// What a host name of the compose file stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// A service, by its name here.
    Service(String),
    /// A database.
    Database(DatabaseKind),
    /// Something that is not there.
    Gone,
}

/// Everything that the variables of a service may be about.
#[derive(Debug, Default)]
pub(super) struct Surroundings {
    /// Host names of the compose file.
    pub(super) names: BTreeMap<String, Target>,
    pub(super) servers: Vec<Server>,
}

/// What becomes of a variable.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Kept,
    /// Another value, for a reason.
    Changed(String, String),
    /// Not taken over, for a reason.
    Dropped(String),
    /// k8s-ee sets it.
    Injected,
    /// Kept, though what it names is not there.
    Dangling(String),
}

/// The variables of a service, in the order of the file.
pub(super) fn of(
    reader: &Reader<'_>,
    service: Found<'_>,
    surroundings: &Surroundings,
) -> Vec<(String, String)> {
    if let Some(file) = service.child("env_file") {
        reader.note(
            Kind::Left,
            file,
            "`env_file` is not read: put what is no secret under `env`, the rest into a Secret under `envFrom`",
        );
    }
    let mut variables: Vec<(String, String)> = Vec::new();
    let mut injected = Vec::new();
    let Some(environment) = service.child("environment") else {
        return variables;
    };
    for (key, value, at) in written(reader, environment) {
        let is_name = |(n, c): (usize, char)| {
            c == '_' || c.is_ascii_alphabetic() || (n > 0 && c.is_ascii_digit())
        };
        if key.is_empty() || !key.char_indices().all(is_name) {
            reader.note(
                Kind::Left,
                at,
                format!("`{}` is no name of a variable", shorten(&key)),
            );
            continue;
        }
        let value = match surroundings.outcome(&key, &value) {
            Outcome::Kept => value,
            Outcome::Changed(new, why) => {
                reader.note(Kind::Changed, at, format!("`{}`: {why}", shorten(&key)));
                new
            }
            Outcome::Dropped(why) => {
                reader.note(Kind::Left, at, format!("`{}`: {why}", shorten(&key)));
                continue;
            }
            Outcome::Injected => {
                injected.push(shorten(&key));
                continue;
            }
            Outcome::Dangling(name) => {
                reader.note(
                    Kind::Next,
                    at,
                    format!(
                        "`{}` names `{}`, which is not there",
                        shorten(&key),
                        shorten(&name)
                    ),
                );
                value
            }
        };
        variables.retain(|(known, _)| *known != key);
        variables.push((key, value));
    }
    if !injected.is_empty() {
        let names = list(&injected, "and");
        let verb = if injected.len() == 1 { "is" } else { "are" };
        reader.note(
            Kind::Changed,
            environment,
            format!("{names} {verb} set by k8s-ee"),
        );
    }
    variables
}

/// Names, values and places, from either form. A variable without a value comes from the shell, and is told.
fn written<'a>(reader: &Reader<'_>, environment: Found<'a>) -> Vec<(String, String, Found<'a>)> {
    let from_shell = |key: &str, at| {
        reader.note(
            Kind::Left,
            at,
            format!(
                "`{}` comes from the shell: write its value, or put it into a Secret under `envFrom`",
                shorten(key)
            ),
        );
    };
    let mut found = Vec::new();
    for (key, at) in environment.members() {
        if at.scalar().is_some_and(serde_json::Value::is_null) {
            from_shell(key, at);
        } else if let Some(value) = reader.text(at) {
            found.push((key.to_owned(), value, at));
        }
    }
    for at in environment.items() {
        let Some(text) = reader.text(at) else {
            continue;
        };
        match text.split_once('=') {
            Some((key, value)) => found.push((key.to_owned(), value.to_owned(), at)),
            None => from_shell(&text, at),
        }
    }
    found
}

impl Surroundings {
    /// Whether k8s-ee sets a variable.
    fn is_injected(&self, key: &str) -> bool {
        let sql = [DatabaseKind::Postgresql, DatabaseKind::Mariadb];
        injected::always().contains(&key)
            || self.servers.iter().any(|server| {
                key == injected::DATABASE_TYPE && sql.contains(&server.kind) || server.injects(key)
            })
    }

    fn outcome(&self, key: &str, value: &str) -> Outcome {
        if self.is_injected(key) {
            return Outcome::Injected;
        }
        let hosts = self.hosts(key, value);
        if !hosts.is_empty() {
            return self.with_hosts(value, &hosts);
        }
        let upper = key.to_ascii_uppercase();
        let has = |words: &[&str]| words.iter().any(|word| upper.contains(word));
        for server in &self.servers {
            if server.passwords.iter().any(|password| password == value)
                && has(&["PASS", "PWD", "SECRET", "KEY", "AUTH"])
            {
                return Outcome::Dropped(format!(
                    "the password of {} is made anew for each environment: let the program read {}",
                    server.kind,
                    server.password_variables()
                ));
            }
            for (old, new, words) in [
                (&server.old_user, &server.user, &["USER"][..]),
                (
                    &server.old_database,
                    &server.database,
                    &["DB", "DATABASE"][..],
                ),
            ] {
                if old == value && old != new && has(words) {
                    let why = format!("`{new}` is what {} has here", server.kind);
                    return Outcome::Changed(new.clone(), why);
                }
            }
        }
        Outcome::Kept
    }

    /// What becomes of a value that names these hosts.
    fn with_hosts(&self, value: &str, hosts: &[Host<'_>]) -> Outcome {
        let mut new = String::new();
        let mut whys = Vec::new();
        let mut end = 0;
        for host in hosts {
            let (name, target) = (host.name, host.target);
            let replacement = match target {
                Target::Service(service) => service.as_str(),
                Target::Gone => return Outcome::Dangling(name.to_owned()),
                Target::Database(kind) => {
                    let Some(server) = self.servers.iter().find(|server| server.kind == *kind)
                    else {
                        return Outcome::Dangling(name.to_owned());
                    };
                    if host.has_password || (host.is_url && !server.takes_urls_without_password()) {
                        return Outcome::Dropped(format!(
                            "`{}` has credentials that are made anew for each environment: let the program read {}",
                            shorten(name),
                            server.url_variables()
                        ));
                    }
                    server.host()
                }
            };
            new.push_str(&value[end..host.start]);
            new.push_str(replacement);
            end = host.start + name.len();
            if replacement != name {
                whys.push(format!("`{}` is `{replacement}` here", shorten(name)));
            }
        }
        new.push_str(&value[end..]);
        if whys.is_empty() {
            return Outcome::Kept;
        }
        whys.dedup();
        Outcome::Changed(new, whys.join(", "))
    }

    /// The host names of the compose file in a value, from left to right.
    fn hosts<'s>(&'s self, key: &str, value: &str) -> Vec<Host<'s>> {
        let mut found: Vec<Host<'_>> = Vec::new();
        for (name, target) in self.names.iter().filter(|(name, _)| !name.is_empty()) {
            for (start, _) in value.match_indices(name.as_str()) {
                let (before, after) = (&value[..start], &value[start + name.len()..]);
                if let Some((is_url, has_password)) = as_host(key, before, after) {
                    found.push(Host {
                        name,
                        target,
                        start,
                        is_url,
                        has_password,
                    });
                }
            }
        }
        found.sort_by_key(|host| host.start);
        found
    }
}

struct Host<'a> {
    name: &'a str,
    target: &'a Target,
    start: usize,
    is_url: bool,
    has_password: bool,
}

/// Whether what stands between two texts is a host name; if so, whether in a URL, and in one with a password.
fn as_host(key: &str, before: &str, after: &str) -> Option<(bool, bool)> {
    let has_port = after
        .strip_prefix(':')
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let ends = after.is_empty() || after.starts_with(['/', ',', '?', ';', ' ']) || has_port;
    if !ends {
        return None;
    }
    if let Some((_, start)) = before.rsplit_once("://") {
        let user = start.rsplit_once('@').map(|(user, _)| user);
        let is_start = match user {
            None => start.is_empty() || start.ends_with(','),
            Some(_) => start.ends_with(['@', ',']),
        };
        let has_password = user
            .and_then(|user| user.split_once(':'))
            .is_some_and(|(_, password)| !password.is_empty());
        return is_start.then_some((true, has_password));
    }
    let starts = before.is_empty() || before.ends_with([',', '@', '=', ' ']);
    if starts && has_port {
        return Some((false, false));
    }
    // A word alone may be a host, or the name of a driver or a database: the variable says which.
    let upper = key.to_ascii_uppercase();
    const OF_HOSTS: [&str; 9] = [
        "HOST", "SERVER", "ADDR", "ENDPOINT", "URL", "URI", "BROKER", "NODES", "UPSTREAM",
    ];
    let is_alone = starts && (after.is_empty() || after.starts_with([',', ';']));
    (is_alone && OF_HOSTS.iter().any(|word| upper.contains(word))).then_some((false, false))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn surroundings() -> Surroundings {
        let names = [
            ("db", Target::Database(DatabaseKind::Postgresql)),
            ("cache", Target::Database(DatabaseKind::Redis)),
            ("mongo", Target::Database(DatabaseKind::Mongodb)),
            ("my_api", Target::Service("my-api".to_owned())),
            ("web", Target::Service("web".to_owned())),
            ("queue", Target::Gone),
        ];
        let server = |kind| Server {
            kind,
            database: "shop".to_owned(),
            user: "app".to_owned(),
            old_database: "shop".to_owned(),
            old_user: "postgres".to_owned(),
            passwords: vec!["hunter2".to_owned()],
            asks_for_password: kind != DatabaseKind::Redis,
        };
        Surroundings {
            names: names
                .into_iter()
                .map(|(name, target)| (name.to_owned(), target))
                .collect(),
            servers: vec![
                server(DatabaseKind::Postgresql),
                server(DatabaseKind::Mongodb),
                server(DatabaseKind::Redis),
            ],
        }
    }

    #[track_caller]
    fn becomes(key: &str, value: &str, expected: &str) {
        let shown = match surroundings().outcome(key, value) {
            Outcome::Kept => "kept".to_owned(),
            Outcome::Changed(new, _) => new,
            Outcome::Dropped(_) => "dropped".to_owned(),
            Outcome::Injected => "injected".to_owned(),
            Outcome::Dangling(name) => format!("{name} is gone"),
        };
        assert_eq!(shown, expected, "{key}={value}");
    }

    #[test]
    fn hosts_are_those_of_the_environment() {
        becomes("DB_HOST", "db", "app-postgresql-rw");
        becomes("API_URL", "http://my_api:3000/v1", "http://my-api:3000/v1");
        becomes("WEB", "http://web", "kept");
        becomes(
            "CELERY_BROKER",
            "redis://cache:6379/0",
            "redis://app-redis:6379/0",
        );
        becomes(
            "SPRING_DATASOURCE_URL",
            "jdbc:postgresql://db:5432/shop",
            "jdbc:postgresql://app-postgresql-rw:5432/shop",
        );
        becomes(
            "WAIT_FOR",
            "db:5432,cache:6379",
            "app-postgresql-rw:5432,app-redis:6379",
        );
        becomes(
            "BROKER",
            "redis://:@cache:6379/0",
            "redis://:@app-redis:6379/0",
        );
        becomes("BROKER", "redis://:x@cache:6379/0", "dropped");
        becomes("AMQP", "amqp://queue:5672", "queue is gone");
    }

    #[test]
    fn words_that_are_no_hosts_stay() {
        becomes("DB_CONNECTION", "db", "kept");
        becomes("NODE_ENV", "web", "kept");
        becomes("PATH_OF", "web/static", "kept");
        becomes("TITLE", "the web: a cache", "kept");
        becomes("URL", "http://www.web.example.com/db", "kept");
    }

    #[test]
    fn credentials_are_left_to_the_environment() {
        becomes("DATABASE_URL", "postgres://a:b@db/shop", "injected");
        becomes("PORT", "3000", "injected");
        becomes("REDIS_URL", "redis://cache", "injected");
        becomes("DATABASE_TYPE", "postgres", "injected");
        becomes("DSN", "postgres://postgres:hunter2@db:5432/shop", "dropped");
        becomes("MONGO_URL", "mongodb://mongo:27017/shop", "dropped");
        becomes("DB_PASSWORD", "hunter2", "dropped");
        becomes("GREETING", "hunter2", "kept");
        becomes("DB_USER", "postgres", "app");
        becomes("DB_NAME", "shop", "kept");
    }
}
