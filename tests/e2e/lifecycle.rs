//! From nothing to a URL, on to the next version, and back to nothing.

use std::io::{BufRead as _, BufReader};

use serde_json::json;

use crate::harness::{
    Project, Ran, TESTAPP, TESTAPP_2, apply, eventually, hold, http, kubectl, kubectl_json, let_go,
    root,
};

#[test]
fn hello_answers_at_its_url_and_goes_away() {
    let example =
        std::fs::read_to_string(root().join("examples/hello/k8s-ee.yaml")).expect("the example");
    let without_id: Vec<&str> = example
        .lines()
        .filter(|line| !line.starts_with("projectId:"))
        .collect();
    let mut project = Project::new(&without_id.join("\n"));
    let commit = "0123456789abcdef0123456789abcdef01234567";
    let ran = project.run(&[
        "up",
        "--pr",
        "1",
        "--image",
        "registry.test/hello:1",
        "--commit",
        commit,
        "--branch",
        "feature/x y",
        "--repository",
        "acme/hello",
    ]);
    let ran = ran.ok();
    assert_eq!(ran.stdout.trim(), format!("http://{}", project.host(1)));
    let page = project.page("/");
    assert!(
        page.contains(commit) || page.contains(&commit[..7]),
        "{page}"
    );
    assert_eq!(http("unknown.preview.test", "/").expect("an answer").0, 404);

    let status = project
        .run(&["status", "--pr", "1", "-o", "json"])
        .ok()
        .json();
    assert_eq!(status["version"], 1);
    assert_eq!(status["state"], "running");
    assert_eq!(status["commit"], commit);
    assert_eq!(status["branch"], "feature-x-y");
    assert_eq!(status["components"][0]["name"], "app");
    assert_eq!(status["components"][0]["up"], true);
    let list = project
        .run(&["list", "--project", &project.id.clone(), "-o", "json"])
        .ok()
        .json();
    assert_eq!(
        list["environments"][0]["url"],
        format!("http://{}", project.host(1))
    );
    project.run(&["logs", "--pr", "1"]).ok();

    // Another repository may neither take it over nor remove it.
    project
        .run(&[
            "up",
            "--pr",
            "1",
            "--image",
            TESTAPP,
            "--repository",
            "evil/fork",
        ])
        .exit(8)
        .says(&["belongs to the repository acme/hello", "hint:"]);
    project
        .run(&["down", "--pr", "1", "--repository", "evil/fork"])
        .exit(8);

    let gone = project
        .run(&["down", "--pr", "1", "-o", "json"])
        .ok()
        .json();
    assert_eq!(gone["state"], "gone");
    assert_eq!(gone["removed"]["Deployment"], 1);
    assert!(
        !kubectl(&["get", "namespace", &project.namespace(1)])
            .status
            .success()
    );
    let again = project
        .run(&["down", "--pr", "1", "-o", "json"])
        .ok()
        .json();
    assert_eq!(again["state"], "absent");
    project.run(&["status", "--pr", "1"]).exit(11);
}

