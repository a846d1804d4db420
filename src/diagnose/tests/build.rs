//! Builders of environments and of what is seen of them: objects as the API server returns them, in few words.

use serde_json::{Value, json};

use super::super::{
    LogTail, Observed, Operated, Refusal, Secret, UrlCheck, UrlOutcome, diagnose, fatal, report,
};
use crate::{
    config::file::EnvSource,
    model::{
        Compute, Database, DatabaseKind, Environment, EnvironmentKey, Identity, Mode, Origin,
        Service, ServiceIngress, object::ObjectId, operator::Operator,
    },
    quantity::Quantity,
};

/// An environment and what was seen of it.
pub(super) struct Case {
    pub(super) env: Environment,
    pub(super) observed: Observed,
}

impl Case {
    /// The short form: one service `app` on port 3000, in namespace `shop-pr-12`.
    pub(super) fn app() -> Self {
        let mut app = service("app");
        app.origin = Origin::Short;
        app.ingress = Some(ServiceIngress {
            host: "shop-pr-12.preview.example.com".to_owned(),
            annotations: std::collections::BTreeMap::new(),
        });
        Self::of(vec![app])
    }

    /// The general form with these services.
    pub(super) fn services(names: &[&str]) -> Self {
        Self::of(names.iter().map(|name| service(name)).collect())
    }

    fn of(services: Vec<Service>) -> Self {
        Self {
            env: Environment {
                identity: Identity {
                    project_id: "shop".to_owned(),
                    key: EnvironmentKey::Pr(12),
                    namespace: "shop-pr-12".to_owned(),
                    host: Some("shop-pr-12.preview.example.com".to_owned()),
                    scheme: "https".to_owned(),
                    repository: None,
                    branch: None,
                    profile: crate::model::Profile::Default,
                    commit: None,
                },
                services,
                databases: Vec::new(),
                seeds: Vec::new(),
                ttl: None,
            },
            observed: Observed::default(),
        }
    }

    /// With a database, whose variables every service is given.
    pub(super) fn with(mut self, kind: DatabaseKind) -> Self {
        self.env.databases.push(Database {
            kind,
            mode: Mode::Standalone,
            options: Value::Null,
        });
        for service in &mut self.env.services {
            service.databases.push(kind);
        }
        self
    }

    /// Options of the last database.
    pub(super) fn options(mut self, options: Value) -> Self {
        self.env
            .databases
            .last_mut()
            .expect("a database was added")
            .options = options;
        self
    }

    /// What an operator says of its database.
    pub(super) fn operated(mut self, kind: DatabaseKind, state: &str) -> Self {
        let operator = Operator::of_database(kind).expect("an operator");
        let (api_version, resource) = operator.resource();
        self.observed.operated.push(Operated {
            component: kind.name().to_owned(),
            object: ObjectId {
                api_version: api_version.to_owned(),
                kind: resource.to_owned(),
                namespace: None,
                name: operator.name(),
            },
            state: state.to_owned(),
        });
        self
    }

    /// Changes the first service.
    pub(super) fn service(mut self, change: impl FnOnce(&mut Service)) -> Self {
        change(&mut self.env.services[0]);
        self
    }

    /// One service waits for another.
    pub(super) fn depends(mut self, service: &str, on: &str) -> Self {
        let services = self.env.services.iter_mut();
        for service in services.filter(|s| s.name == service) {
            service.depends_on.push(on.to_owned());
        }
        self
    }

    /// A Deployment with one pod in this state, named `{component}-new-1`.
    pub(super) fn pod(self, component: &str, state: &State) -> Self {
        let ready = state.ready;
        self.deployment(component, ready)
            .replica_set(component, "new", 2)
            .running_pod(component, "new", state)
    }

    /// The Deployment of a component, at its second revision.
    pub(super) fn deployment(mut self, component: &str, ready: bool) -> Self {
        let (available, unavailable) = if ready { (1, 0) } else { (0, 1) };
        self.observed.deployments.push(object(json!({
            "metadata": {
                "name": component, "generation": 2, "labels": {"k8s-ee/component": component},
                "annotations": {"deployment.kubernetes.io/revision": "2"},
            },
            "spec": {"replicas": 1, "selector": {}, "template": {}},
            "status": {
                "observedGeneration": 2, "replicas": 1, "updatedReplicas": 1,
                "availableReplicas": available, "unavailableReplicas": unavailable,
            },
        })));
        self
    }

