//! Databases that an operator runs: asked for, refused, waited for, adopted.
//!
//! The operators themselves do not run here. Their own definitions are on the cluster for as long as the test lasts, so that
//! the API server judges the resources as it would with them; what an operator would answer is written by the test.

use std::{path::PathBuf, process::Child, sync::Mutex};

use serde_json::{Value, json};

use crate::harness::{Project, Ran, TESTAPP, TESTAPP_2, apply, eventually, kubectl, kubectl_json};

/// The definitions are there for the whole cluster.
static DEFINITIONS: Mutex<()> = Mutex::new(());

const NAMES: [&str; 3] = [
    "clusters.postgresql.cnpg.io",
    "mongodbcommunity.mongodbcommunity.mongodb.com",
    "tenants.minio.min.io",
];

/// Whether a definition is on the cluster, and whether it is ours to remove.
fn is_there(name: &str) -> Option<bool> {
    let found = kubectl(&["get", "crd", name, "-o", "json"]);
    let crd: Value = serde_json::from_slice(&found.stdout).ok()?;
    let label = &crd["metadata"]["labels"]["k8s-ee/type"];
    (crd["kind"] == "CustomResourceDefinition").then(|| label == "test")
}

/// On a cluster with operators of its own nothing can be tried: they would answer for themselves.
fn has_operators() -> bool {
    let has = NAMES.iter().any(|name| is_there(name) == Some(false));
    if has {
        eprintln!("skipped: the cluster has operators of its own");
    }
    has
}

/// The definitions, as long as it lives.
struct Definitions;

impl Definitions {
    fn install() -> Self {
        let folder = std::env::var_os("K8S_EE_CRDS").map_or_else(
            || {
                let home = std::env::var_os("HOME").unwrap_or_default();
                PathBuf::from(home).join(".cache/k8s-ee/sandbox/crds")
            },
            PathBuf::from,
        );
        for name in NAMES {
            let plural = name.split('.').next().expect("a name");
            let file = folder.join(format!("{plural}.yaml")).display().to_string();
            let created = kubectl(&["apply", "--server-side", "-f", &file]);
            assert!(
                created.status.success(),
                "{file}: {}; make it: cargo xtask sandbox crds",
                String::from_utf8_lossy(&created.stderr)
            );
            kubectl(&["label", "crd", name, "k8s-ee/type=test"]);
        }
        for name in NAMES {
            let known = kubectl(&[
                "wait",
                "--for=condition=Established",
                "--timeout=60s",
                "crd",
                name,
            ]);
            assert!(known.status.success(), "{name} is not served");
        }
        Self
    }

    fn remove() {
        for name in NAMES {
            if is_there(name) == Some(true) {
                kubectl(&["delete", "crd", name, "--wait=true", "--timeout=60s"]);
            }
        }
    }
}

impl Drop for Definitions {
    fn drop(&mut self) {
        Self::remove();
    }
}

const ALL: &str = "app:\n  port: 8080\ndatabases:\n  postgresql: {mode: operator, bootstrap: {initSQL: [\"DO $$ BEGIN END $$\"]}}\n  mongodb: {mode: operator, version: 7.0.14}\n  minio: {mode: operator}\n";

#[test]
fn operators_that_are_not_there_are_named_before_anything_is_written() {
    let _alone = DEFINITIONS.lock().unwrap_or_else(|e| e.into_inner());
    if has_operators() {
        return;
    }
    Definitions::remove();
    let mut project = Project::new(ALL);
    for verb in ["up", "plan"] {
        project.run(&[verb, "--pr", "1", "--image", TESTAPP]).exit(3).says(&[
            "the cluster has no CloudNativePG (no kind Cluster, postgresql.cnpg.io/v1)",
            "the cluster has no MongoDB operator (no kind MongoDBCommunity, mongodbcommunity.mongodb.com/v1)",
            "the cluster has no MinIO operator (no kind Tenant, minio.min.io/v2)",
            "k8s-ee.yaml:5:",
            "set `databases.postgresql.mode: standalone`",
        ]);
    }
    project.write("app:\n  port: 8080\ndatabases: {postgresql: true}\n");
    project.platform("databases: {postgresql: {mode: operator}}\n");
    let refused = project.run(&["up", "--pr", "1", "--image", TESTAPP]);
    refused
        .exit(3)
        .says(&["the cluster has no CloudNativePG", "platform settings"]);
    let namespace = kubectl(&["get", "namespace", &project.namespace(1)]);
    assert!(!namespace.status.success(), "something was written");
}

