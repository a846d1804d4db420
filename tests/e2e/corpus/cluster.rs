//! What pods need of the cluster: objects that they name, room, permission.

use serde_json::json;

use super::{
    Broken, CHART, CONTAINERS, PLAIN, apply_with_namespace, broken, cases, change, chart,
    make_namespace,
};
use crate::harness::{TESTAPP_2, apply, kubectl};

/// More than any node has.
const HUGE: &str = "limits:\n  containerMax: {cpu: \"1000\", memory: 1000Gi}\n  podMax: {cpu: \"1000\", memory: 1000Gi}\nquota:\n  ceiling: {}\n";

cases! {
    secret_missing: broken("app:\n  port: 8080\nenvFrom:\n  - secretRef: {name: payment}\n", &["missing-secret"]).says(&["payment"]);
    config_map_missing: broken("app:\n  port: 8080\nenvFrom:\n  - configMapRef: {name: features}\n", &["missing-config-map"]).says(&["features"]);
    secret_key_missing: broken(PLAIN, &["missing-secret"]).args(CHART).before(|project| {
        make_namespace(project);
        apply(&json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "api", "namespace": project.namespace(1)}, "stringData": {"OTHER": "x"}}));
        let variable = "          env:\n            - {name: TOKEN, valueFrom: {secretKeyRef: {name: api, key: TOKEN}}}\n          envFrom:\n";
        chart(project, &[("          envFrom:\n", variable)]);
    }).says(&["TOKEN"]);
    config_map_of_a_volume_missing: broken(PLAIN, &["missing-config-map"]).args(CHART).before(|project| {
        chart(project, &[
            ("      volumes:\n        - name: tmp\n", "      volumes:\n        - {name: settings, configMap: {name: settings}}\n        - name: tmp\n"),
            ("          volumeMounts:\n            - name: tmp\n", "          volumeMounts:\n            - {name: settings, mountPath: /settings}\n            - name: tmp\n"),
        ]);
    }).says(&["settings"]);
    service_account_missing: broken(PLAIN, &["missing-service-account"]).args(CHART).before(|project| {
        chart(project, &[(CONTAINERS, &format!("      serviceAccountName: robot\n{CONTAINERS}"))]);
    }).says(&["robot"]);
    priority_class_missing: broken(PLAIN, &["missing-priority-class"]).platform("priorityClassName: gold\n").says(&["gold"]);

    no_node_has_room: broken("app:\n  port: 8080\nresources:\n  requests: {cpu: \"900\"}\n  limits: {cpu: \"900\"}\n", &["unschedulable"]).platform(HUGE).says(&["cpu"]);
    no_node_has_memory: broken("app:\n  port: 8080\nresources:\n  requests: {memory: 900Gi}\n  limits: {memory: 900Gi}\n", &["unschedulable"]).platform(HUGE).says(&["memory"]);
    no_node_has_the_label: broken(PLAIN, &["unschedulable"]).args(CHART).before(|project| {
        chart(project, &[(CONTAINERS, &format!("      nodeSelector: {{disk: fast}}\n{CONTAINERS}"))]);
    });

    quota_of_somebody_else: broken(PLAIN, &["quota-exceeded"]).before(|project| {
        make_namespace(project);
        apply(&json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "tight", "namespace": project.namespace(1)}, "spec": {"hard": {"pods": "0"}}}));
    }).says(&["tight"]);
    quota_without_room_for_a_rollout: broken(PLAIN, &["quota-exceeded"]).before(|project| {
        make_namespace(project);
        apply(&json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "tight", "namespace": project.namespace(1)}, "spec": {"hard": {"limits.memory": "512Mi"}}}));
    }).then(|project| {
        let up = ["up", "--pr", "1", "--no-rollback", "--image", TESTAPP_2, "--timeout", "5s"];
        project.command(&up).output().expect("the binary starts");
    }).says(&["tight", "384Mi"]);
    limits_of_somebody_else: broken(PLAIN, &["limit-range-refused"]).before(|project| {
        make_namespace(project);
        apply(&json!({"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "tiny", "namespace": project.namespace(1)}, "spec": {"limits": [{"type": "Container", "max": {"memory": "64Mi"}}]}}));
    }).says(&["64Mi"]);
    pod_security_refuses: broken(PLAIN, &["admission-refused"]).args(CHART).before(|project| {
        chart(project, &[("runAsNonRoot: true", "runAsNonRoot: false"), ("runAsUser: {{ .uid }}", "runAsUser: 0")]);
    }).says(&["runAsNonRoot"]);
    policy_of_the_cluster_forbids: broken(PLAIN, &["admission-refused"]).before(|project| {
        make_namespace(project);
        let namespace = project.namespace(1);
        let selector = json!({"matchLabels": {"kubernetes.io/metadata.name": namespace}});
        apply_with_namespace(project, json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy",
            "metadata": {"name": namespace},
            "spec": {"matchConstraints": {"namespaceSelector": selector, "resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}]},
                "validations": [{"expression": "has(object.metadata.labels) && 'cost-centre' in object.metadata.labels", "message": "every pod names a cost-centre"}]}}));
        apply_with_namespace(project, json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": {"name": namespace}, "spec": {"policyName": namespace, "validationActions": ["Deny"]}}));
        // It counts from when the API server has read it.
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "try", "namespace": namespace}, "spec": {"containers": [{"name": "try", "image": "none"}]}});
        crate::harness::eventually("the policy counts", || {
            let tried = crate::harness::kubectl_with(&["create", "--dry-run=server", "-f", "-"], &pod.to_string());
            (!tried.status.success()).then_some(())
        });
    }).says(&["cost-centre"]);
    webhook_does_not_answer: broken(PLAIN, &["webhook-unavailable"]).before(|project| {
        make_namespace(project);
        let namespace = project.namespace(1);
        apply_with_namespace(project, json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": namespace},
            "webhooks": [{"name": "policy.example.com", "admissionReviewVersions": ["v1"], "sideEffects": "None", "timeoutSeconds": 2,
                "clientConfig": {"service": {"namespace": namespace, "name": "policy"}},
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
                "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}]}]}));
    });

    storage_class_missing: broken("app:\n  port: 8080\ndatabases:\n  postgresql: {version: \"15\", storage: {size: 1Gi, storageClass: fast-ssd}}\n", &["volume-pending", "dependency-failed"]).says(&["fast-ssd"]);
    volume_not_provisioned: broken("app:\n  port: 8080\n", &["volume-pending", "dependency-failed"]).before(|project| {
        make_namespace(project);
        let class = project.namespace(1);
        apply_with_namespace(project, json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": class},
            "provisioner": "rancher.io/local-path", "volumeBindingMode": "WaitForFirstConsumer", "parameters": {"nodePath": "/nowhere"}}));
        project.write(&format!("app:\n  port: 8080\ndatabases:\n  redis: {{version: \"7.0\", storage: {{size: 100Mi, storageClass: {class}}}}}\n"));
    });
    volume_lost: broken("app:\n  port: 8080\ndatabases:\n  redis: {version: \"7.0\", storage: 100Mi}\n", &["volume-lost"]).then(|project| {
        let claim = ["get", "pvc", "data-app-redis-0", "-n", &project.namespace(1), "-o", "jsonpath={.spec.volumeName}"];
        let volume = String::from_utf8_lossy(&kubectl(&claim).stdout).into_owned();
        assert!(!volume.is_empty(), "the claim has no volume");
        change(project, &["delete", "pv", &volume, "--wait=false"]);
        change(project, &["patch", "pv", &volume, "--type=merge", "-p", "{\"metadata\":{\"finalizers\":null}}"]);
        change(project, &["delete", "pod", "app-redis-0", "--grace-period=1"]);
    });
}