    /// A ReplicaSet `{component}-{suffix}` of the component's Deployment.
    pub(super) fn replica_set(mut self, component: &str, suffix: &str, revision: u32) -> Self {
        self.observed.replica_sets.push(object(json!({
            "metadata": {
                "name": format!("{component}-{suffix}"), "labels": {"k8s-ee/component": component},
                "annotations": {"deployment.kubernetes.io/revision": revision.to_string()},
                "ownerReferences": [{"apiVersion": "apps/v1", "kind": "Deployment", "name": component, "uid": "d", "controller": true}],
            },
            "spec": {"replicas": 1, "selector": {}},
            "status": {"replicas": 1},
        })));
        self
    }

    /// A pod `{component}-{suffix}-1` of that ReplicaSet.
    pub(super) fn running_pod(mut self, component: &str, suffix: &str, state: &State) -> Self {
        let name = format!("{component}-{suffix}-1");
        let owner = json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": format!("{component}-{suffix}"), "uid": "r", "controller": true});
        self.observed
            .pods
            .push(object(pod(component, &name, &owner, state)));
        self
    }

    /// A StatefulSet `app-{component}` with one pod in this state.
    pub(super) fn stateful(mut self, component: &str, state: &State) -> Self {
        let name = format!("app-{component}");
        self.observed.stateful_sets.push(object(json!({
            "metadata": {"name": name, "generation": 1, "labels": {"k8s-ee/component": component}},
            "spec": {"replicas": 1, "selector": {}, "serviceName": name, "template": {}},
            "status": {
                "observedGeneration": 1, "replicas": 1, "currentRevision": "a", "updateRevision": "a",
                "readyReplicas": i32::from(state.ready),
            },
        })));
        let owner = json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "name": name, "uid": "s", "controller": true});
        self.observed
            .pods
            .push(object(pod(component, &format!("{name}-0"), &owner, state)));
        self
    }

    /// A StatefulSet that has no pod yet.
    pub(super) fn stateful_without_pod(self, component: &str) -> Self {
        let mut case = self.stateful(component, &State::running());
        case.observed.pods.pop();
        let set = case.observed.stateful_sets.last_mut().expect("just pushed");
        set.status.as_mut().expect("built with one").replicas = 0;
        case
    }

    /// A claim of a StatefulSet's pod: its phase and storage class.
    pub(super) fn claim(mut self, name: &str, phase: &str, class: Option<&str>) -> Self {
        self.observed.claims.push(object(json!({
            "metadata": {"name": name},
            "spec": {"storageClassName": class, "resources": {"requests": {"storage": "1Gi"}}},
            "status": {"phase": phase},
        })));
        self
    }

    /// An event about an object, as often as said.
    pub(super) fn event(
        mut self,
        about: (&str, &str),
        reason: &str,
        message: &str,
        count: u32,
    ) -> Self {
        let (kind, name) = about;
        let warning = ![
            "Pulling",
            "Pulled",
            "Killing",
            "ExternalProvisioning",
            "WaitForFirstConsumer",
        ]
        .contains(&reason);
        let number = self.observed.events.len();
        self.observed.events.push(object(json!({
            "metadata": {"name": format!("{name}.{number}")},
            "involvedObject": {"kind": kind, "name": name},
            "reason": reason, "message": message, "count": count,
            "type": if warning { "Warning" } else { "Normal" },
            "lastTimestamp": format!("2026-11-20T10:00:{number:02}Z"),
        })));
        self
    }

    /// The log of the pod's main container, of the run before the present one when `previous`.
    pub(super) fn log(
        mut self,
        pod: &str,
        container: &str,
        previous: bool,
        lines: &[&str],
    ) -> Self {
        self.observed.logs.push(LogTail {
            pod: pod.to_owned(),
            container: container.to_owned(),
            previous,
            lines: lines.iter().map(|&line| line.to_owned()).collect(),
        });
        self
    }

    /// An object that the API server did not take.
    pub(super) fn refusal(mut self, kind: &str, name: &str, code: u16, message: &str) -> Self {
        let reason = match code {
            403 => "Forbidden",
            404 => "NotFound",
            409 => "Conflict",
            422 => "Invalid",
            500 => "InternalError",
            _ => "Unknown",
        };
        self.observed.refusals.push(Refusal {
            object: ObjectId {
                api_version: "v1".to_owned(),
                kind: kind.to_owned(),
                namespace: Some("shop-pr-12".to_owned()),
                name: name.to_owned(),
            },
            component: None,
            code,
            reason: reason.to_owned(),
            message: message.to_owned(),
        });
        self
    }

    /// A refusal that the component's newest ReplicaSet met when it made its pod.
    pub(super) fn pod_refused(mut self, component: &str, message: &str) -> Self {
        self = self
            .deployment(component, false)
            .replica_set(component, "new", 2);
        let set = self.observed.replica_sets.last_mut().expect("just pushed");
        set.status = Some(object(json!({
            "replicas": 0,
            "conditions": [{"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": message}],
        })));
        self
    }

    /// How the URL answered.
    pub(super) fn url(mut self, path: &str, outcome: UrlOutcome) -> Self {
        let url = format!("https://shop-pr-12.preview.example.com{path}");
        self.observed.url_check = Some(UrlCheck { url, outcome });
        self
    }

    /// A value that must not be printed.
    pub(super) fn secret(mut self, value: &str) -> Self {
        self.observed.secrets.push(Secret::new(value));
        self
    }

    /// A Secret that the first service asks for.
    pub(super) fn env_from(self, name: &str) -> Self {
        let source = EnvSource::SecretRef(crate::config::file::ObjectName {
            name: name.to_owned(),
        });
        self.service(|service| service.env_from.push(source))
    }

    /// What the user reads, and the cause that would have ended the wait.
    pub(super) fn report(&self) -> String {
        let causes = diagnose(&self.env, &self.observed);
        let fatal = fatal(&self.env, &self.observed);
        let fatal = fatal.map_or("no".to_owned(), |cause| cause.code.to_string());
        format!("{}fatal: {fatal}", report::human(&causes, &locate))
    }
}

