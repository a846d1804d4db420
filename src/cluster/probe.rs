//! Tries whether network policies are enforced: one pod serves, one asks it again and again, a policy closes the door and
//! is taken away again. Everything is in a namespace of its own, which is removed whatever happens; what a killed run
//! left behind goes with the next one.

use std::time::Duration;

use futures::{AsyncBufReadExt as _, Stream, StreamExt as _};
use k8s_openapi::api::core::v1::Pod;
use kube::{Api, api::LogParams};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Cluster, observe, path::Collection};
use crate::{
    deploy::live,
    doctor::facts::Enforcement,
    model::{labels, object::Object},
    signal,
};

/// Longest that the pods may take to run, image included.
const START: Duration = Duration::from_secs(180);

/// Longest until a policy must have an effect.
const EFFECT: Duration = Duration::from_secs(60);

/// An answer that is older than this says nothing of now.
const FRESH: Duration = Duration::from_secs(15);

/// So many answers in a row count as closed: a single one may be lost by itself.
const IN_A_ROW: usize = 3;

/// Longest that a probe lives; its pods end by themselves after that.
const LIFE: jiff::SignedDuration = jiff::SignedDuration::from_secs(600);

const PORT: u16 = 8080;

/// Value of [`labels::TYPE`] on the namespaces of probes.
const TYPE_PROBE: &str = "probe";

/// States of a pod or its container that waiting does not heal.
const HOPELESS: &[&str] = &[
    "Failed",
    "ImagePullBackOff",
    "InvalidImageName",
    "CreateContainerConfigError",
];

/// Why it could not be told whether policies are enforced.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// Somebody stopped it; nothing is left behind.
    #[error("stopped by {0}")]
    Interrupted(&'static str),
    /// It could not be tried, in words.
    #[error("{0}")]
    Untried(String),
}

impl From<super::ClusterError> for ProbeError {
    fn from(error: super::ClusterError) -> Self {
        Self::Untried(error.to_string())
    }
}

/// Tries it with pods of this image; `tell` hears the namespace before it is made.
///
/// # Errors
/// It could not be tried, it was stopped, or its namespace could not be removed.
pub async fn enforcement(
    cluster: &Cluster,
    image: &str,
    tell: impl Fn(&str),
) -> Result<Enforcement, ProbeError> {
    signal::expect();
    remove_leftovers(cluster).await;
    let namespace = format!(
        "k8s-ee-doctor-{:x}",
        jiff::Timestamp::now().as_millisecond()
    );
    tell(&namespace);
    let own = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": {
        labels::MANAGED_BY: "k8s-ee", labels::TYPE: TYPE_PROBE, "pod-security.kubernetes.io/enforce": "restricted"}}});
    // To its end, whoever interrupts: what is still being made cannot be removed.
    cluster.apply(&object(own)).await?;
    let found = tokio::select! {
        found = attempt(cluster, &namespace, image) => found,
        signal = signal::next() => Err(ProbeError::Interrupted(signal)),
    };
    let removed = cluster.delete(&live::namespace_id(&namespace), None).await;
    match removed {
        Ok(_) => found,
        Err(error) => Err(ProbeError::Untried(format!(
            "the namespace {namespace} could not be removed: {error}; kubectl delete namespace {namespace}"
        ))),
    }
}

/// Removes the namespaces of probes that were killed. What may not be listed or removed stays: this is not what was asked
/// for.
async fn remove_leftovers(cluster: &Cluster) {
    let namespaces = Collection {
        api_version: "v1",
        kind: "Namespace",
        namespace: None,
    };
    let listed = cluster
        .list(&namespaces, &format!("{}={TYPE_PROBE}", labels::TYPE))
        .await;
    let oldest = jiff::Timestamp::now() - LIFE;
    for namespace in listed.ok().flatten().unwrap_or_default() {
        let made = namespace.str("/metadata/creationTimestamp");
        let made = made.and_then(|time| time.parse::<jiff::Timestamp>().ok());
        if made.is_some_and(|made| made < oldest) {
            drop(
                cluster
                    .delete(&live::namespace_id(namespace.name()), None)
                    .await,
            );
        }
    }
}

