//! Broken environments, made for real, and what `doctor --pr` says of them: the first cause must be the one that was
//! brought about.
//!
//! They are recorded into `tests/corpus/diagnosis` with
//! `K8S_EE_RECORD=$PWD/tests/corpus/diagnosis cargo xtask test e2e --filter corpus`; the unit tests replay them without a
//! cluster. Without that variable they are skipped: it takes many minutes, and `causes.rs` has the most common ones.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::{
    causes::own_chart,
    harness::{Project, TESTAPP, apply, eventually, kubectl},
};

/// How an environment is broken.
struct Broken {
    /// The file, after `projectId`.
    file: &'static str,
    /// Options of `up` beside `--pr`.
    args: &'static [&'static str],
    /// What is added to the platform settings.
    platform: &'static str,
    /// Done before `up`.
    before: fn(&Project),
    /// Done after `up`.
    after: fn(&Project),
    /// Whether `up` brings it up, and it breaks afterwards.
    comes_up: bool,
    /// The code of its first cause.
    code: &'static str,
    /// What must stand in the first cause, in any part of it.
    says: &'static [&'static str],
}

const NOTHING: fn(&Project) = |_| {};

const fn broken(file: &'static str, code: &'static str) -> Broken {
    Broken {
        file,
        args: &["--image", TESTAPP, "--timeout", "10s"],
        platform: "",
        before: NOTHING,
        after: NOTHING,
        comes_up: false,
        code,
        says: &[],
    }
}

impl Broken {
    const fn args(mut self, args: &'static [&'static str]) -> Self {
        self.args = args;
        self
    }

    const fn platform(mut self, platform: &'static str) -> Self {
        self.platform = platform;
        self
    }

    const fn before(mut self, before: fn(&Project)) -> Self {
        self.before = before;
        self
    }

    const fn then(mut self, after: fn(&Project)) -> Self {
        self.comes_up = true;
        self.after = after;
        self
    }

    const fn says(mut self, says: &'static [&'static str]) -> Self {
        self.says = says;
        self
    }

    fn run(&self, name: &str) {
        let Some(corpus) = std::env::var_os("K8S_EE_RECORD") else {
            eprintln!("skipped: set K8S_EE_RECORD to the folder that the recording goes to");
            return;
        };
        let mut project = Project::new(self.file);
        project.platform(self.platform);
        (self.before)(&project);
        let args = [
            &["up", "--pr", "1", "--no-rollback", "-o", "json"],
            self.args,
        ]
        .concat();
        let ran = project.run(&args);
        if self.comes_up {
            assert_eq!(ran.code, 0, "it does not come up at all: {ran:?}");
        } else {
            assert!(ran.code == 6 || ran.code == 7, "{ran:?}");
        }
        (self.after)(&project);
        let folder = PathBuf::from(corpus).join(name);
        let record = folder.display().to_string();
        let args = ["doctor", "--pr", "1", "-o", "json", "--record", &record];
        // A busy node takes its time until it shows.
        let cause = eventually(&format!("the cause {}", self.code), || {
            let cause = first(&project.run(&args).json());
            (cause["code"] == self.code).then_some(cause)
        });
        for text in self.says {
            assert!(
                cause.to_string().contains(text),
                "`{text}` is not in {cause:#}"
            );
        }
    }
}

fn first(json: &Value) -> Value {
    json["causes"][0].clone()
}

/// A service of busybox that runs this script, with more of the file below it.
macro_rules! script {
    ($script:expr) => {
        script!($script, "")
    };
    ($script:expr, $more:expr) => {
        concat!(
            "services:\n  app:\n    port: 8080\n    image: busybox:1.35\n    command: [sh, -c]\n    args:\n      - |\n        ",
            $script,
            "\n",
            $more
        )
    };
}

const PLAIN: &str = "app:\n  port: 8080\n";
const BRIEFLY: &[&str] = &["--timeout", "10s"];

macro_rules! cases {
    ($($name:ident: $case:expr;)*) => {
        $(
            #[test]
            fn $name() {
                let case: Broken = $case;
                case.run(&stringify!($name).replace('_', "-"));
            }
        )*
    };
}

fn change(project: &Project, args: &[&str]) {
    let namespace = project.namespace(1);
    let args = [args, &["-n", &namespace]].concat();
    let ran = kubectl(&args);
    assert!(
        ran.status.success(),
        "{args:?}: {}",
        String::from_utf8_lossy(&ran.stderr)
    );
}

/// The namespace before `up`, as somebody else could have made it.
fn make_namespace(project: &Project) {
    apply(
        &json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": project.namespace(1), "labels": {
        "app.kubernetes.io/managed-by": "github-actions", "k8s-ee/type": "ephemeral",
        "k8s-ee/project-id": project.id, "k8s-ee/pr-number": "1"}}}),
    );
}