/// The file that the reports point into has these keys only.
fn locate(pointer: &str) -> Option<String> {
    let line = match pointer {
        "/app" => 2,
        "/app/port" => 3,
        "/services" => 2,
        "/services/api" => 3,
        "/services/api/port" => 4,
        "/envFrom" | "/envFrom/0" => 6,
        "/databases" => 20,
        "/databases/postgresql" => 21,
        _ => return None,
    };
    Some(format!("k8s-ee.yaml:{line}"))
}

fn object<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("the builder makes objects that Kubernetes would")
}

fn service(name: &str) -> Service {
    let compute = |cpu, memory| Compute {
        cpu: Quantity::milli(cpu),
        memory: Quantity::mebi(memory),
    };
    Service {
        name: name.to_owned(),
        origin: Origin::General,
        image: format!("ghcr.io/acme/{name}:1.2"),
        command: Vec::new(),
        args: Vec::new(),
        port: 3000,
        health_path: "/health".to_owned(),
        liveness_path: None,
        readiness_path: None,
        requests: compute(50, 128),
        limits: compute(200, 384),
        env: std::collections::BTreeMap::new(),
        env_from: Vec::new(),
        writable_dirs: Vec::new(),
        depends_on: Vec::new(),
        databases: Vec::new(),
        replicas: 1,
        ingress: None,
        metrics: None,
        autoscaling: None,
        disruption_budget: None,
    }
}

fn pod(component: &str, name: &str, owner: &Value, state: &State) -> Value {
    let probe = |path: &str, timeout: u32| json!({"httpGet": {"path": path, "port": "http"}, "timeoutSeconds": timeout});
    let mut container = json!({
        "name": component, "image": format!("ghcr.io/acme/{component}:1.2"),
        "ports": [{"name": "http", "containerPort": 3000}],
        "resources": {"limits": {"cpu": "200m", "memory": "384Mi"}, "requests": {"cpu": "50m", "memory": "128Mi"}},
        "startupProbe": probe("/health", 1), "readinessProbe": probe("/health", 3), "livenessProbe": probe("/health", 5),
    });
    let mut spec = json!({"restartPolicy": "Always", "securityContext": {"runAsUser": 1001}, "nodeName": "node-1"});
    if let Some(claim) = &state.claim {
        spec["volumes"] = json!([{"name": "data", "persistentVolumeClaim": {"claimName": claim}}]);
        container["startupProbe"] = json!({"tcpSocket": {"port": 5432}});
    }
    if let Some(image) = &state.image {
        container["image"] = json!(image);
    }
    let mut status = json!({
        "phase": state.phase,
        "conditions": [{"type": "Ready", "status": if state.ready { "True" } else { "False" }}],
        "containerStatuses": [state.container(component)],
    });
    if let Some(message) = &state.unschedulable {
        spec["nodeName"] = Value::Null;
        status["containerStatuses"] = json!([]);
        status["conditions"] = json!([{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}]);
    }
    if let Some((reason, message)) = &state.failed {
        status = json!({"phase": "Failed", "reason": reason, "message": message});
    }
    if let Some(init) = &state.init {
        spec["initContainers"] = json!([{"name": init.0, "image": "ghcr.io/acme/init:1"}]);
        status["initContainerStatuses"] = json!([init.1.container(&init.0)]);
    }
    spec["containers"] = json!([container]);
    json!({
        "metadata": {"name": name, "uid": name, "labels": {"k8s-ee/component": component}, "ownerReferences": [owner]},
        "spec": spec, "status": status,
    })
}

