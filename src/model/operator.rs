//! The operators that may run a database in place of a StatefulSet of ours: how their custom resources and pods are known,
//! and what of a database the cluster has already.

use std::collections::BTreeMap;

use super::{
    DatabaseKind, Environment, Mode, RELEASE, labels,
    object::{Object, ObjectId},
};

/// The operators whose custom resources are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operator {
    /// CloudNativePG.
    Postgresql,
    /// MongoDB Community, and MongoDB Controllers for Kubernetes, which came after it and has the same resource.
    Mongodb,
    /// MinIO.
    Minio,
}

impl Operator {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Postgresql, Self::Mongodb, Self::Minio];

    /// The operator for a kind of database, where there is one.
    #[must_use]
    pub const fn of_database(kind: DatabaseKind) -> Option<Self> {
        match kind {
            DatabaseKind::Postgresql => Some(Self::Postgresql),
            DatabaseKind::Mongodb => Some(Self::Mongodb),
            DatabaseKind::Minio => Some(Self::Minio),
            DatabaseKind::Redis | DatabaseKind::Mariadb => None,
        }
    }

    /// The operator that runs an object, if one does.
    #[must_use]
    pub fn of(object: &Object) -> Option<Self> {
        Self::of_kind(object.api_version(), object.kind())
    }

    /// As [`Self::of`], for an object that is only named.
    #[must_use]
    pub fn of_id(id: &ObjectId) -> Option<Self> {
        Self::of_kind(&id.api_version, &id.kind)
    }

    fn of_kind(api_version: &str, kind: &str) -> Option<Self> {
        let group = |api_version: &str| api_version.split('/').next().map(str::to_owned);
        Self::ALL.into_iter().find(|operator| {
            let (its_version, its_kind) = operator.resource();
            its_kind == kind && group(its_version) == group(api_version)
        })
    }

    /// The operator that made a pod with these labels for a database of an environment.
    #[must_use]
    pub fn of_pod(labels: &BTreeMap<String, String>) -> Option<Self> {
        Self::ALL.into_iter().find(|operator| {
            let (key, value) = operator.pod_label(&operator.name());
            labels.get(key) == Some(&value)
        })
    }

    /// The database that it runs.
    #[must_use]
    pub const fn database(self) -> DatabaseKind {
        match self {
            Self::Postgresql => DatabaseKind::Postgresql,
            Self::Mongodb => DatabaseKind::Mongodb,
            Self::Minio => DatabaseKind::Minio,
        }
    }

    /// What people call it.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Postgresql => "CloudNativePG",
            Self::Mongodb => "MongoDB operator",
            Self::Minio => "MinIO operator",
        }
    }

    /// The same in a sentence, with an article where it has one.
    #[must_use]
    pub const fn the(self) -> &'static str {
        match self {
            Self::Postgresql => "CloudNativePG",
            Self::Mongodb => "the MongoDB operator",
            Self::Minio => "the MinIO operator",
        }
    }

    /// Where its installation is described.
    #[must_use]
    pub const fn manual(self) -> &'static str {
        match self {
            Self::Postgresql => "https://cloudnative-pg.io/docs/",
            Self::Mongodb => "https://www.mongodb.com/docs/kubernetes/",
            Self::Minio => "https://github.com/minio/operator",
        }
    }

    /// Version and kind of its custom resource.
    #[must_use]
    pub const fn resource(self) -> (&'static str, &'static str) {
        match self {
            Self::Postgresql => ("postgresql.cnpg.io/v1", "Cluster"),
            Self::Mongodb => ("mongodbcommunity.mongodb.com/v1", "MongoDBCommunity"),
            Self::Minio => ("minio.min.io/v2", "Tenant"),
        }
    }

    /// Name of the custom resource of an environment's database.
    #[must_use]
    pub fn name(self) -> String {
        format!("{RELEASE}-{}", self.database())
    }

    /// The label that it puts on the pods it makes for the object of this name.
    #[must_use]
    pub fn pod_label(self, name: &str) -> (&'static str, String) {
        match self {
            Self::Postgresql => ("cnpg.io/cluster", name.to_owned()),
            Self::Mongodb => ("app", format!("{name}-svc")),
            Self::Minio => ("v1.min.io/tenant", name.to_owned()),
        }
    }

    /// The container of its pods that runs the server.
    #[must_use]
    pub const fn server(self) -> &'static str {
        match self {
            Self::Postgresql => "postgres",
            Self::Mongodb => "mongod",
            Self::Minio => "minio",
        }
    }
}

