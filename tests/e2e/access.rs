//! The rights that the chart `k8s-ee-platform` gives to accounts that deploy: enough for every verb, and no more. What they
//! may not do is asked of the API server, and tried.

use serde_json::{Value, json};

use crate::{
    harness::{Project, TESTAPP, apply, eventually, kubectl_with, random_id},
    platform::{ANYBODY, Platform, SWEEP, SYSTEM, environment},
};

/// Whether RBAC lets an account do something: the API server's own answer, as `kubectl auth can-i --as` asks for it.
#[track_caller]
fn may(account: &str, verb: &str, resource: &str, namespace: Option<&str>, name: &str) -> bool {
    let (resource, group) = resource.split_once('.').unwrap_or((resource, ""));
    let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
    let review = json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {
            "user": format!("system:serviceaccount:{SYSTEM}:{account}"),
            "groups": ["system:serviceaccounts", format!("system:serviceaccounts:{SYSTEM}"), "system:authenticated"],
            "resourceAttributes": {
                "verb": verb, "group": group, "resource": resource, "subresource": subresource,
                "namespace": namespace.unwrap_or_default(), "name": name,
            },
        },
    });
    let output = kubectl_with(&["create", "-f", "-", "-o", "json"], &review.to_string());
    let answer: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {output:?}"));
    answer["status"]["allowed"] == true
}

/// The same with something else in it.
fn with(mut object: Value, pointer: &str, value: Value) -> Value {
    *object.pointer_mut(pointer).expect("it has that") = value;
    object
}

fn binding(namespace: &str, name: &str, role: &str, subject: Value) -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": name, "namespace": namespace},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": [subject],
    })
}

fn account(name: &str) -> Value {
    json!({"kind": "ServiceAccount", "name": name, "namespace": SYSTEM})
}

const CREATE: &[&str] = &["create", "-f", "-"];

#[test]
fn every_verb_works_with_the_rights_of_the_chart() {
    let platform = Platform::installed();
    let mut project = Project::new("databases: {redis: {version: \"7.0\"}}\napp: {port: 8080}\n");
    let kubeconfig = platform.kubeconfig(ANYBODY);
    let mut run = |args: &[&str]| project.run_as(&kubeconfig, args).ok();

    run(&["plan", "--pr", "1", "--image", TESTAPP]);
    run(&["prepare", "--pr", "1"]);
    let up = ["up", "--pr", "1", "--image", TESTAPP, "-o", "json"];
    assert_eq!(run(&up).json()["changed"], true);
    let again = run(&up).json();
    assert_eq!(again["changed"], false);
    assert_eq!(again["requests"]["writes"], 0);
    run(&["plan", "--pr", "1", "--image", TESTAPP]);
    let status = run(&["status", "--pr", "1", "-o", "json"]).json();
    assert_eq!(status["state"], "running", "{status}");
    run(&["logs", "--pr", "1"]);
    run(&["credentials", "list", "--pr", "1"]);
    run(&["credentials", "show", "redis", "--pr", "1"]);
    run(&["credentials", "rotate", "redis", "--pr", "1"]);
    let list = run(&["list", "-o", "json"]).json();
    let name = status["namespace"].clone();
    let environments = list["environments"].as_array().expect("a list");
    let shown = environments.iter().find(|one| one["namespace"] == name);
    let shown = shown.expect("the environment is listed");
    assert_eq!(shown["url"], status["url"], "{shown}");
    assert!(shown["quota"]["limits.cpu"].is_object(), "{shown}");
    let down = run(&["down", "--pr", "1", "-o", "json"]).json();
    assert_eq!(down["state"], "gone", "{down}");
    assert!(down["removed"]["Deployment"].is_u64(), "{down}");
}

