//! Requests as plain as they come: to the ingress controller, and to the API server through `kubectl proxy`.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::objects::path_of;

/// Longest that a request may take.
const LIMIT: Duration = Duration::from_secs(10);

/// What is answered to a GET through the ingress controller at `address`; none when nobody does.
pub(super) fn status(address: &str, host: &str, path: &str) -> Option<u16> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(LIMIT)).ok()?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n").ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    let text = String::from_utf8_lossy(&answer);
    text.split(' ').nth(1)?.parse().ok()
}

/// The API server, as little as there can be between it and a client.
pub(super) struct Api {
    address: String,
    /// Lines of every request.
    headers: String,
}

impl Api {
    pub(super) fn new(address: String) -> Self {
        Self::with_headers(address, &[])
    }

    /// The same for another server that speaks JSON.
    pub(super) fn with_headers(address: String, headers: &[(&str, &str)]) -> Self {
        let line = |(name, value): &(&str, &str)| format!("{name}: {value}\r\n");
        Self {
            address,
            headers: headers.iter().map(line).collect(),
        }
    }

    /// One request; the answer's code and its document.
    pub(super) fn ask(
        &self,
        method: &str,
        path: &str,
        kind: &str,
        body: &str,
    ) -> Result<(u16, Value)> {
        let mut stream = self.send(method, path, kind, body)?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        let text = String::from_utf8_lossy(&answer);
        let (head, body) = text.split_once("\r\n\r\n").context("half an answer")?;
        let code = head.split(' ').nth(1).context("no status")?.parse()?;
        Ok((code, serde_json::from_str(body).unwrap_or_default()))
    }

    /// Makes an object, or changes it into this.
    pub(super) fn apply(&self, object: &Value) -> Result<()> {
        let path = format!("{}?fieldManager=bench&force=true", path_of(object)?);
        let kind = "application/apply-patch+yaml";
        let (code, answer) = self.ask("PATCH", &path, kind, &object.to_string())?;
        ensure!(code < 300, "PATCH {path}: {code} {answer}");
        Ok(())
    }

    /// Follows the objects of a path until one of them is so.
    pub(super) fn until(&self, path: &str, mut so: impl FnMut(&Value) -> bool) -> Result<()> {
        let stream = self.send("GET", &format!("{path}?watch=true"), "", "")?;
        // Databases take their time.
        stream.set_read_timeout(Some(Duration::from_secs(120)))?;
        for line in BufReader::new(stream).lines() {
            let line = line.with_context(|| format!("waiting at {path}"))?;
            // The head has lines of its own.
            let Ok(event) = serde_json::from_str::<Value>(&line) else {
                continue;
            };
            if so(&event["object"]) {
                return Ok(());
            }
        }
        bail!("the watch of {path} ended")
    }

    /// HTTP/1.0, so that neither answers nor watches come in chunks.
    fn send(&self, method: &str, path: &str, kind: &str, body: &str) -> Result<TcpStream> {
        let mut stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(Some(LIMIT))?;
        let request = format!(
            "{method} {path} HTTP/1.0\r\nHost: localhost\r\n{}Content-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}",
            self.headers,
            body.len()
        );
        stream.write_all(request.as_bytes())?;
        Ok(stream)
    }
}
