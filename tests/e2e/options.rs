//! Options of databases, asked of the servers themselves, and passwords that follow their Secret.

use serde_json::json;

use crate::harness::{Project, Ran, eventually, kubectl, kubectl_json};

const FILE: &str = r#"app:
  port: 8080
databases:
  postgresql:
    version: "15"
    database: shop
    owner: keeper
    extensions: [pg_trgm, uuid-ossp]
    resources: {requests: {cpu: 50m}, limits: {memory: 300Mi}}
    postgresql:
      parameters: {work_mem: 8MB, search_path: '"$user", public, $(PGDATA)'}
      pg_hba: [host all all 10.9.0.0/16 reject]
    bootstrap:
      initSQL: [CREATE ROLE reporting -- a comment at the end]
      postInitApplicationSQL:
        - CREATE FUNCTION two() RETURNS int AS $$ SELECT 2 $$ LANGUAGE sql
        - |
          CREATE TABLE odd (a text);
          INSERT INTO odd VALUES ('$$ $(HOME) {{ .Values }} \n');
          GRANT ALL ON odd TO keeper;
  redis:
    version: "7.0"
    storage: 1Gi
    config: {maxmemory: 50mb, maxmemoryPolicy: noeviction}
  minio:
    image: minio/minio:DEVELOPMENT.2026-02-12T20-18-48Z
    bucket: uploads
    buckets: [exports, thumb.nails]
  mariadb:
    version: "10.11"
    database: my_shop
    username: keeper
    config: {maxConnections: 33, innodbBufferPoolSize: 32M}
    bootstrap:
      initSQL:
        - CREATE TABLE odd (a text)
        - INSERT INTO odd VALUES ('$$ $(HOME)') -- a comment at the end
"#;

/// A shell script in the container of a database, with the variables that it has.
#[track_caller]
fn ask(project: &Project, database: &str, script: &str) -> Result<String, String> {
    let pod = format!("app-{database}-0");
    let namespace = project.namespace(1);
    let ran = kubectl(&["exec", "-n", &namespace, &pod, "--", "sh", "-c", script]);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if ran.status.success() {
        Ok(text(&ran.stdout))
    } else {
        Err(text(&ran.stderr))
    }
}

/// What a script prints.
#[track_caller]
fn answer(project: &Project, database: &str, script: &str) -> String {
    match ask(project, database, script) {
        Ok(said) => said,
        Err(said) => panic!("{database}: {script}: {said}"),
    }
}

/// A statement as the application, over the network and with this password.
fn psql(password: &str, statement: &str) -> String {
    format!("PGPASSWORD='{password}' psql -X -tA -h 127.0.0.1 -U keeper -d shop -c \"{statement}\"")
}

fn mariadb(password: &str, statement: &str) -> String {
    format!(
        "MYSQL_PWD='{password}' mariadb --no-defaults --skip-ssl -N -h 127.0.0.1 -u keeper my_shop -e \"{statement}\""
    )
}

fn redis(password: &str, command: &str) -> String {
    format!("REDISCLI_AUTH='{password}' redis-cli {command}")
}

fn mc(access: &str, secret: &str, command: &str) -> String {
    format!(
        "export MC_HOST_s=http://{access}:{secret}@127.0.0.1:9000 HOME=/tmp; mc --quiet {command}"
    )
}

