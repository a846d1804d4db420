//! Volumes that are not there.

use insta::assert_snapshot;

use super::build::{Case, State};
use crate::model::DatabaseKind;

#[test]
fn storage_class_missing() {
    let case = Case::app()
        .with(DatabaseKind::Postgresql)
        .stateful("postgresql", &State::unschedulable("0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.").claim("data-app-postgresql-0"))
        .claim("data-app-postgresql-0", "Pending", Some("fast"))
        .event(("PersistentVolumeClaim", "data-app-postgresql-0"), "ProvisioningFailed", "storageclass.storage.k8s.io \"fast\" not found", 3);
    assert_snapshot!(case.report(), @r#"
    error[volume-pending]: volume claim data-app-postgresql-0 of postgresql asks for the storage class fast, which does not exist
      --> k8s-ee.yaml:21
      | PersistentVolumeClaim data-app-postgresql-0: Pending, storage class fast
      | PersistentVolumeClaim data-app-postgresql-0: storageclass.storage.k8s.io "fast" not found (3 times)
    hint: take the default storage class, or name one that exists
        databases:
          postgresql:
            storage: 1Gi
      $ kubectl get storageclass

    error[dependency-failed]: app was not started, because it waits for postgresql
    hint: fix postgresql first
    fatal: volume-pending
    "#);
}

#[test]
fn no_default_class() {
    let case = Case::app()
        .with(DatabaseKind::Postgresql)
        .stateful("postgresql", &State::unschedulable("0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.").claim("data-app-postgresql-0"))
        .claim("data-app-postgresql-0", "Pending", None)
        .event(("PersistentVolumeClaim", "data-app-postgresql-0"), "FailedBinding", "no persistent volumes available for this claim and no storage class is set", 3);
    assert_snapshot!(case.report(), @"
    error[volume-pending]: volume claim data-app-postgresql-0 of postgresql names no storage class, and the cluster has no default one
      --> k8s-ee.yaml:21
      | PersistentVolumeClaim data-app-postgresql-0: Pending, storage class (none)
      | PersistentVolumeClaim data-app-postgresql-0: no persistent volumes available for this claim and no storage class is set (3 times)
    hint: name a storage class under `storage`, or have the platform engineer mark one as the default
      $ kubectl get storageclass

    error[dependency-failed]: app was not started, because it waits for postgresql
    hint: fix postgresql first
    fatal: volume-pending
    ");
}

#[test]
fn provisioning_fails() {
    let case = Case::app()
        .with(DatabaseKind::Postgresql)
        .stateful("postgresql", &State::unschedulable("0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.").claim("data-app-postgresql-0"))
        .claim("data-app-postgresql-0", "Pending", Some("gp3"))
        .event(("PersistentVolumeClaim", "data-app-postgresql-0"), "ProvisioningFailed", "failed to provision volume with StorageClass \"gp3\": rpc error: code = ResourceExhausted desc = volume limit reached", 3);
    assert_snapshot!(case.report(), @r#"
    error[volume-pending]: the provisioner cannot make the volume of claim data-app-postgresql-0 of postgresql
      | PersistentVolumeClaim data-app-postgresql-0: Pending, storage class gp3
      | PersistentVolumeClaim data-app-postgresql-0: failed to provision volume with StorageClass "gp3": rpc error: code = ResourceExhausted desc = volume limit reached (3 times)
    hint: have the platform engineer look at the provisioner; it is tried again by itself
      $ kubectl -n shop-pr-12 describe pvc data-app-postgresql-0

    error[dependency-failed]: app was not started, because it waits for postgresql
    hint: fix postgresql first
    fatal: no
    "#);
}

#[test]
fn provisioner_says_nothing() {
    let case = Case::app()
        .with(DatabaseKind::Postgresql)
        .stateful("postgresql", &State::unschedulable("0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.").claim("data-app-postgresql-0"))
        .claim("data-app-postgresql-0", "Pending", Some("gp3"))
        .event(("PersistentVolumeClaim", "data-app-postgresql-0"), "ExternalProvisioning", "Waiting for a volume to be created either by the external provisioner 'ebs.csi.aws.com' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.", 9);
    assert_snapshot!(case.report(), @"
    error[volume-pending]: volume claim data-app-postgresql-0 of postgresql still waits for its volume: the provisioner for the storage class gp3 has not made it
      | PersistentVolumeClaim data-app-postgresql-0: Pending, storage class gp3
      | PersistentVolumeClaim data-app-postgresql-0: Waiting for a volume to be created either by the external provisioner 'ebs.csi.aws.com' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered. (9 times)
    hint: have the platform engineer check that the provisioner runs
      $ kubectl -n shop-pr-12 describe pvc data-app-postgresql-0

    error[dependency-failed]: app was not started, because it waits for postgresql
    hint: fix postgresql first
    fatal: no
    ");
}

#[test]
fn not_bound_and_no_event() {
    let case = Case::app()
        .with(DatabaseKind::Postgresql)
        .stateful("postgresql", &State::unschedulable("0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.").claim("data-app-postgresql-0"))
        .claim("data-app-postgresql-0", "Pending", Some("gp3"));
    assert_snapshot!(case.report(), @"
    error[volume-pending]: volume claim data-app-postgresql-0 of postgresql is not bound yet
      | PersistentVolumeClaim data-app-postgresql-0: Pending, storage class gp3
    hint: have the platform engineer look at the storage class
      $ kubectl -n shop-pr-12 describe pvc data-app-postgresql-0

    error[dependency-failed]: app was not started, because it waits for postgresql
    hint: fix postgresql first
    fatal: no
    ");
}

#[test]
fn lost() {
    let case = Case::app()
        .with(DatabaseKind::Postgresql)
        .stateful(
            "postgresql",
            &State::running().claim("data-app-postgresql-0"),
        )
        .claim("data-app-postgresql-0", "Lost", Some("gp3"))
        .event(
            ("PersistentVolumeClaim", "data-app-postgresql-0"),
            "ClaimLost",
            "Bound claim has lost its PersistentVolume. Data on the volume is lost!",
            1,
        );
    assert_snapshot!(case.report(), @"
    error[volume-lost]: the volume of data-app-postgresql-0 of postgresql is gone, and its data with it
      | PersistentVolumeClaim data-app-postgresql-0: Bound claim has lost its PersistentVolume. Data on the volume is lost!
    hint: delete the claim, so that the environment starts again with an empty one
      $ kubectl -n shop-pr-12 delete pvc data-app-postgresql-0

    error[dependency-failed]: app was not started, because it waits for postgresql
    hint: fix postgresql first
    fatal: volume-lost
    ");
}

#[test]
fn claim_missing() {
    let case = Case::app()
        .with(DatabaseKind::Postgresql)
        .stateful("postgresql", &State::unschedulable("0/1 nodes are available: persistentvolumeclaim \"data-app-postgresql-0\" not found. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.").claim("data-app-postgresql-0"));
    assert_snapshot!(case.report(), @r#"
    error[volume-pending]: pod app-postgresql-0 needs the volume claim data-app-postgresql-0, which does not exist
      | Pod app-postgresql-0: 0/1 nodes are available: persistentvolumeclaim "data-app-postgresql-0" not found. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.
    hint: deploy again: the claim belongs to the environment and should have been made

    error[dependency-failed]: app was not started, because it waits for postgresql
    hint: fix postgresql first
    fatal: no
    "#);
}

#[test]
fn attached_elsewhere() {
    let case = Case::app()
        .with(DatabaseKind::Postgresql)
        .stateful("postgresql", &State::waiting("ContainerCreating", "").claim("data-app-postgresql-0"))
        .claim("data-app-postgresql-0", "Bound", Some("gp3"))
        .event(("Pod", "app-postgresql-0"), "FailedAttachVolume", "Multi-Attach error for volume \"pvc-1\" Volume is already used by pod(s) app-postgresql-0", 2);
    assert_snapshot!(case.report(), @r#"
    error[volume-not-mounted]: a volume of postgresql is still attached to another node
      | Pod app-postgresql-0: Multi-Attach error for volume "pvc-1" Volume is already used by pod(s) app-postgresql-0 (2 times)
    hint: wait until the pod that used it is gone; delete it if it hangs
      $ kubectl -n shop-pr-12 describe pod app-postgresql-0

    error[dependency-failed]: app was not started, because it waits for postgresql
    hint: fix postgresql first
    fatal: no
    "#);
}

#[test]
fn cannot_be_mounted() {
    let case = Case::app()
        .with(DatabaseKind::Postgresql)
        .stateful("postgresql", &State::waiting("ContainerCreating", "").claim("data-app-postgresql-0"))
        .claim("data-app-postgresql-0", "Bound", Some("gp3"))
        .event(("Pod", "app-postgresql-0"), "FailedMount", "MountVolume.MountDevice failed for volume \"pvc-1\" : rpc error: code = Internal desc = mount failed: exit status 32", 2);
    assert_snapshot!(case.report(), @r#"
    error[volume-not-mounted]: a volume of postgresql cannot be mounted
      | Pod app-postgresql-0: MountVolume.MountDevice failed for volume "pvc-1" : rpc error: code = Internal desc = mount failed: exit status 32 (2 times)
    hint: have the platform engineer look at the storage; it is tried again by itself
      $ kubectl -n shop-pr-12 describe pod app-postgresql-0

    error[dependency-failed]: app was not started, because it waits for postgresql
    hint: fix postgresql first
    fatal: no
    "#);
}

#[test]
fn waiting_for_the_first_pod_is_no_cause() {
    let case = Case::app()
        .with(DatabaseKind::Postgresql)
        .stateful(
            "postgresql",
            &State::unschedulable("0/1 nodes are available: 1 Insufficient memory.")
                .claim("data-app-postgresql-0"),
        )
        .claim("data-app-postgresql-0", "Pending", Some("local-path"))
        .event(
            ("PersistentVolumeClaim", "data-app-postgresql-0"),
            "WaitForFirstConsumer",
            "waiting for first consumer to be created before binding",
            3,
        );
    assert_snapshot!(case.report(), @"
    error[unschedulable]: the only node does not take postgresql: Insufficient memory
      --> k8s-ee.yaml:21
      | Pod app-postgresql-0: 0/1 nodes are available: 1 Insufficient memory.
    hint: lower `resources.requests.memory` (now 128Mi), destroy environments that nobody needs, or add a node
      $ kubectl describe nodes

    error[dependency-failed]: app was not started, because it waits for postgresql
    hint: fix postgresql first
    fatal: no
    ");
}
