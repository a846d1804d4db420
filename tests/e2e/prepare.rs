//! Databases before there is an image, and beside what runs.

use serde_json::json;

use crate::{
    databases::{MARIADB, REDIS, file, of},
    harness::{Project, Ran, TESTAPP, TESTAPP_2, apply, eventually, kubectl, kubectl_json},
};

const OBJECTS: &str = "statefulset,service,configmap,secret,persistentvolumeclaim";

#[test]
fn up_finds_the_databases_as_it_would_have_made_them() {
    let mut project = Project::new(&file(&format!("{REDIS}{MARIADB}")));
    let made_from = ["--commit", "aaaaaaa", "--branch", "main"];
    let prepare = [&["prepare", "--pr", "1", "-o", "json"], &made_from[..]].concat();
    let prepared = project.run(&prepare).with_databases().json();
    assert_eq!(prepared["state"], "prepared");
    assert!(prepared["components"]["redis"].is_number(), "{prepared:#}");
    assert!(!project.has("deployment/app"));
    let status = project.run(&["status", "--pr", "1", "-o", "json"]).ok();
    assert_eq!(status.json()["state"], "prepared");
    let again = project.run(&prepare).ok().json();
    assert_eq!(again["requests"]["writes"], 0, "{again:#}");

    // The quota is that of the whole file from the beginning, so `up` has only the services to make.
    let databases = of(&["redis", "mariadb"]);
    let written = project.writes(OBJECTS, &databases);
    let quota = project.writes("resourcequota", |_| true);
    let pods = ["pod/app-redis-0", "pod/app-mariadb-0"].map(|pod| project.uid(pod));
    let up = [
        &["up", "--pr", "1", "--image", TESTAPP, "-o", "json"],
        &made_from[..],
    ]
    .concat();
    let plan = [
        &["plan", "--pr", "1", "--image", TESTAPP, "-o", "json"],
        &made_from[..],
    ]
    .concat();
    let plan = project.run(&plan).ok().json();
    let first = plan["waves"][0].as_array().expect("a wave of databases");
    let actions = first
        .iter()
        .flat_map(|c| c["objects"].as_array().cloned().unwrap_or_default());
    let changed: Vec<_> = actions.filter(|o| o["action"] != "keep").collect();
    assert!(changed.is_empty(), "{changed:#?}");
    let upped = project.run(&up).ok().json();
    assert_eq!(project.writes(OBJECTS, &databases), written);
    assert_eq!(project.writes("resourcequota", |_| true), quota);
    assert_eq!(
        ["pod/app-redis-0", "pod/app-mariadb-0"].map(|pod| project.uid(pod)),
        pods
    );
    let seconds = |name: &str| upped["components"][name].as_f64().expect("seconds");
    assert!(
        seconds("redis").max(seconds("mariadb")) < seconds("app"),
        "{upped:#}"
    );
    assert!(
        seconds("redis").max(seconds("mariadb")) < 2.0,
        "the databases were waited for: {upped:#}"
    );
    let status = project.run(&["status", "--pr", "1", "-o", "json"]).ok();
    assert_eq!(status.json()["state"], "running");

    // And beside what runs it is harmless.
    let beside = project.run(&prepare).ok().json();
    assert_eq!(beside["changed"], false);
    assert_eq!(beside["requests"]["writes"], 0, "{beside:#}");
    let status = project.run(&["status", "--pr", "1", "-o", "json"]).ok();
    assert_eq!(status.json()["state"], "running");
}