#[test]
fn an_environment_from_before_the_chart_is_taken_over_and_removed() {
    let platform = Platform::installed();
    let kubeconfig = platform.kubeconfig(ANYBODY);
    let mut project = Project::new("app: {port: 8080}\n");
    for pr in ["1", "2"] {
        // The settings of the harness name nobody who deploys.
        project.run(&["up", "--pr", pr, "--image", TESTAPP]).ok();
    }
    project
        .run_as(&kubeconfig, &["status", "--pr", "1"])
        .exit(4)
        .says(&["not allowed to", "deployers"]);
    let up = ["up", "--pr", "1", "--image", TESTAPP];
    project.run_as(&kubeconfig, &up).ok();
    project.run_as(&kubeconfig, &["status", "--pr", "1"]).ok();
    // Nobody has deployed the second one since.
    let down = ["down", "--pr", "2", "-o", "json"];
    let down = project.run_as(&kubeconfig, &down).ok().json();
    assert_eq!(down["state"], "gone", "{down}");
    assert!(down["removed"]["Deployment"].is_u64(), "{down}");
}

#[test]
fn namespaces_are_those_of_environments_only() {
    let platform = Platform::installed();
    let nothing = Value::Null;
    let refused = |args: &[&str], input: &Value, why: &str| {
        platform.refused(ANYBODY, args, input, why);
    };
    let project = random_id();
    let good = environment(&project, 1);

    let wrong = with(good.clone(), "/metadata/labels", json!({}));
    refused(CREATE, &wrong, "an environment has the labels");
    let wrong = with(good.clone(), "/metadata/name", json!("kube-foo"));
    refused(CREATE, &wrong, "is not named after its labels");
    let wrong = with(
        good.clone(),
        "/metadata/name",
        json!(format!("{project}-pr-2")),
    );
    refused(CREATE, &wrong, "is not named after its labels");
    refused(CREATE, &environment("kube", 1), "begins with kube-");
    let level = "/metadata/labels/pod-security.kubernetes.io~1enforce";
    let wrong = with(good.clone(), level, json!("privileged"));
    refused(CREATE, &wrong, "Pod Security stays enforced");
    let mut wrong = good.clone();
    wrong["metadata"]["labels"]["istio-injection"] = json!("enabled");
    refused(
        CREATE,
        &wrong,
        "labels and annotations that k8s-ee does not set",
    );

    refused(
        &["delete", "namespace", "kube-system", "--wait=false"],
        &nothing,
        "may not be deleted",
    );
    refused(
        &["delete", "namespace", SYSTEM, "--wait=false"],
        &nothing,
        "is not a preview environment",
    );
    let labels = "k8s-ee/type=ephemeral app.kubernetes.io/managed-by=github-actions k8s-ee/project-id=default";
    let label: Vec<&str> = ["label", "namespace", "default"]
        .into_iter()
        .chain(labels.split(' '))
        .collect();
    refused(&label, &nothing, "is not a preview environment");

    platform.allowed(ANYBODY, CREATE, &good);
    let name = good["metadata"]["name"].as_str().expect("a name");
    let privileged = "pod-security.kubernetes.io/enforce=privileged";
    refused(
        &["label", "--overwrite", "namespace", name, privileged],
        &nothing,
        "Pod Security stays enforced",
    );
    refused(
        &["label", "namespace", name, "k8s-ee/type-"],
        &nothing,
        "an environment has the labels",
    );
    // Somebody else's label stays.
    apply(&json!({"apiVersion": "v1", "kind": "Namespace",
        "metadata": {"name": name, "labels": {"team": "shop"}}}));
    refused(
        &["label", "namespace", name, "team-"],
        &nothing,
        "may not be removed",
    );
    platform.allowed(
        ANYBODY,
        &["annotate", "namespace", name, "k8s-ee/state=running"],
        &nothing,
    );
    platform.allowed(
        ANYBODY,
        &["delete", "namespace", name, "--wait=false"],
        &nothing,
    );
}

