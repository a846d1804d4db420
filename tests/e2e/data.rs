//! Data outlive the key in the file: they are removed when that is asked for, and not before.

use serde_json::json;

use crate::{
    databases::{POSTGRESQL, REDIS, REDIS_WITH_VOLUME, file},
    harness::{Project, apply, eventually, kubectl},
};

#[test]
fn a_database_that_comes_back_finds_its_data() {
    let mut project = Project::new(&file(POSTGRESQL));
    let up = ["up", "--pr", "1", "--image", "registry.test/testapp:1"];
    project.run(&up).with_databases();
    project.psql("CREATE TABLE visits AS SELECT 42 AS n");
    let url = project.page_json("/env")["DATABASE_URL"].clone();

    // It leaves the file, and everything of it but what holds data.
    project.write(&file(""));
    let kept = project.run(&[&up[..], &["-o", "json"]].concat()).ok();
    let kept = kept.says(&["volume data-app-postgresql-0 (1Gi) of postgresql is kept"]);
    let volume = &kept.json()["volumes"][0];
    assert_eq!(
        (&volume["claim"], &volume["action"]),
        (&json!("data-app-postgresql-0"), &json!("keep"))
    );
    assert!(!project.has("statefulset/app-postgresql"));
    assert!(!project.has("service/app-postgresql-rw"));
    assert!(project.has("secret/app-postgresql-app"));
    let hard = &project.get("resourcequota/pr-quota")["spec"]["hard"];
    // One for the volume, one of the room that the platform leaves.
    assert_eq!(hard["requests.storage"], "2Gi");
    let again = project.run(&[&up[..], &["-o", "json"]].concat()).ok();
    assert_eq!(again.json()["requests"]["writes"], 0);

    project.write(&file(POSTGRESQL));
    project.run(&up).ok();
    assert_eq!(project.psql("SELECT n FROM visits"), "42");
    assert_eq!(project.page_json("/env")["DATABASE_URL"], url);

    // Only when it is asked for, and then with its credentials.
    project.write(&file(""));
    let plan = [
        "plan",
        "--pr",
        "1",
        "--image",
        "registry.test/testapp:1",
        "--prune-data",
    ];
    let plan = project.run(&plan).ok();
    assert!(
        plan.stdout
            .contains("! volume data-app-postgresql-0 (1Gi) of postgresql is removed"),
        "{}",
        plan.stdout
    );
    assert!(project.has("persistentvolumeclaim/data-app-postgresql-0"));
    project.run(&[&up[..], &["--prune-data"]].concat()).ok();
    assert!(!project.has("persistentvolumeclaim/data-app-postgresql-0"));
    assert!(!project.has("secret/app-postgresql-app"));
    project.no_volumes_left();

    project.write(&file(POSTGRESQL));
    project.run(&up).ok();
    assert_eq!(
        project.psql("SELECT count(*) FROM pg_tables WHERE tablename = 'visits'"),
        "0"
    );
    assert_ne!(project.page_json("/env")["DATABASE_URL"], url);

    // The end of the environment is the end of the data, those that nobody used included.
    project.write(&file(""));
    project.run(&up).ok();
    project.run(&["down", "--pr", "1"]).ok();
    project.no_volumes_left();
}

#[test]
fn a_volume_is_taken_out_of_the_hands_of_a_set_that_would_take_it_along() {
    let mut project = Project::new(&file(REDIS_WITH_VOLUME));
    let up = ["up", "--pr", "1", "--image", "registry.test/testapp:1"];
    project.run(&up).with_databases();
    project.redis("SET greeting hello");
    // As charts before this one had it.
    let policy = r#"{"spec":{"persistentVolumeClaimRetentionPolicy":{"whenDeleted":"Delete"}}}"#;
    let patched = kubectl(&[
        "patch",
        "-n",
        &project.namespace(1),
        "statefulset/app-redis",
        "-p",
        policy,
    ]);
    assert!(patched.status.success(), "{patched:?}");
    eventually("the StatefulSet owns the claim", || {
        let claim = project.get("persistentvolumeclaim/data-app-redis-0");
        claim["metadata"]["ownerReferences"][0]["uid"]
            .is_string()
            .then_some(())
    });
    project.write(&file(""));
    project.run(&up).ok();
    eventually("the pod is gone", || {
        (!project.has("pod/app-redis-0")).then_some(())
    });
    project.write(&file(REDIS_WITH_VOLUME));
    project.run(&up).ok();
    assert_eq!(project.redis("GET greeting"), "hello");
}

