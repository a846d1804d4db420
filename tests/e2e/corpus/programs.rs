//! Programs that end. Those that no image of the sandbox has are a shell that prints what they print.

use super::{Broken, CHART, broken, cases, init_container, script};

cases! {
    exits_with_a_message: broken("app:\n  port: 8080\nenv: {MODE: exit, EXIT_CODE: \"3\", MESSAGE: cannot find settings.toml}\n", &["container-exited"]).says(&["cannot find settings.toml"]);
    exits_without_an_error: broken(script!("echo migrated 3 tables"), &["container-exited"]).says(&["migrated 3 tables"]);
    exits_without_a_word: broken(script!("exit 7"), &["container-exited"]);
    out_of_memory: broken("app:\n  port: 8080\nenv: {MODE: oom}\n", &["out-of-memory"]);
    command_not_found: broken("services:\n  app:\n    port: 8080\n    command: [/no/such/program]\n", &["command-not-found"]);
    command_not_executable: broken("services:\n  app:\n    port: 8080\n    image: busybox:1.35\n    command: [/etc/passwd]\n", &["command-not-executable"]);
    shell_finds_no_program: broken(script!("exec gunicorn --bind 0.0.0.0:$PORT shop:app"), &["command-not-found"]).says(&["gunicorn"]);
    variable_missing: broken(script!("export PAYMENT_KEY_FILE=/keys; : ${PAYMENT_KEY:?environment variable PAYMENT_KEY is not set}"), &["missing-variable"]).says(&["PAYMENT_KEY"]);
    variable_of_a_database_missing: broken(script!(": ${DATABASE_URL:?environment variable DATABASE_URL is not set}"), &["missing-variable"]).says(&["databases:\\n  postgresql: true"]);
    address_in_use: broken(script!("httpd -p 8080 -h /tmp; exec httpd -f -p 8080 -h /tmp"), &["address-in-use"]);
    read_only_root: broken("app:\n  port: 8080\nenv: {MODE: write-root}\n", &["read-only-file-system"]).says(&["writableDirs"]);
    permission_denied: broken(script!("docker.io/library/postgres:15", "cat /etc/shadow", ""), &["permission-denied"]).says(&["/etc/shadow"]);
    disk_full: broken(script!("dd if=/dev/zero of=/dev/full bs=1k count=1"), &["disk-full"]);
    module_missing_node: broken(script!("echo \"Error: Cannot find module 'express'\" >&2; echo 'Require stack:' >&2; echo '- /app/server.js' >&2; exit 1"), &["missing-module"]).says(&["express"]);
    module_missing_python: broken(script!("echo \"ModuleNotFoundError: No module named 'fastapi'\" >&2; exit 1"), &["missing-module"]).says(&["fastapi"]);
    class_missing_java: broken(script!("echo 'Error: Could not find or load main class com.acme.Shop' >&2; echo 'Caused by: java.lang.ClassNotFoundException: com.acme.Shop' >&2; exit 1"), &["missing-module"]).says(&["com.acme.Shop"]);
    library_missing: broken(script!("echo '/app/server: error while loading shared libraries: libpq.so.5: cannot open shared object file: No such file or directory' >&2; exit 127"), &["missing-module"]).says(&["libpq.so.5"]);
    file_missing: broken(script!("echo \"Error: ENOENT: no such file or directory, open '/app/config/production.json'\" >&2; exit 1"), &["missing-module"]).says(&["/app/config/production.json"]);
    migrations_missing: broken(script!("echo \"Error: Can't find meta/_journal.json file\" >&2; exit 1"), &["missing-module"]).says(&["_journal.json"]);
    environment_validated: broken(script!("echo 'Error: Environment variable STRIPE_KEY is required but not set' >&2; echo '    at /app/env.js:12:9' >&2; exit 1"), &["missing-variable"]).says(&["STRIPE_KEY"]);
    memory_of_the_runtime_used_up: broken(script!("echo 'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory' >&2; exit 134"), &["out-of-memory"]);
    init_container_fails: broken("app:\n  port: 8080\n", &["container-exited"]).args(CHART).before(|project| {
        init_container(project, "echo 'Error: migration 0007_orders.sql: syntax error at or near \"TABEL\"' >&2; exit 1", "");
    }).says(&["0007_orders.sql"]);
    init_container_out_of_memory: broken("app:\n  port: 8080\n", &["out-of-memory"]).args(CHART).before(|project| {
        init_container(project, "exec tail /dev/zero", "          resources:\n            requests: {cpu: 10m, memory: 32Mi}\n            limits: {cpu: 100m, memory: 32Mi}\n");
    }).says(&["init container prepare"]);
    three_at_once: broken("services:\n  api:\n    port: 8080\n    image: registry.test/testapp:1\n    envFrom:\n      - secretRef: {name: payment}\n  mail:\n    port: 8080\n    image: registry.test/nothing:1\n  web:\n    port: 8080\n    image: registry.test/testapp:1\n    public: true\n    env: {MODE: exit, EXIT_CODE: \"4\", MESSAGE: no licence}\n", &["missing-secret", "image-not-found", "container-exited"]);
}