#[test]
fn an_unchanged_environment_is_not_written() {
    let mut project = Project::new("app:\n  port: 8080\n");
    let first = project.up(&["-o", "json"]).json();
    assert_eq!(first["changed"], true);
    let namespace = project.namespace(1);
    let versions = || {
        let all = "namespaces,deployments,services,configmaps,ingresses,networkpolicies,resourcequotas,limitranges,serviceaccounts,leases";
        let list = kubectl_json(&[
            "get",
            "-n",
            &namespace,
            all,
            "--field-selector",
            "metadata.name!=kube-root-ca.crt",
        ]);
        let items = list["items"].as_array().cloned().unwrap_or_default();
        // Namespaces are listed from the whole cluster, where other tests are at work; the status of a quota is its
        // controller's.
        let ours = items
            .into_iter()
            .filter(|o| o["kind"] != "Namespace" || o["metadata"]["name"] == namespace.as_str());
        let mut all: Vec<String> = ours
            .map(|o| {
                let fields = o["metadata"]["managedFields"].clone();
                let times: Vec<_> = fields
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter(|f| f["manager"] == "k8s-ee")
                    .map(|f| f["time"].to_string())
                    .collect();
                format!(
                    "{}/{} {} {times:?}",
                    o["kind"], o["metadata"]["name"], o["metadata"]["generation"]
                )
            })
            .collect();
        all.sort();
        all
    };
    let before = versions();
    let again = project.up(&["-o", "json"]).json();
    assert_eq!(again["changed"], false, "{again:#}");
    assert_eq!(again["requests"]["writes"], 0, "{again:#}");
    assert_eq!(versions(), before);
    let plan = project
        .run(&["plan", "--pr", "1", "--image", TESTAPP, "-o", "json"])
        .ok()
        .json();
    assert_eq!(plan["changed"], false, "{plan:#}");

    // What somebody changed by hand is put back.
    let scaled = kubectl(&["-n", &namespace, "scale", "deployment/app", "--replicas=2"]);
    assert!(scaled.status.success(), "{scaled:?}");
    let plan = project.run(&["plan", "--pr", "1", "--image", TESTAPP]).ok();
    assert!(
        plan.stdout.contains("spec.replicas: 2 → 1"),
        "{}",
        plan.stdout
    );
    assert_eq!(project.up(&["-o", "json"]).json()["changed"], true);
    assert_eq!(project.get("deployment/app")["spec"]["replicas"], 1);
}

#[test]
fn a_redeploy_loses_no_request_and_prunes_what_left_the_file() {
    let mut project = Project::new(
        "services:\n  app:\n    port: 8080\n  extra:\n    port: 8080\n    image: registry.test/testapp:1\n",
    );
    project.up(&["--image", "app=registry.test/testapp:1"]);
    assert_eq!(project.get("deployment/extra")["metadata"]["name"], "extra");
    project.write("services:\n  app:\n    port: 8080\n    env:\n      NEW: value\n");
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let host = project.host(1);
    let asking = std::thread::spawn(move || {
        let (mut asked, mut lost) = (0, Vec::new());
        while stopped.try_recv().is_err() && asked < 20_000 {
            match http(&host, "/health") {
                Ok((200, _)) => {}
                other => lost.push(format!("{other:?}")),
            }
            asked += 1;
        }
        (asked, lost)
    });
    project.up(&["--image", TESTAPP_2]);
    // The old pod serves until its grace is over: the end of that belongs to the redeploy.
    eventually("the old pod goes", || {
        let pods = project.get("pods");
        (pods["items"].as_array().map(Vec::len) == Some(1)).then_some(())
    });
    stop.send(()).expect("the thread listens");
    let (asked, lost) = asking.join().expect("the thread ends");
    assert!(
        lost.is_empty(),
        "{} of {asked} requests were lost: {:?}",
        lost.len(),
        lost.first()
    );
    assert!(asked > 20, "only {asked} requests were asked");
    project.answers("NEW", "value");
    let pods = kubectl(&[
        "get",
        "-n",
        &project.namespace(1),
        "deployment,service",
        "extra",
        "-o",
        "name",
    ]);
    assert!(
        !pods.status.success(),
        "the service that left the file is still there"
    );
}

#[test]
fn a_newer_up_takes_over() {
    let mut project = Project::new("app:\n  port: 8080\n  readinessPath: /status/500\n");
    let older = project.start(&[
        "up",
        "--pr",
        "1",
        "--image",
        TESTAPP,
        "--commit",
        "aaaaaaa",
        "--timeout",
        "3m",
    ]);
    eventually("the older one has its turn", || {
        let lease = kubectl(&[
            "get",
            "-n",
            &project.namespace(1),
            "deployment/app",
            "-o",
            "name",
        ]);
        lease.status.success().then_some(())
    });
    project.write("app:\n  port: 8080\n");
    project.up(&["--commit", "bbbbbbb"]);
    let older = Ran::of(
        older.wait_with_output().expect("it ends"),
        &["up", "(older)"],
    );
    older.exit(9).says(&["commit bbbbbbb", "taken over"]);
    project.answers("COMMIT_SHA", "bbbbbbb");
}

