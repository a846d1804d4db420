//! What the tests of databases share: files with a database, commands inside its pod, its objects.

use serde_json::Value;

use crate::harness::{Project, Ran, eventually, kubectl, kubectl_json};

/// One service that answers, and these databases.
pub(crate) fn file(databases: &str) -> String {
    let databases = match databases {
        "" => String::new(),
        some => format!("databases:\n{some}"),
    };
    format!("app:\n  port: 8080\n{databases}")
}

pub(crate) const POSTGRESQL: &str = "  postgresql: {version: \"15\"}\n";
pub(crate) const MARIADB: &str = "  mariadb: {version: \"10.11\"}\n";
pub(crate) const REDIS: &str = "  redis: {version: \"7.0\"}\n";
pub(crate) const REDIS_WITH_VOLUME: &str = "  redis: {version: \"7.0\", storage: 1Gi}\n";

impl Ran {
    /// It ended with 0. That a cluster cannot pull the images of databases is said as such: the sandbox has them only
    /// when they have been built.
    #[track_caller]
    pub(crate) fn with_databases(self) -> Self {
        assert!(
            !(self.code == 6 && (self.stderr.clone() + &self.stdout).contains("image-not-found")),
            "the cluster has not the images that this test needs; the sandbox gets them from `cargo xtask sandbox \
             images --all`\n{}{}",
            self.stdout,
            self.stderr
        );
        self.ok()
    }
}

impl Project {
    /// A shell script in the pod of a database, with the variables that its container has; must succeed.
    #[track_caller]
    pub(crate) fn in_pod(&self, database: &str, script: &str) -> String {
        let pod = format!("app-{database}-0");
        let namespace = self.namespace(1);
        let ran = kubectl(&["exec", "-n", &namespace, &pod, "--", "sh", "-c", script]);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        assert!(
            ran.status.success(),
            "{pod}: {}{}",
            text(&ran.stdout),
            text(&ran.stderr)
        );
        text(&ran.stdout)
    }

    /// A statement to PostgreSQL, as the application's user and with its password.
    #[track_caller]
    pub(crate) fn psql(&self, statement: &str) -> String {
        let uri = self.credential("postgresql", "uri");
        let uri = uri.replace("app-postgresql-rw", "127.0.0.1");
        self.in_pod(
            "postgresql",
            &format!("psql -X -q -tA '{uri}' -c \"{statement}\""),
        )
    }

    /// A command to Redis; the container has the password.
    #[track_caller]
    pub(crate) fn redis(&self, command: &str) -> String {
        self.in_pod("redis", &format!("redis-cli --no-auth-warning {command}"))
    }

    /// The value of a key of a database's credentials.
    #[track_caller]
    pub(crate) fn credential(&self, database: &str, key: &str) -> String {
        let args = [
            "credentials",
            "show",
            database,
            "--key",
            key,
            "--pr",
            "1",
            "--quiet",
        ];
        let output = self.command(&args).output().expect("the binary starts");
        Ran::of(output, &args).ok().stdout.trim().to_owned()
    }

    /// Whether the namespace has an object.
    pub(crate) fn has(&self, what: &str) -> bool {
        kubectl(&["get", "-n", &self.namespace(1), what])
            .status
            .success()
    }

    /// The uid of an object.
    #[track_caller]
    pub(crate) fn uid(&self, what: &str) -> String {
        let uid = &self.get(what)["metadata"]["uid"];
        uid.as_str().expect("every object has a uid").to_owned()
    }

    /// What we wrote last to each of the objects of a kind, and when: the same as long as nothing is written.
    pub(crate) fn writes(&self, kinds: &str, only: impl Fn(&Value) -> bool) -> Vec<String> {
        let list = kubectl_json(&["get", "-n", &self.namespace(1), kinds]);
        let items = list["items"].as_array().cloned().unwrap_or_default();
        let mut all: Vec<String> = items
            .iter()
            .filter(|object| only(object))
            .map(|object| {
                let fields = object["metadata"]["managedFields"].as_array();
                let times: Vec<String> = fields
                    .into_iter()
                    .flatten()
                    .filter(|entry| entry["manager"] == "k8s-ee")
                    .map(|entry| entry["time"].to_string())
                    .collect();
                let (kind, metadata) = (&object["kind"], &object["metadata"]);
                format!(
                    "{kind} {} {} {times:?}",
                    metadata["name"], metadata["generation"]
                )
            })
            .collect();
        assert!(!all.is_empty(), "no objects of {kinds}");
        all.sort();
        all
    }

    /// Waits until the cluster has no volume of the project any more.
    #[track_caller]
    pub(crate) fn no_volumes_left(&self) {
        let namespace = self.namespace(1);
        eventually("all volumes are gone", || {
            let volumes = kubectl_json(&["get", "persistentvolumes"]);
            let items = volumes["items"].as_array().cloned().unwrap_or_default();
            let ours = items
                .iter()
                .any(|volume| volume["spec"]["claimRef"]["namespace"] == namespace.as_str());
            (!ours).then_some(())
        });
    }
}

/// Whether an object is of one of these components.
pub(crate) fn of<'a>(components: &'a [&'a str]) -> impl Fn(&Value) -> bool + 'a {
    |object| {
        let component = object["metadata"]["labels"]["k8s-ee/component"].as_str();
        component.is_some_and(|component| components.contains(&component))
    }
}
