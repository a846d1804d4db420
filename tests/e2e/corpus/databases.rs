//! Databases, who waits for them, and what their real clients say.

use super::{Broken, broken, cases, change, script};
use crate::harness::kubectl;

/// A service with the client of PostgreSQL, beside a real server.
macro_rules! psql {
    ($script:expr) => {
        psql!($script, "postgresql: {version: \"15\"}\n")
    };
    ($script:expr, $database:expr) => {
        script!(
            "docker.io/library/postgres:15",
            $script,
            concat!("    dependsOn: [postgresql]\ndatabases:\n  ", $database)
        )
    };
}

/// A service with the client of Redis, beside a real server.
macro_rules! redis {
    ($script:expr) => {
        script!(
            "docker.io/library/redis:7.0",
            $script,
            "    dependsOn: [redis]\ndatabases:\n  redis: {version: \"7.0\"}\n"
        )
    };
}

cases! {
    database_image_missing: broken("services:\n  app:\n    port: 8080\n    dependsOn: [redis]\ndatabases:\n  redis: {image: \"registry.test/nothing:1\"}\n", &["image-not-found", "dependency-failed"]).says(&["redis"]);
    database_out_of_memory: broken("app: {port: 8080}\ndatabases:\n  postgresql:\n    version: \"15\"\n    resources:\n      requests: {memory: 32Mi}\n      limits: {memory: 32Mi}\n", &["out-of-memory", "dependency-failed"]).says(&["memory: 64Mi"]);
    database_went_down: broken(redis!("while redis-cli -h $REDIS_HOST -a $REDIS_PASSWORD --no-auth-warning ping | grep -q PONG; do if [ ! -f /tmp/up ]; then touch /tmp/up; perl -e 'use IO::Socket::INET; my $s = IO::Socket::INET->new(LocalPort => 8080, Listen => 5, ReuseAddr => 1) or die; while (my $c = $s->accept) { sysread $c, my $b, 4096; print $c \"HTTP/1.0 200 OK\\r\\n\\r\\nok\"; close $c }' & fi; sleep 1; done; exit 1"), &["image-not-found"]).then(|project| {
        change(project, &["set", "image", "statefulset/app-redis", "*=registry.test/nothing:1"]);
    }).says(&["redis"]);
    service_waits_for_another: broken("services:\n  api:\n    port: 8080\n    image: registry.test/testapp:1\n    env: {MODE: exit, EXIT_CODE: \"1\", MESSAGE: no licence}\n  web:\n    port: 8080\n    image: registry.test/testapp:1\n    public: true\n    dependsOn: [api]\n", &["container-exited", "dependency-failed"]).says(&["no licence"]);

    looks_for_the_database_on_localhost: broken(redis!("redis-cli -h 127.0.0.1 ping || exit 1"), &["dependency-address"]).says(&["REDIS_HOST"]);
    database_name_misspelt: broken(redis!("redis-cli -h app-rediss ping || exit 1"), &["dependency-address"]).says(&["app-rediss", "REDIS_HOST"]);
    database_of_docker_compose: broken(psql!("psql -h postgres -U app -c 'SELECT 1'"), &["dependency-address"]).says(&["DATABASE_URL"]);
    redis_password_missing: broken(redis!("redis-cli -h $REDIS_HOST ping; exit 1"), &["database-login"]);
    database_login_refused: broken(psql!("PGPASSWORD=guess psql -c 'SELECT 1'"), &["database-login"]);
    table_missing: broken(psql!("psql -c 'SELECT * FROM users'"), &["database-schema"]).says(&["users"]);
    right_on_table_missing: broken(psql!("psql -c 'SELECT * FROM audit'", "postgresql: {version: \"15\", bootstrap: {postInitApplicationSQL: [\"CREATE TABLE audit (at timestamptz)\"]}}\n"), &["database-permission"]).says(&["audit"]);
    extension_missing: broken(psql!("psql -c 'CREATE EXTENSION vector'"), &["database-extension"]).says(&["vector"]);
    extension_not_made: broken(psql!("psql -c 'SELECT uuid_generate_v4()'"), &["database-extension"]).says(&["extensions: [uuid-ossp]"]);
    extension_for_superusers: broken(psql!("psql -c 'CREATE EXTENSION pg_stat_statements'"), &["database-extension"]).says(&["extensions: [pg_stat_statements]"]);
    connection_string_unread: broken(psql!("echo 'Unhandled exception. System.ArgumentException: Format of the initialization string does not conform to specification starting at index 0.' >&2; exit 134"), &["connection-string"]);
    config_file_beats_the_environment: broken(psql!("echo 'Npgsql.NpgsqlException (0x80004005): Failed to connect to 127.0.0.1:5432' >&2; echo ' ---> System.Net.Sockets.SocketException (111): Connection refused' >&2; exit 134"), &["dependency-address"]).says(&["DATABASE_URL"]);
    bootstrap_statement_fails: broken("app: {port: 8080}\ndatabases:\n  postgresql:\n    version: \"15\"\n    bootstrap:\n      postInitApplicationSQL:\n        - CREATE TABEL second ()\n", &["database-bootstrap", "dependency-failed"]).says(&["TABEL"]);
    database_disk_full: broken("app: {port: 8080}\ndatabases:\n  postgresql: {version: \"15\", storage: {size: 100Mi, storageClass: small}}\n", &["disk-full"]).then(|project| {
        // The first fills the disk, the second lets the server find it full, so that it ends and cannot start again.
        let fill = "head -c 1G /dev/zero > /data/filler; psql -X -q -U postgres -c \"SELECT pg_logical_emit_message(true, 'x', repeat('x', 1000000)) FROM generate_series(1, 300)\"";
        drop(kubectl(&["exec", "-n", &project.namespace(1), "app-postgresql-0", "--", "sh", "-c", fill]));
        change(project, &["delete", "pod", "app-postgresql-0", "--grace-period=0", "--force"]);
    });

    seed_fails: broken("services:\n  app:\n    port: 8080\nseed:\n  name: data\n  image: registry.test/testapp:1\n  env: {MODE: exit, EXIT_CODE: \"2\", MESSAGE: \"duplicate key value violates unique constraint\"}\n", &["seed-failed", "dependency-failed"]).args(&["--image", "app=registry.test/testapp:1"]).says(&["duplicate key"]);
    seed_has_a_wrong_line: broken("services:\n  app:\n    port: 8080\ndatabases:\n  postgresql: {version: \"15\"}\nseed:\n  file: seed.sql\n", &["seed-failed", "dependency-failed"]).args(&["--image", "app=registry.test/testapp:1"]).before(|project| {
        std::fs::write(project.path().join("seed.sql"), "CREATE TABLE users (id int);\nINSERT INTO user VALUES (1);\n").expect("written");
    }).says(&["line 2"]);
    seed_does_not_end: broken("services:\n  app:\n    port: 8080\nseed:\n  name: data\n  image: busybox:1.35\n  command: [sleep, \"600\"]\n  timeout: 5s\n", &["deadline-exceeded", "dependency-failed"]).args(&["--image", "app=registry.test/testapp:1"]).says(&["timeout: 10s"]);
    seed_image_missing: broken("services:\n  app:\n    port: 8080\nseed:\n  name: data\n  image: registry.test/nothing:1\n", &["image-not-found", "dependency-failed"]).args(&["--image", "app=registry.test/testapp:1"]);

    egress_is_closed: broken(script!("echo 'dial tcp 10.11.12.13:80: i/o timeout' >&2; exit 1"), &["connection-timed-out"]).says(&["10.11.12.13"]);
    host_unknown: broken(script!("nc mail.intern 25"), &["dependency-address"]).says(&["mail.intern"]);
    mongodb_not_authorized: broken(script!("echo 'MongoServerError: not authorized on admin to execute command { listDatabases: 1 }' >&2; exit 1"), &["database-login"]);
}
