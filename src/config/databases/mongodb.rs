//! What can be said of MongoDB.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Common, Mode, StartupProbe, Storage};
use crate::config::{defaults, file::Resources, patterns};

/// The roles that MongoDB has built in.
const ROLES: [&str; 17] = [
    "read",
    "readWrite",
    "dbAdmin",
    "userAdmin",
    "dbOwner",
    "readAnyDatabase",
    "readWriteAnyDatabase",
    "userAdminAnyDatabase",
    "dbAdminAnyDatabase",
    "clusterMonitor",
    "clusterManager",
    "hostManager",
    "clusterAdmin",
    "enableSharding",
    "backup",
    "restore",
    "root",
];

/// Options of MongoDB.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Mongodb {
    /// Whether it is made; true in the object form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Who runs it: `standalone`, Kubernetes alone, or `operator`, the MongoDB operator. One that is there already stays
    /// with who runs it; for a new one the platform has a default, which is `standalone` unless it says otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("enum" = ["standalone", "operator"]))]
    pub mode: Option<Mode>,
    /// Version: a tag of the image `mongo`, from 6.0 on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = patterns::MONGODB_VERSION), extend("default" = defaults::MONGODB.version))]
    pub version: Option<String>,
    /// Reference of the image, in place of `mongo` in that version. It must start as that one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minLength" = 1, "examples" = ["mirror.example.com/mongo:7.0"]))]
    pub image: Option<String>,
    /// Members of the replica set; several need an operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 9), extend("default" = 1))]
    pub members: Option<u32>,
    /// Size of the volume.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("default" = "1Gi"))]
    pub storage: Option<Storage>,
    /// CPU and memory; 100m and 256Mi are set aside, 500m and 512Mi are the most when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<Resources>,
    /// Name of the application's database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = patterns::MONGODB_NAME), extend("default" = "app"))]
    pub database: Option<String>,
    /// Name of the application's user, who lives in the database `admin`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = patterns::MONGODB_NAME), extend("default" = "app"))]
    pub username: Option<String>,
    /// What the application's user may do in its database. Roles that there are in the database `admin` only, such as
    /// `clusterMonitor`, are given there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("uniqueItems" = true, "default" = defaults::MONGODB_ROLES))]
    pub roles: Option<Vec<MongodbRole>>,
    /// More users, each with Secrets of its own: `app-mongodb-admin-<name>` has its name, password and connection strings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("examples" = [[{"name": "reporting", "roles": ["read"]}]]))]
    pub users: Option<Vec<MongodbUser>>,
    /// How long it may take to start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub startup_probe: Option<StartupProbe>,
}

/// A user beside the application's, who lives in the database `admin` too.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MongodbUser {
    /// Name of the user.
    #[schemars(regex(pattern = patterns::MONGODB_NAME), example = &"reporting")]
    pub name: String,
    /// Database that the roles are for; the application's when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = patterns::MONGODB_NAME), example = &"reports")]
    pub database: Option<String>,
    /// What the user may do there. Roles that there are in the database `admin` only are given there.
    #[schemars(length(min = 1), extend("uniqueItems" = true), example = ["read"])]
    pub roles: Vec<MongodbRole>,
}

/// A role that MongoDB has built in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(transparent)]
pub struct MongodbRole(#[schemars(extend("enum" = ROLES))] pub String);

/// Name of a Secret of a user, `<prefix>-<user>` in the characters that names of objects have: it is the name that the
/// MongoDB operators make of it.
#[must_use]
pub fn secret_name(prefix: &str, user: &str) -> String {
    let plain = |c: char| matches!(c, 'a'..='z' | '0'..='9');
    if user.ends_with(plain) && user.chars().all(|c| plain(c) || c == '-') {
        return format!("{prefix}-{user}");
    }
    let mut name = String::new();
    for c in format!("{prefix}-{user}").to_lowercase().chars() {
        if plain(c) {
            name.push(c);
        } else if !name.ends_with('-') {
            name.push('-');
        }
    }
    name.trim_matches('-').to_owned()
}

impl Mongodb {
    /// What all kinds have in common.
    pub(super) fn common(&self) -> Common<'_> {
        Common {
            enabled: self.enabled,
            mode: self.mode,
            image: self.image.as_deref(),
            version: self.version.as_deref(),
            storage: self.storage.as_ref(),
            resources: self.resources.as_ref(),
            startup: self.startup_probe,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::secret_name;

    #[test]
    fn names_of_secrets_are_those_of_the_operators() {
        for (user, name) in [
            ("app", "app-mongodb-admin-app"),
            ("my-user", "app-mongodb-admin-my-user"),
            ("a--b", "app-mongodb-admin-a--b"),
            ("My_User", "app-mongodb-admin-my-user"),
            ("_a__B-", "app-mongodb-admin-a-b"),
            ("_", "app-mongodb-admin"),
        ] {
            assert_eq!(secret_name("app-mongodb-admin", user), name, "{user}");
        }
    }
}
