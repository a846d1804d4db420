//! Tries whether network policies are enforced: one pod serves, one asks it again and again, and in between a policy
//! closes the door. Everything is in a namespace of its own, which is removed again whatever happens.

use std::time::Duration;

use futures::{AsyncBufReadExt as _, StreamExt as _};
use k8s_openapi::api::core::v1::Pod;
use kube::{Api, api::LogParams};
use serde_json::{Value, json};

use super::{Cluster, observe};
use crate::{
    doctor::facts::Enforcement,
    model::object::{Object, ObjectId},
};

/// Longest that the pods may take to run, image included.
const START: Duration = Duration::from_secs(180);

/// Longest until a policy must have an effect.
const EFFECT: Duration = Duration::from_secs(60);

const PORT: u16 = 8080;

/// Tries it with pods of this image.
///
/// # Errors
/// Why it could not be tried, in words.
pub async fn enforcement(cluster: &Cluster, image: &str) -> Result<Enforcement, String> {
    let namespace = format!(
        "k8s-ee-doctor-{:x}",
        jiff::Timestamp::now().as_millisecond()
    );
    let found = tokio::select! {
        found = attempt(cluster, &namespace, image) => found,
        signal = crate::signal::next() => Err(format!("stopped by {signal}")),
    };
    let id = ObjectId {
        api_version: "v1".to_owned(),
        kind: "Namespace".to_owned(),
        namespace: None,
        name: namespace.clone(),
    };
    match cluster.delete(&id, None).await {
        Ok(_) => found,
        Err(error) => Err(format!(
            "the namespace {namespace} could not be removed: {error}"
        )),
    }
}

async fn attempt(cluster: &Cluster, namespace: &str, image: &str) -> Result<Enforcement, String> {
    let said = |error: super::ClusterError| error.to_string();
    let own = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": {
        "app.kubernetes.io/managed-by": "k8s-ee", "pod-security.kubernetes.io/enforce": "restricted"}}});
    cluster.apply(&object(own)).await.map_err(said)?;
    let serve = format!(
        "mkdir -p /tmp/www && echo ok > /tmp/www/index.html && exec httpd -f -p {PORT} -h /tmp/www"
    );
    cluster
        .create(&pod(namespace, "server", image, &serve))
        .await
        .map_err(said)?;
    let address = running(cluster, namespace, "server").await?;
    // By hand rather than with wget, which the static busybox of some distributions cannot start.
    let request = r"printf 'GET / HTTP/1.0\r\n\r\n'";
    let ask = format!(
        "while true; do if {request} | nc -w 2 {address} {PORT} | grep -q ok; then echo open; else echo closed; fi; sleep 1; done"
    );
    cluster
        .create(&pod(namespace, "client", image, &ask))
        .await
        .map_err(said)?;
    running(cluster, namespace, "client").await?;

    let api: Api<Pod> = Api::namespaced(cluster.client(), namespace);
    let params = LogParams {
        follow: true,
        ..LogParams::default()
    };
    let log = api
        .log_stream("client", &params)
        .await
        .map_err(|error| error.to_string())?;
    let mut lines = log.lines();
    let mut until = async |wanted: &str, limit: Duration| {
        let seen = async {
            while let Some(line) = lines.next().await {
                if line.is_ok_and(|line| line == wanted) {
                    return true;
                }
            }
            false
        };
        tokio::time::timeout(limit, seen).await.unwrap_or(false)
    };
    if !until("open", EFFECT).await {
        return Err("the pods do not reach each other even without a policy".to_owned());
    }
    let policy = json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
        "metadata": {"name": "closed", "namespace": namespace},
        "spec": {"podSelector": {}, "policyTypes": ["Ingress"]}});
    cluster.apply(&object(policy)).await.map_err(said)?;
    Ok(if until("closed", EFFECT).await {
        Enforcement::Enforced
    } else {
        Enforcement::Ignored
    })
}

/// Waits until a pod runs, and returns its address.
async fn running(cluster: &Cluster, namespace: &str, name: &str) -> Result<String, String> {
    let mut address = None;
    let mut state = String::new();
    let runs = observe::until(cluster, namespace, name, |pod: Option<&Pod>| {
        let Some(status) = pod.and_then(|pod| pod.status.as_ref()) else {
            return false;
        };
        let containers = status.container_statuses.iter().flatten();
        let mut waiting = containers
            .filter_map(|c| c.state.as_ref()?.waiting.as_ref())
            .filter_map(|waiting| waiting.reason.clone());
        state = waiting
            .next_back()
            .or_else(|| status.phase.clone())
            .unwrap_or_default();
        let runs = status.phase.as_deref() == Some("Running");
        address = status.pod_ip.clone().filter(|_| runs);
        address.is_some()
    });
    match tokio::time::timeout(START, runs).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => return Err(error.to_string()),
        Err(_) => {
            return Err(format!(
                "the pod {name} does not run: {state}; --probe-image names another image"
            ));
        }
    }
    address.ok_or_else(|| format!("the pod {name} has no address"))
}

fn pod(namespace: &str, name: &str, image: &str, script: &str) -> Object {
    object(json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "restartPolicy": "Never",
            "activeDeadlineSeconds": 600,
            "automountServiceAccountToken": false,
            "terminationGracePeriodSeconds": 1,
            "securityContext": {"runAsNonRoot": true, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}},
            // Images without a /tmp, or with one that is root's, serve too.
            "volumes": [{"name": "tmp", "emptyDir": {}}],
            "containers": [{
                "name": "probe",
                "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
                "image": image,
                "command": ["sh", "-c", script],
                "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"cpu": "100m", "memory": "64Mi"}},
                "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}},
            }],
        },
    }))
}

fn object(document: Value) -> Object {
    Object::new(document).expect("the objects of this file have a kind and a name")
}
