//! The server: reads a request, judges it, has it answered, and judges the answer.

use std::{convert::Infallible, io, sync::Arc};

use http::{HeaderMap, Method, Request, Response, header};
use http_body_util::{BodyExt as _, Full};
use hyper::{
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::oneshot};

use crate::{
    Asked, DESCRIPTION, Fake,
    answer::Answer,
    faults::{self, HANG, Trouble},
    openapi::segments,
    routes::{self, Ask},
    world::{Access, Token, World},
};

/// Version of the API that is served.
const API_VERSION: &str = "2022-11-28";

/// Why there is no answer.
type NoAnswer = io::Error;

/// Answers until told to stop.
pub(crate) async fn serve(
    listener: TcpListener,
    fake: Arc<Fake>,
    mut stop: oneshot::Receiver<Infallible>,
) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = &mut stop => return,
        };
        let Ok((stream, _)) = accepted else { continue };
        let fake = Arc::clone(&fake);
        tokio::spawn(async move {
            let service = service_fn(|request| respond(Arc::clone(&fake), request));
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(stream), service);
            // It ends with an error when trouble that was asked for closes it.
            drop(connection.await);
        });
    }
}

async fn respond(
    fake: Arc<Fake>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, NoAnswer> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let path = parts.uri.path().to_owned();
    let query = query(parts.uri.query().unwrap_or_default());
    let request = Received {
        method: parts.method,
        path,
        query,
        headers: parts.headers,
        body,
    };
    if let Some(rest) = request.path.strip_prefix("/_fake/") {
        return Ok(sent(control(&fake, &request, rest)));
    }
    let trouble = fake.trouble(&request.method, &request.path);
    let done = match trouble {
        // What is asked for is not even looked at.
        Some((_, false)) => None,
        _ => Some(fake.answer(&request)),
    };
    let Some((trouble, _)) = trouble else {
        return Ok(sent(done.expect("without trouble it is answered")));
    };
    if done.is_none() {
        let status = trouble.answer().map(|answer| answer.status);
        fake.note(&request, status, String::new());
    }
    if let Some(answer) = trouble.answer() {
        return Ok(sent(answer));
    }
    if trouble == Trouble::Hang {
        tokio::time::sleep(HANG).await;
    }
    Err(io::Error::other("trouble that was asked for"))
}

/// A request, read whole.
pub(crate) struct Received {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
}

impl Received {
    fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// What GitHub asks of every request.
    fn manners(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        for (name, value) in [
            ("accept", "application/vnd.github+json"),
            ("x-github-api-version", API_VERSION),
        ] {
            if self.header(name) != value {
                wrong.push(format!(
                    "the header `{name}` is `{}`, not `{value}`",
                    self.header(name)
                ));
            }
        }
        if self.header("user-agent").is_empty() {
            wrong.push("there is no header `user-agent`".to_owned());
        }
        if !self.body.is_empty() && self.header("content-type") != "application/json" {
            wrong.push("the body is not said to be JSON".to_owned());
        }
        wrong
    }
}

impl Fake {
    /// The trouble that is to meet a request.
    fn trouble(&self, method: &Method, path: &str) -> Option<(Trouble, bool)> {
        faults::take(&mut self.state().faults, method, path)
    }

    /// Judges a request, does what it asks for, and judges the answer.
    fn answer(&self, request: &Received) -> Answer {
        let mut wrong = request.manners();
        let token = request.header("authorization").strip_prefix("Bearer ");
        let token = token.and_then(|token| self.state().world.tokens.get(token).cloned());
        let login = token
            .as_ref()
            .map(|token| token.login.clone())
            .unwrap_or_default();
        let answer = match token {
            None => Answer::refusal(401, "Bad credentials"),
            Some(token) if request.path.ends_with("/graphql") => {
                self.graphql(request, &token, &mut wrong)
            }
            Some(token) => self.rest(request, &token, &mut wrong),
        };
        self.note(request, Some(answer.status), login);
        self.complain(request, wrong);
        answer
    }

    fn rest(&self, request: &Received, token: &Token, wrong: &mut Vec<String>) -> Answer {
        let state = &mut *self.state();
        let path = by_name(&state.world, &request.path);
        let Some(operation) = DESCRIPTION.find(&request.method, &path) else {
            wrong.push(
                "GitHub describes no such operation, or it is not in operations.txt".to_owned(),
            );
            return Answer::not_found();
        };
        let mistakes = DESCRIPTION.check_request(operation, &request.query, &request.body);
        let body = request.json();
        let answer = if mistakes.is_empty() {
            let parts = segments(&path);
            let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
            let mut ask = Ask {
                world: &mut state.world,
                description: &DESCRIPTION,
                base: &self.url,
                token,
                query: &request.query,
                body: &body,
                path: &path,
                name: String::new(),
            };
            routes::answer(&mut ask, request.method.as_str(), &parts)
        } else {
            Answer::refusal(422, "the request is not as GitHub describes it")
        };
        wrong.extend(mistakes);
        let checked = DESCRIPTION.check_answer(operation, answer.status, answer.body.as_ref());
        wrong.extend(
            checked
                .into_iter()
                .map(|what| format!("our answer, {operation}: {what}")),
        );
        answer
    }

    /// Keeps what was asked.
    fn note(&self, request: &Received, status: Option<u16>, login: String) {
        self.state().asked.push(Asked {
            method: request.method.to_string(),
            path: request.path.clone(),
            query: request.query.clone(),
            body: request.json(),
            login,
            status,
        });
    }