#[test]
fn services_that_run_are_left_alone() {
    let mut project = Project::new("app:\n  port: 8080\nenv: {GREETING: old}\n");
    project.up(&["--commit", "aaaaaaa"]);
    let services = || {
        project.writes(
            "deployment,service,ingress,configmap,networkpolicy",
            |object| object["metadata"]["labels"]["k8s-ee/component"] != "redis",
        )
    };
    let before = services();
    let pods = project.get("pods")["items"][0]["metadata"]["uid"].clone();
    project.write(&format!(
        "app:\n  port: 9090\nenv: {{GREETING: new}}\ndatabases:\n{REDIS}"
    ));
    let prepare = ["prepare", "--pr", "1", "--commit", "bbbbbbb", "-o", "json"];
    let ran = Ran::of(
        project
            .command(&prepare)
            .output()
            .expect("the binary starts"),
        &prepare,
    );
    assert_eq!(ran.with_databases().json()["changed"], true);
    assert!(project.has("statefulset/app-redis"));
    assert_eq!(services(), before);
    assert_eq!(project.page_json("/env")["GREETING"], "old");
    let namespace = kubectl_json(&["get", "namespace", &project.namespace(1)]);
    assert_eq!(
        namespace["metadata"]["labels"]["k8s-ee/commit-sha"],
        "aaaaaaa"
    );
    assert_eq!(
        namespace["metadata"]["annotations"]["k8s-ee/state"],
        "running"
    );
    let again = Ran::of(
        project
            .command(&prepare)
            .output()
            .expect("the binary starts"),
        &prepare,
    );
    let again = again.ok().json();
    assert_eq!(again["requests"]["writes"], 0, "{again:#}");
    let still = project.get("pods")["items"].as_array().cloned();
    assert!(
        still
            .into_iter()
            .flatten()
            .any(|pod| pod["metadata"]["uid"] == pods),
        "the service's pod was replaced"
    );
}

#[test]
fn a_database_that_fails_is_named_with_its_cause() {
    let mut project = Project::new(&file("  redis: {version: 0.0.1}\n"));
    project.run(&["prepare", "--pr", "1"]).exit(6).says(&[
        "error[image-not-found]",
        "redis",
        "0.0.1",
        "hint:",
    ]);
    let status = project.run(&["status", "--pr", "1", "-o", "json"]).ok();
    assert_eq!(status.json()["state"], "failed");
    project.write(&file(REDIS));
    project.run(&["prepare", "--pr", "1"]).ok();
}

#[test]
fn an_up_takes_over_and_prepare_ends_well() {
    // A volume of a class that nobody provides, so that it goes on until somebody else comes.
    let class = format!("k8s-ee-e2e-none-{}", std::process::id());
    apply(
        &json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": class},
        "provisioner": "example.com/nobody", "volumeBindingMode": "WaitForFirstConsumer"}),
    );
    let waiting = file(&format!(
        "  redis: {{version: \"7.0\", storage: {{size: 1Gi, storageClass: {class}}}}}\n"
    ));
    let prepare = |commit| {
        [
            "prepare",
            "--pr",
            "1",
            "--commit",
            commit,
            "--timeout",
            "3m",
        ]
    };
    let ended = |child: std::process::Child| {
        Ran::of(child.wait_with_output().expect("it ends"), &["prepare"])
    };

    let mut project = Project::new(&waiting);
    let older = project.start(&prepare("aaaaaaa"));
    eventually("the older one is at work", || {
        project.has("statefulset/app-redis").then_some(())
    });
    // One of another commit supersedes it, as an `up` would.
    let newer = project.start(&prepare("bbbbbbb"));
    ended(older)
        .exit(9)
        .says(&["a `prepare` of commit bbbbbbb has taken over"]);
    // The `up` that it was made for goes on with what it has begun.
    project.write(&file(REDIS));
    let up = [
        "up", "--pr", "1", "--image", TESTAPP_2, "--commit", "bbbbbbb",
    ];
    project.run(&up).with_databases();
    ended(newer)
        .ok()
        .says(&["is left to the `up` of commit bbbbbbb"]);
    project.answers("COMMIT_SHA", "bbbbbbb");
    project.redis("PING");
    kubectl(&["delete", "storageclass", &class]);
}

#[test]
fn nobody_need_wait_and_a_killed_one_is_finished_by_the_next() {
    let mut project = Project::new(&file(REDIS));
    let started = project.run(&["prepare", "--pr", "1", "--wait=false", "-o", "json"]);
    assert_eq!(started.ok().json()["state"], "started");
    let status = project.run(&["status", "--pr", "1", "-o", "json"]).ok();
    assert_eq!(status.json()["state"], "preparing");
    project.run(&["prepare", "--pr", "1"]).with_databases();
    project.run(&["down", "--pr", "1"]).ok();
    for round in 0..8_u64 {
        let mut child = project.start(&["prepare", "--pr", "1"]);
        std::thread::sleep(std::time::Duration::from_millis((round * 7919) % 1500));
        // It may have ended by itself; both are fine.
        drop(child.kill());
        child.wait().expect("it ends");
    }
    project.run(&["prepare", "--pr", "1"]).with_databases();
    project.up(&[]);
    let again = project.up(&["-o", "json"]).json();
    assert_eq!(again["requests"]["writes"], 0, "{again:#}");
}
