//! Seeds: run once, in their order, by real clients on real databases.

use std::{fs, process::Command};

use serde_json::Value;

use crate::harness::{Project, Ran, TESTAPP, eventually, kubectl, kubectl_json};

/// A service on port 8080, and more of the file.
fn app_with(more: &str) -> String {
    format!("services:\n  app:\n    port: 8080\n{more}")
}

/// A seed that runs the test application, which prints a message and ends.
fn program(message: &str, exit_code: u8, more: &str) -> String {
    let env = format!("{{MODE: exit, EXIT_CODE: \"{exit_code}\", MESSAGE: {message}}}");
    app_with(&format!(
        "seed:\n  name: data\n  image: {TESTAPP}\n  env: {env}\n{more}"
    ))
}

fn up(project: &mut Project, more: &[&str]) -> Ran {
    let image = format!("app={TESTAPP}");
    let mut args = vec!["up", "--pr", "1", "--image", &image, "-o", "json"];
    args.extend(more);
    project.run(&args)
}

/// When something happened, RFC 3339: as texts, such times compare as times do.
fn time(object: &Value, pointer: &str) -> String {
    let at = object.pointer(pointer).and_then(Value::as_str);
    at.unwrap_or_else(|| panic!("no {pointer} in {object:#}"))
        .to_owned()
}

/// When the pod of a seed ended; its Job is counted later.
fn ended(project: &Project, seed: &str) -> String {
    let pods = kubectl_json(&[
        "get",
        "pods",
        "-n",
        &project.namespace(1),
        "-l",
        &format!("k8s-ee/component={seed}"),
    ]);
    time(
        &pods["items"][0],
        "/status/containerStatuses/0/state/terminated/finishedAt",
    )
}

fn uid(project: &Project, job: &str) -> String {
    time(&project.get(&format!("job/{job}")), "/metadata/uid")
}

/// What the seed printed.
fn log(project: &mut Project, seed: &str) -> String {
    let ran = project.run(&["logs", "--pr", "1", seed]).ok();
    ran.stdout.trim().to_owned()
}

fn state(project: &mut Project, component: &str) -> String {
    let status = project.run(&["status", "--pr", "1", "-o", "json"]).ok();
    let status = status.json();
    let components = status["components"].as_array().expect("a list");
    let found = components.iter().find(|c| c["name"] == component);
    let found = found.unwrap_or_else(|| panic!("no {component} in {status:#}"));
    found["state"].as_str().expect("a text").to_owned()
}

fn write(project: &Project, name: &str, text: &str) {
    let path = project.path().join(name);
    fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("made");
    fs::write(path, text).expect("written");
}