#[test]
fn rights_come_from_bindings_in_environments_and_cannot_be_passed_on() {
    let platform = Platform::installed();
    let nothing = Value::Null;
    let project = random_id();
    let namespace = format!("{project}-pr-1");
    platform.allowed(ANYBODY, CREATE, &environment(&project, 1));
    let server_side = ["apply", "--server-side", "--force-conflicts", "-f", "-"];
    let refused = |input: &Value, why: &str| platform.refused(ANYBODY, &server_side, input, why);

    // Before there is a binding there are no rights, not even in an environment.
    assert!(!may(ANYBODY, "list", "secrets", Some(&namespace), ""));
    let good = |namespace: &str| {
        binding(
            namespace,
            "k8s-ee-deployer",
            "k8s-ee-environment",
            account(ANYBODY),
        )
    };
    for foreign in ["default", "kube-system", SYSTEM] {
        refused(&good(foreign), "is not a preview environment");
    }
    refused(
        &binding(
            &namespace,
            "k8s-ee-deployer",
            "cluster-admin",
            account(ANYBODY),
        ),
        "attempting to grant RBAC permissions not currently held",
    );
    let intruder = json!({"kind": "ServiceAccount", "name": "default", "namespace": "default"});
    refused(
        &binding(
            &namespace,
            "k8s-ee-deployer",
            "k8s-ee-environment",
            intruder.clone(),
        ),
        "is none that k8s-ee makes",
    );
    refused(
        &binding(&namespace, "mine", "k8s-ee-environment", account(ANYBODY)),
        "cannot patch resource \"rolebindings\"",
    );
    platform.allowed(ANYBODY, &server_side, &good(&namespace));
    let there = ["get", "secrets", "--namespace", &namespace];
    eventually("the binding counts", || {
        let asked = platform.kubectl(ANYBODY, &there, &nothing);
        asked.status.success().then_some(())
    });

    // With all rights in the environment there is still no way to give them to others, or to get more.
    refused(
        &binding(&namespace, "mine", "k8s-ee-environment", account(ANYBODY)),
        "is none that k8s-ee makes",
    );
    let role = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": "more", "namespace": namespace},
        "rules": [{"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["create"]}],
    });
    refused(
        &role,
        "attempting to grant RBAC permissions not currently held",
    );
    let less = with(
        role,
        "/rules/0",
        json!({"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}),
    );
    platform.allowed(ANYBODY, &server_side, &less);
    let mut passed = binding(&namespace, "more", "more", intruder);
    passed["roleRef"]["kind"] = json!("Role");
    refused(&passed, "is none that k8s-ee makes");
    let service = json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": "dns", "namespace": namespace},
        "spec": {"ports": [{"port": 53}], "externalIPs": ["192.0.2.1"]},
    });
    refused(&service, "takes addresses of others");

    for (verb, resource) in [
        ("create", "pods/exec"),
        ("update", "secrets"),
        ("impersonate", "serviceaccounts"),
    ] {
        assert!(
            !may(ANYBODY, verb, resource, Some(&namespace), ""),
            "{verb} {resource}"
        );
    }
    for (verb, resource) in [
        ("get", "secrets"),
        ("list", "secrets"),
        ("list", "configmaps"),
        ("list", "pods"),
        ("create", "deployments.apps"),
        ("create", "pods"),
        ("delete", "pods"),
        ("create", "rolebindings.rbac.authorization.k8s.io"),
        ("create", "serviceaccounts/token"),
    ] {
        for foreign in [None, Some("default"), Some("kube-system"), Some(SYSTEM)] {
            assert!(
                !may(ANYBODY, verb, resource, foreign, ""),
                "{verb} {resource} in {foreign:?}"
            );
        }
    }
    for (verb, resource, name) in [
        ("list", "nodes", ""),
        ("create", "persistentvolumes", ""),
        ("delete", "persistentvolumes", ""),
        (
            "create",
            "clusterrolebindings.rbac.authorization.k8s.io",
            "",
        ),
        ("create", "clusterroles.rbac.authorization.k8s.io", ""),
        (
            "patch",
            "clusterroles.rbac.authorization.k8s.io",
            "k8s-ee-environment",
        ),
        (
            "escalate",
            "clusterroles.rbac.authorization.k8s.io",
            "k8s-ee-environment",
        ),
        (
            "bind",
            "clusterroles.rbac.authorization.k8s.io",
            "cluster-admin",
        ),
        ("bind", "clusterroles.rbac.authorization.k8s.io", ""),
        ("impersonate", "users", ""),
        ("impersonate", "groups", "system:masters"),
        (
            "delete",
            "validatingadmissionpolicybindings.admissionregistration.k8s.io",
            "",
        ),
        ("update", "namespaces/finalize", ""),
    ] {
        assert!(
            !may(ANYBODY, verb, resource, None, name),
            "{verb} {resource} {name}"
        );
    }
    // What it may do, so that an account that may do nothing does not pass.
    assert!(may(ANYBODY, "create", "namespaces", None, ""));
    assert!(may(
        ANYBODY,
        "get",
        "configmaps",
        Some(SYSTEM),
        "k8s-ee-platform"
    ));
    assert!(!may(ANYBODY, "get", "configmaps", Some(SYSTEM), "another"));
    assert!(!may(
        ANYBODY,
        "patch",
        "configmaps",
        Some(SYSTEM),
        "k8s-ee-platform"
    ));
    platform.refused(
        ANYBODY,
        &["get", "secrets", "--all-namespaces"],
        &nothing,
        "cannot list resource",
    );
    platform.refused(
        ANYBODY,
        &["get", "secrets", "--namespace", "kube-system"],
        &nothing,
        "cannot list resource",
    );
    platform.refused(ANYBODY, &["get", "nodes"], &nothing, "cannot list resource");
    platform.allowed(
        ANYBODY,
        &["delete", "namespace", &namespace, "--wait=false"],
        &nothing,
    );
}

