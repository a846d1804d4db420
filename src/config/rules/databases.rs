//! What no schema can say of databases: names that are taken, settings that are ours, options that exclude each other.

use std::collections::HashMap;

use crate::config::{
    Config,
    databases::{
        Common, DatabaseKind, Databases, Mode,
        mariadb::Mariadb,
        minio::Minio,
        mongodb::{Mongodb, secret_name},
        postgresql::Postgresql,
    },
    pointer,
    problem::Problem,
};

use super::{image, resources, values::size};

/// Settings of PostgreSQL that say where it is and how it is reached, which probes, Services and volumes rely on.
const OWN_PARAMETERS: [&str; 9] = [
    "config_file",
    "data_directory",
    "external_pid_file",
    "hba_file",
    "ident_file",
    "listen_addresses",
    "port",
    "unix_socket_directories",
    "unix_socket_permissions",
];

/// Rules about single values.
pub(super) fn values(config: &Config, problems: &mut Vec<Problem>) {
    let Some(databases) = &config.file.databases else {
        return;
    };
    let mut rules = Rules { config, problems };
    for (kind, common) in of_all(databases) {
        rules.common(kind, common);
    }
    if let Some(options) = databases.postgresql.as_ref().and_then(|s| s.options()) {
        rules.postgresql(options);
    }
    if let Some(options) = databases.mongodb.as_ref().and_then(|s| s.options()) {
        rules.mongodb(options);
    }
    if let Some(options) = databases.minio.as_ref().and_then(|s| s.options()) {
        rules.minio(options);
    }
    if let Some(options) = databases.mariadb.as_ref().and_then(|s| s.options()) {
        rules.mariadb(options);
    }
}

/// Rules about values that depend on each other.
pub(super) fn relations(config: &Config, problems: &mut Vec<Problem>) {
    let Some(databases) = &config.file.databases else {
        return;
    };
    for (kind, common) in of_all(databases) {
        let at = |member: &str| member_of(kind, member);
        resources::check(config, &at, common.resources, problems);
    }
    if let Some(options) = databases.mongodb.as_ref().and_then(|s| s.options()) {
        Rules { config, problems }.mongodb_users(options);
    }
}

fn of_all(databases: &Databases) -> impl Iterator<Item = (DatabaseKind, Common<'_>)> {
    DatabaseKind::ALL
        .into_iter()
        .filter_map(|kind| Some((kind, databases.common(kind)?)))
}

fn member_of(kind: DatabaseKind, member: &str) -> String {
    format!("/databases/{kind}/{member}")
}

struct Rules<'a> {
    config: &'a Config,
    problems: &'a mut Vec<Problem>,
}