/// What the cluster has of one database.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LiveDatabase {
    /// Whether the cluster knows the operator's kind; unknown to who may not ask.
    pub known: Option<bool>,
    /// The operator's custom resource.
    pub resource: Option<Object>,
    /// Whether there is a StatefulSet of ours, or a volume of one.
    pub standalone: bool,
}

impl LiveDatabase {
    /// Who runs it, if anybody does.
    #[must_use]
    pub fn mode(&self) -> Option<Mode> {
        match (&self.resource, self.standalone) {
            (Some(_), _) => Some(Mode::Operator),
            (None, true) => Some(Mode::Standalone),
            (None, false) => None,
        }
    }
}

/// What the cluster has of the databases that operators can run. Empty where nobody has looked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LiveDatabases(BTreeMap<DatabaseKind, LiveDatabase>);

impl LiveDatabases {
    /// What there is of one of them; nothing is known of it when nobody has looked.
    #[must_use]
    pub fn get(&self, kind: DatabaseKind) -> LiveDatabase {
        self.0.get(&kind).cloned().unwrap_or_default()
    }

    /// The custom resources of databases that the environment does not have, or no longer. They are not removed, because
    /// some operators remove the volumes with them, so they go on running and have to be counted.
    #[must_use]
    pub fn left_behind(&self, environment: &Environment) -> Vec<Object> {
        let has = |kind: &DatabaseKind| environment.databases.iter().any(|d| d.kind == *kind);
        let live = self.0.iter().filter(|(kind, _)| !has(kind));
        live.filter_map(|(kind, live)| {
            let mut resource = live.resource.clone()?;
            // The platform before us had no such label.
            resource.set_label(labels::COMPONENT, kind.name());
            Some(resource)
        })
        .collect()
    }
}

impl FromIterator<(DatabaseKind, LiveDatabase)> for LiveDatabases {
    fn from_iter<I: IntoIterator<Item = (DatabaseKind, LiveDatabase)>>(live: I) -> Self {
        Self(live.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pods_and_resources_are_told_by_their_names() {
        let labels = |key: &str, value: &str| BTreeMap::from([(key.to_owned(), value.to_owned())]);
        assert_eq!(Operator::of_pod(&labels("cnpg.io/cluster", "mine")), None);
        for (operator, pod) in [
            (
                Operator::Postgresql,
                labels("cnpg.io/cluster", "app-postgresql"),
            ),
            (Operator::Mongodb, labels("app", "app-mongodb-svc")),
            (Operator::Minio, labels("v1.min.io/tenant", "app-minio")),
        ] {
            assert_eq!(Operator::of_pod(&pod), Some(operator));
            assert_eq!(Operator::of_database(operator.database()), Some(operator));
            let (api_version, kind) = operator.resource();
            let newer = api_version.replace("/v", "/v9");
            for api_version in [api_version, &newer] {
                let object =
                    json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "x"}});
                let object = Object::new(object).expect("an object");
                assert_eq!(Operator::of(&object), Some(operator));
            }
            assert_eq!(Operator::of_kind("example.com/v1", kind), None);
        }
    }

    #[test]
    fn a_resource_says_more_than_a_stateful_set() {
        let resource = Object::new(
            json!({"apiVersion": "postgresql.cnpg.io/v1", "kind": "Cluster", "metadata": {"name": "app-postgresql"}}),
        )
        .expect("an object");
        let both = LiveDatabase {
            resource: Some(resource),
            standalone: true,
            known: Some(true),
        };
        assert_eq!(both.mode(), Some(Mode::Operator));
        assert_eq!(LiveDatabase::default().mode(), None);
    }
}
