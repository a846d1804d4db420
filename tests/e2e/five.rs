//! All five databases at once, used by the demo through the variables that it is given and through nothing else.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::harness::{Project, eventually, kubectl, kubectl_json, request, root};

/// What the demo and its tests store things in.
const ALL: [&str; 5] = ["mariadb", "minio", "mongodb", "postgresql", "redis"];

const IMAGE: &str = "registry.test/demo:1";

/// The platform of a cluster that has these images in place of the usual ones.
pub(crate) const IMAGES: &str = "databases:
  postgresql: {image: 'docker.io/library/postgres:15'}
  mariadb: {image: 'docker.io/library/mariadb:10.11'}
  redis: {image: 'docker.io/library/redis:7.0'}
  minio: {image: 'docker.io/minio/minio:DEVELOPMENT.2026-02-12T20-18-48Z'}
  mongodb: {image: 'registry.test/mongodb-stand-in:1'}
";

/// A project with the demo's own file.
fn demo() -> Project {
    let file = root().join("examples/demo/k8s-ee.yaml");
    let text = std::fs::read_to_string(file).expect("the demo has a file");
    let rest: Vec<&str> = text
        .lines()
        .filter(|line| !line.starts_with("projectId:"))
        .collect();
    let project = Project::new(&rest.join("\n"));
    project.platform(IMAGES);
    project
}

const UP: [&str; 7] = ["up", "--pr", "1", "--image", IMAGE, "-o", "json"];

impl Project {
    /// Stores a visit in every database.
    #[track_caller]
    fn visit(&self) {
        let (status, answer) =
            request("POST", &self.host(1), "/api/visit").expect("an answer from the demo");
        assert_eq!(status, 200, "{answer}");
    }

    /// The visits that each database has stored, as the demo reads them; all must answer.
    #[track_caller]
    fn visits(&self) -> BTreeMap<String, u64> {
        eventually("all databases answer", || {
            let (status, _) = request("GET", &self.host(1), "/ready").ok()?;
            (status == 200).then_some(())
        });
        let status = self.page_json("/api/status");
        let all = status["databases"].as_object().expect("a map");
        all.iter()
            .map(|(name, one)| {
                let visits = one["visits"].as_u64();
                (name.clone(), visits.unwrap_or_else(|| panic!("{status:#}")))
            })
            .collect()
    }

    /// Which pod is which, by its name.
    fn pods(&self) -> BTreeMap<&'static str, String> {
        let uid = |name: &'static str| (name, self.uid(&format!("pod/app-{name}-0")));
        ALL.map(uid).into_iter().collect()
    }

    /// The quota holds, and has never held anything up.
    #[track_caller]
    fn assert_within_the_quota(&self) {
        let quota = self.get("resourcequota/pr-quota");
        let amount = |value: &Value| -> k8s_ee::quantity::Quantity {
            value
                .as_str()
                .unwrap_or_default()
                .parse()
                .expect("an amount")
        };
        let hard = quota["status"]["hard"].as_object().expect("a map");
        for (resource, most) in hard {
            let used = &quota["status"]["used"][resource];
            assert!(amount(used) <= amount(most), "{resource}: {quota:#}");
        }
        let events = self.get("events").to_string();
        assert!(!events.contains("exceeded quota"), "{events}");
    }
}

fn of_all(count: u64) -> BTreeMap<String, u64> {
    ALL.map(|name| (name.to_owned(), count))
        .into_iter()
        .collect()
}