/// What a program in the pod of a database prints.
#[track_caller]
fn ask(project: &Project, pod: &str, script: &str) -> String {
    let namespace = project.namespace(1);
    let output = kubectl(&["exec", "-n", &namespace, pod, "--", "sh", "-c", script]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {stderr}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn psql(project: &Project, query: &str) -> String {
    let script = format!(
        "psql -X -A -t -h /var/run/postgresql -U postgres -d \"$POSTGRES_DB\" -c \"{query}\""
    );
    ask(project, "app-postgresql-0", &script)
}

#[test]
fn a_program_runs_once_before_the_services() {
    let mut project = Project::new(&program("one", 0, ""));
    let first = up(&mut project, &[]).ok().json();
    assert!(first["components"]["data"].is_number(), "{first:#}");
    let ended = ended(&project, "data");
    let started = time(
        &project.get("deployment/app"),
        "/metadata/creationTimestamp",
    );
    assert!(
        ended <= started,
        "the seed ended at {ended}, app began at {started}"
    );
    assert_eq!(log(&mut project, "data"), "one");
    assert_eq!(state(&mut project, "data"), "done");
    // What only the Job needed is gone.
    let maps = project.get("configmaps");
    assert!(!maps.to_string().contains("data-seed-"), "{maps:#}");

    let again = up(&mut project, &[]).ok().json();
    assert_eq!(again["changed"], false, "{again:#}");
    assert_eq!(again["requests"]["writes"], 0, "{again:#}");

    // A change is told, and has no effect.
    project.write(&program("two", 0, ""));
    let plan = project.run(&["plan", "--pr", "1", "--image", &format!("app={TESTAPP}")]);
    let plan = plan.ok();
    let note = "note: the seed data has run already; its change is ignored (rerun: never)";
    assert!(plan.stdout.contains(note), "{}", plan.stdout);
    let ignored = up(&mut project, &[]).ok();
    assert_eq!(ignored.json()["requests"]["writes"], 0, "{ignored:?}");
    assert_eq!(log(&mut project, "data"), "one");

    // Unless it is to run again then.
    let before = uid(&project, "data");
    project.write(&program("two", 0, "  rerun: onChange\n"));
    up(&mut project, &[])
        .ok()
        .says(&["the seed data runs again: it has changed"]);
    assert_ne!(uid(&project, "data"), before);
    assert_eq!(log(&mut project, "data"), "two");
    let again = up(&mut project, &["--commit", "abcdef0"]).ok();
    assert_eq!(log(&mut project, "data"), "two", "{again:?}");

    // It leaves the file.
    project.write(&app_with(""));
    up(&mut project, &[]).ok();
    let left = kubectl(&[
        "get",
        "-n",
        &project.namespace(1),
        "jobs,pods",
        "-l",
        "k8s-ee/component=data",
        "-o",
        "name",
    ]);
    eventually("the pod of the seed goes", || {
        let left = kubectl(&[
            "get",
            "-n",
            &project.namespace(1),
            "pods",
            "-l",
            "k8s-ee/component=data",
            "-o",
            "name",
        ]);
        left.stdout.is_empty().then_some(())
    });
    assert!(
        !String::from_utf8_lossy(&left.stdout).contains("job"),
        "{left:?}"
    );
}

#[test]
fn a_program_that_fails_is_told_with_its_last_lines_and_runs_again() {
    let mut project = Project::new(&program("no-such-column", 3, ""));
    let failed = up(&mut project, &[]).exit(6).json();
    let cause = &failed["causes"][0];
    assert_eq!(cause["code"], "seed-failed", "{failed:#}");
    assert_eq!(cause["component"], "data");
    assert!(
        cause["evidence"].to_string().contains("no-such-column"),
        "{cause:#}"
    );
    assert_eq!(state(&mut project, "data"), "failed");
    let app = kubectl(&["get", "-n", &project.namespace(1), "deployment/app"]);
    assert!(
        !app.status.success(),
        "the service started in spite of its seed"
    );

    project.write(&program("mended", 0, ""));
    up(&mut project, &[])
        .ok()
        .says(&["the seed data runs again: it failed the last time"]);
    assert_eq!(log(&mut project, "data"), "mended");
    assert_eq!(project.page("/health"), "ok\n");
}

#[test]
fn a_failing_seed_of_a_new_version_leaves_the_version_before() {
    let mut project = Project::new(&app_with(""));
    up(&mut project, &["--commit", "aaaaaaa"]).ok();
    project.write(&program("broken", 1, ""));
    up(&mut project, &["--commit", "bbbbbbb"])
        .exit(6)
        .says(&["the version before (commit aaaaaaa) is restored"]);
    project.answers("COMMIT_SHA", "aaaaaaa");

    // A seed that has run stays so, whatever becomes of the version.
    project.write(&program("good", 0, ""));
    up(&mut project, &["--commit", "ccccccc"]).ok();
    let ran = uid(&project, "data");
    let broken = program("good", 0, "").replace(
        "    port: 8080\n",
        "    port: 8080\n    readinessPath: /status/404\n",
    );
    project.write(&broken);
    up(&mut project, &["--commit", "ddddddd", "--timeout", "30s"]).says(&["is restored"]);
    project.answers("COMMIT_SHA", "ccccccc");
    assert_eq!(uid(&project, "data"), ran);
}

#[test]
fn a_seed_after_a_service_holds_up_those_who_name_it() {
    let file = "services:\n  app: {port: 8080}\n  worker: {port: 8080, image: registry.test/testapp:1, dependsOn: [data]}\n\
        seed:\n  name: data\n  service: app\n  command: [/testapp]\n  env: {MODE: exit, EXIT_CODE: \"0\", MESSAGE: \"$(PORT)\"}\n  after: app\n";
    let mut project = Project::new(file);
    up(&mut project, &[]).ok();
    let job = project.get("job/data");
    let begun = |what: &str| time(&project.get(what), "/metadata/creationTimestamp");
    let ready = project.get("deployment/app");
    let conditions = ready["status"]["conditions"].as_array().expect("a list");
    let available = conditions.iter().find(|c| c["type"] == "Available");
    let available = time(available.expect("it is available"), "/lastTransitionTime");
    assert!(available <= begun("job/data"), "{ready:#}");
    assert!(ended(&project, "data") <= begun("deployment/worker"));
    // It has the variables of the service, byte for byte.
    assert_eq!(log(&mut project, "data"), "$(PORT)");
    let container = &job["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["image"], TESTAPP);
}

#[test]
fn a_seed_that_takes_too_long_is_ended() {
    let file = app_with(&format!(
        "seed:\n  image: {TESTAPP}\n  env: {{MODE: deaf}}\n  timeout: 3s\n"
    ));
    let mut project = Project::new(&file);
    let failed = up(&mut project, &[]).exit(6).json();
    let cause = &failed["causes"][0];
    assert_eq!(cause["code"], "deadline-exceeded", "{failed:#}");
    assert_eq!(cause["fix"]["change"], "timeout: 6s", "{cause:#}");
}

#[test]
fn postgresql_reads_sql_in_one_transaction() {
    let file = |seed: &str| {
        app_with(&format!(
            "databases:\n  postgresql: {{version: \"15\"}}\nseed:\n  file: db/seed.sql\n{seed}"
        ))
    };
    let mut project = Project::new(&file(""));
    write(
        &project,
        "db/seed.sql",
        "CREATE TABLE users (name text);\nINSERT INTO users VALUES ('ann');\nINSERT INTO usres VALUES ('bob');\n",
    );
    let failed = up(&mut project, &[]).exit(6).json();
    let cause = &failed["causes"][0];
    assert_eq!(cause["code"], "seed-failed", "{failed:#}");
    let summary = cause["summary"].as_str().unwrap_or_default();
    assert!(
        summary.contains(r#"relation "usres" does not exist (db/seed.sql, line 3)"#),
        "{summary}"
    );
    assert_eq!(
        psql(&project, "SELECT to_regclass('users')"),
        "",
        "half of it is there"
    );

    write(
        &project,
        "db/seed.sql",
        "CREATE TABLE users (name text);\nINSERT INTO users VALUES ('ann'), ($$it's \"bob\"$$), ('Zoë 🚀');\n",
    );
    up(&mut project, &[]).ok();
    let names = psql(
        &project,
        "SELECT string_agg(name, '|' ORDER BY name) FROM users",
    );
    assert_eq!(names, "Zoë 🚀|ann|it's \"bob\"");
    // The application's user owns what its seed has made.
    assert_eq!(
        psql(
            &project,
            "SELECT tableowner FROM pg_tables WHERE tablename = 'users'"
        ),
        "app"
    );
    let (job, set) = (
        project.get("job/seed"),
        project.get("statefulset/app-postgresql"),
    );
    assert!(time(&set, "/metadata/creationTimestamp") < time(&job, "/metadata/creationTimestamp"));
    let again = up(&mut project, &[]).ok().json();
    assert_eq!(again["requests"]["writes"], 0, "{again:#}");

    // A volume that is new has to be seeded again.
    let namespace = project.namespace(1);
    for what in ["statefulset/app-postgresql", "pvc/data-app-postgresql-0"] {
        let gone = kubectl(&[
            "delete",
            "-n",
            &namespace,
            what,
            "--wait=true",
            "--ignore-not-found",
        ]);
        assert!(gone.status.success(), "{gone:?}");
    }
    up(&mut project, &[])
        .ok()
        .says(&["the seed seed runs again: the data of postgresql are newer than its last run"]);
    assert_eq!(psql(&project, "SELECT count(*) FROM users"), "3");
    let again = up(&mut project, &[]).ok().json();
    assert_eq!(again["requests"]["writes"], 0, "{again:#}");

    // A change that is to be run, of data that are there.
    project.write(&file("  rerun: onChange\n"));
    write(
        &project,
        "db/seed.sql",
        "INSERT INTO users VALUES ('cid');\n",
    );
    up(&mut project, &[]).ok();
    assert_eq!(psql(&project, "SELECT count(*) FROM users"), "4");
}

#[test]
fn up_that_is_killed_while_a_seed_runs_finds_it_again() {
    let mut project = Project::new(&app_with(
        "databases:\n  postgresql: {version: \"15\"}\nseed:\n  file: seed.sql\n",
    ));
    write(
        &project,
        "seed.sql",
        "CREATE TABLE runs (id serial);\nSELECT pg_sleep(8);\nINSERT INTO runs DEFAULT VALUES;\n",
    );
    let image = format!("app={TESTAPP}");
    let mut killed = project.start(&["up", "--pr", "1", "--image", &image]);
    let namespace = project.namespace(1);
    eventually("the seed runs", || {
        let pods = kubectl_json(&[
            "get",
            "-n",
            &namespace,
            "pods",
            "-l",
            "k8s-ee/component=seed",
        ]);
        (pods["items"][0]["status"]["phase"] == "Running").then_some(())
    });
    killed.kill().expect("it is ours");
    killed.wait().expect("it ends");
    let ran = uid(&project, "seed");
    up(&mut project, &[]).ok();
    assert_eq!(uid(&project, "seed"), ran, "it was started anew");
    assert_eq!(psql(&project, "SELECT count(*) FROM runs"), "1");
    let maps = project.get("configmaps");
    assert!(!maps.to_string().contains("seed-seed-"), "{maps:#}");
    let again = up(&mut project, &[]).ok().json();
    assert_eq!(again["requests"]["writes"], 0, "{again:#}");
}

#[test]
fn mariadb_and_redis_read_their_files() {
    let mut project = Project::new(&app_with(
        "databases:\n  mariadb: {version: \"10.11\"}\n  redis: {version: \"7.0\"}\n\
         seed:\n  - {name: tables, file: db/tables.sql.gz}\n  - {name: rows, file: db/rows.sql}\n  - {name: cache, file: db/cache.redis}\n",
    ));
    write(
        &project,
        "db/tables.sql",
        "CREATE TABLE words (word varchar(20) PRIMARY KEY) CHARACTER SET utf8mb4;\n",
    );
    let gzip = Command::new("gzip")
        .arg(project.path().join("db/tables.sql"))
        .status();
    assert!(gzip.expect("gzip starts").success());
    write(
        &project,
        "db/rows.sql",
        "INSERT INTO words VALUES ('grüße');\nINSERT INTO words VALUES ('tee')",
    );
    write(
        &project,
        "db/cache.redis",
        "# what the front page shows\nSET title \"two words\"\n\nHSET cart tee 2\nINCR title\n",
    );
    let failed = up(&mut project, &[]).exit(6).json();
    let cause = &failed["causes"][0];
    assert_eq!(
        (&cause["code"], &cause["component"]),
        (&"seed-failed".into(), &"cache".into()),
        "{failed:#}"
    );
    let summary = cause["summary"].to_string();
    assert!(summary.contains("ERR value is not an integer"), "{summary}");

    write(
        &project,
        "db/cache.redis",
        "# what the front page shows\nSET title \"two words\"\n\nHSET cart tee 2\n",
    );
    up(&mut project, &[]).ok();
    let query = "MYSQL_PWD=\"$MARIADB_PASSWORD\" mariadb --no-defaults --skip-ssl --default-character-set=utf8mb4 -N -h 127.0.0.1 -u \"$MARIADB_USER\" \"$MARIADB_DATABASE\" -e 'SELECT word FROM words'";
    assert_eq!(ask(&project, "app-mariadb-0", query), "grüße\ntee");
    assert_eq!(
        ask(
            &project,
            "app-redis-0",
            "redis-cli get title; redis-cli hget cart tee"
        ),
        "two words\n2"
    );
    // Those of one database run in their order.
    let (tables, rows) = (project.get("job/tables"), project.get("job/rows"));
    assert!(time(&tables, "/status/completionTime") <= time(&rows, "/metadata/creationTimestamp"));

    // A first half that fails is taken back, as far as it only writes rows.
    write(
        &project,
        "db/rows.sql",
        "INSERT INTO words VALUES ('milch');\nINSERT INTO words VALUES ('tee');\n",
    );
    project.write(&app_with(
        "databases:\n  mariadb: {version: \"10.11\"}\n  redis: {version: \"7.0\"}\n\
         seed:\n  - {name: tables, file: db/tables.sql.gz}\n  - {name: rows, file: db/rows.sql, rerun: onChange}\n",
    ));
    let failed = up(&mut project, &["--no-rollback"]).exit(6).json();
    let summary = failed["causes"][0]["summary"].to_string();
    assert!(
        summary.contains("Duplicate entry 'tee'") && summary.contains("db/rows.sql, line 2"),
        "{summary}"
    );
    assert_eq!(ask(&project, "app-mariadb-0", query), "grüße\ntee");
}

#[test]
fn minio_and_mongodb_read_their_files() {
    let file = |script: &str| {
        app_with(&format!(
            "databases:\n  minio: {{bucket: shop}}\n  mongodb: {{database: shop}}\n\
             seed:\n  - {{name: files, file: db/files.tar.gz}}\n  - {{name: words, file: {script}}}\n"
        ))
    };
    let mut project = Project::new(&file("db/broken.js"));
    project.platform(crate::five::IMAGES);
    write(&project, "files/pictures/tea.txt", "a cup of tea\n");
    write(&project, "files/read me.txt", "grüße\n");
    fs::create_dir_all(project.path().join("db")).expect("made");
    let packed = Command::new("tar")
        .args(["--create", "--gzip", "--file"])
        .arg(project.path().join("db/files.tar.gz"))
        .arg("--directory")
        .arg(project.path().join("files"))
        .arg(".")
        .status();
    assert!(packed.expect("tar starts").success());
    write(
        &project,
        "db/broken.js",
        "db.words.insertOne({_id: 1, word: 'tee'});\ndb.words.insertOne({_id: 1, word: 'kaffee'});\n",
    );
    let failed = up(&mut project, &[]).exit(6).json();
    let cause = &failed["causes"][0];
    assert_eq!(
        (&cause["code"], &cause["component"]),
        (&"seed-failed".into(), &"words".into()),
        "{failed:#}"
    );
    assert!(cause.to_string().contains("E11000"), "{cause:#}");

    write(
        &project,
        "db/words.js",
        "db.words.drop();\ndb.words.insertMany([{word: 'grüße'}, {word: 'tee'}]);\nprint(db.getName());\n",
    );
    project.write(&file("db/words.js"));
    up(&mut project, &[]).ok();
    assert_eq!(log(&mut project, "words"), "shop");
    let words = "mongosh --quiet --norc --nodb --eval \"print(connect('mongodb://app:' + encodeURIComponent(process.env.PASSWORD_0) + \
                 '@127.0.0.1/admin?directConnection=true').getSiblingDB('shop').words.find().toArray().map(({word}) => word).sort().join())\"";
    assert_eq!(ask(&project, "app-mongodb-0", words), "grüße,tee");
    let mc = |command: &str| {
        format!(
            "export MC_HOST_s=http://$MINIO_ROOT_USER:$MINIO_ROOT_PASSWORD@127.0.0.1:9000; mc --config-dir /tmp/mc --quiet {command}"
        )
    };
    let tea = mc("cat s/shop/pictures/tea.txt");
    assert_eq!(ask(&project, "app-minio-0", &tea), "a cup of tea");
    let other = mc("cat 's/shop/read me.txt'");
    assert_eq!(ask(&project, "app-minio-0", &other), "grüße");
    let again = up(&mut project, &[]).ok().json();
    assert_eq!(again["requests"]["writes"], 0, "{again:#}");
}
