//! What each path answers.

use std::{
    collections::BTreeMap,
    env, fs,
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::Duration,
};

use serde_json::{Value, json};

use crate::{
    http::{Answer, Request},
    probe,
};

/// The longest that `/slow` waits.
const MAX_SLOW: Duration = Duration::from_secs(120);

/// What `/health` does.
pub(crate) enum Health {
    Ok,
    Fails,
    Hangs,
}

/// The application.
pub(crate) struct App {
    health: Health,
    requests: AtomicU64,
}

impl App {
    pub(crate) fn new(health: Health) -> Self {
        Self {
            health,
            requests: AtomicU64::new(0),
        }
    }

    /// Answers one request.
    pub(crate) fn answer(&self, request: &Request) -> Answer {
        let count = self.requests.fetch_add(1, Ordering::Relaxed) + 1;
        let text = |key: &str| request.query(key).unwrap_or_default();
        let number = |key: &str, default: u64| match request.query(key) {
            Some(text) => text.parse().unwrap_or(default),
            None => default,
        };
        match request.path.as_str() {
            "/" => Answer::text(200, front_page()),
            "/health" => self.health(),
            "/metrics" => Answer::text(
                200,
                format!("# TYPE testapp_requests_total counter\ntestapp_requests_total {count}\n"),
            ),
            "/env" => Answer::json(&environment()),
            "/args" => Answer::json(&env::args().skip(1).collect()),
            "/uid" => Answer::json(&identity()),
            "/write" => Answer::json(&outcome(fs::write(text("path"), "written by testapp\n"))),
            "/ls" => Answer::json(&list(text("path"))),
            "/connect" => {
                let timeout = Duration::from_millis(number("timeout_ms", 2000));
                let port = u16::try_from(number("port", 80)).unwrap_or_default();
                Answer::json(&probe::connect(text("host"), port, timeout))
            }
            "/get" => Answer::json(&probe::get(text("url"))),
            "/resolve" => Answer::json(&probe::resolve(text("name"))),
            "/slow" => {
                let pause = Duration::from_millis(number("ms", 1000)).min(MAX_SLOW);
                thread::sleep(pause);
                Answer::text(200, format!("after {} ms\n", pause.as_millis()))
            }
            path => match path.strip_prefix("/status/").map(str::parse) {
                Some(Ok(status @ 200..=599)) => Answer::text(status, format!("{status}\n")),
                _ => Answer::text(404, format!("no {path} here\n")),
            },
        }
    }

    fn health(&self) -> Answer {
        match self.health {
            Health::Ok => Answer::text(200, "ok\n"),
            Health::Fails => Answer::text(500, "MODE=health-500\n"),
            Health::Hangs => loop {
                thread::park();
            },
        }
    }
}

fn front_page() -> String {
    let version = env::var("VERSION").unwrap_or_else(|_| "unknown".to_owned());
    let host = env::var("HOSTNAME").unwrap_or_else(|_| "unknown".to_owned());
    format!("testapp version {version} on {host}\n")
}

/// Every variable, exactly; what is not UTF-8 is replaced.
fn environment() -> Value {
    let all: BTreeMap<String, String> = env::vars_os()
        .map(|(name, value)| {
            (
                name.to_string_lossy().into_owned(),
                value.to_string_lossy().into_owned(),
            )
        })
        .collect();
    json!(all)
}

/// Who the process is, and what the kernel lets it do, from `/proc/self/status`.
fn identity() -> Value {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = |name: &str| {
        let value = status
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        value.unwrap_or_default().trim().to_owned()
    };
    // Real, effective, saved and file system id stand in one line; the effective one counts.
    let id = |name: &str| {
        let ids = line(name);
        let effective = ids.split_whitespace().nth(1);
        effective.and_then(|id| id.parse::<u32>().ok())
    };
    json!({
        "uid": id("Uid"),
        "gid": id("Gid"),
        "groups": line("Groups"),
        "CapEff": line("CapEff"),
        "CapPrm": line("CapPrm"),
        "CapBnd": line("CapBnd"),
        "NoNewPrivs": line("NoNewPrivs"),
        "Seccomp": line("Seccomp"),
    })
}

fn list(path: &str) -> Value {
    let names = fs::read_dir(path).and_then(|entries| {
        entries
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect::<Result<Vec<_>, std::io::Error>>()
    });
    match names {
        Ok(mut names) => {
            names.sort();
            json!({ "ok": true, "entries": names })
        }
        Err(error) => json!({ "ok": false, "error": error.to_string() }),
    }
}

fn outcome(result: std::io::Result<()>) -> Value {
    match result {
        Ok(()) => json!({ "ok": true, "error": null }),
        Err(error) => json!({ "ok": false, "error": error.to_string() }),
    }
}