async fn attempt(
    cluster: &Cluster,
    namespace: &str,
    image: &str,
) -> Result<Enforcement, ProbeError> {
    let serve = format!(
        "mkdir -p /tmp/www && echo ok > /tmp/www/index.html && exec httpd -f -p {PORT} -h /tmp/www"
    );
    cluster
        .create(&pod(namespace, "server", image, &serve))
        .await?;
    let address = running(cluster, namespace, "server").await?;
    // By hand rather than with wget, which the static busybox of some distributions cannot start.
    let request = r"printf 'GET / HTTP/1.0\r\n\r\n'";
    let ask = format!(
        "while true; do if {request} | timeout 4 nc -w 2 {address} {PORT} 2>/dev/null | grep -q ok; then echo open; else echo closed; fi; sleep 1; done"
    );
    cluster
        .create(&pod(namespace, "client", image, &ask))
        .await?;
    running(cluster, namespace, "client").await?;

    let api: Api<Pod> = Api::namespaced(cluster.client(), namespace);
    let params = LogParams {
        follow: true,
        ..LogParams::default()
    };
    let log = api.log_stream("client", &params).await;
    let mut answers = log
        .map_err(|error| ProbeError::Untried(format!("the log of pod client: {error}")))?
        .lines();
    if says(&mut answers, OPEN, 1).await? != Said::Wanted {
        return Err(ProbeError::Untried(
            "the pods do not reach each other even without a policy".to_owned(),
        ));
    }
    let policy = object(
        json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
        "metadata": {"name": "closed", "namespace": namespace},
        "spec": {"podSelector": {}, "policyTypes": ["Ingress"]}}),
    );
    cluster.apply(&policy).await?;
    match says(&mut answers, CLOSED, IN_A_ROW).await? {
        Said::Wanted => {}
        Said::Other => return Ok(Enforcement::Ignored),
        Said::Nothing => {
            return Err(ProbeError::Untried(
                "pod client fell silent: its node may be too busy".to_owned(),
            ));
        }
    }
    // What closed it must have been the policy: a pod or a node that broke just then would not open again.
    cluster.delete(&policy.id(), None).await?;
    if says(&mut answers, OPEN, 1).await? == Said::Wanted {
        return Ok(Enforcement::Enforced);
    }
    Err(ProbeError::Untried(
        "the connection between the pods closed, but not because of the policy: it stayed closed without it".to_owned(),
    ))
}

/// What the client says of the connection.
const OPEN: &str = "open";
const CLOSED: &str = "closed";

/// What the client said within the time that a policy may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Said {
    /// What is waited for, as often in a row as it counts.
    Wanted,
    /// Not that, up to the last answer.
    Other,
    /// Nothing any more.
    Nothing,
}

/// Waits until the client has said this so often in a row.
async fn says(
    answers: &mut (impl Stream<Item = std::io::Result<String>> + Unpin),
    wanted: &str,
    in_a_row: usize,
) -> Result<Said, ProbeError> {
    let mut other: Option<Instant> = None;
    let mut row = 0;
    let seen = async {
        while let Some(Ok(answer)) = answers.next().await {
            match answer.as_str() {
                answer if answer == wanted => row += 1,
                OPEN | CLOSED => {
                    row = 0;
                    other = Some(Instant::now());
                }
                // Whatever else its programs have to say.
                _ => {}
            }
            if row == in_a_row {
                return Ok(Said::Wanted);
            }
        }
        Err(ProbeError::Untried(
            "the log of pod client broke off".to_owned(),
        ))
    };
    let seen = tokio::time::timeout(EFFECT, seen).await;
    seen.unwrap_or_else(|_| {
        let fresh = other.is_some_and(|heard| heard.elapsed() < FRESH);
        Ok(if fresh { Said::Other } else { Said::Nothing })
    })
}

/// Waits until a pod runs, and returns its address.
async fn running(cluster: &Cluster, namespace: &str, name: &str) -> Result<String, ProbeError> {
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
        address.is_some() || HOPELESS.contains(&state.as_str())
    });
    let why = |state: &str| {
        ProbeError::Untried(format!(
            "the pod {name} does not run: {state}; --probe-image names another image"
        ))
    };
    match tokio::time::timeout(START, runs).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => return Err(error.into()),
        Err(_) => return Err(why(&state)),
    }
    address.ok_or_else(|| why(&state))
}

fn pod(namespace: &str, name: &str, image: &str, script: &str) -> Object {
    object(json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "restartPolicy": "Never",
            "activeDeadlineSeconds": LIFE.as_secs(),
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