    fn graphql(&self, request: &Received, token: &Token, wrong: &mut Vec<String>) -> Answer {
        let asked = request.json();
        let id = asked["variables"]["id"].as_str().unwrap_or_default();
        let ok = |data: Value| Answer::new(200, json!({"data": data}));
        match asked["query"].as_str() {
            _ if request.method != Method::POST => {}
            Some(VIEWER) if asked.as_object().is_some_and(|all| all.len() == 1) => {
                return ok(json!({"viewer": {"login": token.login}}));
            }
            Some(HIDE) => {
                return self.hide(id, token).map_or_else(
                    |message| {
                        let error = json!({"type": "FORBIDDEN", "message": message});
                        Answer::new(
                            200,
                            json!({"data": {"minimizeComment": null}, "errors": [error]}),
                        )
                    },
                    |()| {
                        ok(json!({"minimizeComment": {"minimizedComment": {"isMinimized": true}}}))
                    },
                );
            }
            _ => {}
        }
        wrong.push("this question is not known".to_owned());
        Answer::new(200, json!({"data": null}))
    }

    /// Hides a comment, if the token may.
    fn hide(&self, node: &str, token: &Token) -> Result<(), &'static str> {
        let world = &mut self.state().world;
        let id = node
            .strip_prefix("IC_")
            .and_then(|id| id.parse::<u64>().ok());
        let id = id.ok_or("Could not resolve to a node with the global id")?;
        let names: Vec<String> = world.repositories.keys().cloned().collect();
        let of = names
            .iter()
            .find(|name| world.repositories[*name].comments.contains_key(&id));
        let name = of.ok_or("Could not resolve to a node with the global id")?;
        if !world.may(token, name, Access::Write, &["issues", "pull_requests"]) {
            return Err("Resource not accessible by integration");
        }
        let comments = &mut world.repository(name).comments;
        comments.get_mut(&id).expect("it was found there").hidden = true;
        Ok(())
    }

    fn complain(&self, request: &Received, wrong: Vec<String>) {
        let name = format!("{} {}", request.method, request.path);
        let complaints = wrong.into_iter().map(|what| format!("{name}: {what}"));
        self.state().violations.extend(complaints);
    }
}

/// GraphQL, of which we ask two things. It has a description of its own, which is not in that of the REST API.
const VIEWER: &str = "query { viewer { login } }";
const HIDE: &str = "mutation($id: ID!) { minimizeComment(input: {subjectId: $id, classifier: OUTDATED}) \
                    { minimizedComment { isMinimized } } }";

/// A path by the repository's number, as GitHub links pages, as one by its name.
fn by_name(world: &World, path: &str) -> String {
    let Some(rest) = path.strip_prefix("/repositories/") else {
        return path.to_owned();
    };
    let (id, rest) = rest.split_once('/').unwrap_or((rest, ""));
    let mut known = world.repositories.iter();
    match known.find(|(_, repository)| repository.id.to_string() == id) {
        Some((name, _)) => format!("/repos/{name}/{rest}")
            .trim_end_matches('/')
            .to_owned(),
        None => path.to_owned(),
    }
}

/// What tests ask of the fake itself.
fn control(fake: &Fake, request: &Received, what: &str) -> Answer {
    let state = &mut *fake.state();
    let refuse = |error: serde_json::Error| Answer::refusal(422, &error.to_string());
    let shown = |value: Result<Value, serde_json::Error>| match value {
        Ok(value) => Answer::new(200, value),
        Err(error) => Answer::refusal(500, &error.to_string()),
    };
    match (request.method.as_str(), what) {
        ("GET", "world") => shown(serde_json::to_value(&state.world)),
        ("PATCH", "world") => match changed(&state.world, &request.json()) {
            Ok(world) => {
                state.world = world;
                Answer::empty(204)
            }
            Err(error) => refuse(error),
        },
        ("POST", "faults") => match serde_json::from_slice(&request.body) {
            Ok(fault) => {
                state.faults.push(fault);
                Answer::empty(204)
            }
            Err(error) => refuse(error),
        },
        ("GET", "requests") => shown(serde_json::to_value(&state.asked)),
        ("GET", "violations") => shown(serde_json::to_value(&state.violations)),
        _ => Answer::not_found(),
    }
}

/// The world with a merge patch (RFC 7396): members replace members, null removes them.
pub(crate) fn changed(world: &World, patch: &Value) -> Result<World, serde_json::Error> {
    fn merge(target: &mut Value, patch: &Value) {
        let Value::Object(members) = patch else {
            patch.clone_into(target);
            return;
        };
        if !target.is_object() {
            *target = json!({});
        }
        for (key, value) in members {
            if value.is_null() {
                target.as_object_mut().expect("it is an object").remove(key);
            } else {
                merge(&mut target[key], value);
            }
        }
    }
    let mut whole = serde_json::to_value(world)?;
    merge(&mut whole, patch);
    let mut world: World = serde_json::from_value(whole)?;
    world.number();
    Ok(world)
}

/// The parameters of a query, decoded.
fn query(text: &str) -> Vec<(String, String)> {
    let decode = |text: &str| {
        let text = text.replace('+', " ");
        percent_encoding::percent_decode_str(&text)
            .decode_utf8_lossy()
            .into_owned()
    };
    let parts = text.split('&').filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (decode(name), decode(value))
        })
        .collect()
}

fn sent(answer: Answer) -> Response<Full<Bytes>> {
    let (kind, body) = match (&answer.body, answer.page) {
        (Some(value), _) => ("application/json; charset=utf-8", value.to_string()),
        (None, true) => ("text/html", "<html><body>Unicorn!</body></html>".to_owned()),
        (None, false) => ("", String::new()),
    };
    let mut response = Response::builder().status(answer.status);
    if !kind.is_empty() {
        response = response.header(header::CONTENT_TYPE, kind);
    }
    for (name, value) in &answer.headers {
        response = response.header(*name, value);
    }
    response
        .body(Full::from(body))
        .expect("our headers are ones of HTTP")
}
