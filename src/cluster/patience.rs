//! How long an answer of the API server is waited for: one that takes connections and says nothing must not keep anybody
//! for ever.

use std::{
    io,
    pin::pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
    time::Duration,
};

use futures::{FutureExt as _, future::BoxFuture};
use http::{Method, Request};
use kube::client::Body;
use tokio::{sync::Notify, time::timeout};
use tower::{BoxError, Service};

/// Longest until the answer to a question begins.
const READ: Duration = Duration::from_secs(30);

/// The same for what is written: admission may ask others first, and the API server itself gives up after a minute.
const WRITE: Duration = Duration::from_secs(70);

/// Time after which it is worth a word that an answer has not begun.
const SLOW: Duration = Duration::from_secs(3);

/// The API server that keeps somebody waiting.
static KEEPS_WAITING: Mutex<String> = Mutex::new(String::new());
static WAITS: Notify = Notify::const_new();

/// Returns when an answer is long in coming: who is to give it.
pub async fn slow() -> String {
    WAITS.notified().await;
    let server = KEEPS_WAITING.lock();
    server.expect("nobody panics while holding it").clone()
}

fn keeps_waiting(server: &str) {
    let mut known = KEEPS_WAITING
        .lock()
        .expect("nobody panics while holding it");
    server.clone_into(&mut known);
    WAITS.notify_one();
}

/// Gives up on requests that are not answered in time. What comes after the beginning of an answer is not limited, as
/// watches go on for as long as somebody looks.
#[derive(Clone, Debug)]
pub(super) struct Patience<S> {
    pub(super) inner: S,
    /// URL of the API server.
    pub(super) server: Arc<str>,
}

impl<S> Service<Request<Body>> for Patience<S>
where
    S: Service<Request<Body>>,
    S::Error: Into<BoxError>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<S::Response, BoxError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let limit = limit(&request);
        let server = Arc::clone(&self.server);
        let answer = self.inner.call(request);
        async move {
            let Some(limit) = limit else {
                return answer.await.map_err(Into::into);
            };
            let mut answer = pin!(answer);
            if let Ok(answer) = timeout(SLOW, answer.as_mut()).await {
                return answer.map_err(Into::into);
            }
            keeps_waiting(&server);
            match timeout(limit.saturating_sub(SLOW), answer).await {
                Ok(answer) => answer.map_err(Into::into),
                Err(_) => {
                    let why = format!("no answer within {} seconds", limit.as_secs());
                    Err(io::Error::new(io::ErrorKind::TimedOut, why).into())
                }
            }
        }
        .boxed()
    }
}

fn limit(request: &Request<Body>) -> Option<Duration> {
    // The answer of a log that is followed begins with its first line.
    if request.uri().path().ends_with("/log") {
        return None;
    }
    Some(if request.method() == Method::GET {
        READ
    } else {
        WRITE
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_not_answered_is_given_up() {
        let silent = tower::service_fn(|_: Request<Body>| async {
            std::future::pending::<Result<(), io::Error>>().await
        });
        let ask = |method: Method, path: &str| {
            let request = Request::builder().method(method).uri(path);
            let request = request.body(Body::empty()).expect("a request");
            let (inner, server) = (silent, "https://127.0.0.1".into());
            Patience { inner, server }.call(request)
        };
        let gave_up = ask(Method::GET, "/api/v1/namespaces").await;
        assert_eq!(
            gave_up.expect_err("nobody answers").to_string(),
            "no answer within 30 seconds"
        );
        let gave_up = ask(Method::PATCH, "/api/v1/namespaces/a").await;
        assert_eq!(
            gave_up.expect_err("nobody answers").to_string(),
            "no answer within 70 seconds"
        );
        let followed = ask(Method::GET, "/api/v1/namespaces/a/pods/b/log?follow=true");
        let an_hour = tokio::time::timeout(Duration::from_secs(3600), followed);
        assert!(an_hour.await.is_err(), "a silent log is followed");
    }
}
