//! MinIO, or whatever speaks S3: requests are signed by rusty-s3 and sent by hyper. Visits are counted in the object
//! `visits`.

use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    HeaderMap, Method, Request, StatusCode,
    body::Bytes,
    header::{ETAG, HeaderName, HeaderValue, IF_MATCH, IF_NONE_MATCH, SERVER},
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use rusty_s3::{
    Bucket, Credentials, S3Action, UrlStyle,
    actions::{GetObject, PutObject},
};
use tokio::sync::Mutex;

use super::{CONNECT, Cause, Database};
use crate::{settings, status::Seen};

const OBJECT: &str = "visits";

/// The region that servers have unless they are told otherwise.
const REGION: &str = "us-east-1";

/// How long a signature is valid.
const VALID: Duration = Duration::from_secs(60);

/// Largest answer that is read, in bytes.
const LARGEST: usize = 64 << 10;

/// How often storing is tried when other processes store at the same time.
const TRIES: usize = 5;

pub(super) struct Minio {
    bucket: Bucket,
    credentials: Credentials,
    http: Client<HttpConnector, Full<Bytes>>,
    /// Held while a visit is stored, so that requests to this process do not get in each other's way.
    storing: Mutex<()>,
}

/// The object that counts, as it was at one moment.
struct Counter {
    visits: u64,
    /// Absent when there is no object yet.
    etag: Option<HeaderValue>,
    server: String,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Minio {
    pub(super) fn new(address: settings::S3) -> Result<Self, String> {
        let endpoint = address.endpoint;
        let wrong = || format!("the endpoint `{endpoint}` is not a URL that begins with http://");
        if !endpoint.starts_with("http://") {
            return Err(wrong());
        }
        let url = endpoint.parse().map_err(|_| wrong())?;
        let bucket = Bucket::new(url, UrlStyle::Path, address.bucket, REGION);
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT));
        connector.set_nodelay(true);
        Ok(Self {
            bucket: bucket.map_err(|_| wrong())?,
            credentials: Credentials::new(address.access_key, address.secret_key.reveal()),
            http: Client::builder(TokioExecutor::new()).build(connector),
            storing: Mutex::new(()),
        })
    }

    async fn counter(&self) -> Result<Counter, Cause> {
        let url = GetObject::new(&self.bucket, Some(&self.credentials), OBJECT).sign(VALID);
        let request = Request::get(url.as_str()).body(Full::default())?;
        let answer = self.send(request).await?;
        let server = answer.headers.get(SERVER);
        let server = server.and_then(|name| name.to_str().ok());
        let counter = Counter {
            visits: 0,
            etag: None,
            server: server.unwrap_or("S3").to_owned(),
        };
        match answer.status {
            StatusCode::OK => Ok(Counter {
                visits: count(&answer.body)?,
                etag: answer.headers.get(ETAG).cloned(),
                ..counter
            }),
            StatusCode::NOT_FOUND if code(&answer.body) == "NoSuchKey" => Ok(counter),
            _ => Err(answer.refusal()),
        }
    }

    /// Writes the object on condition that nobody else did meanwhile; whether that was so.
    async fn write(&self, before: Counter) -> Result<bool, Cause> {
        let url = PutObject::new(&self.bucket, Some(&self.credentials), OBJECT).sign(VALID);
        let (name, value): (HeaderName, HeaderValue) = match before.etag {
            Some(etag) => (IF_MATCH, etag),
            None => (IF_NONE_MATCH, HeaderValue::from_static("*")),
        };
        let body = (before.visits + 1).to_string();
        let request = Request::builder()
            .method(Method::PUT)
            .uri(url.as_str())
            .header(name, value)
            .body(Full::from(body))?;
        let answer = self.send(request).await?;
        match answer.status {
            StatusCode::OK => Ok(true),
            StatusCode::PRECONDITION_FAILED | StatusCode::CONFLICT => Ok(false),
            _ => Err(answer.refusal()),
        }
    }

    async fn send(&self, request: Request<Full<Bytes>>) -> Result<Answer, Cause> {
        let (head, body) = self.http.request(request).await?.into_parts();
        let body = Limited::new(body, LARGEST).collect().await;
        let body = body.map_err(|error| Cause::new(&format!("cannot read the answer: {error}")))?;
        Ok(Answer {
            status: head.status,
            headers: head.headers,
            body: body.to_bytes(),
        })
    }
}

impl Answer {
    /// Why the server did not do what it was asked for.
    fn refusal(&self) -> Cause {
        let text = format!("{} {}", self.status.as_u16(), code(&self.body));
        Cause::new(text.trim_end())
    }
}

impl Database for Minio {
    async fn look(&self) -> Result<Seen, Cause> {
        let asked = Instant::now();
        let counter = self.counter().await?;
        Ok(Seen {
            version: counter.server,
            round_trip: asked.elapsed(),
            visits: counter.visits,
        })
    }

    async fn visit(&self) -> Result<(), Cause> {
        let _turn = self.storing.lock().await;
        for _ in 0..TRIES {
            let counter = self.counter().await?;
            if self.write(counter).await? {
                return Ok(());
            }
        }
        Err(Cause::new("others store visits at the same time"))
    }
}

/// The number in the object.
fn count(body: &[u8]) -> Result<u64, Cause> {
    let number = std::str::from_utf8(body).ok();
    let number = number.and_then(|text| text.trim().parse().ok());
    number.ok_or_else(|| Cause::new(&format!("the object `{OBJECT}` is not a number")))
}

/// The code in the XML of an error of S3; nothing when there is none.
fn code(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let code = text
        .split_once("<Code>")
        .and_then(|(_, rest)| rest.split_once("</Code>"));
    code.map_or_else(String::new, |(code, _)| code.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_of_an_error_is_found() {
        let xml =
            b"<?xml version=\"1.0\"?>\n<Error><Code>NoSuchKey</Code><Message>no</Message></Error>";
        assert_eq!(code(xml), "NoSuchKey");
        assert_eq!(code(b""), "");
        assert_eq!(code(b"<Code>cut"), "");
        assert_eq!(code(&[0xff, 0xfe]), "");
    }

    #[test]
    fn only_a_number_counts() {
        assert_eq!(count(b"12\n").ok(), Some(12));
        assert!(count(b"twelve").is_err());
        assert!(count(&[0xff]).is_err());
    }
}
