//! The CronJob of the chart: `sweep` from within the cluster, with the rights of its own account and no others.

use serde_json::{Value, json};

use crate::{
    harness::{Project, TESTAPP, apply, eventually, kubectl, kubectl_json, kubectl_with},
    platform::{Platform, SWEEP, SYSTEM},
};

/// A run of the CronJob, now and of one project: others share the cluster. It goes when the test ends.
struct Job(String);

impl Job {
    fn start(project: &str) -> Self {
        let name = format!("sweep-{project}");
        let from = format!("--from=cronjob/{SWEEP}");
        let mut job = kubectl_json(&[
            "create",
            "job",
            &name,
            &from,
            "-n",
            SYSTEM,
            "--dry-run=client",
        ]);
        let args = job["spec"]["template"]["spec"]["containers"][0]["args"].as_array_mut();
        args.expect("the CronJob says what is run")
            .push(json!(format!("--project={project}")));
        let made = kubectl_with(&["create", "-f", "-"], &job.to_string());
        assert!(made.status.success(), "{made:?}");
        Self(name)
    }

    /// What it said, once it has ended well.
    fn ended(&self) -> String {
        let job = format!("job/{}", self.0);
        let ended = eventually("the job ends", || {
            let status = &kubectl_json(&["get", "-n", SYSTEM, &job])["status"];
            let is = |state: &str| status[state].as_u64() == Some(1);
            (is("succeeded") || is("failed")).then(|| is("succeeded"))
        });
        let logs = kubectl(&["logs", "-n", SYSTEM, &job]);
        let said = String::from_utf8_lossy(&logs.stdout).into_owned();
        assert!(ended, "{said}");
        said
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        kubectl(&["delete", "job", "-n", SYSTEM, &self.0, "--wait=false"]);
    }
}

#[test]
fn the_cluster_removes_what_has_had_its_time_and_nothing_else() {
    let platform = Platform::installed();
    let mut project = Project::new("app: {port: 8080}\nlifecycle: {ttl: 10m}\n");
    for pr in ["1", "2"] {
        // The settings of the harness name no accounts: the one that sweeps gives itself its rights.
        let up = ["up", "--pr", pr, "--image", TESTAPP];
        project.run(&up).ok();
    }
    project.run(&["preserve", "--pr", "2", "--for", "1h"]).ok();
    let (over, preserved) = (project.namespace(1), project.namespace(2));
    let namespace = |name: &str| kubectl(&["get", "namespace", name]).status.success();
    for name in [&over, &preserved] {
        apply(
            &json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {
            "name": name, "annotations": {"k8s-ee/last-updated": "2026-01-01T00:00:00Z"}}}),
        );
    }

    let said = Job::start(&project.id).ended();
    assert!(said.contains("2 environments: 1 removed, 1 kept"), "{said}");
    assert!(said.contains("may stay for 10m"), "{said}");
    assert!(!namespace(&over), "{said}");
    assert!(namespace(&preserved), "{said}");

    let nothing = Value::Null;
    for (args, why) in [
        (
            &["delete", "namespace", "kube-node-lease", "--dry-run=server"][..],
            "is not a preview environment",
        ),
        (
            &["get", "secrets", "--namespace", SYSTEM],
            "cannot list resource",
        ),
        (
            &["get", "cronjobs", "--namespace", SYSTEM],
            "cannot list resource",
        ),
    ] {
        platform.refused(SWEEP, args, &nothing, why);
    }
}
