//! Environments of forks, with real connections and real Secrets beside them; and which repositories may have any.

use serde_json::{Value, json};

use crate::harness::{Project, Ran, TESTAPP, apply, eventually, kubectl, kubectl_json};

/// An address on the internet, as far as the tests' cluster is concerned.
const INTERNET: (&str, u16) = ("203.0.113.10", 80);

fn reaches(project: &Project, (host, port): (&str, u16)) -> bool {
    let answer = project.page_json(&format!("/connect?host={host}&port={port}&timeout_ms=1500"));
    answer["ok"] == true
}

/// The network takes a policy up a moment after it was changed.
fn becomes(project: &Project, place: (&str, u16), reached: bool) {
    eventually(&format!("{place:?} reached: {reached}"), || {
        (reaches(project, place) == reached).then_some(())
    });
}

fn image(service: &str) -> String {
    format!("{service}={TESTAPP}")
}

#[test]
fn a_fork_has_nothing_to_take_and_nowhere_to_go() {
    let file = "services:\n  app:\n    port: 8080\n  api:\n    port: 8080\ndatabases:\n  redis: {version: \"7.0\"}\n";
    let mut project = Project::new(file);
    project.platform("imagePullSecrets: [registry-login]\n");
    let (app, api) = (image("app"), image("api"));
    let up = ["up", "--pr", "1", "--image", &app, "--image", &api];
    let as_fork = [&up[..], &["--profile", "fork"]].concat();
    let said = project.run(&as_fork).with_databases();
    said.says(&["profile fork: no Secrets but its own, its pods reach nothing outside but DNS"]);

    let namespace = project.namespace(1);
    assert!(!reaches(&project, INTERNET), "the internet");
    assert!(reaches(&project, ("api", 80)), "its own service");
    assert!(reaches(&project, ("app-redis", 6379)), "its own database");
    let resolved = project.page_json("/resolve?name=api");
    assert_eq!(resolved["ok"], true, "DNS: {resolved}");
    let labels = &kubectl_json(&["get", "namespace", &namespace])["metadata"]["labels"];
    assert_eq!(labels["k8s-ee/profile"], "fork");

    // Somebody has put Secrets beside it: none gets into a pod of a fork, and none pulls its images.
    for (name, kind) in [
        ("production-keys", "Opaque"),
        ("registry-login", "kubernetes.io/dockerconfigjson"),
    ] {
        apply(&json!({"apiVersion": "v1", "kind": "Secret", "type": kind,
            "metadata": {"name": name, "namespace": namespace},
            "stringData": {".dockerconfigjson": "{\"auths\":{}}", "STRIPE_KEY": "sk-live"}}));
    }
    let own = "  app:\n    port: 8080\n";
    let greedy = format!("{own}    envFrom: [{{secretRef: {{name: production-keys}}}}]\n");
    let greedy = file.replace(own, &greedy);
    project.write(&greedy);
    project.run(&as_fork).exit(3).says(&[
        "the environment of a fork gets no Secrets, such as `production-keys` here",
        "k8s-ee.yaml:5:",
    ]);
    assert!(
        project.page_json("/env")["STRIPE_KEY"].is_null(),
        "what was there stays as it was"
    );
    assert_eq!(secrets_of(&project), ["app-redis-secret"]);

    // The same for those who are trusted, so that what was closed is seen to have been open.
    project.run(&up).ok();
    project.answers("STRIPE_KEY", "sk-live");
    becomes(&project, INTERNET, true);
    assert_eq!(
        secrets_of(&project),
        ["app-redis-secret", "production-keys", "registry-login"]
    );

    project.write(file);
    project.run(&as_fork).ok();
    becomes(&project, INTERNET, false);
}

/// The Secrets that the pods of services name, of whichever kind of use.
fn secrets_of(project: &Project) -> Vec<String> {
    fn collect(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                for (key, member) in members {
                    match key.as_str() {
                        "secretRef" | "secretKeyRef" => {
                            found.extend(member["name"].as_str().map(str::to_owned))
                        }
                        "imagePullSecrets" => {
                            let names = member.as_array().into_iter().flatten();
                            found.extend(
                                names.filter_map(|one| one["name"].as_str().map(str::to_owned)),
                            );
                        }
                        "secretName" => found.extend(member.as_str().map(str::to_owned)),
                        _ => collect(member, found),
                    }
                }
            }
            Value::Array(list) => list.iter().for_each(|item| collect(item, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    collect(&project.get("deployments"), &mut found);
    found.sort();
    found.dedup();
    found
}

#[test]
fn a_fork_gets_half_of_what_others_may_use() {
    let mut project = Project::new("app: {port: 8080}\n");
    project.platform("quota: {ceiling: {limits.cpu: 700m}}\n");
    let up = ["up", "--pr", "1", "--image", TESTAPP];
    let refused = project
        .run(&[&up[..], &["--profile", "fork"]].concat())
        .exit(5);
    refused.says(&["allowed 350m"]);
    assert!(!exists(&project), "nothing was written");
    project.run(&up).ok();
}

fn exists(project: &Project) -> bool {
    kubectl(&["get", "namespace", &project.namespace(1)])
        .status
        .success()
}

/// `up` as a workflow of that repository runs it.
fn in_actions(project: &mut Project, repository: &str) -> Ran {
    let event = json!({"inputs": {}});
    std::fs::write(project.path().join("event.json"), event.to_string()).expect("written");
    let args = ["up", "--pr", "1", "--image", TESTAPP, "--profile", "fork"];
    project.run_with(
        &args,
        &[
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_EVENT_NAME", "workflow_dispatch"),
            ("GITHUB_EVENT_PATH", "event.json"),
            ("GITHUB_REPOSITORY", repository),
            ("GITHUB_RUN_ID", "1"),
            ("GITHUB_API_URL", "http://127.0.0.1:9"),
            ("GITHUB_SERVER_URL", "http://127.0.0.1:9"),
        ],
    )
}

/// Whatever list the cluster has, a repository that nobody has heard of is not on it. Whom a list lets in is tried where the
/// cluster is a fake: the settings of a real one are everybody's.
#[test]
fn a_repository_that_the_platform_does_not_name_has_no_environments() {
    let mut project = Project::new("app: {port: 8080}\n");
    let repository = format!("org-{}/shop", project.id);
    let denied = in_actions(&mut project, &repository).exit(14);
    denied.says(&[&format!("{repository} may have no environments")]);
    assert!(!exists(&project), "nothing was written");
}
