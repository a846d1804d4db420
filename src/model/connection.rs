//! How a database is reached from outside of its environment, through a forwarded port. Passwords are no part of it.

use std::net::SocketAddr;

use super::{Database, DatabaseKind};

/// URL of a database at a local address, without a password. Where nothing is known of its options, the defaults are
/// taken.
#[must_use]
pub fn url(kind: DatabaseKind, database: Option<&Database>, local: SocketAddr) -> String {
    let option = |name: &str| {
        let value = database.and_then(|database| database.options.get(name)?.as_str());
        value.unwrap_or("app")
    };
    match kind {
        DatabaseKind::Postgresql => {
            format!(
                "postgresql://{}@{local}/{}",
                option("owner"),
                option("database")
            )
        }
        DatabaseKind::Mariadb => {
            format!(
                "mysql://{}@{local}/{}",
                option("username"),
                option("database")
            )
        }
        // Its own name for itself leads nowhere from outside.
        DatabaseKind::Mongodb => format!(
            "mongodb://{}@{local}/{}?authSource=admin&directConnection=true",
            option("username"),
            option("database")
        ),
        DatabaseKind::Redis => format!("redis://{local}"),
        DatabaseKind::Minio => format!("http://{local}"),
    }
}

/// Whether a database asks for a password; only Redis may not.
#[must_use]
pub fn asks_for_password(database: &Database) -> bool {
    let enabled = database.options.pointer("/auth/enabled");
    enabled.and_then(serde_json::Value::as_bool).unwrap_or(true)
}

/// Key of the password among the credentials of a database.
#[must_use]
pub const fn password_key(kind: DatabaseKind) -> &'static str {
    match kind {
        DatabaseKind::Postgresql | DatabaseKind::Mongodb | DatabaseKind::Redis => "password",
        DatabaseKind::Minio => "secretkey",
        DatabaseKind::Mariadb => "user-password",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_are_those_of_the_environment() {
        let local = SocketAddr::from(([127, 0, 0, 1], 15432));
        let database = Database {
            kind: DatabaseKind::Postgresql,
            mode: crate::model::Mode::Standalone,
            options: json!({"owner": "keeper", "database": "shop"}),
        };
        assert_eq!(
            url(DatabaseKind::Postgresql, Some(&database), local),
            "postgresql://keeper@127.0.0.1:15432/shop"
        );
        assert_eq!(
            url(DatabaseKind::Mariadb, None, local),
            "mysql://app@127.0.0.1:15432/app"
        );
        assert!(asks_for_password(&database));
        let open = Database {
            options: json!({"auth": {"enabled": false}}),
            ..database
        };
        assert!(!asks_for_password(&open));
        let local = SocketAddr::from((std::net::Ipv6Addr::LOCALHOST, 6379));
        assert_eq!(url(DatabaseKind::Redis, None, local), "redis://[::1]:6379");
    }
}