#[test]
fn all_five_fit_the_quota_with_a_rollout_of_each() {
    let mut project = demo();
    let first = project.run(&UP).with_databases().json();
    let started = first["components"].as_object().expect("a map");
    for name in ALL {
        assert!(
            started[name].as_f64() < started["app"].as_f64(),
            "{first:#}"
        );
    }
    project.visit();
    assert_eq!(project.visits(), of_all(1));

    // Nothing is let off for them: the namespace takes restricted pods only.
    let namespace = kubectl_json(&["get", "namespace", &project.namespace(1)]);
    let level = &namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"];
    assert_eq!(level, "restricted");
    project.assert_within_the_quota();
    let again = project.run(&UP).ok().json();
    assert_eq!(again["requests"]["writes"], 0, "{again:#}");

    // All are replaced, each beside the others, and none of them waits for room.
    let hard = project.get("resourcequota/pr-quota")["spec"]["hard"].clone();
    let before = project.pods();
    let patient = "{failureThreshold: 200}";
    project.write(&format!(
        "services:
  app:
    port: 8080
    resources:
      requests: {{cpu: 50m, memory: 32Mi}}
      limits: {{cpu: 500m, memory: 96Mi}}
databases:
  postgresql: {{storage: 1Gi, probes: {{startup: {patient}}}}}
  mariadb: {{startupProbe: {patient}}}
  mongodb: {{startupProbe: {patient}}}
  redis: {{storage: 256Mi, startupProbe: {patient}}}
  minio: {{bucket: demo, startupProbe: {patient}}}
"
    ));
    project.run(&UP).ok();
    for (name, uid) in project.pods() {
        assert_ne!(before[name], uid, "{name} was not replaced");
    }
    assert_eq!(project.get("resourcequota/pr-quota")["spec"]["hard"], hard);
    project.assert_within_the_quota();
    assert_eq!(project.visits(), of_all(1));
    project.visit();
    assert_eq!(project.visits(), of_all(2));

    project.run(&["down", "--pr", "1"]).ok();
    project.no_volumes_left();
}

#[test]
fn all_five_keep_their_data_when_they_are_killed_stopped_and_given_new_passwords() {
    let mut project = demo();
    project.run(&UP).with_databases();
    project.visit();

    // Killed: no time to write anything down.
    let before = project.pods();
    let namespace = project.namespace(1);
    let mut kill = vec![
        "delete",
        "pods",
        "-n",
        &namespace,
        "--grace-period=0",
        "--force",
    ];
    let names = ALL.map(|name| format!("app-{name}-0"));
    kill.extend(names.iter().map(String::as_str));
    let killed = kubectl(&kill);
    assert!(killed.status.success(), "{killed:?}");
    let kept = project.run(&UP).ok().json();
    assert_eq!(kept["requests"]["writes"], 0, "{kept:#}");
    assert_eq!(project.visits(), of_all(1));
    for (name, uid) in project.pods() {
        assert_ne!(before[name], uid, "{name} was not killed");
    }

    // Stopped: the demo says which one it misses and why, its page is still there, and `up` brings it back.
    for name in ALL {
        let set = format!("statefulset/app-{name}");
        let stopped = kubectl(&["scale", "-n", &namespace, &set, "--replicas=0"]);
        assert!(stopped.status.success(), "{stopped:?}");
    }
    for name in ALL {
        eventually(&format!("{name} is missed"), || {
            let (status, answer) = request("GET", &project.host(1), "/ready").ok()?;
            let named = answer
                .lines()
                .any(|line| line.starts_with(&format!("{name}: ")));
            (status == 503 && named).then_some(())
        });
    }
    assert_eq!(project.page("/health"), "ok\n");
    let status = project
        .run(&["status", "--pr", "1", "-o", "json"])
        .ok()
        .json();
    for name in ALL {
        let components = status["components"].as_array().expect("a list");
        let one = components.iter().find(|c| c["name"] == name);
        assert_eq!(one.expect("it is listed")["up"], false, "{status:#}");
    }
    project.run(&UP).ok();
    assert_eq!(project.visits(), of_all(1));

    // The stand-in for MongoDB has no internal user, by which the server gives others new passwords.
    let renewed = ["mariadb", "minio", "postgresql", "redis"];
    let old = renewed.map(|name| project.password(name));
    let rotate = ["credentials", "rotate", "--pr", "1"];
    project.run(&[&rotate[..], &renewed].concat()).ok();
    let new = renewed.map(|name| project.password(name));
    for (name, (old, new)) in renewed.iter().zip(old.iter().zip(&new)) {
        assert_ne!(old, new, "{name} has the password of before");
    }
    assert_eq!(project.visits(), of_all(1));
    project.visit();
    assert_eq!(project.visits(), of_all(2));
    let again = project.run(&UP).ok().json();
    assert_eq!(again["requests"]["writes"], 0, "{again:#}");
}