#[test]
fn a_version_that_fails_is_taken_back() {
    let mut project = Project::new("app:\n  port: 8080\n");
    project.up(&["--commit", "aaaaaaa"]);
    let ran = project.run(&[
        "up",
        "--pr",
        "1",
        "--image",
        "registry.test/nothing:1",
        "--commit",
        "bbbbbbb",
    ]);
    ran.exit(6).says(&[
        "registry.test/nothing:1",
        "the version before (commit aaaaaaa) is restored",
    ]);
    project.answers("COMMIT_SHA", "aaaaaaa");
    let status = project
        .run(&["status", "--pr", "1", "-o", "json"])
        .ok()
        .json();
    assert_eq!(status["state"], "running");
    assert_eq!(status["components"][0]["up"], true);
}

/// Ends what would go on for ever, should the test fail before it does.
struct Following(std::process::Child);

impl Drop for Following {
    fn drop(&mut self) {
        drop(self.0.kill());
    }
}

#[test]
fn logs_are_followed_over_a_new_version() {
    let mut project = Project::new("app:\n  port: 8080\nenv:\n  MESSAGE: first\n");
    project.up(&[]);
    let first = project.run(&["logs", "--pr", "1", "app"]).ok();
    assert!(
        !first.stdout.trim().is_empty(),
        "the application says where it listens"
    );
    let mut following = Following(project.start(&["logs", "--pr", "1", "-f"]));
    let lines = BufReader::new(following.0.stdout.take().expect("it is piped")).lines();
    let mut lines = lines.map(|line| line.expect("UTF-8"));
    let shown = lines.next().expect("a line of the first version");
    assert!(shown.starts_with("app/"), "{shown}");
    let pod = shown.split(" | ").next().expect("a prefix").to_owned();
    project.up(&["--image", TESTAPP_2]);
    assert!(
        lines.any(|line| !line.starts_with(&pod)),
        "no line of the second version"
    );
    let pid = following.0.id().to_string();
    let sent = std::process::Command::new("kill")
        .args(["-INT", &pid])
        .status();
    assert!(sent.expect("kill runs").success());
    assert_eq!(following.0.wait().expect("it ends").code(), Some(130));
    project
        .run(&["logs", "--pr", "1", "nothing"])
        .exit(11)
        .says(&["no pods of a component `nothing`"]);
}

#[test]
fn without_rollback_the_wreck_stays() {
    let mut project = Project::new("app:\n  port: 8080\n");
    project.up(&["--commit", "aaaaaaa"]);
    let args = [
        "up",
        "--pr",
        "1",
        "--image",
        "registry.test/nothing:1",
        "--no-rollback",
    ];
    project
        .run(&args)
        .exit(6)
        .says(&["the environment is left as it is"]);
    let status = project
        .run(&["status", "--pr", "1", "-o", "json"])
        .ok()
        .json();
    assert_eq!(status["state"], "failed");
    assert_eq!(status["components"][0]["image"], "registry.test/nothing:1");
    // The old pod is not taken away before a new one is ready.
    assert_eq!(project.page_json("/env")["COMMIT_SHA"], "aaaaaaa");
}

#[test]
fn an_interrupt_says_what_state_it_leaves() {
    let mut project = Project::new("app:\n  port: 8080\n  readinessPath: /status/500\n");
    let up = project.start(&["up", "--pr", "1", "--image", TESTAPP, "--timeout", "3m"]);
    eventually("the Deployment is there", || {
        let deployment = kubectl(&[
            "get",
            "-n",
            &project.namespace(1),
            "deployment/app",
            "-o",
            "name",
        ]);
        deployment.status.success().then_some(())
    });
    let pid = up.id().to_string();
    let sent = std::process::Command::new("kill")
        .args(["-INT", &pid])
        .status();
    assert!(sent.expect("kill runs").success());
    let up = Ran::of(
        up.wait_with_output().expect("it ends"),
        &["up", "(interrupted)"],
    );
    up.exit(130)
        .says(&["stopped by Ctrl-C", "half-done", "k8s-ee down --pr 1"]);
    project.write("app:\n  port: 8080\n");
    project.up(&[]);
    project.page("/health");
}