#[test]
fn databases_of_operators() {
    let _alone = DEFINITIONS.lock().unwrap_or_else(|e| e.into_inner());
    if has_operators() {
        return;
    }
    let _definitions = Definitions::install();
    waits_for_all_three_and_gives_their_variables();
    names_a_failing_pod_with_its_database();
    adopts_what_the_old_platform_made();
    leaves_no_data_behind();
}

fn started(project: &mut Project, args: &[&str]) -> Child {
    let mut all = vec!["up", "--pr", "1", "--image", TESTAPP, "--timeout", "150s"];
    all.extend(args);
    project.start(&all)
}

fn ended(up: Child) -> Ran {
    Ran::of(up.wait_with_output().expect("it ends"), &["up"])
}

/// What the operator would write.
fn says(namespace: &str, resource: &str, status: &Value) {
    let patch = json!({ "status": status }).to_string();
    eventually(resource, || {
        let patched = kubectl(&[
            "-n",
            namespace,
            "patch",
            resource,
            "--subresource=status",
            "--type=merge",
            "-p",
            &patch,
        ]);
        patched.status.success().then_some(())
    });
}

fn healthy(namespace: &str) {
    says(
        namespace,
        "clusters.postgresql.cnpg.io/app-postgresql",
        &json!({"phase": "Cluster in healthy state", "readyInstances": 1}),
    );
}

fn waits_for_all_three_and_gives_their_variables() {
    let mut project = Project::new(ALL);
    let namespace = project.namespace(1);
    let up = started(&mut project, &["-o", "json"]);
    says(
        &namespace,
        "clusters.postgresql.cnpg.io/app-postgresql",
        &json!({"phase": "Setting up primary", "readyInstances": 0}),
    );
    let there = |what: &str| kubectl(&["-n", &namespace, "get", what]).status.success();
    assert!(!there("deployment/app"), "the application did not wait");

    // The API server has taken it with CloudNativePG's own definition, in which unknown fields are refused.
    let cluster = project.get("clusters.postgresql.cnpg.io/app-postgresql");
    let sql = &cluster["spec"]["bootstrap"]["initdb"]["postInitSQL"][0];
    assert_eq!(sql, "DO $$$$ BEGIN END $$$$");
    let secret = project.get("secret/app-postgresql-app");
    assert_eq!(secret["type"], "kubernetes.io/basic-auth");
    assert!(secret["data"]["username"].is_string());
    let policy = project.get("networkpolicy/allow-operator-app-postgresql");
    assert_eq!(
        policy["spec"]["podSelector"]["matchLabels"]["cnpg.io/cluster"],
        "app-postgresql"
    );
    assert!(policy["spec"]["egress"][0]["to"][0]["ipBlock"]["cidr"].is_string());

    says(
        &namespace,
        "tenants.minio.min.io/app-minio",
        &json!({"currentState": "Initialized", "availableReplicas": 1, "syncVersion": "", "pools": [], "certificates": {}, "revision": 0}),
    );
    apply(
        &json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "app-mongodb-admin-app", "namespace": namespace},
        "stringData": {"connectionString.standard": "mongodb://made-by-the-operator"}}),
    );
    says(
        &namespace,
        "mongodbcommunity.mongodbcommunity.mongodb.com/app-mongodb",
        &json!({"phase": "Running", "mongoUri": "", "currentStatefulSetReplicas": 1, "currentMongoDBMembers": 1}),
    );
    let done = json!({"version": "7.0.14", "members": 1}).to_string();
    kubectl(&[
        "-n",
        &namespace,
        "annotate",
        "mongodbcommunity.mongodbcommunity.mongodb.com/app-mongodb",
        &format!("mongodb.com/v1.lastSuccessfulConfiguration={done}"),
    ]);
    assert!(!there("deployment/app"), "the application did not wait");
    healthy(&namespace);
    let ran = ended(up).ok().json();
    for database in ["postgresql", "mongodb", "minio"] {
        assert!(ran["components"][database].is_number(), "{ran:#}");
    }
    let env = project.page_json("/env");
    let url = env["DATABASE_URL"].as_str().expect("a URL");
    assert!(url.contains("@app-postgresql-rw:5432/app"), "{url}");
    assert_eq!(env["MONGODB_URL"], "mongodb://made-by-the-operator");
    assert_eq!(env["S3_ENDPOINT"], "http://app-minio-hl:9000");

    let again = project.up(&["-o", "json"]).json();
    assert_eq!(again["changed"], false, "{again:#}");
    assert_eq!(again["requests"]["writes"], 0, "{again:#}");
    let status = project
        .run(&["status", "--pr", "1", "-o", "json"])
        .ok()
        .json();
    let components = status["components"].as_array().expect("components");
    let up = |name: &str| {
        components
            .iter()
            .any(|c| c["name"] == name && c["up"] == true)
    };
    assert!(
        up("postgresql") && up("mongodb") && up("minio"),
        "{status:#}"
    );
    let gone = project
        .run(&["down", "--pr", "1", "-o", "json"])
        .ok()
        .json();
    assert_eq!(gone["removed"]["Tenant"], 1, "{gone:#}");
}