/// A value of a Secret.
#[track_caller]
fn secret(project: &Project, name: &str, key: &str) -> String {
    let template = format!("go-template={{{{index .data \"{key}\" | base64decode}}}}");
    let namespace = project.namespace(1);
    let ran = kubectl(&["get", "secret", "-n", &namespace, name, "-o", &template]);
    let (text, said) = (ran.stdout, String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{name}: {said}");
    String::from_utf8(text).expect("the values are text")
}

/// It ended with 0, or the cluster has no images for it, which is said as such.
#[track_caller]
fn with_images(ran: Ran) -> Ran {
    assert!(
        ran.code == 0 || !ran.stderr.contains("image-not-found"),
        "the cluster has not the images of the databases; the sandbox gets them from `cargo xtask sandbox images --all`\n{}",
        ran.stderr
    );
    ran.ok()
}

const UP: [&str; 7] = [
    "up",
    "--pr",
    "1",
    "--image",
    crate::harness::TESTAPP,
    "--timeout",
    "300s",
];

#[test]
fn servers_have_the_options_and_follow_their_secrets() {
    let mut project = Project::new(FILE);
    with_images(project.run(&UP));
    let old = [
        secret(&project, "app-postgresql-app", "password"),
        secret(&project, "app-mariadb-secret", "user-password"),
        secret(&project, "app-redis-secret", "password"),
        secret(&project, "app-minio-secret", "accesskey"),
        secret(&project, "app-minio-secret", "secretkey"),
    ];
    postgresql(&project, &old[0]);
    let odd = answer(&project, "mariadb", &mariadb(&old[1], "SELECT a FROM odd"));
    assert_eq!(odd, "$$ $(HOME)");
    let settings = mariadb(
        &old[1],
        "SELECT @@max_connections, @@innodb_buffer_pool_size",
    );
    assert_eq!(answer(&project, "mariadb", &settings), "33\t33554432");
    let config = answer(&project, "redis", &redis(&old[2], "config get maxmemory"));
    assert_eq!(config, "maxmemory\n52428800");
    let policy = redis(&old[2], "config get maxmemory-policy");
    assert!(answer(&project, "redis", &policy).ends_with("noeviction"));
    let buckets = answer(&project, "minio", &mc(&old[3], &old[4], "ls s"));
    for bucket in ["uploads/", "exports/", "thumb.nails/"] {
        assert!(buckets.contains(bucket), "{buckets}");
    }

    // Something to find again.
    answer(
        &project,
        "postgresql",
        &psql(&old[0], "CREATE TABLE kept ()"),
    );
    answer(
        &project,
        "mariadb",
        &mariadb(&old[1], "CREATE TABLE kept (a INT)"),
    );
    answer(&project, "redis", &redis(&old[2], "set kept 1"));
    answer(
        &project,
        "minio",
        &("echo kept > /tmp/kept; ".to_owned() + &mc(&old[3], &old[4], "cp /tmp/kept s/uploads/")),
    );

    renew(
        &project,
        "postgresql",
        "app-postgresql-app",
        &json!({"password": "it's \"new\""}),
    );
    renew(
        &project,
        "mariadb",
        "app-mariadb-secret",
        &json!({"user-password": "new-user", "root-password": "new\\root"}),
    );
    renew(
        &project,
        "redis",
        "app-redis-secret",
        &json!({"password": "new-redis"}),
    );
    renew(
        &project,
        "minio",
        "app-minio-secret",
        &json!({"accesskey": "new-access", "secretkey": "new-secret"}),
    );

    // The password has quotes, so that it is taken from the container's own variable.
    let kept = "PGPASSWORD=$POSTGRES_PASSWORD psql -X -tA -h 127.0.0.1 -U keeper -d shop -c 'SELECT count(*) FROM kept'";
    assert_eq!(answer(&project, "postgresql", kept), "0");
    let refused = ask(&project, "postgresql", &psql(&old[0], "SELECT 1"));
    assert!(refused.is_err_and(|said| said.contains("password authentication failed")));
    let kept = answer(&project, "mariadb", &mariadb("new-user", "SHOW TABLES"));
    assert!(kept.contains("kept"), "{kept}");
    let refused = ask(&project, "mariadb", &mariadb(&old[1], "SELECT 1"));
    assert!(refused.is_err_and(|said| said.contains("Access denied")));
    assert_eq!(
        answer(&project, "redis", &redis("new-redis", "get kept")),
        "1"
    );
    let refused = answer(&project, "redis", &redis(&old[2], "get kept"));
    assert!(refused.contains("NOAUTH"), "{refused}");
    let kept = mc("new-access", "new-secret", "cat s/uploads/kept");
    assert_eq!(answer(&project, "minio", &kept), "kept");
    ask(&project, "minio", &mc(&old[3], &old[4], "ls s")).expect_err("the old keys");

    for (database, passwords) in [("postgresql", &old[0]), ("mariadb", &old[1])] {
        let pod = format!("app-{database}-0");
        let log = kubectl(&["logs", "-n", &project.namespace(1), &pod]);
        let log = String::from_utf8_lossy(&log.stdout).into_owned();
        for password in [passwords.as_str(), "it's", "new-user", "new\\root"] {
            assert!(!log.contains(password), "{database} logs a password");
        }
    }
}

fn postgresql(project: &Project, password: &str) {
    for (statement, expected) in [
        ("SELECT two()", "2"),
        ("SELECT a FROM odd", r"$$ $(HOME) {{ .Values }} \n"),
        ("SHOW work_mem", "8MB"),
        ("SHOW shared_buffers", "128MB"),
        ("SHOW search_path", "\"$user\", public, $(PGDATA)"),
        (
            "SELECT string_agg(extname, ' ' ORDER BY extname) FROM pg_extension",
            "pg_trgm plpgsql uuid-ossp",
        ),
        (
            "SELECT count(*) FROM pg_roles WHERE rolname = 'reporting'",
            "1",
        ),
        (
            "SELECT usesuper FROM pg_user WHERE usename = current_user",
            "f",
        ),
    ] {
        let said = answer(project, "postgresql", &psql(password, statement));
        assert_eq!(said, expected, "{statement}");
    }
    let rules =
        "psql -X -tA -U postgres -c \"SELECT type, address, auth_method FROM pg_hba_file_rules\"";
    assert_eq!(
        answer(project, "postgresql", rules),
        "local||trust\nhost|10.9.0.0|reject\nhost|all|scram-sha-256"
    );
    let set = project.get("statefulset/app-postgresql");
    let container = &set["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(
        container["resources"],
        json!({"requests": {"cpu": "50m", "memory": "256Mi"}, "limits": {"cpu": "500m", "memory": "300Mi"}})
    );
}

/// New values of a Secret, and a new pod of the database that reads them.
#[track_caller]
fn renew(project: &Project, database: &str, name: &str, values: &serde_json::Value) {
    let namespace = project.namespace(1);
    let patch = json!({"stringData": values}).to_string();
    let ran = kubectl(&["patch", "secret", "-n", &namespace, name, "-p", &patch]);
    assert!(ran.status.success(), "{ran:?}");
    let pod = format!("app-{database}-0");
    let before = kubectl_json(&["get", "pod", "-n", &namespace, &pod])["metadata"]["uid"].clone();
    let ran = kubectl(&["delete", "pod", "-n", &namespace, &pod]);
    assert!(ran.status.success(), "{ran:?}");
    eventually(&format!("{pod} is ready with the new password"), || {
        let found = kubectl(&["get", "pod", "-n", &namespace, &pod, "-o", "json"]);
        let now: serde_json::Value = serde_json::from_slice(&found.stdout).ok()?;
        let ready = &now["status"]["containerStatuses"][0]["ready"];
        (now["metadata"]["uid"] != before && ready == true).then_some(())
    });
}

#[test]
fn what_is_renamed_or_added_is_there_after_a_restart() {
    let file = |more: &str| {
        format!("app: {{port: 8080}}\ndatabases:\n  postgresql: {{version: \"15\"{more}}}\n")
    };
    let mut project = Project::new(&file(""));
    with_images(project.run(&UP));
    let own = |statement: &str| {
        format!(
            "PGPASSWORD=$POSTGRES_PASSWORD psql -X -tA -h 127.0.0.1 -U $APP_USER -d $POSTGRES_DB -c \"{statement}\""
        )
    };
    let made = "CREATE TABLE visits (); INSERT INTO visits DEFAULT VALUES";
    answer(&project, "postgresql", &own(made));

    project.write(&file(", owner: keeper, extensions: [pg_trgm]"));
    with_images(project.run(&UP));
    assert_eq!(
        answer(&project, "postgresql", &own("SELECT current_user")),
        "keeper"
    );
    let owned = own("DROP TABLE visits; SELECT 'a' % 'a'");
    assert_eq!(answer(&project, "postgresql", &owned), "DROP TABLE\nt");
}

#[test]
fn a_statement_that_fails_is_the_cause_until_it_is_mended() {
    let file = |statement: &str| {
        format!(
            "app: {{port: 8080}}\ndatabases:\n  postgresql:\n    version: \"15\"\n    bootstrap:\n      postInitApplicationSQL:\n        - CREATE TABLE first ()\n        - {statement}\n"
        )
    };
    let mut project = Project::new(&file("CREATE TABEL second ()"));
    let ran = project.run(&UP);
    assert!(ran.code == 6 || ran.code == 7, "{ran:?}");
    let ran = ran.says(&[
        "database-bootstrap",
        "`bootstrap.postInitApplicationSQL` fails: syntax error at or near \"TABEL\"",
        "k8s-ee.yaml:7",
    ]);
    assert!(!ran.stderr.contains("image-not-found"), "{}", ran.stderr);

    // At once, and not when a node reads the ConfigMap again.
    project.write(&file("CREATE TABLE second ()"));
    with_images(project.run(&UP));
    let tables = "psql -X -tA -U postgres -d app -c \"SELECT count(*) FROM pg_tables WHERE schemaname = 'public'\"";
    assert_eq!(answer(&project, "postgresql", tables), "2");

    // A database that is prepared has no use for another one, and is not restarted for it.
    let pod = project.uid("pod/app-postgresql-0");
    project.write(&file("CREATE TABLE third ()"));
    let ran = with_images(project.run(&UP));
    ran.says(&[
        "note: `bootstrap` of postgresql has changed; it ran when the volume was first used",
    ]);
    assert_eq!(project.uid("pod/app-postgresql-0"), pod);
    assert_eq!(answer(&project, "postgresql", tables), "2");
    let again = project.run(&[&UP[..], &["-o", "json"]].concat()).ok();
    assert_eq!(again.json()["requests"]["writes"], 0);
}

#[test]
fn the_platform_names_image_and_storage_class() {
    let classes = kubectl_json(&["get", "storageclasses"]);
    let is_default = |class: &&serde_json::Value| {
        class["metadata"]["annotations"]["storageclass.kubernetes.io/is-default-class"] == "true"
    };
    let mut classes = classes["items"].as_array().expect("a list").iter();
    let class = classes
        .find(is_default)
        .and_then(|class| class["metadata"]["name"].as_str())
        .expect("the cluster has a default storage class")
        .to_owned();
    let mut project =
        Project::new("app: {port: 8080}\ndatabases: {redis: {version: \"7.0\", storage: 1Gi}}\n");
    project.platform(&format!(
        "databases:\n  redis: {{image: \"docker.io/library/redis:{{version}}\", storageClass: {class}}}\n"
    ));
    with_images(project.run(&UP));
    let set = project.get("statefulset/app-redis");
    let image = &set["spec"]["template"]["spec"]["containers"][0]["image"];
    assert_eq!(image, "docker.io/library/redis:7.0");
    let claim = project.get("persistentvolumeclaim/data-app-redis-0");
    assert_eq!(claim["spec"]["storageClassName"], class);
}
