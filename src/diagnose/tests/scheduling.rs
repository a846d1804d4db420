//! Pods without a place to run.

use insta::assert_snapshot;

use super::build::{Case, State};

#[test]
fn no_cpu_left() {
    let case = Case::app().pod("app", &State::unschedulable(
        "0/2 nodes are available: 2 Insufficient cpu. preemption: 0/2 nodes are available: 2 No preemption victims found for incoming pod.",
    ));
    assert_snapshot!(case.report(), @"
    error[unschedulable]: none of the 2 nodes takes app: 2 Insufficient cpu
      --> `resources.requests.cpu` in k8s-ee.yaml
      | Pod app-new-1: 0/2 nodes are available: 2 Insufficient cpu. preemption: 0/2 nodes are available: 2 No preemption victims found for incoming pod.
    hint: lower `resources.requests.cpu` (now 50m), destroy environments that nobody needs, or add a node
      $ kubectl describe nodes
    fatal: no
    ");
}

#[test]
fn no_room_for_another_pod() {
    let case = Case::app().pod("app", &State::unschedulable("0/1 nodes are available: 1 Too many pods. no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod."));
    assert_snapshot!(case.report(), @"
    error[unschedulable]: the only node does not take app: Too many pods
      | Pod app-new-1: 0/1 nodes are available: 1 Too many pods. no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.
    hint: destroy environments that nobody needs, or add a node: each takes a limited number of pods
      $ kubectl get namespaces -l k8s-ee/type=ephemeral
    fatal: no
    ");
}

#[test]
fn taints() {
    let case = Case::app().pod("app", &State::unschedulable("0/1 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/disk-pressure: }. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."));
    assert_snapshot!(case.report(), @"
    error[unschedulable]: the only node does not take app: node(s) had untolerated taint {node.kubernetes.io/disk-pressure: }
      | Pod app-new-1: 0/1 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/disk-pressure: }. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.
    hint: have the platform engineer make room on the node, which is short of free disk space, or destroy environments that nobody needs
      $ kubectl describe nodes
    fatal: no
    ");
}

#[test]
fn node_selector() {
    let case = Case::app().pod("app", &State::unschedulable("0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."));
    assert_snapshot!(case.report(), @"
    error[unschedulable]: none of the 3 nodes takes app: 3 node(s) didn't match Pod's node affinity/selector
      | Pod app-new-1: 0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.
    hint: have the platform engineer add a node with the labels that the pod asks for
      $ kubectl get nodes --show-labels
    fatal: no
    ");
}

#[test]
fn no_node_at_all() {
    let case = Case::app().pod(
        "app",
        &State::unschedulable("no nodes available to schedule pods"),
    );
    assert_snapshot!(case.report(), @"
    error[unschedulable]: no node takes app
      | Pod app-new-1: no nodes available to schedule pods
    hint: have the platform engineer look at the nodes
      $ kubectl describe nodes
    fatal: no
    ");
}

#[test]
fn evicted() {
    let case = Case::app().pod("app", &State::failed("Evicted", "The node was low on resource: memory. Threshold quantity: 100Mi, available: 80Mi. Container app was using 300Mi, request is 128Mi, has larger consumption of memory. "));
    assert_snapshot!(case.report(), @"
    error[evicted]: app was thrown out by its node, which ran low on memory
      | Pod app-new-1: Evicted: The node was low on resource: memory. Threshold quantity: 100Mi, available: 80Mi. Container app was using 300Mi, request is 128Mi, has larger consumption of memory.
    hint: have the platform engineer look at the node; another copy is started by itself
      $ kubectl describe node node-1
    fatal: no
    ");
}

#[test]
fn temporary_directory_full() {
    let case = Case::app().pod(
        "app",
        &State::failed(
            "Evicted",
            "Usage of EmptyDir volume \"tmp\" exceeds the limit \"64Mi\". ",
        ),
    );
    assert_snapshot!(case.report(), @r#"
    error[evicted]: app was stopped because it wrote more to its temporary directories than is allowed
      | Pod app-new-1: Evicted: Usage of EmptyDir volume "tmp" exceeds the limit "64Mi".
    hint: let it write less to /tmp and `writableDirs`
      $ kubectl describe node node-1
    fatal: no
    "#);
}

#[test]
fn node_refuses() {
    let case = Case::app().pod("app", &State::failed("OutOfcpu", "Pod was rejected: Node didn't have enough resource: cpu, requested: 200, used: 1900, capacity: 2000"));
    assert_snapshot!(case.report(), @"
    error[evicted]: app was stopped by its node (OutOfcpu)
      | Pod app-new-1: OutOfcpu: Pod was rejected: Node didn't have enough resource: cpu, requested: 200, used: 1900, capacity: 2000
    hint: have the platform engineer look at the node; another copy is started by itself
      $ kubectl describe node node-1
    fatal: no
    ");
}

#[test]
fn deadline() {
    let case = Case::app().pod(
        "app",
        &State::failed(
            "DeadlineExceeded",
            "Pod was active on the node longer than the specified deadline",
        ),
    );
    assert_snapshot!(case.report(), @"
    error[deadline-exceeded]: app was active longer than its deadline allows
      | Pod app-new-1: DeadlineExceeded: Pod was active on the node longer than the specified deadline
    hint: let it do less, or raise `activeDeadlineSeconds`
    fatal: deadline-exceeded
    ");
}

#[test]
fn sandbox() {
    let case = Case::app()
        .pod("app", &State::waiting("ContainerCreating", ""))
        .event(("Pod", "app-new-1"), "FailedCreatePodSandBox", "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox \"4f\": plugin type=\"cilium-cni\" failed (add): unable to connect to Cilium agent", 7);
    assert_snapshot!(case.report(), @r#"
    error[sandbox-failed]: node-1 cannot make the sandbox of app
      | Pod app-new-1: Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "4f": plugin type="cilium-cni" failed (add): unable to connect to Cilium agent (7 times)
    hint: have the platform engineer look at the network plug-in and the container runtime of the node; it is tried again by itself
      $ kubectl -n shop-pr-12 describe pod app-new-1
    fatal: no
    "#);
}

#[test]
fn volume_on_another_node() {
    let case = Case::app().pod("app", &State::unschedulable("0/2 nodes are available: 1 Insufficient pods, 1 node(s) didn't match PersistentVolume's node affinity. preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling."));
    assert_snapshot!(case.report(), @"
    error[unschedulable]: none of the 2 nodes takes app: 1 Insufficient pods, 1 node(s) didn't match PersistentVolume's node affinity
      | Pod app-new-1: 0/2 nodes are available: 1 Insufficient pods, 1 node(s) didn't match PersistentVolume's node affinity. preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.
    hint: its volume is tied to a node that is full or gone: make room there, or delete the environment and deploy it again
      $ kubectl describe nodes
    fatal: no
    ");
}