#[test]
fn an_environment_of_the_old_platform_is_adopted() {
    let mut project = Project::new("app:\n  port: 8080\n");
    let namespace = project.namespace(1);
    apply(
        &json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {
        "name": namespace,
        "labels": {
            "app.kubernetes.io/managed-by": "github-actions", "k8s-ee/type": "ephemeral",
            "k8s-ee/project-id": project.id, "k8s-ee/pr-number": "1", "k8s-ee/branch": "old",
            "k8s-ee/commit-sha": "0123456789abcdef0123456789abcdef01234567",
        },
        "annotations": {
            "k8s-ee/created-at": "2025-12-01T10:00:00Z", "k8s-ee/created-by": "pr-environment-workflow",
            "k8s-ee/repository": "acme/old",
        }}}),
    );
    let deployment = format!("{namespace}-app");
    let labels =
        json!({"app.kubernetes.io/name": "k8s-ee-app", "app.kubernetes.io/instance": "app"});
    let helm =
        json!({"meta.helm.sh/release-name": "app", "meta.helm.sh/release-namespace": namespace});
    apply(
        &json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "pr-quota", "namespace": namespace},
        "spec": {"hard": {"limits.cpu": "690m", "limits.memory": "1177Mi", "requests.cpu": "200m", "requests.memory": "512Mi", "pods": "5"}}}),
    );
    apply(&json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": deployment, "namespace": namespace, "annotations": helm,
            "labels": {"app.kubernetes.io/managed-by": "Helm"}},
        "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": {"containers": [{
            "name": "app", "image": TESTAPP, "env": [{"name": "PORT", "value": "8080"}],
            "resources": {"requests": {"cpu": "50m", "memory": "128Mi"}, "limits": {"cpu": "200m", "memory": "384Mi"}}}]}}}}));
    apply(
        &json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
        "metadata": {"name": "allow-everything-of-old", "namespace": namespace, "labels": {"k8s-ee/type": "network-policy"}},
        "spec": {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{}]}}),
    );

    let listed = project
        .run(&["list", "--project", &project.id.clone(), "-o", "json"])
        .ok()
        .json();
    assert_eq!(listed["environments"][0]["repository"], "acme/old");
    project.up(&["--repository", "acme/old", "--branch", "new"]);
    assert!(!project.page("/health").is_empty());
    let kept = kubectl_json(&["get", "namespace", &namespace]);
    assert_eq!(
        kept["metadata"]["annotations"]["k8s-ee/created-at"],
        "2025-12-01T10:00:00Z"
    );
    assert_eq!(kept["metadata"]["labels"]["k8s-ee/branch"], "new");
    assert_eq!(
        kept["metadata"]["labels"]["app.kubernetes.io/managed-by"],
        "github-actions"
    );
    assert!(
        !kubectl(&["get", "-n", &namespace, "deployment", &deployment])
            .status
            .success()
    );
    let policies = project.get("networkpolicies").to_string();
    assert!(
        !policies.contains("allow-everything-of-old"),
        "an old policy still opens the namespace"
    );
    project.run(&["down", "--pr", "1"]).ok();
    assert!(!kubectl(&["get", "namespace", &namespace]).status.success());
}

#[test]
fn a_foreign_namespace_is_left_alone() {
    let mut project = Project::new("app:\n  port: 8080\n");
    let namespace = project.namespace(1);
    apply(&json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}));
    for verb in [
        vec!["up", "--pr", "1", "--image", TESTAPP],
        vec!["down", "--pr", "1"],
    ] {
        project
            .run(&verb)
            .exit(8)
            .says(&["is not a preview environment"]);
    }
    let there = kubectl_json(&["get", "namespace", &namespace]);
    assert_eq!(there["status"]["phase"], "Active");
    assert!(there["metadata"]["labels"]["k8s-ee/type"].is_null());
    kubectl(&["delete", "namespace", &namespace, "--wait=false"]);
}