#[test]
fn databases_cannot_be_reached_from_another_environment() {
    let mut theirs = demo();
    theirs.run(&UP).with_databases();
    let mut ours = Project::new("app:\n  port: 8080\n");
    ours.up(&[]);

    // The same questions, in each database's own protocol and with the right password, from both environments.
    let ways = [
        theirs.addresses(|service| format!("{service}.{}.svc.cluster.local", theirs.namespace(1))),
        theirs.addresses(|service| {
            let kind = ALL
                .iter()
                .find(|kind| service.contains(*kind))
                .expect("a database");
            let pod = theirs.get(&format!("pod/app-{kind}-0"));
            pod["status"]["podIP"]
                .as_str()
                .expect("an address")
                .to_owned()
        }),
    ];
    for (n, way) in ways.iter().enumerate() {
        let (answered, said) = theirs.ask_databases(&format!("own-{n}"), way, "60s");
        assert!(answered, "{said}");
        let (answered, said) = ours.ask_databases(&format!("other-{n}"), way, "5s");
        assert!(!answered, "{said}");
        for name in ALL {
            let silent = said
                .lines()
                .any(|line| line.contains(&format!("{name}: ")) && line.contains("no answer from"));
            assert!(silent, "{name} was reached: {said}");
        }
    }

    // Without the policies they answer, so what kept them apart were the policies.
    for namespace in [ours.namespace(1), theirs.namespace(1)] {
        let removed = kubectl(&["delete", "networkpolicies", "--all", "-n", &namespace]);
        assert!(removed.status.success(), "{removed:?}");
    }
    for (n, way) in ways.iter().enumerate() {
        let (answered, said) = ours.ask_databases(&format!("open-{n}"), way, "60s");
        assert!(answered, "{said}");
    }
}

impl Project {
    /// A secret of each database that is renewed.
    fn password(&self, database: &str) -> String {
        let key = match database {
            "minio" => "secretkey",
            "mariadb" => "user-password",
            _ => "password",
        };
        self.credential(database, key)
    }

    /// The variables of a service that uses all databases, with other host names.
    fn addresses(&self, host: impl Fn(&str) -> String) -> Value {
        let mongodb = self.credential("mongodb", "connectionString.standard");
        let member = "app-mongodb-0.app-mongodb-svc";
        let variables = [
            ("PGHOST", host("app-postgresql-rw")),
            ("PGUSER", self.credential("postgresql", "user")),
            ("PGPASSWORD", self.password("postgresql")),
            ("PGDATABASE", self.credential("postgresql", "dbname")),
            ("MYSQL_HOST", host("app-mariadb")),
            ("MYSQL_USER", "app".to_owned()),
            ("MYSQL_PASSWORD", self.password("mariadb")),
            ("MYSQL_DATABASE", "app".to_owned()),
            ("REDIS_HOST", host("app-redis")),
            ("REDIS_PASSWORD", self.password("redis")),
            ("MINIO_ENDPOINT", host("app-minio-hl")),
            ("MINIO_PORT", "9000".to_owned()),
            ("MONGODB_URL", mongodb.replace(member, &host(member))),
        ];
        variables
            .iter()
            .map(|(name, value)| json!({"name": name, "value": value}))
            .collect()
    }

    /// Whether all databases at these addresses answer a pod of this environment, and what it says.
    fn ask_databases(&self, name: &str, variables: &Value, patience: &str) -> (bool, String) {
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": name, "namespace": self.namespace(1)},
            "spec": {
                "restartPolicy": "Never",
                "automountServiceAccountToken": false,
                "securityContext": {"runAsNonRoot": true, "runAsUser": 1001, "seccompProfile": {"type": "RuntimeDefault"}},
                "containers": [{
                    "name": "wait", "image": "registry.test/k8s-ee:dev",
                    "args": ["wait", "--timeout", patience], "env": variables,
                    "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"cpu": "100m", "memory": "64Mi"}},
                    "securityContext": {"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true,
                        "capabilities": {"drop": ["ALL"]}},
                }],
            },
        });
        crate::harness::apply(&pod);
        let phase = eventually(&format!("{name} has ended"), || {
            let phase = self.get(&format!("pod/{name}"))["status"]["phase"].clone();
            matches!(phase.as_str(), Some("Succeeded" | "Failed")).then_some(phase)
        });
        let log = kubectl(&["logs", "-n", &self.namespace(1), name]);
        kubectl(&["delete", "pod", "-n", &self.namespace(1), name]);
        (
            phase == "Succeeded",
            String::from_utf8_lossy(&log.stdout).into_owned(),
        )
    }
}
