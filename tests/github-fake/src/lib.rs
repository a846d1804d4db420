//! A GitHub with a memory, for tests: pull requests, comments, deployments and what else we ask of it, with pages,
//! permissions, and trouble on demand.
//!
//! GitHub's own description of its API judges every request and every answer; what it finds fails the test that asked.
//! What the description does not say is told in `openapi.rs` and `server.rs`: how large a page may be, the headers that
//! every request has, and the one question in GraphQL.

mod answer;
mod faults;
mod openapi;
mod routes;
mod server;
mod show;
pub mod world;

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, LazyLock, Mutex, MutexGuard},
    thread::JoinHandle,
};

use anyhow::Context as _;
use serde::Serialize;
use serde_json::Value;
use tokio::{net::TcpListener, sync::oneshot};

pub use faults::{Fault, Trouble};
use openapi::Description;
use world::World;

/// A request that came, without its token.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Asked {
    /// Method.
    pub method: String,
    /// Path, as it was asked.
    pub path: String,
    /// Parameters.
    pub query: Vec<(String, String)>,
    /// Document; null without one.
    pub body: Value,
    /// Whose the token was; empty when it was not known, or not looked at.
    pub login: String,
    /// Status of the answer; none when there was none.
    pub status: Option<u16>,
}

/// Made ready once for all tests of a program: that takes longer than most of them.
static DESCRIPTION: LazyLock<Description> = LazyLock::new(Description::new);

/// What the server and its tests share.
struct Fake {
    url: String,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    world: World,
    faults: Vec<Fault>,
    asked: Vec<Asked>,
    violations: Vec<String>,
}

impl Fake {
    fn state(&self) -> MutexGuard<'_, State> {
        // A test that panicked within has failed already.
        self.state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// The running server. It ends when this is dropped; if something was not as GitHub describes it, that panics.
pub struct GithubFake {
    fake: Arc<Fake>,
    stop: Option<oneshot::Sender<Infallible>>,
    thread: Option<JoinHandle<()>>,
}

impl GithubFake {
    /// Starts on a free port of loopback.
    ///
    /// # Panics
    /// There is no free port.
    #[must_use]
    pub fn start(world: World) -> Self {
        let anywhere = SocketAddr::from(([127, 0, 0, 1], 0));
        Self::listen(anywhere, world).expect("loopback has a free port")
    }

    /// Starts on an address.
    ///
    /// # Errors
    /// It is taken, or not one of this machine.
    pub fn listen(address: SocketAddr, mut world: World) -> anyhow::Result<Self> {
        let listener = std::net::TcpListener::bind(address)
            .with_context(|| format!("cannot listen on {address}"))?;
        listener.set_nonblocking(true)?;
        world.number();
        let fake = Arc::new(Fake {
            url: format!("http://{}", listener.local_addr()?),
            state: Mutex::new(State {
                world,
                ..State::default()
            }),
        });
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (stop, stopped) = oneshot::channel();
        let served = Arc::clone(&fake);
        // A thread of its own: tests block theirs while they wait for a program.
        let thread = std::thread::spawn(move || {
            runtime.block_on(async move {
                let listener =
                    TcpListener::from_std(listener).expect("a socket that does not block");
                server::serve(listener, served, stopped).await;
            });
        });
        Ok(Self {
            fake,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Where it is, as in `GITHUB_API_URL`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.fake.url
    }

    /// Looks into what it remembers, or changes it.
    pub fn with<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        look(&mut self.fake.state().world)
    }

    /// Makes trouble.
    pub fn trouble(&self, fault: Fault) {
        self.fake.state().faults.push(fault);
    }

    /// All requests so far.
    #[must_use]
    pub fn requests(&self) -> Vec<Asked> {
        self.fake.state().asked.clone()
    }

    /// Everything so far that was not as GitHub describes it; forgotten by that.
    #[must_use]
    pub fn take_violations(&self) -> Vec<String> {
        std::mem::take(&mut self.fake.state().violations)
    }
}

impl Drop for GithubFake {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
        let violations = self.take_violations();
        if !std::thread::panicking() {
            let first: Vec<&str> = violations.iter().take(10).map(String::as_str).collect();
            let count = violations.len();
            assert!(
                count == 0,
                "{count} times not as GitHub describes it:\n{}",
                first.join("\n")
            );
        }
    }
}