fn settings(project: &Project, change: impl Fn(&str) -> String) {
    let path = project.path().join("platform.yaml");
    let text = std::fs::read_to_string(&path).expect("written by `new`");
    std::fs::write(path, change(&text)).expect("written");
}

// Images.
cases! {
    image_not_found: broken(PLAIN, "image-not-found").args(&["--image", "registry.test/nothing:1", "--timeout", "10s"]);
    image_tag_not_found: broken(PLAIN, "image-not-found").args(&["--image", "registry.test/testapp:none", "--timeout", "10s"]);
    image_behind_a_login: broken(PLAIN, "image-not-allowed").args(&["--image", "private.test/testapp:2", "--timeout", "10s"]);
}

// Programs that end.
cases! {
    exits_with_a_message: broken("app:\n  port: 8080\nenv: {MODE: exit, EXIT_CODE: \"3\", MESSAGE: cannot find settings.toml}\n", "container-exited").says(&["cannot find settings.toml"]);
    exits_without_an_error: broken(script!("echo migrated 3 tables"), "container-exited").args(BRIEFLY).says(&["migrated 3 tables"]);
    exits_without_a_word: broken(script!("exit 7"), "container-exited").args(BRIEFLY);
    out_of_memory: broken("app:\n  port: 8080\nenv: {MODE: oom}\n", "out-of-memory");
    command_not_found: broken("services:\n  app:\n    port: 8080\n    command: [/no/such/program]\n", "command-not-found");
    command_not_executable: broken("services:\n  app:\n    port: 8080\n    image: busybox:1.35\n    command: [/etc/passwd]\n", "command-not-executable").args(BRIEFLY);
    variable_missing: broken(script!("export PAYMENT_KEY_FILE=/keys; : ${PAYMENT_KEY:?environment variable PAYMENT_KEY is not set}"), "missing-variable").args(BRIEFLY).says(&["PAYMENT_KEY"]);
    address_in_use: broken(script!("httpd -p 8080 -h /tmp; exec httpd -f -p 8080 -h /tmp"), "address-in-use").args(BRIEFLY);
    read_only_root: broken("app:\n  port: 8080\nenv: {MODE: write-root}\n", "read-only-file-system").says(&["writableDirs"]);
    disk_full: broken(script!("dd if=/dev/zero of=/dev/full bs=1k count=1"), "disk-full").args(BRIEFLY);
    module_missing_node: broken(script!("echo \"Error: Cannot find module 'express'\" >&2; echo 'Require stack:' >&2; echo '- /app/server.js' >&2; exit 1"), "missing-module").args(BRIEFLY).says(&["express"]);
    module_missing_python: broken(script!("echo \"ModuleNotFoundError: No module named 'fastapi'\" >&2; exit 1"), "missing-module").args(BRIEFLY).says(&["fastapi"]);
    wrong_architecture: broken(script!("echo 'exec /app/server: exec format error' >&2; exit 255"), "wrong-architecture").args(BRIEFLY);
}

// Ports and probes.
cases! {
    port_closed: broken("app:\n  port: 8080\nenv: {MODE: wrong-port}\n", "port-closed").says(&["8081"]);
    listens_on_localhost: broken("app:\n  port: 8080\nenv: {MODE: localhost}\n", "port-closed").says(&["0.0.0.0"]);
    listens_on_nothing: broken(script!("echo warming up; sleep 600"), "port-closed").args(BRIEFLY);
    health_says_500: broken("app:\n  port: 8080\nenv: {MODE: health-500}\n", "probe-status").says(&["500"]);
    health_path_wrong: broken("app:\n  port: 8080\n  healthPath: /status/404\n", "probe-status").says(&["404", "healthPath"]);
    health_wants_a_login: broken("app:\n  port: 8080\n  healthPath: /status/401\n", "probe-status").says(&["401"]);
    health_hangs: broken("app:\n  port: 8080\nenv: {MODE: health-hang}\n", "probe-timeout").says(&["/health"]);
    starts_slowly: broken("app:\n  port: 8080\nenv: {MODE: slow-start, START_SECONDS: \"600\"}\n", "port-closed");
    speaks_no_http: broken(script!("while true; do echo hello | nc -l -p 8080; done"), "probe-failed").args(BRIEFLY);
}

