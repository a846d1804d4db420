//! What is answered at which path.

use http_body_util::Full;
use hyper::{
    Method, Request, Response, StatusCode,
    body::Bytes,
    header::{
        ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, LOCATION,
        X_CONTENT_TYPE_OPTIONS,
    },
};

use crate::{
    databases::Databases,
    metrics::{self, Requests},
    page,
    settings::About,
    status::{self, Stored},
};

const HTML: &str = "text/html; charset=utf-8";
const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";
const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The paths that there are. Others are counted as one.
const PATHS: [&str; 6] = [
    "/",
    "/api/status",
    "/api/visit",
    "/health",
    "/metrics",
    "/ready",
];

pub(crate) type Answer = Response<Full<Bytes>>;

/// Everything that answers are made from.
pub(crate) struct Site {
    about: About,
    databases: Databases,
    requests: Requests,
}

impl Site {
    pub(crate) fn new(about: About, databases: Databases) -> Self {
        Self {
            about,
            databases,
            requests: Requests::default(),
        }
    }

    /// Answers a request, and counts it. Its body is not read: no path takes one.
    pub(crate) async fn answer<B>(&self, request: &Request<B>) -> Answer {
        let wanted = request.uri().path();
        let path = PATHS.into_iter().find(|path| *path == wanted);
        let answer = match (path, request.method()) {
            (None, _) => plain(StatusCode::NOT_FOUND, "not found\n"),
            (Some("/api/visit"), &Method::POST) => self.visit(wants_html(request)).await,
            (Some("/api/visit"), _) => not_allowed("POST"),
            (Some(path), &Method::GET | &Method::HEAD) => self.get(path).await,
            (Some(_), _) => not_allowed("GET, HEAD"),
        };
        self.requests
            .count(path.unwrap_or("other"), answer.status().as_u16());
        answer
    }

    async fn get(&self, path: &str) -> Answer {
        // Whether this process lives is not to depend on anything else.
        if path == "/health" {
            return plain(StatusCode::OK, "ok\n");
        }
        let states = self.databases.look().await;
        match path {
            "/ready" => {
                let missing = status::missing(&states);
                if missing.is_empty() {
                    return plain(StatusCode::OK, "ready\n");
                }
                let lines = missing
                    .iter()
                    .map(|(kind, why)| format!("{}: {why}\n", kind.name()));
                plain(StatusCode::SERVICE_UNAVAILABLE, lines.collect::<String>())
            }
            "/api/status" => {
                let value = status::to_json(&self.about, &states);
                answer(StatusCode::OK, JSON, format!("{value:#}\n"))
            }
            "/metrics" => {
                let text = metrics::render(&self.about, &states, &self.requests);
                answer(StatusCode::OK, METRICS, text)
            }
            _ => html(
                StatusCode::OK,
                page::render(&self.about, &states, &Vec::new()),
            ),
        }
    }

    /// A browser is sent back to the page, so that loading it again is not another visit.
    async fn visit(&self, browser: bool) -> Answer {
        let stored: Stored = self.databases.visit().await;
        let lost = stored.iter().any(|(_, result)| result.is_err());
        if !browser {
            let status = if lost {
                StatusCode::SERVICE_UNAVAILABLE
            } else {
                StatusCode::OK
            };
            let value = status::stored_to_json(&stored);
            return answer(status, JSON, format!("{value:#}\n"));
        }
        if lost {
            let states = self.databases.look().await;
            let page = page::render(&self.about, &states, &stored);
            return html(StatusCode::SERVICE_UNAVAILABLE, page);
        }
        let mut answer = plain(StatusCode::SEE_OTHER, "stored\n");
        answer
            .headers_mut()
            .insert(LOCATION, HeaderValue::from_static("/"));
        answer
    }
}

/// Whether a browser asks, for a person to read the answer.
fn wants_html<B>(request: &Request<B>) -> bool {
    let accept = request.headers().get(ACCEPT);
    accept.is_some_and(|accept| accept.to_str().is_ok_and(|text| text.contains("text/html")))
}

fn answer(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    answer
}

fn plain(status: StatusCode, text: impl Into<Bytes>) -> Answer {
    answer(status, TEXT, text)
}

fn html(status: StatusCode, page: String) -> Answer {
    let mut answer = answer(status, HTML, page);
    let policy = HeaderValue::from_static(page::POLICY);
    answer.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    answer
}

fn not_allowed(methods: &'static str) -> Answer {
    let mut answer = plain(StatusCode::METHOD_NOT_ALLOWED, "method not allowed\n");
    answer
        .headers_mut()
        .insert(ALLOW, HeaderValue::from_static(methods));
    answer
}

#[cfg(test)]
mod tests {
    use std::{
        net::{Ipv4Addr, SocketAddr},
        time::{Duration, Instant},
    };

    use http_body_util::BodyExt;
    use tokio::net::TcpListener;

    use super::*;
    use crate::settings::Settings;

    async fn site(variables: &[(&str, String)]) -> Site {
        let mut settings = Settings::read(|wanted| {
            let found = variables.iter().find(|(name, _)| *name == wanted);
            found.map(|(_, value)| value.clone())
        })
        .expect("settings");
        let about = std::mem::take(&mut settings.about);
        Site::new(about, Databases::new(settings).await)
    }