#[test]
fn a_volume_grows_while_its_database_runs_and_never_shrinks_or_moves() {
    let redis = |size: &str, class: &str| {
        file(&format!(
            "  redis: {{version: \"7.0\", storage: {{size: {size}, storageClass: {class}}}}}\n"
        ))
    };
    let class = StorageClass::new(true);
    let mut project = Project::new(&redis("1Gi", &class.0));
    let up = ["up", "--pr", "1", "--image", "registry.test/testapp:1"];
    project.run(&up).with_databases();
    project.redis("SET greeting hello");
    let (pod, set) = (
        project.uid("pod/app-redis-0"),
        project.uid("statefulset/app-redis"),
    );

    project.write(&redis("2Gi", &class.0));
    project
        .run(&up)
        .ok()
        .says(&["volume data-app-redis-0 of redis grows from 1Gi to 2Gi"]);
    let size = |project: &Project| {
        let claim = project.get("persistentvolumeclaim/data-app-redis-0");
        claim["spec"]["resources"]["requests"]["storage"].clone()
    };
    assert_eq!(size(&project), "2Gi");
    assert_ne!(project.uid("statefulset/app-redis"), set);
    assert_eq!(project.uid("pod/app-redis-0"), pod, "the pod was replaced");
    let again = project.run(&[&up[..], &["-o", "json"]].concat()).ok();
    assert_eq!(again.json()["requests"]["writes"], 0);

    // A version that fails is taken back, and the volume stays as large as it has become.
    project.write(&redis("3Gi", &class.0));
    project
        .run(&["up", "--pr", "1", "--image", "registry.test/nothing:1"])
        .exit(6)
        .says(&["is restored and runs"]);
    assert_eq!(size(&project), "3Gi");
    assert_eq!(project.redis("GET greeting"), "hello");
    assert_eq!(project.uid("pod/app-redis-0"), pod, "the pod was replaced");

    let writes = || project.writes("statefulset,persistentvolumeclaim", |_| true);
    let before = writes();
    let other = StorageClass::new(false);
    for (size, class, said) in [
        ("1Gi", &class.0, "of 3Gi, which cannot shrink to 1Gi"),
        ("3Gi", &other.0, "which cannot move to"),
    ] {
        project.write(&redis(size, class));
        let ran = project.command(&up).output().expect("the binary starts");
        crate::harness::Ran::of(ran, &up).exit(3).says(&[
            said,
            "k8s-ee.yaml:5",
            "hint:",
            "nothing was changed",
        ]);
    }
    assert_eq!(writes(), before);
    project.write(&redis("3Gi", &class.0));
    project.run(&up).ok();
    class.allow(false);
    project.write(&redis("4Gi", &class.0));
    project
        .run(&up)
        .exit(3)
        .says(&["does not allow that", "allowVolumeExpansion"]);
    project.run(&["down", "--pr", "1"]).ok();
    project.no_volumes_left();
}

#[test]
fn redis_moves_to_a_volume_and_back_and_its_volume_waits_for_it() {
    let mut project = Project::new(&file(REDIS));
    let up = ["up", "--pr", "1", "--image", "registry.test/testapp:1"];
    project.run(&up).with_databases();
    project.redis("SET greeting lost");
    project.write(&file(REDIS_WITH_VOLUME));
    project
        .run(&up)
        .ok()
        .says(&["redis moves to a volume and starts empty"]);
    assert_eq!(project.redis("EXISTS greeting"), "0");
    project.redis("SET greeting kept");

    project.write(&file(REDIS));
    project.run(&up).ok().says(&[
        "redis leaves its volume and starts empty",
        "volume data-app-redis-0 (1Gi) of redis is kept",
    ]);
    assert_eq!(project.redis("EXISTS greeting"), "0");
    project.write(&file(REDIS_WITH_VOLUME));
    project.run(&up).ok();
    assert_eq!(project.redis("GET greeting"), "kept");
}

/// A storage class of a test's own, which goes with it.
struct StorageClass(String);

impl StorageClass {
    fn new(growing: bool) -> Self {
        // The sandbox's provisioner knows the one by its name; of the other there is never a volume.
        let class = Self(if growing { "growing" } else { "fixed" }.to_owned());
        class.allow(growing);
        class
    }

    /// Whether its volumes may grow. Its provisioner makes directories, which have no size to begin with.
    fn allow(&self, growing: bool) {
        apply(&json!({
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {"name": self.0},
            "provisioner": "rancher.io/local-path",
            "volumeBindingMode": "WaitForFirstConsumer",
            "reclaimPolicy": "Delete",
            "allowVolumeExpansion": growing,
        }));
    }
}

impl Drop for StorageClass {
    fn drop(&mut self) {
        kubectl(&["delete", "storageclass", &self.0, "--ignore-not-found"]);
    }
}