/// The state of a pod with one container.
#[derive(Clone)]
pub(super) struct State {
    ready: bool,
    started: bool,
    phase: &'static str,
    restarts: u32,
    now: Value,
    before: Value,
    claim: Option<String>,
    image: Option<String>,
    unschedulable: Option<String>,
    failed: Option<(String, String)>,
    init: Option<(String, Box<State>)>,
}

impl State {
    fn new(phase: &'static str, now: Value) -> Self {
        Self {
            ready: false,
            started: false,
            phase,
            restarts: 0,
            now,
            before: Value::Null,
            claim: None,
            image: None,
            unschedulable: None,
            failed: None,
            init: None,
        }
    }

    /// Running and ready.
    pub(super) fn ready() -> Self {
        Self {
            ready: true,
            started: true,
            ..Self::running()
        }
    }

    /// Running, start-up probe not passed.
    pub(super) fn running() -> Self {
        Self::new(
            "Running",
            json!({"running": {"startedAt": "2026-11-20T10:00:00Z"}}),
        )
    }

    /// Waiting for a reason.
    pub(super) fn waiting(reason: &str, message: &str) -> Self {
        Self::new(
            "Pending",
            json!({"waiting": {"reason": reason, "message": message}}),
        )
    }

    /// Ended `restarts` + 1 times, the last time so, and backing off.
    pub(super) fn crashed(exit_code: i32, reason: &str, restarts: u32) -> Self {
        let mut state = Self::waiting(
            "CrashLoopBackOff",
            "back-off 20s restarting failed container",
        );
        state.phase = "Running";
        state.restarts = restarts;
        state.before = ended(exit_code, reason, "");
        state
    }

    /// Ended `restarts` times, the last time so, and running again.
    pub(super) fn restarted(exit_code: i32, reason: &str, restarts: u32) -> Self {
        let before = ended(exit_code, reason, "");
        Self {
            restarts,
            before,
            ..Self::running()
        }
    }

    /// Without a node.
    pub(super) fn unschedulable(message: &str) -> Self {
        let mut state = Self::new("Pending", json!({}));
        state.unschedulable = Some(message.to_owned());
        state
    }

    /// Stopped by its node.
    pub(super) fn failed(reason: &str, message: &str) -> Self {
        let mut state = Self::new("Failed", json!({}));
        state.failed = Some((reason.to_owned(), message.to_owned()));
        state
    }

    /// With a message of the runtime on how it ended.
    pub(super) fn told(mut self, message: &str) -> Self {
        self.before["terminated"]["message"] = json!(message);
        self
    }

    /// Past its start-up probe.
    pub(super) fn started(mut self) -> Self {
        self.started = true;
        self
    }

    /// With a volume, as databases have; they are probed on TCP port 5432.
    pub(super) fn claim(mut self, name: &str) -> Self {
        self.claim = Some(name.to_owned());
        self
    }

    /// With another image.
    pub(super) fn image(mut self, image: &str) -> Self {
        self.image = Some(image.to_owned());
        self
    }

    /// With an init container in a state of its own.
    pub(super) fn init(mut self, name: &str, state: Self) -> Self {
        self.init = Some((name.to_owned(), Box::new(state)));
        self
    }

    fn container(&self, name: &str) -> Value {
        json!({
            "name": name, "image": "", "imageID": "", "ready": self.ready, "started": self.started,
            "restartCount": self.restarts, "state": self.now, "lastState": self.before,
        })
    }
}

fn ended(exit_code: i32, reason: &str, message: &str) -> Value {
    json!({"terminated": {
        "exitCode": exit_code, "reason": reason, "message": message,
        "startedAt": "2026-11-20T09:59:00Z", "finishedAt": "2026-11-20T10:00:00Z",
    }})
}