    /// All five databases at one address.
    async fn site_at(address: SocketAddr) -> Site {
        site(&[
            (
                "DATABASE_URL",
                format!("postgres://app:s3cret@{address}/app"),
            ),
            ("MYSQL_URL", format!("mysql://app:s3cret@{address}/app")),
            (
                "MONGODB_URL",
                format!("mongodb://app:s3cret@{address}/admin"),
            ),
            ("REDIS_URL", format!("redis://:s3cret@{address}")),
            ("S3_ENDPOINT", format!("http://{address}")),
            ("S3_ACCESS_KEY", "app".to_owned()),
            ("S3_SECRET_KEY", "s3cret".to_owned()),
            ("S3_BUCKET", "data".to_owned()),
        ])
        .await
    }

    async fn ask(site: &Site, method: Method, path: &str, accept: &str) -> (Answer, String) {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(ACCEPT, accept)
            .body(())
            .expect("a request");
        let (head, body) = site.answer(&request).await.into_parts();
        let body = body.collect().await.expect("a body").to_bytes();
        let text = String::from_utf8(body.to_vec()).expect("a text");
        (Response::from_parts(head, Full::default()), text)
    }

    #[tokio::test]
    async fn without_databases_all_is_well() {
        let site = site(&[("PR_NUMBER", "12".to_owned())]).await;
        for (path, status, part) in [
            ("/", 200, "No database is configured."),
            ("/?from=elsewhere", 200, "<code>12</code>"),
            ("/api/status", 200, "\"pullRequest\": \"12\""),
            ("/health", 200, "ok"),
            ("/ready", 200, "ready"),
            (
                "/metrics",
                200,
                "demo_http_requests_total{path=\"/\",status=\"200\"} 2",
            ),
            ("/nothing", 404, "not found"),
            ("/api/visit", 405, "method not allowed"),
        ] {
            let (answer, text) = ask(&site, Method::GET, path, "*/*").await;
            assert_eq!(answer.status(), status, "{path}: {text}");
            assert!(text.contains(part), "{path}: {text}");
        }
        let (answer, _) = ask(&site, Method::DELETE, "/", "*/*").await;
        assert_eq!(answer.status(), 405);
        assert_eq!(answer.headers()[ALLOW], "GET, HEAD");
    }

    #[tokio::test]
    async fn a_browser_is_sent_back_to_the_page() {
        let site = site(&[]).await;
        let (answer, _) = ask(&site, Method::POST, "/api/visit", "text/html,*/*").await;
        assert_eq!(answer.status(), 303);
        assert_eq!(answer.headers()[LOCATION], "/");
        let (answer, text) = ask(&site, Method::POST, "/api/visit", "*/*").await;
        assert_eq!(answer.status(), 200);
        assert_eq!(text, "{\n  \"databases\": {}\n}\n");
    }

    /// A server that takes every connection and never says a word.
    #[tokio::test]
    async fn silent_databases_do_not_hold_anything_up() {
        let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let silent = silent.expect("a port");
        let address = silent.local_addr().expect("an address");
        tokio::spawn(async move {
            let mut taken = Vec::new();
            while let Ok(connection) = silent.accept().await {
                taken.push(connection);
            }
        });
        let site = site_at(address).await;
        let begun = Instant::now();
        let (answer, text) = ask(&site, Method::GET, "/ready", "*/*").await;
        assert_eq!(answer.status(), 503);
        assert_eq!(text.lines().count(), 5, "{text}");
        assert!(!text.contains("s3cret"), "{text}");
        let begun_again = Instant::now();
        let (answer, text) = ask(&site, Method::POST, "/api/visit", "text/html").await;
        assert_eq!(answer.status(), 503);
        assert!(text.contains("PostgreSQL, MariaDB, MongoDB, Redis, MinIO do not answer"));
        // Far above what it takes, far below five databases one after the other.
        assert!(begun_again - begun < Duration::from_secs(4));
        assert!(begun_again.elapsed() < Duration::from_secs(8));
        let (answer, _) = ask(&site, Method::GET, "/health", "*/*").await;
        assert_eq!(answer.status(), 200);
    }

    #[tokio::test]
    async fn a_refused_connection_is_told_as_such() {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let address = free.expect("a port").local_addr().expect("an address");
        let site = site_at(address).await;
        let (answer, text) = ask(&site, Method::GET, "/ready", "*/*").await;
        assert_eq!(answer.status(), 503);
        for (line, kind) in text
            .lines()
            .zip(["postgresql", "mariadb", "mongodb", "redis", "minio"])
        {
            assert!(line.starts_with(&format!("{kind}: ")), "{text}");
            assert!(line.contains("Connection refused"), "{text}");
            assert!(!line.contains("s3cret"), "{text}");
        }
    }

    #[tokio::test]
    async fn an_address_that_makes_no_sense_is_told_without_quoting_it() {
        let site = site(&[
            ("DATABASE_URL", "s3cret".to_owned()),
            ("MYSQL_URL", "s3cret".to_owned()),
            ("MONGODB_URL", "s3cret".to_owned()),
            ("REDIS_URL", "s3cret".to_owned()),
            ("S3_ENDPOINT", "https://db".to_owned()),
            ("S3_ACCESS_KEY", "app".to_owned()),
            ("S3_SECRET_KEY", "s3cret".to_owned()),
            ("S3_BUCKET", "data".to_owned()),
        ])
        .await;
        let (_, text) = ask(&site, Method::GET, "/ready", "*/*").await;
        assert_eq!(
            text,
            "postgresql: DATABASE_URL is not a URL of PostgreSQL\n\
             mariadb: MYSQL_URL is not a URL of MariaDB\n\
             mongodb: MONGODB_URL is not a URL of MongoDB\n\
             redis: REDIS_URL is not a URL of Redis\n\
             minio: the endpoint `https://db` is not a URL that begins with http://\n"
        );
    }
}
