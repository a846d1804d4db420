//! A cluster with little more than namespaces in it, which remembers what was done to them.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use json_patch::merge;
use serde_json::{Value, json};
use wiremock::{Mock, MockServer, Request, ResponseTemplate, matchers::any};

/// What happens to a namespace just before the first request of a method to it.
type Meddle = (&'static str, Box<dyn Fn(&mut Value) + Send>);

/// The cluster.
pub(super) struct Cluster {
    server: MockServer,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    namespaces: BTreeMap<String, Value>,
    version: u64,
    /// Those that do not go when they are deleted.
    stuck: Vec<String>,
    meddle: BTreeMap<String, Meddle>,
    written: Vec<String>,
    reads: usize,
}

impl Cluster {
    pub(super) async fn start(namespaces: impl IntoIterator<Item = Value>) -> Self {
        let mut state = State::default();
        for mut namespace in namespaces {
            state.version += 1;
            let name = namespace["metadata"]["name"].as_str().expect("a name");
            let name = name.to_owned();
            namespace["metadata"]["uid"] = format!("uid-of-{name}").into();
            namespace["metadata"]["resourceVersion"] = state.version.to_string().into();
            state.namespaces.insert(name, namespace);
        }
        let state = Arc::new(Mutex::new(state));
        let server = MockServer::start().await;
        let shared = Arc::clone(&state);
        Mock::given(any())
            .respond_with(move |request: &Request| {
                let mut state = shared.lock().expect("nobody panics while holding it");
                state.answer(request)
            })
            .mount(&server)
            .await;
        Self { server, state }
    }

    pub(super) fn url(&self) -> String {
        self.server.uri()
    }

    fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.state.lock().expect("nobody panics while holding it"))
    }

    /// A namespace; none when it is gone.
    pub(super) fn namespace(&self, name: &str) -> Option<Value> {
        self.with(|state| state.namespaces.get(name).cloned())
    }

    /// The names of those that are there.
    pub(super) fn names(&self) -> Vec<String> {
        self.with(|state| state.namespaces.keys().cloned().collect())
    }

    /// Something in it holds this namespace when it is deleted.
    pub(super) fn stick(&self, name: &str) {
        self.with(|state| state.stuck.push(name.to_owned()));
    }

    /// Somebody changes a namespace just before the first request of this method to it.
    pub(super) fn meddle(
        &self,
        name: &str,
        method: &'static str,
        change: impl Fn(&mut Value) + Send + 'static,
    ) {
        let meddle: Meddle = (method, Box::new(change));
        self.with(|state| state.meddle.insert(name.to_owned(), meddle));
    }

    /// What was written, as method and path.
    pub(super) fn written(&self) -> Vec<String> {
        self.with(|state| state.written.clone())
    }

    /// How often it was read.
    pub(super) fn reads(&self) -> usize {
        self.with(|state| state.reads)
    }
}

impl State {
    fn answer(&mut self, request: &Request) -> ResponseTemplate {
        let path = request.url.path().to_owned();
        let query: BTreeMap<String, String> = request.url.query_pairs().into_owned().collect();
        let method = request.method.as_str();
        if method == "GET" {
            self.reads += 1;
        }
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        match (method, parts.as_slice()) {
            ("GET", ["api", "v1", "namespaces"]) if query.contains_key("watch") => {
                ResponseTemplate::new(200).set_body_string("")
            }
            ("GET", ["api", "v1", "namespaces"]) => self.list(&query),
            (_, ["api", "v1", "namespaces", name]) => self.one(method, name, request),
            ("GET", [.., "namespaces", _, "configmaps"]) => {
                list(vec![json!({"metadata": {"name": "app"}})], 1)
            }
            // There is nothing else in them.
            ("GET", [.., "namespaces", _, _]) => list(Vec::new(), 1),
            ("DELETE", [.., "namespaces", _, _]) => {
                ResponseTemplate::new(200).set_body_json(json!({"kind": "Status"}))
            }
            _ => refusal(404, "NotFound"),
        }
    }

    fn list(&self, query: &BTreeMap<String, String>) -> ResponseTemplate {
        let field = query.get("fieldSelector").map(String::as_str);
        let label = query.get("labelSelector").map(String::as_str);
        let fits = |(name, namespace): &(&String, &Value)| {
            let is_named = field.is_none_or(|field| field == format!("metadata.name={name}"));
            let labels = label
                .unwrap_or_default()
                .split(',')
                .filter(|part| !part.is_empty());
            is_named
                && labels
                    .map(|part| part.split_once('=').expect("an equality"))
                    .all(|(key, value)| namespace["metadata"]["labels"][key] == value)
        };
        let found = self.namespaces.iter().filter(fits);
        list(
            found.map(|(_, namespace)| namespace.clone()).collect(),
            self.version,
        )
    }

    fn one(&mut self, method: &str, name: &str, request: &Request) -> ResponseTemplate {
        let meddles = self.meddle.get(name).is_some_and(|(on, _)| *on == method);
        if meddles
            && let Some((_, change)) = self.meddle.remove(name)
            && let Some(namespace) = self.namespaces.get_mut(name)
        {
            self.version += 1;
            change(namespace);
            namespace["metadata"]["resourceVersion"] = self.version.to_string().into();
        }
        if method != "GET" {
            self.written.push(format!("{method} {name}"));
        }
        let Some(namespace) = self.namespaces.get_mut(name) else {
            return refusal(404, "NotFound");
        };
        let body: Value = request.body_json().unwrap_or_default();
        let version = namespace["metadata"]["resourceVersion"].clone();
        match method {
            "GET" => ResponseTemplate::new(200).set_body_json(&*namespace),
            "PATCH" => {
                let wanted = &body["metadata"]["resourceVersion"];
                assert!(wanted.is_string(), "a change without a version: {body}");
                if *wanted != version {
                    return refusal(409, "Conflict");
                }
                merge(namespace, &body);
                self.version += 1;
                namespace["metadata"]["resourceVersion"] = self.version.to_string().into();
                ResponseTemplate::new(200).set_body_json(&*namespace)
            }
            "DELETE" => {
                let wanted = &body["preconditions"];
                assert!(wanted.is_object(), "a deletion without conditions: {body}");
                if wanted["resourceVersion"] != version
                    || wanted["uid"] != namespace["metadata"]["uid"]
                {
                    return refusal(409, "Conflict");
                }
                if self.stuck.iter().any(|stuck| stuck == name) {
                    namespace["metadata"]["deletionTimestamp"] =
                        jiff::Timestamp::now().to_string().into();
                    namespace["status"] = json!({"conditions": [{
                        "type": "NamespaceFinalizersRemaining", "status": "True",
                        "message": "held by example.com/hold",
                    }]});
                } else {
                    self.namespaces.remove(name);
                }
                ResponseTemplate::new(200).set_body_json(json!({"kind": "Status"}))
            }
            _ => refusal(405, "MethodNotAllowed"),
        }
    }
}

fn list(items: Vec<Value>, version: u64) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(json!({
        "apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": version.to_string()}, "items": items,
    }))
}

fn refusal(code: u16, reason: &str) -> ResponseTemplate {
    ResponseTemplate::new(code).set_body_json(json!({
        "apiVersion": "v1", "kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": reason,
    }))
}