#[test]
fn an_account_of_one_project_has_nothing_to_do_with_others() {
    let platform = Platform::installed();
    let somebody = platform.somebody.as_str();
    let kubeconfig = platform.kubeconfig(somebody);
    let yaml = "app: {port: 8080}\n";
    let mut own = Project::with_id(platform.project.clone(), yaml);
    let up = ["up", "--pr", "1", "--image", TESTAPP];
    own.run_as(&kubeconfig, &up).ok();
    let mut other = Project::new(yaml);
    other
        .run_as(&kubeconfig, &up)
        .exit(4)
        .says(&["deploys no environments of the project"]);
    other.run_as(&platform.kubeconfig(ANYBODY), &up).ok();
    let namespace = other.namespace(1);
    let subjects = other.get("rolebinding/k8s-ee-deployer")["subjects"].clone();
    assert_eq!(subjects, json!([account(ANYBODY), account(SWEEP)]));

    let nothing = Value::Null;
    platform.refused(
        somebody,
        &["delete", "namespace", &namespace, "--wait=false"],
        &nothing,
        "deploys no environments of the project",
    );
    let secrets = ["get", "secrets", "--namespace", &namespace];
    platform.refused(somebody, &secrets, &nothing, "cannot list resource");
    let taken = binding(
        &namespace,
        "k8s-ee-deployer",
        "k8s-ee-environment",
        account(somebody),
    );
    let server_side = ["apply", "--server-side", "--force-conflicts", "-f", "-"];
    platform.refused(
        somebody,
        &server_side,
        &taken,
        "deploys no environments of the project",
    );
    other.run_as(&kubeconfig, &["down", "--pr", "1"]).exit(4);
    // What it may not look into it can still name.
    let list = own.run_as(&kubeconfig, &["list", "-o", "json"]).ok().json();
    let listed = list["environments"].as_array().expect("a list");
    let quota_of = |namespace: String| {
        let one = listed.iter().find(|one| one["namespace"] == namespace);
        one.expect("it is listed")["quota"].clone()
    };
    assert_ne!(quota_of(own.namespace(1)), json!({}));
    assert_eq!(quota_of(namespace), json!({}));
    own.run_as(&kubeconfig, &["down", "--pr", "1"]).ok();
}
