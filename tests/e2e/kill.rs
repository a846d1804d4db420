//! A run that is ended at any moment is finished by the next one.

use std::time::Duration;

use crate::harness::{Project, TESTAPP, TESTAPP_2, kubectl};

/// How often each verb is killed.
const KILLS: u64 = 20;

#[test]
fn up_killed_at_random_moments_converges() {
    let mut project = Project::new("app:\n  port: 8080\n");
    for round in 0..KILLS {
        let image = if round % 2 == 0 { TESTAPP } else { TESTAPP_2 };
        let mut child = project.start(&["up", "--pr", "1", "--image", image]);
        std::thread::sleep(moment(round, 2500));
        // It may have ended by itself; both are fine.
        drop(child.kill());
        child.wait().expect("it ends");
    }
    project.up(&["--image", TESTAPP_2]);
    project.answers("APP_VERSION", "2");
    let again = project
        .run(&["up", "--pr", "1", "--image", TESTAPP_2, "-o", "json"])
        .ok()
        .json();
    assert_eq!(again["changed"], false, "{again:#}");
    let lease = kubectl(&["get", "lease", "k8s-ee-up", "-n", &project.namespace(1)]);
    assert!(!lease.status.success(), "the Lease is still held");
}

#[test]
fn down_killed_at_random_moments_leaves_nothing() {
    let mut project = Project::new("app:\n  port: 8080\n");
    for round in 0..4 {
        project.up(&[]);
        for step in 0..(KILLS / 4) {
            let mut child = project.start(&["down", "--pr", "1"]);
            std::thread::sleep(moment(round * 7 + step, 400));
            drop(child.kill());
            child.wait().expect("it ends");
        }
        project.run(&["down", "--pr", "1"]).ok();
        assert!(
            !kubectl(&["get", "namespace", &project.namespace(1)])
                .status
                .success()
        );
    }
}

/// Spread over the whole run, the same in every run of the tests.
fn moment(round: u64, longest: u64) -> Duration {
    Duration::from_millis((round * 7919) % longest)
}
