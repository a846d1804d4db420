//! As much HTTP/1.1 as the test application needs: one thread and one answer a connection.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread,
    time::Duration,
};

use crate::routes::App;

/// A request's head may be this long; the environment variables of a pod do not come in here.
const MAX_HEAD_BYTES: u64 = 64 << 10;

/// A client that sends nothing must not hold the end of the program up.
const READ_TIMEOUT: Duration = Duration::from_secs(10);

/// What a request asks for: path and query, percent-decoded.
pub(crate) struct Request {
    pub(crate) path: String,
    query: Vec<(String, String)>,
}

/// What goes back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    pub(crate) body: String,
}

/// Serves an [`App`], and knows how many requests are in the air.
pub(crate) struct Server {
    app: App,
    in_flight: Mutex<usize>,
    landed: Condvar,
}

impl Request {
    /// The value of the query's `key`.
    pub(crate) fn query(&self, key: &str) -> Option<&str> {
        let pair = self.query.iter().find(|(name, _)| name == key);
        pair.map(|(_, value)| value.as_str())
    }

    fn parse(line: &str) -> Option<Self> {
        let target = line.split(' ').nth(1)?;
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        let query = pairs
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(name, value)| (decode(name), decode(value)))
            .collect();
        Some(Self {
            path: decode(path),
            query,
        })
    }
}

impl Answer {
    /// A plain text answer.
    pub(crate) fn text(status: u16, body: impl Into<String>) -> Self {
        Self {
            status,
            content_type: "text/plain; charset=utf-8",
            body: body.into(),
        }
    }

    /// A JSON answer with status 200.
    pub(crate) fn json(value: &serde_json::Value) -> Self {
        Self {
            status: 200,
            content_type: "application/json",
            body: format!("{value}\n"),
        }
    }
}

impl Server {
    pub(crate) fn new(app: App) -> Self {
        Self {
            app,
            in_flight: Mutex::new(0),
            landed: Condvar::new(),
        }
    }

    /// Accepts connections for as long as the program runs.
    pub(crate) fn serve(self: Arc<Self>, listener: &TcpListener) {
        for stream in listener.incoming() {
            match stream {
                Ok(stream) => {
                    self.count(1);
                    let server = Arc::clone(&self);
                    thread::spawn(move || {
                        if let Err(error) = server.answer(&stream) {
                            eprintln!("connection: {error}");
                        }
                        server.count(-1);
                    });
                }
                Err(error) => eprintln!("accept: {error}"),
            }
        }
    }

    /// Waits until no request is in the air.
    pub(crate) fn finish(&self) {
        let mut in_flight = self
            .in_flight
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        while *in_flight > 0 {
            in_flight = self
                .landed
                .wait(in_flight)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn count(&self, change: isize) {
        let mut in_flight = self
            .in_flight
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *in_flight = in_flight.saturating_add_signed(change);
        self.landed.notify_all();
    }

    fn answer(&self, stream: &TcpStream) -> io::Result<()> {
        stream.set_read_timeout(Some(READ_TIMEOUT))?;
        let mut head = BufReader::new(stream.take(MAX_HEAD_BYTES));
        let mut line = String::new();
        head.read_line(&mut line)?;
        if line.is_empty() {
            // A TCP probe: it connects and leaves.
            return Ok(());
        }
        let mut header = String::new();
        while head.read_line(&mut header)? > 0 && header.trim_end() != "" {
            header.clear();
        }
        let answer = match Request::parse(&line) {
            Some(request) => self.app.answer(&request),
            None => Answer::text(400, "no request line\n"),
        };
        let mut stream = stream;
        write!(
            stream,
            "HTTP/1.1 {} -\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}",
            answer.status,
            answer.content_type,
            answer.body.len(),
            answer.body
        )?;
        stream.flush()
    }
}

/// Percent-decoding; what is not UTF-8 afterwards is replaced.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let escaped = tail
            .get(..2)
            .filter(|_| first == b'%')
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match escaped {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(if first == b'+' { b' ' } else { first });
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_line_is_taken_apart() {
        let request = Request::parse("GET /get?url=http%3A%2F%2Fa%3A80%2Fb&x=1+2 HTTP/1.1\r\n")
            .expect("a request");
        assert_eq!(request.path, "/get");
        assert_eq!(request.query("url"), Some("http://a:80/b"));
        assert_eq!(request.query("x"), Some("1 2"));
        assert_eq!(request.query("y"), None);
    }

    #[test]
    fn what_is_no_escape_stays() {
        assert_eq!(decode("100%"), "100%");
        assert_eq!(decode("%zz%4"), "%zz%4");
        assert_eq!(decode("%C3%A9"), "é");
    }
}
