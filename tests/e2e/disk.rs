//! A volume that is full: the cause is named while it lasts, and nothing is lost when it is over.

use serde_json::json;

use crate::{
    databases::file,
    harness::{Project, TESTAPP, apply, eventually, kubectl},
};

#[test]
fn a_full_volume_is_the_cause_until_there_is_room_again() {
    // Volumes of this class are as small as they were asked for.
    let class = kubectl(&["get", "storageclass", "small"]);
    if !class.status.success() {
        assert!(
            std::env::var_os("K8S_EE_REQUIRE_TOOLS").is_none(),
            "the sandbox has a storage class `small`"
        );
        eprintln!("skipped: the cluster has no storage class `small`, whose volumes can be filled");
        return;
    }
    let mut project = Project::new(&file(
        "  postgresql: {version: \"15\", storage: {size: 200Mi, storageClass: small}}\n",
    ));
    let up = ["up", "--pr", "1", "--image", TESTAPP, "-o", "json"];
    project.run(&up).with_databases();
    project.psql("CREATE TABLE visits AS SELECT 42 AS n");
    project.in_pod("postgresql", "psql -X -q -U postgres -c CHECKPOINT");

    project.in_pod(
        "postgresql",
        "! head -c 1G /dev/zero > /data/filler && test -s /data/filler",
    );
    // What it has to write before it may answer has no room any more: it ends, and cannot start.
    project.in_pod(
        "postgresql",
        "! psql -X -q -U postgres -c \"SELECT pg_logical_emit_message(true, 'x', repeat('x', 1000000)) FROM generate_series(1, 300)\"",
    );
    let namespace = project.namespace(1);
    let killed = kubectl(&[
        "delete",
        "pod",
        "-n",
        &namespace,
        "app-postgresql-0",
        "--grace-period=0",
        "--force",
    ]);
    assert!(killed.status.success(), "{killed:?}");
    let full = project.run(&[&up[..], &["--timeout", "90s"]].concat());
    let cause = full.json()["causes"][0].clone();
    assert_eq!(cause["code"], "disk-full", "{full:?}");
    assert_eq!(cause["component"], "postgresql");
    assert_eq!(cause["fix"]["change"], "storage: 400Mi", "{cause:#}");
    let evidence = cause["evidence"].to_string();
    assert!(evidence.contains("No space left on device"), "{cause:#}");

    // Somebody makes room, as they would have to where volumes cannot grow.
    apply(&json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "broom", "namespace": namespace},
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": false,
            "securityContext": {"runAsNonRoot": true, "runAsUser": 999, "runAsGroup": 999,
                "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [{
                "name": "rm", "image": "busybox:1.35", "command": ["rm", "/data/filler"],
                "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"cpu": "100m", "memory": "64Mi"}},
                "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}},
                "volumeMounts": [{"name": "data", "mountPath": "/data"}],
            }],
            "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data-app-postgresql-0"}}],
        },
    }));
    eventually("there is room again", || {
        (project.get("pod/broom")["status"]["phase"] == "Succeeded").then_some(())
    });
    // The next try of a pod that has failed so often is a while away; a new one tries at once.
    kubectl(&[
        "delete",
        "pod",
        "-n",
        &namespace,
        "broom",
        "app-postgresql-0",
    ]);
    project.run(&up).ok();
    assert_eq!(project.psql("SELECT n FROM visits"), "42");
    project.run(&["down", "--pr", "1"]).ok();
    project.no_volumes_left();
}