#[test]
fn five_environments_at_the_same_time() {
    let mut project = Project::new("app:\n  port: 8080\n");
    let numbers = ["1", "2", "3", "4", "5"];
    let started: Vec<_> = numbers
        .iter()
        .map(|pr| project.start(&["up", "--pr", pr, "--image", TESTAPP]))
        .collect();
    for (pr, child) in numbers.iter().zip(started) {
        Ran::of(
            child.wait_with_output().expect("it ends"),
            &["up", "--pr", pr],
        )
        .ok();
        let number = pr.parse().expect("a number");
        assert_eq!(
            http(&project.host(number), "/health").expect("an answer").0,
            200
        );
    }
    let removed: Vec<_> = numbers
        .iter()
        .map(|pr| project.start(&["down", "--pr", pr]))
        .collect();
    for (pr, child) in numbers.iter().zip(removed) {
        Ran::of(
            child.wait_with_output().expect("it ends"),
            &["down", "--pr", pr],
        )
        .ok();
    }
    let id = project.id.clone();
    let left = project
        .run(&["list", "--project", &id, "-o", "json"])
        .ok()
        .json();
    assert_eq!(left["environments"], json!([]));
}

#[test]
fn what_is_preserved_stays_until_its_time_is_over() {
    let mut project = Project::new("app:\n  port: 8080\n");
    project.up(&["--commit", "aaaaaaa"]);
    let namespace = project.namespace(1);
    let preserve = |until: jiff::Timestamp| {
        let until = until.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let patch = json!({"metadata": {
            "labels": {"preserve": "true"},
            "annotations": {"k8s-ee/preserve-until": until, "k8s-ee/preserved-by": "octocat"},
        }})
        .to_string();
        let args = ["patch", "namespace", &namespace, "--type=merge", "-p"];
        let patched = kubectl(&[&args[..], &[patch.as_str()]].concat());
        assert!(patched.status.success(), "{patched:?}");
    };
    let hour = jiff::SignedDuration::from_hours(1);
    preserve(jiff::Timestamp::now() + hour);
    let said = || {
        let there = kubectl_json(&["get", "namespace", &namespace]);
        let about = &there["metadata"];
        let keys = ["k8s-ee/preserve-until", "k8s-ee/preserved-by"];
        (
            about["labels"]["preserve"].clone(),
            keys.map(|key| about["annotations"][key].clone()),
        )
    };
    let before = said();
    project.run(&["down", "--pr", "1"]).ok().says(&[
        "is preserved until",
        " by octocat; nothing was removed",
        "hint: remove it all the same: k8s-ee down --pr 1 --force",
    ]);
    project.page("/health");
    // It can be brought up to date, and is preserved as it was.
    project.up(&["--commit", "bbbbbbb"]);
    project.answers("COMMIT_SHA", "bbbbbbb");
    assert_eq!(said(), before);
    let gone = project.run(&["down", "--pr", "1", "--force", "-o", "json"]);
    assert_eq!(gone.ok().json()["state"], "gone");
    assert!(!kubectl(&["get", "namespace", &namespace]).status.success());

    project.up(&[]);
    preserve(jiff::Timestamp::now() - hour);
    let gone = project.run(&["down", "--pr", "1", "-o", "json"]);
    assert_eq!(gone.ok().json()["state"], "gone");
}

#[test]
fn down_names_what_blocks() {
    let mut project = Project::new("app:\n  port: 8080\n");
    project.up(&[]);
    let namespace = project.namespace(1);
    hold(&namespace);
    project
        .run(&["down", "--pr", "1", "--timeout", "12s"])
        .exit(7)
        .says(&[
            "ConfigMap stuck is held by the finalizer example.com/hold",
            "hint:",
        ]);
    let_go(&namespace);
    project.run(&["down", "--pr", "1"]).ok();
    assert!(!kubectl(&["get", "namespace", &namespace]).status.success());
}
