//! The quota fits what runs, rollouts included, and what does not fit is refused before anything is written.

use crate::harness::{Project, TESTAPP, TESTAPP_2, kubectl};

#[test]
fn rollouts_are_never_blocked() {
    let file = |cpu: &str, replicas: u32| {
        format!(
            "services:\n  app:\n    port: 8080\n    replicas: {replicas}\n    resources:\n      requests: {{cpu: {cpu}, memory: 64Mi}}\n      limits: {{cpu: 800m, memory: 128Mi}}\n  side:\n    port: 8080\n    image: registry.test/testapp:1\n"
        )
    };
    let mut project = Project::new(&file("100m", 2));
    project.up(&[]);
    let hard = |project: &Project| project.get("resourcequota/pr-quota")["spec"]["hard"].clone();
    let first = hard(&project);
    // New image; then larger; then smaller, with one service less: old and new pods share the quota each time.
    project.up(&["--image", TESTAPP_2]);
    assert_eq!(hard(&project), first);
    project.write(&file("400m", 2));
    project.up(&["--image", TESTAPP]);
    let second = hard(&project);
    assert_ne!(second["requests.cpu"], first["requests.cpu"]);
    project.write("app:\n  port: 8080\n");
    project.up(&["--image", TESTAPP_2]);
    let third = hard(&project);
    assert_ne!(third["requests.cpu"], second["requests.cpu"]);

    // What `quota` says before is what the cluster has after.
    let said = project
        .run_offline(&[
            "quota",
            "--pr",
            "1",
            "-o",
            "json",
            "--platform",
            "platform.yaml",
        ])
        .ok()
        .json();
    let granted = third.as_object().expect("a map");
    for (resource, amount) in said["hard"].as_object().expect("a map") {
        let quantity = |v: &serde_json::Value| {
            v.as_str()
                .and_then(|s| s.parse::<k8s_ee::quantity::Quantity>().ok())
        };
        assert_eq!(quantity(amount), quantity(&granted[resource]), "{resource}");
    }
    let events = project.get("events").to_string();
    assert!(
        !events.contains("exceeded quota"),
        "a rollout was blocked by the quota: {events}"
    );
}

#[test]
fn what_is_over_the_ceiling_is_refused_before_any_write() {
    let mut project = Project::new(
        "services:\n  app:\n    port: 8080\n    replicas: 9\n    resources:\n      limits:\n        cpu: \"1\"\n",
    );
    let ran = project
        .run(&["up", "--pr", "1", "--image", TESTAPP])
        .exit(5);
    let ran = ran.says(&["limits.cpu", "k8s-ee.yaml:", "app", "nothing was changed"]);
    assert!(
        !kubectl(&["get", "namespace", &project.namespace(1)])
            .status
            .success(),
        "{}",
        ran.stderr
    );
    // A single container over the platform's bound is refused likewise, at its line.
    project.write("app:\n  port: 8080\nresources:\n  limits:\n    memory: 3Gi\n");
    project
        .run(&["up", "--pr", "1", "--image", TESTAPP])
        .exit(5)
        .says(&["3Gi", "k8s-ee.yaml:6"]);
    // The platform may allow more.
    project.platform(
        "limits:\n  containerMax: {cpu: \"2\", memory: 4Gi}\n  podMax: {cpu: \"4\", memory: 8Gi}\n",
    );
    let plan = project.run(&["plan", "--pr", "1", "--image", TESTAPP]);
    plan.ok();
    assert!(
        !kubectl(&["get", "namespace", &project.namespace(1)])
            .status
            .success()
    );
}