// What pods need.
cases! {
    secret_missing: broken("app:\n  port: 8080\nenvFrom:\n  - secretRef: {name: payment}\n", "missing-secret").says(&["payment"]);
    config_map_missing: broken("app:\n  port: 8080\nenvFrom:\n  - configMapRef: {name: features}\n", "missing-config-map").says(&["features"]);
    no_node_has_room: broken("app:\n  port: 8080\nresources:\n  requests: {cpu: \"900\"}\n  limits: {cpu: \"900\"}\n", "unschedulable")
        .platform("limits:\n  containerMax: {cpu: \"1000\", memory: 1Gi}\n  podMax: {cpu: \"1000\", memory: 2Gi}\nquota:\n  ceiling: {}\n");
    storage_class_missing: broken("app:\n  port: 8080\ndatabases:\n  postgresql: {version: \"15\", storage: {size: 1Gi, storageClass: fast-ssd}}\n", "volume-pending").says(&["fast-ssd"]);
    quota_of_somebody_else: broken(PLAIN, "quota-exceeded").before(|project| {
        make_namespace(project);
        apply(&json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "tight", "namespace": project.namespace(1)}, "spec": {"hard": {"pods": "0"}}}));
    }).says(&["tight"]);
    limits_of_somebody_else: broken(PLAIN, "limit-range-refused").before(|project| {
        make_namespace(project);
        apply(&json!({"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "tiny", "namespace": project.namespace(1)}, "spec": {"limits": [{"type": "Container", "max": {"memory": "64Mi"}}]}}));
    });
    priority_class_missing: broken(PLAIN, "missing-priority-class").platform("priorityClassName: gold\n").says(&["gold"]);
    service_account_missing: broken(PLAIN, "missing-service-account").args(&["--image", TESTAPP, "--timeout", "10s", "--chart", "chart"]).before(|project| {
        own_chart(project, |text| {
            let with_account = |line: &str| match line.split_once("automountServiceAccountToken:") {
                Some((indent, _)) => format!("{line}\n{indent}serviceAccountName: robot\n"),
                None => format!("{line}\n"),
            };
            text.lines().map(with_account).collect()
        });
    });
    image_runs_as_root: broken(PLAIN, "runs-as-root").args(&["--image", "registry.test/testapp-root:1", "--timeout", "10s", "--chart", "chart"]).before(|project| {
        own_chart(project, |text| text.replace("runAsUser: {{ .uid }}\n", "").replace("runAsGroup: {{ .gid }}\n", ""));
    });
    pod_security_refuses: broken(PLAIN, "admission-refused").args(&["--image", TESTAPP, "--timeout", "10s", "--chart", "chart"]).before(|project| {
        own_chart(project, |text| text.replace("runAsNonRoot: true", "runAsNonRoot: false").replace("runAsUser: {{ .uid }}", "runAsUser: 0"));
    });
    webhook_does_not_answer: broken(PLAIN, "webhook-unavailable").before(|project| {
        make_namespace(project);
        let namespace = project.namespace(1);
        // Only for this namespace, and gone with it: the namespace owns it.
        let own = kubectl(&["get", "namespace", &namespace, "-o", "jsonpath={.metadata.uid}"]);
        let uid = String::from_utf8_lossy(&own.stdout).into_owned();
        apply(&json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": namespace, "ownerReferences": [{"apiVersion": "v1", "kind": "Namespace", "name": namespace, "uid": uid}]},
            "webhooks": [{"name": "policy.example.com", "admissionReviewVersions": ["v1"], "sideEffects": "None", "timeoutSeconds": 2,
                "clientConfig": {"service": {"namespace": namespace, "name": "policy"}},
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
                "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}]}]}));
    });
}

// Databases, and who waits for them.
cases! {
    database_image_missing: broken("services:\n  app:\n    port: 8080\n    dependsOn: [redis]\ndatabases:\n  redis: {image: \"registry.test/nothing:1\"}\n", "image-not-found").says(&["redis"]);
    database_went_down: broken(script!("while nc -w 1 app-redis 6379 </dev/null; do touch /tmp/up; sleep 1; [ -f /tmp/served ] || { touch /tmp/served; httpd -p 8080 -h /tmp; touch /tmp/health; }; done; echo \"Error: connect ECONNREFUSED app-redis:6379\" >&2; exit 1", "    dependsOn: [redis]\ndatabases:\n  redis: {version: \"7.0\"}\n"), "image-not-found").args(&["--timeout", "90s"]).then(|project| {
        change(project, &["set", "image", "statefulset/app-redis", "*=registry.test/nothing:1"]);
    }).says(&["redis"]);
    service_waits_for_another: broken("services:\n  api:\n    port: 8080\n    image: registry.test/testapp:1\n    env: {MODE: exit, EXIT_CODE: \"1\", MESSAGE: no licence}\n  web:\n    port: 8080\n    image: registry.test/testapp:1\n    public: true\n    dependsOn: [api]\n", "container-exited").args(BRIEFLY).says(&["no licence"]);
    looks_for_the_database_on_localhost: broken(script!("nc -w 2 127.0.0.1 6379 </dev/null || { echo 'Error: connect ECONNREFUSED 127.0.0.1:6379' >&2; exit 1; }", "    dependsOn: [redis]\ndatabases:\n  redis: {version: \"7.0\"}\n"), "dependency-address").args(&["--timeout", "60s"]).says(&["app-redis"]);
    database_name_misspelt: broken(script!("nc -w 2 app-rediss 6379 </dev/null || { echo 'Error: getaddrinfo ENOTFOUND app-rediss' >&2; exit 1; }", "    dependsOn: [redis]\ndatabases:\n  redis: {version: \"7.0\"}\n"), "dependency-address").args(&["--timeout", "60s"]).says(&["app-rediss"]);
    database_login_refused: broken(script!("echo 'FATAL: password authentication failed for user \"shop\"' >&2; exit 1", "    dependsOn: [postgresql]\ndatabases:\n  postgresql: {version: \"15\"}\n"), "database-login").args(&["--timeout", "60s"]);
    table_missing: broken(script!("echo 'ERROR: relation \"users\" does not exist at character 15' >&2; exit 1", "    dependsOn: [postgresql]\ndatabases:\n  postgresql: {version: \"15\"}\n"), "database-schema").args(&["--timeout", "60s"]).says(&["users"]);
    right_on_table_missing: broken(script!("echo 'ERROR: permission denied for table users' >&2; exit 1", "    dependsOn: [postgresql]\ndatabases:\n  postgresql: {version: \"15\"}\n"), "database-permission").args(&["--timeout", "60s"]);
    extension_missing: broken(script!("echo 'ERROR: type \"vector\" does not exist at character 40' >&2; exit 1", "    dependsOn: [postgresql]\ndatabases:\n  postgresql: {version: \"15\"}\n"), "database-extension").args(&["--timeout", "60s"]);
    connection_string_unread: broken(script!("echo \"Unhandled exception. System.ArgumentException: Format of the initialization string does not conform to specification starting at index 0.\" >&2; exit 134", "    dependsOn: [postgresql]\ndatabases:\n  postgresql: {version: \"15\"}\n"), "connection-string").args(&["--timeout", "60s"]);
    bootstrap_statement_fails: broken("app: {port: 8080}\ndatabases:\n  postgresql:\n    version: \"15\"\n    bootstrap:\n      postInitApplicationSQL:\n        - CREATE TABEL second ()\n", "database-bootstrap").args(&["--image", TESTAPP, "--timeout", "60s"]).says(&["TABEL"]);
    database_disk_full: broken("app: {port: 8080}\ndatabases:\n  postgresql: {version: \"15\", storage: {size: 100Mi, storageClass: small}}\n", "disk-full").args(&["--image", TESTAPP, "--timeout", "60s"]).then(|project| {
        // The first fills the disk, the others find it full; after a restart the server does.
        let fill = "dd if=/dev/zero of=\"$PGDATA/filler\" bs=1M count=200; sync; kill -9 1";
        drop(kubectl(&["exec", "-n", &project.namespace(1), "app-postgresql-0", "--", "sh", "-c", fill]));
        change(project, &["delete", "pod", "app-postgresql-0", "--grace-period=1"]);
    });
    seed_fails: broken("services:\n  app:\n    port: 8080\nseed:\n  name: data\n  image: registry.test/testapp:1\n  env: {MODE: exit, EXIT_CODE: \"2\", MESSAGE: \"duplicate key value violates unique constraint\"}\n", "seed-failed").args(&["--image", "app=registry.test/testapp:1", "--timeout", "60s"]).says(&["duplicate key"]);
    egress_is_closed: broken(script!("wget -T 3 -O /dev/null http://10.11.12.13/ || { echo 'dial tcp 10.11.12.13:80: i/o timeout' >&2; exit 1; }"), "connection-timed-out").args(BRIEFLY).says(&["10.11.12.13"]);
    host_unknown: broken(script!("echo 'Error: getaddrinfo ENOTFOUND mail.intern' >&2; exit 1"), "dependency-address").args(BRIEFLY).says(&["mail.intern"]);
}

// The URL.
cases! {
    route_is_gone: broken(PLAIN, "url-not-routed").args(&["--image", TESTAPP, "--timeout", "60s"]).then(|project| {
        change(project, &["delete", "ingress", "--all"]);
    });
    nobody_behind_the_url: broken(PLAIN, "url-status").args(&["--image", TESTAPP, "--timeout", "60s"]).then(|project| {
        change(project, &["scale", "deployment/app", "--replicas=0"]);
    });
    url_refuses: broken(PLAIN, "url-unreachable").args(&["--image", TESTAPP, "--timeout", "60s"]).then(|project| {
        let closed = |line: &str| match line.contains("address:") {
            true => "  address: 127.0.0.1:9\n".to_owned(),
            false => format!("{line}\n"),
        };
        settings(project, |text| text.lines().map(closed).collect());
    });
}
