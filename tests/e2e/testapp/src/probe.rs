//! The network as the pod sees it: connections, plain HTTP requests and names, tried on request.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream, ToSocketAddrs},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

/// How long `/get` waits for a connection, and for each part of the answer.
const GET_TIMEOUT: Duration = Duration::from_secs(3);

/// As much of an answer as `/get` reads.
const MAX_BODY_BYTES: u64 = 1 << 20;

/// Tries a TCP connection: `{ok, error, ms}`.
pub(crate) fn connect(host: &str, port: u16, timeout: Duration) -> Value {
    let start = Instant::now();
    let result = addresses(host, port).and_then(|found| reach(&found, timeout));
    json!({
        "ok": result.is_ok(),
        "error": result.err().map(|error| error.to_string()),
        "ms": start.elapsed().as_millis(),
    })
}

/// Fetches an `http://` URL: `{status, body}`, or `{status: null, error}`.
pub(crate) fn get(url: &str) -> Value {
    match fetch(url) {
        Ok((status, body)) => json!({ "status": status, "body": body }),
        Err(error) => json!({ "status": null, "error": error.to_string() }),
    }
}

/// Looks a name up: `{ok, addresses}`, with `error` when there are none.
pub(crate) fn resolve(name: &str) -> Value {
    match addresses(name, 0) {
        Ok(found) => {
            let mut found: Vec<_> = found.iter().map(|found| found.ip().to_string()).collect();
            found.sort();
            found.dedup();
            json!({ "ok": true, "addresses": found })
        }
        Err(error) => json!({ "ok": false, "addresses": [], "error": error.to_string() }),
    }
}

fn addresses(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    // IPv6 literals come in brackets in URLs.
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let found: Vec<_> = (host, port).to_socket_addrs()?.collect();
    if found.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "no addresses"));
    }
    Ok(found)
}

fn reach(addresses: &[SocketAddr], timeout: Duration) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "no addresses");
    for address in addresses {
        match TcpStream::connect_timeout(address, timeout) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn fetch(url: &str) -> io::Result<(u16, String)> {
    let bad = |message: &str| io::Error::new(io::ErrorKind::InvalidInput, message.to_owned());
    let rest = url
        .strip_prefix("http://")
        .ok_or_else(|| bad("only http:// here"))?;
    let (authority, path) = match rest.find('/') {
        Some(slash) => rest.split_at(slash),
        None => (rest, "/"),
    };
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => {
            (host, port.parse().map_err(|_| bad("bad port"))?)
        }
        _ => (authority, 80),
    };
    let mut stream = reach(&addresses(host, port)?, GET_TIMEOUT)?;
    stream.set_read_timeout(Some(GET_TIMEOUT))?;
    stream.set_write_timeout(Some(GET_TIMEOUT))?;
    // HTTP/1.0: the answer ends where the connection does, and is never chunked.
    write!(
        stream,
        "GET {path} HTTP/1.0\r\nHost: {authority}\r\nUser-Agent: testapp\r\n\r\n"
    )?;
    let mut answer = Vec::new();
    stream.take(MAX_BODY_BYTES).read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    let status = answer
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "no HTTP answer"))?;
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    Ok((status, body.to_owned()))
}
