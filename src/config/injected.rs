//! The environment variables that k8s-ee gives to every service.

use super::{databases::DatabaseKind, file::File};

/// Variables that every service gets.
#[must_use]
pub const fn always() -> &'static [&'static str] {
    &[
        "PORT",
        "PR_NUMBER",
        "COMMIT_SHA",
        "BRANCH_NAME",
        "APP_VERSION",
        "PREVIEW_URL",
    ]
}

/// Variables that a database of this kind brings. Redis brings `REDIS_PASSWORD` when it asks for a password, and
/// `REDIS_URL` when it does not.
#[must_use]
pub const fn of_database(kind: DatabaseKind) -> &'static [&'static str] {
    match kind {
        DatabaseKind::Postgresql => &[
            "DATABASE_URL",
            "PGHOST",
            "PGPORT",
            "PGDATABASE",
            "PGUSER",
            "PGPASSWORD",
        ],
        DatabaseKind::Mongodb => &["MONGODB_URL", "MONGODB_URI", "MONGODB_DATABASE"],
        DatabaseKind::Redis => &["REDIS_HOST", "REDIS_PORT", "REDIS_PASSWORD", "REDIS_URL"],
        DatabaseKind::Minio => &[
            "MINIO_ENDPOINT",
            "MINIO_PORT",
            "MINIO_ACCESS_KEY",
            "MINIO_SECRET_KEY",
            "MINIO_BUCKET",
            "S3_ENDPOINT",
            "S3_ACCESS_KEY",
            "S3_SECRET_KEY",
            "S3_BUCKET",
        ],
        DatabaseKind::Mariadb => &[
            "MYSQL_HOST",
            "MYSQL_PORT",
            "MYSQL_DATABASE",
            "MYSQL_USER",
            "MYSQL_PASSWORD",
            "MYSQL_URL",
        ],
    }
}

/// Variable that names the SQL database, `postgresql` or `mariadb`; there when one of them is enabled.
pub const DATABASE_TYPE: &str = "DATABASE_TYPE";

/// Who gives a variable its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Giver {
    /// The platform, to every service.
    Platform,
    /// A database that the file enables.
    Database(DatabaseKind),
}

/// Who gives the variable its value in the environment of this file; nobody, if it is free.
#[must_use]
pub fn giver(file: &File, variable: &str) -> Option<Giver> {
    if always().contains(&variable) {
        return Some(Giver::Platform);
    }
    let databases = file.databases.as_ref()?;
    databases
        .enabled()
        .find(|kind| match variable {
            DATABASE_TYPE => matches!(kind, DatabaseKind::Postgresql | DatabaseKind::Mariadb),
            "REDIS_PASSWORD" => *kind == DatabaseKind::Redis && databases.redis_asks_for_password(),
            "REDIS_URL" => *kind == DatabaseKind::Redis && !databases.redis_asks_for_password(),
            _ => of_database(*kind).contains(&variable),
        })
        .map(Giver::Database)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_variable_has_two_givers() {
        let all: Vec<&str> = DatabaseKind::ALL
            .iter()
            .flat_map(|kind| of_database(*kind))
            .chain(always())
            .copied()
            .collect();
        let unique: BTreeSet<&str> = all.iter().copied().collect();
        assert_eq!(all.len(), unique.len());
    }
}