fn names_a_failing_pod_with_its_database() {
    let mut project =
        Project::new("app:\n  port: 8080\ndatabases:\n  postgresql: {mode: operator}\n");
    let namespace = project.namespace(1);
    let up = started(&mut project, &[]);
    says(
        &namespace,
        "clusters.postgresql.cnpg.io/app-postgresql",
        &json!({"phase": "Setting up primary"}),
    );
    apply(&json!({"apiVersion": "v1", "kind": "Pod",
    "metadata": {"name": "app-postgresql-1", "namespace": namespace, "labels": {"cnpg.io/cluster": "app-postgresql"}},
    "spec": {
        "securityContext": {"runAsNonRoot": true, "runAsUser": 26, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [{"name": "postgres", "image": "registry.test/nothing:1",
            "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}}}],
    }}));
    ended(up)
        .exit(6)
        .says(&["postgresql", "registry.test/nothing:1", "k8s-ee.yaml:"]);
    let status = project.run(&["status", "--pr", "1"]).ok();
    assert!(
        status.stdout.contains("registry.test/nothing:1"),
        "{}",
        status.stdout
    );
}

/// A namespace as the platform before this one left it, with PostgreSQL in it.
fn old_namespace(project: &Project) {
    let namespace = project.namespace(1);
    apply(
        &json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {
            "name": namespace,
            "labels": {
                "app.kubernetes.io/managed-by": "github-actions", "k8s-ee/type": "ephemeral",
                "k8s-ee/project-id": project.id, "k8s-ee/pr-number": "1",
            },
            "annotations": {"k8s-ee/created-at": "2025-12-01T10:00:00Z"},
        }}),
    );
    let helm =
        json!({"meta.helm.sh/release-name": "app", "meta.helm.sh/release-namespace": namespace});
    let labels =
        json!({"app.kubernetes.io/managed-by": "Helm", "app.kubernetes.io/instance": "app"});
    apply(
        &json!({"apiVersion": "postgresql.cnpg.io/v1", "kind": "Cluster",
        "metadata": {"name": "app-postgresql", "namespace": namespace, "labels": labels, "annotations": helm},
        "spec": {
            "instances": 1, "imageName": "ghcr.io/cloudnative-pg/postgresql:16", "storage": {"size": "1Gi"},
            "bootstrap": {"initdb": {"database": "app", "owner": "app"}},
        }}),
    );
    apply(
        &json!({"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/basic-auth",
        "metadata": {"name": "app-postgresql-app", "namespace": namespace},
        "stringData": {
            "uri": "postgresql://app:old@app-postgresql-rw:5432/app", "host": "app-postgresql-rw", "port": "5432",
            "dbname": "app", "user": "app", "username": "app", "password": "old",
        }}),
    );
    // As the MinIO operator does it: with the labels and annotations of what it was made for.
    let cluster = kubectl_json(&[
        "-n",
        &namespace,
        "get",
        "clusters.postgresql.cnpg.io/app-postgresql",
    ]);
    let pod = json!({"app": "made-by-an-operator"});
    apply(&json!({"apiVersion": "apps/v1", "kind": "StatefulSet",
    "metadata": {
        "name": "made-by-an-operator", "namespace": namespace, "labels": labels, "annotations": helm,
        "ownerReferences": [{"apiVersion": "postgresql.cnpg.io/v1", "kind": "Cluster", "name": "app-postgresql",
            "uid": cluster["metadata"]["uid"], "controller": true}],
    },
    "spec": {
        "replicas": 0, "selector": {"matchLabels": pod}, "serviceName": "x",
        "template": {"metadata": {"labels": pod}, "spec": {"containers": [{"name": "x", "image": TESTAPP}]}},
    }}));
    healthy(&namespace);
}

fn adopts_what_the_old_platform_made() {
    let mut project = Project::new("app:\n  port: 8080\ndatabases: {postgresql: true}\n");
    old_namespace(&project);
    let before = project.get("clusters.postgresql.cnpg.io/app-postgresql");
    let plan = project.run(&["plan", "--pr", "1", "--image", TESTAPP]).ok();
    let note = "postgresql stays with CloudNativePG: its data are in the Cluster app-postgresql";
    assert!(plan.stdout.contains(note), "{}", plan.stdout);
    assert!(
        plan.stdout.contains("~ Cluster app-postgresql"),
        "{}",
        plan.stdout
    );
    project.up(&[]).says(&[note]);
    let after = project.get("clusters.postgresql.cnpg.io/app-postgresql");
    assert_eq!(after["metadata"]["uid"], before["metadata"]["uid"]);
    assert_eq!(
        after["metadata"]["labels"]["app.kubernetes.io/managed-by"],
        "k8s-ee"
    );
    let url = project.page_json("/env")["DATABASE_URL"].clone();
    assert_eq!(url, "postgresql://app:old@app-postgresql-rw:5432/app");
    let made = project.get("statefulset/made-by-an-operator");
    assert!(made["metadata"]["deletionTimestamp"].is_null());
    assert!(
        !kubectl(&[
            "-n",
            &project.namespace(1),
            "get",
            "statefulset/app-postgresql"
        ])
        .status
        .success()
    );

    project.write("app:\n  port: 8080\ndatabases:\n  postgresql: {mode: standalone}\n");
    project
        .run(&["up", "--pr", "1", "--image", TESTAPP_2])
        .exit(3)
        .says(&["would be left behind", "k8s-ee.yaml:5:", "k8s-ee down"]);

    project.write("app:\n  port: 8080\n");
    project
        .up(&["--image", TESTAPP_2])
        .says(&["Cluster app-postgresql is not in the file any more"]);
    let kept = project.get("clusters.postgresql.cnpg.io/app-postgresql");
    assert!(kept["metadata"]["deletionTimestamp"].is_null());
    let policies = project.get("networkpolicies").to_string();
    assert!(policies.contains("allow-operator-app-postgresql"));
    project.up(&["--image", TESTAPP_2, "--prune-data"]);
    eventually("the Cluster is removed", || {
        let cluster = "clusters.postgresql.cnpg.io/app-postgresql";
        let found = kubectl(&["-n", &project.namespace(1), "get", cluster]);
        (!found.status.success()).then_some(())
    });
}

fn leaves_no_data_behind() {
    let mut project = Project::new("app:\n  port: 8080\n");
    project.up(&[]);
    apply(&json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data-app-postgresql-0", "namespace": project.namespace(1)},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "100Mi"}}}}));
    project.write("app:\n  port: 8080\ndatabases:\n  postgresql: {mode: operator}\n");
    project
        .run(&["plan", "--pr", "1", "--image", TESTAPP])
        .exit(3)
        .says(&[
            "postgresql cannot change to `mode: operator`",
            "the volume of the StatefulSet app-postgresql",
        ]);
}