impl Rules<'_> {
    /// A problem with a value; the message goes on after its path.
    fn tell(&mut self, at: &str, message: &str, hint: impl Into<String>) {
        let message = format!("`{}` {message}", pointer::path(at));
        let problem = self.config.problem(at, message, Some(hint.into()));
        self.problems.push(problem);
    }

    fn common(&mut self, kind: DatabaseKind, options: Common<'_>) {
        if let Some(storage) = options.storage {
            let at = member_of(kind, "storage/size");
            let at = if self.config.has(&at) {
                at
            } else {
                member_of(kind, "storage")
            };
            size(self.config, &at, storage.parts().0, false, self.problems);
        }
        let at = |member: &str| member_of(kind, member);
        resources::check_amounts(self.config, &at, options.resources, self.problems);
        if let Some(reference) = options.image {
            image::reference(self.config, &at("image"), reference, true, self.problems);
            // The MongoDB operator must be told what is in the image.
            let operator = kind == DatabaseKind::Mongodb && options.mode == Some(Mode::Operator);
            if options.version.is_some() && !operator {
                self.tell(
                    &at("version"),
                    "has no effect beside `image`, whose tag or digest is the version",
                    "remove one of the two",
                );
            }
        }
    }

    fn postgresql(&mut self, options: &Postgresql) {
        let at = |member: &str| member_of(DatabaseKind::Postgresql, member);
        match options.owner.as_deref() {
            Some("postgres") => self.tell(
                &at("owner"),
                "cannot be `postgres`, who is the superuser",
                "choose another name, such as `app`",
            ),
            Some(name) if name.starts_with("pg_") => self.tell(
                &at("owner"),
                "begins with `pg_`, as only roles of PostgreSQL itself may",
                "choose another name, such as `app`",
            ),
            _ => {}
        }
        if let Some(name @ ("template0" | "template1")) = options.database.as_deref() {
            self.tell(
                &at("database"),
                &format!("cannot be `{name}`, which new databases are copies of"),
                "choose another name, such as `app`",
            );
        }
        let server = options.postgresql.as_ref();
        let parameters = server.and_then(|server| server.parameters.as_ref());
        for name in parameters.into_iter().flat_map(|map| map.keys()) {
            if OWN_PARAMETERS.contains(&name.to_ascii_lowercase().as_str()) {
                let place = pointer::child(&at("postgresql/parameters"), name);
                self.problems.push(self.config.key_problem(
                    &place,
                    format!(
                        "`{}` is set by k8s-ee, which relies on it",
                        pointer::path(&place)
                    ),
                    Some("remove it".to_owned()),
                ));
            }
        }
    }

    fn mongodb(&mut self, options: &Mongodb) {
        let at = |member: &str| member_of(DatabaseKind::Mongodb, member);
        let users = options.users.iter().flatten().enumerate();
        let of_users = users.filter_map(|(n, user)| {
            Some((format!("users/{n}/database"), user.database.as_deref()?))
        });
        let own = options.database.as_deref();
        let of_application = own.map(|name| ("database".to_owned(), name));
        for (member, name) in of_users.chain(of_application) {
            if matches!(name, "local" | "config") {
                self.tell(
                    &at(&member),
                    &format!("cannot be `{name}`, which MongoDB keeps for itself"),
                    "choose another name, such as `app`",
                );
            }
        }
    }

    /// Each user has a Secret of its own, whose name is made of the user's.
    fn mongodb_users(&mut self, options: &Mongodb) {
        let at = |member: &str| member_of(DatabaseKind::Mongodb, member);
        let own = options.username.as_deref().unwrap_or("app");
        let mut taken = HashMap::from([(secret_name("app", own), own)]);
        for (n, user) in options.users.iter().flatten().enumerate() {
            let place = at(&format!("users/{n}/name"));
            let name = user.name.as_str();
            match taken.insert(secret_name("app", name), name) {
                None => {}
                Some(other) if other == name && name == own => self.tell(
                    &place,
                    &format!("is `{name}`, which is the application's user"),
                    "choose another name, or give the application's user more under `roles`",
                ),
                Some(other) if other == name => self.tell(
                    &place,
                    &format!("is `{name}` a second time"),
                    "put all roles into one of the two",
                ),
                Some(other) => self.tell(
                    &place,
                    &format!("is too like `{other}`: the Secrets of both would have one name"),
                    "choose a name with other letters or digits",
                ),
            }
        }
    }

    fn minio(&mut self, options: &Minio) {
        let at = |member: &str| member_of(DatabaseKind::Minio, member);
        let more = options.buckets.iter().flatten().enumerate();
        let more = more.map(|(n, bucket)| (format!("buckets/{n}"), bucket.0.as_str()));
        let own = options.bucket.as_deref();
        let own = own.map(|name| ("bucket".to_owned(), name));
        for (member, name) in own.into_iter().chain(more) {
            let why = if name.contains("..") || name.contains(".-") || name.contains("-.") {
                "has `.` beside `.` or `-`"
            } else if name.parse::<std::net::Ipv4Addr>().is_ok() {
                "looks like an IP address"
            } else if name == "minio" {
                "is `minio`, which MinIO keeps for itself"
            } else {
                continue;
            };
            self.tell(
                &at(&member),
                &format!("cannot be the name of a bucket: it {why}"),
                "write lower-case letters, digits and single `-`, such as `data`",
            );
        }
    }

    fn mariadb(&mut self, options: &Mariadb) {
        let at = |member: &str| member_of(DatabaseKind::Mariadb, member);
        if options.username.as_deref() == Some("root") {
            self.tell(
                &at("username"),
                "cannot be `root`, who is the superuser",
                "choose another name, such as `app`",
            );
        }
        const SYSTEM: [&str; 4] = ["information_schema", "mysql", "performance_schema", "sys"];
        if let Some(name) = &options.database
            && SYSTEM.contains(&name.to_ascii_lowercase().as_str())
        {
            self.tell(
                &at("database"),
                &format!("cannot be `{name}`, which MariaDB keeps for itself"),
                "choose another name, such as `app`",
            );
        }
    }
}
